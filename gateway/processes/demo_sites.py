"""What `cmc demo` writes before it starts anything: a profile for each of two simulated venues and the site file that
connects to them, for the tape that was asked for.

The thresholds of the synthetic pairs stand in `_SYNTHETIC`; they lie a little outside what crossing both spreads costs,
so that the shocks of the tape's basis meet them every few seconds. A recorded pair has no fair value that we know, so
its rule stands at its own mean: the time-weighted mean of the ratio of both mids over the `LOOK_BACK_S` before the
start of the tape, and nothing after it. It buys the pair at or below that mean, sells at or above it and a
hundred-thousandth more, so it trades whenever the ratio has moved away by half of both spreads. Lots are value-neutral
at the same mean. The minutes that the demo starts in (`_RECORDED`) are chosen with the day known, such that the ratio
crosses its mean both ways; thresholds and lots are not. None of it is a strategy, and no profit is meant.

What can go wrong: a tape that cannot be opened, or that has no common book; DemoError says so before a venue starts.
"""

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, NamedTuple

from gateway.journal.told import told
from simulators.core.tape import Tape, TapeBook
from simulators.tapes import TapeError, load_tape, usdcny_fixing
from simulators.tapes.draws import SECOND_NS
from simulators.tapes.text import time_of_day_ns

NINE_PLACES = Decimal("0.000000001")
LEAD_IN_S, LEAD_OUT_S = 30, 60
"""The tape runs longer than the trading: the gateway starts within it, and its stop is balanced within it."""
ABOVE_MEAN = Decimal("1.00001")
MIN_FREE_MB = 64
LOOK_BACK_S = 300
"""Of the tape before the start, to set a recorded pair's rule by."""


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


def index_future(symbol: str) -> Contract:
    """CFFEX IF, 300 CNY a point."""
    return Contract(symbol, "0.2", "300", "point", "CNY", 20, "open_close", "2", collar_ticks=500)


A50 = Contract("CN", "5", "1", "point", "USD", 2000, max_position_lots=2000)
SPOT_GOLD = Contract("XAUUSD", "0.001", "10", "point", "USD", 2000, max_position_lots=2000, collar_ticks=20000)
"""A spot CFD; a lot of 10 and "point" as its unit are assumed, so that it may stand in a ratio with an index."""


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


class Recorded(NamedTuple):
    """A recorded pair: its date for the currency fixing, its contracts, and the minute that the demo starts in.

    Pay-ups are ticks of the leg's own contract; the last figure of each repair attempt is bounded by the collar.
    """

    date: str
    domestic: Contract
    away: str
    overseas: Contract
    start: str
    away_pay_up: int = 4
    repair_pay_up: tuple[int, ...] = (2, 4, 8, 16)


_RECORDED = {
    "if-cn-20140129": Recorded("20140129", index_future("IF0000"), "SGX", A50, "09:39:00"),
    "if-cn-ticks": Recorded("20210104", index_future("IF2101"), "SGX", A50, "09:39:00"),
    # A tick of XAUUSD is a thousandth: its pay-ups cover what it moves in 200 ms.
    "if-xauusd": Recorded("20210104", index_future("IF2101"), "OANDA", SPOT_GOLD, "09:46:00", 300, (50, 100, 200, 400)),
}
DEFAULT_NAMES = {"synthetic": "cu", "recorded": "if-cn-20140129"}


def tape_of(asked: Asked) -> Tape:
    """The tape, long enough for start and stop."""
    try:
        return load_tape(asked.kind, tape_name(asked), asked.directory, asked.seed, tape_seconds(asked))
    except TapeError as error:
        message = told("--tape, --name: {}", error)
        raise DemoError(message) from error


def tape_name(asked: Asked) -> str:
    """The name with its start: a recorded pair begins where the demo has its minute, unless the name says otherwise."""
    if asked.kind != "recorded" or "@" in asked.name or asked.name not in _RECORDED:
        return asked.name
    return f"{asked.name}@{_RECORDED[asked.name].start}"


def tape_seconds(asked: Asked) -> int:
    """How much of the tape a demo needs."""
    return LEAD_IN_S + asked.seconds + LEAD_OUT_S


def plan(asked: Asked, tape: Tape) -> Plan:
    """Venues, pair and rule for this tape."""
    known = _SYNTHETIC if asked.kind == "synthetic" else _RECORDED
    base = asked.name.partition("@")[0]
    if base not in known:
        message = told("--name {}: one of {}", asked.name, ", ".join(known))
        raise DemoError(message)
    made = _synthetic(asked) if asked.kind == "synthetic" else _recorded(asked, base)
    ticks = {one.symbol: one.tick for one in tape.instruments}
    for one in (*made.domestic.contracts, *made.overseas.contracts):
        if ticks.get(one.symbol) != Decimal(one.tick):
            message = told("tape {}: tick of {} is {}, not {}", tape.name, one.symbol, ticks.get(one.symbol), one.tick)
            raise DemoError(message)
    return made


