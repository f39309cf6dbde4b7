"""Reconciliation finds every single difference between journal and venue, and none where there is none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_run import CU, FakeRun, opened, plausible

from gateway.journal.fold import RunStory, fold
from gateway.journal.reader import RunNotFoundError
from gateway.journal.reconcile import Difference, Reconciliation, compare, reconcile
from gateway.journal.site_facts import SiteFacts, SiteFactsError
from gateway.journal.truth import TruthError
from gateway.model.order import ExecType, OrdStatus
from gateway.model.record import Decision
from gateway.model.trade import Announce, Command, PositionChanged, TimerFired, Verb

Rows = list[dict[str, Any]]


def reconciled(run: FakeRun, run_dir: Path) -> Reconciliation:
    """Write a run and reconcile it."""
    return reconcile(run.write(run_dir, recorder=False))


def one_trade() -> FakeRun:
    """Give a run of one hedged trade: SHFE P1-000001 fill E00001, LME P1-000002 fill E00002."""
    run = FakeRun(5)
    run.trade("hedged")
    return run


def test_untouched_run_is_equal(tmp_path: Path) -> None:
    """A run with every kind of trade has no difference and nothing left out."""
    run = plausible(60)
    result = reconciled(run, tmp_path)
    assert result.equal
    assert (result.differences, result.not_compared) == ([], [])
    assert result.orders == len({row["cl_ord_id"] for row in run.orders})
    assert result.fills == len(run.fills)


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("symbol", "cu2610", "Symbol(55)"),
        ("side", "?", "Side(54)"),
        ("order_qty", 4, "OrderQty(38)"),
        ("px", "1", "Price(44)"),
        ("px", "", "Price(44)"),
        ("ord_type", "1", "OrdType(40)"),
        ("time_in_force", "0", "TimeInForce(59)"),
        ("position_effect", "C", "PositionEffect(77)"),
        ("account", "A2", "Account(1)"),
        ("cum_qty", 4, "CumQty(14)"),
    ],
)
def test_every_other_field_of_an_order_is_found(tmp_path: Path, key: str, value: object, field: str) -> None:
    """One other field in the venue's record of one order is one difference that names it and both values."""
    run = one_trade()
    for row in run.orders:
        if row["cl_ord_id"] == "P1-000001":
            row[key] = value
    differences = reconciled(run, tmp_path).differences
    assert [(one.venue, one.subject, one.field) for one in differences] == [("SHFE", "P1-000001", field)]
    assert differences[0].journal != differences[0].venue_says


Change = Callable[[FakeRun], None]


def _drop_fill(run: FakeRun) -> None:
    del run.fills[0]


def _double_fill(run: FakeRun) -> None:
    run.fills.append(dict(run.fills[0]))


def _other_px(run: FakeRun) -> None:
    run.fills[0]["last_px"] = "1"


def _bust_at_venue(run: FakeRun) -> None:
    run.fills.append(run.fills[0] | {"kind": "bust", "exec_id": "E9", "exec_ref_id": "E00001"})


def _correct_at_venue(run: FakeRun) -> None:
    run.fills.append(run.fills[0] | {"kind": "correct", "exec_id": "E9", "exec_ref_id": "E00001", "last_px": "1"})


def _foreign_order(run: FakeRun) -> None:
    run.orders.append(run.orders[0] | {"cl_ord_id": "X-1", "cum_qty": 0})


def _lost_order(run: FakeRun) -> None:
    run.orders[:] = [row for row in run.orders if row["cl_ord_id"] != "P1-000001"]


