"""The trigger: from a quote to intents, in one place.

    quote -> every pair that it touches: may it be priced? -> price both sides -> rule met? -> size -> intent

It decides on quotes alone. What execution announces (pair trades, refusals, positions of rules) only tells a rule when
it may look again; whether a trade may open is execution's decision. An opportunity is counted when a rule is met at an
executable size, whether or not the rule may fire.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.quote import BookState, Quote
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
from gateway.trigger.depth import Walk, whole_units
from gateway.trigger.price import PairFormula, book_side, leg_side
from gateway.trigger.rule import RuleMachine

ENDED = frozenset(
    {PairTradeState.HEDGED, PairTradeState.UNWOUND, PairTradeState.MISSED, PairTradeState.HALTED}
)
_SIDES = (Side.BUY, Side.SELL)


class Hops(NamedTuple):
    """When the trigger took a quote up, and which incarnation and ids it works with."""

    taken_ns: int
    evaluated_ns: int
    decided_ns: int


class _Pair:
    """A pair with its rules and its last price."""

    def __init__(self, formula: PairFormula, rules: tuple[RuleMachine, ...]) -> None:
        self.formula = formula
        self.rules = rules
        self.price: PairPrice | None = None
        self.told: PairPrice | None = None


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
        self._pairs: dict[str, _Pair] = {}
        self._touched: dict[str, list[_Pair]] = {}
        self._rules: dict[str, RuleMachine] = {}
        machines: dict[str, list[RuleMachine]] = {}
        for rule in rules:
            machine = RuleMachine(rule, silence_ns)
            self._rules[rule.rule_id] = machine
            machines.setdefault(rule.pair_id, []).append(machine)
        for spec in pairs:
            pair = _Pair(PairFormula(spec, instruments), tuple(machines.get(spec.pair_id, ())))
            self._pairs[spec.pair_id] = pair
            for name in pair.formula.instrument_ids:
                self._touched.setdefault(name, []).append(pair)
        self._execution = 0
        self.evaluations = 0
        self.intents = 0
        self.opportunities = 0

    def on_quote(self, quote: Quote, at_ns: int) -> list["Wish"]:
        """What the rules of the pairs that this quote touches ask for now."""
        self._quotes[quote.instrument_id] = quote
        wishes: list[Wish] = []
        for pair in self._touched.get(quote.instrument_id, ()):
            self.evaluations += 1
            wishes.extend(self._evaluate(pair, quote, at_ns))
        return wishes

    def on_execution(
        self, message: PairTradeChanged | IntentRefused | PairPosition | ExecutionStatus, at_ns: int
    ) -> None:
        """Hear what execution announces."""
        match message:
            case ExecutionStatus():
                self._execution = message.incarnation
            case PairPosition():
                if message.rule_id in self._rules:
                    self._rules[message.rule_id].net_units = message.net_units
            case IntentRefused():
                self._ended(message.rule_id, message.intent_id, at_ns)
            case PairTradeChanged():
                if message.state in ENDED:
                    self._ended(message.rule_id, message.intent_id, at_ns)
                elif message.rule_id in self._rules:
                    self._rules[message.rule_id].opened(message.intent_id)

    def on_unsent(self, intent: Intent, at_ns: int) -> None:
        """The shell could not hand an intent over."""
        self._rules[intent.rule_id].not_sent(at_ns)

    def changed_prices(self) -> list[PairPrice]:
        """The price of every pair that has a new one since the last call."""
        changed = []
        for pair in self._pairs.values():
            if pair.price is not None and pair.price is not pair.told:
                pair.told = pair.price
                changed.append(pair.price)
        return changed

    def _ended(self, rule_id: str, intent_id: str, at_ns: int) -> None:
        if rule_id in self._rules:
            self._rules[rule_id].ended(intent_id, at_ns)

    def _evaluate(self, pair: _Pair, quote: Quote, at_ns: int) -> list["Wish"]:
        obstacle = self._obstacle(pair.formula, at_ns)
        first = pair.rules[0] if pair.rules else None
        thresholds = (first.spec.buy_at_e9, first.spec.sell_at_e9) if first else (None, None)
        spec = pair.formula.spec
        if obstacle:
            pair.price = PairPrice(spec.pair_id, at_ns, None, None, 0, 0, *thresholds, obstacle)
            for rule in pair.rules:
                if rule.ready(at_ns):
                    rule.condition(None, at_ns)
            return []
        prices = {side: self._price(pair.formula, side, 1) for side in _SIDES}
        units = {side: self._units(pair.formula, side) for side in _SIDES}
        pair.price = PairPrice(
            spec.pair_id,
            at_ns,
            prices[Side.BUY],
            prices[Side.SELL],
            units[Side.BUY],
            units[Side.SELL],
            *thresholds,
            "ok" if self._execution else "execution is not heard",
        )
        return [wish for rule in pair.rules if (wish := self._judge(pair, rule, prices, units, quote, at_ns))]

    def _judge(
        self,
        pair: _Pair,
        rule: RuleMachine,
        prices: Mapping[Side, int | None],
        units: Mapping[Side, int],
        quote: Quote,
        at_ns: int,
    ) -> "Wish | None":
        met = next((side for side in _SIDES if _is_met(rule, side, prices[side]) and rule.room_units(side)), None)
        if met is not None:
            self.opportunities += 1
        if not rule.ready(at_ns):
            return None
        if not rule.condition(met, at_ns) or met is None or not self._execution:
            return None
        most = min(rule.room_units(met), units[met])
        for count in range(most, 0, -1):
            px_e9 = self._price(pair.formula, met, count)
            if _is_met(rule, met, px_e9):
                self.intents += 1
                return self._wish(pair, rule, met, count, quote)
        return None

    def _wish(self, pair: _Pair, rule: RuleMachine, side: Side, units: int, quote: Quote) -> "Wish | None":
        formula = pair.formula
        walks = formula.walks(side, units, self._quotes)
        threshold_e9 = rule.threshold_e9(side)
        if walks is None or threshold_e9 is None:
            return None
        px_e9 = formula.price_e9(side, walks, self._quotes)
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
            int(taken.cost * PRICE_E9 * leg.instrument.tick / taken.qty_lots),
            leg.value_per_tick_e9(formula.fx_ticks(side, index, self._quotes)),
            quote.recv_ns,
            quote.venue_ns,
            quote.calibrated_ns,
            quote.bound_ns,
            quote.msg_seq_num,
            quote.last_px_ticks,
        )

    def _price(self, formula: PairFormula, side: Side, units: int) -> int | None:
        walks = formula.walks(side, units, self._quotes)
        return None if walks is None else formula.price_e9(side, walks, self._quotes)

    def _units(self, formula: PairFormula, side: Side) -> int:
        return min(
            whole_units(book_side(self._quotes[leg.spec.instrument_id], leg_side(side, index)), leg.spec.ratio_lots)
            for index, leg in enumerate(formula.legs)
        )

    def _obstacle(self, formula: PairFormula, at_ns: int) -> str:
        """Why the pair has no price now; empty when it has one."""
        for name in formula.instrument_ids:
            quote = self._quotes.get(name)
            if quote is None:
                return f"{name}: no quote yet"
            if quote.state is not BookState.OK:
                return f"{name}: {quote.state.value}"
        newest_ns = 0
        oldest_ns = at_ns
        for leg in formula.legs:
            quote = self._quotes[leg.spec.instrument_id]
            if at_ns - quote.recv_ns > leg.spec.max_quote_age_ns:
                return f"{leg.spec.instrument_id}: stale"
            newest_ns = max(newest_ns, quote.recv_ns)
            oldest_ns = min(oldest_ns, quote.recv_ns)
        if newest_ns - oldest_ns > formula.spec.max_quote_skew_ns:
            return "quotes of the legs too far apart"
        return ""


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


def _is_met(rule: RuleMachine, side: Side, px_e9: int | None) -> bool:
    return px_e9 is not None and rule.meets(side, px_e9)
