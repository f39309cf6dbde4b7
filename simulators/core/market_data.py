"""What a venue publishes of its books: numbered snapshots or numbered changes, five levels deep.

It decides the RptSeq(83) and the entries of each message, from the published book before and after. It does not know
who listens, nor what a message looks like on a wire. Faults on market data (gap, duplicate, out_of_order) strike here,
because a message that is lost has its number all the same.
"""

from simulators.core.faults import FaultPlan
from simulators.core.values import Levels, MdEntry, MdIncrement, MdSnapshot

DEPTH = 5
_NEW, _CHANGE, _DELETE = "0", "1", "2"
_BID, _OFFER, _TRADE = "0", "1", "2"

MdMessage = MdSnapshot | MdIncrement


def changes(kind: str, before: Levels, after: Levels) -> list[MdEntry]:
    """The entries that turn `before` into `after` for a reader that keeps DEPTH levels and drops what falls off.

    >>> changes("0", ((10, 1), (9, 1)), ((10, 2), (8, 1)))
    [MdEntry(action='1', kind='0', position=1, px_ticks=10, qty_lots=2), MdEntry(action='2', kind='0', position=2, \
px_ticks=9, qty_lots=0), MdEntry(action='0', kind='0', position=2, px_ticks=8, qty_lots=1)]
    """
    if before == after:
        return []
    sign = -1 if kind == _BID else 1
    work = list(before[:DEPTH])
    entries: list[MdEntry] = []
    for index, (px, qty) in enumerate(after[:DEPTH]):
        position = index + 1
        while index < len(work) and sign * work[index][0] < sign * px:
            entries.append(MdEntry(_DELETE, kind, position, work[index][0], 0))
            del work[index]
        if index < len(work) and work[index][0] == px:
            if work[index][1] != qty:
                entries.append(MdEntry(_CHANGE, kind, position, px, qty))
                work[index] = (px, qty)
        else:
            entries.append(MdEntry(_NEW, kind, position, px, qty))
            work.insert(index, (px, qty))
            del work[DEPTH:]
    last = min(len(after), DEPTH)
    entries.extend(MdEntry(_DELETE, kind, last + 1, px, 0) for px, _ in work[last:])
    return entries


class Publisher:
    """The published books of one venue, by symbol, and the number of the last message of each."""

    def __init__(self, faults: FaultPlan) -> None:
        self._faults = faults
        self._bids: dict[str, Levels] = {}
        self._asks: dict[str, Levels] = {}
        self._rpt_seq: dict[str, int] = {}
        self._held: dict[str, MdMessage] = {}
        self._last: dict[str, MdSnapshot] = {}

    def rpt_seq(self, symbol: str) -> int:
        """The RptSeq(83) of the last message of `symbol`; 0 before the first."""
        return self._rpt_seq.get(symbol, 0)

    def increment(self, at_ns: int, symbol: str, book: tuple[Levels, Levels]) -> list[MdMessage]:
        """The change to `book`; empty when nothing published changed."""
        bids, asks = book
        entries = changes(_BID, self._bids.get(symbol, ()), bids)
        entries += changes(_OFFER, self._asks.get(symbol, ()), asks)
        if not entries:
            return []
        self._bids[symbol] = bids[:DEPTH]
        self._asks[symbol] = asks[:DEPTH]
        return self._out(MdIncrement(at_ns, symbol, self._next(symbol), tuple(entries)))

    def trade(self, at_ns: int, symbol: str, px_ticks: int, qty_lots: int) -> list[MdMessage]:
        """A trade as a change of its own."""
        entry = MdEntry(_NEW, _TRADE, 0, px_ticks, qty_lots)
        return self._out(MdIncrement(at_ns, symbol, self._next(symbol), (entry,)))

    def snapshot(
        self, at_ns: int, symbol: str, book: tuple[Levels, Levels], last_px: int | None, last_qty: int
    ) -> list[MdMessage]:
        """The whole book as a numbered message of a snapshot feed."""
        bids, asks = book
        told = MdSnapshot(at_ns, symbol, self._next(symbol), bids[:DEPTH], asks[:DEPTH], last_px, last_qty)
        self._last[symbol] = told
        return self._out(told)

    def image(self, at_ns: int, symbol: str, last_px: int | None, last_qty: int) -> MdSnapshot:
        """The answer to a request, under the last number: the last snapshot, or the book as increments have told it."""
        if symbol in self._last:
            return self._last[symbol]
        bids, asks = self._bids.get(symbol, ()), self._asks.get(symbol, ())
        return MdSnapshot(at_ns, symbol, self.rpt_seq(symbol), bids, asks, last_px, last_qty)

    def _next(self, symbol: str) -> int:
        number = self._rpt_seq.get(symbol, 0) + 1
        self._rpt_seq[symbol] = number
        return number

    def _out(self, message: MdMessage) -> list[MdMessage]:
        struck = self._faults.for_market_data(message.symbol, message.rpt_seq, message.at_ns)
        held = self._held.pop(message.symbol, None)
        if "gap" in struck:
            by_number = struck["gap"].word("level", "rpt_seq") == "msg_seq_num"
            out: list[MdMessage] = [message._replace(lost=True)] if by_number else []
        elif "duplicate" in struck:
            out = [message, message]
        elif "out_of_order" in struck and held is None:
            self._held[message.symbol] = message
            return []
        else:
            out = [message]
        return [*out, held] if held is not None else out
