"""`cmc deliver assess SITE`: what an installation would be, what it lacks, and what each millisecond costs it.

From the site file alone: markets, hours, lots, capital, limits against rules, questions, bill of work. With market data
(`--tape`: the seed's, recorded sets, the csv form, or a run's record) the rules are played by `cmc backtest` at several
delays: opportunities, those caught, and the curve of what delay costs. One document, English and Chinese, and JSON.
Exit codes: 0 written, 1 the data could not be played, 2 a wrong call or a site file with mistakes.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.journal.told import environment_language, said, told
from gateway.processes.cli import WrongCallError

if TYPE_CHECKING:
    from acceptance.paper import Section

OK, FAILED = 0, 1
DELAYS_US = (300, 1_300, 5_300, 20_300, 50_300, 100_300, 300_300)
"""Quote's arrival to orders on the wire: the gateway's own, then 1, 5, 20, 50, 100 and 300 ms more."""
PLAY_S = 900


def register(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it."""
    text = "Assess an installation from its site file and, where given, market data (docs/DELIVERY.md)."
    one = steps.add_parser("assess", help=text, description=text)
    one.add_argument("site", type=Path, metavar="SITE")
    one.add_argument("--tape", default="", metavar="synthetic|DIR|RUN", help="market data as `cmc backtest` takes it")
    one.add_argument("--tape-name", default="", metavar="NAME", help="of the tape, where the folder has several")
    one.add_argument("--as", dest="names", action="append", default=[], metavar="CONTRACT=OTHER",
                     help="play a contract of the site on the market data of another month")  # fmt: skip
    one.add_argument("--from", dest="begin", default="", metavar="TIME", help="as `cmc backtest` takes it")
    one.add_argument("--to", dest="end", default="", metavar="TIME")
    one.add_argument("--delays-us", default="", metavar="N,...", help="delays to play (default 300 to 300 300)")
    one.add_argument("--seed", type=int, default=7)
    one.add_argument("--out", type=Path, default=Path("runs/assess"), metavar="DIR")
    one.set_defaults(handler=_assess)


def _assess(parsed: argparse.Namespace) -> int:
    from acceptance.paper import Paper, render, write_json  # noqa: PLC0415 a command loads what it needs
    from gateway.model.site import instruments_of  # noqa: PLC0415
    from gateway.processes import assess_as, assess_facts, assess_rules, clock, machine  # noqa: PLC0415
    from gateway.processes.site_calendars import site_calendars, site_outlook  # noqa: PLC0415
    from gateway.processes.site_open import load  # noqa: PLC0415

    if not parsed.site.is_file():
        message = told("{}: no such file; a site file, see docs/SITE_FILE.md", parsed.site)
        raise WrongCallError(message)
    site = load(parsed.site)
    delays = _delays(parsed.delays_us)
    at_utc_ns = clock.utc_ns()
    listed = {one.pair_id: list(instruments_of(one)) for one in site.pairs.values()}
    outlooks = site_outlook(site_calendars(site.calendars, at_utc_ns), listed, at_utc_ns)
    paper = Paper(told("Assessment"), site.name, "", at_utc_ns)
    paper.facts = [(told("site file"), str(site.path)), (told("digest"), site.digest),
                   (told("version"), machine.version())]  # fmt: skip
    asked = assess_facts.questions(site, outlooks)
    paper.sections = [assess_facts.markets(site), assess_facts.contracts(site), *assess_facts.pairs(site, outlooks),
                      assess_facts.capital(site)]  # fmt: skip
    names = assess_as.renamed(parsed.names, site)
    played, failed = _played(parsed, assess_as.written_as(site, names, parsed.out / "played-site"), delays)
    played[0].texts += [told("{} is played on the market data of {}", *pair) for pair in names.items()]
    paper.sections += played
    paper.sections += [assess_rules.rules(site), assess_rules.report_data(site, machine.version()), asked,
                       assess_facts.work(site, len(asked.rows))]  # fmt: skip
    parsed.out.mkdir(parents=True, exist_ok=True)
    (parsed.out / "assess.json").write_text(write_json(paper.plain() | {"kind": "assess"}), encoding="utf-8")
    page = parsed.out / "assess.html"
    page.write_text(render(paper), encoding="utf-8")
    print(said(told("{} questions; {}", len(asked.rows), page), environment_language()))  # noqa: T201 the answer
    return FAILED if failed else OK


