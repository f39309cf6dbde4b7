"""Whether evidence counts anything twice. A sample of 92 trades named twice would prove what 184 trades prove.

Two runs overlap when they hold the same execution process (host, boot, when its journal was opened) or when they hold
the same decision of the trigger or the same pair trade at the same nanosecond: a copy under another name, a part of a
run beside the whole, a copy whose first record was written anew. Two load tests overlap when their files are the same.

It decides nothing else: two runs that went on at the same time are two samples.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence

from acceptance.evidence import LoadTest, RunEvidence, digest_of
from gateway.journal.told import told


def overlaps(runs: Sequence[RunEvidence], tests: Sequence[LoadTest]) -> list[str]:
    """What is there twice, each with both names; the first of each pair of runs is enough."""
    found: list[str] = []
    seen: dict[Hashable, tuple[int, RunEvidence]] = {}
    told_of: set[tuple[int, int]] = set()
    for number, run in enumerate(runs):
        for key, what in _marks(run).items():
            before = seen.setdefault(key, (number, run))
            if before[0] != number and (before[0], number) not in told_of:
                told_of.add((before[0], number))
                found.append(told("{} and {} both hold {}", str(before[1].run_dir), str(run.run_dir), what))
    return [*found, *_tests(tests)]


def _marks(run: RunEvidence) -> Mapping[Hashable, str]:
    return dict(_each_mark(run))


def _each_mark(run: RunEvidence) -> Iterator[tuple[Hashable, str]]:
    for opened in run.story.opened:
        process = (opened.host, opened.boot_id, opened.monotonic_ns, opened.incarnation)
        yield ("opened", *process), told("execution process {} of host {}", opened.incarnation, opened.host)
    for intent in run.story.intents:
        yield ("intent", intent.rule_id, intent.recv_ns, intent.decided_ns), told("intent {}", intent.intent_id)
    for trade in run.story.trades.values():
        yield ("trade", trade.trade_id, trade.received_ns), told("pair trade {}", trade.trade_id)


def _tests(tests: Sequence[LoadTest]) -> Iterator[str]:
    seen: dict[str, LoadTest] = {}
    for test in tests:
        before = seen.setdefault(digest_of(test.path), test)
        if before is not test:
            yield told("{} and {} are the same load test", str(before.path), str(test.path))
