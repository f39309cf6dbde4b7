"""Hostile clients: what they send does no harm to the process, to its memory or to others, and is on record."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from client_rig import Rig, client, until
from hostile import run

Start = Callable[..., Rig]


def test_mutated_messages_neither_end_nor_fill_nor_delay_it(tmp_path: Path) -> None:
    """Some thousands of them, seeded; `make fuzz-clients` sends a million. An honest client is served all the while."""
    with tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir:
        told = run(6000, 1, tmp_path, bus_dir)
    assert (told["messages"], told["honest orders"]) == (6000, told["connections"])
    assert told["ends on record"] == told["connections"]


def test_stolen_numbers_are_a_gap_that_the_owner_sees_and_nobody_elses(start: Start) -> None:
    """Whoever logs on with a number far ahead is asked for what is missing; the next Logon with old ones is refused."""
    rig = start(client("FUND1"), client("FUND2"))
    other = rig.client("FUND2").logon()
    thief = rig.client("FUND1")
    thief.next_out = 5000
    thief.logon()
    assert thief.read("2")["7"] == "1"
    thief.close()
    until(lambda: "FUND1 connection" in rig.log())
    owner = rig.client("FUND1")
    owner.send("A", (98, 0), (108, 30))
    assert owner.read("A", "5")["35"] == "A", "its own first number is still the one that is expected"
    other.order("mine")
    assert other.read("8")["11"] == "mine"


def test_half_open_connections_are_closed_in_time_and_new_ones_come_in(start: Start) -> None:
    """As many as the limit says nothing for a second; afterwards a client logs on."""
    rig = start(client("FUND1"), max_connections=20, logon_timeout_s=1)
    first = rig.client("FUND1").logon()
    silent = [rig.client("FUND1") for _ in range(19)]
    silent[0].socket.sendall(b"8=FIX.4.4\x019=70\x0135=A\x01")
    begin = time.monotonic()
    until(lambda: rig.log().count("no Logon(35=A) within 1 s") == len(silent))
    assert time.monotonic() - begin < 10
    first.order("still here")
    assert first.read("8")["11"] == "still here"
