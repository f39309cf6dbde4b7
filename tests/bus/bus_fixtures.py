"""A bus directory with a short path, and sockets that are closed whatever happens."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from gateway.bus.sockets import prepare_bus_dir

T = TypeVar("T")


@pytest.fixture
def bus_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cmc-") as folder:
        yield prepare_bus_dir(Path(folder) / "bus")


@pytest.fixture
def opened() -> Iterator[Callable[[T], T]]:
    """Wrap a socket in it and it is closed at the end."""
    sockets: list[Any] = []

    def keep(one: T) -> T:
        sockets.append(one)
        return one

    yield keep
    for one in sockets:
        one.close()
