"""Lot ratios that align the legs of a pair, each with what it leaves over.

What is aligned is a weight: exact lots of a leg against one lot of the first. By quantity it is tonnes against tonnes,
by price the money that each leg gains when the pair's prices move, by value notional x rate x beta. A trade needs whole
lots: for each number of lots of the first leg the others take the most whole lots that do not exceed their weight, so
that no leg ever hedges more than there is; of these the one that leaves the least over is taken, and of equals the
smallest.
"""

from collections.abc import Sequence
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
    """Ratios of at most `most_lots` on either leg, fewest lots first, each closer than all before it, to either side.

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


class Aligned(NamedTuple):
    """Lots of every leg, and of each but the first how much of it is missing, as a share of what is there: 0 where it
    is exact, 0.01 where the first leg has 1 % more than the other hedges, negative where that hedges too much.
    """

    lots: tuple[int, ...]
    residuals: tuple[Fraction, ...]


def aligned(weights: Sequence[Fraction], fixed: Sequence[int | None], most_lots: Sequence[int]) -> Aligned | None:
    """The whole lots with the least residual, none of which hedges too much; None where there are none.

    `weights` are lots against one lot of the first leg (whose own is 1); `fixed` are lots that are given; `most_lots`
    bounds the others. Where all are given, they are judged as they are, whatever they leave over.
    """
    best: Aligned | None = None
    for first in range(1, most_lots[0] + 1) if fixed[0] is None else (fixed[0],):
        made = [first]
        for weight, given, most in zip(weights[1:], fixed[1:], most_lots[1:], strict=True):
            made.append(min(int(first * weight // 1), most) if given is None else given)
        if min(made) < 1:
            continue
        one = Aligned(tuple(made), residuals(weights, made))
        if best is None or _left(one, fixed) < _left(best, fixed):
            best = one
    return best


def residuals(weights: Sequence[Fraction], lots: Sequence[int]) -> tuple[Fraction, ...]:
    """Of each leg but the first: what these lots leave open of it, as a share of it."""
    return tuple(lots[0] * weight / own - 1 for weight, own in zip(weights[1:], lots[1:], strict=True))


def _left(one: Aligned, fixed: Sequence[int | None]) -> Fraction:
    """The largest residual among the legs whose lots are free."""
    return max(
        (left for left, given in zip(one.residuals, fixed[1:], strict=True) if given is None), default=Fraction(0)
    )


def residual_lots(weights: Sequence[Fraction], lots: Sequence[int]) -> Fraction:
    """Lots of the first leg that one unit has too many (negative: too few) against the second."""
    return lots[0] - lots[1] / weights[1]
