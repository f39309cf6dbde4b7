"""Rules as the site file writes them, and as the trigger takes them: both ways, exactly.

The way back serves `cmc rule`: a rule in force is shown, changed key by key and checked as if it stood in a file. It
judges nothing. What can go wrong: a rule that no file can hold (an immediate one of a client) has no way back for that
key; it is never changed by key.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from gateway.model.base import PRICE_E9
from gateway.model.conditions import Costs, FeeRow, MovingBand, RuleAction, RuleKind, RuleSide, Window
from gateway.model.site import PairSpec, RuleSpec
from gateway.processes.durations import MS, SECOND
from gateway.processes.e9_text import text_of
from gateway.processes.site_file import (
    BandSection,
    CostsSection,
    InstrumentSection,
    RuleSection,
    RuleWord,
    Weekday,
    WindowSection,
)

MINUTE = 60 * SECOND
_DAYS = tuple(Weekday)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rule_spec(rule: RuleSection) -> RuleSpec:
    """What the trigger takes of a rule whose keys are each right."""
    return RuleSpec(
        rule_id=rule.id,
        pair_id=rule.pair,
        buy_at_e9=_e9_or_none(rule.buy_at),
        sell_at_e9=_e9_or_none(rule.sell_at),
        units=rule.units,
        max_units=rule.max_units,
        persist_ns=rule.persist_ms * MS,
        cool_down_ns=rule.cool_down_ms * MS,
        ttl_ns=rule.ttl_ms * MS,
        quote_band_e9=_e9(rule.quote_band),
        kind=RuleKind.COUNTER_PRICE if rule.kind is RuleWord.COUNTER_PRICE else RuleKind.PRICE,
        action=rule.action,
        closes=rule.closes,
        min_units=rule.min_units,
        total_units=rule.total_units,
        one_shot=rule.one_shot,
        expires_utc_ns=utc_ns_of(rule.expires) if rule.expires else 0,
        rearm_e9=_e9(rule.rearm),
        persist_quotes=rule.persist_quotes,
        windows=tuple(window_of(one) for one in rule.window),
        side=rule.side,
        band=None if rule.band is None else _band(rule.band),
        min_edge_e9=_e9_or_none(rule.min_edge),
        costs=_costs(rule.costs),
    )


def rule_keys(spec: RuleSpec, pairs: Mapping[str, PairSpec]) -> dict[str, Any]:
    """The keys of the site file that make this rule; those at their default are left out."""
    kind = (
        RuleWord.COUNTER_PRICE if spec.kind is RuleKind.COUNTER_PRICE else RuleWord(pairs[spec.pair_id].formula.value)
    )
    keys: dict[str, Any] = {
        "id": spec.rule_id,
        "pair": spec.pair_id,
        "kind": kind.value,
        "buy_at": _text_or_none(spec.buy_at_e9),
        "sell_at": _text_or_none(spec.sell_at_e9),
        "units": spec.units,
        "max_units": spec.max_units,
        "persist_ms": spec.persist_ns // MS,
        "cool_down_ms": spec.cool_down_ns // MS,
        "ttl_ms": spec.ttl_ns // MS,
        "quote_band": text_of(spec.quote_band_e9),
        "persist_quotes": spec.persist_quotes,
        "rearm": text_of(spec.rearm_e9),
        "action": spec.action.value,
        "closes": spec.closes,
        "side": spec.side.value,
        "min_units": spec.min_units,
        "total_units": spec.total_units,
        "one_shot": spec.one_shot,
        "expires": utc_text(spec.expires_utc_ns) if spec.expires_utc_ns else "",
        "min_edge": _text_or_none(spec.min_edge_e9),
        "window": [_window_keys(one) for one in spec.windows],
        "band": None if spec.band is None else _band_keys(spec.band),
        "costs": _costs_keys(spec.costs),
    }
    defaults: dict[str, Any] = {
        "persist_ms": 0, "quote_band": "0", "persist_quotes": 0, "rearm": "0", "action": RuleAction.BOTH.value,
        "closes": "", "side": RuleSide.BOTH.value, "min_units": 1, "one_shot": False, "expires": "", "window": [],
        "costs": {},
    }  # fmt: skip
    return {key: value for key, value in keys.items() if value is not None and defaults.get(key) != value}


def fee_rows(one: InstrumentSection) -> tuple[FeeRow, ...]:
    """An instrument's fees, oldest row first."""
    rows = [
        FeeRow(
            fee.from_day.replace("-", ""),
            _e9(fee.open_per_lot),
            _e9(fee.close_per_lot),
            _e9(fee.close_per_lot if fee.close_today_per_lot is None else fee.close_today_per_lot),
            _e9(fee.open_rate),
            _e9(fee.close_rate),
            _e9(fee.close_rate if fee.close_today_rate is None else fee.close_today_rate),
            fee.source,
        )
        for fee in one.fees
    ]
    return tuple(sorted(rows, key=lambda row: row.from_day))


