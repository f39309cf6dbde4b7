"""Why a cancel or a replace may not be, and how that is told."""

from collections.abc import Collection

from simulators.core.checks import Refusal, replace_refusal
from simulators.core.market import Market
from simulators.core.order import Order
from simulators.core.values import AUCTION, REJECTED, CancelOrder, CancelReject, ReplaceOrder

TOO_LATE, UNKNOWN_ORDER, DUPLICATE_CANCEL, OTHER_CANCEL = "0", "1", "6", "99"
_UNKNOWN = Refusal(UNKNOWN_ORDER, "unknown order")


def change_refusal(cl_ord_id: str, order: Order | None, used_ids: Collection[str]) -> Refusal | None:
    """Why this order may not be changed at all."""
    if order is None:
        return _UNKNOWN
    if cl_ord_id in used_ids:
        return Refusal(DUPLICATE_CANCEL, f"ClOrdID(11) already used: {cl_ord_id}")
    if not order.open:
        return Refusal(TOO_LATE, f"too late: the order has ended, OrdStatus(39)={order.status}")
    spec = order.faults.get("cancel_reject")
    if spec is not None:
        return Refusal(spec.word("reason", OTHER_CANCEL), spec.word("text", "cancel refused by the exchange"))
    return None


def terms_refusal(order: Order, market: Market, request: ReplaceOrder) -> Refusal | None:
    """Why it may not have these terms."""
    if request.qty <= order.cum:
        return Refusal(TOO_LATE, f"OrderQty(38) {request.qty} is not above CumQty(14) {order.cum}")
    if request.ord_type != order.ord_type or request.time_in_force != order.time_in_force:
        return Refusal(OTHER_CANCEL, "OrdType(40) and TimeInForce(59) cannot be replaced")
    if not market.trading and market.status != AUCTION:
        return Refusal(OTHER_CANCEL, "trading halted")
    refusal = replace_refusal(request.qty, request.ord_type, request.px, order.listing, market.limits)
    if refusal is not None:
        return Refusal(OTHER_CANCEL, refusal.text)
    more = int(request.qty) - order.qty
    text = market.position.refusal(order.side, order.position_effect, more) if more > 0 else ""
    return Refusal(OTHER_CANCEL, text) if text else None


def change_reject(
    at_ns: int, request: CancelOrder | ReplaceOrder, order: Order | None, to: str, refusal: Refusal | None
) -> CancelReject:
    """The answer; `to` is CxlRejResponseTo(434)."""
    refusal = refusal or _UNKNOWN
    return CancelReject(
        at_ns=at_ns,
        order_id=order.order_id if order else "NONE",
        cl_ord_id=request.cl_ord_id,
        orig_cl_ord_id=request.orig_cl_ord_id,
        ord_status=order.status if order else REJECTED,
        response_to=to,
        reason=refusal.reason,
        text=refusal.text,
    )
