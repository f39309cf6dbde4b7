"""Orders and pair trades of the day, found by their ids: those of late as they are, older ended ones packed small.

A day may have hundreds of thousands of pair trades, and each may still be spoken of: a late fill, a bust, a copy of a
fill that counted. So nothing is forgotten. But an ended trade beyond the newest `most_kept` is packed with its orders
into a few hundred bytes, and unpacked, the same in all that counts, when something asks for it. What the decision saw
of its legs is not kept: an ended trade is repaired from what it holds and never sent anew.

Packing happens between events (`trim`), so that nobody holds an object that was packed.

What can go wrong: a field of an order or a trade that is not packed would be forgotten. A test plays the same worlds
with everything packed at once and with nothing packed, and wants the same records, byte for byte.
"""

import zlib
from collections.abc import Iterator, MutableMapping
from typing import TypeVar

import msgspec

from gateway.execution.order_book import OwnOrder, PackedOrder
from gateway.execution.pair_trade import PackedTrade, PairTrade

_TRADES = msgspec.msgpack.Decoder(tuple[PackedTrade, tuple[PackedOrder, ...]])
_PACK = msgspec.msgpack.Encoder().encode
LATELY = 100
"""Ended pair trades that are asked about when a venue's words may have been lost."""
Kept = TypeVar("Kept")


class Archive:
    """Everything by its id; `orders`, `trades` and `cancels` (our cancel requests, by their ids, to their orders)."""

    def __init__(self, most_kept: int) -> None:
        self.orders = Orders(self)
        self.trades = Trades(self)
        self.cancels = Cancels(self)
        self._most_kept = most_kept
        self._ended: dict[str, PairTrade] = {}
        """Ended and not packed, in the order in which they ended."""
        self._lately: dict[str, None] = {}
        """The newest that have ended, packed or not."""
        self._words = b""
        """The first that was packed: the others are compressed by what they have in common with it."""
        self._packed: dict[str, bytes] = {}
        self.trade_of: dict[str, str] = {}
        """ClOrdID(11) of packed orders and of cancels of them -> the pair trade."""

    def ended(self, trade: PairTrade) -> None:
        """It has ended: it may be packed when others have ended after it."""
        self._ended.pop(trade.trade_id, None)
        self._ended[trade.trade_id] = trade
        self._lately.pop(trade.trade_id, None)
        self._lately[trade.trade_id] = None
        if len(self._lately) > LATELY:
            del self._lately[next(iter(self._lately))]

    def lately(self) -> list[PairTrade]:
        """Pair trades that were the last to end: what is still to come of them may have been lost."""
        return [self.trades[trade_id] for trade_id in list(self._lately)]

    def opened(self, trade: PairTrade) -> None:
        """It has not ended, or is open again."""
        self._ended.pop(trade.trade_id, None)

    def trim(self) -> None:
        """Pack what has ended long ago; between two events only."""
        ended, most = self._ended, self._most_kept
        while len(ended) > most:
            trade = ended.pop(next(iter(ended)))
            if trade.at_rest:
                self._pack(trade)

    @property
    def packed(self) -> int:
        """How many pair trades are packed."""
        return len(self._packed)

    def knows(self, trade_id: str) -> bool:
        return trade_id in self._packed

    def unpack(self, trade_id: str) -> PairTrade:
        """The trade and its orders as they were, found by their ids again."""
        trade, orders = self.peek(trade_id)
        del self._packed[trade_id]
        self.trades.kept[trade_id] = trade
        for own in orders:
            self.orders.kept[own.order.cl_ord_id] = own
            self.trade_of.pop(own.order.cl_ord_id, None)
            for name in own.cancel_ids:
                self.cancels.kept[name] = own
                self.trade_of.pop(name, None)
        self._ended[trade_id] = trade
        return trade

    def peek(self, trade_id: str) -> tuple[PairTrade, list[OwnOrder]]:
        """A packed trade with its orders, for who only looks."""
        packed, orders = _TRADES.decode(zlib.decompressobj(zdict=self._words).decompress(self._packed[trade_id]))
        trade = PairTrade.unpacked(packed)
        made = [OwnOrder.unpacked(one, trade_id) for one in orders]
        for own in made:
            trade.legs[own.leg_index].orders.append(own)
        trade.note_told()
        return trade, made

    def peek_all(self) -> Iterator[tuple[PairTrade, list[OwnOrder]]]:
        """All that are packed."""
        for trade_id in self._packed:
            yield self.peek(trade_id)

    def _pack(self, trade: PairTrade) -> None:
        orders = trade.orders()
        text = _PACK((trade.packed(), tuple([own.packed() for own in orders])))
        self._words = self._words or text
        press = zlib.compressobj(1, zdict=self._words)
        self._packed[trade.trade_id] = press.compress(text) + press.flush()
        del self.trades.kept[trade.trade_id]
        for own in orders:
            self.orders.kept.pop(own.order.cl_ord_id, None)
            self.trade_of[own.order.cl_ord_id] = trade.trade_id
            for name in own.cancel_ids:
                self.cancels.kept.pop(name, None)
                self.trade_of[name] = trade.trade_id


