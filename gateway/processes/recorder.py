"""The recorder: keeps every quote and pair price that was published, and says what it missed. Decides nothing.

It writes a log in segments; a closed segment becomes Parquet in a process of its own (docs/JOURNAL.md, "The record").
"""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import zmq

from gateway.bus.sockets import Subscriber
from gateway.journal.clock_pairs import ClockPairs
from gateway.journal.errors import JournalError
from gateway.journal.record_files import RepairMarks, segment_path, segments_of
from gateway.journal.segments import SegmentedJournal
from gateway.journal.writer import JournalWriter
from gateway.model.quote import Quote
from gateway.model.record import Missed, Observed
from gateway.model.trade import PairPrice
from gateway.processes import clock, start
from gateway.processes.ids import next_epoch
from gateway.processes.record_converter import RecordConverter
from gateway.processes.settings import Site, load_site

WAIT_MS = 200
ROOM_LOOK_NS = 500_000_000
"""How often a full disk is looked at again."""
LAST_CONVERSION_S = 3.0
"""Of the five seconds that the supervisor gives a process to end."""


def record(subscriber: Subscriber, journal: SegmentedJournal, marks: RepairMarks) -> None:
    """Write what waits at one subscriber."""
    received = subscriber.poll()
    gaps = subscriber.take_gaps()
    # What came before the first quote after a gap is not known.
    after = {(gap.topic, gap.incarnation, gap.last_seq + 1) for gap in gaps}
    for one in received:
        if isinstance(one.message, Quote):
            if after and (one.topic, one.incarnation, one.seq) in after:
                marks.missed(one.message.instrument_id)
            repaired = marks.is_repaired(one.message)
            journal.append(Observed(clock.monotonic_ns(), one.incarnation, one.seq, one.message, repaired))
        elif isinstance(one.message, PairPrice):
            journal.append(Observed(clock.monotonic_ns(), one.incarnation, one.seq, one.message))
    for gap in gaps:
        journal.append(Missed(clock.monotonic_ns(), *gap))


def open_segment(site: Site, run_dir: Path, incarnation: int, number: int) -> JournalWriter:
    """The log of a new segment."""
    return JournalWriter(
        segment_path(run_dir, incarnation, number),
        start.opened("recorder", incarnation, site),
        fdatasync_interval_ns=site.journal.fdatasync_interval_ns,
        sync_before_send=False,
        min_free_bytes=site.journal.min_free_bytes,
    )


def open_journal(site: Site, run_dir: Path) -> SegmentedJournal:
    """The first segment of a new incarnation."""
    return SegmentedJournal(
        partial(open_segment, site, run_dir, next_epoch(site.state_dir / "recorder")),
        segment_bytes=site.recorder.segment_bytes,
        segment_ns=site.recorder.segment_ns,
        at_ns=clock.monotonic_ns(),
    )


def open_when_there_is_room(site: Site, given: start.Arguments, stop: start.StopFlag) -> SegmentedJournal | None:
    """The journal of this incarnation; on a full disk it waits, because a recorder must not end the trading."""
    told = False
    while not stop.set:
        try:
            return open_journal(site, given.run_dir)
        except (JournalError, OSError) as error:
            if not told:
                sys.stderr.write(f"recorder: {error}; nothing is recorded until there is room\n")
                sys.stderr.flush()
            told = True
            start.say_ready(given.run_dir, "recorder")
            clock.pause_ns(ROOM_LOOK_NS)
    return None


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to stop."""
    given = start.arguments(argv, "recorder")
    site = load_site(given.site)
    stop = start.StopFlag()
    converter = RecordConverter(given.run_dir)
    if not all(segment.is_converted for segment in segments_of(given.run_dir)):
        converter.ask()  # what a kill has left
    marks = RepairMarks()
    journal = open_when_there_is_room(site, given, stop)
    if journal is None:
        return 0
    subscribers = [
        Subscriber(given.bus_dir, "feed", ["Q."], site.bus.high_water_mark),
        Subscriber(given.bus_dir, "trigger", ["P."], site.bus.high_water_mark),
    ]
    poller = zmq.Poller()
    poller.register(stop.fd, zmq.POLLIN)
    for subscriber in subscribers:
        subscriber.ask()
        poller.register(subscriber.socket, zmq.POLLIN)
        poller.register(subscriber.answers, zmq.POLLIN)
    pairs = ClockPairs(clock.monotonic_ns())
    start.say_ready(given.run_dir, "recorder")
    try:
        while not stop.set:
            poller.poll(WAIT_MS)
            for subscriber in subscribers:
                record(subscriber, journal, marks)
            if journal.roll(clock.monotonic_ns()) is not None:
                converter.ask()
            converter.mind()
            if pairs.is_due(clock.monotonic_ns()):
                journal.append(pairs.take(clock.monotonic_ns(), clock.utc_ns()))
    except JournalError as error:
        sys.stderr.write(f"recorder: {error}; nothing is recorded any more\n")
        return 1
    finally:
        journal.close()
        for subscriber in subscribers:
            subscriber.close()
        converter.ask()
        converter.finish(LAST_CONVERSION_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
