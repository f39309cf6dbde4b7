"""The pair's price over time, thinned for drawing: in each slice of time the lowest and the highest stay. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.model.record import JournalRecord, Missed, Observed
from gateway.model.trade import PairPrice

SLICES = 500


@dataclass(slots=True)
class PriceLine:
    """One pair: times and executable prices in 1e-9, and the rule's thresholds as last seen."""

    buy: list[tuple[int, int]] = field(default_factory=list)
    sell: list[tuple[int, int]] = field(default_factory=list)
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
    for record in records:
        if isinstance(record, Missed):
            found.missed += record.last_seq - record.first_seq + 1
        elif isinstance(record, Observed) and isinstance(record.what, PairPrice):
            _take(lines[record.what.pair_id], record.what)
    found.lines = dict(lines)
    return found


def _take(line: PriceLine, price: PairPrice) -> None:
    if price.buy_px_e9 is not None:
        line.buy.append((price.at_ns, price.buy_px_e9))
    if price.sell_px_e9 is not None:
        line.sell.append((price.at_ns, price.sell_px_e9))
    line.buy_at_e9 = price.buy_at_e9 if price.buy_at_e9 is not None else line.buy_at_e9
    line.sell_at_e9 = price.sell_at_e9 if price.sell_at_e9 is not None else line.sell_at_e9


def thin(points: list[tuple[int, int]], slices: int = SLICES) -> list[tuple[int, int]]:
    """Give at most four points per slice of time: first, lowest, highest, last. Extremes are never lost."""
    if len(points) <= 4 * slices:
        return points
    start, end = points[0][0], points[-1][0]
    width = max((end - start) // slices, 1)
    buckets: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for point in points:
        buckets[(point[0] - start) // width].append(point)
    kept: list[tuple[int, int]] = []
    for bucket in buckets.values():
        low, high = min(bucket, key=lambda at: at[1]), max(bucket, key=lambda at: at[1])
        kept += sorted({bucket[0], low, high, bucket[-1]})
    return kept
