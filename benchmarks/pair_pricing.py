"""What the trigger itself costs: a quote taken up until the rules of every pair that it touches are evaluated.

One process, no sockets: quotes are made before, and handed to `TriggerCore.on_quote` as the trigger does. Instruments
tick in turn by a drawn but fixed order; the prices walk near the middle of every rule's band, so that nothing fires.
The second legs of every other pair are in USD and converted at a live rate, whose own ticks touch all those pairs at
once: they are timed apart. Sizes are timed in turn within each round, because the machine drifts.
"""

import random
import time
from decimal import Decimal
from fractions import Fraction

import msgspec

from benchmarks.harness import Options
from benchmarks.machine import describe, in_words
from benchmarks.percentiles import Summary, median, summarise
from benchmarks.report import Figure, Report, table
from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.order import TimeInForce
from gateway.model.quote import BookState, Levels, Quote
from gateway.model.site import FormulaKind, LegSpec, PairSpec, RuleSpec
from gateway.model.trade import ExecutionStatus
from gateway.trigger.core import TriggerCore

SIZES = ((200, 100), (2000, 1000))
REACH_US, STRETCH_US = 10.0, 4.0
REACH_RATIO, STRETCH_RATIO = 1.3, 1.1
DEFAULT = Options(rounds=5, seconds=1.0, rates=(0,), sides=("gateway",))
RATE = "FX.USDCNH"
FX_SHARE = 0.01
"""Share of the ticks that are the currency's."""
_MID_TICKS = 7000
_LATER_NS = 1000


class World(msgspec.Struct, frozen=True):
    """A trigger and the quotes that it will get."""

    core: TriggerCore
    ticks: tuple[Quote, ...]
    pairs_touched: float


class Timed(msgspec.Struct, frozen=True):
    """One size in one round: ticks of legs, and of the currency."""

    legs: Summary
    currency: Summary


def _instrument(name: str, currency: str) -> Instrument:
    venue, _, symbol = name.partition(".")
    return Instrument(name, venue, symbol, Decimal("0.5"), Decimal(5), "t", currency, Decimal(5))


def _leg(name: str, ratio_lots: int, fx: str) -> LegSpec:
    factor = Fraction(113, 100) if fx else Fraction(1)
    return LegSpec(name, ratio_lots, factor, fx, None, 2, TimeInForce.IOC, 10**15)


