"""The writer on real files: one write each, nothing half written, every failure by name."""

import errno
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_run import START_NS, UTC_NS, opened, plausible

from gateway.journal import writer as writer_module
from gateway.journal.clock_pairs import ClockPairs
from gateway.journal.errors import JournalCause, JournalError
from gateway.journal.reader import journal_path, journal_paths, read_journal, read_run
from gateway.journal.writer import JournalWriter
from gateway.model.record import ClockPair, Decision
from gateway.model.trade import SendOrders

HOUR_NS = 3_600_000_000_000
Open = Callable[..., JournalWriter]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Open]:
    """Open writers of one file; whatever is left open is closed."""
    made: list[JournalWriter] = []

    def make(
        path: Path = tmp_path / "e.journal",
        interval_ns: int = HOUR_NS,
        *,
        before_send: bool = False,
        min_free: int = 0,
        limit: int = 1 << 20,
    ) -> JournalWriter:
        one = JournalWriter(
            path,
            opened(),
            fdatasync_interval_ns=interval_ns,
            sync_before_send=before_send,
            min_free_bytes=min_free,
            max_record_bytes=limit,
        )
        made.append(one)
        return one

    yield make
    for one in made:
        try:
            one.close()
        except JournalError:
            continue


def pair(number: int) -> ClockPair:
    """Give a small record."""
    return ClockPair(START_NS + number, UTC_NS + number)


def cause(call: Callable[[], None]) -> JournalCause:
    """Give the name of the error that a call raises."""
    with pytest.raises(JournalError) as caught:
        call()
    return caught.value.cause


def test_what_was_appended_is_read_back(journal: Open) -> None:
    """The file holds JournalOpened and then every appended record, in order."""
    run = plausible(10)
    one = journal()
    for record in run.records:
        one.append(record)
    one.close()
    assert list(read_journal(one.path)) == [opened(), *run.records]


def test_record_is_in_the_file_when_append_returns(journal: Open) -> None:
    """Another process sees the record at once, before any sync or close."""
    one = journal()
    one.append(pair(1))
    assert list(read_journal(one.path)) == [opened(), pair(1)]
    assert one.path.stat().st_size == one.size_bytes


def test_reopening_cuts_a_torn_tail_and_goes_on(journal: Open) -> None:
    """A torn tail is told by `torn`, cut off, and the next record follows the last whole one."""
    first = journal()
    first.append(pair(1))
    first.close()
    whole = first.path.read_bytes()
    first.path.write_bytes(whole + whole[-20:-3])
    again = journal()
    assert again.torn is not None
    assert (again.torn.offset, again.torn.torn_bytes) == (len(whole), 17)
    again.append(pair(2))
    again.close()
    assert list(read_journal(first.path)) == [opened(), pair(1), opened(), pair(2)]


def test_fresh_file_has_no_torn_tail(journal: Open) -> None:
    """Nothing is told of a file that is new."""
    assert journal().torn is None


def test_two_processes_cannot_write_one_file(journal: Open) -> None:
    """A second writer of the same file is refused by name."""
    one = journal()
    assert cause(lambda: journal(one.path) and None) is JournalCause.IN_USE


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (errno.ENOSPC, JournalCause.DISK_FULL),
        (errno.EDQUOT, JournalCause.DISK_FULL),
        (errno.EFBIG, JournalCause.DISK_FULL),
        (errno.EIO, JournalCause.IO),
    ],
)
def test_failed_write_has_a_name_and_leaves_the_file(
    journal: Open, monkeypatch: pytest.MonkeyPatch, number: int, name: JournalCause
) -> None:
    """A write that fails raises by name, and the file and the next record are as if it had not been tried."""
    one = journal()

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        assert cause(lambda: one.append(pair(1))) is name
    one.append(pair(2))
    assert list(read_journal(one.path)) == [opened(), pair(2)]


