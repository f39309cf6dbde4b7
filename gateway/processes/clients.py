"""The process that clients connect to over FIX: the door, QuickFIX's sessions, the client engine, in one thread.

One loop: messages of clients as they come, then what trigger, execution's journal and the feed have to say, then what
is due by the clock. Nothing in it waits for anybody. A restart reads the journal, so an order is accepted once, ever.
"""

import gc
import os
import select
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.bus.sockets import Publisher
from gateway.bus.topics import ClientLine, ClientsStatus
from gateway.clients.encode import ClientWriter
from gateway.clients.engine import ClientEngine
from gateway.clients.pace import PerMinute
from gateway.clients.reference import Hours
from gateway.clients.settings import ClientSettings
from gateway.fix.acceptor import Callbacks, ClientAcceptor, ClientSession
from gateway.journal.errors import JournalError
from gateway.journal.reader import EXECUTION
from gateway.journal.tail import JournalTail
from gateway.model.client import LegHours
from gateway.model.order import TimeInForce
from gateway.model.trade import HoursChanged, Restarted
from gateway.processes import clock, start
from gateway.processes.clients_bus import ClientsBus
from gateway.processes.clients_connection import Limits
from gateway.processes.clients_door import Door
from gateway.processes.clients_ids import IdsOnDisk, folder_of
from gateway.processes.clients_sessions import Sessions
from gateway.processes.clients_shell import ClientsShell
from gateway.processes.clients_store import CLIENTS, recover, stored_answers, unsent
from gateway.processes.durations import MS, SECOND
from gateway.processes.hours import HoursTeller
from gateway.processes.ids import next_epoch
from gateway.processes.kept_settings import keep_settings
from gateway.processes.site import Site
from gateway.processes.site_calendars import read_run_calendars

MIND_NS = 10 * MS
"""How often heartbeats, timeouts and market data are looked at."""
RETRY_NS = SECOND
SETTLE_NS = 5 * SECOND
WIND_UP_NS = 3 * SECOND
"""Clients have `acceptor.LOGOUT_TIMEOUT_S` of it to answer our Logout."""
COLLECT_AFTER = (50_000, 20, 100)
"""Garbage is collected so seldom: a look at tens of thousands of orders that live holds every client up, and what makes
no cycle is freed at once anyway."""
FIX_DIR = "clients_fix"
IDS_DIR = "clients_ids"
EVENTS_LOG = "clients_events.log"


def settings_of(site: Site) -> ClientSettings:
    """What the engine decides by."""
    one = site.clients
    alone = {name for client in one.specs.values() if client.leg_orders for name in client.instruments}
    return ClientSettings(
        clients=dict(one.specs),
        pairs=dict(site.pairs),
        instruments=dict(site.instruments),
        intent_ttl_ns=one.intent_ttl_ns,
        cool_down_ns=one.cool_down_ns,
        day_end_s=one.day_end_s,
        retry_ns=RETRY_NS,
        settle_ns=SETTLE_NS,
        leg_forces={name: leg_forces(site, name) for name in sorted(alone)},
        max_cl_ord_ids=one.max_cl_ord_ids,
    )


def leg_forces(site: Site, instrument_id: str) -> tuple[TimeInForce, ...]:
    """What an order on this leg alone may say: the venue's own, and what we keep where a calendar tells the days."""
    offered = site.venues[site.instruments[instrument_id].venue_id].spec.time_in_force
    whole = (TimeInForce.FOK,) if TimeInForce.FOK in offered else ()
    kept = (TimeInForce.GTC, TimeInForce.GTD) if instrument_id in site.calendars.products else ()
    return (TimeInForce.DAY, TimeInForce.IOC, *whole, *kept)


