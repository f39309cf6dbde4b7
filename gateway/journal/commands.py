"""What `cmc` does with the directory of a run: reconcile it, report on it, list its pair trades.

Each function prints its answer and gives the exit code: 0 for success, 1 for a failed check, 2 for a wrong call, such
as a directory that is no run or a file that cannot be read; what is wrong goes to standard error, with the remedy.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gateway.journal.fold import TradeStory, fold
from gateway.journal.frame import CorruptJournalError
from gateway.journal.measure import quote_to_order_ns
from gateway.journal.reader import EXECUTION, RunNotFoundError, read_run, require_run
from gateway.journal.reconcile import Reconciliation, reconcile
from gateway.journal.report import write_report
from gateway.journal.site_facts import SiteFactsError
from gateway.journal.summary import summarise
from gateway.journal.timeline import start_ns, timeline
from gateway.journal.told import Told, environment_language, said, told
from gateway.journal.truth import TruthError
from gateway.journal.units import duration, money
from gateway.model.order import Side

SUCCESS, FAILED, WRONG_CALL = 0, 1, 2
MAX_DIFFERENCES = 50
_WRONG = (RunNotFoundError, CorruptJournalError, SiteFactsError, TruthError, OSError)


def reconcile_command(run_dir: Path, as_json: bool) -> int:  # noqa: FBT001 - a switch of the command line
    """Compare a run's journal with the venues' own record: 0 equal, 1 different, 2 not a run."""
    return _guarded(lambda: _reconcile(run_dir, as_json=as_json))


def report_command(run_dir: Path) -> int:
    """Write summary.json and report.html into the run's directory."""
    return _guarded(lambda: _report(run_dir))


def trades_command(run_dir: Path, as_json: bool) -> int:  # noqa: FBT001 - a switch of the command line
    """List a run's pair trades; as JSON with the timeline of each."""
    return _guarded(lambda: _trades(run_dir, as_json=as_json))


def trade_as_json(trade: TradeStory) -> dict[str, Any]:
    """Give a pair trade with its timeline, times in nanoseconds after the causing quote."""
    last, intent, begin = trade.last, trade.intent, start_ns(trade)
    return {
        "trade_id": trade.trade_id,
        "pair_id": last.pair_id if last else intent.pair_id if intent else "",
        "rule_id": last.rule_id if last else intent.rule_id if intent else "",
        "side": _side(trade),
        "units": last.units if last else intent.units if intent else 0,
        "outcome": trade.outcome,
        "legged": trade.is_legged,
        "slippage_e9": last.slippage_e9 if last else None,
        "legged_ns": last.legged_ns if last else None,
        "quote_to_order_ns": quote_to_order_ns(trade),
        "orders": [story.order.cl_ord_id for story in trade.orders],
        "started_ns": begin,
        "timeline": [{**moment._asdict(), "at_ns": moment.at_ns - begin} for moment in timeline(trade)],
    }


def _reconcile(run_dir: Path, *, as_json: bool) -> int:
    result = reconcile(run_dir)
    if not result.venues:
        text = told("{}: holds no truth/<VENUE>/orders.jsonl to compare with", run_dir)
        print(said(text, environment_language()), file=sys.stderr)  # noqa: T201
        return WRONG_CALL
    if as_json:
        _print(json.dumps(_as_json(result), indent=2, ensure_ascii=False))
    else:
        _show(result)
    return SUCCESS if result.equal else FAILED


def _as_json(result: Reconciliation) -> dict[str, Any]:
    return {
        "equal": result.equal,
        "venues": result.venues,
        "orders": result.orders,
        "fills": result.fills,
        "positions": result.positions,
        "not_compared": result.not_compared,
        "notes": result.notes,
        "differences": [difference._asdict() for difference in result.differences],
    }


def _show(result: Reconciliation) -> None:
    venues = ", ".join(result.venues)
    equal = told("equal") if result.equal else told("NOT equal")
    counts = (result.orders, result.fills, result.positions)
    _print(told("{}: {} orders, {} fills, {} positions at {}", equal, *counts, venues))
    for text in result.not_compared:
        _print(told("not compared: {}", text))
    for text in result.notes:
        _print(text)
    if result.differences:
        table = _table(told("venue"), told("subject"), told("field"), told("journal"), told("venue says"))
        for difference in result.differences[:MAX_DIFFERENCES]:
            table.add_row(*difference)
        Console().print(table)
    if len(result.differences) > MAX_DIFFERENCES:
        _print(told("and {} more; --json lists all", len(result.differences) - MAX_DIFFERENCES))


def _report(run_dir: Path) -> int:
    summary = summarise(run_dir)
    path = write_report(run_dir)
    head, bracket, figures = summary["verdict"]["overall"].partition(" (")
    _print(told("{}: {}{}", path, told(head), f"{bracket}{figures}"))
    return SUCCESS


def _trades(run_dir: Path, *, as_json: bool) -> int:
    require_run(run_dir)
    story = fold(read_run(run_dir, EXECUTION))
    if as_json:
        _print(json.dumps([trade_as_json(trade) for trade in story.trades.values()], indent=2, ensure_ascii=False))
        return SUCCESS
    table = _table(
        told("trade"),
        told("pair"),
        told("side"),
        told("units"),
        told("price"),
        told("outcome"),
        told("slippage"),
        told("quote to order"),
        told("legged"),
    )
    language = environment_language()
    for trade in story.trades.values():
        last, intent = trade.last, trade.intent
        table.add_row(
            trade.trade_id,
            last.pair_id if last else "",
            said(told(_side(trade)), language),
            str(last.units if last else ""),
            money(intent.pair_px_e9) if intent else "",
            said(_outcome(trade), language),
            money(last.slippage_e9) if last else "",
            duration(quote_to_order_ns(trade)),
            duration(last.legged_ns if last else None),
        )
    Console().print(table)
    return SUCCESS


def _outcome(trade: TradeStory) -> Told:
    outcome = told(trade.outcome)
    return told("{}, legged", outcome) if trade.is_legged else outcome


def _side(trade: TradeStory) -> str:
    said = trade.last or trade.intent
    return "" if said is None else "buy" if said.side is Side.BUY else "sell"


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold")
    for column in columns:
        table.add_column(said(column, environment_language()), overflow="fold")
    return table


def _guarded(command: Callable[[], int]) -> int:
    try:
        return command()
    except _WRONG as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own error
        return WRONG_CALL


def _print(text: str) -> None:
    print(said(text, environment_language()))  # noqa: T201 - the command's answer
