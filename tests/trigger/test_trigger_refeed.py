"""What a trigger's journal holds is enough to come to every evaluation and intent again; another trigger is found out."""

from collections.abc import Iterator
from random import Random

import msgspec
import pytest
from rule_lives import Desk, Event, Given, draw_quote, draw_rule, first_quotes, new_core
from test_trigger_core import PLAIN, T
from trigger_values import INSTRUMENTS, SILENCE_NS

from gateway.model.base import made as fraction_of
from gateway.model.base import plain
from gateway.model.quote import Quote
from gateway.model.record import (
    Consumed,
    Heard,
    InputsLost,
    IntentMade,
    JournalRecord,
    QuotesTaken,
    RulesChanged,
    Ticked,
    TriggerInput,
    TriggerStarted,
)
from gateway.model.rules import ChangeRules
from gateway.model.trade import CommandAnswered, Intent
from gateway.trigger.refeed import Difference, Refeed
from gateway.trigger.wish import Hops, Wish

NAMES = tuple(INSTRUMENTS)


class Recorded:
    """A trigger whose inputs are written down as its process does it."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)  # noqa: S311 drawn lives, not secrets
        rules = (draw_rule(self.draw, "R"), draw_rule(self.draw, "S"))
        self.core = new_core(rules)
        self.desk = Desk(self.draw)
        self.quotes: dict[tuple[str, int, int], Quote] = {}
        self.inputs: list[TriggerInput] = []
        listed = tuple(INSTRUMENTS.values())
        self.started = TriggerStarted(T, SILENCE_NS, listed, (PLAIN,), rules, ())

    def live(self, steps: int) -> None:
        for given in [*first_quotes(), Given(T, self.desk.beats(T))]:
            self.take(given)
        at_ns = T
        for _ in range(steps):
            at_ns += self.draw.randrange(1, 30)
            events: list[Event] = []
            match self.draw.randrange(9):
                case 0:
                    events = [self.desk.beats(at_ns)]
                case 1:
                    events = self.desk.ends()
                case 2:
                    events = [Ticked(at_ns)]
                case 3:
                    events = self.change(at_ns)
                case _:
                    events = [draw_quote(self.draw, at_ns)]
            while events:
                events += self.take(Given(at_ns, events.pop(0)))

    def take(self, given: Given) -> list[Event]:
        what, at_ns = given.what, given.at_ns
        if isinstance(what, Quote):
            seq = len(self.quotes) + 1
            self.quotes[what.instrument_id, 3, seq] = what
            wishes = self.core.on_quotes((what,), at_ns)
            sent = self.send(wishes, at_ns)
            ref = (NAMES.index(what.instrument_id), 3, seq)
            self.inputs.append(QuotesTaken(at_ns, (ref,), *self.core.evaluated()))
            return self.note(sent, at_ns)
        if isinstance(what, Ticked):
            self.core.on_tick(at_ns)
            self.inputs.append(what)
        else:
            self.core.on_execution(what, at_ns)
            self.inputs.append(Heard(at_ns, what))
        return []

    def change(self, at_ns: int) -> list[Event]:
        command = ChangeRules(f"K{at_ns}", "w", "r", (draw_rule(self.draw, self.draw.choice("RST")),))
        sent = self.send(self.core.change(command, at_ns), at_ns)
        self.inputs.append(RulesChanged(at_ns, command, CommandAnswered(command.command_id, done=True, text="")))
        return self.note(sent, at_ns)

    def send(self, wishes: list[Wish], at_ns: int) -> list[IntentMade]:
        made = []
        for wish in wishes:
            intent = wish.intent(f"I{len(self.inputs)}-{wish.rule.spec.rule_id}", Hops(at_ns, at_ns + 1, at_ns + 2))
            sent = self.draw.random() < 0.9
            made.append(IntentMade(intent, sent, at_ns + 3))
            if not sent:
                self.core.on_unsent(intent, at_ns + 3)
        return made

    def note(self, sent: list[IntentMade], at_ns: int) -> list[Event]:
        self.inputs += sent
        return [word for one in sent if one.sent for word in self.desk.takes(one.intent, at_ns)]

    def feed(self, inputs: list[TriggerInput]) -> Iterator[Difference]:
        refed = Refeed(self.started, lambda *key: self.quotes.get(key))
        for one in inputs:
            found = refed.take(one)
            if found is not None:
                yield found
                return


def recorded(seed: int, steps: int = 150) -> Recorded:
    one = Recorded(seed)
    one.live(steps)
    return one


@pytest.mark.parametrize("seed", range(25))
def test_the_inputs_of_a_life_give_it_again(seed: int) -> None:
    """Written as records and read back: every digest and every intent of a drawn life, its changes of rules included."""
    one = recorded(seed)
    record = Consumed(1, tuple(one.inputs))
    data = msgspec.msgpack.encode(record, enc_hook=plain)
    read = msgspec.msgpack.decode(data, type=JournalRecord, dec_hook=fraction_of)
    assert read == record
    assert isinstance(read, Consumed)
    assert list(one.feed(list(read.inputs))) == []


def test_the_lives_hold_intents_and_changes() -> None:
    """Otherwise the test above would say nothing."""
    kinds = [type(given) for seed in range(25) for given in recorded(seed).inputs]
    assert kinds.count(IntentMade) > 25
    assert kinds.count(RulesChanged) > 100


def test_another_intent_another_price_and_a_lost_quote_are_shown() -> None:
    """The first difference is named with both versions."""
    lives = (recorded(seed) for seed in range(99))
    one = next(life for life in lives if any(isinstance(given, IntentMade) for given in life.inputs))
    place = next(at for at, given in enumerate(one.inputs) if isinstance(given, IntentMade))
    fired = one.inputs[place]
    assert isinstance(fired, IntentMade)
    other = msgspec.structs.replace(fired, intent=msgspec.structs.replace(fired.intent, units=9))
    (found,) = one.feed([*one.inputs[:place], other, *one.inputs[place + 1 :]])
    assert found.what == "intent"
    assert isinstance(found.then, Intent)
    assert isinstance(found.now, Intent)
    assert (found.then.units, found.now) == (9, fired.intent)
    (found,) = one.feed([*one.inputs[:place], Ticked(T)])
    assert (found.what, found.then) == ("intent", None)
    taken = one.inputs[0]
    assert isinstance(taken, QuotesTaken)
    (found,) = one.feed([msgspec.structs.replace(taken, digest=taken.digest + 1)])
    assert found.what == "evaluation"
    (found,) = one.feed([msgspec.structs.replace(taken, quotes=((0, 3, 999),))])
    assert (found.what, found.then) == ("quote missing", (NAMES[0], 3, 999))
    (found,) = one.feed([InputsLost(T, 7, "disk full")])
    assert found == Difference("inputs lost", 7, "disk full")
