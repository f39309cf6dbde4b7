"""Writes orders and requests in a venue's words, as QuickFIX messages ready to be sent.

Decides only how an order that was already approved is written; whether it may be sent was decided before. A message
is made from one line of text that the dialect's rules give, parsed by QuickFIX without validation: half the cost of
setting fields on a copied template, and no template is shared by two legs that are both built before either is sent
(figures: docs/FIX_ENGINE.md). QuickFIX adds CompIDs, MsgSeqNum(34), SendingTime(52), length and checksum.

What can go wrong: an order that the dialect cannot express (a time in force that the venue does not offer, a position
effect it has no field for, an id with characters that would break the message): `EncodeError`, before anything is sent.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeVar

import quickfix

from gateway.fix.dialect import Dialect, MessageRule
from gateway.fix.dialect_groups import FieldRule
from gateway.fix.scan import SOH
from gateway.model.instrument import Instrument, PositionModel
from gateway.model.order import Order, OrdType, PositionEffect, TimeInForce

CACHE_LIMIT = 4096
"""Shapes of orders, prices and seconds that are kept as text, each; emptied when full."""

_K = TypeVar("_K")
_V = TypeVar("_V")
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DYNAMIC = ("cl_ord_id", "orig_cl_ord_id", "order_id", "transact_time", "order_qty", "price", "request_id")
_DIVISOR = {0: 10**9, 3: 10**6, 6: 10**3, 9: 1}


class EncodeError(ValueError):
    """An order that cannot be written in this dialect; names the field, the value and what would be right."""


class StampWriter:
    """Writes UTC nanoseconds since 1970 as `YYYYMMDD-HH:MM:SS.fff`, cut (not rounded) to the venue's resolution."""

    def __init__(self, digits: int, utc_offset_ns: int = 0) -> None:
        self._digits = digits
        self._divisor = _DIVISOR[digits]
        self._offset_ns = utc_offset_ns
        self._second = -1
        self._text = ""

    def text(self, ns: int) -> str:
        """The stamp of the moment `ns`."""
        second, rest = divmod(ns + self._offset_ns, 10**9)
        if second != self._second:
            self._text, self._second = _second_text(second), second
        return f"{self._text}.{rest // self._divisor:0{self._digits}d}" if self._digits else self._text


