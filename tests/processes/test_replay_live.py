"""A short demo with real processes, two of them killed on the way: its replay, its record as a tape, a changed journal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from backtest_sites import records_of, write_journal

from gateway.journal.reader import journal_path, journal_paths
from gateway.model.record import Consumed, Decision, IntentMade
from gateway.model.trade import Intent, SendOrders
from gateway.processes.cli import FAILED, OK, main

SECONDS = 9
LONGEST_S = 90.0


def wait(done: Callable[[], bool]) -> None:
    """Until it is so; a demo that never gets there is no demo."""
    until_s = time.monotonic() + LONGEST_S
    while not done():
        assert time.monotonic() < until_s, "the demo did not get there"
        time.sleep(0.05)


def intents(run: Path) -> int:
    """How many intents execution has taken up, over all its lives."""
    paths = journal_paths(run, "execution")
    return sum(
        isinstance(one, Decision) and isinstance(one.event, Intent) for path in paths for one in records_of(path)
    )


def pid_of(run: Path, name: str) -> int:
    """The process that last said it is ready under that name; 0 while none does."""
    try:
        return int(json.loads((run / "ready" / f"{name}.json").read_text())["pid"])
    except (OSError, ValueError):
        return 0


def kill(run: Path, name: str) -> None:
    """SIGKILL to the process of that name; the supervisor starts it again."""
    pid = pid_of(run, name)
    os.kill(pid, signal.SIGKILL)
    wait(lambda: pid_of(run, name) not in (0, pid))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo whose execution and trigger were killed once each, after the first intents."""
    out = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "gateway.processes.cli", "demo", "--seconds", str(SECONDS), "--out", str(out)]
    with (out / "said.txt").open("wb") as said:
        demo = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        wait(lambda: any(out.glob("*/")) or demo.poll() is not None)
        made = next(out.glob("*/"))
        wait(lambda: intents(made) >= 1 or demo.poll() is not None)
        kill(made, "execution")
        kill(made, "trigger")
        demo.wait(LONGEST_S)
    finally:
        if demo.poll() is None:
            demo.terminate()
            demo.wait(LONGEST_S)
    return made


def test_what_the_processes_decided_is_decided_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every evaluation and intent of the trigger, every action of execution, over all incarnations of both."""
    assert main(["replay", str(run), "--json"]) == OK
    found = {one["process"]: one for one in json.loads(capsys.readouterr().out)["processes"]}
    assert [one["difference"] for one in found.values()] == [None, None]
    assert found["execution"]["incarnations"] == [1, 2]
    assert found["trigger"]["incarnations"] == [1, 2]
    assert found["execution"]["counts"]["intents"] == intents(run) >= 1
    made = [
        given.intent.intent_id
        for path in journal_paths(run, "trigger")
        for record in records_of(path)
        if isinstance(record, Consumed)
        for given in record.inputs
        if isinstance(given, IntentMade)
    ]
    assert found["trigger"]["counts"]["intents"] == len(made) > 0


def test_its_record_is_played_by_a_backtest(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The quotes that the recorder kept are a tape for the same site."""
    words = ["backtest", str(run / "site.toml"), "--tape", str(run), "--out", str(tmp_path), "--json"]
    assert main(words) == OK
    found = json.loads(capsys.readouterr().out)
    assert found["tape"]["kind"] == "run"
    assert found["quotes"] > 0
    assert found["not_armed"] == ""


def test_a_journal_that_was_changed_is_found_out(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An intent that asks for more than it did shows at its own record, right checksum or not."""
    path = next(one for one in journal_paths(run, "execution") if any(map(_opens, records_of(one))))
    whole = path.read_bytes()
    records = records_of(path)
    place = next(place for place, one in enumerate(records) if _opens(one))
    one = records[place]
    assert isinstance(one, Decision)
    event = msgspec.structs.replace(one.event, units=one.event.units + 1)
    records[place] = msgspec.structs.replace(one, event=event)
    try:
        write_journal(path, records)
        assert main(["replay", str(run), "--json"]) == FAILED
    finally:
        path.write_bytes(whole)
    found = {one["process"]: one for one in json.loads(capsys.readouterr().out)["processes"]}
    assert found["execution"]["difference"]["seq"] == one.seq
    assert found["execution"]["difference"]["file"] == path.name
    assert journal_path(run, "execution", 1).exists()


def _opens(record: object) -> bool:
    """A decision that took an intent up and sent its orders."""
    if not isinstance(record, Decision) or not isinstance(record.event, Intent):
        return False
    return any(isinstance(action, SendOrders) for action in record.actions)