def test_short_write_is_taken_back(journal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record written in part raises short_write and is cut off, so that the file ends with a whole record."""
    one, write = journal(), os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: write(fd, bytes(data)[:7]))
        assert cause(lambda: one.append(pair(1))) is JournalCause.SHORT_WRITE
    one.append(pair(2))
    assert list(read_journal(one.path)) == [opened(), pair(2)]


def test_short_write_that_cannot_be_taken_back_breaks_the_journal(
    journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the part cannot be cut off, that and every later append raises broken."""
    one, write = journal(), os.write

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: write(fd, bytes(data)[:7]))
        patch.setattr(os, "ftruncate", fail)
        assert cause(lambda: one.append(pair(1))) is JournalCause.BROKEN
    assert cause(lambda: one.append(pair(2))) is JournalCause.BROKEN


def test_real_limit_of_the_file_size_raises_and_leaves_whole_records(tmp_path: Path) -> None:
    """Under a real limit of the kernel appends end with a named error, and every record before it is whole."""
    path = tmp_path / "full.journal"
    program = f"""
import resource, signal, sys
from pathlib import Path
sys.path[:0] = [{str(Path(__file__).parent)!r}]
from fake_run import opened, plausible
from gateway.journal.errors import JournalError
from gateway.journal.writer import JournalWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
settings = {{'fdatasync_interval_ns': 10**12, 'sync_before_send': False, 'min_free_bytes': 0}}
one = JournalWriter(Path({str(path)!r}), opened(), **settings)
count = 0
try:
    for record in plausible(10).records:
        one.append(record)
        count += 1
except JournalError as error:
    print(count, error.cause)
one.close()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    count, name = done.stdout.split()
    assert name in {"short_write", "disk_full"}
    assert list(read_journal(path)) == [opened(), *plausible(10).records[: int(count)]]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 2000


def test_failed_fdatasync_stops_the_next_append_for_good(journal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the thread's fdatasync failed, every append raises sync_failed, also when the disk works again."""
    failed = threading.Event()

    def fail(_: int) -> None:
        failed.set()
        raise OSError(errno.EIO, "Input/output error")

    one = journal(interval_ns=1_000_000)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        one.append(pair(1))
        assert failed.wait(10)
        one._thread.join(10)
    assert cause(lambda: one.append(pair(2))) is JournalCause.SYNC_FAILED
    assert cause(one.sync) is JournalCause.SYNC_FAILED


