"""Charts of the run report as inline SVG: colours come from the page's classes, so they follow its light and dark.

Each function takes figures and gives markup; text of a run is escaped. Pixels are floats, figures stay exact.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil, floor, log10
from typing import NamedTuple

from markupsafe import Markup

from gateway.journal.prices import PriceLine, thin_all
from gateway.journal.statistics import nearest_rank
from gateway.journal.units import duration, money
from gateway.journal.words import both_svg
from gateway.model.base import PRICE_E9

WIDTH = 1000
_NO_MARKUP = Markup("")


class Mark(NamedTuple):
    """A pair trade on the price chart."""

    at_ns: int
    px_e9: int
    is_buy: bool
    outcome: str
    title: str


class Box(NamedTuple):
    """Where a chart's data lies, in pixels, and what values its edges stand for."""

    left: float
    top: float
    width: float
    height: float
    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        """Pixel of a value."""
        return self.left + self.width * (value - self.x_low) / (self.x_high - self.x_low)

    def y(self, value: float) -> float:
        """Pixel of a value; high values lie above."""
        return self.top + self.height * (1 - (value - self.y_low) / (self.y_high - self.y_low))


def price_chart(line: PriceLine, marks: Sequence[Mark], start_ns: int) -> Markup:
    """Draw executable prices, thresholds and every pair trade of one pair."""
    lines = [(kind, points) for kind, all_ in (("buy", line.buy), ("sell", line.sell)) for points in thin_all(all_)]
    points_drawn = [point for _, points in lines for point in points]
    times = [at for at, _ in points_drawn] + [mark.at_ns for mark in marks]
    levels = [level for level in (line.buy_at_e9, line.sell_at_e9) if level is not None]
    values = [px for _, px in points_drawn] + [mark.px_e9 for mark in marks] + levels
    if not times:
        return _NO_MARKUP
    height = 330
    low, high = _padded(min(values) / PRICE_E9, max(values) / PRICE_E9)
    seconds = [(at - start_ns) / 1e9 for at in (min(times), max(times))]
    x_low, x_high = _padded(seconds[0], seconds[1], share=0.01)
    box = Box(78, 12, WIDTH - 90, height - 52, x_low, x_high, low, high)
    parts = [*_y_axis(box, lambda value: f"{value:,g}"), *_x_axis(box, lambda value: f"{value:g} s")]
    for level in levels:
        y = box.y(level / PRICE_E9)
        parts.append(_line("level", box.left, y, box.left + box.width, y, money(level)))
    for kind, points in lines:
        parts.append(_polyline(f"curve {kind}", _steps(box, points, start_ns)))
    parts += [_triangle(box, mark, start_ns) for mark in marks]
    return _svg(height, parts)


def waterfall(hops: Mapping[str, int]) -> Markup:
    """Draw the median of each hop behind the one before."""
    row, left, top = 34, 300, 8
    total = sum(hops.values()) or 1
    box = Box(left, top, WIDTH - left - 90, row * len(hops), 0, total, 0, 1)
    parts = list(_x_axis(box, lambda value: duration(round(value))))
    begin = 0
    for index, (name, ns) in enumerate(hops.items()):
        y = top + index * row
        x, width = box.x(begin), max(box.x(begin + ns) - box.x(begin), 1.5)
        parts.append(both_svg(name, f'x="{left - 12}" y="{y + 21}" text-anchor="end" class="label"'))
        parts.append(Markup('<rect class="s{}" x="{:.1f}" y="{}" width="{:.1f}" height="20" rx="3"/>').format(
            index, x, y + 6, width))  # fmt: skip
        parts.append(_text("value", x + width + 6, y + 21, duration(ns)))
        begin += ns
    return _svg(top + row * len(hops) + 34, parts)


def percentile_curves(samples: Mapping[str, Sequence[int]]) -> Markup:
    """Draw each sample's value by percentile, both on scales that open up the slow end."""
    drawn = {name: sorted(sample) for name, sample in samples.items() if sample}
    if not drawn:
        return _NO_MARKUP
    nines = max(1.0, min(4.0, log10(max(len(sample) for sample in drawn.values()))))
    lowest = max(1, min(sample[0] for sample in drawn.values()))
    highest = max(sample[-1] for sample in drawn.values())
    height, legend = 340, 300
    box = Box(78, 12, WIDTH - 90 - legend, height - 52, 0, nines, floor(log10(lowest)), ceil(log10(highest + 1)))
    parts: list[Markup] = []
    for power in range(int(box.y_low), int(box.y_high) + 1):
        parts += _gridline(box, box.y(power), duration(10**power))
    for at, words in ((0.0, "0"), (0.30103, "p50"), (1.0, "p90"), (2.0, "p99"), (3.0, "p99.9"), (4.0, "p99.99")):
        if at <= nines:
            parts.append(_text("tick middle", box.x(at), box.top + box.height + 20, words))
            parts.append(_line("grid", box.x(at), box.top, box.x(at), box.top + box.height))
    for index, (name, sample) in enumerate(drawn.items()):
        kind = "total" if name == "quote_to_order_ns" else f"s{index - 1}"
        parts.append(_polyline(f"curve {kind}", _percentile_points(box, sample, nines)))
        y = box.top + 14 + index * 26
        x = box.left + box.width + 24
        parts.append(_line(f"curve {kind}", x, y - 4, x + 18, y - 4))
        parts.append(both_svg(name, f'x="{x + 26}" y="{y}"'))
    return _svg(height, parts)


