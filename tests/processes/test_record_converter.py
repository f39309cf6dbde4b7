"""The recorder's helper: one conversion at a time, the last one waited for, none left behind."""

import sys
from pathlib import Path

from gateway.processes.record_converter import RecordConverter


def converter(tmp_path: Path, source: str) -> RecordConverter:
    """One whose program is `source`; the working directory of the test is its argument."""
    made = RecordConverter(tmp_path)
    made._command = [sys.executable, "-c", source, str(tmp_path)]
    return made


NOTE = "import os, sys; open(os.path.join(sys.argv[1], str(os.getpid())), 'w').close()"


def test_what_is_asked_for_while_one_runs_is_done_after_it(tmp_path: Path) -> None:
    """Three wishes in a row are two conversions: the one that runs, and one for all that came after."""
    one = converter(tmp_path, NOTE)
    for _ in range(3):
        one.ask()
    one.finish(60)
    assert len(list(tmp_path.iterdir())) == 2
    assert one._running is None or one._running.poll() == 0


def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """What it has not reached stays a log; no process is left."""
    one = converter(tmp_path, "import time; time.sleep(600)")
    one.ask()
    one.ask()
    running = one._running
    one.finish(0.2)
    assert running is not None
    assert running.poll() is not None
    one.mind()
    assert one._running is None


def test_without_a_wish_nothing_is_started(tmp_path: Path) -> None:
    """Nor is anything waited for."""
    one = converter(tmp_path, NOTE)
    one.mind()
    one.finish(60)
    assert list(tmp_path.iterdir()) == []
