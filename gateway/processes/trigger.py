"""The trigger: quotes in, intents out.

Waiting quotes are taken up together and each instrument is priced at its newest one, once all of them are in: an
opportunity that only an overtaken quote shows is none. What execution has announced is heard before.

Between quotes it rehearses an intent (`warm_interval_ms` of the site file) and drops it: what runs some twenty times a
second would otherwise be gone from the processor's caches each time.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import zmq

from gateway.bus.sockets import IntentSender, Publisher, Subscriber
from gateway.bus.topics import ENCODER, Received, TriggerStatus, pack, unpack
from gateway.model.quote import Quote
from gateway.model.trade import ExecutionStatus, IntentRefused, PairPosition, PairTradeChanged
from gateway.processes import clock, start
from gateway.processes.hours import HoursTeller
from gateway.processes.ids import IdCounter, next_epoch
from gateway.processes.settings import Site, load_site
from gateway.processes.site_calendars import read_run_calendars
from gateway.processes.site_file import MS, SECOND
from gateway.trigger.core import Hops, TriggerCore

SILENCE_NS = SECOND
"""An intent that nobody has spoken of for so long after its expiry never arrived."""
MOST_AT_ONCE = 2000
INTENTS_WAITING = 100
_HEARD = (PairTradeChanged, IntentRefused, PairPosition, ExecutionStatus)


class Trigger:
    """The core with its sockets."""

    def __init__(self, site: Site, run_dir: Path, bus_dir: str, incarnation: int) -> None:
        calendars = read_run_calendars(run_dir, site.calendars)
        # While a reference with a fixing is shut, the feed tells the fixing in its place.
        self._hours = HoursTeller({name: one for name, one in calendars.items() if name not in site.fixings})
        self._core = TriggerCore(site.pairs.values(), site.rules.values(), site.instruments, silence_ns=SILENCE_NS)
        self._ids = IdCounter("I", incarnation)
        self._incarnation = incarnation
        self._intents = IntentSender(bus_dir, INTENTS_WAITING)
        self._newest: dict[str, Quote] = {}
        self._unsent = 0
        self._missed = 0
        self.publisher = Publisher(bus_dir, "trigger", incarnation, site.bus.high_water_mark)
        self.quotes = Subscriber(bus_dir, "feed", ["Q."], site.bus.high_water_mark)
        self.execution = Subscriber(
            bus_dir, "execution", ["T.", "U.", "IntentRefused.", "ExecutionStatus."], site.bus.high_water_mark
        )
        self.quotes.ask()
        self.execution.ask()

    def hear(self) -> None:
        """Take what execution has announced."""
        for one in self.execution.poll():
            if isinstance(one.message, _HEARD):
                self._core.on_execution(one.message, clock.monotonic_ns())

    def take_quotes(self) -> None:
        """Evaluate the newest quote of each instrument that has one waiting."""
        newest = self._newest
        self.quotes.drain(self._keep, MOST_AT_ONCE)
        if not newest:
            return
        taken_ns = clock.monotonic_ns()
        wishes = self._core.on_quotes(newest.values(), taken_ns)
        newest.clear()
        if not wishes:
            return
        evaluated_ns = clock.monotonic_ns()
        for wish in wishes:
            intent = wish.intent(self._ids.next(), Hops(taken_ns, evaluated_ns, clock.monotonic_ns()))
            if not self._intents.send(intent):
                self._unsent += 1
                self._core.on_unsent(intent, clock.monotonic_ns())

    def mind_hours(self, now_ns: int) -> None:
        """Hear which instruments opened or shut."""
        for change in self._hours.changes(now_ns, clock.utc_ns()):
            self._core.on_hours(change.instrument_id, is_open=change.open)

    def rehearse(self, at_ns: int) -> None:
        """Decode a quote and make an intent of it as if a rule were met, for nobody."""
        wish = self._core.rehearse(at_ns)
        if wish is not None:
            unpack(pack(b"\0", 0, 0, wish.quote))
            ENCODER.encode(wish.intent("rehearsal", Hops(at_ns, at_ns, at_ns)))

    def publish_prices(self) -> None:
        for price in self._core.changed_prices():
            self.publisher.publish(price)

    def status(self, at_ns: int) -> TriggerStatus:
        """The heartbeat; a gap that was noticed has been asked about already.

        Execution's last words are asked for each time: one lost while the sockets joined left no number behind.
        """
        if not self.execution.is_waiting:
            self.execution.ask()
        gaps = self.quotes.take_gaps() + self.execution.take_gaps()
        self._missed += sum(gap.last_seq - gap.first_seq + 1 for gap in gaps)
        core = self._core
        return TriggerStatus(self._incarnation, at_ns, core.evaluations, core.intents, self._unsent, self._missed)

    def close(self) -> None:
        for one in (self._intents, self.quotes, self.execution, self.publisher):
            one.close()

    def _keep(self, received: Received) -> None:
        if isinstance(received.message, Quote):
            self._newest[received.message.instrument_id] = received.message


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to stop."""
    given = start.arguments(argv, "trigger")
    site = load_site(given.site)
    stop = start.StopFlag()
    trigger = Trigger(site, given.run_dir, str(given.bus_dir), next_epoch(site.state_dir / "trigger"))
    start.say_ready(given.run_dir, "trigger")
    poller = zmq.Poller()
    for socket in (trigger.quotes.socket, trigger.execution.socket, trigger.publisher.snapshots, stop.fd):
        poller.register(socket, zmq.POLLIN)
    poller.register(trigger.quotes.answers, zmq.POLLIN)
    poller.register(trigger.execution.answers, zmq.POLLIN)
    beat_ns = prices_ns = warmed_ns = 0
    warm_ns = site.performance.warm_interval_ns
    wait_ms = min(warm_ns or site.bus.pair_price_interval_ns, site.bus.pair_price_interval_ns) // MS
    while not stop.set:
        ready = poller.poll(wait_ms)
        if len(ready) > 1 or (ready and ready[0][0] is not trigger.quotes.socket):
            trigger.hear()
            trigger.publisher.answer_snapshots()
        if ready:
            trigger.take_quotes()
        now_ns = clock.monotonic_ns()
        if warm_ns and now_ns - warmed_ns >= warm_ns:
            trigger.rehearse(now_ns)
            warmed_ns = now_ns
        if now_ns >= prices_ns:
            trigger.mind_hours(now_ns)
            prices_ns = now_ns + site.bus.pair_price_interval_ns
            trigger.publish_prices()
        if now_ns >= beat_ns:
            beat_ns = now_ns + site.bus.heartbeat_interval_ns
            trigger.publisher.publish(trigger.status(now_ns))
    trigger.close()
    os.close(stop.fd)
    return 0


if __name__ == "__main__":
    sys.exit(main())
