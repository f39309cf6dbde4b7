"""How true calibrated times are: against the simulators' own clock, over networks of theirs, in virtual time.

A home and a far venue send market data, stamped by their own clocks, and answer TestRequests(1); `ClockSession` sees
what a feed would see. The true time of every event is known here. Four ways to the far venue, each with symmetric and
with asymmetric delays, stamps of microseconds, milliseconds and seconds; the home venue is in a same-city network,
stamps as the far one. The far clock is seconds off, drifts by up to 100 ppm, and steps by 500 ms once, half-way.

error = calibrated_ns - true event time. "in step" is the 99th percentile of the difference of the errors of the two
legs' newest quotes; beside it what arrival times and the venues' own stamps would have given. How old the state is that
a leg's newest quote tells is no error of a clock; it is told apart.
"""

import math
import time
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from benchmarks.harness import Options
from benchmarks.machine import describe, in_words
from benchmarks.report import Figure, Report, table
from gateway.feed.clock_session import ClockSession
from gateway.feed.clock_settings import ClockSettings, StampClocks, stamp_form
from simulators.core.clock import VenueClock
from simulators.core.draw import draw
from simulators.core.network import NETWORK_PROFILES, Link

US, MS, SECOND = 10**3, 10**6, 10**9
DEFAULT = Options(rounds=3, seconds=600.0, rates=(10,), sides=("gateway",))
STEP_NS = 500 * MS
SETTLED_NS = 60 * SECOND
"""From when on errors are counted; convergence is told apart."""
AT_EPOCH_NS = 1_790_000_000 * SECOND
RESOLUTIONS = {"us": US, "ms": MS, "s": SECOND}
START_NS = 1_000 * SECOND


RACK = NETWORK_PROFILES["same-rack"]
RACK_SPIKES = RACK.to_venue.spike_probability


