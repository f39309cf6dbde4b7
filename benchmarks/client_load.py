"""Many clients that order at a set rate, from due times: `python -m benchmarks.client_load PORT SESSIONS RATE SECONDS`.

Plain sockets, one thread; orders are built from a template, answers are counted and dropped. It prints one line when
every session is logged on, and one at its end: orders sent, acknowledgements read, the most that was late with sending.
"""

import selectors
import socket
import sys
import time

from benchmarks.pacing import due_times

PREFIX = "LOAD"


class Session:
    """One client's end: logs on, sends, counts what is acknowledged."""

    def __init__(self, port: int, name: str, *, pair: str) -> None:
        self.name = name
        self._pair = pair
        self._number = 0
        self.acked = 0
        self._rest = b""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_on(self) -> None:
        """Begin at 1 and wait for the answer."""
        self.socket.sendall(self._message("A", "98=0\x01108=60\x01141=Y\x01"))
        self.socket.settimeout(10)
        said = self.socket.recv(4096)
        if b"\x0135=A\x01" not in said:
            message = f"{self.name}: no Logon(35=A) in answer: {said!r}"
            raise RuntimeError(message)
        self.socket.setblocking(False)  # noqa: FBT003 - the standard library's signature

    def order(self, cl_ord_id: str) -> bytes:
        """An immediate order on the pair that meets no price."""
        stamp = _stamp()
        body = (
            f"11={cl_ord_id}\x0121=1\x0155={self._pair}\x0154=1\x0160={stamp}\x0138=1\x0140=2\x0144=-99999\x0159=3\x01"
        )
        return self._message("D", body)

    def take(self) -> list[str]:
        """ClOrdIDs of the acknowledgements that have come."""
        try:
            data = self._rest + self.socket.recv(1 << 18)
        except BlockingIOError:
            return []
        *whole, self._rest = data.split(b"\x0110=")
        found = []
        for part in whole:
            if b"\x01150=0\x01" in part:
                self.acked += 1
                found.append(part.partition(b"\x0111=")[2].partition(b"\x01")[0].decode())
        return found

    def _message(self, kind: str, body: str) -> bytes:
        self._number += 1
        head = f"35={kind}\x0134={self._number}\x0149={self.name}\x0152={_stamp()}\x0156=GATEWAY\x01{body}"
        text = f"8=FIX.4.4\x019={len(head)}\x01{head}".encode()
        return text + f"10={sum(text) % 256:03d}\x01".encode()


_SECOND: list[object] = [0, ""]


def _stamp() -> str:
    now_ns = time.time_ns()
    second, rest = divmod(now_ns, 10**9)
    if _SECOND[0] != second:
        _SECOND[:] = [second, time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(second))]
    return f"{_SECOND[1]}.{rest // 10**6:03d}"


def main() -> int:
    """Log on, order at the rate, wait for the last answers."""
    port, count, rate, seconds = (int(word) for word in sys.argv[1:5])
    sessions = [Session(port, f"{PREFIX}{number}", pair=sys.argv[5]) for number in range(count)]
    waits = selectors.DefaultSelector()
    for one in sessions:
        one.log_on()
        waits.register(one.socket, selectors.EVENT_READ, one)
    print("ready", flush=True)
    sys.stdin.readline()
    late_ns = sent = 0
    for number, due_ns in enumerate(due_times(rate, rate * seconds)):
        one = sessions[number % count]
        late_ns = max(late_ns, time.monotonic_ns() - due_ns)
        one.socket.setblocking(True)  # noqa: FBT003
        one.socket.sendall(one.order(f"{time.monotonic_ns():x}.{number}"))
        one.socket.setblocking(False)  # noqa: FBT003
        sent += 1
        if not number % 8:
            _drain(waits, 0)
    end_ns = time.monotonic_ns() + 5 * 10**9
    while sum(one.acked for one in sessions) < sent and time.monotonic_ns() < end_ns:
        _drain(waits, 0.05)
    acked = sum(one.acked for one in sessions)
    print(f"{sent} {acked} {late_ns}", flush=True)
    return 0


def _drain(waits: selectors.BaseSelector, timeout_s: float) -> None:
    for key, _ in waits.select(timeout_s):
        key.data.take()


if __name__ == "__main__":
    sys.exit(main())
