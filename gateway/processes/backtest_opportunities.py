"""Opportunities of a backtest: when the true books met a rule, and what became of each; of a missed one, why.

An *opportunity* is a stretch of time in which the true books of a pair, all at their venues' own instant, meet a rule's
threshold on one side at one unit. Nobody can see them so: quotes arrive late, some venues show a book twice a second.
Each gets one outcome:

    captured                   a pair trade of it was hedged
    refused: NAME              the gate of execution refused the intent
    unwound, missed, halted    a pair trade was opened and did not end hedged
    not free: WORDS            the rule saw it and could not fire: a trade of it was open, it cooled down, had no room
    no price: WORDS            a leg's quote was stale, shut, in a gap, or too far from the other's
    not seen                   it was over before the quotes that showed it had arrived

An intent that belongs to no opportunity was made on quotes of two times that never stood together: a *phantom*.

What can go wrong: a moving band is the one that the trigger has at this moment, which sees the market later.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.quote import BookState, Levels, Quote
from gateway.model.site import PairSpec, RuleSpec
from gateway.model.trade import Intent, IntentRefused, PairPrice, PairTradeChanged, PairTradeState
from gateway.trigger.core import TriggerCore

FOREVER_NS = 10**18
TRADES = frozenset({"3", "17"})
"""SecurityTradingStatus(326) in which orders match."""
CAPTURED, NOT_SEEN, PHANTOM = "captured", "not seen", "phantom"
OPEN_TRADE = "a trade of it was open"
NO_ROOM = "no room on that side"
HELD_TOO_SHORT = "not held for long enough"
UNFINISHED = "unfinished"
TOO_THIN = "not enough lots in the books"
_ENDS = {
    PairTradeState.HEDGED: CAPTURED,
    PairTradeState.UNWOUND: "unwound",
    PairTradeState.MISSED: "missed",
    PairTradeState.HALTED: "halted",
}
_BEST = (CAPTURED, "unwound", "halted", "missed")
"""Of several trades of one opportunity, the outcome that counts; a refusal counts last."""


class Books(StrEnum):
    """Whose books a price is of."""

    TRUE = "true"
    SEEN = "seen"


Beyond = Callable[[str, Side, int, Books], int | None]
"""(rule, side, price, books): how far the price is beyond what the rule asks for; None where it is not met."""


@dataclass(slots=True)
class Opportunity:
    """One of them. `end_ns` is 0 while it lasts; `best_e9` is how far the price was beyond the threshold at best."""

    rule_id: str
    pair_id: str
    side: Side
    begin_ns: int
    end_ns: int = 0
    best_e9: int = 0
    best_units: int = 0
    intents: list[str] = field(default_factory=list)
    seen_ns: int = 0
    obstacles: Counter[str] = field(default_factory=Counter)
    not_free: Counter[str] = field(default_factory=Counter)

    def is_near(self, at_ns: int, grace_ns: int) -> bool:
        """Whether what is seen at `at_ns` may still be it."""
        return not self.end_ns or at_ns <= self.end_ns + grace_ns


class TruePrices:
    """Prices of pairs from true books, priced by the trigger's own formulas with no limit on age."""

    def __init__(self, pairs: Iterable[PairSpec], instruments: Mapping[str, Instrument]) -> None:
        listed = tuple(pairs)
        self._core = TriggerCore((_ageless(one) for one in listed), (), instruments, silence_ns=1)
        self._count = 0
        self.quotes: dict[str, Quote] = {}
        self._stood: dict[str, tuple[object, ...]] = {}
        self._most: dict[str, int] = {}
        """Lots that one unit of any pair takes; a reference's touch counts at any size."""
        for leg in (leg for pair in listed for leg in pair.legs):
            self._most[leg.instrument_id] = max(leg.ratio_lots, self._most.get(leg.instrument_id, 0))

    def on_day(self, day: str) -> None:
        """The date that dated parameters count by."""
        self._core.on_day(day)

    def on_hours(self, instrument_id: str, trading_day: str) -> None:
        """The trading day of an instrument; whether it trades, its book's status says."""
        self._core.on_hours(instrument_id, is_open=True, trading_day=trading_day)

    def take(self, instrument_id: str, bids: Levels, asks: Levels, status: str, at_ns: int) -> list[PairPrice]:
        """Prices that are others after this book."""
        stands = self._touch(instrument_id, bids), self._touch(instrument_id, asks), status
        if stands == self._stood.get(instrument_id):
            return []
        self._stood[instrument_id] = stands
        self._count += 1
        state = BookState.OK if status in TRADES else BookState.SHUT
        if state is BookState.OK and not (bids and asks and bids[0][0] < asks[0][0]):
            state = BookState.ONE_SIDED
        quote = Quote(instrument_id, state, bids, asks, at_ns, at_ns, at_ns, self._count, 0, at_ns)
        self.quotes[instrument_id] = quote
        self._core.on_quotes((quote,), at_ns)
        return self._core.changed_prices()

    def fixed(self, quote: Quote, at_ns: int) -> list[PairPrice]:
        """A fixing stands in for a reference without a live book: it is as true as it gets."""
        self.quotes[quote.instrument_id] = quote
        self._core.on_quotes((quote,), at_ns)
        return self._core.changed_prices()

    def _touch(self, instrument_id: str, levels: Levels) -> object:
        """What one unit's price depends on: the best price where its lots are enough, else the whole side."""
        if levels and levels[0][1] >= self._most.get(instrument_id, 0):
            return levels[0][0]
        return levels


