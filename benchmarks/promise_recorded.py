"""The promise on recorded markets: the same contenders, half hour by half hour, under rules set by the minutes before.

`promise-recorded.toml` says which sets, which half hours (all of them), and by what law the rule comes by its
thresholds. The market of a half hour is what was recorded, whatever the seed; a seed draws what happens to quotes and
orders on their ways. So an interval is drawn over half hours: with few of them it says little, whatever the seeds.

What can go wrong: a half hour before which the two have no common book is left out, with the reason; so is a set that
the folder has not.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.promise_market import SECOND, Day, Ground, ReadTape, read, settings_of, site_of
from benchmarks.promise_parameters import Parameters, ParametersError, load_recorded
from benchmarks.promise_play import CONTENDERS, Seeds, Wanted, opportunities_of, play, varied
from benchmarks.promise_report import (
    SENSITIVITY_HEAD,
    Comparison,
    aims,
    aims_table,
    aims_told,
    figures_table,
    markdown_table,
    missed_table,
    number,
    raw,
    sensitivity_row,
)
from gateway.processes import demo_sites
from gateway.processes.demo_recorded import ABOVE_MEAN, LOOK_BACK_S, NINE_PLACES, RECORDED, mean_ratio, tape_before
from simulators.core.tape import Tape, TapeBook
from simulators.tapes import TapeError, load_tape, usdcny_fixing
from simulators.tapes.text import time_of_day_ns

A_HALF_HOUR = "a half hour"
BEGIN_S = 3
"""Of each half hour, before anybody trades: the gateway logs on and is armed in it, which a day has behind it."""


class Window(NamedTuple):
    """One half hour of one set, as it was recorded, with what the minutes before it say."""

    name: str
    begin: str
    tape: ReadTape
    plan: demo_sites.Plan
    mean: Decimal
    """Of the ratio of both mids, the overseas one in CNY."""
    deviation: Decimal

    @property
    def lots(self) -> int:
        """Of the overseas leg, for one domestic."""
        return int(self.plan.legs[1]["ratio_lots"])


class Played(NamedTuple):
    """A half hour that was played. `days` are its seeds; `rows` those of each row of the sensitivity table."""

    name: str
    begin: str
    why: str
    """Why it was left out; empty: it was not."""
    mean: Decimal = Decimal(0)
    deviation: Decimal = Decimal(0)
    lots: int = 0
    label: str = ""
    days: Seeds = []  # noqa: RUF012 - a value, never changed
    rows: list[Seeds] = []  # noqa: RUF012 - as above


def begins(parameters: Parameters, name: str) -> list[str]:
    """When the half hours of a set begin: one after the other, the first when the look-back has passed."""
    length_s = parameters.get("recorded", "window_s")
    look_back_s = parameters.get("recorded", "look_back_s")
    found = []
    for opens, closes in parameters.get("sessions", name):
        first_s, last_s = (time_of_day_ns(text, f"sessions.{name}") // SECOND for text in (opens, closes))
        found += [_time(at_s) for at_s in range(first_s + look_back_s, last_s - length_s + 1, length_s)]
    return found


def window_of(parameters: Parameters, directory: Path, name: str, begin: str) -> Window:
    """One half hour; DemoError where the two have no common book before it, TapeError without its files."""
    if parameters.get("recorded", "look_back_s") != LOOK_BACK_S:
        message = f"{parameters.source}: recorded.look_back_s has to be the demo's, {LOOK_BACK_S}"
        raise ParametersError(message)
    seconds, seed = parameters.get("recorded", "window_s"), parameters.get("recorded", "tape_seed")
    asked = demo_sites.Asked("recorded", f"{name}@{begin}", str(directory), seed, seconds, "", faults=False)
    tape = load_tape("recorded", asked.name, asked.directory, seed, seconds)
    plan = demo_sites.plan(asked, tape)
    before, one = read(tape_before(asked)), RECORDED[name]
    rate, _ = usdcny_fixing(asked.directory, one.date)
    symbols = one.domestic.symbol, one.overseas.symbol
    mean = mean_ratio(before, *symbols)
    return Window(name, begin, read(tape), plan, mean / rate, deviation_of(before, symbols, mean) / rate)


def deviation_of(tape: Tape, symbols: tuple[str, str], mean: Decimal) -> Decimal:
    """Time-weighted standard deviation of the ratio of both mids around their time-weighted mean."""
    squares, length_ns = Decimal(0), 0
    for ratio, stood_ns in ratios(tape, symbols):
        squares += (ratio - mean) ** 2 * stood_ns
        length_ns += stood_ns
    return (squares / length_ns).sqrt()


def ratios(tape: Tape, symbols: tuple[str, str]) -> Iterator[tuple[Decimal, int]]:
    """Ratio of the first's mid to the second's with the time it stood; only while both books have two sides."""
    ticks = {one.symbol: one.tick for one in tape.instruments}
    mids: dict[str, Decimal | None] = dict.fromkeys(symbols)
    last_ns = 0
    for event in tape.events():
        if isinstance(event, TapeBook) and event.symbol in mids:
            yield from _stood(mids, symbols, event.at_ns - last_ns)
            last_ns = event.at_ns
            whole = bool(event.bids and event.asks)
            mids[event.symbol] = ticks[event.symbol] * (event.bids[0][0] + event.asks[0][0]) / 2 if whole else None
    yield from _stood(mids, symbols, tape.duration_ns - last_ns)


def _stood(
    mids: Mapping[str, Decimal | None], symbols: tuple[str, str], stood_ns: int
) -> Iterator[tuple[Decimal, int]]:
    home, away = (mids[symbol] for symbol in symbols)
    if home is not None and away is not None and stood_ns:
        yield home / away, stood_ns


def ground_of(parameters: Parameters, window: Window) -> Ground:
    """The site with the rule as the file's law has it, and the tape."""
    band = Decimal(parameters.get("recorded", "band_deviations")) * window.deviation
    # Two thresholds may not be one: with no band it is the demo's rule.
    above = max(window.mean + band, window.mean * ABOVE_MEAN)
    rule = {
        "buy_at": str((window.mean - band).quantize(NINE_PLACES, ROUND_HALF_EVEN)),
        "sell_at": str(above.quantize(NINE_PLACES, ROUND_HALF_EVEN)),
        "max_units": parameters.get("recorded", "max_units"),
    }
    return Ground(settings_of(site_of(window.plan, rule)), window.tape)


