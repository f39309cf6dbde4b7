"""The border to QuickFIX: an exception in any callback ends the process with 70 and a crash file."""

import subprocess
import sys
from pathlib import Path

import pytest
from fix_peer import Peer, text

PROGRAM = """
import sys, threading, time
from pathlib import Path
import quickfix
from gateway.fix.dialect import load_dialect
from gateway.fix.engine import FixSessions
from gateway.fix.session_settings import SessionSettings

where, port, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
up = threading.Event()

def trouble(name):
    if name == where:
        raise KeyError(f"trouble in {name}")

class Secret:
    def get_secret_value(self):
        trouble("toAdmin")
        return "p"

def on_session(key, is_up, detail):
    trouble("onLogon" if is_up else "onLogout")
    up.set()

settings = SessionSettings("k", "SHFE", "orders", load_dialect("domestic44"), "127.0.0.1", port, "CMC", "VENUE",
                           password=Secret())
sessions = FixSessions([settings], folder, folder, time.monotonic_ns,
    on_message=lambda *_: trouble("fromApp"), on_session=on_session, on_sent=lambda *_: trouble("toApp"),
    on_resend_request=lambda *_: trouble("fromAdmin"))
if where == "thread":
    sessions._keep = lambda: trouble("thread")
sessions.start()
up.wait(10)
sessions.send("k", quickfix.Message("35=D\\x0111=T1\\x01", False))
if where == "none":
    time.sleep(0.2)
    import os
    os.kill(os.getpid(), 9)
threading.Event().wait(10)
"""
CALLBACKS = ["fromApp", "toApp", "fromAdmin", "toAdmin", "onLogon", "onLogout", "thread"]


@pytest.mark.parametrize("callback", CALLBACKS)
def test_an_exception_ends_the_process(callback: str, tmp_path: Path) -> None:
    """Exit code 70; the crash file holds the place and the traceback, and no password."""
    peer = Peer()
    try:
        command = [sys.executable, "-c", PROGRAM, callback, str(peer.port), str(tmp_path)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            if callback in ("fromApp", "fromAdmin", "onLogout"):
                peer.read("D")
                if callback == "fromApp":
                    peer.send("8", (11, "T1"))
                elif callback == "fromAdmin":
                    peer.send("2", (7, "1"), (16, "0"))
                else:
                    peer.drop()
            assert process.wait(20) == 70
    finally:
        peer.close()
    [file] = tmp_path.glob("crash-*.txt")
    crash = file.read_text()
    assert f"KeyError: 'trouble in {callback}'" in crash
    assert crash.startswith(
        "thread fix-keeper" if callback == "thread" else f"{callback} of session FIX.4.4:CMC->VENUE:k"
    )


def test_numbers_survive_a_kill(tmp_path: Path) -> None:
    """Killed with signal 9 after an order, the next process logs on with the next number."""
    peer = Peer()
    try:
        numbers = []
        for _ in range(2):
            command = [sys.executable, "-c", PROGRAM, "none", str(peer.port), str(tmp_path)]
            with subprocess.Popen(command) as process:
                numbers += [text(peer.read(kind), 34) for kind in ("A", "D")]
                assert process.wait(20) == -9
        assert numbers == ["1", "2", "3", "4"]
    finally:
        peer.close()
