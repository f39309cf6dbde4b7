"""One installation from a seed: venues, instruments, pairs, rules, limits, and how far away the venues are."""

# ruff: noqa: S311 - chance is seeded here

from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any, NamedTuple

import msgspec

from gateway.execution.ledger import ExecutionSettings
from gateway.model.instrument import Instrument, PositionModel
from gateway.model.order import TimeInForce
from gateway.model.site import (
    DispatchMode,
    FormulaKind,
    InDoubtPolicy,
    InstrumentLimits,
    LegSpec,
    PairSpec,
    RuleSpec,
    SiteLimits,
    VenueSpec,
)
from tests.simulation.plan import MS, SECOND

ACCOUNT = "A1"
TICK = Decimal(10)
EXEC_KEY = ("207", "1", "75", "54", "17")
"""What makes a fill one and the same: venue, account, trade date, side, ExecID(17)."""
SWING_TICKS = 8
"""How far the legs' difference swings to either side; rules wait at half of it."""
RATE_TICK = Decimal("0.001")
RATE_TICKS = 2000
"""Yuan for a dollar, 2.000: a rate that is easy to follow."""
RATE = "USDCNH"
RATIOS = ((1, 1), (5, 1), (1, 2), (2, 3), (15, 1), (3, 2))


class Way(NamedTuple):
    """One direction of a link: fixed delay and the largest jitter."""

    floor_ns: int
    jitter_ns: int


class Installation(NamedTuple):
    """What a world is built from."""

    settings: ExecutionSettings
    ways: dict[str, tuple[Way, Way]]
    """venue -> (to the venue, to us)."""
    mid_ticks: dict[str, int]
    """instrument -> where its price begins; the first leg's is the sum of the others'."""
    legs: tuple[str, ...]
    """Instruments of the pairs' legs; the others are substitutes."""
    follows: dict[str, str]
    """substitute -> the leg whose price it has."""
    ratio_lots: dict[str, int]
    cancel_on_disconnect: dict[str, bool]
    sync_before_send: bool
    calibrated: bool
    """Whether quotes carry a time of the venue's, calibrated with an error."""
    prompts: frozenset[str]
    """Instruments of which each day's contract has a prompt date of its own."""

    @property
    def traded(self) -> list[Instrument]:
        """What orders may be sent for; one at each venue."""
        return [one for one in self.settings.instruments.values() if one.tradable]

    def in_base(self, name: str, ticks: int) -> int:
        """A price in ticks of the first leg: what is quoted in dollars is worth twice as much."""
        return ticks * 2 if self.settings.instruments[name].currency == "USD" else ticks


