"""What `cmc` does with the record of a run: list its segments, and what they cost.

Gives the exit code: 0 for a record, 2 for a directory that holds none, or a file that cannot be read.
"""

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gateway.journal.commands import SUCCESS, WRONG_CALL
from gateway.journal.frame import CorruptJournalError
from gateway.journal.parquet import NoParquetError, SegmentFacts, facts_of
from gateway.journal.record_files import segments_of
from gateway.journal.told import environment_language, said, told
from gateway.model.quote import BookState


def record_command(run_dir: Path, as_json: bool) -> int:  # noqa: FBT001 - a switch of the command line
    """List the segments of a run's record: quotes, gaps, bytes per quote."""
    try:
        facts = [facts_of(segment) for segment in segments_of(run_dir)]
    except (CorruptJournalError, NoParquetError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own error
        return WRONG_CALL
    if not facts:
        text = told("{}: holds no journal/recorder.*.journal; give the directory of a run", run_dir)
        print(said(text, environment_language()), file=sys.stderr)  # noqa: T201
        return WRONG_CALL
    if as_json:
        print(json.dumps(record_as_json(facts), indent=2))  # noqa: T201 - the command's answer
    else:
        _show(facts)
    return SUCCESS


def record_as_json(facts: list[SegmentFacts]) -> dict[str, Any]:
    """The segments and their sums. `gaps` counts quotes that say that their book is in a gap."""
    return {
        "segments": [_segment(one) for one in facts],
        "quotes": sum(one.quotes for one in facts),
        "repaired": sum(one.repaired for one in facts),
        "gaps": sum(_gaps(one) for one in facts),
        "missed": sum(one.missed for one in facts),
        "bytes": sum(one.bytes for one in facts),
        "bytes_per_quote": _per_quote(sum(one.bytes for one in facts), sum(one.quotes for one in facts)),
    }


def _segment(one: SegmentFacts) -> dict[str, Any]:
    return {**one._asdict(), "gaps": _gaps(one), "bytes_per_quote": _per_quote(one.bytes, one.quotes)}


def _gaps(one: SegmentFacts) -> int:
    return one.states.get(BookState.GAP.value, 0)


def _per_quote(size: int, quotes: int) -> float | None:
    return round(size / quotes, 1) if quotes else None


def _show(facts: list[SegmentFacts]) -> None:
    language = environment_language()
    table = Table(box=None, header_style="bold")
    heads = (
        told("segment"),
        told("form"),
        told("quotes"),
        told("repaired"),
        told("gaps"),
        told("missed by us"),
        told("bytes"),
        told("bytes a quote"),
    )
    for index, head in enumerate(heads):
        table.add_column(said(head, language), overflow="fold", no_wrap=index == 0)
    for one in facts:
        cells = (one.quotes, one.repaired, _gaps(one), one.missed, one.bytes, _per_quote(one.bytes, one.quotes))
        table.add_row(one.name, one.form, *("" if cell is None else str(cell) for cell in cells))
    total = record_as_json(facts)
    keys = ("quotes", "repaired", "gaps", "missed", "bytes", "bytes_per_quote")
    table.add_row(said(told("sum"), language), "", *("" if total[key] is None else str(total[key]) for key in keys))
    Console().print(table)