class _Found(MutableMapping[str, Kept]):
    """By id; what is packed is unpacked when it is asked for."""

    def __init__(self, archive: Archive) -> None:
        self.kept: dict[str, Kept] = {}
        self._archive = archive

    def get(self, name: str, _default: object = None) -> Kept | None:  # type: ignore[override]
        """None where nobody knows it."""
        found = self.kept.get(name)
        return found if found is not None else self._wake(name)

    def _wake(self, name: str) -> Kept | None:
        """What is packed and has this id."""
        trade_id = self._archive.trade_of.get(name)
        if trade_id is None:
            return None
        self._archive.unpack(trade_id)
        return self.kept.get(name)

    def __getitem__(self, name: str) -> Kept:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __setitem__(self, name: str, value: Kept) -> None:
        self.kept[name] = value

    def __delitem__(self, name: str) -> None:
        del self.kept[name]

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Orders(_Found[OwnOrder]):
    """Our orders by ClOrdID(11). Who goes through all of them sees packed ones as copies."""

    def __iter__(self) -> Iterator[str]:
        for _, orders in self._archive.peek_all():
            yield from [own.order.cl_ord_id for own in orders]
        yield from list(self.kept)

    def values(self) -> Iterator[OwnOrder]:  # type: ignore[override]
        for _, orders in self._archive.peek_all():
            yield from orders
        yield from list(self.kept.values())

    def items(self) -> Iterator[tuple[str, OwnOrder]]:  # type: ignore[override]
        for own in self.values():
            yield own.order.cl_ord_id, own


class Trades(_Found[PairTrade]):
    """Pair trades by id. Who goes through all of them sees packed ones as copies."""

    def _wake(self, name: str) -> PairTrade | None:
        return self._archive.unpack(name) if self._archive.knows(name) else None

    def at_hand(self, trade_id: str) -> PairTrade | None:
        """Where it is not packed: for timers, which an ended trade has no use for."""
        return self.kept.get(trade_id)

    def __iter__(self) -> Iterator[str]:
        yield from [trade.trade_id for trade in self.values()]

    def values(self) -> Iterator[PairTrade]:  # type: ignore[override]
        for trade, _ in self._archive.peek_all():
            yield trade
        yield from list(self.kept.values())

    def items(self) -> Iterator[tuple[str, PairTrade]]:  # type: ignore[override]
        for trade in self.values():
            yield trade.trade_id, trade


class Cancels(_Found[OwnOrder]):
    """Our orders by the ClOrdID(11) of a request to cancel them."""

    def __iter__(self) -> Iterator[str]:
        yield from list(self.kept)
