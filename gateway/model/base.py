"""Base of every value that crosses a process border or enters the journal.

A message is defined once, as a class here; the codecs of the bus and of the journal are derived from its fields
(`msgspec`, arrays with the class's tag first). Creating one costs 0.05 us and decoding 0.26 us on the machine of
docs/ARCHITECTURE.md, decision 4, where a NamedTuple costs 0.19 us to create and a frozen dataclass over 1 us.

What can go wrong: the fields of a class are positional on the wire, so a field is only ever added at the end, with a
default.
"""

from fractions import Fraction
from typing import Any

import msgspec


class Message(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=True):
    """An immutable value: a tag (the class's name) and fields, in order."""


PRICE_E9 = 10**9
"""Pair prices and money are whole multiples of 1e-9 of their unit; a field that holds one ends in `_e9`."""


def plain(value: Any) -> str:  # noqa: ANN401 what the codec does not know by itself
    """How a codec writes a fraction: "113/100". For the encoders of bus and journal."""
    if isinstance(value, Fraction):
        return str(value)
    message = f"{type(value).__name__} has no form in a message"
    raise NotImplementedError(message)


def made(kind: type, value: Any) -> Any:  # noqa: ANN401 as above
    """A fraction of its text; ValueError where it is none. For the decoders."""
    if kind is Fraction and isinstance(value, str):
        try:
            return Fraction(value)
        except ZeroDivisionError as error:
            message = f"{value}: a fraction over 0"
            raise ValueError(message) from error
    message = f"{kind.__name__} has no form in a message"
    raise NotImplementedError(message)
