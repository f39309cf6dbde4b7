"""G11: one leg was below the minimum size or without margin, found out after the other had filled."""

import msgspec

from gateway.execution.ledger import ExecutionSettings
from tests.simulation.scene import CHEAP_AT_1S, FAR, Scene

replace = msgspec.structs.replace


def _far_takes_two_or_more(given: ExecutionSettings) -> ExecutionSettings:
    instruments = {**given.instruments, FAR: replace(given.instruments[FAR], min_qty_lots=2)}
    return replace(given, instruments=instruments)


def _far_has_no_margin(given: ExecutionSettings) -> ExecutionSettings:
    limits = {**given.instrument_limits, FAR: replace(given.instrument_limits[FAR], margin_per_lot_e9=5_000 * 10**9)}
    venues = {**given.venues, "LME": replace(given.venues["LME"], margin_available_e9={"CNY": 4_999 * 10**9})}
    return replace(given, instrument_limits=limits, venues=venues)


def test_g11_a_leg_below_its_smallest_size_is_found_before_any_order() -> None:
    """Every leg is looked at before the first is sent (`risk._min_size`)."""
    scene = Scene(*CHEAP_AT_1S, change=_far_takes_two_or_more).play()
    assert (set(scene.refused()), scene.sent) == ({"min_size"}, [])


def test_g11_a_leg_without_margin_is_found_before_any_order() -> None:
    """Margin of all legs at the worst case, before the first is sent (`risk._margin`)."""
    scene = Scene(*CHEAP_AT_1S, change=_far_has_no_margin).play()
    assert (set(scene.refused()), scene.sent) == ({"margin"}, [])
