"""An adapter for venues that speak JSON lines over TCP: what a venue that does not speak FIX needs, and no more.

It is small on purpose and not of the product: it shows the port of `gateway/model/port.py` from the other side. Each
session is one connection and one thread; the first line of ours names the client, the venue answers with a welcome.
"""

import json
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.model.instrument import Instrument
from gateway.model.order import BadOrderMessage, ExecType, ExecutionReport, Order, OrderEvent, OrdStatus, Side
from gateway.model.port import Endpoint, Handlers, SendResult, SessionStatus, VenueMessage
from gateway.model.quote import BadMarketData, BookSnapshot, Levels, MarketEvent


class Line:
    """One line to the venue."""

    def __init__(self, **said: object) -> None:
        self.cl_ord_id = str(said.get("id", ""))
        self._text = json.dumps(said)

    def toString(self) -> str:  # noqa: N802 - the port's name
        return self._text


class JsonLink:
    """One session, in a thread of its own; it connects again until it is stopped."""

    def __init__(self, end: Endpoint, clock: Callable[[], int], handlers: Handlers) -> None:
        self.end, self._clock, self._handlers = end, clock, handlers
        self.up, self.since_ns, self.attempts, self.error, self.sent = False, clock(), 0, "", 0
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._asked: dict[str, int] = {}
        self.thread = threading.Thread(target=self._run, daemon=True)

    def send(self, message: VenueMessage) -> SendResult:
        with self._lock:
            if not self.up or self._socket is None:
                return SendResult(ok=False, reason=f"session {self.end.key} is down: {self.error}", msg_seq_num=0)
            self.sent += 1
            if isinstance(message, Line):
                self._handlers.on_sent(self.end.key, message.cl_ord_id, self.sent)
            try:
                self._socket.sendall(message.toString().encode() + b"\n")
            except OSError as error:
                return SendResult(ok=False, reason=str(error), msg_seq_num=self.sent)
            return SendResult(ok=True, reason="", msg_seq_num=self.sent)

    def stop(self) -> None:
        self._stopping.set()
        with self._lock:
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)

    def status(self) -> SessionStatus:
        state = "up" if self.up else "stopped" if self._stopping.is_set() else "connecting"
        end = self.end
        return SessionStatus(
            end.key, end.venue_id, end.kind, state, self.since_ns, self.attempts, self.error, 0, self.sent + 1, 0
        )

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.attempts += 1
            try:
                with socket.create_connection((self.end.host, self.end.port), timeout=5) as connection:
                    self._serve(connection)
            except OSError as error:
                self.error = str(error)
            if self.up:
                self._turn(up=False, detail=self.error or "disconnected")
            self._stopping.wait(self.end.reconnect_s[0])

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(None)
        connection.sendall(json.dumps({"hello": self.end.client_id}).encode() + b"\n")
        with connection.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                recv_ns = self._clock()
                if "welcome" in line:
                    self._socket = connection
                    self._turn(up=True, detail="welcome")
                elif '"pong"' in line:
                    self._pong(json.loads(line), recv_ns)
                else:
                    self._handlers.on_message(self.end.key, line.rstrip("\n"), recv_ns)

    def ask_time(self, name: str) -> SendResult:
        """A question about the time; the answer is a round trip for the calibration of clocks."""
        self._asked[name] = self._clock()
        return self.send(Line(do="ping", ping=name))

    def _pong(self, said: dict[str, Any], recv_ns: int) -> None:
        sent_ns = self._asked.pop(str(said["pong"]), None)
        if sent_ns is not None:
            self._handlers.on_round_trip(self.end.key, sent_ns, int(said["ns"]), recv_ns)

    def _turn(self, *, up: bool, detail: str) -> None:
        self.up, self.since_ns = up, self._clock()
        self._handlers.on_session(self.end.key, up, detail)


class JsonSessions:
    """See gateway.model.port.Sessions."""

    def __init__(self, ends: Sequence[Endpoint], clock: Callable[[], int], handlers: Handlers) -> None:
        self._links = {end.key: JsonLink(end, clock, handlers) for end in ends}
        self.now_ns = clock

    def start(self) -> None:
        for link in self._links.values():
            link.thread.start()

    def stop(self, timeout_s: float) -> bool:
        for link in self._links.values():
            link.stop()
            link.thread.join(timeout_s)
        return not any(link.thread.is_alive() for link in self._links.values())

    def send(self, key: str, message: VenueMessage) -> SendResult:
        return self._links[key].send(message)

    def test_request(self, key: str, test_req_id: str) -> SendResult:
        """The port's name for a question about the time."""
        return self._links[key].ask_time(test_req_id)

    def logged_on(self, key: str) -> bool:
        return self._links[key].up

    def status(self) -> Sequence[SessionStatus]:
        return [link.status() for link in self._links.values()]


