"""What execution costs: an intent taken from the bus until both orders are written to their venues' sockets.

Two things are measured. *Alone*, in this process and in a tight loop: the gate; the engine; the append of the record;
both orders built and sent. And *the path*: the execution process as it runs in the field, journal and sessions and bus
and all, with intents that come at a pace; its journal tells when each was taken, journalled, and each order written.
Both are measured with nothing open, and with thousands of pair trades open on other pairs, which must change nothing.
The sides take turns within each round, because the machine drifts.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from benchmarks.execution_site import TRADED_PAIRS, intent, write_site
from benchmarks.floor.build import REPOSITORY
from benchmarks.harness import Options, add_options, options_of
from benchmarks.machine import describe, in_words
from benchmarks.pacing import due_times
from benchmarks.percentiles import Summary, median, summarise
from benchmarks.programs import ProgramError, Programs
from benchmarks.report import Figure, Report, table, write_json
from gateway.bus.sockets import CommandClient, IntentSender
from gateway.execution.engine import ExecutionEngine
from gateway.execution.risk import Refusal, judge
from gateway.fix.encode import OrderEncoder
from gateway.fix.engine import FixSessions
from gateway.journal.reader import read_run
from gateway.model.order import ExecType, ExecutionReport, Order, OrdStatus, SessionChanged
from gateway.model.record import Decision
from gateway.model.trade import Command, CommandAnswered, ExecutionStatus, Intent, OrdersSent, SendOrders, Verb
from gateway.processes import start
from gateway.processes.cores import settings
from gateway.processes.fix_sessions import fix_sessions
from gateway.processes.settings import Site

DEFAULT = Options(rounds=5, seconds=3.0, rates=(20, 200))
OPEN_TRADES = (0, 5000)
OTHER_PAIRS = 100
JUDGED_RATE = 20
LEAST_SHARE = 0.5
"""Of the intents at one rate that have to leave. The gate refuses one that comes while the last trade is legged."""
ALONE_CALLS = 1000
SENT_CALLS = 300
REACH_GATE_US, STRETCH_GATE_US = 50.0, 20.0
REACH_PATH_US, STRETCH_PATH_US = 300.0, 150.0
REACH_RATIO = 1.1
INTENTS_AT_ONCE = 50
UP_TIMEOUT_S = 60.0
HOPS = ("made -> taken", "taken -> journalled", "journalled -> first written", "first -> last written")
Timing = dict[str, Summary]


class Round(msgspec.Struct, frozen=True):
    """One measurement: what, with how many trades open on other pairs, at which rate (0: a tight loop)."""

    number: int
    what: str
    open_trades: int
    rate: int
    took: Summary


# Alone, in this process.


class Alone:
    """An engine of its own with `open_trades` on other pairs, and each step of the path by itself."""

    def __init__(self, folder: Path, open_trades: int) -> None:
        self.open_trades = open_trades
        self.site = write_site(folder, others=OTHER_PAIRS)
        self.engine = ExecutionEngine(settings(self.site), 1)
        self.journal = start.open_journal("execution", 1, self.site, folder / "run")
        self._numbers = itertools.count(1)
        self._at_ns = 10**12
        for venue_id in self.site.venues:
            self._do(SessionChanged(venue_id, "orders", True, 0))  # noqa: FBT003 - its form
        self._do(Command("arm", Verb.ARM, "benchmark", "measurement"))
        for number in range(open_trades):
            self._do(intent(next(self._numbers), self._at_ns, 1, TRADED_PAIRS + number % OTHER_PAIRS))
        if len(self.engine.ledger.open_trades) != open_trades:
            raise ProgramError(f"{len(self.engine.ledger.open_trades)} pair trades open of {open_trades}")

    def _do(self, event: Intent | Command | SessionChanged) -> None:
        self.engine.on_event(event, self._at_ns)

    def gate(self) -> list[int]:
        """`judge` of an intent that passes."""
        taken = []
        for _ in range(ALONE_CALLS):
            asked = intent(next(self._numbers), self._at_ns, 1)
            begin_ns = time.perf_counter_ns()
            verdict = judge(self.engine.ledger, asked, self._at_ns)
            taken.append(time.perf_counter_ns() - begin_ns)
            if isinstance(verdict, Refusal):
                raise ProgramError(f"refused: {verdict.name} {verdict.figures}")
        return taken

    def decide(self) -> tuple[list[int], list[int]]:
        """`on_event` of an intent, and the append of its record. Its orders are rejected afterwards, untimed."""
        engine_ns, journal_ns = [], []
        for count in range(ALONE_CALLS):
            self._at_ns += 1_000_000
            asked = intent(next(self._numbers), self._at_ns, 1)
            begin_ns = time.perf_counter_ns()
            actions = self.engine.on_event(asked, self._at_ns)
            decided_ns = time.perf_counter_ns()
            self.journal.append(Decision(count, self._at_ns, asked, tuple(actions)))
            engine_ns.append(decided_ns - begin_ns)
            journal_ns.append(time.perf_counter_ns() - decided_ns)
            for order in orders_of(actions):
                self.engine.on_event(_rejected(order), self._at_ns)
        return engine_ns, journal_ns

    def close(self) -> None:
        self.journal.close()


def orders_of(actions: Sequence[object]) -> list[Order]:
    """The orders among the actions."""
    return [order for action in actions if isinstance(action, SendOrders) for order in action.orders]


def _rejected(order: Order) -> ExecutionReport:
    return ExecutionReport(
        order.venue_id, 0, 0, 1, False, order.cl_ord_id, "", "V1", "E1", "", "", ExecType.REJECTED, OrdStatus.REJECTED,  # noqa: FBT003
        order.instrument_id, order.side, order.qty_lots, 0, "", None, 0, 0, "",
    )  # fmt: skip


@contextmanager
def peer(filled_pairs: int) -> Iterator[tuple[int, int]]:
    """The two venues in a process of their own; their ports."""
    command = [sys.executable, "-m", "benchmarks.execution_peer", str(filled_pairs)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            first, second = json.loads(child.stdout.readline() if child.stdout else b"")
            yield first, second
        finally:
            child.kill()


@contextmanager
def live_sessions(folder: Path, ports: tuple[int, int]) -> Iterator[tuple[Site, FixSessions]]:
    """Our two order sessions, logged on."""
    site = write_site(folder, ports)
    sessions = FixSessions(
        fix_sessions(site, "orders"),
        folder / "fix",
        folder / "logs",
        time.monotonic_ns,
        on_message=lambda _key, _raw, _recv_ns: None,
        on_session=lambda _key, _up, _detail: None,
    )
    sessions.start()
    try:
        _until(lambda: all(one.state == "up" for one in sessions.status()), "the sessions did not log on")
        yield site, sessions
    finally:
        sessions.stop(5)


def sends(site: Site, sessions: FixSessions, orders: Sequence[Order]) -> list[int]:
    """Both orders of a pair built, then handed over back to back, as the shell does; a millisecond apart."""
    encoders = {
        name: OrderEncoder(
            venue.dialect,
            {key: one for key, one in site.instruments.items() if one.venue_id == name},
            venue.orders.constants,
        )
        for name, venue in site.venues.items()
    }
    taken = []
    for _ in range(SENT_CALLS):
        time.sleep(0.001)
        begin_ns = time.perf_counter_ns()
        utc_ns = time.time_ns()
        built = [(one, encoders[one.venue_id].new_order(one, utc_ns)) for one in orders]
        for order, message in built:
            sessions.send(f"{order.venue_id}.orders", message)
        taken.append(time.perf_counter_ns() - begin_ns)
    return taken


# The path, in a process as it runs in the field.


class Process:
    """The execution process with two venues, armed, with `open_trades` on other pairs."""

    def __init__(self, programs: Programs, folder: Path, ports: tuple[int, int], open_trades: int) -> None:
        self.open_trades = open_trades
        self.folder = folder
        write_site(folder, ports, others=OTHER_PAIRS)
        command = [sys.executable, "-m", "gateway.processes.execution", "--site", str(folder / "site.toml")]
        command += ["--run-dir", str(folder / "run"), "--bus-dir", str(folder)]
        programs.start(f"execution-{open_trades}", command, {"PYTHONPATH": str(REPOSITORY)})
        self._check = programs.check
        self._numbers = itertools.count(1)
        self._commands = itertools.count(1)
        self._sender = IntentSender(folder, 1000)
        self.incarnation = self._armed()
        _until(self._filled_up, f"{open_trades} pair trades did not open")

    def _ask(self, verb: Verb) -> CommandAnswered | ExecutionStatus | None:
        self._check()
        with CommandClient(self.folder) as client:
            asked = Command(f"bench-{next(self._commands)}", verb, "benchmark", "measurement")
            return client.ask(asked, 500_000_000)

    def _armed(self) -> int:
        def up() -> bool:
            status = self._ask(Verb.STATUS)
            return isinstance(status, ExecutionStatus) and all(up and known for _, up, known in status.sessions)

        _until(up, "execution's sessions did not log on")
        answer = self._ask(Verb.ARM)
        status = self._ask(Verb.STATUS)
        if not isinstance(answer, CommandAnswered) or not answer.done or not isinstance(status, ExecutionStatus):
            raise ProgramError(f"execution was not armed: {answer}")
        return status.incarnation

    def _filled_up(self) -> bool:
        """Whether all pair trades are open; sends intents for some that are not yet. One that came late is refused."""
        status = self._ask(Verb.STATUS)
        missing = self.open_trades - status.open_trades if isinstance(status, ExecutionStatus) else 1
        for number in range(min(missing, INTENTS_AT_ONCE)):
            self._send(TRADED_PAIRS + number % OTHER_PAIRS)
        return missing <= 0

    def _send(self, pair: int) -> str:
        number = next(self._numbers)
        asked = intent(number, time.monotonic_ns(), self.incarnation, pair)
        for _ in range(1000):
            if self._sender.send(asked):
                return asked.intent_id
            time.sleep(0.001)
        raise ProgramError("execution takes no intents")

    def paced(self, rate: int, seconds: float) -> list[str]:
        """Intents at a pace; their ids."""
        due = enumerate(due_times(rate, max(int(rate * seconds), 10)))
        made = [self._send(count % TRADED_PAIRS) for count, _ in due]
        time.sleep(0.1)
        self._check()
        return made

    def hops(self) -> dict[str, tuple[int, ...]]:
        """By intent: made, taken, journalled, first and last order written, as execution's journal tells."""
        found: dict[str, tuple[int, ...]] = {}
        taken: tuple[Intent, int] | None = None
        for record in read_run(self.folder / "run"):
            if isinstance(record, Decision) and isinstance(record.event, Intent):
                taken = (record.event, record.at_ns)
            elif isinstance(record, Decision) and isinstance(record.event, OrdersSent) and taken is not None:
                written = [one.sent_ns for one in record.event.orders]
                asked, at_ns = taken
                taken = None
                if all(written):
                    found[asked.intent_id] = (
                        asked.decided_ns, at_ns, record.event.journalled_ns, min(written), max(written)
                    )  # fmt: skip
        return found

    def close(self) -> None:
        self._sender.close()


