"""Each named fault: which orders it strikes and what it does to them."""

from dataclasses import replace

import pytest
from sim_fakes import ASKS, BIDS, MS, SYMBOL, book, fault, order, reports, told, trade, venue

from simulators.core.draw import draw
from simulators.core.faults import FAULT_NAMES, FaultPlan
from simulators.core.truth import FillTruth, OrderTruth
from simulators.core.values import CancelOrder, CancelReject, Drop, MdIncrement, MdSnapshot, MdStatus

SECOND = 1000 * MS


def struck(seed: int, times: range) -> list[int]:
    """The ordinals of 200 orders, arriving at `times`, that a fault of 30 % strikes."""
    plan = FaultPlan(seed, 0, (fault("reject", probability=0.3),))
    return [number for number, at_ns in enumerate(times, 1) if plan.for_order(number, at_ns)]


def test_a_draw_depends_on_seed_and_ordinal_and_not_on_time() -> None:
    """The same orders are struck whenever they arrive; another seed strikes others."""
    assert struck(7, range(200)) == struck(7, range(0, 20_000, 100))
    assert struck(7, range(200)) != struck(8, range(200))
    assert 40 < len(struck(7, range(200))) < 80


def test_the_same_draw_is_the_same_on_every_machine() -> None:
    """The figure itself is fixed: a recorded run can be repeated years later."""
    assert draw(7, "reject", 1) == 0.06936254276779792


def test_one_fault_more_does_not_change_whom_another_strikes() -> None:
    """Draws of two names share nothing."""
    alone = FaultPlan(7, 0, (fault("reject", probability=0.3),))
    both = FaultPlan(7, 0, (fault("delay", probability=0.5), fault("reject", probability=0.3)))
    for number in range(1, 200):
        assert ("reject" in alone.for_order(number, 0)) is ("reject" in both.for_order(number, 0))


def test_scripted_ordinals_strike_exactly_these_orders() -> None:
    """Orders 2 and 3 of four are rejected."""
    sim = venue(faults=(fault("reject", ordinals=[2, 3]),))
    kinds = [reports(sim.on_order(MS, order(f"C{n}", "1", 1, 99)))[0].exec_type for n in range(4)]
    assert kinds == ["0", "8", "8", "0"]
    assert sim.summary()["faults"] == {"reject": 2}


