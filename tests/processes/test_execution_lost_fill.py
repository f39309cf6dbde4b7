"""kill -9 between a message that QuickFIX has counted and its record: what the venue said then is not lost.

The window is held open by a journal that takes no record: messages are handed over and counted, none of them is
written, then the process is killed.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import simplefix
from execution_rig import OVERSEAS, TIMEOUT_S, Rig, rig_in, text, until

from gateway.fix.resume import numbers_since_ns
from tests.fix.fix_peer import SENDING_TIME


def report(order: simplefix.FixMessage, exec_id: str, *, lots: int) -> list[tuple[int, str]]:
    """FIX 4.2: a fill of `lots`, or, with none, the end of the order."""
    qty = int(text(order, 38))
    kind, status = ("2" if lots == qty else "1", "2" if lots == qty else "4") if lots else ("4", "4")
    same = [(tag, text(order, tag)) for tag in (11, 1, 55, 54, 38, 44)]
    last = [(32, str(lots)), (31, text(order, 44))] if lots else []
    return [
        (37, "V1"), (17, exec_id), (20, "0"), (150, kind), (39, status), *same, *last,
        (151, "0"), (14, str(lots)), (6, "0"),
    ]  # fmt: skip


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rig_in(tmp_path) as made:
        yield made


def test_a_late_fill_of_an_ended_order_survives_a_kill_before_its_record(rig: Rig) -> None:
    """A 4.2 venue, which is not asked about ended orders: the first logon asks for all after the record, and counts it
    once, however often it is sent.
    """
    orders = rig.open()
    venue, order = rig.venues[OVERSEAS], orders[OVERSEAS]
    lots = int(text(order, 38))
    began_ns = numbers_since_ns(rig.site.state_dir / "fix", f"{OVERSEAS}.orders")
    until(lambda: time.time_ns() - began_ns > 10**9, "the numbers are older than a second, as the store tells it")
    venue.send("8", *report(order, "E1", lots=0))
    until(lambda: rig.reports() == ["E1"], "the end of the order is on record")
    rig.no_more_records()
    late = venue.next_out
    venue.send("8", *report(order, "E2", lots=lots))
    until(lambda: rig.counted(OVERSEAS) == late + 1, "QuickFIX has counted the fill")
    rig.kill()
    assert rig.reports() == ["E1"]
    assert rig.position(OVERSEAS) == (0, 0)
    rig.start(died=True)
    asked = venue.read("2", TIMEOUT_S)
    assert text(asked, 7) == str(late)
    again = ((43, "Y"), (122, SENDING_TIME))
    venue.send("8", *report(order, "E2", lots=lots), header=again, seq=late)
    venue.send("4", (123, "Y"), (36, str(venue.next_out)), header=again, seq=late + 1)
    until(lambda: rig.reports() == ["E1", "E2"], "the fill is on record")
    assert rig.position(OVERSEAS) == (-lots, lots)
    rig.kill()
    rig.start(died=True)
    assert text(venue.read("2", TIMEOUT_S), 7) == str(late + 1)
    venue.send("4", (123, "Y"), (36, str(venue.next_out)), header=again, seq=late + 1)
    assert rig.position(OVERSEAS) == (-lots, lots)


def test_the_age_of_the_numbers_is_in_the_store(rig: Rig) -> None:
    """QuickFIX writes when they began: read, it lies within this test."""
    since_ns = numbers_since_ns(rig.site.state_dir / "fix", f"{OVERSEAS}.orders")
    assert 0 <= time.time_ns() - since_ns < 120 * 10**9
