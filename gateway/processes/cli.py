"""The program `cmc`: reads the command line, loads what the one command needs, returns its exit code.

Exit codes: 0 success, 1 a check that failed (or a site that does not run, a trade left unbalanced), 2 a wrong call: an
argument, a file that is not there, a site file with mistakes. `--json` prints one JSON document on standard output and
nothing else there.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from gateway.journal.told import environment_language, said, told, told_by
from gateway.processes import deliver
from gateway.processes.rule_cli import rule_commands
from gateway.processes.stage_cli import stage_commands

OK, FAILED, WRONG_CALL = 0, 1, 2
MOST_PORT = 65_535

Handler = Callable[[argparse.Namespace], int]


class WrongCallError(Exception):
    """The command line asks for something that cannot be; the text says what would be right."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    parsed = parser().parse_args(arguments)
    handler: Handler = parsed.handler
    try:
        return handler(parsed)
    except WrongCallError as error:
        words = said(told_by(error), environment_language())
        print(f"cmc {parsed.command}: {words}", file=sys.stderr)  # noqa: T201 a command line speaks
        return WRONG_CALL
    except BrokenPipeError:
        # Whoever read our output has gone: `cmc trades | head` is no failure.
        sys.stderr.close()
        return OK


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="cmc",
        description="FIX gateway that trades a pair of contracts on two markets as one trade.",
        epilog="Exit codes: 0 success, 1 a failed check, 2 a wrong call. Each command has --help.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _demo(commands)
    _site_commands(commands)
    _looking_commands(commands)
    _operator_commands(commands)
    _run_commands(commands)
    _certify(commands)
    deliver.register(commands)
    return top


_Commands = argparse._SubParsersAction  # noqa: SLF001 argparse gives its type no public name


def _add(
    commands: "_Commands[argparse.ArgumentParser]", name: str, text: str, handler: Handler
) -> argparse.ArgumentParser:
    one = commands.add_parser(name, help=text, description=text)
    one.set_defaults(handler=handler)
    return one


def _demo(commands: "_Commands[argparse.ArgumentParser]") -> None:
    demo = _add(
        commands, "demo", "Two simulated venues and the whole gateway on this machine, then a report.", _run_demo
    )
    demo.add_argument("--seconds", type=_seconds, default=60, help="how long to trade (default 60)")
    demo.add_argument(
        "--tape", default="synthetic", metavar="synthetic|DIR", help="made from a seed, or a folder of recorded sets"
    )
    demo.add_argument(
        "--name",
        default="",
        help="synthetic: cu (default) or au; recorded: if-cn-20140129 (default), if-cn-ticks, if-xauusd",
    )
    demo.add_argument("--seed", type=int, default=7, help="of the tape, the network and the faults (default 7)")
    demo.add_argument(
        "--profile", default="", metavar="NETWORK", help="network to the overseas venue (default by tape)"
    )
    demo.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help="where the run's folder is made")
    demo.add_argument("--json", type=Path, default=None, metavar="FILE", help="write the run's summary there as well")
    demo.add_argument(
        "--faults",
        action="store_true",
        help="the venues also reject, delay and fill in part (a reject fails the verdict)",
    )
    demo.add_argument(
        "--clients",
        type=_port,
        nargs="?",
        default=0,
        const=9878,
        metavar="PORT",
        help="programs connect here over FIX and trade, and nobody else does (docs/CLIENT_FIX.md; default port 9878)",
    )


def _site_commands(commands: "_Commands[argparse.ArgumentParser]") -> None:
    check = _add(commands, "check", "Check a site file; every mistake is told.", _check)
    check.add_argument("site", type=Path, metavar="SITE")
    check.add_argument("--json", action="store_true", help="one JSON document on standard output")
    up = _add(commands, "up", "Run an installation in the foreground until SIGTERM or Ctrl-C.", _up)
    up.add_argument("site", type=Path, metavar="SITE")
    down = _add(commands, "down", "Stop an installation: no new trades, then balanced, then ended.", _down)
    _site_argument(down)
    simulate = _add(commands, "simulate", "Run one simulated venue until SIGTERM (docs/SIMULATOR.md).", _simulate)
    simulate.add_argument("profile", type=Path, metavar="PROFILE")


