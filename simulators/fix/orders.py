"""The order session: requests of the dialects into the venue, its answers into words. Pure.

A request with a missing or malformed field is refused here (35=3), an unknown kind of message, too (35=j); everything
that a venue would refuse for a reason of trade goes into the venue and comes back as a report.
"""

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from simulators.core.truth import px_text
from simulators.core.values import (
    CLOSE,
    CLOSE_TODAY,
    GTD,
    LIMIT,
    NO_EFFECT,
    ORDER_STATUS,
    TRADE,
    TRADE_CANCEL,
    TRADE_CORRECT,
    CancelOrder,
    CancelReject,
    MassCancelReport,
    NewOrder,
    OrderAnswer,
    PositionsAck,
    PositionTold,
    ReplaceOrder,
    Report,
    VenueEvent,
)
from simulators.core.venue import Venue
from simulators.fix.positions import position_report, positions_ack
from simulators.fix.session import REQUIRED_TAG_MISSING
from simulators.fix.wire import Message, field
from simulators.fix.words import DialectConfig, Outgoing, Refused, Words, stamp

if TYPE_CHECKING:
    from collections.abc import Callable

_BAD_FORMAT = 6
_BAD_VALUE = 5
_REQUIRED_44 = {
    "D": (11, 1, 55, 54, 60, 38, 40),
    "F": (11, 41, 55, 54, 60, 38),
    "G": (11, 41, 55, 54, 60, 38, 40),
    "H": (11, 55, 54),
    "AF": (584, 585),
    "q": (11, 530),
    "AN": (710, 724, 1, 60),
}
_REQUIRED_42 = {
    "D": (11, 1, 21, 55, 54, 60, 38, 40),
    "F": (11, 41, 55, 54, 60, 38),
    "G": (11, 41, 21, 55, 54, 60, 38, 40),
    "H": (11, 55, 54),
}
_FILLED = "2"
_FLOAT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{0,10})?", re.ASCII)
"""A FIX float has no exponent; the bound keeps a hostile figure from becoming a large number."""
_REASON_42 = {"6": "2", "99": "2"}
"""CxlRejReason(102) of 4.2 ends at 3; what 4.4 calls 6 and 99 is broker's option there."""

Result = list[VenueEvent] | Refused | Outgoing