def installation(seed: int, *, plain: bool = False) -> Installation:
    """Everything that a site file would say; `plain`: two near venues, ratio 1:1, IOC."""
    rng = Random(f"installation {seed}")
    legs = 3 if rng.random() < 0.15 and not plain else 2
    venues = ("SHFE", "LME", "SGX")[:legs]
    ratios = (1, 1) if plain else rng.choice(RATIOS)
    ratio_of = dict(zip(venues, (*ratios, rng.randint(1, 3)), strict=False))
    models = {
        "SHFE": rng.choice((PositionModel.OPEN_CLOSE_TODAY, PositionModel.OPEN_CLOSE, PositionModel.NET)),
        "LME": PositionModel.NET,
        "SGX": rng.choice((PositionModel.OPEN_CLOSE, PositionModel.NET)),
    }
    abroad = not plain and rng.random() < 0.4
    instruments = {f"{name}.{name.lower()}": _instrument(name, ratio_of, models[name]) for name in venues}
    names = tuple(instruments)
    if not plain:
        instruments = {name: _drawn(one, rng, abroad=abroad) for name, one in instruments.items()}
    time_in_force = {name: TimeInForce.IOC if plain or rng.random() < 0.6 else TimeInForce.DAY for name in venues}
    units = 1 if plain else rng.randint(1, 3)
    follows: dict[str, str] = {}
    if legs == 2 and not plain and rng.random() < 0.3:
        ratio_of["SGX"] = ratio_of["LME"]
        follows = {"SGX.sgx": "LME.lme"}
        model = rng.choice((PositionModel.OPEN_CLOSE, PositionModel.NET))
        instruments["SGX.sgx"] = _drawn(_instrument("SGX", ratio_of, model), rng, abroad=abroad)
        venues = (*venues, "SGX")
    stands_in = {leg: name for name, leg in follows.items()}
    pairs = {"P1": _pair("P1", instruments, names, ratio_of, time_in_force, stands_in, rng, plain=plain)}
    if rng.random() < 0.3 and not plain:
        pairs["P2"] = _pair("P2", instruments, names, ratio_of, time_in_force, stands_in, rng, plain=False)
    rules: dict[str, RuleSpec] = {}
    for pair_id, pair in pairs.items():
        for number in range(1 if plain else rng.choice((1, 1, 2))):
            rule_id = f"{pair_id}-R{number + 1}"
            rules[rule_id] = _rule(rule_id, pair, units, rng, plain=plain)
    most_lots = {name: ratio_of[instruments[name].venue_id] * rng.choice((6, 12, 24)) for name in instruments}
    limits = {
        name: InstrumentLimits(name, 1000 if plain else most_lots[name], 1_000_000, 10**18, 10_000)
        for name in instruments
    }
    site_limits = SiteLimits(
        max_open_trades=8 if plain else rng.randint(1, 6),
        max_orders_per_s=200 if plain else rng.choice((20, 50, 200)),
        throttle_trades=1_000_000 if plain else rng.choice((40, 200, 1_000_000)),
        throttle_window_ns=10 * SECOND,
        daily_loss_e9={},
        max_legged_trades=2 if plain else rng.randint(1, 3),
        ended_trades_kept=1000 if plain else rng.choice((0, 3, 1000)),
    )
    specs = {name: _venue(name, rng) for name in venues}
    settings = ExecutionSettings("C", "full", pairs, rules, instruments, limits, site_limits, specs)
    mids = {name: 2000 if instruments[name].currency == "USD" else 4000 for name in names[1:]}
    mids[names[0]] = 4000 * (len(names) - 1)
    ways = {name: _ways(rng, near=plain or name == "SHFE") for name in venues}
    cod = {name: rng.random() < 0.4 for name in venues}
    by_name = {name: ratio_of[instruments[name].venue_id] for name in instruments}
    mids |= {name: mids[leg] for name, leg in follows.items()}
    synced = rng.random() < 0.7
    if any(one.currency == "USD" for one in instruments.values()):
        instruments[f"LME.{RATE}"] = _rate()
    prompts = frozenset(name for name in by_name if name.startswith("LME") and not plain and rng.random() < 0.5)
    calibrated = not plain and rng.random() < 0.5
    return Installation(settings, ways, mids, names, follows, by_name, cod, synced, calibrated, prompts)


def _instrument(venue_id: str, ratio_of: dict[str, int], model: PositionModel) -> Instrument:
    value = Decimal(30) / ratio_of[venue_id]
    return Instrument(
        f"{venue_id}.{venue_id.lower()}", venue_id, venue_id.lower(), TICK, value, "t", "CNY", value, model
    )


def _drawn(one: Instrument, rng: Random, *, abroad: bool) -> Instrument:
    """With a hedge flag, locked instead of closed, or quoted in dollars, as the seed wants."""
    changes: dict[str, Any] = {}
    if rng.random() < 0.4:
        changes["hedge_flag"] = rng.choice(("1", "2", "3"))
    if one.position_model is not PositionModel.NET and rng.random() < 0.25:
        changes["lock"] = True
    if abroad and one.venue_id != "SHFE":
        changes |= {"currency": "USD", "lot_units": one.lot_units, "point_value": one.point_value}
    return msgspec.structs.replace(one, **changes)


