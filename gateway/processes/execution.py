"""Execution: intents in, orders out, fills in, trades kept whole. It returns disarmed and reads its journal first.

After a death by a signal from outside it arms itself again, once every venue has spoken of every order, where it was
armed when it died and nobody has asked for anything meanwhile. After an end of its own a named person has to. While
the watch holds it, it does not start; what venues told the watch meanwhile it takes up before anything else.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import zmq

from gateway.bus.topics import OrderSessions
from gateway.execution import recovery
from gateway.execution.engine import ExecutionEngine
from gateway.execution.recovery import Rearm, Recovered
from gateway.journal.errors import JournalError
from gateway.journal.heard import DROP_COPY, ORDERS, HeardNumbers
from gateway.journal.reader import read_run
from gateway.model.port import Handlers
from gateway.model.trade import Alarm, AlarmName, Command, ExecutionEvent, PairPosition, Restarted, Verb
from gateway.processes import clock, start
from gateway.processes.cores import execution_engine, settings
from gateway.processes.durations import MS
from gateway.processes.execution_shell import ExecutionShell
from gateway.processes.fix_sessions import fix_sessions
from gateway.processes.held import read_held
from gateway.processes.hours import HoursTeller
from gateway.processes.ids import next_epoch
from gateway.processes.kept_settings import keep_settings
from gateway.processes.lease import Lease
from gateway.processes.session_clocks import Clocks
from gateway.processes.session_lines import session_lines
from gateway.processes.site_calendars import fixing_calendars, read_run_calendars
from gateway.processes.venues import open_sessions
from gateway.processes.watch_journal import alarms_since, words_since


def recover(engine: ExecutionEngine, run_dir: Path, heard: HeardNumbers | None = None) -> Recovered:
    """Feed the journals of earlier incarnations to the engine; `heard` notes how far they go."""
    return recovery.recover(engine, (heard or HeardNumbers()).noting(read_run(run_dir)))


class Pace(NamedTuple):
    """How often the loop says how it stands, and how long it waits before it rehearses; 0: it never does."""

    beat_ns: int
    warm_ns: int


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to stop."""
    given = start.arguments(argv, "execution")
    site = start.site_when_begun(given)
    held = read_held(given.run_dir)
    if held is not None:
        sys.stderr.write(f"execution: {held.words()}\n`cmc arm` lets it return\n")
        return 1
    stop = start.StopFlag()
    incarnation = next_epoch(site.state_dir / "execution")
    decides_by = settings(site)
    engine = execution_engine(decides_by, incarnation)
    keep_settings(given.run_dir, site.digest, incarnation, decides_by)
    heard = HeardNumbers()
    recovered = recover(engine, given.run_dir, heard)
    try:
        journal = start.open_journal("execution", incarnation, site, given.run_dir)
    except JournalError as error:
        sys.stderr.write(f"execution: {error}\n")
        return 1
    lease = Lease(given.run_dir)
    lease.give(incarnation)
    shell = ExecutionShell(site, engine, journal, lease, given.bus_dir, stop.fd, recovered.seq)
    begin: ExecutionEvent = Restarted(incarnation)
    shell.handle(begin)
    for word in words_since(given.run_dir, recovered.at_ns):
        shell.handle(word)
    say_what_is_held(shell)
    why = "it came back after an end of its own"
    if recovered.armed and given.after_death != "signal":
        shell.handle(Command(f"disarm-{incarnation}", Verb.DISARM, "execution", why))
    if recovered.armed and given.after_death == "exit":
        own_end = Alarm(AlarmName.INVARIANT, "execution", f"{why}, armed")
        shell.publisher.publish(own_end)
        shell.alarms.hear("execution", [own_end])
    shell.alarms.hear("watch", alarms_since(given.run_dir, recovered.at_ns))
    rearm = Rearm(shell, wanted=given.after_death == "signal" and recovered.armed)
    clocks = Clocks(site.venues, "orders")
    sessions = open_sessions(
        [*fix_sessions(site, ORDERS), *fix_sessions(site, DROP_COPY)],
        site.state_dir / "fix",
        given.run_dir / "logs",
        clock.monotonic_ns,
        Handlers(
            on_message=clocks.hearing(shell.on_message),
            on_session=clocks.following(shell.on_session, clock.monotonic_ns),
            on_sent=shell.on_sent,
            on_resend_request=shell.on_resend_request,
            on_admin=clocks.on_admin,
            on_round_trip=clocks.on_round_trip,
            on_refused=shell.on_refused,
        ),
        heard.by_key,
    )
    shell.sessions = sessions
    sessions.start()
    start.say_ready(given.run_dir, "execution")
    hours = HoursTeller(read_run_calendars(given.run_dir, site.calendars) | fixing_calendars(site.pairs))
    loop(shell, rearm, hours, clocks, stop, Pace(site.bus.heartbeat_interval_ns, site.performance.warm_interval_ns))
    sessions.stop(timeout_s=2.0)
    shell.close()
    return 0