class OrdersApp:
    """Requests in, events of the venue out; and the words of its answers."""

    def __init__(self, venue: Venue, config: DialectConfig) -> None:
        self._venue = venue
        self._config = config
        self._words = config.words
        self._modern = self._words.reports == "4.4"
        self._required = _required(self._words)
        self._echo: dict[str, str] = {}
        """What orders of a symbol said that its reports give back."""
        self._seen: set[str] = set()
        self._handlers: dict[str, Callable[[Message, int], Result]] = {
            "D": self._new,
            "F": self._cancel,
            "G": self._replace,
            "H": self._status,
            "AF": self._mass_status,
            "q": self._mass_cancel,
            "AN": self._positions,
        }

    def on_message(self, message: Message, at_ns: int) -> Result:
        """A request in sequence: what the venue says to it at once, or why it is no request."""
        kind = message.msg_type
        required = self._required.get(kind)
        if required is None:
            return unsupported(message)
        for tag in required:
            if not message.get(tag):
                return Refused(REQUIRED_TAG_MISSING, tag, f"required tag missing: {tag}")
        if message.get(59) == GTD and not message.get(432):
            return Refused(REQUIRED_TAG_MISSING, 432, "required tag missing: 432")
        if kind in {"D", "F", "G"}:
            cl_ord_id = message.get(11)
            if (message.poss_dup or message.get(97) == "Y") and cl_ord_id in self._seen:
                return []
            self._seen.add(cl_ord_id)
        return self._handlers[kind](message, at_ns)

    def _new(self, message: Message, at_ns: int) -> Result:
        qty, px = _number(message, 38), _number(message, 44)
        if isinstance(qty, Refused):
            return qty
        if isinstance(px, Refused):
            return px
        self._echo[message.get(55)] = "".join(
            f"{tag}={message.get(tag)}\x01" for tag in self._words.echo if message.has(tag)
        )
        order = NewOrder(
            cl_ord_id=message.get(11),
            account=message.get(1),
            symbol=message.get(55),
            side=message.get(54),
            qty=qty if qty is not None else Decimal(0),
            px=px if message.get(40) == LIMIT else None,
            ord_type=message.get(40),
            time_in_force=message.get(59, "0"),
            position_effect=_effect(message) if self._words.domestic else NO_EFFECT,
            hedge_flag=message.get(20078),
        )
        return self._venue.on_order(at_ns, order)

    def _cancel(self, message: Message, at_ns: int) -> Result:
        return self._venue.on_cancel(at_ns, CancelOrder(message.get(11), message.get(41)))

    def _replace(self, message: Message, at_ns: int) -> Result:
        qty, px = _number(message, 38), _number(message, 44)
        if isinstance(qty, Refused):
            return qty
        if isinstance(px, Refused):
            return px
        request = ReplaceOrder(
            cl_ord_id=message.get(11),
            orig_cl_ord_id=message.get(41),
            qty=qty if qty is not None else Decimal(0),
            px=px,
            ord_type=message.get(40),
            time_in_force=message.get(59, "0"),
        )
        return self._venue.on_replace(at_ns, request)

    def _status(self, message: Message, at_ns: int) -> Result:
        return self._venue.on_status(at_ns, message.get(11), message.get(55), message.get(54), message.get(790))

    def _mass_status(self, message: Message, at_ns: int) -> Result:
        if message.get(585) != "7":
            return Refused(_BAD_VALUE, 585, f"MassStatusReqType(585) not supported: {message.get(585)}; 7 is right")
        return self._venue.on_mass_status(at_ns, message.get(584))

    def _mass_cancel(self, message: Message, at_ns: int) -> Result:
        return self._venue.on_mass_cancel(at_ns, message.get(11), message.get(530), message.get(55))

    def _positions(self, message: Message, at_ns: int) -> Result:
        if message.get(724) != "0":
            return Refused(_BAD_VALUE, 724, f"PosReqType(724) not supported: {message.get(724)}; 0 is right")
        return self._venue.on_positions(at_ns, message.get(710))

    # Out -------------------------------------------------------------------------------------------------------------

    def copy(self, report: Report) -> Outgoing:
        """A report as it stands on the drop copy."""
        text = self._report_44(report) + "797=Y\x01" if self._modern else self._report_42(report)
        return Outgoing("8", text.encode())

    def words(self, answer: OrderAnswer) -> Outgoing:
        """An answer of the venue as a message."""
        if isinstance(answer, PositionsAck):
            return Outgoing("AO", positions_ack(answer).encode())
        if isinstance(answer, PositionTold):
            return Outgoing("AP", position_report(answer, self._config, self._echo.get(answer.symbol, "")).encode())
        if isinstance(answer, Report):
            text = self._report_44(answer) if self._modern else self._report_42(answer)
            return Outgoing("8", text.encode())
        if isinstance(answer, CancelReject):
            return Outgoing("9", self._cancel_reject(answer).encode())
        return Outgoing("r", self._mass_cancel_report(answer).encode())

    def _report_44(self, report: Report) -> str:
        text = f"37={report.order_id}\x0111={report.cl_ord_id}\x01"
        if report.orig_cl_ord_id:
            text += f"41={report.orig_cl_ord_id}\x01"
        text += f"17={report.exec_id}\x01150={report.exec_type}\x0139={report.ord_status}\x011={report.account}\x01"
        text += _instrument(report)
        text += self._echo.get(report.symbol, "")
        if report.symbol and self._words.domestic:
            text += f"207={self._config.exchange}\x01"
        text += _terms(report)
        if report.position_effect and self._words.domestic:
            closes_today = "Y" if report.position_effect == CLOSE_TODAY else "N"
            effect = "C" if report.position_effect == CLOSE_TODAY else report.position_effect
            text += f"77={effect}\x01" + (f"20077={closes_today}\x01" if effect == CLOSE else "")
        if report.hedge_flag and self._words.domestic:
            text += f"20078={report.hedge_flag}\x01"
        text += _state(report)
        text += f"60={stamp(self._config.clock, report.at_ns)}\x01"
        if report.trade_date:
            text += f"75={report.trade_date}\x01"
        text += _end(report)
        if report.mass_status_req_id:
            text += f"584={report.mass_status_req_id}\x01585=7\x01911={report.tot_num_reports}\x01"
            text += f"912={'Y' if report.last_rpt_requested else 'N'}\x01"
        if report.ord_status_req_id:
            text += f"790={report.ord_status_req_id}\x01"
        return text

    def _report_42(self, report: Report) -> str:
        exec_id, trans_type, exec_type = report.exec_id, "0", report.exec_type
        if exec_type == TRADE:
            exec_type = _FILLED if not report.leaves_qty else "1"
        elif exec_type in {TRADE_CANCEL, TRADE_CORRECT}:
            trans_type = "1" if exec_type == TRADE_CANCEL else "2"
            exec_type = report.ord_status
        elif exec_type == ORDER_STATUS:
            exec_id, trans_type, exec_type = "0", "3", report.ord_status
        text = f"37={report.order_id}\x0111={report.cl_ord_id}\x01"
        if report.orig_cl_ord_id:
            text += f"41={report.orig_cl_ord_id}\x01"
        text += f"17={exec_id}\x0120={trans_type}\x01"
        if report.exec_ref_id:
            text += f"19={report.exec_ref_id}\x01"
        text += f"150={exec_type}\x0139={report.ord_status}\x011={report.account}\x01"
        text += _instrument(report) + _terms(report) + _state(report)
        text += f"60={stamp(self._config.clock, report.at_ns)}\x01"
        return text + _end(report._replace(exec_ref_id=""))

    def _cancel_reject(self, reject: CancelReject) -> str:
        reason = reject.reason if self._modern else _REASON_42.get(reject.reason, reject.reason)
        return (
            f"37={reject.order_id}\x0111={reject.cl_ord_id}\x0141={reject.orig_cl_ord_id}\x01"
            f"39={reject.ord_status}\x01434={reject.response_to}\x01102={reason}\x0158={reject.text}\x01"
            f"60={stamp(self._config.clock, reject.at_ns)}\x01"
        )

    def _mass_cancel_report(self, report: MassCancelReport) -> str:
        text = f"37={report.order_id}\x0111={report.cl_ord_id}\x01530={report.request_type}\x01"
        if self._words.default_appl_ver_id:
            text += f"1369={report.order_id}\x01"
        text += f"531={report.response}\x01533={report.affected}\x01"
        if report.text:
            text += f"58={report.text}\x01"
        return text + f"60={stamp(self._config.clock, report.at_ns)}\x01"


