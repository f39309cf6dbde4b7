"""Runs in an environment of its own: what a tick costs in vnpy_spreadtrading's own price calculation.

`python pricing_peer_program.py PAIRS INSTRUMENTS TICKS SECONDS` prints percentiles as JSON. Per tick it does what the
product's data engine does, and no more: the leg takes the tick, and every spread that it touches calculates its price
(`SpreadData.calculate_price`). No event is sent, no rule is looked at. Its heavy imports that the calculation does not
use (indicators, databases) are empty stand-ins.
"""

import importlib.util
import json
import random
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

RATE = "USDCNH.LOCAL"
FX_SHARE = 0.01


def spread_types() -> Any:  # noqa: ANN401 a module that is not there when types are checked
    """`vnpy_spreadtrading.base` alone: the package's own start imports its whole application."""
    for name in ("talib", "numpy"):
        sys.modules.setdefault(name, MagicMock())
    place = importlib.util.find_spec("vnpy_spreadtrading")
    if place is None or place.origin is None:
        raise ImportError("vnpy_spreadtrading is not installed")
    found = importlib.util.spec_from_file_location("spread_base", Path(place.origin).with_name("base.py"))
    if found is None or found.loader is None:
        raise ImportError("vnpy_spreadtrading has no base.py")
    module = importlib.util.module_from_spec(found)
    sys.modules["spread_base"] = module
    found.loader.exec_module(module)
    return module


def made(base: Any, pairs: int, instruments: int) -> tuple[dict[str, Any], dict[str, list[Any]]]:  # noqa: ANN401
    """Legs by symbol, and the spreads that each touches: the pairs of `benchmarks/pair_pricing.py`."""
    legs = {f"A{number}.LOCAL": base.LegData(f"A{number}.LOCAL") for number in range(instruments)}
    legs[RATE] = base.LegData(RATE)
    for leg in legs.values():
        leg.pricetick = 0.5
    touched: dict[str, list[Any]] = {name: [] for name in legs}
    for number in range(pairs):
        first = number % instruments
        second = (first + 1 + number // instruments) % instruments
        symbols = {"A": f"A{first}.LOCAL", "B": f"A{second}.LOCAL"}
        directions, multipliers, formula = {"A": 1, "B": -1}, {symbols["A"]: 5, symbols["B"]: -1}, "A - B"
        if number % 2:
            symbols["R"], directions["R"], multipliers[RATE], formula = RATE, -1, 0, "A - B * R * 1.13"
        spread = base.SpreadData(
            f"P{number}", [legs[one] for one in symbols.values()], symbols, directions, formula, multipliers,
            symbols["A"], 1,
        )  # fmt: skip
        for symbol in symbols.values():
            touched[symbol].append(spread)
    return legs, touched


def tick(mid: float, away: float, draw: random.Random) -> SimpleNamespace:
    """The best prices with their sizes."""
    return SimpleNamespace(
        bid_price_1=mid - away, ask_price_1=mid + away, last_price=mid,
        bid_volume_1=draw.randrange(5, 50), ask_volume_1=draw.randrange(5, 50),
    )  # fmt: skip


def run(pairs: int, instruments: int, ticks: int, seconds: float) -> dict[str, list[int]]:
    """Nanoseconds of each tick, of legs and of the currency apart."""
    draw = random.Random(f"pair pricing {pairs} {instruments}")  # noqa: S311 - fixed, not secret
    legs, touched = made(spread_types(), pairs, instruments)
    for name, leg in legs.items():
        leg.update_tick(tick(6.85, 0.0001, draw) if name == RATE else tick(3500, 0.5, draw))
    names = [name for name in legs if name != RATE]
    drawn = []
    for _ in range(ticks):
        if draw.random() < FX_SHARE:
            drawn.append((RATE, tick(6.85 + draw.randrange(-20, 21) / 10_000, 0.0001, draw)))
        else:
            drawn.append((draw.choice(names), tick(3500 + draw.randrange(-20, 21) / 2, 0.5, draw)))
    found: dict[str, list[int]] = {"legs": [], "currency": []}
    clock = time.perf_counter_ns
    until_ns = clock() + int(seconds * 10**9)
    begin_ns = 0
    while begin_ns < until_ns:
        for name, one in drawn:
            begin_ns = clock()
            legs[name].update_tick(one)
            priced = [spread.calculate_price() for spread in touched[name]]
            took_ns = clock() - begin_ns
            found["currency" if name == RATE else "legs"].append(took_ns)
            if not all(priced):
                raise RuntimeError(f"{name}: a spread has no price")
            if begin_ns >= until_ns:
                break
    return found


if __name__ == "__main__":
    given = [float(one) for one in sys.argv[1:5]]
    told = run(int(given[0]), int(given[1]), int(given[2]), given[3])
    print(json.dumps(told))
