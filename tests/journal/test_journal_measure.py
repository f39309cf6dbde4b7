"""Figures of hand-made runs: exact, one definition each."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from fake_run import CA, CU, MS, START_NS, FakeRun, opened, plausible

from gateway.journal.fold import OrderStory, RunStory, fold
from gateway.journal.in_step import NOT_MEASURED, ClockPoint, measure_in_step, read_venue_clocks, true_ns
from gateway.journal.measure import (
    HOPS,
    alarms,
    first_shot,
    hops_ns,
    latencies,
    leg_skew_ns,
    order_counts,
    order_success,
    pair_completion,
    quote_to_order_ns,
    refusals,
    slippage,
    trade_counts,
)
from gateway.journal.verdict import judge
from gateway.model.order import ExecType, MessageRejected, OrdStatus
from gateway.model.record import Decision, JournalRecord
from gateway.model.trade import Intent, OrdersSent, SendOrders, TimerFired

E9 = 10**9


def run_of(*kinds: str) -> tuple[FakeRun, RunStory]:
    """Give a run of trades of these kinds and its story."""
    run = FakeRun(5)
    for kind in kinds:
        run.trade(kind)
    return run, fold([opened(), *run.records])


def story_of(run: FakeRun, records: Iterable[JournalRecord] | None = None) -> RunStory:
    """Give the story of changed records."""
    return fold([opened(), *(records if records is not None else run.records)])


def first_order(run: FakeRun) -> OrderStory:
    """Give the first order of a run."""
    return next(iter(story_of(run).orders.values()))


def test_trades_are_counted_by_what_became_of_them() -> None:
    """Each kind of trade is counted once; a refused intent opens none; the halted one is legged too."""
    _, story = run_of("hedged", "hedged", "late", "unwound", "missed", "rejected", "halted", "refused")
    assert trade_counts(story) == {
        "opened": 7, "hedged": 3, "unwound": 1, "missed": 2, "halted": 1, "unfinished": 0, "legged": 1,
    }  # fmt: skip


def test_trade_that_was_over_its_limit_is_legged_though_hedged_later() -> None:
    """One announcement of legged_over_limit counts for good."""
    run, _ = run_of("hedged")
    last = run.records[-1]
    assert isinstance(last, Decision)
    trade = next(iter(story_of(run).trades.values()))
    over = next(change.said for change in trade.changes)
    over_limit = type(over)(*[getattr(over, name) for name in over.__struct_fields__[:11]], True, 0, 0)
    trade.changes.insert(1, type(trade.changes[0])(START_NS, over_limit))
    assert (trade.outcome, trade.is_legged) == ("hedged", True)


def test_orders_are_counted_by_what_became_of_them() -> None:
    """Filled, partly filled, rejected and cancelled orders add up to those sent."""
    _, story = run_of("hedged", "late", "missed", "rejected")
    assert order_counts(story) == {
        "sent": 9, "filled": 4, "partly_filled": 1, "rejected": 1, "cancelled": 3, "open": 0, "not_sent": 0,
    }  # fmt: skip


def test_order_acceptance_counts_any_reject_as_a_failure() -> None:
    """8 of 9 orders were accepted; over pair trades 3 of 4 were clean, and the interval is over those."""
    _, story = run_of("hedged", "late", "missed", "rejected")
    figure = order_success(story)
    assert (figure["count"], figure["of"]) == (8, 9)
    assert figure["trades"] == {"count": 3, "of": 4, "share": 0.75}
    assert figure["lower_95"] == pytest.approx(0.194120, abs=1e-6)


def test_order_without_a_word_of_the_venue_is_not_accepted() -> None:
    """An order that was sent and never spoken of is a failure, and stands as open."""
    run, _ = run_of("hedged")
    records = [one for one in run.records if not _is_report_of(one, "P1-000002")]
    story = story_of(run, records)
    assert (order_success(story)["count"], order_success(story)["of"]) == (1, 2)
    assert story.orders["P1-000002"].outcome == "open"


def _is_report_of(record: JournalRecord, cl_ord_id: str) -> bool:
    return isinstance(record, Decision) and getattr(record.event, "cl_ord_id", "") == cl_ord_id


def test_message_refused_by_the_session_is_a_reject() -> None:
    """35=3 or 35=j that names the order makes it rejected."""
    run, _ = run_of("hedged")
    records = [one for one in run.records if not _is_report_of(one, "P1-000001")]
    refused = MessageRejected("SHFE", run.at_ns, 101, "D", "P1-000001", "1", "missing tag")
    story = story_of(run, [*records, Decision(99, run.at_ns, refused, ())])
    assert story.orders["P1-000001"].outcome == "rejected"


def test_order_that_was_not_handed_over_is_not_sent() -> None:
    """A failure told in OrdersSent takes the order out of those sent."""
    run, _ = run_of("missed")
    records: list[JournalRecord] = []
    for one in run.records[:2]:
        assert isinstance(one, Decision)
        if isinstance(one.event, OrdersSent):
            unsent = [type(sent)(sent.cl_ord_id, 0, 0, "session down") for sent in one.event.orders]
            records.append(Decision(one.seq, one.at_ns, OrdersSent(one.event.journalled_ns, tuple(unsent)), ()))
        else:
            records.append(one)
    counts = order_counts(story_of(run, records))
    assert (counts["sent"], counts["not_sent"]) == (0, 2)


def test_pair_completion_and_first_shot() -> None:
    """Completion counts trades hedged in time; first shot those that needed no second order."""
    _, story = run_of("hedged", "hedged", "late", "unwound", "missed", "halted", "refused")
    completion, shot = pair_completion(story, {}), first_shot(story)
    assert (completion["count"], completion["of"]) == (3, 6)
    assert (shot["count"], shot["of"]) == (2, 6)


@pytest.mark.parametrize(("budget_e9", "complete"), [(700 * E9, 1), (700 * E9 - 1, 0)])
def test_pair_completion_keeps_to_the_slippage_budget(budget_e9: int, complete: int) -> None:
    """A trade whose slippage is above the budget of its units is not complete; at the budget it is."""
    _, story = run_of("late")
    assert pair_completion(story, {"CU-CA": budget_e9})["count"] == complete


def test_latency_and_skew_are_read_off_the_records() -> None:
    """Gateway latency is last first-order sent minus quote received; skew is last minus first sent."""
    run, story = run_of("hedged")
    intent, sent = run.records[0], run.records[1]
    assert isinstance(intent, Decision)
    assert isinstance(sent, Decision)
    assert isinstance(intent.event, Intent)
    assert isinstance(sent.event, OrdersSent)
    first, last = (order.sent_ns for order in sent.event.orders)
    trade = story.trades["P1-00001"]
    assert quote_to_order_ns(trade) == last - intent.event.recv_ns
    assert leg_skew_ns(trade) == last - first
    hops = hops_ns(trade)
    assert tuple(hops) == HOPS
    assert sum(hops.values()) == last - intent.event.recv_ns
    assert hops["execution_to_journalled"] == sent.event.journalled_ns - intent.at_ns


def test_repair_orders_are_no_part_of_the_first_dispatch() -> None:
    """A repair order sent later changes neither latency nor skew."""
    _, story = run_of("late")
    trade = story.trades["P1-00001"]
    assert len(trade.orders) == 3
    assert [order.order.cl_ord_id for order in trade.first_orders] == ["P1-000001", "P1-000002"]
    latency = quote_to_order_ns(trade)
    assert latency is not None
    assert latency < 2 * MS


def test_trade_with_an_unsent_first_order_has_no_latency() -> None:
    """Where a first order's time is not on record nothing is guessed."""
    run, _ = run_of("hedged")
    story = story_of(run, run.records[:1])
    assert quote_to_order_ns(story.trades["P1-00001"]) is None
    assert leg_skew_ns(story.trades["P1-00001"]) is None
    assert latencies(story)["quote_to_order_ns"]["count"] == 0


