"""One session's socket: bytes through the network model into the session, actions of the session onto the wire.

Thin: it decides nothing but when bytes move. What arrives waits until the link lets it arrive, what leaves waits until
the link lets it leave; both keep their order. A second connection while one is up is closed at once.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

from simulators.core.network import Link
from simulators.fix.session import Action, Close, Deliver, LoggedOn, SendBytes, Session
from simulators.fix.truth_files import TruthFiles
from simulators.fix.wire import Framer, Message, parse

_EOF = None
_WRITE_LIMIT_BYTES = 32 << 20
"""How far a client may lag behind in reading before its connection is cut."""


class PortOwner(Protocol):
    """What a port needs of the simulator: the time, the application behind the session, and to be woken."""

    def now_ns(self) -> int: ...
    def venue_ns(self, at_ns: int) -> int: ...
    def on_app_message(self, port: "Port", message: Message, at_ns: int) -> None: ...
    def on_session_down(self, port: "Port", at_ns: int) -> None: ...
    def wake(self) -> None: ...


class Port:
    """One session, at most one connection."""

    def __init__(self, name: str, session: Session, to_venue: Link, to_client: Link, files: TruthFiles) -> None:
        self.name = name
        self.session = session
        self._to_venue = to_venue
        self._to_client = to_client
        self._files = files
        self._transport: asyncio.Transport | None = None
        self._framer = Framer()
        self._in: deque[tuple[int, bytes | None]] = deque()
        self._out: deque[tuple[int, bytes | None]] = deque()
        self.refuse_until_ns = 0
        self.garbled = 0
        self.owner: PortOwner

    # From asyncio ----------------------------------------------------------------------------------------------------

    def factory(self) -> Callable[[], asyncio.Protocol]:
        """What asyncio calls for each connection."""
        return lambda: _Connection(self)

    def accept(self, transport: asyncio.Transport) -> None:
        """A client connects, and is let in when nobody else is and no fault keeps it out."""
        now_ns = self.owner.now_ns()
        if self._transport is not None or now_ns < self.refuse_until_ns:
            transport.abort()
            return
        # What the last connection still had under way arrives now, its end included; or that end would end this one.
        self._arrive(now_ns, 1 << 62)
        self._transport = transport
        # asyncio does it only where the socket names its protocol; with Nagle's delay a fill waits 40 ms for an ACK.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._framer = Framer()
        self.session.on_connect(now_ns)
        self.owner.wake()

    def received(self, transport: asyncio.Transport, data: bytes) -> None:
        """Bytes of the client."""
        if transport is not self._transport:
            return
        now_ns = self.owner.now_ns()
        for raw in self._framer.feed(data):
            self._files.message(now_ns, self.name, "in", raw)
            self._in.append((self._to_venue.arrival_ns(now_ns), raw))
        self.owner.wake()

    def lost(self, transport: asyncio.Transport) -> None:
        """The client's end of the connection is gone; what it sent before still arrives."""
        if transport is not self._transport:
            return
        now_ns = self.owner.now_ns()
        self._transport = None
        self._in.append((self._to_venue.arrival_ns(now_ns), _EOF))
        self.owner.wake()

    # From the simulator ----------------------------------------------------------------------------------------------

    def due_at(self) -> int | None:
        """When this port has something to do by itself."""
        times = [queue[0][0] for queue in (self._in, self._out) if queue]
        timer_ns = self.session.next_timer_at()
        if timer_ns is not None:
            times.append(timer_ns)
        return min(times, default=None)

    def work(self, now_ns: int) -> None:
        """Everything that is due by now: arrivals, heartbeats, departures."""
        self._arrive(now_ns, now_ns)
        self.act(self.session.on_timer(now_ns, self.owner.venue_ns(now_ns)), now_ns)
        self.flush(now_ns)

    def _arrive(self, now_ns: int, due_ns: int) -> None:
        while self._in and self._in[0][0] <= due_ns:
            _, raw = self._in.popleft()
            if raw is _EOF:
                self._down(now_ns)
                continue
            message = parse(raw)
            if message is None:
                self.garbled += 1
                continue
            self.act(self.session.on_message(message, now_ns, self.owner.venue_ns(now_ns)), now_ns)

    def send(self, msg_type: str, body: bytes, now_ns: int, *, lost: bool = False) -> None:
        """An application message of the venue."""
        self.act(self.session.send(msg_type, body, now_ns, self.owner.venue_ns(now_ns), lost=lost), now_ns)

    def act(self, actions: list[Action], now_ns: int) -> None:
        """Carry out what the session decided."""
        for action in actions:
            if isinstance(action, SendBytes):
                self._out.append((self._to_client.arrival_ns(now_ns), action.data))
            elif isinstance(action, Deliver):
                self.owner.on_app_message(self, action.message, now_ns)
            elif isinstance(action, Close):
                self._out.append((self._to_client.arrival_ns(now_ns), _EOF))
            elif isinstance(action, LoggedOn):
                pass

    def flush(self, now_ns: int) -> None:
        """Write what has travelled its way, in one go."""
        due: list[bytes] = []
        while self._out and self._out[0][0] <= now_ns:
            _, data = self._out.popleft()
            if data is _EOF:
                self._write(due)
                due = []
                if self._transport is not None:
                    self._transport.close()
            else:
                due.append(data)
        self._write(due)

    def _write(self, due: list[bytes]) -> None:
        if self._transport is None or not due:
            return
        if self._files.messages:
            at_ns = self.owner.now_ns()
            for data in due:
                self._files.message(at_ns, self.name, "out", data)
        self._transport.write(b"".join(due))
        if self._transport.get_write_buffer_size() > _WRITE_LIMIT_BYTES:
            self._transport.abort()

    def drop(self, now_ns: int, refuse_until_ns: int) -> None:
        """Cut the connection: what is on its way in either direction is lost."""
        self.refuse_until_ns = refuse_until_ns
        self._out.clear()
        self._in.clear()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        self._down(now_ns)

    def _down(self, now_ns: int) -> None:
        self.garbled += self._framer.garbled
        self._framer.garbled = 0
        self.session.on_disconnect()
        self._out.clear()
        self.owner.on_session_down(self, now_ns)


class _Connection(asyncio.Protocol):
    """One accepted connection of a port."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._port.accept(self._transport)

    def data_received(self, data: bytes) -> None:
        self._port.received(self._transport, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._port.lost(self._transport)
