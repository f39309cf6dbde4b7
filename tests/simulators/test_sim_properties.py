"""Laws that hold for any tape and any orders: nothing is created, nothing is lost."""

from collections import Counter
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from sim_fakes import MS, SYMBOL, TICK, book, fault, order, reports, trade, venue

from simulators.core.tape import TapeBook, TapeEvent
from simulators.core.truth import FillTruth
from simulators.core.values import CancelOrder, ReplaceOrder, Report

LEVELS = st.dictionaries(st.integers(1, 4), st.integers(1, 9), max_size=4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("book"), st.integers(98, 102), LEVELS, LEVELS),
        st.tuples(st.just("trade"), st.integers(96, 104), st.integers(1, 12), st.sampled_from("12")),
        st.tuples(
            st.just("order"),
            st.sampled_from("12"),
            st.integers(1, 12),
            st.integers(95, 105),
            st.sampled_from("034"),
        ),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("replace"), st.integers(0, 20), st.integers(1, 12), st.integers(95, 105)),
    ),
    max_size=30,
)


def play(steps: list[tuple[object, ...]], **config: object) -> tuple[list[Report], object, list[TapeEvent]]:
    """Steps one millisecond apart: the tape's first, then ours at the same times."""
    tape: list[TapeEvent] = []
    for at_ms, step in enumerate(steps, 1):
        if step[0] == "book":
            mid, bids, asks = step[1], step[2], step[3]
            tape.append(
                book(
                    at_ms,
                    sorted(((mid - away, qty) for away, qty in bids.items()), reverse=True),  # type: ignore[attr-defined,operator]
                    sorted((mid + away, qty) for away, qty in asks.items()),  # type: ignore[attr-defined,operator]
                )
            )
        elif step[0] == "trade":
            tape.append(trade(at_ms, step[1], step[2], step[3]))  # type: ignore[arg-type]
    sim = venue(tape, **config)  # type: ignore[arg-type]
    told: list[Report] = []
    for at_ms, step in enumerate(steps, 1):
        name = f"C{at_ms}"
        if step[0] == "order":
            _, side, qty, px, tif = step
            told += reports(sim.on_order(at_ms * MS, order(name, side, qty, px, time_in_force=tif)))  # type: ignore[arg-type]
        elif step[0] == "cancel":
            told += reports(sim.on_cancel(at_ms * MS, CancelOrder(name, f"C{step[1]}")))
        elif step[0] == "replace":
            request = ReplaceOrder(name, f"C{step[1]}", Decimal(step[2]), TICK * step[3])  # type: ignore[arg-type,operator]
            told += reports(sim.on_replace(at_ms * MS, request))
    told += reports(sim.advance(10_000 * MS))
    return told, sim, tape


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_quantity_is_conserved_and_positions_are_the_sum_of_fills(steps: list[tuple[object, ...]]) -> None:
    """While an order works CumQty + LeavesQty = OrderQty; ended, nothing is left; the position is what was filled."""
    told, sim, _ = play(steps)
    filled: Counter[str] = Counter()
    net = 0
    for item in told:
        if item.exec_type == "F":
            filled[item.order_id] += item.last_qty
            net += item.last_qty if item.side == "1" else -item.last_qty
        assert item.cum_qty == filled[item.order_id]
        if item.ord_status in {"0", "1", "2"}:
            assert item.cum_qty + item.leaves_qty == item.order_qty
        else:
            assert item.leaves_qty == 0
    assert sim.position(SYMBOL).net == net  # type: ignore[attr-defined]


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_no_level_gives_more_than_was_shown_and_added(steps: list[tuple[object, ...]]) -> None:
    """At each price what orders took on arrival stays within the first quantity and all increases since."""
    told, _, tape = play([step for step in steps if step[0] != "replace"])
    shown: Counter[tuple[str, int]] = Counter()
    before: dict[tuple[str, int], int] = {}
    for event in tape:
        if isinstance(event, TapeBook):
            now = {("1", px): qty for px, qty in event.asks} | {("2", px): qty for px, qty in event.bids}
            for key, qty in now.items():
                shown[key] += max(0, qty - before.get(key, 0))
            before = now
    arrivals = {(item.order_id, item.at_ns) for item in told if item.exec_type == "0"}
    taken: Counter[tuple[str, int]] = Counter()
    for item in told:
        if item.exec_type == "F" and (item.order_id, item.at_ns) in arrivals and item.last_px is not None:
            taken[item.side, int(item.last_px / TICK)] += item.last_qty
    assert all(qty <= shown[key] for key, qty in taken.items())


@given(STEPS, st.integers(0, 5))
@settings(max_examples=80, deadline=None)
def test_faults_lose_no_fill_and_make_none(steps: list[tuple[object, ...]], seed: int) -> None:
    """With doubled, late, swapped and delayed reports, the distinct fills told are those of the truth."""
    faults = tuple(fault(name, probability=0.4) for name in ("duplicate", "late_fill", "out_of_order", "delay"))
    told, sim, _ = play(steps, faults=faults, seed=seed)
    truth = [item for item in sim.drain_truth() if isinstance(item, FillTruth)]  # type: ignore[attr-defined]
    on_record = sorted((item.exec_id, item.last_qty, Decimal(item.last_px)) for item in truth)
    distinct = {(item.exec_id, item.last_qty, item.last_px) for item in told if item.exec_type == "F"}
    assert sorted(distinct, key=lambda item: item[0]) == on_record


@given(STEPS, st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_the_same_seed_gives_the_same_world(steps: list[tuple[object, ...]], seed: int) -> None:
    """Two runs with faults tell the same reports, at the same times."""
    faults = (fault("reject", probability=0.3), fault("partial", probability=0.3), fault("bust", probability=0.3))
    assert play(steps, faults=faults, seed=seed)[0] == play(steps, faults=faults, seed=seed)[0]
