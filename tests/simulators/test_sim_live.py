"""Real sockets on loopback: a plain simplefix client against a running simulator."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sim_fakes import SYMBOL, book, trade
from sim_live import live

from simulators.fix.client import FixClient, utc_now
from simulators.fix.wire import Message

BOOK = [book(0), trade(0, 101, 2, "1")]


def shown(message: Message, *tags: int) -> list[str]:
    return [message.get(tag) for tag in tags]


def lines(folder: Path, name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "truth" / name).read_text().splitlines()]


def test_the_ready_file_names_ports_and_start(tmp_path: Path) -> None:
    """Both ports listen when it is there."""
    with live(tmp_path, BOOK) as run:
        ready = json.loads((tmp_path / "ready.json").read_text())
        assert (ready["md_port"], ready["orders_port"]) == (run.simulator.md_port, run.simulator.orders_port)
        assert ready["start_monotonic_ns"] == 1
        for session in ("md", "orders"):
            with run.client(session) as client:
                assert client.logon().msg_type == "A"


def test_a_domestic_snapshot_has_the_fields_of_the_contract(tmp_path: Path) -> None:
    """Status first, then the last snapshot, which a request for one brings word for word."""
    with live(tmp_path, BOOK) as run, run.client("md") as md:
        md.logon()
        md.subscribe("M1", [SYMBOL])
        assert shown(md.until("f"), 55, 207, 326) == [SYMBOL, "SHFE", "17"]
        md.subscribe("M2", [SYMBOL], kind="0")
        snapshot = md.until("W")
        assert shown(snapshot, 262, 55, 207, 75, 83, 1148, 1149, 268) == [
            "M2", SYMBOL, "SHFE", "20260615", "1", "500", "1500", "7",
        ]  # fmt: skip
        rows = list(zip(snapshot.all(269), snapshot.all(270), snapshot.all(271), strict=True))
        assert rows == [
            ("0", "990", "5"), ("0", "980", "7"), ("0", "970", "9"),
            ("1", "1010", "4"), ("1", "1020", "6"), ("1", "1030", "8"), ("2", "1010", "2"),
        ]  # fmt: skip
        assert snapshot.all(290) == ["1", "2", "3", "1", "2", "3"]
        assert len(set(snapshot.all(273))) == 1


def test_an_overseas_subscription_is_one_book_and_then_changes(tmp_path: Path) -> None:
    """W with RptSeq of the last change, then X of the next number when our own order takes a level away."""
    with live(tmp_path, BOOK, dialect="overseas42") as run, run.client("md") as md, run.client("orders") as orders:
        md.logon()
        orders.logon()
        md.subscribe("M1", [SYMBOL], update_type="1")
        whole = md.until("W")
        assert shown(whole, 83, 268, 207) == ["2", "7", ""]
        orders.order("C1", SYMBOL, "1", 4, "1010", [(59, 3)])
        change = md.until("X")
        assert shown(change, 268, 279, 269, 55, 270, 271, 290, 83) == ["1", "2", "1", SYMBOL, "1010", "0", "1", "3"]
        tags = [tag for tag, _ in change.pairs]
        assert tags[tags.index(268) + 1] == 279


def test_a_profile_without_rpt_seq_sends_none(tmp_path: Path) -> None:
    """83 is absent."""
    with live(tmp_path, BOOK, dialect="overseas42", venue={"rpt_seq": False}) as run, run.client("md") as md:
        md.logon()
        md.subscribe("M1", [SYMBOL], update_type="1")
        assert not md.until("W").has(83)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([(262, "M1"), (263, 1), (264, 0), (265, 0), (146, 1), (55, "al")], "0"),
        ([(262, "M0"), (263, 1), (264, 0), (265, 0), (146, 1), (55, SYMBOL)], "1"),
        ([(262, "M1"), (263, 1), (264, "x"), (265, 0), (146, 1), (55, SYMBOL)], "5"),
        ([(262, "M1"), (263, 1), (264, 0), (265, 1), (146, 1), (55, SYMBOL)], "6"),
    ],
)
def test_a_wrong_market_data_request_is_refused(
    tmp_path: Path, fields: list[tuple[int, str | int]], reason: str
) -> None:
    """35=Y with the reason: symbol, id, depth, update type."""
    with live(tmp_path, BOOK) as run, run.client("md") as md:
        md.logon()
        md.subscribe("M0", [SYMBOL])
        md.send("V", fields)
        assert shown(md.until("Y"), 262, 281) == [str(fields[0][1]), reason]


def test_a_domestic_order_is_acknowledged_and_filled_in_the_words_of_4_4(tmp_path: Path) -> None:
    """150=0 then 150=F; close-today travels as 77=C with 20077=Y."""
    position = {"open_close": "open_close_today", "open_today_short": 4}
    with live(tmp_path, BOOK, instrument=position) as run, run.client("orders") as orders:
        orders.logon()
        orders.order("C1", SYMBOL, "1", 4, "1020", [(59, 3), (77, "C"), (20077, "Y"), (20078, "1")])
        ack, fill = orders.read(), orders.read()
        tags = (11, 150, 39, 1, 55, 207, 54, 38, 40, 44, 59, 77, 20077, 20078, 32, 31, 151, 14, 6, 75)
        head = ["A1", SYMBOL, "SHFE", "1", "4", "2", "1020", "3", "C", "Y", "1"]
        assert shown(ack, *tags) == ["C1", "0", "0", *head, "", "", "4", "0", "0", "20260615"]
        assert shown(fill, *tags) == ["C1", "F", "2", *head, "4", "1010", "0", "4", "1010", "20260615"]


def test_an_overseas_fill_bust_and_status_are_in_the_words_of_4_2(tmp_path: Path) -> None:
    """150=1 and 2 with 20=0 for fills, 20=1 with 19 for a bust, 20=3 with 17=0 for a status."""
    bust = [{"name": "bust", "ordinals": [1], "params": {"delay_ms": 50}}]
    with live(tmp_path, BOOK, dialect="overseas42", fault=bust) as run, run.client("orders") as orders:
        orders.logon()
        orders.order("C1", SYMBOL, "1", 10, "1020", [(59, 0)])
        tags = (150, 39, 20, 17, 19, 14, 151)
        told = [shown(orders.read(), *tags) for _ in range(4)]
        assert told == [
            ["0", "0", "0", "E00000001", "", "0", "10"],
            ["1", "1", "0", "T00000001", "", "4", "6"],
            ["2", "2", "0", "T00000002", "", "10", "0"],
            ["4", "4", "1", "T00000003", "T00000001", "6", "0"],
        ]
        orders.send("H", [(11, "C1"), (55, SYMBOL), (54, 1)])
        assert shown(orders.read(), 150, 39, 20, 17, 14) == ["4", "4", "3", "0", "6"]
        orders.send("H", [(11, "C9"), (55, SYMBOL), (54, 1)])
        assert shown(orders.read(), 37, 150, 39, 20, 58) == ["NONE", "8", "8", "3", "unknown order"]


def test_requests_that_are_none_are_refused_as_messages(tmp_path: Path) -> None:
    """A missing field and a malformed one: 35=3; an unsupported type: 35=j; in 4.2 that is true of AF."""
    with live(tmp_path, BOOK, dialect="overseas42") as run, run.client("orders") as orders:
        orders.logon()
        orders.send("D", [(11, "C1"), (1, "A1"), (21, 1), (55, SYMBOL)])
        assert shown(orders.read(), 35, 45, 371, 372, 373) == ["3", "2", "54", "D", "1"]
        orders.order("C2", SYMBOL, "1", 1, "1e3")
        assert shown(orders.read(), 35, 371, 373) == ["3", "44", "6"]
        orders.send("AF", [(584, "S"), (585, 7)])
        assert shown(orders.read(), 35, 45, 372, 380) == ["j", "4", "AF", "3"]


def test_a_possible_duplicate_of_a_known_order_is_ignored_and_of_an_unknown_one_taken(tmp_path: Path) -> None:
    """Under a new number with 43=Y: C1 again says nothing, C2 is accepted."""
    with live(tmp_path, BOOK) as run, run.client("orders") as orders:
        orders.logon()
        fields: list[tuple[int, str | int]] = [
            (1, "A1"), (55, SYMBOL), (54, 1), (60, utc_now()), (38, 1), (40, 2), (44, "990"),
        ]  # fmt: skip
        dup: list[tuple[int, str | int]] = [(43, "Y"), (122, utc_now())]
        orders.send("D", [(11, "C1"), *fields])
        assert shown(orders.read(), 11, 150) == ["C1", "0"]
        orders.send("D", [(11, "C1"), *fields], dup)
        orders.send("D", [(11, "C2"), *fields], dup)
        assert shown(orders.read(), 11, 150) == ["C2", "0"]


def test_reports_that_a_cut_connection_swallowed_are_resent(tmp_path: Path) -> None:
    """Cut as the order arrives: after the next Logon the numbers show a gap, and both reports come again with 43=Y."""
    cut = [{"name": "drop_connection", "ordinals": [1]}]
    with live(tmp_path, BOOK, fault=cut) as run:
        orders = run.client("orders").connect()
        orders.logon()
        orders.order("C1", SYMBOL, "1", 4, "1010")
        with pytest.raises(ConnectionError):
            orders.read()
        orders.close()
        orders.connect()
        answer = orders.logon(reset=False)
        assert (answer.msg_type, answer.seq, orders.next_in) == ("A", 4, 2)
        orders.send("2", [(7, 2), (16, 0)])
        assert [shown(orders.read(), 35, 34, 43, 150) for _ in range(2)] == [["8", "2", "Y", "0"], ["8", "3", "Y", "F"]]
        orders.close()


def test_a_second_connection_to_a_session_is_closed(tmp_path: Path) -> None:
    """The first one goes on."""
    with live(tmp_path, BOOK) as run, run.client("orders") as first, run.client("orders") as second:
        first.logon()
        with pytest.raises(ConnectionError):
            second.logon()
        first.send("1", [(112, "T")])
        assert first.read().get(112) == "T"


def test_a_lost_connection_cancels_where_the_profile_says_so(tmp_path: Path) -> None:
    """After the reconnect the cancel can be asked for; the truth has it."""
    with live(tmp_path, BOOK, venue={"cancel_on_disconnect": True}) as run:
        orders = run.client("orders").connect()
        orders.logon()
        orders.order("C1", SYMBOL, "1", 1, "990")
        orders.read()
        orders.close()
        orders.connect()
        while orders.logon(reset=False).seq != 4:
            orders.close()
            orders.connect()
        orders.send("2", [(7, 3), (16, 3)])
        assert shown(orders.read(), 34, 11, 150) == ["3", "C1", "4"]
        orders.close()
    assert [item["event"] for item in lines(tmp_path, "orders.jsonl")] == ["new", "cancel"]


def test_numbers_survive_a_restart_where_a_state_folder_is_set(tmp_path: Path) -> None:
    """A second simulator on the same folder answers the third message with its third."""
    for expected in (1, 3):
        with live(tmp_path, BOOK, venue={"state_dir": "state"}) as run, run.client("orders") as orders:
            orders.next_out = orders.next_in = expected
            assert orders.logon(reset=False).seq == expected
            orders.send("5", [])
            assert orders.read().msg_type == "5"
        numbers = (tmp_path / "state" / "orders.seq").read_text().split()
        assert [int(number) for number in numbers] == [expected + 2, expected + 2, 0]


def test_the_truth_is_what_was_said_on_the_wire(tmp_path: Path) -> None:
    """Orders of all endings, some doubled and delayed: fills by identity, and the last state of each order, agree."""
    faults = [
        {"name": "duplicate", "probability": 0.3},
        {"name": "delay", "probability": 0.3, "params": {"delay_ms": 20}},
        {"name": "reject", "ordinals": [5]},
    ]
    deep = [book(0, bids=((99, 500),), asks=((101, 500),))]
    wire_fills: set[tuple[str, ...]] = set()
    state: dict[str, tuple[str, str]] = {}
    with live(tmp_path, deep, fault=faults) as run, run.client("orders") as orders:
        orders.logon()
        for number in range(1, 41):
            side, px = ("1", "1010") if number % 2 else ("2", "990")
            orders.order(f"C{number}", SYMBOL, side, number, px if number % 3 else "1000", [(59, 3)])
        orders.send("AF", [(584, "S"), (585, 7)])
        all_told = False
        while not all_told or sum(int(item[3]) for item in wire_fills) < sum(int(cum) for _, cum in state.values()):
            message = orders.read()
            if message.get(150) == "F":
                wire_fills.add(tuple(shown(message, 54, 17, 11, 32, 31)))
            if message.get(150) == "I":
                state[message.get(11)] = (message.get(39), message.get(14))
            all_told = all_told or message.get(912) == "Y"
    keys = ("side", "exec_id", "cl_ord_id", "last_qty", "last_px")
    fills = {tuple(str(item[key]) for key in keys) for item in lines(tmp_path, "fills.jsonl")}
    assert wire_fills == fills
    truth = {
        str(item["cl_ord_id"]): (str(item["status"]), str(item["cum_qty"])) for item in lines(tmp_path, "orders.jsonl")
    }
    assert state == truth
    summary = json.loads((tmp_path / "truth" / "summary.json").read_text())
    assert (summary["orders"], summary["fills"]) == (40, len(fills))


def test_every_message_written_is_in_the_message_record(tmp_path: Path) -> None:
    """The numbers that the client read are the numbers that were recorded as written."""
    with live(tmp_path, BOOK) as run, run.client("orders") as orders:
        orders.logon()
        orders.order("C1", SYMBOL, "1", 4, "1010")
        read = [1, orders.read().seq, orders.read().seq]
    rows = [line.split(",") for line in (tmp_path / "truth" / "messages.csv").read_text().splitlines()[1:]]
    written = [int(row[4]) for row in rows if row[1:3] == ["orders", "out"]]
    assert written[: len(read)] == read
    assert [row[6] for row in rows if row[1:4] == ["orders", "in", "D"]] == ["C1"]


def test_a_far_venue_gets_an_order_no_sooner_than_the_way_takes(tmp_path: Path) -> None:
    """Between the order's reading from the socket and its arrival in the book lie 80 ms or more."""
    with live(tmp_path, BOOK, network={"profile": "shanghai-london"}) as run, run.client("orders") as orders:
        orders.logon()
        orders.order("C1", SYMBOL, "1", 4, "1010")
        orders.until("8")
    rows = [line.split(",") for line in (tmp_path / "truth" / "messages.csv").read_text().splitlines()]
    (read_ns,) = (int(row[0]) for row in rows if row[3] == "D")
    assert int(str(lines(tmp_path, "orders.jsonl")[0]["at_ns"])) - read_ns >= 80_000_000


