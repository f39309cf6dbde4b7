"""`cmc deliver stress`: load of many clients on a gateway that trades, from ramp to soak, and what it did to delays.

With simulators it starts an installation of its own whose clients are the load's sessions; otherwise it goes to the
port of one that runs (its site names the sessions LOAD0, LOAD1, ... and PROBE). The scenarios are data
(`loadtest/scenarios.toml`), the load is `loadtest/run.py`, a program of its own. Exit codes: 0 no order of the plain
probe session failed, 1 one did, 2 a wrong call.

What can go wrong: a port where nobody listens, or where locust's page has no place: refused before anything starts. A
gateway that dies on the way: its orders count as failed. Told to stop, it ends what it started and leaves no result of
the test that was under way; the document is written when all were played, and never over an earlier one's.
"""

import argparse
import json
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from gateway.journal.told import environment_language, said, told, told_by

OK, FAILED, WRONG_CALL = 0, 1, 2
SESSIONS = 60
ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "loadtest" / "scenarios.toml"
_KEYS = {"name": str, "kinds": str, "shape": str, "users": int, "rate": int, "seconds": int}
WIDE = 1_000_000
GRACE_S = 90
MOST_WORKERS = 16
MOST_PORT = 65_535
LOOK_S = 2
NAMED = 3
"""Missing sessions that are told by name."""


class StressError(ValueError):
    """Scenarios that cannot be played; names file, scenario and what would be right."""