def _required(words: Words) -> dict[str, tuple[int, ...]]:
    known = _REQUIRED_44 if words.reports == "4.4" else _REQUIRED_42
    not_taken = (set() if words.mass else {"AF", "q"}) | (set() if words.positions else {"AN"})
    taken = {kind: tags for kind, tags in known.items() if kind not in not_taken}
    return {kind: tags + words.required.get(kind, ()) for kind, tags in taken.items()}


def _instrument(report: Report) -> str:
    text = f"55={report.symbol}\x01" if report.symbol else ""
    return text + (f"54={report.side}\x01" if report.side else "")


def _terms(report: Report) -> str:
    text = f"38={report.order_qty}\x0140={report.ord_type}\x01"
    if report.px is not None:
        text += f"44={px_text(report.px)}\x01"
    return text + f"59={report.time_in_force}\x01"


def _state(report: Report) -> str:
    text = ""
    if report.last_px is not None:
        text = f"32={report.last_qty}\x0131={px_text(report.last_px)}\x01"
    return text + f"151={report.leaves_qty}\x0114={report.cum_qty}\x016={px_text(report.avg_px)}\x01"


def _end(report: Report) -> str:
    text = f"58={report.text}\x01" if report.text else ""
    if report.rej_reason:
        text += f"103={report.rej_reason}\x01"
    return text + (f"19={report.exec_ref_id}\x01" if report.exec_ref_id else "")


def _effect(message: Message) -> str:
    effect = message.get(77)
    return CLOSE_TODAY if effect == CLOSE and message.get(20077) == "Y" else effect


def _number(message: Message, tag: int) -> Decimal | Refused | None:
    text = message.get(tag)
    if not text:
        return None
    if not _FLOAT.fullmatch(text):
        return Refused(_BAD_FORMAT, tag, f"incorrect data format for tag {tag}: {text}")
    return Decimal(text)


def unsupported(message: Message) -> Outgoing:
    """The answer to a kind of message that is not taken."""
    kind = message.msg_type
    body = field(45, message.seq or 0) + field(372, kind) + field(380, 3)
    return Outgoing("j", body + field(58, f"MsgType(35) not supported: {kind}"))
