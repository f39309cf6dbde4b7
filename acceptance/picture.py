"""The picture of a criterion: what was found against its bound, as plain shapes that SVG and PDF both draw. Pure.

    share, rate           the interval as a bar, the value as a mark, the bound as a line
    percentile, times     the sample, sorted, slow end opened up (the share of values beyond, in powers of ten), the
                          interval of the percentile as a bar, the bound as a line
    duration              the sum as a bar, the bound as a line
    none                  no picture: a figure of nothing found has nothing to draw

Shapes lie in a box of WIDTH x HEIGHT, y downwards. Floats are pixels here, figures stay exact.
"""

from collections.abc import Sequence
from math import log10
from typing import NamedTuple

from acceptance.criteria import Kind
from acceptance.judge import MILLION, Judged
from gateway.journal.units import duration

WIDTH, HEIGHT = 560.0, 150.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 30.0, 12.0, 30.0
_MOST_POINTS = 160


class Line(NamedTuple):
    """From one point to another; `role` is grid, axis, bound, interval, value or curve."""

    role: str
    points: tuple[tuple[float, float], ...]


class Text(NamedTuple):
    """Words at a point; `anchor` is start, middle or end."""

    role: str
    x: float
    y: float
    words: str
    anchor: str = "middle"


Shape = Line | Text


def picture(judged: Judged) -> list[Shape]:
    """What to draw; nothing where there is nothing to draw."""
    kind = judged.criterion.kind
    if kind in {Kind.SHARE, Kind.RATE}:
        return _share(judged)
    if kind is Kind.DURATION and judged.interval is not None:
        return _duration(judged.interval.value, judged)
    if kind in {Kind.PERCENTILE, Kind.LONGEST} and judged.measured.sample:
        return _sample(judged)
    return []


def _share(judged: Judged) -> list[Shape]:
    found = judged.interval
    if found is None:
        return []
    bound = judged.criterion.bound / MILLION
    low, high = found.low or 0.0, 1.0 if found.high is None else found.high
    reach = max(abs(value - bound) for value in (low, high, found.value)) or 0.01
    start, stop = max(0.0, min(low, bound) - reach * 0.3), min(1.0, max(high, bound) + reach * 0.3)

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - start) / (stop - start)

    middle = (TOP + HEIGHT - BOTTOM) / 2
    floor = HEIGHT - BOTTOM
    shapes: list[Shape] = [Line("axis", ((LEFT, floor), (WIDTH - RIGHT, floor)))]
    for step in range(5):
        value = start + (stop - start) * step / 4
        shapes.append(Line("grid", ((x(value), TOP), (x(value), floor))))
        shapes.append(Text("tick", x(value), HEIGHT - 12, f"{100 * value:.2f} %"))
    shapes.append(Line("bound", ((x(bound), TOP), (x(bound), floor))))
    shapes.append(
        Text("bound", x(bound), TOP + 8, judged.criterion.bound_text, "end" if x(bound) > LEFT + 60 else "start")
    )
    shapes.append(Line("interval", ((x(low), middle), (x(high), middle))))
    shapes += [Line("interval", ((x(end), middle - 7), (x(end), middle + 7))) for end in (low, high)]
    shapes.append(Line("value", ((x(found.value), middle - 11), (x(found.value), middle + 11))))
    return shapes


def _duration(value: float, judged: Judged) -> list[Shape]:
    """The sum as a bar against the bound."""
    bound, floor, middle = judged.criterion.bound, HEIGHT - BOTTOM, (TOP + HEIGHT - BOTTOM) / 2
    most = 1.1 * max(value, bound)

    def x(time: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * time / most

    ticks = [Text("tick", x(most * step / 4), HEIGHT - 12, duration(round(most * step / 4))) for step in range(5)]
    return [
        Line("axis", ((LEFT, floor), (WIDTH - RIGHT, floor))),
        *ticks,
        Line("bound", ((x(bound), TOP), (x(bound), floor))),
        Text("bound", x(bound), TOP + 8, judged.criterion.bound_text, "end"),
        Line("interval", ((LEFT, middle), (x(value), middle))),
        Line("value", ((x(value), middle - 11), (x(value), middle + 11))),
    ]


def _sample(judged: Judged) -> list[Shape]:
    ordered = sorted(judged.measured.sample)
    size, bound = len(ordered), judged.criterion.bound
    top = max(ordered[-1], bound) * 1.08
    nines = max(1.0, log10(size) if size > 1 else 1.0)
    floor = HEIGHT - BOTTOM

    def x(share_beyond: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(nines, -log10(max(share_beyond, 10**-nines))) / nines

    def y(value: float) -> float:
        return floor - (floor - TOP) * min(value, top) / top

    shapes: list[Shape] = []
    for step in range(4):
        value = round(top * step / 3.3)
        shapes.append(Line("grid", ((LEFT, y(value)), (WIDTH - RIGHT, y(value)))))
        shapes.append(Text("tick", LEFT - 6, y(value) + 4, duration(value), "end"))
    for words, beyond in (("p0", 1.0), ("p90", 0.1), ("p99", 0.01), ("p99.9", 0.001)):
        if -log10(beyond) <= nines + 1e-9:
            shapes.append(Text("tick", x(beyond), HEIGHT - 12, words))
    shapes.append(Line("axis", ((LEFT, floor), (WIDTH - RIGHT, floor))))
    curve = tuple((x(1.0 - (at + 0.5) / size), y(ordered[at])) for at in _places(size))
    shapes.append(Line("curve", curve))
    shapes.append(Line("bound", ((LEFT, y(bound)), (WIDTH - RIGHT, y(bound)))))
    shapes.append(Text("bound", WIDTH - RIGHT, y(bound) - 4, judged.criterion.bound_text, "end"))
    found = judged.interval
    if judged.criterion.kind is Kind.PERCENTILE and found is not None:
        at = x(1.0 - judged.criterion.percentile / 100.0)
        low = y(found.low if found.low is not None else ordered[0])
        high = y(found.high if found.high is not None else top)
        shapes.append(Line("interval", ((at, low), (at, high))))
        shapes.append(Line("value", ((at - 6, y(found.value)), (at + 6, y(found.value)))))
    return shapes


def _places(size: int) -> Sequence[int]:
    """Places of a sorted sample to draw: all of a small one; of a large one some, and the slow end in full."""
    if size <= _MOST_POINTS:
        return range(size)
    coarse = range(0, size - _MOST_POINTS // 2, max(1, 2 * size // _MOST_POINTS))
    return [*coarse, *range(size - _MOST_POINTS // 2, size)]
