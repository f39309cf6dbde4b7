"""Reads a market-data message that stands in the layout in which QuickFIX hands on what venues usually send.

It is a short cut and decides nothing of its own: `UsualLayout.event` gives exactly what `MarketDataDecoder` would give
the long way, or None, and then the long way is taken, which also names what is wrong. A test compares the two on
generated and mutated messages.

How it is short: the message is split once. Its head (all before the group) is compared with heads seen before, whole
fields at a time, where only the fields that change from message to message are looked at by themselves. Fields of
entries are looked up as they stand, tag and value together ("270=80010"), so one look-up checks the tag and reads the
value. What is not known yet is read by the strict readers of `scan`.

What can go wrong: a venue that writes its fields in another order, entries of two instruments or of two times in one
message are read the long way, at two to three times the cost.
"""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from gateway.fix import tags
from gateway.fix.dialect import Dialect
from gateway.fix.scan import CACHE_LIMIT, SOH, BadField, Prices, Sizes, Stamps, whole
from gateway.model.quote import BookIncrement, BookSnapshot, LevelChange, MdAction, MdSide

_CHANGING = frozenset({"9", tags.MSG_SEQ_NUM, tags.SENDING_TIME, tags.RPT_SEQ})
"""Fields of the head that are another in every message; 9 is BodyLength."""
_W_ENTRY = frozenset({"269", "270", "271", "272", "273"})
_X_ENTRY = _W_ENTRY | {"279", "55", "83"}
"""Without the tag of a level's place, which the dialect names."""
_W_FIELDS, _X_FIELDS = 6, 9
_MSG_TYPE_AT = 2
_AFTER = 2
"""CheckSum(10), and nothing after the last SOH."""
_ACTIONS = {f"279={action.value}": action for action in MdAction}
_SIDES = {f"269={side.value}": side for side in MdSide}
_MOST_PLACES = 1001
_BID, _TRADE = "269=0", "269=2"


class _Known(dict[str, int]):
    """Fields of one tag, as they stand in a message, and what they say. Bounded; BadField where one cannot be read."""

    def __init__(self, tag: str, read: Callable[[str, str], int]) -> None:
        super().__init__()
        self._mark = f"{tag}="
        self._read = read

    def __missing__(self, field: str) -> int:
        if not field.startswith(self._mark):
            raise BadField(self._mark, field, "the usual layout")
        value = self._read(field[len(self._mark) :], self._mark)
        if len(self) >= CACHE_LIMIT:
            self.clear()
        self[field] = value
        return value


class _Instrument:
    """An instrument's fields."""

    def __init__(self, prices: Prices, dialect: Dialect) -> None:
        self.instrument_id = prices.instrument.instrument_id
        self.ticks = _Known(tags.MD_ENTRY_PX, prices.quoted)
        self.high = _Known(dialect.high_limit or "-", prices.ticks)
        self.low = _Known(dialect.low_limit or "-", prices.ticks)


class _Head:
    """The fields before the group, of one type of message: which tag stands where."""

    def __init__(self, found: tuple[str, ...]) -> None:
        self.tags = found
        self.count_at = len(found)
        self.seq_at = found.index(tags.MSG_SEQ_NUM)
        self.rpt_seq_at = found.index(tags.RPT_SEQ) if tags.RPT_SEQ in found else 0
        self.symbol_at = found.index(tags.SYMBOL) if tags.SYMBOL in found else 0
        self.changing = tuple((at, f"{tag}=") for at, tag in enumerate(found) if tag in _CHANGING)
        self.constant = itemgetter(*(at for at, tag in enumerate(found) if tag not in _CHANGING))
        self.known: dict[Any, _Instrument | None] = {}
        """What `constant` gave of heads with these tags, and the instrument that Symbol(55) names there."""


