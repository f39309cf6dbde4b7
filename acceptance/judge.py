"""What a figure comes to against its criterion. Pure.

    kind        passes                                 fails                            else
    percentile  upper end of the interval below bound  the percentile at or above it    not enough
    share       lower end at or above the bound        the share below it               not enough
    rate        upper end at or below the bound        the share above it               not enough
    none        nothing found in something looked at   anything found                   not measured
    longest     `least` values, all within the bound   any beyond it, or a finding      not enough
    duration    the sum at or above the bound          a finding                        not enough

Nothing passes by default: what was not measured is "not measured", too small a sample "not enough", and neither lets
the whole pass. Only a criterion that says of itself where it applies may not apply.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from acceptance.criteria import Criterion, Kind
from acceptance.measured import Measured
from acceptance.statistics import Interval, percentile_interval, percentile_needs, share_interval, share_needs
from gateway.journal.statistics import nearest_rank
from gateway.journal.told import told

MILLION = 1_000_000


class Verdict(StrEnum):
    """What a criterion came to."""

    PASS = "pass"  # noqa: S105 - a word of a verdict
    FAIL = "fail"
    NOT_ENOUGH = "not enough"
    NOT_MEASURED = "not measured"
    NOT_APPLICABLE = "does not apply"


class Judged(NamedTuple):
    """A criterion with what was found. `interval` is in nanoseconds of a time, a share of 1 else."""

    criterion: Criterion
    measured: Measured
    verdict: Verdict
    interval: Interval | None
    size: int
    """Values of the sample, trials of the share, things looked at."""
    needed: int
    """Of which so many would prove it, where too few is what is wrong; 0 elsewhere."""
    why: str


def judge(criterion: Criterion, measured: Measured) -> Judged:
    """Judge one criterion."""
    if not measured.applies:
        return Judged(criterion, measured, Verdict.NOT_APPLICABLE, None, 0, 0, measured.why_not)
    return _JUDGES[criterion.kind](criterion, measured)


def overall(judged: Iterable[Judged]) -> Verdict:
    """The whole: fails with any, passes only with all that apply."""
    verdicts = {one.verdict for one in judged} - {Verdict.NOT_APPLICABLE}
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    if verdicts == {Verdict.PASS}:
        return Verdict.PASS
    return Verdict.NOT_ENOUGH if Verdict.NOT_ENOUGH in verdicts else Verdict.NOT_MEASURED


def _percentile(criterion: Criterion, measured: Measured) -> Judged:
    sample, needed = measured.sample, percentile_needs(criterion.percentile, criterion.confidence)
    if not sample:
        return _nothing(criterion, measured, needed)
    found = percentile_interval(sample, criterion.percentile, criterion.confidence)
    if found.value >= criterion.bound:
        verdict = Verdict.FAIL
    elif found.high is not None and found.high < criterion.bound:
        verdict = Verdict.PASS
    else:
        verdict = Verdict.NOT_ENOUGH
    short = needed if len(sample) < needed else 2 * len(sample)
    return _said(criterion, measured, verdict, found, len(sample), short)


def _share(criterion: Criterion, measured: Measured) -> Judged:
    bound = criterion.bound / MILLION
    if not measured.whole:
        return _nothing(criterion, measured, share_needs(0, bound, criterion.confidence))
    found = share_interval(measured.part, measured.whole, criterion.confidence)
    if found.low is not None and found.low >= bound:
        return _said(criterion, measured, Verdict.PASS, found, measured.whole, 0)
    if measured.part * MILLION < criterion.bound * measured.whole:
        return _said(criterion, measured, Verdict.FAIL, found, measured.whole, 0)
    needed = share_needs(measured.whole - measured.part, bound, criterion.confidence)
    return _said(criterion, measured, Verdict.NOT_ENOUGH, found, measured.whole, needed)


def _rate(criterion: Criterion, measured: Measured) -> Judged:
    """At most so many: the mirror of a share."""
    mirrored = criterion._replace(bound=MILLION - criterion.bound)
    found = _share(mirrored, measured._replace(part=measured.whole - measured.part))
    interval = found.interval
    if interval is not None:
        high = None if interval.low is None else 1.0 - interval.low
        low = None if interval.high is None else 1.0 - interval.high
        interval = Interval(measured.part / measured.whole, low, high)
    return found._replace(criterion=criterion, measured=measured, interval=interval)


def _none(criterion: Criterion, measured: Measured) -> Judged:
    count = len(measured.findings)
    if count:
        return Judged(criterion, measured, Verdict.FAIL, None, measured.whole, 0, told("{} found", count))
    if not measured.whole:
        return _nothing(criterion, measured, 0)
    return Judged(criterion, measured, Verdict.PASS, None, measured.whole, 0, "")


def _longest(criterion: Criterion, measured: Measured) -> Judged:
    sample = measured.sample
    found = _span(sample)
    if measured.findings or (sample and max(sample) > criterion.bound):
        why = told("{} found", len(measured.findings)) if measured.findings else ""
        return Judged(criterion, measured, Verdict.FAIL, found, len(sample), 0, why)
    if not sample:
        return _nothing(criterion, measured, criterion.least)
    if measured.short:
        return Judged(criterion, measured, Verdict.NOT_ENOUGH, found, len(sample), 0, measured.short)
    verdict = Verdict.PASS if len(sample) >= criterion.least else Verdict.NOT_ENOUGH
    return _said(criterion, measured, verdict, found, len(sample), criterion.least)


def _duration(criterion: Criterion, measured: Measured) -> Judged:
    total = sum(measured.sample)
    found = Interval(total, None, None) if measured.sample else None
    if measured.findings:
        why = told("{} found", len(measured.findings))
        return Judged(criterion, measured, Verdict.FAIL, found, len(measured.sample), 0, why)
    if not measured.sample:
        return _nothing(criterion, measured, 0)
    verdict = Verdict.PASS if total >= criterion.bound else Verdict.NOT_ENOUGH
    return Judged(criterion, measured, verdict, found, len(measured.sample), 0, "")


def _span(sample: Sequence[int]) -> Interval | None:
    """The largest value, the smallest and the largest as ends."""
    return Interval(nearest_rank(sorted(sample), 100.0), min(sample), max(sample)) if sample else None


def _nothing(criterion: Criterion, measured: Measured, needed: int) -> Judged:
    """No sample at all: not enough where a larger one would do, not measured where there is another reason."""
    more_would_do = needed and not measured.findings and not measured.short
    verdict = Verdict.NOT_ENOUGH if more_would_do else Verdict.NOT_MEASURED
    return Judged(criterion, measured, verdict, None, 0, needed, measured.why_not)


def _said(
    criterion: Criterion, measured: Measured, verdict: Verdict, found: Interval | None, size: int, needed: int
) -> Judged:
    if verdict is not Verdict.NOT_ENOUGH:
        return Judged(criterion, measured, verdict, found, size, 0, "")
    return Judged(criterion, measured, verdict, found, size, needed, told("{} of {}", size, needed))


_JUDGES = {
    Kind.PERCENTILE: _percentile,
    Kind.SHARE: _share,
    Kind.RATE: _rate,
    Kind.NONE: _none,
    Kind.LONGEST: _longest,
    Kind.DURATION: _duration,
}
