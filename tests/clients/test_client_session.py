"""The session layer as a client's engineer meets it, in the three versions, by an independent codec."""

import time
from collections.abc import Callable

import pytest
from client_rig import FixClient, Rig, client, until

Start = Callable[..., Rig]
VERSIONS = ("FIX.4.2", "FIX.4.4", "FIXT.1.1")


def begin(start: Start, version: str) -> tuple[Rig, FixClient]:
    """A session that is logged on."""
    rig = start(client("FUND1", version=version))
    return rig, rig.client("FUND1", version=version).logon()


@pytest.mark.parametrize("version", VERSIONS)
def test_numbers_heartbeats_and_gaps_are_kept_as_the_standard_says(start: Start, version: str) -> None:
    """TestRequest, a gap of ours, a nested one, duplicates, a gap fill, a reset: in one life of a session."""
    _, one = begin(start, version)
    one.send("1", (112, "t1"))
    assert one.read("0")["112"] == "t1"
    expected = one.next_out
    one.send("1", (112, "late"), seq=expected + 3)
    asked = one.read("2")
    assert (asked["7"], asked["16"]) in ((str(expected), "0"), (str(expected), str(expected + 2)))
    one.send("1", (112, "later"), seq=expected + 5)
    old = (43, "Y"), (122, time.strftime("%Y%m%d-%H:%M:%S", time.gmtime()))
    one.send("4", (123, "Y"), (36, expected + 3), seq=expected, header=old)
    one.send("1", (112, "late"), seq=expected + 3, header=old)
    assert one.read("0")["112"] == "late"
    one.send("4", (123, "Y"), (36, expected + 5), seq=expected + 4, header=old)
    one.send("1", (112, "later"), seq=expected + 5, header=old)
    assert one.read("0")["112"] == "later"
    one.next_out = expected + 6
    one.send("1", (112, "again"), seq=expected + 5, header=old)
    assert one.quiet(("0", "3", "5")), "a duplicate is passed over"
    one.send("4", (36, expected + 20), seq=one.next_out)
    one.next_out = expected + 20
    one.send("1", (112, "after"))
    assert one.read("0")["112"] == "after"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_number_that_is_too_low_ends_the_session_with_words(start: Start, version: str) -> None:
    """Logout that names both numbers; the session goes on at the next logon."""
    rig, one = begin(start, version)
    one.order("a")
    one.read("8")
    one.send("0", seq=1)
    assert "MsgSeqNum too low" in one.read("5")["58"]
    assert one.read() == {}
    until(lambda: "FUND1 down" in rig.log())
    again = rig.client("FUND1", version=version)
    again.next_out = one.next_out
    again.logon()
    again.order("b")
    assert again.read("8")["150"] == "0"


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_sent_is_sent_again_as_a_possible_duplicate(start: Start, version: str) -> None:
    """Executions with PossDupFlag(43) and OrigSendingTime(122); what is of the session alone is filled over."""
    _, one = begin(start, version)
    one.order("a", force=1)
    first = one.read("8")
    one.send("1", (112, "t"))
    one.read("0")
    one.send("2", (7, 1), (16, 0))
    fill = one.read("4")
    again = one.read("8")
    assert (fill["123"], fill["36"]) == ("Y", first["34"])
    assert (again["34"], again["43"], again["17"], "122" in again) == (first["34"], "Y", first["17"], True)
    assert one.read("4")["123"] == "Y"


@pytest.mark.parametrize("version", VERSIONS)
def test_other_ends_of_a_session(start: Start, version: str) -> None:
    """A Logout is answered; a wrong CompID and an old SendingTime are rejected and end it; a reset begins at 1."""
    rig, one = begin(start, version)
    one.send("5")
    assert one.read("5")["35"] == "5"
    assert one.read() == {}
    until(lambda: rig.log().count("FUND1 down") == 1)
    two = rig.client("FUND1", version=version)
    two.logon((141, "Y"))
    assert (two.seen[-1]["34"], two.seen[-1].get("141")) == ("1", "Y")
    two.name = "FUND2"
    two.send("0")
    told = two.read("3", "5")
    assert told["35"] in ("3", "5")
    until(lambda: rig.log().count("FUND1 down") == 2)
    three = rig.client("FUND1", version=version)
    three.logon((141, "Y"))
    raw = three.text("1", (112, "old"))
    head, mark, tail = raw.partition(b"\x0152=20")
    three.socket.sendall(_summed(head + mark + b"1" + tail[1:]))
    assert three.read("3", "5")["35"] in ("3", "5")
    until(lambda: rig.log().count("FUND1 down") == 3)


def _summed(raw: bytes) -> bytes:
    """The message with its checksum as it has to be."""
    body = raw[: raw.rindex(b"\x0110=") + 1]
    return body + f"10={sum(body) % 256:03d}\x01".encode()
