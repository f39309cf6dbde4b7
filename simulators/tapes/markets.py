"""The two synthetic pairs: contracts, price levels, conversion, and how the basis between the legs moves.

Levels, conversion and basis are chosen, not fitted: no common day of both legs was recorded. They are chosen so that a
spread rule meets an opportunity every few seconds. docs/TAPES.md gives the thresholds that follow.
"""

from decimal import Decimal
from typing import NamedTuple

TROY_OUNCE_G = Decimal("31.1034768")
VAT = Decimal("1.13")


class Basis(NamedTuple):
    """Domestic mid minus fair, in the domestic price's unit.

    An Ornstein-Uhlenbeck process: it decays to `mean` with `half_life_ms` and is driven by shocks, one in `shock_ms` on
    average, of either sign, between half and one and a half times `shock`, and by a small steady noise per root second.
    """

    mean: Decimal
    half_life_ms: int
    shock_ms: int
    shock: Decimal
    noise: Decimal


class Contract(NamedTuple):
    """A leg. `median_lots` is the median size of the best level; `limit_percent` the day's limit, 0 where none."""

    venue: str
    symbol: str
    tick: Decimal
    currency: str
    median_lots: int
    limit_percent: int


class Market(NamedTuple):
    """A pair: `fair = overseas mid x USDCNH x factor`, in the domestic price's unit."""

    name: str
    description: str
    domestic: Contract
    overseas: Contract
    currency: Contract
    overseas_price: Decimal
    currency_price: Decimal
    currency_noise_ticks: Decimal
    """Per square root of a second."""
    factor: Decimal
    factor_text: str
    basis: Basis


MARKETS = {
    "cu": Market(
        name="cu",
        description="SHFE copper x LME copper 3M with USD/CNH: fair = LME x FX x 1.13, seeded",
        domestic=Contract("SHFE", "cu2609", Decimal(10), "CNY", 24, 10),
        overseas=Contract("LME", "CA3M", Decimal("0.50"), "USD", 12, 12),
        currency=Contract("LME", "USDCNH", Decimal("0.0001"), "CNH", 40, 0),
        overseas_price=Decimal(9750),
        currency_price=Decimal("7.1000"),
        currency_noise_ticks=Decimal("0.3"),
        factor=VAT,
        factor_text="1.13",
        basis=Basis(Decimal(0), 3_500, 1_400, Decimal(38), Decimal(3)),
    ),
    "au": Market(
        name="au",
        description="SHFE gold x COMEX gold with USD/CNH: fair = GC x FX / 31.1034768, seeded",
        domestic=Contract("SHFE", "au2612", Decimal("0.02"), "CNY", 24, 17),
        overseas=Contract("COMEX", "GCZ6", Decimal("0.10"), "USD", 12, 0),
        currency=Contract("COMEX", "USDCNH", Decimal("0.0001"), "CNH", 40, 0),
        overseas_price=Decimal(4000),
        currency_price=Decimal("7.1000"),
        currency_noise_ticks=Decimal("0.3"),
        factor=1 / TROY_OUNCE_G,
        factor_text="1/31.1034768",
        basis=Basis(Decimal(0), 3_500, 1_400, Decimal("0.38"), Decimal("0.03")),
    ),
}
