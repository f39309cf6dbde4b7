"""May this order of a client be taken? Named checks in a fixed order; the first that fails says no.

The order of `ClientRefusal` is the order of the checks. A check's answer names the tag, the value and what would be
accepted: it becomes Text(58) of the reject. Whether the order's pair trades may open is not decided here but by
execution's gate, each time one is about to.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gateway.clients.settings import PLACES, ClientSettings
from gateway.model.client import ClientRefusal, ClientSpec, OrderAsked, SwitchesHeard
from gateway.model.order import OrdType, Side, TimeInForce
from gateway.model.site import PairSpec, leg_side

REASON_103 = {
    ClientRefusal.DUPLICATE_ORDER: "6",
    ClientRefusal.UNKNOWN_SYMBOL: "1",
    ClientRefusal.NOT_ENTITLED: "0",
    ClientRefusal.READ_ONLY: "0",
    ClientRefusal.THROTTLED: "3",
    ClientRefusal.ORDER_TYPE: "11",
    ClientRefusal.TIME_IN_FORCE: "11",
    ClientRefusal.LEGS: "11",
    ClientRefusal.QUANTITY: "13",
    ClientRefusal.MAX_QUANTITY: "3",
    ClientRefusal.OPEN_ORDERS: "3",
    ClientRefusal.IDS_FULL: "3",
    ClientRefusal.EXPIRE_TIME: "4",
    ClientRefusal.STOPPING: "2",
    ClientRefusal.KILLED: "2",
    ClientRefusal.DISARMED: "2",
    ClientRefusal.STAGE: "2",
}
"""OrdRejReason(103); 99 (other) for the rest."""
LONGEST_ID = 64
"""Characters of a ClOrdID(11)."""
SHOWN = 8
"""Of a list of what would be right, so many are named."""


class Asking(NamedTuple):
    """An order with everything that it is judged by."""

    settings: ClientSettings
    client: ClientSpec
    order: OrderAsked
    switches: SwitchesHeard | None
    open_orders: int
    used: bool
    """Its ClOrdID(11) was used before."""
    utc_ns: int
    is_new: bool = True
    """False: it replaces one that is there."""
    ids_used: int = 0
    """ClOrdIDs(11) that its client has used so far."""

    @property
    def pair(self) -> PairSpec | None:
        return self.settings.pairs.get(self.order.symbol)


Check = Callable[[Asking], str]


class Refused(NamedTuple):
    """The first check that failed and what it said."""

    name: ClientRefusal
    text: str

    @property
    def words(self) -> str:
        """Text(58): the stable name first."""
        return f"{self.name.value}: {self.text}"

    @property
    def reason(self) -> str:
        """OrdRejReason(103)."""
        return REASON_103.get(self.name, "99")


def judge(asking: Asking) -> Refused | None:
    """Run the ladder; None: it may be taken."""
    for name, check in LADDER:
        text = check(asking)
        if text:
            return Refused(name, text)
    return None


def listed(words: tuple[str, ...]) -> str:
    """Some of what would be right."""
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return (", ".join(words[:SHOWN]) or "none") + more


def cl_ord_id_problem(cl_ord_id: str) -> str:
    """What is wrong with a ClOrdID(11); empty where nothing is."""
    if 0 < len(cl_ord_id) <= LONGEST_ID and cl_ord_id.isascii() and cl_ord_id.isprintable() and " " not in cl_ord_id:
        return ""
    return f"ClOrdID(11)={cl_ord_id[:LONGEST_ID]!a}; accepted: 1 to {LONGEST_ID} printable ASCII characters, no blank"


def _cl_ord_id(one: Asking) -> str:
    return cl_ord_id_problem(one.order.cl_ord_id)


def _duplicate_order(one: Asking) -> str:
    return f"ClOrdID(11)={one.order.cl_ord_id!r} was used before; one that is new would be accepted" if one.used else ""


def _read_only(one: Asking) -> str:
    return "a drop copy session only reads; orders are accepted on an order session" if one.client.drop_copy else ""


def _unknown_symbol(one: Asking) -> str:
    if one.pair is not None or one.order.symbol in one.settings.instruments:
        return ""
    return f"Symbol(55)={one.order.symbol!r} is not known; accepted: {listed(one.client.pairs + _own_legs(one.client))}"


def _own_legs(client: ClientSpec) -> tuple[str, ...]:
    return client.instruments if client.leg_orders else ()


def _not_entitled(one: Asking) -> str:
    own = one.client.pairs + _own_legs(one.client)
    if one.order.symbol in own:
        instrument = one.settings.instruments.get(one.order.symbol)
        if one.pair is None and instrument is not None and not instrument.tradable:
            return f"Symbol(55)={one.order.symbol!r} is a reference and is not traded; accepted: {listed(own)}"
        return ""
    return f"Symbol(55)={one.order.symbol!r}: this session may not trade it; accepted: {listed(own)}"


def _account(one: Asking) -> str:
    if one.order.account in one.client.accounts:
        return ""
    return f"Account(1)={one.order.account!r}; accepted: {listed(one.client.accounts)}"


def _order_type(one: Asking) -> str:
    return "" if one.order.ord_type == OrdType.LIMIT else f"OrdType(40)={one.order.ord_type!r}; accepted: 2 (limit)"


def _time_in_force(one: Asking) -> str:
    force = one.order.time_in_force
    if force not in one.client.times_in_force:
        offered = tuple(f"{tif.value} ({tif.name})" for tif in one.client.times_in_force)
        return f"TimeInForce(59)={force.value} ({force.name}); accepted: {listed(offered)}"
    on_leg = one.settings.leg_forces.get(one.order.symbol, LEG_FORCES)
    if one.pair is None and force not in on_leg:
        offered = tuple(f"{tif.value} ({tif.name})" for tif in on_leg if tif in one.client.times_in_force)
        lacks = "whose venue has none" if force is TimeInForce.FOK else "which has no calendar to keep it by"
        named = f"TimeInForce(59)={force.value} ({force.name})"
        return f"{named} on {one.order.symbol}, {lacks}; accepted: {listed(offered)}"
    return ""


LEG_FORCES = (TimeInForce.DAY, TimeInForce.IOC)
"""Of an order on a leg of which nothing else is known."""


def _legs(one: Asking) -> str:
    if one.order.msg_type in ("AB", "AC") and one.pair is None:
        return f"MsgType(35)={one.order.msg_type} on a leg; accepted: a pair's Symbol(55), or NewOrderSingle(35=D)"
    if not one.order.legs or one.pair is None:
        return ""
    wanted = tuple(_pair_legs(one.pair))
    if len(one.order.legs) != len(wanted):
        return f"NoLegs(555)={len(one.order.legs)}; accepted: {_leg_words(wanted)}"
    for given, right in zip(one.order.legs, wanted, strict=True):
        if given[0] != right[0] or given[1] not in ("", right[1]) or given[2] not in ("", right[2]):
            said = f"leg {given[0]!r} LegSide(624)={given[1]!r} LegRatioQty(623)={given[2]!r}"
            return f"{said}; accepted: {_leg_words(wanted)}"
    return ""


def _pair_legs(pair: PairSpec) -> Iterator[tuple[str, str, str]]:
    """The legs of a pair as they are when the pair is bought."""
    for index, leg in enumerate(pair.legs):
        yield leg.instrument_id, leg_side(pair, Side.BUY, index).value, str(leg.ratio_lots)


def _leg_words(legs: tuple[tuple[str, str, str], ...]) -> str:
    return "; ".join(
        f"LegSymbol(600)={name} LegSide(624)={side} LegRatioQty(623)={ratio}" for name, side, ratio in legs
    )


def _quantity(one: Asking) -> str:
    if one.order.qty > 0:
        return ""
    most = one.client.max_units if one.pair is not None else one.client.max_lots
    return f"OrderQty(38)={one.order.qty_text!r}; accepted: a whole number, at least 1 and at most {most}"


def _max_quantity(one: Asking) -> str:
    most, what = (one.client.max_units, "units of a pair") if one.pair is not None else (one.client.max_lots, "lots")
    return f"OrderQty(38)={one.order.qty_text}; accepted: at most {most} {what}" if one.order.qty > most else ""


def _price(one: Asking) -> str:
    if one.order.price_e9 is None:
        return f"Price(44)={one.order.price_text!r}; accepted: a decimal with at most {PLACES} places"
    instrument = None if one.pair is not None else one.settings.instruments[one.order.symbol]
    if instrument is None:
        return ""
    tick_e9 = int(instrument.tick * 10**PLACES)
    if one.order.price_e9 % tick_e9:
        return f"Price(44)={one.order.price_text}; accepted: a whole number of ticks of {instrument.tick}"
    return ""


def _expire_time(one: Asking) -> str:
    if one.order.time_in_force is not TimeInForce.GTD:
        return ""
    if not one.order.expire_utc_ns:
        if not one.order.expire_text:
            return "TimeInForce(59)=6 without a date; accepted: with ExpireTime(126) or ExpireDate(432)"
        given = f"ExpireTime(126) or ExpireDate(432)={one.order.expire_text!r}"
        return f"{given} is no time; accepted: YYYYMMDD-HH:MM:SS in UTC, or YYYYMMDD"
    if one.order.expire_utc_ns <= one.utc_ns:
        given = f"={one.order.expire_text}" if one.order.expire_text else ""
        return f"ExpireTime(126) or ExpireDate(432){given} is over; accepted: one in the future"
    return ""


def _open_orders(one: Asking) -> str:
    most = one.client.max_open_orders
    if not one.is_new or one.open_orders < most:
        return ""
    return f"{one.open_orders} orders are open; accepted: when fewer than {most} are"


def _ids_full(one: Asking) -> str:
    most = one.settings.max_cl_ord_ids
    if one.ids_used < most:
        return ""
    return f"{one.ids_used} ClOrdIDs(11) were used, ever; accepted: when clients.max_cl_ord_ids is above {most}"


def _gateway_down(one: Asking) -> str:
    if one.switches is not None and one.switches.heard:
        return ""
    return (
        one.switches.detail if one.switches else ""
    ) or "execution or trigger is not heard of; accepted: when they are"


def _stopping(one: Asking) -> str:
    return "the gateway is stopping" if one.switches is not None and one.switches.stopping else ""


def _killed(one: Asking) -> str:
    return "trading is halted by a person (kill)" if one.switches is not None and one.switches.held else ""


def _disarmed(one: Asking) -> str:
    armed = one.switches is not None and one.switches.armed
    return "" if armed or not one.is_new else "execution is not armed; accepted: when a person has armed it"


def _stage(one: Asking) -> str:
    return "stage shadow sends no orders" if one.switches is not None and one.switches.stage == "shadow" else ""


LADDER: tuple[tuple[ClientRefusal, Check], ...] = (
    (ClientRefusal.CL_ORD_ID, _cl_ord_id),
    (ClientRefusal.DUPLICATE_ORDER, _duplicate_order),
    (ClientRefusal.READ_ONLY, _read_only),
    (ClientRefusal.UNKNOWN_SYMBOL, _unknown_symbol),
    (ClientRefusal.NOT_ENTITLED, _not_entitled),
    (ClientRefusal.ACCOUNT, _account),
    (ClientRefusal.ORDER_TYPE, _order_type),
    (ClientRefusal.TIME_IN_FORCE, _time_in_force),
    (ClientRefusal.LEGS, _legs),
    (ClientRefusal.QUANTITY, _quantity),
    (ClientRefusal.MAX_QUANTITY, _max_quantity),
    (ClientRefusal.PRICE, _price),
    (ClientRefusal.EXPIRE_TIME, _expire_time),
    (ClientRefusal.OPEN_ORDERS, _open_orders),
    (ClientRefusal.IDS_FULL, _ids_full),
    (ClientRefusal.GATEWAY_DOWN, _gateway_down),
    (ClientRefusal.STOPPING, _stopping),
    (ClientRefusal.KILLED, _killed),
    (ClientRefusal.DISARMED, _disarmed),
    (ClientRefusal.STAGE, _stage),
)
