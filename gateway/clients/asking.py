"""What a client asks for: new orders, cancels, replacements, mass cancels; and what its disconnect asks for.

A pair's order becomes a rule of trigger, an order on a leg a command to execution. A cancel or a replacement is a
command too; whether it came in time is decided by what is heard (`outcome`).
"""

import msgspec

from gateway.clients import checks
from gateway.clients.book import PLACE, REPLACE, OrderBook
from gateway.clients.checks import Asking, Refused
from gateway.clients.ending import CXL_OTHER, CXL_PENDING, CXL_UNKNOWN
from gateway.clients.order import ClientOrder, Pending
from gateway.clients.outcome import Outcomes
from gateway.clients.placing import next_command, place_rule
from gateway.clients.telling import NONE, Moment, Teller
from gateway.clients.used import AGAIN
from gateway.execution.outbox import IdSource
from gateway.model.client import (
    AskTrigger,
    CancelAsked,
    CancelRefused,
    ClientRefusal,
    ClientSession,
    Ended,
    MassCancelAsked,
    MassCancelTold,
    OrderAsked,
    ReplaceAsked,
)
from gateway.model.order import ExecType, OrdStatus, TimeInForce
from gateway.model.rules import ChangeRules

CANCEL_ONE, CANCEL_REPLACE = "1", "2"
"""CxlRejResponseTo(434)."""
OF_SYMBOL, ALL = "1", "7"
"""MassCancelRequestType(530)."""


