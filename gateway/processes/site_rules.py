"""What the keys of a `[[rule]]`, and the fees of an instrument, may not say, before rules are made of them.

What rules may not say together is `rule_checks.py`, which judges commands as well. It reads no clock.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from gateway.journal.told import told
from gateway.processes.rule_keys import utc_ns_of
from gateway.processes.site_file import InstrumentSection, RuleSection, SiteFile
from gateway.processes.site_mistakes import Mistake

PLACES = 9
"""Prices, money and shares are whole multiples of 1e-9."""
MOST = 9 * 10**9
"""Of a price or of money of a rule: in whole 1e-9 it has to fit into 64 bits."""
MOST_MS = 9 * 10**12
"""The same of milliseconds, which become nanoseconds: some 285 years."""


def check_rules(site: SiteFile) -> list[Mistake]:
    """Every mistake, in the order of the file."""
    found = [one for index, fees in enumerate(site.instrument) for one in _fees(fees, f"instrument[{index}]")]
    for index, rule in enumerate(site.rule):
        found += key_mistakes(rule, f"rule[{index}]", site.bus.pair_price_interval_ms)
    return found


def _fees(one: InstrumentSection, key: str) -> Iterator[Mistake]:
    days: dict[str, int] = {}
    for index, row in enumerate(one.fees):
        place = f"{key}.fees[{index}]"
        try:
            date.fromisoformat(row.from_day)
        except ValueError:
            yield Mistake(f"{place}.from_day", row.from_day, told("a day of the calendar, YYYY-MM-DD"))
        if row.from_day in days:
            remedy = told("a day of its own: {}.fees[{}] has it already", key, days[row.from_day])
            yield Mistake(f"{place}.from_day", row.from_day, remedy)
        days.setdefault(row.from_day, index)
        yield from _places(row, place)


def key_mistakes(rule: RuleSection, key: str, least_ms: int) -> Iterator[Mistake]:
    """Of one rule; `least_ms` is how fine the record of pair prices is."""
    yield from _places(rule, key)
    yield from _places(rule.costs, f"{key}.costs")
    if rule.expires:
        try:
            utc_ns_of(rule.expires)
        except ValueError:
            remedy = told('date and time with the offset from UTC, such as "2026-12-31T15:00:00+08:00"')
            yield Mistake(f"{key}.expires", rule.expires, remedy)
    if rule.band is not None:
        yield from _places(rule.band, f"{key}.band")
        if rule.band.interval_ms < least_ms:
            remedy = told(
                "at least bus.pair_price_interval_ms, {}: the record that it warms up from is no finer", least_ms
            )
            yield Mistake(f"{key}.band.interval_ms", str(rule.band.interval_ms), remedy)


def _places(section: object, key: str) -> Iterator[Mistake]:
    for name in getattr(type(section), "model_fields", {}):
        value = getattr(section, name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Decimal) and abs(one) > MOST:
                yield Mistake(f"{key}.{name}", str(one), told("between {} and {}", -MOST, MOST))
            elif isinstance(one, Decimal) and one != round(one, PLACES):
                yield Mistake(f"{key}.{name}", str(one), told("at most {} places after the point", PLACES))
            elif isinstance(one, int) and name.endswith("_ms") and one > MOST_MS:
                yield Mistake(f"{key}.{name}", str(one), told("less than or equal to {}", MOST_MS))
