"""A rehearsed send goes to nobody: no venue sees it, no number is used."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import quickfix
from fix_peer import Peer, text
from fix_values import DOMESTIC, OVERSEAS, wire

from gateway.fix import rehearsal
from gateway.fix.engine import FixSessions
from gateway.fix.session_settings import SessionSettings


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.close()


def order(cl_ord_id: str) -> quickfix.Message:
    return quickfix.Message(wire(f"35=D|11={cl_ord_id}|55=cu2609|"), False)


def test_what_is_rehearsed_reaches_nobody(peer: Peer, tmp_path: Path) -> None:
    """Before the logon and after it: the venue reads the real order alone, under the number that follows the Logon."""
    settings = SessionSettings("orders", "SHFE", "orders", DOMESTIC, "127.0.0.1", peer.port, "CMC", "VENUE")
    changes: list[bool] = []
    sent: list[tuple[str, int]] = []
    sessions = FixSessions(
        [settings], tmp_path / "s", tmp_path / "l", time.monotonic_ns,
        on_message=lambda *_: None, on_session=lambda _key, up, _detail: changes.append(up),
        on_sent=lambda _key, name, number: sent.append((name, number)),
    )  # fmt: skip
    sessions.rehearse(order("R0"))
    sessions.start()
    peer.read("A")
    deadline = time.monotonic() + 10
    while not changes:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for number in range(50):
        sessions.rehearse(order(f"R{number}"))
    assert sessions.send("orders", order("T1"))
    assert (text(read := peer.read("D"), 11), text(read, 34)) == ("T1", "2")
    assert sent == [("T1", 2)]
    assert [one.key for one in sessions.status()] == ["orders"]
    assert sessions.stop(5)


@pytest.mark.parametrize("dialect", [DOMESTIC, OVERSEAS])
def test_its_numbers_begin_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dialect: object) -> None:
    """Long before QuickFIX's would run over."""
    monkeypatch.setattr(rehearsal, "MOST_NUMBER", 5)
    settings = SessionSettings("orders", "SHFE", "orders", dialect, "127.0.0.1", 1, "CMC", "VENUE")  # type: ignore[arg-type]
    (tmp_path / "s").mkdir()
    made = rehearsal.SendRehearsal(settings, tmp_path / "s", tmp_path, time.monotonic_ns)
    numbers = []
    for count in range(7):
        made.send(order(f"R{count}"))
        numbers.append(made._link.last_sent)
    assert numbers == [1, 2, 3, 4, 5, 1, 2]
    assert list((tmp_path / "s").glob("*.seqnums")) == []
    made.close()
