"""Values that fit FIX and nothing else: refused by name before they reach a number of 64 bits or a journal record."""

import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import psutil
import pytest
from fix_peer import Peer
from fix_values import CU, DOMESTIC, wire
from test_fix_sessions import KEY, World

from gateway.fix import link
from gateway.fix.orders import OrderDecoder
from gateway.fix.scan import readable
from gateway.model.order import BadOrderMessage, ExecutionReport, OrderEvent

FILL = (
    "8=FIX.4.4|35=8|34=9|52=20260105-01:02:03.100|1=A1|6=71230|11=T1|14=2|17=E7|31=71230|32=2|37=O1|38=5|39=1|54=2|"
    "55=cu2609|60=20260105-01:02:03.004|75=20260105|150=F|151=3|"
)


def decode(raw: str) -> OrderEvent | None:
    return OrderDecoder(DOMESTIC, "SHFE", {"cu2609": CU}).decode(wire(raw), 7)


REFUSED = """
was                   | is                    | reason
32=2                  | 32=1000000001         | LastQty(32) '1000000001'; right would be at most 1000000000 lots
14=2                  | 14=999999999999999999 | CumQty(14) '999999999999999999'; right would be at most
60=20260105           | 60=99991231           | TransactTime(60) '99991231-01:02:03.004'; right would be a moment
60=20260105           | 60=00010101           | from 1970 to 2261
32=2|                 |                       | LastQty(32) is missing
"""


@pytest.mark.parametrize("row", REFUSED.strip().splitlines()[1:])
def test_what_no_record_could_hold_is_named(row: str) -> None:
    """Beyond what is believed, it is a bad message that names tag and value."""
    was, becomes, reason = (cell.strip() for cell in row.split(" | "))
    raw = FILL.replace(f"|{was}", f"|{becomes}", 1)
    event = decode(raw)
    assert isinstance(event, BadOrderMessage)
    assert reason in event.reason
    msgspec.msgpack.encode(event)


def test_a_correction_without_its_quantity_is_not_guessed() -> None:
    """ExecType(150)=G with no LastQty(32) would otherwise take the whole fill back."""
    event = decode(FILL.replace("|150=F|", "|150=G|19=E1|").replace("|32=2|", "|"))
    assert isinstance(event, BadOrderMessage)
    assert "LastQty(32) is missing" in event.reason


def test_a_message_longer_than_a_record_is_named() -> None:
    """A text of 70 000 characters does not enter the journal."""
    event = decode(FILL + f"58={'y' * 70_000}|")
    assert isinstance(event, BadOrderMessage)
    assert "at most 65536" in event.reason


GBK = "交易所未开盘".encode("gbk")
TEXTS = [
    (b"closed", "closed"),
    ("未开盘".encode(), "未开盘"),
    (GBK, "交易所未开盘"),
    (b"\xff\xfe", "\\udcff\\udcfe"),
]


@pytest.mark.parametrize(("data", "text"), TEXTS)
def test_texts_of_any_encoding_can_be_written_down(data: bytes, text: str) -> None:
    """UTF-8 and GBK are read, what is neither is escaped; separators stay where they were."""
    given = b"35=8\x0158=" + data + b"\x0110=001\x01"
    found = readable(given.decode("utf-8", "surrogateescape"))
    assert found == f"35=8\x0158={text}\x0110=001\x01"
    json.dumps(found).encode()
    found.encode()


def test_a_venue_that_speaks_gbk_ends_nothing(tmp_path: Path) -> None:
    """A report and a Logout with a Text(58) in GBK arrive as words, and the process lives."""
    peer = Peer()
    world = World(tmp_path, peer.port)
    try:
        world.next("session")
        for msg_type, fields in ((b"8", b"11=T1\x01150=0"), (b"5", b"108=1")):
            body = b"35=%s\x0134=%d\x0149=VENUE\x01" % (msg_type, peer.next_out)
            body += b"52=20260105-01:02:03.004\x0156=%s\x01%s\x0158=%s\x01" % (peer.client.encode(), fields, GBK)
            data = b"8=FIX.4.4\x019=%d\x01" % len(body) + body
            assert peer._connection is not None
            peer._connection.sendall(data + b"10=%03d\x01" % (sum(data) % 256))
            peer.next_out += 1
        assert wire("|58=交易所未开盘|") in world.next("message")[1]
        assert world.next("session") == (KEY, False, "venue logged out: 交易所未开盘")
    finally:
        world.sessions.stop(5)
        peer.close()


def test_a_report_is_an_execution_all_the_same() -> None:
    """The message that the others are made of is whole."""
    assert isinstance(decode(FILL), ExecutionReport)


def test_attempts_that_lead_nowhere_leave_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A venue whose host swallows connections costs no descriptor, however often it is tried."""
    monkeypatch.setattr(link, "ATTEMPT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, "-c", FILL_QUEUE, str(port)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"full\n"
            world = World(tmp_path, port)
            try:
                deadline = time.monotonic() + 20
                while world.sessions.status()[0].attempts < 4:
                    assert time.monotonic() < deadline
                    threading.Event().wait(0.02)
            finally:
                world.sessions.stop(10)
                other.communicate()
        assert to_port(port) == []


FILL_QUEUE = """
import socket, sys
held = [socket.socket() for _ in range(2)]
for one in held:
    one.setblocking(False)
    one.connect_ex(("127.0.0.1", int(sys.argv[1])))
print("full", flush=True)
sys.stdin.read()
"""


def to_port(port: int) -> list[object]:
    """Sockets of this process that lead there."""
    found = psutil.Process().net_connections("tcp4")
    return [one for one in found if one.raddr and one.raddr.port == port]
