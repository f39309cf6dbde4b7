"""The synthetic tape: a cointegrated pair whose truth is known, made from a seed in whole numbers.

It decides the true mid of the overseas leg (random walk), of the currency (random walk) and of the domestic leg (their
product, converted, plus a basis that returns to its mean), and lets one ladder of levels follow each. It does not
decide when anybody learns of it. Everything is drawn from one seed, in the order of time, so a shorter tape is the
beginning of a longer one.

What can go wrong: a mid that reaches its bound (two thirds of the day's limit, a tenth where there is none) stays
there, and the domestic leg then shows the basis alone.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import NamedTuple

from simulators.core.tape import TapeEvent, TapeInstrument, TapeStatus
from simulators.tapes.draws import MICRO, SECOND_NS
from simulators.tapes.ladder import BookShape, Ladder
from simulators.tapes.latent import Arrivals, Reverting, Walk
from simulators.tapes.markets import Contract, Market
from simulators.tapes.parameters import Fitted

TRADING_DATE = "20260615"
READY = "17"
CURRENCY_PER_S = 1
"""Chosen: changes of the currency's book per second."""
DOMESTIC_CALM_MS, DOMESTIC_BUSY_MS = 10_000, 2_000
"""Chosen: the domestic book moves at the fitted rate, and for two seconds in twelve at twice that."""
FOREVER_MS = 10**15


class SyntheticTape(NamedTuple):
    """A pair of `MARKETS`, the fitted parameters, a seed and a length."""

    market: Market
    fitted: Fitted
    seed: int
    seconds: int

    @property
    def name(self) -> str:
        return f"synthetic-{self.market.name}"

    @property
    def label(self) -> str:
        return _label(self)

    @property
    def instruments(self) -> tuple[TapeInstrument, ...]:
        market = self.market
        prices = (
            (market.domestic, domestic_price(market)),
            (market.overseas, market.overseas_price),
            (market.currency, market.currency_price),
        )
        return tuple(_instrument(contract, price) for contract, price in prices)

    @property
    def duration_ns(self) -> int:
        return self.seconds * SECOND_NS

    def events(self) -> Iterator[TapeEvent]:
        return _events(self)


def domestic_price(market: Market) -> Decimal:
    """The fair domestic price at the start, on the tick."""
    fair = market.overseas_price * market.currency_price * market.factor + market.basis.mean
    return (fair / market.domestic.tick).to_integral_value() * market.domestic.tick


def _instrument(contract: Contract, price: Decimal) -> TapeInstrument:
    ticks = int(price / contract.tick)
    room = ticks * contract.limit_percent // 100
    high, low = (ticks + room, ticks - room) if room else (None, None)
    return TapeInstrument(
        contract.venue, contract.symbol, contract.tick, contract.currency, TRADING_DATE, high, low, ticks
    )


def _micro(amount: Decimal, tick: Decimal) -> int:
    return int(amount / tick * MICRO)


def _bounds(contract: Contract, value: int) -> tuple[int, int]:
    """How far a mid may go from where it starts: two thirds of the day's limit, a tenth where there is none."""
    room = value * (contract.limit_percent * 2 or 30) // 300
    return value - room, value + room


def _walk(random: Random, contract: Contract, price: Decimal, sigma: int) -> Walk:
    value = _micro(price, contract.tick)
    return Walk(random, value, sigma, *_bounds(contract, value))


def _spread_from_bp(fitted: Fitted, price: Decimal, tick: Decimal) -> tuple[int, ...]:
    ticks = (int((price * bp / 1_000_000 / tick).to_integral_value()) for bp in fitted.small_tick_spread_bp_e2)
    return tuple(max(1, spread) for spread in ticks)


def _shape(contract: Contract, fitted: Fitted, spread_ticks: tuple[int, ...], trade_permille: int) -> BookShape:
    return BookShape(
        contract.venue,
        contract.symbol,
        spread_ticks,
        fitted.size_permille,
        contract.median_lots,
        fitted.level_permille,
        trade_permille,
    )


def conversion(market: Market) -> Fraction:
    """Domestic micro-ticks for one overseas micro-tick times one currency micro-tick."""
    ticks = Fraction(market.overseas.tick) * Fraction(market.currency.tick) / Fraction(market.domestic.tick)
    return ticks * Fraction(market.factor).limit_denominator(10**12) / MICRO


