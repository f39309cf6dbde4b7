"""The watch on real processes, with simulated venues: what works at the venues when execution hangs is cancelled."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.journal.reader import read_run
from gateway.model.order import ExecutionReport, OrdStatus
from gateway.model.record import Decision
from gateway.processes.child import alive
from gateway.processes.held import Held, write_held
from gateway.processes.watch_journal import WATCH
from tests.chaos.rig import AWAY, HOME, VENUES, Rig, RigError
from tests.fix.fix_peer import Peer, text


def resting(profile: dict[str, Any], venue: str) -> None:
    """As the first order comes, the book locks at a limit for some seconds: it rests, but for what the tape trades."""
    side = "up" if venue == HOME else "down"
    profile["fault"] = [{"name": "limit_locked", "ordinals": [1], "params": {"side": side, "for_ms": 7000}}]


def patient(site: dict[str, Any]) -> None:
    """One trade that is always wanted, and left alone by execution for a minute; too large for what the tape trades."""
    for one in site["instrument"]:
        if one["tradable"]:
            one |= {"max_position_lots": 10_000, "max_order_value": "100000000000"}
    site["pair"][0]["max_units"] = 40
    site["pair"][0] |= {"order_timeout_ms": 60_000, "legged_limit_ms": 60_000}
    site["rule"][0] |= {"buy_at": "100000", "sell_at": "200000", "units": 40, "max_units": 40}
    for leg in site["pair"][0]["leg"]:
        leg |= {"time_in_force": "DAY", "pay_up_ticks": 0}
    site["supervisor"]["stop_timeout_s"] = 20
    site["bus"]["heartbeat_interval_ms"] = 200


@pytest.fixture
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    """An armed installation with an order that rests at each venue; the parameter is the watch's patience in ms."""

    def settings(site: dict[str, Any]) -> None:
        patient(site)
        site["watch"] = {"heartbeat_timeout_ms": getattr(request, "param", 1500)}

    made = Rig(tmp_path, tune=resting, tune_site=settings)
    try:
        made.start()
        made.arm()
        made.until("orders rest", lambda: all(made.working_at(venue) for venue in VENUES))
        yield made
    finally:
        made.close()


def orders_of_execution(rig: Rig) -> int:
    return sum(len(rig.orders_at(venue)) for venue in VENUES)


def test_a_frozen_execution_loses_lease_life_and_orders_and_returns_by_a_person(rig: Rig) -> None:
    """SIGSTOP: the venues' own record shows every order ended; after SIGCONT nothing leaves; `cmc arm` brings it back.

    It recovers from its journal and from what the venues told the watch, finishes the pair trade, and agrees with them.
    """
    execution = rig.process("execution")
    os.kill(execution.pid, signal.SIGSTOP)
    sent = orders_of_execution(rig)
    rig.until("pulled", lambda: (held := rig.held()) is not None and held.pulled)
    assert not alive(execution)
    os.kill(rig.process("supervisor").pid, 0)
    assert [rig.working_at(venue) for venue in VENUES] == [[], []]
    held = rig.held()
    assert held is not None
    assert held.cause == "heartbeat_stopped"
    heard = [one.event for one in read_run(rig.run_dir, WATCH) if isinstance(one, Decision)]
    assert any(isinstance(one, ExecutionReport) and one.ord_status is OrdStatus.CANCELED for one in heard)
    time.sleep(0.5)  # the supervisor looks ten times, the stopped process would have run on
    assert orders_of_execution(rig) == sent
    assert "held" in rig.cmc("status").stdout
    armed = rig.cmc("arm", "--who", "Han Mei", "--reason", "venues asked")
    assert armed.returncode == 0, armed.stdout + armed.stderr
    assert "held by the watch: heartbeat_stopped" in armed.stdout
    assert rig.held() is None
    rig.until("whole again", rig.quiet)
    assert rig.cmc("down").returncode == 0
    found = rig.reconcile()
    assert (found.differences, found.not_compared) == ([], [])


