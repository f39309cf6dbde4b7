"""What the simulated venues themselves recorded of a run: orders and fills. Format: docs/SIMULATOR.md.

A simulator that was killed may leave half a line at the end of a file: it is left out. Any other line that does not
read is an error that names file and line.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

TRUTH_FOLDER = "truth"


class TruthError(Exception):
    """A file of a venue's truth cannot be read; names file, line and what would be right."""


class TruthOrder(NamedTuple):
    """An order as the venue has it after its last change."""

    venue: str
    cl_ord_id: str
    symbol: str
    side: str
    order_qty: int
    px: str
    ord_type: str
    time_in_force: str
    position_effect: str
    status: str
    cum_qty: int
    was_accepted: bool
    account: str


class TruthFill(NamedTuple):
    """A fill, or the bust or correction of one."""

    venue: str
    cl_ord_id: str
    exec_id: str
    symbol: str
    side: str
    last_qty: int
    last_px: str
    kind: str
    exec_ref_id: str


class VenueTruth(NamedTuple):
    """All that one venue recorded."""

    venue: str
    orders: dict[str, TruthOrder]
    fills: list[TruthFill]


def read_truth(run_dir: Path) -> dict[str, VenueTruth]:
    """Give the truth of each venue that left one, by its name."""
    folders = sorted(path for path in (run_dir / TRUTH_FOLDER).glob("*") if (path / "orders.jsonl").exists())
    return {folder.name: _read_venue(folder) for folder in folders}


def _read_venue(folder: Path) -> VenueTruth:
    venue, orders = folder.name, dict[str, TruthOrder]()
    for line in lines(folder / "orders.jsonl"):
        cl_ord_id = str(line["cl_ord_id"])
        before = orders.get(cl_ord_id)
        is_reject = line["event"] == "reject"
        if is_reject and before is not None:
            continue  # a duplicate ClOrdID(11) was refused; the order that has it stands
        orders[cl_ord_id] = TruthOrder(
            venue,
            cl_ord_id,
            str(line["symbol"]),
            str(line["side"]),
            int(line["order_qty"]),
            str(line["px"]),
            str(line["ord_type"]),
            str(line["time_in_force"]),
            str(line["position_effect"]),
            str(line["status"]),
            int(line["cum_qty"]),
            not is_reject,
            str(line.get("account", "")),
        )
    fills_path = folder / "fills.jsonl"
    fills = [_fill(venue, line) for line in lines(fills_path)] if fills_path.exists() else []
    return VenueTruth(venue, orders, fills)


def _fill(venue: str, line: dict[str, Any]) -> TruthFill:
    return TruthFill(
        venue,
        str(line["cl_ord_id"]),
        str(line["exec_id"]),
        str(line["symbol"]),
        str(line["side"]),
        int(line["last_qty"]),
        str(line["last_px"]),
        str(line["kind"]),
        str(line.get("exec_ref_id") or ""),
    )


class _Line(dict[str, Any]):
    """A line that names file and place when a key is missing."""

    def __init__(self, where: str, values: dict[str, Any]) -> None:
        super().__init__(values)
        self._where = where

    def __missing__(self, key: str) -> object:
        message = f"{self._where}: has no {key!r}; docs/SIMULATOR.md lists what a line holds"
        raise TruthError(message)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Give each line as what it holds; half a line at the end, of a simulator that was killed, is left out."""
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if not line.endswith("\n"):
            return
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            message = f"{path}: line {number}: {error}; a line is one JSON object"
            raise TruthError(message) from error
        if not isinstance(values, dict):
            message = f"{path}: line {number}: {line.strip()!r} is no JSON object"
            raise TruthError(message)
        yield _Line(f"{path}: line {number}", values)