def say_what_is_held(shell: ExecutionShell) -> None:
    """Positions as they were read from the journal: whoever listens has not heard of them from this incarnation."""
    ledger = shell.engine.ledger
    for position in ledger.positions.values():
        shell.publisher.publish(position.report())
    for rule in ledger.settings.rules.values():
        units = ledger.rule_units.get(rule.rule_id, 0)
        shell.publisher.publish(PairPosition(rule.pair_id, rule.rule_id, units))


def loop(
    shell: ExecutionShell,
    rearm: Rearm,
    hours: HoursTeller,
    clocks: Clocks,
    stop: start.StopFlag,
    pace: Pace,
) -> None:
    """Intents before anything else; then venues, timers, commands; a heartbeat. A rehearsal where nothing is due."""
    poller = zmq.Poller()
    states = (shell.states.socket, shell.states.answers)
    for socket in (shell.intents.socket, shell.commands.socket, shell.publisher.snapshots, *states, stop.fd):
        poller.register(socket, zmq.POLLIN)
    shell.states.ask()
    beat_ns = 0
    while not stop.set:
        now_ns = clock.monotonic_ns()
        wait_ns = 0 if shell.waiting else shell.timers.wait_ns(now_ns, max(0, beat_ns - now_ns))
        warms = 0 < pace.warm_ns < wait_ns
        ready = {what for what, _ in poller.poll(-(-(pace.warm_ns if warms else wait_ns) // MS))}
        if warms and not ready:
            shell.rehearse(now_ns + pace.warm_ns)
            continue
        if stop.fd in ready:
            os.eventfd_read(stop.fd)
        shell.take_intents()
        shell.take_messages()
        shell.fire_timers()
        if ready.intersection(states):
            shell.take_states()
        if shell.commands.socket in ready:
            shell.take_commands()
        if shell.publisher.snapshots in ready:
            shell.publisher.answer_snapshots()
        rearm.look()
        now_ns = clock.monotonic_ns()
        shell.keep(now_ns)
        for change in hours.changes(now_ns, clock.utc_ns()) if shell.writable else ():
            shell.handle(change)
        if now_ns >= beat_ns:
            beat_ns = now_ns + pace.beat_ns
            beat(shell, clocks, now_ns)


def beat(shell: ExecutionShell, clocks: Clocks, now_ns: int) -> None:
    """Say how execution, its sessions and its venues' clocks stand; ask for the time where that is due."""
    shell.publisher.publish(shell.engine.status(now_ns))
    if shell.sessions is None:
        return
    lines = session_lines(shell.sessions)
    incarnation = shell.engine.ledger.incarnation
    shell.publisher.publish(OrderSessions(incarnation, now_ns, lines, clocks.status(now_ns)))
    clocks.ask(shell.sessions, now_ns)
    raised = list(clocks.alarms(now_ns))
    for alarm in raised:
        shell.publisher.publish(alarm)
    shell.alarms.hear("execution", raised)
    shell.alarms.take()


if __name__ == "__main__":
    sys.exit(main())