def register(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it."""
    text = "Load the gateway with many FIX clients and measure from due times (docs/DELIVERY.md)."
    one = steps.add_parser("stress", help=text, description=text)
    one.add_argument("--port", type=int, default=0, help="of a running gateway's clients; default: simulators")
    one.add_argument("--site", type=Path, default=None, metavar="SITE", help="of the gateway that runs, for its port")
    one.add_argument("--pair", default="CU-CA")
    one.add_argument("--scenarios", type=Path, default=SCENARIOS, metavar="FILE")
    one.add_argument("--only", default="", metavar="NAME,...", help="play these only")
    one.add_argument("--seconds", type=int, default=0, metavar="N", help="shorten each scenario to N seconds")
    one.add_argument("--workers", type=int, default=1, metavar="N", help=f"locust workers, at most {MOST_WORKERS} (1)")
    one.add_argument("--web", type=int, default=0, metavar="PORT", help="locust's page, on loopback")
    one.add_argument("--storm", type=int, default=1, metavar="N", help="the simulators' market N times as fast")
    one.add_argument("--faults", action="store_true", help="the simulated venues reject, delay and fill in part too")
    one.add_argument("--seed", type=int, default=7)
    one.add_argument("--out", type=Path, default=None, metavar="DIR", help="a new folder (default runs/stress-TIME)")
    one.set_defaults(handler=_stress)


def _stress(parsed: argparse.Namespace) -> int:
    from gateway.processes.deliver_world import WorldError  # noqa: PLC0415 a command loads what it needs

    try:
        rows = scenarios(parsed.scenarios, parsed.only, parsed.seconds)
        check(parsed, rows)
        return stress(parsed, rows)
    except StressError as error:
        _complain(told_by(error))
        return WRONG_CALL
    except (WorldError, OSError) as error:
        _complain(told_by(error))
        return FAILED


def scenarios(path: Path, only: str, seconds: int) -> list[dict[str, Any]]:
    """The rows of a file, checked; each no longer than `seconds` where that is given."""
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("scenario", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = told("{}: no scenarios that can be read: {}", path, error)
        raise StressError(message) from error
    for row in rows:
        for key, kind in _KEYS.items():
            value = row.get(key)
            if not isinstance(value, kind) or (isinstance(value, int) and not 0 < value < WIDE):
                message = told("{}: scenario {}: {} = {} is not usable", path, row.get("name"), key, repr(value))
                raise StressError(message)
        if row["users"] > SESSIONS:
            message = told("{}: scenario {}: {} users, at most {}", path, row["name"], row["users"], SESSIONS)
            raise StressError(message)
    names = [row["name"] for row in rows]
    wanted = [one.strip() for one in only.split(",")] if only else names
    if unknown := [one for one in wanted if one not in names]:
        message = told("{}: no scenario {}; {}", path, unknown[0], ", ".join(names))
        raise StressError(message)
    if not rows:
        message = told("{}: no [[scenario]]", path)
        raise StressError(message)
    return [
        row | ({"seconds": min(seconds, row["seconds"])} if seconds else {}) for row in rows if row["name"] in wanted
    ]


def check(parsed: argparse.Namespace, rows: list[dict[str, Any]]) -> None:
    """StressError for what would only be noticed when everything runs; sets what was not given."""
    from gateway.processes import clock  # noqa: PLC0415 a command loads what it needs

    parsed.run_dir = None
    if parsed.site is not None:
        _of_site(parsed, max(row["users"] for row in rows))
    for name, value, least, most in (
        ("--seconds", parsed.seconds, 0, WIDE),
        ("--workers", parsed.workers, 1, MOST_WORKERS),
        ("--storm", parsed.storm, 1, 1000),
        ("--web", parsed.web, 0, MOST_PORT),
        ("--port", parsed.port, 0, MOST_PORT),
    ):
        if not least <= value <= most:
            message = told("{} {}: a whole number from {} to {}", name, value, least, most)
            raise StressError(message)
    if parsed.port and (parsed.faults or parsed.storm > 1):
        message = told("--faults and --storm are of the simulators; with --port, its own venues make the market")
        raise StressError(message)
    if parsed.port and not _listens(parsed.port):
        message = told("--port {}: nobody listens there; is the gateway up, and has its site [clients] with this port?",
                       parsed.port)  # fmt: skip
        raise StressError(message)
    if parsed.web and _listens(parsed.web):
        message = told("--web {}: somebody listens there already; name another port, it has to be free", parsed.web)
        raise StressError(message)
    parsed.out = parsed.out or Path("runs") / f"stress-{clock.utc_ns() // 10**9}"
    if parsed.out.exists() and (not parsed.out.is_dir() or any(parsed.out.iterdir())):
        message = told("{}: is there and not empty; name another folder", parsed.out)
        raise StressError(message)


def _of_site(parsed: argparse.Namespace, users: int) -> None:
    """The port of a site's clients, where none is given, and its run; StressError where it lacks the sessions."""
    from gateway.processes.site_open import load, run_dir_of  # noqa: PLC0415

    site = load(parsed.site)
    missing = [
        name for name in ("PROBE", *(f"LOAD{number}" for number in range(users))) if name not in site.clients.specs
    ]
    if missing:
        some = ", ".join(missing[:NAMED]) + (", ..." if len(missing) > NAMED else "")
        message = told("{}: no [[client]] {}; the load has a session for each of {} users, LOAD0 and so on, and PROBE",
                       parsed.site, some, users)  # fmt: skip
        raise StressError(message)
    parsed.port = parsed.port or site.clients.port
    parsed.run_dir = run_dir_of(site)


def _listens(port: int) -> bool:
    """Whether somebody takes connections on this port of the machine."""
    with socket.socket() as one:
        one.settimeout(LOOK_S)
        return one.connect_ex(("127.0.0.1", port)) == 0


def stress(parsed: argparse.Namespace, rows: list[dict[str, Any]]) -> int:
    """All of them, and the document."""
    from gateway.processes.deliver_world import gateway, keep_with_run, told_to_stop, venues  # noqa: PLC0415

    parsed.out.mkdir(parents=True, exist_ok=True)
    if parsed.port:
        with told_to_stop():
            for row in rows:
                _play(parsed, row, parsed.port)
                if parsed.run_dir is not None:
                    _say_against(parsed.out, row["name"], parsed.run_dir)
        return _written(parsed, rows)

    total_s = sum(row["seconds"] + 20 for row in rows) + 60
    profile: dict[str, Any] = {}
    if parsed.storm > 1:
        profile["tape"] = _storm(parsed, total_s)
    with venues(parsed.out / "world", seed=parsed.seed, seconds=total_s, network="same-city", faults=parsed.faults,
                profile=profile) as at:  # fmt: skip
        tables = at.site_tables()
        port = with_clients(tables)
        with gateway(at, tables) as installed:
            installed.arm("delivery", "stress")
            for row in rows:
                _play(parsed, row, port)
                _say_against(parsed.out, row["name"], installed.run_dir)
            run_dir = installed.run_dir
    keep_with_run(at.folder, run_dir)
    return _written(parsed, rows)


def _storm(parsed: argparse.Namespace, seconds: int) -> dict[str, str]:
    """A market so many times as fast, as the simulators play it."""
    folder = parsed.out.resolve() / "storm"
    words = [str(folder), "--seed", str(parsed.seed), "--seconds", str(seconds), "--times", str(parsed.storm)]
    subprocess.run([sys.executable, "-m", "loadtest.storm", *words], cwd=ROOT, check=True)  # noqa: S603 our own
    return {"kind": "csv", "name": "storm", "dir": str(folder.parent)}


def with_clients(tables: dict[str, Any], sessions: int = SESSIONS) -> int:
    """Give a site's tables the load's sessions; the port of its clients."""
    from gateway.processes.deliver_world import free_port  # noqa: PLC0415

    port = free_port()
    pairs = [one["id"] for one in tables["pair"]]
    tables["clients"] = {"port": port, "messages_per_s": WIDE}
    row = {"accounts": ["A1"], "pairs": pairs, "orders_per_s": WIDE, "max_open_orders": WIDE}
    names = ["PROBE", *(f"LOAD{number}" for number in range(sessions))]
    tables["client"] = [{"id": name, **row} for name in names]
    return port


def _play(parsed: argparse.Namespace, row: dict[str, Any], port: int) -> None:
    _say(told("{}: {} users, {} s", row["name"], row["users"], row["seconds"]))
    words = ["--port", str(port), "--pair", parsed.pair, "--out", str(parsed.out.resolve()), "--workers",
             str(parsed.workers), "--web", str(parsed.web)]  # fmt: skip
    for key in _KEYS:
        words += [f"--{key}", str(row[key])]
    load = subprocess.Popen([sys.executable, "-m", "loadtest.run", *words], cwd=ROOT)  # noqa: S603 our own program
    try:
        load.wait(row["seconds"] + GRACE_S)
    except subprocess.TimeoutExpired:
        _say(told("{}: did not end in time", row["name"]))
    finally:
        load.terminate()
        load.wait()


def _say_against(out: Path, name: str, run_dir: Path) -> None:
    """Write into the results which gateway was measured: acceptance holds that against the runs beside them."""
    from gateway.journal.reader import read_run  # noqa: PLC0415
    from gateway.model.record import JournalOpened  # noqa: PLC0415

    opened = next(one for one in read_run(run_dir) if isinstance(one, JournalOpened))
    for path in (out / f"{who}-{_word(name)}.json" for who in ("probe", "load")):
        content = _read(path)
        if content is not None:
            content["gateway"] = {"host": opened.host, "build": opened.build, "config": opened.site_digest}
            made = path.with_suffix(".part")
            made.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            made.replace(path)


def _word(name: str) -> str:
    """A scenario's name as the names of its files have it."""
    return re.sub(r"\W+", "-", name)


def _written(parsed: argparse.Namespace, rows: list[dict[str, Any]]) -> int:
    from acceptance.paper import Paper, Section, render, write_json  # noqa: PLC0415
    from gateway.journal.units import duration  # noqa: PLC0415
    from gateway.processes import clock, machine  # noqa: PLC0415

    paper = Paper(told("Stress"), parsed.pair, "pass", clock.utc_ns())
    paper.facts = [(key.replace("_", " "), str(value)) for key, value in machine.describe().items()]
    head = [told("Scenario"), told("Shape"), told("Measured by"), told("Orders"), told("Failures"), "p50", "p90", "p99",
            "p99.9", told("Longest")]  # fmt: skip
    section = Section(
        told("Order to answer, from due times"),
        [told("The plain probe session is what acceptance judges; locust adds to what it measures.")],
        head,
    )
    files = []
    for row in rows:
        word = _word(row["name"])
        for name, who in ((f"probe-{word}.json", told("probe")), (f"load-{word}.json", "locust")):
            content = _read(parsed.out / name)
            files.append({"file": name, "scenario": row["name"], "result": content})
            if content is None:
                section.rows.append([row["name"], row["shape"], who, told("no result"), *[""] * 6])
                paper.verdict = "fail"
                continue
            taken = content["latency_ns"]
            section.rows.append([row["name"], row["shape"], who, str(content["requests"]), str(content["failures"]),
                                 *(duration(taken[key]) for key in ("p50", "p90", "p99", "p99.9", "max"))])  # fmt: skip
            if content["failures"]:
                section.texts.append(f"{name}: {content['failures_by_reason']}")
                if name.startswith("probe-") or not content["answered"]:  # a load that came to nothing is no load
                    paper.verdict = "fail"
    paper.sections.append(section)
    (parsed.out / "stress.json").write_text(
        write_json(paper.plain() | {"kind": "stress", "results": files}), encoding="utf-8"
    )
    page = parsed.out / "stress.html"
    page.write_text(render(paper), encoding="utf-8")
    _say(told("{}: {}", told(paper.verdict), page))
    return OK if paper.verdict == "pass" else FAILED


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content


def _complain(text: str) -> None:
    print(said(text, environment_language()), file=sys.stderr)  # noqa: T201 a command line speaks


def _say(text: str) -> None:
    print(said(text, environment_language()), flush=True)  # noqa: T201 the command's answer