def test_venue_answers_are_measured_by_venue() -> None:
    """Sent to acknowledged and sent to filled have one sample for each order that got there."""
    _, story = run_of("hedged", "missed")
    venues = latencies(story)["venues"]
    assert {name: figure["sent_to_acknowledged_ns"]["count"] for name, figure in venues.items()} == {
        "LME": 2,
        "SHFE": 2,
    }
    assert {name: figure["sent_to_filled_ns"]["count"] for name, figure in venues.items()} == {"LME": 1, "SHFE": 1}


def test_slippage_refusals_and_alarms() -> None:
    """Slippage is listed for trades with a fill; refusals and alarms are counted by name."""
    _, story = run_of("late", "missed", "refused", "halted")
    assert slippage(story) == [("P1-00001", "CU-CA", 700 * E9), ("P1-00004", "CU-CA", 900 * E9)]
    assert sum(refusals(story).values()) == 1
    assert alarms(story) == {"legged": 1, "halted": 1}


def test_fill_that_arrives_twice_counts_once() -> None:
    """The same exec_key a second time adds nothing."""
    run, _ = run_of("hedged")
    fill = next(one for one in run.records if _is_trade(one))
    twice = story_of(run, [*run.records, fill])
    assert [one.cum_lots for one in twice.orders.values()] == [5, 1]


