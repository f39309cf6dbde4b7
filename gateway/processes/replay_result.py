"""What a replay found: how much was the same, what has to be said of the record, and the first difference."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.journal.told import Told, told
from gateway.processes.replay_compare import Field, text
from gateway.processes.replay_records import Place

OnProgress = Callable[[int], None]
"""Called now and then with how many records have been compared."""
PROGRESS_EVERY = 20_000


class Difference(NamedTuple):
    """The first decision that came out otherwise. `seq` counts as its journal does; `why` is set where it is no
    matter of fields: an exception, a record that is missing.
    """

    place: Place
    seq: int
    at_ns: int
    utc_ns: int
    led_to_it: str
    """The input, as it was recorded."""
    recorded: str
    replayed: str
    fields: tuple[Field, ...]
    why: str = ""

    def lines(self) -> list[Told]:
        """For a person."""
        found = [
            told("first difference: {}, byte {}, record {}, at {} ns", self.place.file, self.place.offset, self.seq,
                 self.at_ns),
            told("  input:    {}", self.led_to_it),
            told("  recorded: {}", self.recorded),
            told("  replayed: {}", self.replayed),
        ]  # fmt: skip
        if self.why:
            found.append(told("  {}", self.why))
        found += [told("  {}: recorded {}, replayed {}", *one) for one in self.fields]
        return found

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {
            **self.place._asdict(),
            "seq": self.seq,
            "at_ns": self.at_ns,
            "utc_ns": self.utc_ns,
            "input": self.led_to_it,
            "recorded": self.recorded,
            "replayed": self.replayed,
            "why": self.why,
            "fields": [one._asdict() for one in self.fields],
        }


@dataclass(slots=True)
class Replayed:
    """What became of the replay of one process."""

    process: str
    compared: int = 0
    """Records whose outcome was compared."""
    incarnations: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    difference: Difference | None = None
    counts: dict[str, int] = field(default_factory=dict)
    """What was in them: intents, orders, evaluations."""

    @property
    def is_same(self) -> bool:
        return self.difference is None

    def note(self, words: str) -> None:
        """Say something of the record, once."""
        if words not in self.notes:
            self.notes.append(words)

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {
            "process": self.process,
            "same": self.is_same,
            "compared": self.compared,
            "counts": self.counts,
            "incarnations": self.incarnations,
            "notes": [str(one) for one in self.notes],
            "difference": None if self.difference is None else self.difference.as_json(),
        }


def listed(values: tuple[Any, ...]) -> str:
    """Messages in one line."""
    return text(list(values)) if values else "[]"
