"""What `cmc demo` writes before it starts anything: a profile for each of two simulated venues and the site file that
connects to them, for the tape that was asked for.

The thresholds of the synthetic pairs stand in `_SYNTHETIC`; they lie a little outside what crossing both spreads costs,
so that the shocks of the tape's basis meet them every few seconds. Recorded pairs are in
`demo_recorded.py`. None of it is a strategy, and no profit is meant.

What can go wrong: a tape that cannot be opened, or that has no common book; DemoError says so before a venue starts.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from gateway.journal.told import told
from gateway.processes.demo_plan import (
    AWAY_CLOCK,
    HOME_CLOCK,
    HOME_NETWORK,
    Asked,
    Contract,
    DemoError,
    Plan,
    Venue,
    leg_table,
    pair_table,
    rule_table,
)
from gateway.processes.demo_recorded import RECORDED, recorded_plan, tape_name
from simulators.core.tape import Tape
from simulators.tapes import TapeError, load_tape

__all__ = ["Asked", "DemoError", "Plan", "Venue", "plan", "profile", "site", "tape_of"]

LEAD_IN_S, LEAD_OUT_S = 30, 60
"""The tape runs longer than the trading: the gateway starts within it, and its stop is balanced within it."""
MIN_FREE_MB = 64


FAULTS: Mapping[str, list[dict[str, Any]]] = {
    "domestic": [
        {"name": "reject", "probability": 0.03},
        {"name": "partial", "probability": 0.05, "params": {"fraction": 0.5}},
    ],
    "overseas": [
        {"name": "partial", "probability": 0.05, "params": {"fraction": 0.5}},
        {"name": "delay", "probability": 0.05, "params": {"delay_ms": 300}},
        {"name": "gap", "probability": 0.002, "params": {"level": "rpt_seq"}},
    ],
}
USDCNH = Contract("USDCNH", "0.0001", "100000", "usd", "CNH", tradable=False)
COPPER = Contract("cu2609", "10", "5", "t", "CNY", 500, "open_close_today", "2")
GOLD = Contract("au2612", "0.02", "1000", "g", "CNY", 500, "open_close_today", "2", max_order_value="1000000000")


class Synthetic(NamedTuple):
    """What a synthetic pair's site needs. Pay-ups are ticks of the leg that an order goes beyond the price seen.

    The domestic ones cover a shock of the tape's basis within one 500 ms snapshot, because that is how old a domestic
    quote may be; an order still fills at the venue's price, not at its limit.
    """

    home: str
    domestic: Contract
    home_lots: int
    home_pay_up: int
    away: str
    overseas: Contract
    away_lots: int
    away_pay_up: int
    factors: Mapping[str, str]
    network: str
    band: str
    repair_pay_up: tuple[int, ...]
    slippage_budget: str


LME_COPPER = Contract("CA3M", "0.50", "25", "t", "USD", 200)
COMEX_GOLD = Contract("GCZ6", "0.10", "100", "oz", "USD", 200)
_SYNTHETIC = {
    "cu": Synthetic(
        *("SHFE", COPPER, 5, 8, "LME", LME_COPPER, 1, 4),
        factors={"vat": "1.13", "duty": "1.00"},
        network="shanghai-london",
        band="50",
        repair_pay_up=(4, 8, 16, 32),
        slippage_budget="5000",
    ),
    "au": Synthetic(
        *("SHFE", GOLD, 3, 30, "COMEX", COMEX_GOLD, 1, 6),
        factors={},
        network="shanghai-chicago",
        band="0.50",
        repair_pay_up=(10, 20, 40, 80),
        slippage_budget="10000",
    ),
}


DEFAULT_NAMES = {"synthetic": "cu", "recorded": "if-cn-20140129"}


def tape_of(asked: Asked) -> Tape:
    """The tape, long enough for start and stop."""
    try:
        return load_tape(asked.kind, tape_name(asked), asked.directory, asked.seed, tape_seconds(asked))
    except TapeError as error:
        message = told("--tape, --name: {}", error)
        raise DemoError(message) from error


def tape_seconds(asked: Asked) -> int:
    """How much of the tape a demo needs."""
    return LEAD_IN_S + asked.seconds + LEAD_OUT_S


def plan(asked: Asked, tape: Tape) -> Plan:
    """Venues, pair and rule for this tape."""
    known = _SYNTHETIC if asked.kind == "synthetic" else RECORDED
    base = asked.name.partition("@")[0]
    if base not in known:
        message = told("--name {}: one of {}", asked.name, ", ".join(known))
        raise DemoError(message)
    made = _synthetic(asked) if asked.kind == "synthetic" else recorded_plan(asked, base)
    ticks = {one.symbol: one.tick for one in tape.instruments}
    for one in (*made.domestic.contracts, *made.overseas.contracts):
        if ticks.get(one.symbol) != Decimal(one.tick):
            message = told("tape {}: tick of {} is {}, not {}", tape.name, one.symbol, ticks.get(one.symbol), one.tick)
            raise DemoError(message)
    return made


def _synthetic(asked: Asked) -> Plan:
    one = _SYNTHETIC[asked.name]
    pair_id = f"{one.domestic.symbol[:2].upper()}-{one.overseas.symbol[:2]}"
    away_leg = leg_table(f"{one.away}.{one.overseas.symbol}", one.away_lots, 5000, one.away_pay_up)
    if one.factors:
        away_leg["factors"] = dict(one.factors)
    return Plan(
        Venue(one.home, "domestic44", HOME_NETWORK, HOME_CLOCK, (one.domestic,)),
        Venue(one.away, "overseas42", asked.network or one.network, AWAY_CLOCK, (one.overseas, USDCNH)),
        pair_table(pair_id, "spread", one.domestic.unit)
        | {"repair_pay_up_ticks": list(one.repair_pay_up), "slippage_budget": one.slippage_budget},
        rule_table(f"{asked.name}-band", pair_id, "spread", f"-{one.band}", one.band),
        (
            leg_table(f"{one.home}.{one.domestic.symbol}", one.home_lots, 1500, one.home_pay_up),
            away_leg | {"fx": f"{one.away}.{USDCNH.symbol}"},
        ),
        f"{one.home} {one.domestic.symbol} against {one.away} {one.overseas.symbol}",
    )


def profile(made: Plan, venue: Venue, asked: Asked, run_dir: Path, start_monotonic_ns: int) -> dict[str, Any]:
    """The simulator's profile of `venue`; every path in it is absolute."""
    side = "domestic" if venue is made.domestic else "overseas"
    return {
        "venue": {
            "name": venue.id,
            "dialect": venue.dialect,
            "seed": asked.seed,
            "comp_id": venue.id,
            "client_comp_id": "CMC",
            "md_port": 0,
            "orders_port": 0,
            "account": "A1",
            "start_monotonic_ns": start_monotonic_ns,
            "truth_dir": str(run_dir / "truth" / venue.id),
            "ready_file": str(run_dir / "ready" / f"venue-{venue.id}.json"),
        },
        "clock": dict(venue.clock),
        "network": {"profile": venue.network},
        "tape": {
            "kind": asked.kind,
            "name": tape_name(asked),
            "dir": asked.directory,
            "seed": asked.seed,
            "seconds": tape_seconds(asked),
        },
        "instrument": [
            {
                "symbol": one.symbol,
                "tick": one.tick,
                "max_qty": one.max_qty,
                "open_close": one.position_model,
            }
            for one in venue.contracts
        ],
        **({"fault": FAULTS[side]} if asked.faults else {}),
    }