def test_a_window_of_time_strikes_what_arrives_within_it() -> None:
    """From 1 s for 1 s: the orders at 0.5 and 2 s pass, that at 1 s does not."""
    sim = venue(faults=(fault("reject", at_ns=SECOND, for_ns=SECOND),))
    times = (SECOND // 2, SECOND, 2 * SECOND)
    kinds = [reports(sim.on_order(at, order(f"C{at}", "1", 1, 99)))[0].exec_type for at in times]
    assert kinds == ["0", "8", "0"]


def test_partial_fills_only_a_fraction_at_once() -> None:
    """Half of 4 lots fills, the rest of an IOC order is cancelled although it was on offer."""
    sim = venue(faults=(fault("partial"),))
    assert told(sim.on_order(MS, order("C1", "1", 4, 101, time_in_force="3"))) == [
        ("0", "0", None, 0, 4),
        ("F", "1", (2, 101), 2, 2),
        ("4", "4", None, 2, 0),
    ]


def test_a_late_fill_is_overtaken_by_the_end_of_its_order() -> None:
    """The cancel of the rest already counts the fill, whose own report leaves 500 ms later; the truth has it in time."""
    sim = venue(faults=(fault("late_fill"),))
    first = sim.on_order(MS, order("C1", "1", 6, 101, time_in_force="3"))
    assert told(first) == [("0", "0", None, 0, 6), ("4", "4", None, 4, 0)]
    assert told(sim.advance(501 * MS - 1)) == []
    assert told(sim.advance(501 * MS)) == [("F", "1", (4, 101), 4, 2)]
    assert [item.at_ns for item in sim.drain_truth() if isinstance(item, FillTruth)] == [MS]


def test_a_fill_may_leave_before_its_acknowledgement() -> None:
    """The same two reports, the other way round."""
    sim = venue(faults=(fault("fill_before_ack"),))
    assert told(sim.on_order(MS, order("C1", "1", 4, 101))) == [("F", "2", (4, 101), 4, 0), ("0", "0", None, 0, 4)]


def test_delay_holds_all_reports_of_the_order_and_of_no_other() -> None:
    """Order 1 is answered 200 ms late, order 2 at once."""
    sim = venue(faults=(fault("delay", ordinals=[1]),))
    assert told(sim.on_order(MS, order("C1", "1", 4, 101))) == []
    assert [item.cl_ord_id for item in reports(sim.on_order(2 * MS, order("C2", "1", 1, 99)))] == ["C2"]
    late = reports(sim.advance(201 * MS))
    assert [(item.cl_ord_id, item.exec_type) for item in late] == [("C1", "0"), ("C1", "F")]


def test_out_of_order_swaps_what_follows_the_acknowledgement() -> None:
    """The cancel of the rest comes before the fill."""
    sim = venue(faults=(fault("out_of_order"),))
    kinds = [item.exec_type for item in reports(sim.on_order(MS, order("C1", "1", 6, 101, time_in_force="3")))]
    assert kinds == ["0", "4", "F"]


def test_a_duplicate_report_has_the_same_exec_id() -> None:
    """Every report twice, one fill in the truth."""
    sim = venue(faults=(fault("duplicate"),))
    ids = [item.exec_id for item in reports(sim.on_order(MS, order("C1", "1", 4, 101)))]
    assert ids == ["E00000001", "E00000001", "T00000001", "T00000001"]
    assert len([item for item in sim.drain_truth() if isinstance(item, FillTruth)]) == 1


def test_silence_answers_nothing_but_works_the_order() -> None:
    """No report leaves; the order fills all the same, and a status request tells."""
    sim = venue(faults=(fault("silence"),))
    assert told(sim.on_order(MS, order("C1", "1", 4, 101))) == []
    assert told(sim.on_status(2 * MS, "C1", SYMBOL, "1")) == [("I", "2", None, 4, 0)]


def test_a_lost_order_is_unknown_to_the_venue() -> None:
    """Silence with lost = true: the order never arrived."""
    sim = venue(faults=(fault("silence", params={"lost": True}),))
    assert told(sim.on_order(MS, order("C1", "1", 4, 101))) == []
    assert told(sim.on_status(2 * MS, "C1", SYMBOL, "1")) == [("I", "8", None, 0, 0)]
    assert sim.book(SYMBOL)[1] == ASKS


def test_cancel_reject_refuses_the_cancel_and_leaves_the_order_open() -> None:
    """Reason and text as given; the order works on."""
    sim = venue(faults=(fault("cancel_reject", params={"reason": "0", "text": "too late"}),))
    sim.on_order(MS, order("C1", "1", 2, 99))
    answer = sim.on_cancel(2 * MS, CancelOrder("C2", "C1"))[-1]
    assert isinstance(answer, CancelReject)
    assert (answer.reason, answer.text, sim.orders()[0].open) == ("0", "too late", True)


def test_a_bust_takes_a_fill_back_from_order_and_position() -> None:
    """After 1 s the 4 lots never were: 150=H names the fill, the filled order ends as cancelled."""
    sim = venue(faults=(fault("bust"),))
    sim.on_order(MS, order("C1", "1", 4, 101))
    (bust,) = reports(sim.advance(1001 * MS))
    assert (bust.exec_type, bust.exec_ref_id, bust.ord_status, bust.cum_qty) == ("H", "T00000001", "4", 0)
    assert sim.position(SYMBOL).net == 0


def test_a_bust_of_yesterday_s_fill_moves_yesterday_s_lots() -> None:
    """A close-today that is taken back after the day has changed leaves lots of an earlier day, not of today."""
    sim = venue(faults=(fault("bust", ordinals=[2]),), listing={"open_close": "open_close_today"})
    sim.on_order(MS, order("C1", "1", 4, 101, position_effect="O"))
    sim.on_order(2 * MS, order("C2", "2", 3, 99, position_effect="T"))
    position = sim.position(SYMBOL)
    assert position.lots["long_today"] == 1
    sim.next_day(SYMBOL, "20260616")
    sim.advance(1003 * MS)
    assert position.lots == {"long_today": 0, "long_yesterday": 4, "short_today": 0, "short_yesterday": 0}


def test_a_bust_gives_a_working_order_its_lots_back() -> None:
    """4 of 6 filled and busted: the order works with 6 again."""
    sim = venue(faults=(fault("bust"),))
    sim.on_order(MS, order("C1", "1", 6, 101))
    assert told(sim.advance(1001 * MS)) == [("H", "0", (4, 101), 0, 6)]


def test_a_correction_makes_the_price_worse_even_off_tick() -> None:
    """Half a tick more for the buyer; quantity and position stay."""
    sim = venue(faults=(fault("correct", params={"ticks": 0.5}),))
    sim.on_order(MS, order("C1", "1", 4, 101))
    (correction,) = reports(sim.advance(1001 * MS))
    assert (correction.exec_type, str(correction.last_px), correction.exec_ref_id) == ("G", "1015.0", "T00000001")
    assert (str(correction.avg_px), sim.position(SYMBOL).net) == ("1015", 4)


def test_a_halt_refuses_orders_and_ends_by_itself() -> None:
    """From 10 ms for 20 ms: 326=2, a reject, 326=3, an acceptance."""
    sim = venue(faults=(fault("halt", at_ns=10 * MS, for_ns=20 * MS),))
    states = [item for item in sim.advance(10 * MS) if isinstance(item, MdStatus)]
    assert [item.status for item in states] == ["2"]
    assert reports(sim.on_order(15 * MS, order("C1", "1", 1, 99)))[0].text == "trading halted"
    states = [item for item in sim.advance(30 * MS) if isinstance(item, MdStatus)]
    assert [item.status for item in states] == ["3"]
    assert reports(sim.on_order(31 * MS, order("C2", "1", 1, 99)))[0].exec_type == "0"


def test_a_limit_locked_book_has_one_side_at_the_limit() -> None:
    """Locked up: 1000 bid at the upper limit and nothing offered; afterwards the tape's book is back."""
    sim = venue(low=90, high=110, faults=(fault("limit_locked", at_ns=10 * MS, for_ns=20 * MS),))
    sim.advance(10 * MS)
    assert sim.book(SYMBOL) == (((110, 1000),), ())
    assert told(sim.on_order(12 * MS, order("C1", "1", 1, 110, time_in_force="3")))[-1] == ("4", "4", None, 0, 0)
    sim.advance(30 * MS)
    assert sim.book(SYMBOL) == (BIDS, ASKS)


def test_a_dropped_connection_comes_before_the_reports_of_its_order() -> None:
    """The order is processed; unless `processed` is false, then it never arrived."""
    sim = venue(faults=(fault("drop_connection"),))
    events = sim.on_order(MS, order("C1", "1", 4, 101))
    assert isinstance(events[0], MdIncrement)
    assert events[1] == Drop(MS, "orders", MS)
    assert told(events)[-1] == ("F", "2", (4, 101), 4, 0)
    sim = venue(faults=(fault("drop_connection", params={"processed": False}),))
    assert told(sim.on_order(MS, order("C1", "1", 4, 101))) == []
    assert sim.orders() == ()


def test_a_drop_at_a_time_names_how_long_logons_are_refused() -> None:
    """At 10 ms, both sessions, for 30 ms."""
    sim = venue(faults=(fault("drop_connection", at_ns=10 * MS, for_ns=30 * MS),))
    assert [event for event in sim.advance(10 * MS) if isinstance(event, Drop)] == [Drop(10 * MS, "both", 40 * MS)]


@pytest.mark.parametrize(("level", "lost"), [("rpt_seq", []), ("msg_seq_num", [2])])
def test_a_gap_takes_the_number_of_a_message_that_does_not_come(level: str, lost: list[int]) -> None:
    """RptSeq 2 is missing, or marked as lost for a gap that the session sees."""
    events = [book(at, bids=((99, 5 + at),)) for at in range(4)]
    sim = venue(events, faults=(fault("gap", ordinals=[2], params={"level": level}),))
    out = [item for item in sim.advance(10 * MS) if isinstance(item, MdIncrement)]
    assert [item.rpt_seq for item in out if not item.lost] == [1, 3, 4]
    assert [item.rpt_seq for item in out if item.lost] == lost


@pytest.mark.parametrize(("name", "numbers"), [("duplicate", [1, 2, 2, 3, 4]), ("out_of_order", [1, 3, 2, 4])])
def test_market_data_may_come_twice_or_swapped(name: str, numbers: list[int]) -> None:
    """The second message of the instrument is doubled, or changes places with the third."""
    events = [book(at, bids=((99, 5 + at),)) for at in range(4)]
    sim = venue(events, faults=(fault(name, ordinals=[2], params={"stream": "md"}),))
    out = [item for item in sim.advance(10 * MS) if isinstance(item, MdIncrement)]
    assert [item.rpt_seq for item in out] == numbers


def test_every_published_fault_is_known_to_the_plan() -> None:
    """All names can be planned and counted; none is silently ignored."""
    specs = tuple(replace(fault(name), ordinals=frozenset({1})) for name in FAULT_NAMES)
    plan = FaultPlan(1, 0, specs)
    struck_names = set(plan.for_order(1, 0)) | set(plan.for_market_data(SYMBOL, 1, 0))
    assert struck_names == set(FAULT_NAMES)


def test_a_snapshot_feed_loses_a_snapshot_the_same_way() -> None:
    """Every 500 ms one snapshot; the second is missing, its number, too."""
    sim = venue([book(0), book(1600)], incremental=False, faults=(fault("gap", ordinals=[2]),))
    out = [item for item in sim.advance(1600 * MS) if isinstance(item, MdSnapshot)]
    assert [(item.at_ns // MS, item.rpt_seq) for item in out] == [(0, 1), (1000, 3), (1500, 4)]


def test_the_truth_tells_a_reject_by_fault_like_any_other() -> None:
    """One line: event reject, status 8, the text of the fault."""
    sim = venue(faults=(fault("reject", params={"text": "no"}),))
    sim.on_order(MS, order("C1", "1", 1, 99))
    lines = [item for item in sim.drain_truth() if isinstance(item, OrderTruth)]
    assert [(item.event, item.status, item.text) for item in lines] == [("reject", "8", "no")]


def test_a_delay_counts_from_the_event_however_seldom_the_venue_is_advanced() -> None:
    """A fill at 10 ms, 500 ms late, is there at 510 ms even when the venue was last asked at 1 ms."""
    sim = venue([book(0), trade(10, 98, 2, "2")], faults=(fault("late_fill"),))
    sim.on_order(MS, order("C1", "1", 2, 99))
    assert told(sim.advance(509 * MS)) == []
    assert told(sim.advance(510 * MS)) == [("F", "2", (2, 99), 2, 0)]
    sim = venue([book(0), trade(10, 98, 2, "2")], faults=(fault("late_fill"),))
    sim.on_order(MS, order("C1", "1", 2, 99))
    assert told(sim.advance(510 * MS)) == [("F", "2", (2, 99), 2, 0)]
