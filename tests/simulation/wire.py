"""The way between execution and one venue: links with delay, a FIX session that breaks and comes back, no FIX text.

What is kept of FIX: what a venue says is numbered and stored; what did not arrive before a connection broke is sent again
after the next logon, marked PossDup; what we sent into a broken connection is lost, and nobody sends it again. What a
process had taken from its session and not yet journalled when it was killed is gone: its FIX store says "received".

What is left out: that a venue refuses a logon, and heartbeats; a connection that breaks is noticed now or later.
"""

# ruff: noqa: S311 - chance is seeded here

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from gateway.model.instrument import Instrument, PositionModel
from gateway.model.order import (
    BadOrderMessage,
    CancelRejected,
    ExecType,
    ExecutionReport,
    MassCancelReported,
    MessageRejected,
    OrderEvent,
    OrdStatus,
    OrdType,
    SessionChanged,
    Side,
)
from gateway.model.order import Order as OwnOrder
from gateway.model.position import PositionLine, PositionsAcked
from simulators.core.values import (
    CancelOrder,
    CancelReject,
    Drop,
    MassCancelReport,
    MdIncrement,
    MdSnapshot,
    MdStatus,
    NewOrder,
    PositionsAck,
    PositionTold,
    Report,
    VenueEvent,
)
from tests.simulation.installation import ACCOUNT, Way
from tests.simulation.plan import MS, Plan

if TYPE_CHECKING:
    from simulators.core.venue import Venue

_MARKET_DATA = (MdSnapshot, MdIncrement, MdStatus)
BUST = "H"
_FILLS = frozenset({"F", "G", "H"})
_EXEC_TYPES = {one.value: one for one in ExecType}
_STATUSES = {one.value: one for one in OrdStatus}
_SIDES = {one.value: one for one in Side}


Told = OrderEvent | PositionsAcked | PositionLine


class Sent(NamedTuple):
    """What a session said of a message that it was given."""

    ok: bool
    reason: str
    msg_seq_num: int


