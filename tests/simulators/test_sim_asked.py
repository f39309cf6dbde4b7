"""What a venue is asked for, our sessions against the simulator: positions, drop copy, cancel on disconnect, and all that
came after the last message on record.
"""

import queue
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from sim_fakes import SYMBOL, VENUE, book
from sim_live import Live, live

from gateway.fix.dialect import load_dialect
from gateway.fix.encode import EncodeError, OrderEncoder
from gateway.fix.engine import FixSessions
from gateway.fix.orders import OrderDecoder
from gateway.fix.session_settings import SessionSettings
from gateway.model.instrument import Instrument, PositionModel
from gateway.model.order import (
    ExecType,
    ExecutionReport,
    Order,
    OrderEvent,
    OrdStatus,
    OrdType,
    PositionEffect,
    Side,
    TimeInForce,
)
from gateway.model.port import Heard
from gateway.model.position import PositionLine, PositionsAcked

TAPE = [book(0)]
PARTIES = {"member": "M1", "client": "7", "decision_maker": "8", "trader": "9"}
NAME = f"{VENUE}.{SYMBOL}"
TIMEOUT_S = 15


class Gateway:
    """Our order session and, where the venue has one, its drop copy; what they said, in order."""

    def __init__(
        self, run: Live, folder: Path, dialect: str, heard: Mapping[str, Heard] | None = None, *, pulls: bool = False
    ) -> None:
        self.dialect = load_dialect(dialect)
        self.domestic = dialect == "domestic44"
        model = PositionModel.OPEN_CLOSE_TODAY if self.domestic else PositionModel.NET
        fields = {"prompt": "20260615", "security_id": "S1", "settl_date": "20260615"} if "lme" in dialect else {}
        self.instrument = Instrument(
            NAME, VENUE, SYMBOL, Decimal(10), Decimal(5), "t", "CNY", Decimal(5), model, account="A1", fields=fields
        )  # fmt: skip
        listed = {SYMBOL: self.instrument}
        self.encoder = OrderEncoder(self.dialect, listed, PARTIES)
        self._decoders = {
            key: OrderDecoder(self.dialect, VENUE, listed, copied=key == "drop_copy") for key in ("orders", "drop_copy")
        }
        self.told: dict[str, queue.Queue[OrderEvent]] = {key: queue.Queue() for key in self._decoders}
        self.changes: queue.Queue[tuple[str, bool, str]] = queue.Queue()
        ports = {"orders": run.simulator.orders_port, "drop_copy": run.simulator.drop_copy_port}
        self.keys = [key for key, port in ports.items() if port]
        settings = [
            SessionSettings(
                key, VENUE, "orders", self.dialect, "127.0.0.1", ports[key], "CMC", VENUE,
                reconnect_backoff_s=(0.05, 0.2), cancel_on_disconnect=pulls and key == "orders",
            )
            for key in self.keys
        ]  # fmt: skip
        self.sessions = FixSessions(
            settings,
            folder / "fix",
            folder / "log",
            time.monotonic_ns,
            on_message=self._message,
            on_session=lambda *change: self.changes.put(change),
            heard=heard,
        )
        self.sessions.start()
        for _ in self.keys:
            assert self.changes.get(timeout=TIMEOUT_S)[1] is True

    def _message(self, key: str, raw: str, recv_ns: int) -> None:
        event = self._decoders[key].decode(raw, recv_ns)
        if event is not None:
            self.told[key].put(event)

    def order(self, cl_ord_id: str, px_ticks: int, force: TimeInForce = TimeInForce.IOC, lots: int = 2) -> None:
        """A buy of `lots`."""
        effect, flag = (PositionEffect.OPEN, "2") if self.domestic else (PositionEffect.NONE, "")
        one = Order(
            cl_ord_id, VENUE, "A1", NAME, Side.BUY, lots, OrdType.LIMIT, px_ticks, force, effect, flag,
        )  # fmt: skip
        assert self.sessions.send("orders", self.encoder.new_order(one, time.time_ns()))

    def positions(self) -> list[PositionLine]:
        """Asked for, acknowledged, told; reports that are under way are passed over."""
        message = self.encoder.positions_request("Q1", "A1", "20260615", time.time_ns())
        assert self.sessions.send("orders", message)
        acked = None
        lines: list[PositionLine] = []
        while acked is None or len(lines) < acked.total:
            event = self.next("orders")
            if isinstance(event, PositionsAcked):
                acked = event
            elif isinstance(event, PositionLine):
                lines.append(event)
            assert isinstance(event, PositionsAcked | PositionLine | ExecutionReport), event
        assert (acked.request_id, acked.failure) == ("Q1", "")
        return lines

    def next(self, key: str) -> OrderEvent:
        """The next event of a session."""
        return self.told[key].get(timeout=TIMEOUT_S)

    def until(self, key: str, kind: ExecType) -> ExecutionReport:
        """The next report of this kind."""
        while True:
            event = self.next(key)
            if isinstance(event, ExecutionReport) and event.exec_type is kind:
                return event

    def stop(self) -> None:
        assert self.sessions.stop(5)


