"""The recorder: keeps every quote and pair price that was published, and says what it missed. Decides nothing.

Beside them it keeps what proves how old they were: the standing of every session's clock and of our own, and each alarm
about a clock (a step, another way). What came too late for anybody (sent again by the venue, or kept during a gap) the
feed tells under a topic that only the recorder reads; here it is marked as filled.

It writes a log in segments; a closed segment becomes Parquet in a process of its own (docs/JOURNAL.md, "The record").
"""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import zmq

from gateway.bus.sockets import Subscriber
from gateway.bus.topics import OrderSessions, Received
from gateway.journal.clock_pairs import ClockPairs
from gateway.journal.errors import JournalError
from gateway.journal.record_files import RepairMarks, segment_path, segments_of
from gateway.journal.segments import SegmentedJournal
from gateway.journal.writer import JournalWriter
from gateway.model.clock import ClockStatus, HostClock
from gateway.model.quote import Quote
from gateway.model.record import Missed, Observed
from gateway.model.trade import Alarm, AlarmName, PairPrice
from gateway.processes import clock, start
from gateway.processes.ids import next_epoch
from gateway.processes.record_converter import RecordConverter
from gateway.processes.site import Site

Kept = Quote | PairPrice | ClockStatus | HostClock | Alarm
LATE = "L."
"""Topic of quotes that came too late."""
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
        match one.message:
            case Quote() if one.topic.startswith(LATE):
                _keep(journal, one, one.message, repaired=True, filled=True)
            case Quote():
                if after and (one.topic, one.incarnation, one.seq) in after:
                    marks.missed(one.message.instrument_id)
                _keep(journal, one, one.message, repaired=marks.is_repaired(one.message))
            case PairPrice() | ClockStatus() | HostClock() | Alarm(name=AlarmName.CLOCK):
                _keep(journal, one, one.message)
            case OrderSessions():
                for standing in one.message.clocks:
                    _keep(journal, one, standing)
            case _:
                pass
    for gap in gaps:
        journal.append(Missed(clock.monotonic_ns(), *gap))


def _keep(
    journal: SegmentedJournal, one: Received, what: Kept, *, repaired: bool = False, filled: bool = False
) -> None:
    journal.append(Observed(clock.monotonic_ns(), one.incarnation, one.seq, what, repaired, filled))


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
    site = start.site_when_begun(given)
    stop = start.StopFlag()
    converter = RecordConverter(given.run_dir)
    if not all(segment.is_converted for segment in segments_of(given.run_dir)):
        converter.ask()  # what a kill has left
    marks = RepairMarks()
    journal = open_when_there_is_room(site, given, stop)
    if journal is None:
        return 0
    subscribers = [
        Subscriber(given.bus_dir, "feed", ["Q.", LATE, "C.", "HostClock.", "Alarm."], site.bus.high_water_mark),
        Subscriber(given.bus_dir, "trigger", ["P."], site.bus.high_water_mark),
        Subscriber(given.bus_dir, "execution", ["OrderSessions.", "Alarm."], site.bus.high_water_mark),
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
