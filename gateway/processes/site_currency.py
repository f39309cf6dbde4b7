"""What a site file may not say of foreign currencies: a limit of a currency that nothing holds, a fixing without a day.

It judges a file whose keys are each right by themselves and adds to `site_checks.py`. It reads no clock: whether a
fixing is of today is asked while the installation runs.
"""

from collections.abc import Iterator
from decimal import Decimal

from gateway.execution.currency import CURRENCY_UNITS
from gateway.journal.told import told
from gateway.processes.fixings import ALWAYS, is_day
from gateway.processes.site_checks import PLACES, Mistake
from gateway.processes.site_file import InstrumentSection, PairSection, SiteFile


def check_currency(site: SiteFile) -> list[Mistake]:
    """Every contradiction, in the order of the file."""
    return [
        *_sum(site),
        *(mistake for index, one in enumerate(site.instrument) for mistake in _fixing(f"instrument[{index}]", one)),
        *(mistake for index, one in enumerate(site.pair) for mistake in _pair(site, f"pair[{index}]", one)),
    ]


def held_in(one: InstrumentSection) -> str:
    """The currency that a position in it holds."""
    return one.unit.upper() if one.unit in CURRENCY_UNITS else one.currency


def _sum(site: SiteFile) -> Iterator[Mistake]:
    held = {held_in(one) for one in site.instrument if one.tradable}
    for currency, most in site.limits.max_currency.items():
        key = f"limits.max_currency.{currency}"
        yield from _places(key, most)
        if currency not in held:
            yield Mistake(key, str(most), told("a currency that something is traded in: {}", ", ".join(sorted(held))))


def _pair(site: SiteFile, key: str, pair: PairSection) -> Iterator[Mistake]:
    known = {one.id: one for one in site.instrument}
    foreign = {held_in(known[leg.instrument]) for leg in pair.leg if leg.instrument in known} - {pair.currency}
    for currency, most in pair.max_currency.items():
        place = f"{key}.max_currency.{currency}"
        yield from _places(place, most)
        if currency not in foreign:
            right = ", ".join(sorted(foreign)) or told("none is there")
            yield Mistake(place, str(most), told("a foreign currency of its legs: {}", right))
    days = set()
    for index, leg in enumerate(pair.leg):
        yield from _day(f"{key}.leg[{index}].fx_date", leg.fx_rate is not None, leg.fx_date, "fx_rate")
        days |= {leg.fx_date} - {"", ALWAYS}
    if len(days) > 1:
        yield Mistake(f"{key}.leg", ", ".join(sorted(days)), told("one day for all fixings of a pair"))


def _fixing(key: str, one: InstrumentSection) -> Iterator[Mistake]:
    """What stands in for a reference while it is shut or stale."""
    yield from _day(f"{key}.fixing_date", one.fixing is not None, one.fixing_date, "fixing")
    if one.fixing is None:
        return
    if one.tradable:
        yield Mistake(f"{key}.fixing", str(one.fixing), told("nothing: what is traded has a price of its own"))
    if not one.fixing_source:
        yield Mistake(f"{key}.fixing_source", told("missing"), told("where the fixing is from"))
    if one.fixing % one.tick:
        yield Mistake(f"{key}.fixing", str(one.fixing), told("a whole number of ticks of {}", one.tick))


def _day(key: str, is_fixed: bool, day: str, what: str) -> Iterator[Mistake]:  # noqa: FBT001 - it is or it is not
    """A rate that is fixed says on which day it holds; a day without one says nothing."""
    if not is_fixed:
        if day:
            yield Mistake(key, day, told("nothing: there is no {}", what))
    elif not day:
        remedy = told('the day on which {} holds, such as "2026-06-15", or "always"', what)
        yield Mistake(key, told("missing"), remedy)
    elif day != ALWAYS and not is_day(day):
        yield Mistake(key, day, told("a day of the calendar, YYYY-MM-DD"))


def _places(key: str, value: Decimal) -> Iterator[Mistake]:
    if value != round(value, PLACES):
        yield Mistake(key, str(value), told("at most {} places after the point", PLACES))
