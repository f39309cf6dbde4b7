"""One connection of a client at the door, its limits, its TLS. Nothing is read or written here."""

import hashlib
import select
import socket
import ssl
from collections import deque
from enum import Enum
from typing import Any, NamedTuple, Protocol

from gateway.clients.admission import Peer
from gateway.clients.framing import Framer
from gateway.clients.pace import Pace
from gateway.clients.resends import Resends, is_request

RESEND_BELOW_BYTES = 32_768
"""A further part of a resend is begun when no more than this waits to be read."""


class Limits(NamedTuple):
    """See `ClientsSection` of the site file."""

    logon_timeout_ns: int
    max_connections: int
    max_message_bytes: int
    max_pending_bytes: int
    slow_client_ns: int
    messages_per_s: int
    max_connections_per_address: int = 100
    connects_per_s: int = 50


class Engine(Protocol):
    """What the door needs of the sessions."""

    def admit(self, client_id: str, raw: bytes) -> None: ...
    def saw(self, client_id: str, raw: bytes) -> None: ...
    def dismiss(self, client_id: str) -> None: ...
    def poll(self) -> None: ...


class Stage(Enum):
    """How far a connection has come."""

    HANDSHAKE = 1
    LOGON = 2
    OPEN = 3
    CLOSED = 4


class Connection:
    """One client's connection and ours to QuickFIX for it."""

    def __init__(self, outer: socket.socket, peer: Peer, limits: Limits, at_ns: int) -> None:
        self.outer = outer
        self.inner: socket.socket | None = None
        self.peer = peer
        self.stage = Stage.HANDSHAKE if isinstance(outer, ssl.SSLSocket) else Stage.LOGON
        self.since_ns = at_ns
        self.served_ns = at_ns
        """When a message of it was last passed on."""
        self.client_id = ""
        self.cancels = False
        self.reset = False
        self.framer = Framer(limits.max_message_bytes)
        self.frames: deque[bytes] = deque()
        self.resends = Resends()
        self.pace = Pace(limits.messages_per_s, limits.messages_per_s)
        self.pending = bytearray()
        self.slow_since_ns = 0
        self.mask = select.EPOLLIN
        self.inner_open = False
        self.ending = ""
        """Why it ends when the messages that wait of it are passed on; nothing more is read of it."""
        self.messages_in = 0
        self.bytes_out = 0

    def is_ready(self, now_ns: int) -> bool:
        """Whether something of it may be passed on now: a message, or the next part of a resend that it reads."""
        if self.resends.waits and (not self.frames or is_request(self.frames[0])):
            return len(self.pending) <= RESEND_BELOW_BYTES
        return bool(self.frames) and not self.pace.wait_ns(now_ns)


def tls_context(certificate: str, key: str, ca: str) -> ssl.SSLContext:
    """TLS that asks for a certificate of this CA; without one nobody comes in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.options |= ssl.OP_NO_RENEGOTIATION  # a peer could ask for one handshake after the other
    return context


def peer_of(outer: ssl.SSLSocket, address: str) -> Peer:
    """Who has shown which certificate."""
    der = outer.getpeercert(binary_form=True) or b""
    shown = outer.getpeercert() or {}
    subject: Any = shown.get("subject", ())
    names = [str(value) for part in subject for name, value in part if name == "commonName"]
    return Peer(
        address, tls=True, certificate_cn=names[0] if names else "", certificate_sha256=hashlib.sha256(der).hexdigest()
    )
