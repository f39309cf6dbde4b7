"""What a tape holds, in figures: rates, spreads, depth, the basis of a synthetic pair, and a digest of its events.

The digest is SHA-256 over the events' text, one line each, so two machines can tell that they replay the same market.
The basis is sampled every 100 ms from the mids of the books; its half-life is read from the autocorrelation at one
second. Opportunities are counted as a trader with a feed of 500 ms snapshots of the domestic book would see them.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise
from math import isqrt, log
from statistics import correlation, median
from typing import NamedTuple

from simulators.core.tape import Tape, TapeBook, TapeEvent, TapeStatus, TapeTrade
from simulators.tapes.draws import MICRO, SECOND_NS
from simulators.tapes.markets import Market
from simulators.tapes.synthetic import SyntheticTape, conversion

SAMPLE_NS = 100_000_000
SNAPSHOT_SAMPLES = 5
LAG_SAMPLES = 10
"""One second."""
EDGES_IN_SPREADS = (Decimal(0), Decimal("0.25"), Decimal("0.5"), Decimal(1), Decimal(2))


class InstrumentFigures(NamedTuple):
    """Of one instrument: counts, the busiest second, and medians over its books with two sides."""

    venue: str
    symbol: str
    books: int
    trades: int
    statuses: int
    peak_per_s: int
    spread_ticks: Decimal
    best_lots: Decimal
    depth_lots: Decimal


class Opportunities(NamedTuple):
    """How often either side's edge rises to `edge` or above, per minute; edges are after both spreads are crossed."""

    edge: Decimal
    sell_domestic_per_min: Decimal
    buy_domestic_per_min: Decimal


class BasisFigures(NamedTuple):
    """Of domestic mid minus fair, in the domestic price's unit. `crossing` is the cost of crossing both spreads."""

    mean: Decimal
    deviation: Decimal
    half_life_s: Decimal | None
    crossing: Decimal
    opportunities: tuple[Opportunities, ...]


class Sample(NamedTuple):
    """Micro-ticks of the domestic leg. The edges are what selling (buying) the domestic leg yields, spreads crossed."""

    basis: int
    sell_edge: int
    buy_edge: int
    crossing: int


def digest(events: Iterable[TapeEvent]) -> str:
    """SHA-256, in hexadecimal, of the events in their order."""
    sha = hashlib.sha256()
    for event in events:
        sha.update(f"{event!r}\n".encode())
    return sha.hexdigest()


def instrument_figures(tape: Tape) -> list[InstrumentFigures]:
    """Figures of each instrument, in the tape's order; the books at 0 count, peaks are of book changes."""
    events: dict[tuple[str, str], list[TapeEvent]] = {(one.venue, one.symbol): [] for one in tape.instruments}
    for event in tape.events():
        events[event.venue, event.symbol].append(event)
    return [_figures(*key, found) for key, found in events.items()]


def basis_figures(tape: SyntheticTape) -> BasisFigures:
    """Figures of the basis of a synthetic pair."""
    samples = list(_samples(tape))
    values = [sample.basis for sample in samples]
    middle = sum(values) // len(values)
    deviation = isqrt(sum((value - middle) ** 2 for value in values) // len(values))
    crossing = sum(sample.crossing for sample in samples) // len(samples)
    unit = tape.market.domestic.tick / MICRO
    edges = [int(crossing * share) for share in EDGES_IN_SPREADS]
    return BasisFigures(
        _round(middle * unit, tape.market),
        _round(deviation * unit, tape.market),
        _half_life_s(values),
        _round(crossing * unit, tape.market),
        tuple(_opportunities(samples, edge, tape) for edge in edges),
    )


def _figures(venue: str, symbol: str, events: list[TapeEvent]) -> InstrumentFigures:
    books = [event for event in events if isinstance(event, TapeBook)]
    whole = [book for book in books if book.bids and book.asks]
    per_second = Counter(book.at_ns // SECOND_NS for book in books)
    return InstrumentFigures(
        venue,
        symbol,
        len(books),
        sum(isinstance(event, TapeTrade) for event in events),
        sum(isinstance(event, TapeStatus) for event in events),
        max(per_second.values(), default=0),
        _median(book.asks[0][0] - book.bids[0][0] for book in whole),
        _median(side[0][1] for book in whole for side in (book.bids, book.asks)),
        _median(sum(lots for _, lots in side) for book in whole for side in (book.bids, book.asks)),
    )


def _samples(tape: SyntheticTape) -> Iterator[Sample]:
    market = tape.market
    num, den = conversion(market).as_integer_ratio()
    books: dict[str, TapeBook] = {}
    due_ns = SAMPLE_NS
    for event in tape.events():
        while event.at_ns >= due_ns:
            yield _sample(market, books, num, den)
            due_ns += SAMPLE_NS
        if isinstance(event, TapeBook):
            books[event.symbol] = event


def _sample(market: Market, books: dict[str, TapeBook], num: int, den: int) -> Sample:
    home, away, money = (books[leg.symbol] for leg in (market.domestic, market.overseas, market.currency))
    rate = (money.bids[0][0] + money.asks[0][0]) * MICRO // 2
    fair_bid, fair_ask = (side[0][0] * MICRO * rate * num // den for side in (away.bids, away.asks))
    bid, ask = home.bids[0][0] * MICRO, home.asks[0][0] * MICRO
    return Sample(
        (bid + ask - fair_bid - fair_ask) // 2, bid - fair_ask, fair_bid - ask, ask - bid + fair_ask - fair_bid
    )


def _opportunities(samples: list[Sample], edge: int, tape: SyntheticTape) -> Opportunities:
    seen = samples[::SNAPSHOT_SAMPLES]
    sells = sum(a.sell_edge < edge <= b.sell_edge for a, b in pairwise(seen))
    buys = sum(a.buy_edge < edge <= b.buy_edge for a, b in pairwise(seen))
    per_min = Decimal(60) / tape.seconds
    return Opportunities(
        _round(edge * tape.market.domestic.tick / MICRO, tape.market),
        (sells * per_min).quantize(Decimal("0.1")),
        (buys * per_min).quantize(Decimal("0.1")),
    )


def _half_life_s(values: list[int]) -> Decimal | None:
    """From the autocorrelation at one second; None where the tape is too short or shows no return."""
    if len(values) <= 2 * LAG_SAMPLES:
        return None
    kept = correlation(values[:-LAG_SAMPLES], values[LAG_SAMPLES:])
    return Decimal(log(0.5) / log(kept)).quantize(Decimal("0.1")) if 0 < kept < 1 else None


def _median(values: Iterable[int]) -> Decimal:
    found = list(values)
    return Decimal(median(found)).normalize() if found else Decimal(0)


def _round(value: Decimal, market: Market) -> Decimal:
    """To a tenth of the domestic tick."""
    return Decimal(value).quantize(market.domestic.tick / 10)