class _World:
    """The hidden prices and the three ladders of one run, made from one seed in a fixed order of draws."""

    def __init__(self, market: Market, fitted: Fitted, random: Random) -> None:
        self._num, self._den = conversion(market).as_integer_ratio()
        domestic, overseas, currency, moves = market.domestic, market.overseas, market.currency, market.basis
        noise = _micro(market.overseas_price * fitted.volatility_bp_e2 / 1_000_000, overseas.tick)
        self.overseas = _walk(random, overseas, market.overseas_price, noise)
        self.currency = _walk(random, currency, market.currency_price, _micro(market.currency_noise_ticks, Decimal(1)))
        shock, steady = _micro(moves.shock, domestic.tick), _micro(moves.noise, domestic.tick)
        self.basis = Reverting(random, moves.half_life_ms, moves.shock_ms, shock, steady)
        self._mean = _micro(moves.mean, domestic.tick)
        self._low, self._high = _bounds(domestic, _micro(domestic_price(market), domestic.tick))

        wide, narrow = fitted.large_tick_spread_ticks, _spread_from_bp(fitted, market.overseas_price, overseas.tick)
        self.home = Ladder(_shape(domestic, fitted, wide, fitted.trade_permille), random, self.domestic_mid(0))
        self.away = Ladder(_shape(overseas, fitted, narrow, fitted.trade_permille), random, self.overseas.value)
        self.money = Ladder(_shape(currency, fitted, wide, 0), random, self.currency.value)

        rate = fitted.domestic_per_s
        calm, burst = (fitted.calm_ms, fitted.calm_per_s), (fitted.burst_ms, fitted.burst_per_s)
        self.home_next = Arrivals(random, (DOMESTIC_CALM_MS, rate), (DOMESTIC_BUSY_MS, 2 * rate))
        self.away_next = Arrivals(random, calm, burst)
        self.money_next = Arrivals(random, (FOREVER_MS, CURRENCY_PER_S), (1, CURRENCY_PER_S))

    def domestic_mid(self, basis: int) -> int:
        """Fair plus `basis`, in domestic micro-ticks, within the bounds."""
        fair = self.overseas.value * self.currency.value * self._num // self._den
        return min(self._high, max(self._low, fair + self._mean + basis))


def _events(tape: SyntheticTape) -> Iterator[TapeEvent]:
    world = _World(tape.market, tape.fitted, Random(tape.seed))
    home, away, money = world.home, world.away, world.money
    home_next, away_next, money_next = world.home_next, world.away_next, world.money_next
    for contract in (tape.market.domestic, tape.market.overseas, tape.market.currency):
        yield TapeStatus(0, contract.venue, contract.symbol, READY)
    yield from (home.book(0), away.book(0), money.book(0))
    end_ns = tape.duration_ns
    while (at_ns := min(home_next.next_ns, away_next.next_ns, money_next.next_ns)) < end_ns:
        overseas_mid = world.overseas.advance(at_ns)
        if at_ns == away_next.next_ns:
            away_next.advance()
            yield from away.step(at_ns, overseas_mid)
            yield away.book(at_ns)
            continue
        currency_mid = world.currency.advance(at_ns)
        if at_ns == home_next.next_ns:
            home_next.advance()
            yield from home.step(at_ns, world.domestic_mid(world.basis.advance(at_ns)))
            yield home.book(at_ns)
            continue
        money_next.advance()
        yield from money.step(at_ns, currency_mid)
        yield money.book(at_ns)


def _label(tape: SyntheticTape) -> str:
    market, fitted, basis = tape.market, tape.fitted, tape.market.basis
    return (
        f"synthetic {market.name}, seed {tape.seed}, {tape.seconds} s: {market.domestic.symbol} follows "
        f"{market.overseas.symbol} x {market.currency.symbol} x {market.factor_text} + basis; basis mean {basis.mean}, "
        f"half-life {basis.half_life_ms} ms, a shock of about {basis.shock} every {basis.shock_ms} ms, noise "
        f"{basis.noise} per root second (chosen); volatility {Decimal(fitted.volatility_bp_e2) / 100} bp per root "
        f"second, overseas {fitted.calm_per_s} changes/s calm, {fitted.burst_per_s} in bursts of {fitted.burst_ms} ms "
        f"after {fitted.calm_ms} ms, domestic {fitted.domestic_per_s}/s, spreads and sizes (fitted to "
        f"{', '.join(fitted.sources)})"
    )