def _until(done: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + UP_TIMEOUT_S
    while not done():
        if time.monotonic() > end:
            raise ProgramError(otherwise)
        time.sleep(0.02)


# Rounds.


def _noted(rounds: list[Round], number: int, what: str, open_trades: int, rate: int, taken: Sequence[int]) -> None:
    summary = summarise(taken)
    if summary is None:
        raise ProgramError(f"{what}: nothing was measured at {rate}/s with {open_trades} open trades")
    rounds.append(Round(number, what, open_trades, rate, summary))


def alone_rounds(options: Options) -> list[Round]:
    """Every step by itself, the sizes in turn."""
    rounds: list[Round] = []
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cmc-"))) for _ in range(3)]
        made = [Alone(folder, open_trades) for folder, open_trades in zip(folders, OPEN_TRADES, strict=False)]
        for one in made:
            stack.callback(one.close)
        ports = stack.enter_context(peer(0))
        site, sessions = stack.enter_context(live_sessions(folders[2], ports))
        spare = Alone(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cmc-"))), 0)
        stack.callback(spare.close)
        orders = orders_of(spare.engine.on_event(intent(1, 10**12, 1), 10**12))
        for number in range(1, options.rounds + 1):
            for one in made if number % 2 else made[::-1]:
                _noted(rounds, number, "gate", one.open_trades, 0, one.gate())
                engine_ns, journal_ns = one.decide()
                _noted(rounds, number, "engine", one.open_trades, 0, engine_ns)
                _noted(rounds, number, "journal append", one.open_trades, 0, journal_ns)
            _noted(rounds, number, "build and send two", 0, 0, sends(site, sessions, orders))
    return rounds


def path_rounds(options: Options) -> list[Round]:
    """The whole path at each rate, the sizes in turn, and its hops."""
    asked: list[tuple[int, Process, int, list[str]]] = []
    rounds: list[Round] = []
    with ExitStack() as stack:
        made = []
        for open_trades in OPEN_TRADES:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cmc-")))
            ports = stack.enter_context(peer(TRADED_PAIRS))
            programs = stack.enter_context(Programs(folder / "log", options.knobs))
            made.append(Process(programs, folder, ports, open_trades))
            stack.callback(made[-1].close)
            options = msgspec.structs.replace(options, knobs=msgspec.structs.replace(options.knobs, burn=False))
        for one in made:
            one.paced(100, 0.5)
        for number in range(1, options.rounds + 1):
            for rate in options.rates:
                turn = made if number % 2 else made[::-1]
                asked += [(number, one, rate, one.paced(rate, options.seconds)) for one in turn]
        hops = {one.open_trades: one.hops() for one in made}
    for number, one, rate, ids in asked:
        known = hops[one.open_trades]
        found = [known[name] for name in ids if name in known]
        if len(found) < len(ids) * LEAST_SHARE:
            raise ProgramError(f"{len(ids) - len(found)} of {len(ids)} intents at {rate}/s were not written")
        _noted(rounds, number, "path", one.open_trades, rate, [instants[4] - instants[1] for instants in found])
        for index, name in enumerate(HOPS):
            taken = [instants[index + 1] - instants[index] for instants in found]
            _noted(rounds, number, name, one.open_trades, rate, taken)
    return rounds


def measure(options: Options) -> Report:
    """All rounds, printed."""
    machine = describe()
    print("Execution: an intent taken until both orders are written, and its parts; microseconds")
    print(in_words(machine))
    told = {"rounds": options.rounds, "seconds": options.seconds, "rates": list(options.rates)}
    report = Report("execution_path", machine, told | {"knobs": options.knobs.in_words()})
    rounds = alone_rounds(options) + path_rounds(options)
    report.rounds += [msgspec.to_builtins(one) for one in rounds]
    _print(report, rounds)
    return report


def _print(report: Report, rounds: Sequence[Round]) -> None:
    rows: list[list[object]] = []
    for key in dict.fromkeys((one.what, one.rate, one.open_trades) for one in rounds):
        what, rate, open_trades = key
        of_key = [one for one in rounds if (one.what, one.rate, one.open_trades) == key]
        if what not in HOPS:
            rows += [[what, rate or "-", open_trades, one.number, one.took.count, *_in_us(one.took)] for one in of_key]
        middle = [
            median([getattr(one.took, f"{name}_ns") for one in of_key]) / 1000
            for name in ("p50", "p90", "p99", "p99_9", "max")
        ]
        rows.append(
            [
                what,
                rate or "-",
                open_trades,
                "median",
                sum(one.took.count for one in of_key),
                *(f"{one:.1f}" for one in middle),
            ]
        )
        name = f"{what.replace(' -> ', '_to_').replace(' ', '_')}.{rate or 'tight'}.open_{open_trades}"
        report.figures += [Figure(f"{name}.{tail}", round(value, 2), "us", *_aims(what, rate, open_trades, tail))
                           for tail, value in zip(("p50", "p90", "p99", "p99.9"), middle, strict=False)]  # fmt: skip
    print(table(("what", "rate", "open trades", "round", "count", "p50", "p90", "p99", "p99.9", "max"), rows))
    for what, rate in (("gate", 0), ("engine", 0), ("path", JUDGED_RATE)):
        report.figures += _ratio(what, rate, rounds)
    for figure in report.figures:
        if figure.reach is not None:
            print(figure.in_words())


def _in_us(summary: Summary) -> tuple[str, ...]:
    values = (summary.p50_ns, summary.p90_ns, summary.p99_ns, summary.p99_9_ns, summary.max_ns)
    return tuple(f"{value / 1000:.1f}" for value in values)


def _aims(what: str, rate: int, open_trades: int, tail: str) -> tuple[float, float] | tuple[()]:
    if tail != "p50" or open_trades:
        return ()
    if what == "gate":
        return (REACH_GATE_US, STRETCH_GATE_US)
    return (REACH_PATH_US, STRETCH_PATH_US) if what == "path" and rate == JUDGED_RATE else ()


def _ratio(what: str, rate: int, rounds: Sequence[Round]) -> list[Figure]:
    """Open trades on other pairs against none, within each round."""
    few, many = (
        {one.number: one.took.p50_ns for one in rounds if (one.what, one.rate, one.open_trades) == (what, rate, size)}
        for size in OPEN_TRADES
    )
    if not few or not many:
        return []
    value = median([many[number] / few[number] for number in few])
    return [Figure(f"{what}.{rate or 'tight'}.p50_with_{OPEN_TRADES[1]}_open", round(value, 2), "x", REACH_RATIO)]


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all was measured, 1 when a program failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.execution_path", description=__doc__)
    add_options(parser)
    given = parser.parse_args(arguments)
    try:
        report = measure(options_of(given, DEFAULT))
    except ProgramError as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    if given.json:
        write_json(given.json, [report])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
