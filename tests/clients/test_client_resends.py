"""A ResendRequest for a whole history: served in parts, whole, in order, and with others in between."""

import tempfile
from collections.abc import Iterator

import pytest
from client_rig import FixClient, Rig, client
from test_client_turns import Desk, frame

from acceptance.certify.wire import read
from gateway.clients.resends import PART, Resends, is_request

NOW = "20261122-01:02:03.000"


def request(begin: object, end: object, number: int = 7) -> bytes:
    return frame("A", number, "2", f"7={begin}|16={end}|")


def ranges(parts: list[bytes]) -> list[tuple[str, str, str]]:
    """(MsgSeqNum, BeginSeqNo, EndSeqNo) of requests whose frame and sum are right."""
    heard = [read(one.decode()) for one in parts]
    return [(one.get("34"), one.get("7"), one.get("16")) for one in heard]


def all_parts(begin: object, end: object, next_out: int) -> list[bytes]:
    """What is passed on of one request, to its end."""
    one = Resends()
    parts = [one.first(request(begin, end), next_out)]
    while one.waits:
        parts.append(one.part(NOW, next_out))
    return parts


@pytest.mark.parametrize(
    ("begin", "end", "next_out", "expected"),
    [
        (1, 0, 501, [("1", "200"), ("201", "400"), ("401", "500")]),
        (1, 999_999, 402, [("1", "200"), ("201", "400"), ("401", "401")]),
        (300, 650, 5000, [("300", "499"), ("500", "650")]),
        (300, 650, 510, [("300", "499"), ("500", "509")]),
    ],
)
def test_a_long_request_is_passed_on_in_parts(
    begin: int, end: int, next_out: int, expected: list[tuple[str, str]]
) -> None:
    """All of one MsgSeqNum(34), without a gap, up to what was asked for or what there is."""
    assert ranges(all_parts(begin, end, next_out)) == [("7", *one) for one in expected]


@pytest.mark.parametrize(
    ("begin", "end", "next_out"),
    [
        (1, 0, 201),
        (1, 200, 9999),
        (1, 0, 0),
        (0, 0, 999),
        ("x", 0, 999),
        (1, "-1", 999),
        (1, "9" * 30, 999),
        (9, 5, 999),
    ],
)
def test_a_short_request_or_one_that_cannot_be_read_is_passed_on_as_it_came(
    begin: object, end: object, next_out: int
) -> None:
    """QuickFIX judges it."""
    assert all_parts(begin, end, next_out) == [request(begin, end)]


def test_a_request_with_a_wrong_sum_is_not_made_right() -> None:
    """It is dropped by QuickFIX, as the standard has it."""
    right = request(1, 0)
    wrong = right[:-4] + (b"000\x01" if right[-4:] != b"000\x01" else b"001\x01")
    one = Resends()
    assert (one.first(wrong, 5000), one.waits) == (wrong, False)


def test_numbers_that_begin_again_end_a_resend() -> None:
    """What is left of the request is of numbers that there are no more."""
    one = Resends()
    one.first(request(1, 0), 5000)
    assert (one.part(NOW, 3), one.waits) == (b"", False)


def test_only_a_resend_request_is_one() -> None:
    """Not a message that has the same text behind its head."""
    assert is_request(request(1, 0))
    assert not is_request(frame("A", 2, "D", "58=35=2|"))
    assert not is_request(frame("A", 2, "1", "112=" + "a" * 40 + "|35=2|"))


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A door, QuickFIX played by a listener."""
    made = Desk()
    made.door.next_out = lambda _client_id: 5 * PART + 1
    yield made
    made.close()


def test_others_have_their_turn_between_two_parts(desk: Desk) -> None:
    """Fifty parts of A: a message of B is passed on before the next of them, whenever it comes."""
    desk.door.next_out = lambda _client_id: 50 * PART + 1
    desk.send("A", frame("A", 2, "2", "7=1|16=0|"))
    desk.until(lambda: len(desk.heard.order) >= 1)
    for number in range(2, 5):
        desk.send("B", frame("B", number, "0"))
        before = len(desk.heard.order)
        desk.door.take()
        assert desk.heard.order[before] == "B"
    desk.until(lambda: desk.heard.order.count("A") == 50)
    desk.door.take()
    assert desk.heard.order.count("A") == 50
    assert not desk.door.busy


def test_a_second_request_waits_for_the_first_to_end_and_other_messages_do_not(desk: Desk) -> None:
    """Two requests of five parts each, and a Heartbeat behind: ten parts and one message in all."""
    requests = frame("A", 2, "2", "7=1|16=0|") + frame("A", 3, "2", "7=1|16=0|") + frame("A", 4, "0")
    desk.send("A", requests)
    desk.until(lambda: desk.heard.order.count("A") == 11)
    desk.door.take()
    assert desk.heard.order.count("A") == 11


@pytest.mark.parametrize("version", ["FIX.4.2", "FIX.4.4", "FIXT.1.1"])
def test_a_history_is_resent_whole_while_new_reports_come(rig: Rig, version: str) -> None:
    """Every number once and in order; what is new meanwhile has its own; the request is counted once."""
    name = f"H{version[-1]}"
    one = rig.client(name, version=version).logon()
    one.order("a", force=1)
    one.read("8")
    for _ in range(3 * PART // 50):
        one.socket.sendall(b"".join(one.text("H", (11, "a"), (55, "CU-CA"), (54, 1)) for _ in range(50)))
        for _ in range(50):
            one.read("8")
    last = int(one.seen[-1]["34"])
    one.seen.clear()
    one.socket.sendall(one.text("2", (7, 1), (16, 0)) + one.text("1", (112, "meanwhile")))
    numbers = _resent(one, last)
    assert numbers == list(range(2, last + 1))
    one.send("1", (112, "after"))
    assert _answered(one, "after")
    assert not [said for said in one.seen if said["35"] in ("2", "3", "5")]


def _resent(one: FixClient, last: int) -> list[int]:
    """Numbers of executions that came again, until the last one has."""
    found: list[int] = []
    while not found or found[-1] < last:
        said = one.read("8")
        assert said["43"] == "Y"
        found.append(int(said["34"]))
    return found


def _answered(one: FixClient, test_id: str) -> bool:
    while True:
        said = one.read("0")
        if not said or said.get("112") == test_id:
            return bool(said)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One process for the three versions."""
    people = [client(f"H{version[-1]}", version=version) for version in ("FIX.4.2", "FIX.4.4", "FIXT.1.1")]
    with tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir:
        made = Rig(tmp_path_factory.mktemp("resends"), bus_dir, people, messages_per_s=20_000)
        made.start()
        yield made
        made.close()
