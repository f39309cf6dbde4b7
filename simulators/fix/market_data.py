"""The market-data session: subscriptions in, snapshots and changes out, in the words of the dialects. Pure.

A request is taken as a whole or refused as a whole (35=Y). A subscription begins with the trading status of each
instrument (35=f) and, in the incremental dialect, one full book (35=W); the snapshot dialect goes on at its next
interval. Subscriptions end with the connection.
"""

from typing import NamedTuple

from simulators.core.market_data import DEPTH
from simulators.core.values import Levels, MarketData, MdIncrement, MdSession, MdSnapshot, MdStatus
from simulators.core.venue import Venue
from simulators.fix.session import REQUIRED_TAG_MISSING
from simulators.fix.wire import Message, field, utc_date_and_time, whole
from simulators.fix.words import DialectConfig, Outgoing, PriceText, Refused, stamp

_SNAPSHOT, _SUBSCRIBE, _UNSUBSCRIBE = "0", "1", "2"
_UNKNOWN_SYMBOL, _DUPLICATE_ID, _BAD_DEPTH, _BAD_UPDATE_TYPE = "0", "1", "5", "6"
_DELETE = "2"


class _Subscription(NamedTuple):
    md_req_id: bytes
    symbols: tuple[str, ...]
    depth: int


class MarketDataApp:
    """Who listens to what on one market-data session."""

    def __init__(self, venue: Venue, config: DialectConfig) -> None:
        self._venue = venue
        self._config = config
        self._words = config.words
        self._rpt_seq = config.rpt_seq and config.words.rpt_seq
        self._subscriptions: dict[str, _Subscription] = {}
        self._by_symbol: dict[str, list[_Subscription]] = {}
        self._ticks = {listing.symbol: listing.tick for listing in venue.config.listings}
        self._prices = PriceText()

    def on_disconnect(self) -> None:
        """The connection is gone and with it what it asked for."""
        self._subscriptions.clear()
        self._by_symbol.clear()

    def on_message(self, message: Message, at_ns: int) -> list[Outgoing] | Refused:
        """A request in sequence and its answers."""
        if message.msg_type != "V":
            body = field(45, message.seq or 0) + field(372, message.msg_type) + field(380, 3)
            return [Outgoing("j", body + field(58, f"MsgType(35) not supported: {message.msg_type}"))]
        for tag in (262, 263, 264, 146, 55):
            if not message.get(tag):
                return Refused(REQUIRED_TAG_MISSING, tag, f"required tag missing: {tag}")
        return self._request(message, at_ns)

    def words(self, event: MarketData) -> list[Outgoing]:
        """An event of the venue as messages, one for each subscription to its instrument."""
        if isinstance(event, MdSession):
            return [self._session(event)] if self._subscriptions else []
        subscriptions = self._by_symbol.get(event.symbol)
        if not subscriptions:
            return []
        if isinstance(event, MdStatus):
            return [self._status(event)]
        if isinstance(event, MdSnapshot):
            return [self._snapshot(each, event) for each in subscriptions]
        entries = self._entries(event)
        return [Outgoing("X", b"262=%b\x01%b" % (each.md_req_id, entries), event.lost) for each in subscriptions]

    # Requests --------------------------------------------------------------------------------------------------------

    def _request(self, message: Message, at_ns: int) -> list[Outgoing]:
        md_req_id, kind = message.get(262), message.get(263)
        if kind == _UNSUBSCRIBE:
            self._end(md_req_id)
            return []
        refusal = self._refusal(message)
        if refusal is not None:
            return [refusal]
        depth = min(whole(message.get(264)) or DEPTH, DEPTH)
        subscription = _Subscription(md_req_id.encode(), tuple(dict.fromkeys(message.all(55))), depth)
        out: list[Outgoing] = []
        for symbol in subscription.symbols:
            if kind == _SUBSCRIBE:
                out.append(self._status(MdStatus(at_ns, symbol, self._venue.status(symbol))))
            if kind == _SNAPSHOT or self._words.incremental:
                out.append(self._snapshot(subscription, self._venue.image(at_ns, symbol)))
        if kind == _SUBSCRIBE:
            out += [self._session(one) for one in self._venue.sessions_shut(at_ns, subscription.symbols)]
            self._subscriptions[md_req_id] = subscription
            for symbol in subscription.symbols:
                self._by_symbol.setdefault(symbol, []).append(subscription)
        return out

    def _refusal(self, message: Message) -> Outgoing | None:
        md_req_id, kind, depth = message.get(262), message.get(263), whole(message.get(264))
        update_type = "1" if self._words.incremental else "0"
        if kind not in {_SNAPSHOT, _SUBSCRIBE}:
            return _no(md_req_id, "4", f"SubscriptionRequestType(263) not supported: {kind}; 0, 1 or 2 is right")
        if md_req_id in self._subscriptions:
            return _no(md_req_id, _DUPLICATE_ID, f"MDReqID(262) already used: {md_req_id}")
        unknown = [symbol for symbol in message.all(55) if not self._venue.lists(symbol)]
        if unknown:
            return _no(md_req_id, _UNKNOWN_SYMBOL, f"Symbol(55) unknown: {unknown[0]}")
        if depth is None or (self._words.incremental and 0 < depth < DEPTH):
            text = f"MarketDepth(264) not supported: {message.get(264)}; 0 or {DEPTH} is right"
            return _no(md_req_id, _BAD_DEPTH, text)
        if kind == _SUBSCRIBE and message.get(265, update_type) != update_type:
            text = f"MDUpdateType(265) not supported: {message.get(265)}; {update_type} is right"
            return _no(md_req_id, _BAD_UPDATE_TYPE, text)
        return None

    def _end(self, md_req_id: str) -> None:
        subscription = self._subscriptions.pop(md_req_id, None)
        if subscription is not None:
            for symbol in subscription.symbols:
                self._by_symbol[symbol].remove(subscription)

    # Words -----------------------------------------------------------------------------------------------------------

    def _status(self, event: MdStatus) -> Outgoing:
        exchange = f"207={self._config.exchange}\x01" if self._words.domestic else ""
        text = f"55={event.symbol}\x01{exchange}326={event.status}\x0160={stamp(self._config.clock, event.at_ns)}\x01"
        return Outgoing("f", text.encode())

    def _session(self, event: MdSession) -> Outgoing:
        """TradingSessionStatus(35=h): 336 names the segment up to 4.4, MarketSegmentID(1300) from 5.0 SP2 on."""
        modern = bool(self._words.default_appl_ver_id)
        named = f"{1300 if modern else 336}={event.segment}\x01" if event.segment else "" if modern else "336=1\x01"
        return Outgoing("h", f"{named}340={event.status}\x01".encode())

    def _snapshot(self, subscription: _Subscription, event: MdSnapshot) -> Outgoing:
        symbol = event.symbol
        when = self._when(event.at_ns)
        rows = self._levels(b"0", symbol, event.bids[: subscription.depth], when)
        rows += self._levels(b"1", symbol, event.asks[: subscription.depth], when)
        if event.last_px_ticks is not None:
            price = self._prices.of(symbol, self._ticks[symbol], event.last_px_ticks)
            rows.append(b"269=2\x01270=%b\x01271=%d\x01%b" % (price, event.last_qty_lots, when))
        head = b"262=%b\x0155=%b\x01" % (subscription.md_req_id, symbol.encode())
        if self._words.domestic:
            head += self._day(symbol)
        if self._rpt_seq:
            head += b"83=%d\x01" % event.rpt_seq
        if self._words.domestic:
            head += self._limits(symbol)
        return Outgoing("W", head + b"268=%d\x01" % len(rows) + b"".join(rows), event.lost)

    def _levels(self, kind: bytes, symbol: str, levels: Levels, when: bytes) -> list[bytes]:
        tick, price = self._ticks[symbol], self._prices.of
        return [
            b"269=%b\x01270=%b\x01271=%d\x01%b%d=%d\x01"
            % (kind, price(symbol, tick, px), qty, when, self._words.position_tag, position)
            for position, (px, qty) in enumerate(levels, 1)
        ]

    def _entries(self, event: MdIncrement) -> bytes:
        symbol = event.symbol
        tick, price, when = self._ticks[symbol], self._prices.of, self._when(event.at_ns)
        number = b"83=%d\x01" % event.rpt_seq if self._rpt_seq else b""
        rows = [b"268=%d\x01" % len(event.entries)]
        name = symbol.encode()
        for action, kind, position, px_ticks, qty in event.entries:
            place = b"%d=%d\x01" % (self._words.position_tag, position) if position else b""
            rows.append(
                b"279=%b\x01269=%b\x0155=%b\x01270=%b\x01271=%d\x01%b%b%b"
                % (action.encode(), kind.encode(), name, price(symbol, tick, px_ticks), qty, when, place, number)
            )
        return b"".join(rows)

    def _when(self, at_ns: int) -> bytes:
        return b"272=%b\x01273=%b\x01" % utc_date_and_time(self._config.clock.venue_ns(at_ns))

    def _day(self, symbol: str) -> bytes:
        return f"207={self._config.exchange}\x0175={self._venue.trade_date(symbol)}\x01".encode()

    def _limits(self, symbol: str) -> bytes:
        limits, tick, price = self._venue.limits(symbol), self._ticks[symbol], self._prices.of
        low, high = limits.low_ticks, limits.high_ticks
        text = b"1148=%b\x01" % price(symbol, tick, low) if low is not None else b""
        return text + (b"1149=%b\x01" % price(symbol, tick, high) if high is not None else b"")


def _no(md_req_id: str, reason: str, text: str) -> Outgoing:
    return Outgoing("Y", field(262, md_req_id) + field(281, reason) + field(58, text))
