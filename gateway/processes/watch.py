"""The watch: outside of execution, so that a frozen execution cannot keep its orders at the venues.

`watch_core` decides when to act, `watch_pull` what to ask of a venue. Here it is carried out, in this order: the lease
is taken, `held.json` is written (nobody starts execution again), execution is ended, its FIX sessions are taken over
with their store, its open orders are read from its journal and pulled. Where a venue gives the watch a session of its
own, that one is kept logged on from the start and used instead. Everything done and heard is in the watch's journal.

What can go wrong: a disk that is full. Then the watch acts without a journal and says so.
"""

import os
import signal
import sys
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import zmq

from gateway.bus.sockets import CommandClient, CommandServer, Publisher, Subscriber
from gateway.fix.session_settings import SessionSettings
from gateway.journal.errors import JournalError
from gateway.journal.writer import JournalWriter
from gateway.model.order import OrderEvent, SessionChanged
from gateway.model.port import Handlers, OrderReader, Sessions, Writer
from gateway.model.record import Decision
from gateway.model.trade import (
    Action,
    Alarm,
    AlarmName,
    Announce,
    AskStatus,
    Command,
    CommandAnswered,
    ExecutionStatus,
    SendCancel,
    TimerFired,
)
from gateway.processes import clock, start
from gateway.processes.child import Identity, alive, send_signal
from gateway.processes.durations import MS, SECOND
from gateway.processes.fix_sessions import fix_sessions
from gateway.processes.held import Held, clear_held, read_held, write_held
from gateway.processes.ids import IdCounter, next_epoch
from gateway.processes.lease import Lease
from gateway.processes.site import Site
from gateway.processes.supervisor import live_children, read_status
from gateway.processes.venues import open_sessions, order_reader, writer
from gateway.processes.watch_core import (
    CountOrders,
    Forward,
    LetGo,
    Limits,
    Reply,
    TakeOver,
    WatchAction,
    WatchCore,
    WatchState,
)
from gateway.processes.watch_journal import WATCH, open_orders
from gateway.processes.watch_pull import Ask, MassCancel, Pull

LOOK_MS = 50
END_NS = 5 * SECOND
"""How long a process may take to vanish after SIGKILL."""
AFTER_GAP_NS = 100 * MS
"""From the venue's ResendRequest(35=2) to asking anew; by then the gap is filled over."""
LAST_NS = 4 * SECOND
"""How long a pull goes on after the watch was told to end."""


class _Waiting(NamedTuple):
    """A message or a session change, from a FIX thread."""

    key: str
    raw: str
    recv_ns: int
    up: bool | None