def _pair(number: int, instruments: int) -> tuple[PairSpec, RuleSpec]:
    """Every instrument is the first leg of some pairs and the second of others; the odd pairs convert a currency."""
    first = number % instruments
    second = (first + 1 + number // instruments) % instruments
    fx = RATE if number % 2 else ""
    legs = (_leg(f"A.{first}", 5, ""), _leg(f"A.{second}", 1, fx))
    spec = PairSpec(
        f"P{number}", FormulaKind.SPREAD, "CNY", "t", 0, legs, 10**15, 0, (2, 4), 10**9, 10**9, 1, 5,
    )  # fmt: skip
    middle = (
        0
        if not fx
        else (_MID_TICKS * PRICE_E9 - int(_MID_TICKS * Fraction(113, 100) * Fraction("6.85") * PRICE_E9)) // 2
    )
    band = 200 * PRICE_E9
    rule = RuleSpec(f"R{number}", spec.pair_id, middle - band, middle + band, 1, 5, 0, 10**9, 10**9)
    return spec, rule


def _levels(best_ticks: int, step: int, sizes: random.Random) -> Levels:
    return tuple((best_ticks + step * depth, sizes.randrange(5, 50)) for depth in range(5))


def _quote(name: str, mid_ticks: int, number: int, draw: random.Random) -> Quote:
    bids, asks = _levels(mid_ticks - 1, -1, draw), _levels(mid_ticks + 1, 1, draw)
    return Quote(name, BookState.OK, bids, asks, number, 0, number, number)


def world(pairs: int, instruments: int, ticks: int) -> World:
    """Everything is known once before the timed ticks begin."""
    draw = random.Random(f"pair pricing {pairs} {instruments}")  # noqa: S311 - fixed, not secret
    made = [_pair(number, instruments) for number in range(pairs)]
    names = [f"A.{number}" for number in range(instruments)]
    listed = {name: _instrument(name, "CNY") for name in names}
    listed[RATE] = Instrument(RATE, "FX", "USDCNH", Decimal("0.0001"), Decimal(1), "usd", "CNH", Decimal(1))
    core = TriggerCore([spec for spec, _ in made], [rule for _, rule in made], listed, silence_ns=10**9)
    core.on_execution(ExecutionStatus(1, True, False, False, "full", 0, 0, (), 0), 0)  # noqa: FBT003 - its form
    for name in names:
        core.on_quote(_quote(name, _MID_TICKS, 0, draw), 0)
    core.on_quote(_quote(RATE, 68500, 0, draw), 0)
    drawn = []
    for number in range(1, ticks + 1):
        if draw.random() < FX_SHARE:
            drawn.append(_quote(RATE, 68500 + draw.randrange(-20, 21), number, draw))
        else:
            drawn.append(_quote(draw.choice(names), _MID_TICKS + draw.randrange(-20, 21), number, draw))
    return World(core, tuple(drawn), 2 * pairs / instruments)


def run(made: World, seconds: float) -> Timed:
    """Time each tick by itself until `seconds` are over."""
    legs_ns: list[int] = []
    currency_ns: list[int] = []
    on_quote = made.core.on_quote
    clock = time.perf_counter_ns
    until_ns = clock() + int(seconds * 10**9)
    begin_ns = 0
    while begin_ns < until_ns:
        for quote in made.ticks:
            begin_ns = clock()
            wishes = on_quote(quote, _LATER_NS)
            took_ns = clock() - begin_ns
            (currency_ns if quote.instrument_id == RATE else legs_ns).append(took_ns)
            if wishes:
                raise RuntimeError(f"{quote.instrument_id}: a rule fired in the middle of its band")
    legs, currency = summarise(legs_ns), summarise(currency_ns)
    if legs is None or currency is None:
        raise RuntimeError(f"{seconds} s were too short for a tick of each kind")
    return Timed(legs, currency)


def measure(options: Options) -> Report:
    """All rounds, printed as they come."""
    machine = describe()
    print(in_words(machine))
    report = Report("pair-pricing", machine, {"rounds": options.rounds, "seconds": options.seconds})
    worlds = {size: world(*size, ticks=5000) for size in SIZES}
    timed: dict[tuple[int, int], list[Timed]] = {size: [] for size in SIZES}
    rows = []
    for number in range(1, options.rounds + 1):
        for size in SIZES:
            one = run(worlds[size], options.seconds)
            timed[size].append(one)
            for what, summary in (("leg", one.legs), ("currency", one.currency)):
                rows.append((number, *size, what, summary.count, *_in_us(summary)))
                report.rounds.append(
                    {"round": number, "pairs": size[0], "instruments": size[1], "tick": what, "summary": summary}
                )
    print(table(("round", "pairs", "instruments", "tick", "count", "p50 us", "p90", "p99", "p99.9", "max"), rows))
    _figures(report, timed)
    for figure in report.figures:
        print(figure.in_words())
    return report


def _in_us(summary: Summary) -> tuple[str, ...]:
    values = (summary.p50_ns, summary.p90_ns, summary.p99_ns, summary.p99_9_ns, summary.max_ns)
    return tuple(f"{value / 1000:.1f}" for value in values)


def _figures(report: Report, timed: dict[tuple[int, int], list[Timed]]) -> None:
    small, large = (timed[size] for size in SIZES)
    p50_us = median([one.legs.p50_ns for one in small]) / 1000
    p99_us = median([one.legs.p99_ns for one in small]) / 1000
    ratio = median([one.legs.p50_ns / other.legs.p50_ns for one, other in zip(large, small, strict=True)])
    report.figures.append(Figure("quote_to_rules_p50", round(p50_us, 2), "us", REACH_US, STRETCH_US))
    report.figures.append(Figure("quote_to_rules_p99", round(p99_us, 2), "us"))
    report.figures.append(
        Figure("quote_to_rules_p50_ten_times_larger", round(ratio, 2), "x", REACH_RATIO, STRETCH_RATIO)
    )


if __name__ == "__main__":
    measure(DEFAULT)
