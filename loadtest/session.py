"""A FIX client's end for load: frames with simplefix, numbers, the messages that load needs.

It shares no code with the gateway. It repairs nothing: a gap or a reject is counted by whoever uses it.
"""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import simplefix

TARGET = "GATEWAY"
FAR = "-99999"
"""A limit on a pair's price that nothing meets: an immediate order that is taken up and ends unfilled."""


class NotLoopbackError(ValueError):
    """Load goes to this machine only."""


def loopback(host: str) -> str:
    """The host, where it is this machine."""
    if host != "localhost" and not ip_address(host).is_loopback:
        message = f"--host {host}: load goes to loopback only, such as 127.0.0.1"
        raise NotLoopbackError(message)
    return host


class Client:
    """One session."""

    def __init__(self, host: str, port: int, name: str) -> None:
        self.name = name
        self.number = 1
        self.socket = socket.create_connection((loopback(host), port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._parser: Any = simplefix.FixParser()

    def send(self, kind: str, fields: list[tuple[int, Any]]) -> None:
        """One message under the next number."""
        message = simplefix.FixMessage()
        now = datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]
        for tag, value in ((8, "FIX.4.4"), (35, kind), (34, self.number), (49, self.name), (52, now), (56, TARGET)):
            message.append_pair(tag, value, header=True)
        for tag, value in fields:
            message.append_pair(tag, value)
        self.number += 1
        self.socket.sendall(message.encode())

    def log_on(self) -> None:
        """Begin at 1; ConnectionError with the gateway's words when it refuses."""
        self.send("A", [(98, 0), (108, 30), (141, "Y")])
        for message in self.read(time.monotonic() + 10):
            if message.get(35) == b"A":
                return
            text = (message.get(58) or b"").decode("ascii", "replace")
            raise ConnectionError(f"{self.name}: logon refused: {text}")
        raise ConnectionError(f"{self.name}: no answer to the logon")

    def order(self, cl_ord_id: str, pair: str) -> None:
        """An immediate order on the pair that meets no price."""
        now = datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]
        self.send("D", [(11, cl_ord_id), (21, 1), (55, pair), (54, 1), (60, now), (38, 1), (40, 2), (44, FAR), (59, 3)])

    def subscribe(self, pair: str) -> None:
        """Market data of the pair."""
        fields: list[tuple[int, Any]] = [(262, self.name), (263, 1), (264, 1), (265, 1), (267, 2), (269, 0), (269, 1)]
        self.send("V", [*fields, (146, 1), (55, pair)])

    def read(self, until_s: float, chunk: int = 65_536) -> Iterator[Any]:
        """Messages as they come, until the time; TestRequests are answered. ConnectionError when the line is cut."""
        while True:
            message = self._parser.get_message()
            if message is not None:
                if message.get(35) == b"1":
                    self.send("0", [(112, message.get(112))])
                yield message
                continue
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return
            self.socket.settimeout(left_s)
            try:
                data = self.socket.recv(chunk)
            except TimeoutError:
                return
            if not data:
                raise ConnectionError(f"{self.name}: the gateway cut the line")
            self._parser.append_buffer(data)

    def close(self) -> None:
        """End the line without a word."""
        self.socket.close()
