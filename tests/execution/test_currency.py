"""What is held in foreign currency: by pair and in sum, as far as it may go, and what the gate makes of it."""

from decimal import Decimal
from random import Random

import msgspec
import pytest
from desk import CA, CA_PX, CU, E9, LIMITS, MS, SETTINGS, SUB, Desk, S, intent, settings

from gateway.execution.currency import CurrencyBook, Ends, LotValue, lot_value
from gateway.execution.ledger import ExecutionSettings
from gateway.model.instrument import Instrument
from gateway.model.order import ExecType, Side
from gateway.model.trade import HoursChanged, IntentRefused, RefusalName, fixing_of

ONE_LOT_E9 = CA_PX * 25 * E9 // 2
"""25 t at 9 750 USD/t."""


def limited(usd_e9: int, **pair: object) -> ExecutionSettings:
    """A limit in sum."""
    limits = msgspec.structs.replace(LIMITS, max_currency_e9={"USD": usd_e9}, max_open_trades=9, max_orders_per_s=999)
    return msgspec.structs.replace(settings(**pair), limits=limits)


def refused(desk: Desk) -> list[tuple[RefusalName, str]]:
    return [(one.name, one.figures) for one in desk.announced(IntentRefused) if isinstance(one, IntentRefused)]


def hedge(desk: Desk, number: int, side: Side = Side.BUY) -> None:
    """One unit of the pair, filled whole."""
    for order in desk.open(number, side=side):
        desk.fill(order)


def test_a_lot_holds_its_notional_and_a_currency_contract_its_currency() -> None:
    """25 t of copper at its price in dollars; 100 000 dollars a lot whatever they cost in renminbi."""
    assert lot_value(SETTINGS.instruments[CA]) == LotValue("USD", 12_500_000_000, 0)
    assert lot_value(SETTINGS.instruments[CA]).of(CA_PX) == ONE_LOT_E9 == 243_750 * E9
    uc = Instrument("SGX.UC", "SGX", "UC", Decimal("0.0001"), Decimal(100_000), "usd", "CNH", Decimal(100_000))
    assert lot_value(uc) == LotValue("USD", 0, 100_000 * E9)


def test_the_pair_may_hold_its_limit_and_no_more() -> None:
    """Two units are allowed, a third is refused with what would be held; the other direction reduces and passes."""
    desk = Desk(settings(max_currency_e9={"USD": 2 * ONE_LOT_E9}, max_open_trades=9))
    hedge(desk, 1)
    hedge(desk, 2)
    desk.do(intent(3, desk.at_ns))
    assert refused(desk) == [
        (RefusalName.CURRENCY_EXPOSURE, "CU-CA: up to -731250 USD, at most 487500"),
    ]
    assert desk.open(4, side=Side.SELL)


def test_a_trade_that_is_not_over_counts_as_if_it_were_filled() -> None:
    """The first unit's dollars are only on order, and the second would be too many."""
    desk = Desk(settings(max_currency_e9={"USD": 2 * ONE_LOT_E9 - 1}, max_open_trades=9))
    desk.open(1)
    desk.do(intent(2, desk.at_ns))
    assert refused(desk) == [(RefusalName.CURRENCY_EXPOSURE, "CU-CA: up to -487500 USD, at most 487499")]


def test_the_sum_is_of_all_positions_whatever_pair_they_are_of() -> None:
    """Within the pair's own limit and above the installation's: refused in sum."""
    desk = Desk(limited(2 * ONE_LOT_E9, max_currency_e9={"USD": 99 * ONE_LOT_E9}))
    hedge(desk, 1)
    hedge(desk, 2)
    desk.do(intent(3, desk.at_ns))
    assert refused(desk) == [(RefusalName.CURRENCY_EXPOSURE, "in sum: up to -731250 USD, at most 487500")]
    assert desk.open(4, side=Side.SELL)


