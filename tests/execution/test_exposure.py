"""Sums that are kept are those that would be made anew."""

from random import Random

import msgspec
import pytest
from desk import CA, CU, LIMITS, MS, SUB, Desk, intent, quote, settings

from gateway.execution.exposure import Exposure
from gateway.model.order import ExecType, Side
from gateway.model.trade import BooksObserved, ReadBooks, Verb


def of_all(desk: Desk, exposure: Exposure) -> list[object]:
    """Everything that the gate asks of it."""
    found: list[object] = []
    for asked in (intent(), intent(side=Side.SELL, units=3)):
        found += [exposure.furthest_with(leg) for leg in asked.legs]
        found += [exposure.furthest_either_way(SUB, leg.qty_lots) for leg in asked.legs]
        for venue_id in desk.engine.ledger.settings.venues:
            sums = exposure.of_venue(venue_id, asked.legs)
            found += [sums.gross_lots, sums.net_lots, sums.margin_e9]
    return found


def anew(desk: Desk) -> Exposure:
    """As the ledger's, with nothing kept."""
    ledger = desk.engine.ledger
    given = ledger.settings
    return Exposure(given.instruments, given.instrument_limits, ledger.positions, ledger.swing)


def wide() -> Desk:
    """Many trades at once, one leg with a substitute, both currencies with a margin."""
    legs = list(settings().pairs["CU-CA"].legs)
    legs[1] = msgspec.structs.replace(legs[1], substitute_id=SUB)
    given = settings(max_open_trades=50, max_units=500, legs=tuple(legs))
    limits = msgspec.structs.replace(LIMITS, max_open_trades=50, max_legged_trades=50, max_orders_per_s=10**6)
    margins = {CU: 7, CA: 11, SUB: 13}
    return Desk(
        msgspec.structs.replace(
            given,
            limits=limits,
            instrument_limits={
                name: msgspec.structs.replace(one, margin_per_lot_e9=margins[name], max_position_lots=10**6)
                for name, one in given.instrument_limits.items()
            },
        )
    )


@pytest.mark.parametrize("seed", range(4))
def test_kept_sums_are_those_made_anew(seed: int) -> None:
    """After each of some hundred drawn events: fills, ends, repairs in a substitute, fills that a person books."""
    draw = Random(seed)  # noqa: S311 - a seed names a run
    desk = wide()
    ledger = desk.engine.ledger
    moved = set()
    for number in range(250):
        desk.at_ns += 20 * MS
        orders = list(ledger.orders.values())
        if not orders or draw.random() < 0.15:
            desk.do(intent(number, desk.at_ns, draw.choice((Side.BUY, Side.SELL)), draw.randrange(1, 4)))
        elif draw.random() < 0.05:
            trade_id = draw.choice(list(ledger.trades))
            desk.command(Verb.FILL_ADD, f"{trade_id} {draw.choice('12')} buy 2 9750 X{number}", f"c{number}")
        else:
            own = draw.choice(orders)
            kind = draw.choice((ExecType.TRADE, ExecType.TRADE, ExecType.CANCELED, ExecType.REJECTED, ExecType.NEW))
            left = own.order.qty_lots - own.filled_lots
            desk.do(desk.report(own.order, kind, draw.randrange(1, left + 1) if left and kind is ExecType.TRADE else 0))
        for action in [one for one in desk.actions if isinstance(one, ReadBooks)]:
            desk.do(BooksObserved(action.request, (quote(CU, 7799, 7800), quote(SUB, 19_500, 19_501))))
        assert of_all(desk, ledger.exposure) == of_all(desk, anew(desk)), f"after event {number}"
        moved |= {name for name, position in ledger.positions.items() if position.net_lots}
    assert moved >= {CU, CA}


def test_an_order_elsewhere_is_not_looked_at() -> None:
    """A question takes up what has changed and nothing else."""
    desk = Desk()
    exposure = desk.engine.ledger.exposure
    of_all(desk, exposure)
    assert exposure.changed == set()
    desk.fill(desk.open()[0])
    assert exposure.changed == {CU, CA}
