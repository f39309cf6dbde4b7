"""The way between a client and a venue: one-way delay and jitter per direction, in order, as TCP keeps it.

A link decides when what was sent at one time arrives; it never loses and never reorders (TCP does neither; loss on the
way shows as delay, and a lost connection is a fault of its own). The n-th message of a link has the same jitter in
every run with the same seed. Delays are typical of the distances; they are parameters, not measurements.
"""

from typing import NamedTuple

from simulators.core.draw import draw

_US = 1_000
_MS = 1_000_000


class Way(NamedTuple):
    """One direction: a floor, a jitter of mostly small and rarely large figures, and how often a spike comes."""

    floor_ns: int
    jitter_ns: int
    spike_ns: int
    spike_probability: float


class NetworkProfile(NamedTuple):
    """A named pair of ways; they differ a little, because real routes do, and nobody can measure it over FIX."""

    name: str
    to_venue: Way
    to_client: Way


NETWORK_PROFILES = {
    profile.name: profile
    for profile in (
        NetworkProfile("none", Way(0, 0, 0, 0.0), Way(0, 0, 0, 0.0)),
        NetworkProfile(
            "same-rack",
            Way(15 * _US, 10 * _US, 100 * _US, 0.001),
            Way(15 * _US, 10 * _US, 100 * _US, 0.001),
        ),
        NetworkProfile(
            "same-city",
            Way(600 * _US, 300 * _US, 3 * _MS, 0.002),
            Way(650 * _US, 300 * _US, 3 * _MS, 0.002),
        ),
        NetworkProfile(
            "shanghai-london",
            Way(88 * _MS, 6 * _MS, 40 * _MS, 0.005),
            Way(91 * _MS, 6 * _MS, 40 * _MS, 0.005),
        ),
        NetworkProfile(
            "shanghai-chicago",
            Way(92 * _MS, 5 * _MS, 40 * _MS, 0.005),
            Way(90 * _MS, 5 * _MS, 40 * _MS, 0.005),
        ),
    )
}


class Link:
    """One direction of one session. Holds how many messages passed and when the last one arrives."""

    def __init__(self, way: Way, seed: int, name: str) -> None:
        self._way = way
        self._seed = seed
        self._name = name
        self._count = 0
        self._last_arrival_ns = 0

    def arrival_ns(self, sent_ns: int) -> int:
        """When what is sent at `sent_ns` arrives: never before anything that was sent earlier."""
        arrival_ns = max(sent_ns + self._delay_ns(), self._last_arrival_ns)
        self._last_arrival_ns = arrival_ns
        return arrival_ns

    def _delay_ns(self) -> int:
        way = self._way
        if not (way.floor_ns or way.jitter_ns or way.spike_probability):
            return 0
        self._count += 1
        share = draw(self._seed, self._name, self._count)
        spike_ns = 0
        if way.spike_probability and draw(self._seed, self._name + ".spike", self._count) < way.spike_probability:
            spike_ns = way.spike_ns
        # The cube makes small jitter common and large jitter rare, as on a quiet line.
        return way.floor_ns + int(way.jitter_ns * share**3) + spike_ns
