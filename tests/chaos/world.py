"""The installation that chaos breaks: a pair that is always worth buying, venues with faults of their own, quick timers.

The rule is met at every quote, so that trading goes on as soon as it can; the pair trade of one unit is 5 lots at home
against 1 away. Venues reject, delay, double and reorder a few orders in a hundred while processes die around them.
"""

import subprocess
from pathlib import Path
from typing import Any

from gateway.bus.sockets import Subscriber
from gateway.model.trade import PairTradeChanged, PairTradeState
from tests.chaos.rig import AWAY, HOME, Rig

LOTS = {HOME: 5, AWAY: 1}
"""Of one unit, bought at home and sold away."""
NETWORKS = {HOME: "same-city", AWAY: "shanghai-chicago"}
"""An order away is 0.2 s under way and back: whatever dies then leaves one without an outcome."""
JOURNAL_MB = 96
VENUE_FAULTS = (
    {"name": "reject", "probability": 0.01},
    {"name": "partial", "probability": 0.03, "params": {"fraction": 0.5}},
    {"name": "delay", "probability": 0.04, "params": {"delay_ms": 300}},
    {"name": "late_fill", "probability": 0.02, "params": {"delay_ms": 300}},
    {"name": "duplicate", "probability": 0.03},
    {"name": "out_of_order", "probability": 0.03},
    {"name": "fill_before_ack", "probability": 0.03},
    {"name": "silence", "probability": 0.005},
)
CUTS = (
    {"name": "drop_connection", "probability": 0.003, "params": {"processed": True}},
    {"name": "drop_connection", "probability": 0.003, "params": {"processed": False}},
)


def profile(content: dict[str, Any], venue: str) -> None:
    """A venue that keeps its state, with faults by chance."""
    content["venue"]["state_dir"] = str(Path(content["venue"]["truth_dir"]).parents[1] / "venue_state" / venue)
    content["network"] = {"profile": NETWORKS[venue]}
    content["fault"] = [dict(one) for one in (*VENUE_FAULTS, CUTS[venue == HOME])]


def site(content: dict[str, Any]) -> None:
    """Always worth buying; limits out of the way, patience short."""
    content["journal"]["min_free_mb"] = 1
    content["supervisor"] |= {"restarts_max": 1000, "stop_timeout_s": 20}
    content["bus"]["heartbeat_interval_ms"] = 200
    content["watch"] = {"heartbeat_timeout_ms": 1500}
    content["limits"] |= {
        "throttle_trades": 1_000_000,
        "max_orders_per_s": 500,
        "daily_loss": {"CNY": "1000000000"},
    }
    for venue in content["venue"]:
        venue |= {"status_timeout_ms": 500, "reconnect_min_s": 0.1, "reconnect_max_s": 0.5}
        for session in ("md", "orders"):
            venue[session]["heart_bt_int_s"] = 2
    for one in content["instrument"]:
        if one["tradable"]:
            one |= {"max_position_lots": 1_000_000, "max_orders_per_day": 1_000_000}
    content["pair"][0] |= {
        "order_timeout_ms": 500,
        "legged_limit_ms": 3000,
        "max_units": 100_000,
        "slippage_budget": "1000000",
        "repair_pay_up_ticks": [4, 8, 16, 32, 64, 64, 64, 64],
    }
    content["rule"][0] |= {"buy_at": "100000", "sell_at": "200000", "max_units": 100_000, "cool_down_ms": 150}


class World(Rig):
    """A rig of this site, that hears pair trades end, and whose journals lie on a small file system of their own."""

    def __init__(self, folder: Path, seed: int, seconds: int) -> None:
        super().__init__(folder, seed=seed, seconds=seconds, tune=profile, tune_site=site)
        self.journals = self.run_dir / "journal"
        self.own_disk = _mount(self.journals)
        self.hedged: set[str] = set()
        self.open: dict[str, PairTradeState] = {}
        self.opened = 0
        self._ears: Subscriber | None = None

    def start(self, patience_s: float = 30) -> None:
        """As of a rig; then listen."""
        super().start(patience_s)
        self._ears = self.listen("execution", "T.")

    def listen(self, name: str, topic: str) -> Subscriber:
        """What a process publishes."""
        return Subscriber(self._bus_dir, name, [topic])

    def hear(self) -> None:
        """Take what execution announced of pair trades."""
        if self._ears is None:
            return
        for one in self._ears.poll():
            if isinstance(one.message, PairTradeChanged):
                self._note(one.message)

    def _note(self, trade: PairTradeChanged) -> None:
        if trade.state in (PairTradeState.HEDGED, PairTradeState.UNWOUND, PairTradeState.MISSED):
            self.open.pop(trade.trade_id, None)
        else:
            self.opened += trade.trade_id not in self.open
            self.open[trade.trade_id] = trade.state
        if trade.state is PairTradeState.HEDGED:
            self.hedged.add(trade.trade_id)

    def trades_on(self, seconds: float = 30) -> None:
        """Wait until a pair trade is hedged that was not before."""
        self.hear()
        before = len(self.hedged)

        def more() -> bool:
            self.hear()
            return len(self.hedged) > before

        self.until("a new pair trade is hedged", more, seconds)

    def close(self) -> None:
        """As of a rig; the small file system goes."""
        if self._ears is not None:
            self._ears.close()
        super().close()
        if self.own_disk:
            kept = self.folder / "journal"
            subprocess.run(["cp", "-r", str(self.journals), str(kept)], check=False)  # noqa: S607
            subprocess.run(["umount", "-l", str(self.journals)], check=False)  # noqa: S607
            subprocess.run(["cp", "-r", f"{kept}/.", str(self.journals)], check=False)  # noqa: S607


def _mount(folder: Path) -> bool:
    """A small file system at `folder`; False where this user may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={JOURNAL_MB}m,mode=700", "cmc-chaos", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