class Desk:
    """Takes what clients ask for."""

    def __init__(self, book: OrderBook, teller: Teller, outcomes: Outcomes, ids: IdSource) -> None:
        self._book = book
        self._teller = teller
        self._outcomes = outcomes
        self._ids = ids

    def on_order(self, asked: OrderAsked, now: Moment, *, taken: bool | None = None) -> None:
        """A new order. `taken` is how it was judged when it came, where it comes from a journal."""
        book = self._book
        known = book.find(asked.client_id, asked.cl_ord_id)
        if known is not None and asked.poss_resend:
            self._teller.do(self._teller.status(known, now))
            return
        used = book.used(asked.client_id, asked.cl_ord_id)
        refused = None if taken else checks.judge(self._asking(asked, now, used=used))
        if taken is False:
            refused = refused or Refused(ClientRefusal.JOURNAL, "it was not taken when it came")
        if refused is not None:
            if not used:
                book.use(asked.client_id, asked.cl_ord_id, "")
            self._teller.rejected(asked, refused, now)
            return
        order_id = self._ids.next()
        asked = self._dated(asked, now)
        multileg = asked.symbol not in book.settings.instruments
        order = ClientOrder(order_id, f"C/{asked.client_id}/{order_id}", asked, multileg=multileg)
        book.add(order)
        book.use(asked.client_id, asked.cl_ord_id, order_id)
        self._teller.of(order, ExecType.NEW, now)
        if not order.multileg:
            self._outcomes.legs.place(order, now)
            return
        action = place_rule(order, book.settings)
        if action is not None:
            self._outcomes.ask(order, PLACE, action, now)

    def on_replace(self, event: ReplaceAsked, now: Moment, *, taken: bool | None = None) -> None:
        """An order shall be another from now on. `taken` as for a new one."""
        book, wanted = self._book, event.order
        if self._known_change(wanted.client_id, wanted.cl_ord_id, now, poss_resend=wanted.poss_resend):
            return
        order = self.named(wanted.client_id, event.orig_cl_ord_id, event.order_id)
        why = self._not_now(order, wanted.client_id, wanted.cl_ord_id, event.orig_cl_ord_id)
        if order is None or why is not None:
            self._refuse(order, wanted.client_id, wanted.cl_ord_id, event.orig_cl_ord_id, why, CANCEL_REPLACE, now)
            return
        wanted = self._dated(msgspec.structs.replace(wanted, account=wanted.account or order.asked.account), now)
        problem = self._unlike(order, wanted)
        if problem is None and not taken:
            problem = checks.judge(self._asking(wanted, now, used=False, is_new=False))
        if taken is False:
            problem = problem or Refused(ClientRefusal.JOURNAL, "it was not taken when it came")
        if problem is not None:
            self._refuse(
                order,
                wanted.client_id,
                wanted.cl_ord_id,
                event.orig_cl_ord_id,
                ("99", problem.words),
                CANCEL_REPLACE,
                now,
            )
            return
        book.use(wanted.client_id, wanted.cl_ord_id, order.order_id)
        order.pending, order.pending_cl_ord_id = Pending.REPLACE, wanted.cl_ord_id
        order.wanted = wanted
        self._teller.of(
            order, ExecType.PENDING_REPLACE, now, cl_ord_id=wanted.cl_ord_id, orig_cl_ord_id=order.cl_ord_id
        )
        if not order.multileg:
            self._outcomes.legs.replace(order, now)
            return
        change = ChangeRules(
            next_command(order), order.client_id, f"replaced by {wanted.cl_ord_id}", removed=(order.rule_id,)
        )
        self._outcomes.ask(order, REPLACE, AskTrigger(change), now)

    def on_cancel(self, event: CancelAsked, now: Moment) -> None:
        """An order shall end."""
        if self._known_change(event.client_id, event.cl_ord_id, now, poss_resend=event.poss_resend):
            return
        order = self.named(event.client_id, event.orig_cl_ord_id, event.order_id)
        why = self._not_now(order, event.client_id, event.cl_ord_id, event.orig_cl_ord_id)
        why = why or _another(order, event)
        if order is None or why is not None:
            self._refuse(order, event.client_id, event.cl_ord_id, event.orig_cl_ord_id, why, CANCEL_ONE, now)
            return
        self._book.use(event.client_id, event.cl_ord_id, order.order_id)
        order.pending, order.pending_cl_ord_id = Pending.CANCEL, event.cl_ord_id
        self._teller.of(order, ExecType.PENDING_CANCEL, now, cl_ord_id=event.cl_ord_id, orig_cl_ord_id=order.cl_ord_id)
        self.cancel(order, Ended.BY_CLIENT, now)

    def on_mass_cancel(self, event: MassCancelAsked, now: Moment) -> None:
        """All orders of the client, or of one symbol, shall end."""
        again = event.poss_resend and self._book.used(event.client_id, event.cl_ord_id)
        problem = "" if again else self._mass_problem(event)
        orders = [] if problem or again else self._book.open_of(event.client_id)
        hit = [one for one in orders if event.request_type == ALL or one.asked.symbol == event.symbol]
        self._book.use(event.client_id, event.cl_ord_id, "")
        self._teller.do(
            MassCancelTold(
                event.client_id,
                event.cl_ord_id,
                self._ids.next(),
                event.request_type,
                "0" if problem else event.request_type,
                "1" if problem else "",
                len(hit),
                event.symbol,
                AGAIN if again else problem,
            )
        )
        for one in hit:
            if one.pending is not Pending.CANCEL:
                self.cancel(one, Ended.MASS_CANCEL, now)

    def on_session(self, event: ClientSession, now: Moment) -> None:
        """A session logged on or off."""
        book = self._book
        if event.up:
            book.up.add(event.client_id)
            book.cancels[event.client_id] = event.cancels
            return
        book.up.discard(event.client_id)
        if event.keeps or not (event.cancels or book.cancels.get(event.client_id, False)):
            return
        for one in book.open_of(event.client_id):
            if one.pending is not Pending.CANCEL:
                self.cancel(one, Ended.DISCONNECT, now)

    def cancel(self, order: ClientOrder, why: Ended, now: Moment) -> None:
        """Ask trigger, or execution, to end it."""
        self._outcomes.withdraw(order, why, now)

    def _known_change(self, client_id: str, cl_ord_id: str, now: Moment, *, poss_resend: bool) -> bool:
        """Whether a change that may have been taken before was: then the answer is how its order stands."""
        known = self._book.find(client_id, cl_ord_id) if poss_resend else None
        if known is None:
            return False
        answer = self._teller.status(known, now)
        orig = known.cl_ord_id if known.cl_ord_id != cl_ord_id else ""
        self._teller.do(msgspec.structs.replace(answer, cl_ord_id=cl_ord_id, orig_cl_ord_id=orig))
        return True

    def _mass_problem(self, event: MassCancelAsked) -> str:
        problem = checks.cl_ord_id_problem(event.cl_ord_id)
        if problem:
            return problem
        if self._book.used(event.client_id, event.cl_ord_id):
            return f"ClOrdID(11)={event.cl_ord_id!r} was used before; one that is new would be accepted"
        known = event.symbol in self._book.settings.pairs or event.symbol in self._book.settings.instruments
        if event.request_type == OF_SYMBOL and not known:
            return f"Symbol(55)={event.symbol!r} is not known; accepted: a pair's or an instrument's"
        return ""

    def named(self, client_id: str, orig_cl_ord_id: str, order_id: str) -> ClientOrder | None:
        """The order by its ClOrdID, else by its OrderID(37); a client never reaches another's."""
        found = self._book.find(client_id, orig_cl_ord_id) or self._book.orders.get(order_id)
        return found if found is not None and found.client_id == client_id else None

    def _not_now(self, order: ClientOrder | None, client_id: str, cl_ord_id: str, orig: str) -> tuple[str, str] | None:
        """CxlRejReason(102) and the words why it cannot be changed; None when it can."""
        problem = checks.cl_ord_id_problem(cl_ord_id)
        if problem:
            return CXL_OTHER, f"{ClientRefusal.CL_ORD_ID.value}: {problem}"
        if self._book.used(client_id, cl_ord_id):
            return "6", f"duplicate_order: ClOrdID(11)={cl_ord_id!r} was used before; a new one would be accepted"
        if order is None:
            return CXL_UNKNOWN, f"unknown_order: OrigClOrdID(41)={orig!r} is no order of this session"
        if order.ended:
            return "0", f"too_late: the order is {order.state.name.lower()}"
        if order.pending is not Pending.NOTHING:
            return CXL_PENDING, f"already_pending: {order.pending_cl_ord_id!r} is not answered yet"
        return None

    def _unlike(self, order: ClientOrder, wanted: OrderAsked) -> Refused | None:
        """What a replacement may not change."""
        is_ioc = order.asked.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
        for tag, was, will in (
            ("Symbol(55)", order.asked.symbol, wanted.symbol),
            ("Side(54)", order.side.value, wanted.side.value),
            ("Account(1)", order.asked.account, wanted.account),
        ):
            if was != will:
                return Refused(
                    ClientRefusal.NOT_ENTITLED, f"{tag}={will!r} differs from the order's; accepted: {was!r}"
                )
        if is_ioc or wanted.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            return Refused(ClientRefusal.TIME_IN_FORCE, "an immediate order is not replaced; accepted: 0, 1, 6")
        if wanted.qty <= order.cum_qty:
            least = order.cum_qty + 1
            return Refused(
                ClientRefusal.QUANTITY, f"OrderQty(38)={wanted.qty_text}; accepted: at least {least}, beyond CumQty(14)"
            )
        return None

    def _asking(self, asked: OrderAsked, now: Moment, *, used: bool, is_new: bool = True) -> Asking:
        book = self._book
        client = book.settings.clients[asked.client_id]
        return Asking(
            book.settings,
            client,
            asked,
            book.switches,
            book.open_count(asked.client_id),
            used,
            now.utc_ns,
            is_new,
            book.ids_used(asked.client_id),
        )

    def _dated(self, asked: OrderAsked, now: Moment) -> OrderAsked:
        """A pair's order for the day gets the end of its day; that of a leg ends with the day of its venue."""
        is_leg = asked.symbol in self._book.settings.instruments
        if asked.time_in_force is not TimeInForce.DAY or is_leg:
            return asked if asked.time_in_force is TimeInForce.GTD else msgspec.structs.replace(asked, expire_utc_ns=0)
        return msgspec.structs.replace(asked, expire_utc_ns=self._book.settings.day_end_utc_ns(now.utc_ns))

    def _refuse(
        self,
        order: ClientOrder | None,
        client_id: str,
        cl_ord_id: str,
        orig_cl_ord_id: str,
        why: tuple[str, str] | None,
        response_to: str,
        now: Moment,
    ) -> None:
        reason, text = why or (CXL_UNKNOWN, "unknown_order")
        status = order.ord_status if order is not None else OrdStatus.REJECTED
        order_id = order.order_id if order is not None else NONE
        self._teller.do(
            CancelRefused(client_id, order_id, cl_ord_id, orig_cl_ord_id, status, response_to, reason, text, now.utc_ns)
        )


def _another(order: ClientOrder | None, event: CancelAsked) -> tuple[str, str] | None:
    """Why the request cannot be about this order: its symbol or its side is another."""
    if order is None:
        return None
    for tag, was, given in (
        ("Symbol(55)", order.asked.symbol, event.symbol),
        ("Side(54)", order.side.value, event.side.value if event.side is not None else ""),
    ):
        if given and given != was:
            return CXL_UNKNOWN, f"unknown_order: {tag}={given!r} is not the order's; accepted: {was!r}"
    return None