class Road(NamedTuple):
    """A way to a venue and back: least delays of both directions, how jitter is drawn, and what goes wrong on it."""

    name: str
    there_ns: int
    back_ns: int
    jitter: Callable[[float], float]
    """From an even figure in [0, 1) to nanoseconds."""
    burst_ns: int = 0
    lost: float = 0.0
    detour_ns: tuple[int, int] = (0, 0)
    """What the route change, after two thirds of the run, adds there and back."""

    def slanted(self) -> "Road":
        """The same round trip, 60 : 40."""
        total = self.there_ns + self.back_ns
        return self._replace(name=f"{self.name}, 60:40", there_ns=total * 3 // 5, back_ns=total * 2 // 5)


def _rack(share: float) -> float:
    return RACK.to_venue.jitter_ns * share**3 + (RACK.to_venue.spike_ns if share > 1 - RACK_SPIKES else 0)


def _even(share: float) -> float:
    return MS * share


def _exponential(share: float) -> float:
    return -10 * MS * math.log(1 - share)


def _quiet(share: float) -> float:
    return -2 * MS * math.log(1 - share)


ROADS = (
    Road("same rack", RACK.to_venue.floor_ns, RACK.to_client.floor_ns, _rack),
    Road("2 ms, 1 ms jitter", 2 * MS, 2 * MS, _even),
    Road("80 ms, exp 10 ms", 80 * MS, 80 * MS, _exponential),
    Road("110 ms, bursts, loss, reroute", 110 * MS, 110 * MS, _quiet, 60 * MS, 0.003, (15 * MS, 15 * MS)),
)
REACH_MS = {"same rack": 1.0, "2 ms, 1 ms jitter": 1.0, "80 ms, exp 10 ms": 3.0}
IN_STEP_MS = 35.0
"""Reached with stamps of a millisecond or finer; what whole seconds give is told beside it."""
BURST_EVERY_NS, BURST_LASTS_NS = 20 * SECOND, 300 * MS
RESEND_NS = 200 * MS
"""What a lost segment costs beside a round trip: the least that TCP waits."""


class Lane(Link):
    """One direction of a road; in order, like every link."""

    def __init__(self, road: Road, seed: int, *, there: bool, end_ns: int) -> None:
        super().__init__(RACK.to_venue, seed, road.name)
        self._road = road
        self._least_ns = road.there_ns if there else road.back_ns
        self._detour_ns = road.detour_ns[0 if there else 1]
        self._reroute_ns = START_NS + (end_ns - START_NS) * 2 // 3
        self._key = f"{road.name}.{'there' if there else 'back'}"
        self._there = there
        self._number = 0
        self._newest_ns = 0

    def arrival_ns(self, sent_ns: int) -> int:
        """When what is sent at `sent_ns` arrives."""
        road = self._road
        self._number += 1
        delay_ns = self._least_ns + int(road.jitter(draw(self._seed, self._key, self._number)))
        if sent_ns >= self._reroute_ns:
            delay_ns += self._detour_ns
        phase_ns = (sent_ns - START_NS) % BURST_EVERY_NS
        if road.burst_ns and not self._there and phase_ns < BURST_LASTS_NS:
            delay_ns += road.burst_ns * (BURST_LASTS_NS - phase_ns) // BURST_LASTS_NS
        if road.lost and draw(self._seed, self._key + ".lost", self._number) < road.lost:
            delay_ns += RESEND_NS + road.there_ns + road.back_ns
        self._newest_ns = max(sent_ns + delay_ns, self._newest_ns)
        return self._newest_ns


class Sample(NamedTuple):
    """One quote: true time of its event, what it carried, and what calibration made of it."""

    true_ns: int
    venue_ns: int
    recv_ns: int
    calibrated_ns: int
    bound_ns: int
    offset_error_ns: int
    offset_bound_ns: int
    drift_term_ns: int
    half_trip_ns: int


class Leg(NamedTuple):
    """One venue: its clock, the way to it, its stamps, how often a quote comes."""

    road: Road
    clock: VenueClock
    resolution_ns: int
    every_ns: int
    asymmetry_ns: int | None = None


def run_leg(leg: Leg, seed: int, end_ns: int) -> tuple[list[Sample], ClockSession]:
    """One session from logon to `end_ns`."""
    form = stamp_form(leg.resolution_ns, cut_off=True)
    stamps = StampClocks(sending=form, entry=form, publish_lag_ns=0)
    settings = ClockSettings(asymmetry_ns=leg.asymmetry_ns, asymmetry_error_ns=0)
    session = ClockSession(settings, stamps, "T")
    session.on_session(up=True, at_ns=START_NS)
    there = Lane(leg.road, seed, there=True, end_ns=end_ns)
    back = Lane(leg.road, seed, there=False, end_ns=end_ns)
    agenda: list[tuple[int, int, int, str, int]] = []
    order = 0

    def push(at_ns: int, kind: int, word: str, figure: int) -> None:
        nonlocal order
        order += 1
        heappush(agenda, (at_ns, order, kind, word, figure))

    def stamp(at_ns: int) -> int:
        shown = leg.clock.venue_ns(at_ns)
        return shown - shown % leg.resolution_ns

    push(START_NS, ASK, "", 0)
    push(START_NS + leg.every_ns, EVENT, "", 0)
    samples: list[Sample] = []
    while agenda[0][0] < end_ns:
        at_ns, _, kind, word, figure = heappop(agenda)
        if kind == ASK:
            due_ns = session.due_ns()
            if due_ns is not None and due_ns <= at_ns:
                push(there.arrival_ns(at_ns), ANSWER, session.request(at_ns), 0)
            due_ns = session.due_ns()
            push(min(max(at_ns + MS, due_ns or 0), at_ns + 100 * MS), ASK, "", 0)
        elif kind == ANSWER:
            push(back.arrival_ns(at_ns), ANSWERED, word, stamp(at_ns))
        elif kind == ANSWERED:
            session.on_heartbeat(word, figure, at_ns)
        elif kind == EVENT:
            push(back.arrival_ns(at_ns), QUOTE, "", at_ns)
            uneven = 0.5 + draw(seed, "event", len(samples), at_ns)
            push(at_ns + int(leg.every_ns * uneven), EVENT, "", 0)
        else:
            samples.append(_sample(session, leg, stamp(figure), figure, at_ns))
    return samples, session


ASK, ANSWER, ANSWERED, EVENT, QUOTE = range(5)


def _sample(session: ClockSession, leg: Leg, venue_ns: int, true_ns: int, recv_ns: int) -> Sample:
    extra_ns = session.observe(venue_ns, recv_ns)
    calibrated_ns, bound_ns = session.calibrate(venue_ns, recv_ns, extra_ns)
    made = session.map
    if made is None or not calibrated_ns:
        return Sample(true_ns, venue_ns, recv_ns, 0, 0, 0, 0, 0, 0)
    standing = session.standing(recv_ns)
    offset_error_ns = made.local_of(leg.clock.venue_ns(recv_ns)) - recv_ns
    drift_term_ns = standing.drift_bound_ppb * 10
    return Sample(
        true_ns, venue_ns, recv_ns, calibrated_ns, bound_ns, offset_error_ns, made.bound_at(recv_ns), drift_term_ns,
        standing.least_round_trip_ns // 2,
    )  # fmt: skip


class Result(NamedTuple):
    """One road with one resolution, all rounds together; milliseconds and shares."""

    road: str
    resolution: str
    error_p50: float
    error_p99: float
    offset_p50: float
    offset_p99: float
    converged_s: float
    covered: float
    quotes_covered: float
    width: float
    width_allowed: float
    in_step: float
    by_arrival: float
    by_stamp: float
    age_far: float
    age_home: float
    uncalibrated: float
    steps: int
    paths: int


def judge(road: Road, resolution: str, options: Options) -> Result:
    """Run both legs for every round, and put their errors together."""
    end_ns = START_NS + int(options.seconds * SECOND)
    home_road = Road("same city", 600 * US, 650 * US, lambda share: 300 * US * share**3)
    far: list[Sample] = []
    differences: list[list[int]] = [[], [], [], [], []]
    converged: list[float] = []
    steps = paths = missing = total = 0
    limit_ns = int(REACH_MS.get(road.name.partition(",")[0] if "60" in road.name else road.name, 3.0) * MS)
    for number in range(1, options.rounds + 1):
        offset = int((draw(number, "offset", road.name) - 0.5) * 10 * SECOND)
        drift = int((draw(number, "drift", road.name) - 0.5) * 200_000)
        sign = 1 if number % 2 else -1
        step_at_ns = int(options.seconds * SECOND) // 2
        clock = VenueClock(START_NS, AT_EPOCH_NS, offset, drift, sign * STEP_NS, step_at_ns)
        home_clock = VenueClock(START_NS, AT_EPOCH_NS, 1250 * MS, 12_000)
        every_ns = SECOND // options.rates[0]
        samples, session = run_leg(Leg(road, clock, RESOLUTIONS[resolution], every_ns), number, end_ns)
        home, _ = run_leg(Leg(home_road, home_clock, RESOLUTIONS[resolution], 500 * MS), number + 100, end_ns)
        settled = [one for one in samples if one.recv_ns > START_NS + SETTLED_NS]
        total += len(settled)
        missing += sum(not one.calibrated_ns for one in settled)
        far += [one for one in settled if one.calibrated_ns]
        converged.append(_converged_s(samples, limit_ns + abs(road.there_ns - road.back_ns) // 2))
        steps += session.steps
        paths += session.path_changes
        for mine, found in zip(differences, _differences(settled, home), strict=True):
            mine.extend(found)
    errors = sorted(abs(one.calibrated_ns - one.true_ns) for one in far)
    offsets = sorted(abs(one.offset_error_ns) for one in far)
    widths = sorted(one.offset_bound_ns for one in far)
    allowed = sorted(one.half_trip_ns + one.drift_term_ns for one in far)
    in_step, by_arrival, by_stamp, age_far, age_home = (_ms(_at(sorted(one), 99)) for one in differences)
    return Result(
        road=road.name,
        resolution=resolution,
        error_p50=_ms(_at(errors, 50)),
        error_p99=_ms(_at(errors, 99)),
        offset_p50=_ms(_at(offsets, 50)),
        offset_p99=_ms(_at(offsets, 99)),
        converged_s=max(converged),
        covered=sum(abs(one.offset_error_ns) <= one.offset_bound_ns for one in far) / len(far),
        quotes_covered=sum(abs(one.calibrated_ns - one.true_ns) <= one.bound_ns for one in far) / len(far),
        width=_ms(_at(widths, 50)),
        width_allowed=_ms(_at(allowed, 50) + RESOLUTIONS[resolution]),
        in_step=in_step,
        by_arrival=by_arrival,
        by_stamp=by_stamp,
        age_far=age_far,
        age_home=age_home,
        uncalibrated=missing / total,
        steps=steps,
        paths=paths,
    )


def _differences(far: Sequence[Sample], home: Sequence[Sample]) -> list[list[int]]:
    """At each far quote, the difference of the two legs' errors by calibrated, arrival and venue times; both ages."""
    made: list[list[int]] = [[], [], [], [], []]
    place = 0
    for one in far:
        while place + 1 < len(home) and home[place + 1].recv_ns <= one.recv_ns:
            place += 1
        other = home[place]
        if other.recv_ns > one.recv_ns:
            continue
        made[1].append(abs((one.recv_ns - one.true_ns) - (other.recv_ns - other.true_ns)))
        made[2].append(abs((one.venue_ns - one.true_ns) - (other.venue_ns - other.true_ns)))
        made[3].append(one.recv_ns - one.true_ns)
        made[4].append(one.recv_ns - other.true_ns)
        if one.calibrated_ns and other.calibrated_ns:
            made[0].append(abs((one.calibrated_ns - one.true_ns) - (other.calibrated_ns - other.true_ns)))
    return made


def _converged_s(samples: Sequence[Sample], limit_ns: int) -> float:
    """Seconds from logon until 99 of 100 offsets over the next 10 s are within the limit."""
    within = [one.calibrated_ns != 0 and abs(one.offset_error_ns) <= limit_ns for one in samples]
    ahead = 100
    for place in range(len(samples) - ahead):
        if within[place] and sum(within[place : place + ahead]) >= ahead * 99 // 100:
            return (samples[place].recv_ns - START_NS) / SECOND
    return math.inf


def _at(ordered: Sequence[int], percent: float) -> int:
    return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else 0


def _ms(nanoseconds: int) -> float:
    return nanoseconds / MS


HEAD = (
    "way", "stamps", "quote p50", "p99", "offset p50", "p99", "converged s", "offset in bound %", "quote in bound %",
    "width", "allowed", "in step", "arrival", "stamps only", "age far", "home", "uncal. %", "steps", "paths",
)  # fmt: skip


def measure(options: Options) -> Report:
    """All ways and resolutions."""
    print("Calibrated times against the truth of the simulators; milliseconds unless the head says otherwise")
    print(in_words(describe()))
    report = Report("clock_accuracy", describe(), {"rounds": options.rounds, "seconds": options.seconds})
    rows = []
    begin = time.monotonic()
    for road in [*ROADS, *(road.slanted() for road in ROADS)]:
        for resolution in RESOLUTIONS:
            one = judge(road, resolution, options)
            rows.append(_row(one))
            report.rounds.append(dict(one._asdict()))
            report.figures += _figures(one, slanted=road.there_ns > road.back_ns)
    print(table(HEAD, rows))
    for figure in report.figures:
        if figure.reach is not None:
            print(figure.in_words())
    print(f"{time.monotonic() - begin:.0f} s")
    return report


def _row(one: Result) -> list[object]:
    shares = [f"{100 * share:.2f}" for share in (one.covered, one.quotes_covered)]
    figures = [f"{value:.3f}" for value in one[2:6]]
    step = [f"{value:.1f}" for value in (one.in_step, one.by_arrival, one.by_stamp, one.age_far, one.age_home)]
    told = [f"{one.width:.3f}", f"{one.width_allowed:.3f}", *step, f"{100 * one.uncalibrated:.2f}"]
    return [one.road, one.resolution, *figures, f"{one.converged_s:.1f}", *shares, *told, one.steps, one.paths]


def _figures(one: Result, *, slanted: bool) -> list[Figure]:
    name = f"clock.{one.road}.{one.resolution}".replace(", ", "_").replace(" ", "-").replace(":", "-")
    reach = None if slanted or one.resolution == "s" else REACH_MS.get(one.road)
    return [
        Figure(f"{name}.error_p99", round(one.error_p99, 3), "ms", reach),
        Figure(f"{name}.in_step_p99", round(one.in_step, 2), "ms", None if one.resolution == "s" else IN_STEP_MS),
        Figure(f"{name}.covered", round(100 * one.covered, 3), "%", 99.0, less_is_better=False),
        Figure(f"{name}.width", round(one.width, 3), "ms", round(one.width_allowed, 3)),
        Figure(f"{name}.offset_p99", round(one.offset_p99, 3), "ms"),
        Figure(f"{name}.converged", round(one.converged_s, 1), "s"),
    ]


if __name__ == "__main__":
    measure(DEFAULT)
