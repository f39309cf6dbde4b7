"""A world in which nothing is drawn: a tape written by hand, faults by the number of an order, calls at set times.

The pair P1 buys SHFE.shfe and sells LME.lme, `ratio` lots each; its rule buys at or below -40.
CHEAP is a book of SHFE at which it buys, AGREE one at which it does nothing. All invariants of the simulation are checked, and
the world must come to rest.
"""

# ruff: noqa: ANN401 - settings are changed by name

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import msgspec

from gateway.execution.ledger import ExecutionSettings
from gateway.execution.pair_trade import PairTrade
from gateway.model.instrument import PositionModel
from gateway.model.order import Order
from gateway.model.trade import Alarm, Command, Intent, IntentRefused, Verb
from simulators.core.config import FaultSpec
from simulators.core.tape import TapeBook, TapeEvent, TapeStatus
from tests.simulation.installation import TICK, Installation, Way, installation
from tests.simulation.market_tape import WorldTape
from tests.simulation.plan import MS, SECOND, Plan
from tests.simulation.sim_world import CALM_NS, World

NEAR, FAR = "SHFE.shfe", "LME.lme"
CHEAP, AGREE = 3_990, 4_000
Levels = tuple[tuple[int, int], ...]


def book(at_ms: int, instrument: str, bid: int | None, ask: int | None, lots: int = 100) -> TapeBook:
    """Three levels a side; None: no level there."""
    bids: Levels = () if bid is None else tuple((bid - step, lots) for step in range(3))
    asks: Levels = () if ask is None else tuple((ask + step, lots) for step in range(3))
    venue, _, symbol = instrument.partition(".")
    return TapeBook(at_ms * MS, venue, symbol, bids, asks)


def near(at_ms: int, bid: int, lots: int = 100) -> TapeBook:
    return book(at_ms, NEAR, bid, bid + 1, lots)


def far(at_ms: int, bid: int, lots: int = 100) -> TapeBook:
    return book(at_ms, FAR, bid, bid + 1, lots)


def status(at_ms: int, instrument: str, value: str) -> TapeStatus:
    venue, _, symbol = instrument.partition(".")
    return TapeStatus(at_ms * MS, venue, symbol, value)


CHEAP_AT_1S = (near(0, AGREE), far(0, AGREE), near(1000, CHEAP))
"""One opportunity, one second after the start."""


def fault(name: str, *ordinals: int, **params: Any) -> FaultSpec:
    """A fault that strikes the orders of these numbers, from 1, at every venue."""
    return FaultSpec(name, ordinals=frozenset(ordinals), params=params)


class Scene(World):
    """See the module."""

    def __init__(
        self,
        *events: TapeEvent,
        faults: Iterable[FaultSpec] = (),
        far_faults: Iterable[FaultSpec] | None = None,
        wire: dict[str, float] | None = None,
        ratio: tuple[int, int] = (1, 1),
        units: int = 1,
        pair: dict[str, Any] | None = None,
        rule: dict[str, Any] | None = None,
        legs: dict[str, Any] | None = None,
        far_delay_ms: int = 1,
        until_ms: int = 6_000,
        repeat: bool = True,
        rules: int = 1,
        hold_intents: bool = False,
        change: Callable[[ExecutionSettings], ExecutionSettings] = lambda given: given,
    ) -> None:
        given = _given(ratio, units, pair or {}, rule or {}, legs or {}, far_delay_ms, rules)
        given = given._replace(settings=change(given.settings))
        made = _tapes(given, list(events), until_ms, repeat=repeat)
        drawn = Plan(0, tuple(faults), wire or {}, {})
        self._far_faults = far_faults
        self.caught: list[Intent] = []
        self._hold = hold_intents
        super().__init__(0, drawn=drawn, given=given, active_ns=until_ms * MS, made=made)
        self.person.passive = True
        self.say(100, Verb.ARM)

    def _venue_faults(self, name: str) -> tuple[FaultSpec, ...]:
        """`far_faults`, where given, are the faults of LME, and `faults` those of SHFE."""
        if name == "LME" and self._far_faults is not None:
            return tuple(self._far_faults)
        return self.plan.order

    def _intent_arrives(self, now_ns: int, intent: Intent) -> None:
        """With `hold_intents` an intent waits until `let_go`."""
        if self._hold:
            self.caught.append(intent)
        else:
            super()._intent_arrives(now_ns, intent)

    # What a scene asks for.

    def let_go(self, at_ms: int) -> Scene:
        """The first intent that was held arrives, its life made longer: as from a trigger that does not look."""

        def arrive() -> None:
            for intent in self.caught[:1]:
                alive = msgspec.structs.replace(intent, expires_ns=self.now_ns + SECOND)
                super(Scene, self)._intent_arrives(self.now_ns, alive)

        return self.on(at_ms, arrive)

    def on(self, at_ms: int, call: Callable[[], object]) -> Scene:
        """Call something at a time."""
        self.at(at_ms * MS, lambda _now_ns: call())
        return self

    def say(self, at_ms: int, verb: Verb, argument: str = "") -> Scene:
        """A person's command at a time."""

        def command() -> None:
            assert self.process is not None
            self.in_process(
                self.now_ns, self.process.command, Command(f"{verb}-{at_ms}", verb, "Li Wei", "scene", argument)
            )

        return self.on(at_ms, command)

    def cut(self, at_ms: int, instrument: str, back_ms: int, *, notice_ms: int | None = None) -> Scene:
        """The order session of an instrument's venue is lost, and back later."""
        line = self.lines[instrument.partition(".")[0]]
        noticed_ms = at_ms if notice_ms is None else notice_ms
        self.at(at_ms * MS, lambda now_ns: line.cut(now_ns, back_ms * MS, noticed_ms * MS))
        return self

    def kill(self, at_ms: int, where: str) -> Scene:
        """Kill -9 at the next place of this name."""

        def plan_it() -> None:
            if self.process is not None:
                self.process.kill_at = where

        return self.on(at_ms, plan_it)

    def play(self) -> Scene:
        """Run to rest."""
        self.run()
        return self

    # What a test reads.

    @property
    def trades(self) -> list[PairTrade]:
        assert self.process is not None
        return list(self.process.engine.ledger.trades.values())

    def ends(self) -> list[tuple[str, tuple[int, ...]]]:
        """State and lots of each leg of every pair trade."""
        return [(trade.state.value, tuple(leg.filled_lots for leg in trade.legs)) for trade in self.trades]

    def orders(self, instrument: str) -> list[Order]:
        return [order for _, order in self.sent if order.instrument_id == instrument]

    def net(self) -> tuple[int, int]:
        """What the venues say is held."""
        return tuple(
            self.lines[name.partition(".")[0]].venue.position(name.partition(".")[2]).net for name in (NEAR, FAR)
        )  # type: ignore[return-value]

    def refused(self) -> list[str]:
        return [what.name.value for _, what in self.told if isinstance(what, IntentRefused)]

    def alarmed(self) -> list[str]:
        return [what.name.value for _, what in self.told if isinstance(what, Alarm)]


