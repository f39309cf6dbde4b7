"""Two versions of the gateway side by side on disjoint pairs, compared by the figures of acceptance.

Each version is an installation of its own (site file, state directory, pairs); their runs are given. For every share
the difference of the two with an interval by bootstrap over pair trades, for every percentile the two intervals by
order statistics. It says whether the new one is worse, not worse, or whether there is not enough to say: different
pairs have different markets, so a difference is told with both sides' figures beside it.

What can go wrong: runs that share a pair (they would have traded against one another), or that hold no pair trade.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from acceptance.evidence import EvidenceError, RunEvidence
from acceptance.statistics import Interval, percentile_interval, resampled_interval
from gateway.journal import measure
from gateway.journal.fold import TradeStory
from gateway.journal.told import told
from gateway.journal.units import duration, money, percent

RESAMPLES = 2000
SEED = 7
LEAST = 30
"""Pair trades on each side below which nothing is said."""


class Finding(StrEnum):
    """What a row says of the new version."""

    WORSE = "worse"
    NOT_WORSE = "not worse"
    NOT_ENOUGH = "not enough"


class Row(NamedTuple):
    """One figure of both: as text, and what follows."""

    figure: str
    old: str
    new: str
    difference: str
    finding: Finding


def pairs_of(run: RunEvidence) -> set[str]:
    """Pairs that it traded, or was asked to."""
    return {one.pair_id for one in run.story.intents}


def compare(old: RunEvidence, new: RunEvidence) -> list[Row]:
    """Row by row; EvidenceError where the two cannot be compared."""
    for run in (old, new):
        if run.faults:
            message = told("{}: the evidence does not verify: {}", run.name, run.faults[0])
            raise EvidenceError(message)
        if not run.story.trades:
            message = told("{}: no pair trade; there is nothing to compare", run.name)
            raise EvidenceError(message)
    both = sorted(pairs_of(old) & pairs_of(new))
    if both:
        message = told("{} and {} both trade {}; two versions stand side by side on disjoint pairs only",
                       old.name, new.name, ", ".join(both))  # fmt: skip
        raise EvidenceError(message)
    rows = [
        _share("completed", _completed, old, new, higher_is_better=True),
        _share("first_shot", _first_shot, old, new, higher_is_better=True),
        _share("legged", lambda one: one.is_legged, old, new, higher_is_better=False),
        _percentile("gateway_latency_p99", old, new, measure.quote_to_order_ns),
    ]
    return [*rows, _mean("slippage", old, new)]


def _row(name: str, shown: Sequence[str], difference: str, finding: Finding) -> Row:
    old, new = shown
    return Row(name, old, new, difference, finding)


def _trades(run: RunEvidence) -> list[TradeStory]:
    return list(run.story.trades.values())


def _completed(one: TradeStory) -> bool:
    return one.outcome == "hedged" and not one.is_legged


def _first_shot(one: TradeStory) -> bool:
    return bool(one.first_orders) and all(order.outcome == "filled" for order in one.first_orders)


def _share(
    name: str, holds: Callable[[TradeStory], bool], old: RunEvidence, new: RunEvidence, *, higher_is_better: bool
) -> Row:
    had, has = ([holds(one) for one in _trades(run)] for run in (old, new))
    shares = [sum(one) / len(one) for one in (had, has)]
    shown = [f"{percent(share)} ({len(one)})" for share, one in zip(shares, (had, has), strict=True)]
    if min(len(had), len(has)) < LEAST:
        return _row(name, shown, "", Finding.NOT_ENOUGH)
    found = _difference([float(one) for one in had], [float(one) for one in has])
    low, high = found.low or 0.0, found.high or 0.0
    worse = high < 0 if higher_is_better else low > 0
    return _row(name, shown, f"{percent(low)} – {percent(high)}", Finding.WORSE if worse else Finding.NOT_WORSE)  # noqa: RUF001 - a range


def _mean(name: str, old: RunEvidence, new: RunEvidence) -> Row:
    sides = [[one.last.slippage_e9 / one.last.units for one in _trades(run) if one.last and one.last.units]
             for run in (old, new)]  # fmt: skip
    shown = [f"{money(int(sum(one) / len(one)))} ({len(one)})" if one else "-" for one in sides]
    if min(len(one) for one in sides) < LEAST:
        return _row(name, shown, "", Finding.NOT_ENOUGH)
    found = _difference(*sides)
    low, high = int(found.low or 0), int(found.high or 0)
    return _row(name, shown, f"{money(low)} – {money(high)}", Finding.WORSE if low > 0 else Finding.NOT_WORSE)  # noqa: RUF001 - a range


def _difference(had: Sequence[float], has: Sequence[float]) -> Interval:
    """Mean of the new less mean of the old; pair trades of both are drawn anew together."""
    old_size = len(had)

    def figure(places: Sequence[int]) -> float | None:
        first = [had[place] for place in places if place < old_size]
        second = [has[place - old_size] for place in places if place >= old_size]
        return sum(second) / len(second) - sum(first) / len(first) if first and second else None

    return resampled_interval(old_size + len(has), figure, resamples=RESAMPLES, seed=SEED)


def _percentile(name: str, old: RunEvidence, new: RunEvidence, of: Callable[[TradeStory], int | None]) -> Row:
    samples = [[ns for one in _trades(run) if (ns := of(one)) is not None] for run in (old, new)]
    if min(len(one) for one in samples) < LEAST:
        return _row(name, [str(len(one)) for one in samples], "", Finding.NOT_ENOUGH)
    had, has = (percentile_interval(one, 99.0) for one in samples)
    shown = [f"{duration(int(one.value))} ({len(sample)})" for one, sample in zip((had, has), samples, strict=True)]
    if had.high is None or has.low is None:
        return _row(name, shown, "", Finding.NOT_ENOUGH)
    return _row(name, shown, "", Finding.WORSE if has.low > had.high else Finding.NOT_WORSE)
