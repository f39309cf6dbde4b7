"""What a book holds for a wanted quantity."""

from typing import NamedTuple

from gateway.model.quote import Levels


class Walk(NamedTuple):
    """Taking `qty_lots` from one side of a book: `cost` is the sum of px_ticks x lots, `worst_px_ticks` the last
    level's price.
    """

    qty_lots: int
    cost: int
    worst_px_ticks: int


def walk(levels: Levels, qty_lots: int) -> Walk | None:
    """Take `qty_lots` from the best level on; None when the levels do not hold so much."""
    if levels and levels[0][1] >= qty_lots:
        px_ticks = levels[0][0]
        return Walk(qty_lots, px_ticks * qty_lots, px_ticks)
    left = qty_lots
    cost = 0
    for px_ticks, size_lots in levels:
        taken = min(left, size_lots)
        cost += px_ticks * taken
        left -= taken
        if not left:
            return Walk(qty_lots, cost, px_ticks)
    return None


def whole_units(levels: Levels, ratio_lots: int) -> int:
    """How many pair units of `ratio_lots` each the levels hold."""
    return sum(size_lots for _, size_lots in levels) // ratio_lots
