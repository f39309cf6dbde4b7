"""What simulated venues say becomes what the decoders would give: prices in our unit, keys of fills, sides of a book."""

from decimal import Decimal

from gateway.model.instrument import Instrument, PositionModel
from gateway.model.order import ExecType, ExecutionReport, Order, OrdStatus, OrdType, Side, TimeInForce
from gateway.model.position import PositionLine
from gateway.model.quote import BookIncrement, BookSnapshot, LevelChange, MdAction, MdSide, StatusChange, TradingStatus
from gateway.processes.backtest_words import market_event, new_order, order_event, position_event
from simulators.core.checks import Limits
from simulators.core.values import MdEntry, MdIncrement, MdSnapshot, MdStatus, PositionTold, Report

CENTS = Instrument(
    "CBOT.ZS", "CBOT", "ZS", Decimal("0.0025"), Decimal(5000), "bu_soy", "USD", Decimal(5000),
    price_multiplier=Decimal("0.01"),
)  # fmt: skip
"""Quoted in cents by its venue, a quarter of a cent a tick; in dollars here."""
DAYS = Instrument(
    "SHFE.cu", "SHFE", "cu", Decimal(10), Decimal(5), "t", "CNY", Decimal(5), PositionModel.OPEN_CLOSE_TODAY
)


def test_an_order_goes_out_in_the_venues_unit() -> None:
    """4 129 ticks of a quarter of a cent are 10.3225 dollars here and 1032.25 cents there."""
    order = Order("C1", "CBOT", "A", "CBOT.ZS", Side.SELL, 3, OrdType.LIMIT, 4129, TimeInForce.IOC)
    made = new_order(order, CENTS)
    assert (made.px, made.symbol, made.side, made.qty) == (Decimal("1032.25"), "ZS", "2", Decimal(3))


def report(**changes: object) -> Report:
    """A fill of two lots."""
    made = Report(
        at_ns=5, account="A", order_id="O1", cl_ord_id="C1", orig_cl_ord_id="", exec_id="T1", exec_type="F",
        ord_status="1", symbol="ZS", side="2", order_qty=3, ord_type="2", px=Decimal("1032.25"), time_in_force="3",
        position_effect="", hedge_flag="", leaves_qty=1, cum_qty=2, avg_px=Decimal("1032.5"), trade_date="20260615",
        last_qty=2, last_px=Decimal("1032.5"),
    )  # fmt: skip
    return made._replace(**changes)


def test_a_fill_comes_back_in_ours_with_the_key_of_its_fill() -> None:
    """LastPx(31) in dollars and ticks; the key names venue, account, day, side and ExecID(17)."""
    event = order_event(report(), "CBOT", {"ZS": CENTS}, 9, 7)
    assert isinstance(event, ExecutionReport)
    assert (event.exec_type, event.ord_status, event.side) == (ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, Side.SELL)
    assert (Decimal(event.last_px), event.last_px_ticks, Decimal(event.avg_px)) == (
        Decimal("10.325"), 4130, Decimal("10.325"),
    )  # fmt: skip
    assert (event.exec_key, event.recv_ns, event.venue_ns) == ("CBOT|A|20260615|2|T1", 9, 5)
    assert (event.last_qty_lots, event.cum_qty_lots, event.leaves_qty_lots) == (2, 2, 1)


def test_a_report_that_is_no_fill_has_no_key_and_an_unknown_symbol_no_instrument() -> None:
    """An acknowledgement, and a status answer about nothing."""
    event = order_event(report(exec_type="0", last_px=None, symbol=""), "CBOT", {"ZS": CENTS}, 9, 7)
    assert isinstance(event, ExecutionReport)
    assert (event.exec_key, event.instrument_id, event.last_px, event.last_px_ticks) == ("", "", "", None)


def test_a_snapshot_a_change_and_a_status() -> None:
    """Levels with the day's limits; entries of a change in order, its trade as the last price; the status by its name."""
    limits = Limits(100, 200)
    book = market_event(MdSnapshot(1, "cu", 4, ((10, 2),), ((11, 3),), 10, 1), DAYS, limits, 6, 8)
    assert book == BookSnapshot("SHFE.cu", 6, 1, 8, 4, ((10, 2),), ((11, 3),), 10, 1, 200, 100)
    entries = (MdEntry("1", "0", 1, 10, 5), MdEntry("0", "2", 0, 11, 4), MdEntry("2", "1", 2, 12, 0))
    change = market_event(MdIncrement(2, "cu", 5, entries), DAYS, limits, 7, 9)
    levels = (
        LevelChange(MdAction.CHANGE, MdSide.BID, 1, 10, 5),
        LevelChange(MdAction.DELETE, MdSide.OFFER, 2, 12, 0),
    )
    assert change == BookIncrement("SHFE.cu", 7, 2, 9, 5, levels, 11, 4)
    status = market_event(MdStatus(3, "cu", "2"), DAYS, limits, 8, 10)
    assert status == StatusChange("SHFE.cu", 8, 3, 10, TradingStatus.HALT, 200, 100)


def test_days_of_a_position_are_told_where_the_venue_tells_them_apart() -> None:
    """A net venue knows no today; the sum is the same."""
    told = PositionTold(1, "R", "Q", "A", "cu", 2, 3, 0, 4, "2", "20260615", 1)
    split = position_event(told, "SHFE", {"cu": DAYS}, 5)
    assert split == PositionLine("SHFE", 5, "Q", "SHFE.cu", "A", 5, 4, 2, 0, "2", "", "20260615", 1)
    net = position_event(told._replace(symbol="ZS"), "CBOT", {"ZS": CENTS}, 5)
    assert isinstance(net, PositionLine)
    assert (net.long_lots, net.long_today_lots, net.short_today_lots) == (5, None, None)
