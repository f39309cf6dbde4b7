"""Base of every value that crosses a process border or enters the journal.

A message is defined once, as a class here; the codecs of the bus and of the journal are derived from its fields
(`msgspec`, arrays with the class's tag first). Creating one costs 0.05 us and decoding 0.26 us on the machine of
docs/ARCHITECTURE.md, decision 4, where a NamedTuple costs 0.19 us to create and a frozen dataclass over 1 us.

What can go wrong: the fields of a class are positional on the wire, so a field is only ever added at the end, with a
default.
"""

import msgspec


class Message(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=True):
    """An immutable value: a tag (the class's name) and fields, in order."""


PRICE_E9 = 10**9
"""Pair prices and money are whole multiples of 1e-9 of their unit; a field that holds one ends in `_e9`."""
