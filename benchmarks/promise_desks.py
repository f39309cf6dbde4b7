"""The contenders that are not the gateway: two people with a terminal each, one program leg by leg, and the oracle.

Each is a procedure of one pair trade at a time, written as a generator that yields what it waits for: some time, or
orders until their last report has arrived. What each does and why stands in docs/PROMISE.md and `promise.toml`; the
figures come from the latter. They share the price of a slice (`promise_slice.py`) and nothing of the gateway's code.
"""

# ruff: noqa: S311 - reactions and delays are drawn from the day's seed

from collections.abc import Generator
from random import Random
from typing import NamedTuple

from benchmarks.promise_market import MS
from benchmarks.promise_parameters import quantile
from benchmarks.promise_slice import ASKS, BIDS, FIRST, PRICE_E9, SECOND_LEG, Book, Seen, leg_of, leg_sign
from benchmarks.promise_world import Once, Spell, World
from gateway.model.instrument import PositionModel
from simulators.core.values import CLOSE, CLOSE_TODAY, OPEN, Report

OTHER_LEG = {FIRST: SECOND_LEG, SECOND_LEG: FIRST}


class Wait(NamedTuple):
    """Let so much time pass."""

    ns: int


class Send(NamedTuple):
    """An IOC order: leg, sign (1 buys), lots, and how many ticks beyond the worst level seen now it may fill."""

    leg: int
    sign: int
    lots: int
    limit_ticks: int


Wish = Wait | tuple[Send, ...]
Procedure = Generator[Wish, tuple[int, ...], None]
"""Gives a Wish, gets the filled lots of each order (none for a Wait)."""


class Opened(NamedTuple):
    """A pair trade as its decision saw it."""

    trade: str
    at_ns: int
    seen: Seen


class Desk:
    """One pair trade at a time, under the pair's and the rule's limits."""

    name = ""
    late_ns = 0
    """So much later than it arrives a quote is seen."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.day = world.day
        self.slice = world.day.slice
        self.pair, self.rule = world.day.pair, world.day.rule
        self.rng = Random(f"{self.name} {world.day.seed}")
        self.books: dict[str, Book] = {}
        self._stood: dict[tuple[str, int], int] = {}
        """The last best price of a side on which there is nobody now, by instrument and side."""
        self.once = Once(world.day)
        self.opened: list[Opened] = []
        self.net_units = 0
        self._running: Procedure | None = None
        self._waiting: dict[str, int] = {}
        """Orders of which more may come -> their place in the Send."""
        self._filled: list[int] = []
        self._legs: dict[str, tuple[int, int, str]] = {}
        self._held = {leg: {"long": 0, "short": 0} for leg in (FIRST, SECOND_LEG)}
        self._count = 0
        self._free_ns = world.day.begin_ns
        self._begun_ns = 0
        self.spells: list[Spell] = []

    def begin(self) -> None:
        """Nothing to prepare."""

    def on_quote(self, now_ns: int, instrument_id: str, book: Book, _sent_ns: int) -> None:
        """A book arrives: begin when the rule is met and nothing is open."""
        if not (book[BIDS] and book[ASKS]):
            self._keep(instrument_id)
        self.books[instrument_id] = book
        seen = self.slice.met(self.books)
        may = self.once.look(now_ns, 0 if seen is None else seen.side)
        if self._running is not None or not self._free_ns <= now_ns <= self.day.trading_ns:
            return
        if seen is not None and may and self.has_room(seen):
            self._running = self.procedure(seen)
            self._begun_ns = now_ns
            self._step(())

    def _keep(self, instrument_id: str) -> None:
        """What stood on a side before nobody did."""
        for side, levels in enumerate(self.books.get(instrument_id, ())):
            if levels:
                self._stood[instrument_id, side] = levels[0][0]

    def has_room(self, seen: Seen) -> bool:
        """Whether the rule's position limit lets another unit be opened on this side."""
        return seen.side * self.net_units < self.rule.max_units

    def procedure(self, seen: Seen) -> Procedure:
        """One pair trade from the moment the rule is met."""
        raise NotImplementedError

    # What a procedure uses.

    def open(self, seen: Seen) -> None:
        """From here on it is a pair trade, decided on what was seen."""
        self._count += 1
        self.once.fired(self.world.now_ns, seen.side)
        self.opened.append(Opened(f"{self.name}-{self._count}", self.world.now_ns, seen))

    def order(self, leg: int, sign: int, lots: int, pay_up_ticks: int, seen: Seen | None = None) -> Send:
        """An order at the worst level that its lots touch in the books of now (or in `seen`) and a pay-up.

        Where nobody stands now it is the last price that somebody stood at.
        """
        worst = seen.worst_ticks[leg] if seen is not None else self._worst(leg, sign, lots)
        return Send(leg, sign, lots, worst + sign * pay_up_ticks)

    def pay_up(self, leg: int, attempt: int) -> int:
        """Of the first order (0), or of a repair (from 1): the pair's."""
        repairs = self.pair.repair_pay_up_ticks
        return self.pair.legs[leg].pay_up_ticks if attempt == 0 else repairs[min(attempt, len(repairs)) - 1]

    def _worst(self, leg: int, sign: int, lots: int) -> int:
        name = self.slice.names[leg]
        levels = self.books[name][sign > 0]
        if not levels:
            return self._stood[name, int(sign > 0)]
        left = lots
        for px_ticks, qty in levels:
            left -= qty
            if left <= 0:
                return px_ticks
        return levels[-1][0]

    # The procedure's steps.

    def _step(self, answer: tuple[int, ...]) -> None:
        assert self._running is not None  # noqa: S101 a step belongs to a procedure
        try:
            wish = next(self._running) if not answer else self._running.send(answer)
        except StopIteration:
            self._running = None
            self._free_ns = self.world.now_ns + self.rule.cool_down_ns
            self.spells.append(Spell(self._begun_ns, self._free_ns))
            return
        if isinstance(wish, Wait):
            self.world.at(self.world.now_ns + wish.ns, self._waited)
            return
        self._filled = [0] * len(wish)
        for place, one in enumerate(wish):
            self._send(place, one)

    def _waited(self, _now_ns: int) -> None:
        self._step((0,))

    def _send(self, place: int, one: Send) -> None:
        world, trade = self.world, self.opened[-1].trade
        self._count += 1
        effect = self._effect(one)
        order = world.limit_order(f"{trade}-{self._count}", one.leg, one.sign, one.lots, one.limit_ticks, effect)
        self._waiting[order.cl_ord_id] = place
        self._legs[order.cl_ord_id] = (one.leg, one.sign, effect)
        world.send(world.now_ns, trade, one.leg, order)

    def _effect(self, one: Send) -> str:
        """Where the venue keeps long and short apart: close what the other side holds, else open."""
        model = self.day.instrument(one.leg).position_model
        if model is PositionModel.NET:
            return ""
        other = "short" if one.sign > 0 else "long"
        if self._held[one.leg][other] < one.lots:
            return OPEN
        return CLOSE_TODAY if model is PositionModel.OPEN_CLOSE_TODAY else CLOSE

    def on_report(self, now_ns: int, _venue_id: str, report: Report) -> None:
        """Count the lots; when every order has had its last word, the procedure goes on."""
        name = report.cl_ord_id
        place = self._waiting.get(name)
        if place is None:
            return
        if report.exec_type == "F":
            self._filled[place] += report.last_qty
            self._book(name, report.last_qty)
        if report.ord_status in {"2", "4", "8", "C"}:
            del self._waiting[name]
            if not self._waiting:
                self.world.at(now_ns, self._answered)

    def _answered(self, _now_ns: int) -> None:
        self._step(tuple(self._filled))

    def _book(self, name: str, lots: int) -> None:
        leg, sign, effect = self._legs[name]
        held = self._held[leg]
        if effect in {CLOSE, CLOSE_TODAY}:
            held["short" if sign > 0 else "long"] -= lots
        else:
            held["long" if sign > 0 else "short"] += lots

    def done(self, side: int, units: int) -> None:
        """So many units are held more."""
        self.net_units += side * units