def _rejected_at_venue(run: FakeRun) -> None:
    run.orders[:] = [row for row in run.orders if row["cl_ord_id"] != "P1-000001" or row["event"] == "trade"]
    run.orders[0]["event"] = "reject"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_drop_fill, [("E00001", "fill of P1-000001"), ("cu2609", "position by fills")]),
        (_double_fill, [("E00001", "fill of P1-000001")]),
        (_other_px, [("E00001", "LastPx(31) of P1-000001")]),
        (_bust_at_venue, [("E00001", "LastQty(32) of P1-000001"), ("cu2609", "position by fills")]),
        (_correct_at_venue, [("E00001", "LastPx(31) of P1-000001")]),
        (_foreign_order, [("X-1", "order")]),
        (_lost_order, [("P1-000001", "order")]),
        (_rejected_at_venue, [("P1-000001", "accepted")]),
    ],
)
def test_every_change_of_the_venues_record_is_found(
    tmp_path: Path, change: Change, expected: list[tuple[str, str]]
) -> None:
    """Missing, doubled, changed, busted, foreign, lost: exactly these differences, and no other."""
    run = one_trade()
    change(run)
    assert [(one.subject, one.field) for one in reconciled(run, tmp_path).differences] == expected


def test_other_quantity_of_a_fill_is_found_in_fill_and_position(tmp_path: Path) -> None:
    """LastQty(32) that differs shows both values."""
    run = one_trade()
    run.fills[0]["last_qty"] = 4
    differences = reconciled(run, tmp_path).differences
    assert differences[0] == Difference("SHFE", "E00001", "LastQty(32) of P1-000001", "5", "4")
    assert [one.field for one in differences] == ["LastQty(32) of P1-000001", "position by fills"]


def test_fill_missing_in_the_journal_is_found_everywhere(tmp_path: Path) -> None:
    """A fill that the journal lost shows as fill, CumQty(14), position and in what execution announced."""
    run = one_trade()
    at = next(index for index, one in enumerate(run.records) if _event_type(one) is ExecType.TRADE)
    del run.records[at]
    fields = {one.field for one in reconciled(run, tmp_path).differences}
    assert {"CumQty(14)", "fill of P1-000001", "position by fills", "filled_lots announced"} <= fields


def test_fill_that_came_twice_under_two_keys_is_found(tmp_path: Path) -> None:
    """A dialect whose key does not hold lets a fill count twice: told with the number of times."""
    run = one_trade()
    fill = next(one for one in run.records if _event_type(one) is ExecType.TRADE)
    assert isinstance(fill, Decision)
    values = [getattr(fill.event, name) for name in fill.event.__struct_fields__]
    values[fill.event.__struct_fields__.index("exec_key")] = "another"
    run.records.append(Decision(99, run.at_ns, type(fill.event)(*values), ()))
    differences = reconciled(run, tmp_path).differences
    assert Difference("SHFE", "E00001", "fill of P1-000001", "counted 2 times", "once") in differences


def _event_type(record: object) -> ExecType | None:
    return getattr(record.event, "exec_type", None) if isinstance(record, Decision) else None


def test_bust_on_both_sides_is_equal_but_for_what_execution_still_announces(tmp_path: Path) -> None:
    """A bust that both sides hold leaves fills and positions equal; an announcement that ignores it is found."""
    run = one_trade()
    story = fold([opened(), *run.records])
    order = story.orders["P1-000001"].order
    bust = run.report(order, ExecType.TRADE_CANCEL, OrdStatus.NEW, qty=5, ref="E00001", exec_id="E9")
    run.records.append(Decision(99, run.at_ns, bust, ()))
    _bust_at_venue(run)
    run.orders.append(run.orders[1] | {"event": "bust", "cum_qty": 0})
    fields = [one.field for one in reconciled(run, tmp_path).differences]
    assert fields == ["net_lots announced", "filled_lots announced"]


def test_fill_known_by_a_status_answer_alone_is_no_difference(tmp_path: Path) -> None:
    """Lots that came by status instead of a fill report explain the venue's fill."""
    run = one_trade()
    at = next(index for index, one in enumerate(run.records) if _event_type(one) is ExecType.TRADE)
    lost = run.records[at]
    assert isinstance(lost, Decision)
    order = fold([opened(), *run.records]).orders["P1-000001"].order
    status = run.report(order, ExecType.ORDER_STATUS, OrdStatus.FILLED, cum=5)
    run.records[at] = Decision(lost.seq, lost.at_ns, status, lost.actions)
    assert reconciled(run, tmp_path).equal


