"""What must be true in every world, whatever goes wrong: named checks that raise `BrokenError` with the seed.

The referee looks at decisions as they are made, at orders as they leave, and at the venues' own record. It uses no rule
of the engine to judge the engine; what it reads of the engine is what its ledger says of orders and trades.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from gateway.execution.engine import ExecutionEngine
from gateway.execution.ledger import Ledger
from gateway.execution.order_book import OwnOrder
from gateway.execution.pair_trade import PairTrade
from gateway.execution.positions import Position
from gateway.execution.residual import RESIDUAL
from gateway.execution.settling import RESIDUAL_RULE
from gateway.model.instrument import PositionModel
from gateway.model.order import CancelRejected, ExecType, ExecutionReport, Order, Side
from gateway.model.record import Decision
from gateway.model.site import DispatchMode, InDoubtPolicy
from gateway.model.trade import (
    Alarm,
    AlarmName,
    Announce,
    BooksObserved,
    Command,
    HaltCause,
    Intent,
    OrderState,
    PairTradeChanged,
    PairTradeState,
    SendOrders,
    Verb,
)
from simulators.core.order import Order as VenueOrder
from simulators.core.positions import Position as VenuePosition
from tests.simulation.disk import encoded
from tests.simulation.plan import SECOND

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.sim_world import World

CAUSES = {cause.value for cause in HaltCause}
UNRESOLVABLE = {HaltCause.OVERFILLED.value, HaltCause.VENUE_DISAGREES.value}
"""Causes that a venue's contradiction makes; a person ends them, and the world reports how many there were."""
SURPRISES = {AlarmName.LATE_FILL, AlarmName.FILL_BUSTED, AlarmName.HALTED, AlarmName.UNKNOWN_ORDER}
"""Alarms after which positions may be other than any order of ours explains."""
_TAKEN_BACK = ("G", "H")
ALL_ENDED = {PairTradeState.HEDGED, PairTradeState.UNWOUND, PairTradeState.MISSED}


class BrokenError(AssertionError):
    """An invariant does not hold."""

    def __init__(self, name: str, seed: int, at_ns: int, text: str, trade_id: str = "") -> None:
        super().__init__(f"seed {seed}, {at_ns / 1e9:.6f} s: {name}: {text}")
        self.name = name
        self.seed = seed
        self.trade_id = trade_id


