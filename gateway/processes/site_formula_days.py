"""What `cmc check` says of a site's formulas on a day: parameters that have no value, or have none from tomorrow on.

A site file stays readable on every day, so that an old run can be looked at; that a formula has no price on a day is a
mistake of that day. While running, `cmc pairs` shows the same.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.journal.told import Told, told
from gateway.model.site import PairSpec, ParameterSpec
from gateway.processes.site_mistakes import Mistake
from gateway.trigger.expression import names_of, parse
from gateway.trigger.formula import value_on

BEIJING = ZoneInfo("Asia/Shanghai")


def beijing_day(at_utc_ns: int) -> str:
    """The date in China, YYYYMMDD: it stands for the trading day where a first leg has no calendar."""
    return datetime.fromtimestamp(at_utc_ns // 10**9, BEIJING).strftime("%Y%m%d")


def day_mistakes(pairs: Iterable[PairSpec], day: str) -> list[Mistake]:
    """Every parameter without a value on this trading day (YYYYMMDD), with the column where the formula names it."""
    return [mistake for index, pair in enumerate(pairs) for mistake in _lacking(pair, f"pair[{index}].formula", day)]


def _lacking(pair: PairSpec, key: str, day: str) -> Iterator[Mistake]:
    if pair.expression is None:
        return
    columns = names_of(parse(pair.expression.text))
    for one in pair.expression.parameters:
        if one.name in columns and value_on(one, day) is None:
            remedy = told(
                "column {}: a value of parameter {} for {}; it has {}",
                columns[one.name],
                one.name,
                _iso(day),
                _days(one),
            )
            yield Mistake(key, pair.expression.text, remedy)


def day_notes(pairs: Iterable[PairSpec], day: str) -> list[Told]:
    """Parameters of which this is the last day."""
    return [
        told("pair {}: parameter {} ends today, {}; without another value the pair has no price tomorrow", *words)
        for pair in pairs
        for words in _ending(pair, day)
    ]


def _ending(pair: PairSpec, day: str) -> Iterator[tuple[str, str, str]]:
    for one in pair.expression.parameters if pair.expression is not None else ():
        ends = any(row.until_day == day for row in one.rows)
        if ends and not any(row.from_day > day for row in one.rows):
            yield pair.pair_id, one.name, _iso(day)


def _days(one: ParameterSpec) -> str:
    return ", ".join(f"{_iso(row.from_day) or '...'} to {_iso(row.until_day) or '...'}" for row in one.rows)


def _iso(day: str) -> str:
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" if day else ""