@contextmanager
def gateway(
    run: Live,
    folder: Path,
    dialect: str = "domestic44",
    heard: Mapping[str, Heard] | None = None,
    *,
    pulls: bool = False,
) -> Iterator[Gateway]:
    made = Gateway(run, folder, dialect, heard, pulls=pulls)
    try:
        yield made
    finally:
        made.stop()


LINES = {
    "domestic44": (2, 0, 2, 0, "2", "20260615"),
    "lmeselect44": (2, 0, None, None, "", "20260615"),
    "fixt11sp2": (2, 0, None, None, "", "20260615"),
}


@pytest.mark.parametrize("dialect", LINES)
def test_a_venue_tells_what_we_hold(tmp_path: Path, dialect: str) -> None:
    """Nothing before the first fill; then its lots, by day and hedge flag or prompt as the dialect has them."""
    listing = {"open_close": "open_close_today"} if dialect == "domestic44" else {}
    with live(tmp_path, TAPE, dialect=dialect, instrument=listing) as run, gateway(run, tmp_path, dialect) as ours:
        assert ours.positions() == []
        ours.order("C1", 105)
        ours.until("orders", ExecType.TRADE)
        (line,) = ours.positions()
        assert (
            line.long_lots, line.short_lots, line.long_today_lots, line.short_today_lots, line.hedge_flag,
            line.trading_day,
        ) == LINES[dialect]  # fmt: skip
        assert (line.instrument_id, line.account, line.total) == (NAME, "A1", 1)
        assert line.prompt == ("20260615" if dialect == "lmeselect44" else "")


def test_a_dialect_of_4_2_has_no_such_question(tmp_path: Path) -> None:
    """It is refused before anything is sent."""
    with (
        live(tmp_path, TAPE, dialect="overseas42") as run,
        gateway(run, tmp_path, "overseas42") as ours,
        pytest.raises(EncodeError, match="the dialect overseas42 has no such message"),
    ):
        ours.encoder.positions_request("Q1", "A1", "", 0)


def test_a_trade_by_telephone_shows_in_the_position_and_on_the_drop_copy_alone(tmp_path: Path) -> None:
    """The order session says nothing of it; the copy says it whole, with an id that no order of ours has."""
    trade = {"direction": "sell", "qty": 3, "effect": "O", "told": "drop_copy"}
    faults = [{"name": "outside_trade", "ordinals": [1], "params": trade}]
    listing = {"open_close": "open_close_today"}
    with (
        live(tmp_path, TAPE, venue={"drop_copy": True}, fault=faults, instrument=listing) as run,
        gateway(run, tmp_path) as ours,
    ):
        ours.order("C1", 105)
        copy = ours.until("drop_copy", ExecType.TRADE)
        assert (copy.cl_ord_id, copy.side, copy.last_qty_lots, copy.copied) == ("TEL-1", Side.SELL, 3, True)
        (line,) = ours.positions()
        assert (line.long_lots, line.short_lots) == (2, 3)


@pytest.mark.parametrize("dialect", ["domestic44", "overseas42"])
def test_a_fill_has_one_key_on_both_sessions(tmp_path: Path, dialect: str) -> None:
    """So the engine counts it once; what answers a question is no event and is not copied."""
    with (
        live(tmp_path, TAPE, dialect=dialect, venue={"drop_copy": True}) as run,
        gateway(run, tmp_path, dialect) as ours,
    ):
        ours.order("C1", 105)
        told, copy = ours.until("orders", ExecType.TRADE), ours.until("drop_copy", ExecType.TRADE)
        assert told.exec_key == copy.exec_key != ""
        assert (told.copied, copy.copied, copy.cl_ord_id) == (False, True, "C1")


