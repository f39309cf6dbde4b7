"""The two sides of docs/VENUE_FIX.md meet: our sessions, decoders and encoder against the venue simulators."""

import json
import queue
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fix_values import DOMESTIC, OVERSEAS

from gateway.fix.dialect import Dialect
from gateway.fix.encode import OrderEncoder
from gateway.fix.engine import FixSessions
from gateway.fix.market_data import MarketDataDecoder
from gateway.fix.orders import OrderDecoder
from gateway.fix.session_settings import SessionSettings
from gateway.model.instrument import Instrument, PositionModel
from gateway.model.order import ExecType, ExecutionReport, Order, OrdStatus, OrdType, PositionEffect, Side, TimeInForce
from gateway.model.quote import BadMarketData, BookIncrement, BookSnapshot, StatusChange
from simulators.tapes import load_tape

PROFILE = """
[venue]
name = "{venue}"
dialect = "{dialect}"
comp_id = "{venue}"
client_comp_id = "CMC"
account = "A1"
truth_dir = "{folder}/truth"
ready_file = "{folder}/ready.json"
[clock]
offset_ms = 0
[network]
profile = "none"
[tape]
kind = "synthetic"
name = "cu"
seed = 7
seconds = 30
[[instrument]]
symbol = "{symbol}"
tick = "{tick}"
open_close = "{positions}"
"""


class Venue:
    """A simulator and our two sessions to it."""

    def __init__(self, folder: Path, dialect: Dialect, instrument: Instrument, more: str = "", plays: str = "") -> None:
        """`more` is added to the profile; `plays` is the simulator's dialect where it is not of the same name."""
        self.calls: queue.Queue[tuple[Any, ...]] = queue.Queue()
        positions = "net" if instrument.position_model is PositionModel.NET else "open_close_today"
        profile = folder / "profile.toml"
        profile.write_text(
            PROFILE.format(
                venue=instrument.venue_id, dialect=plays or dialect.name, folder=folder, symbol=instrument.symbol,
                tick=instrument.tick, positions=positions,
            )
            + more
        )  # fmt: skip
        self.process = subprocess.Popen([sys.executable, "-m", "simulators", str(profile)])
        ready = self._ready(folder / "ready.json")
        self.sessions = FixSessions(
            [self._settings(kind, dialect, instrument, ready[f"{kind}_port"]) for kind in ("md", "orders")],
            folder / "state",
            folder / "log",
            time.monotonic_ns,
            on_message=lambda *call: self.calls.put(call),
            on_session=lambda *call: self.calls.put(call),
        )
        self.sessions.start()
        up = {self.calls.get(timeout=10)[:2], self.calls.get(timeout=10)[:2]}
        if up != {("md", True), ("orders", True)}:
            self.close()
        assert up == {("md", True), ("orders", True)}

    def next(self, key: str) -> tuple[str, int]:
        """The next message of a session; those of the other are dropped."""
        while True:
            call = self.calls.get(timeout=15)
            if call[0] == key:
                return call[1], call[2]

    def close(self) -> None:
        """End both."""
        self.sessions.stop(5)
        self.process.terminate()
        self.process.wait(10)

    def _ready(self, path: Path) -> dict[str, int]:
        deadline = time.monotonic() + 20
        while not path.exists():
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        ready: dict[str, int] = json.loads(path.read_text())
        return ready

    @staticmethod
    def _settings(kind: Any, dialect: Dialect, instrument: Instrument, port: int) -> SessionSettings:  # noqa: ANN401
        return SessionSettings(kind, instrument.venue_id, kind, dialect, "127.0.0.1", port, "CMC", instrument.venue_id)


