"""Money and prices of pairs as people write them."""

from decimal import Decimal


def text_of(value_e9: int) -> str:
    """Whole 1e-9 as the decimal that a file would have."""
    text = format(Decimal(value_e9).scaleb(-9), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
