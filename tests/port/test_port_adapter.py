"""A venue that does not speak FIX is traded through the feed and the execution shell, by the adapter that its dialect
file names.
"""

import os
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from benchmarks.execution_site import intent, write_site
from gateway.bus.sockets import Publisher
from gateway.execution import runner
from gateway.execution.engine import ExecutionEngine
from gateway.model.order import Order, OrdType, Side, TimeInForce
from gateway.model.port import Handlers, Sessions
from gateway.model.quote import BadMarketData, BookState, Quote
from gateway.model.trade import Command, PairTradeState, Verb
from gateway.processes import clock, start
from gateway.processes.execution import settings
from gateway.processes.execution_shell import ExecutionShell
from gateway.processes.feed import Feed
from gateway.processes.fix_sessions import fix_sessions
from gateway.processes.lease import Lease
from gateway.processes.settings import Site, SiteError, load_site
from gateway.processes.toml_text import toml_text
from gateway.processes.venues import open_sessions, writer
from tests.port.json_venue import AHEAD_NS, NS, JsonVenue

DIALECT = """
[dialect]
name = "json"
adapter = "tests.port.json_adapter:adapter"
[market_data]
depth = 5
[orders]
times_in_force = ["0", "3"]
mass_status = "H"
mass_cancel = false
position_effects = ["O", "C", "T"]
"""
BOOKS = {
    "cu0": {"bids": [["77990", 50]], "asks": [["78000", 50], ["78010", 9]]},
    "CA0": {"bids": [["9750.0", 50]], "asks": [["9750.5", 50]]},
}
LONG_NS = 60_000_000_000


@pytest.fixture
def venue() -> Iterator[JsonVenue]:
    """Both venues of the site: symbols tell them apart."""
    made = JsonVenue(BOOKS)
    yield made
    made.close()


@pytest.fixture
def bus_dir() -> Iterator[Path]:
    """A directory whose sockets have short paths."""
    with tempfile.TemporaryDirectory(prefix="cmc-") as folder:
        yield Path(folder)


def site_of(folder: Path, port: int, dialect: str = DIALECT) -> Site:
    """The site of the benchmarks, its venues behind the adapter."""
    write_site(folder)
    (folder / "json.toml").write_text(dialect)
    file = folder / "site.toml"
    content = tomllib.loads(file.read_text())
    for one in content["venue"]:
        one["dialect"] = "json.toml"
        for kind in ("md", "orders"):
            one[kind] |= {"port": port, "sender_comp_id": f"CMC-{one['id']}-{kind}"}
    file.write_text(toml_text(content))
    return load_site(file, {})


def until(done: Callable[[], object]) -> None:
    """Wait for it."""
    end = time.monotonic() + 15
    while not done():
        assert time.monotonic() < end
        time.sleep(0.005)


def opened(site: Site, kind: str, folder: Path, handlers: Handlers) -> Sessions:
    """The sessions of one process."""
    return open_sessions(fix_sessions(site, kind), folder / "fix", folder / "log", clock.monotonic_ns, handlers)


