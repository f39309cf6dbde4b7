"""What a venue refuses, with the reason and the words it gives."""

from decimal import Decimal
from typing import Any

import pytest
from sim_fakes import MS, book, order, reports, status, venue

from simulators.core.positions import Position
from simulators.core.values import NewOrder

GOOD: dict[str, Any] = {
    "cl_ord_id": "C1",
    "account": "A1",
    "symbol": "cu2609",
    "side": "1",
    "qty": Decimal(1),
    "px": Decimal(990),
}


@pytest.mark.parametrize(
    ("changed", "reason", "text"),
    [
        ({"account": "B2"}, "99", "Account(1) unknown: B2"),
        ({"symbol": "al"}, "1", "Symbol(55) unknown: al"),
        ({"side": "5"}, "11", "Side(54) not supported: 5; 1 or 2 is right"),
        ({"ord_type": "3"}, "11", "OrdType(40) not supported: 3"),
        ({"time_in_force": "1"}, "11", "TimeInForce(59) not supported: 1"),
        ({"qty": Decimal("1.5")}, "13", "OrderQty(38) not whole lots: 1.5"),
        ({"qty": Decimal(0)}, "13", "OrderQty(38) out of range: 0; 1 to 500 is right"),
        ({"qty": Decimal(501)}, "13", "OrderQty(38) out of range: 501; 1 to 500 is right"),
        ({"px": None}, "99", "Price(44) required for a limit order"),
        ({"px": Decimal("990.5")}, "99", "Price(44) not a multiple of the tick 10: 990.5"),
        ({"px": Decimal(1110)}, "3", "Price(44) above the upper limit 1100: 1110"),
        ({"px": Decimal(890)}, "3", "Price(44) below the lower limit 900: 890"),
    ],
)
def test_a_wrong_order_is_rejected_with_a_reason_and_a_remedy(changed: dict[str, Any], reason: str, text: str) -> None:
    """One field wrong, one reject: 150=8, 39=8, nothing left to work."""
    sim = venue(low=90, high=110, listing={"max_qty": 500})
    (answer,) = reports(sim.on_order(MS, NewOrder(**{**GOOD, **changed})))
    assert (answer.exec_type, answer.ord_status, answer.leaves_qty) == ("8", "8", 0)
    assert (answer.rej_reason, answer.text) == (reason, text)


def test_the_prices_at_the_limits_are_taken() -> None:
    """The limits themselves are right prices."""
    sim = venue(low=90, high=110)
    for number, px in enumerate((90, 110)):
        assert reports(sim.on_order(MS, order(f"C{number}", "1", 1, px)))[0].exec_type == "0"


def test_a_used_cl_ord_id_is_a_duplicate_and_leaves_the_first_order_alone() -> None:
    """103=6; the first order stays as it was."""
    sim = venue()
    sim.on_order(MS, order("C1", "1", 1, 99))
    (answer,) = reports(sim.on_order(MS, order("C1", "1", 2, 99)))
    assert (answer.rej_reason, answer.text) == ("6", "ClOrdID(11) already used: C1")
    assert [(item.cl_ord_id, item.qty, item.open) for item in sim.orders()] == [("C1", 1, True)]


@pytest.mark.parametrize(("value", "text"), [("2", "trading halted"), ("18", "market closed")])
def test_a_halted_or_closed_market_refuses_orders(value: str, text: str) -> None:
    """103=2 with the state in words."""
    (answer,) = reports(venue([book(0), status(0, value)]).on_order(MS, order("C1", "1", 1, 99)))
    assert (answer.rej_reason, answer.text) == ("2", text)


def test_market_orders_and_fok_are_refused_where_the_profile_has_none() -> None:
    """103=11 for both."""
    sim = venue(fok=False, market_orders=False)
    fok = reports(sim.on_order(MS, order("C1", "1", 1, 99, time_in_force="4")))[0]
    market = reports(sim.on_order(MS, order("C2", "1", 1, None)))[0]
    assert (fok.rej_reason, market.rej_reason) == ("11", "11")


@pytest.mark.parametrize(
    ("model", "effect", "qty", "text"),
    [
        ("open_close_today", "", 1, "PositionEffect(77) required: O open, C close"),
        ("open_close_today", "X", 1, "PositionEffect(77) unknown: X; O or C is right"),
        ("open_close_today", "C", 5, "close yesterday volume over yesterday position: asked 5, closable 4"),
        ("open_close_today", "T", 3, "close today volume over today position: asked 3, closable 2"),
        ("open_close_today", "T", 2, ""),
        ("open_close", "C", 7, "close volume over position: asked 7, closable 6"),
        ("open_close", "C", 6, ""),
        ("net", "", 100, ""),
    ],
)
def test_a_close_beyond_the_position_is_refused_in_the_venues_words(
    model: str, effect: str, qty: int, text: str
) -> None:
    """2 lots of today and 4 of yesterday are long; a sell may close so many of each."""
    position = Position(model, long_today=2, long_yesterday=4)
    assert position.refusal("2", effect, qty) == text


def test_a_working_close_freezes_its_lots() -> None:
    """Of 4 lots 3 are being closed: 1 may be closed besides, and all that is left after the cancel of one order."""
    sim = venue(listing={"open_close": "open_close_today", "open_yesterday_long": 4})
    sim.on_order(MS, order("C1", "2", 3, 105, position_effect="C"))
    (refused,) = reports(sim.on_order(MS, order("C2", "2", 2, 105, position_effect="C")))
    assert refused.text == "close yesterday volume over yesterday position: asked 2, closable 1"
    sim.on_mass_cancel(2 * MS, "M1", "7")
    assert reports(sim.on_order(3 * MS, order("C3", "2", 4, 105, position_effect="C")))[0].exec_type == "0"


def test_a_close_on_an_open_close_venue_takes_yesterday_first() -> None:
    """2 of today, 4 of yesterday: closing 5 leaves 1 of today."""
    position = Position("open_close", long_today=2, long_yesterday=4)
    position.apply("2", "C", 5)
    assert (position.lots["long_today"], position.lots["long_yesterday"], position.net) == (1, 0, 1)


def test_fills_move_the_side_that_they_open_or_close() -> None:
    """A buy that opens makes a long of today; a sell that opens makes a short, and both stand apart."""
    sim = venue(listing={"open_close": "open_close_today"})
    sim.on_order(MS, order("C1", "1", 4, 101, position_effect="O"))
    sim.on_order(MS, order("C2", "2", 5, 99, position_effect="O"))
    lots = sim.position("cu2609").lots
    assert (lots["long_today"], lots["short_today"], sim.position("cu2609").net) == (4, 5, -1)