def _rate() -> Instrument:
    """The live currency reference: priced, never ordered."""
    one = Decimal(1)
    return Instrument(f"LME.{RATE}", "LME", RATE, RATE_TICK, one, "usd", "CNY", one, tradable=False)


def _venue(name: str, rng: Random) -> VenueSpec:
    offered = (TimeInForce.DAY, TimeInForce.IOC) if rng.random() < 0.85 else (TimeInForce.DAY,)
    mass, timeout_ns = rng.random() < 0.5, rng.choice((300, 800)) * MS
    asks = rng.random() < 0.5
    every_ns = rng.choice((0, 0, 3)) * SECOND if asks else 0
    return VenueSpec(
        name, ACCOUNT, mass, offered, True, timeout_ns, ask_positions=asks, positions_interval_ns=every_ns,
        exec_key=EXEC_KEY,
    )  # fmt: skip


def _ways(rng: Random, *, near: bool) -> tuple[Way, Way]:
    floor_ns = rng.choice((50_000, 600_000)) if near else rng.choice((600_000, 20 * MS, 90 * MS))
    return Way(floor_ns, floor_ns // 2), Way(floor_ns + floor_ns // 20, floor_ns // 2)


def _pair(
    pair_id: str,
    instruments: dict[str, Instrument],
    names: tuple[str, ...],
    ratio_of: dict[str, int],
    time_in_force: dict[str, TimeInForce],
    stands_in: dict[str, str],
    rng: Random,
    *,
    plain: bool,
) -> PairSpec:
    legs = tuple(
        LegSpec(
            name,
            ratio_of[name.partition(".")[0]],
            Fraction(1),
            f"LME.{RATE}" if instruments[name].currency == "USD" else "",
            None,
            2 if plain else rng.randint(0, 3),
            time_in_force[name.partition(".")[0]],
            2 * SECOND,
            stands_in.get(name, ""),
        )
        for name in names
    )
    return PairSpec(
        pair_id=pair_id,
        formula=FormulaKind.SPREAD,
        currency="CNY",
        unit="t",
        charges_e9=0,
        legs=legs,
        max_quote_skew_ns=1_500 * MS,
        slippage_budget_e9=rng.choice((0, 500, 5_000)) * 10**9,
        repair_pay_up_ticks=(2, 4, 8, 16, 32, 64)[: 6 if plain else rng.randint(2, 6)],
        legged_limit_ns=3 * SECOND,
        order_timeout_ns=rng.choice((300, 700, 1_200)) * MS,
        max_open_trades=1 if plain else rng.randint(1, 3),
        max_units=1000 if plain else rng.randint(4, 10),
        dispatch=DispatchMode.SIMULTANEOUS if plain or rng.random() < 0.5 else rng.choice(tuple(DispatchMode)),
        lead_leg=rng.randrange(len(names)),
        in_doubt=InDoubtPolicy.WAIT if plain or rng.random() < 0.6 else rng.choice(tuple(InDoubtPolicy)),
        in_doubt_limit_ns=rng.choice((2, 6, 20)) * SECOND,
        quote_interval_ns=rng.choice((100, 250)) * MS,
        quote_life_ns=rng.choice((1, 3)) * SECOND,
        shut_reserve_ns=0 if plain else rng.choice((0, 500)) * MS,
        residual_lots_e9=0 if plain or rng.random() < 0.6 else rng.choice((-1, 1)) * rng.randint(1, 9) * 10**8,
        max_fx_age_ns=SECOND,
    )


def _rule(rule_id: str, pair: PairSpec, units: int, rng: Random, *, plain: bool) -> RuleSpec:
    at_e9 = SWING_TICKS // 2 * int(TICK) * 10**9
    return RuleSpec(
        rule_id=rule_id,
        pair_id=pair.pair_id,
        buy_at_e9=-at_e9,
        sell_at_e9=at_e9,
        units=units,
        max_units=8 if plain else max(units, rng.randint(2, 8)),
        persist_ns=0,
        cool_down_ns=0 if plain else rng.choice((0, 0, 50, 250)) * MS,
        ttl_ns=250 * MS,
    )
