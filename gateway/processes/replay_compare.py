"""Where two lists of messages first differ, field by field, as text for a person and for a program. Pure.

It judges by the bytes that a journal would hold, so a difference that no record could show is none.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from gateway.model.base import plain

ABSENT = "nothing"
MOST_FIELDS = 12
"""Differing fields that are listed; the first is what matters."""
LONGEST = 400

_ENCODE = msgspec.msgpack.Encoder(enc_hook=plain).encode


class Field(NamedTuple):
    """One field that differs: its place as a path, and both values as text."""

    path: str
    recorded: str
    replayed: str


def same(recorded: Sequence[Any], replayed: Sequence[Any]) -> bool:
    """Whether both would be the same bytes in a journal written today."""
    return _ENCODE(tuple(recorded)) == _ENCODE(tuple(replayed))


def fields(recorded: Any, replayed: Any, name: str) -> list[Field]:  # noqa: ANN401 a message, or a tuple of them
    """The first fields that differ, in order; paths begin with `name`."""
    found: list[Field] = []
    _walk(name, recorded, replayed, found)
    return found[:MOST_FIELDS]


def text(value: Any) -> str:  # noqa: ANN401 any value of a message
    """A value in one line."""
    words = str(value) if isinstance(value, str) else repr(value)
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}... ({len(words)} characters)"


def _walk(path: str, one: Any, other: Any, found: list[Field]) -> None:  # noqa: ANN401 as `text`
    if len(found) >= MOST_FIELDS or _ENCODE(one) == _ENCODE(other):
        return
    if isinstance(one, tuple) and isinstance(other, tuple):
        for index in range(max(len(one), len(other))):
            if index >= len(one) or index >= len(other):
                held = (text(items[index]) if index < len(items) else ABSENT for items in (one, other))
                found.append(Field(f"{path}[{index}]", *held))
                return  # what follows is only shifted
            _walk(f"{path}[{index}]", one[index], other[index], found)
    elif isinstance(one, msgspec.Struct) and type(one) is type(other):
        for name in one.__struct_fields__:
            _walk(f"{path}.{name}", getattr(one, name), getattr(other, name), found)
    else:
        found.append(Field(path, text(one), text(other)))