def test_what_the_order_session_swallows_the_copy_tells(tmp_path: Path) -> None:
    """Not a word of the order on its own session; accepted and filled on the drop copy."""
    faults = [{"name": "silence", "ordinals": [1]}]
    with live(tmp_path, TAPE, venue={"drop_copy": True}, fault=faults) as run, gateway(run, tmp_path) as ours:
        ours.order("C1", 105)
        assert ours.until("drop_copy", ExecType.TRADE).cum_qty_lots == 2
        assert ours.sessions.send("orders", ours.encoder.mass_status_request("Q2"))
        answer = ours.next("orders")
        assert isinstance(answer, ExecutionReport)
        assert (answer.exec_type, answer.cum_qty_lots) == (ExecType.ORDER_STATUS, 2)


def test_the_drop_copy_takes_no_request(tmp_path: Path) -> None:
    """It is read; what is sent there is refused as such."""
    with live(tmp_path, TAPE, venue={"drop_copy": True}) as run, gateway(run, tmp_path) as ours:
        assert ours.sessions.send("drop_copy", ours.encoder.mass_status_request("Q2"))
        refused = ours.next("drop_copy")
        assert (type(refused).__name__, getattr(refused, "ref_msg_type", "")) == ("MessageRejected", "AF")


@pytest.mark.parametrize("dialect", ["domestic44", "fixt11sp2"])
@pytest.mark.parametrize("pulls", [True, False])
def test_cancel_on_disconnect_where_the_logon_asks_for_it(tmp_path: Path, dialect: str, *, pulls: bool) -> None:
    """The line is cut with an order resting: it is cancelled, and told after the next logon; unasked it rests on."""
    with live(tmp_path, TAPE, dialect=dialect) as run, gateway(run, tmp_path, dialect, pulls=pulls) as ours:
        ours.order("C1", 90, TimeInForce.DAY)
        ours.until("orders", ExecType.NEW)
        run.cut()
        assert [ours.changes.get(timeout=TIMEOUT_S)[1] for _ in range(2)] == [False, True]
        if pulls:
            cancelled = ours.until("orders", ExecType.CANCELED)
            assert (cancelled.cl_ord_id, cancelled.poss_dup) == ("C1", True)
            return
        assert ours.sessions.send("orders", ours.encoder.mass_status_request("Q2"))
        assert ours.until("orders", ExecType.ORDER_STATUS).ord_status is OrdStatus.NEW


def test_the_first_logon_asks_for_all_after_the_record(tmp_path: Path) -> None:
    """The store has counted the fill, the record ends before it: the venue is asked from there, and sends it again."""
    with live(tmp_path, TAPE) as run:
        with gateway(run, tmp_path) as before:
            before.order("C1", 105)
            filled = before.until("orders", ExecType.TRADE)
        # On record is what came before the fill, written a while after the numbers began.
        heard = {"orders": Heard(filled.msg_seq_num - 1, time.time_ns() + 5 * 10**9)}
        with gateway(run, tmp_path, heard=heard) as after:
            again = after.until("orders", ExecType.TRADE)
        assert (again.msg_seq_num, again.exec_key, again.poss_dup) == (filled.msg_seq_num, filled.exec_key, True)
        with gateway(run, tmp_path, heard={"orders": Heard(filled.msg_seq_num, time.time_ns() + 5 * 10**9)}) as later:
            assert later.sessions.send("orders", later.encoder.mass_status_request("Q2"))
            first = later.next("orders")
            assert isinstance(first, ExecutionReport)
            assert first.exec_type is ExecType.ORDER_STATUS


def test_numbers_that_began_after_the_record_are_asked_for_from_one(tmp_path: Path) -> None:
    """The record is of another day's numbers: whatever it ends with says nothing about these."""
    with live(tmp_path, TAPE) as run:
        with gateway(run, tmp_path) as before:
            before.order("C1", 105)
            before.until("orders", ExecType.TRADE)
        with gateway(run, tmp_path, heard={"orders": Heard(3, 10**18)}) as after:
            assert after.until("orders", ExecType.NEW).poss_dup is True
            assert after.until("orders", ExecType.TRADE).poss_dup is True
