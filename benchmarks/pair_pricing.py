"""What the trigger itself costs: a quote taken up until the rules of every pair that it touches are evaluated.

One process, no sockets: quotes are made before, and handed to `TriggerCore.on_quote` as the trigger does. Instruments
tick in turn by a drawn but fixed order; the prices walk near the middle of every rule's band, so that nothing fires.
The second legs of every other pair are in USD and converted at a live rate, whose own ticks touch all those pairs at
once: they are timed apart. Sizes are timed in turn within each round, because the machine drifts.

Each size is timed twice: with the kinds of pair, and with the same pairs as formulas of names. Beside them, in the same
rounds, vnpy_spreadtrading's own price calculation (`benchmarks/pricing_peer.py`), which makes the two prices and the
sizes at the touch and does nothing else: no rule, no age, no skew, no depth.
"""

import random
import time
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import msgspec

from benchmarks.harness import Options
from benchmarks.machine import describe, in_words
from benchmarks.percentiles import Summary, median, summarise
from benchmarks.pricing_peer import Peer, peer
from benchmarks.report import Figure, Report, table
from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.order import TimeInForce
from gateway.model.quote import BookState, Levels, Quote
from gateway.model.site import (
    ExpressionSpec,
    FormulaKind,
    LegSpec,
    PairSpec,
    ParameterRow,
    ParameterSpec,
    ReferenceSpec,
    RuleSpec,
)
from gateway.model.trade import ExecutionStatus
from gateway.trigger.core import TriggerCore

SIZES = ((200, 100), (2000, 1000))
REACH_US, STRETCH_US = 10.0, 4.0
REACH_RATIO, STRETCH_RATIO = 1.3, 1.1
DEFAULT = Options(rounds=5, seconds=1.0, rates=(0,), sides=("gateway", "reference"))
KINDS, FORMULAS, PEER = "kinds", "formulas", "vnpy"
TICKS = 5000
VAT = ParameterSpec("vat", "", (ParameterRow(Decimal("0.13")),))
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


def _as_formula(spec: PairSpec) -> PairSpec:
    """The same pair in the language of formulas."""
    first, second = spec.legs
    live = bool(second.fx_instrument_id)
    legs = (
        msgspec.structs.replace(first, name="a", direction=1),
        msgspec.structs.replace(second, name="b", direction=-1, factor=Fraction(1)),
    )
    references = (ReferenceSpec("r", RATE),) if live else ()
    expression = ExpressionSpec("a - b * r * (1 + vat)" if live else "a - b", references, (VAT,) if live else ())
    return msgspec.structs.replace(spec, legs=legs, expression=expression)


def _levels(best_ticks: int, step: int, sizes: random.Random) -> Levels:
    return tuple((best_ticks + step * depth, sizes.randrange(5, 50)) for depth in range(5))


def _quote(name: str, mid_ticks: int, number: int, draw: random.Random) -> Quote:
    bids, asks = _levels(mid_ticks - 1, -1, draw), _levels(mid_ticks + 1, 1, draw)
    return Quote(name, BookState.OK, bids, asks, number, 0, number, number)


def world(pairs: int, instruments: int, ticks: int, *, formulas: bool = False) -> World:
    """Everything is known once before the timed ticks begin."""
    draw = random.Random(f"pair pricing {pairs} {instruments}")  # noqa: S311 - fixed, not secret
    made = [_pair(number, instruments) for number in range(pairs)]
    names = [f"A.{number}" for number in range(instruments)]
    listed = {name: _instrument(name, "CNY") for name in names}
    listed[RATE] = Instrument(RATE, "FX", "USDCNH", Decimal("0.0001"), Decimal(1), "usd", "CNH", Decimal(1))
    specs = [_as_formula(spec) if formulas else spec for spec, _ in made]
    core = TriggerCore(specs, [rule for _, rule in made], listed, silence_ns=10**9)
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


Key = tuple[str, tuple[int, int]]