def utc_ns_of(text: str) -> int:
    """Nanoseconds since 1970 of a date and time with its offset; ValueError where it is none, or has no offset."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        message = "no offset from UTC, such as +08:00"
        raise ValueError(message)
    since = at.astimezone(UTC) - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1000


def utc_text(utc_ns: int) -> str:
    """The same as text, to the second or as fine as it is."""
    at = datetime.fromtimestamp(utc_ns // SECOND, UTC).replace(microsecond=utc_ns % SECOND // 1000)
    return at.isoformat()


def window_of(one: WindowSection) -> Window:
    """Hours of a week as the site file has them."""
    days = tuple(sorted(_DAYS.index(day) for day in set(one.days)))
    return Window(one.zone, days, _seconds(one.from_time), _seconds(one.until_time))


def _window_keys(one: Window) -> dict[str, Any]:
    days = [_DAYS[day].value for day in one.days]
    return {"zone": one.zone, "days": days, "from_time": _time(one.from_s), "until_time": _time(one.until_s)}


def _band(one: BandSection) -> MovingBand:
    return MovingBand(
        one.kind,
        one.interval_ms * MS,
        one.length,
        one.warm_up,
        _e9(one.deviations),
        _e9(one.floor),
        _e9_or_none(one.cap),
        one.warm_up_age_min * MINUTE,
    )


def _band_keys(one: MovingBand) -> dict[str, Any]:
    keys: dict[str, Any] = {
        "kind": one.kind.value,
        "interval_ms": one.interval_ns // MS,
        "length": one.length,
        "warm_up": one.warm_up,
        "deviations": text_of(one.deviations_e9),
        "floor": text_of(one.floor_e9),
        "cap": _text_or_none(one.cap_e9),
        "warm_up_age_min": one.warm_up_age_ns // MINUTE,
    }
    return {key: value for key, value in keys.items() if value is not None}


def _costs(one: CostsSection) -> Costs:
    return Costs(
        _e9(one.fair),
        _e9(one.financing_rate),
        one.holding_days,
        tuple(_e9(share) for share in one.financed),
        one.slippage_ticks,
    )


def _costs_keys(one: Costs) -> dict[str, Any]:
    if one == Costs():
        return {}
    return {
        "fair": text_of(one.fair_e9),
        "financing_rate": text_of(one.financing_rate_e9),
        "holding_days": one.holding_days,
        "financed": [text_of(share) for share in one.financed_e9],
        "slippage_ticks": list(one.slippage_ticks),
    }


def _seconds(text: str) -> int:
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return (hours * 60 + minutes) * 60 + seconds


def _time(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _e9(value: Decimal) -> int:
    """`value` in whole 1e-9; the checks have seen to it that it is one."""
    return int(value * PRICE_E9)


def _e9_or_none(value: Decimal | None) -> int | None:
    return None if value is None else _e9(value)


def _text_or_none(value_e9: int | None) -> str | None:
    return None if value_e9 is None else text_of(value_e9)
