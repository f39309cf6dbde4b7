"""What the feed does when all books of a venue lose messages at once while quotes go on: time to repair, and the cost
for books that lost nothing.

Two simulated venues in processes of their own, the feed's own code with real FIX sessions in this one. At the first
venue every instrument loses its messages for a while, either by RptSeq(83) (each book asks for a snapshot) or by
MsgSeqNum(34) (the session asks for everything again, more than 2 500 messages). The second venue loses nothing; its
quotes pass through the same process. What is published is stamped here instead of being sent: no subscriber runs.

Time to repair counts from the message that showed the gap to the book that was whole. The delay of a quote is from the
venue's stamp to its publication; the stamp is cut off at a millisecond, so half of one is added and nothing below it
can be told.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.harness import Options, open_report
from benchmarks.machine import in_words
from benchmarks.percentiles import Summary, summarise
from benchmarks.report import Figure, Report, table
from gateway.feed.repairs import RepairTotals
from gateway.model.base import Message
from gateway.model.port import Handlers
from gateway.model.quote import Quote
from gateway.processes import clock
from gateway.processes.feed import Feed
from gateway.processes.fix_sessions import fix_sessions
from gateway.processes.settings import Site, load_site
from gateway.processes.toml_text import toml_text
from gateway.processes.venues import open_sessions

DEFAULT = Options(rounds=1, seconds=5.0, rates=(1000,), sides=("gateway",))
MS, SECOND = 10**6, 10**9
CALM_S = 3.0
"""Quotes before the storm; logging on is before them."""
LATE_S = 15.0
"""How long a repair may take before the measurement gives up."""
STORM, CALM = "STORM", "CALM"
CALM_INSTRUMENTS = 20
HALF_STAMP_NS = 500_000
DEPTH = 5


class Storm(NamedTuple):
    """One measurement: `instruments` share `rate` quotes a second; all are lost for `lost_s`."""

    name: str
    instruments: int
    level: str
    lost_s: float


STORMS = (
    Storm("20 books, 100 ms lost", 20, "rpt_seq", 0.1),
    Storm("200 books, 100 ms lost", 200, "rpt_seq", 0.1),
    Storm("20 books, 3 s of the session", 20, "msg_seq_num", 3.0),
    Storm("200 books, 3 s of the session", 200, "msg_seq_num", 3.0),
)


class Outcome(NamedTuple):
    """What one storm came to; delays of the venue that lost nothing, before the storm and from it on."""

    storm: Storm
    repairs: RepairTotals
    took: Summary | None
    before: Summary | None
    during: Summary | None
    late: int
    whole: bool


class Sink:
    """Stands where the publisher stands, and notes when each quote was handed over."""

    def __init__(self) -> None:
        self.quotes: list[tuple[str, int, int]] = []
        """(topic, published on the monotonic clock, venue time)."""
        self.late = 0

    def publish_as(self, topic: str, message: Message) -> None:
        if isinstance(message, Quote):
            if topic.startswith("L."):
                self.late += 1
            elif message.venue_ns:
                self.quotes.append((topic, clock.monotonic_ns(), message.venue_ns))

    def publish(self, message: Message) -> None:
        """Alarms, verdicts and standings are not counted here."""


def _tape(folder: Path, venue: str, symbols: list[str], rate: int, seconds: float) -> None:
    """A tape in the csv form: each instrument's sizes move in turn, `rate` times a second together."""
    folder.mkdir()
    (folder / "tape.csv").write_text(f"name,label,duration_ns\nstorm,made here,{int(seconds * SECOND)}\n")
    rows = [f"{venue},{symbol},0.5,USD,20260615,,," for symbol in symbols]
    head = "venue,symbol,tick,currency,trading_date,high_limit,low_limit,prev_settlement"
    (folder / "instruments.csv").write_text("\n".join([head, *rows]) + "\n")
    lines = ["time,venue,symbol,type,bids,asks,price,qty,aggressor,status"]
    bids, asks = _side(9750, -0.5), _side(9750.5, 0.5)
    for number in range(int(seconds * rate)):
        symbol = symbols[number % len(symbols)]
        lots = 1 + number // len(symbols) % 90
        lines.append(f"{number * SECOND // rate},{venue},{symbol},book,9750.0:{lots} {bids},{asks},,,,")
    (folder / "events.csv").write_text("\n".join(lines) + "\n")