def _is_trade(record: JournalRecord) -> bool:
    return isinstance(record, Decision) and getattr(record.event, "exec_type", None) is ExecType.TRADE


def test_bust_takes_a_fill_back_and_a_correction_replaces_it() -> None:
    """Net lots follow busts and corrections; what is busted is not inferred again from CumQty(14)."""
    run, _ = run_of("hedged")
    order = first_order(run).order
    bust = run.report(order, ExecType.TRADE_CANCEL, OrdStatus.NEW, qty=5, ref="E00001", exec_id="E9")
    busted = story_of(run, [*run.records, Decision(99, run.at_ns, bust, ())])
    assert busted.orders[order.cl_ord_id].cum_lots == 0
    correct = run.report(order, ExecType.TRADE_CORRECT, OrdStatus.FILLED, qty=4, px_ticks=1, ref="E00001", exec_id="E9")
    corrected = story_of(run, [*run.records, Decision(99, run.at_ns, correct, ())])
    assert corrected.orders[order.cl_ord_id].cum_lots == 4


def test_lots_told_by_a_status_answer_are_inferred() -> None:
    """A status answer with more filled than reports explain adds the rest, once; the real fill supersedes it."""
    run, _ = run_of("hedged")
    fill = next(one for one in run.records if _is_trade(one))
    without = [one for one in run.records if one is not fill]
    order = first_order(run).order
    status = run.report(order, ExecType.ORDER_STATUS, OrdStatus.FILLED, cum=5)
    answered = [*without, Decision(98, run.at_ns, status, ())]
    inferred = story_of(run, answered).orders[order.cl_ord_id]
    assert (inferred.cum_lots, inferred.inferred_lots) == (5, 5)
    late = story_of(run, [*answered, fill]).orders[order.cl_ord_id]
    assert (late.cum_lots, late.inferred_lots) == (5, 0)


def test_report_of_an_order_that_nobody_sent_is_listed() -> None:
    """A fill of an unknown ClOrdID(11) is not placed anywhere and is told."""
    run, _ = run_of("hedged")
    records = [one for one in run.records if not (isinstance(one, Decision) and _sends(one))]
    assert "SHFE reports ClOrdID(11) P1-000001, which no decision sent" in story_of(run, records).unplaced


def _sends(decision: Decision) -> bool:
    return any(isinstance(action, SendOrders) for action in decision.actions)


def test_in_step_is_not_measured_without_calibrated_time() -> None:
    """Quotes without calibrated_ns give words and a reason, not a figure."""
    _, story = run_of("hedged")
    assert measure_in_step(story.intents, {}) == (NOT_MEASURED, 0, "quotes carry no calibrated time")


def test_in_step_is_the_difference_of_the_legs_errors() -> None:
    """With calibrated times and the venues' true clocks the figure is the 99th percentile of the errors' distance."""
    run, _ = run_of("hedged")
    decision = run.records[0]
    assert isinstance(decision, Decision)
    intent = decision.event
    assert isinstance(intent, Intent)
    clocks = {venue: [ClockPoint(1000, 0), ClockPoint(2000, 1000)] for venue in ("SHFE", "LME")}
    legs = []
    for leg, calibrated in zip(intent.legs, (530, 480), strict=True):
        values = [getattr(leg, name) for name in leg.__struct_fields__]
        values[leg.__struct_fields__.index("venue_ns")] = 1500
        values[leg.__struct_fields__.index("calibrated_ns")] = calibrated
        legs.append(type(leg)(*values))
    values = [getattr(intent, name) for name in intent.__struct_fields__]
    values[intent.__struct_fields__.index("legs")] = tuple(legs)
    assert measure_in_step([Intent(*values)], clocks) == (50, 1, "")
    assert measure_in_step([Intent(*values)], {}) == (NOT_MEASURED, 0, "no venue recorded its true clock")
    assert [leg.instrument_id for leg in legs] == [CU, CA]