class Sequential(Desk):
    """One leg, then the other. What lies between the steps is the heirs'."""

    first = SECOND_LEG

    def flat(self, side: int, filled: list[int]) -> Procedure:
        """Take back everything that is filled, with the largest pay-up, until nothing is left."""
        while any(filled):
            leg = FIRST if filled[FIRST] else SECOND_LEG
            yield from self.between()
            got = yield (self.order(leg, -leg_sign(side, leg), filled[leg], self.pay_up(leg, len(self.repairs))),)
            filled[leg] -= got[0]

    @property
    def repairs(self) -> tuple[int, ...]:
        """The pair's repair pay-ups."""
        return self.pair.repair_pay_up_ticks

    def between(self) -> Procedure:
        """What passes before an order that follows another."""
        raise NotImplementedError


class People(Sequential):
    """(a) in `promise.toml`."""

    name = "people"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.late_ns = world.day.parameters.get("people", "quote_delay_ms") * MS
        self.first, _ = leg_of(self.pair, world.day.parameters.get("people", "first_leg"))
        self._reaction = world.day.parameters.reaction

    def on_quote(self, now_ns: int, instrument_id: str, book: Book, sent_ns: int) -> None:
        """The terminal shows it later."""
        self.world.at(now_ns + self.late_ns, super().on_quote, instrument_id, book, sent_ns)

    def between(self) -> Procedure:
        """A reaction."""
        yield Wait(int(self.rng.lognormvariate(*self._reaction)))

    def procedure(self, seen: Seen) -> Procedure:
        """See `promise.toml`: look, react, look again, first leg, react, second leg, and mend."""
        yield from self.between()
        again = self.slice.met(self.books)
        if again is None or again.side != seen.side:
            return
        self.open(again)
        side, first, second = again.side, self.first, OTHER_LEG[self.first]
        filled = [0, 0]
        lots = self.slice.lots
        got = yield (self.order(first, leg_sign(side, first), lots[first], self.pay_up(first, 0), again),)
        filled[first] = got[0]
        if 0 < filled[first] < lots[first]:
            yield from self.between()
            rest = lots[first] - filled[first]
            got = yield (self.order(first, leg_sign(side, first), rest, self.pay_up(first, 1)),)
            filled[first] += got[0]
        if filled[first] < lots[first]:
            yield from self.flat(side, filled)
            return
        for attempt in range(len(self.repairs) + 1):
            yield from self.between()
            rest = lots[second] - filled[second]
            got = yield (self.order(second, leg_sign(side, second), rest, self.pay_up(second, attempt)),)
            filled[second] += got[0]
            if filled[second] == lots[second]:
                self.done(side, 1)
                return
        yield from self.flat(side, filled)