class JsonWriter:
    """See gateway.model.port.Writer."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = {one.instrument_id: one for one in instruments.values()}

    def new_order(self, order: Order, transact_ns_utc: int) -> Line:
        one = self._instruments[order.instrument_id]
        px = "" if order.px_ticks is None else str(one.venue_price(order.px_ticks))
        said = {"id": order.cl_ord_id, "symbol": one.symbol, "side": order.side, "lots": order.qty_lots, "px": px}
        return Line(do="order", force=order.time_in_force, effect=order.position_effect, ns=transact_ns_utc, **said)

    def cancel(self, cl_ord_id: str, orig: Order, order_id: str, transact_ns_utc: int) -> Line:
        return Line(do="cancel", id=cl_ord_id, order=orig.cl_ord_id, known=order_id, ns=transact_ns_utc)

    def status_request(self, order: Order, request_id: str = "") -> Line:
        return Line(do="status", id=order.cl_ord_id, request=request_id)

    def mass_status_request(self, request_id: str) -> Line:
        message = f"mass_status {request_id}: this venue is asked for each order"
        raise ValueError(message)

    def mass_cancel(self, request_id: str, transact_ns_utc: int, symbol: str = "") -> Line:
        message = f"mass_cancel {request_id} {transact_ns_utc} {symbol}: each order is cancelled"
        raise ValueError(message)

    def market_data_request(
        self, req_id: str, symbols: Sequence[str], depth: int, *, snapshot_only: bool = False, unsubscribe: bool = False
    ) -> Line:
        what = "book" if snapshot_only else "leave" if unsubscribe else "subscribe"
        return Line(do=what, request=req_id, symbols=list(symbols), depth=depth)


class JsonMarketReader:
    """See gateway.model.port.MarketReader."""

    def __init__(self, venue_id: str, instruments: Mapping[str, Instrument]) -> None:
        self._venue_id, self._instruments = venue_id, instruments

    def decode(self, raw: str, recv_ns: int) -> Sequence[MarketEvent]:
        try:
            said = json.loads(raw)
            one = self._instruments[said["book"]]
            bids, asks = (_levels(one, said[side]) for side in ("bids", "asks"))
            return (BookSnapshot(one.instrument_id, recv_ns, int(said["ns"]), int(said["n"]), 0, bids, asks),)
        except (ValueError, KeyError, TypeError) as error:
            return (BadMarketData(self._venue_id, "", recv_ns, 0, f"{raw[:80]!r}: {error!r}; right would be a book"),)


def _levels(one: Instrument, rows: list[list[Any]]) -> Levels:
    return tuple((one.to_ticks(str(px)), int(lots)) for px, lots in rows)


_SAID = {
    "new": (ExecType.NEW, OrdStatus.NEW),
    "trade": (ExecType.TRADE, OrdStatus.FILLED),
    "cancelled": (ExecType.CANCELED, OrdStatus.CANCELED),
    "unknown": (ExecType.ORDER_STATUS, OrdStatus.REJECTED),
    "works": (ExecType.ORDER_STATUS, OrdStatus.NEW),
    "filled": (ExecType.ORDER_STATUS, OrdStatus.FILLED),
}


class JsonOrderReader:
    """See gateway.model.port.OrderReader."""

    def __init__(self, venue_id: str, instruments: Mapping[str, Instrument]) -> None:
        self._venue_id, self._instruments = venue_id, instruments

    def decode(self, raw: str, recv_ns: int) -> OrderEvent | None:
        try:
            said = json.loads(raw)
            return self._report(said, recv_ns) if "said" in said else None
        except (ValueError, KeyError, TypeError) as error:
            return BadOrderMessage(self._venue_id, recv_ns, 0, "", "", f"{raw[:80]!r}: {error!r}")

    def _report(self, said: dict[str, Any], recv_ns: int) -> ExecutionReport:
        exec_type, status = _SAID[said["said"]]
        one = self._instruments.get(said.get("symbol", ""))
        px = str(said.get("px", "")) if exec_type is ExecType.TRADE else ""
        fill = int(said.get("fill", 0))
        return ExecutionReport(
            venue_id=self._venue_id,
            recv_ns=recv_ns,
            venue_ns=int(said["ns"]),
            msg_seq_num=int(said["n"]),
            poss_dup=False,
            cl_ord_id=said["id"],
            orig_cl_ord_id=said.get("orig", ""),
            order_id=said.get("order", "NONE"),
            exec_id=str(said["n"]),
            exec_key=f"{self._venue_id}|{said['n']}" if exec_type is ExecType.TRADE else "",
            exec_ref_id="",
            exec_type=exec_type,
            ord_status=status,
            instrument_id="" if one is None else one.instrument_id,
            side=Side(said["side"]) if "side" in said else None,
            order_qty_lots=int(said.get("lots", 0)),
            last_qty_lots=fill,
            last_px=px and (one.our_price(px) if one else px),
            last_px_ticks=one.to_ticks(px) if one is not None and px else None,
            cum_qty_lots=int(said.get("cum", 0)),
            leaves_qty_lots=int(said.get("leaves", 0)),
            avg_px=px,
        )


class JsonAdapter:
    """See gateway.model.port.Adapter."""

    def sessions(self, ends: Sequence[Endpoint], clock: Callable[[], int], handlers: Handlers) -> JsonSessions:
        return JsonSessions(ends, clock, handlers)

    def writer(self, instruments: Mapping[str, Instrument], constants: Mapping[str, str]) -> JsonWriter:
        assert not constants
        return JsonWriter(instruments)

    def market_reader(self, venue_id: str, instruments: Mapping[str, Instrument]) -> JsonMarketReader:
        return JsonMarketReader(venue_id, instruments)

    def order_reader(
        self, venue_id: str, instruments: Mapping[str, Instrument], cl_ord_id_of: Callable[[int], str]
    ) -> JsonOrderReader:
        assert cl_ord_id_of(0) == ""
        return JsonOrderReader(venue_id, instruments)


def adapter(path: Path) -> JsonAdapter:
    """What a dialect file names."""
    assert path.suffix == ".toml"
    return JsonAdapter()
