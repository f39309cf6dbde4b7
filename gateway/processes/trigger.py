"""The trigger: quotes in, intents out.

Waiting quotes are taken up together and each instrument is priced at its newest one, once all of them are in: an
opportunity that only an overtaken quote shows is none. What execution has announced is heard before.

Between quotes it rehearses an intent (`warm_interval_ms` of the site file) and drops it: what runs some twenty times a
second would otherwise be gone from the processor's caches each time.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import zmq

from gateway.bus.sockets import IntentSender, Publisher, Subscriber
from gateway.bus.topics import ENCODER, Received, TriggerStatus, pack, unpack
from gateway.journal.errors import JournalError
from gateway.journal.reader import journal_path
from gateway.journal.told import said
from gateway.journal.writer import JournalWriter
from gateway.model.quote import Quote
from gateway.model.record import (
    DayTold,
    Heard,
    HoursHeard,
    IntentMade,
    QuotesTaken,
    RulesChanged,
    Ticked,
    TriggerStarted,
)
from gateway.model.rules import RuleMemory
from gateway.model.trade import (
    Alarm,
    AlarmName,
    CommandAnswered,
    ExecutionStatus,
    IntentRefused,
    PairPosition,
    PairTradeChanged,
)
from gateway.processes import clock, machine, start
from gateway.processes.durations import MS, SECOND
from gateway.processes.hours import HoursTeller
from gateway.processes.ids import IdCounter, next_epoch
from gateway.processes.last_intents import last_intents, remembering
from gateway.processes.rule_desk import RuleDesk
from gateway.processes.rule_samples import load_samples
from gateway.processes.rule_times import RuleTimesTeller
from gateway.processes.rules_journal import PROCESS as RULES
from gateway.processes.rules_journal import InForce, in_force, read_kept
from gateway.processes.site import Site
from gateway.processes.site_calendars import fixing_calendars, read_run_calendars
from gateway.processes.site_formula_days import beijing_day
from gateway.processes.trigger_journal import InputJournal
from gateway.trigger.core import Hops, TriggerCore, Wish

SILENCE_NS = SECOND
"""An intent that nobody has spoken of for so long after its expiry never arrived."""
MOST_AT_ONCE = 2000
INTENTS_WAITING = 100
TELL_WITHIN_NS = 2 * MS
"""What became of a rule that fired is told and written when nothing else waits, and at the latest so long after: at
once it would keep execution, which has just been handed the intent, from its core."""
INPUTS_SYNC_NS, RULES_SYNC_NS = SECOND, 50 * MS
"""How long what was written may be lost to a power cut."""
_HEARD = (PairTradeChanged, IntentRefused, PairPosition, ExecutionStatus)


class Trigger:
    """The core with its sockets and journals."""

    def __init__(self, site: Site, run_dir: Path, bus_dir: str, incarnation: int) -> None:
        begin = begin_with(site, run_dir)
        calendars = read_run_calendars(run_dir, site.calendars)
        # While a reference with a fixing is shut, the feed tells the fixing in its place.
        hours = {name: one for name, one in calendars.items() if name not in site.fixings}
        self._hours = HoursTeller(hours | fixing_calendars(site.pairs))
        self._times = RuleTimesTeller()
        self._times.mind(begin.rules.values())
        pairs, rules = begin.pairs.values(), begin.rules.values()
        self._core = TriggerCore(pairs, rules, site.instruments, silence_ns=SILENCE_NS, memories=begin.memories)
        now_ns = clock.monotonic_ns()
        instruments = tuple(site.instruments.values())
        started = TriggerStarted(now_ns, SILENCE_NS, instruments, tuple(pairs), tuple(rules), begin.memories)
        self._inputs = InputJournal(_journal("trigger", incarnation, site, run_dir, INPUTS_SYNC_NS), started)
        rules_journal = _journal(RULES, incarnation, site, run_dir, RULES_SYNC_NS)
        self.desk = RuleDesk(self._core, Path(bus_dir), rules_journal, begin, started)
        self._places = {one.instrument_id: place for place, one in enumerate(instruments)}
        self._ids = IdCounter("I", incarnation)
        self._incarnation = incarnation
        self._intents = IntentSender(bus_dir, INTENTS_WAITING)
        self._newest: dict[str, Quote] = {}
        self._numbers: dict[str, tuple[int, int]] = {}
        self._unsent = 0
        self._missed = 0
        self._due_ns = 0
        self._day = ""
        self._begun = False
        """Execution's last words have been heard: what it did with intents of an earlier life is known."""
        self.publisher = Publisher(bus_dir, "trigger", incarnation, site.bus.high_water_mark)
        self.quotes = Subscriber(bus_dir, "feed", ["Q."], site.bus.high_water_mark)
        self.execution = Subscriber(
            bus_dir, "execution", ["T.", "U.", "IntentRefused.", "ExecutionStatus."], site.bus.high_water_mark
        )
        for loaded in load_samples(run_dir, rules, now_ns, clock.utc_ns()):
            self._core.on_samples(loaded)
            self._inputs.take(loaded)
        self._untold_ns = 0
        """Since when something is to be told, 0: nothing is."""
        self._answers: list[tuple[bytes, CommandAnswered]] = []
        self._idle_tells = False
        """It is what became of a command, of which execution was handed nothing: nobody's core is kept by telling."""
        self._due_ns = now_ns  # the first tick begins the grids of samples
        self.mind_times(now_ns)
        self.quotes.ask()
        self.execution.ask()

    def hear(self) -> None:
        """Take what execution has announced; not that it is there, before its last words on every rule are heard."""
        begins = False
        for one in self.execution.poll():
            if not isinstance(one.message, _HEARD):
                continue
            if isinstance(one.message, ExecutionStatus) and not self._begun:
                if self.execution.is_waiting:
                    continue
                begins = self._begun = True
            at_ns = clock.monotonic_ns()
            self._core.on_execution(one.message, at_ns)
            self._inputs.take(Heard(at_ns, one.message))
        if begins:
            # What was evaluated before anybody could take an intent is looked at again, once.
            self._evaluate(self._core.newest_quotes())

    def take_quotes(self) -> None:
        """Evaluate the newest quote of each instrument that has one waiting."""
        self.quotes.drain(self._keep, MOST_AT_ONCE)
        if self._newest:
            self._evaluate(self._newest)
            self._newest.clear()

    def _evaluate(self, newest: Mapping[str, Quote]) -> None:
        """Hand these quotes to the core together, send what it asks for, and then write them down."""
        taken_ns = clock.monotonic_ns()
        wishes = self._core.on_quotes(newest.values(), taken_ns)
        made = self._send(wishes, taken_ns) if wishes else ()
        places, numbers = self._places, self._numbers
        taken = tuple([(places[name], *numbers[name]) for name in newest])
        self._inputs.take(QuotesTaken(taken_ns, taken, *self._core.evaluated()))
        if made:
            self._note_intents(made)

    def take_commands(self) -> None:
        """Carry out, or refuse, every command that waits. It is answered, and how its rules stand told, when nothing
        else waits: each message that is sent wakes a thread, which may take this one's core from the next quote.
        """
        changed = fired = False
        while (asked := self.desk.receive()) is not None:
            identity, command = asked
            answer = self.desk.known(command)
            if answer is None:
                at_ns = clock.monotonic_ns()
                answer = self.desk.decide(command, at_ns, clock.utc_ns())
                made: Sequence[IntentMade] = ()
                if answer.done:
                    made = self._send(self._core.change(command, at_ns), at_ns)
                self._inputs.take(RulesChanged(at_ns, command, answer))
                self._note_intents(made)
                changed, fired = True, fired or bool(made)
            self._answers.append((identity, answer))
        if not self._answers:
            return
        now_ns = clock.monotonic_ns()
        if changed:
            self._times.mind(self._core.rules.specs(()))
            self._due_ns = self._core.due_ns(now_ns)
            self._mind_clock(now_ns)
        self._idle_tells = not fired and (self._idle_tells or not self._untold_ns)
        self._untold_ns = self._untold_ns or now_ns

    def mind_times(self, now_ns: int) -> None:
        """Hear which instruments opened or shut, which windows did, and which day it is; sample what is due; tell."""
        self._mind_clock(now_ns)
        self.tell(now_ns)

    def _mind_clock(self, now_ns: int) -> None:
        utc_ns = clock.utc_ns()
        for change in self._hours.changes(now_ns, utc_ns):
            self._core.on_hours(change.instrument_id, is_open=change.open, trading_day=change.trading_day)
            self._inputs.take(HoursHeard(now_ns, change))
        day = beijing_day(utc_ns)
        if day != self._day:
            self._day = day
            self._core.on_day(day)
            self._inputs.take(DayTold(now_ns, day))
        for times in self._times.changes(now_ns, utc_ns):
            self._core.on_rule_times(times)
            self._inputs.take(times)
            self._due_ns = now_ns
        if self._due_ns and now_ns >= self._due_ns:
            self._core.on_tick(now_ns)
            self._inputs.take(Ticked(now_ns))
            self._due_ns = self._core.due_ns(now_ns)

    def tell(self, now_ns: int) -> None:
        """Publish and write down how rules stand, and what was taken in; answer what was asked for."""
        self._untold_ns, self._idle_tells = 0, False
        standings, memories = self._core.news(now_ns)
        for one in standings:
            self.publisher.publish(one)
        answers, self._answers = self._answers, []
        for identity, answer in answers:
            self.desk.answer(identity, answer)
        failed = self.desk.note(standings, memories) or self._inputs.write(now_ns)
        if failed:
            self.publisher.publish(Alarm(AlarmName.JOURNAL, "trigger", failed))
            sys.stderr.write(f"trigger: {failed}\n")
        self._inputs.keep(now_ns, clock.utc_ns())

    def tell_late(self, now_ns: int, *, idle: bool) -> bool:
        """Tell what waits to be told, once nothing else waits; whether there was anything."""
        if not self._untold_ns:
            return False
        if idle or now_ns - self._untold_ns >= TELL_WITHIN_NS:
            self.tell(now_ns)
        return True

    def patience_ms(self, most_ms: int) -> int:
        """How long to wait for the next message."""
        if self._idle_tells:
            return 0
        return 1 if self._untold_ns else most_ms

    def _send(self, wishes: Sequence[Wish], taken_ns: int) -> list[IntentMade]:
        """Hand over an intent of each wish."""
        evaluated_ns = clock.monotonic_ns()
        made = []
        for wish in wishes:
            intent = wish.intent(self._ids.next(), Hops(taken_ns, evaluated_ns, clock.monotonic_ns()))
            sent = self._intents.send(intent)
            sent_ns = clock.monotonic_ns()
            made.append(IntentMade(intent, sent, sent_ns))
            if not sent:
                self._unsent += 1
                self._core.on_unsent(intent, sent_ns)
        return made

    def _note_intents(self, made: Sequence[IntentMade]) -> None:
        for one in made:
            self._inputs.take(one)
        if made:
            now_ns = clock.monotonic_ns()
            self._due_ns = self._core.due_ns(now_ns)
            self._untold_ns = self._untold_ns or now_ns

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
        self.tell(clock.monotonic_ns())
        self._inputs.close(clock.monotonic_ns())
        for one in (self._intents, self.quotes, self.execution, self.publisher, self.desk):
            one.close()

    def _keep(self, received: Received) -> None:
        if isinstance(received.message, Quote):
            name = received.message.instrument_id
            self._newest[name] = received.message
            self._numbers[name] = (received.incarnation, received.seq)


