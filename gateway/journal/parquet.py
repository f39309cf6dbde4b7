"""Closed segments as Parquet, zstd, one row a quote: written, read back, summed up.

pyarrow is imported here and nowhere else, and only when a function is called: no process that trades loads it. It is an
optional part of the installation (`record`); where it is absent the logs stay as they are, and nothing is lost.

A conversion writes a file under another name, counts its rows against the log's, gives it its name, and only then takes
the quotes out of the log. A kill at any moment leaves a log that is converted anew, or a file that is whole.
"""

import fcntl
import importlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from gateway.journal.quote_columns import (
    DECIMAL,
    SMALL,
    WHOLE,
    WORD,
    YES_NO,
    RecordedQuote,
    columns,
    depth_of,
    quote_of,
    row,
)
from gateway.journal.record_files import UNFINISHED, SegmentFiles
from gateway.journal.record_log import LogSummary, keep_the_rest, logged_quotes, summarise_log

Untyped = Any
"""What pyarrow gives: it ships no types, and is not there to be checked against in every installation."""
ROWS_PER_GROUP = 65_536
DECIMAL_DIGITS, DECIMAL_PLACES = 18, 9
ZSTD_LEVEL = 6
_DELTA = ("recv_ns", "venue_ns", "calibrated_ns", "bound_ns", "pub_ns", "at_ns", "msg_seq_num", "rpt_seq", "feed_seq")
"""Numbers that mostly grow: their differences are kept."""
FACTS = b"cmc.segment"
"""Key of the file's own metadata: JSON with the segment's figures, ticks and readings of both clocks."""


class NoParquetError(RuntimeError):
    """pyarrow is not installed."""


class NotConvertedError(RuntimeError):
    """A segment could not be converted; its log is as it was."""


class SegmentFacts(NamedTuple):
    """What is known of a segment without reading its rows."""

    name: str
    form: str
    """"parquet" or "log"."""
    quotes: int
    repaired: int
    missed: int
    """Quotes that the recorder itself missed on the bus."""
    states: Mapping[str, int]
    bytes: int
    first_utc_ns: int
    last_utc_ns: int
    torn_bytes: int


def convert(segment: SegmentFiles, ticks: Mapping[str, Decimal]) -> bool:
    """Make the Parquet file of a closed segment and take its quotes out of the log.

    False where there is nothing to do: it is being written, was converted before, or holds no quote. `ticks` by
    instrument; where one is not known the column `tick` is null.
    """
    pa, pq = _pyarrow()
    if segment.is_converted:
        return False
    with segment.log.open("rb") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        summary = summarise_log(segment.log)
        if not summary.quotes:
            return False
        segment.parquet.parent.mkdir(parents=True, exist_ok=True)
        unfinished = segment.parquet.with_name(segment.parquet.name + UNFINISHED)
        rest = segment.log.with_name(segment.log.name + UNFINISHED)
        try:
            _write(pa, pq, unfinished, segment, summary, ticks)
            written = pq.ParquetFile(unfinished).metadata.num_rows
            if written != summary.quotes:
                message = f"{segment.log}: {summary.quotes} quotes, but {written} rows in {unfinished}; the log is kept"
                raise NotConvertedError(message)
            unfinished.replace(segment.parquet)
            keep_the_rest(segment.log, rest)
        finally:
            unfinished.unlink(missing_ok=True)
            rest.unlink(missing_ok=True)
    return True


def facts_of(segment: SegmentFiles) -> SegmentFacts:
    """The figures of a segment: of its Parquet file where there is one, else of its log."""
    if not segment.parquet.exists():
        summary = summarise_log(segment.log)
        return _facts(segment.name, "log", summary, segment.log.stat().st_size)
    _, pq = _pyarrow()
    written = json.loads(pq.ParquetFile(segment.parquet).schema_arrow.metadata[FACTS])
    return SegmentFacts(
        segment.name, "parquet", written["quotes"], written["repaired"], written["missed"], written["states"],
        segment.parquet.stat().st_size, written["first_utc_ns"], written["last_utc_ns"], written["torn_bytes"],
    )  # fmt: skip


