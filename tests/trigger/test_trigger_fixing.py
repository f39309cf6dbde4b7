"""A pair whose fixed currency rate is bound to a day has a price on that day alone."""

from msgspec.structs import replace
from trigger_values import DOMESTIC, INSTRUMENTS, OVERSEAS, SILENCE_NS, leg, pair, quote, rule

from gateway.model.quote import Quote
from gateway.model.trade import ExecutionStatus, fixing_of
from gateway.trigger.core import TriggerCore

T = 10_000
DATED = replace(pair(leg(DOMESTIC), leg(OVERSEAS, rate="7")), fixing_date="2026-06-15")


def book(name: str, bid: int, ask: int) -> Quote:
    return quote(name, ((bid, 9),), ((ask, 9),), T)


def core() -> TriggerCore:
    """A rule that buys at any price, both books there, execution heard."""
    one = TriggerCore((DATED,), (rule("99999"),), INSTRUMENTS, silence_ns=SILENCE_NS)
    one.on_execution(ExecutionStatus(5, True, False, False, "full", 0, 0, (), T, ()), T)
    return one


def wishes(one: TriggerCore) -> int:
    one.on_quote(book(OVERSEAS, 100, 101), T)
    return len(one.on_quote(book(DOMESTIC, 100, 101), T))


def verdict(one: TriggerCore) -> list[str]:
    return [price.verdict for price in one.changed_prices()]


def test_until_it_is_said_to_be_of_today_the_pair_has_no_price() -> None:
    """No wish, and the reason in its verdict."""
    one = core()
    assert wishes(one) == 0
    assert verdict(one) == ["its currency fixing is not of today"]


def test_on_its_day_it_is_priced_and_when_the_day_is_over_no_more() -> None:
    """Open, then shut: told once each, whatever else opens and shuts."""
    one = core()
    one.on_hours(fixing_of("P"), is_open=True, trading_day="20260615")
    one.on_hours(fixing_of("P"), is_open=True, trading_day="20260615")
    one.on_hours(fixing_of("ANOTHER"), is_open=False)
    assert wishes(one) == 1
    assert verdict(one) == ["ok"]
    one.on_hours(fixing_of("P"), is_open=False)
    assert wishes(one) == 0
    assert verdict(one) == ["its currency fixing is not of today"]


def test_a_rate_that_is_bound_to_no_day_is_always_used() -> None:
    """Nothing needs to be said of it."""
    one = TriggerCore((replace(DATED, fixing_date=""),), (rule("99999"),), INSTRUMENTS, silence_ns=SILENCE_NS)
    one.on_execution(ExecutionStatus(5, True, False, False, "full", 0, 0, (), T, ()), T)
    assert wishes(one) == 1
