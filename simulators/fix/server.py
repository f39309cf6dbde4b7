"""A running venue: two listening ports, a third for a drop copy, around the pure core, one event loop, loopback only.

It reads the clock (this is the only place in the simulators that does), hands time and messages to the core and the
sessions, and writes what they answer. Everything it does happens in `_pump`, in one order: the venue catches up, the
ports do what is due, the truth is written, the next wake-up is set.
"""

import asyncio
import json
import os
import selectors
import signal
import socket
import time
from pathlib import Path
from typing import Any

from simulators.core.network import NETWORK_PROFILES, Link
from simulators.core.tape import Tape
from simulators.core.values import (
    ORDER_STATUS,
    CancelReject,
    Drop,
    MassCancelReport,
    PositionsAck,
    PositionTold,
    Report,
    VenueEvent,
)
from simulators.core.venue import Venue
from simulators.fix.market_data import MarketDataApp
from simulators.fix.orders import OrdersApp, unsupported
from simulators.fix.port import Port
from simulators.fix.request_log import Request, RequestLog
from simulators.fix.session import Session, SessionConfig
from simulators.fix.store import FileStore, MemoryStore
from simulators.fix.truth_files import TruthFiles
from simulators.fix.wire import Message
from simulators.fix.words import DialectConfig, Outgoing, Refused
from simulators.profile import Profile

_SECOND = 1_000_000_000
MD_AND_ORDERS = 2
LOOPBACK = "127.0.0.1"


