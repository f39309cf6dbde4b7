"""Up to which MsgSeqNum(34) of a venue execution's journal goes: what came after it may be lost with a process.

The FIX engine counts a message as soon as it has handed it over; the record of it is written a moment later. A process
that is killed in between has the number and not the message, and no venue sends again what was counted, unless it is
asked from the last number that is on record. What it sends twice is counted once.

Messages that the watch heard while it had the session are not counted here: those that came before it took the session
are still to be asked for. Numbers that a person has set begin anew.

What can go wrong: numbers that began anew by themselves, with the session's day. The time is kept beside the number, so
that who asks can compare it with the age of the numbers.
"""

from collections.abc import Iterable, Iterator

from gateway.model.order import CancelRejected, ExecutionReport, SessionChanged
from gateway.model.port import Heard
from gateway.model.record import ClockPair, Decision, JournalOpened
from gateway.model.trade import ResetNumbers, Restarted

ORDERS, DROP_COPY = "orders", "drop_copy"


class HeardNumbers:
    """Follows the records of a run; `by_key` is by session, `VENUE.orders` or `VENUE.drop_copy`."""

    def __init__(self) -> None:
        self.by_key: dict[str, Heard] = {}
        self._up: set[str] = set()
        self._utc_minus_monotonic_ns = 0

    def noting(self, records: Iterable[object]) -> Iterator[object]:
        """The same records, each noted on its way."""
        for record in records:
            if isinstance(record, JournalOpened | ClockPair):
                self._utc_minus_monotonic_ns = record.utc_ns - record.monotonic_ns
            elif isinstance(record, Decision):
                self._note(record)
            yield record

    def _note(self, decision: Decision) -> None:
        event = decision.event
        if isinstance(event, Restarted):
            self._up.clear()
        elif isinstance(event, SessionChanged):
            (self._up.add if event.up else self._up.discard)(f"{event.venue_id}.{event.session}")
        elif isinstance(event, ExecutionReport | CancelRejected):
            copied = isinstance(event, ExecutionReport) and event.copied
            key = f"{event.venue_id}.{DROP_COPY if copied else ORDERS}"
            if key in self._up:
                self.by_key[key] = Heard(event.msg_seq_num, decision.at_ns + self._utc_minus_monotonic_ns)
        for action in decision.actions:
            if isinstance(action, ResetNumbers):
                utc_ns = decision.at_ns + self._utc_minus_monotonic_ns
                self.by_key[f"{action.venue_id}.{action.session}"] = Heard(action.next_target_num - 1, utc_ns)
