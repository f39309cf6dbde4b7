"""Whether a venue takes an order: one refusal or none, in a fixed order of checks. Pure.

Each refusal carries OrdRejReason(103) and a Text(58) that names the field, the value and what would be right.
"""

from decimal import Decimal
from typing import NamedTuple

from simulators.core.config import Listing, VenueConfig
from simulators.core.truth import px_text
from simulators.core.values import (
    AUCTION,
    BUY,
    CLOSED,
    DAY,
    FOK,
    GTC,
    GTD,
    HALT,
    IOC,
    LIMIT,
    MARKET,
    SELL,
    NewOrder,
)


class Refusal(NamedTuple):
    """`reason` is OrdRejReason(103)."""

    reason: str
    text: str


UNKNOWN_SYMBOL, EXCHANGE_CLOSED, EXCEEDS_LIMIT, DUPLICATE = "1", "2", "3", "6"
UNSUPPORTED, INCORRECT_QUANTITY, OTHER = "11", "13", "99"


class Limits(NamedTuple):
    """The day's price limits, in ticks; None where the venue has none."""

    low_ticks: int | None = None
    high_ticks: int | None = None


def order_refusal(
    order: NewOrder, config: VenueConfig, listing: Listing | None, status: str, limits: Limits
) -> Refusal | None:
    """The first check that the order fails; None when it may work. Positions are checked after this."""
    if order.account != config.account:
        return Refusal(OTHER, f"Account(1) unknown: {order.account}")
    if listing is None:
        return Refusal(UNKNOWN_SYMBOL, f"Symbol(55) unknown: {order.symbol}")
    if status in {HALT, CLOSED}:
        return Refusal(EXCHANGE_CLOSED, "trading halted" if status == HALT else "market closed")
    return (
        _kind_refusal(order, config, status)
        or _qty_refusal(order.qty, listing)
        or _px_refusal(order.ord_type, order.px, listing, limits)
    )


def replace_refusal(
    qty: Decimal, ord_type: str, px: Decimal | None, listing: Listing, limits: Limits
) -> Refusal | None:
    """The first check that the new terms of an order fail."""
    return _qty_refusal(qty, listing) or _px_refusal(ord_type, px, listing, limits)


def _kind_refusal(order: NewOrder, config: VenueConfig, status: str) -> Refusal | None:
    if order.side not in {BUY, SELL}:
        return Refusal(UNSUPPORTED, f"Side(54) not supported: {order.side}; 1 or 2 is right")
    if order.ord_type not in {LIMIT, MARKET} or (order.ord_type == MARKET and not config.market_orders):
        return Refusal(UNSUPPORTED, f"OrdType(40) not supported: {order.ord_type}")
    offered = {DAY, IOC} | ({FOK} if config.fok else set()) | ({GTC} if config.gtc else set())
    offered |= {GTD} if config.gtd else set()
    if order.time_in_force not in offered:
        return Refusal(UNSUPPORTED, f"TimeInForce(59) not supported: {order.time_in_force}")
    if status == AUCTION and (order.ord_type == MARKET or order.time_in_force in {IOC, FOK}):
        return Refusal(EXCHANGE_CLOSED, "auction: limit orders for the day only")
    return None


def _qty_refusal(qty: Decimal, listing: Listing) -> Refusal | None:
    if qty != int(qty):
        return Refusal(INCORRECT_QUANTITY, f"OrderQty(38) not whole lots: {qty}")
    if not listing.min_qty <= qty <= listing.max_qty:
        text = f"OrderQty(38) out of range: {qty}; {listing.min_qty} to {listing.max_qty} is right"
        return Refusal(INCORRECT_QUANTITY, text)
    return None


def _px_refusal(ord_type: str, px: Decimal | None, listing: Listing, limits: Limits) -> Refusal | None:
    if ord_type != LIMIT:
        return None
    if px is None:
        return Refusal(OTHER, "Price(44) required for a limit order")
    ticks, rest = divmod(px, listing.tick)
    if rest:
        return Refusal(OTHER, f"Price(44) not a multiple of the tick {px_text(listing.tick)}: {px_text(px)}")
    if limits.high_ticks is not None and ticks > limits.high_ticks:
        high = px_text(limits.high_ticks * listing.tick)
        return Refusal(EXCEEDS_LIMIT, f"Price(44) above the upper limit {high}: {px_text(px)}")
    if limits.low_ticks is not None and ticks < limits.low_ticks:
        low = px_text(limits.low_ticks * listing.tick)
        return Refusal(EXCEEDS_LIMIT, f"Price(44) below the lower limit {low}: {px_text(px)}")
    return None