def test_books_of_the_adapter_become_quotes(
    tmp_path: Path, bus_dir: Path, venue: JsonVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The feed subscribes, and publishes both books in whole ticks."""
    site = site_of(tmp_path, venue.port)
    publisher = Publisher(bus_dir, "feed", 1)
    wake_fd = os.eventfd(0, os.EFD_NONBLOCK)
    feed = Feed(site, publisher, wake_fd)
    quotes: dict[str, Quote] = {}

    def take(_topic: str, what: object) -> None:
        if isinstance(what, Quote):
            quotes[what.instrument_id] = what

    monkeypatch.setattr(publisher, "publish_as", take)
    sessions = opened(site, "md", tmp_path, Handlers(feed.on_message, feed.on_session, on_admin=feed.clocks.on_admin))
    sessions.start()

    def asked() -> bool:
        feed.ask(sessions, clock.monotonic_ns())
        return {"SHFE.cu0", "LME.CA0"} <= {name for name, one in quotes.items() if one.state is BookState.OK}

    until(asked)
    assert (quotes["SHFE.cu0"].bids, quotes["SHFE.cu0"].asks) == (((7799, 50),), ((7800, 50), (7801, 9)))
    assert quotes["LME.CA0"].bids == ((19_500, 50),)
    assert [line.up for line in feed.status(sessions, 1, clock.monotonic_ns()).sessions] == [True, True]
    assert sessions.stop(5)
    publisher.close()
    os.close(wake_fd)


def test_the_clock_of_a_venue_that_speaks_no_fix_is_calibrated(
    tmp_path: Path, bus_dir: Path, venue: JsonVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its adapter gives round trips; the same code makes of them an offset that holds the true one within its bound,
    and quotes are stamped by it.
    """
    site = site_of(tmp_path, venue.port, DIALECT + '[clock]\nsending_time = "ns"\nentry_time = "ns"\n')
    publisher = Publisher(bus_dir, "feed", 1)
    wake_fd = os.eventfd(0, os.EFD_NONBLOCK)
    feed = Feed(site, publisher, wake_fd)
    quotes: list[Quote] = []

    def take(_topic: str, what: object) -> None:
        if isinstance(what, Quote):
            quotes.append(what)

    monkeypatch.setattr(publisher, "publish_as", take)
    handlers = Handlers(feed.on_message, feed.on_session, on_round_trip=feed.clocks.on_round_trip)
    sessions = opened(site, "md", tmp_path, handlers)
    sessions.start()

    def calibrated() -> bool:
        now_ns = clock.monotonic_ns()
        feed.ask(sessions, now_ns)
        feed.mind_clocks(sessions, now_ns)
        for name in ("SHFE.cu0", "LME.CA0"):
            feed._core.on_event(BadMarketData(name.partition(".")[0], name, now_ns, 0, "asked again"), now_ns)
        return any(one.calibrated_ns for one in quotes)

    until(calibrated)
    for standing in feed.clocks.status(clock.monotonic_ns()):
        assert standing.live
        assert abs(standing.offset_ns - NS - AHEAD_NS) <= standing.bound_ns < 1_000_000_000
    stamped = next(one for one in quotes if one.calibrated_ns)
    assert abs(stamped.calibrated_ns - (stamped.venue_ns - NS - AHEAD_NS)) <= stamped.bound_ns
    assert sessions.stop(5)
    publisher.close()
    os.close(wake_fd)


def test_a_pair_is_traded_at_venues_that_speak_no_fix(
    tmp_path: Path, bus_dir: Path, venue: JsonVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An intent becomes an order at each venue; their fills end the pair trade, balanced, in the positions asked for."""
    monkeypatch.setattr(runner, "STALE_NS", LONG_NS)
    site = site_of(tmp_path, venue.port)
    engine = ExecutionEngine(settings(site), 1)
    run_dir = tmp_path / "run"
    journal = start.open_journal("execution", 1, site, run_dir)
    lease = Lease(run_dir)
    lease.give(1)
    wake_fd = os.eventfd(0, os.EFD_NONBLOCK)
    shell = ExecutionShell(site, engine, journal, lease, bus_dir, wake_fd, 0)
    handlers = Handlers(shell.on_message, shell.on_session, shell.on_sent, on_refused=shell.on_refused)
    sessions = opened(site, "orders", tmp_path, handlers)
    shell.sessions = sessions
    sessions.start()
    ledger = engine.ledger

    def after(done: Callable[[], object]) -> None:
        def look() -> object:
            shell.take_messages()
            shell.fire_timers()
            return done()

        until(look)

    after(lambda: all(one.up and one.reconciled for one in ledger.venues.values()))
    shell.handle(Command("arm", Verb.ARM, "li", "test"))
    assert ledger.armed
    now_ns = clock.monotonic_ns()
    shell.handle(msgspec.structs.replace(intent(1, now_ns, 1), expires_ns=now_ns + LONG_NS))
    after(lambda: ledger.trades and all(one.state is PairTradeState.HEDGED for one in ledger.trades.values()))
    held = {name: one.report() for name, one in ledger.positions.items()}
    assert {name: one.net_lots for name, one in held.items() if one.net_lots} == {"SHFE.cu0": 5, "LME.CA0": -1}
    assert sorted((one["symbol"], one["side"], one["cum"]) for one in venue.orders.values()) == [
        ("CA0", "2", 1),
        ("cu0", "1", 5),
    ]
    assert sessions.stop(5)
    shell.close()
    lease.close()
    os.close(wake_fd)


def test_cancel_and_status_pass_the_port(tmp_path: Path, venue: JsonVenue) -> None:
    """An order that rests is asked about and cancelled; a session that is down sends nothing."""
    site = site_of(tmp_path, venue.port)
    said: list[str] = []
    handlers = Handlers(lambda _key, raw, _ns: said.append(raw), lambda *_: None)
    sessions = opened(site, "orders", tmp_path, handlers)
    listed = {one.symbol: one for one in site.instruments.values() if one.venue_id == "LME"}
    words = writer(site.venues["LME"], listed, {})
    order = Order("T1", "LME", "A", "LME.CA0", Side.BUY, 1, OrdType.LIMIT, 19_000, TimeInForce.DAY)
    assert not sessions.send("LME.orders", words.new_order(order, 0))
    sessions.start()
    until(lambda: sessions.logged_on("LME.orders"))
    for message in (words.new_order(order, 0), words.status_request(order, "Q"), words.cancel("T2", order, "", 0)):
        assert sessions.send("LME.orders", message)
    until(lambda: len(said) == 3)
    assert [msgspec.json.decode(one)["said"] for one in said] == ["new", "works", "cancelled"]
    assert sessions.stop(5)


def test_an_adapter_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The site is refused before anything starts; the dialect, the name and what would be right are told."""
    with pytest.raises(SiteError, match=r"right would be module:factory of an installed module"):
        site_of(tmp_path, 1, DIALECT.replace("json_adapter:", "nowhere:"))
