"""Gives the adapter that a dialect names, of a venue that does not speak FIX.

`adapter = "module:factory"` in a dialect file names an importable module and a callable in it, which is given the path
of the dialect file and returns an `Adapter` (gateway/model/port.py).

What can go wrong: an adapter that cannot be loaded: AdapterError with the dialect, the name and what would be right.
"""

import importlib
from functools import cache
from pathlib import Path
from typing import cast

from gateway.fix.dialect import Dialect, DialectError
from gateway.model.port import Adapter


class AdapterError(DialectError):
    """A dialect names an adapter that is not there."""


def adapter_of(dialect: Dialect) -> Adapter:
    """The adapter that the dialect names; one for each dialect file of a process."""
    return _load(dialect.adapter, dialect.path)


@cache
def _load(name: str, path: Path) -> Adapter:
    module, _, factory = name.partition(":")
    try:
        made = getattr(importlib.import_module(module), factory)
    except (ImportError, AttributeError, ValueError) as error:
        message = f"{path}: dialect.adapter = {name!r}: {error}; right would be module:factory of an installed module"
        raise AdapterError(message) from error
    return cast("Adapter", made(path))
