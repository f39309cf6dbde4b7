"""The trigger: from a quote to intents, in one place.

    quote -> every pair that it touches: may it be priced? -> price both sides -> rule met? -> size -> intent

Of the pairs that a quote touches nearly all are nowhere near a threshold: they cost a few sums and comparisons
(`gateway/trigger/standing.py`); a price is divided out, and a wish built, only where a rule is met.

It decides on quotes alone. What execution announces (pair trades, refusals, positions of rules) only tells a rule when
it may look again; whether a trade may open is execution's decision. An opportunity is counted when a rule is met at an
executable size, whether or not the rule may fire.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.quote import Quote
from gateway.model.site import PairSpec, RuleSpec
from gateway.model.trade import (
    ExecutionStatus,
    Intent,
    IntentLeg,
    IntentRefused,
    PairPosition,
    PairPrice,
    PairTradeChanged,
    PairTradeState,
)
from gateway.trigger.depth import Walk
from gateway.trigger.price import PairFormula, leg_side
from gateway.trigger.rule import RuleMachine, RuleState
from gateway.trigger.standing import Seat, StandingPair, StandingRule, limits

ENDED = frozenset({PairTradeState.HEDGED, PairTradeState.UNWOUND, PairTradeState.MISSED, PairTradeState.HALTED})


class Hops(NamedTuple):
    """When the trigger took a quote up, and which incarnation and ids it works with."""

    taken_ns: int
    evaluated_ns: int
    decided_ns: int


class TriggerCore:
    """All pairs and rules. `clock` is not read here: the shell gives `at_ns` and stamps the hops it measures."""

    def __init__(
        self,
        pairs: Iterable[PairSpec],
        rules: Iterable[RuleSpec],
        instruments: Mapping[str, Instrument],
        *,
        silence_ns: int,
    ) -> None:
        self._quotes: dict[str, Quote] = {}
        self._rules = {rule.rule_id: RuleMachine(rule, silence_ns) for rule in rules}
        formulas = [PairFormula(spec, instruments) for spec in pairs]
        self._seats = {name: Seat(name) for formula in formulas for name in formula.instrument_ids}
        machines: dict[str, list[RuleMachine]] = {}
        for rule in self._rules.values():
            machines.setdefault(rule.spec.pair_id, []).append(rule)
        self._pairs = [StandingPair(one, machines.get(one.spec.pair_id, ()), self._seats) for one in formulas]
        self._silence_ns = silence_ns
        self._rehearsed = [pair for pair in self._pairs if pair.rules]
        self._turn = 0
        self._execution = 0
        self.evaluations = 0
        self.intents = 0
        self.opportunities = 0

    def on_quote(self, quote: Quote, at_ns: int) -> list["Wish"]:
        """What the rules of the pairs that this quote touches ask for now."""
        wishes: list[Wish] = []
        seat = self._take(quote)
        if seat is None:
            return wishes
        self.evaluations += len(seat.touched)
        for pair, legs in seat.touched:
            for leg in legs:
                leg.reprice()
            if pair.look(at_ns):
                wishes.extend(self._weigh(pair, quote, at_ns))
        return wishes

    def on_quotes(self, quotes: Iterable[Quote], at_ns: int) -> list["Wish"]:
        """As `on_quote`, for quotes that were taken up together: no pair is looked at before all of them are in, so
        that none is priced with a leg that another of them overtakes. The cause of a wish is the last received.
        """
        causes: dict[StandingPair, Quote] = {}
        for quote in quotes:
            seat = self._take(quote)
            for pair, legs in seat.touched if seat else ():
                for leg in legs:
                    leg.reprice()
                cause = causes.get(pair)
                if cause is None or cause.recv_ns <= quote.recv_ns:
                    causes[pair] = quote
        self.evaluations += len(causes)
        return [wish for pair, quote in causes.items() if pair.look(at_ns) for wish in self._weigh(pair, quote, at_ns)]

    def _take(self, quote: Quote) -> Seat | None:
        seat = self._seats.get(quote.instrument_id)
        if seat is not None:
            self._quotes[quote.instrument_id] = quote
            seat.take(quote)
        return seat

    def on_execution(
        self, message: PairTradeChanged | IntentRefused | PairPosition | ExecutionStatus, at_ns: int
    ) -> None:
        """Hear what execution announces."""
        match message:
            case ExecutionStatus():
                self._execution = message.incarnation
                for rule in self._rules.values():
                    if rule.spec.pair_id not in message.busy_pairs:
                        rule.no_open_trade(message.at_ns, at_ns)
            case PairPosition():
                if message.rule_id in self._rules:
                    self._rules[message.rule_id].net_units = message.net_units
            case IntentRefused():
                self._ended(message.rule_id, message.intent_id, at_ns)
            case PairTradeChanged():
                if message.state in ENDED:
                    self._ended(message.rule_id, message.intent_id, at_ns)
                elif message.rule_id in self._rules:
                    self._rules[message.rule_id].opened(message.intent_id, message.opened_ns)

    def on_hours(self, instrument_id: str, *, is_open: bool) -> None:
        """An instrument opened or shut: while it is shut its pairs have no price."""
        seat = self._seats.get(instrument_id)
        if seat is not None:
            seat.mind_hours(is_open=is_open)
            for pair, legs in seat.touched:
                for leg in legs:
                    leg.reprice()
                pair.fresh = True

    def on_unsent(self, intent: Intent, at_ns: int) -> None:
        """The shell could not hand an intent over."""
        self._rules[intent.rule_id].not_sent(at_ns)

    def rehearse(self, at_ns: int) -> "Wish | None":
        """What the next pair in turn would ask for if its price of now met a rule; None where it has no price.

        It goes the whole way of an intent with a rule of its own, so that the way is in the processor's caches when it
        matters; nothing that decides is another afterwards. Its wish is for nobody.
        """
        if not self._rehearsed:
            return None
        self._turn = (self._turn + 1) % len(self._rehearsed)
        pair = self._rehearsed[self._turn]
        quote = pair.first.seat.quote
        price_e9 = pair.price_e9(Side.BUY) if pair.priced else None
        if quote is None or price_e9 is None:
            return None
        spec = msgspec.structs.replace(pair.rules[0].machine.spec, buy_at_e9=price_e9, sell_at_e9=None, persist_ns=0)
        rule = RuleMachine(spec, self._silence_ns)
        sides = pair.met(StandingRule(rule, *limits(pair.formula, rule)))
        counted = self.opportunities, self.intents
        wish = self._judge(pair, rule, sides, quote, at_ns)
        self.opportunities, self.intents = counted
        return wish

    def changed_prices(self) -> list[PairPrice]:
        """The price of every pair that has a new one since the last call."""
        verdict = "ok" if self._execution else "execution is not heard"
        return [pair.told(verdict) for pair in self._pairs if pair.fresh]

    def _ended(self, rule_id: str, intent_id: str, at_ns: int) -> None:
        if rule_id in self._rules:
            self._rules[rule_id].ended(intent_id, at_ns)

    def _weigh(self, pair: StandingPair, quote: Quote, at_ns: int) -> list["Wish"]:
        """Every rule of a pair of which one is met, or was."""
        wishes = []
        pair.holding = False
        for rule in pair.rules:
            sides = pair.met(rule)
            wish = self._judge(pair, rule.machine, sides, quote, at_ns)
            if wish is not None:
                wishes.append(wish)
            pair.holding = pair.holding or rule.machine.state is RuleState.HOLDING
        return wishes

    def _judge(
        self, pair: StandingPair, rule: RuleMachine, sides: tuple[Side, ...], quote: Quote, at_ns: int
    ) -> "Wish | None":
        """What a rule asks for whose threshold is met on `sides`, if on any."""
        met = next((side for side in sides if rule.room_units(side)), None)
        if met is not None:
            self.opportunities += 1
        if not rule.ready(at_ns) or not rule.condition(met, at_ns) or met is None or not self._execution:
            return None
        for units in range(min(rule.room_units(met), pair.units(met)), 0, -1):
            wish = self._wish(pair.formula, rule, met, units, quote)
            if wish is not None:
                self.intents += 1
                return wish
        return None

    def _wish(self, formula: PairFormula, rule: RuleMachine, side: Side, units: int, quote: Quote) -> "Wish | None":
        """The intent for so many units; None when their price, deeper in the books, does not meet the threshold."""
        walks = formula.walks(side, units, self._quotes)
        px_e9 = None if walks is None else formula.executable_e9(side, walks, self._quotes)
        threshold_e9 = rule.threshold_e9(side)
        if walks is None or px_e9 is None or threshold_e9 is None or not rule.meets(side, px_e9):
            return None
        better_e9 = threshold_e9 - px_e9 if side is Side.BUY else px_e9 - threshold_e9
        legs = tuple(self._leg(formula, side, index, taken) for index, taken in enumerate(walks))
        edge_e9 = formula.money_e9(better_e9, self._quotes, side)
        return Wish(rule, formula.spec.pair_id, side, units, px_e9, threshold_e9, edge_e9, legs, quote, self._execution)

    def _leg(self, formula: PairFormula, side: Side, index: int, taken: Walk) -> IntentLeg:
        leg = formula.legs[index]
        quote = self._quotes[leg.spec.instrument_id]
        return IntentLeg(
            leg.spec.instrument_id,
            leg_side(side, index),
            leg.spec.ratio_lots,
            taken.qty_lots,
            taken.worst_px_ticks,
            leg.vwap_e9(taken),
            leg.value_per_tick_e9(formula.fx_ticks(side, index, self._quotes)),
            quote.recv_ns,
            quote.venue_ns,
            quote.calibrated_ns,
            quote.bound_ns,
            quote.msg_seq_num,
            quote.last_px_ticks,
        )


class Wish(NamedTuple):
    """An intent to be: all but its id and the times that the shell stamps."""

    rule: RuleMachine
    pair_id: str
    side: Side
    units: int
    pair_px_e9: int
    threshold_e9: int
    edge_e9: int
    legs: tuple[IntentLeg, ...]
    quote: Quote
    incarnation: int

    def intent(self, intent_id: str, hops: Hops) -> Intent:
        """The intent, and its rule told that it fired."""
        expires_ns = hops.decided_ns + self.rule.spec.ttl_ns
        self.rule.fired(intent_id, expires_ns)
        return Intent(
            intent_id,
            self.incarnation,
            self.pair_id,
            self.rule.spec.rule_id,
            self.side,
            self.units,
            self.pair_px_e9,
            self.threshold_e9,
            self.edge_e9,
            self.legs,
            self.quote.instrument_id,
            self.quote.recv_ns,
            self.quote.pub_ns,
            hops.taken_ns,
            hops.evaluated_ns,
            hops.decided_ns,
            expires_ns,
        )
