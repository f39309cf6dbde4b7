"""What QuickFIX sees in one look, with two clients on plain sockets and no loop around it."""

import contextlib
import socket
from pathlib import Path

from client_rig import free_port

from gateway.fix.acceptor import Callbacks, ClientAcceptor, ClientSession

UTC_NS = 1_795_305_600_000_000_000


def frame(sender: str, number: int, kind: str, body: str) -> bytes:
    """A whole FIX.4.4 message, its SendingTime(52) far from any clock."""
    said = f"35={kind}|34={number}|49={sender}|52=20261122-00:00:00|56=GATEWAY|{body}".replace("|", "\x01")
    head = f"8=FIX.4.4\x019={len(said)}\x01{said}"
    return f"{head}10={sum(head.encode()) % 256:03}\x01".encode()


def test_after_a_connection_has_ended_one_look_still_takes_what_others_sent(tmp_path: Path) -> None:
    """B is cut off and seen to be; A's TestRequest is answered in the very next look."""
    up: dict[str, bool] = {}
    port = free_port()
    acceptor = ClientAcceptor(
        [ClientSession(name, "GATEWAY", "FIX.4.4") for name in ("A", "B")],
        port,
        tmp_path / "store",
        tmp_path / "log",
        Callbacks(lambda _name, _raw: None, lambda name, now, _detail: up.__setitem__(name, now)),
        max_latency_s=10**9,
        utc_ns=UTC_NS,
    )
    lines = {name: socket.create_connection(("127.0.0.1", port)) for name in ("A", "B")}
    try:
        for name, line in lines.items():
            acceptor.admit(name, b"")
            line.sendall(frame(name, 1, "A", "98=0|108=30|"))
            for _ in range(1000):
                acceptor.poll()
                if up.get(name):
                    break
            line.settimeout(10)
            assert b"\x0135=A\x01" in line.recv(65_536)
        lines["B"].close()
        for _ in range(1000):
            acceptor.poll()
            if not up["B"]:
                break
        assert up == {"A": True, "B": False}
        lines["A"].sendall(frame("A", 2, "1", "112=here|"))
        lines["A"].setblocking(False)
        acceptor.poll()
        answer = b""
        with contextlib.suppress(BlockingIOError):
            answer = lines["A"].recv(65_536)
        assert b"\x01112=here\x01" in answer
    finally:
        for line in lines.values():
            line.close()
        acceptor.stop()
