"""A stretch of any tape, and a tape that is held in memory.

Of a stretch, what stood when it begins is told first, then what follows, from 0 on.

At its start each instrument's last status and last book before it are told, so that a reader knows what a reader of
the whole tape would know. Trades before it are not told.
"""

from collections.abc import Iterator
from typing import NamedTuple

from simulators.core.tape import Tape, TapeBook, TapeEvent, TapeInstrument, TapeStatus


class HeldTape(NamedTuple):
    """A tape that was read once: `held` are its events. For what fits into memory and is expensive to read."""

    tape: Tape
    held: tuple[TapeEvent, ...]

    @property
    def name(self) -> str:
        return self.tape.name

    @property
    def label(self) -> str:
        return self.tape.label

    @property
    def instruments(self) -> tuple[TapeInstrument, ...]:
        return self.tape.instruments

    @property
    def duration_ns(self) -> int:
        return self.tape.duration_ns

    def events(self) -> Iterator[TapeEvent]:
        """The events, anew at each call."""
        return iter(self.held)


class CutTape(NamedTuple):
    """`tape` from `start_ns` to `end_ns`, the latter excluded, both counted from its own start."""

    tape: Tape
    start_ns: int
    end_ns: int

    @property
    def name(self) -> str:
        return self.tape.name

    @property
    def label(self) -> str:
        return f"{self.tape.label}; cut from {self.start_ns / 1e9:g} s to {self.end_ns / 1e9:g} s of it"

    @property
    def instruments(self) -> tuple[TapeInstrument, ...]:
        return self.tape.instruments

    @property
    def duration_ns(self) -> int:
        return self.end_ns - self.start_ns

    def events(self) -> Iterator[TapeEvent]:
        """The events of the stretch, anew at each call."""
        stood: dict[tuple[str, str, type], TapeEvent] = {}
        opened = False
        for event in self.tape.events():
            if event.at_ns >= self.end_ns:
                break
            if event.at_ns < self.start_ns:
                if isinstance(event, TapeBook | TapeStatus):
                    stood[event.venue, event.symbol, type(event)] = event
                continue
            if not opened:
                opened = True
                yield from opening(stood)
            yield event._replace(at_ns=event.at_ns - self.start_ns)
        if not opened:
            yield from opening(stood)


def opening(stood: dict[tuple[str, str, type], TapeEvent]) -> Iterator[TapeEvent]:
    """Statuses before books, because a book may be locked only where its status says so."""
    for kind in (TapeStatus, TapeBook):
        for (_, _, of), event in stood.items():
            if of is kind:
                yield event._replace(at_ns=0)
