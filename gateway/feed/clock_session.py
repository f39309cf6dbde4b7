"""Calibrates the clock of one FIX session: which line leads from the venue's stamps to our clock, and its bound.

    due -> TestRequest(1) sent at T1 -> Heartbeat(0) with TestReqID(112), stamped S, received at T4 -> bounds -> line
    any other message, stamped S, received at R -> lower bound; a suspicion where it cannot be, or is late

The line lies in the middle between the upper and the lower bounds of the window (`clock_window.py`), so that one-way
delay is half the round trip. The bound covers all that asymmetry, jitter, drift and resolution could move it by: with
nothing else known it is half of the least round trip and what is not known of the drift. Where an asymmetry was
measured the line moves by half of it, and the bound is what that leaves open; where host and venue declare their error
to UTC, the line lies in what both allow.

A step of the venue's clock leaves no line, and what was known is dropped but for the newest answer. Another route does
not contradict any bound: the tighter bounds of the shorter route hold until they leave the window.

What can go wrong: asymmetry cannot be seen, only bounded; a route that becomes shorter one way and longer the other by
the same looks as before. A step much smaller than the jitter shows late. All of it stays inside the bound.
"""

from collections import deque
from math import isqrt

from gateway.feed.clock_events import ClockEvent, ClockEventName, ClockStanding
from gateway.feed.clock_map import NOT_CALIBRATED, ClockMap
from gateway.feed.clock_settings import MS, SECOND, US, ClockSettings, StampClocks
from gateway.feed.clock_stamps import EntryClock, coarse
from gateway.feed.clock_window import Bound, Rates, View, Window

FIRST_ANSWERS = 12
"""Until so many are in, TestRequests go out `FIRST_FASTER` times as often."""
FIRST_FASTER = 5
UNEVEN_PPB = 854_101_966
"""The share of the interval that is waited: irrational, so that requests meet every phase of the venue's stamps."""
OUTSTANDING_MOST = 8
NEVER_NS = 2**62
STEP_TOLD_NS = 10 * SECOND
"""Steps within this time of one that was told are counted only."""
ROUND_TRIPS_KEPT = 300
PATH_SAMPLES = 16
"""So many round trips in a row have to be longer before it is another route; a single shorter one shows it at once."""
FEW = 16
"""With fewer answers nothing is concluded from the least round trip."""
LEAST_SPREAD_NS = MS // 5
COARSE_NS = 20 * MS
"""Stamps coarser than this are sharpened by when they came, and requests are aimed at their edges."""