def _synthetic(asked: Asked) -> Plan:
    one = _SYNTHETIC[asked.name]
    pair_id = f"{one.domestic.symbol[:2].upper()}-{one.overseas.symbol[:2]}"
    away_leg = _leg(f"{one.away}.{one.overseas.symbol}", one.away_lots, 5000, one.away_pay_up)
    if one.factors:
        away_leg["factors"] = dict(one.factors)
    return Plan(
        Venue(one.home, "domestic44", HOME_NETWORK, HOME_CLOCK, (one.domestic,)),
        Venue(one.away, "overseas42", asked.network or one.network, AWAY_CLOCK, (one.overseas, USDCNH)),
        _pair(pair_id, "spread", one.domestic.unit)
        | {"repair_pay_up_ticks": list(one.repair_pay_up), "slippage_budget": one.slippage_budget},
        _rule(f"{asked.name}-band", pair_id, "spread", f"-{one.band}", one.band),
        (
            _leg(f"{one.home}.{one.domestic.symbol}", one.home_lots, 1500, one.home_pay_up),
            away_leg | {"fx": f"{one.away}.{USDCNH.symbol}"},
        ),
        f"{one.home} {one.domestic.symbol} against {one.away} {one.overseas.symbol}",
    )


def _recorded(asked: Asked, base: str) -> Plan:
    one = _RECORDED[base]
    try:
        rate, fixed_on = usdcny_fixing(asked.directory, one.date)
        before = _tape_before(asked)
    except TapeError as error:
        message = told("--tape {}: {}", asked.directory, error)
        raise DemoError(message) from error
    mean = mean_ratio(before, one.domestic.symbol, one.overseas.symbol) / rate
    lots = max(1, int((mean * Decimal(one.domestic.lot_units) / Decimal(one.overseas.lot_units)).to_integral_value()))
    pair_id = f"{one.domestic.symbol[:2]}-{one.overseas.symbol[:2]}"
    return Plan(
        Venue("CFFEX", "domestic44", HOME_NETWORK, HOME_CLOCK, (one.domestic,)),
        Venue(one.away, "overseas42", asked.network or "shanghai-chicago", AWAY_CLOCK, (one.overseas,)),
        _pair(pair_id, "ratio", "point")
        | {"max_quote_skew_ms": 5000, "slippage_budget": "10000", "repair_pay_up_ticks": list(one.repair_pay_up)},
        _rule(f"{base}-mean", pair_id, "ratio", _text(mean), _text(mean * ABOVE_MEAN))
        | {"cool_down_ms": 2500, "max_units": 8},
        (
            _leg(f"CFFEX.{one.domestic.symbol}", 1, 1500),
            _leg(f"{one.away}.{one.overseas.symbol}", lots, 10_000, one.away_pay_up)
            | {"fx_rate": str(rate), "fx_source": f"ECB reference rate of {fixed_on}"},
        ),
        f"CFFEX {one.domestic.symbol} against {one.away} {one.overseas.symbol}",
        f"rule set at the time-weighted mean ratio of the {LOOK_BACK_S} s before {tape_name(asked).partition('@')[2]}, "
        f"{lots} lots of {one.overseas.symbol} to one of {one.domestic.symbol} by value at that mean; nothing later is "
        f"known to it; the minute is chosen to show trades, not to prove a strategy",
    )


def _tape_before(asked: Asked) -> Tape:
    """The stretch of the tape that ends where the demo's begins."""
    base, _, start = tape_name(asked).partition("@")
    begin_s = time_of_day_ns(start, "--name") // SECOND_NS - LOOK_BACK_S
    if begin_s < 0:
        raise TapeError("--name", asked.name, f"a start at least {LOOK_BACK_S} s after midnight")
    minutes, seconds = divmod(begin_s, 60)
    name = f"{base}@{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    return load_tape(asked.kind, name, asked.directory, asked.seed, LOOK_BACK_S)


def mean_ratio(tape: Tape, domestic: str, overseas: str) -> Decimal:
    """Domestic mid over overseas mid, weighted by how long it stood; only while both books have two sides."""
    ticks = {one.symbol: one.tick for one in tape.instruments}
    mids: dict[str, Decimal | None] = {domestic: None, overseas: None}
    weighted, length_ns, last_ns = Decimal(0), 0, 0
    for event in tape.events():
        if not isinstance(event, TapeBook) or event.symbol not in mids:
            continue
        weighted, length_ns = _weigh(weighted, length_ns, mids[domestic], mids[overseas], event.at_ns - last_ns)
        last_ns = event.at_ns
        whole = bool(event.bids and event.asks)
        mids[event.symbol] = ticks[event.symbol] * (event.bids[0][0] + event.asks[0][0]) / 2 if whole else None
    weighted, length_ns = _weigh(weighted, length_ns, mids[domestic], mids[overseas], tape.duration_ns - last_ns)
    if not length_ns:
        message = told(
            "tape {}: {} and {} never have a book at the same time; choose another start", tape.name, domestic, overseas
        )
        raise DemoError(message)
    return weighted / length_ns


def _weigh(
    weighted: Decimal, length_ns: int, home: Decimal | None, away: Decimal | None, stood_ns: int
) -> tuple[Decimal, int]:
    if home is None or away is None:
        return weighted, length_ns
    return weighted + home / away * stood_ns, length_ns + stood_ns


def _text(value: Decimal) -> str:
    return str(value.quantize(NINE_PLACES, ROUND_HALF_EVEN))


def _pair(pair_id: str, formula: str, unit: str) -> dict[str, Any]:
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


def _rule(rule_id: str, pair_id: str, kind: str, buy_at: str, sell_at: str) -> dict[str, Any]:
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


def _leg(instrument: str, lots: int, age_ms: int, pay_up: int = 4) -> dict[str, Any]:
    return {
        "instrument": instrument,
        "ratio_lots": lots,
        "pay_up_ticks": pay_up,
        "time_in_force": "IOC",
        "max_quote_age_ms": age_ms,
    }


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
