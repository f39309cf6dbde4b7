"""The report of a benchmark: figures by name, every round, the machine; as JSON and as aligned text."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One named result. `reach` is what was aimed at, `met` whether it was; None where no aim was set."""

    name: str
    value: float
    unit: str
    reach: float | None = None
    stretch: float | None = None
    less_is_better: bool = True

    @property
    def met(self) -> bool | None:
        """Whether `reach` was reached."""
        if self.reach is None:
            return None
        return self.value <= self.reach if self.less_is_better else self.value >= self.reach

    def in_words(self) -> str:
        """For the end of a table."""
        text = f"{self.name}: {self.value:g} {self.unit}"
        if self.reach is None:
            return text
        aim = f"reach {self.reach:g}" + (f", stretch {self.stretch:g}" if self.stretch is not None else "")
        return f"{text} ({aim}: {'met' if self.met else 'NOT met'})"


class Report(msgspec.Struct):
    """Everything a benchmark found. `notes` are sentences that belong to the figures."""

    benchmark: str
    machine: dict[str, object]
    settings: dict[str, object]
    figures: list[Figure] = []
    rounds: list[dict[str, object]] = []
    notes: list[str] = []


def as_json(reports: Sequence[Report]) -> bytes:
    """The file that --json writes: one object per benchmark, figures also by name."""
    told = []
    for report in reports:
        built = msgspec.to_builtins(report)
        built["figures"] = {
            figure.name: {
                "value": figure.value, "unit": figure.unit, "reach": figure.reach, "stretch": figure.stretch,
                "met": figure.met,
            }
            for figure in report.figures
        }  # fmt: skip
        told.append(built)
    return msgspec.json.format(msgspec.json.encode({"benchmarks": told}), indent=2) + b"\n"


def write_json(path: Path, reports: Sequence[Report]) -> None:
    """Writes the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_json(reports))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Aligned text; numbers to the right, words to the left."""
    cells = [list(head), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    words = [any(not _is_number(row[column]) for row in cells[1:]) for column in range(len(head))]
    lines = []
    for row in cells:
        line = (
            text.ljust(width) if word else text.rjust(width)
            for text, width, word in zip(row, widths, words, strict=True)
        )
        lines.append("  ".join(line).rstrip())
    return "\n".join(lines)


def _is_number(text: str) -> bool:
    return text == "-" or text.replace(".", "", 1).replace("-", "", 1).isdigit()


def us(nanoseconds: float | None) -> str:
    """Whole microseconds, or a dash."""
    return "-" if nanoseconds is None else f"{nanoseconds / 1000:.0f}"
