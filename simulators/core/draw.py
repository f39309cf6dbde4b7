"""Chance that does not depend on what happened before: a keyed hash of the seed and of what is being decided.

Two runs with the same seed decide the same for order 17, even if order 16 came late in one of them. There is no stream
to fall out of step with.
"""

from hashlib import blake2b

_SCALE = float(1 << 64)


def draw(seed: int, name: str, *ordinal: int | str) -> float:
    """A figure in [0, 1), the same for the same arguments on every machine."""
    key = ":".join((str(seed), name, *map(str, ordinal)))
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") / _SCALE
