"""Orders against a book whose every outcome is worked out by hand."""

from decimal import Decimal

import pytest
from sim_fakes import ASKS, BIDS, MS, SYMBOL, book, order, reports, status, told, trade, venue

from simulators.core.values import CancelOrder, CancelReject, MassCancelReport, ReplaceOrder


def replace(cl_ord_id: str, orig: str, qty: int, px_ticks: int) -> ReplaceOrder:
    return ReplaceOrder(cl_ord_id, orig, Decimal(qty), Decimal(10) * px_ticks)


def test_a_limit_order_takes_levels_best_first_and_rests_with_the_remainder() -> None:
    """A buy of 12 at 102 takes 4 at 101 and 6 at 102, and 2 lots rest."""
    assert told(venue().on_order(MS, order("C1", "1", 12, 102))) == [
        ("0", "0", None, 0, 12),
        ("F", "1", (4, 101), 4, 8),
        ("F", "1", (6, 102), 10, 2),
    ]


def test_an_ioc_order_cancels_what_it_could_not_take() -> None:
    """A sell of 8 IOC at 99 takes the 5 bid there; the other 3 are cancelled at once."""
    assert told(venue().on_order(MS, order("C1", "2", 8, 99, time_in_force="3"))) == [
        ("0", "0", None, 0, 8),
        ("F", "1", (5, 99), 5, 3),
        ("4", "4", None, 5, 0),
    ]


def test_a_fok_order_fills_whole_or_not_at_all() -> None:
    """10 lots are on offer up to 102: FOK for 10 fills, FOK for 11 is cancelled without a fill."""
    assert told(venue().on_order(MS, order("C1", "1", 11, 102, time_in_force="4"))) == [
        ("0", "0", None, 0, 11),
        ("4", "4", None, 0, 0),
    ]
    assert told(venue().on_order(MS, order("C1", "1", 10, 102, time_in_force="4"))) == [
        ("0", "0", None, 0, 10),
        ("F", "1", (4, 101), 4, 6),
        ("F", "2", (6, 102), 10, 0),
    ]


def test_a_market_order_never_rests() -> None:
    """A market buy of 20 takes all 18 offered, the rest is cancelled."""
    assert told(venue().on_order(MS, order("C1", "1", 20, None)))[-2:] == [
        ("F", "1", (8, 103), 18, 2),
        ("4", "4", None, 18, 0),
    ]


def test_what_we_took_is_gone_until_the_level_changes() -> None:
    """3 of the 4 lots at 101 taken: 1 is left; a book with 6 there adds 2; a book without and then with it starts anew."""
    events = [book(0), book(20, asks=((101, 6),)), book(30, asks=()), book(40, asks=((101, 4),))]
    sim = venue(events)
    sim.on_order(MS, order("C1", "1", 3, 101, time_in_force="3"))
    assert sim.book(SYMBOL) == (BIDS, ((101, 1), *ASKS[1:]))
    sim.advance(20 * MS)
    assert sim.book(SYMBOL)[1] == ((101, 3),)
    sim.advance(40 * MS)
    assert sim.book(SYMBOL)[1] == ((101, 4),)


def test_a_level_that_shrinks_below_what_we_took_shows_nothing_until_it_grows() -> None:
    """3 of 4 taken, the tape falls to 2: nothing is left; back at 4, the 2 lots that were added are there."""
    sim = venue([book(0), book(20, asks=((101, 2),)), book(30, asks=((101, 4),))])
    sim.on_order(MS, order("C1", "1", 3, 101, time_in_force="3"))
    sim.advance(20 * MS)
    assert sim.book(SYMBOL)[1] == ()
    sim.advance(30 * MS)
    assert sim.book(SYMBOL)[1] == ((101, 2),)


def test_a_resting_order_waits_for_the_volume_ahead_of_it() -> None:
    """5 lots queue before our buy at 99: sells of 4 and 3 there fill us with 2, at our price."""
    sim = venue([book(0), trade(10, 99, 4, "2"), trade(20, 99, 3, "2")])
    sim.on_order(MS, order("C1", "1", 4, 99))
    assert told(sim.advance(10 * MS)) == []
    assert told(sim.advance(20 * MS)) == [("F", "1", (2, 99), 2, 2)]


def test_a_shrinking_level_moves_a_resting_order_forward() -> None:
    """5 lots ahead, the level falls to 1: the next sell of 2 fills one lot of ours."""
    sim = venue([book(0), book(10, bids=((99, 1),)), trade(20, 99, 2, "2")])
    sim.on_order(MS, order("C1", "1", 4, 99))
    assert told(sim.advance(20 * MS)) == [("F", "1", (1, 99), 1, 3)]


