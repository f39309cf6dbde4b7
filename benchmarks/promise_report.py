"""What the promise's days come to: figures with intervals, aims with verdicts, tables as Markdown.

A case is what an interval is drawn over: one day where days are drawn from seeds, one window of a recorded market where
seeds draw only what happens to the orders. The days of a case stay together, in a count as their mean.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from acceptance.statistics import Interval, mean_interval, resampled_interval
from benchmarks.promise_account import Figures
from benchmarks.promise_missed import Missed
from benchmarks.promise_parameters import Parameters
from benchmarks.promise_play import CONTENDERS, Seeds

MILLION, BILLION = 1e6, 1e9


A_DAY = "a day"


class Row(NamedTuple):
    """One figure of a contender's day, as numerator and denominator; a count's denominator is one."""

    name: str
    unit: str
    more_is_better: bool
    of: Callable[[Figures], tuple[float, float]]


ROWS = (
    Row("caught", A_DAY, more_is_better=True, of=lambda one: (one.caught, 1)),
    Row("at price", A_DAY, more_is_better=True, of=lambda one: (one.at_price, 1)),
    Row("slippage", "CNY a hedged unit", more_is_better=False, of=lambda one: (one.slippage_e9 / BILLION, one.hedged)),
    Row("failure", "of pair trades", more_is_better=False, of=lambda one: (one.failures, one.dispatched)),
    Row("actions", A_DAY, more_is_better=False, of=lambda one: (one.actions, 1)),
    Row("legged", "ms a pair trade", more_is_better=False, of=lambda one: (one.legged_ns / MILLION, one.dispatched)),
)
BY_NAME = {row.name: row for row in ROWS}
SEEN = Row("opportunities", A_DAY, more_is_better=True, of=lambda one: (one.opportunities, 1))
"""What there was to catch: the same for every contender."""


class Judged(NamedTuple):
    """One aim of the promise, or a figure that stands beside the aims."""

    aim: str
    reach: str
    found: Interval
    verdict: str


class Comparison:
    """The intervals of one set of days. `cases` are the places of the days that are drawn together."""

    def __init__(
        self, parameters: Parameters, days: Seeds, cases: Sequence[Sequence[int]] = (), per: str = A_DAY
    ) -> None:
        self.days = days
        self.per = per
        self._cases = cases or [(place,) for place in range(len(days))]
        self._parts: dict[tuple[str, str], list[tuple[float, float]]] = {}
        self._drawn: dict[str, Any] = {
            "resamples": parameters.get("intervals", "resamples"),
            "seed": parameters.get("intervals", "bootstrap_seed"),
            "confidence": parameters.get("intervals", "confidence"),
        }

    def unit(self, row: Row) -> str:
        """A row's unit, with what these days are."""
        return self.per if row.unit == A_DAY else row.unit

    def parts(self, contender: str, row: Row) -> list[tuple[float, float]]:
        """Numerator and denominator of each case, its days summed."""
        key = contender, row.name
        if key not in self._parts:
            told = [[row.of(self.days[place][contender]) for place in case] for case in self._cases]
            self._parts[key] = [(sum(one[0] for one in case), sum(one[1] for one in case)) for case in told]
        return self._parts[key]

    def value(self, contender: str, row: Row, cases: Iterable[int] | None = None) -> float | None:
        """A row's figure over all of the cases or some; None where its denominator is 0."""
        parts = self.parts(contender, row)
        if cases is not None:
            parts = [parts[place] for place in cases]
        below = sum(part[1] for part in parts)
        return sum(part[0] for part in parts) / below if below else None

    def of(self, contender: str, row: Row) -> Interval:
        """A figure and its interval."""
        if row.unit == A_DAY:
            means = [above / below for above, below in self.parts(contender, row)]
            return mean_interval(means, self._drawn["confidence"])
        return self._resampled(lambda cases: self.value(contender, row, cases))

    def gain(self, row: Row, other: str, base: str) -> Interval:
        """By how much `other` is better than `base`, as a share of it."""

        def share(cases: Sequence[int]) -> float | None:
            ours, theirs = self.value(other, row, cases), self.value(base, row, cases)
            if ours is None or not theirs:
                return None
            more = (ours - theirs) / abs(theirs)
            return more if row.more_is_better else -more

        return self._resampled(share)

    def better(self, row: Row, other: str, base: str) -> Interval:
        """By how much `other` is better than `base`, in the row's unit."""

        def difference(cases: Sequence[int]) -> float | None:
            ours, theirs = self.value(other, row, cases), self.value(base, row, cases)
            if ours is None or theirs is None:
                return None
            return ours - theirs if row.more_is_better else theirs - ours

        return self._resampled(difference)

    def ratio(self, row: Row, other: str, base: str) -> Interval:
        """`other`'s figure as a share of `base`'s."""

        def share(cases: Sequence[int]) -> float | None:
            ours, theirs = self.value(other, row, cases), self.value(base, row, cases)
            return ours / theirs if ours is not None and theirs else None

        return self._resampled(share)

    def most(self, base: str) -> Interval:
        """How many more than `base` somebody catches who catches every opportunity: nobody can have more."""

        def share(cases: Sequence[int]) -> float | None:
            there, theirs = self.value(base, SEEN, cases), self.value(base, BY_NAME["caught"], cases)
            return there / theirs - 1 if there is not None and theirs else None

        return self._resampled(share)

    def _resampled(self, figure: Callable[[Sequence[int]], float | None]) -> Interval:
        return resampled_interval(len(self._cases), figure, **self._drawn)


