"""Execution: intents in, orders out, fills in, trades kept whole. It returns disarmed and reads its journal first."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import zmq

from gateway.execution.engine import ExecutionEngine
from gateway.execution.ledger import ExecutionSettings
from gateway.fix.engine import FixSessions
from gateway.journal.reader import read_run
from gateway.model.record import Decision
from gateway.model.trade import ExecutionEvent, Restarted
from gateway.processes import clock, start
from gateway.processes.execution_shell import ExecutionShell
from gateway.processes.ids import next_epoch
from gateway.processes.lease import Lease
from gateway.processes.settings import Site, load_site
from gateway.processes.site_file import MS

ID_PREFIX = "C"


def settings(site: Site) -> ExecutionSettings:
    """What the engine decides by."""
    return ExecutionSettings(
        ID_PREFIX,
        site.stage,
        dict(site.pairs),
        dict(site.rules),
        dict(site.instruments),
        dict(site.instrument_limits),
        site.limits,
        {name: venue.spec for name, venue in site.venues.items()},
    )


def recover(engine: ExecutionEngine, run_dir: Path) -> int:
    """Feed the journals of earlier incarnations to the engine; the last sequence number."""
    seq = 0
    for record in read_run(run_dir):
        if isinstance(record, Decision):
            engine.on_event(record.event, record.at_ns)
            seq = record.seq
    return seq


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to stop."""
    given = start.arguments(argv, "execution")
    site = load_site(given.site)
    stop = start.StopFlag()
    incarnation = next_epoch(site.state_dir / "execution")
    engine = ExecutionEngine(settings(site), incarnation)
    seq = recover(engine, given.run_dir)
    journal = start.open_journal("execution", incarnation, site, given.run_dir)
    lease = Lease(given.run_dir)
    lease.give(incarnation)
    shell = ExecutionShell(site, engine, journal, lease, given.bus_dir, stop.fd, seq)
    begin: ExecutionEvent = Restarted(incarnation)
    shell.handle(begin)
    sessions = FixSessions(
        start.fix_sessions(site, "orders"),
        site.state_dir / "fix",
        given.run_dir / "logs",
        clock.monotonic_ns,
        on_message=shell.on_message,
        on_session=shell.on_session,
        on_sent=shell.on_sent,
        on_refused=shell.on_refused,
    )
    shell.sessions = sessions
    sessions.start()
    start.say_ready(given.run_dir, "execution")
    loop(shell, stop, site.bus.heartbeat_interval_ns)
    sessions.stop(timeout_s=2.0)
    shell.close()
    return 0


def loop(shell: ExecutionShell, stop: start.StopFlag, beat_interval_ns: int) -> None:
    """Intents before anything else; then venues, timers, commands; a heartbeat."""
    poller = zmq.Poller()
    states = (shell.states.socket, shell.states.answers)
    for socket in (shell.intents.socket, shell.commands.socket, shell.publisher.snapshots, *states, stop.fd):
        poller.register(socket, zmq.POLLIN)
    shell.states.ask()
    beat_ns = 0
    while not stop.set:
        now_ns = clock.monotonic_ns()
        wait_ms = 0 if shell.waiting else -(-shell.timers.wait_ns(now_ns, beat_interval_ns) // MS)
        ready = {what for what, _ in poller.poll(wait_ms)}
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
        now_ns = clock.monotonic_ns()
        shell.keep(now_ns)
        if now_ns >= beat_ns:
            beat_ns = now_ns + beat_interval_ns
            shell.publisher.publish(shell.engine.status(now_ns))


if __name__ == "__main__":
    sys.exit(main())
