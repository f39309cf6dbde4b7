"""A plain FIX client for tests and examples, blocking, on simplefix: connect, log on, send, read.

It keeps the two numbers and answers TestRequests; it repairs nothing, so that a test can see and do everything itself.
"""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import simplefix

from simulators.fix.wire import Framer, Message, parse

Fields = list[tuple[int, str | int]]


def utc_now() -> str:
    """SendingTime(52) of now, milliseconds."""
    return datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]


class FixClient:
    """One session. `next_out` and `next_in` may be set before `connect`, to play a client that remembers."""

    def __init__(
        self, port: int, begin_string: str, comp_id: str, target_comp_id: str, timeout_s: float = 10.0
    ) -> None:
        self._port = port
        self._begin_string = begin_string
        self._comp_id = comp_id
        self._target = target_comp_id
        self._timeout_s = timeout_s
        self.next_out = 1
        self.next_in = 1
        self._framer = Framer()
        self._ready: list[Message] = []
        self._socket: socket.socket | None = None

    def connect(self) -> Self:
        """Open the connection."""
        self._socket = socket.create_connection(("127.0.0.1", self._port), self._timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._framer = Framer()
        self._ready.clear()
        return self

    def close(self) -> None:
        """Close it, without a Logout."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        return self.connect()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connected(self) -> socket.socket:
        if self._socket is None:
            message = "not connected: call connect() first"
            raise ConnectionError(message)
        return self._socket

    # Out -------------------------------------------------------------------------------------------------------------

    def encode(self, msg_type: str, fields: Fields, seq: int | None = None, header: Fields | None = None) -> bytes:
        """A whole message; simplefix counts length and checksum."""
        message = simplefix.FixMessage()
        message.append_pair(8, self._begin_string, header=True)
        message.append_pair(35, msg_type, header=True)
        for tag, value in ((49, self._comp_id), (56, self._target), (34, self.next_out if seq is None else seq)):
            message.append_pair(tag, value, header=True)
        given = dict(header or [])
        message.append_pair(52, given.pop(52, utc_now()), header=True)
        for tag, value in given.items():
            message.append_pair(tag, value, header=True)
        for tag, value in fields:
            message.append_pair(tag, value)
        return bytes(message.encode())

    def send(self, msg_type: str, fields: Fields, header: Fields | None = None) -> int:
        """Send under the next number; returns it."""
        seq = self.next_out
        self.write(self.encode(msg_type, fields, seq, header))
        self.next_out = seq + 1
        return seq

    def write(self, data: bytes) -> None:
        """Raw bytes."""
        self._connected().sendall(data)

    def logon(self, *, reset: bool = True, heartbeat_s: int = 30, extra: Fields | None = None) -> Message:
        """Log on and return the answer, which is a Logon(35=A) when all went well."""
        if reset:
            self.next_out = self.next_in = 1
        fields: Fields = [(98, 0), (108, heartbeat_s), *([(141, "Y")] if reset else []), *(extra or [])]
        self.send("A", fields)
        return self.read()

    def subscribe(self, md_req_id: str, symbols: list[str], *, kind: str = "1", update_type: str = "0") -> None:
        """MarketDataRequest(35=V) for bids, offers and trades, all levels."""
        rows: Fields = [(262, md_req_id), (263, kind), (264, 0), (265, update_type), (267, 3)]
        rows += [(269, 0), (269, 1), (269, 2), (146, len(symbols)), *((55, symbol) for symbol in symbols)]
        self.send("V", rows)

    def order(
        self, cl_ord_id: str, symbol: str, side: str, qty: int, px: str | None, extra: Fields | None = None
    ) -> int:
        """NewOrderSingle(35=D), a limit order or, with `px` None, a market order; `extra` fields come last."""
        fields: Fields = [(11, cl_ord_id), (1, "A1"), (21, 1), (55, symbol), (54, side), (60, utc_now()), (38, qty)]
        fields += [(40, 1)] if px is None else [(40, 2), (44, px)]
        return self.send("D", fields + (extra or []))

    # In --------------------------------------------------------------------------------------------------------------

    def read(self) -> Message:
        """The next message; ConnectionError when the venue closed, TimeoutError when it says nothing."""
        connected = self._connected()
        end = time.monotonic() + self._timeout_s
        while not self._ready:
            connected.settimeout(max(0.001, end - time.monotonic()))
            data = connected.recv(65536)
            if not data:
                text = "the venue closed the connection"
                raise ConnectionError(text)
            self._ready += [message for raw in self._framer.feed(data) if (message := parse(raw)) is not None]
        first = self._ready.pop(0)
        if first.seq == self.next_in:
            self.next_in += 1
        return first

    def until(self, msg_type: str, limit: int = 10_000) -> Message:
        """The next message of `msg_type`; others are read over, TestRequests answered."""
        for message in self.messages():
            if message.msg_type == msg_type:
                return message
            limit -= 1
            if not limit:
                break
        text = f"no MsgType(35)={msg_type} came"
        raise LookupError(text)

    def messages(self) -> Iterator[Message]:
        """Messages as they come; TestRequests are answered on the way."""
        while True:
            message = self.read()
            if message.msg_type == "1":
                self.send("0", [(112, message.get(112))])
            yield message