def measure(options: Options) -> Report:
    """All rounds, printed as they come."""
    machine = describe()
    print(in_words(machine))
    report = Report("pair-pricing", machine, {"rounds": options.rounds, "seconds": options.seconds})
    timed: dict[Key, list[Timed]] = {}
    rows = []
    with peer(wanted="reference" in options.sides) as other:
        for number, key, one in _rounds(options, other):
            timed.setdefault(key, []).append(one)
            what, size = key
            for tick, summary in (("leg", one.legs), ("currency", one.currency)):
                rows.append((number, what, *size, tick, summary.count, *_in_us(summary)))
                report.rounds.append(
                    {"round": number, "priced": what, "pairs": size[0], "instruments": size[1], "tick": tick,
                     "summary": summary}
                )  # fmt: skip
        if other is not None and other.missing:
            report.notes.append(f"vnpy_spreadtrading is not compared: {other.missing}")
    head = ("round", "priced as", "pairs", "instruments", "tick", "count", "p50 us", "p90", "p99", "p99.9", "max")
    print(table(head, rows))
    _figures(report, timed)
    for figure in report.figures:
        print(figure.in_words())
    for note in report.notes:
        print(note)
    return report


def _rounds(options: Options, other: Peer | None) -> Iterator[tuple[int, Key, Timed]]:
    """Every round of every way and size, in turn."""
    ways: list[Key] = [(what, size) for what in (KINDS, FORMULAS) for size in SIZES if "gateway" in options.sides]
    worlds = {(what, size): world(*size, ticks=TICKS, formulas=what == FORMULAS) for what, size in ways}
    for number in range(1, options.rounds + 1):
        for key, made in worlds.items():
            yield number, key, run(made, options.seconds)
        for size in SIZES:
            found = None if other is None or other.missing else other.run(*size, TICKS, options.seconds)
            if found is not None:
                yield number, (PEER, size), Timed(*found)


def _in_us(summary: Summary) -> tuple[str, ...]:
    values = (summary.p50_ns, summary.p90_ns, summary.p99_ns, summary.p99_9_ns, summary.max_ns)
    return tuple(f"{value / 1000:.1f}" for value in values)


def _figures(report: Report, timed: dict[Key, list[Timed]]) -> None:
    aims = {KINDS: (REACH_US, STRETCH_US, REACH_RATIO, STRETCH_RATIO), FORMULAS: (REACH_US, STRETCH_US, None, None)}
    for what in (KINDS, FORMULAS, PEER):
        if (what, SIZES[0]) not in timed:
            continue
        small, large = (timed[what, size] for size in SIZES)
        name = "quote_to_rules" if what == KINDS else f"quote_to_rules.{what}" if what == FORMULAS else what
        reach_us, stretch_us, reach_ratio, stretch_ratio = aims.get(what, (None,) * 4)
        for per, aim in (("p50", (reach_us, stretch_us)), ("p90", ()), ("p99", ()), ("p99_9", ())):
            middle = median([getattr(one.legs, f"{per}_ns") for one in small]) / 1000
            report.figures.append(Figure(f"{name}_{per}", round(middle, 2), "us", *aim))
        ratio = median([one.legs.p50_ns / other.legs.p50_ns for one, other in zip(large, small, strict=True)])
        figure = Figure(f"{name}_p50_ten_times_larger", round(ratio, 2), "x", reach_ratio, stretch_ratio)
        report.figures.append(figure)
    if {(KINDS, SIZES[0]), (PEER, SIZES[0])} <= set(timed):
        for what in (KINDS, FORMULAS):
            ours, theirs = (timed[key, SIZES[0]] for key in (what, PEER))
            times = median([other.legs.p50_ns / one.legs.p50_ns for one, other in zip(ours, theirs, strict=True)])
            report.figures.append(Figure(f"vnpy_over_{what}_p50", round(times, 1), "x", less_is_better=False))


if __name__ == "__main__":
    measure(DEFAULT)
