"""The document of the integration: each dialog with expected and actual, clock and network, trades, logs as evidence.

Pure: values in, a paper out. The FIX log of every step stands in the JSON beside the page, passwords left out.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from acceptance.integrate_play import Came, Played, Result, verdict
from acceptance.paper import Paper, Section, told_in
from gateway.journal.statistics import nearest_rank
from gateway.journal.told import told
from gateway.journal.units import duration

_SECRETS = re.compile(r"\x01(554|925|96)=[^\x01]*")


class Traded(NamedTuple):
    """End-to-end pair trades of one unit that the gateway made."""

    wanted: int
    hedged: int
    others: int
    differences: list[str]
    """Between our journal and the venues' own record."""


def paper(played: Sequence[Played], traded: Traded | None, subject: str, at_utc_ns: int) -> Paper:
    """The document."""
    whole = verdict(played)
    if traded is not None and (traded.hedged < traded.wanted or traded.differences):
        whole = "fail"
    made = Paper(told("Integration"), subject, whole, at_utc_ns)
    counts = [one.came for table in played for one in table.results]
    made.facts = [(told(came.value), str(counts.count(came))) for came in Came]
    for table in played:
        made.sections += [_network(table), *_dialogs(table)]
    if traded is not None:
        made.sections.append(_traded(traded))
    return made


def evidence(played: Sequence[Played]) -> list[dict[str, Any]]:
    """Every step with its FIX log, for a program."""
    return [
        {
            "venue": one.venue,
            "dialog": one.dialog,
            "do": one.step.do,
            "expected": {"en": one.step.en, "zh": one.step.zh},
            "came": one.came.value,
            "actual": _hidden(one.actual),
            "took_ns": one.took_ns,
            "log": [{"utc_ns": at, "way": way, "text": _hidden(raw).replace("\x01", "|")} for at, way, raw in one.log],
        }
        for table in played
        for one in table.results
    ]


def _dialogs(table: Played) -> list[Section]:
    found: dict[str, Section] = {}
    for one in table.results:
        section = found.setdefault(
            one.dialog,
            Section(
                told("{}: {}", table.venue, one.dialog),
                head=[told("Step"), told("Expected"), told("Result"), told("Actual"), told("Time")],
            ),
        )
        section.rows.append(_row(one))
    if table.left_over:
        last = list(found.values())[-1]
        last.texts.append(told("not closed again: {}", ", ".join(table.left_over)))
    return list(found.values())


def _row(one: Result) -> list[str]:
    return [one.step.do, told_in(one.step.en, one.step.zh), told(one.came.value), _hidden(one.actual)[:400],
            duration(one.took_ns)]  # fmt: skip


def _network(table: Played) -> Section:
    made = Section(told("{}: network and clock", table.venue), head=[told("Figure"), told("Value")])
    trips, offsets = sorted(table.round_trips_ns), sorted(table.clock_offsets_ns)
    if not trips:
        made.texts.append(told("not measured: no answer to a TestRequest(1)"))
        return made
    made.rows = [
        [told("round trips measured"), str(len(trips))],
        [told("round trip, median"), duration(nearest_rank(trips, 50))],
        [told("round trip, longest"), duration(trips[-1])],
    ]
    if offsets:
        half = nearest_rank(trips, 50) // 2
        made.rows.append([told("venue's clock less ours, median"), duration(nearest_rank(offsets, 50))])
        made.rows.append([told("known to within"), duration(half + 1_000_000)])
    return made


def _traded(traded: Traded) -> Section:
    made = Section(told("Pair trades of one unit, end to end"), head=[told("Figure"), told("Value")])
    made.rows = [
        [told("hedged"), f"{traded.hedged} / {traded.wanted}"],
        [told("ended otherwise"), str(traded.others)],
        [told("differences between journal and venues"), str(len(traded.differences))],
    ]
    made.texts = traded.differences[:20]
    return made


def _hidden(text: str) -> str:
    return re.sub(r"\|(554|925|96)=[^|]*", r"|\1=***", _SECRETS.sub("\x01\\1=***", text))