def test_a_trade_through_our_price_fills_us_first() -> None:
    """Our buy at 100, inside the spread, gets all of a sell of 3 at 99 before the market's own bids."""
    sim = venue([book(0), trade(10, 99, 3, "2")])
    sim.on_order(MS, order("C1", "1", 2, 100))
    assert told(sim.advance(10 * MS)) == [("F", "2", (2, 100), 2, 0)]


def test_buyers_do_not_fill_our_buy() -> None:
    """A trade whose aggressor bought takes offers; our bid at the same price is not touched."""
    sim = venue([book(0), trade(10, 99, 50, "1")])
    sim.on_order(MS, order("C1", "1", 2, 99))
    assert told(sim.advance(10 * MS)) == []


def test_a_crossing_book_fills_a_resting_order_at_its_own_price() -> None:
    """Our buy of 6 rests at 100; offers of 4 come down to 99 and are taken at 100."""
    sim = venue([book(0), book(10, bids=((98, 1),), asks=((99, 4), (101, 9)))])
    sim.on_order(MS, order("C1", "1", 6, 100))
    assert told(sim.advance(10 * MS)) == [("F", "1", (4, 100), 4, 2)]
    assert sim.book(SYMBOL)[1] == ((101, 9),)


def test_the_earlier_of_two_orders_at_a_price_fills_first() -> None:
    """Two buys of 2 at 100: a sell of 3 fills the first and half of the second."""
    sim = venue([book(0), trade(10, 100, 3, "2")])
    sim.on_order(MS, order("C1", "1", 2, 100))
    sim.on_order(2 * MS, order("C2", "1", 2, 100))
    filled = [(item.cl_ord_id, item.last_qty) for item in reports(sim.advance(10 * MS))]
    assert filled == [("C1", 2), ("C2", 1)]


@pytest.mark.parametrize(("qty", "px_ticks", "first"), [(1, 100, "C1"), (3, 100, "C2")])
def test_a_replace_keeps_its_place_only_with_fewer_lots(qty: int, px_ticks: int, first: str) -> None:
    """Fewer lots at the same price stay first in the queue; more lots go behind the later order."""
    sim = venue([book(0), trade(10, 100, 1, "2")])
    sim.on_order(MS, order("C1", "1", 2, 100))
    sim.on_order(2 * MS, order("C2", "1", 2, 100))
    answer = reports(sim.on_replace(3 * MS, replace("C3", "C1", qty, px_ticks)))
    assert [(item.exec_type, item.cl_ord_id, item.orig_cl_ord_id) for item in answer] == [("5", "C3", "C1")]
    filled = reports(sim.advance(10 * MS))
    assert [item.order_id for item in filled] == [f"O{int(first[1:]):08d}"]


def test_a_replace_to_a_crossing_price_trades_at_once() -> None:
    """A resting buy moved up to 101 takes the 4 offered there."""
    sim = venue()
    sim.on_order(MS, order("C1", "1", 5, 100))
    assert told(sim.on_replace(2 * MS, replace("C2", "C1", 5, 101))) == [
        ("5", "0", None, 0, 5),
        ("F", "1", (4, 101), 4, 1),
    ]


def test_a_replace_to_no_more_than_was_filled_is_too_late() -> None:
    """4 of 6 filled: a replace to 4 is refused with 102=0 and changes nothing."""
    sim = venue()
    sim.on_order(MS, order("C1", "1", 6, 101))
    answer = sim.on_replace(2 * MS, replace("C2", "C1", 4, 101))
    assert [(item.reason, item.response_to) for item in answer if isinstance(item, CancelReject)] == [("0", "2")]
    assert sim.orders()[0].leaves == 2


def test_a_cancel_of_an_open_order_ends_it_under_the_cancels_own_id() -> None:
    """The report of the cancel carries its own ClOrdID and the order's as OrigClOrdID."""
    sim = venue()
    sim.on_order(MS, order("C1", "1", 5, 99))
    (answer,) = reports(sim.on_cancel(2 * MS, CancelOrder("C2", "C1")))
    assert (answer.exec_type, answer.cl_ord_id, answer.orig_cl_ord_id, answer.leaves_qty) == ("4", "C2", "C1", 0)


