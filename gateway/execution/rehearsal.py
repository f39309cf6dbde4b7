"""Goes the way of an intent up to its record, for nobody.

An intent comes some times a second at best. What it runs through (the gate, the trade, its orders) would each time be
gone from the processor's caches, and a cold way costs two to three times a warm one. So the process rehearses while it
waits: every check of the gate, whatever it says, then a pair trade with its orders, as the last intent of each pair in
turn would have them, or one made up from the pair's specification while there was none.

Nothing of it is kept: no check changes what it looks at (old times of a rate that are dropped count no more anyway),
and the trade, its ids and its orders are made here and forgotten. It returns a record of which nothing may be written
or sent. A test lives the same life with rehearsals and without.
"""

import msgspec

from gateway.execution.dispatch import first_orders, open_trade
from gateway.execution.ledger import Ledger
from gateway.execution.outbox import IdSource
from gateway.execution.risk import LADDER, RiskApproved
from gateway.model.order import Order, Side
from gateway.model.record import Decision
from gateway.model.site import PairSpec, leg_side
from gateway.model.trade import Announce, Intent, IntentLeg, SendOrders, SetTimer

NAME = "rehearsal"
_PX_TICKS = 10_000


class Rehearsal:
    """Of all pairs that have a rule."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        pairs = ledger.settings.pairs
        self._intents = {
            rule.pair_id: _made_up(pairs[rule.pair_id], rule.rule_id) for rule in ledger.settings.rules.values()
        }
        self._turns = list(self._intents)
        self._turn = 0

    def note(self, intent: Intent) -> None:
        """An intent came: the next rehearsals of its pair are like it."""
        if intent.pair_id in self._intents:
            self._intents[intent.pair_id] = intent

    def next(self, at_ns: int) -> tuple[Decision, tuple[Order, ...]] | None:
        """The record and the orders of the next pair in turn; None where no pair has a rule."""
        if not self._turns:
            return None
        self._turn = (self._turn + 1) % len(self._turns)
        like = self._intents[self._turns[self._turn]]
        legs = tuple([msgspec.structs.replace(leg, recv_ns=at_ns) for leg in like.legs])
        intent = msgspec.structs.replace(like, intent_id=NAME, expires_ns=at_ns, legs=legs)
        ledger = self._ledger
        for _, check in LADDER:
            check(ledger, intent, at_ns)
        trade = open_trade(RiskApproved(intent, at_ns), ledger, NAME)
        next_id = IdSource(NAME, 0).next
        orders = tuple([own.order for own in first_orders(trade, range(len(trade.legs)), ledger, next_id)])
        actions = (SendOrders(NAME, orders, at_ns), SetTimer(NAME, at_ns), Announce(trade.report(at_ns)))
        return Decision(0, at_ns, intent, actions), orders


def _made_up(spec: PairSpec, rule_id: str) -> Intent:
    """One unit of the pair at prices of no meaning."""
    legs = tuple(
        IntentLeg(
            leg.instrument_id,
            leg_side(spec, Side.BUY, index),
            leg.ratio_lots,
            leg.ratio_lots,
            _PX_TICKS,
            _PX_TICKS,
            1,
            0,
            0,
            0,
            0,
            0,
        )
        for index, leg in enumerate(spec.legs)
    )
    cause = spec.legs[0].instrument_id
    return Intent(NAME, 0, spec.pair_id, rule_id, Side.BUY, 1, 0, 0, 0, legs, cause, 0, 0, 0, 0, 0, 0)