def _side(best: float, step: float) -> str:
    first = 1 if step < 0 else 0
    return " ".join(f"{best + step * place:.1f}:{place + 3}" for place in range(first, DEPTH))


def _profile(name: str, symbols: list[str], tape: Path, begin_ns: int, storm: Storm | None) -> str:
    fault = {
        "name": "gap",
        "at_s": CALM_S,
        "for_s": storm.lost_s if storm else 0.0,
        "params": {"level": storm.level if storm else "rpt_seq"},
    }
    return toml_text(
        {
            "venue": {
                "name": name, "dialect": "overseas42", "comp_id": name, "client_comp_id": "CMC", "account": "A",
                "truth_dir": str(tape.with_name(f"truth-{name}")), "ready_file": str(tape.with_name(f"{name}.ready")),
                "truth_books": False, "start_monotonic_ns": begin_ns,
            },
            "tape": {"kind": "csv", "name": tape.name, "dir": str(tape.parent)},
            "instrument": [{"symbol": symbol, "tick": "0.5"} for symbol in symbols],
            "fault": [fault] if storm else [],
        }
    )  # fmt: skip


def _site(folder: Path, ports: dict[str, int], symbols: dict[str, list[str]]) -> Site:
    """The demo's site with these venues in the place of its own."""
    demo = Path(__file__).resolve().parents[1] / "sites" / "demo.toml"
    content: dict[str, Any] = tomllib.loads(demo.read_text(encoding="utf-8"))
    model, listed = content["venue"][1], content["instrument"][1]
    content["venue"], content["instrument"] = [], []
    for name, port in ports.items():
        # No heartbeat in between: one would show the loss, and have it repaired, before it is over.
        md = model["md"] | {"target_comp_id": name, "port": port, "heart_bt_int_s": 60}
        orders = model["orders"] | {"target_comp_id": name, "sender_comp_id": f"CMC-{name}"}
        quiet = {"test_request_interval_ms": 0}
        content["venue"].append(model | {"id": name, "md": md, "orders": orders, "clock": quiet})
        for symbol in symbols[name]:
            content["instrument"].append(listed | {"id": f"{name}.{symbol}", "venue": name, "symbol": symbol})
    for one in content["instrument"]:
        one.pop("calendar", None)
    content["pair"], content["rule"] = [], []
    file = folder / "site.toml"
    file.write_text(toml_text(content), encoding="utf-8")
    return load_site(file, {})


@contextmanager
def _venues(folder: Path, storm: Storm, options: Options) -> Iterator[tuple[dict[str, int], dict[str, list[str]], int]]:
    """Both simulators; their ports, their symbols, and when the tapes begin."""
    symbols = {
        STORM: [f"S{number}" for number in range(storm.instruments)],
        CALM: [f"C{number}" for number in range(CALM_INSTRUMENTS)],
    }
    begin_ns = time.monotonic_ns() + 4 * SECOND
    running = []
    try:
        for name, listed in symbols.items():
            _tape(folder / name, name, listed, options.rates[0], CALM_S + storm.lost_s + options.seconds)
            profile = folder / f"{name}.toml"
            profile.write_text(_profile(name, listed, folder / name, begin_ns, storm if name == STORM else None))
            running.append(subprocess.Popen([sys.executable, "-m", "simulators", str(profile)]))
        yield {name: _port(folder / f"{name}.ready") for name in symbols}, symbols, begin_ns
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(10)


def _port(ready: Path) -> int:
    for _ in range(1000):
        if ready.is_file():
            port: int = json.loads(ready.read_text(encoding="utf-8"))["md_port"]
            return port
        time.sleep(0.01)
    message = f"{ready} was not written"
    raise RuntimeError(message)


