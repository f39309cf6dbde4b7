"""The book of one instrument: what the tape shows, less what our fills took out of it.

The rule of used-up liquidity. A lot that our order took is gone: a level offers the tape's quantity less what we took
there. When the tape's quantity at that price falls below what we took, what we took counts only up to the new quantity
(others' lots went too, ours were among the first); when it rises, the lots added are new; when the level leaves the
tape's book, all is forgotten. So at one price we never take more than was first shown plus all that was added since.

Our own resting orders are not shown in the published book: the tape does not know them.
"""

from simulators.core.values import BUY, Levels


class Depth:
    """Levels best first; `used` counts lots taken by our fills, by price."""

    __slots__ = ("asks", "bids", "last_px", "last_qty", "override", "used_asks", "used_bids")

    def __init__(self) -> None:
        self.bids: Levels = ()
        self.asks: Levels = ()
        self.used_bids: dict[int, int] = {}
        self.used_asks: dict[int, int] = {}
        self.last_px: int | None = None
        self.last_qty = 0
        self.override: tuple[Levels, Levels] | None = None
        """A book that a fault puts in the place of the tape's."""

    def update(self, bids: Levels, asks: Levels) -> None:
        """The tape's new book."""
        self.bids = bids
        self.asks = asks
        if self.used_bids:
            _cap(self.used_bids, bids)
        if self.used_asks:
            _cap(self.used_asks, asks)

    def shown(self) -> tuple[Levels, Levels]:
        """The published book: bids and asks with what is left at each level."""
        if self.override is not None:
            return self.override
        return _less(self.bids, self.used_bids), _less(self.asks, self.used_asks)

    def opposite(self, side: str) -> Levels:
        """What an order of `side` can take, best first."""
        bids, asks = self.shown()
        return asks if side == BUY else bids

    def own(self, side: str) -> Levels:
        """The levels that an order of `side` queues in, best first."""
        bids, asks = self.shown()
        return bids if side == BUY else asks

    def use(self, side: str, px_ticks: int, qty_lots: int) -> None:
        """An order of `side` took `qty_lots` at `px_ticks`."""
        if self.override is not None:
            return
        used = self.used_asks if side == BUY else self.used_bids
        used[px_ticks] = used.get(px_ticks, 0) + qty_lots


def _cap(used: dict[int, int], levels: Levels) -> None:
    shown = dict(levels)
    for px_ticks in list(used):
        qty = shown.get(px_ticks, 0)
        if not qty:
            del used[px_ticks]
        elif used[px_ticks] > qty:
            used[px_ticks] = qty


def _less(levels: Levels, used: dict[int, int]) -> Levels:
    if not used:
        return levels
    return tuple((px, qty - used.get(px, 0)) for px, qty in levels if qty > used.get(px, 0))