SIDES = {
    "domestic44": (DOMESTIC, True, PositionEffect.OPEN),
    "overseas42": (OVERSEAS, False, PositionEffect.NONE),
}
Side4 = tuple[Venue, Dialect, Instrument, PositionEffect]


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side4]:
    """A venue of each dialect, with the tape's contract."""
    dialect, domestic, effect = SIDES[request.param]
    listed = load_tape("synthetic", "cu", "", 7, 30).instruments
    contract = next(one for one in listed if (one.venue == "SHFE") is domestic and one.symbol != "UC")
    instrument = Instrument(
        f"{contract.venue}.{contract.symbol}", contract.venue, contract.symbol, contract.tick, Decimal(1), "t",
        contract.currency, Decimal(1), PositionModel.OPEN_CLOSE_TODAY if domestic else PositionModel.NET,
    )  # fmt: skip
    venue = Venue(tmp_path, dialect, instrument)
    yield venue, dialect, instrument, effect
    venue.close()


def test_market_data_and_an_order_of_each_dialect(side: Side4) -> None:
    """Books arrive clean; an IOC bought at the ask is accepted, filled or cancelled, and its quantities add up."""
    venue, dialect, instrument, effect = side
    by_symbol = {instrument.symbol: instrument}
    encoder = OrderEncoder(dialect, by_symbol, {"customer_or_firm": "0", "sender_sub_id": "T7"})
    books = MarketDataDecoder(dialect, instrument.venue_id, by_symbol)
    assert venue.sessions.send("md", encoder.market_data_request("r1", [instrument.symbol], dialect.depth))
    events = [event for _ in range(6) for event in books.decode(*venue.next("md"))]
    assert not [event for event in events if isinstance(event, BadMarketData)]
    assert {type(event) for event in events} <= {BookSnapshot, BookIncrement, StatusChange}
    ask_ticks = 0
    for number in range(20):
        again = encoder.market_data_request(f"s{number}", [instrument.symbol], dialect.depth, snapshot_only=True)
        assert venue.sessions.send("md", again)
        asks = [book.asks for book in books.decode(*venue.next("md")) if isinstance(book, BookSnapshot) and book.asks]
        if asks:
            ask_ticks = asks[0][0][0]
            break
    assert ask_ticks
    order = Order(
        "T1", instrument.venue_id, "A1", instrument.instrument_id, Side.BUY, 1, OrdType.LIMIT,
        ask_ticks + 50, TimeInForce.IOC, effect, "1" if effect else "",
    )  # fmt: skip
    assert venue.sessions.send("orders", encoder.new_order(order, time.time_ns()))
    reports: list[ExecutionReport] = []
    decoder = OrderDecoder(dialect, instrument.venue_id, by_symbol)
    while not reports or reports[-1].leaves_qty_lots:
        report = decoder.decode(*venue.next("orders"))
        assert isinstance(report, ExecutionReport), report
        reports.append(report)
    assert [report.exec_type for report in reports] == [ExecType.NEW, ExecType.TRADE]
    assert (reports[1].cum_qty_lots, reports[1].last_qty_lots, bool(reports[1].exec_key)) == (1, 1, True)


def test_questions_of_each_dialect(side: Side4) -> None:
    """An unknown order, a mass status with nothing open: the answers are order statuses that decode."""
    venue, dialect, instrument, effect = side
    by_symbol = {instrument.symbol: instrument}
    encoder = OrderEncoder(dialect, by_symbol, {})
    decoder = OrderDecoder(dialect, instrument.venue_id, by_symbol)
    order = Order(
        "LOST",
        instrument.venue_id,
        "A1",
        instrument.instrument_id,
        Side.BUY,
        1,
        OrdType.LIMIT,
        1,
        TimeInForce.IOC,
        effect,
    )
    asked = [encoder.status_request(order, "Q1")]
    if dialect.mass_status == "AF":
        asked.append(encoder.mass_status_request("Q2"))
    for message in asked:
        assert venue.sessions.send("orders", message)
        answer = decoder.decode(*venue.next("orders"))
        assert isinstance(answer, ExecutionReport), answer
        assert (answer.exec_type, answer.ord_status, answer.order_id) == (
            ExecType.ORDER_STATUS,
            OrdStatus.REJECTED,
            "NONE",
        )