class OrderEncoder:
    """Writes the messages of one venue.

    `instruments` are by instrument id, or by anything else: their own `instrument_id` counts. `constants` are what the
    site file says for the session: `sender_sub_id`, `customer_or_firm`, `exchange` (SecurityExchange(207), else the
    instrument's venue id), `expire_date` (of orders good till a date), whatever `constant:NAME` the dialect uses.
    """

    def __init__(self, dialect: Dialect, instruments: Mapping[str, Instrument], constants: Mapping[str, str]) -> None:
        for name, value in constants.items():
            _plain(name, value)
        for instrument in instruments.values():
            for name, value in instrument.fields.items():
                _plain(f"{instrument.instrument_id}.{name}", value)
        self._dialect = dialect
        self._instruments = {instrument.instrument_id: instrument for instrument in instruments.values()}
        self._constants = constants
        self._groups = quickfix.DataDictionary(str(dialect.dictionary.path))
        self._stamps = StampWriter(dialect.time_digits, dialect.utc_offset_ns)
        self._shapes: dict[tuple[object, ...], str] = {}
        self._prices: dict[tuple[str, int], str] = {}

    def new_order(self, order: Order, transact_ns_utc: int) -> quickfix.Message:
        """NewOrderSingle(35=D)."""
        return self._message("new_order", self.new_order_text(order, transact_ns_utc))

    def new_order_text(self, order: Order, transact_ns_utc: int) -> str:
        """The text of NewOrderSingle, without what QuickFIX adds."""
        return self._order_text("new_order", order, transact_ns_utc, order.cl_ord_id)

    def cancel(self, cl_ord_id: str, orig: Order, order_id: str, transact_ns_utc: int) -> quickfix.Message:
        """OrderCancelRequest(35=F) for `orig`; `order_id` is the venue's, empty while unknown."""
        return self._message("cancel", self.cancel_text(cl_ord_id, orig, order_id, transact_ns_utc))

    def cancel_text(self, cl_ord_id: str, orig: Order, order_id: str, transact_ns_utc: int) -> str:
        """The text of OrderCancelRequest, without what QuickFIX adds."""
        return self._order_text("cancel", orig, transact_ns_utc, cl_ord_id, orig.cl_ord_id, order_id)

    def replace(self, new: Order, orig_cl_ord_id: str, order_id: str, transact_ns_utc: int) -> quickfix.Message:
        """OrderCancelReplaceRequest(35=G): the order `orig_cl_ord_id` becomes `new`, which has a ClOrdID of its own."""
        text = self._order_text("replace", new, transact_ns_utc, new.cl_ord_id, orig_cl_ord_id, order_id)
        return self._message("replace", text)

    def status_request(self, order: Order, request_id: str = "") -> quickfix.Message:
        """OrderStatusRequest(35=H) for one order."""
        text = self._order_text("status_request", order, 0, order.cl_ord_id, request_id=request_id)
        return self._message("status_request", text)

    def mass_status_request(self, request_id: str) -> quickfix.Message:
        """OrderMassStatusRequest(35=AF); EncodeError where the dialect has none (`mass_status` is "H")."""
        return self._message("mass_status_request", self._request_text("mass_status_request", request_id, 0, ""))

    def mass_cancel(self, request_id: str, transact_ns_utc: int, symbol: str = "") -> quickfix.Message:
        """OrderMassCancelRequest(35=q), of all orders or of one symbol; EncodeError where the dialect has none."""
        name = "mass_cancel_symbol" if symbol else "mass_cancel"
        return self._message(name, self._request_text(name, request_id, transact_ns_utc, symbol))

    def positions_request(
        self, request_id: str, account: str, trading_day: str, transact_ns_utc: int
    ) -> quickfix.Message:
        """RequestForPositions(35=AN) of an account; EncodeError where the dialect has none."""
        text = self._request_text("positions_request", request_id, transact_ns_utc, "", account, trading_day)
        return self._message("positions_request", text)

    def market_data_request(
        self,
        req_id: str,
        symbols: Sequence[str],
        depth: int,
        *,
        snapshot_only: bool = False,
        unsubscribe: bool = False,
    ) -> quickfix.Message:
        """MarketDataRequest(35=V): subscribe, one snapshot (how a gap is repaired), or unsubscribe."""
        text = self.market_data_request_text(
            req_id, symbols, depth, "0" if snapshot_only else "2" if unsubscribe else "1"
        )
        return quickfix.Message(text, self._groups, False)  # noqa: FBT003 - QuickFIX's signature

    def market_data_request_text(self, req_id: str, symbols: Sequence[str], depth: int, subscription: str) -> str:
        """The text of MarketDataRequest; `subscription` is SubscriptionRequestType(263)."""
        if not symbols:
            message = "MarketDataRequest: no symbols; name at least one"
            raise EncodeError(message)
        values = {"md_req_id": _plain("MDReqID(262)", req_id), "subscription": subscription, "depth": str(depth)}
        fields = [self._fixed(rule, values) for rule in self._dialect.md_request]
        types = [f"269={kind}{SOH}" for kind in self._dialect.md_entry_types]
        listed = [self._listed(symbol) for symbol in symbols]
        counts = f"267={len(types)}{SOH}{''.join(types)}146={len(listed)}{SOH}{''.join(listed)}"
        # The groups first: QuickFIX drops the last entry of a group that ends the text it parses.
        return f"35=V{SOH}{counts}{''.join(fields)}"

    def _listed(self, symbol: str) -> str:
        # By Symbol(55), or by id where two share theirs.
        listed = self._instruments.get(symbol) or next(
            (one for one in self._instruments.values() if one.symbol == symbol), None
        )
        symbol = _plain("Symbol(55)", symbol if listed is None else listed.symbol)
        venue_id = next(iter(self._instruments.values())).venue_id if self._instruments else ""
        values = {"symbol": symbol, "exchange": self._constants.get("exchange", venue_id), **_own_fields(listed)}
        return "".join(self._fixed(rule, values) for rule in self._dialect.md_symbol)

    def _order_text(
        self,
        name: str,
        order: Order,
        transact_ns_utc: int,
        cl_ord_id: str,
        orig_cl_ord_id: str = "",
        order_id: str = "",
        request_id: str = "",
    ) -> str:
        px_ticks = order.px_ticks
        key = (
            name,
            order.instrument_id,
            order.account,
            order.side,
            order.ord_type,
            px_ticks is None,
            order.time_in_force,
            order.position_effect,
            order.hedge_flag,
            order_id == "",
            request_id == "",
        )
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shape(name, order, {"order_id": order_id, "request_id": request_id})
            _bounded(self._shapes)[key] = shape
        if order.qty_lots < 1:
            message = f"OrderQty(38) {order.qty_lots}: {order.cl_ord_id} asks for less than 1 lot"
            raise EncodeError(message)
        return shape % {
            "cl_ord_id": _plain("ClOrdID(11)", cl_ord_id),
            "orig_cl_ord_id": orig_cl_ord_id and _plain("OrigClOrdID(41)", orig_cl_ord_id),
            "order_id": order_id and _plain("OrderID(37)", order_id),
            "request_id": request_id and _plain("a request id", request_id),
            "transact_time": self._stamps.text(transact_ns_utc),
            "order_qty": order.qty_lots,
            "price": "" if px_ticks is None else self._price(order.instrument_id, px_ticks),
        }

    def _request_text(
        self, name: str, request_id: str, transact_ns_utc: int, symbol: str, account: str = "", trading_day: str = ""
    ) -> str:
        rule = self._dialect.messages.get(name)
        if rule is None:
            message = f"{name}: the dialect {self._dialect.name} has no such message"
            raise EncodeError(message)
        values = {
            "request_id": _plain("a request id", request_id),
            "transact_time": self._stamps.text(transact_ns_utc),
            "symbol": _plain("Symbol(55)", symbol) if symbol else "",
            "account": _plain("Account(1)", account) if account else "",
            "trading_day": trading_day,
        }
        groups = self._group_text(rule, values)
        return f"35={rule.msg_type}{SOH}{groups}" + "".join(self._fixed(field, values) for field in rule.fields)

    def _shape(self, name: str, order: Order, present: Mapping[str, str]) -> str:
        """The message as a %-format: what is the same for all orders of this shape written out, the rest by name."""
        rule = self._dialect.messages[name]
        values = self._values(order)
        effect = self._effect(order) if name == "new_order" else ()
        parts = [f"35={rule.msg_type}{SOH}", self._group_text(rule, values).replace("%", "%%")]
        for field in rule.fields:
            if field.source in _DYNAMIC:
                absent = present.get(field.source) == "" or (field.source == "price" and order.px_ticks is None)
                parts.append("" if absent else f"{field.tag}=%({field.source})s{SOH}")
            elif field.source == "position_effect":
                parts += [f"{tag}={value}{SOH}" for tag, value in effect]
            else:
                parts.append(self._fixed(field, values).replace("%", "%%"))
        return "".join(parts)

    def _values(self, order: Order) -> dict[str, str]:
        instrument = self._instruments.get(order.instrument_id)
        if instrument is None:
            message = f"{order.cl_ord_id}: instrument {order.instrument_id} is not one of this session"
            raise EncodeError(message)
        if (order.ord_type is OrdType.MARKET) is not (order.px_ticks is None):
            message = (
                f"{order.cl_ord_id}: OrdType(40) {order.ord_type} with price {order.px_ticks}; a limit has a price"
            )
            raise EncodeError(message)
        if order.time_in_force not in self._dialect.times_in_force:
            offered = ", ".join(sorted(f"{tif} {tif.name}" for tif in self._dialect.times_in_force))
            tif: TimeInForce = order.time_in_force
            message = f"TimeInForce(59) {tif} {tif.name}: {instrument.venue_id} offers {offered}"
            raise EncodeError(message)
        return _own_fields(instrument) | {
            "account": _plain("Account(1)", order.account) if order.account else "",
            "symbol": _plain("Symbol(55)", instrument.symbol),
            "exchange": self._constants.get("exchange", instrument.venue_id),
            "side": order.side.value,
            "ord_type": order.ord_type.value,
            "time_in_force": order.time_in_force.value,
            "expire_date": self._expire_date(order),
            "hedge_flag": _plain("a hedge flag", order.hedge_flag) if order.hedge_flag else "",
        }

    def _expire_date(self, order: Order) -> str:
        if order.time_in_force is not TimeInForce.GTD:
            return ""
        if "expire_date" not in self._constants:
            raise EncodeError(f"ExpireDate(432) missing: {order.cl_ord_id} wants expire_date among the constants")
        return self._constants["expire_date"]

    def _effect(self, order: Order) -> tuple[tuple[str, str], ...]:
        effect, known = order.position_effect, self._dialect.position_effects
        if effect is PositionEffect.NONE:
            if self._instruments[order.instrument_id].position_model in (PositionModel.NET, PositionModel.T_PLUS_1):
                return ()
            raise EncodeError(f"PositionEffect(77) missing: {order.instrument_id} wants one of {', '.join(known)}")
        if effect not in known:
            has = ", ".join(known) or "none"
            raise EncodeError(f"PositionEffect(77) {effect}: the dialect {self._dialect.name} has {has}")
        return known[effect]

    def _fixed(self, rule: FieldRule, values: Mapping[str, str]) -> str:
        value = resolve(rule, values, self._constants)
        return f"{rule.tag}={value}{SOH}" if value else ""

    def _price(self, instrument_id: str, px_ticks: int) -> str:
        key = (instrument_id, px_ticks)
        text = self._prices.get(key)
        if text is None:
            text = format(self._instruments[instrument_id].venue_price(px_ticks), "f")
            _bounded(self._prices)[key] = text
        return text

    def _group_text(self, rule: MessageRule, values: Mapping[str, str]) -> str:
        """The groups, before the fields: QuickFIX drops the last entry of a group that ends the text it parses."""
        text = ""
        for group in rule.groups:
            kept = [entry for entry in group.entries if resolve(entry[0], values, self._constants)]
            rows = "".join(self._fixed(field, values) for entry in kept for field in entry)
            text += f"{group.count_tag}={len(kept)}{SOH}{rows}" if kept else ""
        return text

    def _message(self, name: str, text: str) -> quickfix.Message:
        if self._dialect.messages[name].groups:
            return quickfix.Message(text, self._groups, False)  # noqa: FBT003 - QuickFIX's signature: no validation
        return quickfix.Message(text, False)  # noqa: FBT003


def resolve(rule: FieldRule, values: Mapping[str, str], constants: Mapping[str, str]) -> str:
    """The value of a field by its rule: a text of the dialect, a constant of the site, or one of `values`."""
    if rule.source.startswith("="):
        return rule.source[1:]
    if rule.source.startswith("constant:"):
        return constants.get(rule.source.removeprefix("constant:"), "")
    return values.get(rule.source, "")


def _own_fields(instrument: Instrument | None) -> dict[str, str]:
    return {} if instrument is None else {f"instrument:{name}": value for name, value in instrument.fields.items()}


def _plain(name: str, text: str) -> str:
    if text and text.isascii() and text.isprintable():
        return text
    message = f"{name} {text!r}: ASCII characters without control characters, at least one"
    raise EncodeError(message)


def _bounded(cache: dict[_K, _V]) -> dict[_K, _V]:
    if len(cache) >= CACHE_LIMIT:
        cache.clear()
    return cache


def _second_text(second: int) -> str:
    days, rest = divmod(second, 86400)
    hour, rest = divmod(rest, 3600)
    minute, second = divmod(rest, 60)
    return f"{date.fromordinal(_EPOCH_DAY + days):%Y%m%d}-{hour:02d}:{minute:02d}:{second:02d}"
