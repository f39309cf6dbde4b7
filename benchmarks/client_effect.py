"""What clients that order cost the trading path: tick to order with nobody there, with 1 000 orders a second on the
product's acceptor, and with the same load on an acceptor that does nothing with it.

The way that is timed is that of `tick_to_order`, with everything on. Three states take turns in every round, each with
processes of its own: `none` (no clients' process), `product` (the clients' process, every order a rule of trigger that
is looked at and ends unfilled), `null` (`benchmarks.client_null`). What the load's own processes take from the trading
path on the same machine is in `null` too, so the product's effect is `product` against `null`, round by round.

How it can go wrong: a load that the machine cannot make. How late it was, and whether each order was acknowledged,
stands in the table; a round with orders that nobody acknowledged is told in a note.
"""

import contextlib
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from benchmarks.client_acceptor import WIDE, free_port
from benchmarks.client_load import PREFIX
from benchmarks.floor.build import REPOSITORY
from benchmarks.gateway_side import Gateway
from benchmarks.harness import Options, medians, stage, wait_for
from benchmarks.machine import describe, in_words
from benchmarks.matching import match
from benchmarks.pacing import may_go_first
from benchmarks.percentiles import Summary, median, summarise
from benchmarks.programs import ProgramError, Programs, cpu_seconds
from benchmarks.report import Figure, Report, table, us
from benchmarks.tick_to_order import WARM_UP_TRIGGERS
from benchmarks.venue import MD, ORDERS, Run, Venue

DEFAULT = Options(rounds=5, seconds=5.0, rates=(1000,))
NONE, PRODUCT, NULL = "none", "product", "null"
ENVIRONMENT = {"PYTHONPATH": str(REPOSITORY)}
STATES = (NONE, PRODUCT, NULL)
PAIR = "CU-CA"
RAMP_S = 1.0
"""The load runs so long before the first quote that counts, and after the last."""
START_TIMEOUT_S = 30.0
REACH_EFFECT_PCT, STRETCH_EFFECT_PCT = 10.0, 3.0
SHOWN = ("p50", "p90", "p99", "p99_9")


class Load(msgspec.Struct, frozen=True):
    """So many sessions, so many orders a second in total."""

    sessions: int = 50
    orders_per_s: int = 1000


class Loaded(msgspec.Struct, frozen=True):
    """What the load says of itself at its end."""

    sent: int = 0
    acked: int = 0
    late_ns: int = 0


class Round(msgspec.Struct, frozen=True):
    """One state in one round."""

    number: int
    state: str
    rate: int
    last_leg: Summary | None
    missed: int
    strays: int
    loaded: Loaded
    cpu_pct: dict[str, float]
    """Of one core, by process."""


class ClientGateway(Gateway):
    """The gateway with clients in its site file; their process is started only where it is wanted."""

    def __init__(self, options: Options, port: int, sessions: int) -> None:
        super().__init__(options.knobs)
        self._port = port
        self._sessions = sessions

    def _site(self, venue: Venue) -> str:
        text = super()._site(venue) + f"\n[clients]\nport = {self._port}\nmessages_per_s = {WIDE}\n"
        row = f'accounts = ["A1"]\npairs = ["{PAIR}"]\norders_per_s = {WIDE}\nmax_open_orders = {WIDE}\n'
        return text + "".join(f'\n[[client]]\nid = "{PREFIX}{one}"\n{row}' for one in range(self._sessions))

    def start_clients(self, venue: Venue, programs: Programs, directory: Path) -> None:
        """The product's acceptor, ready."""
        self._start(venue, programs, directory, ("clients",))
        ready = directory / "run/ready/clients.json"
        if not venue.serve_until(lambda: self._alive(programs) and ready.exists(), START_TIMEOUT_S):
            raise ProgramError("the process for clients did not start: " + programs.last_words("clients"))
        venue.serve_until(lambda: False, RAMP_S)  # it has heard that execution is armed


@contextlib.contextmanager
def loading(venue: Venue, port: int, load: Load, seconds: float) -> Iterator["subprocess.Popen[str]"]:
    """The load's process, logged on and not begun."""
    words = [str(port), str(load.sessions), str(load.orders_per_s), str(round(seconds)), PAIR]
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.client_load", *words],
        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        if _line(child, venue, START_TIMEOUT_S) != "ready":
            raise ProgramError(f"the load did not log on to port {port}")
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


def _line(child: "subprocess.Popen[str]", venue: Venue, timeout_s: float) -> str:
    """The next line of a child; the venue is served meanwhile. Empty where it said nothing in time."""
    out = child.stdout
    assert out is not None  # noqa: S101 - asked for
    if not venue.serve_until(lambda: bool(select.select([out], [], [], 0)[0]), timeout_s):
        return ""
    return out.readline().strip()


def play(state: str, options: Options, load: Load, number: int, rate: int) -> Round:
    """One state: everything is started, the load runs, the venue times, everything ends."""
    with stage(options, f"{state}-{number}") as (venue, programs, directory):
        port = free_port()
        gateway = ClientGateway(options, port, load.sessions)
        gateway.start(venue, programs, directory)
        if state == PRODUCT:
            gateway.start_clients(venue, programs, directory)
        elif state == NULL:
            programs.start("null", [sys.executable, "-m", "benchmarks.client_null", str(port)], ENVIRONMENT)
            venue.serve_until(lambda: False, RAMP_S)
        wait_for(venue, programs, (MD, ORDERS))
        if state == NONE:
            run, cpu = _timed(venue, programs, state, options, rate)
            loaded = Loaded()
        else:
            lasts_s = options.seconds + WARM_UP_TRIGGERS / 20 + 2 * RAMP_S
            with loading(venue, port, load, lasts_s) as child:
                assert child.stdin is not None  # noqa: S101 - asked for
                child.stdin.write("go\n")
                child.stdin.flush()
                venue.serve_until(lambda: False, RAMP_S)
                run, cpu = _timed(venue, programs, state, options, rate)
                loaded = _loaded(_line(child, venue, START_TIMEOUT_S))
        programs.check()
    matched = match(run.triggers, run.orders)
    delays = summarise([one.last_leg_ns for one in matched.answered])
    return Round(number, state, rate, delays, len(matched.missed), len(matched.strays), loaded, cpu)


