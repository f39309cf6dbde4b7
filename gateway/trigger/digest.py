"""One number for what an evaluation saw, so that a replay can tell whether it saw the same.

Whole numbers only, in a fixed order, so that it is the same on every machine. It is made after the intents have left.
What can go wrong: two evaluations that differ may have the same digest, by a chance of 1 in 2^61.
"""

from collections.abc import Iterable

from gateway.trigger.standing import StandingPair

_FACTOR = 1_000_003
_MASK = (1 << 61) - 1


def digest(pairs: Iterable[StandingPair]) -> int:
    """Of the prices that these pairs stand at, in this order."""
    made = 0
    for pair in pairs:
        buy, sell = pair.buy, pair.sell
        made = made * _FACTOR + pair.priced & _MASK
        if pair.priced:
            made = made * _FACTOR + (-1 if buy is None else buy) & _MASK
            made = made * _FACTOR + (-1 if sell is None else sell) & _MASK
    return made
