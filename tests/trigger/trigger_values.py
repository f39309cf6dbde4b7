"""Values of the trigger's tests: contracts, pairs, books, and a price worked out the plain way, in fractions."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.order import Side, TimeInForce
from gateway.model.quote import BookState, Levels, Quote
from gateway.model.site import FormulaKind, LegSpec, PairSpec, RuleSpec

DOMESTIC = "SHFE.cu"
OVERSEAS = "LME.CA"
THIRD = "INE.bc"
RATE = "FX.USDCNH"
AGE_NS = 1000
SKEW_NS = 600
SILENCE_NS = 500
TTL_NS = 100


def instrument(name: str, tick: str = "1", point_value: str = "5", currency: str = "CNY") -> Instrument:
    venue, _, symbol = name.partition(".")
    return Instrument(name, venue, symbol, Decimal(tick), Decimal(5), "t", currency, Decimal(point_value))


INSTRUMENTS = {
    DOMESTIC: instrument(DOMESTIC, "10"),
    OVERSEAS: instrument(OVERSEAS, "0.5", "25", "USD"),
    THIRD: instrument(THIRD, "10"),
    RATE: instrument(RATE, "0.0001", "1", "CNH"),
}


def leg(name: str, ratio_lots: int = 1, factor: str = "1", fx: str = "", rate: str = "") -> LegSpec:
    fixing = Decimal(rate) if rate else None
    return LegSpec(name, ratio_lots, Fraction(factor), fx, fixing, 2, TimeInForce.IOC, AGE_NS)


def pair(*legs: LegSpec, kind: FormulaKind = FormulaKind.SPREAD, charges: str = "0", pair_id: str = "P") -> PairSpec:
    charges_e9 = int(Fraction(charges) * PRICE_E9)
    return PairSpec(pair_id, kind, "CNY", "t", charges_e9, legs, SKEW_NS, 0, (2,), 10**9, 10**9, 1, 5)


def rule(
    buy_at: str | None = None, sell_at: str | None = None, *, units: int = 1, max_units: int = 3, persist_ns: int = 0,
    cool_down_ns: int = 50, rule_id: str = "R", pair_id: str = "P",
) -> RuleSpec:  # fmt: skip
    buy, sell = (None if one is None else e9(one) for one in (buy_at, sell_at))
    return RuleSpec(rule_id, pair_id, buy, sell, units, max_units, persist_ns, cool_down_ns, TTL_NS)


def e9(text: str) -> int:
    return int(Fraction(text) * PRICE_E9)


def quote(name: str, bids: Levels = (), asks: Levels = (), recv_ns: int = 0, state: BookState = BookState.OK) -> Quote:
    return Quote(name, state, bids, asks, recv_ns, 0, recv_ns + 1, 7, last_px_ticks=3)


def plain_price(
    spec: PairSpec, side: Side, units: int, quotes: Mapping[str, Quote], listed: Mapping[str, Instrument]
) -> int | None:
    """The pair's price by the book: average price x tick x factor x rate of each leg, then the formula, rounded once."""
    prices = []
    for index, one in enumerate(spec.legs):
        buys = (side is Side.BUY) == (index == 0)
        levels = quotes[one.instrument_id].asks if buys else quotes[one.instrument_id].bids
        lots = [px for px, qty in levels for _ in range(qty)][: units * one.ratio_lots]
        if len(lots) < units * one.ratio_lots:
            return None
        rate = Fraction(1 if one.fx_rate is None else one.fx_rate)
        if one.fx_instrument_id:
            rates = quotes[one.fx_instrument_id].asks if buys else quotes[one.fx_instrument_id].bids
            rate = rates[0][0] * Fraction(listed[one.fx_instrument_id].tick)
        prices.append(Fraction(sum(lots), len(lots)) * Fraction(listed[one.instrument_id].tick) * one.factor * rate)
    if spec.formula is FormulaKind.RATIO:
        if prices[1] <= 0:
            return None
        price = prices[0] / prices[1]
    else:
        price = prices[0] - sum(prices[1:]) + Fraction(spec.charges_e9, PRICE_E9)
    return (ceil if side is Side.BUY else floor)(price * PRICE_E9)
