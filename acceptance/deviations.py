"""Where the criteria of a report differ from the product's own: left out, changed, later. Pure.

A file of criteria is the deliverer's to write; whoever signs has to see at once what it does not ask. Each difference
is told with both values, and whether it asks for less. What it asks for more is told, too.
"""

from collections.abc import Sequence
from typing import NamedTuple

from acceptance.criteria import STAGES, Criterion, Kind, asked_at
from gateway.journal.told import told


class Deviation(NamedTuple):
    """One difference from the product's own criteria."""

    id: str
    text: str
    less: bool
    """It asks for less, or for something else."""


def deviations(criteria: Sequence[Criterion], standard: Sequence[Criterion], stage: str) -> list[Deviation]:
    """Every difference at this stage, in the standard's order, what was added last."""
    given = {one.id: one for one in criteria}
    own = {one.id: one for one in standard}
    found: list[Deviation] = []
    for one in asked_at(list(standard), stage):
        here = given.get(one.id)
        if here is None:
            found.append(Deviation(one.id, told("{}: left out", one.id), True))  # noqa: FBT003 - a field
        else:
            found += _changes(here, one, stage)
    found += [Deviation(one.id, told("{}: added", one.id), False) for one in asked_at(list(criteria), stage)  # noqa: FBT003 - as above
              if one.id not in own]  # fmt: skip
    return found


def _changes(here: Criterion, own: Criterion, stage: str) -> list[Deviation]:
    if STAGES.index(here.stage) > STAGES.index(stage):
        return [Deviation(here.id, told("{}: asked from stage {} on only", here.id, here.stage), True)]  # noqa: FBT003 - a field
    found = [
        _changed(here.id, name, getattr(here, name), getattr(own, name), less=True)
        for name in ("measure", "kind")
        if getattr(here, name) != getattr(own, name)
    ]
    if here.bound != own.bound:
        most = own.kind in {Kind.PERCENTILE, Kind.LONGEST, Kind.RATE}
        less = here.bound > own.bound if most else here.bound < own.bound
        found.append(_changed(here.id, "bound", here.bound_text, own.bound_text, less=less))
    for name in ("percentile", "confidence", "least"):
        mine, theirs = getattr(here, name), getattr(own, name)
        if mine != theirs:
            found.append(_changed(here.id, name, f"{mine:g}", f"{theirs:g}", less=mine < theirs))
    if (here.en, here.zh) != (own.en, own.zh) and not found:
        found.append(Deviation(here.id, told("{}: said in other words, judged the same", here.id), False))  # noqa: FBT003 - a field
    return found


def _changed(name: str, key: str, here: str, own: str, *, less: bool) -> Deviation:
    text = told("{}: {} {}, the product's own {}", name, key, str(here), str(own))
    return Deviation(name, text, less)