def _delays(text: str) -> tuple[int, ...]:
    if not text:
        return DELAYS_US
    words = text.split(",")
    if not all(word.isdecimal() and int(word) > 0 for word in words):
        message = told("--delays-us {}: whole numbers above 0 with commas, such as 300,5300", repr(text))
        raise WrongCallError(message)
    return tuple(sorted({int(word) for word in words}))


def _played(parsed: argparse.Namespace, site: Path, delays: tuple[int, ...]) -> "tuple[list[Section], bool]":
    """Opportunities, and what delay costs; True where the data could not be played."""
    from acceptance.paper import Curve, Section  # noqa: PLC0415

    title = told("Opportunities at the site's thresholds, and what delay costs")
    if not parsed.tape:
        return [Section(title, [told("no market data was given: --tape; the figures of this part are open")])], False
    rows: list[list[str]] = []
    hours = 0.0
    points: list[tuple[float, float]] = []
    texts: list[str] = []
    for delay_us in delays:
        content, error = _play(parsed, site, delay_us)
        if content is None:
            return [Section(title, [told("could not be played: {}", error)])], True
        found = sum(one["opportunities"]["count"] for one in content["rules"])
        caught = sum(one["opportunities"]["captured"] for one in content["rules"])
        if not texts:
            tape = content["tape"]
            hours = tape["duration_ns"] / 3_600_000_000_000
            texts = [f"{tape['label']} ({tape['from']} – {tape['to']} {tape['zone']})"]  # noqa: RUF001 a range
        points.append(((delay_us - delays[0]) / 1000, float(caught)))
        rows.append([f"{delay_us / 1000:g} ms", *_row(found, caught, hours, points)])
    head: list[str] = [told("Quote to orders"), told("Opportunities"), told("Caught"), told("Share"),
            told("Caught an hour"), told("Lost for each millisecond more than the row before")]  # fmt: skip
    texts.append(told("an opportunity is a stretch of time in which the books, seen at once, meet a rule; "
                      "shares have their 95 % interval, as if opportunities were independent"))  # fmt: skip
    curve = Curve(told("added delay, ms"), told("opportunities caught"), points)
    return [Section(title, texts, head, rows, curve)], False


def _row(found: int, caught: int, hours: float, points: list[tuple[float, float]]) -> list[str]:
    """Opportunities, caught, the share with its interval, caught an hour, and what each millisecond cost."""
    from acceptance.statistics import share_interval  # noqa: PLC0415

    share, cost = "-", "-"
    if found:
        between = share_interval(min(caught, found), found)
        share = f"{caught / found:.1%} ({between.low:.1%} .. {between.high:.1%})"
    if len(points) > 1:
        (before_ms, before), (at_ms, now) = points[-2:]
        cost = f"{(before - now) / (at_ms - before_ms):.3f}"
    return [str(found), str(caught), share, f"{caught / hours:.1f}" if hours else "-", cost]


def _play(parsed: argparse.Namespace, site: Path, delay_us: int) -> tuple[dict[str, Any] | None, str]:
    words = ["backtest", str(site), "--json", "--tape", parsed.tape, "--seed", str(parsed.seed),
             "--latency-us", str(delay_us), "--out", str(parsed.out / "played")]  # fmt: skip
    words += ["--name", parsed.tape_name] if parsed.tape_name else []
    words += ["--from", parsed.begin] if parsed.begin else []
    words += ["--to", parsed.end] if parsed.end else []
    done = subprocess.run(  # noqa: S603 our own program
        [sys.executable, "-m", "gateway.processes.cli", *words],
        capture_output=True, text=True, check=False, timeout=PLAY_S,
    )  # fmt: skip
    try:
        content: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return None, (done.stderr.strip() or done.stdout.strip() or told("no answer"))[-400:]
    return content, ""
