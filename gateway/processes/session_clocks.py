"""The clocks of the sessions of one process: what the pure calibration hears, what it has sent, what it stamps.

`on_message` and `on_admin` are called in the session's thread, `ask` in the main thread; each session's calibration has
a lock of its own, which is hardly ever waited for.

What can go wrong: a stamp that cannot be read tells nothing of the clock; the decoder tells of it. A TestRequest(1)
that could not be sent counts as one without answer.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from gateway.feed.clock_session import ClockSession
from gateway.fix import tags
from gateway.fix.application import between
from gateway.fix.scan import BadField, Stamps
from gateway.model.clock import ClockStatus
from gateway.model.port import Sessions
from gateway.model.quote import Quote
from gateway.model.trade import Alarm, AlarmName
from gateway.processes.host_clock import HostReading
from gateway.processes.site import VenueSettings

SENDING_MARK = "\x0152="
SECOND_STAMP_LENGTH = 17
REPORT_MARK, TRANSACT_MARK, SENT_AGAIN = "\x0135=8\x01", "\x0160=", "\x0143=Y\x01"
REPORTS_KEPT = 256


class _Clock:
    """One session's calibration with its lock and its reader of stamps."""

    def __init__(self, key: str, venue: VenueSettings) -> None:
        self.key = key
        self.lock = threading.Lock()
        self.session = ClockSession(venue.clock, venue.dialect.stamps, f"CLK-{key}-")
        self.stamps = Stamps(venue.dialect.utc_offset_ns)
        self.utc_wanted = venue.clock.utc_error_ns is not None
        stamps = venue.dialect.stamps
        # TransactTime(60) of a report can only be put on our clock where the clock that we ask for the time writes it.
        self.transact_known = stamps.transact_clock == stamps.sending_clock
        self.report_ages: deque[int] = deque(maxlen=REPORTS_KEPT)
        self.two_clocks = venue.dialect.stamps.entry_clock != venue.dialect.stamps.sending_clock

    def sending_ns(self, raw: str) -> int:
        """SendingTime(52); 0 where it cannot be read."""
        begin = raw.find(SENDING_MARK) + len(SENDING_MARK)
        end = raw.find("\x01", begin + SECOND_STAMP_LENGTH)
        try:
            return self.stamps.ns(raw[begin:end], "SendingTime(52)")
        except (BadField, IndexError):
            return 0


