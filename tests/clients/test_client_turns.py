"""Whose message comes next at the door when several wait, on sockets of this machine and a clock that the test moves."""

import socket
from collections.abc import Callable, Iterator

import pytest

from gateway.clients.admission import Entry
from gateway.processes.clients_connection import Limits
from gateway.processes.clients_door import Door
from gateway.processes.durations import MS

STEP_NS = MS // 4
"""What each look at the clock takes here: a turn is some two messages long."""


def frame(sender: str, number: int, kind: str, body: str = "") -> bytes:
    """A whole FIX.4.4 message."""
    said = f"35={kind}|34={number}|49={sender}|52=20261122-00:00:00.000|56=GATEWAY|{body}".replace("|", "\x01")
    head = f"8=FIX.4.4\x019={len(said)}\x01{said}"
    return f"{head}10={sum(head.encode()) % 256:03}\x01".encode()


def entry(name: str) -> Entry:
    """A client that needs neither password nor certificate."""
    return Entry(
        client_id=name,
        begin_string="FIX.4.4",
        target_comp_id="GATEWAY",
        username="",
        password="",
        certificate_cn="",
        certificate_sha256="",
        addresses=(),
        drop_copy=False,
        cancel_on_disconnect=False,
        heart_bt_s=(1, 60),
    )


class Heard:
    """Sessions that take everything and note who said it."""

    def __init__(self) -> None:
        self.order: list[str] = []

    def admit(self, client_id: str, raw: bytes) -> None:
        """Let in."""

    def saw(self, client_id: str, raw: bytes) -> None:  # noqa: ARG002 the sessions' signature
        """A message was passed on."""
        self.order.append(client_id)

    def dismiss(self, client_id: str) -> None:
        """Gone."""

    def poll(self) -> None:
        """Nothing to do."""


class Desk:
    """A door, the inner listener that stands for QuickFIX's, clients."""

    def __init__(self) -> None:
        self.now_ns = 10**12
        self.heard = Heard()
        self.inner = socket.create_server(("127.0.0.1", 0))
        self.sockets: dict[str, socket.socket] = {}
        names = ("A", "B", "QUIET")
        entries = {name: entry(name) for name in names}
        limits = Limits(10**10, 10, 65_536, 1 << 20, 10**10, 10_000)
        self.door = Door(
            self.heard, self.inner.getsockname()[1], entries, limits, self.clock, lambda: "", lambda _who, _why: None
        )
        port = self.door.listen("127.0.0.1", 0)
        for name in names:
            self.sockets[name] = socket.create_connection(("127.0.0.1", port))
            self.send(name, frame(name, 1, "A", "98=0|108=30|"))
            self.until(lambda name=name: name in self.door.by_client)  # type: ignore[misc]
        self.until(lambda: len(self.heard.order) == len(names))
        self.heard.order.clear()

    def clock(self) -> int:
        """A little later at each look."""
        self.now_ns += STEP_NS
        return self.now_ns

    def send(self, name: str, data: bytes) -> None:
        """From a client."""
        self.sockets[name].sendall(data)

    def until(self, done: Callable[[], bool]) -> None:
        """Turns, until it is so."""
        for _ in range(10_000):
            self.door.take()
            if done():
                return
        raise AssertionError("it never came to that")

    def close(self) -> None:
        """End all sockets."""
        self.door.close()
        for one in (*self.sockets.values(), self.inner):
            one.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A door with two busy clients and a quiet one."""
    made = Desk()
    yield made
    made.close()


def test_a_quiet_client_comes_before_what_bursts_of_others_have_waiting(desk: Desk) -> None:
    """With 400 messages of two others waiting, its one message is passed on in the first turn after it has come."""
    for name in ("A", "B"):
        desk.send(name, b"".join(frame(name, number, "0") for number in range(2, 202)))
    desk.until(lambda: len(desk.heard.order) >= 20)
    desk.send("QUIET", frame("QUIET", 2, "0"))
    before = len(desk.heard.order)
    desk.door.take()
    assert desk.heard.order[before] == "QUIET"
    desk.until(lambda: len(desk.heard.order) == 401)


def test_those_who_burst_are_served_in_turn(desk: Desk) -> None:
    """Two bursts of the same length are passed on one by one, and neither is ahead by more than one message."""
    for name in ("A", "B"):
        desk.send(name, b"".join(frame(name, number, "0") for number in range(2, 102)))
    desk.until(lambda: len(desk.heard.order) == 200)
    lead = 0
    for name in desk.heard.order[4:]:
        lead += 1 if name == "A" else -1
        assert abs(lead) <= 1