class Clients:
    """The parts, and the loop's turns."""

    def __init__(self, site: Site, given: start.Arguments, incarnation: int) -> None:
        self._site = site
        self._incarnation = incarnation
        self._log = given.run_dir / "logs" / EVENTS_LOG
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._since_ns: dict[str, int] = {}
        self._turned_away = 0
        self._strangers = PerMinute(site.clients.strangers_logged_per_min)
        decides_by = settings_of(site)
        engine = ClientEngine(decides_by, incarnation)
        keep_settings(given.run_dir, site.digest, incarnation, decides_by, CLIENTS)
        self._ids = {name: IdsOnDisk(site.state_dir / IDS_DIR / folder_of(name)) for name in site.clients.specs}
        recovered = recover(engine, given.run_dir, self._ids)
        self._journal = start.open_journal(CLIENTS, incarnation, site, given.run_dir)
        self.bus = ClientsBus(given.bus_dir, site.bus.high_water_mark)
        self._tail = JournalTail(given.run_dir, EXECUTION)
        self.shell = ClientsShell(
            engine,
            self._journal,
            self.bus,
            self._tail,
            recovered.seq,
            incarnation,
            sync=site.journal.sync_before_send,
            market_data_interval_ns=site.clients.market_data_interval_ns,
        )
        self.publisher = Publisher(given.bus_dir, CLIENTS, incarnation, site.bus.high_water_mark)
        self._hours = HoursTeller(read_run_calendars(given.run_dir, site.calendars))
        self._stamps = ClientWriter("FIX.4.4")
        self.acceptor, inner_port = self._acceptor(given.run_dir)
        self.shell.acceptor = self.acceptor
        self.door = self._door(inner_port)
        self.sessions = Sessions(site.clients.hours, self.acceptor, self.shell, clock.utc_ns, self._event)
        self.door.refusal, self.shell.ends = self.sessions.refusal, self.sessions.ends
        self.shell.handle(Restarted(incarnation))
        fix_dir = site.state_dir / FIX_DIR
        for name, spec in site.clients.specs.items():
            stored = stored_answers(fix_dir, spec.begin_string, site.clients.comp_id, name)
            self.shell.resend(unsent(recovered.answers[name], stored))
        self._follow_legs()

    def _acceptor(self, run_dir: Path) -> tuple[ClientAcceptor, int]:
        """QuickFIX's sessions, on a port of the loopback that is free."""
        clients = self._site.clients
        sessions = [ClientSession(name, clients.comp_id, one.begin_string) for name, one in clients.specs.items()]
        port = _free_port()
        made = ClientAcceptor(
            sessions,
            port,
            self._site.state_dir / FIX_DIR,
            run_dir / "logs",
            Callbacks(self.shell.on_message, self._on_session),
            max_latency_s=clients.max_latency_s,
            utc_ns=clock.utc_ns(),
        )
        return made, port

    def _door(self, inner_port: int) -> Door:
        clients = self._site.clients
        limits = Limits(
            clients.logon_timeout_ns,
            clients.max_connections,
            clients.max_message_bytes,
            clients.max_pending_bytes,
            clients.slow_client_ns,
            clients.messages_per_s,
            clients.max_connections_per_address,
            clients.connects_per_s,
        )
        door = Door(
            self.acceptor,
            inner_port,
            clients.entries,
            limits,
            clock.monotonic_ns,
            lambda: self._stamps.stamp(clock.utc_ns()),
            self._say,
        )
        self.shell.pending_bytes = door.pending_bytes
        self.shell.cancels = door.choices
        door.next_out = lambda client_id: self.acceptor.numbers(client_id)[0]
        self.ports: list[tuple[str, int]] = []
        if clients.port:
            self.ports.append(("127.0.0.1", door.listen("127.0.0.1", clients.port)))
        if clients.tls_host:
            pems = (str(clients.certificate_file), str(clients.key_file), str(clients.ca_file))
            self.ports.append((clients.tls_host, door.listen(clients.tls_host, clients.tls_port, pems)))
        return door

    def _follow_legs(self) -> None:
        for spec in self._site.clients.specs.values():
            for name in spec.instruments:
                self.bus.follow(name)

    def turn(self, *, bus: bool) -> None:
        """Take up what clients have sent and, where the bus has something, what the others have said."""
        self.door.take()
        self.bus.flush()
        if bus or self.bus.sent:
            self.shell.take_bus()
        self.shell.take_journal(clock.monotonic_ns())
        self.bus.flush()

    def mind(self) -> None:
        """What is due by the clock."""
        self.acceptor.poll()
        self.sessions.mind()
        self.door.mind()
        self.shell.take_bus()
        now_ns, utc_ns = clock.monotonic_ns(), clock.utc_ns()
        self.shell.mind(now_ns)
        for change in self._hours.changes(now_ns, utc_ns):
            self.shell.questions.on_hours(change.instrument_id, self._until(change, now_ns, utc_ns))
            if change.instrument_id in self.shell.engine.settings.leg_forces:
                self.shell.handle(LegHours(change.instrument_id, change.open, change.trading_day))
        self.publisher.answer_snapshots()
        unsaid = self._strangers.over(now_ns)
        if unsaid:
            self._event("strangers", f"connection: {unsaid} more were not let in within a minute")

    def status(self) -> ClientsStatus:
        """The heartbeat."""
        engine = self.shell.engine
        lines = tuple(self._line(name) for name in self._site.clients.specs)
        waiting = len(engine.placing())
        return ClientsStatus(
            self._incarnation,
            clock.monotonic_ns(),
            tuple(self.ports),
            lines,
            self.shell.orders,
            self.shell.rejected,
            self._turned_away,
            waiting,
        )

    def close(self) -> None:
        self.acceptor.stop()
        self.door.take()
        self.door.close()
        self.bus.close()
        self.publisher.close()
        self._tail.close()
        self._journal.close()
        for ids in self._ids.values():
            ids.close()

    def _line(self, name: str) -> ClientLine:
        spec, peer = self._site.clients.specs[name], self.door.peer_of(name)
        up = self.acceptor.up(name)
        return ClientLine(
            client_id=name,
            version=spec.begin_string,
            up=up,
            since_ns=self._since_ns.get(name, 0),
            address=peer.address if peer is not None else "",
            tls=peer.tls if peer is not None else False,
            drop_copy=spec.drop_copy,
            open_orders=len(self.shell.engine.orders_of(name)),
            next_sender_num=self.acceptor.numbers(name)[0],
            next_target_num=self.acceptor.numbers(name)[1],
            pending_bytes=self.door.pending_bytes(name) if peer is not None else 0,
            detail=self.shell.details.get(name, ""),
        )

    def _on_session(self, client_id: str, up: bool, detail: str) -> None:  # noqa: FBT001 the callback's form
        self._since_ns[client_id] = clock.monotonic_ns()
        self._event(client_id, f"{'up' if up else 'down'}: {detail}")
        self.shell.on_session(client_id, up, detail)

    def _say(self, who: str, reason: str) -> None:
        """A connection ended, or was not let in."""
        if who in self._site.clients.specs:
            self.shell.details[who] = reason
        else:
            self._turned_away += 1
            if not self._strangers.take(clock.monotonic_ns()):
                return
        self._event(who, f"connection: {reason}")

    def _event(self, who: str, text: str) -> None:
        plain = text.replace("\n", " ")[:500]
        with self._log.open("a", encoding="utf-8") as file:
            file.write(f"{self._stamps.stamp(clock.utc_ns())} {who} {plain}\n")

    @staticmethod
    def _until(change: HoursChanged, now_ns: int, utc_ns: int) -> Hours:
        return Hours(change.open, utc_ns + change.shut_ns - now_ns if change.shut_ns else 0)


