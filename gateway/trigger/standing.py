"""A pair's prices at one unit as they stand, carried along quote by quote.

A quote changes the parts of the legs that it touches; a look at the pair then is a few sums of whole numbers, compared
with thresholds that were scaled once. Nothing is divided or built until somebody wants to see a price. The prices are
those of `gateway/trigger/price.py` to the last digit; a test compares them on random books.

A pair whose price is a formula has its legs' costs and its references' ticks stand here, and its code takes them
together at each look.

What can go wrong: a leg's parts are right only while its quote and its currency's quote may be traded on. `unusable`
counts the instruments of which that is not so, and no price is looked at until it is 0.
"""

from collections.abc import Iterable
from typing import NamedTuple

from gateway.model.base import PRICE_E9
from gateway.model.order import Side
from gateway.model.trade import PairPrice
from gateway.trigger.depth import whole_units
from gateway.trigger.formula import ExpressionFormula, NamedBook
from gateway.trigger.price import PairFormula, against_us, book_side
from gateway.trigger.rule import RuleMachine
from gateway.trigger.seats import Seat, StandingLeg, StandingReference, shared

NOT_OF_TODAY = "its currency fixing is not of today"


class StandingRule(NamedTuple):
    """A rule with its thresholds in the pair's scale; None: not on that side."""

    machine: RuleMachine
    buy_limit: int | None
    sell_limit: int | None


