"""Two venues' order sessions for the benchmark of the execution path, in a process of its own, with simplefix.

    python -m benchmarks.execution_peer [PAIRS]

Writes its two ports as one line of JSON and serves until its input ends. Each order of the
first PAIRS pairs of `execution_site` is filled at once, as a whole; all others are read and left open.
"""

import json
import os
import selectors
import socket
import sys
import time

import simplefix

BEGIN_STRINGS = ("FIX.4.4", "FIX.4.2")


class Session:
    """One connection: its parser and its numbers."""

    def __init__(self, connection: socket.socket, begin_string: str) -> None:
        self.connection = connection
        self.begin_string = begin_string
        self.parser = simplefix.FixParser()
        self.next_out = 1
        self.client = b"CMC"

    def send(self, msg_type: str, *fields: tuple[int, object]) -> None:
        """A message with the next number."""
        message = simplefix.FixMessage()
        stamp = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
        head = (
            (8, self.begin_string),
            (35, msg_type),
            (34, self.next_out),
            (49, "VENUE"),
            (56, self.client),
            (52, stamp),
        )
        for tag, value in (*head, *fields):
            message.append_pair(tag, value)
        self.next_out += 1
        self.connection.sendall(message.encode())

    def take(self, message: simplefix.FixMessage, filled: frozenset[bytes]) -> None:
        """Answer a message."""
        kind = message.get(35)
        if kind == b"A":
            self.client = message.get(49) or b""
            reset = ((141, "Y"),) if message.get(141) == b"Y" else ()
            self.send("A", (98, "0"), (108, message.get(108)), *reset)
        elif kind == b"1":
            self.send("0", (112, message.get(112)))
        elif kind == b"5":
            self.send("5")
        elif kind == b"D" and message.get(55) in filled:
            self._fill(message)

    def _fill(self, order: simplefix.FixMessage) -> None:
        lots, px = order.get(38), order.get(44)
        domestic = self.begin_string == BEGIN_STRINGS[0]
        kind: tuple[tuple[int, object], ...] = ((150, "F"), (75, "20260105")) if domestic else ((20, "0"), (150, "2"))
        same = tuple((tag, order.get(tag)) for tag in (11, 1, 55, 54, 38, 44))
        ids = ((37, f"V{self.next_out}"), (17, f"E{self.next_out}"))
        self.send("8", *ids, *kind, (39, "2"), *same, (32, lots), (31, px), (151, "0"), (14, lots), (6, px))


def serve(filled: frozenset[bytes]) -> None:
    """Until standard input ends; as the last of all processes, see below."""
    # A venue has a machine of its own. Here it shares the cores: woken by the first order, it would take the core from
    # execution before that has returned from its write, and its own work would be counted as execution's.
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.nice(10)
    selector = selectors.DefaultSelector()
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in BEGIN_STRINGS]
    for listener, begin_string in zip(listeners, BEGIN_STRINGS, strict=True):
        selector.register(listener, selectors.EVENT_READ, begin_string)
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    print(json.dumps([listener.getsockname()[1] for listener in listeners]), flush=True)
    while True:
        for key, _ in selector.select():
            if key.data is None:
                return
            if isinstance(key.data, str) and isinstance(key.fileobj, socket.socket):
                connection, _ = key.fileobj.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ, Session(connection, key.data))
                continue
            data = key.data.connection.recv(65536)
            if not data:
                selector.unregister(key.fileobj)
                key.data.connection.close()
                continue
            key.data.parser.append_buffer(data)
            while (message := key.data.parser.get_message()) is not None:
                key.data.take(message, filled)


if __name__ == "__main__":
    pairs = range(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    serve(frozenset(f"{name}{pair}".encode() for name in ("cu", "CA") for pair in pairs))
