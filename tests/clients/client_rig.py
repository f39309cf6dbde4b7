"""The client process as a child, with trigger and execution played by the test, and clients that speak simplefix."""

import json
import os
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import simplefix
import zmq

from gateway.bus.sockets import Publisher, endpoint, prepare_bus_dir
from gateway.bus.topics import ENCODER, TriggerStatus
from gateway.journal.reader import journal_path, read_journal
from gateway.journal.writer import JournalWriter
from gateway.model.client import SwitchesHeard
from gateway.model.order import ExecType, ExecutionReport, Order, OrdStatus, OrdType, Side, TimeInForce
from gateway.model.record import ClientDecision, Decision, JournalOpened
from gateway.model.rules import AskRules, ChangeRules, RulesInForce, RuleStanding, RuleStandingState
from gateway.model.trade import (
    Announce,
    Command,
    CommandAnswered,
    ExecutionStatus,
    Intent,
    IntentLeg,
    LegReport,
    PairTradeChanged,
    PairTradeState,
    SendOrders,
    TimerFired,
)
from gateway.processes.toml_text import toml_text

ROOT = Path(__file__).parents[2]
PAIR, CU, CA = "CU-CA", "SHFE.cu2609", "LME.CA3M"
E9 = 10**9
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Client = dict[str, Any]


def free_port() -> int:
    """A port that nobody had a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def client(name: str, **more: Any) -> Client:  # noqa: ANN401 any key of the site file
    """A client of the demo's pair."""
    return {"id": name, "accounts": ["A1"], "pairs": [PAIR], "instruments": [CU, CA], "max_units": 5, **more}


def hours(from_s: float, until_s: float) -> dict[str, Any]:
    """Hours of a session, every day: from so many seconds from now to so many, in UTC."""
    begin, end = (time.strftime("%H:%M:%S", time.gmtime(time.time() + one)) for one in (from_s, until_s))
    return {"zone": "UTC", "days": DAYS, "from_time": begin, "until_time": end}


def within_hours(make: Callable[[float], "Rig"]) -> "Rig":
    """A rig whose hours end so many seconds after its site was written, started early enough to log on before that."""
    for seconds in (4.0, 16.0, 60.0):
        begun = time.monotonic()
        rig = make(seconds)
        if time.monotonic() - begun < seconds * 2 / 3:
            return rig
        rig.close()
    raise AssertionError(seconds)


def write_site(folder: Path, bus_dir: str, clients: list[Client], **top: Any) -> Path:  # noqa: ANN401
    """The demo's site with these clients."""
    content = tomllib.loads((ROOT / "sites/demo.toml").read_text(encoding="utf-8"))
    content["site"] |= {"state_dir": "state", "bus_dir": bus_dir}
    content["journal"] |= {"min_free_mb": 1}
    content["clients"] = {"nice": 0, **top}  # whatever else a machine does holds no test up
    content["client"] = clients
    path = folder / "site.toml"
    path.write_text(toml_text(content), encoding="utf-8")
    return path