def test_the_venues_clock_stamps_what_it_sends(tmp_path: Path) -> None:
    """An hour ahead: SendingTime(52) and TransactTime(60) are, too, and the record of the clock says so."""
    with live(tmp_path, BOOK, clock={"offset_ms": 3_600_000}) as run, run.client("orders") as orders:
        orders.logon()
        before = time.time()
        orders.order("C1", SYMBOL, "1", 1, "990")
        ack = orders.read()
        hours = {time.strftime("%Y%m%d-%H", time.gmtime(at + 3600)) for at in (before, time.time())}
        assert {ack.get(52)[:11], ack.get(60)[:11]} <= hours


def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """`python -m simulators PROFILE` on a synthetic tape: SIGTERM brings a Logout, exit code 0 and a summary."""
    (tmp_path / "p.toml").write_text(
        '[venue]\nname = "SHFE"\ndialect = "domestic44"\ncomp_id = "SHFE"\nclient_comp_id = "CMC"\naccount = "A1"\n'
        f'truth_dir = "{tmp_path}/truth"\nready_file = "{tmp_path}/ready.json"\n'
        '[tape]\nname = "cu"\nseconds = 5\n[[instrument]]\nsymbol = "cu2609"\ntick = "10"\n'
    )
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen([sys.executable, "-m", "simulators", str(tmp_path / "p.toml")], cwd=root)
    try:
        ready = tmp_path / "ready.json"
        while not ready.exists():
            assert process.poll() is None
            time.sleep(0.02)
        with FixClient(json.loads(ready.read_text())["orders_port"], "FIX.4.4", "CMC", "SHFE") as orders:
            orders.logon()
            process.send_signal(signal.SIGTERM)
            assert orders.until("5").get(58) == "venue stops"
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert json.loads((tmp_path / "truth" / "summary.json").read_text())["orders"] == 0


