"""Numbers of a session that never ends go on when QuickFIX is started on another day."""

import queue
import time
from pathlib import Path

import pytest
import quickfix
from fix_peer import Peer, text
from fix_values import DOMESTIC

from gateway.fix.engine import FixSessions
from gateway.fix.same_day import same_day
from gateway.fix.session_settings import SessionSettings

NAME = "FIX.4.4-A-B"
DAY_S = 86_400
KINDS = {"initiator": quickfix.SocketInitiator, "acceptor": quickfix.SocketAcceptor}


CALLBACKS = ("onCreate", "onLogon", "onLogout", "toAdmin", "fromAdmin", "toApp", "fromApp")
Nothing = type("Nothing", (quickfix.Application,), dict.fromkeys(CALLBACKS, lambda *_: None))


def numbers(kind: str, folder: Path) -> tuple[int, int]:
    """The next numbers that a session without an end has after QuickFIX was made; nothing is connected."""
    settings = quickfix.SessionSettings()
    common, own = quickfix.Dictionary(), quickfix.Dictionary()
    words = {"ConnectionType": kind, "FileStorePath": str(folder), "NonStopSession": "Y", "UseDataDictionary": "N"}
    words |= {"HeartBtInt": "30", "SocketConnectHost": "127.0.0.1", "SocketConnectPort": "1", "SocketAcceptPort": "1"}
    for key, value in words.items():
        common.setString(key, value)
    own.setString("ConnectionType", kind)
    settings.set(common)
    session_id = quickfix.SessionID("FIX.4.4", "A", "B")
    settings.set(session_id, own)
    application, factory = Nothing(), quickfix.FileStoreFactory(settings)
    engine = KINDS[kind](application, factory, settings)
    session = quickfix.Session.lookupSession(session_id)
    found = session.getExpectedSenderNum(), session.getExpectedTargetNum()
    del session, engine
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_of_yesterday_go_on(tmp_path: Path, kind: str) -> None:
    """42 and 43 as they were, and the store says as before when they began; QuickFIX alone begins them at 1."""
    session = tmp_path / f"{NAME}.session"
    yesterday = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(time.time() - DAY_S))
    (tmp_path / f"{NAME}.seqnums").write_text(f"{42:020d} : {43:020d}", encoding="ascii")
    session.write_text(yesterday, encoding="ascii")
    with same_day([session, tmp_path / "none.session"], time.time_ns()):
        assert numbers(kind, tmp_path) == (42, 43)
    assert session.read_text(encoding="ascii") == yesterday
    assert not (tmp_path / "none.session").exists()
    assert numbers(kind, tmp_path) == (1, 1), "no longer so: then `same_day` can go"


def venue_hears(folder: Path, peer: Peer, hours: dict[str, str]) -> str:
    """MsgSeqNum(34) of our Logon to a venue."""
    settings = SessionSettings(
        key="shfe-orders",
        venue_id="SHFE",
        kind="orders",
        dialect=DOMESTIC,
        host="127.0.0.1",
        port=peer.port,
        sender_comp_id="CMCDAY",
        target_comp_id="VENUE",
        reconnect_backoff_s=(0.05, 0.4),
        **hours,  # type: ignore[arg-type]
    )
    told: queue.Queue[bool] = queue.Queue()
    sessions = FixSessions(
        [settings],
        folder,
        folder,
        time.monotonic_ns,
        on_message=lambda *_call: None,
        on_session=lambda _key, up, _detail: told.put(up),
        utc=time.time_ns,
    )
    sessions.start()
    try:
        number = text(peer.read("A"), 34)
        assert told.get(timeout=15)
    finally:
        sessions.stop(10)
    return number


@pytest.mark.parametrize(
    ("hours", "begins_again"), [({}, False), ({"start_time": "00:00:00", "end_time": "00:00:00"}, True)]
)
def test_a_venues_session_without_an_end_goes_on_over_days(
    tmp_path: Path,
    hours: dict[str, str],
    begins_again: bool,  # noqa: FBT001 a column
) -> None:
    """Its numbers of yesterday are those of today; a session with a day of its own begins again with it."""
    peer = Peer()
    try:
        assert venue_hears(tmp_path, peer, hours) == "1"
        (session,) = tmp_path.glob("*-shfe-orders.session")
        session.write_text(time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(time.time() - DAY_S)), encoding="ascii")
        peer.next_out = 1 if begins_again else peer.next_out
        assert (venue_hears(tmp_path, peer, hours) == "1") is begins_again
    finally:
        peer.close()
