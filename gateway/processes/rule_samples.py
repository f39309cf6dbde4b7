"""Samples of the record that a moving band warms up with: the pair's prices as the recorder kept them.

A sample is the middle of both prices as last published at a moment of the grid of `interval_ns`, on UTC, where neither
is missing. Samples are counted back from now, as many as the band needs, none older than it allows. Times of another
boot are brought to this one by the clocks that each file opens with.

What can go wrong: no record, a damaged one, or one in which the pair had no price. Then there are fewer samples, and
the rule warms up live.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.journal.frame import CorruptJournalError
from gateway.journal.reader import RECORDER, journal_paths, read_journal
from gateway.model.record import JournalOpened, Observed, SamplesLoaded
from gateway.model.site import RuleSpec
from gateway.model.trade import PairPrice
from gateway.trigger.band import most_samples


class Wanted(NamedTuple):
    """What a pair's bands of one interval need."""

    pair_id: str
    interval_ns: int
    samples: int
    age_ns: int


def wanted_by(rules: Iterable[RuleSpec]) -> list[Wanted]:
    """For each pair and interval the most that any of its bands needs."""
    found: dict[tuple[str, int], Wanted] = {}
    for rule in rules:
        band = rule.band
        if band is None:
            continue
        samples = most_samples(band)
        age_ns = band.warm_up_age_ns or samples * band.interval_ns
        known = found.get((rule.pair_id, band.interval_ns), Wanted(rule.pair_id, band.interval_ns, 0, 0))
        most = Wanted(rule.pair_id, band.interval_ns, max(samples, known.samples), max(age_ns, known.age_ns))
        found[rule.pair_id, band.interval_ns] = most
    return list(found.values())


def load_samples(run_dir: Path, rules: Iterable[RuleSpec], at_ns: int, utc_ns: int) -> list[SamplesLoaded]:
    """What the record has for the bands of these rules; `at_ns` and `utc_ns` are now on both clocks."""
    wanted = wanted_by(rules)
    if not wanted:
        return []
    # The price in force at the first moment of the grid was told up to an interval before it.
    oldest_utc_ns = utc_ns - max(one.age_ns + one.interval_ns for one in wanted)
    names = {one.pair_id for one in wanted}
    prices: dict[str, list[tuple[int, int | None]]] = {name: [] for name in names}
    for utc, price in _prices(run_dir, oldest_utc_ns, names):
        middle = None
        if price.buy_px_e9 is not None and price.sell_px_e9 is not None:
            middle = (price.buy_px_e9 + price.sell_px_e9) // 2
        prices[price.pair_id].append((utc, middle))
    made = []
    for one in wanted:
        kept = deque(_on_grid(prices[one.pair_id], one, utc_ns), maxlen=one.samples)
        if kept:
            samples = tuple((utc - utc_ns + at_ns, middle) for utc, middle in kept)
            made.append(SamplesLoaded(at_ns, one.pair_id, one.interval_ns, samples))
    return made


def _on_grid(prices: list[tuple[int, int | None]], one: Wanted, utc_ns: int) -> Iterator[tuple[int, int]]:
    """The price in force at each moment of the grid; none where it is missing, or was not told of for an interval."""
    if not prices:
        return
    place = 0
    begin_ns = max(utc_ns - one.age_ns, prices[0][0])
    grid_ns = -(-begin_ns // one.interval_ns) * one.interval_ns
    while grid_ns <= utc_ns:
        while place + 1 < len(prices) and prices[place + 1][0] <= grid_ns:
            place += 1
        told_ns, middle = prices[place]
        if told_ns <= grid_ns and middle is not None and grid_ns - told_ns < one.interval_ns:
            yield grid_ns, middle
        elif told_ns < grid_ns and place + 1 < len(prices):
            # Nothing was told for a while: on with the first moment after the next price.
            grid_ns = max(grid_ns, prices[place + 1][0] // one.interval_ns * one.interval_ns)
        elif place + 1 >= len(prices):
            return
        grid_ns += one.interval_ns


def _prices(run_dir: Path, oldest_utc_ns: int, names: set[str]) -> Iterator[tuple[int, PairPrice]]:
    """Prices of these pairs since then, oldest first, in UTC."""
    recent = []
    for path in reversed(journal_paths(run_dir, RECORDER)):
        recent.append(path)
        if path.stat().st_mtime_ns < oldest_utc_ns:
            break
    for path in reversed(recent):
        ahead_ns = 0
        try:
            for record in read_journal(path, on_torn=lambda _torn: None):
                if isinstance(record, JournalOpened):
                    ahead_ns = record.utc_ns - record.monotonic_ns
                elif isinstance(record, Observed) and isinstance(record.what, PairPrice):
                    utc_ns = record.what.at_ns + ahead_ns
                    if record.what.pair_id in names and utc_ns >= oldest_utc_ns:
                        yield utc_ns, record.what
        except CorruptJournalError:
            continue