class Program(Sequential):
    """(b) in `promise.toml`."""

    name = "program"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        parameters = world.day.parameters
        self.first, _ = leg_of(self.pair, parameters.get("program", "active_leg"))
        self._retry_ns = parameters.get("program", "retry_ms") * MS
        self._processing = Processing(world)

    def between(self) -> Procedure:
        """The next turn of its timer."""
        yield Wait(self._retry_ns)

    def procedure(self, seen: Seen) -> Procedure:
        """The active leg; once it is whole the passive one; what is not filled again and again."""
        self.open(seen)
        before_ns, after_ns = self._processing.draw()
        yield Wait(before_ns + after_ns)
        for leg in (self.first, OTHER_LEG[self.first]):
            filled = 0
            attempt = 0
            while filled < self.slice.lots[leg]:
                if attempt:
                    yield from self.between()
                elif leg != self.first:
                    yield Wait(self._processing.draw()[1])
                pay_up = self.pay_up(leg, len(self.repairs) if attempt else 0)
                at_seen = seen if leg == self.first and not attempt else None
                rest = self.slice.lots[leg] - filled
                got = yield (self.order(leg, leg_sign(seen.side, leg), rest, pay_up, at_seen),)
                filled += got[0]
                attempt += 1
                if leg == self.first and not filled:
                    return  # nothing was taken: it waits for the next quote
        self.done(seen.side, 1)


class Oracle(Sequential):
    """No processing time, both legs at once, a repair at once. It knows no more than has arrived."""

    name = "oracle"

    def between(self) -> Procedure:
        """Nothing passes."""
        yield Wait(self.day.parameters.get("oracle", "processing_ns"))

    def procedure(self, seen: Seen) -> Procedure:
        """Both legs; the missing lots with the pair's repair pay-ups within its budget; else back."""
        self.open(seen)
        side, lots = seen.side, self.slice.lots
        both = tuple(
            self.order(leg, leg_sign(side, leg), lots[leg], self.pay_up(leg, 0), seen) for leg in (FIRST, SECOND_LEG)
        )
        filled = list((yield both))
        for attempt in range(1, len(self.repairs) + 1):
            if filled == list(lots) or not any(filled) or not self._worth_it(seen, filled):
                break
            missing = tuple(
                self.order(leg, leg_sign(side, leg), lots[leg] - filled[leg], self.pay_up(leg, attempt))
                for leg in (FIRST, SECOND_LEG)
                if filled[leg] < lots[leg]
            )
            got = yield missing
            for one, more in zip(missing, got, strict=True):
                filled[one.leg] += more
        if filled == list(lots):
            self.done(side, 1)
            return
        yield from self.flat(side, filled)

    def _worth_it(self, seen: Seen, filled: list[int]) -> bool:
        """Whether the missing lots, at the prices of now, cost no more than the budget of one unit."""
        cost_e9 = 0
        for leg in (FIRST, SECOND_LEG):
            rest = self.slice.lots[leg] - filled[leg]
            if rest:
                sign = leg_sign(seen.side, leg)
                beyond_e9 = sign * (self._worst(leg, sign, rest) * PRICE_E9 - seen.vwap_e9[leg])
                rate = seen.fx_ticks if leg == SECOND_LEG else 1
                cost_e9 += beyond_e9 * rest * self.slice.tick_money_e9[leg] * rate // PRICE_E9
        return cost_e9 <= self.pair.slippage_budget_e9


class Processing:
    """The gateway's measured time from a quote to its orders, drawn from its quantiles by the day's seed."""

    def __init__(self, world: World) -> None:
        parameters = world.day.parameters
        self._rng = Random(f"processing {world.day.seed}")
        self._points = parameters.get("gateway", "processing_quantiles")
        self._share = parameters.get("gateway", "share_before_execution")
        self._times = parameters.tables["gateway"].get("processing_times", 1)

    def draw(self) -> tuple[int, int]:
        """Up to the intent's arrival at execution, and from there to the orders."""
        whole_ns = quantile(self._points, self._rng.random()) * self._times
        before_ns = int(whole_ns * self._share)
        return before_ns, whole_ns - before_ns
