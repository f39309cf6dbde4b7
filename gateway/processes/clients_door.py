"""The door: connections of clients, before a FIX engine sees a byte of them, and what is written back to them.

It listens (plain on this machine, TLS with a client's certificate beyond it), cuts the stream into messages, lets in
who may log on (`gateway.clients.admission`), and passes whole messages on to QuickFIX over a connection of its own for
each client. What comes back waits here for the client to read it.

So that nobody delays another: no call waits; a connection that says nothing is closed in time; of those whose messages
wait, the one that was served longest ago comes next, one message at a time, and the sockets are looked at again after a
millisecond, so that a burst of others costs a quiet client the message that is under way; none is read faster than
`messages_per_s`; one that does not read what is written to it is cut off. A handshake goes on in the background of all
others. Each end of a connection is logged with its reason.

One thread. `take` is called with what epoll found, then whatever is due is done in `mind`.
"""

import contextlib
import select
import socket
import ssl
from collections.abc import Callable, Mapping

from gateway.clients import admission
from gateway.clients.admission import Entry, Peer, Turned
from gateway.clients.crowd import Crowd
from gateway.clients.framing import TooLongError, fields
from gateway.clients.resends import is_request
from gateway.processes.clients_connection import Connection, Engine, Limits, Stage, peer_of, tls_context
from gateway.processes.durations import MS

READ_BYTES = 16_384
READ_AHEAD = 8
"""While more messages of a connection wait, it is not read further."""
TURN_NS = MS
"""How long messages are passed on before the sockets are looked at again."""
MOST_GARBLED = 100
"""Garbled messages after which a connection is no FIX."""
PAUSE_READING_BYTES = 65_536
"""While so much waits for a client, QuickFIX's side is not read further."""
BACKLOG = 1024
ACCEPTED_AT_ONCE = 4
PEMS = tuple[str, str, str]


