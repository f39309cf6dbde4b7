"""The supervisor with tiny children: order, readiness, restarts and their limit, the orderly stop, Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.bus.sockets import BusError
from gateway.processes import clock
from gateway.processes.child import Child, Identity, alive, identity, send_signal
from gateway.processes.operator import Stopped
from gateway.processes.restarts import Restarts
from gateway.processes.settings import SupervisorSettings
from gateway.processes.site_commands import own_directory
from gateway.processes.supervisor import Supervisor, SupervisorError, live_children, lock, read_status
from gateway.processes.supervisor_log import speaker

SECOND = 10**9
BALANCED = Stopped(answered=True, open_trades=0, working_orders=0, pairs=())

CHILD = """
import json, os, pathlib, signal, sys
name, run_dir, how, *more = sys.argv[1:]
def note(word):
    with open(pathlib.Path(run_dir) / "events", "a") as file:
        file.write(f"{name} {word}\\n")
def on_term(number, frame):
    note("ended")
    sys.exit(0)
if how == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, on_term)
note("started " + " ".join(more) if more else "started")
if how == "dies":
    print("no such venue", file=sys.stderr)
    sys.exit(3)
ready = pathlib.Path(run_dir) / "ready" / (name + ".json")
ready.with_suffix(".new").write_text(json.dumps({"ready": True}))
ready.with_suffix(".new").replace(ready)
while True:
    signal.pause()