def test_venue_time_is_read_on_the_recorded_clock(tmp_path: Path) -> None:
    """A stamp between two recorded points is interpolated, one beyond them extrapolated."""
    folder = tmp_path / "truth" / "LME"
    folder.mkdir(parents=True)
    (folder / "clock.csv").write_text("monotonic_ns,venue_ns\n0,5000\n1000,6100\n")
    points = read_venue_clocks(tmp_path)["LME"]
    assert [true_ns(points, venue_ns) for venue_ns in (5000, 5550, 6100, 7200)] == [0, 500, 1000, 2000]


def test_verdicts() -> None:
    """A share below 98 % fails, a clean small sample is not enough, a slow percentile fails, differences fail."""
    base = {
        "quote_to_order_ns": {"p99": 49_999_999},
        "order_success": {"trades": {"count": 200, "of": 200}, "lower_95": 0.9817},
        "pair_completion": {"count": 200, "of": 200, "lower_95": 0.9817},
        "reconciled_with_venues": True,
        "differences": [],
        "quotes_in_step_ns_p99": NOT_MEASURED,
    }
    assert set(judge(base).values()) == {"pass", NOT_MEASURED}
    assert judge(base | {"quote_to_order_ns": {"p99": 50_000_000}})["overall"] == "fail"
    small = {"count": 100, "of": 100, "lower_95": 0.96}
    assert judge(base | {"pair_completion": small})["overall"] == "not enough trades (100 of 183)"
    poor = {"count": 97, "of": 100, "lower_95": 0.91}
    assert judge(base | {"pair_completion": poor})["pair_completion"] == "fail"
    assert judge(base | {"reconciled_with_venues": False})["overall"] == "not compared"
    assert judge(base | {"reconciled_with_venues": False, "differences": [1]})["overall"] == "fail"
    assert judge(base | {"quotes_in_step_ns_p99": 35_000_000})["quotes_in_step_ns_p99"] == "fail"
    assert judge(base | {"quotes_in_step_ns_p99": 34_999_999})["overall"] == "pass"


def test_plausible_run_has_every_kind() -> None:
    """The fake run that other tests use holds every outcome."""
    counts = trade_counts(fold(plausible(60).records))
    assert all(counts[name] for name in ("hedged", "unwound", "missed", "halted", "legged"))


def test_busted_fill_that_is_resent_stays_busted() -> None:
    """The original fill that arrives again after its bust does not count again."""
    run, _ = run_of("hedged")
    fill = next(one for one in run.records if _is_trade(one))
    order = first_order(run).order
    bust = run.report(order, ExecType.TRADE_CANCEL, OrdStatus.NEW, qty=5, ref="E00001", exec_id="E9")
    story = story_of(run, [*run.records, Decision(99, run.at_ns, bust, ()), fill])
    assert story.orders[order.cl_ord_id].cum_lots == 0


def test_leg_that_is_sent_later_by_plan_is_still_its_first_order() -> None:
    """Where the second leg leaves after the first, its first order counts as such; latency is not claimed."""
    run, _ = run_of("hedged")
    intent, sent = run.records[0], run.records[1]
    assert isinstance(intent, Decision)
    send = next(action for action in intent.actions if isinstance(action, SendOrders))
    now = Decision(intent.seq, intent.at_ns, intent.event, (SendOrders(send.trade_id, send.orders[:1]),))
    later = Decision(50, intent.at_ns + 1, TimerFired("x"), (SendOrders(send.trade_id, send.orders[1:]),))
    story = story_of(run, [now, later, sent, *run.records[2:]])
    assert first_shot(story)["count"] == 1
    assert quote_to_order_ns(story.trades["P1-00001"]) is None
