"""The figures of a run, each defined once. Pure; reads a RunStory, decides nothing.

`gateway/journal/report_words.toml` says in words what each figure is. A figure whose times the journal does not hold is
left out of its sample, never guessed; the count beside it says how many there were.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from gateway.journal.fold import OrderStory, RunStory, TradeStory
from gateway.journal.statistics import distribution, lower_bound
from gateway.model.trade import Intent, RefusalName

Figures = dict[str, Any]

_NOT_ASKED = (RefusalName.DISARMED, RefusalName.STOPPING, RefusalName.STAGE)
"""Refusals of intents while nobody wanted a trade."""

TRADE_OUTCOMES = ("hedged", "unwound", "missed", "halted", "unfinished")
ORDER_OUTCOMES = ("filled", "partly_filled", "rejected", "cancelled", "open", "not_sent")

HOPS = (
    "received_to_published",
    "published_to_taken",
    "taken_to_evaluated",
    "evaluated_to_decided",
    "decided_to_execution",
    "execution_to_journalled",
    "journalled_to_first_sent",
    "first_sent_to_last_sent",
)


def trade_counts(run: RunStory) -> dict[str, int]:
    """Count pair trades by what became of them; `legged` overlaps with the others."""
    outcomes = Counter(trade.outcome for trade in run.trades.values())
    legged = sum(trade.is_legged for trade in run.trades.values())
    return {"opened": len(run.trades), **{name: outcomes[name] for name in TRADE_OUTCOMES}, "legged": legged}


def order_counts(run: RunStory) -> dict[str, int]:
    """Count orders by what became of them; `sent` is the sum of all but `not_sent`."""
    outcomes = Counter(story.outcome for story in run.orders.values())
    sent = sum(story.was_sent for story in run.orders.values())
    return {"sent": sent, **{name: outcomes[name] for name in ORDER_OUTCOMES}}


def order_success(run: RunStory) -> Figures:
    """Give the share over orders, and the interval over pair trades."""
    sent = [story for story in run.orders.values() if story.was_sent]
    accepted = sum(_is_accepted(story) for story in sent)
    tried = [trade for trade in run.trades.values() if any(story.was_sent for story in trade.orders)]
    clean = sum(all(_is_accepted(story) for story in trade.orders if story.was_sent) for trade in tried)
    return {**_share(accepted, len(sent)), "trades": _share(clean, len(tried)), "lower_95": _bound(clean, len(tried))}


def pair_completion(run: RunStory, budgets_e9: Mapping[str, int]) -> Figures:
    """Give the share and its interval. `budgets_e9` is the slippage budget of one unit by pair; none: not checked."""
    dispatched = _dispatched(run)
    complete = sum(_is_complete(trade, budgets_e9) for trade in dispatched)
    return {**_share(complete, len(dispatched)), "lower_95": _bound(complete, len(dispatched))}


def first_shot(run: RunStory) -> Figures:
    """Give the share and its interval."""
    dispatched = _dispatched(run)
    shots = sum(_is_first_shot(trade) for trade in dispatched)
    return {**_share(shots, len(dispatched)), "lower_95": _bound(shots, len(dispatched))}


def quote_to_order_ns(trade: TradeStory) -> int | None:
    """Gateway latency of one pair trade; None unless every first order was written."""
    sent = _first_sent(trade)
    return max(sent) - trade.intent.recv_ns if sent and trade.intent else None


def leg_skew_ns(trade: TradeStory) -> int | None:
    """Time between the first and the last of a trade's first orders; None unless all were written."""
    sent = _first_sent(trade)
    return max(sent) - min(sent) if len(sent) > 1 else None


def hops_ns(trade: TradeStory) -> dict[str, int]:
    """Time of each hop of one pair trade; empty unless every first order was written."""
    intent, sent = trade.intent, _first_sent(trade)
    if intent is None or not sent:
        return {}
    marks = (
        intent.recv_ns,
        intent.pub_ns,
        intent.taken_ns,
        intent.evaluated_ns,
        intent.decided_ns,
        trade.received_ns,
        trade.first_orders[0].journalled_ns,
        min(sent),
        max(sent),
    )
    return {name: later - earlier for name, earlier, later in zip(HOPS, marks, marks[1:], strict=False)}


def quote_to_trigger_ns(intent: Intent) -> int:
    """Last byte of the quote read to the trigger having it, for a quote that led to an intent."""
    return intent.taken_ns - intent.recv_ns


def legged_times_ns(run: RunStory) -> list[int]:
    """How long each pair trade that was dispatched held an unbalanced position, in sum, as execution knew it."""
    return [trade.last.legged_ns for trade in _dispatched(run) if trade.last is not None]


def legged(run: RunStory) -> tuple[int, int]:
    """Pair trades counted as legged, and those dispatched."""
    dispatched = _dispatched(run)
    return sum(trade.is_legged for trade in dispatched), len(dispatched)


