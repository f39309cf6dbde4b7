"""From the instant before a venue writes a market-data message to the instant its venue reads the last leg's order.

Everything is on: books, rules, gate, journal. Both sides get the same FIX from the same venue in turn, at 100, 1 000
and 5 000 quotes a second of which 20 call for a trade. The floors of TCP and ZeroMQ are measured in every round too.
"""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from benchmarks import floors
from benchmarks.harness import PERCENTILES, Options, Side, figure_of, medians, open_report, ratios, stage, wait_for
from benchmarks.machine import in_words
from benchmarks.matching import Answered, Matched, match
from benchmarks.percentiles import Summary, median, summarise
from benchmarks.report import Figure, Report, table, us
from benchmarks.venue import MD, ORDERS, Run

DEFAULT = Options()
WARM_UP_TRIGGERS = 10
FLOOR_SECONDS = 0.8
JUDGED_RATE = 1000
REACH_RATIO, STRETCH_RATIO = 2.0, 1.4
STRETCH_TAIL_RATIO = 1.5
REACH_SKEW_US, STRETCH_SKEW_US = 130.0, 40.0
REACH_SKEW_FIFO_US = 60.0
REACH_EXECUTION_US, STRETCH_EXECUTION_US = 300.0, 150.0
_AT_EXECUTION = "taken by execution"


class Round(msgspec.Struct, frozen=True):
    """One side at one rate in one round."""

    number: int
    side: str
    rate: int
    last_leg: Summary | None
    at_socket: Summary | None
    skew: Summary | None
    missed: int
    strays: int
    venue_late_p99_ns: int
    hops_p50_ns: tuple[int, ...]
    execution_p50_ns: int | None


def hop_medians(
    answered: Sequence[Answered], hops: Sequence[tuple[int, ...]], names: Sequence[str]
) -> tuple[tuple[int, ...], int | None]:
    """The p50 of every hop from the write to the last arrival, and of intent received -> last order in its socket.

    An intent belongs to the newest trigger written before its quote was received.
    """
    written = [one.written_ns for one in answered]
    chains = []
    for instants in hops:
        index = bisect_right(written, instants[0]) - 1
        if index >= 0 and instants[0] <= max(answered[index].arrived_ns):
            at_socket_ns = max(answered[index].socket_ns)
            chains.append((written[index], *instants, at_socket_ns, max(answered[index].arrived_ns)))
    if not chains:
        return (), None
    steps = len(chains[0]) - 1
    p50 = [summarise([chain[step + 1] - chain[step] for chain in chains]) for step in range(steps)]
    taken = next((index + 1 for index, name in enumerate(names) if name.endswith(_AT_EXECUTION)), steps)
    execution = figure_of(summarise([chain[-2] - chain[taken] for chain in chains]), "p50")
    return tuple(one.p50_ns for one in p50 if one is not None), execution


def play(side: Side, options: Options, number: int) -> list[Round]:
    """One side's round: started once, measured at every rate, ended, its journal read."""
    played: list[tuple[int, Run, Matched]] = []
    with stage(options, f"{side.name}-{number}") as (venue, programs, directory):
        side.start(venue, programs, directory)
        wait_for(venue, programs, (MD, ORDERS))
        for rate in options.rates:
            run = venue.run(rate, options.seconds, WARM_UP_TRIGGERS)
            programs.check()
            played.append((rate, run, match(run.triggers, run.orders)))
        programs.stop()
        hops = side.journal_hops(directory)
    return [_round(number, side, rate, run, matched, hops) for rate, run, matched in played]


def _round(
    number: int, side: Side, rate: int, run: Run, matched: Matched, hops: Sequence[tuple[int, ...]]
) -> Round:  # fmt: skip
    begin, end = run.triggers[0].at_ns, run.triggers[-1].at_ns + 10**9
    p50, execution = hop_medians(matched.answered, [one for one in hops if begin <= one[0] <= end], side.hops)
    late = summarise(run.late_ns)
    return Round(
        number, side.name, rate,
        summarise([one.last_leg_ns for one in matched.answered]),
        summarise([one.socket_leg_ns for one in matched.answered]),
        summarise([one.skew_ns for one in matched.answered]),
        len(matched.missed), len(matched.strays), late.p99_ns if late else 0, p50, execution,
    )  # fmt: skip


def measure(options: Options) -> Report:
    """All rounds; prints as it goes."""
    report, sides = open_report("tick_to_order", options)
    print("Quote written by its venue -> last leg's order read by its venue; microseconds")
    print(in_words(report.machine))
    print(f"knobs: {options.knobs.in_words()}; {options.rounds} rounds in turn, {options.seconds:g} s at each rate")
    rounds: list[Round] = []
    floor_runs: list[floors.FloorRun] = []
    for number in range(1, options.rounds + 1):
        for side in sides if number % 2 else sides[::-1]:
            rounds += play(side, options, number)
        floor_runs += [floors.measure(kind, rate, FLOOR_SECONDS) for rate in options.rates for kind in floors.KINDS]
        print(f"round {number} of {options.rounds} done", flush=True)
    report.rounds += [msgspec.to_builtins(one) for one in rounds]
    report.rounds += [{"floor": True, **msgspec.to_builtins(one)} for one in floor_runs]
    for rate in options.rates:
        _print_rate(report, sides, rate, [one for one in rounds if one.rate == rate], floor_runs)
    for line in [*report.notes, *(figure.in_words() for figure in report.figures if figure.reach is not None)]:
        print(line)
    return report


