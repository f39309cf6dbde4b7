"""A venue's end of a FIX session for tests, with simplefix: answers Logon and TestRequest, keeps what it reads."""

import contextlib
import queue
import socket
import threading
from collections.abc import Callable

import simplefix

SENDING_TIME = "20260105-01:02:03.004"


class Peer:
    """An acceptor for one connection at a time, on a free port of the loopback.

    `on_logon` may send what it likes instead of the ordinary answer; it gets the peer and the Logon.
    """

    def __init__(self, begin_string: str = "FIX.4.4", port: int = 0, next_out: int = 1) -> None:
        self.begin_string = begin_string
        self.next_out = next_out
        self.client = "CMC"
        self.on_logon: Callable[[Peer, simplefix.FixMessage], None] = Peer.accept
        self.messages: queue.Queue[simplefix.FixMessage] = queue.Queue()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def accept(self, _logon: simplefix.FixMessage) -> None:
        """Answer a Logon."""
        self.send("A", (98, "0"), (108, "10"))

    def send(
        self, msg_type: str, *fields: tuple[int, str], header: tuple[tuple[int, str], ...] = (), seq: int = 0
    ) -> None:
        """Write a message with the next number, or with `seq` and none used."""
        message = simplefix.FixMessage()
        message.append_pair(8, self.begin_string)
        message.append_pair(35, msg_type)
        message.append_pair(34, str(seq or self.next_out))
        message.append_pair(49, "VENUE")
        message.append_pair(56, self.client)
        message.append_pair(52, SENDING_TIME)
        for tag, value in (*header, *fields):
            message.append_pair(tag, value)
        self.next_out += 0 if seq else 1
        assert self._connection is not None
        self._connection.sendall(message.encode())

    def read(self, msg_type: str, timeout_s: float = 10.0) -> simplefix.FixMessage:
        """The next message of this type; what is read before it is dropped."""
        while True:
            message = self.messages.get(timeout=timeout_s)
            if text(message, 35) == msg_type:
                return message

    def drop(self) -> None:
        """End the connection without a word."""
        if self._connection is not None:
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection and stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with contextlib.suppress(OSError):
            self.drop()
        self._thread.join(5)

    def _run(self) -> None:
        while True:
            try:
                self._connection, _ = self._listener.accept()
            except OSError:
                return
            with self._connection, contextlib.suppress(OSError):
                self._read()

    def _read(self) -> None:
        assert self._connection is not None
        parser = simplefix.FixParser()
        while data := self._connection.recv(65536):
            parser.append_buffer(data)
            while (message := parser.get_message()) is not None:
                self._take(message)

    def _take(self, message: simplefix.FixMessage) -> None:
        kind = text(message, 35)
        if kind == "A":
            self.client = text(message, 49)
            self.on_logon(self, message)
        elif kind == "1":
            self.send("0", (112, text(message, 112)))
        elif kind == "5":
            self.send("5")
        self.messages.put(message)


def text(message: simplefix.FixMessage, tag: int) -> str:
    """The value of a field, empty where there is none."""
    value = message.get(tag)
    return value.decode() if value is not None else ""
