"""Instruments and dialects that the tests of this folder speak of, and `|` for SOH."""

from decimal import Decimal

from gateway.fix.dialect import load_dialect
from gateway.model.instrument import Instrument, PositionModel

DOMESTIC = load_dialect("domestic44")
OVERSEAS = load_dialect("overseas42")
CU = Instrument(
    "SHFE.cu2609", "SHFE", "cu2609", Decimal(10), Decimal(5), "t", "CNY", Decimal(5), PositionModel.OPEN_CLOSE_TODAY,
    account="A1",
)  # fmt: skip
HG = Instrument(
    "COMEX.HGZ6", "COMEX", "HGZ6", Decimal("0.0005"), Decimal(25000), "lb", "USD", Decimal(25000), account="B7"
)
VENUE_NS = 1767574923004000000
"""20260105-01:02:03.004 UTC."""


def wire(text: str) -> str:
    """`|` becomes SOH."""
    return text.replace("|", "\x01")