def _print_rate(
    report: Report, sides: Sequence[Side], rate: int, rounds: Sequence[Round], floor_runs: Sequence[floors.FloorRun]
) -> None:
    rows: list[list[object]] = [_row(one) for one in rounds]
    by_side = {side.name: [one for one in rounds if one.side == side.name] for side in sides}
    for name, played in by_side.items():
        middle = medians([one.last_leg for one in played])
        skew = medians([one.skew for one in played])
        count = sum(one.last_leg.count for one in played if one.last_leg)
        losses = [sum(one.missed for one in played), sum(one.strays for one in played)]
        row = ["median", name, count, *losses, *(us(middle[key]) for key in PERCENTILES)]
        rows.append(
            [*row, us(medians([one.at_socket for one in played])["p50"]), us(skew["p50"]), us(skew["p99"]), "-"]
        )
        _add_figures(report, rate, name, played)
    for kind in floors.KINDS:
        ran = [one.one_way for one in floor_runs if (one.kind, one.rate) == (kind, rate)]
        middle = medians(ran)
        row = ["median", f"floor {kind}", sum(one.count for one in ran), "-", "-"]
        rows.append([*row, *(us(middle[key]) for key in PERCENTILES), "-", "-", "-", "-"])
        _figure(report, f"floor.{kind.replace(' ', '_')}.{rate}.p50", (middle["p50"] or 0) / 1000, "us")
    print(f"\n{rate} quotes/s")
    head = ["round", "side", "n", "missed", "strays", "p50", "p90", "p99", "p99.9", "max"]
    print(table([*head, "at socket p50", "skew p50", "skew p99", "venue late p99"], rows))
    if len(sides) > 1:
        _print_ratio(report, rate, by_side[sides[0].name], by_side[sides[1].name])
    _print_hops(sides, by_side)


def _row(one: Round) -> list[object]:
    count = one.last_leg.count if one.last_leg else 0
    percentiles = [us(figure_of(one.last_leg, key)) for key in PERCENTILES]
    skew = [us(figure_of(one.at_socket, "p50")), us(figure_of(one.skew, "p50")), us(figure_of(one.skew, "p99"))]
    return [one.number, one.side, count, one.missed, one.strays, *percentiles, *skew, us(one.venue_late_p99_ns)]


def _print_ratio(report: Report, rate: int, ours: Sequence[Round], theirs: Sequence[Round]) -> None:
    ordered = [sorted(side, key=lambda one: one.number) for side in (ours, theirs)]
    found = ratios([one.last_leg for one in ordered[0]], [one.last_leg for one in ordered[1]])
    told = ", ".join(f"{key.replace('_', '.')} {value:.2f}" for key, value in found.items() if value is not None)
    print(f"times C++, median of the rounds' ratios: {told}")
    for key, value in found.items():
        if value is None:
            continue
        judged = rate == JUDGED_RATE
        reach = REACH_RATIO if judged and key == "p50" else None
        stretch = {"p50": STRETCH_RATIO, "p99": STRETCH_TAIL_RATIO, "p99_9": STRETCH_TAIL_RATIO}.get(key)
        name = f"tick_to_order.{rate}.ratio.{key}"
        report.figures.append(Figure(name, round(value, 3), "times C++", reach, stretch if judged else None))


def _add_figures(report: Report, rate: int, side: str, played: Sequence[Round]) -> None:
    middle = medians([one.last_leg for one in played])
    for key, value in middle.items():
        if value is not None:
            _figure(report, f"tick_to_order.{rate}.{side}.{key}", value / 1000, "us")
    at_socket = medians([one.at_socket for one in played])["p50"]
    if at_socket is not None:
        _figure(report, f"at_socket.{rate}.{side}.p50", at_socket / 1000, "us")
    skew = medians([one.skew for one in played])["p50"]
    judged = rate == JUDGED_RATE and side == "gateway"
    if skew is not None:
        reach = REACH_SKEW_FIFO_US if "fifo" in str(report.settings["knobs"]) else REACH_SKEW_US
        aim = (reach, STRETCH_SKEW_US) if judged else (None, None)
        report.figures.append(Figure(f"skew.{rate}.{side}.p50", round(skew / 1000, 1), "us", *aim))
    execution = [one.execution_p50_ns for one in played if one.execution_p50_ns is not None]
    if execution:
        aim = (REACH_EXECUTION_US, STRETCH_EXECUTION_US) if judged else (None, None)
        value = round(median(execution) / 1000, 1)
        report.figures.append(Figure(f"intent_to_orders.{rate}.{side}.p50", value, "us", *aim))
    answered = sum(one.last_leg.count for one in played if one.last_leg)
    asked = answered + sum(one.missed for one in played)
    _figure(report, f"answered.{rate}.{side}", answered / asked if asked else 0, "share of triggers")


def _figure(report: Report, name: str, value: float, unit: str) -> None:
    report.figures.append(Figure(name, round(value, 3), unit))


def _print_hops(sides: Sequence[Side], by_side: dict[str, list[Round]]) -> None:
    for side in sides:
        played = [one.hops_p50_ns for one in by_side[side.name] if one.hops_p50_ns]
        if not played:
            continue
        print(f"hops of {side.name}, median of the rounds' p50")
        for index, hop in enumerate(side.hops):
            print(f"  {us(median([hops[index] for hops in played])):>6}  {hop}")