def _ageless(pair: PairSpec) -> PairSpec:
    legs = tuple(msgspec.structs.replace(leg, max_quote_age_ns=FOREVER_NS) for leg in pair.legs)
    return msgspec.structs.replace(pair, legs=legs, max_quote_skew_ns=FOREVER_NS, max_fx_age_ns=FOREVER_NS)


class Opportunities:
    """All of one backtest. `grace_ns` is how long after its end a pair's opportunity may still be seen."""

    def __init__(
        self,
        rules: Iterable[RuleSpec],
        grace_ns: Mapping[str, int],
        beyond_e9: Beyond,
        why_not: Callable[[str, Side, int], str],
    ) -> None:
        self.found: list[Opportunity] = []
        self.phantoms: Counter[str] = Counter()
        """Intents by rule."""
        self._grace_ns = grace_ns
        self._beyond_e9 = beyond_e9
        self._why_not = why_not
        self._last: dict[tuple[str, Side], Opportunity] = {}
        self._lasting = 0
        self._until_ns = 0
        self._by_pair: dict[str, list[str]] = {}
        self._ends: dict[str, str] = {}
        """Intent -> how it ended, or how its trade did."""
        for rule in rules:
            self._by_pair.setdefault(rule.pair_id, []).append(rule.rule_id)

    def may_be_seen(self, at_ns: int) -> bool:
        """Whether what the trigger sees now may be one of them."""
        return self._lasting > 0 or at_ns <= self._until_ns

    def on_true(self, prices: Iterable[PairPrice]) -> None:
        """Prices of the true books: opportunities begin and end."""
        for price in prices:
            for rule_id in self._by_pair.get(price.pair_id, ()):
                for side, px_e9, units in _sides(price):
                    self._look(rule_id, price, side, px_e9, units)

    def on_seen(self, prices: Iterable[PairPrice]) -> None:
        """Prices as the trigger has them: why an opportunity is not taken."""
        for price in prices:
            for rule_id in self._by_pair.get(price.pair_id, ()):
                for side, px_e9, _ in _sides(price):
                    one = self._near(rule_id, price.pair_id, side, price.at_ns)
                    if one is None:
                        continue
                    if px_e9 is None:
                        one.obstacles[_without_name(price.verdict)] += 1
                    elif self._beyond_e9(rule_id, side, px_e9, Books.SEEN) is not None:
                        one.seen_ns = one.seen_ns or price.at_ns
                        one.not_free[self._why_not(rule_id, side, price.at_ns)] += 1

    def on_intent(self, intent: Intent) -> None:
        """An intent was made: of which opportunity?"""
        one = self._near(intent.rule_id, intent.pair_id, intent.side, intent.decided_ns)
        if one is None:
            self.phantoms[intent.rule_id] += 1
        else:
            one.intents.append(intent.intent_id)

    def on_refused(self, refused: IntentRefused) -> None:
        self._ends[refused.intent_id] = f"refused: {refused.name.value}"

    def on_trade(self, trade: PairTradeChanged) -> None:
        self._ends[trade.intent_id] = _ENDS.get(trade.state, UNFINISHED)

    def close(self, at_ns: int) -> None:
        """The backtest has ended: so do those that last."""
        for one in self._last.values():
            one.end_ns = one.end_ns or at_ns

    def outcome(self, one: Opportunity) -> str:
        """What became of it."""
        ends = [self._ends.get(name, UNFINISHED) for name in one.intents]
        if ends:
            return next((best for best in _BEST if best in ends), ends[-1])
        if one.not_free:
            return f"not free: {one.not_free.most_common(1)[0][0]}"
        if one.obstacles:
            return f"no price: {one.obstacles.most_common(1)[0][0]}"
        return NOT_SEEN

    def _look(self, rule_id: str, price: PairPrice, side: Side, px_e9: int | None, units: int) -> None:
        last = self._last.get((rule_id, side))
        beyond_e9 = None if px_e9 is None else self._beyond_e9(rule_id, side, px_e9, Books.TRUE)
        if beyond_e9 is None:
            if last is not None and not last.end_ns:
                last.end_ns = price.at_ns
                self._lasting -= 1
                self._until_ns = max(self._until_ns, price.at_ns + self._grace_ns[price.pair_id])
            return
        if last is None or last.end_ns:
            last = Opportunity(rule_id, price.pair_id, side, price.at_ns, best_e9=beyond_e9, best_units=units)
            self._last[rule_id, side] = last
            self._lasting += 1
            self.found.append(last)
        elif beyond_e9 > last.best_e9:
            last.best_e9, last.best_units = beyond_e9, units

    def _near(self, rule_id: str, pair_id: str, side: Side, at_ns: int) -> Opportunity | None:
        last = self._last.get((rule_id, side))
        return last if last is not None and last.is_near(at_ns, self._grace_ns[pair_id]) else None


def _sides(price: PairPrice) -> tuple[tuple[Side, int | None, int], ...]:
    return (Side.BUY, price.buy_px_e9, price.buy_units), (Side.SELL, price.sell_px_e9, price.sell_units)


def _without_name(verdict: str) -> str:
    """What stands in the way, without the instrument, so that it can be counted; nothing: the books are too thin."""
    return TOO_THIN if verdict == "ok" else verdict.rpartition(": ")[2]