def _looking_commands(commands: "_Commands[argparse.ArgumentParser]") -> None:
    for name, text, handler in (
        ("status", "How an installation stands: processes, sessions, and why a pair is not traded.", _status),
        ("pairs", "Every pair's price against its rule, and whether it is traded.", _pairs),
        ("positions", "What is held, by our own fills.", _positions),
    ):
        one = _add(commands, name, text, handler)
        _site_argument(one)
        one.add_argument("--json", action="store_true", help="one JSON document on standard output")
        if name == "positions":
            one.add_argument("--ask", default="", metavar="VENUE", help="ask a venue what is held there; needs --who")
            one.add_argument("--who", default="", help="the person who asks; goes on record")
            one.add_argument("--reason", default="", help="goes on record")


def _operator_commands(commands: "_Commands[argparse.ArgumentParser]") -> None:
    for name, text in (
        ("arm", "Let execution open trades, in a person's name."),
        ("disarm", "Open no new trades; what is open is finished."),
    ):
        _who(_add(commands, name, text, _operate))
    stage_commands(commands, _add, _site_argument)
    explain = _add(commands, "explain", "A person has explained what the venue said of an instrument.", _operate)
    explain.add_argument("word", metavar="INSTRUMENT|VENUE")
    _who(explain)
    _trade_commands(commands)
    rule_commands(commands, _add, _site_argument)
    _session_commands(commands)
    kill = _add(commands, "kill", "Stop trading at once.", _operate)
    how = kill.add_mutually_exclusive_group(required=True)
    how.add_argument("--hold", action="store_true", help="cancel everything and send nothing")
    how.add_argument("--balance", action="store_true", help="cancel, then send orders that reduce risk only")
    _who(kill)


def _session_commands(commands: "_Commands[argparse.ArgumentParser]") -> None:
    session = commands.add_parser("session", help="Set the numbers of a FIX session that cannot heal by itself.")
    verbs = session.add_subparsers(dest="action", metavar="ACTION", required=True)
    reset = _add(verbs, "reset", "Begin a session anew with these MsgSeqNum(34); agree with the venue before.", _reset)
    reset.add_argument("venue", metavar="VENUE")
    reset.add_argument("kind", choices=("orders", "drop_copy"), metavar="KIND", help="%(choices)s")
    reset.add_argument("--ours", type=_count, default=1, help="next number of ours (default 1)")
    reset.add_argument("--theirs", type=_count, default=1, help="next number of the venue's (default 1)")
    reset.add_argument("--force", default="", metavar="WORDS", help="why, although it is up or trades are open there")
    _who(reset)


def _trade_commands(commands: "_Commands[argparse.ArgumentParser]") -> None:
    trade = commands.add_parser("trade", help="Take a pair trade over, or hand it back.")
    verbs = trade.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in (
        ("takeover", "A person takes a pair trade: nothing of it is repaired any more."),
        ("release", "Hand a halted pair trade back to execution."),
    ):
        one = _add(verbs, name, text, _operate)
        one.add_argument("word", metavar="TRADE")
        _who(one)
    fill = commands.add_parser("fill", help="Book a fill that execution does not know of.")
    verbs = fill.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = _add(verbs, "add", "Book an execution made elsewhere, by telephone say, into a pair trade.", _fill)
    assign = _add(verbs, "assign", "Book a fill that the venue told of and no order explains.", _fill)
    for one in (add, assign):
        one.add_argument("word", metavar="TRADE")
        one.add_argument("--leg", type=_count, required=True, help="1 for the first")
        one.add_argument("--exec-id", required=True, help="ExecID(17) of the venue")
    add.add_argument("--side", choices=("buy", "sell"), required=True)
    add.add_argument("--lots", type=_count, required=True)
    add.add_argument("--price", required=True, help="as the venue quotes it")
    for one in (add, assign):
        _who(one)


def _who(one: argparse.ArgumentParser) -> None:
    _site_argument(one)
    one.add_argument("--who", required=True, help="the person who decides; goes on record")
    one.add_argument("--reason", required=True, help="goes on record")


