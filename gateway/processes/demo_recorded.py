"""A recorded pair in the demo: where it starts, and how its rule comes by its thresholds.

A recorded pair has no fair value that we know, so its rule stands at its own mean: the time-weighted mean of the ratio
of both mids over the `LOOK_BACK_S` before the start of the tape, and nothing after it. It buys the pair at or below
that mean, sells at or above it and a hundred-thousandth more, so it trades whenever the ratio has moved away by half of
both spreads. Lots are value-neutral at the same mean. The minutes that the demo starts in (`RECORDED`) are chosen with
the day known, such that the ratio crosses its mean both ways; thresholds and lots are not. It is no strategy.

What can go wrong: a start with no common book before it; DemoError says so before a venue starts.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

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
from simulators.core.tape import Tape, TapeBook
from simulators.tapes import TapeError, load_tape, usdcny_fixing
from simulators.tapes.draws import SECOND_NS
from simulators.tapes.text import time_of_day_ns

NINE_PLACES = Decimal("0.000000001")
ABOVE_MEAN = Decimal("1.00001")
LOOK_BACK_S = 300
"""Of the tape before the start, to set a recorded pair's rule by."""


def index_future(symbol: str) -> Contract:
    """CFFEX IF, 300 CNY a point."""
    return Contract(symbol, "0.2", "300", "point", "CNY", 20, "open_close", "2", collar_ticks=500)


A50 = Contract("CN", "5", "1", "point", "USD", 2000, max_position_lots=2000)
SPOT_GOLD = Contract("XAUUSD", "0.001", "10", "point", "USD", 2000, max_position_lots=2000, collar_ticks=20000)
"""A spot CFD; a lot of 10 and "point" as its unit are assumed, so that it may stand in a ratio with an index."""


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


RECORDED = {
    "if-cn-20140129": Recorded("20140129", index_future("IF0000"), "SGX", A50, "09:39:00"),
    "if-cn-ticks": Recorded("20210104", index_future("IF2101"), "SGX", A50, "09:39:00"),
    # A tick of XAUUSD is a thousandth: its pay-ups cover what it moves in 200 ms.
    "if-xauusd": Recorded("20210104", index_future("IF2101"), "OANDA", SPOT_GOLD, "09:46:00", 300, (50, 100, 200, 400)),
}


def tape_name(asked: Asked) -> str:
    """The name with its start: a recorded pair begins where the demo has its minute, unless the name says otherwise."""
    if asked.kind != "recorded" or "@" in asked.name or asked.name not in RECORDED:
        return asked.name
    return f"{asked.name}@{RECORDED[asked.name].start}"


def recorded_plan(asked: Asked, base: str) -> Plan:
    """Venues, pair and rule of the recorded pair `base`."""
    one = RECORDED[base]
    try:
        rate, fixed_on = usdcny_fixing(asked.directory, one.date)
        before = tape_before(asked)
    except TapeError as error:
        message = told("--tape {}: {}", asked.directory, error)
        raise DemoError(message) from error
    mean = mean_ratio(before, one.domestic.symbol, one.overseas.symbol) / rate
    lots = max(1, int((mean * Decimal(one.domestic.lot_units) / Decimal(one.overseas.lot_units)).to_integral_value()))
    pair_id = f"{one.domestic.symbol[:2]}-{one.overseas.symbol[:2]}"
    return Plan(
        Venue("CFFEX", "domestic44", HOME_NETWORK, HOME_CLOCK, (one.domestic,)),
        Venue(one.away, "overseas42", asked.network or "shanghai-chicago", AWAY_CLOCK, (one.overseas,)),
        pair_table(pair_id, "ratio", "point")
        | {"max_quote_skew_ms": 5000, "slippage_budget": "10000", "repair_pay_up_ticks": list(one.repair_pay_up)},
        rule_table(f"{base}-mean", pair_id, "ratio", _text(mean), _text(mean * ABOVE_MEAN))
        | {"cool_down_ms": 2500, "max_units": 8},
        (
            leg_table(f"CFFEX.{one.domestic.symbol}", 1, 1500),
            leg_table(f"{one.away}.{one.overseas.symbol}", lots, 10_000, one.away_pay_up)
            | {"fx_rate": str(rate), "fx_source": f"ECB reference rate of {fixed_on}", "fx_date": "always"},
        ),
        f"CFFEX {one.domestic.symbol} against {one.away} {one.overseas.symbol}",
        f"rule set at the time-weighted mean ratio of the {LOOK_BACK_S} s before {tape_name(asked).partition('@')[2]}, "
        f"{lots} lots of {one.overseas.symbol} to one of {one.domestic.symbol} by value at that mean; nothing later is "
        f"known to it; the minute is chosen to show trades, not to prove a strategy",
    )


def tape_before(asked: Asked) -> Tape:
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