class Simulator:
    """One venue on one event loop; `start` listens, `stop` ends it."""

    def __init__(self, profile: Profile, tape: Tape, folder: Path) -> None:
        self._profile = profile
        self._folder = folder
        self._tape = tape
        self._sockets = [_listen(profile.venue.md_port), _listen(profile.venue.orders_port)]
        self._sockets += [_listen(profile.venue.drop_copy_port)] if profile.venue.drop_copy else []
        self.md_port, self.orders_port, *more = (sock.getsockname()[1] for sock in self._sockets)
        self.drop_copy_port: int = more[0] if more else 0
        self._servers: list[asyncio.Server] = []
        self._handle: asyncio.TimerHandle | None = None
        self._pumping = False
        self.start_ns = profile.venue.start_monotonic_ns or time.monotonic_ns() + _SECOND
        self._requests = self._request_log()
        if self._requests is not None:
            self.start_ns = self._requests.start_ns
        self._utc_offset_ns = time.time_ns() - time.monotonic_ns()
        self._clock = profile.clock_values(self.start_ns, self._utc_offset_ns)
        self._clock_line_ns = time.monotonic_ns()
        self._files = TruthFiles(folder / profile.venue.truth_dir, messages=profile.venue.truth_messages)
        self.venue = Venue(profile.venue_config(self.start_ns, self._utc_offset_ns), tape)
        self._words = profile.spoken()
        venue = profile.venue
        dialect = DialectConfig(venue.dialect, venue.name, self._clock, venue.rpt_seq, self._words)
        self._orders_app = OrdersApp(self.venue, dialect)
        self._md_app = MarketDataApp(self.venue, dialect)
        self._stores = [self._store("md") if venue.md_resend else MemoryStore(limit=0), self._store("orders")]
        self._md = self._port("md", self._stores[0])
        self._orders = self._port("orders", self._stores[1])
        self._ports = [self._md, self._orders]
        if profile.venue.drop_copy:
            self._stores.append(self._store("drop_copy"))
            self._ports.append(self._port("drop_copy", self._stores[2]))
        self._said_before = {port.name: 0 for port in self._ports}
        """Messages of the order session and its copy that were sent before this start, and are not sent again."""
        if self._requests is not None:
            self._said_before |= {port.name: store.kept for port, store in zip(self._ports, self._stores, strict=True)}
        self._asking_again = False
        self._ask_again()

    # Life ------------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen on both ports, then write the ready file."""
        loop = asyncio.get_running_loop()
        for sock, port in zip(self._sockets, self._ports, strict=True):
            self._servers.append(await loop.create_server(port.factory(), sock=sock))
        ready = {
            "md_port": self.md_port,
            "orders_port": self.orders_port,
            **({"drop_copy_port": self.drop_copy_port} if self.drop_copy_port else {}),
            "pid": os.getpid(),
            "start_monotonic_ns": self.start_ns,
        }
        _write_whole(self._folder / self._profile.venue.ready_file, json.dumps(ready) + "\n")
        self._pump()

    async def stop(self) -> None:
        """Log out, close, write the summary."""
        now_ns = self.now_ns()
        for port in self._ports:
            port.act(port.session.logout("venue stops", now_ns, self.venue_ns(now_ns)), now_ns)
            port.flush(1 << 62)
        if self._handle is not None:
            self._handle.cancel()
        for server in self._servers:
            server.close()
        self._pumping = True
        await asyncio.sleep(0)
        self._files.write(self.venue.drain_truth())
        garbled = {port.name: port.garbled for port in self._ports}
        self._files.close({**self.venue.summary(), "tape": self._tape.label, "garbled": garbled})
        for store in self._stores:
            store.close()
        if self._requests is not None:
            self._requests.close()

    def cut(self) -> None:
        """Cut both connections now, as `drop_connection` does by time; clients may come back at once."""
        now_ns = self.now_ns()
        for port in self._ports:
            port.drop(now_ns, now_ns)
        self.wake()

    # What ports ask --------------------------------------------------------------------------------------------------

    def now_ns(self) -> int:
        """CLOCK_MONOTONIC, common to all processes of the host."""
        return time.monotonic_ns()

    def venue_ns(self, at_ns: int) -> int:
        """What the venue's clock shows."""
        return self._clock.venue_ns(at_ns)

    def on_app_message(self, port: Port, message: Message, at_ns: int) -> None:
        """A request in sequence."""
        message = self._words.read(message)
        if port is self._md:
            answers = self._md_app.on_message(message, at_ns)
            if isinstance(answers, Refused):
                self._refuse(port, message, answers, at_ns)
                return
            for answer in answers:
                port.send(answer.msg_type, self._words.write(answer.body), at_ns)
            return
        if port is not self._orders:
            words = unsupported(message)
            port.send(words.msg_type, words.body, at_ns)
            return
        self._note(Request(at_ns, message))
        self._answer_order(port, message, at_ns)

    def _answer_order(self, port: Port, message: Message, at_ns: int) -> None:
        result = self._orders_app.on_message(message, at_ns)
        if self._asking_again and isinstance(result, Refused):
            return
        if isinstance(result, Refused):
            self._refuse(port, message, result, at_ns)
        elif isinstance(result, Outgoing):
            self._say(result, at_ns)
        else:
            self._route(result, at_ns)

    def on_session_down(self, port: Port, at_ns: int) -> None:
        """A connection is gone."""
        if port is self._md:
            self._md_app.on_disconnect()
        elif port is self._orders:
            asked = port.session.cancels
            self._note(Request(at_ns, Message([]) if asked else None))
            self._route(self.venue.on_disconnect(at_ns, asked=asked), at_ns)

    def wake(self) -> None:
        """Something came in."""
        if not self._pumping:
            self._pump()

    # The one loop ----------------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        self._pumping = True
        now_ns = self.now_ns()
        self._route(self.venue.advance(now_ns), now_ns)
        for port in self._ports:
            port.work(now_ns)
        for port in self._ports:
            port.flush(now_ns)
        truth = self.venue.drain_truth()
        if truth:
            self._files.write(truth)
        self._record_clock(now_ns)
        self._pumping = False
        self._arm()

    def _arm(self) -> None:
        times = [self._clock_line_ns, *(due for port in self._ports if (due := port.due_at()) is not None)]
        venue_ns = self.venue.next_at()
        if venue_ns is not None:
            times.append(venue_ns)
        if self._handle is not None:
            self._handle.cancel()
        self._handle = asyncio.get_running_loop().call_at(min(times) / _SECOND, self._pump)

    def _route(self, events: list[VenueEvent], now_ns: int) -> None:
        for event in events:
            if isinstance(event, Report):
                self._tell(event, now_ns)
            elif isinstance(event, (CancelReject, MassCancelReport, PositionsAck, PositionTold)):
                self._say(self._orders_app.words(event), now_ns)
            elif self._asking_again:
                continue
            elif isinstance(event, Drop):
                self._drop(event, now_ns)
            else:
                for words in self._md_app.words(event):
                    self._md.send(words.msg_type, self._words.write(words.body), now_ns, lost=words.lost)

    def _tell(self, report: Report, at_ns: int) -> None:
        """A report to the order session, and to the drop copy what is an event and no answer."""
        if not report.copy_only:
            self._say(self._orders_app.words(report), at_ns)
        if len(self._ports) > MD_AND_ORDERS and report.exec_type != ORDER_STATUS:
            self._say(self._orders_app.copy(report), at_ns, self._ports[MD_AND_ORDERS])

    def _say(self, words: Outgoing, at_ns: int, port: Port | None = None) -> None:
        """To the order session or its copy, unless it was said before this start."""
        port = port or self._orders
        if self._said_before[port.name]:
            self._said_before[port.name] -= 1
            return
        port.send(words.msg_type, self._words.write(words.body), at_ns)

    def _drop(self, drop: Drop, now_ns: int) -> None:
        for port in self._ports:
            if drop.session in {port.name, "both"}:
                port.drop(now_ns, drop.refuse_until_ns)

    def _refuse(self, port: Port, message: Message, refused: Refused, at_ns: int) -> None:
        actions = port.session.reject(message, refused.reason, refused.tag, refused.text, at_ns, self.venue_ns(at_ns))
        port.act(actions, at_ns)

    def _record_clock(self, now_ns: int) -> None:
        clock = self._clock
        while self._clock_line_ns <= now_ns:
            self._files.clock(self._clock_line_ns, clock.venue_ns(self._clock_line_ns))
            second_ns = self.start_ns + ((self._clock_line_ns - self.start_ns) // _SECOND + 1) * _SECOND
            step_ns = self.start_ns + clock.step_at_ns
            self._clock_line_ns = step_ns if clock.step_ns and self._clock_line_ns < step_ns < second_ns else second_ns

    # A venue that is started again -----------------------------------------------------------------------------------

    def _note(self, request: Request) -> None:
        if self._requests is not None:
            self._requests.append(request)

    def _ask_again(self) -> None:
        """Go through what was asked before this start, in virtual time; the truth is written anew on the way."""
        if self._requests is None:
            return
        self._asking_again = True
        for at_ns, message in self._requests.before:
            self._route(self.venue.advance(at_ns), at_ns)
            if message is None or not message.pairs:
                self._route(self.venue.on_disconnect(at_ns, asked=message is not None), at_ns)
            else:
                self._answer_order(self._orders, message, at_ns)
            self._files.write(self.venue.drain_truth())
        self._asking_again = False

    # Parts -----------------------------------------------------------------------------------------------------------

    def _store(self, name: str) -> MemoryStore:
        folder = self._profile.venue.state_dir
        return FileStore(self._folder / folder, name) if folder else MemoryStore()

    def _request_log(self) -> RequestLog | None:
        venue = self._profile.venue
        if not venue.state_dir:
            return None
        identity = f"{venue.name} seed {venue.seed} tape {self._tape.name} {self._tape.duration_ns}"
        return RequestLog(self._folder / venue.state_dir, self.start_ns, identity)

    def _port(self, name: str, store: MemoryStore) -> Port:
        venue = self._profile.venue
        modern = self._words.reports == "4.4"
        config = SessionConfig(
            begin_string=self._words.begin_string.encode(),
            default_appl_ver_id=self._words.default_appl_ver_id,
            comp_id=venue.comp_id,
            client_comp_id=venue.client_comp_id,
            username=venue.username if modern else "",
            password=venue.password if modern else "",
            raw_data="" if modern else venue.password,
            utc_offset_ns=self._utc_offset_ns,
            cancel_tag=self._words.cancel_on_disconnect if name == "orders" else 0,
            sending_time_limit_ns=venue.sending_time_limit_s * _SECOND,
        )
        network = NETWORK_PROFILES[self._profile.network.profile]
        to_venue = Link(network.to_venue, venue.seed, f"{venue.name}.{name}.in")
        to_client = Link(network.to_client, venue.seed, f"{venue.name}.{name}.out")
        port = Port(name, Session(config, store), to_venue, to_client, self._files)
        port.owner = self
        return port


def run(profile: Profile, tape: Tape, folder: Path) -> None:
    """Serve until SIGTERM or SIGINT. `folder` is where relative paths of the profile begin."""
    # select() waits to the microsecond; epoll, through asyncio, only to the millisecond.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    try:
        loop.run_until_complete(_serve(profile, tape, folder))
    finally:
        loop.close()


async def _serve(profile: Profile, tape: Tape, folder: Path) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    failures: list[Exception] = []

    def fail(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An error in a callback ends the simulator loudly; a venue that only looks alive would mislead a test."""
        failures.append(context.get("exception") or RuntimeError(context["message"]))
        stopped.set()

    loop.set_exception_handler(fail)
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    simulator = Simulator(profile, tape, folder)
    loop.add_signal_handler(signal.SIGUSR1, simulator.cut)
    await simulator.start()
    await stopped.wait()
    await simulator.stop()
    if failures:
        raise failures[0]


def _listen(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((LOOPBACK, port))
    sock.listen()
    return sock


def _write_whole(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
