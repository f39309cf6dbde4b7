"""A mistake of a site file, and the words for what would be right where a name is unknown.

Every part that judges a site file gives these; what is judged where is told in each of them.
"""

import difflib
from collections.abc import Iterable
from typing import NamedTuple

from gateway.journal.told import told

SAME_MONEY = (frozenset({"CNY", "CNH"}),)
"""Onshore and offshore renminbi are converted 1:1; a site that wants the difference gives a rate."""


class Mistake(NamedTuple):
    """One mistake: where, what stands there, what would be right."""

    key: str
    value: str
    remedy: str


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean X` where something known is near, else what there is."""
    names = [str(name) for name in known]
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return told("did you mean {}?", close[0])
    return told("one of {}", ", ".join(names)) if names else told("none is defined")
