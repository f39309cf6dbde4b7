"""Certification dialogs as data: files of `acceptance/dialogs`, checked when they are read. Pure but for reading them.

    name = "orders"             en, zh    what is certified
    session = "orders"          or "md"
    [[step]]
    do = "order"                one of VERBS
    expect = "rejected"         one of its outcomes, where it has several
    tif = "IOC"                 words of the verb
    needs = "mass_status"       skipped, and said so, where the venue's dialect does not have it
    en = "..."  zh = "..."

What can go wrong: an unknown verb or key, a step without its sentence: PlanError of the file, with what would be right.
"""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from gateway.journal.told import told
from gateway.model.order import TimeInForce

DIALOGS = Path(__file__).with_name("dialogs")
VERBS = (
    "connect", "logon", "heartbeat", "test_request", "ask_resend", "gap", "sequence_reset", "disconnect", "logout",
    "subscribe", "snapshot", "unknown_symbol", "unsubscribe",
    "order", "cancel", "cancel_done", "status", "mass_status", "duplicate", "bad_order",
)  # fmt: skip
OUTCOMES = ("working", "filled", "partial", "cancelled", "rejected", "done")
PLACES = ("resting", "crossing", "beyond")
NEEDS = ("mass_status", "positions", "mass_cancel")
_KEYS = frozenset({"do", "expect", "tif", "place", "size", "needs", "en", "zh"})
_TOP = frozenset({"name", "session", "en", "zh", "step"})


class DialogFileError(ValueError):
    """A file of dialogs that cannot be used."""


class Step(NamedTuple):
    """One step."""

    do: str
    en: str
    zh: str
    expect: str
    tif: TimeInForce | None
    place: str
    size: str
    needs: str


class Dialog(NamedTuple):
    """A dialog on one session."""

    name: str
    session: str
    en: str
    zh: str
    steps: tuple[Step, ...]


def load_dialogs(folder: Path = DIALOGS) -> list[Dialog]:
    """All of a folder, by file name."""
    found = [_read(path) for path in sorted(folder.glob("*.toml"))]
    if not found:
        message = told("{}: no dialogs (*.toml) there", folder)
        raise DialogFileError(message)
    return found


def _read(path: Path) -> Dialog:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = told("{}: no dialog that can be read: {}", path, error)
        raise DialogFileError(message) from error
    _keys(str(path), content, _TOP)
    if content.get("session") not in {"md", "orders"}:
        message = told("{}: session = {}: md or orders", path, repr(content.get("session")))
        raise DialogFileError(message)
    rows = content.get("step", [])
    if not rows:
        message = told("{}: no [[step]]", path)
        raise DialogFileError(message)
    steps = tuple(_step(f"{path}: step {number}", row) for number, row in enumerate(rows, 1))
    en, zh = (_word(str(path), content, key) for key in ("en", "zh"))
    return Dialog(_word(str(path), content, "name"), content["session"], en, zh, steps)


def _step(where: str, row: dict[str, Any]) -> Step:
    _keys(where, row, _KEYS)
    for key, allowed in (("do", VERBS), ("expect", OUTCOMES), ("place", PLACES), ("needs", NEEDS),
                         ("tif", tuple(one.name for one in TimeInForce)), ("size", ("one", "deep"))):  # fmt: skip
        if key in row and row[key] not in allowed:
            message = told("{}: {} = {}: one of {}", where, key, repr(row[key]), ", ".join(allowed))
            raise DialogFileError(message)
    tif = TimeInForce[row["tif"]] if "tif" in row else None
    return Step(_word(where, row, "do"), _word(where, row, "en"), _word(where, row, "zh"), row.get("expect", ""), tif,
                row.get("place", ""), row.get("size", "one"), row.get("needs", ""))  # fmt: skip


def _word(where: str, row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        message = told("{}: {} is missing", where, key)
        raise DialogFileError(message)
    return value


def _keys(where: str, row: dict[str, Any], known: frozenset[str]) -> None:
    if unknown := sorted(row.keys() - known):
        message = told("{}: {}: no such key; {}", where, ", ".join(unknown), ", ".join(sorted(known)))
        raise DialogFileError(message)