def site(made: Plan, ports: Mapping[str, tuple[int, int]], bus_dir: str, language: str = "en") -> dict[str, Any]:
    """The site file; `ports` are market data and orders by venue."""
    venues = (made.domestic, made.overseas)
    return {
        "site": {"name": "demo", "language": language, "stage": "full", "state_dir": "state", "bus_dir": bus_dir},
        "journal": {"fdatasync_interval_ms": 5, "sync_before_send": False, "min_free_mb": MIN_FREE_MB},
        "supervisor": {"restarts_max": 5, "restarts_window_s": 60, "stop_timeout_s": 30},
        "bus": {"high_water_mark": 10000, "heartbeat_interval_ms": 500, "pair_price_interval_ms": 50},
        "limits": {
            "max_open_trades": 8,
            "max_orders_per_s": 50,
            "throttle_trades": 200,
            "throttle_window_s": 60,
            "daily_loss": {"CNY": "500000"},
        },
        "venue": [_venue(one, ports[one.id]) for one in venues],
        "instrument": [entry for one in venues for entry in _instruments(one)],
        "pair": [{**made.pair, "leg": [dict(leg) for leg in made.legs]}],
        "rule": [dict(made.rule)],
    }


def _venue(venue: Venue, ports: tuple[int, int]) -> dict[str, Any]:
    def session(port: int) -> dict[str, Any]:
        made: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": port,
            "sender_comp_id": "CMC",
            "target_comp_id": venue.id,
            "heart_bt_int_s": 5,
        }
        return made | ({"constants": {"customer_or_firm": "0"}} if venue.dialect == "overseas42" else {})

    return {
        "id": venue.id,
        "dialect": venue.dialect,
        "account": "A1",
        "status_timeout_ms": 2000,
        "reconnect_min_s": 0.5,
        "reconnect_max_s": 5,
        "md": session(ports[0]),
        "orders": session(ports[1]),
    }


def _instruments(venue: Venue) -> Iterator[dict[str, Any]]:
    for one in venue.contracts:
        entry: dict[str, Any] = {
            "id": f"{venue.id}.{one.symbol}",
            "venue": venue.id,
            "symbol": one.symbol,
            "tick": one.tick,
            "lot_units": one.lot_units,
            "unit": one.unit,
            "currency": one.currency,
            "position_model": one.position_model,
            "min_qty": 1,
            "max_qty": one.max_qty,
            "tradable": one.tradable,
        }
        if one.hedge_flag:
            entry["hedge_flag"] = one.hedge_flag
        if one.tradable:
            entry |= {
                "max_position_lots": one.max_position_lots,
                "max_orders_per_day": 5000,
                "max_order_value": one.max_order_value,
                "collar_ticks": one.collar_ticks,
            }
        yield entry
