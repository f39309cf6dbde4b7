"""`cmc demo`: two simulated venues and the whole gateway on this machine, a live view, then proof of what happened.

In order: profiles and site file for the tape; the venues; the gateway's processes; execution is armed; trading; an
orderly stop (no new trades, then balanced); the venues end and have written their truth; journal and truth are
compared; summary and report. Whatever happens on the way, no process and no socket is left.

It succeeds (exit code 0) when journal and venues agree, nothing is legged or halted, and no promised figure failed.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.live import Live

from gateway.bus.sockets import Subscriber
from gateway.journal.report import write_report
from gateway.journal.summary import summarise
from gateway.journal.told import Told, environment_language, joined, told, told_by
from gateway.processes import clock, demo_clients, demo_sites, machine
from gateway.processes.child import Child, python
from gateway.processes.cli import FAILED, OK, WrongCallError
from gateway.processes.demo_sites import Asked, DemoError, Plan
from gateway.processes.durations import MS, SECOND
from gateway.processes.ids import IdCounter, next_epoch
from gateway.processes.live import LiveState, one_line, screen
from gateway.processes.operator import Operator, Stopped
from gateway.processes.settings import Site, load_site
from gateway.processes.supervisor import TICK_NS, Signals, Supervisor, SupervisorError, commands, no_room
from gateway.processes.supervisor_log import out, say, speaker
from gateway.processes.toml_text import toml_text
from simulators.core.tape import Tape

VENUE_START_NS = 30 * SECOND
VENUE_STOP_NS = 15 * SECOND
TAPE_STARTS_NS = 2 * SECOND
"""From the start of the venues to the start of the tape, the same for both."""
ARM_NS = 30 * SECOND
LINE_EVERY_NS = 5 * SECOND
FRAME_NS = 250 * MS
PUBLISHERS = ("feed", "trigger", "execution")


class Options(NamedTuple):
    """What the command line asked for."""

    asked: Asked
    out: Path
    json: Path | None
    language: str


class Outcome(NamedTuple):
    """How the trading ended."""

    stopped: Stopped
    failed: str
    """Why it was cut short; "" when it was not."""
    armed_after_ns: int
    """From the start of the gateway's first process to armed; 0 when it never was."""


def options(parsed: argparse.Namespace) -> Options:
    """The options, checked as far as words go."""
    synthetic = parsed.tape == "synthetic"
    if not synthetic and not Path(parsed.tape).is_dir():
        message = told("--tape {}: no such folder; `synthetic`, or a folder of recorded sets", parsed.tape)
        raise WrongCallError(message)
    kind = "synthetic" if synthetic else "recorded"
    asked = Asked(
        kind=kind,
        name=parsed.name or demo_sites.DEFAULT_NAMES[kind],
        directory="" if synthetic else str(Path(parsed.tape).resolve()),
        seed=parsed.seed,
        seconds=parsed.seconds,
        network=parsed.profile,
        faults=parsed.faults,
        clients_port=parsed.clients,
    )
    return Options(asked, parsed.out, parsed.json, environment_language())


def run(wanted: Options) -> int:
    """The whole demo."""
    try:
        tape = demo_sites.tape_of(wanted.asked)
        made = demo_sites.plan(wanted.asked, tape)
    except DemoError as error:
        raise WrongCallError(told_by(error)) from error
    run_dir = _new_folder(wanted.out)
    full = no_room(run_dir, demo_sites.MIN_FREE_MB * 2**20)
    if full:
        say(full)
        run_dir.rmdir()
        return FAILED
    bus_dir = Path(tempfile.mkdtemp(prefix="cmc-"))
    out(told("run {}\n{}\n{}", run_dir, made.title, _label(made, tape)))
    with Signals() as signals:
        try:
            outcome = _trade(wanted.asked, made, run_dir, bus_dir, signals)
        finally:
            shutil.rmtree(bus_dir, ignore_errors=True)
    try:
        return _prove(wanted, made, tape, run_dir, outcome)
    except OSError as error:
        say(told("{}: {}: what came of the run could not be written", error.filename or run_dir, error.strerror))
        return FAILED


