"""Faults that come by themselves: sessions, quotes, the disk, the process, strangers. Each a named method.

When each strikes is drawn from the world's seed; whether it found anything to strike is told by what it returns.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from simulators.core.values import CancelReject, Report
from tests.simulation.plan import MS

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.sim_world import World
    from tests.simulation.wire import Line

KILLS = ("kill_before_write", "kill_after_write", "kill_between_sends", "kill_after_sends", "kill_any_time")
PERSON = ("kill_hold", "kill_balance", "disarm", "takeover")
IN_THE_TAPE = ("one_sided", "break", "new_day")
"""Faults that are written into the tape or follow from it."""


class Trouble:
    """See the module."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.rng
        self._strikers: dict[str, Callable[[int, Line], bool]] = {
            "session_drop": self._session_drop,
            "venue_down": self._venue_down,
            "quotes_stall": self._quotes_stall,
            "unsolicited_cancel": self._unsolicited_cancel,
            "stranger": self._stranger,
            "stray_cancel_reject": self._stray_cancel_reject,
            "disk_full": self._disk_full,
            "power_lost": self._power_lost,
            "held_up": self._held_up,
            "lease_taken": self._lease_taken,
            "rate_stale": self._rate_stale,
            "rate_shut": self._rate_shut,
        }

    def begin(self) -> None:
        """Put down the first of each that the plan has."""
        for name, mean_ns in self._world.plan.timed.items():
            if name not in IN_THE_TAPE:
                self._next(name, mean_ns)

    def _next(self, name: str, mean_ns: int) -> None:
        at_ns = self._world.now_ns + int(self._rng.expovariate(1 / mean_ns)) + 200 * MS
        if at_ns < self._world.active_ns:
            self._world.at(at_ns, self._strike, name, mean_ns)

    def _strike(self, now_ns: int, name: str, mean_ns: int) -> None:
        world = self._world
        line = world.lines[self._rng.choice(sorted(world.lines))]
        if name in KILLS:
            # It is counted when the process reaches the place.
            if world.process is not None:
                world.process.kill_at = name
        elif name in PERSON:
            struck = world.person.trouble(now_ns, name)
            world.faults[name] += struck
        else:
            # First struck, then counted: what strikes may count on the same line.
            struck = self._strikers[name](now_ns, line)
            world.faults[name] += struck
        self._next(name, mean_ns)

    def _session_drop(self, now_ns: int, line: Line) -> bool:
        return self._cut(now_ns, line, self._rng.randint(20, 1200) * MS)

    def _venue_down(self, now_ns: int, line: Line) -> bool:
        return self._cut(now_ns, line, self._rng.randint(2000, 5000) * MS)

    def _cut(self, now_ns: int, line: Line, down_ns: int) -> bool:
        late = self._rng.random() < self._world.plan.wire.get("notice_late", 0.0)
        notice_ns = now_ns + (self._rng.randint(200, 1500) * MS if late else self._rng.randint(0, 5) * MS)
        was_up = line.up
        line.cut(now_ns, notice_ns + down_ns, notice_ns)
        self._world.faults["notice_late"] += late and was_up
        return was_up

    def _quotes_stall(self, now_ns: int, line: Line) -> bool:
        self._world.stall(line, now_ns + self._rng.randint(300, 3000) * MS)
        return True

    def _rate_stale(self, now_ns: int, _line: Line) -> bool:
        """No quote of the currency for longer than it may be old."""
        return self._world.currency.stall(now_ns + self._rng.randint(500, 4000) * MS)

    def _rate_shut(self, now_ns: int, _line: Line) -> bool:
        """The currency's market is shut."""
        return self._world.currency.shut(now_ns, now_ns + self._rng.randint(300, 3000) * MS)

    def _unsolicited_cancel(self, now_ns: int, line: Line) -> bool:
        said = line.venue.on_mass_cancel(now_ns, self._world.name("X"), "7")[:-1]
        line.said(now_ns, said)
        return bool(said)

    def _stranger(self, now_ns: int, line: Line) -> bool:
        line.said(now_ns, [stranger(self._world, now_ns, line)])
        return True

    def _stray_cancel_reject(self, now_ns: int, _line: Line) -> bool:
        """A venue refuses a cancel that was not sent."""
        world = self._world
        orders = [] if world.process is None else list(world.process.engine.ledger.open_orders.values())
        if not orders:
            return False
        own = self._rng.choice(orders)
        stray = CancelReject(now_ns, own.order_id, world.name("Z"), own.order.cl_ord_id, "0", "1", "99", "stray")
        world.lines[own.order.venue_id].said(now_ns, [stray])
        return True

    def _disk_full(self, now_ns: int, _line: Line) -> bool:
        self._world.disk.full_until_ns = now_ns + self._rng.randint(50, 1500) * MS
        return True

    def _power_lost(self, _now_ns: int, _line: Line) -> bool:
        self._world.die("power_lost")
        return False  # counted where the process dies

    def _held_up(self, _now_ns: int, _line: Line) -> bool:
        if self._world.process is not None:
            self._world.process.held_up_ns = self._rng.choice((40, 150, 400)) * MS
        return False  # counted when it hands over an order

    def _lease_taken(self, now_ns: int, _line: Line) -> bool:
        process = self._world.process
        if process is not None:
            process.lease = False
            self._world.at(now_ns + self._rng.randint(100, 1500) * MS, self._watch_kills, process)
        return False  # counted when the watch kills it

    def _watch_kills(self, _now_ns: int, process: Process) -> None:
        if self._world.process is process:
            self._world.die("lease_taken")


def stranger(world: World, now_ns: int, line: Line) -> Report:
    """A fill of an order that is not ours."""
    instrument = world.instrument_of(line)
    name = world.name("S")
    answer = line.venue.on_status(now_ns, name, instrument.symbol, "1")[-1]
    assert isinstance(answer, Report)
    px = instrument.tick * world.given.mid_ticks[instrument.instrument_id]
    return answer._replace(
        exec_type="F",
        ord_status="2",
        order_id=name,
        exec_id=name,
        last_qty=1,
        last_px=Decimal(px),
        cum_qty=1,
        order_qty=1,
    )