def verdict(found: Interval, aim: float) -> str:
    """Reached when the whole interval is, not reached when none of it is."""
    if found.low is None or found.high is None:
        return "no interval"
    if found.low >= aim:
        return "reached"
    return "NOT REACHED" if found.value < aim else "not shown"


def aims(parameters: Parameters, comparison: Comparison) -> list[Judged]:
    """Every aim of the promise, judged."""
    judged = []
    for name, key, words in (
        ("caught", "more_caught", "more caught than two people"),
        ("slippage", "less_slippage", "less slippage than two people"),
        ("failure", "less_failure", "less failure than two people"),
        ("actions", "fewer_actions", "fewer actions than two people"),
    ):
        aim = parameters.get("reach", key)
        found = comparison.gain(BY_NAME[name], "gateway", "people")
        judged.append(Judged(words, f"{aim:.0%}", found, verdict(found, aim)))
        if name == "caught":
            judged.append(Judged("the most there is: all opportunities", "a bound, %", *_bound(comparison, aim)))
            oracle = comparison.gain(BY_NAME[name], "oracle", "people")
            judged.append(Judged("the oracle: more caught than two people", "no aim, %", oracle, "beside it"))
    for row in ROWS:
        if row.name == "at price":
            continue
        found = comparison.better(row, "gateway", "program")
        unit = comparison.unit(row)
        judged.append(Judged(f"{row.name}: better than one program, {unit}", "above 0", found, _above_zero(found)))
    aim = parameters.get("reach", "of_oracle")
    found = comparison.ratio(BY_NAME["caught"], "gateway", "oracle")
    judged.append(Judged("caught of what the oracle caught", f"{aim:.0%}", found, verdict(found, aim)))
    at_price = BY_NAME["at price"]
    for words, found in (
        ("at the rule's price: more than two people", comparison.gain(at_price, "gateway", "people")),
        ("at the rule's price: more than one program", comparison.gain(at_price, "gateway", "program")),
    ):
        judged.append(Judged(words, "no aim, %", found, "defined after a first trial"))
    return judged


def _bound(comparison: Comparison, aim: float) -> tuple[Interval, str]:
    """What nobody can go beyond, opportunities / caught by people - 1, and whether the aim lies beyond it."""
    found = comparison.most("people")
    if found.low is None or found.high is None:
        return found, "no interval"
    if found.high < aim:
        return found, "the aim is beyond it"
    return found, "the aim is within it" if found.low >= aim else "the aim is at it"


def _above_zero(found: Interval) -> str:
    if found.low is None or found.high is None:
        return "no interval"
    if found.low > 0:
        return "reached"
    if found.low == found.high == 0:
        return "NOT REACHED (equal)"
    return "NOT REACHED" if found.value <= 0 else "not shown"


# What is printed.


def number(value: float) -> str:
    """Three or four digits, no exponent."""
    size = abs(value)
    places = 4 if size < 0.1 else 3 if size < 1 else 2 if size < 100 else 1 if size < 10_000 else 0  # noqa: PLR2004
    return f"{value:.{places}f}" if value else "0"


