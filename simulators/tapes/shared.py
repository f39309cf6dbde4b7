"""One reading of a tape for several readers that go forward together: each event is made once.

What one reader is ahead of another is kept in memory until the other has had it. Readers in one virtual time are never
far apart. Unlike other tapes it can be read once by each of `readers` readers, no more.
"""

from collections.abc import Iterator
from itertools import tee

from simulators.core.tape import Tape, TapeEvent, TapeInstrument


class SharedTape:
    """`tape`, read by at most `readers`."""

    def __init__(self, tape: Tape, readers: int) -> None:
        self._tape = tape
        self._readers = list(tee(tape.events(), readers))

    @property
    def name(self) -> str:
        return self._tape.name

    @property
    def label(self) -> str:
        return self._tape.label

    @property
    def instruments(self) -> tuple[TapeInstrument, ...]:
        return self._tape.instruments

    @property
    def duration_ns(self) -> int:
        return self._tape.duration_ns

    def events(self) -> Iterator[TapeEvent]:
        """The events, for one more reader; IndexError when all have had theirs."""
        return self._readers.pop()
