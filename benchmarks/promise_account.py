"""What a contender's day came to, counted the same way for all of them, from the fills that the venues recorded.

    caught     opportunities on which a pair trade was opened that ended hedged within the slippage budget
    at price   those of them whose fills, all legs together, still meet the rule's threshold; no aim is set on it
    slippage   money lost against the prices that the decision saw, per hedged unit; positive is a loss
    failure    share of pair trades that did not end hedged within the budgets of slippage and of legged time
    actions    of people: orders entered; of programs: as `[operator]` of promise.toml
    missed     opportunities that were not caught, by what became of them (promise_missed.py)
    legged     time from the first fill to the last during which the filled lots were not in the pair's ratio

Legged time is the truth at the venues, not what a contender knew of it: docs/PROMISE.md says why.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.promise_desks import Desk, Opened
from benchmarks.promise_gateway import Gateway
from benchmarks.promise_market import Day
from benchmarks.promise_missed import Missed, Record, missed
from benchmarks.promise_slice import FIRST, PRICE_E9, SECOND_LEG, leg_sign
from benchmarks.promise_world import Fill, Opportunity, World


class Outcome(NamedTuple):
    """One pair trade."""

    trade: str
    units: int
    """Hedged; 0: missed, taken back, or left open."""
    balanced: bool
    slippage_e9: int
    legged_ns: int
    complete: bool
    caught: bool
    at_price: bool


class Figures(NamedTuple):
    """One contender's day."""

    opportunities: int
    caught: int
    at_price: int
    dispatched: int
    hedged: int
    failures: int
    slippage_e9: int
    legged_ns: int
    over_limit: int
    left_open: int
    actions: int
    orders: int
    missed: Missed


def judge(day: Day, contender: Desk | Gateway, world: World, opportunities: Sequence[Opportunity]) -> Figures:
    """Count a day that has been run."""
    by_trade: dict[str, list[Fill]] = defaultdict(list)
    for fill in world.fills:
        by_trade[fill.trade].append(fill)
    outcomes = [outcome(day, one, by_trade[one.trade]) for one in contender.opened]
    over_limit = sum(one.legged_ns > day.pair.legged_limit_ns for one in outcomes)
    places = _places(opportunities, contender.opened)
    caught = _those(places, [one.caught for one in outcomes])
    held = [
        (by_trade[one.trade][-1].at_ns, opened.seen.side * one.units)
        for opened, one in zip(contender.opened, outcomes, strict=True)
        if one.units
    ]
    unpriced = contender.unpriced if isinstance(contender, Gateway) else {}
    tried = _those(places, [True] * len(outcomes))
    late_ns = contender.late_ns if isinstance(contender, Desk) else 0
    met, most = contender.once.met, day.rule.max_units
    record = Record(caught, tried, sorted(held), most, met, late_ns, unpriced, contender.spells)
    return Figures(
        opportunities=len(opportunities),
        caught=len(caught),
        at_price=len(_those(places, [one.at_price for one in outcomes])),
        dispatched=len(outcomes),
        hedged=sum(one.units for one in outcomes),
        failures=sum(not one.complete for one in outcomes),
        slippage_e9=sum(one.slippage_e9 for one in outcomes),
        legged_ns=sum(one.legged_ns for one in outcomes),
        over_limit=over_limit,
        left_open=sum(not one.balanced for one in outcomes),
        actions=_actions(day, contender, world, over_limit),
        orders=world.orders_sent,
        missed=missed(opportunities, record),
    )


def outcome(day: Day, opened: Opened, fills: Iterable[Fill]) -> Outcome:
    """What became of one pair trade."""
    seen, lots = opened.seen, [0, 0]
    slippage_e9 = legged_ns = since_ns = 0
    ordered = sorted(fills)
    for fill in ordered:
        if _unbalanced(day, lots):
            legged_ns += fill.at_ns - since_ns
        lots[fill.leg] += fill.sign * fill.lots * leg_sign(seen.side, fill.leg)
        since_ns = fill.at_ns
        slippage_e9 += _lost_e9(day, opened, fill)
    balanced = not _unbalanced(day, lots)
    if not balanced:
        legged_ns += day.tape.duration_ns - since_ns
    units = lots[FIRST] // day.slice.lots[FIRST] if balanced else 0
    within = slippage_e9 <= day.pair.slippage_budget_e9 * max(units, 1)
    caught = units > 0 and within
    complete = caught and legged_ns <= day.pair.legged_limit_ns
    at_price = caught and slippage_e9 <= day.slice.edge_e9(seen) * units
    return Outcome(opened.trade, units, balanced, slippage_e9, legged_ns, complete, caught, at_price)


def _unbalanced(day: Day, lots: Sequence[int]) -> bool:
    ratio = day.slice.lots
    return lots[FIRST] * ratio[SECOND_LEG] != lots[SECOND_LEG] * ratio[FIRST]


def _lost_e9(day: Day, opened: Opened, fill: Fill) -> int:
    seen = opened.seen
    beyond_e9 = fill.sign * (fill.px_ticks * PRICE_E9 - seen.vwap_e9[fill.leg])
    rate = seen.fx_ticks if fill.leg == SECOND_LEG else 1
    return beyond_e9 * fill.lots * day.slice.tick_money_e9[fill.leg] * rate // PRICE_E9


def _places(opportunities: Sequence[Opportunity], opened: Sequence[Opened]) -> list[int | None]:
    """The opportunity that each trade was opened on: the latest of its side that had begun, if one had."""
    by_side = {side: [at for at, one in enumerate(opportunities) if one.side == side] for side in (1, -1)}
    begins = {side: [opportunities[at].begin_ns for at in places] for side, places in by_side.items()}
    found = [(one.seen.side, bisect_right(begins[one.seen.side], one.at_ns) - 1) for one in opened]
    return [by_side[side][place] if place >= 0 else None for side, place in found]


def _those(places: Sequence[int | None], which: Sequence[bool]) -> frozenset[int]:
    """The opportunities of those trades."""
    return frozenset(place for place, one in zip(places, which, strict=True) if one and place is not None)


def _actions(day: Day, contender: Desk | Gateway, world: World, over_limit: int) -> int:
    if contender.name == "people":
        return world.orders_sent
    if contender.name == "oracle":
        return 0
    halted = len(contender.halted) if isinstance(contender, Gateway) else 0
    operator = day.parameters.tables["operator"]
    actions: int = operator["day_actions"] + operator["legged_actions"] * over_limit
    return actions + int(operator["halted_actions"]) * halted
