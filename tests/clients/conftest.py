"""A client process for the tests of this folder."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from client_rig import Rig, client


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """Starts the process with these clients, waits until it takes orders; ends everything."""
    rigs: list[Rig] = []
    with tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir:

        def make(*clients: Any, **top: Any) -> Rig:  # noqa: ANN401 keys of the site file
            rig = Rig(tmp_path, bus_dir, list(clients) or [client("FUND1")], **top)
            rigs.append(rig)
            rig.start()
            return rig

        yield make
        for rig in rigs:
            rig.close()