def test_a_currency_without_a_limit_is_not_looked_at() -> None:
    """No limit, no refusal, however much is held."""
    desk = Desk(settings(max_open_trades=9))
    for number in range(1, 6):
        hedge(desk, number)
    assert refused(desk) == []


def test_what_is_held_at_no_known_price_stops_a_limited_currency() -> None:
    """Lots of another contract that no intent has priced: nobody can say what is held."""
    desk = Desk(limited(99 * ONE_LOT_E9))
    desk.engine.ledger.exposure.currencies.move(SUB, 3, 3)
    desk.do(intent(1, desk.at_ns))
    assert refused(desk) == [
        (RefusalName.CURRENCY_EXPOSURE, "LME.CB: held at no known price, so nobody can say how much USD")
    ]


def anew(desk: Desk, prices: dict[str, int]) -> Ends:
    """The sum of dollars made from positions and what is open, with nothing kept."""
    ledger = desk.engine.ledger
    book = CurrencyBook(ledger.settings.instruments)
    for name, px_ticks in prices.items():
        book.see(name, px_ticks)
    for name, position in ledger.positions.items():
        bought, sold = ledger.swing(name)
        book.move(name, position.net_lots + bought, position.net_lots - sold)
    return book.with_legs("USD", ())


@pytest.mark.parametrize("seed", range(3))
def test_kept_sums_are_those_made_anew(seed: int) -> None:
    """After each of some hundred drawn events, at prices that move."""
    draw = Random(seed)  # noqa: S311 - a seed names a run
    desk = Desk(limited(10**6 * ONE_LOT_E9, max_open_trades=50, max_units=500))
    ledger = desk.engine.ledger
    prices: dict[str, int] = {}
    for number in range(150):
        desk.at_ns += 20 * MS
        open_orders = [own for own in ledger.orders.values() if own.open]
        if not open_orders or draw.random() < 0.3:
            moved = draw.randrange(-100, 100)
            asked = intent(number, desk.at_ns, draw.choice((Side.BUY, Side.SELL)))
            legs = (asked.legs[0], msgspec.structs.replace(asked.legs[1], px_ticks=CA_PX + moved))
            desk.do(msgspec.structs.replace(asked, legs=legs))
            if not any(one.intent_id == f"I1-{number}" for one in desk.announced(IntentRefused)):  # type: ignore[union-attr]
                prices |= {leg.instrument_id: leg.px_ticks for leg in legs}
        else:
            own = draw.choice(open_orders)
            left = own.order.qty_lots - own.filled_lots
            kind = draw.choice((ExecType.TRADE, ExecType.TRADE, ExecType.CANCELED)) if left else ExecType.CANCELED
            desk.do(desk.report(own.order, kind, draw.randrange(1, left + 1) if kind is ExecType.TRADE else 0))
        assert ledger.exposure.currencies.with_legs("USD", ()) == anew(desk, prices), f"after event {number}"
    assert prices.keys() == {CU, CA}


def test_a_fixing_counts_on_its_date_only() -> None:
    """Before anybody has said that it is of today: refused. On its day: traded. When the day is over: refused."""
    desk = Desk(settings(fixing_date="2026-06-15", max_open_trades=9))
    desk.do(intent(1, desk.at_ns))
    assert refused(desk) == [(RefusalName.FIXING, "CU-CA: its currency fixing is of 2026-06-15, and that is not today")]
    desk.do(HoursChanged(fixing_of("CU-CA"), True, desk.at_ns + 3600 * S, "20260615"))
    assert desk.open(2)
    desk.at_ns += 3600 * S
    desk.do(intent(3, desk.at_ns))
    assert [name for name, _ in refused(desk)] == [RefusalName.FIXING]
    desk.do(HoursChanged(fixing_of("CU-CA"), False, 0, ""))
    desk.do(intent(4, desk.at_ns))
    assert [name for name, _ in refused(desk)] == [RefusalName.FIXING]
