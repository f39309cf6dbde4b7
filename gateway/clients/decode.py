"""A client's message, as QuickFIX hands it over, as a value. QuickFIX has held it against our dictionary: what is
required is there, enumerations are ours, groups count right. What it cannot judge (a quantity of 1.5) is kept as it was
written, for the checks to name.

What can go wrong: a message with a type of our dictionary that no reader is for: `Unsupported`, which is answered with
BusinessMessageReject(35=j). Nothing here raises.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from gateway.clients.settings import NS_PER_S, price_e9
from gateway.fix import tags
from gateway.fix.scan import BadField, Fields, Stamps, scan
from gateway.model.client import CancelAsked, ClientSpec, MassCancelAsked, OrderAsked, ReplaceAsked
from gateway.model.instrument import Instrument
from gateway.model.order import Side, TimeInForce

MOST_QTY = 10**9
_WHOLE = re.compile(r"[0-9]{1,9}(\.0*)?", re.ASCII)
_DATE = re.compile(r"[0-9]{8}", re.ASCII)
DAY_NS = 86_400 * NS_PER_S


class StatusAsked(NamedTuple):
    """OrderStatusRequest(35=H), of one order."""

    client_id: str
    msg_seq_num: int
    cl_ord_id: str
    order_id: str
    request_id: str
    symbol: str
    side: Side


class MassStatusAsked(NamedTuple):
    """OrderMassStatusRequest(35=AF)."""

    client_id: str
    msg_seq_num: int
    request_id: str


class SecuritiesAsked(NamedTuple):
    """SecurityListRequest(35=x), or SecurityDefinitionRequest(35=c); an empty symbol: all."""

    client_id: str
    msg_seq_num: int
    msg_type: str
    request_id: str
    request_type: str
    symbol: str


class HoursAsked(NamedTuple):
    """TradingSessionStatusRequest(35=g); an empty symbol: all."""

    client_id: str
    msg_seq_num: int
    request_id: str
    symbol: str
    subscription: str


class MarketDataAsked(NamedTuple):
    """MarketDataRequest(35=V)."""

    client_id: str
    msg_seq_num: int
    request_id: str
    subscription: str
    depth: int
    incremental: bool
    entry_types: frozenset[str]
    symbols: tuple[str, ...]


class Unsupported(NamedTuple):
    """A message that we do not take, or cannot read: why, as BusinessRejectReason(380) and Text(58)."""

    client_id: str
    msg_seq_num: int
    msg_type: str
    ref_id: str
    reason: str
    text: str


Asked = (
    OrderAsked
    | ReplaceAsked
    | CancelAsked
    | MassCancelAsked
    | StatusAsked
    | MassStatusAsked
    | SecuritiesAsked
    | HoursAsked
    | MarketDataAsked
    | Unsupported
)


class ClientReader:
    """Reads what one client writes. `instruments` are by id: SecurityExchange(207) with Symbol(55) names one, too."""

    def __init__(self, client: ClientSpec, instruments: dict[str, Instrument]) -> None:
        self._client = client
        self._by_venue = {(one.venue_id, one.symbol): name for name, one in instruments.items()}
        self._stamps = Stamps()
        self._readers: dict[str, Callable[[Fields, str], Asked]] = {
            tags.MsgType.NEW_ORDER_SINGLE: self._order,
            tags.MsgType.NEW_ORDER_MULTILEG: self._order,
            tags.MsgType.ORDER_CANCEL_REPLACE_REQUEST: self._replace,
            tags.MsgType.MULTILEG_ORDER_CANCEL_REPLACE: self._replace,
            tags.MsgType.ORDER_CANCEL_REQUEST: self._cancel,
            tags.MsgType.ORDER_MASS_CANCEL_REQUEST: self._mass_cancel,
            tags.MsgType.ORDER_STATUS_REQUEST: self._status,
            tags.MsgType.ORDER_MASS_STATUS_REQUEST: self._mass_status,
            tags.MsgType.SECURITY_LIST_REQUEST: self._securities,
            tags.MsgType.SECURITY_DEFINITION_REQUEST: self._securities,
            tags.MsgType.TRADING_SESSION_STATUS_REQUEST: self._hours,
            tags.MsgType.MARKET_DATA_REQUEST: self._market_data,
        }

    def read(self, raw: str) -> Asked:
        """The value of a message."""
        fields: Fields = {}
        try:
            fields = scan(raw)
            reader = self._readers.get(fields.get(tags.MSG_TYPE, ""))
            if reader is not None:
                return reader(fields, raw)
        except (KeyError, ValueError) as error:  # BadField is one; the others QuickFIX has kept out
            return self._unsupported(fields, "0", f"unreadable: {error}")
        kind = fields.get(tags.MSG_TYPE, "")
        known = " ".join(self._readers)
        return self._unsupported(fields, "3", f"unsupported: MsgType(35)={kind!r}; accepted: {known}")

    def _unsupported(self, fields: Fields, reason: str, text: str) -> Unsupported:
        ref_id = fields.get(tags.CL_ORD_ID) or fields.get(tags.MD_REQ_ID) or fields.get(tags.SECURITY_REQ_ID, "")
        return Unsupported(self._client.client_id, _seq(fields), fields.get(tags.MSG_TYPE, ""), ref_id, reason, text)

    def _order(self, fields: Fields, raw: str) -> OrderAsked:
        qty_text, price_text = fields.get(tags.ORDER_QTY, ""), fields.get(tags.PRICE, "")
        force = fields.get(tags.TIME_IN_FORCE, TimeInForce.DAY.value)
        return OrderAsked(
            client_id=self._client.client_id,
            msg_type=fields[tags.MSG_TYPE],
            msg_seq_num=_seq(fields),
            poss_resend=_again(fields),
            cl_ord_id=fields.get(tags.CL_ORD_ID, ""),
            account=fields.get(tags.ACCOUNT) or next(iter(self._client.accounts), ""),
            symbol=self._symbol(fields),
            side=Side(fields[tags.SIDE]),
            qty=_qty(qty_text),
            qty_text=qty_text[:20],
            ord_type=fields.get(tags.ORD_TYPE, ""),
            price_e9=price_e9(price_text),
            price_text=price_text[:40],
            time_in_force=TimeInForce(force),
            expire_utc_ns=self._expiry(fields),
            expire_text=(fields.get(tags.EXPIRE_TIME) or fields.get(tags.EXPIRE_DATE, ""))[:40],
            legs=_legs(raw) if tags.NO_LEGS in fields else (),
        )

    def _replace(self, fields: Fields, raw: str) -> ReplaceAsked:
        order = self._order(fields, raw)
        return ReplaceAsked(fields.get(tags.ORIG_CL_ORD_ID, ""), fields.get(tags.ORDER_ID, ""), order)

    def _cancel(self, fields: Fields, _raw: str) -> CancelAsked:
        return CancelAsked(
            self._client.client_id,
            _seq(fields),
            fields.get(tags.CL_ORD_ID, ""),
            fields.get(tags.ORIG_CL_ORD_ID, ""),
            fields.get(tags.ORDER_ID, ""),
            self._symbol(fields),
            _again(fields),
            Side(fields[tags.SIDE]) if tags.SIDE in fields else None,
        )

    def _mass_cancel(self, fields: Fields, _raw: str) -> MassCancelAsked:
        kind = fields.get(tags.MASS_CANCEL_REQUEST_TYPE, "")
        cl_ord_id, symbol = fields.get(tags.CL_ORD_ID, ""), self._symbol(fields)
        return MassCancelAsked(self._client.client_id, _seq(fields), cl_ord_id, kind, symbol, _again(fields))

    def _status(self, fields: Fields, _raw: str) -> StatusAsked:
        return StatusAsked(
            self._client.client_id,
            _seq(fields),
            fields.get(tags.CL_ORD_ID, ""),
            fields.get(tags.ORDER_ID, ""),
            fields.get(tags.ORD_STATUS_REQ_ID, ""),
            self._symbol(fields),
            Side(fields.get(tags.SIDE, Side.BUY.value)),
        )

    def _mass_status(self, fields: Fields, _raw: str) -> MassStatusAsked:
        return MassStatusAsked(self._client.client_id, _seq(fields), fields.get(tags.MASS_STATUS_REQ_ID, ""))

    def _securities(self, fields: Fields, _raw: str) -> SecuritiesAsked:
        kind = fields[tags.MSG_TYPE]
        is_list = kind == tags.MsgType.SECURITY_LIST_REQUEST
        request_type = fields.get(tags.SECURITY_LIST_REQUEST_TYPE if is_list else tags.SECURITY_REQUEST_TYPE, "")
        return SecuritiesAsked(
            self._client.client_id,
            _seq(fields),
            kind,
            fields.get(tags.SECURITY_REQ_ID, ""),
            request_type,
            self._symbol(fields),
        )

    def _hours(self, fields: Fields, _raw: str) -> HoursAsked:
        return HoursAsked(
            self._client.client_id,
            _seq(fields),
            fields.get(tags.TRAD_SES_REQ_ID, ""),
            fields.get(tags.TRADING_SESSION_ID, ""),
            fields.get(tags.SUBSCRIPTION_REQUEST_TYPE, ""),
        )

    def _market_data(self, fields: Fields, raw: str) -> MarketDataAsked:
        depth = fields.get(tags.MARKET_DEPTH, "0")
        return MarketDataAsked(
            self._client.client_id,
            _seq(fields),
            fields.get(tags.MD_REQ_ID, ""),
            fields.get(tags.SUBSCRIPTION_REQUEST_TYPE, ""),
            int(depth) if depth.isdecimal() and len(depth) <= 9 else -1,  # noqa: PLR2004 - digits of any depth
            fields.get(tags.MD_UPDATE_TYPE) == "1",
            frozenset(one[tags.MD_ENTRY_TYPE] for one in _entries(raw, tags.MD_ENTRY_TYPE, ())),
            tuple(self._symbol(one) for one in _entries(raw, tags.SYMBOL, (tags.SECURITY_EXCHANGE,))),
        )

    def _symbol(self, fields: Fields) -> str:
        """A pair's or an instrument's id: as it is, or made of the venue's own symbol and its exchange."""
        symbol, exchange = fields.get(tags.SYMBOL, ""), fields.get(tags.SECURITY_EXCHANGE, "")
        return self._by_venue.get((exchange, symbol), symbol) if exchange else symbol

    def _expiry(self, fields: Fields) -> int:
        """ExpireTime(126), else the end of ExpireDate(432) in UTC; 0 where neither can be read."""
        try:
            if tags.EXPIRE_TIME in fields:
                return self._stamps.ns(fields[tags.EXPIRE_TIME], "ExpireTime(126)")
            day = fields.get(tags.EXPIRE_DATE, "")
            return self._stamps.ns(f"{day}-00:00:00", "ExpireDate(432)") + DAY_NS if _DATE.fullmatch(day) else 0
        except BadField:
            return 0