def histogram(values_e9: Sequence[int], bins: int = 24) -> Markup:
    """Draw how often each size of slippage occurred; zero is marked."""
    if not values_e9:
        return _NO_MARKUP
    low, high = min(*values_e9, 0), max(*values_e9, 0)
    step = _nice_step((high - low) / PRICE_E9 / bins) if high > low else 1.0
    counts = Counter(floor(value / PRICE_E9 / step) for value in values_e9)
    first, last = min(*counts, 0), max(*counts, 0) + 1
    height = 260
    box = Box(78, 12, WIDTH - 90, height - 52, first * step, last * step, 0, max(counts.values()) * 1.08)
    parts = [*_y_axis(box, lambda value: f"{value:g}", whole=True), *_x_axis(box, lambda value: f"{value:,g}")]
    for index, count in sorted(counts.items()):
        x, width = box.x(index * step), box.x((index + 1) * step) - box.x(index * step)
        title = f"{index * step:,g} … {(index + 1) * step:,g}: {count}"
        parts.append(_bar("s0", x + 1, box.y(count), max(width - 2, 1), box.top + box.height - box.y(count), title))
    parts.append(_line("zero", box.x(0), box.top, box.x(0), box.top + box.height))
    return _svg(height, parts)


def stacked_orders(by_venue: Mapping[str, Mapping[str, int]]) -> Markup:
    """Draw one bar of orders for each venue, split by what became of them."""
    if not by_venue:
        return _NO_MARKUP
    row, left = 44, 110
    most = max(sum(counts.values()) for counts in by_venue.values()) or 1
    box = Box(left, 6, WIDTH - left - 80, row * len(by_venue), 0, most, 0, 1)
    parts = []
    for index, (venue, counts) in enumerate(by_venue.items()):
        y, begin = box.top + index * row, 0
        parts.append(_text("label end", left - 12, y + 24, venue))
        for outcome, count in counts.items():
            if count:
                x, width = box.x(begin), box.x(begin + count) - box.x(begin)
                parts.append(_bar(f"o-{outcome}", x, y + 4, max(width - 1, 1), 30, f"{venue} {outcome}: {count}"))
                begin += count
        parts.append(_text("value", box.x(begin) + 8, y + 24, str(begin)))
    return _svg(12 + row * len(by_venue), parts)


def _percentile_points(box: Box, ordered: Sequence[int], nines: float) -> list[tuple[float, float]]:
    steps = 120
    points = []
    for step in range(steps + 1):
        at = nines * step / steps
        value = nearest_rank(ordered, 100 * (1 - 10**-at))
        points.append((box.x(at), box.y(log10(max(value, 1)))))
    return points


def _steps(box: Box, points: Sequence[tuple[int, int]], start_ns: int) -> list[tuple[float, float]]:
    """Give the corners of a price that holds until the next one."""
    corners: list[tuple[float, float]] = []
    for at_ns, px_e9 in points:
        x, y = box.x((at_ns - start_ns) / 1e9), box.y(px_e9 / PRICE_E9)
        if corners and corners[-1][1] != y:
            corners.append((x, corners[-1][1]))
        corners.append((x, y))
    return corners


def _padded(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    margin = (high - low) * share or 1.0
    return low - margin, high + margin


def _nice_step(rough: float) -> float:
    """Give the smallest of 1, 2, 5 times a power of ten at or above `rough`."""
    power = 10.0 ** floor(log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)


def _ticks(low: float, high: float, wanted: int = 6) -> Iterator[float]:
    step = _nice_step((high - low) / wanted)
    for index in range(ceil(low / step), floor(high / step) + 1):
        yield round(index * step, 12)


def _x_axis(box: Box, words: Callable[[float], str]) -> Iterator[Markup]:
    bottom = box.top + box.height
    yield _line("axis", box.left, bottom, box.left + box.width, bottom)
    for value in _ticks(box.x_low, box.x_high, 8):
        yield _text("tick middle", box.x(value), bottom + 20, words(value))


def _y_axis(box: Box, words: Callable[[float], str], *, whole: bool = False) -> Iterator[Markup]:
    for value in _ticks(box.y_low, box.y_high):
        if not whole or value == int(value):
            yield from _gridline(box, box.y(value), words(value))


def _gridline(box: Box, y: float, words: str) -> Iterator[Markup]:
    yield _line("grid", box.left, y, box.left + box.width, y)
    yield _text("tick end", box.left - 8, y + 4, words)


def _svg(height: float, parts: Sequence[Markup]) -> Markup:
    head = Markup('<svg viewBox="0 0 {} {}" role="img">').format(WIDTH, height)
    return head + Markup("\n").join(parts) + Markup("</svg>")


def _line(kind: str, x1: float, y1: float, x2: float, y2: float, title: str = "") -> Markup:
    inner = Markup("<title>{}</title>").format(title) if title else _NO_MARKUP
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}">{}</line>').format(
        kind, x1, y1, x2, y2, inner
    )


def _polyline(kind: str, points: Sequence[tuple[float, float]]) -> Markup:
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Markup('<polyline class="{}" points="{}"/>').format(kind, joined)


def _text(kind: str, x: float, y: float, words: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(kind, x, y, words)


def _bar(kind: str, x: float, y: float, width: float, height: float, title: str) -> Markup:
    return Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="2"><title>{}</title></rect>'
    ).format(kind, x, y, width, height, title)


def _triangle(box: Box, mark: Mark, start_ns: int) -> Markup:
    x, y, way = box.x((mark.at_ns - start_ns) / 1e9), box.y(mark.px_e9 / PRICE_E9), -1 if mark.is_buy else 1
    path = f"M{x:.1f} {y + way * 8:.1f}L{x - 6:.1f} {y - way * 4:.1f}H{x + 6:.1f}Z"
    return Markup('<path class="mark t-{}" d="{}"><title>{}</title></path>').format(mark.outcome, path, mark.title)
