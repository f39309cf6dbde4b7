"""Reference data for clients: which pairs and legs there are, of what legs a pair is made, when they trade.

A client is told of what it is entitled to, and of nothing else. The hours are those of the calendars that execution
trades by: a pair is open while every leg of it is.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gateway.clients.checks import listed
from gateway.clients.decode import HoursAsked, SecuritiesAsked
from gateway.clients.encode import ClientWriter, group, message, plain
from gateway.clients.settings import ClientSettings
from gateway.fix import tags
from gateway.model.client import ClientSpec
from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.site import PairSpec, leg_side

FINEST = "0.000000001"
"""Step of a pair's price: it is made of two currencies and two units, and has no tick of its own."""
FIX42 = "FIX.4.2"
HALTED, OPEN, CLOSED, REFUSED = "1", "2", "3", "6"
Row = list[tuple[str, str | int]]


class Hours(NamedTuple):
    """Whether an instrument trades, and when that changes next (UTC, 0: not known)."""

    open: bool
    until_utc_ns: int


class Reference:
    """Answers what a client of one version asks about its symbols."""

    def __init__(self, settings: ClientSettings, client: ClientSpec, writer: ClientWriter) -> None:
        self._settings = settings
        self._client = client
        self._writer = writer
        self._is_42 = client.begin_string == FIX42

    def securities(self, asked: SecuritiesAsked, answer_id: str) -> list[str]:
        """SecurityList(35=y), or a SecurityDefinition(35=d) for each."""
        seen = self._client.pairs + self._client.instruments
        if asked.symbol and asked.symbol not in seen:
            return [self._none(asked, answer_id, seen)]
        wanted = (asked.symbol,) if asked.symbol else seen
        if asked.msg_type == tags.MsgType.SECURITY_LIST_REQUEST:
            return [self._list(asked, answer_id, wanted)]
        return [self._definition(asked, f"{answer_id}.{number}", name) for number, name in enumerate(wanted, 1)]

    def hours(self, request_id: str, symbol: str, hours: dict[str, Hours]) -> str:
        """TradingSessionStatus(35=h) of one symbol; TradingSessionID(336) is the symbol."""
        legs = [hours[name] for name in self._legs(symbol) if name in hours]
        is_open = all(one.open for one in legs)
        changes = [one.until_utc_ns for one in legs if one.until_utc_ns and one.open is is_open]
        when = self._writer.stamp(min(changes) if is_open else max(changes)) if changes else ""
        fields = (
            (tags.TRAD_SES_REQ_ID, plain(request_id)),
            (tags.TRADING_SESSION_ID, symbol),
            (tags.TRAD_SES_STATUS, OPEN if is_open else CLOSED),
            (tags.TRAD_SES_START_TIME, "" if is_open else when),
            (tags.TRAD_SES_END_TIME, when if is_open else ""),
        )
        return message(tags.MsgType.TRADING_SESSION_STATUS, fields)

    def no_hours(self, asked: HoursAsked) -> str:
        """The request names what this client may not see."""
        seen = self._client.pairs + self._client.instruments
        text = f"TradingSessionID(336)={asked.symbol!r} is not known; accepted: {listed(seen)}"
        fields: Row = [
            (tags.TRAD_SES_REQ_ID, plain(asked.request_id)),
            (tags.TRADING_SESSION_ID, plain(asked.symbol)),
            (tags.TRAD_SES_STATUS, REFUSED),
            (tags.TRAD_SES_STATUS_REJ_REASON, "" if self._is_42 else "1"),
            (tags.TEXT, plain(text)),
        ]
        return message(tags.MsgType.TRADING_SESSION_STATUS, fields)

    def symbols(self, symbol: str) -> tuple[str, ...]:
        """The symbols that a question about `symbol` is about; none: not his."""
        seen = self._client.pairs + self._client.instruments
        return seen if not symbol else tuple(one for one in seen if one == symbol)

    def _legs(self, symbol: str) -> Iterator[str]:
        pair = self._settings.pairs.get(symbol)
        if pair is None:
            yield symbol
            return
        for leg in pair.legs:
            yield leg.instrument_id
            if leg.fx_instrument_id:
                yield leg.fx_instrument_id

    def _list(self, asked: SecuritiesAsked, answer_id: str, wanted: Iterable[str]) -> str:
        rows = ["".join(f"{tag}={value}\x01" for tag, value in self._row(name) if value != "") + self._leg_group(name)
                for name in wanted]  # fmt: skip
        fields: Row = [
            (tags.SECURITY_REQ_ID, plain(asked.request_id)),
            (tags.SECURITY_RESPONSE_ID, answer_id),
            (tags.SECURITY_REQUEST_RESULT, "0" if rows else "2"),
            (tags.TOT_NO_RELATED_SYM, len(rows)),
            (tags.LAST_FRAGMENT, "Y"),
        ]
        listing = f"{tags.NO_RELATED_SYM}={len(rows)}\x01{''.join(rows)}" if rows else ""
        return message(tags.MsgType.SECURITY_LIST, fields, listing)

    def _definition(self, asked: SecuritiesAsked, answer_id: str, name: str) -> str:
        fields: Row = [
            (tags.SECURITY_REQ_ID, plain(asked.request_id)),
            (tags.SECURITY_RESPONSE_ID, answer_id),
            (tags.SECURITY_RESPONSE_TYPE, "4" if asked.request_type == "3" or not asked.symbol else "1"),
        ]
        row = self._row(name)
        if self._is_42:
            words = {tag: value for tag, value in row if tag in _NOT_IN_42}
            row = [one for one in row if one[0] not in _NOT_IN_42]
            row.append((tags.TEXT, plain(_said_in_42(words))))
        return message(tags.MsgType.SECURITY_DEFINITION, [*fields, *row], self._leg_group(name))

    def _none(self, asked: SecuritiesAsked, answer_id: str, seen: tuple[str, ...]) -> str:
        text = f"Symbol(55)={asked.symbol!r} is not known; accepted: {listed(seen)}"
        fields: Row = [(tags.SECURITY_REQ_ID, plain(asked.request_id)), (tags.SECURITY_RESPONSE_ID, answer_id)]
        if asked.msg_type == tags.MsgType.SECURITY_LIST_REQUEST:
            return message(
                tags.MsgType.SECURITY_LIST, [*fields, (tags.SECURITY_REQUEST_RESULT, "2"), (tags.TEXT, plain(text))]
            )
        fields += [(tags.SECURITY_RESPONSE_TYPE, "5"), (tags.SYMBOL, plain(asked.symbol)), (tags.TEXT, plain(text))]
        return message(tags.MsgType.SECURITY_DEFINITION, fields)

    def _row(self, name: str) -> Row:
        pair = self._settings.pairs.get(name)
        return self._pair_row(pair) if pair is not None else self._leg_row(self._settings.instruments[name])

    def _pair_row(self, pair: PairSpec) -> Row:
        return [
            (tags.SYMBOL, pair.pair_id),
            (tags.SECURITY_TYPE, "MLEG"),
            (tags.SECURITY_DESC, f"{pair.formula.value} of {len(pair.legs)} legs, per {plain(pair.unit)}"),
            (tags.CURRENCY, pair.currency),
            (tags.MIN_PRICE_INCREMENT, FINEST),
            (tags.UNIT_OF_MEASURE, plain(pair.unit)),
            (tags.ROUND_LOT, 1),
            (tags.MIN_TRADE_VOL, 1),
            (tags.MAX_TRADE_VOL, self._client.max_units),
            (tags.TRADING_SESSION_ID, pair.pair_id),
        ]

    def _leg_row(self, one: Instrument) -> Row:
        most = min(one.max_qty_lots, self._client.max_lots) if self._client.leg_orders else one.max_qty_lots
        return [
            (tags.SYMBOL, one.instrument_id),
            (tags.SECURITY_EXCHANGE, one.venue_id),
            (tags.SECURITY_TYPE, "FUT"),
            (tags.SECURITY_DESC, plain(one.symbol)),
            (tags.CURRENCY, one.currency),
            (tags.CONTRACT_MULTIPLIER, format(one.point_value, "f")),
            (tags.MIN_PRICE_INCREMENT, format(one.tick, "f")),
            (tags.UNIT_OF_MEASURE, plain(one.unit)),
            (tags.ROUND_LOT, 1),
            (tags.MIN_TRADE_VOL, one.min_qty_lots),
            (tags.MAX_TRADE_VOL, most),
            (tags.TRADING_SESSION_ID, one.instrument_id),
        ]

    def _leg_group(self, name: str) -> str:
        """The legs as they are when the pair is bought."""
        pair = self._settings.pairs.get(name)
        if pair is None:
            return ""
        rows: list[Row] = []
        for index, leg in enumerate(pair.legs):
            instrument = self._settings.instruments[leg.instrument_id]
            side = leg_side(pair, Side.BUY, index).value
            rows.append(
                _leg_42(instrument, leg.ratio_lots, side) if self._is_42 else _leg_44(instrument, leg.ratio_lots, side)
            )
        return group(tags.NO_RELATED_SYM if self._is_42 else tags.NO_LEGS, rows)