def _again(fields: Fields) -> bool:
    """Whether it may have been taken before: PossResend(97), or PossDupFlag(43) when we asked for what we missed."""
    return "Y" in (fields.get(tags.POSS_RESEND), fields.get(tags.POSS_DUP_FLAG))


def _seq(fields: Fields) -> int:
    text = fields.get(tags.MSG_SEQ_NUM, "")
    return int(text) if text.isdecimal() and len(text) <= 9 else 0  # noqa: PLR2004 - digits of a sequence number


def _qty(text: str) -> int:
    """A whole quantity; 0 for what is none."""
    return min(int(text.partition(".")[0]), MOST_QTY) if _WHOLE.fullmatch(text) else 0


def _entries(raw: str, first: str, members: tuple[str, ...]) -> list[Fields]:
    """The entries of a group that begin with the tag `first`; QuickFIX has seen to it that they are whole."""
    found: list[Fields] = []
    for part in raw.split("\x01"):
        tag, _, value = part.partition("=")
        if tag == first:
            found.append({tag: value})
        elif found and tag in members:
            found[-1][tag] = value
    return found


def _legs(raw: str) -> tuple[tuple[str, str, str], ...]:
    """(LegSymbol, LegSide, LegRatioQty) of a multileg order, where it lists its legs."""
    entries = _entries(raw, tags.LEG_SYMBOL, (tags.LEG_SIDE, tags.LEG_RATIO_QTY))
    return tuple(
        (one[tags.LEG_SYMBOL], one.get(tags.LEG_SIDE, ""), one.get(tags.LEG_RATIO_QTY, "").removesuffix(".0"))
        for one in entries
    )
