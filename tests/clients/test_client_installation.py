"""A client of a whole installation on simulated venues: it trades a pair, is cut off, and finds everything as it was."""

import json
import os
import signal
import tempfile
from pathlib import Path
from typing import Any

from client_rig import PAIR, FixClient, client, until
from client_site import running

CLIENTS = [
    client("FUND1", leg_orders=True, max_lots=10),
    client("DROP", drop_copy=True, pairs=[], instruments=[]),
]


def test_a_pair_order_trades_at_the_venues_and_a_kill_of_the_process_loses_nothing(tmp_path: Path) -> None:
    """Limit far in the money: filled leg by leg; the drop copy agrees; after kill -9 the ids are still known."""
    with tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir, running(tmp_path, bus_dir, CLIENTS) as site:
        one, drop = site.client("FUND1").logon(), site.client("DROP").logon()
        one.order("early", price="100000")
        assert one.read("8")["58"].startswith(("disarmed: ", "gateway_down: "))
        site.arm()
        one.send("V", (262, "m"), (263, 1), (264, 1), (267, 2), (269, 0), (269, 1), (146, 1), (55, PAIR))
        while one.read("W").get("276") != "A":
            pass
        until(lambda: _taken(one), 20)
        told = [one.read("8")]
        while told[-1]["442"] != "3":
            told.append(one.read("8"))
        pair = told[-1]
        assert (pair["150"], pair["39"], pair["14"]) == ("F", "2", "1")
        assert {leg["55"] for leg in told[:-1]} == {"SHFE.cu2609", "LME.CA3M"}
        copies = [drop.read("8") for _ in range(len(told) + 1)]
        assert [copy["17"] for copy in copies[1:]] == [report["17"] for report in told], "rejects are no executions"
        one.order("far", price="-100000", force=1)
        assert one.read("8")["150"] == "0"
        until(lambda: _standing(site.status()) == (True, 1, False), 20)
        pid = int(json.loads((tmp_path / "state/run/ready/clients.json").read_text(encoding="utf-8"))["pid"])
        os.kill(pid, signal.SIGKILL)
        until(lambda: _ready(tmp_path) not in (0, pid), 40)
        again = site.client("FUND1")
        again.next_out = one.next_out
        again.send("A", (98, 0), (108, 30))
        again.read("A")
        until(lambda: _heard(again), 20)
        again.order("far", price="-100000", force=1)
        while (told_again := again.read("8"))["11"] != "far":
            pass  # the end of a probe
        assert told_again["58"].startswith("duplicate_order: ")
        again.send("F", (41, "far"), (11, "c"), (55, PAIR), (54, 1), (60, "20260101-00:00:00"))
        while (ended := again.read("8"))["150"] != "4" or ended["11"] != "c":
            pass
        assert ended["58"] == "by_client"
        down = site.cmc("down", str(site.site))
        assert "every trade balanced" in down.stderr, down.stderr
        for end in (one, drop, again):
            end.close()


def _taken(one: FixClient) -> bool:
    """Whether an order is taken: execution's heartbeat tells that it is armed."""
    one.order(f"a{len(one.seen)}", price="100000")
    return one.read("8")["150"] == "0"


def _standing(status: dict[str, Any]) -> tuple[bool, int, bool]:
    """Of FUND1 in `cmc status`, as the process said at its last heartbeat."""
    (line,) = [line for line in status["clients"] if line["client_id"] == "FUND1"]
    return line["up"], line["open_orders"], line["tls"]


def _ready(folder: Path) -> int:
    path = folder / "state/run/ready/clients.json"
    return int(json.loads(path.read_text(encoding="utf-8"))["pid"]) if path.exists() else 0


def _heard(one: FixClient) -> bool:
    """Whether execution and trigger are heard of again: an order is refused by that name until then."""
    one.order(f"probe{len(one.seen)}", price="-100000")
    return not str(one.read("8").get("58", "")).startswith("gateway_down")