def test_thread_syncs_when_there_is_something_new_and_only_then(journal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """One append brings one fdatasync by the thread; rounds with nothing new bring none."""
    synced: list[int] = []
    done, rounds = threading.Event(), threading.Event()

    def sync(fd: int) -> None:
        synced.append(fd)
        done.set()

    one = journal(interval_ns=1_000_000)
    monkeypatch.setattr(os, "fdatasync", sync)
    watch = one._watch_space
    monkeypatch.setattr(one, "_watch_space", lambda: (watch(), rounds.set()))
    one.append(pair(1))
    assert done.wait(10)
    rounds.clear()
    assert rounds.wait(10)
    assert len(synced) == 1


def test_orders_are_synced_before_append_returns_where_asked(journal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """With sync_before_send a record with orders is on the disk when append returns; other records do not wait."""
    run = plausible(3)
    with_orders = next(one for one in run.records if isinstance(one, Decision) and _sends(one))
    without = next(one for one in run.records if isinstance(one, Decision) and not _sends(one))
    one = journal(before_send=True)
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    one.append(without)
    assert len(synced) == 0
    one.append(with_orders)
    assert len(synced) == 1


def _sends(decision: Decision) -> bool:
    return any(isinstance(action, SendOrders) for action in decision.actions)


def test_low_space_stops_appends_until_space_is_freed(journal: Open) -> None:
    """Below min_free_bytes an append raises low_space, one that may use the reserve goes on; freed space ends it."""
    one = journal()
    one._min_free_bytes = 1 << 62
    one._watch_space()
    assert cause(lambda: one.append(pair(1))) is JournalCause.LOW_SPACE
    one.append(pair(2), use_reserve=True)
    one._min_free_bytes = 0
    one._watch_space()
    one.append(pair(3))
    assert list(read_journal(one.path)) == [opened(), pair(2), pair(3)]


def test_too_little_space_at_the_start_is_refused(journal: Open) -> None:
    """A journal is not opened where less than min_free_bytes are free."""
    assert cause(lambda: journal(min_free=1 << 62) and None) is JournalCause.LOW_SPACE


@pytest.mark.parametrize("record", [ClockPair(2**70, 1), opened()])
def test_record_that_cannot_be_written_is_named_and_leaves_the_file(
    journal: Open, record: ClockPair, tmp_path: Path
) -> None:
    """A number beyond 64 bits, or a record above the limit, raises encode and the file stays whole."""
    one = journal(limit=1 << 20)
    one._encode = writer_module.FrameEncoder(30).encode
    assert cause(lambda: one.append(record)) is JournalCause.ENCODE
    assert list(read_journal(one.path)) == [opened()]
    assert one.path.parent == tmp_path


def test_closed_journal_takes_no_record_and_closing_twice_is_nothing(journal: Open) -> None:
    """After close every append raises closed; a second close does nothing."""
    one = journal()
    one.close()
    one.close()
    assert cause(lambda: one.append(pair(1))) is JournalCause.CLOSED


def test_journals_of_a_run_are_read_by_incarnation(journal: Open, tmp_path: Path) -> None:
    """read_run gives all incarnations of a process in the order of their numbers, and no other process's."""
    for number in (10, 9, 100):
        one = journal(journal_path(tmp_path, "execution", number))
        one.append(pair(number))
        one.close()
    journal(journal_path(tmp_path, "recorder", 1)).close()
    got = [record for record in read_run(tmp_path) if isinstance(record, ClockPair)]
    assert got == [pair(9), pair(10), pair(100)]
    assert [path.name for path in journal_paths(tmp_path, "recorder")] == ["recorder.0000000001.journal"]


def test_reader_tells_a_torn_tail(journal: Open, caplog: pytest.LogCaptureFixture) -> None:
    """The reader reports a torn tail in the log unless the caller takes it, and never raises for it."""
    one = journal()
    one.close()
    one.path.write_bytes(one.path.read_bytes() + b"\x09")
    assert list(read_journal(one.path)) == [opened()]
    assert "torn tail of 1 bytes cut off" in caplog.text


def test_clock_pair_is_due_once_a_minute() -> None:
    """A pair is due a minute after the opening, and a minute after the last one taken."""
    pairs = ClockPairs(1000)
    assert not pairs.is_due(60_000_000_999)
    assert pairs.is_due(60_000_001_000)
    assert pairs.take(60_000_001_500, 7) == ClockPair(60_000_001_500, 7)
    assert not pairs.is_due(120_000_001_499)
    assert pairs.is_due(120_000_001_500)


def test_killed_writer_leaves_every_appended_record(tmp_path: Path) -> None:
    """A kill -9 in the middle of writing loses no record that append has returned for."""
    path = tmp_path / "k.journal"
    program = f"""
import os, signal, sys
from pathlib import Path
sys.path[:0] = [{str(Path(__file__).parent)!r}]
from fake_run import opened
from gateway.journal.writer import JournalWriter
from gateway.model.record import ClockPair
settings = {{'fdatasync_interval_ns': 10**9, 'sync_before_send': False, 'min_free_bytes': 0}}
one = JournalWriter(Path({str(path)!r}), opened(), **settings)
number = 0
while True:
    number += 1
    one.append(ClockPair(number, number))
    os.write(1, b"%d\\n" % number)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(200)]
        child.kill()
        told += [int(line) for line in child.stdout.read().split()]
    found = [record.monotonic_ns for record in read_journal(path) if isinstance(record, ClockPair)]
    assert found[: len(told)] == told
    assert len(found) <= len(told) + 1