class Referee:
    """All checks of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sent_ids: set[str] = set()
        self._left_ns: deque[int] = deque()
        self._first_left_ns: deque[int] = deque()
        self._held = False
        self._unarmed = True
        self._legged_ns: dict[str, int] = {}
        self._last_ns = 0
        self._net: Counter[str] = Counter()
        self._filled: dict[str, int] = {}
        self._late_lots: Counter[str] = Counter()
        self._surprised = False
        self.halts: Counter[str] = Counter()
        self.unheard: set[str] = set()
        """Orders that had ended for us, or of which a fill was taken back, when a word on them was lost."""
        self._gone: list[tuple[str, str]] = []

    def begin(self, process: Process) -> None:
        """A new incarnation has read its journal."""
        self._net = Counter()
        self._filled = {}
        self._judge_gone(process)
        for own in process.engine.ledger.orders.values():
            self._count(own)
        self._held = False
        self._unarmed = True

    def gone(self, process: Process | None, what: list[tuple[str, str]]) -> None:
        """These reports (ClOrdID, ExecType) are never said again; what was known when they were lost is judged."""
        self._gone += what
        if process is not None:
            self._judge_gone(process)

    def _judge_gone(self, process: Process) -> None:
        """An order that is open is asked about, so that a lost report does no harm; one that has ended is not."""
        for name, exec_type in self._gone:
            own = process.engine.ledger.orders.get(name)
            if own is None or not own.open or exec_type in _TAKEN_BACK:
                self.unheard.add(name)
        self._gone = []

    # Every decision.

    def decided(self, process: Process, decision: Decision) -> None:
        """All that can be judged when a decision is made."""
        engine = process.engine
        event = decision.event
        self._legged_time_is_bounded(process, decision.at_ns)
        if isinstance(event, ExecutionReport | CancelRejected):
            self._positions_are_the_sum_of_fills(engine, event, decision.at_ns)
        if isinstance(event, Command):
            self._command(event, engine)
        for action in decision.actions:
            if isinstance(action, SendOrders):
                self._may_send(engine, action, decision)
            elif isinstance(action, Announce):
                self._announced(action, decision)

    def _command(self, event: Command, engine: ExecutionEngine) -> None:
        if event.verb is Verb.KILL_HOLD:
            self._held = True
        if event.verb in (Verb.KILL_HOLD, Verb.KILL_BALANCE, Verb.DISARM, Verb.STOP):
            self._unarmed = True
        if event.verb is Verb.ARM and engine.ledger.armed:
            self._held = self._unarmed = False

    def _announced(self, action: Announce, decision: Decision) -> None:
        what = action.what
        if isinstance(what, Alarm) and what.name is AlarmName.LATE_FILL:
            order = what.subject
            self._late_lots[order] += 1
        if isinstance(what, Alarm) and what.name in SURPRISES:
            self._surprised = True
        if isinstance(what, PairTradeChanged):
            self._every_end_is_named(what, decision.at_ns)

    def _every_end_is_named(self, what: PairTradeChanged, at_ns: int) -> None:
        if what.state is PairTradeState.HALTED and what.cause not in CAUSES:
            self._broken("a halted trade names its cause", at_ns, f"{what.trade_id}: {what.cause!r}", what.trade_id)
        if what.state is PairTradeState.MISSED and any(leg.filled_lots for leg in what.legs):
            self._broken("missed means nothing held", at_ns, f"{what.trade_id}: {what.legs}", what.trade_id)
        if what.state in (PairTradeState.HEDGED, PairTradeState.UNWOUND):
            lots = [leg.filled_lots - what.hedged_units * leg.ratio_lots for leg in what.legs]
            if any(lots):
                self._broken("an ended trade is balanced", at_ns, f"{what.trade_id}: {lots} lots over", what.trade_id)

    # Orders.

    def _may_send(self, engine: ExecutionEngine, action: SendOrders, decision: Decision) -> None:
        at_ns = decision.at_ns
        if self._held:
            self._broken("no order after kill --hold until armed", at_ns, f"{action.orders}", action.trade_id)
        trade = engine.ledger.trades[action.trade_id]
        opening = isinstance(decision.event, Intent)
        alone = isinstance(decision.event, BooksObserved) and decision.event.request.startswith(RESIDUAL)
        if (opening or alone) and self._unarmed:
            self._broken("no new trade while disarmed", at_ns, action.trade_id, action.trade_id)
        self._never_over_hedged(trade, {order.cl_ord_id for order in action.orders}, at_ns)
        self._exposure_within_limits(engine, action, at_ns, opening=opening or alone)
        if isinstance(decision.event, Intent):
            self._decided_on_fresh_prices(decision.event, at_ns, action.trade_id)

    def _decided_on_fresh_prices(self, intent: Intent, at_ns: int, trade_id: str) -> None:
        """The legs' books were of one time, in truth, and the currency's market was open and told of itself."""
        settings = self._world.given.settings
        spec = settings.pairs[intent.pair_id]
        if all(leg.calibrated_ns for leg in intent.legs):
            times = [leg.venue_ns for leg in intent.legs]
            most_ns = spec.max_quote_skew_ns + sum(leg.bound_ns for leg in intent.legs)
            if max(times) - min(times) > most_ns:
                text = f"{intent.intent_id}: books of {times}, at most {most_ns} ns apart"
                self._broken("legs are of one time", at_ns, text, trade_id)
        for leg in spec.legs:
            if leg.fx_instrument_id:
                since_ns = self._world.currency.good_ns
                most_ns = spec.max_fx_age_ns + settings.rules[intent.rule_id].ttl_ns
                if at_ns - since_ns > most_ns:
                    text = f"{intent.intent_id}: no rate for {at_ns - since_ns} ns, at most {most_ns}"
                    self._broken("a currency that is shut or silent blocks", at_ns, text, trade_id)

    def _never_over_hedged(self, trade: PairTrade, leaving: set[str], at_ns: int) -> None:
        """If everything that is open fills, no leg holds more than it should, or less than nothing.

        A pair whose policy says what to do when an order stays in doubt takes that risk knowingly.
        """
        policy = self._world.given.settings.pairs[trade.intent.pair_id].in_doubt
        if policy is not InDoubtPolicy.WAIT and any(own.state is OrderState.IN_DOUBT for own in trade.orders()):
            return
        for leg in trade.legs:
            if not any(own.order.cl_ord_id in leaving for own in leg.orders):
                continue
            now = leg.filled_lots
            adding = sum(own.open_lots for own in leg.orders if own.direction > 0)
            unwinding = sum(own.open_lots for own in leg.orders if own.direction < 0)
            if adding and now + adding > max(leg.target_lots, now):
                text = f"{trade.trade_id} {leg.instrument_id}: {now} held, {adding} more asked for of {leg.target_lots}"
                self._broken("never over-hedged", at_ns, text, trade.trade_id)
            if unwinding and now - unwinding < min(0, now):
                text = f"{trade.trade_id} {leg.instrument_id}: {now} held, {unwinding} being sold back"
                self._broken("never unwound beyond nothing", at_ns, text, trade.trade_id)

    def _exposure_within_limits(
        self, engine: ExecutionEngine, action: SendOrders, at_ns: int, *, opening: bool
    ) -> None:
        """Position and all open orders of the side that the trade adds to, within the instrument's limit.

        A repair may pass it where a venue's word has taken back what was counted on: a bust, a fill after the end.
        """
        if not opening and self._surprised:
            return
        ledger = engine.ledger
        for name, sign in {(order.instrument_id, order.side.sign) for order in action.orders}:
            most = ledger.settings.instrument_limits[name].max_position_lots
            net = ledger.positions[name].net_lots
            up = down = 0
            for trade in ledger.open_trades.values():
                for own in trade.orders():
                    if own.order.instrument_id == name:
                        up += own.open_lots if own.order.side.sign > 0 else 0
                        down += own.open_lots if own.order.side.sign < 0 else 0
            if (net + up if sign > 0 else down - net) > most:
                text = f"{name}: {net} lots held, {up} being bought, {down} being sold, at most {most}"
                self._broken("worst-case exposure within limits", at_ns, text, action.trade_id)

    def order_left(self, order: Order, trade_id: str, at_ns: int, *, opening: bool) -> None:
        """An order was handed to its session."""
        if order.cl_ord_id in self._sent_ids:
            self._broken("no ClOrdID(11) is sent twice", at_ns, order.cl_ord_id, trade_id)
        self._sent_ids.add(order.cl_ord_id)
        settings = self._world.given.settings
        instrument = settings.instruments[order.instrument_id]
        wanted = (instrument.account or settings.venues[order.venue_id].account, instrument.hedge_flag)
        if (order.account, order.hedge_flag) != wanted:
            text = f"{order.cl_ord_id}: {order.account} {order.hedge_flag!r}, not {wanted}"
            self._broken("account and hedge flag are the site's", at_ns, text, trade_id)
        self._orders_per_second_bounded(at_ns, trade_id, opening=opening)

    def _orders_per_second_bounded(self, at_ns: int, trade_id: str, *, opening: bool) -> None:
        limits = self._world.given.settings.limits
        for times in (self._left_ns, self._first_left_ns):
            while times and times[0] <= at_ns - SECOND:
                times.popleft()
        self._left_ns.append(at_ns)
        if opening:
            self._first_left_ns.append(at_ns)
            # An order may be split in three by PositionEffect(77); the gate counts legs.
            if len(self._first_left_ns) > limits.max_orders_per_s + 9:
                text = f"{len(self._first_left_ns)} first orders within a second, at most {limits.max_orders_per_s}"
                self._broken("orders per second bounded", at_ns, text, trade_id)
        most = limits.max_orders_per_s + 9 + 40 * limits.max_open_trades
        if len(self._left_ns) > most:
            self._broken("orders per second bounded", at_ns, f"{len(self._left_ns)}, at most {most}", trade_id)

    # Positions.

    def _count(self, own: OwnOrder) -> None:
        name = own.order.cl_ord_id
        if own.order.px_ticks is None:
            return  # an execution made elsewhere: the world counts it apart
        change = own.filled_lots - self._filled.get(name, 0)
        if change:
            self._filled[name] = own.filled_lots
            self._net[own.order.instrument_id] += own.order.side.sign * change

    def _positions_are_the_sum_of_fills(
        self, engine: ExecutionEngine, event: ExecutionReport | CancelRejected, at_ns: int
    ) -> None:
        """What a position says is what its orders were filled, and no order has more than its venue ever gave it."""
        own = engine.ledger.orders.get(event.orig_cl_ord_id) or engine.ledger.orders.get(event.cl_ord_id)
        if own is None:
            return
        self._count(own)
        name = own.order.instrument_id
        outside = self._world.outside_lots[name]
        if engine.ledger.positions[name].net_lots != self._net[name] + outside:
            text = f"{name}: position {engine.ledger.positions[name].net_lots}, fills add up to {self._net[name]}"
            self._broken("a position is the sum of its fills", at_ns, text, own.trade_id)
        if isinstance(event, ExecutionReport) and event.exec_type is not ExecType.UNKNOWN:
            given = self._world.most_filled(own.order)
            if own.filled_lots > given:
                text = f"{own.order.cl_ord_id}: {own.filled_lots} lots counted, its venue filled {given} at most"
                self._broken("a fill counts once", at_ns, text, own.trade_id)

    # Time.

    def _legged_time_is_bounded(self, process: Process, at_ns: int) -> None:
        """A trade with every leg's way open is balanced, or with a person, within a time that its settings give."""
        passed_ns = at_ns - self._last_ns
        self._last_ns = at_ns
        ledger = process.engine.ledger
        if not ledger.open_trades and not self._legged_ns:
            return
        if self._held or not self._world.all_open() or process.stuck:
            self._legged_ns.clear()
            return
        legged = {}
        for trade in ledger.open_trades.values():
            if trade.balanced or trade.state is PairTradeState.HALTED:
                continue
            lasted_ns = self._legged_ns.get(trade.trade_id, -passed_ns) + passed_ns
            most_ns = self._most_legged_ns(trade)
            if lasted_ns > most_ns:
                text = f"{trade.trade_id} is {trade.state.value}, legged for {lasted_ns} ns with every way open; {most_ns} at most"
                self._broken("legged time is bounded", at_ns, text, trade.trade_id)
            legged[trade.trade_id] = lasted_ns
        self._legged_ns = legged

    def _most_legged_ns(self, trade: PairTrade) -> int:
        """Each attempt may meet silence: cancelled after a time-out, asked about after another, answered after a trip."""
        settings = self._world.given.settings
        spec = settings.pairs[trade.intent.pair_id]
        status_ns = max(venue.status_timeout_ns for venue in settings.venues.values())
        attempt_ns = 4 * spec.order_timeout_ns + 2 * status_ns + spec.repair_retry_ns + SECOND
        late_ns = 3 * SECOND
        if spec.dispatch is DispatchMode.QUOTE_THEN_HEDGE:
            late_ns += spec.quote_life_ns
        return (len(spec.repair_pay_up_ticks) + 2) * attempt_ns + late_ns

    # The end.

    def at_rest(self) -> None:
        """Nothing goes wrong any more, and time has passed: all is hedged or flat, and the venues agree."""
        world = self._world
        process = world.process
        at_ns = world.now_ns
        if process is None:
            self._broken("the world comes to rest", at_ns, "no process runs")
        ledger = process.engine.ledger
        lost = self._lost_for_good(process)
        for trade in ledger.trades.values():
            names = {name for leg in trade.legs for name in leg.instrument_ids}
            with_a_person = trade.state in (PairTradeState.HALTED, PairTradeState.WAITING) and names & lost
            if with_a_person and names & ledger.unexplained.keys():
                # It closes what the venue no longer holds; only a person can book what was lost.
                world.contradictions["a trade waits for a person, its instrument frozen"] += 1
            elif trade.state is PairTradeState.HALTED:
                self.halts[trade.cause] += 1
                if trade.cause not in UNRESOLVABLE:
                    text = f"{trade.trade_id}: {trade.cause}"
                    self._broken("a person's release ends a halt that can be ended", at_ns, text, trade.trade_id)
            elif trade.state not in ALL_ENDED:
                text = f"{trade.trade_id} is {trade.state.value}: " + ", ".join(
                    f"{leg.instrument_id} {leg.filled_lots} of {leg.target_lots}" for leg in trade.legs
                )
                self._broken("the world comes to rest", at_ns, text, trade.trade_id)
        self._residuals_add_up(ledger, at_ns)
        self._venues_agree(process, at_ns)

    def _lost_for_good(self, process: Process) -> set[str]:
        """Instruments of which the journal lost an order with the machine's power, or of which a venue took a fill back
        and its word of that was lost or never said.
        """
        lost = {self._world.left[name].instrument_id for name in self._world.lost_orders}
        for line in self._world.lines.values():
            for told in line.venue.orders():
                own = process.engine.ledger.orders.get(told.cl_ord_id)
                if own is not None and self._untold_bust(own, told):
                    lost.add(own.order.instrument_id)
        return lost

    def _untold_bust(self, own: OwnOrder, told: VenueOrder) -> bool:
        """We count what the venue has taken back, and it never said so: every later answer that shows it is told to a
        person, who cannot undo what was filled elsewhere. A fill that we do not count is none of these.
        """
        return own.filled_lots > told.cum and told.cl_ord_id in self.unheard | swallowed(told)

    def _venues_agree(self, process: Process, at_ns: int) -> None:
        ledger = process.engine.ledger
        explained: set[str] = {self._world.left[name].instrument_id for name in self._world.lost_orders}
        for line in self._world.lines.values():
            for told in line.venue.orders():
                own = ledger.orders.get(told.cl_ord_id)
                if own is None:
                    if told.cl_ord_id not in self._world.lost_orders:
                        self._broken("every order is known", at_ns, f"{told.cl_ord_id} {told.status}")
                    self._world.contradictions["an order that the journal lost with the power"] += 1
                    continue
                if self._untold_bust(own, told):
                    self._world.contradictions["a bust that was lost or never told, found"] += 1
                    explained.add(own.order.instrument_id)
                elif own.filled_lots != told.cum:
                    text = f"{told.cl_ord_id}: {own.filled_lots} lots here, {told.cum} at {line.venue_id}"
                    self._broken("venue and engine agree on fills", at_ns, text, own.trade_id)
                if told.open or own.state is not OrderState.DONE:
                    text = f"{told.cl_ord_id}: {own.state.value} here, {told.status} at {line.venue_id}"
                    self._broken("no order is left", at_ns, text, own.trade_id)
            self._positions_agree(process, line.venue_id, explained, at_ns)

    def _residuals_add_up(self, ledger: Ledger, at_ns: int) -> None:
        """What the ratios of a pair's trades leave over, less what was traded away, is what is booked."""
        left: Counter[str] = Counter()
        for trade in ledger.trades.values():
            if trade.state not in ALL_ENDED:
                return
            pair_id, intent = trade.intent.pair_id, trade.intent
            each_e9 = self._world.given.settings.pairs[pair_id].residual_lots_e9
            units = trade.hedged_units * intent.side.sign
            left[pair_id] += units * (10**9 if intent.rule_id == RESIDUAL_RULE else each_e9)
        for pair_id, lots_e9 in left.items():
            if ledger.residual_e9.get(pair_id, 0) != lots_e9:
                text = f"{pair_id}: {ledger.residual_e9.get(pair_id, 0)} booked, {lots_e9} by its trades"
                self._broken("what a ratio leaves over adds up", at_ns, text)

    def _prompts_agree(self, name: str, ours: Position, at_ns: int) -> None:
        """Each lot stands under the prompt of the day on which the venue says that it was traded."""
        expected: Counter[str] = Counter()
        for told in self._world.lines[self._world.given.settings.instruments[name].venue_id].venue.orders():
            prompt = self._world.prompt_of[name, told.trade_date]
            expected[prompt] += told.cum if told.side == Side.BUY.value else -told.cum
        wanted = tuple(sorted((prompt, lots) for prompt, lots in expected.items() if lots))
        if ours.report().by_prompt != wanted:
            text = f"{name}: {ours.report().by_prompt} here, {wanted} by the venue's trade dates"
            self._broken("prompts agree", at_ns, text)

    def _positions_agree(self, process: Process, venue_id: str, explained: set[str], at_ns: int) -> None:
        for instrument in self._world.given.traded:
            if instrument.venue_id != venue_id:
                continue
            name = instrument.instrument_id
            held = self._world.lines[venue_id].venue.position(instrument.symbol)
            ours = process.engine.ledger.positions[name]
            outside = self._world.outside_lots[name]
            if ours.net_lots - outside == held.net:
                # A person's trades made elsewhere may net to nothing and still have moved long and short apart.
                if name not in self._world.outside_lots and not explained:
                    self._buckets_agree(ours, held, at_ns)
                    if name in self._world.given.prompts:
                        self._prompts_agree(name, ours, at_ns)
            elif name not in explained:
                self._broken("positions agree", at_ns, f"{name}: {ours.net_lots} here, {held.net} at {venue_id}")
            elif name not in process.engine.ledger.unexplained:
                self._broken("a statement that differs is noticed", at_ns, f"{name}: {ours.net_lots}, {held.net}")

    def _buckets_agree(self, ours: Position, held: VenuePosition, at_ns: int) -> None:
        """Long and short, today's and yesterday's, where the venue keeps them apart."""
        if ours.model is PositionModel.NET:
            return
        told = ours.report()
        there = held.lots
        mine = (told.long_today_lots, told.long_yesterday_lots, told.short_today_lots, told.short_yesterday_lots)
        its = (there["long_today"], there["long_yesterday"], there["short_today"], there["short_yesterday"])
        if ours.model is PositionModel.OPEN_CLOSE:
            mine, its = _both_days(mine), _both_days(its)
        if mine != its:
            self._broken("long and short agree", at_ns, f"{ours.instrument_id}: {mine} here, {its} at the venue")

    def replayed(self, records: list[Decision]) -> None:
        """A fresh engine that is fed the journal decides the same, byte for byte."""
        engine = ExecutionEngine(self._world.given.settings, 1)
        for record in records:
            actions = engine.on_event(record.event, record.at_ns)
            again = Decision(record.seq, record.at_ns, record.event, tuple(actions))
            if again != record and encoded(again) != encoded(record):
                text = f"record {record.seq}, {record.event}: {record.actions} and again {actions}"
                self._broken("a replay decides the same", record.at_ns, text)

    def _broken(self, name: str, at_ns: int, text: str, trade_id: str = "") -> None:
        raise BrokenError(name, self._world.seed, at_ns, text, trade_id)


def swallowed(told: VenueOrder) -> set[str]:
    """The order, where its venue is silent about it and may have taken a fill back without a word."""
    faults = told.faults
    return {told.cl_ord_id} if "silence" in faults and ("bust" in faults or "correct" in faults) else set()


def _both_days(lots: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return lots[0] + lots[1], 0, lots[2] + lots[3], 0
