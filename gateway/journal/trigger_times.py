"""How long quotes took from the wire to the trigger, over all quotes that the trigger took up, not only those that led
to an intent.

The trigger's journal says when it took up which quote, the record says when that quote was received. A quote counts
when it is the first that tells of its message (one that only changed the book's state keeps the times of the message
before it) and was received while the trigger ran (what a starting trigger asks for is older than itself). Of more than
`most` quotes every n-th is taken, by its number, so that the sample stays even and the memory bounded.

What can go wrong: a quote that the recorder missed is left out; segments in Parquet need pyarrow (NoParquetError).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.journal.parquet import recorded_quotes
from gateway.journal.reader import read_run
from gateway.journal.record_files import segments_of
from gateway.model.quote import BookState
from gateway.model.record import Consumed, QuotesTaken, TriggerStarted

TRIGGER = "trigger"
MOST_QUOTES = 200_000

Key = tuple[str, int, int]
"""Instrument, incarnation of the feed, number in its topic."""


class Taken(NamedTuple):
    """When a quote was taken up, by a trigger that had started when."""

    at_ns: int
    started_ns: int


def quote_to_trigger_sample_ns(run_dir: Path, most: int = MOST_QUOTES) -> list[int]:
    """Last byte of a quote read to the trigger having it; empty where the trigger kept no journal."""
    stride = max(1, -(-sum(1 for _ in _taken(run_dir)) // most))
    taken: dict[Key, Taken] = {}
    for key, one in _taken(run_dir):
        if key[2] % stride == 0:
            taken.setdefault(key, one)  # what is evaluated anew after a change of rules was there before
    if not taken:
        return []
    found: list[int] = []
    before: dict[str, int] = {}
    for segment in segments_of(run_dir):
        for recorded in recorded_quotes(segment):
            observed, quote = recorded.observed, recorded.quote
            name = quote.instrument_id
            is_news = before.get(name) != quote.recv_ns
            before[name] = quote.recv_ns
            when = taken.get((name, observed.incarnation, observed.seq))
            counts = is_news and not observed.filled and quote.state is BookState.OK
            if when is not None and counts and quote.recv_ns >= when.started_ns:
                found.append(when.at_ns - quote.recv_ns)
    return found


def _taken(run_dir: Path) -> Iterator[tuple[Key, Taken]]:
    names: list[str] = []
    started_ns = 0
    for record in read_run(run_dir, TRIGGER, on_torn=lambda _torn: None):
        if isinstance(record, TriggerStarted):
            names, started_ns = [one.instrument_id for one in record.instruments], record.at_ns
        elif isinstance(record, Consumed):
            for taken in record.inputs:
                if isinstance(taken, QuotesTaken):
                    for place, incarnation, seq in taken.quotes:
                        yield (names[place], incarnation, seq), Taken(taken.at_ns, started_ns)
