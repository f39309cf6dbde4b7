"""The gate's check of QUOTE_SKEW: which times tell how far apart the legs' quotes are."""

import msgspec
import pytest
from desk import Desk, intent, settings

from gateway.model.trade import Intent, IntentRefused, RefusalName

CASES = [
    # recv_ns of the second leg less the first's, calibrated_ns of both, refused
    (-51, 0, 0, True),
    (-50, 0, 0, False),
    (-51, 1_000, 1_050, False),
    (0, 1_000, 1_051, True),
    (0, 1_000, 0, False),
    (-51, 1_000, 0, True),
]


@pytest.mark.parametrize(("arrived", "first", "second", "refused"), CASES)
def test_legs_are_compared_by_calibrated_times_where_all_have_them(
    *, arrived: int, first: int, second: int, refused: bool
) -> None:
    """Two calibrated legs count by their venues' time; where one has none, both count by arrival."""
    desk = Desk(settings(max_quote_skew_ns=50))
    desk.do(timed(intent(), (0, first), (arrived, second)))
    assert [one.name for one in desk.announced(IntentRefused)] == ([RefusalName.QUOTE_SKEW] if refused else [])


def timed(given: Intent, *times: tuple[int, int]) -> Intent:
    """The intent with `recv_ns` moved and `calibrated_ns` set on each leg."""
    legs = tuple(
        msgspec.structs.replace(leg, recv_ns=leg.recv_ns + moved, calibrated_ns=calibrated_ns)
        for leg, (moved, calibrated_ns) in zip(given.legs, times, strict=True)
    )
    return msgspec.structs.replace(given, legs=legs)