def test_small_messages_leave_at_once(tmp_path: Path) -> None:
    """The accepted socket has TCP_NODELAY; with Nagle's delay a fill would wait for the ACK of its acknowledgement."""
    with live(tmp_path, BOOK) as run, run.client("orders") as orders:
        orders.logon()
        transport = run.simulator._orders._transport
        assert transport is not None
        assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_a_reconnect_is_not_ended_by_the_end_of_the_connection_before(tmp_path: Path) -> None:
    """Over a far way the old end would arrive after the new Logon; the new session lives on."""
    with live(tmp_path, BOOK, network={"profile": "shanghai-london"}) as run:
        orders = run.client("orders").connect()
        orders.logon()
        orders.close()
        orders.connect()
        while True:
            try:
                answer = orders.logon(reset=False)
                break
            except ConnectionError:
                orders.next_out = 2
                orders.connect()
        assert answer.msg_type == "A"
        for number in range(3):
            orders.send("1", [(112, f"T{number}")])
            assert orders.read().get(112) == f"T{number}"
        orders.close()


def test_logons_are_refused_for_the_time_a_fault_names(tmp_path: Path) -> None:
    """A cut order session: a connection within the time is closed, the market-data session goes on."""
    cut = [{"name": "drop_connection", "ordinals": [1], "params": {"refuse_ms": 60_000}}]
    with live(tmp_path, BOOK, fault=cut) as run, run.client("md") as md:
        md.logon()
        with run.client("orders") as orders:
            orders.logon()
            orders.order("C1", SYMBOL, "1", 1, "990")
            with pytest.raises(ConnectionError):
                orders.read()
            orders.close()
            orders.connect()
            with pytest.raises(ConnectionError):
                orders.logon(reset=False)
        md.send("1", [(112, "T")])
        assert md.until("0").get(112) == "T"


def test_a_message_that_a_gap_took_comes_when_it_is_asked_for(tmp_path: Path) -> None:
    """The X of RptSeq 3 takes number 4 and does not come; a ResendRequest brings it with 43=Y."""
    gap = [{"name": "gap", "ordinals": [3], "params": {"level": "msg_seq_num"}}]
    deep = [book(0, asks=((101, 9),)), trade(0, 101, 2, "1")]
    with live(tmp_path, deep, dialect="overseas42", fault=gap) as run:  # noqa: SIM117
        with run.client("md") as md, run.client("orders") as orders:
            md.logon()
            orders.logon()
            md.subscribe("M1", [SYMBOL], update_type="1")
            md.until("W")
            for name in ("C1", "C2"):
                orders.order(name, SYMBOL, "1", 1, "1010", [(59, 3)])
            assert shown(md.until("X"), 34, 83) == ["5", "4"]
            md.send("2", [(7, 4), (16, 4)])
            assert shown(md.read(), 35, 34, 43, 83) == ["X", "4", "Y", "3"]
