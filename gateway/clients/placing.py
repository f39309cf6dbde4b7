"""The rule that an order on a pair is, and the command that gives it to trigger.

Its limit is the threshold, and what is left of its quantity is what the rule may do in its life. A replaced order gets
a rule of a new name, when the old one is gone and all its fills are known: trigger lets a rule that has ended live
again when its settings are others, so a change that a fill overtakes would do the whole quantity once more.
"""

from gateway.clients.order import ClientOrder
from gateway.clients.settings import ClientSettings
from gateway.model.client import AskTrigger
from gateway.model.order import Side, TimeInForce
from gateway.model.rules import ChangeRules
from gateway.model.site import RuleSpec


def place_rule(order: ClientOrder, settings: ClientSettings) -> AskTrigger | None:
    """Ask trigger to watch for what is left of an order; None where the site has its pair no more (a replay)."""
    if order.asked.symbol not in settings.pairs:
        return None
    rule = rule_of(order, settings)
    return AskTrigger(ChangeRules(next_command(order), order.client_id, f"ordered by {order.cl_ord_id}", (rule,)))


def rule_of(order: ClientOrder, settings: ClientSettings) -> RuleSpec:
    """The rule of an order now."""
    asked = order.asked
    left = asked.qty - order.cum_qty
    pair = settings.pairs[asked.symbol]
    most = min(settings.instruments[leg.instrument_id].max_qty_lots // leg.ratio_lots for leg in pair.legs)
    whole = asked.time_in_force is TimeInForce.FOK
    return RuleSpec(
        rule_id=order.rule_id,
        pair_id=asked.symbol,
        buy_at_e9=asked.price_e9 if asked.side is Side.BUY else None,
        sell_at_e9=asked.price_e9 if asked.side is Side.SELL else None,
        units=left if whole else min(left, max(1, most)),
        max_units=left,
        persist_ns=0,
        cool_down_ns=settings.cool_down_ns,
        ttl_ns=settings.intent_ttl_ns,
        min_units=left if whole else 1,
        total_units=left,
        expires_utc_ns=asked.expire_utc_ns,
        immediate=asked.time_in_force in (TimeInForce.IOC, TimeInForce.FOK),
        owner=asked.account,
    )


def next_command(order: ClientOrder) -> str:
    """An id for a command about this order, used once."""
    order.changes += 1
    return f"{order.order_id}.{order.changes}"
