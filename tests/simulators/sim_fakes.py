"""A tape written by hand, a venue on it, and what tests ask of both."""

# ruff: noqa: ANN401  (a test gives what a section of a profile holds: any value)

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from simulators.core.config import FaultSpec, Listing, VenueConfig
from simulators.core.tape import TapeBook, TapeEvent, TapeInstrument, TapeStatus, TapeTrade
from simulators.core.values import NewOrder, Report, VenueEvent
from simulators.core.venue import Venue

VENUE, SYMBOL = "SHFE", "cu2609"
TICK = Decimal(10)
MS = 1_000_000
BIDS = ((99, 5), (98, 7), (97, 9))
ASKS = ((101, 4), (102, 6), (103, 8))


class FakeTape:
    """Events given as a list; `limits` are low and high, in ticks."""

    name = "fake"
    label = "written by hand"

    def __init__(self, events: list[TapeEvent], *, low: int | None = None, high: int | None = None) -> None:
        self._events = events
        self.instruments = (TapeInstrument(VENUE, SYMBOL, TICK, "CNY", "20260615", high, low),)
        self.duration_ns = max((event.at_ns for event in events), default=0)

    def events(self) -> Iterator[TapeEvent]:
        return iter(self._events)


def book(at_ms: int, bids: Any = BIDS, asks: Any = ASKS) -> TapeBook:
    return TapeBook(at_ms * MS, VENUE, SYMBOL, tuple(bids), tuple(asks))


def trade(at_ms: int, px_ticks: int, qty: int, aggressor: str) -> TapeTrade:
    return TapeTrade(at_ms * MS, VENUE, SYMBOL, px_ticks, qty, aggressor)


def status(at_ms: int, value: str) -> TapeStatus:
    return TapeStatus(at_ms * MS, VENUE, SYMBOL, value)


def fault(name: str, **given: Any) -> FaultSpec:
    """A fault that strikes every order unless told otherwise."""
    params = given.pop("params", {})
    given = given or {"probability": 1.0}
    if "ordinals" in given:
        given["ordinals"] = frozenset(given["ordinals"])
    return FaultSpec(name, params=params, **given)


def venue(
    events: list[TapeEvent] | None = None,
    *,
    faults: tuple[FaultSpec, ...] = (),
    low: int | None = None,
    high: int | None = None,
    listing: dict[str, Any] | None = None,
    **config: Any,
) -> Venue:
    """A venue with one instrument whose book is BIDS and ASKS from 0 on, unless `events` say otherwise."""
    tape = FakeTape([book(0)] if events is None else events, low=low, high=high)
    item = Listing(**{"symbol": SYMBOL, "tick": TICK, **(listing or {})})
    settings = {"incremental": True, **config}
    return Venue(VenueConfig(VENUE, "A1", (item,), faults=faults, **settings), tape)


def order(cl_ord_id: str, side: str, qty: int | str, px_ticks: int | None, **given: Any) -> NewOrder:
    """A limit order for the day at `px_ticks`, or with None a market order."""
    px = None if px_ticks is None else TICK * px_ticks
    kind = {"ord_type": "1"} if px is None else {}
    return NewOrder(cl_ord_id, "A1", SYMBOL, side, Decimal(qty), px, **{**kind, **given})


def reports(events: list[VenueEvent]) -> list[Report]:
    return [event for event in events if isinstance(event, Report)]


def told(events: list[VenueEvent]) -> list[tuple[Any, ...]]:
    """Each report in short: ExecType, OrdStatus, last quantity at price in ticks, cumulated, leaves."""
    return [(item.exec_type, item.ord_status, _last(item), item.cum_qty, item.leaves_qty) for item in reports(events)]


def _last(item: Report) -> tuple[int, int] | None:
    return None if item.last_px is None else (item.last_qty, int(item.last_px / TICK))
