"""The seeded day that every contender trades: tape, venues' listings, the pair and its rule, and what a slice costs.

The pair and the rule are the demo's site (`gateway/processes/demo_sites.py`), read by the product's own reader. The
price of a slice is computed here by other code than the gateway's, in whole 1e-9, because the contenders that are not
the gateway share it; a test compares the two.
"""

import tempfile
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.promise_parameters import Parameters
from gateway.execution.ledger import ExecutionSettings
from gateway.model.instrument import Instrument
from gateway.model.site import LegSpec, PairSpec, RuleSpec
from gateway.processes import demo_sites
from gateway.processes.cores import settings
from gateway.processes.settings import load_site
from gateway.processes.toml_text import toml_text
from simulators.core.tape import TapeEvent, TapeInstrument
from simulators.core.values import Levels
from simulators.tapes.markets import MARKETS, Market
from simulators.tapes.parameters import load_fitted
from simulators.tapes.synthetic import SyntheticTape

SECOND, MS = 1_000_000_000, 1_000_000
PRICE_E9 = 10**9
FIRST, SECOND_LEG = 0, 1
TAIL_S = 60
"""The tape goes on after trading ends, so that what is open can be finished."""
Book = tuple[Levels, Levels]


class Day:
    """One seed's day. `events` is the whole tape, read once and played to each contender anew."""

    def __init__(self, parameters: Parameters, seed: int, day_s: int) -> None:
        self.parameters = parameters
        self.seed = seed
        self.trading_ns = day_s * SECOND
        self.settings = _settings(parameters)
        self.pair: PairSpec = next(iter(self.settings.pairs.values()))
        self.rule: RuleSpec = next(iter(self.settings.rules.values()))
        tape = SyntheticTape(_market(parameters), load_fitted(), seed, day_s + TAIL_S)
        self.tape = ReadTape(tape.name, tape.label, tape.instruments, tape.duration_ns, list(tape.events()))
        self.slice = Slice(self.pair, self.rule, self.settings.instruments)

    def instrument(self, leg: int) -> Instrument:
        """What leg 0 or 1 trades."""
        return self.settings.instruments[self.pair.legs[leg].instrument_id]


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


class Seen(NamedTuple):
    """What a decision saw of one slice: average price of each leg's walk in 1e-9 ticks, the worst levels, the rate."""

    side: int
    """1 buys the pair, -1 sells it."""
    vwap_e9: tuple[int, int]
    worst_ticks: tuple[int, int]
    fx_ticks: int


