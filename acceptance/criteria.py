"""Criteria as data: what has to be shown, by which figure, against which bound, from which stage of rollout on.

A file of criteria may name another as its `base` and change single keys of single criteria (a shorter soak for a
demonstration, say); what it does not name stays as it is. It decides nothing about a run.

What can go wrong: a key that is missing, unknown or senseless is a CriteriaError that names file, criterion, key and
what would be right; a criterion without a bound where its kind has one is never a pass by default.
"""

import tomllib
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from gateway.journal.told import told

STANDARD = Path(__file__).with_name("criteria.toml")
STAGES = ("shadow", "canary", "limited", "full")
_UNITS_NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9}
_KEYS = frozenset(
    ("id", "en", "zh", "measure", "kind", "percentile", "bound", "confidence", "stage", "evidence", "least")
)
_WHOLE = 1_000_000
_LARGEST = 10**12
"""Number before a unit; a larger one is no bound, and takes a machine's day to write out."""
_Word = TypeVar("_Word", bound=StrEnum)
_TIMES = frozenset({"percentile", "longest"})
MEASURE_FITS: dict[str, tuple[frozenset[str], str]] = {
    "journal_faults": (frozenset({"none"}), "journal"),
    "gateway_latency_ns": (_TIMES, "journal"),
    "quote_to_trigger_ns": (_TIMES, "journal"),
    "end_to_end_ns": (_TIMES, "truth"),
    "in_step_ns": (_TIMES, "truth"),
    "order_acceptance": (frozenset({"share"}), "journal"),
    "pair_completion": (frozenset({"share"}), "journal"),
    "first_shot": (frozenset({"share"}), "journal"),
    "legged_trades": (frozenset({"rate"}), "journal"),
    "legged_time_ns": (_TIMES, "journal"),
    "slippage_over_limit": (frozenset({"rate"}), "journal"),
    "capture": (frozenset({"share"}), "journal"),
    "differences": (frozenset({"none"}), "truth"),
    "recovery_ns": (frozenset({"longest"}), "journal"),
    "loadtest_p99_ns": (frozenset({"longest"}), "loadtest"),
    "soak_ns": (frozenset({"duration"}), "journal"),
}
"""Kinds by which each measure can be judged, and what it is measured from. By any other kind a figure would be looked
for where there is none: "nothing may be found" of a share finds nothing, however bad the share is."""
_DEEPEST = 4
"""Files that may be the base of one another."""


class Kind(StrEnum):
    """How a figure is judged; `acceptance/judge.py` says what each means."""

    PERCENTILE = "percentile"
    SHARE = "share"
    RATE = "rate"
    NONE = "none"
    LONGEST = "longest"
    DURATION = "duration"


class Evidence(StrEnum):
    """What a figure is measured from."""

    JOURNAL = "journal"
    TRUTH = "truth"
    LOADTEST = "loadtest"


class CriteriaError(ValueError):
    """A file of criteria that cannot be used; names file, criterion, key, value and what would be right."""


class Criterion(NamedTuple):
    """One thing to show. `bound` is nanoseconds of a time, or parts in a million of a share."""

    id: str
    en: str
    zh: str
    measure: str
    kind: Kind
    bound: int
    bound_text: str
    percentile: float
    confidence: float
    stage: str
    evidence: Evidence
    least: int


def load_criteria(path: Path = STANDARD) -> list[Criterion]:
    """Every criterion of a file, its base's included, in order."""
    rows = _rows(path, 0)
    found = [criterion_of(path, row) for row in rows]
    if not found:
        message = told("{}: no [[criterion]]; at least one is needed", path)
        raise CriteriaError(message)
    return found


def criteria_files(path: Path) -> list[Path]:
    """The file and every file that is its base, in order; the product's own is not among them."""
    found, at = [path], path
    for _ in range(_DEEPEST):
        base = tomllib.loads(at.read_text(encoding="utf-8")).get("base", "standard")
        if base == "standard":
            break
        at = at.parent / str(base)
        found.append(at)
    return found


def asked_at(criteria: list[Criterion], stage: str) -> list[Criterion]:
    """Those that are asked at a stage of rollout; ValueError when there is no such stage."""
    if stage not in STAGES:
        message = told("stage {}: one of {}", stage, ", ".join(STAGES))
        raise CriteriaError(message)
    return [one for one in criteria if STAGES.index(one.stage) <= STAGES.index(stage)]


