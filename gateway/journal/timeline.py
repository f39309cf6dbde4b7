"""One pair trade as a list of moments, in order of time. Pure; for the report and for `cmc trades`."""

from typing import NamedTuple

from gateway.journal.fold import OrderStory, TradeStory
from gateway.journal.units import duration, money
from gateway.model.order import OrdType, Side


class Moment(NamedTuple):
    """Something that happened to a pair trade. `kind` is hop, order, answer, fill or state."""

    at_ns: int
    kind: str
    what: str
    detail: str


def timeline(trade: TradeStory) -> list[Moment]:
    """Give every moment that the journal holds of a pair trade."""
    moments = _intent(trade)
    for story in trade.orders:
        moments += _order(story)
    moments += [
        Moment(change.at_ns, "state", change.said.state.value, change.said.cause)
        for before, change in zip([None, *trade.changes], trade.changes, strict=False)
        if before is None or before.said.state is not change.said.state
    ]
    return sorted(moments, key=lambda moment: moment.at_ns)


def start_ns(trade: TradeStory) -> int:
    """Give the time that a trade's moments are told from: arrival of the causing quote."""
    return trade.intent.recv_ns if trade.intent else trade.received_ns


def describe_order(story: OrderStory) -> str:
    """Give an order in words: buy 5 SHFE.cu2609 at 7000 ticks, IOC."""
    order = story.order
    side = "buy" if order.side is Side.BUY else "sell"
    price = "at market" if order.ord_type is OrdType.MARKET else f"limit {order.px_ticks} ticks"
    return f"{side} {order.qty_lots} {order.instrument_id} {price} {order.time_in_force.name}"


def _intent(trade: TradeStory) -> list[Moment]:
    intent = trade.intent
    if intent is None:
        return [Moment(trade.received_ns, "hop", "taken up", "the intent is in a journal that is missing")]
    price = f"{intent.rule_id}: price {money(intent.pair_px_e9)}, threshold {money(intent.threshold_e9)}"
    return [
        Moment(intent.recv_ns, "hop", "quote received", intent.cause_instrument_id),
        Moment(intent.pub_ns, "hop", "published", ""),
        Moment(intent.taken_ns, "hop", "taken up by trigger", ""),
        Moment(intent.evaluated_ns, "hop", "evaluated", price),
        Moment(intent.decided_ns, "hop", "intent", intent.intent_id),
        Moment(trade.received_ns, "hop", "taken up by execution", ""),
    ]


def _order(story: OrderStory) -> list[Moment]:
    name, words = story.order.cl_ord_id, describe_order(story)
    moments = []
    if story.journalled_ns:
        moments.append(Moment(story.journalled_ns, "hop", "journalled", name))
    if story.sent_ns:
        moments.append(Moment(story.sent_ns, "order", "sent", f"{name} {words}"))
    else:
        reason = story.send_failure or "no word of sending"
        moments.append(Moment(story.decided_ns, "order", "not sent", f"{name} {words}: {reason}"))
    if story.acknowledged_ns:
        answer = "rejected" if story.rejected else "acknowledged"
        after = f"after {duration(story.acknowledged_ns - story.sent_ns)}" if story.sent_ns else ""
        moments.append(Moment(story.acknowledged_ns, "answer", answer, f"{name} {story.reject_text or after}"))
    moments += [
        Moment(
            fill.recv_ns, "fill", "busted" if fill.busted else "filled", f"{name} {fill.first_qty_lots} at {fill.px}"
        )
        for fill in story.fills.values()
    ]
    return moments
