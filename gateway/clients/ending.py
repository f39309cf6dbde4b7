"""What orders on pairs and orders on legs have in common: commands about them, their end, a change that came too late.

Nothing is decided here of whether an order ends; `outcome` and `legs` do that.
"""

from gateway.clients.book import Asked, OrderBook
from gateway.clients.order import ClientOrder, Move, Pending
from gateway.clients.telling import RESTATED_OTHER, Moment, Teller
from gateway.model.client import AskExecution, AskTrigger, CancelRefused, TradeStep
from gateway.model.order import ExecType
from gateway.model.trade import PairTradeState

CXL_TOO_LATE, CXL_UNKNOWN, CXL_PENDING, CXL_OTHER = "0", "1", "3", "99"
"""CxlRejReason(102)."""
TRADE_ENDED = frozenset({PairTradeState.HEDGED, PairTradeState.UNWOUND, PairTradeState.MISSED, PairTradeState.HALTED})


class Endings:
    """Tells what has become of an order, and keeps what is asked of others about it."""

    def __init__(self, book: OrderBook, teller: Teller) -> None:
        self._book = book
        self._teller = teller

    def ask(self, order: ClientOrder, purpose: str, action: AskTrigger | AskExecution, now: Moment) -> str:
        """Send a command about an order, and remember that its answer is waited for; the command's id."""
        command_id = action.change.command_id if isinstance(action, AskTrigger) else action.command.command_id
        self._book.commands[command_id] = Asked(order.order_id, purpose, action, now.at_ns)
        self._teller.do(action)
        return command_id

    def end(self, order: ClientOrder, move: Move, text: str, now: Moment) -> None:
        """It ends with what is filled."""
        cl_ord_id, orig = order.cl_ord_id, ""
        if order.pending is Pending.CANCEL and order.pending_cl_ord_id:
            cl_ord_id, orig = order.pending_cl_ord_id, order.cl_ord_id
        replaces = order.pending is Pending.REPLACE
        order.move(move)
        order.pending, order.why = Pending.NOTHING, text
        self._book.close(order)
        exec_type = ExecType.EXPIRED if move is Move.EXPIRE else ExecType.CANCELED
        self._teller.of(order, exec_type, now, text, cl_ord_id=cl_ord_id, orig_cl_ord_id=orig)
        if replaces:
            self.refuse(order, "2", CXL_TOO_LATE, f"too_late: the order is {order.state.name.lower()}", now)

    def too_late(self, order: ClientOrder, now: Moment) -> None:
        """A cancel or a replacement that a full fill has overtaken."""
        if not order.ended or order.pending is Pending.NOTHING:
            return
        response_to = "1" if order.pending is Pending.CANCEL else "2"
        order.pending = Pending.NOTHING
        if order.pending_cl_ord_id:
            self.refuse(order, response_to, CXL_TOO_LATE, "too_late: the order is filled", now)

    def replaced(self, order: ClientOrder, now: Moment) -> None:
        """What it was is gone and all its fills are known: it gets the new terms where they hold, and a new rule."""
        wanted, order.wanted = order.wanted, None
        order.pending = Pending.NOTHING
        before = order.cl_ord_id
        if wanted is not None and wanted.qty > order.cum_qty:
            order.asked, order.cl_ord_id = wanted, wanted.cl_ord_id
            order.pending_cl_ord_id = ""
            self._teller.of(order, ExecType.REPLACED, now, orig_cl_ord_id=before)
        else:
            text = f"too_late: CumQty(14)={order.cum_qty} is beyond the new OrderQty(38) by now"
            self.refuse(order, "2", CXL_TOO_LATE, text, now)
        self._book.renew(order)

    def restate(self, order: ClientOrder, step: TradeStep, now: Moment) -> None:
        """Its trade is in a state that its client should know of: a repair is shown as what it is."""
        what = "repair" if order.multileg else "unsure"
        text = f"{what}: pair trade {step.trade_id} is {step.state.value} {step.cause}".rstrip()
        if step.state is PairTradeState.HALTED:
            text += "; a person decides"
        self._teller.of(order, ExecType.RESTATED, now, text, restatement=RESTATED_OTHER)

    def refuse(self, order: ClientOrder, response_to: str, reason: str, text: str, now: Moment) -> None:
        """OrderCancelReject(35=9)."""
        self._teller.do(
            CancelRefused(
                order.client_id,
                order.order_id,
                order.pending_cl_ord_id,
                order.cl_ord_id,
                order.ord_status,
                response_to,
                reason,
                text,
                now.utc_ns,
            )
        )
