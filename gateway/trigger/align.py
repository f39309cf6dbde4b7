"""Lot ratios that align the quantities of two contracts, each with what it leaves over.

The quantity ratio is a fraction; a trade needs whole lots. For each number of lots of the second contract the two whole
numbers beside the exact ratio are tried: no other ratio of as few lots comes closer.
"""

from fractions import Fraction
from typing import NamedTuple


class Alignment(NamedTuple):
    """`first_lots` of the first contract against `second_lots` of the second. `residual` is the first's quantity over
    the second's, minus one, exact: negative when the first leg is the smaller.
    """

    first_lots: int
    second_lots: int
    residual: Fraction


def alignments(first_quantity: Fraction, second_quantity: Fraction, most_lots: int) -> list[Alignment]:
    """Ratios of at most `most_lots` on either leg, fewest lots first, each closer than all before it.

    The quantities are those of one lot, in one unit: tonnes, ounces, or money for an alignment by value.
    """
    found: list[Alignment] = []
    wanted = second_quantity / first_quantity
    for lots in range(1, most_lots + 1):
        for candidate in _near(wanted, lots, most_lots):
            residual = Fraction(candidate[0]) * first_quantity / (candidate[1] * second_quantity) - 1
            if not found or abs(residual) < abs(found[-1].residual):
                found.append(Alignment(*candidate, residual))
        if found and not found[-1].residual:
            break
    return found


def _near(wanted: Fraction, second_lots: int, most_lots: int) -> list[tuple[int, int]]:
    """Whole lots of the first leg just below and above the wanted ratio for `second_lots` of the second."""
    below = wanted * second_lots // 1
    return [(lots, second_lots) for lots in (int(below), int(below) + 1) if 1 <= lots <= most_lots]