class Slice:
    """One unit of the pair at the rule's threshold."""

    def __init__(self, pair: PairSpec, rule: RuleSpec, instruments: dict[str, Instrument]) -> None:
        first, second = pair.legs
        self.lots = (first.ratio_lots, second.ratio_lots)
        self.names = (first.instrument_id, second.instrument_id)
        self.fx = second.fx_instrument_id
        self._weights = (
            _whole(Fraction(instruments[first.instrument_id].tick) * first.factor * PRICE_E9),
            _whole(
                Fraction(instruments[second.instrument_id].tick)
                * second.factor
                * Fraction(instruments[self.fx].tick)
                * PRICE_E9
            ),
        )
        domestic = instruments[first.instrument_id]
        self._unit_money = _whole(Fraction(domestic.point_value) * first.ratio_lots / first.factor)
        """CNY of one unit for each CNY of the pair's price."""
        self._buy_at_e9, self._sell_at_e9 = rule.buy_at_e9, rule.sell_at_e9
        self.tick_money_e9 = (
            _whole(_tick_money(instruments[first.instrument_id])),
            _whole(_tick_money(instruments[second.instrument_id]) * Fraction(instruments[self.fx].tick)),
        )
        """Money in 1e-9 CNY of one tick of one lot; of the second leg, for each tick of the currency's rate."""

    def met(self, books: dict[str, Book]) -> Seen | None:
        """What is seen when the rule is met on a side at one slice, None when it is not."""
        try:
            first, second, fx = (books[name] for name in (*self.names, self.fx))
        except KeyError:
            return None
        for side in (1, -1):
            seen = self._look(side, first, second, fx)
            if seen is not None and self._meets(side, self.price_e9(seen)):
                return seen
        return None

    def look(self, side: int, books: dict[str, Book]) -> Seen | None:
        """What a slice on `side` would trade at now, whatever the rule says."""
        first, second, fx = (books[name] for name in (*self.names, self.fx))
        return self._look(side, first, second, fx)

    def price_e9(self, seen: Seen) -> int:
        """First leg minus the second, converted: rounded against us."""
        first, second = (seen.vwap_e9[leg] * self._weights[leg] for leg in (FIRST, SECOND_LEG))
        price = first - second * seen.fx_ticks
        return -(-price // PRICE_E9) if seen.side > 0 else price // PRICE_E9

    def edge_e9(self, seen: Seen) -> int:
        """Money of one unit by which what was seen is beyond the threshold."""
        at_e9 = (self._buy_at_e9 if seen.side > 0 else self._sell_at_e9) or 0
        return seen.side * (at_e9 - self.price_e9(seen)) * self._unit_money

    def _look(self, side: int, first: Book, second: Book, fx: Book) -> Seen | None:
        walks = (_walk(first[side > 0], self.lots[0]), _walk(second[side < 0], self.lots[1]))
        rates = fx[side < 0]
        if walks[0] is None or walks[1] is None or not rates:
            return None
        return Seen(side, (walks[0][0], walks[1][0]), (walks[0][1], walks[1][1]), rates[0][0])

    def _meets(self, side: int, price_e9: int) -> bool:
        if side > 0:
            return self._buy_at_e9 is not None and price_e9 <= self._buy_at_e9
        return self._sell_at_e9 is not None and price_e9 >= self._sell_at_e9


def leg_sign(side: int, leg: int) -> int:
    """1 when leg `leg` is bought as the pair is traded on `side`."""
    return side if leg == FIRST else -side


def _walk(levels: Levels, lots: int) -> tuple[int, int] | None:
    """Average price in 1e-9 ticks and worst level of taking `lots`; None when the levels do not hold them."""
    left, cost = lots, 0
    for px_ticks, qty in levels:
        taken = min(left, qty)
        cost += px_ticks * taken
        left -= taken
        if not left:
            return cost * PRICE_E9 // lots, px_ticks
    return None


def _whole(value: Fraction) -> int:
    if value.denominator != 1:
        message = f"{value} is no whole multiple of 1e-9: this pair needs a finer unit"
        raise ValueError(message)
    return value.numerator


def _tick_money(instrument: Instrument) -> Fraction:
    return Fraction(instrument.tick) * Fraction(instrument.point_value) * PRICE_E9


def _market(parameters: Parameters) -> Market:
    market = MARKETS[parameters.get("market", "tape")]
    half_life_ms = parameters.tables["market"].get("half_life_ms", market.basis.half_life_ms)
    return market._replace(basis=market.basis._replace(half_life_ms=half_life_ms))


def _settings(parameters: Parameters) -> ExecutionSettings:
    """The demo's site, with ports that nobody uses: no session is opened here."""
    site = site_text(parameters)
    with tempfile.TemporaryDirectory(prefix="cmc-promise-") as folder:
        path = Path(folder) / "site.toml"
        path.write_text(site, encoding="utf-8")
        made = settings(load_site(path, {}))
    # Nothing is held before the day begins, so no venue is asked for positions.
    venues = {name: msgspec.structs.replace(one, ask_positions=False) for name, one in made.venues.items()}
    return msgspec.structs.replace(made, venues=venues)


def site_text(parameters: Parameters) -> str:
    """The site file as text, the rule's band as the row says."""
    name = parameters.get("market", "tape")
    asked = demo_sites.Asked("synthetic", name, "", 0, 60, parameters.get("market", "network_overseas"), faults=False)
    made = demo_sites.plan(asked, demo_sites.tape_of(asked))
    ports = {made.domestic.id: (1, 2), made.overseas.id: (3, 4)}
    content = demo_sites.site(made, ports, "")
    band = parameters.tables["market"].get("band")
    if band is not None:
        Decimal(band)
        content["rule"][0] |= {"buy_at": f"-{band}", "sell_at": band}
    return toml_text(content)


def leg_of(spec: PairSpec, name: str) -> tuple[int, LegSpec]:
    """A leg by the words of the parameter file: domestic is the first, overseas the second."""
    index = {"domestic": FIRST, "overseas": SECOND_LEG}[name]
    return index, spec.legs[index]
