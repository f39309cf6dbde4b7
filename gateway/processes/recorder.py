"""The recorder: keeps every quote and pair price that was published, and says what it missed. Decides nothing."""

import sys
from collections.abc import Sequence

import zmq

from gateway.bus.sockets import Subscriber
from gateway.journal.clock_pairs import ClockPairs
from gateway.journal.errors import JournalError
from gateway.journal.writer import JournalWriter
from gateway.model.quote import Quote
from gateway.model.record import Missed, Observed
from gateway.model.trade import PairPrice
from gateway.processes import clock, start
from gateway.processes.ids import next_epoch
from gateway.processes.settings import load_site

WAIT_MS = 200


def record(subscriber: Subscriber, journal: JournalWriter) -> None:
    """Write what waits at one subscriber."""
    for one in subscriber.poll():
        if isinstance(one.message, Quote | PairPrice):
            journal.append(Observed(clock.monotonic_ns(), one.incarnation, one.seq, one.message))
    for gap in subscriber.take_gaps():
        journal.append(Missed(clock.monotonic_ns(), *gap))


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to stop."""
    given = start.arguments(argv, "recorder")
    site = load_site(given.site)
    stop = start.StopFlag()
    journal = start.open_journal("recorder", next_epoch(site.state_dir / "recorder"), site, given.run_dir)
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
                record(subscriber, journal)
            if pairs.is_due(clock.monotonic_ns()):
                journal.append(pairs.take(clock.monotonic_ns(), clock.utc_ns()))
    except JournalError as error:
        sys.stderr.write(f"recorder: {error}; nothing is recorded any more\n")
        return 1
    finally:
        journal.close()
        for subscriber in subscribers:
            subscriber.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
