"""What the watch reads from execution's journal, and what execution reads from the watch's when it returns."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from gateway.journal.fold import OrderStory, fold
from gateway.journal.reader import read_run
from gateway.model.order import CancelRejected, ExecutionReport
from gateway.model.record import Decision
from gateway.model.trade import Alarm, Announce
from gateway.processes.watch_pull import OpenOrder

WATCH = "watch"


def open_orders(run_dir: Path) -> dict[str, dict[str, OpenOrder]]:
    """By venue and ClOrdID: every order that was handed to a session and of which no final word is in the journal."""
    found: dict[str, dict[str, OpenOrder]] = defaultdict(dict)
    for name, story in fold(read_run(run_dir)).orders.items():
        if _may_work(story):
            found[story.order.venue_id][name] = OpenOrder(story.order, story.order_id)
    return found


def _may_work(story: OrderStory) -> bool:
    return not (story.ended or story.send_failure or story.unknown_at_venue)


def words_since(run_dir: Path, at_ns: int) -> Iterator[ExecutionReport | CancelRejected]:
    """What venues said to the watch after `at_ns`, when it had execution's sessions; oldest first.

    The venue does not say it again, because the session's numbers have moved on. Times are of one boot.
    """
    for record in read_run(run_dir, WATCH):
        if not isinstance(record, Decision) or record.at_ns <= at_ns:
            continue
        if isinstance(record.event, ExecutionReport | CancelRejected):
            yield record.event


def alarms_since(run_dir: Path, at_ns: int) -> Iterator[Alarm]:
    """What the watch raised after `at_ns`, when it held execution; oldest first. Times are of one boot."""
    for record in read_run(run_dir, WATCH):
        if isinstance(record, Decision) and record.at_ns > at_ns:
            yield from (one.what for one in record.actions if isinstance(one, Announce) and isinstance(one.what, Alarm))
