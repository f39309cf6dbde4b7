"""The pair's price over time, thinned for drawing: in each slice of time the lowest and the highest stay. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.model.record import JournalRecord, Missed, Observed
from gateway.model.trade import PairPrice

SLICES = 400
Points = list[tuple[int, int]]


@dataclass(slots=True)
class PriceLine:
    """One pair: stretches of times and executable prices in 1e-9, and the rule's thresholds as last seen.

    A stretch ends where the pair could not be priced on that side.
    """

    buy: list[Points] = field(default_factory=list)
    sell: list[Points] = field(default_factory=list)
    buy_at_e9: int | None = None
    sell_at_e9: int | None = None


@dataclass(slots=True)
class Observations:
    """What the recorder saw: prices by pair, and how many messages it missed."""

    lines: dict[str, PriceLine] = field(default_factory=dict)
    missed: int = 0


def observe(records: Iterable[JournalRecord]) -> Observations:
    """Collect the recorder's journals."""
    found = Observations()
    lines: dict[str, PriceLine] = defaultdict(PriceLine)
    broken: set[tuple[str, str]] = set()
    for record in records:
        if isinstance(record, Missed):
            found.missed += record.last_seq - record.first_seq + 1
        elif isinstance(record, Observed) and isinstance(record.what, PairPrice):
            _take(lines[record.what.pair_id], record.what, broken)
    found.lines = dict(lines)
    return found


def _take(line: PriceLine, price: PairPrice, broken: set[tuple[str, str]]) -> None:
    for side, stretches, px_e9 in (("buy", line.buy, price.buy_px_e9), ("sell", line.sell, price.sell_px_e9)):
        key = (price.pair_id, side)
        if px_e9 is None:
            broken.add(key)
            continue
        if key in broken or not stretches:
            stretches.append([])
            broken.discard(key)
        stretches[-1].append((price.at_ns, px_e9))
    line.buy_at_e9 = price.buy_at_e9 if price.buy_at_e9 is not None else line.buy_at_e9
    line.sell_at_e9 = price.sell_at_e9 if price.sell_at_e9 is not None else line.sell_at_e9


def thin_all(stretches: list[Points], slices: int = SLICES) -> list[Points]:
    """Thin every stretch by slices of the whole time."""
    if not stretches or sum(map(len, stretches)) <= 4 * slices:
        return stretches
    width = max((stretches[-1][-1][0] - stretches[0][0][0]) // slices, 1)
    return [thin(points, width) for points in stretches]


def thin(points: Points, width: int) -> Points:
    """Give at most four points per `width` of time: first, lowest, highest, last. Extremes are never lost."""
    start = points[0][0]
    buckets: dict[int, Points] = defaultdict(list)
    for point in points:
        buckets[(point[0] - start) // width].append(point)
    kept: Points = []
    for bucket in buckets.values():
        low, high = min(bucket, key=lambda at: at[1]), max(bucket, key=lambda at: at[1])
        kept += sorted({bucket[0], low, high, bucket[-1]})
    return kept
