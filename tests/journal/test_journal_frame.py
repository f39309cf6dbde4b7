"""Framing: what a killed writer leaves is a torn tail, everything else that is damaged is an error."""

from io import BytesIO

import pytest
from fake_run import START_NS, UTC_NS, opened, plausible
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.journal.frame import (
    FILE_HEADER,
    RECORD_HEADER_BYTES,
    CorruptJournalError,
    Framed,
    FrameEncoder,
    RecordTooLargeError,
    TornTail,
    scan,
)
from gateway.model.record import ClockPair, JournalRecord

RECORDS: list[JournalRecord] = [opened(), ClockPair(START_NS, UTC_NS), ClockPair(START_NS + 1, UTC_NS + 1)]


def file_of(records: list[JournalRecord]) -> bytes:
    """Give a journal's bytes."""
    encoder = FrameEncoder()
    return FILE_HEADER + b"".join(bytes(encoder.encode(record)) for record in records)


def ends(records: list[JournalRecord]) -> list[int]:
    """Give where each record ends."""
    return [len(file_of(records[: count + 1])) for count in range(len(records))]


def scanned(data: bytes) -> list[Framed | TornTail]:
    """Scan bytes."""
    return list(scan(BytesIO(data), "j"))


def test_records_come_back_as_they_were() -> None:
    """Every kind of record that a run writes is read back equal to what was written."""
    run = plausible(20)
    records = [*RECORDS, *run.records, *run.prices]
    assert [item.record for item in scanned(file_of(records)) if isinstance(item, Framed)] == records


def test_file_cut_at_every_byte_gives_the_whole_records_and_a_torn_tail() -> None:
    """Whatever byte a kill cuts the file at, the records before it are read and the rest is told, not raised."""
    data, whole_ends = file_of(RECORDS), ends(RECORDS)
    for cut in range(len(data)):
        items = scanned(data[:cut])
        whole = sum(end <= cut for end in whole_ends)
        assert [item.record for item in items if isinstance(item, Framed)] == RECORDS[:whole]
        starts = [0, len(FILE_HEADER), *whole_ends]
        if cut in starts[1:]:
            assert len(items) == whole
            continue
        torn = items[-1]
        assert isinstance(torn, TornTail)
        start = max(start for start in starts if start <= cut)
        assert (torn.offset, torn.torn_bytes) == (start, cut - start)


def test_every_changed_byte_before_the_last_record_is_an_error_that_names_its_record() -> None:
    """One wrong byte anywhere before the last record raises, with file and the damaged record's offset."""
    data, starts = file_of(RECORDS), [len(FILE_HEADER), *ends(RECORDS)]
    for at in range(len(FILE_HEADER), starts[2]):
        changed = data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :]
        with pytest.raises(CorruptJournalError) as caught:
            scanned(changed)
        assert caught.value.offset == max(start for start in starts if start <= at)
        assert str(caught.value).startswith(f"j: byte {caught.value.offset}: expected a whole record, found ")


def test_changed_byte_in_the_last_record_is_told_as_a_torn_tail() -> None:
    """Damage of the last record cannot be told from a torn write: it is told with its reason, and not returned."""
    data, start = file_of(RECORDS), ends(RECORDS)[-2]
    for at in range(start, len(data)):
        items = scanned(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
        assert [item.record for item in items if isinstance(item, Framed)] == RECORDS[:-1]
        assert isinstance(items[-1], TornTail)
        assert items[-1].offset == start


def test_zero_bytes_at_the_end_are_torn_however_many() -> None:
    """A run of zero bytes, as a power loss leaves it, is a torn tail even when longer than a record can be."""
    items = list(scan(BytesIO(file_of(RECORDS) + bytes(5000)), "j", 1000))
    assert items[-1] == TornTail("j", ends(RECORDS)[-1], 5000, "zero bytes")


def test_zero_bytes_before_a_record_are_an_error() -> None:
    """Zero bytes with records behind them are damage in the middle, also when the gap is longer than a record."""
    for gap in (16, 3_000_000):
        with pytest.raises(CorruptJournalError, match="expected a whole record"):
            scanned(file_of(RECORDS) + bytes(gap) + bytes(FrameEncoder().encode(RECORDS[1])))


def test_rubbish_longer_than_a_record_is_an_error() -> None:
    """More bytes than one write can leave are no torn tail."""
    with pytest.raises(CorruptJournalError, match="more bytes than one record has"):
        list(scan(BytesIO(file_of(RECORDS) + b"\xff" * 2000), "j", 1000))


@pytest.mark.parametrize(
    ("start", "expected"),
    [(b"PK\x03\x04 something else", "a journal, which starts with"), (b"CMC-JRNL\x02\0\0\0", "journal version 1")],
)
def test_other_files_are_refused(start: bytes, expected: str) -> None:
    """A file that is no journal, or of another version, is an error that says what was expected."""
    with pytest.raises(CorruptJournalError, match=expected):
        scanned(start)


def test_whole_record_that_does_not_decode_is_an_error() -> None:
    """A record with a good checksum and unknown content was written by another program: it is not skipped."""
    data = bytearray(file_of(RECORDS))
    encoder = FrameEncoder()
    bad = bytes(encoder.encode(ClockPair("x", 1)))  # type: ignore[arg-type]
    with pytest.raises(CorruptJournalError, match="does not decode"):
        scanned(bytes(data) + bad)


def test_record_above_the_limit_is_refused() -> None:
    """A record larger than max_record_bytes raises and names both sizes and the setting."""
    with pytest.raises(RecordTooLargeError, match=r"JournalOpened of \d+ bytes; at most 20 \(max_record_bytes\)"):
        FrameEncoder(20).encode(opened())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_behind_whole_records_bring_forth_a_record(tail: bytes) -> None:
    """Arbitrary bytes after the last record never read as a record and never hide those before."""
    try:
        items = scanned(file_of(RECORDS) + tail)
    except CorruptJournalError:
        return
    assert [item.record for item in items if isinstance(item, Framed)] == RECORDS
    assert len(items) == len(RECORDS) + bool(tail)


def test_header_is_eight_bytes_as_documented() -> None:
    """Length, checksum and payload lie as docs/JOURNAL.md says."""
    framed = bytes(FrameEncoder().encode(ClockPair(1, 2)))
    assert int.from_bytes(framed[:4], "little") == len(framed) - RECORD_HEADER_BYTES
    assert framed[8:] == b"\x93\xa9ClockPair\x01\x02"