def play_window(
    parameters: Parameters, directory: Path, name: str, begin: str, seeds: int, rows: Sequence[Wanted], row_seeds: int
) -> Played:
    """One half hour with every seed, and with some of them under each row's parameters."""
    try:
        window = window_of(parameters, directory, name, begin)
    except (demo_sites.DemoError, TapeError) as error:
        return Played(name, begin, str(error))
    first = parameters.get("recorded", "first_seed")
    ground = ground_of(parameters, window)
    own = [day_of(parameters, first + place, ground) for place in range(seeds)]
    there = [opportunities_of(day) for day in own]
    days = [play(day, CONTENDERS, those) for day, those in zip(own, there, strict=True)]
    varied_days = []
    for changed, names in rows:
        if not names:
            varied_days.append(days[:row_seeds])
            continue
        same = all(changed.tables[table] == parameters.tables[table] for table in ("market", "recorded"))
        other = ground if same else ground_of(changed, window)
        told = []
        for place in range(row_seeds):
            day = day_of(changed, first + place, other)
            told.append({**days[place], **play(day, names, there[place] if same else opportunities_of(day))})
        varied_days.append(told)
    label = window.tape.label
    return Played(name, begin, "", window.mean, window.deviation, window.lots, label, days, varied_days)


def day_of(parameters: Parameters, seed: int, ground: Ground) -> Day:
    """One seed of a half hour."""
    trading_s = parameters.get("recorded", "window_s") - parameters.get("recorded", "tail_s")
    return Day(parameters, seed, trading_s, ground, BEGIN_S)


