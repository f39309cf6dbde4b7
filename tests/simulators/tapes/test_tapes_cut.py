"""A stretch of a tape, a tape that is held, and one that several read together."""

from pathlib import Path

import pytest

from simulators.core.tape import TapeBook, TapeStatus, TapeTrade
from simulators.tapes import load_tape, write_csv_tape
from simulators.tapes.csvform.reader import CsvTape
from simulators.tapes.cut import CutTape, HeldTape
from simulators.tapes.draws import SECOND_NS
from simulators.tapes.shared import SharedTape


def test_a_stretch_begins_with_what_stood_there() -> None:
    """Each instrument's last status and last book before it at 0, no trade before it, then the events as they follow."""
    tape = load_tape("synthetic", "cu", "", 7, 20)
    begin_ns, end_ns = 5 * SECOND_NS, 12 * SECOND_NS
    before = [one for one in tape.events() if one.at_ns < begin_ns]
    inside = [one for one in tape.events() if begin_ns <= one.at_ns < end_ns]
    stood = {}
    for one in before:
        if isinstance(one, TapeBook | TapeStatus):
            stood[one.symbol, type(one)] = one
    cut = list(CutTape(tape, begin_ns, end_ns).events())
    head, rest = cut[: len(stood)], cut[len(stood) :]
    assert {(one.symbol, type(one)): one for one in head} == {key: one._replace(at_ns=0) for key, one in stood.items()}
    assert rest == [one._replace(at_ns=one.at_ns - begin_ns) for one in inside]
    assert any(isinstance(one, TapeTrade) for one in before)
    assert CutTape(tape, begin_ns, end_ns).duration_ns == 7 * SECOND_NS


def test_a_stretch_in_which_nothing_happens_still_tells_what_stands() -> None:
    """A reader knows the books of a quiet minute."""
    tape = load_tape("synthetic", "cu", "", 7, 2)
    cut = list(CutTape(tape, 10 * SECOND_NS, 20 * SECOND_NS).events())
    assert {one.at_ns for one in cut} == {0}
    assert {type(one) for one in cut} == {TapeStatus, TapeBook}


def test_readers_of_a_shared_tape_get_the_same_events() -> None:
    """However far one is ahead; one reader more than was said has none."""
    tape = load_tape("synthetic", "cu", "", 7, 5)
    shared = SharedTape(tape, 2)
    first, second = shared.events(), shared.events()
    assert list(first) == list(second) == list(tape.events())
    with pytest.raises(IndexError):
        shared.events()


def test_a_held_tape_is_the_tape() -> None:
    """The same facts and events, at each reading."""
    tape = load_tape("synthetic", "cu", "", 7, 5)
    held = HeldTape(tape, tuple(tape.events()))
    assert (held.name, held.label, held.instruments, held.duration_ns) == (
        tape.name, tape.label, tape.instruments, tape.duration_ns,
    )  # fmt: skip
    assert list(held.events()) == list(held.events()) == list(tape.events())


def csv_tape_with(folder: Path, **more: str) -> CsvTape:
    """A synthetic tape in the csv form, with further columns in tape.csv; its times count from its start."""
    write_csv_tape(load_tape("synthetic", "cu", "", 7, 2), folder)
    header, row = (folder / "tape.csv").read_text().splitlines()
    (folder / "tape.csv").write_text(f"{','.join([header, *more])}\n{','.join([row, *more.values()])}\n")
    tape = load_tape("csv", folder.name, str(folder.parent), 0, 10)
    assert isinstance(tape, CsvTape)
    return tape


def test_a_csv_tape_says_when_it_begins_where_it_can(tmp_path: Path) -> None:
    """By a column of tape.csv, or by the first row's stamp; otherwise nobody knows."""
    assert csv_tape_with(tmp_path / "a").start_utc_ns is None
    assert csv_tape_with(tmp_path / "b", start_utc_ns="1781485200000000000").start_utc_ns == 1781485200 * SECOND_NS
    events = (tmp_path / "a" / "events.csv").read_text().splitlines()
    stamped = [events[0], *(f"2026-06-15T09:00:00+08:00,{row.partition(',')[2]}" for row in events[1:4])]
    (tmp_path / "a" / "events.csv").write_text("\n".join(stamped) + "\n")
    tape = load_tape("csv", "a", str(tmp_path), 0, 10)
    assert isinstance(tape, CsvTape)
    assert tape.start_utc_ns == 1781485200 * SECOND_NS