def percent(value: float) -> str:
    """A share."""
    return f"{value:.1%}"


def with_ends(found: Interval, write: Callable[[float], str] = number) -> str:
    """A value with its interval."""
    if found.low is None or found.high is None:
        return f"{write(found.value)} (no interval)"
    return f"{write(found.value)} ({write(found.low)} to {write(found.high)})"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as Markdown, which reads as text, too."""
    lines = [list(head), *[list(row) for row in rows]]
    wide = [max(len(line[at]) for line in lines) for at in range(len(head))]
    written = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, wide, strict=True)) + " |" for line in lines
    ]
    written.insert(1, "|" + "|".join("-" * (width + 2) for width in wide) + "|")
    return "\n".join(written)


def figures_table(comparison: Comparison) -> str:
    """Each contender's figures."""
    rows = [
        [f"{row.name}, {comparison.unit(row)}", *(with_ends(comparison.of(name, row)) for name in CONTENDERS)]
        for row in ROWS
    ]
    for words, field in (
        (f"pair trades {comparison.per}", "dispatched"),
        ("of them left unbalanced", "left_open"),
        (f"legged over the limit {comparison.per}", "over_limit"),
    ):
        rows.append([words, *(number(_mean(comparison.days, name, field)) for name in CONTENDERS)])
    return markdown_table(["figure", *CONTENDERS], rows)


def _mean(days: Seeds, contender: str, field: str) -> float:
    counts: list[int] = [getattr(day[contender], field) for day in days]
    return sum(counts) / len(counts)


def missed_table(comparison: Comparison) -> str:
    """What became of the opportunities, of each contender."""
    rows = [["caught", *(number(_mean(comparison.days, name, "caught")) for name in CONTENDERS)]]
    for place, field in enumerate(Missed._fields):
        counts = {name: [day[name].missed[place] for day in comparison.days] for name in CONTENDERS}
        rows.append([field.replace("_", " "), *(number(sum(one) / len(one)) for one in counts.values())])
    return markdown_table([f"opportunities {comparison.per}", *CONTENDERS], rows)


def aims_table(judged: Sequence[Judged]) -> str:
    """Every aim, with what was found."""
    rows = []
    for one in judged:
        write: Callable[[float], str] = percent if one.reach.endswith("%") else number
        rows.append([one.aim, one.reach, with_ends(one.found, write), one.verdict])
    return markdown_table(["aim", "to reach", "found (95 % interval)", "verdict"], rows)


SENSITIVITY_HEAD = (
    "parameter", "value", "opportunities", "caught: people", "program", "gateway", "oracle",
    "more than people", "at most", "of oracle", "slippage: people", "program", "gateway",
    "failure: people", "program", "gateway",
)  # fmt: skip
"""`at most` is what catching every opportunity would be, more than people."""


def sensitivity_row(name: str, value: object, comparison: Comparison) -> list[str]:
    """One value of one parameter."""

    def plain(contender: str, row: str) -> str:
        found = comparison.value(contender, BY_NAME[row])
        return "none" if found is None else f"{found:.1%}" if row == "failure" else number(found)

    def share(above: float | None, below: float | None, less: int, places: int) -> str:
        return f"{above / below - less:.{places}%}" if above is not None and below else "none"

    seen = comparison.value("oracle", SEEN)
    caught = {contender: comparison.value(contender, BY_NAME["caught"]) for contender in CONTENDERS}
    cells = [name, str(value), number(seen or 0.0), *(plain(contender, "caught") for contender in CONTENDERS)]
    cells.append(share(caught["gateway"], caught["people"], 1, 0))
    cells.append(share(seen, caught["people"], 1, 0))
    cells.append(share(caught["gateway"], caught["oracle"], 0, 1))
    for row in ("slippage", "failure"):
        cells += [plain(contender, row) for contender in ("people", "program", "gateway")]
    return cells


def raw(days: Seeds) -> list[dict[str, dict[str, Any]]]:
    """Every figure, for a file."""
    return [
        {name: {**found._asdict(), "missed": found.missed._asdict()} for name, found in day.items()} for day in days
    ]


def aims_told(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """The aims, for a file."""
    return [{"aim": one.aim, "reach": one.reach, **one.found._asdict(), "verdict": one.verdict} for one in judged]
