"""Turns the raw text of a market-data message into events of `gateway.model.quote`: whole ticks, lots, nanoseconds.

Decides what a message says and whether it can be used. Does not decide what the book then is, nor whether a message
was missed (`gateway.feed`). Nothing is guessed and nothing raises: what cannot be used becomes `BadMarketData`, which
names the tag, the value and what would be right; entries of other instruments in the same message still count.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from gateway.fix import tags
from gateway.fix.dialect import Dialect
from gateway.fix.dialect_market import SESSION_STATUS, SessionWords
from gateway.fix.instrument_key import InstrumentKeys
from gateway.fix.market_data_usual import UsualLayout
from gateway.fix.scan import BadField, Fields, Prices, Sizes, Stamps, need, scan, scan_group, whole
from gateway.model.instrument import Instrument
from gateway.model.quote import (
    BadMarketData,
    BookIncrement,
    BookSnapshot,
    LevelChange,
    Levels,
    MarketEvent,
    MdAction,
    MdRejected,
    MdSide,
    StatusChange,
    TradingStatus,
)

MAX_POSITION = 1000
"""Highest MDEntryPositionNo(290) that is believed."""

_ACTIONS = {action.value: action for action in MdAction}
_SIDES = {side.value: side for side in MdSide}
_STATES = {status.value: status for status in TradingStatus}
_BID, _OFFER, _TRADE = "0", "1", "2"


class MarketDataDecoder:
    """Decodes the market data of one venue; `instruments` by whatever: the dialect says what tells them apart."""

    def __init__(self, dialect: Dialect, venue_id: str, instruments: Mapping[str, Instrument]) -> None:
        self._dialect = dialect
        self._venue_id = venue_id
        self._keys = InstrumentKeys(dialect, venue_id, instruments)
        self._prices = {key: Prices(instrument) for key, instrument in self._keys.by_key.items()}
        self._sizes = Sizes()
        self._stamps = Stamps(dialect.utc_offset_ns)
        groups = {name: spec.groups.get(tags.NO_MD_ENTRIES) for name, spec in dialect.dictionary.messages.items()}
        self._members = {name: frozenset(group.members) for name, group in groups.items() if group}
        self._position_tag = dialect.position_tag
        spec = dialect.dictionary.fields.get(dialect.position_tag)
        self._position_name = "the place of a level" if spec is None else spec.name
        self._position_told = f"{self._position_name}({self._position_tag})"
        self._usual = UsualLayout(dialect, self._prices, self._sizes, self._stamps, self._members)

    def decode(self, raw: str, recv_ns: int) -> Sequence[MarketEvent]:
        """The events of one message, at least one for each that concerns market data."""
        usual = self._usual.event(raw, recv_ns)
        return self.decode_any(raw, recv_ns) if usual is None else (usual,)

    def decode_any(self, raw: str, recv_ns: int) -> Sequence[MarketEvent]:
        """As `decode`, whatever the layout."""
        msg_type = raw.partition("\x0135=")[2].partition("\x01")[0]
        try:
            if msg_type == tags.MsgType.MARKET_DATA_INCREMENTAL_REFRESH and msg_type in self._members:
                return self._increments(raw, recv_ns)
            if msg_type == tags.MsgType.MARKET_DATA_SNAPSHOT:
                return (self._snapshot(raw, recv_ns),)
            return self._other(msg_type, raw, recv_ns)
        except BadField as error:
            return (self._bad(raw, recv_ns, str(error)),)

    def _snapshot(self, raw: str, recv_ns: int) -> MarketEvent:
        body, entries = scan_group(raw, tags.NO_MD_ENTRIES, tags.MD_ENTRY_TYPE, self._members["W"])
        prices = self._of(body)
        try:
            bids: list[tuple[int, int, int]] = []
            asks: list[tuple[int, int, int]] = []
            last: tuple[int, int] | None = None
            for number, entry in enumerate(entries, 1):
                kind = entry[tags.MD_ENTRY_TYPE]
                if kind == _TRADE:
                    last = self._trade(prices, entry)
                elif kind in _SIDES:
                    (bids if kind == _BID else asks).append(self._level(prices, entry, number))
                else:
                    raise BadField("MDEntryType(269)", kind, "0 bid, 1 offer or 2 trade")  # noqa: TRY301 - one way out
            return BookSnapshot(
                prices.instrument.instrument_id,
                recv_ns,
                self._venue_ns(body, entries),
                whole(need(body, tags.MSG_SEQ_NUM, "MsgSeqNum"), "MsgSeqNum(34)"),
                self._rpt_seq(body, lowest=0 if self._dialect.incremental else 1),
                _ladder(bids, self._position_told, rising=False),
                _ladder(asks, self._position_told, rising=True),
                None if last is None else last[0],
                0 if last is None else last[1],
                self._limit(prices, body, self._dialect.high_limit),
                self._limit(prices, body, self._dialect.low_limit),
            )
        except BadField as error:
            return self._bad(raw, recv_ns, str(error), prices.instrument.instrument_id)

    def _increments(self, raw: str, recv_ns: int) -> Sequence[MarketEvent]:
        body, entries = scan_group(raw, tags.NO_MD_ENTRIES, tags.MD_UPDATE_ACTION, self._members["X"])
        if not entries:
            raise BadField("NoMDEntries(268)", "0", "at least one entry in an incremental refresh")
        told = {tag: body[tag] for tag in self._keys.tags if tag in body}
        of_key: dict[tuple[tuple[str, str], ...], list[Fields]] = {}
        for entry in entries:
            if tags.SYMBOL in entry:  # else it is about the instrument of the entry before
                told = {tag: entry[tag] for tag in self._keys.tags if tag in entry}
            of_key.setdefault(tuple(sorted(told.items())), []).append(entry)
        return [self._increment(raw, recv_ns, body, dict(key), mine) for key, mine in of_key.items()]

    def _increment(self, raw: str, recv_ns: int, body: Fields, named: Fields, entries: list[Fields]) -> MarketEvent:
        instrument_id = ""
        try:
            prices = self._of(named)
            instrument_id = prices.instrument.instrument_id
            changes: list[LevelChange] = []
            last: tuple[int, int] | None = None
            for entry in entries:
                if need(entry, tags.MD_ENTRY_TYPE, "MDEntryType") == _TRADE:
                    last = self._trade(prices, entry)
                else:
                    changes.append(self._change(prices, entry))
            return BookIncrement(
                instrument_id,
                recv_ns,
                self._venue_ns(body, entries),
                whole(need(body, tags.MSG_SEQ_NUM, "MsgSeqNum"), "MsgSeqNum(34)"),
                self._rpt_seq_of_all(body, entries),
                tuple(changes),
                None if last is None else last[0],
                0 if last is None else last[1],
            )
        except BadField as error:
            return self._bad(raw, recv_ns, str(error), instrument_id, named)

    def _change(self, prices: Prices, entry: Fields) -> LevelChange:
        action = _ACTIONS.get(entry[tags.MD_UPDATE_ACTION])
        if action is None:
            raise BadField("MDUpdateAction(279)", entry[tags.MD_UPDATE_ACTION], "0 new, 1 change or 2 delete")
        side = _SIDES.get(entry[tags.MD_ENTRY_TYPE])
        if side is None:
            raise BadField("MDEntryType(269)", entry[tags.MD_ENTRY_TYPE], "0 bid, 1 offer or 2 trade")
        position = self._position(need(entry, self._position_tag, self._position_name))
        if action is MdAction.DELETE:
            px, qty = entry.get(tags.MD_ENTRY_PX), entry.get(tags.MD_ENTRY_SIZE)
            px_ticks = 0 if px is None else prices.ticks(px, "MDEntryPx(270)")
            return LevelChange(
                action, side, position, px_ticks, 0 if qty is None else self._sizes.lots(qty, "MDEntrySize(271)")
            )
        px_ticks, qty_lots = self._trade(prices, entry)
        return LevelChange(action, side, position, px_ticks, qty_lots)

    def _level(self, prices: Prices, entry: Fields, number: int) -> tuple[int, int, int]:
        """Position, price and size; without it the order of the message counts."""
        px_ticks, qty_lots = self._trade(prices, entry)
        position = entry.get(self._position_tag)
        return (-number if position is None else self._position(position)), px_ticks, qty_lots

    def _trade(self, prices: Prices, entry: Fields) -> tuple[int, int]:
        px_ticks = prices.quoted(need(entry, tags.MD_ENTRY_PX, "MDEntryPx"), "MDEntryPx(270)")
        size = need(entry, tags.MD_ENTRY_SIZE, "MDEntrySize")
        qty_lots = self._sizes.lots(size, "MDEntrySize(271)")
        if not qty_lots:
            raise BadField("MDEntrySize(271)", size, "at least 1 lot")
        return px_ticks, qty_lots

    def _position(self, text: str) -> int:
        position = self._sizes.lots(text, self._position_told)
        if not 1 <= position <= MAX_POSITION:
            raise BadField(self._position_told, text, f"1 for the best, at most {MAX_POSITION}")
        return position

    def _of(self, fields: Fields) -> Prices:
        prices = self._prices.get(self._keys.key(fields))
        if prices is None:
            raise self._keys.unknown(fields)
        return prices

    def _rpt_seq(self, fields: Fields, lowest: int) -> int:
        """RptSeq(83); where increments follow, a snapshot before the first of them says 0."""
        if not self._dialect.rpt_seq:
            return 0
        text = need(fields, tags.RPT_SEQ, "RptSeq")
        rpt_seq = whole(text, "RptSeq(83)")
        if rpt_seq < lowest:
            raise BadField("RptSeq(83)", text, f"{lowest} or more")
        return rpt_seq

    def _rpt_seq_of_all(self, body: Fields, entries: list[Fields]) -> int:
        if not self._dialect.rpt_seq:
            return 0
        default = body.get(tags.RPT_SEQ)
        texts = {entry.get(tags.RPT_SEQ, default) for entry in entries}
        if len(texts) > 1:
            raise BadField("RptSeq(83)", ", ".join(map(str, texts)), "the same in all entries of an instrument")
        text = texts.pop()
        return self._rpt_seq({} if text is None else {tags.RPT_SEQ: text}, lowest=1)

    def _venue_ns(self, body: Fields, entries: list[Fields]) -> int:
        """The latest MDEntryDate(272) with MDEntryTime(273); SendingTime(52) where no entry has them."""
        moments = {(entry.get(tags.MD_ENTRY_DATE), entry.get(tags.MD_ENTRY_TIME)) for entry in entries}
        moments.discard((None, None))
        if not moments:
            return self._stamps.ns(need(body, tags.SENDING_TIME, "SendingTime"), "SendingTime(52)")
        if len(moments) == 1:
            return self._moment_ns(*moments.pop())
        return max(self._moment_ns(day, time) for day, time in moments)

    def _moment_ns(self, day: str | None, time: str | None) -> int:
        if day is None or time is None:
            raise BadField("MDEntryDate(272) or MDEntryTime(273)", None, "both of them, or neither")
        return self._stamps.ns(f"{day}-{time}", "MDEntryDate(272)-MDEntryTime(273)")

    def _limit(self, prices: Prices, body: Fields, tag: str) -> int | None:
        text = body.get(tag) if tag else None
        return None if text is None else prices.ticks(text, f"a price limit({tag})")

    def _other(self, msg_type: str, raw: str, recv_ns: int) -> Sequence[MarketEvent]:
        body = scan(raw)
        if msg_type == tags.MsgType.SECURITY_STATUS:
            return (self._status(raw, body, recv_ns),)
        if msg_type == SESSION_STATUS and self._dialect.session_words is not None:
            return self._session_status(raw, body, self._dialect.session_words, recv_ns)
        text = body.get(tags.TEXT, "")
        if msg_type == tags.MsgType.MARKET_DATA_REQUEST_REJECT:
            reason = body.get(tags.MD_REQ_REJ_REASON, "")
            return (MdRejected(self._venue_id, recv_ns, body.get(tags.MD_REQ_ID, ""), reason, text),)
        if msg_type == tags.MsgType.REJECT:
            return (MdRejected(self._venue_id, recv_ns, "", body.get(tags.SESSION_REJECT_REASON, ""), text),)
        if msg_type == tags.MsgType.BUSINESS_MESSAGE_REJECT:
            ref_id = body.get(tags.BUSINESS_REJECT_REF_ID, "")
            return (MdRejected(self._venue_id, recv_ns, ref_id, body.get(tags.BUSINESS_REJECT_REASON, ""), text),)
        raise BadField("MsgType(35)", msg_type, f"one of {', '.join(self._members)}, f, Y, j or 3 on this session")

    def _session_status(self, raw: str, body: Fields, words: SessionWords, recv_ns: int) -> Sequence[MarketEvent]:
        """What a whole segment does: one event for each instrument of it; a word that is not known shuts them."""
        code = body.get(tags.TRAD_SES_STATUS)
        status = words.values.get(code or "")
        named = body.get(words.segment, "") if words.segment else ""
        seq_num = whole(need(body, tags.MSG_SEQ_NUM, "MsgSeqNum"), "MsgSeqNum(34)")
        venue_ns = self._stamps.ns(need(body, tags.SENDING_TIME, "SendingTime"), "SendingTime(52)")
        heard = [
            StatusChange(
                one.instrument_id,
                recv_ns,
                venue_ns,
                seq_num,
                status or TradingStatus.NOT_AVAILABLE,
                of_session=True,
            )
            for one in self._keys.by_key.values()
            if not named or one.fields.get(words.instrument, named) == named
        ]
        if status is not None:
            return heard
        error = BadField("TradSesStatus(340)", code, f"one of {', '.join(words.values)}")
        return [*heard, replace(self._bad(raw, recv_ns, str(error)), suspect=False)]

    def _status(self, raw: str, body: Fields, recv_ns: int) -> MarketEvent:
        if tags.SYMBOL in body and not self._keys.knows_symbol(body):
            # Venues tell of all their instruments; one that is not ours is no doubt about those that are.
            return replace(self._bad(raw, recv_ns, str(self._keys.unknown(body))), suspect=False)
        prices = self._of(body)
        code = need(body, tags.SECURITY_TRADING_STATUS, "SecurityTradingStatus")
        status = _STATES.get(code)
        if status is None:
            raise BadField("SecurityTradingStatus(326)", code, f"one of {', '.join(_STATES)}")
        stamp = body.get(tags.TRANSACT_TIME) or need(body, tags.SENDING_TIME, "SendingTime")
        return StatusChange(
            prices.instrument.instrument_id,
            recv_ns,
            self._stamps.ns(stamp, "TransactTime(60)"),
            whole(need(body, tags.MSG_SEQ_NUM, "MsgSeqNum"), "MsgSeqNum(34)"),
            status,
            self._limit(prices, body, self._dialect.high_limit),
            self._limit(prices, body, self._dialect.low_limit),
        )

    def _bad(
        self, raw: str, recv_ns: int, reason: str, instrument_id: str = "", named: Fields | None = None
    ) -> BadMarketData:
        number = raw.partition("\x0134=")[2].partition("\x01")[0]
        if not instrument_id:
            one = self._keys.by_key.get(self._key_in(raw) if named is None else self._key_of(named))
            instrument_id = "" if one is None else one.instrument_id
        seq_num = int(number) if number.isdecimal() and number.isascii() and len(number) <= 18 else 0  # noqa: PLR2004
        return BadMarketData(self._venue_id, instrument_id, recv_ns, seq_num, reason)

    def _key_in(self, raw: str) -> str:
        """The key that stands first in a message that cannot be read as a whole."""
        found = {tag: raw.partition(f"\x01{tag}=")[2].partition("\x01")[0] for tag in self._keys.tags}
        return self._key_of(found)

    def _key_of(self, fields: Fields) -> str:
        try:
            return self._keys.key(fields)
        except BadField:
            return ""


def _ladder(levels: list[tuple[int, int, int]], position: str, *, rising: bool) -> Levels:
    """Levels in the order of their positions; BadField when a position is missing, doubled, or better than the last."""
    if not levels:
        return ()
    if levels[0][0] > 0:
        levels.sort()
        if levels[-1][0] != len(levels) or levels[0][0] != 1:
            positions = ", ".join(str(level[0]) for level in levels)
            raise BadField(position, positions, f"1 to {len(levels)}, each once")
    ladder = tuple([level[1:] for level in levels])
    before = ladder[0][0]
    for px_ticks, _ in ladder[1:]:
        if px_ticks == before or (px_ticks > before) is not rising:
            raise BadField("MDEntryPx(270)", f"{px_ticks} ticks after {before}", "each level worse than the one before")
        before = px_ticks
    return ladder
