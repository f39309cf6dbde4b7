"""What the demo knows of a pair before anything is written: venues, contracts, the pair, its rule, its legs.

Values and the tables of a site file that every demo has; what they hold for a tape is decided in `demo_sites.py` and
`demo_recorded.py`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple


class DemoError(ValueError):
    """The demo cannot be made as asked; the text says what would be right."""


class Asked(NamedTuple):
    """Which demo."""

    kind: str
    """"synthetic" or "recorded"."""
    name: str
    directory: str
    seed: int
    seconds: int
    network: str
    """To the overseas venue; empty: the pair's own."""
    faults: bool
    clients_port: int = 0
    """Where programs connect over FIX; 0: none do."""


class Contract(NamedTuple):
    """What the site file and the profile have to say of a contract, beyond what the tape says."""

    symbol: str
    tick: str
    lot_units: str
    unit: str
    currency: str
    max_qty: int = 500
    position_model: str = "net"
    hedge_flag: str = ""
    tradable: bool = True
    max_position_lots: int = 200
    max_order_value: str = "100000000"
    collar_ticks: int = 400


class Venue(NamedTuple):
    """One simulated venue."""

    id: str
    dialect: str
    network: str
    clock: Mapping[str, float]
    contracts: tuple[Contract, ...]


class Plan(NamedTuple):
    """A pair on two venues: the first contract of each is a leg."""

    domestic: Venue
    overseas: Venue
    pair: Mapping[str, Any]
    rule: Mapping[str, Any]
    legs: tuple[Mapping[str, Any], Mapping[str, Any]]
    title: str
    note: str = ""
    """How the rule was set, where that is not plain."""


HOME_CLOCK = {"offset_ms": 1250, "drift_ppm": 12.0}
"""The domestic venue's clock is wrong by this much: calibration has something to find."""
AWAY_CLOCK = {"offset_ms": -40, "drift_ppm": -3.0}
HOME_NETWORK = "same-city"


def pair_table(pair_id: str, formula: str, unit: str) -> dict[str, Any]:
    """`[[pair]]` without its legs."""
    return {
        "id": pair_id,
        "formula": formula,
        "currency": "CNY",
        "unit": unit,
        "charges": "0",
        "max_quote_skew_ms": 2000,
        "slippage_budget": "5000",
        "repair_pay_up_ticks": [2, 4, 8, 16],
        "legged_limit_ms": 3000,
        "order_timeout_ms": 1500,
        "max_open_trades": 1,
        "max_units": 40,
    }


def rule_table(rule_id: str, pair_id: str, kind: str, buy_at: str, sell_at: str) -> dict[str, Any]:
    """`[[rule]]`."""
    return {
        "id": rule_id,
        "pair": pair_id,
        "kind": kind,
        "buy_at": buy_at,
        "sell_at": sell_at,
        "units": 1,
        "max_units": 20,
        "persist_ms": 0,
        "cool_down_ms": 250,
        "ttl_ms": 250,
    }


def leg_table(instrument: str, lots: int, age_ms: int, pay_up: int = 4) -> dict[str, Any]:
    """`[[pair.leg]]` without factors and currency."""
    return {
        "instrument": instrument,
        "ratio_lots": lots,
        "pay_up_ticks": pay_up,
        "time_in_force": "IOC",
        "max_quote_age_ms": age_ms,
    }