def _run_commands(commands: "_Commands[argparse.ArgumentParser]") -> None:
    reconcile = _add(
        commands, "reconcile", "Compare a run's journal with what the simulated venues recorded.", _reconcile
    )
    reconcile.add_argument("run", type=Path, metavar="RUN")
    reconcile.add_argument("--json", action="store_true", help="one JSON document on standard output")
    record = _add(commands, "record", "The record of a run: segments, quotes, gaps, bytes per quote.", _record)
    record.add_argument("run", type=Path, metavar="RUN")
    record.add_argument("--json", action="store_true", help="one JSON document on standard output")
    _backtest(commands)
    replay = _add(
        commands, "replay", "Run a run's recorded inputs through the code of now, compare each decision.", _replay
    )
    replay.add_argument("run", type=Path, metavar="RUN")
    replay.add_argument("--json", action="store_true", help="one JSON document on standard output")
    report = _add(commands, "report", "Write summary.json and report.html of a run.", _report)
    report.add_argument("run", type=Path, metavar="RUN")
    trades = _add(commands, "trades", "The pair trades of a run or of an installation.", _trades)
    text = "default: CMC_SITE's, else the newest folder of runs/"
    trades.add_argument("run", nargs="?", type=Path, metavar="RUN|SITE", help=text)
    trades.add_argument("--json", action="store_true", help="one JSON document on standard output")


def _backtest(commands: "_Commands[argparse.ArgumentParser]") -> None:
    one = _add(commands, "backtest", "Try a site's rules on a tape in virtual time (docs/BACKTEST.md).", _run_backtest)
    one.add_argument("site", type=Path, metavar="SITE")
    one.add_argument(
        "--from", dest="begin", default="", metavar="TIME", help="date, time of day or both, market's zone"
    )
    one.add_argument("--to", dest="end", default="", metavar="TIME", help="as --from; a date alone is its end")
    one.add_argument(
        "--tape",
        default="synthetic",
        metavar="synthetic|DIR|RUN",
        help="a seed's, recorded sets, csv form, a run's record",
    )
    one.add_argument(
        "--name", default="", help="of the tape, where the folder has several; found by the site otherwise"
    )
    one.add_argument("--seed", type=int, default=7, help="of the tape and the network (default 7)")
    one.add_argument(
        "--profile",
        action="append",
        default=[],
        metavar="[VENUE=]NETWORK",
        help="way to the overseas venues, or to one",
    )
    one.add_argument(
        "--latency-us", type=_count, default=300, metavar="N", help="quote's arrival to orders sent (default 300)"
    )
    one.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="another value of a site key")
    one.add_argument("--sweep", action="append", default=[], metavar="KEY=A,B,C", help="a run for each value")
    one.add_argument("--jobs", type=_count, default=0, help="runs of a sweep at once (default: cores less one)")
    one.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help="where the run's folder is made")
    one.add_argument("--json", action="store_true", help="one JSON document on standard output")


def _certify(commands: "_Commands[argparse.ArgumentParser]") -> None:
    text = "Play the scripts of the certification with a client's program (docs/CLIENT_FIX.md)."
    one = _add(commands, "certify", text, _run_certify)
    _site_argument(one)
    one.add_argument("--session", required=True, metavar="NAME", help="its SenderCompID(49), an id of a [[client]]")
    one.add_argument("--port", type=int, default=None, help="another one than the site's; 0: any that is free")
    one.add_argument("--tls", action="store_true", help="on the site's tls_host, with its certificates")
    one.add_argument("--case", action="append", default=[], metavar="N", help="only this case; no certificate then")
    one.add_argument("--attempts", type=_count, default=3, help="of each case (default 3)")
    one.add_argument("--answer", type=_seconds, default=5, help="seconds a program has to answer (default 5)")
    one.add_argument("--wait", type=_seconds, default=300, help="seconds a person has to act (default 300)")
    one.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help="where the certificate is written")
    one.add_argument("--json", action="store_true", help="the last line is one JSON document")


def _run_certify(parsed: argparse.Namespace) -> int:
    from gateway.processes import certify  # noqa: PLC0415

    return certify.run(parsed)


def _site_argument(one: argparse.ArgumentParser) -> None:
    one.add_argument("site", nargs="?", type=Path, metavar="SITE", help="default: $CMC_SITE, else ./site.toml")