def recorded_quotes(segment: SegmentFiles) -> Iterator[RecordedQuote]:
    """The quotes of a segment in the order of the record, from whichever of its files counts."""
    if not segment.parquet.exists():
        yield from logged_quotes(segment.log, summarise_log(segment.log))
        return
    _, pq = _pyarrow()
    file = pq.ParquetFile(segment.parquet)
    depth = depth_of(file.schema_arrow.names)
    for batch in file.iter_batches(ROWS_PER_GROUP):
        for values in batch.to_pylist():
            yield quote_of(values, depth)


def _write(
    pa: Untyped, pq: Untyped, path: Path, segment: SegmentFiles, summary: LogSummary, ticks: Mapping[str, Decimal]
) -> None:
    kinds = columns(summary.depth)
    schema = _schema(pa, kinds).with_metadata({FACTS: _facts_json(segment, summary, ticks)})
    words = [name for name, kind in kinds.items() if name not in _DELTA and kind != YES_NO]
    with (
        path.open("wb") as stream,
        pq.ParquetWriter(
            stream, schema, compression="zstd", compression_level=ZSTD_LEVEL, use_dictionary=words,
            column_encoding=dict.fromkeys(_DELTA, "DELTA_BINARY_PACKED"), write_statistics=True,
        ) as writer,
    ):  # fmt: skip
        rows: list[list[object]] = []
        for one in logged_quotes(segment.log, summary):
            rows.append(row(one, ticks.get(one.quote.instrument_id), summary.depth))
            if len(rows) == ROWS_PER_GROUP:
                writer.write_table(_table(pa, schema, rows))
                rows = []
        if rows:
            writer.write_table(_table(pa, schema, rows))
    with path.open("rb") as whole:
        os.fsync(whole.fileno())


def _table(pa: Untyped, schema: Untyped, rows: list[list[object]]) -> Untyped:
    arrays = [pa.array(values, type=field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _schema(pa: Untyped, kinds: Mapping[str, str]) -> Untyped:
    types = {
        WORD: pa.string(),
        WHOLE: pa.int64(),
        SMALL: pa.int32(),
        YES_NO: pa.bool_(),
        DECIMAL: pa.decimal128(DECIMAL_DIGITS, DECIMAL_PLACES),
    }
    return pa.schema([(name, types[kind]) for name, kind in kinds.items()])


def _facts(name: str, form: str, summary: LogSummary, size: int) -> SegmentFacts:
    ahead_ns = summary.clock.utc_minus_monotonic_ns
    torn_bytes = 0 if summary.torn is None else summary.torn.torn_bytes
    states = dict(sorted(Counter(summary.states).items()))
    first_ns, last_ns = (one + ahead_ns if one else 0 for one in (summary.first_ns, summary.last_ns))
    return SegmentFacts(
        name, form, summary.quotes, summary.repaired, summary.missed, states, size, first_ns, last_ns, torn_bytes
    )


def _facts_json(segment: SegmentFiles, summary: LogSummary, ticks: Mapping[str, Decimal]) -> bytes:
    opened = summary.opened
    known = _facts(segment.name, "parquet", summary, 0)._asdict()
    known |= {
        "host": summary.clock.host,
        "boot_id": summary.clock.boot_id,
        "version": opened.version if opened else "",
        "site_digest": opened.site_digest if opened else "",
        "clock_pairs": [[one.monotonic_ns, one.utc_ns] for one in summary.clock_pairs],
        "ticks": {name: format(tick, "f") for name, tick in sorted(ticks.items())},
    }
    del known["bytes"], known["form"]
    return json.dumps(known, sort_keys=True).encode()


def _pyarrow() -> tuple[Untyped, Untyped]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        message = (
            "pyarrow is not installed, so records cannot be made or read as Parquet; "
            "pip install 'cross-market-connect[record]'"
        )
        raise NoParquetError(message) from error