def _journal(process: str, incarnation: int, site: Site, run_dir: Path, sync_ns: int) -> JournalWriter:
    path = journal_path(run_dir, process, incarnation)
    opened = start.opened(process, incarnation, site)
    free = site.journal.min_free_bytes
    return JournalWriter(path, opened, fdatasync_interval_ns=sync_ns, sync_before_send=False, min_free_bytes=free)


def begin_with(site: Site, run_dir: Path) -> InForce:
    """Rules and pairs as the site file and the commands of earlier lives leave them; what is odd in it is told."""
    boot_id = machine.boot_id()
    begin = in_force(read_kept(run_dir), site.rules, site.pairs, site.instruments, site.digest, boot_id)
    for words in begin.told:
        sys.stderr.write(f"trigger: {said(words, site.language)}\n")
    remembered = {one.rule_id: one for one in begin.memories}
    for name, intent in last_intents(run_dir, boot_id).items():
        if name in begin.rules:
            remembered[name] = remembering(remembered.get(name, RuleMemory(name, 0, 0)), intent)
    return begin._replace(memories=tuple(remembered.values()))


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to stop."""
    given = start.arguments(argv, "trigger")
    site = start.site_when_begun(given)
    stop = start.StopFlag()
    incarnation = next_epoch(site.state_dir / "trigger")
    try:
        trigger = Trigger(site, given.run_dir, str(given.bus_dir), incarnation)
    except JournalError as error:
        sys.stderr.write(f"trigger: {error}\n")
        return 1
    start.say_ready(given.run_dir, "trigger")
    poller = zmq.Poller()
    execution = trigger.execution.socket
    for socket in (trigger.quotes.socket, execution, trigger.publisher.snapshots, trigger.desk.socket, stop.fd):
        poller.register(socket, zmq.POLLIN)
    poller.register(trigger.quotes.answers, zmq.POLLIN)
    poller.register(trigger.execution.answers, zmq.POLLIN)
    beat_ns = prices_ns = warmed_ns = 0
    warm_ns = site.performance.warm_interval_ns
    wait_ms = min(warm_ns or site.bus.pair_price_interval_ns, site.bus.pair_price_interval_ns) // MS
    while not stop.set:
        ready = poller.poll(trigger.patience_ms(wait_ms))
        more_than_quotes = len(ready) > 1 or (ready and ready[0][0] is not trigger.quotes.socket)
        if more_than_quotes:
            trigger.hear()
            trigger.publisher.answer_snapshots()
        if ready:
            trigger.take_quotes()
        if more_than_quotes:
            trigger.take_commands()
        now_ns = clock.monotonic_ns()
        told = trigger.tell_late(now_ns, idle=not ready)
        if warm_ns and not told and now_ns - warmed_ns >= warm_ns:
            trigger.rehearse(now_ns)
            warmed_ns = now_ns
        if now_ns >= prices_ns:
            trigger.mind_times(now_ns)
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