class Line:
    """One venue with its order session. `at` puts a call on the world's timeline."""

    def __init__(
        self,
        venue: Venue,
        instrument: Instrument,
        ways: tuple[Way, Way],
        plan: Plan,
        at: Callable[..., None],
        counts: Counter[str],
    ) -> None:
        self.venue = venue
        self.venue_id = venue.config.name
        self.up = False
        """Whether the connection stands, in truth."""
        self.noticed_up = False
        """Whether our side believes so."""
        self.refuse_until_ns = 0
        self.rng = Random(f"wire {self.venue_id} {plan.seed}")
        self.deliver: Callable[[Told | SessionChanged], None] | None = None
        """The process that runs now, None while none does."""
        self._instruments = {instrument.symbol: instrument}
        self._to_venue, self._to_us = ways
        self._rates = plan.wire
        self._at = at
        self._counts = counts
        self._epoch = 0
        self._said: list[VenueEvent] = []
        """Everything that the venue has said on this session, by number."""
        self._next = 0
        self._began = 0
        """The first number since the numbers were last set anew: what came before is not sent again."""
        self._replaying: int | None = None
        """The first number of what is being sent again."""
        self._sent = 0
        self._last_up_ns = 0
        self._last_down_ns = 0
        self._cut_ns = 0
        self._most: dict[str, int] = {}
        self._fills: dict[str, dict[str, int]] = {}
        self.touched: Callable[[int, Line], None]
        """Called after everything that may have changed the venue."""
        self.gone: Callable[[list[tuple[str, str]]], None]
        """Told what is never said again: ClOrdID(11), ExecType(150)."""
        self.numbers_set: Callable[[str], bool]
        """A person sets the numbers of the session anew; whether execution has taken the command."""

    # Our side.

    def send_order(self, now_ns: int, order: OwnOrder) -> Sent:
        """Hand a NewOrderSingle to the session."""
        if not self.noticed_up:
            return Sent(ok=False, reason="session is down", msg_seq_num=0)
        self._sent += 1
        px = None if order.px_ticks is None else self._tick(order.instrument_id) * order.px_ticks
        made = NewOrder(
            order.cl_ord_id,
            order.account,
            self._symbol(order.instrument_id),
            order.side.value,
            Decimal(order.qty_lots),
            px,
            "2" if order.ord_type is OrdType.LIMIT else "1",
            order.time_in_force.value,
            order.position_effect.value,
            order.hedge_flag,
        )
        self._travel(now_ns, self._order_arrives, made, self._sent)
        return Sent(ok=True, reason="", msg_seq_num=self._sent)

    def send_cancel(self, now_ns: int, cl_ord_id: str, order: OwnOrder) -> None:
        if self.noticed_up:
            self._sent += 1
            self._travel(now_ns, self._cancel_arrives, CancelOrder(cl_ord_id, order.cl_ord_id), self._sent)

    def ask(self, now_ns: int, request_id: str, orders: tuple[OwnOrder, ...], *, mass: bool) -> None:
        """OrderStatusRequest for each, OrderMassStatusRequest before them where the venue has it."""
        if not self.noticed_up:
            return
        if mass:
            self._travel(now_ns, self._mass_arrives, request_id, 0)
        for order in orders:
            self._travel(now_ns, self._status_arrives, order, request_id)

    def ask_positions(self, now_ns: int, request_id: str) -> None:
        """RequestForPositions."""
        if self.noticed_up:
            self._travel(now_ns, self._positions_arrive, request_id)

    def resume_after(self, number: int) -> None:
        """A new process has what came up to this number on record: the venue sends again what came after it."""
        self._next = max(self._began, min(self._next, number + 1))

    # The connection.

    def cut(self, now_ns: int, back_ns: int, notice_ns: int) -> None:
        """The connection breaks now; our side notices at `notice_ns`, both are connected again from `back_ns` on."""
        self.refuse_until_ns = max(self.refuse_until_ns, back_ns, notice_ns + MS)
        if not self.up:
            return
        self._break()
        floor_ns, jitter_ns = self._to_venue
        self._cut_ns = now_ns + self.rng.randint(0, floor_ns + jitter_ns)
        self._at(self._cut_ns, self._venue_disconnected)
        self._at(notice_ns, self._notice)
        self._at(self.refuse_until_ns, self.connect)

    def connect(self, now_ns: int) -> None:
        """A logon, where a process is there and the venue lets it in."""
        if self.up or self.deliver is None:
            return
        if now_ns < self.refuse_until_ns:
            self._at(self.refuse_until_ns, self.connect)
            return
        if self.noticed_up:
            self._notice(now_ns)
        self.up = self.noticed_up = True
        self._epoch += 1
        missed = self._said[self._next :]
        first = self._next
        epoch = self._epoch
        if missed and self._strikes("numbers_reset"):
            done = self.numbers_set(self.venue_id)
            if epoch != self._epoch:
                return  # the process died of the command
            if done:
                self._next = self._began = len(self._said)
                self.gone(_named(missed))
                missed = []
        self.deliver(SessionChanged(self.venue_id, "orders", True, now_ns))
        if epoch == self._epoch:  # the process may have died of the news
            self._replay(now_ns, first, missed)

    def process_died(self, now_ns: int, *, power_lost: bool) -> None:
        """The process at our end is gone, and with it what it had taken and not journalled.

        What a killed process had written to its socket still arrives; what a machine without power had, may not.
        """
        self.deliver = None
        self.noticed_up = False
        if self.up:
            self._break()
            longest_ns = sum(self._to_venue)
            self._cut_ns = now_ns + (self.rng.randint(0, longest_ns) if power_lost else longest_ns + MS)
            self._at(self._cut_ns, self._venue_disconnected)

    def _break(self) -> None:
        self.up = False
        self._epoch += 1
        if self._replaying is not None:
            self._next = min(self._next, self._replaying)
            self._replaying = None

    # The venue's side.

    def said(self, now_ns: int, events: list[VenueEvent]) -> None:
        """What leaves the venue now."""
        for event in events:
            if isinstance(event, _MARKET_DATA):
                continue
            if isinstance(event, Drop):
                self._counts["drop_connection"] += 1
                self.cut(now_ns, max(event.refuse_until_ns, now_ns + 300 * MS), now_ns + self.rng.randint(0, 20 * MS))
                continue
            if isinstance(event, Report):
                name = event.orig_cl_ord_id or event.cl_ord_id
                fills = self._fills.setdefault(name, {})
                if event.exec_type == "F":
                    fills[event.exec_id] = event.last_qty
                # A bust that is still on its way leaves its fill counted beside the one that came in its place.
                self._most[name] = max(self._most.get(name, 0), event.cum_qty, sum(fills.values()))
            self._said.append(event)
            if not self.up:
                continue
            if isinstance(event, Report) and event.exec_type == "I" and self._strikes("stale_answer"):
                late_ns = self.rng.randint(20, 1500) * MS
                self._at(now_ns + late_ns, self._stale_arrives, len(self._said) - 1, self._epoch)
            else:
                self._down(now_ns, self._said_arrives, len(self._said) - 1, self._epoch)
        self.touched(now_ns, self)

    def most_filled(self, cl_ord_id: str) -> int:
        """The most lots that the venue ever said of this order."""
        return self._most.get(cl_ord_id, 0)

    def calm_down(self) -> None:
        """Nothing goes wrong any more."""
        self._rates = {}

    # Inside.

    def _travel(self, now_ns: int, arrives: Callable[..., None], *what: object) -> None:
        floor_ns, jitter_ns = self._to_venue
        at_ns = max(self._last_up_ns, now_ns + floor_ns + int(jitter_ns * self.rng.random() ** 3))
        self._last_up_ns = at_ns
        if self.up:
            self._at(at_ns, self._up_arrives, self._epoch, arrives, what)

    def _up_arrives(self, now_ns: int, epoch: int, arrives: Callable[..., None], what: tuple[object, ...]) -> None:
        if epoch == self._epoch or (epoch == self._epoch - 1 and not self.up and now_ns <= self._cut_ns):
            arrives(now_ns, *what)

    def _down(self, now_ns: int, arrives: Callable[..., None], *what: object) -> None:
        floor_ns, jitter_ns = self._to_us
        at_ns = max(self._last_down_ns, now_ns + floor_ns + int(jitter_ns * self.rng.random() ** 3))
        self._last_down_ns = at_ns
        self._at(at_ns, arrives, *what)

    def _order_arrives(self, now_ns: int, order: NewOrder, number: int) -> None:
        if self._strikes("message_rejected"):
            refused = MessageRejected(self.venue_id, now_ns, number, "D", order.cl_ord_id, "5", "value is incorrect")
            self._down(now_ns, self._refusal_arrives, refused, self._epoch)
            return
        self.said(now_ns, self.venue.on_order(now_ns, order))

    def _refusal_arrives(self, _now_ns: int, refused: MessageRejected, epoch: int) -> None:
        if epoch == self._epoch and self.deliver is not None:
            self.deliver(refused)

    def _cancel_arrives(self, now_ns: int, request: CancelOrder, _number: int) -> None:
        self.said(now_ns, self.venue.on_cancel(now_ns, request))

    def _mass_arrives(self, now_ns: int, request_id: str, _number: int) -> None:
        self.said(now_ns, self.venue.on_mass_status(now_ns, request_id))

    def _status_arrives(self, now_ns: int, order: OwnOrder, request_id: str) -> None:
        symbol = self._symbol(order.instrument_id)
        self.said(now_ns, self.venue.on_status(now_ns, order.cl_ord_id, symbol, order.side.value, request_id))

    def _positions_arrive(self, now_ns: int, request_id: str) -> None:
        self.said(now_ns, self.venue.on_positions(now_ns, request_id))

    def _venue_disconnected(self, now_ns: int) -> None:
        self.said(now_ns, self.venue.on_disconnect(now_ns))

    def _notice(self, now_ns: int) -> None:
        if self.noticed_up and not self.up:
            self.noticed_up = False
            if self.deliver is not None:
                self.deliver(SessionChanged(self.venue_id, "orders", False, now_ns, "connection lost"))

    def _said_arrives(self, now_ns: int, number: int, epoch: int) -> None:
        if epoch != self._epoch or number < self._next:
            return
        self._next = number + 1
        self._hand_over(now_ns, number, poss_dup=False)

    def _replay(self, now_ns: int, first: int, missed: list[VenueEvent]) -> None:
        numbers = list(range(first, first + len(missed)))
        if not numbers:
            return
        if len(numbers) > 1 and self._strikes("replay_shuffled"):
            self.rng.shuffle(numbers)
        if self._strikes("replay_twice"):
            numbers += numbers
        self._replaying = first
        late_ns = 0
        if self._strikes("replay_after_answers"):
            late_ns = sum(self._to_venue) + sum(self._to_us) + 50 * MS
        for number in numbers:
            if late_ns:
                self._at(now_ns + late_ns, self._again_arrives, number, self._epoch)
            else:
                self._down(now_ns, self._again_arrives, number, self._epoch)
        if late_ns:
            self._at(now_ns + late_ns, self._replayed, first + len(missed), self._epoch)
        else:
            self._down(now_ns, self._replayed, first + len(missed), self._epoch)

    def _stale_arrives(self, now_ns: int, number: int, epoch: int) -> None:
        """An answer that others have overtaken."""
        if epoch == self._epoch:
            self._hand_over(now_ns, number, poss_dup=False)

    def _again_arrives(self, now_ns: int, number: int, epoch: int) -> None:
        if epoch == self._epoch:
            self._hand_over(now_ns, number, poss_dup=True)

    def _replayed(self, _now_ns: int, until: int, epoch: int) -> None:
        if epoch == self._epoch:
            self._next = max(self._next, until)
            self._replaying = None

    def _hand_over(self, now_ns: int, number: int, *, poss_dup: bool) -> None:
        if self.deliver is None:
            return
        said = self._said[number]
        event = self.event(said, now_ns, number, poss_dup=poss_dup)
        self.deliver(event)

    def _strikes(self, fault: str) -> bool:
        rate = self._rates.get(fault)
        if rate is None or self.rng.random() >= rate:
            return False
        self._counts[fault] += 1
        return True

    # Words.

    def event(self, said: VenueEvent, now_ns: int, number: int, *, poss_dup: bool = False) -> Told:
        """A venue's message as the gateway's decoder would give it."""
        if isinstance(said, Report):
            if self._strikes("garbled"):
                if said.exec_type == BUST:  # an answer shows that lots are gone, and not why: a person's
                    self.gone(_named([said]))
                return BadOrderMessage(self.venue_id, now_ns, number, "8", said.cl_ord_id, "CumQty(14) is no number")
            return self._report(said, now_ns, number, poss_dup=poss_dup)
        if isinstance(said, CancelReject):
            return CancelRejected(
                self.venue_id,
                now_ns,
                number,
                said.cl_ord_id,
                said.orig_cl_ord_id,
                said.order_id,
                _STATUSES.get(said.ord_status),
                said.response_to,
                said.reason,
                said.text,
            )
        if isinstance(said, PositionsAck):
            return PositionsAcked(self.venue_id, now_ns, said.req_id, said.total, "")
        if isinstance(said, PositionTold):
            return self._position(said, now_ns)
        assert isinstance(said, MassCancelReport), said
        return MassCancelReported(self.venue_id, now_ns, said.cl_ord_id, said.response, said.affected, said.text)

    def _position(self, said: PositionTold, now_ns: int) -> PositionLine:
        instrument = self._instruments[said.symbol]
        apart = instrument.position_model is PositionModel.OPEN_CLOSE_TODAY
        return PositionLine(
            self.venue_id,
            now_ns,
            said.req_id,
            instrument.instrument_id,
            said.account,
            said.long_today + said.long_earlier,
            said.short_today + said.short_earlier,
            said.long_today if apart else None,
            said.short_today if apart else None,
            said.hedge_flag,
            "",
            said.trade_date,
            said.total,
        )

    def _report(self, said: Report, now_ns: int, number: int, *, poss_dup: bool) -> ExecutionReport:
        instrument = self._instruments.get(said.symbol)
        fill = said.exec_type in _FILLS
        last_px = said.last_px
        if fill and last_px is not None and said.exec_type == "F" and self._strikes("off_tick"):
            last_px += Decimal("0.5")
        exec_type = _EXEC_TYPES[said.exec_type]
        if not fill and not said.orig_cl_ord_id and self._strikes("unknown_exec_type"):
            exec_type = ExecType.UNKNOWN
        key = f"{self.venue_id}|{ACCOUNT}|{said.trade_date}|{said.side}|"
        return ExecutionReport(
            venue_id=self.venue_id,
            recv_ns=now_ns,
            venue_ns=said.at_ns,
            msg_seq_num=number,
            poss_dup=poss_dup,
            cl_ord_id=said.cl_ord_id,
            orig_cl_ord_id=said.orig_cl_ord_id,
            order_id=said.order_id,
            exec_id=said.exec_id,
            exec_key=key + said.exec_id if fill else "",
            exec_ref_id=said.exec_ref_id,
            exec_type=exec_type,
            ord_status=_STATUSES.get(said.ord_status),
            instrument_id=instrument.instrument_id if instrument else "",
            side=_SIDES.get(said.side),
            order_qty_lots=said.order_qty,
            last_qty_lots=said.last_qty,
            last_px="" if last_px is None else str(last_px),
            last_px_ticks=self._ticks(instrument, last_px),
            cum_qty_lots=said.cum_qty,
            leaves_qty_lots=said.leaves_qty,
            avg_px=str(said.avg_px),
            text=said.text,
            reason=said.rej_reason,
            ref_exec_key=key + said.exec_ref_id if said.exec_ref_id else "",
            trade_date=said.trade_date,
        )

    @staticmethod
    def _ticks(instrument: Instrument | None, px: Decimal | None) -> int | None:
        if instrument is None or px is None:
            return None
        ticks, rest = divmod(px, instrument.tick)
        return None if rest else int(ticks)

    def _symbol(self, instrument_id: str) -> str:
        return next(one.symbol for one in self._instruments.values() if one.instrument_id == instrument_id)

    def _tick(self, instrument_id: str) -> Decimal:
        return next(one.tick for one in self._instruments.values() if one.instrument_id == instrument_id)


def _named(said: list[VenueEvent]) -> list[tuple[str, str]]:
    """ClOrdID(11) and ExecType(150) of each report."""
    return [(one.orig_cl_ord_id or one.cl_ord_id, one.exec_type) for one in said if isinstance(one, Report)]