def _rows(path: Path, depth: int) -> list[dict[str, Any]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = told("{}: no file of criteria: {}", path, error)
        raise CriteriaError(message) from error
    if unknown := sorted(content.keys() - {"base", "criterion"}):
        message = told("{}: {}: no such key; `base` and [[criterion]] are", path, ", ".join(unknown))
        raise CriteriaError(message)
    own: list[dict[str, Any]] = content.get("criterion", [])
    if not isinstance(own, list) or not all(isinstance(row, dict) for row in own):
        message = told("{}: criterion = {}: tables, each begun by [[criterion]]", path, repr(own)[:60])
        raise CriteriaError(message)
    seen: set[str] = set()
    for row in own:
        name = str(row.get("id", ""))
        if not name or name in seen:
            message = told("{}: criterion {}: an id that no other has", path, repr(name))
            raise CriteriaError(message)
        seen.add(name)
    if "base" not in content:
        return own
    if depth >= _DEEPEST:
        message = told("{}: more than {} files are the base of one another", path, _DEEPEST)
        raise CriteriaError(message)
    base = STANDARD if content["base"] == "standard" else path.parent / str(content["base"])
    rows = {row["id"]: row for row in _rows(base, depth + 1)}
    for row in own:
        rows[row["id"]] = {**rows.get(row["id"], {}), **row}
    return list(rows.values())


def criterion_of(path: Path, row: dict[str, Any]) -> Criterion:
    """The criterion of a row; `path` is what a mistake in it is told of."""
    where = f"{path}: criterion {row['id']}"
    if unknown := sorted(row.keys() - _KEYS):
        message = told("{}: {}: no such key; {}", where, ", ".join(unknown), ", ".join(sorted(_KEYS)))
        raise CriteriaError(message)
    for key in ("en", "zh", "measure", "kind", "stage", "evidence"):
        if not isinstance(row.get(key), str) or not row[key].strip():
            message = told("{}: {} is missing", where, key)
            raise CriteriaError(message)
    kind = _one_of(where, "kind", row["kind"], Kind)
    evidence = _one_of(where, "evidence", row["evidence"], Evidence)
    if row["stage"] not in STAGES:
        message = told("{}: stage = {}: one of {}", where, repr(row["stage"]), ", ".join(STAGES))
        raise CriteriaError(message)
    found = Criterion(
        row["id"],
        row["en"],
        row["zh"],
        row["measure"],
        kind,
        _bound(where, kind, row),
        str(row.get("bound", "0")),
        _number(where, "percentile", row, kind is Kind.PERCENTILE, 50.0, 99.99),
        _number(where, "confidence", row, kind in {Kind.PERCENTILE, Kind.SHARE, Kind.RATE}, 0.8, 0.9999),
        row["stage"],
        evidence,
        _least(where, row),
    )
    _fits(where, found)
    return found


def _fits(where: str, one: Criterion) -> None:
    """Refused unless this measure can be judged so, and is measured from that."""
    kinds, evidence = MEASURE_FITS.get(one.measure, (frozenset(), ""))
    wrong: tuple[str, str, str] | None = None
    if not kinds:
        wrong = ("measure", one.measure, told("one of {}", ", ".join(sorted(MEASURE_FITS))))
    elif one.kind.value not in kinds:
        wrong = ("kind", one.kind.value, told("{} is judged by {}", one.measure, ", ".join(sorted(kinds))))
    elif one.evidence.value != evidence:
        wrong = ("evidence", one.evidence.value, told("{} is measured from {}", one.measure, evidence))
    if wrong is not None:
        key, value, right = wrong
        message = told("{}: {} = {}: {}", where, key, repr(value), right)
        raise CriteriaError(message)


def _one_of(where: str, key: str, value: str, words: type[_Word]) -> _Word:
    try:
        return words(value)
    except ValueError as error:
        message = told("{}: {} = {}: one of {}", where, key, repr(value), ", ".join(words))
        raise CriteriaError(message) from error


def _number(where: str, key: str, row: dict[str, Any], needed: bool, low: float, high: float) -> float:  # noqa: FBT001 - private
    if not needed:
        return 0.0
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        message = told("{}: {} = {}: a number from {} to {}", where, key, repr(value), low, high)
        raise CriteriaError(message)
    return float(value)


def _least(where: str, row: dict[str, Any]) -> int:
    value = row.get("least", 1)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        message = told("{}: least = {}: a whole number, at least 1", where, repr(value))
        raise CriteriaError(message)
    return value


def _bound(where: str, kind: Kind, row: dict[str, Any]) -> int:
    if kind is Kind.NONE:
        return 0
    text = row.get("bound")
    if kind in {Kind.SHARE, Kind.RATE}:
        return _share(where, text)
    number, _, unit = str(text).partition(" ")
    value = _decimal(number) * _UNITS_NS.get(unit, 0)
    if not isinstance(text, str) or value <= 0 or value != int(value):
        message = told('{}: bound = {}: a time such as "50 ms"; units {}', where, repr(text), ", ".join(_UNITS_NS))
        raise CriteriaError(message)
    return int(value)


def _share(where: str, text: object) -> int:
    """Parts in a million of "98 %" or "20 of 1000"."""
    words = str(text).split(" ")
    value = Decimal(-1)
    if len(words) == 2 and words[1] == "%":  # noqa: PLR2004 - a number and its sign
        value = _decimal(words[0]) * 10_000
    elif len(words) == 3 and words[1] == "of" and _decimal(words[2]) > 0:  # noqa: PLR2004 - a of b
        value = _decimal(words[0]) * _WHOLE / _decimal(words[2])
    if not 0 <= value <= _WHOLE or value != int(value):
        message = told('{}: bound = {}: a share such as "98 %" or "20 of 1000"', where, repr(text))
        raise CriteriaError(message)
    return int(value)


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return Decimal(-1)
    return value if value.is_finite() and abs(value) <= _LARGEST else Decimal(-1)