class Clocks:
    """All sessions of a process by their key, `VENUE.md` or `VENUE.orders`."""

    def __init__(self, venues: Mapping[str, VenueSettings], kind: str) -> None:
        self._clocks = {f"{name}.{kind}": _Clock(f"{name}.{kind}", venue) for name, venue in venues.items()}

    def on_session(self, key: str, *, up: bool, at_ns: int) -> None:
        """A session came up or went down: calibration begins anew."""
        clock = self._clocks.get(key)
        if clock is None:
            return  # a drop copy: nothing of it is judged by its time
        with clock.lock:
            clock.session.on_session(up=up, at_ns=at_ns)

    def on_admin(self, key: str, raw: str, recv_ns: int) -> None:
        """A message of the session layer; a Heartbeat(0) may answer one of our TestRequests(1)."""
        clock = self._clocks.get(key)
        sending_ns = clock.sending_ns(raw) if clock is not None else 0
        if clock is None or not sending_ns or "\x0143=Y\x01" in raw:
            return
        answers = between(raw, "\x0135=") == tags.MsgType.HEARTBEAT
        test_req_id = between(raw, "\x01112=") if answers else ""
        with clock.lock:
            if test_req_id:
                clock.session.on_heartbeat(test_req_id, sending_ns, recv_ns)
            else:
                clock.session.observe(sending_ns, recv_ns)

    def on_round_trip(self, key: str, sent_ns: int, venue_ns: int, recv_ns: int) -> None:
        """What an adapter that is no FIX learnt of the venue's clock: asked, answered, heard."""
        clock = self._clocks.get(key)
        if clock is not None and sent_ns <= recv_ns and venue_ns > 0:
            with clock.lock:
                clock.session.on_round_trip(sent_ns, venue_ns, recv_ns)

    def hearing(self, on_message: Callable[[str, str, int], None]) -> Callable[[str, str, int], None]:
        """`on_message` of a process that stamps no quotes: the message is handed over, then its stamp is looked at."""

        def both(key: str, raw: str, recv_ns: int) -> None:
            on_message(key, raw, recv_ns)
            self.on_message(key, raw, recv_ns)
            self._note_report(key, raw, recv_ns)

        return both

    def following(
        self, on_session: Callable[[str, bool, str], None], clock: Callable[[], int]
    ) -> Callable[[str, bool, str], None]:
        """`on_session` of such a process."""

        def both(key: str, up: bool, detail: str) -> None:  # noqa: FBT001 the callback's form
            self.on_session(key, up=up, at_ns=clock())
            on_session(key, up, detail)

        return both

    def on_message(self, key: str, raw: str, recv_ns: int) -> int:
        """An application message; what `stamp` wants to know of it."""
        clock = self._clocks.get(key)
        sending_ns = clock.sending_ns(raw) if clock is not None else 0
        if clock is None or not sending_ns:
            return 0
        with clock.lock:
            return clock.session.observe(sending_ns, recv_ns)

    def _note_report(self, key: str, raw: str, recv_ns: int) -> None:
        """How long an ExecutionReport(8) was on its way, from TransactTime(60) on our clock to its arrival."""
        clock = self._clocks[key]
        if not clock.transact_known or REPORT_MARK not in raw or SENT_AGAIN in raw:
            return
        try:
            said_ns = clock.stamps.ns(between(raw, TRANSACT_MARK), "TransactTime(60)")
        except (BadField, IndexError):
            return
        made = clock.session.map
        if made is not None and recv_ns <= made.live_until_ns:
            clock.report_ages.append(max(0, recv_ns - made.local_of(said_ns + clock.session.sending_middle_ns)))

    def stamp(self, key: str, quote: Quote, raw: str, recv_ns: int, extra_ns: int) -> None:
        """Put `calibrated_ns` and `bound_ns` on a quote that nobody else has seen yet."""
        clock = self._clocks[key]
        if clock.two_clocks and quote.recv_ns == recv_ns:
            with clock.lock:
                clock.session.note_entry(quote.venue_ns, clock.sending_ns(raw), recv_ns)
        # A quote that this message did not bring (a status, say) keeps the times of the one that did.
        extra_ns = extra_ns if quote.recv_ns == recv_ns else 0
        calibrated_ns, bound_ns = clock.session.calibrate(quote.venue_ns, quote.recv_ns, extra_ns)
        if calibrated_ns:
            msgspec.structs.force_setattr(quote, "calibrated_ns", calibrated_ns)
            msgspec.structs.force_setattr(quote, "bound_ns", bound_ns)

    def due_ns(self, at_ns: int, most_ns: int) -> int:
        """How long until the next TestRequest(1) is due, at most `most_ns`."""
        due = [one for clock in self._clocks.values() if (one := clock.session.due_ns()) is not None]
        return max(0, min(most_ns, *(one - at_ns for one in due))) if due else most_ns

    def ask(self, sessions: Sessions, at_ns: int) -> None:
        """Send the TestRequests(1) that are due."""
        for key, clock in self._clocks.items():
            due_ns = clock.session.due_ns()
            if due_ns is None or due_ns > at_ns or not sessions.logged_on(key):
                continue
            with clock.lock:
                test_req_id = clock.session.request(sessions.now_ns())
            sessions.test_request(key, test_req_id)

    def on_host(self, host: HostReading) -> None:
        """What this host says of its own clock: the ground of a declared error to UTC."""
        for clock in self._clocks.values():
            if clock.utc_wanted:
                with clock.lock:
                    if host.status.synchronised:
                        clock.session.on_utc(host.utc_minus_monotonic_ns, host.status.error_ns)
                    else:
                        clock.session.on_utc(None, 0)

    def status(self, at_ns: int) -> tuple[ClockStatus, ...]:
        """Every session's calibration as it stands."""
        return tuple(self._status(clock, at_ns) for clock in self._clocks.values())

    def _status(self, clock: _Clock, at_ns: int) -> ClockStatus:
        with clock.lock:
            one = clock.session.standing(at_ns)
        return ClockStatus(
            clock.key, one.live, one.offset_ns, one.bound_ns, one.noise_ns, one.drift_ppb, one.drift_bound_ppb,
            one.least_round_trip_ns, one.answers, one.steps, one.path_changes, one.basis, one.at_ns,
            _middle(clock.report_ages),
        )  # fmt: skip

    def alarms(self, at_ns: int) -> Iterable[Alarm]:
        """What happened to the clocks since the last call."""
        for clock in self._clocks.values():
            with clock.lock:
                events = clock.session.take_events(at_ns)
            for event in events:
                yield Alarm(AlarmName.CLOCK, clock.key, f"{event.name.value}: {event.figures}")


def _middle(ages_ns: Sequence[int]) -> int:
    """The median; 0 of none."""
    ordered = sorted(ages_ns)
    return ordered[len(ordered) // 2] if ordered else 0
