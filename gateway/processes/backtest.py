"""`cmc backtest SITE`: the site's rules on a tape in virtual time, with the product's own trigger and execution.

It loads the site with what `--set` changes, chooses the tape, plays it (`backtest_run.py`), and writes a run directory
with backtest.json, backtest.html and the report that every run has. With `--sweep` it starts itself once for each
combination (`backtest_sweep.py`). Exit code 0: it was played; 1: execution could not be armed; 2: a wrong call. A trade
that the end of the tape left open is told; it is no failure of the rule.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from gateway.journal.backtest_report import outcome_text, write_backtest_report
from gateway.journal.fold import fold
from gateway.journal.reader import read_run
from gateway.journal.report import write_report
from gateway.journal.summary import summarise
from gateway.journal.told import Told, environment_language, said, told, told_by
from gateway.journal.units import duration, percent, rounded_money
from gateway.processes import clock, machine
from gateway.processes.backtest_execution import Delays
from gateway.processes.backtest_figures import figures
from gateway.processes.backtest_overrides import Assignment, Sweep, assignments, sweeps, variables
from gateway.processes.backtest_profit import profits
from gateway.processes.backtest_run import Done, Wanted, played
from gateway.processes.backtest_run import run as play
from gateway.processes.backtest_tape import Asked, Chosen, choose
from gateway.processes.backtest_time import shown
from gateway.processes.cli import FAILED, OK, WrongCallError
from gateway.processes.durations import SECOND
from gateway.processes.session_rows import SessionError
from gateway.processes.settings import Site, SiteError, load_site
from gateway.processes.site import Stage
from gateway.processes.site_open import language_of_file
from gateway.processes.supervisor_log import out, say
from simulators.core.network import NETWORK_PROFILES

US = 1000
JSON_FILE, HTML_FILE = "backtest.json", "backtest.html"
HOME_NETWORK = "same-city"
FAR_NETWORKS = {"LME": "shanghai-london", "ICE": "shanghai-london", "": "shanghai-chicago"}
"""Assumed ways from Shanghai, by venue; "" for any other that is not domestic."""
DOMESTIC = "domestic"
PIPE_WIDTH = 160


class Options(NamedTuple):
    """What the command line asked for."""

    site: Path
    asked: Asked
    profiles: tuple[str, ...]
    latency_us: int
    set: tuple[Assignment, ...]
    sweep: tuple[Sweep, ...]
    out: Path
    json: bool
    jobs: int


def options(parsed: argparse.Namespace) -> Options:
    """The options, checked as far as words go."""
    if not parsed.site.is_file():
        message = told("{}: no such file; a site file, see docs/SITE_FILE.md", parsed.site)
        raise WrongCallError(message)
    return Options(
        parsed.site,
        Asked(parsed.tape, parsed.name, parsed.seed, parsed.begin, parsed.end),
        tuple(parsed.profile),
        parsed.latency_us,
        tuple(assignments(parsed.set)),
        tuple(sweeps(parsed.sweep)),
        parsed.out,
        parsed.json,
        parsed.jobs,
    )


def run(wanted: Options) -> int:
    """One backtest."""
    site = _site(wanted)
    folder = new_folder(wanted.out)
    begun_ns = clock.monotonic_ns()
    chosen = choose(wanted.asked, site, folder)
    networks = venue_networks(site, wanted.profiles)
    asked = Wanted(site, chosen, networks, Delays(wanted.latency_us * US), wanted.asked.seed, folder)
    if not wanted.json:
        for line in heading(asked, folder):
            out(line)
    try:
        done = play(asked, _progress(chosen, is_quiet=wanted.json))
    except SessionError as error:
        message = told("{}: calendars: {}", wanted.site, error)
        raise WrongCallError(message) from error
    except OSError as error:
        return _not_written(error)
    try:
        document = write(asked, wanted, done, clock.monotonic_ns() - begun_ns)
    except OSError as error:
        return _not_written(error)
    if wanted.json:
        out(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        show(document, folder)
    return FAILED if done.result.armed else OK


def _not_written(error: OSError) -> int:
    say(told("the run cannot be written: {}", error))
    return FAILED


def _site(wanted: Options) -> Site:
    environment = {name: value for name, value in os.environ.items() if name.startswith("CMC_")}
    try:
        return load_site(wanted.site, environment | variables(wanted.site, wanted.set))
    except SiteError as error:
        message = told("nothing was played\n{}", told_by(error))
        raise WrongCallError(said(message, language_of_file(wanted.site))) from error


def new_folder(parent: Path) -> Path:
    """A folder for this backtest."""
    stamp = clock.utc_stamp(clock.utc_ns())
    for ordinal in range(1, 1000):
        folder = parent.resolve() / (f"{stamp}-backtest" if ordinal == 1 else f"{stamp}-backtest-{ordinal}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            message = told("{}: {}: the backtest cannot write its run there", folder, error.strerror)
            raise WrongCallError(message) from error
        return folder
    message = told("{}: a thousand runs in one second", parent)
    raise WrongCallError(message)


def venue_networks(site: Site, profiles: Sequence[str]) -> dict[str, str]:
    """The network of each venue: as asked, else a typical way from Shanghai."""
    found = {}
    for name, venue in site.venues.items():
        far = FAR_NETWORKS.get(name, FAR_NETWORKS[""])
        found[name] = HOME_NETWORK if venue.dialect.name.startswith(DOMESTIC) else far
    for text in profiles:
        venue_id, equals, profile = text.rpartition("=")
        if profile not in NETWORK_PROFILES:
            message = told("--profile {}: one of {}", text, ", ".join(NETWORK_PROFILES))
            raise WrongCallError(message)
        if equals and venue_id not in found:
            message = told("--profile {}: a venue of the site: {}", text, ", ".join(found))
            raise WrongCallError(message)
        if equals:
            found[venue_id] = profile
            continue
        for name, venue in site.venues.items():
            if not venue.dialect.name.startswith(DOMESTIC):
                found[name] = profile
    return found


def write(asked: Wanted, wanted: Options, done: Done, took_ns: int) -> dict[str, Any]:
    """Everything that the backtest leaves beside its journals; what backtest.json holds."""
    folder, chosen, site = asked.out_dir, asked.chosen, asked.site
    given = played(site, chosen.pairs)
    story = fold(read_run(folder))
    earned = profits(story, given, done.books, done.result.end_ns, chosen.zone)
    document = about(asked, wanted, done, took_ns) | figures(story, given, done.opportunities, earned)
    (folder / JSON_FILE).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    used = {name: asked.networks[name] for name in site.venues}
    summarise(folder, seed=asked.seed, tape=chosen.tape.name, tape_label=chosen.tape.label, network=used,
              machine=machine.describe())  # fmt: skip
    write_report(folder)
    write_backtest_report(folder, document)
    return document


def about(asked: Wanted, wanted: Options, done: Done, took_ns: int) -> dict[str, Any]:
    """What was played, on what, with what taken for granted."""
    chosen, result = asked.chosen, done.result
    english = [str(one) for one in assumed(asked)]
    chinese = [said(one, "zh") for one in assumed(asked)]
    return {
        "site": {"file": str(asked.site.path), "name": asked.site.name, "digest": asked.site.digest},
        "set": {one.key: one.value for one in wanted.set},
        "tape": {
            "kind": chosen.kind,
            "name": chosen.tape.name,
            "label": chosen.tape.label,
            "from": shown(chosen.start_utc_ns, chosen.zone),
            "to": shown(chosen.end_utc_ns, chosen.zone),
            "zone": chosen.zone.key,
            "start_utc_ns": chosen.start_utc_ns,
            "duration_ns": chosen.tape.duration_ns,
        },
        "pairs_left_out": [name for name in asked.site.pairs if name not in chosen.pairs],
        "seed": asked.seed,
        "network": {name: asked.networks[name] for name in asked.site.venues},
        "latency_ns": asked.delays.total_ns,
        "assumed": english,
        "assumed_zh": chinese,
        "not_armed": result.armed,
        "open_trades": result.open_trades,
        "quotes": result.quotes,
        "events": result.events,
        "took_ns": took_ns,
        "folder": str(asked.out_dir),
        "machine": machine.describe(),
    }


def assumed(asked: Wanted) -> list[Told]:
    """What is recorded, derived or assumed, and what a backtest is not."""
    site = asked.site
    networks = ", ".join(f"{name} {profile}" for name, profile in asked.networks.items())
    legs = {leg.instrument_id: None for name in asked.chosen.pairs for leg in site.pairs[name].legs}
    early = site.stage is not Stage.FULL
    fees = [name for name in legs if not site.instruments[name].fees]
    return [
        told("the market does not react to us: what our fills take from a book is gone, nothing else changes"),
        told("venues fill by price, then time; a resting order queues behind the lots that were shown before it"),
        told("ways to the venues are drawn from typical figures, not measured: {}", networks),
        told("from a quote's arrival to the orders on the wire {} pass, always", duration(asked.delays.total_ns)),
        told("clocks are right, sessions never break, no message is lost, orders are refused by venues' rules only"),
        told("positions are flat at the start and valued at the end at what closing them would bring"),
        *([told("the site's stage is {}; it is played at the full one", site.stage)] if early else []),
        *([told("the site states no fees of {}: there is no figure after costs", ", ".join(fees))] if fees else []),
        *asked.chosen.assumed,
    ]  # fmt: skip


def heading(asked: Wanted, folder: Path) -> list[Told]:
    """What is about to be played."""
    chosen = asked.chosen
    left_out = [name for name in asked.site.pairs if name not in chosen.pairs]
    lines = [
        told("run {}", folder),
        told("tape {}: {} to {} ({})", chosen.tape.name, shown(chosen.start_utc_ns, chosen.zone),
             shown(chosen.end_utc_ns, chosen.zone), chosen.zone.key),
        told("  {}", chosen.tape.label),
        told("pairs {}", ", ".join(chosen.pairs)),
    ]  # fmt: skip
    if left_out:
        lines.append(told("left out, the tape does not hold them: {}", ", ".join(left_out)))
    return [*lines, *(told("  assumed: {}", one) for one in assumed(asked))]


def show(document: Mapping[str, Any], folder: Path) -> None:
    """The figures for a person."""
    language = environment_language()
    table = Table(box=None, header_style="bold")
    columns = [told("rule"), told("opportunities"), told("captured"), told("trades"), told("units"), told("slippage")]
    for words in (*columns, told("before costs"), told("fees"), told("financing"), told("after costs")):
        table.add_column(said(words, language), overflow="fold")
    for one in document["rules"]:
        earned, found = one["profit_e9"], one["opportunities"]
        table.add_row(
            f"{one['pair']} {one['rule']}",
            str(found["count"]),
            f"{found['captured']} ({percent(found['share'])})",
            str(one["trades"]["opened"]),
            str(one["units"]),
            rounded_money(one["slippage_e9"]["sum"]),
            *(_money(earned[name], language) for name in ("gross", "fees", "financing")),
            f"{_money(earned['net'], language)} {one['currency']}",
        )
    console().print(table)
    for one in document["rules"]:
        for outcome in one["opportunities"]["outcomes"]:
            became, lasted = outcome_text(outcome["outcome"], language), duration(outcome["lasted_ns"])
            out(told("  {}: {} {}, lasted {} (median)", one["rule"], outcome["count"], became, lasted))
        if one["not_valued"]:
            out(
                told(
                    "  {}: profit not known, no book to value or convert {} by",
                    one["rule"],
                    ", ".join(one["not_valued"]),
                )
            )
        if one["phantoms"]:
            out(told("  {}: {} intents on quotes that never stood together in truth", one["rule"], one["phantoms"]))
    if document["not_armed"]:
        out(told("execution could not be armed: {}", document["not_armed"]))
    if document["open_trades"]:
        out(told("{} pair trades were still open a minute after the tape's end", document["open_trades"]))
    played_s, took_s = document["tape"]["duration_ns"] / SECOND, document["took_ns"] / SECOND
    out(told("played {} of market in {} ({} times as fast)", duration(document["tape"]["duration_ns"]),
             duration(document["took_ns"]), f"{played_s / max(took_s, 1e-9):,.0f}"))  # fmt: skip
    out(told("report {}", folder / HTML_FILE))


def console() -> Console:
    """The terminal; a pipe is as wide as a table needs."""
    found = Console()
    return found if found.is_terminal else Console(width=PIPE_WIDTH)


def _money(value_e9: int | None, language: str) -> str:
    return said(told("not known"), language) if value_e9 is None else rounded_money(value_e9)


def _progress(chosen: Chosen, *, is_quiet: bool) -> Any:  # noqa: ANN401 a function of the time
    last = [clock.monotonic_ns()]

    def tell(at_ns: int) -> None:
        now_ns = clock.monotonic_ns()
        if not is_quiet and sys.stderr.isatty() and now_ns - last[0] >= 2 * SECOND:
            last[0] = now_ns
            say(told("at {}", shown(at_ns, chosen.zone)))

    return tell
