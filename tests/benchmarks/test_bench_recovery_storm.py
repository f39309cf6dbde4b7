"""The benchmark of recovery storms: every book comes back, and what is told of it adds up."""

import msgspec

from benchmarks.recovery_storm import DEFAULT, Storm, judge


def test_a_small_storm_is_survived_and_counted() -> None:
    """Three books lose 100 ms of messages: each has one gap, each is whole again, and the other venue's quotes go on."""
    options = msgspec.structs.replace(DEFAULT, seconds=2.5, rates=(120,))
    told = judge(Storm("small", 3, "rpt_seq", 0.1), options)
    assert told.whole
    assert (told.repairs.gaps, told.repairs.repaired) == (3, 3)
    assert told.repairs.lost >= 3
    assert told.took is not None
    assert told.took.count == 3
    assert told.before is not None
    assert told.during is not None
    assert told.during.count > 50
