"""The day that every contender trades: the tape, the venues' listings, the pair and its rule.

The pair and the rule are the demo's site (`gateway/processes/demo_sites.py`), read by the product's own reader. What is
the same for every contender, and for every row of a table that does not touch it, is made once and kept: the tape, and
what the ways' delays were drawn to.
"""

import tempfile
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from benchmarks.promise_parameters import Parameters
from benchmarks.promise_slice import slice_of
from gateway.execution.ledger import ExecutionSettings
from gateway.model.instrument import Instrument
from gateway.model.site import PairSpec, RuleSpec
from gateway.processes import demo_sites
from gateway.processes.cores import settings
from gateway.processes.settings import load_site
from gateway.processes.toml_text import toml_text
from simulators.core.network import Link, Way
from simulators.core.tape import Tape, TapeEvent, TapeInstrument
from simulators.tapes.markets import MARKETS, Market
from simulators.tapes.parameters import load_fitted
from simulators.tapes.synthetic import SyntheticTape

SECOND, MS = 1_000_000_000, 1_000_000
TAIL_S = 60
"""The tape goes on after trading ends, so that what is open can be finished."""
APART_NS = 10**12
"""Sent so far apart, no message waits for the one before it."""


class ReadTape(NamedTuple):
    """A tape in memory."""

    name: str
    label: str
    instruments: tuple[TapeInstrument, ...]
    duration_ns: int
    made: list[TapeEvent]

    def events(self) -> Iterator[TapeEvent]:
        """The events in order."""
        return iter(self.made)


def read(tape: Tape) -> ReadTape:
    """The whole tape."""
    return ReadTape(tape.name, tape.label, tape.instruments, tape.duration_ns, list(tape.events()))


class Ground(NamedTuple):
    """What a day is played on: the site and the tape."""

    settings: ExecutionSettings
    tape: ReadTape


class Delays:
    """One direction of one session: the n-th message takes as long in every world of the day."""

    def __init__(self, way: Way, seed: int, name: str) -> None:
        self._link = Link(way, seed, name)
        self._drawn: list[int] = []

    def of(self, place: int) -> int:
        """Nanoseconds that the message at `place` (from 0) is under way."""
        drawn = self._drawn
        while len(drawn) <= place:
            sent_ns = len(drawn) * APART_NS
            drawn.append(self._link.arrival_ns(sent_ns) - sent_ns)
        return drawn[place]


class Day:
    """One seed's day. The tape is read once and played to each contender anew."""

    def __init__(
        self, parameters: Parameters, seed: int, day_s: int, ground: Ground | None = None, begin_s: int = 0
    ) -> None:
        self.parameters = parameters
        self.begin_ns = begin_s * SECOND
        """Before it nobody trades, and nothing counts as an opportunity."""
        self.seed = seed
        self.trading_ns = day_s * SECOND
        self.settings, self.tape = ground or synthetic(parameters, seed, day_s)
        self.pair: PairSpec = next(iter(self.settings.pairs.values()))
        self.rule: RuleSpec = next(iter(self.settings.rules.values()))
        self.slice = slice_of(self.pair, self.rule, self.settings.instruments)
        self._tapes: dict[str, ReadTape] = {}
        self._delays: dict[tuple[Way, str], Delays] = {}

    def instrument(self, leg: int) -> Instrument:
        """What leg 0 or 1 trades."""
        return self.settings.instruments[self.pair.legs[leg].instrument_id]

    def tape_of(self, venue_id: str) -> ReadTape:
        """What of the tape is one venue's."""
        if venue_id not in self._tapes:
            events = [event for event in self.tape.made if event.venue == venue_id]
            self._tapes[venue_id] = self.tape._replace(made=events)
        return self._tapes[venue_id]

    def delays(self, way: Way, name: str) -> Delays:
        """Of the direction `name`, for all worlds of this day."""
        return self._delays.setdefault((way, name), Delays(way, self.seed, name))


def synthetic(parameters: Parameters, seed: int, day_s: int, tape: ReadTape | None = None) -> Ground:
    """The demo's synthetic pair; `tape` where it is there already."""
    made = tape or read(SyntheticTape(_market(parameters), load_fitted(), seed, day_s + TAIL_S))
    return Ground(settings_of(site_text(parameters)), made)


def same_tape(one: Parameters, other: Parameters) -> bool:
    """Whether a seed's synthetic tape is the same under both."""
    return _market(one) == _market(other)


def _market(parameters: Parameters) -> Market:
    market = MARKETS[parameters.get("market", "tape")]
    half_life_ms = parameters.tables["market"].get("half_life_ms", market.basis.half_life_ms)
    return market._replace(basis=market.basis._replace(half_life_ms=half_life_ms))


def settings_of(site: str) -> ExecutionSettings:
    """The site file's text as execution has it."""
    with tempfile.TemporaryDirectory(prefix="cmc-promise-") as folder:
        path = Path(folder) / "site.toml"
        path.write_text(site, encoding="utf-8")
        made = settings(load_site(path, {}))
    # Nothing is held before the day begins, so no venue is asked for positions.
    venues = {name: msgspec.structs.replace(one, ask_positions=False) for name, one in made.venues.items()}
    return msgspec.structs.replace(made, venues=venues)


def site_text(parameters: Parameters) -> str:
    """The synthetic pair's site file as text, the rule's band as the row says."""
    name = parameters.get("market", "tape")
    asked = demo_sites.Asked("synthetic", name, "", 0, 60, parameters.get("market", "network_overseas"), faults=False)
    band = parameters.tables["market"].get("band")
    if band is None:
        return site_of(demo_sites.plan(asked, demo_sites.tape_of(asked)), {})
    Decimal(band)
    return site_of(demo_sites.plan(asked, demo_sites.tape_of(asked)), {"buy_at": f"-{band}", "sell_at": band})


def site_of(plan: demo_sites.Plan, rule: Mapping[str, Any]) -> str:
    """The demo's site with these keys of its rule, and ports that nobody uses: no session is opened here."""
    ports = {plan.domestic.id: (1, 2), plan.overseas.id: (3, 4)}
    content = demo_sites.site(plan, ports, "")
    content["rule"][0] |= rule
    return toml_text(content)
