"""The recorder as a process: killed in the middle of a market, started again."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from record_values import quote

from gateway.bus.sockets import Publisher
from gateway.journal.reader import read_journal
from gateway.journal.record_files import SegmentFiles, segments_of
from gateway.journal.record_log import logged_quotes, summarise_log
from gateway.model.record import Observed

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 30.0


@pytest.fixture
def bus_dir() -> Iterator[Path]:
    """A short path: a socket's may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="cmc-") as folder:
        yield Path(folder)


def until(publisher: Publisher, holds: Callable[[], bool]) -> None:
    """Answer the recorder's questions until it is so."""
    end_s = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < end_s, "the recorder did not come so far"
        publisher.snapshots.poll(20)
        publisher.answer_snapshots()


@contextmanager
def recorder(site: Path, run_dir: Path, bus_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program, ended whatever happens."""
    command = ["--site", str(site), "--run-dir", str(run_dir), "--bus-dir", str(bus_dir)]
    started = subprocess.Popen([sys.executable, "-m", "gateway.processes.recorder", *command], cwd=ROOT)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def written(files: SegmentFiles) -> list[int]:
    return [one.observed.seq for one in logged_quotes(files.log, summarise_log(files.log))]


def test_a_killed_recorder_s_segment_becomes_parquet_at_the_next_start(tmp_path: Path, bus_dir: Path) -> None:
    """Every quote that it had written before SIGKILL is in the Parquet file; the next incarnation writes its own
    segment, and marks its first quote: what was published in between nobody recorded.
    """
    parquet = pytest.importorskip(
        "pyarrow.parquet", reason="pyarrow, the optional part `record`, is not installed: nothing is converted"
    )
    site = Path(shutil.copy(ROOT / "sites" / "demo.toml", tmp_path / "site.toml"))
    publisher = Publisher(bus_dir, "feed", 1)
    number = iter(range(10**6))

    def some_are_written(segment: int) -> bool:
        publisher.publish(quote(next(number)))
        found = segments_of(tmp_path)
        return len(found) > segment and len(written(found[segment])) >= 20

    try:
        with recorder(site, tmp_path, bus_dir) as first:
            until(publisher, lambda: some_are_written(0))
            os.kill(first.pid, signal.SIGKILL)
        orphan = segments_of(tmp_path)[0]
        before = written(orphan)
        assert not orphan.is_converted
        with recorder(site, tmp_path, bus_dir) as second:
            until(publisher, lambda: some_are_written(1))
            until(publisher, lambda: orphan.is_converted)
            second.terminate()
            assert second.wait(LIMIT_S) == 0
    finally:
        publisher.close()
    rows = parquet.read_table(orphan.parquet).to_pylist()
    assert [row["feed_seq"] for row in rows] == before
    assert [one for one in read_journal(orphan.log) if isinstance(one, Observed)] == []
    later = parquet.read_table(segments_of(tmp_path)[1].parquet).to_pylist()
    # Behind its first quote, which the publisher answers with, a recorder that starts may miss some of the bus.
    assert later[0]["repaired"]
    assert [row["repaired"] for row in later[1:]] == [row["missed_before"] > 0 for row in later[1:]]
    assert later[0]["feed_seq"] > before[-1]
