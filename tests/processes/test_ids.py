"""Ids that never repeat."""

from pathlib import Path

import pytest

from gateway.processes.ids import EpochError, IdCounter, next_epoch


def test_each_start_takes_the_next_epoch(tmp_path: Path) -> None:
    """Epochs count from 1 and stand in the file before they are returned."""
    assert [next_epoch(tmp_path / "state") for _ in range(3)] == [1, 2, 3]
    assert (tmp_path / "state" / "epoch").read_text(encoding="utf-8") == "3\n"


def test_an_epoch_file_without_a_number_is_an_error_and_stays(tmp_path: Path) -> None:
    """A damaged file never starts again at 1: ids would repeat."""
    (tmp_path / "epoch").write_text("", encoding="utf-8")
    with pytest.raises(EpochError, match="epoch: '' is no epoch"):
        next_epoch(tmp_path)
    assert (tmp_path / "epoch").read_text(encoding="utf-8") == ""


def test_a_crash_before_the_rename_leaves_the_epoch_of_before(tmp_path: Path) -> None:
    """A half-written new file is not the epoch."""
    next_epoch(tmp_path)
    (tmp_path / "epoch.new").write_text("9", encoding="utf-8")
    assert next_epoch(tmp_path) == 2


def test_ids_are_counted_within_an_epoch() -> None:
    """Prefix, epoch, hyphen, number; two epochs share no id."""
    first, second = IdCounter("C", 1), IdCounter("C", 11)
    assert [first.next() for _ in range(2)] == ["C1-1", "C1-2"]
    assert second.next() == "C11-1"


def test_an_id_longer_than_a_venue_allows_is_an_error() -> None:
    """At most 16 characters; the counter does not go on behind the error."""
    ids = IdCounter("CMCX", 1234567890)
    assert [ids.next() for _ in range(9)][-1] == "CMCX1234567890-9"
    for _ in range(2):
        with pytest.raises(OverflowError, match="CMCX1234567890-10"):
            ids.next()


@pytest.mark.parametrize(("prefix", "epoch"), [("", 1), ("C1", 1), ("Ä", 1), ("C", 0)])
def test_a_prefix_of_other_than_letters_and_an_epoch_below_one_are_refused(prefix: str, epoch: int) -> None:
    """Otherwise two prefixes could make the same id."""
    with pytest.raises(ValueError, match="id prefix"):
        IdCounter(prefix, epoch)
