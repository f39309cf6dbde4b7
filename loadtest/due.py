"""When requests are due, and how long each took from then: open workload, no coordinated omission. Pure.

Requests are due at a steady rate from the start of a user on, whatever became of those before. A delay counts from the
due time, not from the moment of sending: a slow system that delays its own load would look fast otherwise. Delays go
into an HdrHistogram of nanoseconds (three digits), which adds up over users, workers and machines.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hdrh.histogram import HdrHistogram

LOWEST_NS, HIGHEST_NS, DIGITS = 1_000, 60 * 10**9, 3
PERCENTS = (50.0, 90.0, 99.0, 99.9)


class Delays:
    """Counts requests, failures by reason, and delays."""

    def __init__(self) -> None:
        self.histogram: Any = HdrHistogram(LOWEST_NS, HIGHEST_NS, DIGITS)
        self.requests = 0
        self.failures: dict[str, int] = {}
        self.longest_late_ns = 0
        """The most that the load itself was late with sending."""

    def sent(self, late_ns: int) -> None:
        """A request left, so long after it was due."""
        self.requests += 1
        self.longest_late_ns = max(self.longest_late_ns, late_ns)

    def answered(self, delay_ns: int) -> None:
        """Its answer came, so long after the request was due."""
        self.histogram.record_value(min(max(delay_ns, LOWEST_NS), HIGHEST_NS))

    def unsent(self, reason: str, count: int) -> None:
        """Requests that were due and could not even be sent: asked for all the same, and failed."""
        self.requests += max(0, count)
        self.failed(reason, max(0, count))

    def failed(self, reason: str, count: int = 1) -> None:
        """It was refused, or its answer never came."""
        if count:
            self.failures[reason] = self.failures.get(reason, 0) + count

    def packed(self) -> dict[str, Any]:
        """For a master: what its workers counted since the last time they told; begins anew."""
        content = {
            "histogram": self.histogram.encode().decode("ascii"),
            "requests": self.requests,
            "failures": dict(self.failures),
            "longest_late_ns": self.longest_late_ns,
        }
        self.__init__()  # type: ignore[misc]  # all counts begin anew
        return content

    def add(self, content: dict[str, Any]) -> None:
        """What a worker told."""
        self.histogram.decode_and_add(content["histogram"].encode("ascii"))
        self.requests += int(content["requests"])
        for reason, count in content["failures"].items():
            self.failed(reason, int(count))
        self.longest_late_ns = max(self.longest_late_ns, int(content["longest_late_ns"]))

    def result(self, name: str, about: dict[str, Any]) -> dict[str, Any]:
        """A load-test file's content, as acceptance reads it."""
        found = self.histogram
        return {
            "kind": "loadtest",
            "name": name,
            "requests": self.requests,
            "failures": sum(self.failures.values()),
            "failures_by_reason": self.failures,
            "answered": found.get_total_count(),
            "longest_late_ns": self.longest_late_ns,
            "latency_ns": {f"p{percent:g}": int(found.get_value_at_percentile(percent)) for percent in PERCENTS}
            | {"max": int(found.get_max_value())},
            "histogram": found.encode().decode("ascii"),
            **about,
        }


def due_times(start_ns: int, rate: float) -> Iterator[tuple[int, int]]:
    """Number and due time of each request, from the start on at this rate a second."""
    number = 0
    while True:
        yield number, start_ns + int(number * 10**9 / rate)
        number += 1


def burst_times(start_ns: int, every_s: float, size: int) -> Iterator[tuple[int, int]]:
    """Bursts as at an opening: so many requests due at the same instant, again and again."""
    number = 0
    while True:
        yield number, start_ns + int(number // size * every_s * 10**9)
        number += 1


def write_result(path: Path, content: dict[str, Any]) -> None:
    """The file, whole or not at all: a result is there only of a test that was played to its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)