class Watch:
    """The core with its sockets, sessions and files. One thread calls it; FIX threads only hand over."""

    def __init__(self, site: Site, given: start.Arguments, epoch: int, wake_fd: int) -> None:
        held = read_held(given.run_dir)
        resumed = WatchState.WATCHING if held is None else WatchState.HELD if held.pulled else WatchState.PULLING
        limits = Limits(site.watch.silence_ns, site.watch.restart_ns, site.watch.answer_ns)
        self.core = WatchCore(limits, clock.monotonic_ns(), resumed)
        self.publisher = Publisher(given.bus_dir, WATCH, epoch, site.bus.high_water_mark)
        self.beats = Subscriber(given.bus_dir, "execution", ["ExecutionStatus."], site.bus.high_water_mark)
        self.commands = CommandServer(given.bus_dir, WATCH)
        self.asker = CommandClient(given.bus_dir)
        self._site = site
        self._given = given
        self._epoch = epoch
        self._ids = IdCounter("W", epoch)
        self._wake_fd = wake_fd
        self._lease = Lease(given.run_dir)
        self._execution: Identity | None = None
        """The process whose silence is counted."""
        self._held = held
        self._seq = 0
        self._journal = self._open_journal()
        self._inbox: deque[_Waiting] = deque()
        self._asking: dict[str, list[bytes]] = {}
        self._pulls: dict[str, Pull] = {}
        self._retry_ns: dict[str, int] = {}
        self._taken: Sessions | None = None
        own = fix_sessions(site, WATCH)
        self._own_venues = frozenset(one.venue_id for one in own)
        self._own = self._sessions(own) if own else None
        self._encoders: dict[str, Writer] = {}
        self._decoders: dict[str, OrderReader] = {}
        for name, venue in site.venues.items():
            listed = [one for one in site.instruments.values() if one.venue_id == name]
            constants = venue.watch.constants if venue.watch is not None else venue.orders.constants
            self._encoders[name] = writer(venue, {one.symbol: one for one in listed}, constants)
            self._decoders[name] = order_reader(venue, name, {one.symbol: one for one in listed})
        self.beats.ask()
        if resumed is WatchState.PULLING:
            self._pull()

    # Called by FIX threads.

    def on_message(self, key: str, raw: str, recv_ns: int) -> None:
        """A message of a session."""
        self._inbox.append(_Waiting(key, raw, recv_ns, None))
        os.eventfd_write(self._wake_fd, 1)

    def on_session(self, key: str, up: bool, detail: str) -> None:  # noqa: FBT001 the callback's form
        """A session came up or went down."""
        self._inbox.append(_Waiting(key, detail, clock.monotonic_ns(), up))
        os.eventfd_write(self._wake_fd, 1)

    def on_resend_request(self, key: str, _begin: int, _end: int) -> None:
        """The venue missed what was sent since the logon, and it is filled over, not sent again: ask anew, soon."""
        self._retry_ns[key.rpartition(".")[0]] = clock.monotonic_ns() + AFTER_GAP_NS

    # Called by the loop.

    def turn(self) -> None:
        """Take everything that waits, and only then judge what is missing."""
        for one in self.beats.poll():
            if isinstance(one.message, ExecutionStatus):
                self.core.on_beat(one.message)
        while (answer := self.asker.receive()) is not None:
            if isinstance(answer, CommandAnswered):
                self._do(self.core.on_answer(answer))
        while (asked := self.commands.receive()) is not None:
            identity, command = asked
            self._asking.setdefault(command.command_id, []).append(identity)
            self._do(self.core.on_command(command, clock.monotonic_ns()), command)
        self._take_messages()
        runs = not self.core.quiet or self._execution_runs()
        self._do(self.core.on_look(clock.monotonic_ns(), runs=runs))
        self._pull_again()
        self.publisher.answer_snapshots()

    @property
    def pulling(self) -> bool:
        return self.core.state is WatchState.PULLING

    def close(self) -> None:
        """Leave the venues and the bus; what is held stays held."""
        for sessions in (self._taken, self._own):
            if sessions is not None:
                sessions.stop(timeout_s=2.0)
        for one in (self.publisher, self.beats, self.commands, self.asker, self._lease):
            one.close()
        if self._journal is not None:
            self._journal.close()

    def _execution_runs(self) -> bool:
        one = start.said_ready(self._given.run_dir, "execution")
        if one is None or not alive(one):
            return False
        if one != self._execution:
            self._execution = one
            self.core.on_new_process()
        return True

    def _do(self, actions: list[WatchAction], command: Command | None = None) -> None:
        for action in actions:
            match action:
                case Forward():
                    self._record(action.command)
                    self.asker.send(action.command)
                case Reply():
                    self._reply(action)
                case CountOrders():
                    count = sum(len(orders) for orders in open_orders(self._given.run_dir).values())
                    self._do(self.core.on_orders(count))
                case TakeOver():
                    self._take_over(action)
                case LetGo():
                    self._record(command or TimerFired("released"))
                    self._let_go()

    def _reply(self, reply: Reply) -> None:
        for identity in self._asking.pop(reply.command_id, []):
            self.commands.answer(identity, CommandAnswered(reply.command_id, reply.done, reply.text))

    def _take_over(self, action: TakeOver) -> None:
        self._lease.take()
        self._write(Held(action.cause, action.figures, clock.utc_ns(), pulled=False, venues={}))
        self.asker.close()
        self.asker = CommandClient(self._given.bus_dir)
        self._record(TimerFired(action.cause), self._alarm("execution", f"{action.cause}: {action.figures}"))
        self._pull()

    def _pull(self) -> None:
        """End execution, read what it left open, and go to the venues."""
        self._lease.take()
        self._end_execution()
        found = open_orders(self._given.run_dir)
        for name, venue in self._site.venues.items():
            self._pulls[name] = Pull(
                name,
                found.get(name, {}),
                self._ids.next,
                mass_cancel=venue.dialect.mass_cancel,
                own_session=name in self._own_venues,
            )
        taken = [one for one in fix_sessions(self._site, "orders") if one.venue_id not in self._own_venues]
        self._taken = self._sessions(taken) if taken else None
        for name in self._own_venues:
            if self._own is not None and self._own.logged_on(f"{name}.{WATCH}"):
                self._ask(self._pulls[name])

    def _sessions(self, settings: list[SessionSettings]) -> Sessions:
        made = open_sessions(
            settings,
            self._site.state_dir / "fix",
            self._given.run_dir / "logs",
            clock.monotonic_ns,
            Handlers(self.on_message, self.on_session, on_resend_request=self.on_resend_request),
        )
        made.start()
        return made

    def _end_execution(self) -> None:
        """SIGKILL whoever is execution by its own word or the supervisor's; a stopped process ends by it, too."""
        found = {start.said_ready(self._given.run_dir, "execution")}
        found.add(live_children(read_status(self._given.run_dir) or {"children": []}).get("execution"))
        for one in [one for one in found if one is not None and alive(one)]:
            send_signal(one, signal.SIGKILL)
            self._await_end(one)

    def _await_end(self, one: Identity) -> None:
        until_ns = clock.monotonic_ns() + END_NS
        while alive(one):
            if clock.monotonic_ns() > until_ns:
                self._record(TimerFired("not_ended"), self._alarm("execution", f"pid {one.pid} survives SIGKILL"))
                return
            clock.pause_ns(5 * MS)

    def _take_messages(self) -> None:
        while self._inbox:
            key, raw, recv_ns, up = self._inbox.popleft()
            venue_id, _, session = key.rpartition(".")
            pull = self._pulls.get(venue_id)
            if up is not None:
                self._record(SessionChanged(venue_id, session, up, recv_ns, raw))
                if up and pull is not None and not pull.done:
                    self._ask(pull)
                continue
            event = self._decoders[venue_id].decode(raw, recv_ns)
            if event is not None:
                self._hear(pull, event)

    def _hear(self, pull: Pull | None, event: OrderEvent) -> None:
        asks = [] if pull is None else pull.on_event(event)
        self._record(event, *(one for one in asks if not isinstance(one, MassCancel)))
        self._send(asks)
        if pull is not None:
            self._note()

    def _ask(self, pull: Pull) -> None:
        asks = pull.ask()
        mass = [one for one in asks if isinstance(one, MassCancel)]
        said = [self._alarm(one.venue_id, f"mass cancel {one.request_id}") for one in mass]
        self._record(
            TimerFired(f"pull:{pull.venue_id}"), *said, *(one for one in asks if not isinstance(one, MassCancel))
        )
        self._retry_ns[pull.venue_id] = clock.monotonic_ns() + self._site.watch.retry_ns
        self._send(asks)
        self._note()

    def _pull_again(self) -> None:
        if not self.pulling:
            return
        for pull in self._pulls.values():
            due = clock.monotonic_ns() >= self._retry_ns.get(pull.venue_id, 0)
            if due and not pull.done and self._logged_on(pull.venue_id):
                self._ask(pull)

    def _logged_on(self, venue_id: str) -> bool:
        sessions, key = self._way(venue_id)
        return sessions is not None and sessions.logged_on(key)

    def _way(self, venue_id: str) -> tuple[Sessions | None, str]:
        own = venue_id in self._own_venues
        return (self._own, f"{venue_id}.{WATCH}") if own else (self._taken, f"{venue_id}.orders")

    def _send(self, asks: list[Ask]) -> None:
        for ask in asks:
            sessions, key = self._way(ask.order.venue_id if isinstance(ask, SendCancel) else ask.venue_id)
            if sessions is None:
                continue
            encoder, utc_ns = self._encoders[key.rpartition(".")[0]], clock.utc_ns()
            match ask:
                case MassCancel():
                    sessions.send(key, encoder.mass_cancel(ask.request_id, utc_ns))
                case SendCancel():
                    sessions.send(key, encoder.cancel(ask.cl_ord_id, ask.order, ask.order_id, utc_ns))
                case AskStatus():
                    sessions.send(key, encoder.status_request(ask.orders[0], ask.request_id))

    def _note(self) -> None:
        """Keep `held.json` at what is known; the end of the pull is said once."""
        if self._held is None or not self.pulling:
            return
        done = all(pull.done for pull in self._pulls.values())
        now = self._held._replace(pulled=done, venues={name: pull.words() for name, pull in self._pulls.items()})
        if now == self._held:
            return
        self._write(now)
        if done:
            self.core.on_pulled()
            self._record(TimerFired("pulled"), self._alarm("execution", now.words()))
            self._leave()

    def _write(self, held: Held) -> None:
        self._held = held
        try:
            write_held(self._given.run_dir, held)
        except OSError as error:
            self._alarm("execution", f"held.json could not be written, so execution may be started again: {error}")

    def _leave(self) -> None:
        if self._taken is not None:
            self._taken.stop(timeout_s=2.0)
            self._taken = None

    def _let_go(self) -> None:
        self._leave()
        self._pulls.clear()
        self._retry_ns.clear()
        self._held = None
        clear_held(self._given.run_dir)

    def _alarm(self, subject: str, figures: str) -> Announce:
        alarm = Alarm(AlarmName.WATCH, subject, figures)
        self.publisher.publish(alarm)
        sys.stderr.write(f"watch: {subject}: {figures}\n")
        sys.stderr.flush()
        return Announce(alarm)

    def _open_journal(self) -> JournalWriter | None:
        try:
            return start.open_journal(WATCH, self._epoch, self._site, self._given.run_dir)
        except (JournalError, OSError) as error:
            sys.stderr.write(f"watch: {error}; nothing of what the watch does is written down\n")
            return None

    def _record(self, event: Command | OrderEvent | SessionChanged | TimerFired, *actions: Action) -> None:
        self._seq += 1
        if self._journal is None:
            return
        try:
            self._journal.append(Decision(self._seq, clock.monotonic_ns(), event, actions), use_reserve=True)
        except JournalError as error:
            sys.stderr.write(f"watch: {error}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to stop."""
    given = start.arguments(argv, WATCH)
    site = start.site_when_begun(given)
    stop = start.StopFlag()
    watch = Watch(site, given, next_epoch(site.state_dir / WATCH), stop.fd)
    start.say_ready(given.run_dir, WATCH)
    poller = zmq.Poller()
    for what in (watch.beats.socket, watch.beats.answers, watch.commands.socket, watch.publisher.snapshots, stop.fd):
        poller.register(what, zmq.POLLIN)
    last_ns = 0
    while not stop.set or (watch.pulling and clock.monotonic_ns() < last_ns):
        if any(what == stop.fd for what, _ in poller.poll(LOOK_MS)):
            os.eventfd_read(stop.fd)
        if not stop.set:
            last_ns = clock.monotonic_ns() + LAST_NS
        watch.turn()
    watch.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
