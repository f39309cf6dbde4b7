"""The feed in this process against a venue simulator on a thread: real sockets, no other process."""

import asyncio
import os
import selectors
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway.model.base import Message
from gateway.model.port import Handlers, Sessions
from gateway.model.quote import Quote
from gateway.model.trade import Alarm, BookStateChanged
from gateway.processes import clock
from gateway.processes.feed import Feed
from gateway.processes.fix_sessions import fix_sessions
from gateway.processes.settings import Site, load_site
from gateway.processes.toml_text import toml_text
from gateway.processes.venues import open_sessions
from simulators.core.tape import Tape, TapeBook, TapeEvent, TapeInstrument
from simulators.fix.server import Simulator
from simulators.profile import parse_profile

SITE = Path(__file__).resolve().parents[2] / "sites" / "demo.toml"
PATIENCE_S = 15.0
MS = 10**6


class Bus:
    """Takes what the feed publishes, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Message]] = []
        self._changed = threading.Condition()

    def publish_as(self, topic: str, message: Message) -> None:
        with self._changed:
            self.told.append((topic, message))
            self._changed.notify_all()

    def publish(self, message: Message) -> None:
        self.publish_as(type(message).__name__, message)

    def until(self, holds: Callable[["Bus"], bool]) -> None:
        """Wait for a condition of what was told; AssertionError with the tail of it where it does not come."""
        with self._changed:
            done = self._changed.wait_for(lambda: holds(self), PATIENCE_S)
        assert done, self.told[-5:]

    def quotes(self, topic: str) -> list[Quote]:
        return [one for name, one in list(self.told) if name == topic and isinstance(one, Quote)]

    def alarms(self) -> list[Alarm]:
        return [one for _, one in list(self.told) if isinstance(one, Alarm)]

    def verdicts(self) -> list[BookStateChanged]:
        return [one for _, one in list(self.told) if isinstance(one, BookStateChanged)]


class Quick:
    """A book of two instruments that moves every 5 ms: sizes change, the touch stays."""

    name = "quick"
    label = "written by hand"
    duration_ns = 20_000 * MS
    instruments = tuple(
        TapeInstrument("LME", symbol, Decimal(tick), "USD", "20260615")
        for symbol, tick in (("CA3M", "0.5"), ("USDCNH", "0.0001"))
    )

    def events(self) -> Iterator[TapeEvent]:
        for step in range(self.duration_ns // (5 * MS)):
            for one in self.instruments:
                lots = 1 + step % 50
                yield TapeBook(step * 5 * MS, "LME", one.symbol, ((19_500, lots),), ((19_502, 7),))


class LiveFeed:
    """The feed with its sessions; `turn` does once what its main loop does."""

    def __init__(self, site: Site, folder: Path, wake_fd: int) -> None:
        self.bus = Bus()
        untyped: Any = self.bus
        self.feed = Feed(site, untyped, wake_fd)
        feed = self.feed
        handlers = Handlers(
            feed.on_message,
            feed.on_session,
            on_admin=feed.on_admin,
            on_gap=feed.on_gap,
            on_refused=feed.on_refused,
            on_round_trip=feed.clocks.on_round_trip,
        )
        ends = fix_sessions(site, "md")
        self.sessions: Sessions = open_sessions(ends, folder / "fix", folder / "logs", clock.monotonic_ns, handlers)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop)

    def _loop(self) -> None:
        while not self._stop.wait(0.005):
            now_ns = clock.monotonic_ns()
            self.feed.ask(self.sessions, now_ns)
            self.feed.mind_clocks(self.sessions, now_ns)
            self.feed.mind_silence(now_ns)

    def begin(self) -> None:
        self.sessions.start()
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_S)
        self.sessions.stop(timeout_s=5.0)


def site_for(
    folder: Path, ports: dict[str, int], change: Callable[[dict[str, Any]], None], logon: dict[str, str] | None = None
) -> Site:
    """The demo's site with the venues' market data at these ports; `change` edits the file's content."""
    content = tomllib.loads(SITE.read_text(encoding="utf-8"))
    for venue in content["venue"]:
        venue["md"] |= {"port": ports.get(venue["id"], 1), "username": "", "host": "127.0.0.1"}
        if logon:
            (folder / "password").write_text(logon["password"], encoding="utf-8")
            venue["md"] |= {"username": logon["username"], "password_file": "password"}
    change(content)
    file = folder / "site.toml"
    file.write_text(toml_text(content), encoding="utf-8")
    return load_site(file, {})


@contextmanager
def venue_of(folder: Path, name: str, dialect: str, tape: Tape, **changes: Any) -> Iterator[Simulator]:  # noqa: ANN401
    """A venue on a thread of its own, its tape from the moment it starts."""
    segments = changes.pop("segments", {})
    listed = [
        {"symbol": one.symbol, "tick": str(one.tick), "segment": segments.get(one.symbol, "")}
        for one in tape.instruments
        if one.venue == name
    ]
    venue = {
        "name": name, "dialect": dialect, "comp_id": name, "client_comp_id": "CMC", "account": "A1",
        "truth_dir": f"truth-{name}", "ready_file": f"ready-{name}.json", "start_monotonic_ns": time.monotonic_ns(),
        "snapshot_interval_ms": 50, **changes.pop("venue", {}),
    }  # fmt: skip
    data = {"venue": venue, "tape": {"name": "fake"}, "instrument": listed, **changes}
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    simulator = Simulator(parse_profile(data, "test"), tape, folder)
    loop.run_until_complete(simulator.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield simulator
    finally:
        asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


@contextmanager
def feed_of(site: Site, folder: Path) -> Iterator[LiveFeed]:
    """The feed while the block runs."""
    wake_fd = os.eventfd(0, os.EFD_NONBLOCK)
    made = LiveFeed(site, folder, wake_fd)
    made.begin()
    try:
        yield made
    finally:
        made.end()
        os.close(wake_fd)