class ClockSession:
    """See the module. Times are on our clock; `prefix` begins its TestReqIDs(112). One thread at a time."""

    def __init__(self, settings: ClockSettings, stamps: StampClocks, prefix: str) -> None:
        self._settings = settings
        self._stamps = stamps
        self._prefix = prefix
        self._window = Window(settings.window_ns)
        self._entry = EntryClock(stamps, settings.window_ns) if stamps.entry_clock != stamps.sending_clock else None
        self._entry_middle_ns, self._entry_half_ns = stamps.entry.middle_ns, stamps.entry.half_ns
        self._sending_low_ns = stamps.sending.low_ns
        self._sent: dict[str, int] = {}
        self._count = 0
        self._due_ns = NEVER_NS
        self._round_trips: deque[int] = deque(maxlen=ROUND_TRIPS_KEPT)
        self._path_ns = self._path_samples = 0
        self._asymmetry_holds = True
        self._utc_holds = True
        self._utc_minus_local_ns: int | None = None
        self._utc_extra_ns = 0
        self._events: list[ClockEvent] = []
        self._answered_ns = 0
        self._best: Bound | None = None
        self._noise_ns = 0
        self._drift_bound_ppb = settings.max_drift_ppb
        self._lower_ns = self._floor_ns = self._ceiling_ns = 0
        self._asked_ns = self._requested_ns = self._step_told_ns = 0
        self.map: ClockMap | None = None
        self.answers = self.steps = self.path_changes = 0

    @property
    def sending_middle_ns(self) -> int:
        """What a stamp of the clock that we ask lies behind its moment, in the mean."""
        return self._stamps.sending.middle_ns

    # What is sent.

    def due_ns(self) -> int | None:
        """When the next TestRequest(1) is due; far away while the session is down, None when none is sent on it."""
        return self._due_ns if self._settings.interval_ns else None

    def request(self, at_ns: int) -> str:
        """The TestReqID(112) of the request that is sent now, right after this call."""
        if len(self._sent) >= OUTSTANDING_MOST:
            del self._sent[next(iter(self._sent))]
        self._count += 1
        name = f"{self._prefix}{self._count}"
        self._sent[name] = self._requested_ns = at_ns
        if self._count == 1:
            self._asked_ns = at_ns
        self._due_ns = self._next_due(at_ns)
        return name

    def _next_due(self, at_ns: int) -> int:
        interval_ns = self._settings.interval_ns
        if self.answers < FIRST_ANSWERS:
            interval_ns //= FIRST_FASTER
        next_ns = at_ns + max(1, interval_ns * UNEVEN_PPB // SECOND)
        form = self._stamps.sending
        resolution_ns = form.high_ns - form.low_ns
        if resolution_ns < COARSE_NS or self.map is None or not self._round_trips:
            return next_ns
        # Meet the venue where its stamp changes: then both bounds are as tight as the ways allow, each request halving
        # what is not known. Every third, and once that is little two of three, meet it at ever other phases: at the
        # edges alone, a step of half a second would not show.
        way_ns = min(self._round_trips) // 2
        sharp = self.map.bound_ns < 2 * way_ns + COARSE_NS
        aimed = self._count % 3 == 0 if sharp else self._count % 3 != 0
        phase_ns = 0 if aimed else self._count * UNEVEN_PPB % SECOND * resolution_ns // SECOND
        arrives = self.map.venue_of(next_ns + way_ns) - form.low_ns - phase_ns
        edge = -(-arrives // resolution_ns) * resolution_ns
        return next_ns + edge - arrives

    # What arrives.

    def on_session(self, *, up: bool, at_ns: int) -> None:
        """The session came up or went down. Another connection may lead to another machine: begin anew."""
        self._sent.clear()
        self._forget()
        self._round_trips.clear()
        self._path_ns = self._path_samples = self._count = 0
        self._answered_ns = self._asked_ns = 0
        self._asymmetry_holds = self._utc_holds = True
        self._due_ns = at_ns if up else NEVER_NS

    def on_utc(self, utc_minus_local_ns: int | None, error_ns: int) -> None:
        """What our host says of UTC, with its own error; None when it is not disciplined."""
        self._utc_minus_local_ns = utc_minus_local_ns
        self._utc_extra_ns = error_ns

    def observe(self, sending_ns: int, recv_ns: int) -> int:
        """Any message: SendingTime(52) and when it came. What its quote's bound has to cover beyond the usual.

        -1 when the stamp lies where it cannot, so that the calibration does not hold for it.
        """
        lower_ns = sending_ns + self._sending_low_ns - recv_ns
        if self._best is None or lower_ns > self._best.value_ns:
            self._best = Bound(recv_ns, lower_ns)
        if self.map is None or self._floor_ns <= lower_ns <= self._ceiling_ns:
            return 0
        return self._unusual(lower_ns, recv_ns)

    def _unusual(self, lower_ns: int, recv_ns: int) -> int:
        """A message much later than others are, or one that came before it was sent."""
        made = self.map
        if made is None:
            return 0
        moved_ns = abs(recv_ns - made.local_ns) * (made.growth_ppb + abs(made.rate_ppb)) // SECOND
        if lower_ns > self._ceiling_ns + moved_ns:
            self._window.lower(self._one_way(Bound(recv_ns, lower_ns)))
            self._fit(recv_ns)
            return 0 if self.map is not None else -1
        if lower_ns >= self._floor_ns - moved_ns:
            return 0
        self._sooner(recv_ns)
        return self._lower_ns - lower_ns + made.bound_ns

    def on_heartbeat(self, test_req_id: str, sending_ns: int, recv_ns: int) -> None:
        """A Heartbeat(0) with TestReqID(112); one that is not ours, or came twice, tells no more than any message."""
        sent_ns = self._sent.pop(test_req_id, None)
        if sent_ns is None:
            self.observe(sending_ns, recv_ns)
            return
        self.on_round_trip(sent_ns, sending_ns, recv_ns)

    def on_round_trip(self, sent_ns: int, sending_ns: int, recv_ns: int) -> None:
        """A question left at `sent_ns`, its answer was stamped `sending_ns` and came at `recv_ns`."""
        round_trip_ns = recv_ns - sent_ns
        middle_ns = sent_ns + round_trip_ns // 2
        loose_ns = round_trip_ns * self._settings.max_drift_ppb // (2 * SECOND)
        upper = Bound(middle_ns, sending_ns + self._stamps.sending.high_ns - sent_ns + loose_ns)
        lower = Bound(middle_ns, sending_ns + self._stamps.sending.low_ns - recv_ns - loose_ns)
        self.answers += 1
        self._answered_ns = recv_ns
        self._round_trips.append(round_trip_ns)
        self._note_path()
        self._window.round_trip(middle_ns, round_trip_ns)
        if self._best is not None:
            self._window.lower(self._one_way(self._best))
            self._best = None
        self._window.upper(upper)
        self._window.lower(lower)
        if self._fit(recv_ns) is None:
            self._window.round_trip(middle_ns, round_trip_ns)
            self._window.upper(upper)
            self._window.lower(lower)
            self._fit(recv_ns)

    def calibrate(self, venue_ns: int, recv_ns: int, extra_ns: int) -> tuple[int, int]:
        """A stamp of the market on our clock, and its bound; `extra_ns` is what `observe` gave for its message."""
        made = self.map
        if made is None or extra_ns < 0 or recv_ns > made.live_until_ns or not venue_ns:
            return NOT_CALIBRATED
        half_ns = self._entry_half_ns
        shift_ns, extra_bound_ns = self._entry.shift() if self._entry is not None else (0, 0)
        local_ns = made.local_of(venue_ns + self._entry_middle_ns - shift_ns)
        bound_ns = made.bound_at(local_ns) + half_ns + extra_bound_ns
        if half_ns > COARSE_NS // 2:
            return coarse(made, self._stamps, local_ns, bound_ns, recv_ns)
        return local_ns, max(bound_ns, extra_ns)

    def note_entry(self, entry_ns: int, sending_ns: int, recv_ns: int) -> None:
        """Compare the two clocks of a message, where market data has one of its own."""
        if self._entry is not None:
            self._entry.note(entry_ns, sending_ns, recv_ns)

    # What is told.

    def standing(self, at_ns: int) -> ClockStanding:
        """How it stands now."""
        made, least_ns = self.map, self._window.least_round_trip_ns
        counts = (least_ns, self.answers, self.steps, self.path_changes)
        if made is None:
            return ClockStanding(False, at_ns, 0, 0, 0, 0, self._drift_bound_ppb, *counts, "")  # noqa: FBT003
        offset_ns = made.venue_of(at_ns) - at_ns
        figures = (offset_ns, made.bound_at(at_ns), self._noise_ns, made.rate_ppb, self._drift_bound_ppb)
        return ClockStanding(at_ns <= made.live_until_ns, at_ns, *figures, *counts, self._basis())

    def take_events(self, at_ns: int) -> list[ClockEvent]:
        """What happened since the last call."""
        heard_ns = max(self._answered_ns, self._asked_ns)
        if heard_ns and at_ns > heard_ns + self._settings.live_ns:
            self.map = None
            self._answered_ns = self._asked_ns = 0
            figures = f"no answer for {(at_ns - heard_ns) // MS} ms to TestRequest(1)"
            self._events.append(ClockEvent(ClockEventName.UNANSWERED, figures))
        events, self._events = self._events, []
        return events

    # How it is found.

    def _fit(self, at_ns: int) -> ClockMap | None:
        """The line by all that the window holds; None, and an empty window, where it holds no line."""
        view = self._window.view(at_ns, self._settings.wander_ppb)
        if view is None:
            return None
        gap_ns, loose_ns, spread_ns = self._least_gap()
        rates = view.rates(gap_ns, self._settings.max_drift_ppb)
        if rates is None:
            # Luckier ways than half of the jitter allows are no step yet: jitter without a floor has them now and then.
            gap_ns = loose_ns
            rates = view.rates(gap_ns, self._settings.max_drift_ppb)
        if rates is None:
            self._stepped(view, at_ns)
            return None
        self.map = self._line(at_ns, view, rates, gap_ns, spread_ns)
        return self.map

    def _one_way(self, bound: Bound) -> Bound:
        """The bound of a message, loosened by what the clock may have drifted while it was on its way."""
        half_ns = self._window.least_round_trip_ns // 2
        return Bound(bound.at_ns - half_ns, bound.value_ns - half_ns * self._settings.max_drift_ppb // SECOND)

    def _least_gap(self) -> tuple[int, int, int]:
        """What lies between the bounds at the least, usually and in any case, and the jitter.

        The least round trip is the sum of a way there and a way back that met each other; the bounds may come from two
        luckier ones. How much luckier is not known: half of the jitter is allowed, and more while samples are few; to
        call it a step takes all of it.
        """
        ordered = sorted(self._round_trips)
        if not ordered:
            return 0, 0, LEAST_SPREAD_NS
        spread_ns = max(ordered[len(ordered) // 2] - ordered[0], LEAST_SPREAD_NS)
        samples = min(self.answers, len(ordered))
        if samples < FEW:
            return 0, 0, spread_ns
        least_ns = self._window.least_round_trip_ns
        jitter_ns = ordered[len(ordered) * 3 // 4] - ordered[0]
        few_ns = 4 * jitter_ns // isqrt(samples)
        least_ns -= least_ns // 1000 + US
        return max(0, least_ns - max(jitter_ns // 2, few_ns)), max(0, least_ns - max(jitter_ns, few_ns)), spread_ns

    def _line(self, at_ns: int, view: View, rates: Rates, gap_ns: int, spread_ns: int) -> ClockMap:
        settings = self._settings
        upper_ns, lower_ns = view.upper_ns(rates.high_ppb), view.lower_ns(rates.low_ppb)
        rate_ppb = (rates.low_ppb + rates.high_ppb) // 2
        self._noise_ns = max(0, upper_ns - lower_ns - gap_ns) // 2
        self._drift_bound_ppb = (rates.high_ppb - rates.low_ppb + 1) // 2
        self._window.rate_ppb = rate_ppb
        offset_ns, bound_ns = self._within(at_ns, lower_ns, upper_ns)
        ordered = sorted(self._round_trips)
        self._ceiling_ns = upper_ns - gap_ns
        self._lower_ns = lower_ns
        self._floor_ns = lower_ns - 4 * spread_ns - 2 * (self._stamps.sending.high_ns - self._stamps.sending.low_ns)
        return ClockMap(
            at_ns,
            at_ns + offset_ns,
            rate_ppb,
            bound_ns,
            self._drift_bound_ppb + settings.wander_ppb,
            offset_ns - lower_ns,
            max(0, offset_ns - lower_ns - max(0, upper_ns - lower_ns - ordered[0]) // 2),
            ordered[len(ordered) * 99 // 100] - ordered[0],
            ordered[len(ordered) * 95 // 100] - ordered[0],
            self._answered_ns + settings.live_ns,
        )

    def _within(self, at_ns: int, lower_ns: int, upper_ns: int) -> tuple[int, int]:
        """The offset between its bounds, and how far off it may be, by what was declared."""
        settings = self._settings
        middle_ns = (upper_ns + lower_ns) // 2
        half_ns = (upper_ns - lower_ns + 1) // 2
        if settings.asymmetry_ns is not None and self._asymmetry_holds:
            bound_ns = (settings.asymmetry_error_ns + 1) // 2 + self._noise_ns
            moved_ns = min(half_ns, max(-half_ns, -(settings.asymmetry_ns // 2)))
            return middle_ns + moved_ns, min(bound_ns, half_ns + abs(moved_ns))
        if settings.utc_error_ns is not None and self._utc_holds and self._utc_minus_local_ns is not None:
            error_ns = settings.utc_error_ns + self._utc_extra_ns
            low_ns = max(lower_ns, self._utc_minus_local_ns - error_ns)
            high_ns = min(upper_ns, self._utc_minus_local_ns + error_ns)
            if low_ns <= high_ns:
                return (low_ns + high_ns) // 2, (high_ns - low_ns + 1) // 2
            self._utc_holds = False
            off_ns = middle_ns - self._utc_minus_local_ns
            figures = f"{off_ns} ns off our UTC give or take {half_ns}, declared {error_ns}; at {at_ns}"
            self._events.append(ClockEvent(ClockEventName.UTC_CONTRADICTED, figures))
        return middle_ns, half_ns

    def _basis(self) -> str:
        if self._settings.asymmetry_ns is not None and self._asymmetry_holds:
            return "measured asymmetry"
        declared = self._settings.utc_error_ns is not None and self._utc_holds
        return "utc" if declared and self._utc_minus_local_ns is not None else "half round trip"

    def _stepped(self, view: View, at_ns: int) -> None:
        """No line is possible any more: another clock, or a step of this one."""
        least_ns = max(value for _, value in view.lowers) - min(value for _, value in view.uppers)
        figures = f"no offset with a drift within {self._settings.max_drift_ppb} ppb; bounds miss by {least_ns} ns"
        self.steps += 1
        # Stamps of two clocks on one session would look like a step with every message: asked and told at leisure.
        if not self._step_told_ns or at_ns - self._step_told_ns > STEP_TOLD_NS:
            self._step_told_ns = at_ns
            self._events.append(ClockEvent(ClockEventName.STEPPED, figures))
        self._forget()
        self._due_ns = self._requested_ns + self._settings.interval_ns // FIRST_FASTER

    def _forget(self) -> None:
        self._window.clear()
        self._best = None
        self.map = None
        self.answers = 0
        self._drift_bound_ppb = self._settings.max_drift_ppb
        if self._entry is not None:
            self._entry.clear()

    def _sooner(self, at_ns: int) -> None:
        """Ask again soon: something looks late that may be a step back, or a slow way."""
        self._due_ns = min(self._due_ns, at_ns + self._settings.interval_ns // FIRST_FASTER)

    def _note_path(self) -> None:
        """Whether the least round trip of late is another one than that of the route as it was known."""
        recent = list(self._round_trips)[-PATH_SAMPLES:]
        low_ns = min(recent)
        self._path_samples += 1
        if self._path_samples < PATH_SAMPLES or len(recent) < PATH_SAMPLES:
            self._path_ns = low_ns
            return
        ordered = sorted(self._round_trips)
        middle_ns = ordered[len(ordered) // 2]
        if low_ns > self._path_ns:
            jitter_ns = 3 * (middle_ns - ordered[0]) // 2
        else:  # from a tenth on: the first round trip of a shorter route must not count as jitter of the old one
            jitter_ns = 2 * (middle_ns - ordered[len(ordered) // 10])
        tolerance_ns = max(jitter_ns, ordered[0] // 20, LEAST_SPREAD_NS)
        if abs(low_ns - self._path_ns) <= tolerance_ns:
            self._path_ns = min(self._path_ns, low_ns)
            return
        figures = f"least round trip {low_ns} ns, was {self._path_ns}, {tolerance_ns} is within its jitter"
        self._events.append(ClockEvent(ClockEventName.PATH_CHANGED, figures))
        self._path_ns, self._path_samples = low_ns, 0
        self.path_changes += 1
        self._asymmetry_holds = False