def _timed(venue: Venue, programs: Programs, state: str, options: Options, rate: int) -> tuple[Run, dict[str, float]]:
    names = ["feed", "trigger", "execution", *{PRODUCT: ["clients"], NULL: ["null"]}.get(state, [])]
    before = {name: cpu_seconds(programs.pid(name)) for name in names}
    run = venue.run(rate, options.seconds, WARM_UP_TRIGGERS)
    programs.check()
    spent_s = run.spent_ns / 1e9
    cpu = {name: round(100 * (cpu_seconds(programs.pid(name)) - before[name]) / spent_s, 1) for name in names}
    return run, cpu


def _loaded(line: str) -> Loaded:
    sent, acked, late_ns = (int(word) for word in line.split()) if line else (0, 0, 0)
    return Loaded(sent, acked, late_ns)


def measure(options: Options, load: Load = Load()) -> Report:  # noqa: B008 - a constant
    """All rounds; prints as it goes."""
    settings = {
        "rounds": options.rounds, "seconds": options.seconds, "rates": list(options.rates),
        "knobs": options.knobs.in_words(), "venue_goes_first": may_go_first(), "load": msgspec.to_builtins(load),
    }  # fmt: skip
    report = Report("client_effect", describe(), settings)
    print("Quote written by its venue -> last leg's order read by its venue, while clients order; microseconds")
    print(in_words(report.machine))
    print(f"{load.sessions} sessions, {load.orders_per_s} orders/s; knobs: {options.knobs.in_words()}; ", end="")
    print(f"{options.rounds} rounds in turn, {options.seconds:g} s each")
    rounds: list[Round] = []
    for number in range(1, options.rounds + 1):
        for rate in options.rates:
            rounds += [play(one, options, load, number, rate) for one in (STATES if number % 2 else STATES[::-1])]
        print(f"round {number} of {options.rounds} done", flush=True)
    report.rounds += [msgspec.to_builtins(one) for one in rounds]
    for rate in options.rates:
        _tell(report, rate, [one for one in rounds if one.rate == rate])
    for one in rounds:
        lost = one.loaded.sent - one.loaded.acked
        if lost:
            report.notes.append(f"round {one.number}, {one.state}: {lost} of {one.loaded.sent} orders had no answer")
    for line in [*report.notes, *(figure.in_words() for figure in report.figures)]:
        print(line)
    return report


def _tell(report: Report, rate: int, rounds: Sequence[Round]) -> None:
    rows = [_row(one) for one in rounds]
    for state in STATES:
        played = [one for one in rounds if one.state == state]
        middle = medians([one.last_leg for one in played])
        counts = [sum(one.last_leg.count for one in played if one.last_leg), *(
            sum(getattr(one, name) for one in played) for name in ("missed", "strays")
        )]  # fmt: skip
        rows.append(["median", state, *counts, *(us(middle[key]) for key in SHOWN), "-", "-", "-"])
        for key in SHOWN:
            value = middle[key]
            if value is not None:
                report.figures.append(Figure(f"client_effect.{rate}.{state}.{key}", round(value / 1000, 1), "us"))
    print(f"\n{rate} quotes/s")
    head = [
        "round",
        "clients",
        "n",
        "missed",
        "strays",
        "p50",
        "p90",
        "p99",
        "p99.9",
        "acked/sent",
        "load late",
        "CPU %",
    ]
    print(table(head, rows))
    for base, aims in ((NULL, (REACH_EFFECT_PCT, STRETCH_EFFECT_PCT)), (NONE, (None, None))):
        effects = effect_pct(rounds, PRODUCT, base)
        if effects:
            name = f"client_effect.{rate}.{PRODUCT}_against_{base}.p50"
            report.figures.append(Figure(name, round(median(effects), 1), "%", *aims))
            told = ", ".join(f"{one:+.1f}" for one in effects)
            print(f"p50 of {PRODUCT} against {base}, %, by round: {told}; median {median(effects):+.1f}")


def effect_pct(rounds: Sequence[Round], state: str, base: str) -> list[float]:
    """By how much the p50 of `state` lies above that of `base`, in per cent, of each round that has both."""
    p50 = {(one.number, one.state): one.last_leg.p50_ns for one in rounds if one.last_leg is not None}
    numbers = sorted({number for number, _ in p50})
    pairs = [(p50.get((number, state)), p50.get((number, base))) for number in numbers]
    return [100 * (one / other - 1) for one, other in pairs if one and other]


def _row(one: Round) -> list[object]:
    count = one.last_leg.count if one.last_leg else 0
    percentiles = [us(getattr(one.last_leg, f"{key}_ns") if one.last_leg else None) for key in SHOWN]
    acked = f"{one.loaded.acked}/{one.loaded.sent}" if one.loaded.sent else "-"
    cpu = " ".join(f"{name} {pct:.0f}" for name, pct in one.cpu_pct.items())
    return [one.number, one.state, count, one.missed, one.strays, *percentiles, acked, us(one.loaded.late_ns), cpu]
