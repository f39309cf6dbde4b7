"""What of runs and load tests has to be told to whoever signs, though no criterion fails by it. Pure.

A run that nobody stopped may have been cut off; runs of several builds, site files or hosts are one sample only if
somebody says so; a host whose UTC was set tells wrong dates; a load test proves something of the gateway it was made
against. What was left out is told, too: execution's processes are numbered, so a run between two others is missed.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from acceptance.evidence import RunEvidence
from acceptance.load_file import LoadTest
from gateway.journal.told import told
from gateway.journal.units import duration

MOST_STEP_NS = 10**9
MOST_SHOWN = 20
SCENARIOS = ("ramp", "step", "spike", "opening bursts", "disconnect storm", "slow clients", "soak")
"""Load tests of `cmc deliver stress`, by name: who hands in some of them chose which."""


def open_points_of(run: RunEvidence) -> Iterator[str]:
    """What one run has to have told of it."""
    yield from (told("{}: {}", run.name, note) for note in run.notes)
    lives = run.story.lives
    if lives and not lives[-1].was_stopped:
        yield told("{}: nobody stopped execution; its journal ends {} after it was opened and may be cut off", run.name,
                   duration(lives[-1].last_ns - lives[-1].opened_ns))  # fmt: skip
    boots = sum(earlier.boot_id != later.boot_id for earlier, later in pairwise(lives))
    if boots:
        yield told("{}: the machine was started anew {} times; how long that took is not measured", run.name, boots)
    for step_ns in _steps(run):
        yield told("{}: UTC of the host was set by {} while it ran", run.name, duration(step_ns))
    if not run.story.trades:
        yield told("{}: no pair trade", run.name)


def _steps(run: RunEvidence) -> Iterator[int]:
    """How far UTC moved against the monotonic clock between two looks at both, where it is more than drift.

    Of a run over several boots nothing is told: their monotonic clocks have nothing in common.
    """
    if len({one.boot_id for one in run.story.opened}) != 1:
        return
    looks = [(one.monotonic_ns, one.utc_ns - one.monotonic_ns) for one in run.story.clock_pairs]
    looks += [(one.monotonic_ns, one.utc_ns - one.monotonic_ns) for one in run.story.opened]
    for (_, before_ns), (_, after_ns) in pairwise(sorted(looks)):
        if abs(after_ns - before_ns) > MOST_STEP_NS:
            yield after_ns - before_ns


def differences(runs: Sequence[RunEvidence], tests: Sequence[LoadTest]) -> Iterator[str]:
    """In what runs, and load tests beside them, are not of one installation."""
    opened = [one for run in runs for one in run.story.opened]
    versions = sorted({one.version for one in opened})
    if len(versions) > 1:
        yield told("the runs were made by different versions: {}", ", ".join(versions))
    builds = {one.build for one in opened if one.build}
    if len(builds) > 1:
        yield told("the runs were made by different builds: {}", ", ".join(sorted(builds)))
    if any(not one.build for one in opened):
        yield told("a run does not say which build made it")
    sites = {one.site_digest for one in opened}
    if len(sites) > 1:
        yield told("the runs were made with {} different site files", len(sites))
    hosts = {one.host for one in opened}
    if len(hosts) > 1:
        yield told("the runs were made on different hosts: {}", ", ".join(sorted(hosts)))
    yield from _left_out(runs)
    yield from _of_tests(tests, builds, hosts)


def _of_tests(tests: Sequence[LoadTest], builds: set[str], hosts: set[str]) -> Iterator[str]:
    """Which load tests are missing, and which were made against another gateway than the runs'."""
    names = {test.name for test in tests}
    if tests and (missing := [one for one in SCENARIOS if one not in names]):
        yield told("load tests that were not handed in: {}", ", ".join(missing))
    for test in tests:
        against = test.against
        if not test.checked:
            yield told("load test {} has no histogram that its figures could be read from again", test.name)
        if not against.build or not against.host:
            yield told("load test {} does not say which gateway it was made against", test.name)
        elif builds and against.build not in builds:
            yield told("load test {} was made against another build: {}", test.name, against.build)
        elif hosts and against.host not in hosts:
            yield told("load test {} was made on another host: {}", test.name, against.host)


def _left_out(runs: Sequence[RunEvidence]) -> Iterator[str]:
    """Numbers of execution's processes that no run holds, up to the last, by host."""
    known: dict[str, set[int]] = {}
    for run in runs:
        for one in run.story.opened:
            known.setdefault(one.host, set()).add(one.incarnation)
    for host, numbers in sorted(known.items()):
        missing = [number for number in range(1, max(numbers)) if number not in numbers]
        if missing:
            shown = ", ".join(map(str, missing[:MOST_SHOWN])) + (", ..." if len(missing) > MOST_SHOWN else "")
            yield told("execution processes {} of host {} are in none of these runs", shown, host)
