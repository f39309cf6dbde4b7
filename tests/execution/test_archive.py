"""What is packed is unpacked the same, field by field, and found by every id that a venue may name."""

from typing import Any

import msgspec
from desk import CU, CU_PX, Desk, S, quote, settings

from gateway.execution.ledger import ExecutionSettings
from gateway.execution.order_book import OwnOrder
from gateway.execution.pair_trade import PairTrade
from gateway.model.order import ExecType
from gateway.model.trade import PairTradeState


def fields(one: OwnOrder | PairTrade) -> dict[str, Any]:
    """All of it, its legs and orders apart."""
    found = dict(vars(one))
    if isinstance(one, PairTrade):
        legs = found.pop("legs")
        found["legs"] = [{name: value for name, value in vars(leg).items() if name != "orders"} for leg in legs]
        found["intent"] = msgspec.structs.replace(one.intent, legs=())
    return found


def packing(kept: int) -> ExecutionSettings:
    given = settings(max_units=9)
    return msgspec.structs.replace(given, limits=msgspec.structs.replace(given.limits, ended_trades_kept=kept))


def eventful(kept: int) -> tuple[Desk, str]:
    """A trade with a partial fill, a cancel, a correction, an answer and a repair; ClOrdID(11) of its first order."""
    desk = Desk(packing(kept))
    cu, ca = desk.open(1)
    first = desk.report(cu, ExecType.TRADE, 3, venue_ns=7)
    desk.do(first)
    desk.timer("reply:P1-1", 2 * S)
    desk.do(desk.report(cu, ExecType.TRADE_CORRECT, 3, cum=3, ref_exec_key=first.exec_key, exec_key="G1"))
    desk.fill(ca)
    desk.do(desk.report(cu, ExecType.ORDER_STATUS, cum=3, venue_ns=9))
    desk.cancelled(cu)
    desk.books()
    for order in desk.orders():
        desk.fill(order)
    assert desk.told().state is PairTradeState.HEDGED
    return desk, cu.cl_ord_id


def test_every_field_of_a_packed_trade_and_its_orders_comes_back() -> None:
    """A field that is added and not packed is found here."""
    (packed, _), (kept, _) = eventful(0), eventful(1000)
    archive = packed.engine.ledger.archive
    assert (archive.packed, kept.engine.ledger.archive.packed) == (1, 0)
    there, here = archive.trades["P1-1"], kept.engine.ledger.trades["P1-1"]
    assert archive.packed == 0
    assert fields(there) == fields(here)
    assert [fields(one) for one in there.orders()] == [fields(one) for one in here.orders()]
    assert any(own.cancel_ids for own in here.orders())
    assert any(own._taken_back for own in here.orders())


def test_a_packed_trade_is_found_by_its_orders_and_by_our_cancels() -> None:
    """A venue names the order, or the request to cancel it."""
    desk, name = eventful(0)
    archive = desk.engine.ledger.archive
    cancel, *_ = [one for one in archive.trade_of if one not in set(archive.orders)]
    by_cancel = archive.cancels.get(cancel)
    assert by_cancel is not None
    assert (by_cancel.order.cl_ord_id, by_cancel.trade_id, archive.packed) == (name, "P1-1", 0)
    desk, name = eventful(0)
    assert desk.engine.ledger.orders[name].trade_id == "P1-1"


def test_a_late_fill_of_a_packed_trade_is_repaired() -> None:
    """It is a trade like any other again, and packed once more when it has ended."""
    desk, name = eventful(0)
    cu = desk.engine.ledger.orders[name].order
    desk.do(desk.report(cu, ExecType.TRADE, 2, venue_ns=20))
    desk.books(quote(CU, CU_PX - 1, CU_PX))
    (back,) = desk.orders()
    assert (back.instrument_id, back.qty_lots) == (CU, 2)
    desk.fill(back)
    assert desk.engine.ledger.archive.packed == 1


def test_a_copy_of_a_fill_of_a_packed_trade_counts_no_more() -> None:
    """Its key is remembered as long as the day lasts."""
    desk = Desk(packing(0))
    cu, ca = desk.open(1)
    fill = desk.report(cu, ExecType.TRADE, 5)
    desk.do(fill)
    desk.fill(ca)
    before = desk.engine.ledger.positions[CU].net_lots
    assert desk.engine.ledger.archive.packed == 1
    assert desk.do(msgspec.structs.replace(fill, poss_dup=True)) == []
    assert desk.engine.ledger.positions[CU].net_lots == before == 5