class Door:
    """All connections. `say(client or address, reason)` is told of each end and each refusal."""

    def __init__(
        self,
        engine: Engine,
        inner_port: int,
        entries: Mapping[str, Entry],
        limits: Limits,
        clock: Callable[[], int],
        stamp: Callable[[], str],
        say: Callable[[str, str], None],
    ) -> None:
        self._engine = engine
        self._inner_port = inner_port
        self._entries = entries
        self._limits = limits
        self._clock = clock
        self._stamp = stamp
        self._say = say
        self.refusal: Callable[[str], str] = lambda _client_id: ""
        """Why a client that is who it says may not log on now; empty: it may."""
        self.next_out: Callable[[str], int] = lambda _client_id: 0
        """The number that our next message to it will have; 0: not known, and resends are not cut into parts."""
        self._crowd = Crowd(limits.max_connections, limits.max_connections_per_address, limits.connects_per_s)
        self._epoll = select.epoll()
        self._listeners: dict[int, tuple[socket.socket, ssl.SSLContext | None]] = {}
        self._connections: dict[int, Connection] = {}
        """By the descriptor of either socket."""
        self._waiting: dict[int, Connection] = {}
        """Connections with whole messages that wait for their turn, by the outer descriptor."""
        self.by_client: dict[str, Connection] = {}

    @property
    def fd(self) -> int:
        """Becomes readable when `take` has something to do."""
        return self._epoll.fileno()

    def listen(self, host: str, port: int, pems: PEMS | None = None) -> int:
        """Open a listener; with `pems` (certificate, key, CA) on TLS. Gives the port."""
        context = tls_context(*pems) if pems is not None else None
        listener = socket.create_server((host, port), backlog=BACKLOG, reuse_port=False)
        listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
        self._listeners[listener.fileno()] = (listener, context)
        self._epoll.register(listener.fileno(), select.EPOLLIN)
        return int(listener.getsockname()[1])

    @property
    def busy(self) -> bool:
        """Whether messages wait that may be passed on now."""
        now_ns = self._clock()
        return any(one.is_ready(now_ns) for one in self._waiting.values())

    def take(self) -> None:
        """Do what the sockets are ready for."""
        for fd, events in self._epoll.poll(0):
            listener = self._listeners.get(fd)
            if listener is not None:
                self._accept(*listener)
                continue
            one = self._connections.get(fd)
            if one is None or one.stage is Stage.CLOSED:
                continue
            if one.inner is not None and fd == one.inner.fileno():
                self._from_engine(one)
            else:
                self._from_client(one, events)
        self._serve()

    def mind(self) -> None:
        """Close what has said nothing in time, and who does not read."""
        now_ns = self._clock()
        for one in set(self._connections.values()):
            if one.stage in (Stage.HANDSHAKE, Stage.LOGON) and now_ns - one.since_ns > self._limits.logon_timeout_ns:
                self._close(one, f"no Logon(35=A) within {self._limits.logon_timeout_ns // 10**9} s")
            elif one.slow_since_ns and now_ns - one.slow_since_ns > self._limits.slow_client_ns:
                self._close(one, f"does not read: {len(one.pending)} bytes wait for it")

    def pending_bytes(self, client_id: str) -> int:
        """What waits for a client; the largest number where it has no connection."""
        one = self.by_client.get(client_id)
        return len(one.pending) if one is not None else 1 << 62

    def choices(self, client_id: str) -> tuple[bool, bool]:
        """Whether its orders end with its connection, and whether it began again at 1."""
        one = self.by_client.get(client_id)
        return (one.cancels, one.reset) if one is not None else (False, False)

    def peer_of(self, client_id: str) -> Peer | None:
        """Who is at the other end; None while nobody is."""
        one = self.by_client.get(client_id)
        return one.peer if one is not None else None

    def connections(self) -> int:
        return self._crowd.count

    def close(self) -> None:
        for listener, _ in self._listeners.values():
            listener.close()
        for one in set(self._connections.values()):
            self._flush(one)
            self._close(one, "the gateway stops")
        self._epoll.close()

    def _accept(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        """A few new connections in a turn: a flood of them cannot hold up the rest."""
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                outer, (address, *_) = listener.accept()
            except OSError:
                return
            reason = self._crowd.come(address, self._clock())
            if reason:
                outer.close()
                self._say(address, reason)
            else:
                self._begin(outer, address, context)

    def _begin(self, outer: socket.socket, address: str, context: ssl.SSLContext | None) -> None:
        outer.setblocking(False)  # noqa: FBT003
        outer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            outer = context.wrap_socket(outer, server_side=True, do_handshake_on_connect=False)
        one = Connection(outer, Peer(address, context is not None), self._limits, self._clock())
        self._connections[outer.fileno()] = one
        self._epoll.register(outer.fileno(), one.mask)

    def _from_client(self, one: Connection, events: int) -> None:
        if one.stage is Stage.HANDSHAKE and not self._shake(one):
            return
        if events & select.EPOLLOUT:
            self._flush(one)
        if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR) and one.stage is not Stage.CLOSED:
            self._read(one)

    def _shake(self, one: Connection) -> bool:
        """Go on with the handshake; True when it is done."""
        assert isinstance(one.outer, ssl.SSLSocket)  # noqa: S101 - the stage says so
        try:
            one.outer.do_handshake()
        except ssl.SSLWantReadError:
            self._watch(one, select.EPOLLIN)
            return False
        except ssl.SSLWantWriteError:
            self._watch(one, select.EPOLLIN | select.EPOLLOUT)
            return False
        except (ssl.SSLError, OSError) as error:
            self._close(one, f"TLS: {error}")
            return False
        one.peer = peer_of(one.outer, one.peer.address)
        one.stage = Stage.LOGON
        self._watch(one, select.EPOLLIN)
        return True

    def _read(self, one: Connection) -> None:
        try:
            data = one.outer.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            self._close(one, f"connection lost: {error.strerror or error}")
            return
        if not data:
            self._end_after(one, "client closed the connection")
            return
        try:
            one.frames.extend(one.framer.feed(data))
        except TooLongError as error:
            self._end_after(one, str(error))
            return
        one.ending = one.framer.too_long
        if one.framer.garbled > MOST_GARBLED:
            self._close(one, f"{one.framer.garbled} garbled messages: not FIX")
        elif one.frames:
            self._waiting[one.outer.fileno()] = one
            self._read_no_further(one)
        if isinstance(one.outer, ssl.SSLSocket) and one.stage is not Stage.CLOSED and one.outer.pending():
            self._read(one)

    def _end_after(self, one: Connection, reason: str) -> None:
        """It ends when what waits of it is passed on."""
        one.ending = reason
        if one.frames:
            self._read_no_further(one)
        else:
            self._close(one, reason)

    def _read_no_further(self, one: Connection) -> None:
        """While messages of it wait, the rest stays in its own connection."""
        more = len(one.frames) <= READ_AHEAD and not one.ending
        self._watch(one, (one.mask | select.EPOLLIN) if more else one.mask & ~select.EPOLLIN)

    def _serve(self) -> None:
        """Pass messages on, of whoever was served longest ago, until the turn is over."""
        now_ns = self._clock()
        end_ns = now_ns + TURN_NS
        while now_ns < end_ns:
            ready = [one for one in self._waiting.values() if one.is_ready(now_ns)]
            if not ready:
                return
            for one in sorted(ready, key=_served_ns):  # each once, then whoever is ready by then
                if one.stage is not Stage.CLOSED:
                    self._pass_on(one, now_ns)
                    now_ns = self._clock()
                    if now_ns >= end_ns:
                        return

    def _pass_on(self, one: Connection, now_ns: int) -> None:
        """Its next message."""
        one.served_ns = now_ns
        if one.resends.waits and (not one.frames or is_request(one.frames[0])):
            part = one.resends.part(self._stamp(), self.next_out(one.client_id))
            if part:
                self._forward(one, part)
        elif one.frames and one.pace.take(now_ns):
            frame = one.frames.popleft()
            one.messages_in += 1
            if one.stage is Stage.LOGON:
                self._log_on(one, frame)
            else:
                if is_request(frame):
                    frame = one.resends.first(frame, self.next_out(one.client_id))
                self._forward(one, frame)
        if one.stage is Stage.CLOSED:
            return
        self._read_no_further(one)
        if not one.frames and (not one.resends.waits or one.ending):
            self._waiting.pop(one.outer.fileno(), None)
            if one.ending:
                self._close(one, one.ending)

    def _log_on(self, one: Connection, frame: bytes) -> None:
        verdict = admission.judge(frame, one.peer, self._entries)
        if not isinstance(verdict, Turned):
            verdict = self._not_now(verdict.client_id) or verdict
        if isinstance(verdict, Turned):
            said = fields(frame)
            entry = self._entries.get(said.get("49", ""))
            one.pending += admission.logout(entry, said, verdict.told, self._stamp())
            self._flush(one)
            self._close(one, verdict.reason)
            return
        one.client_id, one.cancels, one.reset = verdict
        one.stage = Stage.OPEN
        one.inner = socket.create_connection(("127.0.0.1", self._inner_port))
        one.inner.setblocking(False)  # noqa: FBT003
        one.inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[one.inner.fileno()] = one
        self._epoll.register(one.inner.fileno(), select.EPOLLIN)
        one.inner_open = True
        self.by_client[one.client_id] = one
        self._engine.admit(one.client_id, frame)
        self._engine.poll()  # QuickFIX takes the connection up
        self._forward(one, frame)

    def _not_now(self, client_id: str) -> Turned | None:
        """Why a client that we believe may not log on at this moment."""
        text = f"{client_id} is logged on already" if client_id in self.by_client else self.refusal(client_id)
        return Turned(f"{client_id}: {text}" if client_id not in text else text, text) if text else None

    def _forward(self, one: Connection, frame: bytes) -> None:
        """Give a message to QuickFIX and let it read at once."""
        assert one.inner is not None  # noqa: S101 - the stage says so
        self._engine.saw(one.client_id, frame)
        try:
            one.inner.sendall(frame)
        except OSError:
            self._from_engine(one)
            return
        self._engine.poll()
        if one.stage is Stage.OPEN:
            self._from_engine(one)

    def _from_engine(self, one: Connection) -> None:
        """What QuickFIX has written for this client."""
        if one.inner is None or one.stage is Stage.CLOSED:
            return
        while len(one.pending) < PAUSE_READING_BYTES:
            try:
                data = one.inner.recv(READ_BYTES * 4)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self._flush(one)
                self._close(one, "the session ended")
                return
            one.pending += data
            self._flush(one)
            if len(data) < READ_BYTES * 4:
                break  # it was all that was there; what comes later shows in the poll
        self._pause(one)

    def _pause(self, one: Connection) -> None:
        """QuickFIX's side is read while the client's side takes it."""
        if one.stage is Stage.CLOSED:
            return
        wanted = len(one.pending) < PAUSE_READING_BYTES
        if one.inner is not None and wanted is not one.inner_open:
            one.inner_open = wanted
            self._epoll.modify(one.inner.fileno(), select.EPOLLIN if wanted else 0)
        half = self._limits.max_pending_bytes // 2
        if len(one.pending) <= min(half, PAUSE_READING_BYTES // 2):
            one.slow_since_ns = 0
        elif not one.slow_since_ns:
            one.slow_since_ns = self._clock()

    def _flush(self, one: Connection) -> None:
        """Write what waits, as far as the client takes it."""
        while one.pending:
            try:
                sent = one.outer.send(one.pending)
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                break
            except OSError as error:
                self._close(one, f"connection lost: {error.strerror or error}")
                return
            one.bytes_out += sent
            del one.pending[:sent]
        self._watch(one, (one.mask | select.EPOLLOUT) if one.pending else one.mask & ~select.EPOLLOUT)
        if one.inner is not None and one.stage is Stage.OPEN:
            self._pause(one)

    def _watch(self, one: Connection, mask: int) -> None:
        if mask != one.mask and one.stage is not Stage.CLOSED:
            one.mask = mask
            self._epoll.modify(one.outer.fileno(), mask)

    def _close(self, one: Connection, reason: str) -> None:
        if one.stage is Stage.CLOSED:
            return
        one.stage = Stage.CLOSED
        self._crowd.go(one.peer.address)
        self._say(one.client_id or one.peer.address, reason)
        for end in (one.outer, one.inner):
            if end is None:
                continue
            self._connections.pop(end.fileno(), None)
            self._waiting.pop(end.fileno(), None)
            with contextlib.suppress(OSError, ValueError):
                self._epoll.unregister(end.fileno())
            end.close()
        if one.client_id:
            del self.by_client[one.client_id]
            self._engine.poll()  # QuickFIX sees the end of its side
            self._engine.dismiss(one.client_id)


def _served_ns(one: Connection) -> int:
    return one.served_ns
