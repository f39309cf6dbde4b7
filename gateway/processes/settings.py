"""Reads a site file and gives the values that the programs take, or every mistake in it at once; then nothing starts.

Order of work: the file, the environment's overrides, the type of each key (`site_file.py`), the dialects, what keys say
together (`site_checks.py`), and last the values. A mistake names file, key, value and what would be right.

What can go wrong: two programs that read the file at different times could see different sites; `digest` tells it, and
the supervisor gives every child the same file and compares.
"""

import hashlib
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.fix.dialect import Dialect, DialectError, load_dialect
from gateway.fix.dictionary import DictionaryError
from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.order import TimeInForce
from gateway.model.site import InstrumentLimits, LegSpec, PairSpec, RuleSpec, SiteLimits, VenueSpec
from gateway.processes.site_checks import Mistake, check, nearest
from gateway.processes.site_env import override
from gateway.processes.site_file import (
    MS,
    SECOND,
    BusSection,
    InstrumentSection,
    JournalSection,
    PairSection,
    RuleSection,
    SessionSection,
    SiteFile,
    Stage,
    SupervisorSection,
    VenueSection,
)
from gateway.trigger.units import unit_factor

LONGEST_IPC_PATH = 107
LONGEST_SOCKET_NAME = "execution.intents"
FACTOR_DIGITS = 34
"""A factor that no decimal holds exactly (one ounce in grams, say) is rounded to so many digits, half to even."""


class SiteError(ValueError):
    """A site file that cannot be used; its text names every mistake, one a line."""

    def __init__(self, path: Path, mistakes: list[Mistake]) -> None:
        self.path = path
        self.mistakes = mistakes
        lines = [f"{path}: {one.key} = {one.value}: right would be {one.remedy}" for one in mistakes]
        super().__init__("\n".join(lines))


@dataclass(frozen=True)
class SessionSettings:
    """One FIX session, with its password where there is one."""

    kind: str
    """"md" or "orders"."""
    host: str
    port: int
    sender_comp_id: str
    target_comp_id: str
    heart_bt_int_s: int
    username: str
    password: str = field(repr=False)
    constants: Mapping[str, str]
    """What the dialect calls constant:NAME; `sender_sub_id` is among them where the site gives one."""


@dataclass(frozen=True)
class VenueSettings:
    """A venue: what the execution core has to know, how it speaks, its sessions."""

    spec: VenueSpec
    dialect: Dialect
    md: SessionSettings
    orders: SessionSettings
    reconnect_min_ns: int
    reconnect_max_ns: int


@dataclass(frozen=True)
class JournalSettings:
    """How execution's journal reaches the disk."""

    fdatasync_interval_ns: int
    sync_before_send: bool
    min_free_bytes: int


@dataclass(frozen=True)
class SupervisorSettings:
    """Restarts within a window, and how long an orderly stop may take."""

    restarts_max: int
    restarts_window_ns: int
    stop_timeout_ns: int


@dataclass(frozen=True)
class BusSettings:
    """Queues and intervals of the bus."""

    high_water_mark: int
    heartbeat_interval_ns: int
    pair_price_interval_ns: int


@dataclass(frozen=True)
class Site:
    """An installation, checked."""

    path: Path
    name: str
    language: str
    stage: Stage
    state_dir: Path
    bus_dir: Path
    journal: JournalSettings
    supervisor: SupervisorSettings
    bus: BusSettings
    limits: SiteLimits
    venues: Mapping[str, VenueSettings]
    instruments: Mapping[str, Instrument]
    instrument_limits: Mapping[str, InstrumentLimits]
    pairs: Mapping[str, PairSpec]
    rules: Mapping[str, RuleSpec]
    digest: str
    """SHA-256 of what the file and the environment say together, without passwords."""