def _count(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        message = told("{}: a whole number, at least 1", repr(text))
        raise argparse.ArgumentTypeError(message)
    return value


def _seconds(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        message = told("{}: a whole number of seconds, at least 1", repr(text))
        raise argparse.ArgumentTypeError(message)
    return value


def _port(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if not 1 <= value <= MOST_PORT:
        message = told("{}: a port, 1 to 65535", repr(text))
        raise argparse.ArgumentTypeError(message)
    return value


def _run_demo(parsed: argparse.Namespace) -> int:
    from gateway.processes import demo  # noqa: PLC0415 a command loads what it needs

    return demo.run(demo.options(parsed))


def _check(parsed: argparse.Namespace) -> int:
    from gateway.processes import site_commands  # noqa: PLC0415

    return site_commands.check(parsed.site, as_json=parsed.json)


def _up(parsed: argparse.Namespace) -> int:
    from gateway.processes import site_commands  # noqa: PLC0415

    return site_commands.up(parsed.site)


def _down(parsed: argparse.Namespace) -> int:
    from gateway.processes import site_commands  # noqa: PLC0415

    return site_commands.down(parsed.site)


def _status(parsed: argparse.Namespace) -> int:
    from gateway.processes import site_status  # noqa: PLC0415

    return site_status.status(parsed.site, as_json=parsed.json)


def _pairs(parsed: argparse.Namespace) -> int:
    from gateway.processes import site_status  # noqa: PLC0415

    return site_status.pairs(parsed.site, as_json=parsed.json)


def _positions(parsed: argparse.Namespace) -> int:
    if parsed.ask:
        return _ask(parsed, "ask_positions", parsed.ask)
    from gateway.processes import site_status  # noqa: PLC0415

    return site_status.positions(parsed.site, as_json=parsed.json)


def _operate(parsed: argparse.Namespace) -> int:
    verb = parsed.action if parsed.command == "trade" else parsed.command
    if verb == "kill":
        verb = "kill_hold" if parsed.hold else "kill_balance"
    return _ask(parsed, verb, getattr(parsed, "word", ""))


def _fill(parsed: argparse.Namespace) -> int:
    words = [parsed.word, str(parsed.leg)]
    if parsed.action == "add":
        words += [parsed.side, str(parsed.lots), parsed.price]
    return _ask(parsed, f"fill_{parsed.action}", " ".join([*words, parsed.exec_id]))


def _reset(parsed: argparse.Namespace) -> int:
    words = [parsed.venue, parsed.kind, str(parsed.ours), str(parsed.theirs)]
    if parsed.force.strip():
        words.append("force")
        parsed.reason = f"{parsed.reason}; forced: {parsed.force}"
    return _ask(parsed, "reset_numbers", " ".join(words))


def _ask(parsed: argparse.Namespace, verb: str, argument: str) -> int:
    from gateway.model.trade import Verb  # noqa: PLC0415
    from gateway.processes import site_operate  # noqa: PLC0415

    return site_operate.operate(parsed.site, site_operate.Asked(Verb(verb), argument, parsed.who, parsed.reason))


def _simulate(parsed: argparse.Namespace) -> int:
    import os  # noqa: PLC0415

    if not parsed.profile.is_file():
        message = told("{}: no such file; a simulator's profile, see docs/SIMULATOR.md", parsed.profile)
        raise WrongCallError(message)
    # The simulator takes this process over, so that a signal to it is a signal to the venue.
    os.execv(sys.executable, [sys.executable, "-m", "simulators", str(parsed.profile)])  # noqa: S606 our own program


def _reconcile(parsed: argparse.Namespace) -> int:
    from gateway.journal import commands  # noqa: PLC0415

    return commands.reconcile_command(parsed.run, as_json=parsed.json)


def _record(parsed: argparse.Namespace) -> int:
    from gateway.journal import record_commands  # noqa: PLC0415

    return record_commands.record_command(parsed.run, as_json=parsed.json)


def _run_backtest(parsed: argparse.Namespace) -> int:
    from gateway.processes import backtest, backtest_sweep  # noqa: PLC0415

    wanted = backtest.options(parsed)
    return backtest_sweep.run(wanted) if wanted.sweep else backtest.run(wanted)


def _replay(parsed: argparse.Namespace) -> int:
    from gateway.processes import replay, site_open  # noqa: PLC0415

    return replay.run(site_open.run_folder(parsed.run), as_json=parsed.json)


def _report(parsed: argparse.Namespace) -> int:
    from gateway.journal import commands  # noqa: PLC0415

    return commands.report_command(parsed.run)


def _trades(parsed: argparse.Namespace) -> int:
    from gateway.journal import commands  # noqa: PLC0415
    from gateway.processes import site_open  # noqa: PLC0415

    return commands.trades_command(site_open.run_folder(parsed.run), as_json=parsed.json)


if __name__ == "__main__":
    # By its own name: run as a file this is a second module, whose WrongCallError is not the one that commands raise.
    sys.exit(import_module("gateway.processes.cli").main())
