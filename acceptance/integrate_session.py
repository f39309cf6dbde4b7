"""A plain FIX session for certification dialogs: a socket, two numbers, a log of every message. No engine beside it.

It frames, numbers and logs; what is said and expected is the dialog's matter. The body of an application message comes
from the gateway's own encoder, so that the venue judges what the gateway will really send; numbers, gaps and resends
are set by hand here, which an engine would not allow.

What can go wrong: nobody listens, or the venue closes: DialogError says so with the address.
"""

import select
import socket
from collections.abc import Callable, Mapping
from typing import NamedTuple

from gateway.fix.dialect import Dialect
from gateway.fix.encode import StampWriter, resolve
from gateway.fix.scan import SOH, Fields, scan

_CONNECT_S = 5.0


class DialogError(Exception):
    """A step of a dialog that did not come out as expected; says what came instead."""


class Ends(NamedTuple):
    """Where a session goes and how it names itself."""

    host: str
    port: int
    sender: str
    target: str
    sender_sub_id: str
    username: str
    password: str
    constants: Mapping[str, str]


class Clocks(NamedTuple):
    """Time, handed in."""

    monotonic_ns: Callable[[], int]
    utc_ns: Callable[[], int]


class Heard(NamedTuple):
    """A message of the venue."""

    raw: str
    fields: Fields
    at_ns: int

    @property
    def kind(self) -> str:
        return self.fields.get("35", "")


class PlainSession:
    """One FIX session; `log` holds every message as it went, with direction and time."""

    def __init__(self, ends: Ends, dialect: Dialect, clocks: Clocks) -> None:
        self.ends, self.dialect, self.clocks = ends, dialect, clocks
        self.next_out = 1
        self.log: list[tuple[int, str, str]] = []
        self._stamps = StampWriter(dialect.time_digits)
        self._socket: socket.socket | None = None
        self._buffer = b""

    def connect(self) -> None:
        """Open the connection."""
        self.close()
        try:
            self._socket = socket.create_connection((self.ends.host, self.ends.port), _CONNECT_S)
        except OSError as error:
            text = f"{self.ends.host}:{self.ends.port}: {error.strerror or error}"
            raise DialogError(text) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def close(self) -> None:
        """End it without a Logout."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def logon(self, heartbeat_s: int, *, reset: bool = True) -> Heard:
        """Log on with what the dialect asks for; the venue's answer."""
        if reset:
            self.next_out = 1
        ends = self.ends
        values = {"username": ends.username, "password": ends.password}
        values["password_length"] = str(len(ends.password)) if ends.password else ""
        extra = "".join(
            f"{rule.tag}={value}{SOH}"
            for rule in self.dialect.logon
            if (value := resolve(rule, values, ends.constants))
        )
        version = f"1137=9{SOH}" if ends_with_transport(self.dialect) and "1137=" not in extra else ""
        self.send(f"35=A{SOH}98=0{SOH}108={heartbeat_s}{SOH}{f'141=Y{SOH}' if reset else ''}{version}{extra}")
        heard = self.next(lambda one: one.kind in {"A", "5", "3"}, _CONNECT_S)
        if heard.kind != "A":
            text = f"{shown(heard.raw)}; a Logon(35=A) would be right"
            raise DialogError(text)
        return heard

    def send(self, body: str, *, seq: int | None = None, more: str = "") -> int:
        """Send a body, which begins with 35=, under the next number; the number. `more` goes into the header."""
        number = self.next_out if seq is None else seq
        kind, _, rest = body.partition(SOH)
        sub = f"50={self.ends.sender_sub_id}{SOH}" if self.ends.sender_sub_id else ""
        stamp = self._stamps.text(self.clocks.utc_ns())
        text = (
            f"{kind}{SOH}34={number}{SOH}49={self.ends.sender}{SOH}{sub}56={self.ends.target}{SOH}52={stamp}{SOH}"
            f"{more}{rest}"
        )
        data = f"8={self.dialect.begin_string}{SOH}9={len(text.encode('latin-1'))}{SOH}{text}".encode("latin-1")
        data += b"10=%03d\x01" % (sum(data) % 256)
        if self._socket is None:
            message = "not connected"
            raise DialogError(message)
        self.log.append((self.clocks.utc_ns(), ">", data.decode("latin-1")))
        try:
            self._socket.sendall(data)
        except OSError as error:
            text = f"the venue closed the connection: {error.strerror or error}"
            raise DialogError(text) from error
        if seq is None:
            self.next_out += 1
        return number

    def next(self, wanted: Callable[[Heard], bool], within_s: float) -> Heard:
        """The next message that is wanted; TestRequests on the way are answered, others passed over."""
        end_ns = self.clocks.monotonic_ns() + int(within_s * 10**9)
        seen: list[str] = []
        while True:
            left_s = (end_ns - self.clocks.monotonic_ns()) / 10**9
            heard = self._read(left_s) if left_s > 0 else None
            if heard is None:
                text = f"nothing of the kind within {within_s:g} s; came: {', '.join(seen[-6:]) or 'nothing'}"
                raise DialogError(text)
            if wanted(heard):
                return heard
            if heard.kind == "1":
                self.send(f"35=0{SOH}112={heard.fields.get('112', '')}{SOH}")
            seen.append(f"35={heard.kind}" + (f" {heard.fields['58']}" if "58" in heard.fields else ""))

    def _read(self, within_s: float) -> Heard | None:
        end_ns = self.clocks.monotonic_ns() + int(within_s * 10**9)
        while True:
            whole, self._buffer = _cut(self._buffer)
            if whole:
                raw = whole.decode("latin-1")
                self.log.append((self.clocks.utc_ns(), "<", raw))
                return Heard(raw, scan(raw), self.clocks.monotonic_ns())
            left_s = (end_ns - self.clocks.monotonic_ns()) / 10**9
            if self._socket is None or left_s <= 0 or not select.select([self._socket], [], [], left_s)[0]:
                return None
            try:
                data = self._socket.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                text = "the venue closed the connection"
                raise DialogError(text)
            self._buffer += data


def ends_with_transport(dialect: Dialect) -> bool:
    """Whether the session speaks FIXT, whose Logon names the version of the application."""
    return dialect.begin_string.startswith("FIXT")


def shown(raw: str) -> str:
    """A message as a person reads it."""
    return raw.replace(SOH, "|")


def _cut(buffer: bytes) -> tuple[bytes, bytes]:
    """The first whole message of a buffer, and the rest."""
    start = buffer.find(b"\x0110=")
    if start < 0:
        return b"", buffer
    end = buffer.find(b"\x01", start + 1)
    if end < 0:
        return b"", buffer
    return buffer[: end + 1], buffer[end + 1 :]