def _given(
    ratio: tuple[int, int],
    units: int,
    pair: dict[str, Any],
    rule: dict[str, Any],
    legs: dict[str, Any],
    far_delay_ms: int,
    rules: int,
) -> Installation:
    plain = installation(0, plain=True)
    settings = plain.settings
    replace = msgspec.structs.replace
    ratio_of = {NEAR: ratio[0], FAR: ratio[1]}
    instruments = {
        name: replace(
            one, lot_units=Decimal(30) / ratio_of[name], point_value=Decimal(30) / ratio_of[name],
            position_model=PositionModel.NET,
        )
        for name, one in settings.instruments.items()
    }  # fmt: skip
    first = settings.pairs["P1"]
    specs = tuple(
        replace(leg, ratio_lots=ratio_of[leg.instrument_id], **legs.get(leg.instrument_id, {})) for leg in first.legs
    )
    words = {"slippage_budget_e9": 100_000 * 10**9, "order_timeout_ns": 500 * MS, "repair_book_wait_ns": 100 * MS}
    made_pair = replace(first, legs=specs, **{**words, **pair})
    words = {"units": units, "max_units": units, "cool_down_ns": 0, "sell_at_e9": None, **rule}
    one_rule = replace(next(iter(settings.rules.values())), **words)
    made_rules = {name: replace(one_rule, rule_id=name) for name in ("R", "S", "T")[:rules]}
    venues = {name: replace(one, status_timeout_ns=300 * MS) for name, one in settings.venues.items()}
    given = replace(settings, pairs={"P1": made_pair}, rules=made_rules, instruments=instruments, venues=venues)
    ways = {"SHFE": (Way(MS // 20, 0), Way(MS // 20, 0)), "LME": (Way(far_delay_ms * MS, 0), Way(far_delay_ms * MS, 0))}
    off = dict.fromkeys(plain.cancel_on_disconnect, False)
    return plain._replace(settings=given, ways=ways, ratio_lots=ratio_of, cancel_on_disconnect=off)


def _tapes(given: Installation, events: list[TapeEvent], until_ms: int, *, repeat: bool) -> dict[str, WorldTape]:
    """The tapes; with `repeat` each book is told again every 200 ms, its first level's size changed, so none is stale."""
    made = {
        one.venue_id: WorldTape(one.venue_id, one.symbol, TICK, 4_000, until_ms * MS + CALM_NS)
        for one in given.settings.instruments.values()
    }
    for venue, tape in made.items():
        own = [event for event in events if event.venue == venue]
        tape.made += own
        for number, event in enumerate(own):
            if not isinstance(event, TapeBook) or not repeat:
                continue
            later = [one.at_ns for one in own[number + 1 :] if isinstance(one, TapeBook)]
            end_ns = later[0] if later else until_ms * MS + 20 * SECOND
            for step, at_ns in enumerate(range(event.at_ns + 200 * MS, end_ns, 200 * MS)):
                tape.made.append(
                    event._replace(at_ns=at_ns, bids=_more(event.bids, step), asks=_more(event.asks, step))
                )
        tape.made.sort(key=lambda one: one.at_ns)
    return made


def _more(levels: Levels, step: int) -> Levels:
    return tuple((px, lots + 1 + step % 2) if number == 0 else (px, lots) for number, (px, lots) in enumerate(levels))
