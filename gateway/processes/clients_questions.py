"""What clients ask that changes nothing: how an order stands, what there is to trade and when, what it costs now.

Answers go out at once and are not written down. What changes later is told to whoever follows it: hours as they change,
prices at the client's pace, and never more than the client reads.
"""

from collections.abc import Callable

from gateway.clients.decode import (
    Asked,
    HoursAsked,
    MarketDataAsked,
    MassStatusAsked,
    SecuritiesAsked,
    StatusAsked,
    Unsupported,
)
from gateway.clients.encode import ClientWriter
from gateway.clients.engine import ClientEngine
from gateway.clients.market import MarketData
from gateway.clients.reference import Hours, Reference
from gateway.clients.telling import Moment
from gateway.execution.outbox import IdSource
from gateway.model.client import BusinessRejected, ClientAction, ClientReport
from gateway.model.order import ExecType, OrdStatus
from gateway.processes import clock

MD_PENDING_BYTES = 65_536
"""While so much waits for a client, market data of it waits too: the newest is sent when it has read on."""


class Questions:
    """`send(client, text, keep=...)` writes a message, `do` carries an action out."""

    def __init__(
        self,
        engine: ClientEngine,
        writers: dict[str, ClientWriter],
        answers: IdSource,
        market_data_interval_ns: int,
        send: Callable[..., None],
        do: Callable[[ClientAction], None],
    ) -> None:
        clients = engine.settings.clients
        self._engine = engine
        self._answers = answers
        self._send = send
        self._do = do
        self._references = {name: Reference(engine.settings, one, writers[name]) for name, one in clients.items()}
        stamps = ClientWriter("FIX.4.4")
        self.market = MarketData(engine.settings, market_data_interval_ns, _to_utc, stamps.stamp)
        self._hours: dict[str, Hours] = {}
        self._hours_of: dict[str, set[str]] = {}
        """Client -> symbols whose trading hours it follows."""

    def gone(self, client_id: str) -> None:
        """Its session is down: nothing is followed for it any more."""
        self.market.gone(client_id)
        self._hours_of.pop(client_id, None)

    def mind(self, now_ns: int, pending_bytes: Callable[[str], int]) -> None:
        """Send prices that are due to those who read."""
        for client_id in self.market.clients():
            if pending_bytes(client_id) < MD_PENDING_BYTES:
                for text in self.market.due(client_id, now_ns):
                    self._send(client_id, text, keep=False)

    def on_hours(self, instrument_id: str, hours: Hours) -> None:
        """An instrument opened or shut: whoever follows it is told."""
        self._hours[instrument_id] = hours
        for client_id, symbols in self._hours_of.items():
            for symbol in symbols:
                self._send(client_id, self._references[client_id].hours("", symbol, self._hours), keep=False)

    def answer(self, asked: Asked) -> None:
        """Answer one question."""
        match asked:
            case StatusAsked():
                self._status(asked)
            case MassStatusAsked():
                self._mass_status(asked)
            case SecuritiesAsked():
                for text in self._references[asked.client_id].securities(asked, self._answers.next()):
                    self._send(asked.client_id, text)
            case HoursAsked():
                self._tell_hours(asked)
            case MarketDataAsked():
                self._market_data(asked)
            case Unsupported():
                reason = (asked.reason, asked.text)
                self._do(BusinessRejected(asked.client_id, asked.msg_seq_num, asked.msg_type, asked.ref_id, *reason))

    def _status(self, asked: StatusAsked) -> None:
        now = Moment(clock.monotonic_ns(), clock.utc_ns())
        order = self._engine.named(asked.client_id, asked.cl_ord_id, asked.order_id)
        if order is not None:
            self._do(self._engine.status(order, now, asked.request_id))
            return
        report = ClientReport(
            client_id=asked.client_id,
            order_id="NONE",
            exec_id="0",
            exec_type=ExecType.ORDER_STATUS,
            ord_status=OrdStatus.REJECTED,
            symbol=asked.symbol,
            side=asked.side,
            order_qty=0,
            leaves_qty=0,
            cum_qty=0,
            avg_px_e9=0,
            utc_ns=now.utc_ns,
            multileg="3",
            cl_ord_id=asked.cl_ord_id,
            ord_rej_reason="5",
            text=f"unknown_order: ClOrdID(11)={asked.cl_ord_id!r} is no order of this session",
            request_id=asked.request_id,
        )
        self._do(report)

    def _mass_status(self, asked: MassStatusAsked) -> None:
        now = Moment(clock.monotonic_ns(), clock.utc_ns())
        reports = self._engine.mass_status(asked.client_id, now, asked.request_id)
        for one in reports:
            self._do(one)
        if not reports:
            text = "no_orders: no order of this session is open"
            self._do(BusinessRejected(asked.client_id, asked.msg_seq_num, "AF", asked.request_id, "1", text))

    def _tell_hours(self, asked: HoursAsked) -> None:
        reference = self._references[asked.client_id]
        symbols = reference.symbols(asked.symbol)
        if not symbols:
            self._send(asked.client_id, reference.no_hours(asked))
        followed = self._hours_of.setdefault(asked.client_id, set())
        for symbol in symbols:
            if asked.subscription == "2":
                followed.discard(symbol)
                continue
            if asked.subscription == "1":
                followed.add(symbol)
            self._send(asked.client_id, reference.hours(asked.request_id, symbol, self._hours))

    def _market_data(self, asked: MarketDataAsked) -> None:
        client = self._engine.settings.clients[asked.client_id]
        texts, refused = self.market.ask(client, asked)
        for text in texts:
            self._send(asked.client_id, text, keep=bool(refused))


def _to_utc(at_ns: int) -> int:
    return clock.utc_ns() - clock.monotonic_ns() + at_ns
