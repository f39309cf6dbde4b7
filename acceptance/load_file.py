"""A load-test file: latencies of clients under load, counted from due times (docs/ACCEPTANCE.md says what one holds).

It decides nothing but whether a file is one. Where the file holds the histogram that its figures were read from, the
figures are read from it again, so that a figure that was changed by hand is seen.

What can go wrong: a file that is absent, too large, no JSON, or holds figures that no test can have (nothing asked,
more failed than asked, a time that is none): EvidenceError names the file, the key and what would be right.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from gateway.journal.told import told

LOADTEST = "loadtest"
MOST_BYTES = 16 * 1024 * 1024
LONGEST_NS = 24 * 3600 * 10**9
MOST_REQUESTS = 10**12
LONGEST_NAME = 200
P99 = 99.0


class EvidenceError(Exception):
    """Evidence that is missing or is not what it should be; names the file and what would be right."""


class Against(NamedTuple):
    """The gateway that a load test was made against, as far as the file says it."""

    host: str = ""
    build: str = ""
    config: str = ""


class LoadTest(NamedTuple):
    """Latencies of clients under load, from due times (docs/ACCEPTANCE.md)."""

    name: str
    path: Path
    requests: int
    failures: int
    p99_ns: int
    against: Against = Against()
    checked: bool = False
    """Its figures were read again from its histogram."""


def read_loadtest(path: Path) -> LoadTest:
    """Read a load-test file."""
    content = _content(path)
    if content.get("kind") != LOADTEST:
        raise _refused(path, "kind", content.get("kind"), f'"{LOADTEST}"')
    name = content.get("name")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_NAME:
        raise _refused(path, "name", name, told("a text of at most {} characters", LONGEST_NAME))
    latency = content.get("latency_ns")
    p99_ns = _whole(path, "latency_ns.p99", latency.get("p99") if isinstance(latency, dict) else None, 1, LONGEST_NS)
    requests = _whole(path, "requests", content.get("requests"), 1, MOST_REQUESTS)
    failures = _whole(path, "failures", content.get("failures"), 0, requests)
    checked = isinstance(content.get("histogram"), str) and _is_histograms(
        path, content["histogram"], requests, failures, p99_ns
    )
    against = _against(path, content.get("gateway", {}))
    return LoadTest(name.strip(), path, requests, failures, p99_ns, against, checked)


def _content(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            message = told("{}: no load-test file: {} bytes; at most {}", path, path.stat().st_size, MOST_BYTES)
            raise EvidenceError(message)
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except OSError as error:
        message = told("{}: no such file that can be read", path)
        raise EvidenceError(message) from error
    except (ValueError, RecursionError) as error:
        message = told("{}: no load-test file: {}; docs/ACCEPTANCE.md says what one holds", path, error)
        raise EvidenceError(message) from error
    if not isinstance(content, dict):
        raise _refused(path, "{}", type(content).__name__, told("one JSON object"))
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand there once; of two figures nobody knows which is meant."""
    found = dict(pairs)
    if len(found) != len(pairs):
        message = told("a key stands there twice: {}", ", ".join(key for key, _ in pairs))
        raise ValueError(message)
    return found


def _whole(path: Path, key: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _refused(path, key, value, told("a whole number from {} to {}", low, high))
    return value


def _refused(path: Path, key: str, value: object, right: str) -> EvidenceError:
    shown = repr(value)
    return EvidenceError(
        told("{}: no load-test file: {} = {}: {}", path, key, shown[:60] + ("..." if len(shown) > 60 else ""), right)  # noqa: PLR2004 - as much as a line shows
    )


def _against(path: Path, given: object) -> Against:
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise _refused(path, "gateway", given, told("host, build and config as texts"))
    return Against(*(given.get(key, "") for key in Against._fields))


def _is_histograms(path: Path, text: str, requests: int, failures: int, p99_ns: int) -> bool:
    """The figures beside a histogram are those of the histogram, and each request was answered or failed.

    False where hdrh is not installed and nothing is compared.
    """
    try:
        from hdrh.histogram import HdrHistogram  # noqa: PLC0415 an extra of the package
    except ImportError:
        return False
    try:
        histogram = HdrHistogram.decode(text)
        counted, found_ns = histogram.get_total_count(), histogram.get_value_at_percentile(P99)
    except Exception as error:  # whatever the library makes of a text that is none
        raise _refused(path, "histogram", text, told("one that can be read: {}", error)) from error
    if not requests - failures <= counted <= requests:
        right = told("{} answers of its histogram and {} failures", counted, failures)
        raise _refused(path, "requests", requests, right)
    if found_ns != p99_ns:
        right = told("{} ns of {} answers, as its histogram says", found_ns, counted)
        raise _refused(path, "latency_ns.p99", p99_ns, right)
    return True
