"""What really happened at a venue, as lines of text. Pure: a shell writes them where the profile says.

The record is the referee of every test and acceptance run: it is made where the event happens, not from what was sent.
"""

import json
from decimal import Decimal
from typing import NamedTuple

from simulators.core.values import Levels

ORDERS, FILLS, BOOKS, CLOCK, MESSAGES = "orders.jsonl", "fills.jsonl", "books.csv", "clock.csv", "messages.csv"
HEADERS = {
    BOOKS: "at_ns,symbol,bids,asks",
    CLOCK: "monotonic_ns,venue_ns",
    MESSAGES: "at_ns,session,direction,msg_type,msg_seq_num,poss_dup,cl_ord_id,exec_id",
}


class OrderTruth(NamedTuple):
    """One change of one order; the fields are those of `orders.jsonl`."""

    at_ns: int
    venue: str
    account: str
    cl_ord_id: str
    order_id: str
    symbol: str
    side: str
    order_qty: int
    px: str
    ord_type: str
    time_in_force: str
    position_effect: str
    status: str
    cum_qty: int
    leaves_qty: int
    event: str
    text: str


class FillTruth(NamedTuple):
    """One fill, bust or correction; the fields are those of `fills.jsonl`."""

    at_ns: int
    venue: str
    account: str
    trade_date: str
    exec_id: str
    cl_ord_id: str
    order_id: str
    symbol: str
    side: str
    last_qty: int
    last_px: str
    kind: str
    exec_ref_id: str


class BookTruth(NamedTuple):
    """The published book of one instrument from `at_ns` on."""

    at_ns: int
    symbol: str
    bids: Levels
    asks: Levels
    tick: Decimal


Truth = OrderTruth | FillTruth | BookTruth


def line(item: Truth) -> tuple[str, str]:
    """The file that `item` belongs to, and its line without the line end."""
    if isinstance(item, BookTruth):
        bids, asks = _levels(item.bids, item.tick), _levels(item.asks, item.tick)
        return BOOKS, f"{item.at_ns},{item.symbol},{bids},{asks}"
    name = ORDERS if isinstance(item, OrderTruth) else FILLS
    return name, json.dumps(item._asdict(), separators=(",", ":"))


def px_text(px: Decimal | None) -> str:
    """A price as text without an exponent; empty for none."""
    return "" if px is None else format(px, "f")


def _levels(levels: Levels, tick: Decimal) -> str:
    return " ".join(f"{px_text(px * tick)}:{qty}" for px, qty in levels)