class StandingPair:
    """A pair with its legs and rules, and its prices at the last look, as numbers to compare.

    Buying the pair meets a rule's limit when buy <= limit x buy_scale, selling it when sell >= limit x sell_scale; None
    where the books do not hold one unit, or where there is no price. `holding` tells that a rule's condition was met at
    the last look, so that the rule has to hear when it is gone, or that one waits for the price to come back.
    """

    __slots__ = (
        "at_ns", "buy", "buy_scale", "currencies", "expression", "first", "fixing", "formula", "fresh", "holders",
        "holding", "is_spread", "legs", "max_fx_age_ns", "max_skew_ns", "nearest_buy", "nearest_sell", "of_two",
        "others", "priced", "reason", "rules", "seats", "second", "sell", "sell_scale", "unusable",
    )  # fmt: skip

    def __init__(self, formula: PairFormula, machines: Iterable[RuleMachine], seats: dict[str, Seat]) -> None:
        self.formula = formula
        self.is_spread = formula.is_spread
        self.expression = formula.expression
        named = self.expression is not None
        self.legs = tuple(
            StandingLeg(leg, seats[leg.spec.instrument_id], None if named else seats.get(leg.fx_instrument_id))
            for leg in formula.legs
        )
        references = self.expression.references if self.expression is not None else ()
        self.holders: tuple[StandingLeg | StandingReference, ...] = (
            *self.legs,
            *(StandingReference(seats[one.instrument_id]) for one in references),
        )
        self.reason = ""
        """Why a formula has no price although every book holds a unit."""
        self.first = self.legs[0]
        self.others = self.legs[1:]
        self.second = self.legs[-1]
        self.of_two = self.is_spread and len(self.legs) == 2  # noqa: PLR2004 - two
        self.rules: tuple[StandingRule, ...] = ()
        self.seats = tuple(seats[name] for name in formula.instrument_ids)
        self.max_skew_ns = shared(formula.spec.max_quote_skew_ns)
        traded = {leg.spec.instrument_id for leg in formula.legs}
        self.currencies = tuple(seat for seat in self.seats if seat.name not in traded)
        self.max_fx_age_ns = shared(formula.spec.max_fx_age_ns)
        self.fixing = NOT_OF_TODAY if formula.spec.fixing_date else ""
        """Why its fixed currency rate may not be used; empty when it may."""
        self.unusable = len(self.seats) + self.lacking
        self.buy: int | None = None
        self.sell: int | None = None
        self.buy_scale = self.sell_scale = 1
        self.nearest_buy: int | None = None
        self.nearest_sell: int | None = None
        self.holding = self.priced = False
        self.at_ns = 0
        self.fresh = False
        """Looked at since it was last told."""
        for seat in self.seats:
            seat.touched.append((self, tuple(one for one in self.holders if seat in (one.seat, one.fx))))
        self.watch(machines)

    def watch(self, machines: Iterable[RuleMachine]) -> None:
        """These rules from now on, each at its thresholds of now; all of them hear of the next look.

        Only a moving band has others than before.
        """
        known = {id(one.machine): one for one in self.rules if one.machine.band is None}
        formula = self.formula
        self.rules = tuple([known.get(id(one)) or StandingRule(one, *limits(formula, one)) for one in machines])
        self.nearest_buy = max([one.buy_limit for one in self.rules if one.buy_limit is not None], default=None)
        self.nearest_sell = min([one.sell_limit for one in self.rules if one.sell_limit is not None], default=None)
        self.holding = any(one.machine.wants_every_look for one in self.rules)

    @property
    def lacking(self) -> bool:
        """A formula's parameter has no value for the day, or a fixed currency rate is not of it."""
        return bool(self.fixing) or (self.expression is not None and bool(self.expression.why))

    def on_fixing(self, *, holds: bool) -> None:
        """Its fixed currency rate is of today, or is no more."""
        before = self.lacking
        self.fixing = "" if holds or not self.formula.spec.fixing_date else NOT_OF_TODAY
        self.unusable += self.lacking - before
        self.fresh = True

    def on_day(self, trading_day: str) -> None:
        """The first leg's trading day is now this one: the formula takes the parameters of that day."""
        if self.expression is not None:
            before = self.lacking
            self.expression.on_day(trading_day)
            self.unusable += self.lacking - before
            self.fresh = True

    def replaced_by(self, formula: PairFormula, seats: dict[str, Seat]) -> "StandingPair":
        """The same pair with other coefficients, in this one's place, priced from the quotes that are there."""
        made = StandingPair(formula, (one.machine for one in self.rules), seats)
        if self.expression is not None and self.expression.day is not None:
            made.on_day(self.expression.day)
        made.fixing = self.fixing if formula.spec.fixing_date else ""
        made.unusable = sum(not seat.usable for seat in made.seats) + made.lacking
        for seat in made.seats:
            entry = seat.touched.pop()
            seat.touched[next(place for place, (pair, _) in enumerate(seat.touched) if pair is self)] = entry
        for one in made.holders:
            one.reprice()
        made.fresh = True
        return made

    def look(self, at_ns: int) -> bool:  # noqa: PLR0911 - for every pair that a quote touches: no calls
        """Set the prices, or `priced` to False when something stands in their way (`obstacle` names it); True when a
        rule has to hear of it.
        """
        self.at_ns = at_ns
        self.fresh = True
        self.priced = False
        if self.unusable:
            return self.holding
        if not self.of_two:
            return self._look_at_legs(at_ns)
        first, second = self.first, self.second
        first_ns, second_ns = first.recv_ns, second.recv_ns
        if at_ns - first_ns > first.max_age_ns or at_ns - second_ns > second.max_age_ns:
            return self.holding
        for seat in self.currencies:
            if seat.quote is not None and at_ns - seat.quote.recv_ns > self.max_fx_age_ns:
                return self.holding
        # By calibrated times where both have one (0: it has none), else by arrival, as in `obstacle`.
        if first.calibrated_ns and second.calibrated_ns:
            first_ns, second_ns = first.calibrated_ns, second.calibrated_ns
        if abs(first_ns - second_ns) > self.max_skew_ns:
            return self.holding
        self.priced = True
        ask, bid = first.ask, second.bid
        self.buy = buy = None if ask is None or bid is None else ask - bid
        ask, bid = second.ask, first.bid
        self.sell = sell = None if ask is None or bid is None else bid - ask
        nearest = self.nearest_buy
        if buy is not None and nearest is not None and buy <= nearest:
            return True
        nearest = self.nearest_sell
        return (sell is not None and nearest is not None and sell >= nearest) or self.holding

    def _look_at_legs(self, at_ns: int) -> bool:  # noqa: C901, PLR0911 - as above
        """As `look`, for any number of legs and every kind."""
        first = self.first
        buy, sell = first.ask, first.bid
        oldest_ns = newest_ns = first.recv_ns
        earliest_ns = latest_ns = first.calibrated_ns
        if at_ns - oldest_ns > first.max_age_ns:
            return self.holding
        for seat in self.currencies:
            if seat.quote is not None and at_ns - seat.quote.recv_ns > self.max_fx_age_ns:
                return self.holding
        for leg in self.others:
            recv_ns = leg.recv_ns
            if at_ns - recv_ns > leg.max_age_ns:
                return self.holding
            if recv_ns < oldest_ns:
                oldest_ns = recv_ns
            elif recv_ns > newest_ns:
                newest_ns = recv_ns
            calibrated_ns = leg.calibrated_ns
            if calibrated_ns < earliest_ns:
                earliest_ns = calibrated_ns
            elif calibrated_ns > latest_ns:
                latest_ns = calibrated_ns
            buy = None if buy is None or leg.bid is None else buy - leg.bid
            sell = None if sell is None or leg.ask is None else sell - leg.ask
        # By calibrated times where every leg has one (0: it has none), else by arrival, as in `obstacle`.
        if (latest_ns - earliest_ns if earliest_ns else newest_ns - oldest_ns) > self.max_skew_ns:
            return self.holding
        self.priced = True
        if not self.is_spread:
            if self.expression is not None:
                return self._expressed(self.expression)
            self._ratio()
            return True
        self.buy, self.sell = buy, sell
        return (
            (buy is not None and self.nearest_buy is not None and buy <= self.nearest_buy)
            or (sell is not None and self.nearest_sell is not None and sell >= self.nearest_sell)
            or self.holding
        )

    def met(self, rule: StandingRule) -> tuple[Side, ...]:
        """The sides on which the rule's threshold is met at the last look."""
        if not self.priced:
            return ()
        sides = []
        if self.buy is not None and rule.buy_limit is not None and self.buy <= rule.buy_limit * self.buy_scale:
            sides.append(Side.BUY)
        if self.sell is not None and rule.sell_limit is not None and self.sell >= rule.sell_limit * self.sell_scale:
            sides.append(Side.SELL)
        return tuple(sides)

    def _ratio(self) -> None:
        """First over second; what the second brings or costs has to be above 0."""
        second = self.others[0]
        self.buy = self.sell = None
        if self.first.ask is not None and second.bid is not None and second.bid > 0:
            self.buy, self.buy_scale = self.first.ask * PRICE_E9, second.bid
        if self.first.bid is not None and second.ask is not None and second.ask > 0:
            self.sell, self.sell_scale = self.first.bid * PRICE_E9, second.ask

    def _expressed(self, formula: ExpressionFormula) -> bool:
        """By the formula's code; True when a rule has to hear of it."""
        both = formula.both
        found = None if both is None else both(self.holders)
        if found is not None:
            above, below, sell_above, sell_below = found
            self.buy, self.buy_scale, self.sell, self.sell_scale = found
            self.reason = ""
            nearest_buy, nearest_sell = self.nearest_buy, self.nearest_sell
            return (
                (nearest_buy is not None and above <= nearest_buy * below)
                or (nearest_sell is not None and sell_above >= nearest_sell * sell_below)
                or self.holding
            )
        return self._expressed_apart(formula)

    def _expressed_apart(self, formula: ExpressionFormula) -> bool:
        """As `_expressed` where one side has no price, or what it takes depends on values."""
        buy = formula.worst(Side.BUY, self.holders)
        sell = formula.worst(Side.SELL, self.holders)
        self.reason = ""
        if buy is None or sell is None:
            books = self._books(formula)
            turned = formula.turned(books)
            buy, reason = (buy, "") if buy else formula.carefully(Side.BUY, books, turned)
            sell, other = (sell, "") if sell else formula.carefully(Side.SELL, books, turned)
            self.reason = reason or other
        self.buy, self.buy_scale = buy or (None, 1)
        self.sell, self.sell_scale = sell or (None, 1)
        return (
            (buy is not None and self.nearest_buy is not None and buy[0] <= self.nearest_buy * buy[1])
            or (sell is not None and self.nearest_sell is not None and sell[0] >= self.nearest_sell * sell[1])
            or self.holding
        )

    def _books(self, formula: ExpressionFormula) -> list[NamedBook]:
        """Both sides of every name as they stand, exact."""
        return [
            NamedBook(
                None if one.bid is None else one.bid * taken.scale, None if one.ask is None else one.ask * taken.scale
            )
            for one, taken in zip(self.holders, formula.taken.values(), strict=True)
        ]

    def obstacle(self, at_ns: int) -> str:
        """Why the pair has no price at `at_ns`; empty when it has one."""
        if self.expression is not None and self.expression.why:
            return self.expression.why
        if self.fixing:
            return self.fixing
        unusable = next((seat.obstacle for seat in self.seats if not seat.usable), "")
        if unusable:
            return unusable
        for seat in self.currencies:
            if seat.quote is not None and at_ns - seat.quote.recv_ns > self.max_fx_age_ns:
                return f"{seat.name}: stale"
        for leg in self.legs:
            if at_ns - leg.recv_ns > leg.max_age_ns:
                return f"{leg.seat.name}: stale"
        times = [leg.calibrated_ns for leg in self.legs]
        if not all(times):
            times = [leg.recv_ns for leg in self.legs]
        return "quotes of the legs too far apart" if max(times) - min(times) > self.max_skew_ns else ""

    def units(self, side: Side) -> int:
        """Whole units that all books hold together, at any price."""
        sides = [self.formula.leg_side(side, index) for index in range(len(self.legs))]
        return min(
            whole_units(book_side(leg.seat.quote, taken), leg.lots) if leg.seat.quote else 0
            for leg, taken in zip(self.legs, sides, strict=True)
        )

    def told(self, verdict: str) -> PairPrice:
        """The price as it is published: with `verdict` where nothing of its own stands in the way."""
        self.fresh = False
        machine = self.rules[0].machine if self.rules else None
        thresholds = (machine.threshold_e9(Side.BUY), machine.threshold_e9(Side.SELL)) if machine else (None, None)
        obstacle = self.obstacle(self.at_ns)
        pair_id = self.formula.spec.pair_id
        if obstacle:
            return PairPrice(pair_id, self.at_ns, None, None, 0, 0, *thresholds, obstacle)
        buy_e9, sell_e9 = self.price_e9(Side.BUY), self.price_e9(Side.SELL)
        buys, sells = self.units(Side.BUY), self.units(Side.SELL)
        verdict = self.reason or verdict
        return PairPrice(pair_id, self.at_ns, buy_e9, sell_e9, buys, sells, *thresholds, verdict)

    def price_e9(self, side: Side) -> int | None:
        """The price of one unit as it stands; None where the books do not hold it."""
        if self.expression is not None:
            above, below = (self.buy, self.buy_scale) if side is Side.BUY else (self.sell, self.sell_scale)
            return None if above is None else against_us(side, above, below)
        parts = [
            leg.ask if self.formula.leg_side(side, index) is Side.BUY else leg.bid
            for index, leg in enumerate(self.legs)
        ]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        return self.formula.round_e9(side, known[0], sum(known[1:]), 1)


def limits(formula: PairFormula, machine: RuleMachine) -> tuple[int | None, int | None]:
    """The rule's thresholds in the scale of the pair's looks."""
    both = (machine.limit_e9(Side.BUY), machine.limit_e9(Side.SELL))
    if not formula.is_spread:
        return both
    charges_e9 = formula.spec.charges_e9
    buy, sell = (None if one is None else (one - charges_e9) * formula.denominator for one in both)
    return buy, sell
