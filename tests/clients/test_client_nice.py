"""The process for clients steps back behind the trading path."""

import os
from collections.abc import Callable

import pytest
from client_rig import Rig, client

Start = Callable[..., Rig]


@pytest.mark.parametrize("niceness", [0, 5])
def test_the_process_is_as_nice_as_the_site_says(start: Start, niceness: int) -> None:
    """On top of what it was started with."""
    rig = start(client("FUND1"), nice=niceness)
    assert rig.process is not None
    assert os.getpriority(os.PRIO_PROCESS, rig.process.pid) == os.getpriority(os.PRIO_PROCESS, 0) + niceness
