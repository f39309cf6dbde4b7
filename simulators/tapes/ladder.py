"""One synthetic book of contiguous price levels that follows a true mid price, and the trades that move it.

Theory of operation. The ladder holds a best bid, a spread and the sizes of both sides. At each step it is told the
true mid. If the mid has left the inside of the spread, the ladder moves around it: the levels it passes are partly
traded away (takers) and partly withdrawn (makers), and new levels are filled with drawn sizes. Otherwise one of three
small things happens: a size changes, somebody trades at the best price, or the spread is drawn anew.

A book is valid by construction: levels are one tick apart, the spread is at least one tick, every size at least one.
A trade never takes more than the book showed before it.
"""

from random import Random
from typing import NamedTuple

from simulators.core.tape import TapeBook, TapeTrade
from simulators.tapes.draws import MICRO, quantile

LEVELS = 5
BUY, SELL = "1", "2"
WITHDRAWN_OF_8 = 3
"""Of eight levels that the price passes, so many are withdrawn by their makers and not traded."""
RESIZED_OF_1024 = 920
"""Of 1024 steps within the spread, those beyond this draw the spread anew; those below trade or change a size."""


class BookShape(NamedTuple):
    """How a book looks: tables are 17 quantiles. Sizes are per mille of the median; `level_permille` scales a level."""

    venue: str
    symbol: str
    spread_ticks: tuple[int, ...]
    size_permille: tuple[int, ...]
    median_lots: int
    level_permille: tuple[int, ...]
    trade_permille: int
    """Of a thousand steps that do not move the price, how many are trades."""


class Ladder:
    """The book of one instrument. `step` gives the trades and the book that follow from a true mid (in micro-ticks)."""

    __slots__ = ("_ask_lots", "_bid", "_bid_lots", "_random", "_shape", "_spread", "_symbol", "_venue")

    def __init__(self, shape: BookShape, random: Random, mid_micro: int) -> None:
        self._shape = shape
        self._venue = shape.venue
        self._symbol = shape.symbol
        self._random = random
        self._spread = self._draw_spread()
        self._bid = _best_bid(mid_micro, self._spread)
        self._bid_lots = [self._draw_lots(i) for i in range(LEVELS)]
        self._ask_lots = [self._draw_lots(i) for i in range(LEVELS)]

    def book(self, at_ns: int) -> TapeBook:
        """The book as it stands."""
        bid, ask = self._bid, self._bid + self._spread
        b, a = self._bid_lots, self._ask_lots
        bids = ((bid, b[0]), (bid - 1, b[1]), (bid - 2, b[2]), (bid - 3, b[3]), (bid - 4, b[4]))
        asks = ((ask, a[0]), (ask + 1, a[1]), (ask + 2, a[2]), (ask + 3, a[3]), (ask + 4, a[4]))
        return TapeBook(at_ns, self._venue, self._symbol, bids, asks)

    def step(self, at_ns: int, mid_micro: int) -> list[TapeTrade]:
        """Follow the mid; the trades of the step, all against the book before it. `book` gives the book after it."""
        if not self._bid * MICRO <= mid_micro <= (self._bid + self._spread) * MICRO:
            return self._move(at_ns, mid_micro, self._draw_spread())
        kind = self._random.getrandbits(10)
        if kind < self._shape.trade_permille:
            return self._trade(at_ns, mid_micro)
        if kind < RESIZED_OF_1024:
            self._resize()
            return []
        return self._move(at_ns, mid_micro, self._draw_spread())

    def _move(self, at_ns: int, mid_micro: int, spread: int) -> list[TapeTrade]:
        """Stand around the mid with `spread`, and tell what was traded away on the way."""
        bid = _best_bid(mid_micro, spread)
        ask, old_bid, old_ask = bid + spread, self._bid, self._bid + self._spread
        trades: list[TapeTrade] = []
        for i in range(min(LEVELS, bid - old_ask + 1)):
            self._taken(trades, at_ns, old_ask + i, self._ask_lots[i], BUY)
        for i in range(min(LEVELS, old_bid - ask + 1)):
            self._taken(trades, at_ns, old_bid - i, self._bid_lots[i], SELL)
        self._bid_lots = self._shifted(self._bid_lots, old_bid - bid)
        self._ask_lots = self._shifted(self._ask_lots, ask - old_ask)
        self._bid, self._spread = bid, spread
        return trades

    def _taken(self, trades: list[TapeTrade], at_ns: int, px_ticks: int, lots: int, aggressor: str) -> None:
        if self._random.getrandbits(3) >= WITHDRAWN_OF_8:
            trades.append(TapeTrade(at_ns, self._venue, self._symbol, px_ticks, lots, aggressor))

    def _shifted(self, lots: list[int], away: int) -> list[int]:
        """Sizes after the best price moved `away` ticks from the other side (negative: towards it)."""
        if away >= 0:
            kept = lots[away:]
            return kept + [self._draw_lots(i) for i in range(len(kept), LEVELS)]
        fresh = [self._draw_lots(i) for i in range(min(LEVELS, -away))]
        return fresh + lots[: LEVELS - len(fresh)]

    def _trade(self, at_ns: int, mid_micro: int) -> list[TapeTrade]:
        """Somebody takes part of the best level on the side towards which the mid leans; one lot always stays."""
        buy = 2 * mid_micro > (2 * self._bid + self._spread) * MICRO
        lots = self._ask_lots if buy else self._bid_lots
        if lots[0] == 1:
            lots[0] += self._draw_lots(0)
            return []
        qty = min(lots[0] - 1, 1 + self._random.getrandbits(8) * lots[0] // 512)
        lots[0] -= qty
        px_ticks = self._bid + self._spread if buy else self._bid
        return [TapeTrade(at_ns, self._venue, self._symbol, px_ticks, qty, BUY if buy else SELL)]

    def _resize(self) -> None:
        """The size of one level changes, of a near one more often."""
        bits = self._random.getrandbits(4)
        lots = self._bid_lots if bits & 1 else self._ask_lots
        level = (0, 0, 0, 1, 1, 2, 3, 4)[bits >> 1]
        drawn = self._draw_lots(level)
        lots[level] = drawn if drawn != lots[level] else drawn + 1

    def _draw_lots(self, level: int) -> int:
        shape = self._shape
        permille = quantile(self._random, shape.size_permille) * shape.level_permille[level]
        return max(1, shape.median_lots * permille // MICRO)

    def _draw_spread(self) -> int:
        return self._shape.spread_ticks[self._random.getrandbits(4)]


def _best_bid(mid_micro: int, spread: int) -> int:
    """The bid that puts a spread around the mid, its middle at most half a tick from it."""
    return (2 * mid_micro - (spread - 1) * MICRO) // (2 * MICRO)