def over_budget(run: RunStory, budgets_e9: Mapping[str, int]) -> list[TradeStory]:
    """Pair trades that lost more than the slippage budget of their units; a pair without a budget has none."""
    return [trade for trade in _dispatched(run) if _is_over_budget(trade, budgets_e9)]


def capture(run: RunStory) -> tuple[int, int]:
    """Intents that became a hedged pair trade, and all intents but those that nobody had armed execution for."""
    hedged = sum(trade.outcome == "hedged" and trade.intent is not None for trade in run.trades.values())
    not_asked = sum(refused.refusal.name in _NOT_ASKED for refused in run.refusals)
    return hedged, len(run.intents) - not_asked


def recovery_times_ns(run: RunStory) -> list[int | None]:
    """For each death of an armed execution that nobody asked for: its last record to the next one armed.

    None: it was not armed again. A death in another boot of the machine has no common clock and is left out.
    """
    return [
        later.armed_ns - life.last_ns if later.armed_ns else None
        for life, later in pairwise(run.lives)
        if life.is_armed and not life.was_stopped and life.boot_id == later.boot_id
    ]


def latencies(run: RunStory) -> Figures:
    """Give distributions of gateway latency, leg skew and every hop, and the venues' answers by venue."""
    trades = list(run.trades.values())
    by_hop = [hops_ns(trade) for trade in trades]
    return {
        "quote_to_order_ns": distribution([ns for trade in trades if (ns := quote_to_order_ns(trade)) is not None]),
        "leg_skew_ns": distribution([ns for trade in trades if (ns := leg_skew_ns(trade)) is not None]),
        "hops": {name: distribution([hops[name] for hops in by_hop if name in hops]) for name in HOPS},
        "venues": {venue: _venue(run, venue) for venue in venues(run)},
    }


def venues(run: RunStory) -> list[str]:
    """Venues that orders went to, by name."""
    return sorted({story.order.venue_id for story in run.orders.values()})


def slippage(run: RunStory) -> list[tuple[str, str, int]]:
    """Give trade, pair and signed slippage in 1e-9 of the pair's currency, for each trade that ended with a fill."""
    return [
        (trade.trade_id, trade.last.pair_id, trade.last.slippage_e9)
        for trade in run.trades.values()
        if trade.last is not None and any(story.cum_lots for story in trade.orders)
    ]


def refusals(run: RunStory) -> dict[str, int]:
    """Count refusals by name, most frequent first."""
    return dict(Counter(refused.refusal.name.value for refused in run.refusals).most_common())


def alarms(run: RunStory) -> dict[str, int]:
    """Count alarms by name, most frequent first."""
    return dict(Counter(raised.alarm.name.value for raised in run.alarms).most_common())


def _is_accepted(story: OrderStory) -> bool:
    return story.accepted and not story.rejected


def _dispatched(run: RunStory) -> list[TradeStory]:
    return [trade for trade in run.trades.values() if trade.orders]


def _is_over_budget(trade: TradeStory, budgets_e9: Mapping[str, int]) -> bool:
    last = trade.last
    if last is None:
        return False
    budget_e9 = budgets_e9.get(last.pair_id)
    return budget_e9 is not None and last.slippage_e9 > budget_e9 * max(last.hedged_units, 1)


def _is_complete(trade: TradeStory, budgets_e9: Mapping[str, int]) -> bool:
    last = trade.last
    if last is None or trade.outcome != "hedged" or trade.is_legged:
        return False
    return not _is_over_budget(trade, budgets_e9)


def _is_first_shot(trade: TradeStory) -> bool:
    reached = {story.order.instrument_id for story in trade.orders}
    firsts = all(story.is_first_of_leg and story.outcome == "filled" for story in trade.orders)
    return firsts and reached == trade.leg_instruments


def _first_sent(trade: TradeStory) -> list[int]:
    """When each of the first orders was written; empty unless all were, and there was one for every leg."""
    first = trade.first_orders
    covered = {story.order.instrument_id for story in first} == trade.leg_instruments
    return [story.sent_ns for story in first] if covered and all(story.sent_ns for story in first) else []


def _venue(run: RunStory, venue: str) -> Figures:
    stories = [story for story in run.orders.values() if story.order.venue_id == venue and story.sent_ns]
    return {
        "sent_to_acknowledged_ns": distribution(list(_after_sent(stories, "acknowledged_ns"))),
        "sent_to_filled_ns": distribution(list(_after_sent(stories, "filled_ns"))),
    }


def _after_sent(stories: list[OrderStory], name: str) -> Iterator[int]:
    for story in stories:
        at_ns: int = getattr(story, name)
        if at_ns:
            yield at_ns - story.sent_ns


def _share(part: int, whole: int) -> Figures:
    return {"count": part, "of": whole, "share": part / whole if whole else None}


def _bound(part: int, whole: int) -> float | None:
    return lower_bound(part, whole) if whole else None