@pytest.mark.parametrize("rig", [30_000], indirect=True)
def test_a_kill_that_a_frozen_execution_does_not_answer_is_carried_out_by_the_watch(rig: Rig) -> None:
    """`cmc kill --hold` does not wait for the silence; it names who did it and shows what became of the orders."""
    os.kill(rig.process("execution").pid, signal.SIGSTOP)
    killed = rig.cmc("kill", "--hold", "--who", "Li Lei", "--reason", "wrong prices")
    assert killed.returncode == 0, killed.stdout + killed.stderr
    assert "kill_hold: done by watch: execution did not answer" in killed.stdout
    assert "all orders are off the venues" in killed.stdout
    assert [rig.working_at(venue) for venue in VENUES] == [[], []]
    held = rig.held()
    assert held is not None
    assert (held.cause, held.pulled) == ("kill_unanswered", True)


def test_where_a_venue_gives_the_watch_a_session_it_cancels_all_through_it(tmp_path: Path) -> None:
    """Logged on from the start; a mass cancel of the account, done when the venue reports it; the other venue as ever."""
    peer = Peer("FIX.4.4")

    def settings(site: dict[str, Any]) -> None:
        patient(site)
        site["watch"] = {"heartbeat_timeout_ms": 1500, "retry_ms": 300}
        home = next(one for one in site["venue"] if one["id"] == HOME)
        home["watch"] = home["orders"] | {
            "port": peer.port,
            "sender_comp_id": "CMCWATCH",
            "target_comp_id": "VENUE",
        }

    rig = Rig(tmp_path, tune=resting, tune_site=settings)
    try:
        rig.start()
        assert text(peer.read("A"), 49) == "CMCWATCH"
        rig.arm()
        rig.until("orders rest", lambda: all(rig.working_at(venue) for venue in VENUES))
        os.kill(rig.process("execution").pid, signal.SIGSTOP)
        asked = peer.read("q")
        assert (text(asked, 530), text(asked, 11)[0]) == ("7", "W")
        rig.until("the other venue is pulled", lambda: not rig.working_at(AWAY))
        held = rig.held()
        assert held is not None
        assert held.pulled is False
        again = peer.read("q")
        report = ((37, "R1"), (11, text(again, 11)), (530, "7"), (531, "7"), (533, "1"), (60, "20260105-01:02:03"))
        peer.send("r", *report)
        rig.until("pulled", lambda: (held := rig.held()) is not None and held.pulled)
        assert peer.client == "CMCWATCH"
    finally:
        rig.close()
        peer.close()


def test_a_watch_that_died_while_it_pulled_goes_on_when_it_is_back(rig: Rig) -> None:
    """`held.json` says not pulled: the new watch ends execution, which was started or not, and pulls."""
    held = rig.held()
    assert held is None
    watch = rig.process("watch")
    os.kill(watch.pid, signal.SIGSTOP)
    write_held(rig.run_dir, Held("heartbeat_stopped", "test", 0, pulled=False, venues={}))
    os.kill(watch.pid, signal.SIGKILL)
    rig.until("pulled", lambda: (held := rig.held()) is not None and held.pulled)
    assert [rig.working_at(venue) for venue in VENUES] == [[], []]
    rig.until("the supervisor keeps it down", lambda: "execution  held" in rig.cmc("status").stdout)


def test_an_installation_that_goes_up_held_starts_all_but_execution(tmp_path: Path) -> None:
    """What was held before a stop or a reboot is held after it; `cmc arm` starts execution, which was never up."""
    rig = Rig(tmp_path, tune_site=patient)
    held = Held("heartbeat_stopped", "before the stop", 0, pulled=True, venues={})
    write_held(rig.run_dir, held)
    try:
        with pytest.raises(RigError, match="sessions up and reconciled"):
            rig.start(patience_s=1)
        assert rig.status() is None
        assert "heartbeat_stopped: before the stop" in rig.cmc("status").stdout
        armed = rig.cmc("arm", "--who", "Han Mei", "--reason", "all flat at both venues")
        assert armed.returncode == 0, armed.stdout + armed.stderr
        assert rig.armed()
        assert rig.held() is None
    finally:
        rig.close()
