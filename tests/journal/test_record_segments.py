"""The record as a log: segments, repaired quotes, what a kill leaves."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from record_values import CA, CU, MONO_NS, clock_pair, missed, observed, opened, quote, segment

from gateway.journal.reader import RECORDER, journal_paths, read_run
from gateway.journal.record_files import RepairMarks, files_of, segment_path, segments_of
from gateway.journal.record_log import logged_quotes, summarise_log
from gateway.journal.segments import SegmentedJournal
from gateway.journal.writer import JournalWriter
from gateway.model.quote import BookState
from gateway.model.record import JournalOpened, Observed

ROOT = Path(__file__).resolve().parents[2]
SECOND = 10**9


def open_segment(run_dir: Path, number: int) -> JournalWriter:
    path = segment_path(run_dir, 1, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    return JournalWriter(path, opened(), fdatasync_interval_ns=10**9, sync_before_send=False, min_free_bytes=0)


def journal(run_dir: Path, *, size: int = 10**6, age_ns: int = 60 * SECOND) -> SegmentedJournal:
    return SegmentedJournal(partial(open_segment, run_dir), segment_bytes=size, segment_ns=age_ns, at_ns=MONO_NS)


def test_a_segment_is_closed_when_it_is_large_enough(tmp_path: Path) -> None:
    """Not a record before; the next one begins with whose clock its times are on."""
    one = journal(tmp_path, size=1000)
    closed = []
    for record in observed(quote(ms) for ms in range(20)):
        one.append(record)
        path = one.roll(MONO_NS)
        if path is not None:
            assert 1000 <= path.stat().st_size < 1300
            closed.append(path)
    one.close()
    assert len(closed) > 1
    assert [*closed, one.path] == journal_paths(tmp_path, RECORDER)
    records = list(read_run(tmp_path, RECORDER))
    assert [type(record) for record in records].count(JournalOpened) == len(closed) + 1
    assert [record.seq for record in records if isinstance(record, Observed)] == list(range(1, 21))


def test_a_segment_is_closed_when_it_is_old_enough_and_not_empty(tmp_path: Path) -> None:
    """An empty one is left open however old it is: a night without quotes makes no files."""
    one = journal(tmp_path, age_ns=60 * SECOND)
    assert one.roll(MONO_NS + 61 * SECOND) is None
    one.append(clock_pair(0))
    assert one.roll(MONO_NS + 59 * SECOND) is None
    assert one.roll(MONO_NS + 60 * SECOND) == segment_path(tmp_path, 1, 1)
    assert one.roll(MONO_NS + 200 * SECOND) is None
    one.close()


def test_segments_are_in_order_of_their_writing(tmp_path: Path) -> None:
    """Incarnations one after the other, in each its segments by number; a log without a number is a segment too."""
    paths = [segment(tmp_path, [], number, incarnation) for incarnation, number in ((2, 1), (1, 10), (1, 2), (1, 1))]
    assert [one.log for one in segments_of(tmp_path)] == [paths[3], paths[2], paths[1], paths[0]]
    plain = files_of(tmp_path / "journal" / "recorder.0000000007.journal")
    assert plain.parquet == tmp_path / "record" / "quotes.0000000007.parquet"


STATES = """
state        | shows the book | then ok is repaired
ok           | yes            | no
shut         | yes            | no
one_sided    | yes            | no
crossed      | yes            | no
limit_locked | yes            | no
stale        | yes            | no
empty        | no             | yes
down         | no             | yes
gap          | no             | yes
bad          | no             | yes
"""


@pytest.mark.parametrize("line", STATES.strip().splitlines()[1:])
def test_the_first_book_after_one_that_was_not_known_is_repaired(line: str) -> None:
    """After gap, bad, empty and down the first quote with a book is marked, once; no other state makes a mark."""
    state, _, repaired = (cell.strip() for cell in line.split("|"))
    marks = RepairMarks()
    marks.is_repaired(quote(0))
    assert marks.is_repaired(quote(1, BookState(state))) is False
    assert marks.is_repaired(quote(2)) is (repaired == "yes")
    assert marks.is_repaired(quote(3)) is False


def test_every_state_stands_in_the_table() -> None:
    """A state that comes later has to be decided on here too."""
    assert {line.partition("|")[0].strip() for line in STATES.strip().splitlines()[1:]} == {
        one.value for one in BookState
    }


def test_repairs_of_instruments_do_not_touch() -> None:
    """One book's gap says nothing of another; the first quote ever seen is marked, and one after quotes were missed."""
    marks = RepairMarks()
    names = (CU, CA, CU, CA)
    assert [marks.is_repaired(quote(0, name=name)) for name in names] == [True, True, False, False]
    marks.missed(CA)
    assert [marks.is_repaired(quote(1, name=name)) for name in names] == [False, True, False, False]


def test_a_log_says_how_many_quotes_came_never(tmp_path: Path) -> None:
    """What the recorder missed stands at the quote that followed it, and nowhere else."""
    first, second, third = observed([quote(1), quote(2), quote(3)])
    third = Observed(third.at_ns, third.incarnation, 9, third.what, third.repaired)
    log = segment(tmp_path, [first, second, third, missed(3, 8), clock_pair(5)])
    summary = summarise_log(log)
    assert (summary.quotes, summary.missed, summary.states) == (3, 6, {"ok": 3})
    assert [one.missed_before for one in logged_quotes(log, summary)] == [0, 0, 6]
    assert [one.monotonic_ns - MONO_NS for one in summary.clock_pairs] == [5_000_000]


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from record_values import observed, quote
from test_record_segments import journal
one = journal(Path(sys.argv[1]), size=2000)
for number, record in enumerate(observed(quote(ms) for ms in range(2000)) * 500, 1):
    one.append(record)
    one.roll(0)
    if number == 100:
        print("written", flush=True)
"""


def test_a_kill_loses_no_record_that_was_written(tmp_path: Path) -> None:
    """SIGKILL in the middle of writing: every segment is readable, and the quotes are there without a hole."""
    source = KILLED.format(folder=str(Path(__file__).parent))
    with subprocess.Popen([sys.executable, "-c", source, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"written\n"
        os.kill(killed.pid, signal.SIGKILL)
    seqs = [
        one.observed.seq
        for files in segments_of(tmp_path)
        for one in logged_quotes(files.log, summarise_log(files.log))
    ]
    assert len(seqs) >= 100
    assert seqs == list(range(1, len(seqs) + 1))
