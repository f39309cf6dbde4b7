"""The inputs of a trigger's journal through a core of now, each compared with what the core made of it then.

For `cmc replay`, and for tests. The ids and hop times of intents are given by the journal; all else has to come out the
same: how many pairs were evaluated, the digest of their prices, every field of every intent.

What can go wrong: a quote that the record lacks. It is named; until the instrument's next quote nothing is compared,
and an intent that was made meanwhile is taken as it was: who goes on after "quote missing" compares all that can be.
"""

from collections.abc import Callable
from typing import NamedTuple

from gateway.model.quote import Quote
from gateway.model.record import (
    DayTold,
    Heard,
    HoursHeard,
    InputsLost,
    IntentMade,
    QuotesTaken,
    RulesChanged,
    RuleTimes,
    SamplesLoaded,
    Ticked,
    TriggerInput,
    TriggerStarted,
)
from gateway.model.trade import Intent
from gateway.trigger.core import TriggerCore
from gateway.trigger.wish import Hops, Wish

QuoteOf = Callable[[str, int, int], Quote | None]
"""The quote of an instrument with this incarnation of the feed and this number; None where the record lacks it."""


class Difference(NamedTuple):
    """Where the core of now made something else."""

    what: str
    """"evaluation", "intent", "quote missing", "inputs lost"."""
    then: object
    now: object


class Refeed:
    """A core of now that is fed what another one took in."""

    def __init__(self, started: TriggerStarted, quote_of: QuoteOf) -> None:
        listed = {one.instrument_id: one for one in started.instruments}
        self.core = TriggerCore(
            started.pairs, started.rules, listed, silence_ns=started.silence_ns, memories=started.memories
        )
        self._names = [one.instrument_id for one in started.instruments]
        self._quote_of = quote_of
        self._wishes: list[Wish] = []
        self._unknown: set[str] = set()
        """Instruments whose newest quote the record lacks."""
        self.evaluations = self.intents = self.missing = 0
        """Pairs that were evaluated and compared, intents, quotes that the record lacks."""

    def take(self, one: TriggerInput) -> Difference | None:
        """Feed one input, in the order of the journal; the difference that it shows, if any."""
        if isinstance(one, IntentMade):
            return self._intent(one)
        if self._wishes and not self._unknown:
            wish = self._wishes[0]
            return Difference("intent", None, (wish.rule.spec.rule_id, wish.side, wish.units, wish.pair_px_e9))
        self._wishes = []
        if isinstance(one, QuotesTaken):
            return self._quotes(one)
        if isinstance(one, InputsLost):
            return Difference("inputs lost", one.inputs, one.why)
        self._tell(one)
        return None

    def _tell(self, one: Heard | HoursHeard | RuleTimes | DayTold | SamplesLoaded | Ticked | RulesChanged) -> None:
        core = self.core
        match one:
            case Heard():
                core.on_execution(one.what, one.at_ns)
            case HoursHeard():
                change = one.what
                core.on_hours(change.instrument_id, is_open=change.open, trading_day=change.trading_day)
            case RuleTimes():
                core.on_rule_times(one)
            case DayTold():
                core.on_day(one.day)
            case SamplesLoaded():
                core.on_samples(one)
            case Ticked():
                core.on_tick(one.at_ns)
            case RulesChanged():
                if one.answer.done:
                    self._wishes = core.change(one.command, one.at_ns)

    def _quotes(self, one: QuotesTaken) -> Difference | None:
        quotes, missing = [], None
        for place, incarnation, seq in one.quotes:
            name = self._names[place]
            quote = self._quote_of(name, incarnation, seq)
            if quote is None:
                self.missing += 1
                self._unknown.add(name)
                missing = missing or Difference("quote missing", (name, incarnation, seq), None)
            else:
                self._unknown.discard(name)
                quotes.append(quote)
        self._wishes = self.core.on_quotes(quotes, one.at_ns)
        if missing is not None or self._unknown:
            return missing
        looks, digest = self.core.evaluated()
        self.evaluations += looks
        if (looks, digest) != (one.looks, one.digest):
            return Difference("evaluation", (one.looks, one.digest), (looks, digest))
        return None

    def _intent(self, one: IntentMade) -> Difference | None:
        then = one.intent
        if not self._wishes or (self._unknown and self._wishes[0].rule.spec.rule_id != then.rule_id):
            if not self._unknown:
                return Difference("intent", then, None)
            self._follow(then)
            return None
        wish = self._wishes.pop(0)
        now: Intent = wish.intent(then.intent_id, Hops(then.taken_ns, then.evaluated_ns, then.decided_ns))
        self.intents += 1
        if now != then and not self._unknown:
            return Difference("intent", then, now)
        if not one.sent:
            self.core.on_unsent(now, one.sent_ns)
        return None

    def _follow(self, then: Intent) -> None:
        """Have the rule fire as it did: the quotes that would show why are not in the record."""
        rule = self.core.rules.machines.get(then.rule_id)
        if rule is not None:
            newest_ns = max(leg.recv_ns for leg in then.legs)
            rule.fired(then.intent_id, then.expires_ns, then.side, then.units, newest_ns)
