"""The recorded sets as a venue would send them: tapes in, numbered snapshots and increments out, played in virtual time.

The simulators' publisher numbers the messages and finds the changes; the feed's core makes quotes of them. Neither
shares code with the other. A play gives how often each state was published, and fails where the published book is not
the tape's own.
"""

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.feed.core import FeedCore
from gateway.model.instrument import Instrument
from gateway.model.quote import (
    BookIncrement,
    BookSnapshot,
    LevelChange,
    MarketEvent,
    MdAction,
    MdSide,
    Quote,
    StatusChange,
    TradingStatus,
)
from simulators.core.faults import FaultPlan
from simulators.core.market_data import DEPTH, MdMessage, Publisher
from simulators.core.tape import TapeBook, TapeEvent, TapeInstrument, TapeStatus
from simulators.core.values import MdSnapshot
from simulators.tapes import RECORDED_SETS

SECOND = 10**9
MINUTE = 60 * SECOND
DELAY_NS = 1_000_000
"""From the venue's stamp to our receipt, in virtual time."""
TRADE_KIND = "2"


def needed(name: str) -> Path:
    """The recorded sets, if this one is there; else the test is skipped, with the reason in words."""
    if not (RECORDED_SETS / name).exists():
        pytest.skip(f"the recorded set {name} is not in {RECORDED_SETS}; it is not part of the product")
    return RECORDED_SETS


class Played(NamedTuple):
    """What came of a play."""

    states: Counter[str]
    """Quotes by state, after the first snapshot of each instrument."""
    asked: int
    """Snapshots that the feed asked for."""
    totals: tuple[int, int, int]
    """Gaps, repairs, messages lost."""
    bad: int
    last: dict[str, Quote]


def play(
    instruments: Iterable[TapeInstrument], events: Iterable[TapeEvent], *, incremental: bool, lost: int = -1
) -> Played:
    """Play a tape into a feed; after a reopening the feed asks for a snapshot and gets it.

    The message of the number `lost`, counted from 0, does not arrive, and the answer to the request comes at once.
    """
    listed = [_instrument(one) for one in instruments]
    core = FeedCore(listed, depth=DEPTH, kept_limit=100, retry_ns=SECOND, retry_most_ns=30 * SECOND)
    venue = _Venue(incremental=incremental)
    states: Counter[str] = Counter()
    last: dict[str, Quote] = {}
    asked, number = 0, -1
    for venue_id in {one.venue_id for one in listed}:
        core.on_session(venue_id, up=True, at_ns=0)
    for event in events:
        name = f"{event.venue}.{event.symbol}"
        recv_ns = event.at_ns + DELAY_NS
        for message in venue.messages(name, event):
            number += 1
            if number == lost:
                continue
            quote = core.on_event(message, recv_ns)
            if quote is not None:
                states[quote.state.value] += 1
                last[name] = quote
        for due in core.due_snapshots(recv_ns):
            if due == name and venue.knows(name):
                asked += 1
                quote = core.on_event(venue.image(name, event.at_ns), recv_ns)
                assert quote is not None
                states[quote.state.value] += 1
                last[name] = quote
        if isinstance(event, TapeBook) and number != lost:
            quote = last[name]
            assert (quote.bids, quote.asks) == (event.bids[:DEPTH], event.asks[:DEPTH]), f"{name} at {event.at_ns}"
    return Played(states, asked, core.totals(), core.bad_messages, last)


class _Venue:
    """Publishes a tape's books: the first as a snapshot, then as snapshots or as increments."""

    def __init__(self, *, incremental: bool) -> None:
        self._incremental = incremental
        self._publisher = Publisher(FaultPlan(0, 0, ()))
        self._books: dict[str, TapeBook] = {}
        self._number = 0

    def messages(self, name: str, event: TapeEvent) -> Iterator[MarketEvent]:
        if isinstance(event, TapeStatus):
            self._number += 1
            status = TradingStatus(event.status)
            yield StatusChange(name, event.at_ns + DELAY_NS, event.at_ns, self._number, status)
            return
        if isinstance(event, TapeBook):
            known = name in self._books
            self._books[name] = event
            book = (event.bids, event.asks)
            if not self._incremental:
                found = self._publisher.snapshot(event.at_ns, name, book, None, 0)
            else:
                found = self._publisher.increment(event.at_ns, name, book)
                if not known:
                    yield self.image(name, event.at_ns)
                    return
        elif name not in self._books:
            return
        else:
            found = self._publisher.trade(event.at_ns, name, event.px_ticks, event.qty_lots)
        yield from (self._event(name, one) for one in found)

    def knows(self, name: str) -> bool:
        """Whether there is a book to answer with."""
        return name in self._books

    def image(self, name: str, at_ns: int) -> BookSnapshot:
        """The answer to a request: the book as it stands, under the number of the last message."""
        book = self._books[name]
        self._number += 1
        return BookSnapshot(
            name, at_ns + DELAY_NS, at_ns, self._number, self._publisher.rpt_seq(name), book.bids[:DEPTH],
            book.asks[:DEPTH],
        )  # fmt: skip

    def _event(self, name: str, message: MdMessage) -> MarketEvent:
        self._number += 1
        recv_ns = message.at_ns + DELAY_NS
        if isinstance(message, MdSnapshot):
            return BookSnapshot(name, recv_ns, message.at_ns, self._number, message.rpt_seq, message.bids, message.asks)
        trades = [one for one in message.entries if one.kind == TRADE_KIND]
        changes = tuple(
            LevelChange(MdAction(one.action), MdSide(one.kind), one.position, one.px_ticks, one.qty_lots)
            for one in message.entries
            if one.kind != TRADE_KIND
        )
        last = (trades[-1].px_ticks, trades[-1].qty_lots) if trades else (None, 0)
        return BookIncrement(name, recv_ns, message.at_ns, self._number, message.rpt_seq, changes, *last)


def _instrument(one: TapeInstrument) -> Instrument:
    name = f"{one.venue}.{one.symbol}"
    return Instrument(name, one.venue, one.symbol, one.tick, Decimal(1), "point", one.currency, Decimal(1))


def zipped_rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """(file name, fields) of every row of every file in an archive."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as binary:
                for fields in csv.reader(io.TextIOWrapper(binary, encoding="utf-8")):
                    yield name, fields


def ticks(text: str, tick: Decimal) -> int:
    """Whole ticks, or the test fails: no recorded price is off its tick."""
    whole, rest = divmod(Decimal(text), tick)
    assert not rest, f"{text} is off the tick {tick}"
    return int(whole)
