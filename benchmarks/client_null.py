"""An acceptor that does nothing: it logs clients on and answers each order with a bare ExecutionReport(35=8).

`python -m benchmarks.client_null PORT`. Plain sockets, one thread, no FIX engine, no checks, no journal, no bus: what
the same load costs a machine where nothing is done with it. It runs until it is ended.

What can go wrong: it believes whatever it reads; a peer that is no load of ours gets no sense out of it.
"""

import selectors
import socket
import sys
import time

STAMP_NS = 1_000_000
"""How long one stamp of its messages is used."""


class Session:
    """One connection: reads messages, writes answers."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._rest = b""
        self._number = 0
        self._stamp = b""
        self._stamped_ns = 0

    def serve(self) -> bool:
        """Answer what has come; False when the peer has gone."""
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError:
            return False
        if not data:
            return False
        *whole, self._rest = (self._rest + data).split(b"\x0110=")
        answers = b"".join(self._answer(part) for part in whole)
        if answers:
            self.socket.sendall(answers)
        return True

    def _answer(self, message: bytes) -> bytes:
        kind = _field(message, b"35")
        if kind == b"A":
            return self._message(message, b"A", b"98=0\x01108=" + _field(message, b"108") + b"\x01141=Y\x01")
        if kind != b"D":
            return b""
        name = _field(message, b"11")
        body = b"37=1\x0111=%b\x0117=%d\x01150=0\x0139=0\x0155=%b\x0154=1\x0138=1\x01151=1\x0114=0\x016=0\x01"
        return self._message(message, b"8", body % (name, self._number, _field(message, b"55")))

    def _message(self, asked: bytes, kind: bytes, body: bytes) -> bytes:
        self._number += 1
        now_ns = time.time_ns()
        if now_ns - self._stamped_ns > STAMP_NS:
            second, rest = divmod(now_ns, 10**9)
            self._stamped_ns = now_ns
            self._stamp = b"%b.%03d" % (
                time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(second)).encode(),
                rest // 10**6,
            )
        sender, target = _field(asked, b"56"), _field(asked, b"49")
        head = b"35=%b\x0134=%d\x0149=%b\x0152=%b\x0156=%b\x01%b"
        inside = head % (kind, self._number, sender, self._stamp, target, body)
        text = b"8=FIX.4.4\x019=%d\x01%b" % (len(inside), inside)
        return text + b"10=%03d\x01" % (sum(text) % 256)


def _field(message: bytes, tag: bytes) -> bytes:
    return message.partition(b"\x01" + tag + b"=")[2].partition(b"\x01")[0]


def main() -> int:
    """Serve for ever."""
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
    waits = selectors.DefaultSelector()
    waits.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in waits.select():
            if key.data is None:
                connected, _ = listener.accept()
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                waits.register(connected, selectors.EVENT_READ, Session(connected))
            elif not key.data.serve():
                waits.unregister(key.fileobj)
                key.data.socket.close()


if __name__ == "__main__":
    sys.exit(main())
