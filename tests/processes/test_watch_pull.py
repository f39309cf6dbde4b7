"""What the watch asks of one venue, and when it takes an order for ended."""

from itertools import count

import pytest

from gateway.model.order import (
    CancelRejected,
    ExecType,
    ExecutionReport,
    MassCancelReported,
    Order,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)
from gateway.model.trade import AskStatus, SendCancel
from gateway.processes.watch_pull import MassCancel, OpenOrder, Pull


def order(name: str) -> Order:
    return Order(name, "SHFE", "A1", "SHFE.cu2609", Side.BUY, 5, OrdType.LIMIT, 7000, TimeInForce.DAY)


def pull(*names: str, mass_cancel: bool = True, own_session: bool = False) -> Pull:
    ids = (f"W1-{number}" for number in count(1))
    orders = {name: OpenOrder(order(name), "") for name in names}
    return Pull("SHFE", orders, lambda: next(ids), mass_cancel=mass_cancel, own_session=own_session)


def report(
    name: str,
    status: OrdStatus,
    exec_type: ExecType = ExecType.ORDER_STATUS,
    *,
    orig: str = "",
    lots: int = 0,
    order_id: str = "V1",
    key: str = "",
) -> ExecutionReport:
    return ExecutionReport(
        *("SHFE", 0, 0, 1, False, name, orig, order_id, "E1", key, "", exec_type, status, "SHFE.cu2609", Side.BUY),
        *(5, lots, "70000", 7000, lots, 5 - lots, ""),
    )


def mass(response: str) -> MassCancelReported:
    return MassCancelReported("SHFE", 0, "W1-1", response, 1, "not now")


def test_it_cancels_all_then_each_then_asks_about_each() -> None:
    """In this order, with an id for each, the venue's own id where it is known."""
    one = pull("C1-1", "C1-2")
    assert one.ask() == [
        MassCancel("SHFE", "W1-1"),
        SendCancel("W1-2", order("C1-1"), ""),
        SendCancel("W1-3", order("C1-2"), ""),
        AskStatus("SHFE", "W1-4", (order("C1-1"),)),
        AskStatus("SHFE", "W1-5", (order("C1-2"),)),
    ]


def test_where_the_venue_has_no_mass_cancel_each_order_is_cancelled() -> None:
    """FIX 4.2: F and H only."""
    one = pull("C1-1", mass_cancel=False)
    assert one.ask() == [SendCancel("W1-1", order("C1-1"), ""), AskStatus("SHFE", "W1-2", (order("C1-1"),))]


@pytest.mark.parametrize(
    "ending",
    [
        report("W1-2", OrdStatus.CANCELED, ExecType.CANCELED, orig="C1-1"),
        report("C1-1", OrdStatus.CANCELED, ExecType.CANCELED),
        report("C1-1", OrdStatus.FILLED, ExecType.TRADE, lots=5, key="k"),
        report("C1-1", OrdStatus.FILLED),
        report("C1-1", OrdStatus.EXPIRED, ExecType.EXPIRED),
        report("C1-1", OrdStatus.REJECTED, order_id="NONE"),
    ],
)
def test_an_order_has_ended_when_the_venue_says_so(ending: ExecutionReport) -> None:
    """Cancelled by our request or by itself, filled, expired, or never heard of."""
    one = pull("C1-1")
    one.ask()
    one.on_event(mass("7"))
    assert (one.done, one.left) == (False, ("C1-1",))
    one.on_event(ending)
    assert (one.done, one.left) == (True, ())


def test_it_is_not_done_before_it_has_asked() -> None:
    """With nothing open in the journal the venue is asked all the same: the journal's last record may be lost."""
    one = pull()
    assert one.done is False
    assert one.ask() == [MassCancel("SHFE", "W1-1")]
    assert one.done is False
    one.on_event(mass("7"))
    assert one.done is True
    assert one.words() == "0 orders open in the journal, 0 left, 0 lots filled meanwhile"


def test_an_order_that_works_on_is_cancelled_again_under_a_new_id() -> None:
    """With the OrderID(37) that was learnt meanwhile; what has ended is left alone."""
    one = pull("C1-1", "C1-2")
    one.ask()
    one.on_event(mass("7"))
    one.on_event(report("C1-1", OrdStatus.NEW))
    one.on_event(report("C1-2", OrdStatus.CANCELED, ExecType.CANCELED))
    assert one.ask() == [SendCancel("W1-6", order("C1-1"), "V1"), AskStatus("SHFE", "W1-7", (order("C1-1"),))]


def test_a_refused_cancel_is_asked_about() -> None:
    """Too late to cancel, most often: how it ended is the question."""
    one = pull("C1-1")
    one.ask()
    refused = CancelRejected("SHFE", 0, 1, "W1-2", "C1-1", "V1", OrdStatus.FILLED, "1", "0", "too late")
    assert one.on_event(refused) == [AskStatus("SHFE", "W1-4", (order("C1-1"),))]


def test_fills_meanwhile_are_counted_once() -> None:
    """The same fill twice is one."""
    one = pull("C1-1")
    one.ask()
    fill = report("C1-1", OrdStatus.PARTIALLY_FILLED, ExecType.TRADE, lots=2, key="k1")
    one.on_event(fill)
    one.on_event(fill)
    assert one.words() == "1 orders open in the journal, 1 left, 2 lots filled meanwhile: C1-1"


def test_a_refused_mass_cancel_leaves_the_single_ones() -> None:
    """On execution's own session its orders can be cancelled one by one; the refusal stays on record."""
    one = pull("C1-1")
    one.ask()
    one.on_event(mass("0"))
    one.on_event(report("C1-1", OrdStatus.CANCELED, ExecType.CANCELED))
    assert one.done is True
    assert one.words().endswith("; mass cancel refused: not now")


def test_on_a_session_of_its_own_only_the_mass_cancel_counts() -> None:
    """Another session's orders may be unknown there and still work: no single cancels, no status, no end but the r."""
    one = pull("C1-1", own_session=True)
    assert one.ask() == [MassCancel("SHFE", "W1-1")]
    one.on_event(report("C1-1", OrdStatus.REJECTED, order_id="NONE"))
    one.on_event(mass("0"))
    assert one.done is False
    assert one.ask() == [MassCancel("SHFE", "W1-2")]
    one.on_event(mass("7"))
    assert one.done is True