_NOT_IN_42 = frozenset(
    {tags.MIN_PRICE_INCREMENT, tags.UNIT_OF_MEASURE, tags.ROUND_LOT, tags.MIN_TRADE_VOL, tags.MAX_TRADE_VOL}
)


def _said_in_42(words: dict[str, str | int]) -> str:
    """FIX 4.2 has no fields for these."""
    low, high = words[tags.MIN_TRADE_VOL], words[tags.MAX_TRADE_VOL]
    return f"tick {words[tags.MIN_PRICE_INCREMENT]}, per {words[tags.UNIT_OF_MEASURE]}, quantity {low} to {high}"


def _leg_44(instrument: Instrument, ratio: int, side: str) -> Row:
    return [
        (tags.LEG_SYMBOL, instrument.instrument_id),
        (tags.LEG_SECURITY_EXCHANGE, instrument.venue_id),
        (tags.LEG_RATIO_QTY, ratio),
        (tags.LEG_SIDE, side),
        (tags.LEG_CURRENCY, instrument.currency),
    ]


def _leg_42(instrument: Instrument, ratio: int, side: str) -> Row:
    return [
        (tags.UNDERLYING_SYMBOL, instrument.instrument_id),
        (tags.UNDERLYING_SECURITY_EXCHANGE, instrument.venue_id),
        (tags.RATIO_QTY, ratio),
        (tags.SIDE, side),
        (tags.UNDERLYING_CURRENCY, instrument.currency),
    ]