def _new_folder(parent: Path) -> Path:
    stamp = clock.utc_stamp(clock.utc_ns())
    for ordinal in range(1, 1000):
        folder = parent.resolve() / (stamp if ordinal == 1 else f"{stamp}-{ordinal}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            message = told("{}: {}: the demo cannot write its run there", folder, error.strerror)
            raise WrongCallError(message) from error
        return folder
    message = told("{}: a thousand runs in one second", parent)
    raise WrongCallError(message)


def _trade(asked: Asked, made: Plan, run_dir: Path, bus_dir: Path, signals: Signals) -> Outcome:
    """Venues up, gateway up, trade, gateway down, venues down."""
    venues = {one.id: Child(f"venue-{one.id}", _venue_command(run_dir, one.id), run_dir) for one in _both(made)}
    try:
        site = _start_venues(asked, made, run_dir, bus_dir, venues, signals)
        with speaker(run_dir) as tell:
            return _run_gateway(asked, made, run_dir, bus_dir, site, venues, signals, tell)
    except SupervisorError as error:
        return Outcome(
            Stopped(answered=False, open_trades=0, working_orders=0, pairs=(), started=False), told_by(error), 0
        )
    finally:
        _end_venues(venues)


def _both(made: Plan) -> tuple[demo_sites.Venue, demo_sites.Venue]:
    return made.domestic, made.overseas


def _venue_command(run_dir: Path, venue: str) -> tuple[str, ...]:
    return python("simulators", str(run_dir / "profiles" / f"{venue}.toml"))


def _start_venues(
    asked: Asked, made: Plan, run_dir: Path, bus_dir: Path, venues: Mapping[str, Child], signals: Signals
) -> Site:
    """Start both, and write the site file that connects to them."""
    (run_dir / "profiles").mkdir()
    start_ns = clock.monotonic_ns() + TAPE_STARTS_NS
    for venue in _both(made):
        content = demo_sites.profile(made, venue, asked, run_dir, start_ns)
        (run_dir / "profiles" / f"{venue.id}.toml").write_text(toml_text(content), encoding="utf-8")
        venues[venue.id].start()
    ports = {name: _ports(run_dir, child, signals) for name, child in venues.items()}
    # A venue has no book to show before its tape starts.
    clock.pause_ns(max(0, start_ns - clock.monotonic_ns()))
    file = run_dir / "site.toml"
    content = demo_sites.site(made, ports, str(bus_dir), environment_language())
    if asked.clients_port:
        content = demo_clients.with_clients(content, asked.clients_port)
    file.write_text(toml_text(content), encoding="utf-8")
    return load_site(file)


def _ports(run_dir: Path, child: Child, signals: Signals) -> tuple[int, int]:
    ready = run_dir / "ready" / f"{child.name}.json"
    until_ns = clock.monotonic_ns() + VENUE_START_NS
    while True:
        try:
            said = json.loads(ready.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            said = None
        if said is not None:
            return int(said["md_port"]), int(said["orders_port"])
        if signals.any():
            message = told("stopped while the venues started")
            raise SupervisorError(message)
        if not child.running or clock.monotonic_ns() > until_ns:
            message = told("{} did not start; its log ends:\n{}", child.name, child.log_tail())
            raise SupervisorError(message)
        clock.pause_ns(20 * MS)


def _end_venues(venues: Mapping[str, Child]) -> None:
    try:
        for child in venues.values():
            child.terminate()
        until_ns = clock.monotonic_ns() + VENUE_STOP_NS
        while any(child.running for child in venues.values()) and clock.monotonic_ns() < until_ns:
            clock.pause_ns(20 * MS)
    finally:
        for child in venues.values():
            if child.running:
                say(told("{} did not end within {} s of SIGTERM: killed", child.name, VENUE_STOP_NS // SECOND))
            child.kill()


def _run_gateway(
    asked: Asked,
    made: Plan,
    run_dir: Path,
    bus_dir: Path,
    site: Site,
    venues: Mapping[str, Child],
    signals: Signals,
    tell: Callable[[str], None],
) -> Outcome:
    supervisor = Supervisor(commands(site, run_dir, bus_dir), run_dir, site.supervisor, tell, site)
    operator = Operator(bus_dir, IdCounter("D", next_epoch(site.state_dir)), "demo")
    failed, armed_after_ns, stopped = "", 0, Stopped(answered=False, open_trades=0, working_orders=0, pairs=())
    try:
        begun_ns = clock.monotonic_ns()
        supervisor.start(signals.any)
        failed = operator.arm("demo", ARM_NS, lambda: signals.any() or not supervisor.keep())
        if not failed:
            armed_after_ns = clock.monotonic_ns() - begun_ns
            tell(told("armed {} ms after the gateway's first process was started", armed_after_ns // MS))
            if asked.clients_port:
                tell(demo_clients.invitation(asked.clients_port))
            failed = _watch(asked, made, bus_dir, site, supervisor, venues, signals)
        else:
            failed = "" if signals.any() else told("execution could not be armed: {}", failed)
    except SupervisorError as error:
        failed = "" if signals.any() else told_by(error)
    finally:
        stopped = supervisor.stop(
            lambda: operator.stop(
                "demo ends",
                site.supervisor.stop_timeout_ns,
                lambda: signals.insistent() or not supervisor.keep(),
            )
        )
    if not stopped.answered and not armed_after_ns:
        stopped = stopped._replace(started=False)  # a fresh run that was never armed has opened nothing
    return Outcome(stopped, failed, armed_after_ns)


def _watch(
    asked: Asked,
    made: Plan,
    bus_dir: Path,
    site: Site,
    supervisor: Supervisor,
    venues: Mapping[str, Child],
    signals: Signals,
) -> str:
    """Show what happens until the time is up; why it ended early, or ""."""
    state = LiveState(site.instruments, f"{made.title} ({asked.kind} {asked.name})", site.language)
    subscribers = [Subscriber(bus_dir, name) for name in PUBLISHERS]
    for one in subscribers:
        one.ask()
    until_ns = clock.monotonic_ns() + asked.seconds * SECOND
    console = Console()
    try:
        show: Callable[[int, int], None]
        if console.is_terminal:
            with Live(console=console, auto_refresh=False, transient=True) as live:

                def show(now_ns: int, left_s: int) -> None:
                    live.update(screen(state, now_ns, left_s), refresh=True)

                return _loop(state, subscribers, supervisor, venues, signals, until_ns, FRAME_NS, show)

        def show(now_ns: int, left_s: int) -> None:
            out(one_line(state, now_ns, left_s))

        return _loop(state, subscribers, supervisor, venues, signals, until_ns, LINE_EVERY_NS, show)
    finally:
        for one in subscribers:
            one.close()


def _loop(
    state: LiveState,
    subscribers: list[Subscriber],
    supervisor: Supervisor,
    venues: Mapping[str, Child],
    signals: Signals,
    until_ns: int,
    every_ns: int,
    show: Callable[[int, int], None],
) -> str:
    due_ns = 0
    while (now_ns := clock.monotonic_ns()) < until_ns and not signals.any():
        supervisor.tick(now_ns)
        for one in subscribers:
            state.take(received.message for received in one.poll(0))
        if now_ns >= due_ns:
            due_ns = now_ns + every_ns
            show(now_ns, (until_ns - now_ns) // SECOND)
        for child in venues.values():
            if not child.running:
                child.end()
                return told("{} ended by itself ({}); its log ends:\n{}", child.name, child.last_end, child.log_tail())
        clock.pause_ns(TICK_NS)
    return ""


def _label(made: Plan, tape: Tape) -> str:
    """What the market data is, and how the rule came by its thresholds."""
    return f"{tape.label}; {made.note}" if made.note else tape.label


def _prove(wanted: Options, made: Plan, tape: Tape, run_dir: Path, outcome: Outcome) -> int:
    """Compare, summarise, report, say."""
    if outcome.failed:
        say(outcome.failed)
    say(outcome.stopped.words())
    if not list((run_dir / "journal").glob("execution.*.journal")):
        say(told("execution wrote no journal, so there is nothing to compare; logs are in {}", run_dir / "logs"))
        return FAILED
    summary = summarise(
        run_dir,
        seed=wanted.asked.seed,
        tape=tape.name,
        tape_label=_label(made, tape),
        network={one.id: one.network for one in _both(made)},
        machine=machine.describe(),
    )
    summary["stopped"] = {"balanced": outcome.stopped.balanced, "words": outcome.stopped.words()}
    report = write_report(run_dir)
    if wanted.json is not None:
        wanted.json.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for line in verdict_lines(summary, outcome):
        out(line)
    out(told("report {}", report))
    return OK if succeeded(summary, outcome) else FAILED


def succeeded(summary: Mapping[str, Any], outcome: Outcome) -> bool:
    """What the exit code says."""
    return (
        not outcome.failed
        and outcome.stopped.balanced
        and bool(summary["reconciled_with_venues"])
        and summary["verdict"]["overall"] != "fail"
        and not summary["pair_trades"].get("halted", 0)
    )


def verdict_lines(summary: Mapping[str, Any], outcome: Outcome) -> list[Told]:
    """The end of the demo in words."""
    counts = summary["pair_trades"]
    trades = joined(", ", [told(f"{name} {{}}", count) for name, count in counts.items() if isinstance(count, int)])
    compared, differences = summary["reconciliation"], len(summary["differences"])
    agreed = told("agree") if summary["reconciled_with_venues"] else told("DISAGREE in {} places", differences)
    lines = [
        told("pair trades: {}", trades),
        told("journal and venues {} ({} orders, {} fills)", agreed, compared["orders"], compared["fills"]),
        *(told("{}: {}", told(name), _verdict(word)) for name, word in summary["verdict"].items()),
    ]
    if outcome.armed_after_ns:
        lines.append(told("gateway started to armed: {} ms", outcome.armed_after_ns // MS))
    return lines


def _verdict(word: str) -> Told:
    """A word of the summary's verdict; the figures in its brackets stay."""
    head, bracket, figures = word.partition(" (")
    return told("{}{}", told(head), f"{bracket}{figures}")
