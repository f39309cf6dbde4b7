"""Market data of clients: the pair's executable price, or a leg's book, with the time on our clock and the verdict.

Each subscription has one newest state that was not told yet: what is overtaken is never sent, so a slow reader gets
less and never delays another. A price that may not be traded on is told with QuoteCondition(276)=B and why.

What a client may see is its entitlement; whether it may trade is not decided here.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gateway.clients.checks import listed
from gateway.clients.decode import MarketDataAsked
from gateway.clients.encode import group, message, plain
from gateway.clients.settings import ClientSettings, price_text
from gateway.fix import tags
from gateway.model.client import ClientSpec
from gateway.model.quote import BookState, Quote
from gateway.model.trade import PairPrice

BID, OFFER = "0", "1"
NEW, CHANGE, DELETE = "0", "1", "2"
SNAPSHOT, SUBSCRIBE, UNSUBSCRIBE = "0", "1", "2"
ACTIVE, INACTIVE = "A", "B"
MOST_DEPTH = 10
MOST_SUBSCRIPTIONS = 1000
"""Of one client."""

Level = tuple[str, int]
ToUtc = Callable[[int], int]


class Book(NamedTuple):
    """What is told of a symbol."""

    bids: tuple[Level, ...]
    offers: tuple[Level, ...]
    verdict: str
    """Empty: it may be traded on."""
    at_ns: int
    """The time of its oldest part, on our monotonic clock."""
    bound_ns: int
    """How far off that may be; 0: by arrival."""


NOTHING = Book((), (), "no price yet", 0, 0)


class Subscription:
    """One symbol of one request."""

    def __init__(self, asked: MarketDataAsked, symbol: str) -> None:
        self.request_id = asked.request_id
        self.symbol = symbol
        self.incremental = asked.incremental
        self.kinds = asked.entry_types or frozenset({BID, OFFER})
        self.depth = min(asked.depth or MOST_DEPTH, MOST_DEPTH)
        self.told: Book | None = None
        self.told_ns = 0
        self.fresh = True


class MarketData:
    """All subscriptions of all clients, and the newest state of every symbol that is seen."""

    def __init__(self, settings: ClientSettings, interval_ns: int, to_utc: ToUtc, stamp: Callable[[int], str]) -> None:
        self._settings = settings
        self._interval_ns = interval_ns
        self._to_utc = to_utc
        self._stamp = stamp
        self._books: dict[str, Book] = {}
        self._by_symbol: dict[str, dict[tuple[str, str], Subscription]] = {}
        self._by_client: dict[str, dict[tuple[str, str], Subscription]] = {}

    def on_price(self, price: PairPrice) -> None:
        """A pair has a new price."""
        bids = ((price_text(price.sell_px_e9), price.sell_units),) if price.sell_px_e9 is not None else ()
        offers = ((price_text(price.buy_px_e9), price.buy_units),) if price.buy_px_e9 is not None else ()
        verdict = "" if price.verdict == "ok" else price.verdict
        self._keep(price.pair_id, Book(bids, offers, verdict, price.at_ns, 0))

    def on_quote(self, quote: Quote) -> None:
        """A leg has a new book."""
        instrument = self._settings.instruments.get(quote.instrument_id)
        if instrument is None:
            return
        bids = tuple((format(instrument.price(px), "f"), lots) for px, lots in quote.bids[:MOST_DEPTH])
        offers = tuple((format(instrument.price(px), "f"), lots) for px, lots in quote.asks[:MOST_DEPTH])
        verdict = "" if quote.state is BookState.OK else f"{quote.state.value} {quote.detail}".rstrip()
        at_ns = quote.calibrated_ns or quote.recv_ns
        self._keep(
            quote.instrument_id, Book(bids, offers, verdict, at_ns, quote.bound_ns if quote.calibrated_ns else 0)
        )

    def wanted(self) -> set[str]:
        """Symbols that anybody has subscribed to."""
        return {symbol for symbol, known in self._by_symbol.items() if known}

    def ask(self, client: ClientSpec, asked: MarketDataAsked) -> tuple[list[str], str]:
        """Messages to send now; or MDReqRejReason(281) and the words, as the one message of the answer, when refused.

        The second value names the reason of a refusal, empty otherwise.
        """
        held = self._by_client.setdefault(client.client_id, {})
        if asked.subscription == UNSUBSCRIBE:
            self._drop(client.client_id, asked.request_id)
            return [], ""
        problem = next(self._problems(client, asked, held), None)
        if problem is not None:
            reason, words = problem
            return [_rejected(asked.request_id, reason, words)], words
        made = [Subscription(asked, symbol) for symbol in asked.symbols]
        texts = [self._snapshot(one, self._books.get(one.symbol, NOTHING)) for one in made]
        if asked.subscription == SUBSCRIBE:
            for one in made:
                one.told, one.fresh = self._books.get(one.symbol, NOTHING), False
                held[one.request_id, one.symbol] = one
                self._by_symbol.setdefault(one.symbol, {})[client.client_id, one.request_id] = one
        return texts, ""

    def gone(self, client_id: str) -> None:
        """Its session is down: its subscriptions end with it."""
        for request_id, symbol in list(self._by_client.pop(client_id, {})):
            self._by_symbol.get(symbol, {}).pop((client_id, request_id), None)

    def due(self, client_id: str, at_ns: int) -> Iterator[str]:
        """What is new for a client and due by its pace: give it only while the client reads."""
        for one in self._by_client.get(client_id, {}).values():
            if one.fresh and at_ns - one.told_ns >= self._interval_ns:
                book = self._books.get(one.symbol, NOTHING)
                one.fresh, one.told_ns = False, at_ns
                text = self._change(one, book) if one.incremental else self._snapshot(one, book)
                one.told = book
                if text:
                    yield text

    def clients(self) -> list[str]:
        """Clients that have subscribed to anything."""
        return [client_id for client_id, held in self._by_client.items() if held]

    def _keep(self, symbol: str, book: Book) -> None:
        self._books[symbol] = book
        for one in self._by_symbol.get(symbol, {}).values():
            one.fresh = True

    def _drop(self, client_id: str, request_id: str) -> None:
        held = self._by_client.get(client_id, {})
        for key in [key for key in held if key[0] == request_id]:
            del held[key]
            self._by_symbol.get(key[1], {}).pop((client_id, request_id), None)

    def _problems(
        self, client: ClientSpec, asked: MarketDataAsked, held: dict[tuple[str, str], Subscription]
    ) -> Iterator[tuple[str, str]]:
        """MDReqRejReason(281) and the words of everything that stands in the way."""
        seen = client.pairs + client.instruments
        known = self._settings.pairs.keys() | self._settings.instruments.keys()
        for symbol in asked.symbols:
            if symbol not in known:
                yield "0", f"Symbol(55)={symbol!r} is not known; accepted: {listed(seen)}"
            elif symbol not in seen:
                yield "3", f"Symbol(55)={symbol!r}: this session may not see it; accepted: {listed(seen)}"
        if asked.subscription == SUBSCRIBE and any(key[0] == asked.request_id for key in held):
            yield "1", f"MDReqID(262)={asked.request_id!r} is in use; accepted: a new one"
        if asked.depth < 0:
            yield "5", f"MarketDepth(264)={asked.depth}; accepted: 0 (all, at most {MOST_DEPTH}), 1, 2 and so on"
        if not asked.entry_types <= {BID, OFFER}:
            yield "8", "MDEntryType(269); accepted: 0 (bid), 1 (offer)"
        if len(held) + len(asked.symbols) > MOST_SUBSCRIPTIONS:
            yield "4", f"{len(held)} symbols are subscribed; accepted: at most {MOST_SUBSCRIPTIONS}"

    def _snapshot(self, one: Subscription, book: Book) -> str:
        """MarketDataSnapshotFullRefresh(35=W)."""
        entries = [
            [(tags.MD_ENTRY_TYPE, kind), *self._level(level, book), (tags.MD_ENTRY_POSITION_NO, position)]
            for kind, levels in _sides(one, book)
            for position, level in enumerate(levels, 1)
        ]
        if not entries:
            kind = BID if BID in one.kinds else OFFER
            entries = [[(tags.MD_ENTRY_TYPE, kind), *self._level(None, book)]]
        fields = ((tags.MD_REQ_ID, plain(one.request_id)), (tags.SYMBOL, one.symbol))
        return message(tags.MsgType.MARKET_DATA_SNAPSHOT, fields, group(tags.NO_MD_ENTRIES, entries))

    def _change(self, one: Subscription, book: Book) -> str:
        """MarketDataIncrementalRefresh(35=X); empty when nothing that was asked for has changed."""
        before = one.told or NOTHING
        entries: list[list[tuple[str, str | int]]] = []
        for kind, levels in _sides(one, book):
            old = dict(_sides(one, before))[kind]
            for position in range(1, max(len(old), len(levels)) + 1):
                entries += self._step(one, kind, position, old, levels, book, before)
        if not entries and book.verdict != before.verdict:
            kind = BID if BID in one.kinds else OFFER
            entries = [self._entry(CHANGE, kind, 0, one, self._level(None, book))]
        if not entries:
            return ""
        fields = ((tags.MD_REQ_ID, plain(one.request_id)),)
        return message(tags.MsgType.MARKET_DATA_INCREMENTAL_REFRESH, fields, group(tags.NO_MD_ENTRIES, entries))

    def _step(
        self,
        one: Subscription,
        kind: str,
        position: int,
        old: tuple[Level, ...],
        levels: tuple[Level, ...],
        book: Book,
        before: Book,
    ) -> Iterator[list[tuple[str, str | int]]]:
        if position > len(levels):
            yield self._entry(DELETE, kind, position, one, [])
        elif position > len(old):
            yield self._entry(NEW, kind, position, one, self._level(levels[position - 1], book))
        elif old[position - 1] != levels[position - 1] or book.verdict != before.verdict:
            yield self._entry(CHANGE, kind, position, one, self._level(levels[position - 1], book))

    def _entry(
        self, action: str, kind: str, position: int, one: Subscription, rest: list[tuple[str, str | int]]
    ) -> list[tuple[str, str | int]]:
        return [
            (tags.MD_UPDATE_ACTION, action),
            (tags.MD_ENTRY_TYPE, kind),
            (tags.SYMBOL, one.symbol),
            *rest,
            (tags.MD_ENTRY_POSITION_NO, position or ""),
        ]

    def _level(self, level: Level | None, book: Book) -> list[tuple[str, str | int]]:
        """Price, size, time and verdict of one entry."""
        price, size = level if level is not None else ("", 0)
        when = self._stamp(self._to_utc(book.at_ns)) if book.at_ns else ""
        return [
            (tags.MD_ENTRY_PX, price),
            (tags.MD_ENTRY_SIZE, size),
            (tags.MD_ENTRY_DATE, when[:8]),
            (tags.MD_ENTRY_TIME, when[9:]),
            (tags.QUOTE_CONDITION, INACTIVE if book.verdict else ACTIVE),
            (tags.TEXT, plain(book.verdict)),
            (tags.TIME_BOUND, book.bound_ns or ""),
        ]


def _sides(one: Subscription, book: Book) -> Iterator[tuple[str, tuple[Level, ...]]]:
    """The sides that were asked for, to the depth that was asked for."""
    for kind, levels in ((BID, book.bids), (OFFER, book.offers)):
        if kind in one.kinds:
            yield kind, levels[: one.depth]


def _rejected(request_id: str, reason: str, words: str) -> str:
    """MarketDataRequestReject(35=Y)."""
    fields = ((tags.MD_REQ_ID, plain(request_id)), (tags.MD_REQ_REJ_REASON, reason), (tags.TEXT, plain(words)))
    return message(tags.MsgType.MARKET_DATA_REQUEST_REJECT, fields)
