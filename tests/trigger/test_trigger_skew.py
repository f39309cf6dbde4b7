"""Which times tell how far apart the quotes of a pair's legs are."""

import msgspec
import pytest
from trigger_values import DOMESTIC, INSTRUMENTS, SILENCE_NS, SKEW_NS, THIRD, leg, pair, quote

from gateway.model.quote import Quote
from gateway.trigger.core import TriggerCore

T = 10_000_000
APART = "quotes of the legs too far apart"

CASES = [
    # arrival of the second leg less the first's, calibrated times of both, verdict
    (SKEW_NS, 0, 0, "ok"),
    (SKEW_NS + 1, 0, 0, APART),
    (SKEW_NS + 1, 5, 5, "ok"),
    (SKEW_NS + 1, 5, 5 + SKEW_NS, "ok"),
    (0, 5, 6 + SKEW_NS, APART),
    (0, 6 + SKEW_NS, 5, APART),
    (0, 5, 0, "ok"),
    (SKEW_NS + 1, 0, 5, APART),
]


def told(arrived: int, first: int, second: int) -> str:
    """The verdict of the pair after a quote of each leg."""
    core = TriggerCore((pair(leg(DOMESTIC), leg(THIRD)),), (), INSTRUMENTS, silence_ns=SILENCE_NS)
    at_ns = T + max(0, arrived)
    for name, recv_ns, calibrated_ns in ((DOMESTIC, T, first), (THIRD, T + arrived, second)):
        core.on_quote(_calibrated(quote(name, ((100, 9),), ((101, 9),), recv_ns), calibrated_ns), at_ns)
    looked = core._pairs[0].look(at_ns) or core._pairs[0].priced
    (price,) = core.changed_prices()
    assert looked is (price.verdict != APART)
    return "ok" if price.verdict != APART else APART


def _calibrated(given: Quote, calibrated_ns: int) -> Quote:
    return msgspec.structs.replace(given, calibrated_ns=calibrated_ns)


@pytest.mark.parametrize(("arrived", "first", "second", "verdict"), CASES)
def test_legs_are_compared_by_calibrated_times_where_all_have_them(
    arrived: int, first: int, second: int, verdict: str
) -> None:
    """Two calibrated legs count by their venues' time, however late one came; else both count by arrival."""
    assert told(arrived, first, second) == verdict
