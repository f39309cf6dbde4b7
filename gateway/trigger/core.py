"""The trigger: from a quote to intents, in one place.

    quote -> every pair that it touches: may it be priced? -> price both sides -> rule met? -> size -> intent

Of the pairs that a quote touches nearly all are nowhere near a threshold: they cost a few sums and comparisons
(`gateway/trigger/standing.py`); a price is divided out, and a wish built, only where a rule is met.

It decides on quotes alone. What execution announces (pair trades, refusals, positions of rules) only tells a rule when
it may look again; whether a trade may open is execution's decision. An opportunity is counted when a rule is met at an
executable size, whether or not the rule may fire.
"""

from collections.abc import Iterable, Mapping

from gateway.model.base import PRICE_E9
from gateway.model.conditions import RuleKind
from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.quote import Quote
from gateway.model.record import RuleTimes, SamplesLoaded
from gateway.model.rules import ChangeRules, RuleMemory, RuleStanding, RuleStandingState
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
    fixing_of,
)
from gateway.trigger.costs import Trade, edge
from gateway.trigger.depth import Walk
from gateway.trigger.digest import digest
from gateway.trigger.price import PairFormula
from gateway.trigger.rule import RuleMachine
from gateway.trigger.rulebook import Rulebook
from gateway.trigger.seats import Seat
from gateway.trigger.standing import StandingPair, StandingRule, limits
from gateway.trigger.turns import always_met, newest_of, opens, verdict
from gateway.trigger.wish import Hops, Wish

__all__ = ["Hops", "TriggerCore", "Wish"]

ENDED = frozenset({PairTradeState.HEDGED, PairTradeState.UNWOUND, PairTradeState.MISSED, PairTradeState.HALTED})


