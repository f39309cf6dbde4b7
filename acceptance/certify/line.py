"""A connection of a script, from either end, over TCP or TLS. Time is the caller's: two functions are handed in.

What can go wrong: nobody connects within `open_s` (`NobodyError`), or nobody listens (OSError).
"""

import contextlib
import select
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple

from acceptance.certify.script import Step

READ_BYTES = 65_536


class NobodyError(Exception):
    """Nobody has connected in time."""


class Times(NamedTuple):
    """What a script knows of the time."""

    now: Callable[[], float]
    """Seconds on a clock that only counts."""
    stamp: Callable[[int], str]
    """UTC as FIX writes it, with so many seconds added."""


class SocketLine:
    """Connects to an address, or waits at a listener for whoever comes."""

    def __init__(
        self,
        times: Times,
        *,
        address: tuple[str, int] | None = None,
        listener: socket.socket | None = None,
        tls: ssl.SSLContext | None = None,
        tell: Callable[[Step], None] = lambda _step: None,
        lets_in: Callable[[ssl.SSLSocket, str], bool] = lambda _made, _address: True,
        open_s: float = 10.0,
    ) -> None:
        """`lets_in`: whether who has shown this certificate, from this address, is who is waited for."""
        self._times = times
        self._address = address
        self._listener = listener
        self._tls = tls
        self._tell = tell
        self._lets_in = lets_in
        self._open_s = open_s
        self._socket: socket.socket | None = None

    def open(self) -> None:
        self.close()
        if self._address is not None:
            made = socket.create_connection(self._address, timeout=self._open_s)
            if self._tls is not None:
                made = self._tls.wrap_socket(made, server_hostname=self._address[0])
        else:
            made = self._accept()
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = made

    def send(self, data: bytes) -> None:
        if self._socket is not None:
            # Whoever has gone is found out when nothing more can be read of it.
            with contextlib.suppress(ConnectionError):
                self._socket.sendall(data)

    def receive(self, seconds: float) -> bytes | None:
        one = self._socket
        if one is None:
            return b""
        one.settimeout(max(seconds, 0.001))
        try:
            return one.recv(READ_BYTES)
        except TimeoutError:
            return None
        except ConnectionError:
            return b""

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def now(self) -> float:
        return self._times.now()

    def stamp(self, offset_s: int) -> str:
        return self._times.stamp(offset_s)

    def tell(self, step: Step) -> None:
        self._tell(step)

    def another(self) -> "SocketLine":
        """A second connection."""
        return SocketLine(
            self._times,
            address=self._address,
            listener=self._listener,
            tls=self._tls,
            lets_in=self._lets_in,
            open_s=self._open_s,
        )

    def _accept(self) -> socket.socket:
        """The next connection whose handshake succeeds, of whom is waited for."""
        assert self._listener is not None  # noqa: S101 - one of the two is given
        until = self.now() + self._open_s
        while (left := until - self.now()) > 0:
            if not select.select([self._listener], [], [], left)[0]:
                break
            made, (host, *_) = self._listener.accept()
            if _has_gone(made):
                made.close()
                continue
            made.settimeout(max(0.1, until - self.now()))
            if self._tls is None:
                return made
            try:
                shaken = self._tls.wrap_socket(made, server_side=True)
            except (ssl.SSLError, OSError):
                made.close()
                continue
            if self._lets_in(shaken, host):
                return shaken
            shaken.close()
        text = f"nobody has connected within {self._open_s:g} s"
        raise NobodyError(text)


def _has_gone(one: socket.socket) -> bool:
    """Whether whoever connected has hung up again before its turn."""
    one.setblocking(False)  # noqa: FBT003 - the standard library's signature
    try:
        return not one.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