def test_a_cancel_that_loses_the_race_is_too_late_and_one_of_nothing_unknown() -> None:
    """102=0 names the status of the filled order; 102=1 goes with OrderID NONE."""
    sim = venue()
    sim.on_order(MS, order("C1", "1", 4, 101))
    late = sim.on_cancel(2 * MS, CancelOrder("C2", "C1"))[-1]
    unknown = sim.on_cancel(3 * MS, CancelOrder("C3", "C9"))[-1]
    assert isinstance(late, CancelReject)
    assert isinstance(unknown, CancelReject)
    assert (late.reason, late.ord_status) == ("0", "2")
    assert (unknown.reason, unknown.order_id) == ("1", "NONE")


def test_a_closed_market_expires_day_orders_and_keeps_gtc() -> None:
    """At 326=18 the day order ends with 150=C; the GTC order stays open."""
    sim = venue([book(0), status(10, "18")], gtc=True)
    sim.on_order(MS, order("C1", "1", 1, 99))
    sim.on_order(MS, order("C2", "1", 1, 99, time_in_force="1"))
    assert told(sim.advance(10 * MS)) == [("C", "C", None, 0, 0)]
    assert [item.open for item in sim.orders()] == [False, True]


def test_an_auction_takes_orders_and_matches_them_when_trading_begins() -> None:
    """A crossing buy rests in the auction (21) and fills when the market is ready (17)."""
    sim = venue([status(0, "21"), book(0), status(10, "17")])
    assert told(sim.on_order(MS, order("C1", "1", 4, 101))) == [("0", "0", None, 0, 4)]
    assert told(sim.advance(10 * MS)) == [("F", "2", (4, 101), 4, 0)]


def test_a_mass_cancel_ends_every_open_order_and_counts_them() -> None:
    """Two open orders and a filled one: two cancels, then a report of two."""
    sim = venue()
    for number, px in enumerate((99, 98, 101), 1):
        sim.on_order(MS, order(f"C{number}", "1", 2, px))
    events = sim.on_mass_cancel(2 * MS, "M1", "7")
    assert [item.cl_ord_id for item in reports(events)] == ["C1", "C2"]
    last = events[-1]
    assert isinstance(last, MassCancelReport)
    assert (last.response, last.affected) == ("7", 2)


def test_a_disconnect_cancels_only_where_the_venue_is_set_to() -> None:
    """cancel_on_disconnect decides whether the working order survives."""
    for cancels in (True, False):
        sim = venue(cancel_on_disconnect=cancels)
        sim.on_order(MS, order("C1", "1", 2, 99))
        sim.on_disconnect(2 * MS)
        assert sim.orders()[0].open is not cancels


def test_a_mass_status_tells_every_order_and_marks_the_last() -> None:
    """Two orders: 911=2 in both, 912=Y in the second only; with none, one report with OrderID NONE."""
    sim = venue()
    (nothing,) = reports(sim.on_mass_status(MS, "S0"))
    assert (nothing.order_id, nothing.cl_ord_id, nothing.tot_num_reports, nothing.last_rpt_requested) == (
        "NONE",
        "S0",
        0,
        True,
    )
    sim.on_order(MS, order("C1", "1", 2, 99))
    sim.on_order(MS, order("C2", "1", 4, 101))
    answers = reports(sim.on_mass_status(2 * MS, "S1"))
    assert [(item.cl_ord_id, item.ord_status, item.tot_num_reports, item.last_rpt_requested) for item in answers] == [
        ("C1", "0", 2, False),
        ("C2", "2", 2, True),
    ]


def test_a_status_request_for_an_unknown_order_is_answered() -> None:
    """OrderID NONE, OrdStatus 8, reason 5."""
    (answer,) = reports(venue().on_status(MS, "C9", SYMBOL, "1", "R1"))
    assert (answer.order_id, answer.exec_type, answer.ord_status, answer.rej_reason) == ("NONE", "I", "8", "5")
    assert answer.ord_status_req_id == "R1"


def test_fill_ids_are_unique_per_side_only_where_the_venue_counts_so() -> None:
    """A buy and a sell both get the first id of their side; elsewhere two different ones."""
    for per_side, expected in ((True, 1), (False, 2)):
        sim = venue(exec_id_per_side=per_side)
        events = sim.on_order(MS, order("C1", "1", 1, 101)) + sim.on_order(MS, order("C2", "2", 1, 99))
        ids = {item.exec_id for item in reports(events) if item.exec_type == "F"}
        assert len(ids) == expected