class UsualLayout:
    """See the module. `members` are the tags of the group by MsgType(35)."""

    def __init__(
        self,
        dialect: Dialect,
        prices: Mapping[str, Prices],
        sizes: Sizes,
        stamps: Stamps,
        members: Mapping[str, frozenset[str]],
    ) -> None:
        self._instruments = {f"{tags.SYMBOL}={symbol}": _Instrument(one, dialect) for symbol, one in prices.items()}
        self._lots = _Known(tags.MD_ENTRY_SIZE, sizes.lots)
        tag = dialect.position_tag
        self._place_mark = f"{tag}="
        self._place_of = tuple(f"{tag}={position}" for position in range(_MOST_PLACES))
        self._places = {place: position for position, place in enumerate(self._place_of) if position}
        self._stamps = stamps
        self._lowest_rpt_seq = 0 if dialect.incremental else 1
        limits = {tag for tag in (dialect.high_limit, dialect.low_limit) if tag}
        self._limits = limits
        self._high, self._low = dialect.high_limit, dialect.low_limit
        self._ways: dict[str, Callable[[list[str], int], BookSnapshot | BookIncrement | None]] = {}
        usual = dialect.rpt_seq and not dialect.key_rules
        if usual and members.get("W", frozenset()) >= _W_ENTRY | {tag} and not limits & members["W"]:
            self._ways["35=W"] = self._snapshot
        if usual and members.get("X", frozenset()) >= _X_ENTRY | {tag}:
            self._ways["35=X"] = self._increment
        self._heads: dict[str, _Head] = {}

    def event(self, raw: str, recv_ns: int) -> BookSnapshot | BookIncrement | None:
        """The event of a message in the usual layout with nothing wrong in it; None for every other."""
        fields = raw.split(SOH)
        if len(fields) < _MSG_TYPE_AT + _AFTER or fields[-1] or not fields[-_AFTER].startswith("10="):
            return None
        way = self._ways.get(fields[_MSG_TYPE_AT])
        if way is None:
            return None
        try:
            return way(fields, recv_ns)
        except (ValueError, KeyError, IndexError):
            return None  # not so many fields, or one that is not read here

    def _head(self, fields: list[str]) -> tuple[_Head, _Instrument | None] | None:
        """The layout of the head, and the instrument of its Symbol(55), if it has one of ours."""
        head = self._heads.get(fields[_MSG_TYPE_AT])
        if head is None or len(fields) <= head.count_at or not fields[head.count_at].startswith("268="):
            head = self._learn(fields)
            if head is None:
                return None
        key = head.constant(fields)
        if key not in head.known:
            head = self._learn(fields)
            if head is None:
                return None
            key = head.constant(fields)
        for at, mark in head.changing:
            if not fields[at].startswith(mark):
                return None
        return head, head.known[key]

    def _learn(self, fields: list[str]) -> _Head | None:
        """Note the head of this message, if each of its fields has a tag, and one that no other has."""
        count_at = next((at for at, field in enumerate(fields) if field.startswith("268=")), 0)
        parts = [field.partition("=") for field in fields[:count_at]]
        found = tuple(part[0] for part in parts)
        whole_ones = all(part[1] for part in parts) and len(set(found)) == count_at
        if not whole_ones or found[1:2] != ("9",) or tags.MSG_SEQ_NUM not in found or self._limits & set(found):
            return None
        head = self._heads.get(fields[_MSG_TYPE_AT])
        if head is None or head.tags != found:
            head = self._heads[fields[_MSG_TYPE_AT]] = _Head(found)
        if len(head.known) >= CACHE_LIMIT:
            head.known.clear()
        symbol = fields[head.symbol_at] if head.symbol_at else ""
        head.known[head.constant(fields)] = self._instruments.get(symbol)
        return head

    def _increment(self, fields: list[str], recv_ns: int) -> BookIncrement | None:
        known = self._head(fields)
        if known is None:
            return None
        head = known[0]
        first = head.count_at + 1
        end = len(fields) - _AFTER
        symbol, day, time = fields[first + 2], fields[first + 5], fields[first + 6]
        rpt_seq = fields[end - 1]
        one = self._instruments[symbol]
        if not day.startswith("272=") or not time.startswith("273=") or not rpt_seq.startswith("83="):
            return None
        ticks, lots, places = one.ticks, self._lots, self._places
        changes = []
        last_px_ticks: int | None = None
        last_qty_lots = trades = 0
        at = first
        while at < end:
            action, side, name, px, size, own_day, own_time, place, number = fields[at : at + _X_FIELDS]
            at += _X_FIELDS
            if side == _TRADE:
                if not place.startswith(self._place_mark):
                    number = place
                    at -= 1
                last_px_ticks, last_qty_lots = ticks[px], lots[size]
                trades += 1
                bad = action not in _ACTIONS or not last_qty_lots
            else:
                did = _ACTIONS[action]
                qty_lots = lots[size]
                changes.append(LevelChange(did, _SIDES[side], places[place], ticks[px], qty_lots))
                bad = not qty_lots and did is not MdAction.DELETE
            if bad or name != symbol or own_day != day or own_time != time or number != rpt_seq:
                return None
        if at != end or fields[head.count_at] != f"268={len(changes) + trades}":
            return None
        told = whole(rpt_seq[3:], "RptSeq(83)")
        if not told:
            return None
        return BookIncrement(
            one.instrument_id,
            recv_ns,
            self._stamps.ns(f"{day[4:]}-{time[4:]}", "273"),
            whole(fields[head.seq_at][3:], "MsgSeqNum(34)"),
            told,
            tuple(changes),
            last_px_ticks,
            last_qty_lots,
        )

    def _snapshot(self, fields: list[str], recv_ns: int) -> BookSnapshot | None:
        known = self._head(fields)
        if known is None:
            return None
        head, one = known
        first = head.count_at + 1
        day, time = fields[first + 3], fields[first + 4]
        if one is None or not head.rpt_seq_at or not day.startswith("272=") or not time.startswith("273="):
            return None
        ladders = _Ladders()
        end = self._entries(one, fields, first, ladders)
        high, low = self._after(one, fields[end:-_AFTER])
        rpt_seq = whole(fields[head.rpt_seq_at][3:], "RptSeq(83)")
        if rpt_seq < self._lowest_rpt_seq or fields[head.count_at] != f"268={ladders.count}" or not ladders.right():
            return None
        return BookSnapshot(
            one.instrument_id,
            recv_ns,
            self._stamps.ns(f"{day[4:]}-{time[4:]}", "273"),
            whole(fields[head.seq_at][3:], "MsgSeqNum(34)"),
            rpt_seq,
            tuple(ladders.bids),
            tuple(ladders.asks),
            ladders.last_px_ticks,
            ladders.last_qty_lots,
            high,
            low,
        )

    def _entries(self, one: _Instrument, fields: list[str], first: int, into: "_Ladders") -> int:
        """Read all entries of a snapshot; where they end. BadField when one of them is not as it usually is."""
        ticks, lots, mark, place_of = one.ticks, self._lots, self._place_mark, self._place_of
        bids, asks = into.bids, into.asks
        day, time = fields[first + 3], fields[first + 4]
        at = first
        most = len(fields) - _W_FIELDS
        while at <= most:
            kind, px, size, own_day, own_time, place = fields[at : at + _W_FIELDS]
            if kind == _TRADE:
                into.last_px_ticks, into.last_qty_lots = ticks[px], lots[size]
                at += _W_FIELDS if place.startswith(mark) else _W_FIELDS - 1
            elif kind in _SIDES:
                side = bids if kind == _BID else asks
                side.append((ticks[px], lots[size]))
                if place != place_of[len(side)]:
                    raise BadField("the place of a level", place, "the next position of its side")
                at += _W_FIELDS
            else:
                break
            if own_day != day or own_time != time or not lots[size]:
                raise BadField("271", size, "a lot or more, at the time of the other entries")
            into.count += 1
        return at

    def _after(self, one: _Instrument, rest: list[str]) -> tuple[int | None, int | None]:
        """The limits, high and low, which alone may follow the entries (QuickFIX sorts by tag); else BadField."""
        high: int | None = None
        low: int | None = None
        for field in rest:
            tag = field.partition("=")[0]
            if tag == self._high and high is None:
                high = one.high[field]
            elif tag == self._low and low is None:
                low = one.low[field]
            else:
                raise BadField(tag, field, "the usual layout")
        return high, low


class _Ladders:
    """The book of a snapshot while it is read."""

    __slots__ = ("asks", "bids", "count", "last_px_ticks", "last_qty_lots")

    def __init__(self) -> None:
        self.bids: list[tuple[int, int]] = []
        self.asks: list[tuple[int, int]] = []
        self.last_px_ticks: int | None = None
        self.last_qty_lots = 0
        self.count = 0

    def right(self) -> bool:
        """Whether each level is worse than the one before it."""
        before = None
        for px_ticks, _ in self.bids:
            if before is not None and px_ticks >= before:
                return False
            before = px_ticks
        before = None
        for px_ticks, _ in self.asks:
            if before is not None and px_ticks <= before:
                return False
            before = px_ticks
        return True
