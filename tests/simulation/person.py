"""The person at the screen: arms, kills, takes over, books what was done elsewhere, hands back.

What it knows it reads as a screen would show it. It is never in a hurry and never forgets for long: what is halted is
looked at again, what is unexplained is explained, what is disarmed is armed.
"""

# ruff: noqa: S311 - chance is seeded here

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from gateway.model.trade import Command, PairTradeState, Verb
from tests.simulation.plan import MS, SECOND

if TYPE_CHECKING:
    from gateway.execution.pair_trade import PairTrade
    from tests.simulation.process import Process
    from tests.simulation.sim_world import World

LOOK_NS = 250 * MS


class Person:
    """See the module."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = Random(f"person {world.seed}")
        self._count = 0
        self._arm_from_ns = 0
        self._hasty = bool(world.plan.timed) and self._rng.random() < 0.5
        """Whether it arms before every venue has spoken."""
        self.passive = False
        """Whether it does nothing by itself until nothing goes wrong any more."""

    def begin(self) -> None:
        self._world.at(100 * MS, self._look)

    def trouble(self, now_ns: int, name: str) -> bool:
        """Do something that upsets: whether there was anything to do."""
        process = self._world.process
        if process is None:
            return False
        if name == "takeover":
            return self._take_over(process)
        self._arm_from_ns = now_ns + self._rng.randint(200, 1500) * MS
        self._say(Verb(name))
        return True

    def _look(self, now_ns: int) -> None:
        world = self._world
        world.at(now_ns + LOOK_NS, self._look)
        process = world.process
        if process is None or (self.passive and not world.calm):
            return
        ledger = process.engine.ledger
        ready = self._hasty or all(venue.up and venue.reconciled for venue in ledger.venues.values())
        if (not ledger.armed or ledger.throttled) and ((now_ns >= self._arm_from_ns and ready) or world.calm):
            self._say(Verb.ARM)
        for name in sorted(ledger.unexplained):
            if world.calm or self._rng.random() < 0.2:
                self._say(Verb.EXPLAIN, name)
        for trade in list(ledger.open_trades.values()):
            if trade.state is PairTradeState.HALTED and (world.calm or self._rng.random() < 0.15):
                self._say(Verb.RELEASE, trade.trade_id)

    def set_numbers(self, venue_id: str) -> None:
        """A session's numbers begin anew, the venue and the person agree."""
        self._say(Verb.RESET_NUMBERS, f"{venue_id} orders 1 1 force")

    def _take_over(self, process: Process) -> bool:
        trades = sorted(process.engine.ledger.open_trades.values(), key=lambda trade: trade.trade_id)
        if not trades:
            return False
        trade = self._rng.choice(trades)
        self._say(Verb.TAKEOVER, trade.trade_id)
        if self._rng.random() < 0.5:
            self._world.at(self._world.now_ns + 2 * SECOND, self._book_elsewhere, trade)
        return True

    def _book_elsewhere(self, _now_ns: int, taken: PairTrade) -> None:
        """The person traded what its pair trade lacks with another broker, and books it."""
        world = self._world
        if world.process is None:
            return
        ledger = world.process.engine.ledger
        trade = ledger.trades.get(taken.trade_id)
        if trade is None or trade.cause != "taken_over" or any(own.open for own in trade.orders()):
            return
        units = max(-(-leg.filled_lots // leg.ratio_lots) for leg in trade.legs)
        for number, leg in enumerate(trade.legs, 1):
            lots = units * leg.ratio_lots - leg.filled_lots
            if not lots or world.process is None:
                continue
            side = leg.side if lots > 0 else leg.side.opposite
            exec_id = f"B{self._count}"
            px = world.given.mid_ticks[leg.instrument_id] * 10
            self._say(Verb.FILL_ADD, f"{trade.trade_id} {number} {side.name.lower()} {abs(lots)} {px} {exec_id}")
            if world.process is not None and (leg.venue_id, exec_id) in world.process.engine.ledger.outside_fills:
                world.outside_lots[leg.instrument_id] += side.sign * abs(lots)
                world.faults["fill_add"] += 1

    def _say(self, verb: Verb, argument: str = "") -> None:
        world = self._world
        if world.process is None:
            return
        self._count += 1
        command = Command(f"K{self._count}", verb, "Li Wei", "as seen on the screen", argument)
        world.in_process(world.now_ns, world.process.command, command)