def test_order_that_died_with_its_process_may_be_absent(tmp_path: Path) -> None:
    """An order decided whose sending is not on record may be at the venue or not; one told as sent must be."""
    run = one_trade()
    run.orders.clear()
    run.fills.clear()
    run.records = run.records[:1]
    assert reconciled(run, tmp_path).differences == []


def test_venue_without_truth_is_told_and_not_equal(tmp_path: Path) -> None:
    """What cannot be compared is listed, and the whole is not called equal."""
    run_dir = one_trade().write(tmp_path)
    for name in ("orders", "fills"):
        (run_dir / "truth" / "LME" / f"{name}.jsonl").unlink()
    result = reconcile(run_dir)
    assert not result.equal
    assert result.not_compared == ["LME: its simulator left no truth/LME/orders.jsonl"]


def test_price_is_compared_without_a_site_file_by_the_tick_that_fills_show(tmp_path: Path) -> None:
    """Without site.toml ticks are those of the fills; an instrument without any is told as not compared."""
    run = FakeRun(5)
    run.trade("hedged")
    assert reconcile(run.write(tmp_path / "a", site=False)).equal
    missed = FakeRun(5)
    missed.trade("missed")
    result = reconcile(missed.write(tmp_path / "b", site=False))
    assert [text.split(":")[0] for text in result.not_compared] == ["LME", "SHFE"]


def test_half_a_line_at_the_end_of_the_truth_is_left_out(tmp_path: Path) -> None:
    """A killed simulator's last half line is no error; a broken line before it is one that names file and line."""
    run_dir = one_trade().write(tmp_path)
    path = run_dir / "truth" / "SHFE" / "orders.jsonl"
    whole = path.read_text()
    path.write_text(whole + '{"at_ns": 1, "ven')
    assert reconcile(run_dir).equal
    path.write_text("{broken\n" + whole)
    with pytest.raises(TruthError, match=r"SHFE/orders\.jsonl: line 1: "):
        reconcile(run_dir)
    path.write_text('{"cl_ord_id": "x"}\n')
    with pytest.raises(TruthError, match=r"line 1: has no 'event'"):
        reconcile(run_dir)


def test_directory_that_is_no_run_is_refused(tmp_path: Path) -> None:
    """An empty directory and an absent one are errors that say what should be there."""
    with pytest.raises(RunNotFoundError, match=r"holds no journal/execution\.\*\.journal"):
        reconcile(tmp_path)
    with pytest.raises(RunNotFoundError, match="no such directory"):
        reconcile(tmp_path / "x")


def test_bad_site_file_is_named(tmp_path: Path) -> None:
    """A number that is none is told with file, row and key."""
    run_dir = one_trade().write(tmp_path)
    (run_dir / "site.toml").write_text('[[instrument]]\nid = "A.b"\ntick = "ten"\n')
    with pytest.raises(SiteFactsError, match=r"site\.toml: A\.b: tick = 'ten' is no number"):
        reconcile(run_dir)


def test_run_without_orders_and_truth_is_not_called_equal() -> None:
    """Nothing compared is not equal."""
    assert not compare(RunStory(), {}, SiteFacts()).equal


def test_refused_duplicate_at_the_venue_does_not_replace_the_order(tmp_path: Path) -> None:
    """A second order with a used ClOrdID(11) is rejected by the venue; the first one's record stands."""
    run = one_trade()
    run.orders.append(run.orders[0] | {"event": "reject", "status": "8", "cum_qty": 0, "order_qty": 99})
    assert reconciled(run, tmp_path).equal


def test_trade_with_a_fill_booked_by_hand_is_noted(tmp_path: Path) -> None:
    """A person's booking is told, and what execution announces of that trade is not held against the journal."""
    run = one_trade()
    argument = "P1-00001 1 buy 5 70000 H1"
    run.records.append(Decision(98, run.at_ns, Command("C1", Verb.FILL_ADD, "ann", "phone", argument), ()))
    run.records.append(Decision(99, run.at_ns, TimerFired("x"), (Announce(PositionChanged(CU, 77, 0, 0, 0, 0)),)))
    result = reconciled(run, tmp_path)
    assert result.equal
    assert result.notes == [f"booked by hand, announced lots not compared: {argument}"]
