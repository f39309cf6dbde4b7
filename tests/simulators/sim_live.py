"""A simulator on a thread of the test, with a tape of the test, and clients for it."""

# ruff: noqa: ANN401  (a test gives what a section of a profile holds: any value)

import asyncio
import selectors
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sim_fakes import SYMBOL, VENUE, FakeTape

from simulators.core.tape import TapeEvent
from simulators.fix.client import FixClient
from simulators.fix.server import Simulator
from simulators.profile import parse_profile


class Live:
    """The running simulator and its folder."""

    def __init__(self, simulator: Simulator, folder: Path, begin_string: str, loop: asyncio.AbstractEventLoop) -> None:
        self.simulator = simulator
        self._loop = loop
        self.folder = folder
        self._begin_string = begin_string

    def cut(self) -> None:
        """Cut all connections, in the simulator's own thread."""
        self._loop.call_soon_threadsafe(self.simulator.cut)

    def client(self, session: str) -> FixClient:
        port = self.simulator.md_port if session == "md" else self.simulator.orders_port
        return FixClient(port, self._begin_string, "CMC", VENUE)


@contextmanager
def live(folder: Path, events: list[TapeEvent], **changes: Any) -> Iterator[Live]:
    """Runs while the block runs; `changes` are sections of the profile, `venue` is merged."""
    dialect = changes.pop("dialect", "domestic44")
    venue = {
        "name": VENUE, "dialect": dialect, "comp_id": VENUE, "client_comp_id": "CMC", "account": "A1",
        "truth_dir": "truth", "ready_file": "ready.json", "truth_messages": True, "start_monotonic_ns": 1,
        "snapshot_interval_ms": 100, **changes.pop("venue", {}),
    }  # fmt: skip
    instrument = {"symbol": SYMBOL, "tick": "10", **changes.pop("instrument", {})}
    data = {"venue": venue, "tape": {"name": "fake"}, "instrument": [instrument], **changes}
    profile = parse_profile(data, "test")
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    simulator = Simulator(profile, FakeTape(events, low=50, high=150), folder)
    loop.run_until_complete(simulator.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield Live(simulator, folder, "FIX.4.4" if dialect == "domestic44" else "FIX.4.2", loop)
    finally:
        asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
