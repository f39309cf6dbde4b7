"""A simulator that is started again: with a state folder it is the same venue, without one it is an empty one."""

from pathlib import Path

import pytest
from sim_fakes import SYMBOL
from sim_live import live
from test_sim_live import BOOK, lines

from simulators.fix.client import FixClient
from simulators.fix.request_log import RequestLog, RequestLogError
from simulators.fix.wire import Message

STATE = {"state_dir": "state"}


def test_orders_fills_and_truth_stand_as_they_stood(tmp_path: Path) -> None:
    """A resting order works on, a filled one is known, ids and ordinals go on, and nothing is said twice."""
    faults = [{"name": "reject", "ordinals": [3]}]
    with live(tmp_path, BOOK, venue=STATE, fault=faults) as run, run.client("orders") as orders:
        orders.logon(reset=False)
        orders.order("C1", SYMBOL, "1", 1, "990")
        orders.read()
        orders.order("C2", SYMBOL, "1", 1, "1010")
        fill = [orders.read() for _ in range(2)][1]
        assert fill.get(150) == "F"
        sent, read = orders.next_out, orders.next_in
    truth = lines(tmp_path, "orders.jsonl")
    with live(tmp_path, BOOK, venue=STATE, fault=faults) as run, run.client("orders") as orders:
        orders.next_out, orders.next_in = sent, read
        logon = orders.logon(reset=False)
        assert logon.seq is not None
        assert logon.seq <= read + 1  # the logout of the first one, at most, is between
        assert lines(tmp_path, "orders.jsonl") == truth
        orders.send("H", [(11, "C1"), (55, SYMBOL), (54, "1"), (790, "Q1")])
        assert _next(orders, "8").get(39) == "0"
        orders.order("C3", SYMBOL, "1", 1, "990")
        assert _next(orders, "8").get(150) == "8"
        orders.order("C2", SYMBOL, "1", 1, "990")
        assert _next(orders, "8").get(103) == "6"
        orders.send("F", [(11, "X1"), (41, "C1"), (55, SYMBOL), (54, "1"), (60, "20260105-01:02:03"), (38, "1")])
        assert _next(orders, "8").get(39) == "4"
    ids = [item["order_id"] for item in lines(tmp_path, "orders.jsonl") if item["event"] == "new"]
    assert len(ids) == len(set(ids)) == 2
    fills = lines(tmp_path, "fills.jsonl")
    assert [item["cl_ord_id"] for item in fills] == ["C2"]


def _next(orders: FixClient, msg_type: str) -> Message:
    while True:
        message = orders.read()
        if message.msg_type == msg_type:
            return message


def test_without_a_state_folder_orders_and_numbers_are_lost(tmp_path: Path) -> None:
    """The order is unknown, and the venue counts from 1 again."""
    with live(tmp_path, BOOK) as run, run.client("orders") as orders:
        orders.logon(reset=False)
        orders.order("C1", SYMBOL, "1", 1, "990")
        orders.read()
    with live(tmp_path, BOOK) as run, run.client("orders") as orders:
        orders.next_out = orders.next_in = 1
        assert orders.logon(reset=False).seq == 1
        orders.send("H", [(11, "C1"), (55, SYMBOL), (54, "1"), (790, "Q1")])
        assert _next(orders, "8").get(39) == "8"


def test_a_log_of_another_venue_is_refused(tmp_path: Path) -> None:
    """Another seed or tape would make another venue of the same requests."""
    RequestLog(tmp_path, 5, "SHFE seed 1").close()
    again = RequestLog(tmp_path, 9, "SHFE seed 1")
    assert again.start_ns == 5
    again.close()
    with pytest.raises(RequestLogError, match=r"SHFE seed 1.*this is.*SHFE seed 2.*remove"):
        RequestLog(tmp_path, 5, "SHFE seed 2")


def test_half_a_line_at_the_end_is_cut_off(tmp_path: Path) -> None:
    """A simulator that was killed while it wrote goes on after the last whole request."""
    RequestLog(tmp_path, 5, "SHFE").close()
    with (tmp_path / "orders.requests").open("ab") as file:
        file.write(b"[7, null]\n[8, nu")
    again = RequestLog(tmp_path, 5, "SHFE")
    assert [(one.at_ns, one.message) for one in again.before] == [(7, None)]
    again.close()
    assert (tmp_path / "orders.requests").read_bytes().endswith(b"[7, null]\n")


def test_a_cut_from_outside_ends_the_connection_and_lets_it_return(tmp_path: Path) -> None:
    """As drop_connection by time: what was on its way is lost, the next logon is answered."""
    with live(tmp_path, BOOK) as run:
        orders = run.client("orders").connect()
        orders.logon()
        run.simulator._orders._transport._loop.call_soon_threadsafe(run.simulator.cut)
        with pytest.raises(ConnectionError):
            orders.read()
        orders.close()
        again = run.client("orders").connect()
        assert again.logon().msg_type == "A"
        again.close()
