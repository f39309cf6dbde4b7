"""Drawn lives of a trigger with its execution: quotes, trades, refusals, time; what every test of rules over time needs."""

from collections.abc import Iterable
from random import Random
from typing import NamedTuple

import msgspec
from test_trigger_core import PLAIN, T, book, status
from trigger_values import DOMESTIC, INSTRUMENTS, SILENCE_NS, THIRD, e9, rule

from gateway.model.conditions import BandKind, MovingBand
from gateway.model.quote import BookState, Quote
from gateway.model.record import Ticked
from gateway.model.rules import RuleMemory
from gateway.model.site import RuleSpec
from gateway.model.trade import (
    ExecutionStatus,
    Intent,
    IntentRefused,
    PairPosition,
    PairTradeChanged,
    PairTradeState,
    RefusalName,
)
from gateway.trigger.core import TriggerCore
from gateway.trigger.wish import Hops, Wish

OK = BookState.OK
Event = Quote | PairTradeChanged | IntentRefused | PairPosition | ExecutionStatus | Ticked


class Given(NamedTuple):
    """An event and when it is taken up."""

    at_ns: int
    what: Event


def draw_rule(draw: Random, rule_id: str = "R") -> RuleSpec:
    """A rule of any of the settings that do not need the hour."""
    low = draw.randrange(-25, 0)
    spec = rule(
        str(low) if draw.random() < 0.9 else None,
        str(draw.randrange(1, 25)),
        units=draw.randrange(1, 4),
        max_units=draw.randrange(3, 6),
        persist_ns=draw.choice((0, 0, 20)),
        cool_down_ns=draw.choice((0, 30, 100)),
        rule_id=rule_id,
    )
    return msgspec.structs.replace(
        spec,
        rearm_e9=e9(str(draw.choice((0, 0, 10)))),
        persist_quotes=draw.choice((0, 0, 2)),
        total_units=draw.choice((None, None, 5)),
        band=draw.choice((None, None, draw_band(draw))),
    )


def draw_band(draw: Random) -> MovingBand:
    kind = draw.choice(tuple(BandKind))
    return MovingBand(kind, 50, draw.randrange(3, 6), 3, e9(draw.choice(("0.5", "1"))), e9("2"))


def new_core(rules: Iterable[RuleSpec], memories: Iterable[RuleMemory] = ()) -> TriggerCore:
    return TriggerCore((PLAIN,), rules, INSTRUMENTS, silence_ns=SILENCE_NS, memories=memories)


class Desk:
    """Execution, drawn: it opens trades of intents or refuses them, and ends them later; it tells what it did last."""

    def __init__(self, draw: Random) -> None:
        self._draw = draw
        self.open: list[PairTradeChanged] = []
        self.net: dict[str, int] = {}
        self.last: dict[str, PairTradeChanged] = {}
        self.seen: list[Intent] = []
        self.incarnation = 5

    def takes(self, intent: Intent, at_ns: int) -> list[Event]:
        self.seen.append(intent)
        if intent.incarnation != self.incarnation or self._draw.random() < 0.1:
            return []  # it died before it could say anything
        if self._draw.random() < 0.2:
            return [IntentRefused(intent.intent_id, "P", intent.rule_id, RefusalName.PAIR_BUSY, "")]
        opened = PairTradeChanged(
            f"T{len(self.seen)}", intent.intent_id, "P", intent.rule_id, intent.side, intent.units, 0,
            PairTradeState.WORKING, (), 0, 0, False, 0, at_ns,
        )  # fmt: skip
        self.open.append(opened)
        self.last[intent.rule_id] = opened
        return [opened]

    def ends(self) -> list[Event]:
        """One open trade comes to its end."""
        if not self.open:
            return []
        opened = self.open.pop(self._draw.randrange(len(self.open)))
        units = self._draw.choice((0, opened.units, opened.units))
        state = PairTradeState.HEDGED if units else PairTradeState.MISSED
        ended = msgspec.structs.replace(opened, state=state, hedged_units=units)
        self.last[opened.rule_id] = ended
        self.net[opened.rule_id] = self.net.get(opened.rule_id, 0) + opened.side.sign * units
        return [PairPosition("P", opened.rule_id, self.net[opened.rule_id]), ended]

    def beats(self, at_ns: int) -> ExecutionStatus:
        """A heartbeat; now and then the first of another life."""
        self.incarnation += self._draw.random() < 0.1
        return self.beat(at_ns)

    def beat(self, at_ns: int) -> ExecutionStatus:
        return status(self.incarnation, at_ns, ("P",) if self.open else ())

    def last_words(self, at_ns: int) -> list[Event]:
        """What a trigger that starts anew is told."""
        positions = [PairPosition("P", name, units) for name, units in self.net.items()]
        return [*positions, *self.last.values(), self.beat(at_ns)]


def draw_quote(draw: Random, at_ns: int) -> Quote:
    bid = draw.randrange(95, 106)
    name = draw.choice((DOMESTIC, DOMESTIC, THIRD))
    size = draw.choice((1, 9))
    return book(name, bid, bid + 1, size, at_ns, draw.choice((OK, OK, OK, OK, OK, BookState.GAP)))


def tell(core: TriggerCore, given: Given) -> list[Wish]:
    """An event into a core, as the trigger's process does it."""
    what, at_ns = given.what, given.at_ns
    if isinstance(what, Quote):
        return core.on_quotes((what,), at_ns)
    if isinstance(what, Ticked):
        core.on_tick(at_ns)
        return []
    core.on_execution(what, at_ns)
    return []


def made(wishes: list[Wish], at_ns: int) -> list[Intent]:
    """The intents of wishes, named by when and which."""
    return [wish.intent(f"I{at_ns}-{wish.rule.spec.rule_id}", Hops(at_ns, at_ns + 1, at_ns + 2)) for wish in wishes]


def first_quotes() -> list[Given]:
    return [Given(T, book(DOMESTIC, 100, 101)), Given(T, book(THIRD, 100, 101))]
