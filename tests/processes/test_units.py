"""Conversion of quoted prices between units, exact."""

from fractions import Fraction

import pytest

from gateway.trigger.units import UnitError, unit_factor

FACTORS = """
from   | to  | factor
t      | t   | 1
kg     | t   | 1000
g      | kg  | 1000
t      | kg  | 1/1000
oz     | g   | 1/31.1034768
lb     | t   | 1000000/453.59237
lb     | kg  | 1/0.45359237
oz     | kg  | 1000/31.1034768
st     | t   | 1/0.90718474
bu_soy | t   | 1000/27.2155422
bbl    | bbl | 1
usd    | usd | 1
"""


def number(text: str) -> Fraction:
    above, _, below = text.partition("/")
    return Fraction(above) / Fraction(below or "1")


@pytest.mark.parametrize(
    ("from_unit", "to_unit", "factor"),
    [tuple(cell.strip() for cell in line.split("|")) for line in FACTORS.strip().splitlines()[1:]],
)
def test_factor(from_unit: str, to_unit: str, factor: str) -> None:
    """A price per `from` times the factor is the price per `to`, exactly."""
    assert unit_factor(from_unit, to_unit) == number(factor)


def test_a_conversion_and_its_inverse_give_back_the_price() -> None:
    """There is no rounding on the way."""
    assert unit_factor("oz", "t") * unit_factor("t", "oz") == 1


@pytest.mark.parametrize(
    ("from_unit", "to_unit", "words"), [("t", "bbl", "mass"), ("ounce", "g", "'ounce'"), ("g", "stone", "'stone'")]
)
def test_what_does_not_convert_names_both_units(from_unit: str, to_unit: str, words: str) -> None:
    """Different kinds, and units that are not known, are errors that name both."""
    with pytest.raises(UnitError) as caught:
        unit_factor(from_unit, to_unit)
    assert repr(from_unit) in str(caught.value)
    assert repr(to_unit) in str(caught.value)
    assert words in str(caught.value)