def judge(storm: Storm, options: Options) -> Outcome:
    """Let one storm pass over the feed."""
    with tempfile.TemporaryDirectory(prefix="cmc-storm-") as name:
        folder = Path(name)
        with _venues(folder, storm, options) as (ports, symbols, begin_ns):
            site = _site(folder, ports, symbols)
            sink, wake_fd = Sink(), os.eventfd(0, os.EFD_NONBLOCK)
            untyped: Any = sink
            feed = Feed(site, untyped, wake_fd)
            handlers = Handlers(feed.on_message, feed.on_session, on_admin=feed.on_admin, on_gap=feed.on_gap)
            ends = fix_sessions(site, "md")
            sessions = open_sessions(ends, folder / "fix", folder / "logs", clock.monotonic_ns, handlers)
            sessions.start()
            stop = threading.Event()

            def turn() -> None:
                while not stop.wait(0.002):
                    now_ns = clock.monotonic_ns()
                    feed.ask(sessions, now_ns)
                    feed.mind_clocks(sessions, now_ns)
                    feed.mind_silence(now_ns)

            thread = threading.Thread(target=turn)
            thread.start()
            storm_ns = begin_ns + int(CALM_S * SECOND)
            _sleep_until(storm_ns + int((storm.lost_s + 1.0) * SECOND))
            end_ns = storm_ns + int((storm.lost_s + LATE_S) * SECOND)
            while _open_gaps(feed) and clock.monotonic_ns() < end_ns:
                time.sleep(0.05)
            _sleep_until(storm_ns + int((storm.lost_s + options.seconds - 1) * SECOND))
            whole = not _open_gaps(feed)
            stop.set()
            thread.join()
            sessions.stop(timeout_s=2.0)
            os.close(wake_fd)
            return _outcome(storm, feed, sink, storm_ns, whole=whole)


def _open_gaps(feed: Feed) -> bool:
    counts, _ = feed.repairs(STORM)
    return counts.gaps > counts.repaired


def _sleep_until(at_ns: int) -> None:
    while (left_ns := at_ns - clock.monotonic_ns()) > 0:
        time.sleep(min(0.2, left_ns / SECOND))


def _outcome(storm: Storm, feed: Feed, sink: Sink, storm_ns: int, *, whole: bool) -> Outcome:
    offset_ns = clock.utc_ns() - clock.monotonic_ns()
    delays = [
        (at_ns, max(0, at_ns + offset_ns - venue_ns - HALF_STAMP_NS))
        for topic, at_ns, venue_ns in list(sink.quotes)
        if topic.startswith(f"Q.{CALM}.") and at_ns > storm_ns - 2 * SECOND
    ]
    repairs, took = feed.repairs(STORM)
    return Outcome(
        storm,
        repairs,
        summarise(took),
        summarise([delay for at_ns, delay in delays if at_ns < storm_ns]),
        summarise([delay for at_ns, delay in delays if at_ns >= storm_ns]),
        sink.late,
        whole,
    )


def measure(options: Options) -> Report:
    """Every storm, one after the other."""
    report, _ = open_report("recovery_storm", options)
    print("Recovery storms: all books of one venue lose messages at once; milliseconds")
    print(in_words(report.machine))
    found = [judge(storm, options) for _ in range(options.rounds) for storm in STORMS]
    head = ["storm", "gaps", "repaired", "lost", "came late", "what", "p50", "p90", "p99", "p99.9", "max"]
    rows: list[list[object]] = []
    for one in found:
        counts = one.repairs
        told: list[object] = [one.storm.name, counts.gaps, counts.repaired, counts.lost, one.late]
        rows.append([*told, "time to repair", *_ms(one.took)])
        rows.append(["", "", "", "", "", "delay elsewhere before", *_ms(one.before)])
        rows.append(["", "", "", "", "", "delay elsewhere from then on", *_ms(one.during)])
        name = f"recovery_storm.{one.storm.instruments}.{one.storm.level}"
        if one.took is not None:
            report.figures.append(Figure(f"{name}.repair_p99", round(one.took.p99_ns / MS, 1), "ms"))
        if one.during is not None:
            report.figures.append(Figure(f"{name}.elsewhere_p99", round(one.during.p99_ns / MS, 1), "ms"))
        if not one.whole:
            report.notes.append(f"{one.storm.name}: not every book was whole in {LATE_S:g} s")
    print(table(head, rows))
    for note in report.notes:
        print(note)
    return report


def _ms(one: Summary | None) -> list[str]:
    if one is None:
        return ["-"] * 5
    return [f"{value / MS:.1f}" for value in (one.p50_ns, one.p90_ns, one.p99_ns, one.p99_9_ns, one.max_ns)]
