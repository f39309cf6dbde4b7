"""One order inside a venue: the only mutable record of it, and the reports that tell its state."""

from dataclasses import dataclass, field
from decimal import Decimal

from simulators.core.config import FaultSpec, Listing
from simulators.core.values import LIMIT, NEW, PARTIALLY_FILLED, Report

_AVG_PLACES = 8


@dataclass(slots=True)
class Fill:
    """A fill that stands: `exec_id` is what a bust or a correction will name."""

    exec_id: str
    qty: int
    px: Decimal


@dataclass(slots=True, eq=False)
class Order:
    """Compared by identity.

    `ahead` is how many lots of others queue before it at its price; None while that level is not in view.
    """

    ordinal: int
    order_id: str
    cl_ord_id: str
    account: str
    listing: Listing
    trade_date: str
    side: str
    qty: int
    px_ticks: int | None
    ord_type: str
    time_in_force: str
    position_effect: str
    hedge_flag: str
    faults: dict[str, FaultSpec]
    priority: int = 0
    ahead: int | None = 0
    leaves: int = 0
    cum: int = 0
    notional: Decimal = Decimal(0)
    status: str = NEW
    fills: list[Fill] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether it can still trade."""
        return self.status in {NEW, PARTIALLY_FILLED}

    @property
    def px(self) -> Decimal | None:
        """The limit as quoted; None for a market order."""
        return None if self.px_ticks is None else self.listing.tick * self.px_ticks

    @property
    def avg_px(self) -> Decimal:
        """Average price of what was filled, rounded to 8 places; 0 before the first fill."""
        return round(self.notional / self.cum, _AVG_PLACES).normalize() if self.cum else Decimal(0)

    def reaches(self, px_ticks: int) -> bool:
        """Whether its limit allows a trade at `px_ticks`."""
        if self.ord_type != LIMIT or self.px_ticks is None:
            return True
        return self.px_ticks >= px_ticks if self.side == "1" else self.px_ticks <= px_ticks

    def report(self, at_ns: int, exec_type: str, exec_id: str) -> Report:
        """A report of the state as it is now."""
        return Report(
            at_ns=at_ns,
            account=self.account,
            order_id=self.order_id,
            cl_ord_id=self.cl_ord_id,
            orig_cl_ord_id="",
            exec_id=exec_id,
            exec_type=exec_type,
            ord_status=self.status,
            symbol=self.listing.symbol,
            side=self.side,
            order_qty=self.qty,
            ord_type=self.ord_type,
            px=self.px,
            time_in_force=self.time_in_force,
            position_effect=self.position_effect,
            hedge_flag=self.hedge_flag,
            leaves_qty=self.leaves,
            cum_qty=self.cum,
            avg_px=self.avg_px,
            trade_date=self.trade_date,
        )
