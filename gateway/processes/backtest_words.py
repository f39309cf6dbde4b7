"""What a simulated venue says in virtual time, as the decoders of the gateway would give it: values to values, no FIX.

It judges nothing. What is left out beside a real session: text, tags, stamps in tenths; a venue's clock is right, so
`venue_ns` is true and quotes are calibrated without an error.
"""

from collections.abc import Mapping
from decimal import Decimal

from gateway.model.instrument import Instrument, PositionModel
from gateway.model.order import (
    CancelRejected,
    ExecType,
    ExecutionReport,
    Order,
    OrderEvent,
    OrdStatus,
    OrdType,
    Side,
)
from gateway.model.position import PositionLine, PositionsAcked
from gateway.model.quote import (
    BookIncrement,
    BookSnapshot,
    LevelChange,
    MarketEvent,
    MdAction,
    MdSide,
    StatusChange,
    TradingStatus,
)
from simulators.core.checks import Limits
from simulators.core.values import (
    CancelReject,
    MdEntry,
    MdIncrement,
    MdSnapshot,
    MdStatus,
    NewOrder,
    PositionsAck,
    PositionTold,
    Report,
)

_FILLS = frozenset({"F", "G", "H"})
_EXEC_TYPES = {one.value: one for one in ExecType}
_STATUSES = {one.value: one for one in OrdStatus}
_SIDES = {one.value: one for one in Side}
_TRADING = {one.value: one for one in TradingStatus}
_ACTIONS = {one.value: one for one in MdAction}
_MD_SIDES = {one.value: one for one in MdSide}
_TRADE = "2"


def market_event(
    said: MdSnapshot | MdIncrement | MdStatus, instrument: Instrument, limits: Limits, recv_ns: int, number: int
) -> MarketEvent:
    """A market-data message of the venue, received at `recv_ns` under MsgSeqNum(34) `number`."""
    name = instrument.instrument_id
    if isinstance(said, MdSnapshot):
        return BookSnapshot(
            name, recv_ns, said.at_ns, number, said.rpt_seq, said.bids, said.asks, said.last_px_ticks,
            said.last_qty_lots, limits.high_ticks, limits.low_ticks,
        )  # fmt: skip
    if isinstance(said, MdStatus):
        status = _TRADING[said.status]
        return StatusChange(name, recv_ns, said.at_ns, number, status, limits.high_ticks, limits.low_ticks)
    last_px_ticks, last_qty_lots = None, 0
    changes = []
    for entry in said.entries:
        if entry.kind == _TRADE:
            last_px_ticks, last_qty_lots = entry.px_ticks, entry.qty_lots
        else:
            changes.append(_change(entry))
    return BookIncrement(name, recv_ns, said.at_ns, number, said.rpt_seq, tuple(changes), last_px_ticks, last_qty_lots)


def _change(entry: MdEntry) -> LevelChange:
    return LevelChange(_ACTIONS[entry.action], _MD_SIDES[entry.kind], entry.position, entry.px_ticks, entry.qty_lots)


def new_order(order: Order, instrument: Instrument) -> NewOrder:
    """An order as it reaches the venue."""
    return NewOrder(
        order.cl_ord_id,
        order.account,
        instrument.symbol,
        order.side.value,
        Decimal(order.qty_lots),
        None if order.px_ticks is None else instrument.venue_price(order.px_ticks),
        "2" if order.ord_type is OrdType.LIMIT else "1",
        order.time_in_force.value,
        order.position_effect.value,
        order.hedge_flag,
    )


def order_event(
    said: Report | CancelReject, venue_id: str, listed: Mapping[str, Instrument], recv_ns: int, number: int
) -> OrderEvent:
    """What the venue says of an order; `listed` are its instruments by symbol."""
    if isinstance(said, CancelReject):
        return CancelRejected(
            venue_id, recv_ns, number, said.cl_ord_id, said.orig_cl_ord_id, said.order_id,
            _STATUSES.get(said.ord_status), said.response_to, said.reason, said.text,
        )  # fmt: skip
    instrument = listed.get(said.symbol)
    key = f"{venue_id}|{said.account}|{said.trade_date}|{said.side}|"
    return ExecutionReport(
        venue_id=venue_id,
        recv_ns=recv_ns,
        venue_ns=said.at_ns,
        msg_seq_num=number,
        poss_dup=False,
        cl_ord_id=said.cl_ord_id,
        orig_cl_ord_id=said.orig_cl_ord_id,
        order_id=said.order_id,
        exec_id=said.exec_id,
        exec_key=key + said.exec_id if said.exec_type in _FILLS else "",
        exec_ref_id=said.exec_ref_id,
        exec_type=_EXEC_TYPES[said.exec_type],
        ord_status=_STATUSES.get(said.ord_status),
        instrument_id=instrument.instrument_id if instrument else "",
        side=_SIDES.get(said.side),
        order_qty_lots=said.order_qty,
        last_qty_lots=said.last_qty,
        last_px=_price(instrument, said.last_px),
        last_px_ticks=_ticks(instrument, said.last_px),
        cum_qty_lots=said.cum_qty,
        leaves_qty_lots=said.leaves_qty,
        avg_px=_price(instrument, said.avg_px),
        text=said.text,
        reason=said.rej_reason,
        ref_exec_key=key + said.exec_ref_id if said.exec_ref_id else "",
        trade_date=said.trade_date,
    )


def _price(instrument: Instrument | None, px: Decimal | None) -> str:
    if px is None:
        return ""
    text = format(px, "f")
    return text if instrument is None else instrument.our_price(text)


def position_event(
    said: PositionsAck | PositionTold, venue_id: str, listed: Mapping[str, Instrument], recv_ns: int
) -> PositionsAcked | PositionLine:
    """What the venue says that we hold; a venue with net positions does not tell days apart."""
    if isinstance(said, PositionsAck):
        return PositionsAcked(venue_id, recv_ns, said.req_id, said.total, "")
    instrument = listed[said.symbol]
    tells_days = instrument.position_model is not PositionModel.NET
    return PositionLine(
        venue_id,
        recv_ns,
        said.req_id,
        instrument.instrument_id,
        said.account,
        said.long_today + said.long_earlier,
        said.short_today + said.short_earlier,
        said.long_today if tells_days else None,
        said.short_today if tells_days else None,
        said.hedge_flag,
        "",
        said.trade_date,
        said.total,
    )


def _ticks(instrument: Instrument | None, px: Decimal | None) -> int | None:
    if instrument is None or px is None:
        return None
    ticks, rest = divmod(px * instrument.price_multiplier, instrument.tick)
    return None if rest else int(ticks)
