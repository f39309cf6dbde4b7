"""Numbers of a session that never ends go on when QuickFIX is started on another day."""

import time
from pathlib import Path

import pytest
import quickfix

from gateway.fix.same_day import same_day

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
