"""What became of an order: by trigger's word on its rule, by execution's journal, by answers to commands, by switches.

An order ends when trigger has ended its rule, nothing of it is out, and execution's journal has told as many units as
trigger counts (see `engine`). A kill cancels every order; disarming suspends the resting ones until somebody arms.
"""

from collections.abc import Iterator, Sequence

from gateway.clients.book import CANCEL, PLACE, OrderBook
from gateway.clients.ending import CXL_OTHER, TRADE_ENDED, Endings
from gateway.clients.executions import CLIENT_RULE
from gateway.clients.legs import Legs
from gateway.clients.order import Change, ClientOrder, LegPart, Move, Pending, Tally, Told, TradePart
from gateway.clients.placing import next_command, place_rule
from gateway.clients.telling import RESTATED_OTHER, Moment, Teller
from gateway.model.client import (
    AskExecution,
    AskTrigger,
    Ended,
    ExecutionHeard,
    LegFill,
    SwitchesHeard,
    Tick,
    TradeStep,
)
from gateway.model.order import ExecType, OrdStatus
from gateway.model.rules import ENDED_STANDINGS, ChangeRules, RuleStanding, RuleStandingState
from gateway.model.trade import CommandAnswered, PairTradeState

TOLD_STATES = frozenset(
    {PairTradeState.REPAIRING, PairTradeState.WAITING, PairTradeState.UNWOUND, PairTradeState.HALTED}
)
"""States of a pair trade that its client is told of by themselves: a repair is shown as what it is."""
HOUSE_REMEMBERED = 50_000
"""Legs of trades that are no client's order; a fill of an older one is told to drop copies as the first of its leg."""
UNSURE_STATES = frozenset({PairTradeState.WAITING, PairTradeState.HALTED})
"""The same of a trade of one leg: an order of it is in doubt, or a person decides."""