"""


def programs(run_dir: Path, **how: str) -> dict[str, list[str]]:
    return {name: [sys.executable, "-c", CHILD, name, str(run_dir), kind] for name, kind in how.items()}


def settings(restarts_max: int = 5) -> SupervisorSettings:
    return SupervisorSettings(restarts_max, 60 * SECOND, SECOND)


def events(run_dir: Path) -> list[str]:
    return (run_dir / "events").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Callable[..., Supervisor]]:
    """A maker of supervisors whose children are ended in any case."""
    all_made: list[Supervisor] = []

    def make(restarts_max: int = 5, **how: str) -> Supervisor:
        all_made.append(Supervisor(programs(tmp_path, **how), tmp_path, settings(restarts_max), lambda _: None))
        return all_made[-1]

    yield make
    for one in all_made:
        one.end_children()


def pid_of(supervisor: Supervisor, name: str) -> int:
    return int(next(row["pid"] for row in supervisor.table() if row["name"] == name))


def until(done: Callable[[], bool]) -> None:
    """Wait for it, ten seconds at most."""
    end = time.monotonic() + 10
    while not done():
        assert time.monotonic() < end, "waited ten seconds in vain"
        time.sleep(0.01)


def test_children_start_in_order_each_when_the_one_before_is_ready(
    tmp_path: Path, made: Callable[..., Supervisor]
) -> None:
    """Feed, execution, trigger, recorder; the status file then says that all are ready."""
    supervisor = made(feed="good", execution="good", trigger="good", recorder="good")
    supervisor.start()
    assert events(tmp_path) == ["feed started", "execution started", "trigger started", "recorder started"]
    status = read_status(tmp_path)
    assert status is not None
    assert [row["state"] for row in status["children"]] == ["ready"] * 4
    assert set(live_children(status)) == {"feed", "execution", "trigger", "recorder"}


def test_a_stop_asks_for_balance_first_and_ends_the_children_in_order(
    tmp_path: Path, made: Callable[..., Supervisor]
) -> None:
    """Every child runs while the balance is waited for; then trigger, execution, feed, recorder end."""
    supervisor = made(feed="good", execution="good", trigger="good", recorder="good")
    supervisor.start()
    seen: list[list[str]] = []

    def balance() -> Stopped:
        seen.append(events(tmp_path)[4:])
        return BALANCED

    assert supervisor.stop(balance) == BALANCED
    assert seen == [[]]
    assert events(tmp_path)[4:] == ["trigger ended", "execution ended", "feed ended", "recorder ended"]
    assert live_children(read_status(tmp_path) or {}) == {}


def test_a_child_that_ends_while_it_starts_fails_the_start_with_the_end_of_its_log(
    made: Callable[..., Supervisor],
) -> None:
    """The error says which child, its exit code and its last words."""
    supervisor = made(feed="good", execution="dies")
    with pytest.raises(SupervisorError) as caught:
        supervisor.start()
    assert str(caught.value) == "execution ended while it started (exit code 3); its log ends:\nno such venue"


@pytest.mark.parametrize(("number", "how"), [(signal.SIGKILL, "signal"), (signal.SIGSEGV, "exit")])
def test_execution_is_told_how_it_died(
    tmp_path: Path, made: Callable[..., Supervisor], number: signal.Signals, how: str
) -> None:
    """A kill comes from outside; a segmentation fault counts as its own doing, so that it stays disarmed."""
    supervisor = made(feed="good", execution="good")
    supervisor.start()
    os.kill(pid_of(supervisor, "execution"), number)
    until(lambda: _ticked(supervisor, "execution", "ready", 1))
    assert events(tmp_path)[2:] == [f"execution started --after-death {how}"]


def test_another_child_that_died_is_started_as_before(tmp_path: Path, made: Callable[..., Supervisor]) -> None:
    """Only execution is told."""
    supervisor = made(feed="good")
    supervisor.start()
    os.kill(pid_of(supervisor, "feed"), signal.SIGKILL)
    until(lambda: _ticked(supervisor, "feed", "ready", 1))
    assert events(tmp_path) == ["feed started", "feed started"]


def _ticked(supervisor: Supervisor, name: str, state: str, restarts: int) -> bool:
    supervisor.tick(clock.monotonic_ns())
    row = next(row for row in supervisor.table() if row["name"] == name)
    return bool(row["state"] == state and row["restarts"] == restarts)


def test_a_child_that_dies_too_often_stops_the_site(tmp_path: Path, made: Callable[..., Supervisor]) -> None:
    """With one restart allowed, the second death is an error that names the limit."""
    supervisor = made(restarts_max=1, feed="good")
    supervisor.start()
    os.kill(pid_of(supervisor, "feed"), signal.SIGKILL)
    until(lambda: _ticked(supervisor, "feed", "ready", 1))
    os.kill(pid_of(supervisor, "feed"), signal.SIGKILL)
    with pytest.raises(SupervisorError, match=r"feed died again \(signal SIGKILL\), more than 1 times in 60 s"):
        until(lambda: _ticked(supervisor, "feed", "never", 2))
    assert events(tmp_path) == ["feed started", "feed started"]


def test_balance_is_not_asked_of_an_execution_that_does_not_run(made: Callable[..., Supervisor]) -> None:
    """The stop then says that nothing was opened, or, where it had been started, that nothing is known."""
    supervisor = made(feed="good")
    supervisor.start()
    stopped = supervisor.stop(lambda: pytest.fail("asked"))
    assert (stopped.balanced, "nothing was opened" in stopped.words()) == (False, True)
    other = made(feed="good", execution="dies")
    with pytest.raises(SupervisorError):
        other.start()
    stopped = other.stop(lambda: pytest.fail("asked"))
    assert (stopped.balanced, "NOT known" in stopped.words()) == (False, True)


def test_a_child_that_ignores_sigterm_is_killed(
    monkeypatch: pytest.MonkeyPatch, made: Callable[..., Supervisor]
) -> None:
    """After the grace time nothing is left of it."""
    monkeypatch.setattr("gateway.processes.supervisor.TERM_GRACE_NS", SECOND // 10)
    supervisor = made(feed="stubborn")
    supervisor.start()
    one = identity(pid_of(supervisor, "feed"))
    assert one is not None
    supervisor.end_children()
    assert not alive(one)
    assert supervisor.table()[0]["last_end"] == "signal SIGKILL"


def test_children_end_also_when_the_balance_raises(tmp_path: Path, made: Callable[..., Supervisor]) -> None:
    """An error on the way out leaves no process."""
    supervisor = made(execution="good")
    supervisor.start()

    def balance() -> Stopped:
        raise RuntimeError("the bus broke")

    with pytest.raises(RuntimeError, match="the bus broke"):
        supervisor.stop(balance)
    assert events(tmp_path) == ["execution started", "execution ended"]


def test_two_supervisors_cannot_run_one_site(tmp_path: Path) -> None:
    """The second is refused with the pid of the first; when the first lets go, the lock is free."""
    first = lock(tmp_path)
    with pytest.raises(SupervisorError, match=rf"supervisor pid {os.getpid()}"):
        lock(tmp_path)
    first.close()
    lock(tmp_path).close()


def test_a_signal_goes_only_to_the_process_that_was_meant() -> None:
    """A pid with another time of creation is another process and is left alone."""
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    try:
        one = identity(child.pid)
        assert one is not None
        send_signal(Identity(one.pid, one.created - 100), signal.SIGKILL)
        assert child.poll() is None
        send_signal(one, signal.SIGKILL)
        assert child.wait(10) == -signal.SIGKILL
        assert not alive(one)
    finally:
        child.kill()
        child.wait()


def test_ctrl_c_on_the_terminal_does_not_reach_a_child(tmp_path: Path) -> None:
    """A child has a process group of its own, so the supervisor decides when it ends."""
    child = Child("feed", programs(tmp_path, feed="good")["feed"], tmp_path)
    child.start()
    try:
        until(lambda: child.ready)
        assert child.identity is not None
        assert os.getpgid(child.identity.pid) == child.identity.pid != os.getpgrp()
    finally:
        child.kill()


def test_a_ready_file_of_before_does_not_count(tmp_path: Path) -> None:
    """A child that was ready once and is started again is not ready until it says so anew."""
    (tmp_path / "ready").mkdir()
    (tmp_path / "ready" / "feed.json").write_text(json.dumps({"ready": True}), encoding="utf-8")
    child = Child("feed", [sys.executable, "-c", "import signal; signal.pause()"], tmp_path)
    child.start()
    try:
        assert not child.ready
    finally:
        child.kill()


def test_waits_between_restarts_double_and_end_at_the_limit() -> None:
    """At once, then 200, 400, 800 ms, then no more; a window later it starts anew."""
    policy = Restarts(4, 60 * SECOND)
    assert [policy.died(at * SECOND) for at in range(5)] == [0, SECOND // 5, SECOND * 2 // 5, SECOND * 4 // 5, None]
    assert policy.died(120 * SECOND) == 0


def test_no_restart_where_none_is_allowed() -> None:
    """restarts_max = 0 stops the site at the first death."""
    assert Restarts(0, SECOND).died(0) is None


WORDS = """
answered | open | working | halted | balanced | words
yes      | 0    | 0       | no     | yes      | every trade balanced
yes      | 1    | 0       | no     | no       | NOT BALANCED: 1 open trade(s), 0 working order(s), pairs CU-CA
yes      | 0    | 2       | no     | no       | 2 working order(s)
yes      | 0    | 0       | yes    | no       | execution is halted
no       | 0    | 0       | no     | no       | NOT known
"""


@pytest.mark.parametrize("row", WORDS.strip().splitlines()[1:])
def test_what_a_stop_came_to_is_said_in_words(row: str) -> None:
    """Only an execution that answered, has nothing open and is not halted is balanced."""
    answered, opened, working, halted, balanced, words = (cell.strip() for cell in row.split("|"))
    stopped = Stopped(answered == "yes", int(opened), int(working), ("CU-CA",), halted == "yes")
    assert stopped.balanced is (balanced == "yes")
    assert words in stopped.words()


def test_an_execution_that_dies_while_the_balance_is_waited_for_comes_back(
    tmp_path: Path, made: Callable[..., Supervisor]
) -> None:
    """It is needed to balance; so `keep` starts it again during the stop."""
    supervisor = made(execution="good")
    supervisor.start()

    def balance() -> Stopped:
        os.kill(pid_of(supervisor, "execution"), signal.SIGKILL)
        until(lambda: supervisor.keep() and _ticked(supervisor, "execution", "ready", 1))
        return BALANCED

    assert supervisor.stop(balance) == BALANCED
    assert events(tmp_path) == [
        "execution started",
        "execution started --after-death signal",
        "execution ended",
    ]


def test_a_site_that_cannot_be_kept_running_ends_the_wait(tmp_path: Path, made: Callable[..., Supervisor]) -> None:
    """With no restart allowed, `keep` says no at the first death."""
    supervisor = made(restarts_max=0, execution="good")
    supervisor.start()
    os.kill(pid_of(supervisor, "execution"), signal.SIGKILL)
    until(lambda: not supervisor.keep())
    assert events(tmp_path) == ["execution started"]


def test_what_the_supervisor_says_is_kept_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line on the terminal and an object in logs/supervisor.log, with both clocks; a later start goes on behind it."""
    for text in ("feed is up", "组合已平衡"):
        with speaker(tmp_path) as tell:
            tell(text)
    kept = [json.loads(line) for line in (tmp_path / "logs" / "supervisor.log").read_text("utf-8").splitlines()]
    assert [one["event"] for one in kept] == ["feed is up", "组合已平衡"]
    assert all(set(one) == {"event", "utc_ns", "monotonic_ns"} for one in kept)
    assert [line.split(" ", 1)[1] for line in capsys.readouterr().err.splitlines()] == ["feed is up", "组合已平衡"]


def test_a_bus_directory_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner could put a socket of their own in place of ours."""
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    with pytest.raises(BusError, match=f"belongs to user {os.getuid()}"):
        own_directory(tmp_path)
