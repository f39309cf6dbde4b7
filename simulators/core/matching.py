"""Who trades with whom: price, then time. Pure functions over a book and orders; they change neither.

- An order takes the opposite levels that its limit reaches, best first, each at the level's price.
- A resting order fills at its own price: when others trade through it (a better limit than the trade's price goes
  first), when more than the lots ahead of it trade at its price, or when the opposite side of the book crosses it.
- The lots ahead are those shown at its price when it came. They shrink with each trade at that price, and with the
  level. Beyond the last level in view they are unknown until the level comes into view, then all that is shown counts.
- Two of our own orders do not trade with each other; each meets the tape's market.
"""

from collections.abc import Iterable

from simulators.core.order import Order
from simulators.core.values import BUY, Levels


def takes(order: Order, levels: Levels, limit_lots: int) -> list[tuple[int, int]]:
    """The (px_ticks, lots) that the order takes of the opposite `levels`, `limit_lots` at most."""
    left = min(order.leaves, limit_lots)
    taken: list[tuple[int, int]] = []
    for px_ticks, qty in levels:
        if left <= 0 or not order.reaches(px_ticks):
            break
        lots = min(qty, left)
        taken.append((px_ticks, lots))
        left -= lots
    return taken


def lots_ahead(order: Order, own_levels: Levels) -> int | None:
    """How many lots queue before a new resting order; None where its price lies beyond the view."""
    for px_ticks, qty in own_levels:
        if px_ticks == order.px_ticks:
            return qty
    if not own_levels or order.px_ticks is None:
        return 0
    last = own_levels[-1][0]
    beyond = order.px_ticks < last if order.side == BUY else order.px_ticks > last
    return None if beyond else 0


def requeue(order: Order, own_levels: Levels) -> int | None:
    """The lots ahead after the book changed: never more than the level shows, kept while it is out of view."""
    shown = lots_ahead(order, own_levels)
    if order.ahead is None or shown is None:
        return shown if order.ahead is None else order.ahead
    return min(order.ahead, shown)


def by_priority(orders: Iterable[Order]) -> list[Order]:
    """Best price first, then the earlier one. All of one side."""
    return sorted(orders, key=_rank)


def traded_through(orders: list[Order], px_ticks: int, qty: int) -> list[tuple[Order, int, int | None]]:
    """What a trade of others at `px_ticks` does to the resting `orders`, given by priority.

    For each order that it touches: the lots that fill, and the lots still ahead.
    """
    left = qty
    touched: list[tuple[Order, int, int | None]] = []
    for order in orders:
        if left <= 0 or not order.reaches(px_ticks):
            break
        if order.px_ticks != px_ticks:
            lots, ahead = min(order.leaves, left), order.ahead
        elif order.ahead is None:
            continue
        else:
            lots, ahead = min(order.leaves, max(0, left - order.ahead)), max(0, order.ahead - left)
        touched.append((order, lots, ahead))
        left -= lots
    return touched


def _rank(order: Order) -> tuple[int, int]:
    px = order.px_ticks or 0
    return (-px if order.side == BUY else px, order.priority)
