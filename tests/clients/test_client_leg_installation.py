"""Orders on one leg at a simulated venue, in a whole installation: each kind, replaced over a kill of the process."""

import json
import os
import signal
import tempfile
from pathlib import Path

from client_rig import CU, FixClient, client, stamp, until
from client_site import Site, running

from gateway.journal.reader import read_run
from gateway.model.order import ExecutionReport
from gateway.model.record import Decision
from gateway.model.trade import SendOrders

FAR, IN_THE_MONEY = "71000", "82000"
"""Prices of a purchase, within the venue's daily limits, that no sale reaches, and that all reach."""


def leg(one: FixClient, cl_ord_id: str, price: str, qty: int, force: int, orig: str = "") -> None:
    """A purchase of the leg; with `orig` in the place of that order."""
    fields = [(11, cl_ord_id), (21, 1), (55, CU), (54, 1), (60, stamp()), (38, qty), (40, 2), (44, price), (59, force)]
    one.send("G" if orig else "D", *([(41, orig)] if orig else []), *fields)


def until_told(one: FixClient, cl_ord_id: str, exec_type: str) -> dict[str, str]:
    """The next report of this kind about this order."""
    while True:
        told = one.read("8", timeout_s=20)
        if (told["11"], told["150"]) == (cl_ord_id, exec_type):
            return told


def test_legs_are_ordered_replaced_and_killed_with_never_more_at_the_venue_than_was_asked(tmp_path: Path) -> None:
    """A day order is replaced while the process dies; fill-or-kill fills and kills; the end of each is told once."""
    clients = [client("FUND1", leg_orders=True, max_lots=10)]
    with tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir, running(tmp_path, bus_dir, clients) as site:
        one = site.client("FUND1").logon()
        site.arm()
        until(lambda: _taken(one), 20)
        leg(one, "day", FAR, 2, 0)
        until_told(one, "day", "0")
        until(lambda: ("day-1", 2) in _sent(tmp_path), 20)
        leg(one, "more", "71010", 3, 0, "day")
        until_told(one, "more", "E")
        os.kill(_pid(tmp_path), signal.SIGKILL)
        one = _back(site, tmp_path, one)
        until_told(one, "more", "5")
        until(lambda: ("day-2", 3) in _sent(tmp_path), 20)
        assert _most_open(tmp_path) == 3, "the first two lots were gone when the three were sent"
        leg(one, "kill", FAR, 2, 4)
        assert until_told(one, "kill", "4")["58"] == "not_marketable: filled 0 of 2 lots"
        leg(one, "fill", IN_THE_MONEY, 2, 4)
        told = until_told(one, "fill", "F")
        assert (told["39"], told["14"], told["32"], told["442"]) == ("2", "2", "2", "1")
        leg(one, "gtc", FAR, 1, 1)
        assert until_told(one, "gtc", "8")["58"].startswith("time_in_force: TimeInForce(59)=1 (GTC) on SHFE.cu2609")
        one.send("F", (41, "more"), (11, "c"), (55, CU), (54, 1), (60, stamp()))
        assert until_told(one, "c", "4")["58"] == "by_client"
        assert "every trade balanced" in site.cmc("down", str(site.site)).stderr
        one.close()


def _taken(one: FixClient) -> bool:
    leg(one, f"probe{len(one.seen)}", FAR, 1, 3)
    return one.read("8")["150"] == "0"


def _sent(folder: Path) -> list[tuple[str, int]]:
    """Orders for the day that were sent: which of its rules, and the lots."""
    found = []
    for decision in _decisions(folder):
        for action in decision.actions:
            if isinstance(action, SendOrders):
                found += [one.qty_lots for one in action.orders if one.time_in_force == "0"]
    return [(f"day-{number}", lots) for number, lots in enumerate(found, 1)]


def _most_open(folder: Path) -> int:
    """Most lots of orders for the day that were at the venue at a time, as execution's journal has it."""
    most, open_lots = 0, {}
    for decision in _decisions(folder):
        event = decision.event
        if isinstance(event, ExecutionReport) and not event.leaves_qty_lots:
            open_lots.pop(event.orig_cl_ord_id or event.cl_ord_id, None)
        for action in decision.actions:
            if isinstance(action, SendOrders):
                open_lots |= {one.cl_ord_id: one.qty_lots for one in action.orders if one.time_in_force == "0"}
        most = max(most, sum(open_lots.values()))
    return most


def _decisions(folder: Path) -> list[Decision]:
    return [one for one in read_run(folder / "state/run", on_torn=lambda _: None) if isinstance(one, Decision)]


def _pid(folder: Path) -> int:
    path = folder / "state/run/ready/clients.json"
    return int(json.loads(path.read_text(encoding="utf-8"))["pid"]) if path.exists() else 0


def _back(site: Site, folder: Path, before: FixClient) -> FixClient:
    """The client, logged on to the process that was started again; it asks for what it missed."""
    killed = _pid(folder)
    before.close()
    until(lambda: _pid(folder) not in (0, killed), 40)
    one = site.client("FUND1")
    one.next_out = before.next_out
    one.send("A", (98, 0), (108, 30))
    one.read("A")
    one.send("2", (7, max(int(told["34"]) for told in before.seen) + 1), (16, 0))
    return one
