"""Writes down what the trigger took in, behind the intents that came of it (docs/JOURNAL.md, "The trigger's journals").

Inputs wait in memory and go to the file together; a kill loses those of the last interval. Nothing waits for the file:
when it takes nothing, trading goes on, an alarm says so, and what was lost is counted in the file when it is back.

What can go wrong: no room on the disk from the start. Then the trigger does not start; the supervisor tells it.
"""

from collections.abc import Sequence

from gateway.journal.clock_pairs import ClockPairs
from gateway.journal.errors import JournalCause, JournalError
from gateway.journal.writer import JournalWriter
from gateway.model.record import Consumed, InputsLost, TriggerInput, TriggerStarted

MOST_AT_ONCE = 2000
"""Inputs of one record."""


class InputJournal:
    """Inputs in the order in which they were taken, and the intents between them."""

    def __init__(self, writer: JournalWriter, started: TriggerStarted) -> None:
        self._writer = writer
        self._waiting: list[TriggerInput] = []
        self._written = 0
        self._lost = 0
        self._why = ""
        self._pairs = ClockPairs(started.at_ns)
        writer.append(started)

    def take(self, one: TriggerInput) -> None:
        """Remember an input until `write`."""
        self._waiting.append(one)

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    def write(self, at_ns: int) -> str:
        """Write what waits; why it could not be written, where that has begun just now."""
        waiting, self._waiting = self._waiting, []
        if self._lost and waiting:
            waiting.insert(0, InputsLost(at_ns, self._lost, self._why))
        for begin in range(0, len(waiting), MOST_AT_ONCE):
            failed = self._append(waiting[begin : begin + MOST_AT_ONCE])
            if failed is not None:
                begun = not self._lost
                self._lost += sum(not isinstance(one, InputsLost) for one in waiting[begin:])
                self._why = str(failed)
                return self._why if begun else ""
            self._lost = 0
        return ""

    def keep(self, at_ns: int, utc_ns: int) -> None:
        """Both clocks, once a minute."""
        if self._pairs.is_due(at_ns):
            pair = self._pairs.take(at_ns, utc_ns)
            try:
                self._writer.append(pair)
            except JournalError as error:
                self._why = str(error)

    def close(self, at_ns: int) -> None:
        self.write(at_ns)
        self._writer.close()

    def _append(self, inputs: Sequence[TriggerInput]) -> JournalError | None:
        try:
            self._writer.append(Consumed(self._written + 1, tuple(inputs)))
        except JournalError as error:
            if error.cause is JournalCause.ENCODE:
                raise  # it never can be written: our own mistake, and waiting would hide it
            return error
        self._written += len(inputs)
        return None