def recorded(pool: ProcessPoolExecutor, given: argparse.Namespace) -> tuple[list[str], dict[str, Any]]:
    """The comparison on every recorded set: what is printed, and what is written."""
    parameters = load_recorded()
    seeds = given.seeds or parameters.get("recorded", "seeds")
    rows = [] if given.no_sensitivity else list(varied(parameters))
    row_seeds = min(seeds, parameters.get("sensitivity", "seeds"))
    jobs = [
        pool.submit(play_window, parameters, given.recorded, name, begin, seeds, [one for _, _, one in rows], row_seeds)
        for name in parameters.get("recorded", "sets")
        for begin in begins(parameters, name)
    ]
    every = [job.result() for job in jobs]
    parts, kept = [], {}
    for name in parameters.get("recorded", "sets"):
        played = [one for one in every if one.name == name]
        printed, kept[name] = _set(parameters, played, [(key, value) for key, value, _ in rows])
        parts += printed
    return parts, {"sets": kept}


def _set(
    parameters: Parameters, every: Sequence[Played], rows: Sequence[tuple[str, object]]
) -> tuple[list[str], dict[str, Any]]:
    """One set's tables."""
    name = every[0].name
    played = [one for one in every if not one.why]
    out = [f"{name}, {one.begin}: left out, {one.why}" for one in every if one.why]
    if not played:
        return [*out, f"{name}: nothing was played"], {}
    comparison = _comparison(parameters, [one.days for one in played])
    judged = aims(parameters, comparison)
    parts = [
        f"## {name}",
        _label(played[0].label),
        *out,
        f"{len(played)} half hours, {len(played[0].days)} seeds each; intervals 95 %, over half hours",
        _windows_table(parameters, played),
        figures_table(comparison),
        missed_table(comparison),
        aims_table(judged),
    ]
    if rows:
        told = [
            sensitivity_row(key, value, _comparison(parameters, [one.rows[place] for one in played]))
            for place, (key, value) in enumerate(rows)
        ]
        parts += [f"Sensitivity: {len(played[0].rows[0])} seeds", markdown_table(SENSITIVITY_HEAD, told)]
    windows = [
        {"begin": one.begin, "mean": one.mean, "deviation": one.deviation, "lots": one.lots, "days": raw(one.days)}
        for one in played
    ]
    return parts, {"windows": windows, "aims": aims_told(judged)}


def _label(label: str) -> str:
    """What is recorded, derived and assumed; without the time of the one half hour that it is of."""
    return label.split(" s, ", 1)[-1]


def _comparison(parameters: Parameters, of_windows: Sequence[Seeds]) -> Comparison:
    cases, begin = [], 0
    for days in of_windows:
        cases.append(range(begin, begin + len(days)))
        begin += len(days)
    return Comparison(parameters, list(chain.from_iterable(of_windows)), cases, A_HALF_HOUR)


def _windows_table(parameters: Parameters, played: Sequence[Played]) -> str:
    """Each half hour: its rule, and what was caught, as means over the seeds."""
    band = Decimal(parameters.get("recorded", "band_deviations"))
    rows = []
    for one in played:
        share = f"{float(band * one.deviation / one.mean):.3%}"
        caught = [number(_mean([day[name].caught for day in one.days])) for name in CONTENDERS]
        seen = number(_mean([day["oracle"].opportunities for day in one.days]))
        rows.append([one.begin, f"{one.mean:.6f}", share, str(one.lots), seen, *caught])
    head = ["from", "mean ratio", "band", "overseas lots", "opportunities", *(f"caught: {name}" for name in CONTENDERS)]
    return markdown_table(head, rows)


def _mean(counts: Sequence[int]) -> float:
    return sum(counts) / len(counts)


def _time(at_s: int) -> str:
    minutes, seconds = divmod(at_s, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
