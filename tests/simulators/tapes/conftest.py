"""Where the recorded sets are, for the tests that need them."""

from pathlib import Path

import pytest

from simulators.tapes import RECORDED_SETS


@pytest.fixture
def recorded_sets() -> Path:
    """The folder of the recorded sets; the test is skipped where it is absent."""
    if not RECORDED_SETS.is_dir():
        pytest.skip(f"the recorded sets are not at {RECORDED_SETS}: they may not be distributed with the product")
    return RECORDED_SETS
