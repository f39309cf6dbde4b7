"""What a dialect says of a venue's stamps, and an exchange of TestRequest(1) and Heartbeat(0) with a venue."""

import queue
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import simplefix
from fix_peer import SENDING_TIME, Peer, text

from gateway.feed.clock_settings import StampClocks, StampForm
from gateway.fix.application import between
from gateway.fix.dialect import DIALECTS, DialectError, load_dialect
from gateway.fix.engine import FixSessions
from gateway.fix.session_settings import SessionSettings

DOMESTIC = (DIALECTS / "domestic44.toml").read_text(encoding="utf-8")
TABLE = DOMESTIC[DOMESTIC.index("[clock]") : DOMESTIC.index("[logon]")]
MS = 10**6


def stamps(tmp_path: Path, table: str) -> StampClocks:
    """Those of the domestic dialect with another table [clock]."""
    path = tmp_path / "venue.toml"
    path.write_text(DOMESTIC.replace(TABLE, table, 1), encoding="utf-8")
    return load_dialect(path).stamps


def test_a_dialect_without_the_table_has_milliseconds_of_one_clock(tmp_path: Path) -> None:
    """What the shipped venues do is what a dialect need not say."""
    assert stamps(tmp_path, "") == StampClocks()


def test_what_the_table_says(tmp_path: Path) -> None:
    """Resolutions, rounding, clocks by name, what publishing takes, and the snapshots' phase."""
    table = """[clock]
sending_time = "us"
entry_time = "s"
cut_off = false
sending_clock = "gateway"
entry_clock = "matching"
transact_clock = "matching"
publish_floor_us = 50
publish_lag_ms = 20
snapshot_interval_ms = 500
snapshot_phase_ms = 125

"""
    assert stamps(tmp_path, table) == StampClocks(
        StampForm(-500, 500), StampForm(-500 * MS, 500 * MS), "gateway", "matching", "matching", 50_000, 20 * MS,
        500 * MS, 125 * MS,
    )  # fmt: skip


MISTAKES = [
    ('sending_time = "min"', "clock.sending_time = 'min'; right would be one of s, ms, us, ns"),
    ("cut_off = 1", "clock.cut_off = 1; right would be a value of kind bool"),
    ('entry_clock = "The Clock"', "clock.entry_clock = 'The Clock'; right would be a name of small letters"),
    ("publish_lag_ms = -1", "clock.publish_lag_ms = -1; right would be 0 or more"),
    ("publish_lag_ms = 1\npublish_floor_us = 1001", "clock.publish_lag_ms = 1; right would be at least"),
    ("snapshot_phase_ms = 5", "clock.snapshot_phase_ms = 5; right would be less than snapshot_interval_ms, 0"),
    ("colour = 1", "clock.colour = 1; right would be no such key here"),
]


@pytest.mark.parametrize(("line", "right"), MISTAKES)
def test_a_mistake_in_the_table_is_told(tmp_path: Path, line: str, right: str) -> None:
    """The key, the value and what would be right."""
    with pytest.raises(DialectError) as caught:
        stamps(tmp_path, f"[clock]\n{line}\n\n")
    assert right in str(caught.value)


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A venue that answers TestRequests."""
    venue = Peer()
    yield venue
    venue.close()


def test_a_test_request_of_ours_is_answered_through_on_admin(peer: Peer, tmp_path: Path) -> None:
    """Sent with our TestReqID(112), on the wire as such; the Heartbeat(0) comes back with it and with the venue's time."""
    heard: queue.Queue[tuple[str, str, int]] = queue.Queue()
    up: queue.Queue[bool] = queue.Queue()
    sessions = FixSessions(
        [SessionSettings("md", "SHFE", "md", load_dialect("domestic44"), "127.0.0.1", peer.port, "CMC", "VENUE")],
        tmp_path / "state",
        tmp_path / "log",
        time.monotonic_ns,
        on_message=lambda *_call: None,
        on_session=lambda _key, is_up, _detail: up.put(is_up),
        on_admin=lambda *call: heard.put(call),
    )
    sessions.start()
    try:
        assert up.get(timeout=10)
        before_ns = time.monotonic_ns()
        assert sessions.test_request("md", "CLK-md-1")
        asked: simplefix.FixMessage = peer.read("1")
        assert text(asked, 112) == "CLK-md-1"
        while True:
            key, raw, recv_ns = heard.get(timeout=10)
            if between(raw, "\x01112="):
                break
        assert key == "md"
        assert (between(raw, "\x0135="), between(raw, "\x01112=")) == ("0", "CLK-md-1")
        assert between(raw, "\x0152=") == SENDING_TIME
        assert before_ns < recv_ns <= time.monotonic_ns()
    finally:
        sessions.stop(5)