def load_site(path: str | Path, environment: Mapping[str, str] | None = None) -> Site:
    """The site in the file `path`, or SiteError with every mistake."""
    file = Path(path)
    overridden = override(_toml(file), environment)
    mistakes = [
        Mistake(name, "set in the environment", "a variable that names a key of this site file; see docs/SITE_FILE.md")
        for name in overridden.unknown
    ]
    try:
        written = SiteFile.model_validate(overridden.content)
    except ValidationError as error:
        details = error.errors(include_url=False)
        found = [_typed(one, overridden.content, overridden.names) for one in details]
        raise SiteError(file, mistakes + found) from error
    dialects, unusable = _dialects(file, written)
    passwords, unread = _passwords(file, written, overridden.passwords)
    mistakes += [*unusable, *unread, *check(written, dialects), *_bus_dir_mistakes(file, written)]
    if mistakes:
        raise SiteError(file, mistakes)
    return _site(file, written, dialects, passwords)


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SiteError(file, [Mistake("file", str(error.strerror), "a site file that can be read")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SiteError(file, [Mistake("file", str(error), "TOML in UTF-8")]) from error


def _typed(error: ErrorDetails, content: dict[str, Any], names: Mapping[str, str]) -> Mistake:
    """What pydantic says of one key, in our form."""
    place = error["loc"]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    named = f"{key} (from {names[key]})" if key in names else key
    if error["type"] == "missing":
        return Mistake(named, "missing", _described(place) or "a value")
    value = json.dumps(error["input"], default=str, ensure_ascii=False)[:60]
    if error["type"] == "extra_forbidden":
        return Mistake(named, value, f"no such key; {nearest(str(place[-1]), _known(place))}")
    text = error["msg"].removeprefix("Value error, ")
    return Mistake(named, value, text[:1].lower() + text[1:])


def _model(place: tuple[int | str, ...]) -> Any:  # noqa: ANN401 a class of site_file, or None
    """The table that the last key of `place` stands in."""
    model: Any = SiteFile
    for part in place[:-1]:
        if isinstance(part, int):
            continue
        one = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        if one is None:
            return None
        inner = getattr(one.annotation, "__args__", ())
        model = inner[0] if inner else one.annotation
    return model if hasattr(model, "model_fields") else None


def _known(place: tuple[int | str, ...]) -> list[str]:
    model = _model(place)
    return list(model.model_fields) if model is not None else []


def _described(place: tuple[int | str, ...]) -> str:
    model = _model(place)
    one = model.model_fields.get(place[-1]) if model is not None else None
    return str(one.description or "a table") if one is not None else ""


def _dialects(file: Path, written: SiteFile) -> tuple[dict[str, Dialect], list[Mistake]]:
    dialects: dict[str, Dialect] = {}
    mistakes = []
    for index, venue in enumerate(written.venue):
        source: str | Path = venue.dialect
        if venue.dialect.endswith(".toml"):
            source = file.parent / venue.dialect
        try:
            dialects[venue.id] = load_dialect(source, **_changes(venue))
        except (DialectError, DictionaryError) as error:
            mistakes.append(Mistake(f"venue[{index}].dialect", venue.dialect, f"a dialect that can be used: {error}"))
    return dialects, mistakes


def _changes(venue: VenueSection) -> dict[str, object]:
    changes: dict[str, object] = {}
    if venue.rpt_seq is not None:
        changes["rpt_seq"] = venue.rpt_seq
    if venue.depth is not None:
        changes["depth"] = venue.depth
    if venue.time_in_force is not None:
        changes["times_in_force"] = [TimeInForce[force].value for force in venue.time_in_force]
    return changes


def _passwords(
    file: Path, written: SiteFile, given: Mapping[tuple[int, str], str]
) -> tuple[dict[tuple[int, str], str], list[Mistake]]:
    passwords = dict(given)
    mistakes = []
    for index, venue in enumerate(written.venue):
        for kind, session in (("md", venue.md), ("orders", venue.orders)):
            if (index, kind) in passwords or not session.password_file:
                continue
            try:
                text = (file.parent / session.password_file).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                key = f"venue[{index}].{kind}.password_file"
                mistakes.append(Mistake(key, session.password_file, f"a file that can be read: {error}"))
            else:
                passwords[index, kind] = text.rstrip("\n")
    return passwords, mistakes


def default_bus_dir(file: Path) -> Path:
    """Where the sockets of this site lie when it does not say: a short path of this user's, the same for every program."""
    base = os.environ.get("XDG_RUNTIME_DIR") or f"/tmp/cmc-{os.getuid()}"  # noqa: S108 mode 0700, checked when used
    word = hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:12]
    return Path(base) / f"cmc-{word}"


def _bus_dir(file: Path, text: str) -> Path:
    return (file.parent / text).resolve() if text else default_bus_dir(file)


def _bus_dir_mistakes(file: Path, written: SiteFile) -> list[Mistake]:
    text = written.site.bus_dir
    if "://" in text:
        return [Mistake("site.bus_dir", text, "a directory: the bus listens on ipc sockets only, never on a network")]
    longest = len(os.fsencode(_bus_dir(file, text) / LONGEST_SOCKET_NAME))
    if longest > LONGEST_IPC_PATH:
        remedy = f"a path shorter by {longest - LONGEST_IPC_PATH} bytes: a socket's may have {LONGEST_IPC_PATH}"
        return [Mistake("site.bus_dir", str(_bus_dir(file, text)), remedy)]
    return []


def _site(
    file: Path, written: SiteFile, dialects: Mapping[str, Dialect], passwords: Mapping[tuple[int, str], str]
) -> Site:
    top = written.site
    venues = [(index, one, dialects[one.id]) for index, one in enumerate(written.venue)]
    units = {one.id: one.unit for one in written.instrument}
    accounts = {one.id: one.account for one in written.venue}
    return Site(
        path=file.resolve(),
        name=top.name,
        language=top.language,
        stage=top.stage,
        state_dir=(file.parent / top.state_dir).resolve(),
        bus_dir=_bus_dir(file, top.bus_dir),
        journal=_journal(written.journal),
        supervisor=_supervisor(written.supervisor),
        bus=_bus(written.bus),
        limits=_limits(written),
        venues={one.id: _venue(one, dialect, index, passwords) for index, one, dialect in venues},
        instruments={one.id: _instrument(one, accounts[one.venue]) for one in written.instrument},
        instrument_limits={one.id: _instrument_limits(one) for one in written.instrument if one.tradable},
        pairs={one.id: _pair(one, units) for one in written.pair},
        rules={one.id: _rule(one) for one in written.rule},
        digest=_digest(written),
    )


def _digest(written: SiteFile) -> str:
    text = json.dumps(written.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _e9(value: Decimal) -> int:
    """`value` in whole 1e-9; the checks have seen to it that it is one."""
    return int(value * PRICE_E9)


def _journal(one: JournalSection) -> JournalSettings:
    return JournalSettings(one.fdatasync_interval_ms * MS, one.sync_before_send, one.min_free_mb * 2**20)


def _supervisor(one: SupervisorSection) -> SupervisorSettings:
    return SupervisorSettings(one.restarts_max, one.restarts_window_s * SECOND, one.stop_timeout_s * SECOND)


def _bus(one: BusSection) -> BusSettings:
    return BusSettings(one.high_water_mark, one.heartbeat_interval_ms * MS, one.pair_price_interval_ms * MS)


def _limits(written: SiteFile) -> SiteLimits:
    one = written.limits
    return SiteLimits(
        max_open_trades=one.max_open_trades,
        max_orders_per_s=one.max_orders_per_s,
        throttle_trades=one.throttle_trades,
        throttle_window_ns=one.throttle_window_s * SECOND,
        daily_loss_e9={currency: _e9(loss) for currency, loss in one.daily_loss.items()},
    )


def _venue(
    one: VenueSection, dialect: Dialect, index: int, passwords: Mapping[tuple[int, str], str]
) -> VenueSettings:
    spec = VenueSpec(
        venue_id=one.id,
        account=one.account,
        mass_status=dialect.mass_status == "AF",
        time_in_force=tuple(force for force in TimeInForce if force in dialect.times_in_force),
        market_orders=one.market_orders,
        status_timeout_ns=one.status_timeout_ms * MS,
    )
    return VenueSettings(
        spec=spec,
        dialect=dialect,
        md=_session("md", one.md, passwords.get((index, "md"), "")),
        orders=_session("orders", one.orders, passwords.get((index, "orders"), "")),
        reconnect_min_ns=int(one.reconnect_min_s * SECOND),
        reconnect_max_ns=int(one.reconnect_max_s * SECOND),
    )


def _session(kind: str, one: SessionSection, password: str) -> SessionSettings:
    constants = dict(one.constants)
    if one.sender_sub_id:
        constants["sender_sub_id"] = one.sender_sub_id
    return SessionSettings(
        kind=kind,
        host=one.host,
        port=one.port,
        sender_comp_id=one.sender_comp_id,
        target_comp_id=one.target_comp_id,
        heart_bt_int_s=one.heart_bt_int_s,
        username=one.username,
        password=password,
        constants=constants,
    )


def _instrument(one: InstrumentSection, account: str) -> Instrument:
    return Instrument(
        instrument_id=one.id,
        venue_id=one.venue,
        symbol=one.symbol,
        tick=one.tick,
        lot_units=one.lot_units,
        unit=one.unit,
        currency=one.currency,
        point_value=one.point_value if one.point_value is not None else one.lot_units,
        position_model=one.position_model,
        min_qty_lots=one.min_qty,
        max_qty_lots=one.max_qty,
        tradable=one.tradable,
        account=account,
        hedge_flag=one.hedge_flag,
    )


def _instrument_limits(one: InstrumentSection) -> InstrumentLimits:
    return InstrumentLimits(
        instrument_id=one.id,
        max_position_lots=one.max_position_lots or 0,
        max_orders_per_day=one.max_orders_per_day or 0,
        max_order_value_e9=_e9(one.max_order_value or Decimal(0)),
        collar_ticks=one.collar_ticks or 0,
    )


def _factor(from_unit: str, to_unit: str, factors: Mapping[str, Decimal]) -> Decimal:
    exact = unit_factor(from_unit, to_unit)
    for named in factors.values():
        exact *= Fraction(named)
    return Context(prec=FACTOR_DIGITS).divide(Decimal(exact.numerator), Decimal(exact.denominator))


def _pair(pair: PairSection, units: Mapping[str, str]) -> PairSpec:
    legs = tuple(
        LegSpec(
            instrument_id=leg.instrument,
            ratio_lots=leg.ratio_lots,
            factor=_factor(units[leg.instrument], pair.unit, leg.factors),
            fx_instrument_id=leg.fx,
            fx_rate=leg.fx_rate,
            pay_up_ticks=leg.pay_up_ticks,
            time_in_force=TimeInForce[leg.time_in_force],
            max_quote_age_ns=leg.max_quote_age_ms * MS,
        )
        for leg in pair.leg
    )
    return PairSpec(
        pair_id=pair.id,
        formula=pair.formula,
        currency=pair.currency,
        unit=pair.unit,
        charges_e9=_e9(pair.charges),
        legs=legs,
        max_quote_skew_ns=pair.max_quote_skew_ms * MS,
        slippage_budget_e9=_e9(pair.slippage_budget),
        repair_pay_up_ticks=pair.repair_pay_up_ticks,
        legged_limit_ns=pair.legged_limit_ms * MS,
        order_timeout_ns=pair.order_timeout_ms * MS,
        max_open_trades=pair.max_open_trades,
        max_units=pair.max_units,
    )


def _rule(rule: RuleSection) -> RuleSpec:
    return RuleSpec(
        rule_id=rule.id,
        pair_id=rule.pair,
        buy_at_e9=None if rule.buy_at is None else _e9(rule.buy_at),
        sell_at_e9=None if rule.sell_at is None else _e9(rule.sell_at),
        units=rule.units,
        max_units=rule.max_units,
        persist_ns=rule.persist_ms * MS,
        cool_down_ns=rule.cool_down_ms * MS,
        ttl_ns=rule.ttl_ms * MS,
    )