class TriggerCore:
    """All pairs and rules. `clock` is not read here: the shell gives `at_ns` and stamps the hops it measures."""

    def __init__(
        self,
        pairs: Iterable[PairSpec],
        rules: Iterable[RuleSpec],
        instruments: Mapping[str, Instrument],
        *,
        silence_ns: int,
        memories: Iterable[RuleMemory] = (),
    ) -> None:
        self._quotes: dict[str, Quote] = {}
        self._instruments = dict(instruments)
        self.rules = Rulebook(rules, memories, silence_ns)
        formulas = [PairFormula(spec, instruments) for spec in pairs]
        self._seats = {name: Seat(name) for formula in formulas for name in formula.instrument_ids}
        machines: dict[str, list[RuleMachine]] = {}
        for rule in self.rules.machines.values():
            if rule.ended_as is None:
                machines.setdefault(rule.spec.pair_id, []).append(rule)
        self._pairs = [StandingPair(one, machines.get(one.spec.pair_id, ()), self._seats) for one in formulas]
        self._places = {one.spec.pair_id: place for place, one in enumerate(formulas)}
        self._silence_ns = silence_ns
        self._day = ""
        self._days: dict[str, str] = {}
        self._looked: Iterable[StandingPair] = ()
        self._rehearsed = [pair for pair in self._pairs if pair.rules]
        self._turn = self._execution = 0
        self.evaluations = 0
        self.intents = 0
        self.opportunities = 0

    def on_quote(self, quote: Quote, at_ns: int) -> list[Wish]:
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

    def on_quotes(self, quotes: Iterable[Quote], at_ns: int) -> list[Wish]:
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
        self._looked = causes
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
                for one in self.rules.machines.values():
                    if one.spec.pair_id not in message.busy_pairs:
                        one.no_open_trade(message.at_ns, at_ns)
                        self._settle(one)
            case PairPosition():
                self.rules.hold(message.rule_id, message.net_units)
                if message.rule_id in self.rules.machines:
                    self._settle(self.rules.machines[message.rule_id])
            case IntentRefused():
                rule = self.rules.machines.get(message.rule_id)
                if rule is not None:
                    rule.ended(message.intent_id, at_ns, traded=False)
                    self._settle(rule)
            case PairTradeChanged():
                self._hear_of_trade(message, at_ns)

    def _hear_of_trade(self, message: PairTradeChanged, at_ns: int) -> None:
        rule = self.rules.machines.get(message.rule_id)
        if rule is None:
            return
        rule.meet(message.intent_id, message.opened_ns)
        rule.filled(message.intent_id, message.hedged_units)
        if message.state in ENDED:
            rule.ended(message.intent_id, at_ns)
        else:
            rule.opened(message.intent_id, message.opened_ns, message.side, message.units)
        self._settle(rule)

    def on_hours(self, instrument_id: str, *, is_open: bool, trading_day: str = "") -> None:
        """An instrument opened or shut, or began a trading day: while it is shut its pairs have no price.

        Also of a pair's currency fixing (`fixing_of`): open on its date.
        """
        for pair in self._pairs:
            if instrument_id == fixing_of(pair.formula.spec.pair_id):
                pair.on_fixing(holds=is_open)
                return
        if trading_day != self._days.get(instrument_id):
            self._days[instrument_id] = trading_day
            self._tell_day()
        seat = self._seats.get(instrument_id)
        if seat is not None:
            seat.mind_hours(is_open=is_open)
            for pair, legs in seat.touched:
                for leg in legs:
                    leg.reprice()
                pair.fresh = True

    def on_day(self, day: str) -> None:
        """The date, YYYYMMDD, that counts for an instrument without a trading day of its own."""
        self._day = day
        self._tell_day()

    def on_rule_times(self, times: RuleTimes) -> None:
        """Whether a rule is inside its windows, and when its life ends."""
        rule = self.rules.machines.get(times.rule_id)
        if rule is not None:
            rule.in_time(is_open=times.open, until_ns=times.until_ns, expires_ns=times.expires_ns)

    def on_samples(self, loaded: SamplesLoaded) -> None:
        """Samples of the record that bands warm up with."""
        self.rules.load(loaded.pair_id, loaded.interval_ns, [sample_e9 for _, sample_e9 in loaded.samples])
        self._watch({loaded.pair_id})

    def on_tick(self, at_ns: int) -> None:
        """Take the samples that are due, of pairs that have a price, and end the rules whose time is over."""
        moved = set()
        for sampler in self.rules.due_samplers(at_ns):
            pair = self._pair(sampler.pair_id)
            pair.look(at_ns)
            buy_e9, sell_e9 = (pair.price_e9(side) if pair.priced else None for side in Side)
            if buy_e9 is not None and sell_e9 is not None:
                self.rules.sample(sampler, (buy_e9 + sell_e9) // 2)
                moved.add(sampler.pair_id)
        self._watch(moved | self.rules.expire(at_ns))

    def due_ns(self, at_ns: int) -> int:
        """When `on_tick` has something to do, after `at_ns`; 0: never."""
        return self.rules.due_ns(at_ns)

    def on_unsent(self, intent: Intent, at_ns: int) -> None:
        """The shell could not hand an intent over."""
        rule = self.rules.machines.get(intent.rule_id)
        if rule is not None and rule.intent_id == intent.intent_id:
            rule.not_sent(at_ns)
            self._settle(rule)

    def change(self, command: ChangeRules, at_ns: int) -> list[Wish]:
        """Carry a change out, all of it; what the rules of its pairs ask for with the quotes that are there.

        It has been judged: an error here is ours, and comes before anything has changed.
        """
        formulas = {spec.pair_id: PairFormula(spec, self._instruments) for spec in command.pairs}
        for pair_id, formula in formulas.items():
            self._pairs[self._places[pair_id]] = self._pair(pair_id).replaced_by(formula, self._seats)
        touched = self.rules.change(command, at_ns) | set(formulas)
        self._watch(touched)
        self._rehearsed = [pair for pair in self._pairs if pair.rules]
        wishes = [wish for pair_id in sorted(touched) for wish in self._look_now(self._pair(pair_id), at_ns)]
        asked = {wish.rule.spec.rule_id for wish in wishes}
        for spec in command.rules:
            if spec.immediate and spec.rule_id not in asked:
                self._end_unfired(self.rules.machines[spec.rule_id], at_ns)
        return wishes

    def newest_quotes(self) -> dict[str, Quote]:
        """Of each instrument that has one."""
        return dict(self._quotes)

    def pairs(self) -> tuple[PairSpec, ...]:
        """The pairs as they are priced now."""
        return tuple(pair.formula.spec for pair in self._pairs)

    def evaluated(self) -> tuple[int, int]:
        """How many pairs the last `on_quotes` looked at, and the digest of their prices."""
        looked = tuple(self._looked)
        return len(looked), digest(looked)

    def news(self, at_ns: int) -> tuple[list[RuleStanding], list[RuleMemory]]:
        """How rules stand, and what they remember, where that is other than when this was last asked."""
        return self.rules.news(at_ns)

    def rehearse(self, at_ns: int) -> Wish | None:
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
        if quote is None or price_e9 is None or not pair.rules:
            return None  # its last rule may have ended since
        rule = RuleMachine(always_met(pair.rules[0].machine.spec, price_e9), self._silence_ns)
        sides = pair.met(StandingRule(rule, *limits(pair.formula, rule)))
        counted = self.opportunities, self.intents
        wish = self._judge(pair, rule, sides, quote, at_ns)
        self.opportunities, self.intents = counted
        return wish

    def changed_prices(self) -> list[PairPrice]:
        """The price of every pair that has a new one since the last call."""
        unheard = "" if self._execution else "execution is not heard"
        return [pair.told(unheard or verdict(pair)) for pair in self._pairs if pair.fresh]

    def _look_now(self, pair: StandingPair, at_ns: int) -> list[Wish]:
        """What the rules of a pair ask for with the quotes that are there, as if the newest had come just now."""
        quotes = [seat.quote for seat in pair.seats if seat.quote is not None]
        if not quotes or not pair.look(at_ns):
            return []
        return self._weigh(pair, max(quotes, key=lambda one: one.recv_ns), at_ns)

    def _end_unfired(self, rule: RuleMachine, at_ns: int) -> None:
        """An immediate rule that did not fire never will; say what stood in its way."""
        if rule.ended_as is None:
            why = self._pair(rule.spec.pair_id).obstacle(at_ns) if self._execution else "execution is not heard"
            rule.end(RuleStandingState.EXPIRED, why or rule.obstacle(at_ns) or "no price at its limit for its units")
            self._watch({rule.spec.pair_id})

    def _tell_day(self) -> None:
        """Formulas take the parameters of the first leg's day."""
        for pair in self._pairs:
            pair.on_day(self._day_of(pair.first.seat.name))

    def _settle(self, rule: RuleMachine) -> None:
        """Take a rule that has ended from its pair."""
        if rule.ended_as is not None and any(one.machine is rule for one in self._pair(rule.spec.pair_id).rules):
            self._watch({rule.spec.pair_id})

    def _watch(self, pair_ids: set[str]) -> None:
        """Give these pairs their rules, at their thresholds of now."""
        for pair_id in sorted(pair_ids):
            pair = self._pair(pair_id)
            pair.watch(self.rules.live(pair_id))
            pair.fresh = True

    def _pair(self, pair_id: str) -> StandingPair:
        return self._pairs[self._places[pair_id]]

    def _weigh(self, pair: StandingPair, quote: Quote, at_ns: int) -> list[Wish]:
        """Every rule of a pair of which one is met, or was."""
        wishes = []
        pair.holding = False
        for rule in pair.rules:
            machine = rule.machine
            for side in machine.waits_back if pair.priced else ():
                machine.came_to(side, pair.price_e9(side))
            wish = self._judge(pair, machine, pair.met(rule), quote, at_ns)
            if wish is not None:
                wishes.append(wish)
            pair.holding = pair.holding or wish is not None or machine.wants_every_look
        return wishes

    def _judge(
        self, pair: StandingPair, rule: RuleMachine, sides: tuple[Side, ...], quote: Quote, at_ns: int
    ) -> Wish | None:
        """What a rule asks for whose threshold is met on `sides`, if on any."""
        met = next((side for side in sides if rule.room_units(side) and side not in rule.waits_back), None)
        if met is not None and rule.spec.kind is RuleKind.PRICE:
            self.opportunities += 1
        if not rule.ready(at_ns):
            self._settle(rule)
            return None
        if met is not None and rule.spec.kind is RuleKind.COUNTER_PRICE:
            if self._wish(pair, rule, met, rule.spec.min_units, quote) is None:
                met = None
            else:
                self.opportunities += 1
        if not rule.condition(met, at_ns) or met is None or not self._execution:
            return None
        if not rule.is_news(newest_of(pair)):
            return None
        for units in range(min(rule.room_units(met), pair.units(met)), rule.spec.min_units - 1, -1):
            wish = self._wish(pair, rule, met, units, quote)
            if wish is not None:
                self.intents += 1
                return wish
        return None

    def _wish(self, pair: StandingPair, rule: RuleMachine, side: Side, units: int, quote: Quote) -> Wish | None:
        """The intent for so many units; None when their price, deeper in the books, does not meet the threshold."""
        formula = pair.formula
        walks = formula.walks(side, units, self._quotes)
        px_e9 = None if walks is None else formula.executable_e9(side, walks, self._quotes)
        threshold_e9 = rule.threshold_e9(side)
        if walks is None or px_e9 is None or threshold_e9 is None or not rule.meets(side, px_e9):
            return None
        if rule.spec.kind is RuleKind.COUNTER_PRICE:
            trade = Trade(side, units, px_e9, walks, opens=opens(rule, side))
            net_e9 = self._net_e9(formula, rule, trade)
            beyond_e9 = net_e9 - (rule.spec.min_edge_e9 or 0) if net_e9 is not None else -1
            if beyond_e9 < 0:
                return None
            # Where the price would leave the least edge and no more: by what a price of 1 is worth.
            per_price_e9 = formula.money_e9(PRICE_E9, self._quotes, side)
            away_e9 = beyond_e9 * PRICE_E9 // per_price_e9 if per_price_e9 else 0
            threshold_e9, edge_e9 = px_e9 + side.sign * away_e9, beyond_e9
        else:
            better_e9 = threshold_e9 - px_e9 if side is Side.BUY else px_e9 - threshold_e9
            edge_e9 = formula.money_e9(better_e9, self._quotes, side)
        legs = tuple(self._leg(formula, side, index, taken) for index, taken in enumerate(walks))
        pair_id, newest_ns = formula.spec.pair_id, newest_of(pair)
        return Wish(rule, pair_id, side, units, px_e9, threshold_e9, edge_e9, legs, quote, self._execution, newest_ns)

    def _net_e9(self, formula: PairFormula, rule: RuleMachine, trade: Trade) -> int | None:
        """Money that one unit of a counter-price trade leaves; None where fees are not known."""
        found = edge(formula, rule.spec.costs, trade, self._quotes, self._day_of)
        return None if found is None else found.net_e9 // trade.units

    def _day_of(self, instrument_id: str) -> str:
        return self._days.get(instrument_id) or self._day

    def _leg(self, formula: PairFormula, side: Side, index: int, taken: Walk) -> IntentLeg:
        leg = formula.legs[index]
        quote = self._quotes[leg.spec.instrument_id]
        return IntentLeg(
            leg.spec.instrument_id,
            formula.leg_side(side, index),
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