class Others:
    """Trigger and execution as the client process hears them; a thread answers its commands."""

    def __init__(self, bus_dir: Path, run_dir: Path) -> None:
        self.trigger = Publisher(bus_dir, "trigger", 1)
        self.execution = Publisher(bus_dir, "execution", 1)
        self.changes: list[ChangeRules] = []
        self.commands: list[Command] = []
        self.answer: Callable[[ChangeRules], CommandAnswered] = lambda one: CommandAnswered(one.command_id, True, "")
        self.in_force: tuple[str, ...] | None = None
        """Rules that trigger says it has; None: all that were placed."""
        self.armed, self.halted, self.stage = True, False, "full"
        self.silent = False
        self._sockets = {}
        for name in ("trigger", "execution"):
            one = zmq.Context.instance().socket(zmq.ROUTER)
            one.setsockopt(zmq.LINGER, 0)
            one.bind(endpoint(bus_dir, f"{name}.cmd"))
            self._sockets[name] = one
        opened = JournalOpened("execution", 1, "host", "boot", 1, 1, "1", "digest")
        path = journal_path(run_dir, "execution", 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.journal = JournalWriter(
            path, opened, fdatasync_interval_ns=10**9, sync_before_send=False, min_free_bytes=0
        )
        self._seq = 0
        self._trades = 0
        self._stop = threading.Event()
        self._decoder = msgspec.msgpack.Decoder(ChangeRules | AskRules | Command)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def beat(self) -> None:
        """Both say that they are there."""
        at_ns = time.monotonic_ns()
        self.trigger.publish(TriggerStatus(1, at_ns, 0, 0, 0, 0))
        self.execution.publish(ExecutionStatus(1, self.armed, False, self.halted, self.stage, 0, 0, (), at_ns))

    def standing(self, rule_id: str, state: RuleStandingState, filled: int = 0, **more: Any) -> None:  # noqa: ANN401
        """Trigger's word on a rule."""
        known = {"held_units": 0, "open_units": 0, "leaves_units": 0, "reason": "", "at_ns": 1} | more
        self.trigger.publish(RuleStanding(rule_id, PAIR, state, filled, **known))

    def decide(self, event: Any, *actions: Any) -> None:  # noqa: ANN401
        """One decision of execution, written down."""
        self._seq += 1
        self.journal.append(Decision(self._seq, time.monotonic_ns(), event, tuple(actions)))

    def open_trade(self, rule_id: str, side: Side, units: int, px_e9: int = -200 * E9) -> str:
        """An intent that execution takes, with its first orders."""
        self._trades += 1
        trade_id, intent_id = f"P1-{self._trades}", f"I1-{self._trades}"
        intent = Intent(
            intent_id, 1, PAIR, rule_id, side, units, px_e9, px_e9, 0, self._legs(side, units), CU, 1, 1, 1, 1, 1, 1
        )
        orders = tuple(self._order(trade_id, index, leg.side, leg.qty_lots) for index, leg in enumerate(intent.legs))
        changed = self._changed(intent, trade_id, PairTradeState.WORKING, (0, 0))
        self.decide(intent, SendOrders(trade_id, orders), Announce(changed))
        self._known = (intent, trade_id)
        return trade_id

    def fill(self, leg: int, lots: int, px: str, exec_id: str, **more: Any) -> None:  # noqa: ANN401
        """A fill of a leg of the last trade."""
        intent, trade_id = self._known
        name, order_side = (CU, CA)[leg], intent.legs[leg].side
        values: dict[str, Any] = {
            "venue_id": name.partition(".")[0],
            "recv_ns": 1,
            "venue_ns": 1_790_000_000_000_000_000,
            "msg_seq_num": 1,
            "poss_dup": False,
            "cl_ord_id": f"C{trade_id}{leg}",
            "orig_cl_ord_id": "",
            "order_id": "V1",
            "exec_id": exec_id,
            "exec_key": exec_id,
            "exec_ref_id": "",
            "exec_type": ExecType.TRADE,
            "ord_status": OrdStatus.FILLED,
            "instrument_id": name,
            "side": order_side,
            "order_qty_lots": lots,
            "last_qty_lots": lots,
            "last_px": px,
            "last_px_ticks": None,
            "cum_qty_lots": lots,
            "leaves_qty_lots": 0,
            "avg_px": px,
        } | more
        self.decide(ExecutionReport(**values))

    def end_trade(self, state: PairTradeState, units: int, averages: tuple[int, int], **more: Any) -> None:  # noqa: ANN401
        """What became of the last trade; a wake-up goes over the bus as execution does it."""
        intent, trade_id = self._known
        changed = self._changed(intent, trade_id, state, averages, units, **more)
        self.decide(TimerFired("x"), Announce(changed))
        self.execution.publish(changed)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        for one in (*self._sockets.values(), self.trigger, self.execution, self.journal):
            one.close()

    def _changed(
        self,
        intent: Intent,
        trade_id: str,
        state: PairTradeState,
        averages: tuple[int, int],
        units: int = 0,
        **more: Any,  # noqa: ANN401
    ) -> PairTradeChanged:
        legs = tuple(
            LegReport(
                leg.instrument_id, leg.side, leg.ratio_lots, leg.qty_lots, units * leg.ratio_lots, avg, leg.vwap_e9, 0
            )
            for leg, avg in zip(intent.legs, averages, strict=True)
        )
        values = {"slippage_e9": 0, "legged_ns": 0, "legged_over_limit": False, "attempts": 0, "opened_ns": 1} | more
        return PairTradeChanged(
            trade_id, intent.intent_id, PAIR, intent.rule_id, intent.side, intent.units, units, state, legs, **values
        )

    def _legs(self, side: Side, units: int) -> tuple[IntentLeg, ...]:
        rows = ((CU, side, 5, 70_000 * E9, 7000), (CA, side.opposite, 1, 9_000 * E9, 18_000))
        return tuple(
            IntentLeg(name, leg_side, ratio, units * ratio, ticks, vwap, 50 * E9, 1, 1, 1, 1, 1)
            for name, leg_side, ratio, vwap, ticks in rows
        )

    def _order(self, trade_id: str, leg: int, side: Side, lots: int) -> Order:
        name = (CU, CA)[leg]
        venue = name.partition(".")[0]
        return Order(f"C{trade_id}{leg}", venue, "A1", name, side, lots, OrdType.LIMIT, 1, TimeInForce.IOC)

    def _run(self) -> None:
        poller = zmq.Poller()
        for one in (*self._sockets.values(), self.trigger.snapshots, self.execution.snapshots):
            poller.register(one, zmq.POLLIN)
        beat_ns = 0
        while not self._stop.is_set():
            poller.poll(20)
            for publisher in (self.trigger, self.execution):
                publisher.answer_snapshots()
            for one in self._sockets.values():
                while one.poll(0):
                    self._answer(one)
            if time.monotonic_ns() >= beat_ns and not self.silent:
                beat_ns = time.monotonic_ns() + 200_000_000
                self.beat()

    def _answer(self, one: "zmq.Socket[bytes]") -> None:
        identity, frame = one.recv_multipart()
        asked = self._decoder.decode(frame)
        answer: Any
        if isinstance(asked, AskRules):
            rules = tuple(rule for change in self.changes for rule in change.rules)
            kept = tuple(rule for rule in rules if self.in_force is None or rule.rule_id in self.in_force)
            answer = RulesInForce(asked.command_id, kept, (), (), (), (), "")
        elif isinstance(asked, ChangeRules):
            if not any(known.command_id == asked.command_id for known in self.changes):
                self.changes.append(asked)
            answer = self.answer(asked)
        else:
            self.commands.append(asked)
            answer = CommandAnswered(asked.command_id, True, "")
        one.send_multipart([identity, ENCODER.encode(answer)])


class Rig:
    """The process under test and everything around it."""

    def __init__(self, folder: Path, bus_dir: str, clients: list[Client], **top: Any) -> None:  # noqa: ANN401
        self.folder = folder
        self.run_dir = folder / "run"
        self.run_dir.mkdir(exist_ok=True)
        self.bus_dir = prepare_bus_dir(bus_dir)
        self.port = free_port()
        self.site = write_site(folder, bus_dir, clients, port=self.port, **top)
        self.others = Others(self.bus_dir, self.run_dir)
        self.process: subprocess.Popen[bytes] | None = None
        self._open: list[FixClient] = []
        self._closed = False

    def start(self, *, heard: bool = True) -> None:
        """Start the process and wait until it is ready."""
        ready = self.run_dir / "ready/clients.json"
        ready.unlink(missing_ok=True)
        words = [sys.executable, "-m", "gateway.processes.clients", "--site", str(self.site)]
        words += ["--run-dir", str(self.run_dir), "--bus-dir", str(self.bus_dir)]
        self.process = subprocess.Popen(words, cwd=ROOT, env=dict(os.environ))
        until(lambda: ready.exists() or self.process is None or self.process.poll() is not None)
        assert self.process.poll() is None, "it ended at once"
        if heard:
            until(self.heard)

    def heard(self) -> bool:
        """Whether it has written down that execution is armed and heard of, and nothing else since."""
        path = max((self.run_dir / "journal").glob("clients.*"))
        events = [record.event for record in read_journal(path) if isinstance(record, ClientDecision)]
        told = [one.heard and one.armed for one in events if isinstance(one, SwitchesHeard)]
        return bool(told) and told[-1]

    def kill(self) -> None:
        """As when its machine loses power."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def reopen(self) -> None:
        """Trigger and execution anew, in the run's folder as it is now."""
        self.others = Others(self.bus_dir, self.run_dir)

    def client(self, name: str, version: str = "FIX.4.4", **more: Any) -> "FixClient":  # noqa: ANN401
        """A connection, not logged on."""
        made = FixClient(self.port, name, version, **more)
        self._open.append(made)
        return made

    def log(self) -> str:
        """What the process logged of its sessions."""
        path = self.run_dir / "logs/clients_events.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for one in self._open:
            one.close()
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
        self.others.close()


class FixClient:
    """A client's end, with an independent codec. `read` gives messages in order; numbers are kept here."""

    def __init__(
        self, port: int, name: str, version: str = "FIX.4.4", tls: ssl.SSLContext | None = None, target: str = "GATEWAY"
    ) -> None:
        self.name, self.version, self.target = name, version, target
        self.next_out = 1
        self.seen: list[dict[str, str]] = []
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = tls.wrap_socket(plain, server_hostname="localhost") if tls is not None else plain
        self._parser = simplefix.FixParser()

    def text(
        self, kind: str, *fields: tuple[Any, Any], seq: int | None = None, header: tuple[tuple[Any, Any], ...] = ()
    ) -> bytes:
        """A message; the next number is used unless `seq` says another."""
        message = simplefix.FixMessage()
        message.append_pair(8, self.version, header=True)
        message.append_pair(35, kind, header=True)
        message.append_pair(34, self.next_out if seq is None else seq, header=True)
        message.append_pair(49, self.name, header=True)
        message.append_pair(56, self.target, header=True)
        message.append_utc_timestamp(52, header=True)
        for tag, value in header:
            message.append_pair(tag, value, header=True)
        for tag, value in fields:
            message.append_pair(tag, value)
        if seq is None:
            self.next_out += 1
        encoded: bytes = message.encode()
        return encoded

    def send(self, kind: str, *fields: tuple[Any, Any], **more: Any) -> None:  # noqa: ANN401
        self.socket.sendall(self.text(kind, *fields, **more))

    def logon(self, *fields: tuple[Any, Any], beat: int = 30) -> "FixClient":
        """Log on and read the answer."""
        version = ((1137, 9),) if self.version == "FIXT.1.1" else ()
        self.send("A", (98, 0), (108, beat), *version, *fields)
        answer = self.read("A")
        assert answer["35"] == "A", answer
        return self

    def order(
        self,
        cl_ord_id: str,
        side: int = 1,
        qty: int = 1,
        price: str = "-150",
        force: int = 3,
        **more: Any,  # noqa: ANN401
    ) -> None:
        """NewOrderSingle on the pair."""
        header = more.pop("header", ())
        extra = [(int(tag.removeprefix("f")), value) for tag, value in more.items()]
        fields: list[tuple[Any, Any]] = [
            (11, cl_ord_id), (21, 1), (55, PAIR), (54, side), (60, stamp()), (38, qty), (40, 2), (44, price), (59, force),
        ]  # fmt: skip
        known = {tag for tag, _ in extra}
        self.send(
            "D", *[one for one in fields if one[0] not in known], *[one for one in extra if one[1] != ""], header=header
        )

    def read(self, *kinds: str, timeout_s: float = 10.0) -> dict[str, str]:
        """The next message of these types (any without); others are kept in `seen`. An empty one: the line is cut."""
        end = time.monotonic() + timeout_s
        while True:
            while (message := self._parser.get_message()) is not None:
                fields = as_dict(message)
                self.seen.append(fields)
                if not kinds or fields["35"] in kinds:
                    return fields
            if not self._more(end):
                return {}

    def quiet(self, kinds: tuple[str, ...], seconds: float = 0.3) -> bool:
        """Whether no message of these types comes within so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if self.read(*kinds, timeout_s=end - time.monotonic()):
                    return False
            except TimeoutError:
                return True
        return True

    def close(self) -> None:
        self.socket.close()

    def _more(self, end: float) -> bool:
        """Read more; False when the other side has closed, TimeoutError when nothing comes."""
        self.socket.settimeout(max(0.001, end - time.monotonic()))
        try:
            data = self.socket.recv(65_536)
        except ConnectionError:
            return False
        self._parser.append_buffer(data)
        return bool(data)


def stamp() -> str:
    """TransactTime."""
    return time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())


def as_dict(message: simplefix.FixMessage) -> dict[str, str]:
    """The fields of a message, the last of each tag."""
    return {tag.decode(): value.decode() for tag, value in message.pairs}


def until(done: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait for it, no longer than said."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        select.select((), (), (), 0.01)


def ready_pid(run_dir: Path) -> int:
    """Who said that it is ready."""
    return int(json.loads((run_dir / "ready/clients.json").read_text(encoding="utf-8"))["pid"])