def _free_port() -> int:
    """A port of the loopback that nobody has now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to stop."""
    given = start.arguments(argv, CLIENTS)
    site = start.site_when_begun(given)
    stop = start.StopFlag()
    try:
        clients = Clients(site, given, next_epoch(site.state_dir / CLIENTS))
    except (JournalError, OSError) as error:
        sys.stderr.write(f"clients: {error}\n")
        return 1
    gc.set_threshold(*COLLECT_AFTER)
    os.nice(site.clients.nice)
    start.say_ready(given.run_dir, CLIENTS)
    waits = select.epoll()
    others = frozenset(clients.bus.fds())
    for fd in (clients.door.fd, stop.fd):
        waits.register(fd, select.EPOLLIN)
    for fd in others:
        waits.register(fd, select.EPOLLIN | select.EPOLLET)  # ZeroMQ's descriptor tells changes, not states
    mind_ns = beat_ns = 0
    while not stop.set:
        ready = waits.poll(0 if clients.door.busy else MIND_NS / SECOND)
        clients.turn(bus=any(fd in others for fd, _ in ready))
        now_ns = clock.monotonic_ns()
        if now_ns >= mind_ns:
            mind_ns = now_ns + MIND_NS
            clients.mind()
        if now_ns >= beat_ns:
            beat_ns = now_ns + site.bus.heartbeat_interval_ns
            clients.publisher.publish(clients.status())
    waits.unregister(stop.fd)
    clients.sessions.stop()
    end_ns = clock.monotonic_ns() + WIND_UP_NS
    while clients.sessions.anyone and clock.monotonic_ns() < end_ns:
        waits.poll(MIND_NS / SECOND)
        clients.turn(bus=True)
        clients.mind()
    waits.close()
    clients.close()
    os.close(stop.fd)
    return 0


if __name__ == "__main__":
    sys.exit(main())
