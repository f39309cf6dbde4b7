"""A rollout plan as a file: stages in order, what each may do, what has to be shown before it is left, who may say so.

It checks the file and nothing else: execution holds the installation to the limits (`gateway/execution/rollout.py`),
`grey_gates.py` judges what was shown, `grey_record.py` has it signed.

What can go wrong: a stage that is skipped, a key that is missing or unknown, a gate that is no criterion, an approver
without a key: PlanError names file, stage, key, value and what would be right. Nothing has a default that opens a stage
further: a stage of kind canary or limited without a size or a share is refused.
"""

import hashlib
import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

from acceptance.criteria import STANDARD, CriteriaError, Criterion, load_criteria
from acceptance.signing import Approver, SigningError, is_placeholder, read_approvers
from gateway.journal.told import told, told_by
from gateway.model.base import PRICE_E9
from gateway.model.rollout import (
    CANARY,
    LIMITED,
    SHADOW,
    STAGES,
    WHOLE_E6,
    Rollout,
    RolloutStage,
    StageLimits,
    Tripwire,
)
from gateway.model.trade import AlarmName

_UNITS_NS = {"ms": 10**6, "s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9, "d": 24 * 3600 * 10**9}
_TOP = frozenset({"name", "criteria", "approver", "stage"})
_STAGE = frozenset(
    {"name", "kind", "pairs", "venues", "instruments", "accounts", "max_units", "share", "opportunity_gap",
     "max_position_lots", "max_pair_units", "max_open_trades", "max_orders", "least_time", "least_trades", "gates",
     "most_alarms", "would_fill", "fall_back"}
)  # fmt: skip
_FALL_BACK = frozenset(
    {"window_trades", "most_failed", "most_rejected", "most_slipped", "slippage", "most_late", "latency", "legged",
     "alarms", "most_restarts"}
)  # fmt: skip
_MOST = 10**9


class PlanError(ValueError):
    """A plan that cannot be used; names file, stage, key, value and what would be right."""


class StagePlan(NamedTuple):
    """What has to be shown before a stage is left upwards."""

    name: str
    kind: str
    least_ns: int
    """Armed time in the stage."""
    least_trades: int
    """Pair trades; in shadow, intents that would have been one."""
    gates: tuple[Criterion, ...]
    most_alarms: int | None
    would_fill_e6: int
    """Of shadow: least share of would-be trades that the market would have filled on every leg."""


class Plan(NamedTuple):
    """A plan that was read."""

    path: Path
    rollout: Rollout
    stages: tuple[StagePlan, ...]
    approvers: tuple[Approver, ...]
    criteria: Path


def load_plan(path: Path) -> Plan:
    """The plan in a file."""
    try:
        raw = path.read_bytes()
        content = tomllib.loads(raw.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = told("{}: no rollout plan that can be read: {}", path, error)
        raise PlanError(message) from error
    _known(str(path), content, _TOP)
    name = _text(str(path), content, "name")
    approvers = _approvers(path)
    criteria = _criteria_path(path, content)
    known = _criteria(path, criteria)
    rows = content.get("stage", [])
    if not isinstance(rows, list) or not rows:
        message = told("{}: no [[stage]]; {} in this order", path, ", ".join(STAGES))
        raise PlanError(message)
    stages = [_stage(f"{path}: stage {number}", row, known) for number, row in enumerate(rows, 1)]
    _in_order(path, [one for one, _ in stages])
    digest = hashlib.sha256(raw).hexdigest()
    rollout = Rollout(name, digest, tuple(one.name for one in approvers), tuple(one for one, _ in stages))
    return Plan(path, rollout, tuple(one for _, one in stages), tuple(approvers), criteria)


def refuse_placeholders(plan: Plan) -> None:
    """A plan that nobody, or not everybody it names, could sign for is not put in force."""
    missing = [one.name for one in plan.approvers if is_placeholder(one.public_key)]
    if missing:
        message = told(
            "{}: no key yet, only the place for one, of {}. Each approver runs `cmc deliver keygen FILE "
            "--name NAME`, which prints the `cmc deliver approver add` for this plan; one that you do not want: `cmc "
            "deliver approver remove {} --name NAME`",
            plan.path,
            ", ".join(missing),
            plan.path,
        )
        raise PlanError(message)


def _approvers(path: Path) -> list[Approver]:
    try:
        found = read_approvers([path])
    except SigningError as error:
        raise PlanError(told_by(error)) from error
    if not found:
        message = told("{}: no [[approver]]; nobody could let a stage begin. `cmc deliver keygen` makes a key", path)
        raise PlanError(message)
    return found


def _criteria_path(path: Path, content: dict[str, Any]) -> Path:
    given = content.get("criteria", "standard")
    return STANDARD if given == "standard" else path.parent / str(given)


def _criteria(path: Path, criteria: Path) -> dict[str, Criterion]:
    try:
        return {one.id: one for one in load_criteria(criteria)}
    except CriteriaError as error:
        message = told("{}: criteria: {}", path, told_by(error))
        raise PlanError(message) from error


def _in_order(path: Path, stages: list[RolloutStage]) -> None:
    """Every kind, in order, shares growing; a plan that skips one is refused."""
    kinds = [one.kind for one in stages]
    missing = [kind for kind in STAGES if kind not in kinds]
    if missing:
        message = told("{}: the plan skips {}; {} in this order", path, ", ".join(missing), ", ".join(STAGES))
        raise PlanError(message)
    if kinds != sorted(kinds, key=STAGES.index):
        message = told("{}: stages {}: {} in this order", path, ", ".join(kinds), ", ".join(STAGES))
        raise PlanError(message)
    names = [one.name for one in stages]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        message = told("{}: stage {} stands there twice", path, twice[0])
        raise PlanError(message)
    shares = [one.limits.share_e6 for one in stages if one.kind == LIMITED]
    if shares != sorted(shares):
        message = told("{}: a limited stage has a smaller share than the one before it", path)
        raise PlanError(message)


def _stage(where: str, row: dict[str, Any], known: dict[str, Criterion]) -> tuple[RolloutStage, StagePlan]:
    _known(where, row, _STAGE)
    kind = _text(where, row, "kind")
    if kind not in STAGES:
        message = told("{}: kind = {}: one of {}", where, repr(kind), ", ".join(STAGES))
        raise PlanError(message)
    name = str(row.get("name", kind))
    where = f"{where} ({name})"
    limits = _limits(where, row)
    if kind == CANARY and not (limits.pairs and limits.accounts and limits.max_units is not None):
        message = told("{}: a canary names pairs, accounts and max_units", where)
        raise PlanError(message)
    if kind == LIMITED and limits.share_e6 >= WHOLE_E6 and limits.max_units is None:
        message = told('{}: a limited stage has a share of opportunities, such as share = "25 %", or max_units', where)
        raise PlanError(message)
    return RolloutStage(name, kind, limits, _tripwire(where, row, kind)), _asked(where, row, name, kind, known)


def _limits(where: str, row: dict[str, Any]) -> StageLimits:
    return StageLimits(
        _names(where, row, "pairs"),
        _names(where, row, "venues"),
        _names(where, row, "instruments"),
        _names(where, row, "accounts"),
        _count(where, row, "max_units", 1),
        _share(where, row, "share", WHOLE_E6),
        _time(where, row, "opportunity_gap", 0),
        _count(where, row, "max_position_lots", 0),
        _count(where, row, "max_pair_units", 0),
        _count(where, row, "max_open_trades", 1),
        _count(where, row, "max_orders", 0),
    )


def _tripwire(where: str, row: dict[str, Any], kind: str) -> Tripwire:
    table = row.get("fall_back")
    if table is None and kind != SHADOW:
        message = told("{}: [stage.fall_back] is missing: what makes it fall back to the stage below", where)
        raise PlanError(message)
    table = table or {}
    where = f"{where} fall_back"
    _known(where, table, _FALL_BACK)
    for count, bound in (("most_slipped", "slippage"), ("most_late", "latency")):
        if (count in table) != (bound in table):
            message = told("{}: {} and {} stand together", where, count, bound)
            raise PlanError(message)
    alarms = _names(where, table, "alarms")
    if unknown := [one for one in alarms if one not in {name.value for name in AlarmName}]:
        message = told("{}: alarms: {}: one of {}", where, unknown[0], ", ".join(AlarmName))
        raise PlanError(message)
    legged_ns = _time(where, table, "legged", 0)
    return Tripwire(
        _count(where, table, "window_trades", 1) or 20,
        _count(where, table, "most_failed", 0),
        _count(where, table, "most_rejected", 0),
        _count(where, table, "most_slipped", 0),
        _money_e9(where, table, "slippage"),
        _count(where, table, "most_late", 0),
        _time(where, table, "latency", 0),
        legged_ns or None,
        tuple(AlarmName(one) for one in alarms),
        _count(where, table, "most_restarts", 0),
    )


def _asked(where: str, row: dict[str, Any], name: str, kind: str, known: dict[str, Criterion]) -> StagePlan:
    gates = _names(where, row, "gates")
    if unknown := [one for one in gates if one not in known]:
        message = told("{}: gates: {}: one of {}", where, unknown[0], ", ".join(known))
        raise PlanError(message)
    for key in ("least_time", "least_trades"):
        if key not in row and kind != STAGES[-1]:
            message = told("{}: {} is missing: nothing is left by default", where, key)
            raise PlanError(message)
    return StagePlan(
        name,
        kind,
        _time(where, row, "least_time", 0),
        _count(where, row, "least_trades", 0) or 0,
        tuple(known[one] for one in gates),
        _count(where, row, "most_alarms", 0),
        _share(where, row, "would_fill", 0),
    )


def _known(where: str, row: dict[str, Any], keys: frozenset[str]) -> None:
    if unknown := sorted(row.keys() - keys):
        message = told("{}: {}: no such key; {}", where, ", ".join(unknown), ", ".join(sorted(keys)))
        raise PlanError(message)


def _text(where: str, row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        message = told("{}: {} is missing", where, key)
        raise PlanError(message)
    return value


def _names(where: str, row: dict[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        message = told('{}: {} = {}: a list of names, such as ["CU-CA"]', where, key, repr(value))
        raise PlanError(message)
    return tuple(value)


def _count(where: str, row: dict[str, Any], key: str, least: int) -> int | None:
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
        message = told("{}: {} = {}: a whole number from {}", where, key, repr(value), least)
        raise PlanError(message)
    return value


def _share(where: str, row: dict[str, Any], key: str, default: int) -> int:
    if key not in row:
        return default
    value, sign, rest = str(row[key]).partition("%")
    parts = _decimal(value)
    if parts is None or not sign or rest.strip() or not 0 < parts <= 100:  # noqa: PLR2004 - per cent
        message = told('{}: {} = {}: a share such as "25 %"', where, key, repr(row[key]))
        raise PlanError(message)
    return int(parts * 10_000)


def _time(where: str, row: dict[str, Any], key: str, default: int) -> int:
    if key not in row:
        return default
    number, _, unit = str(row[key]).partition(" ")
    value = _decimal(number)
    if value is None or unit not in _UNITS_NS or value < 0:
        message = told('{}: {} = {}: a time such as "30 min" ({})', where, key, repr(row[key]), ", ".join(_UNITS_NS))
        raise PlanError(message)
    return int(value * _UNITS_NS[unit])


def _money_e9(where: str, row: dict[str, Any], key: str) -> int:
    value = _decimal(str(row.get(key, "0"))) if isinstance(row.get(key, "0"), str) else None
    if value is None or value < 0:
        message = told('{}: {} = {}: money as text, such as "200"', where, key, repr(row.get(key)))
        raise PlanError(message)
    return int(value * PRICE_E9)


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < _MOST else None