class Outcomes:
    """Hears what others say."""

    def __init__(self, book: OrderBook, teller: Teller) -> None:
        self._book = book
        self._teller = teller
        self._endings = Endings(book, teller)
        self.legs = Legs(book, teller, self._endings)
        self._house: dict[tuple[str, int, str, bool], Tally] = {}
        """Legs of trades that are no client's order."""

    def on_execution(self, event: ExecutionHeard, now: Moment) -> None:
        """Fills first, then what the trades have become."""
        self._book.heard_seq = max(self._book.heard_seq, event.seq)
        for fill, before in _corrections(event.fills):
            self._fill(fill, before, now)
        for step in event.steps:
            order = self._book.by_rule.get(step.rule_id)
            if order is not None:
                self._step(order, step, now)
            elif not step.rule_id.startswith(CLIENT_RULE):
                self._house_step(step, now)
        for refused in event.refused:
            order = self._book.by_rule.get(refused.rule_id)
            if order is not None:
                order.note = f"{Ended.REFUSED_BY_GATE.value}: {refused.name.value}: {refused.figures}"
                order.intents_ended.add(refused.intent_id)
                self._settle(order, now)

    def on_standing(self, event: RuleStanding, now: Moment) -> None:
        """Trigger's word on a rule."""
        order = self._book.by_rule.get(event.rule_id)
        if order is None or order.ended:
            return
        if event.state in ENDED_STANDINGS:
            self._book.standings[event.rule_id] = event
            self._settle(order, now)
        elif event.reason:
            order.note = event.reason

    def on_answer(self, event: CommandAnswered, now: Moment) -> None:
        """Trigger, or execution, has answered a command."""
        asked = self._book.commands.pop(event.command_id, None)
        order = self._book.orders.get(asked.order_id) if asked is not None else None
        if asked is None or order is None or order.ended:
            return
        if not order.multileg:
            if asked.purpose == PLACE:
                self.legs.on_placed(order, event, now)
            return  # of what was taken back, its end at the venue tells
        match asked.purpose:
            case "place" if not event.done:
                self._endings.end(order, Move.CANCEL, f"{Ended.REFUSED_BY_TRIGGER.value}: {event.text}", now)
            case "cancel" if not event.done:
                self._cancel_failed(order, event.text, now)
            case "replace" if not event.done:
                self._not_replaced(order, event.text, now)
            case _:
                self._settle(order, now)

    def on_switches(self, event: SwitchesHeard, now: Moment) -> None:
        """Execution was armed, disarmed, killed, or is not heard of any more."""
        before, self._book.switches = self._book.switches, event
        if event.held and (before is None or not before.held):
            for order in self._book.all_open():
                if order.pending is not Pending.CANCEL:
                    self.withdraw(order, Ended.KILLED, now)
            return
        for order in self._book.all_open():
            if not order.multileg:
                continue  # it rests at its venue, where disarming changes nothing
            suspended = order.state is OrdStatus.SUSPENDED
            if not event.armed and event.heard and not suspended and not order.pending:
                order.move(Move.SUSPEND)
                self._teller.of(
                    order, ExecType.SUSPENDED, now, "disarmed: it stays, and trades when a person arms again"
                )
            elif event.armed and suspended:
                order.move(Move.RESUME)
                order.count()
                self._teller.of(order, ExecType.RESTATED, now, "armed again", restatement=RESTATED_OTHER)
        self.legs.look(now)

    def on_tick(self, _event: Tick, now: Moment) -> None:
        """Ask again what was not answered; end what has settled for long enough."""
        settings = self._book.settings
        self.legs.look(now)
        for asked in self._book.commands.values():
            if now.at_ns - asked.at_ns >= settings.retry_ns:
                asked.at_ns = now.at_ns
                self._teller.do(asked.action)
        for order_id, since_ns in list(self._book.settling.items()):
            if not since_ns:
                self._book.settling[order_id] = now.at_ns
            elif now.at_ns - since_ns >= settings.settle_ns:
                self._settle(self._book.orders[order_id], now, late=True)

    def due(self, at_ns: int) -> bool:
        """Whether a Tick would do anything now."""
        settings = self._book.settings
        return (
            any(at_ns - one.at_ns >= settings.retry_ns for one in self._book.commands.values())
            or any(not since_ns or at_ns - since_ns >= settings.settle_ns for since_ns in self._book.settling.values())
            or self.legs.due(at_ns)
        )

    def withdraw(self, order: ClientOrder, why: Ended, now: Moment) -> None:
        """Ask for its end; a replacement that is under way does not come about."""
        if order.pending is Pending.REPLACE:
            self._endings.refuse(order, "2", CXL_OTHER, f"not_replaced: the order is being cancelled: {why.value}", now)
            order.pending_cl_ord_id, order.wanted = "", None
        order.pending = Pending.CANCEL
        order.why = why.value
        if not order.multileg:
            self.legs.withdraw(order, why, now)
            return
        command_id = next_command(order)
        change = ChangeRules(command_id, order.client_id, f"cancelled: {why.value}", removed=(order.rule_id,))
        self.ask(order, CANCEL, AskTrigger(change), now)

    def ask(self, order: ClientOrder, purpose: str, action: AskTrigger | AskExecution, now: Moment) -> None:
        """Send a command about an order, and remember that its answer is waited for."""
        self._endings.ask(order, purpose, action, now)

    def _fill(self, fill: LegFill, before: LegFill | None, now: Moment) -> None:
        """A fill, or one in the place of `before`."""
        order = self._book.by_rule.get(fill.rule_id)
        part = order.trades.setdefault(fill.trade_id, TradePart()) if order is not None else None
        if order is not None and part is not None and not order.multileg:
            at_venue = not order.ended and not order.kept
            for change in _changes(part, fill, before):
                self._filled(order, fill.trade_id, change, now, fill=fill)
            if at_venue and fill.rule_id != order.rule_id:
                self.legs.on_late_fill(order, fill, now)
            return
        key = (fill.leg_index, fill.instrument_id, fill.unwinds)
        tally = order.tally(key) if order is not None else self._house_tally((fill.trade_id, *key))
        units, value_e9 = tally.units, tally.value_e9
        for change in _changes(tally, fill, before):
            tally.take(change)
            self._teller.leg_filled(order, fill, tally, change, now)
        if part is not None:
            leg = part.legs.setdefault(fill.leg_index, LegPart())
            leg.add(tally.units - units, tally.value_e9 - value_e9, unwinds=fill.unwinds)

    def _step(self, order: ClientOrder, step: TradeStep, now: Moment) -> None:
        if not order.multileg:
            self._step_alone(order, step, now)
            return
        part = order.trades.setdefault(step.trade_id, TradePart())
        was, part.state = part.state, step.state
        if step.state not in TRADE_ENDED:
            if step.state in TOLD_STATES and step.state is not was:
                self._endings.restate(order, step, now)
            return
        self._implied(order, part, step, now)
        for change in part.of_total(step.hedged_units, step.px_e9):
            self._filled(order, step.trade_id, change, now, step=step)
        if step.state in TOLD_STATES and step.state is not was:
            self._endings.restate(order, step, now)
        order.intents_ended.add(step.intent_id)
        if not step.hedged_units:
            order.note = (
                f"{Ended.NOT_COMPLETED.value}: pair trade {step.trade_id} {step.state.value} {step.cause}".rstrip()
            )
        self._settle(order, now)

    def _house_tally(self, key: tuple[str, int, str, bool]) -> Tally:
        """Of a leg of a trade that is no client's order; the oldest of very many is forgotten."""
        tally = self._house.setdefault(key, Tally())
        if len(self._house) > HOUSE_REMEMBERED:
            del self._house[next(iter(self._house))]
        return tally

    def _step_alone(self, order: ClientOrder, step: TradeStep, now: Moment) -> None:
        """The trade of an order on a leg: what its venue counts without telling it is told when it is over."""
        part = order.trades.setdefault(step.trade_id, TradePart())
        was, part.state = part.state, step.state
        if step.state in UNSURE_STATES and step.state is not was:
            self._endings.restate(order, step, now)
        if step.state not in TRADE_ENDED or step.open_lots:
            return
        if step.hedged_units != part.units:
            for change in part.of_total(step.hedged_units, step.px_e9):
                self._filled(order, step.trade_id, change, now, step=step)
        self.legs.on_over(order, step, now)

    def _filled(
        self,
        order: ClientOrder,
        trade_id: str,
        change: Change,
        now: Moment,
        *,
        fill: LegFill | None = None,
        step: TradeStep | None = None,
    ) -> None:
        """A trade of the order itself is told, and what follows from it."""
        ended = order.ended
        order.take(trade_id, change)
        if order.ended and not ended:
            self._book.close(order)
        self._teller.filled(order, trade_id, change, now, fill=fill, step=step)
        self._endings.too_late(order, now)

    def _implied(self, order: ClientOrder, part: TradePart, step: TradeStep, now: Moment) -> None:
        """Lots of legs that a venue has counted without telling a fill: they are told now, as what they are."""
        if any(index in {key[0] for key in order.legs if key[1] != name} for index, name in self._legs_of(order)):
            return  # a substitute was traded: its lots are not the leg's
        for (index, name), (lots, avg_px_e9) in zip(self._legs_of(order), step.legs, strict=False):
            leg = part.legs.setdefault(index, LegPart())
            missing = lots - leg.lots
            if not missing:
                continue
            px_e9 = avg_px_e9 if leg.unwound or missing < 0 else (lots * avg_px_e9 - leg.value_e9) // missing
            leg.add(abs(missing), abs(missing) * px_e9, unwinds=missing < 0)
            self._tell_implied(order, step, (index, name, missing), px_e9, now)

    def _house_step(self, step: TradeStep, now: Moment) -> None:
        """A trade of the house has ended: drop copies hear what its venues only counted, too."""
        pair = self._book.settings.pairs.get(step.pair_id)
        legs = pair.legs if pair is not None else ()
        for index, (spec, (lots, avg_px_e9)) in enumerate(zip(legs, step.legs, strict=False)):
            told, back = (
                self._of_house(step.trade_id, index, spec.instrument_id, unwinds) for unwinds in (False, True)
            )
            if any(self._of_house(step.trade_id, index, spec.substitute_id, unwinds) for unwinds in (False, True)):
                continue  # its lots are not the leg's
            if lots != told - back:
                self._tell_implied(None, step, (index, spec.instrument_id, lots - told + back), avg_px_e9, now)

    def _of_house(self, trade_id: str, index: int, instrument_id: str, unwinds: bool) -> int:  # noqa: FBT001 part of a key
        tally = self._house.get((trade_id, index, instrument_id, unwinds))
        return tally.units if tally is not None else 0

    def _tell_implied(
        self, order: ClientOrder | None, step: TradeStep, leg: tuple[int, str, int], px_e9: int, now: Moment
    ) -> None:
        """So many lots more of a leg than its fills, or fewer where they are negative."""
        index, name, lots = leg
        key = (index, name, lots < 0)
        tally = order.tally(key) if order is not None else self._house_tally((step.trade_id, *key))
        change = Change(ExecType.TRADE, abs(lots), px_e9, Told(""))
        tally.take(change)
        self._teller.leg_implied(order, step, key, tally, change, now)

    def _legs_of(self, order: ClientOrder) -> list[tuple[int, str]]:
        pair = self._book.settings.pairs.get(order.asked.symbol)
        return [(index, leg.instrument_id) for index, leg in enumerate(pair.legs)] if pair is not None else []

    def _settle(self, order: ClientOrder, now: Moment, *, late: bool = False) -> None:
        """End the order if everything of it has been heard."""
        last = self._book.standings.get(order.rule_id)
        if order.ended or last is None or last.open_units:
            return
        filled = order.cum_qty - order.base_qty
        heard = filled == last.filled_units and (not last.intent_id or last.intent_id in order.intents_ended)
        if not heard and not late:
            self._book.settling.setdefault(order.order_id, now.at_ns)
            return
        if heard and last.state is RuleStandingState.REMOVED and order.pending is Pending.REPLACE:
            self._replaced(order, now)
            return
        if (
            last.state is RuleStandingState.EXPIRED
            and order.asked.expire_utc_ns
            and order.pending is not Pending.CANCEL
        ):
            self._endings.end(order, Move.EXPIRE, f"{Ended.TIME_OVER.value}: {last.reason}", now)
            return
        why = order.why or order.note
        if not why and last.state is RuleStandingState.REMOVED:
            why = f"{Ended.OPERATOR.value}: its rule was removed"
        self._endings.end(order, Move.CANCEL, why or f"{Ended.NOT_MARKETABLE.value}: {last.reason}", now)

    def _cancel_failed(self, order: ClientOrder, text: str, now: Moment) -> None:
        """The rule is not there any more, or the command was refused: its last word, or the next, decides."""
        if self._book.standings.get(order.rule_id) is not None:
            self._settle(order, now)
            return
        order.pending = Pending.NOTHING
        if order.pending_cl_ord_id:
            self._endings.refuse(order, "1", CXL_OTHER, f"not_cancelled: {text}", now)

    def _replaced(self, order: ClientOrder, now: Moment) -> None:
        """Its rule is gone, all its fills are known: what is left gets a new one, at the new terms where they hold."""
        self._endings.replaced(order, now)
        action = place_rule(order, self._book.settings)
        if action is not None:
            self.ask(order, PLACE, action, now)

    def _not_replaced(self, order: ClientOrder, text: str, now: Moment) -> None:
        """Its rule stays as it was; where it has ended meanwhile, that is told by its last word."""
        if self._book.standings.get(order.rule_id) is not None:
            self._settle(order, now)
            return
        order.pending, order.wanted = Pending.NOTHING, None
        self._endings.refuse(order, "2", CXL_OTHER, f"not_replaced: {text}", now)


def _corrections(fills: Sequence[LegFill]) -> Iterator[tuple[LegFill, LegFill | None]]:
    """Each fill; one that comes with the taking back of another is its correction, where the lots are the same."""
    before: LegFill | None = None
    for fill in fills:
        if before is not None:
            same = (before.trade_id, before.exec_id, before.instrument_id, -before.lots)
            if same == (fill.trade_id, fill.exec_id, fill.instrument_id, fill.lots):
                yield fill, before
                before = None
                continue
            yield before, None
            before = None
        if fill.lots < 0:
            before = fill
        else:
            yield fill, None
    if before is not None:
        yield before, None


def _changes(tally: Tally, fill: LegFill, before: LegFill | None) -> list[Change]:
    """What a fill changes; `before` is what it corrects."""
    key = f"{fill.trade_date} {fill.exec_id}"
    ref_key = f"{fill.trade_date} {(before or fill).exec_ref_id}"
    if before is not None:
        return tally.of_correction(fill.lots, fill.px_e9, key, ref_key)
    return tally.of_fill(fill.lots, fill.px_e9, key, ref_key)
