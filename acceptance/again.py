"""A signed report measured again from its evidence: are its figures the evidence's?

A signature says who signed which figures, and digests that nothing was changed since; neither says that the figures are
right. Here everything of the document that comes from evidence is made anew: criteria with figures, intervals and
verdicts, runs, limits, trades over budget, open points, what stands beside. Each difference is named.

The criteria are those of the document; what is different about them stands in it as `deviations`, which are found anew,
too. What a person wrote (their open points) and what the judging machine said of itself cannot be made anew.

What can go wrong: evidence that is not there, or does not read: RefusedError. A report of another version of the
program may differ because the program does; the difference then names what it differs in.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from acceptance.accept import RefusedError, evaluate, refuse_faults, refuse_overlaps
from acceptance.criteria import CriteriaError, Criterion, criterion_of
from acceptance.document import About, document
from acceptance.evidence import EvidenceError, RunEvidence, read_loadtest
from acceptance.signing import Approver
from gateway.journal.told import told, told_by

_FOUND = ("verdict", "runs", "load_tests", "criteria", "deviations", "beside", "limits", "slipped")
"""Parts of the document that come from evidence alone."""

ReadRuns = Callable[[Sequence[Path]], list[RunEvidence]]


def differences(content: Mapping[str, Any], folder: Path, read_runs: ReadRuns) -> list[str]:
    """In what a verified document differs from what its evidence says; nothing for an honest one."""
    try:
        runs = read_runs([folder / str(one["path"]) for one in content["runs"]])
        tests = [read_loadtest(folder / str(one["path"])) for one in content["load_tests"]]
        refuse_faults(runs)
        refuse_overlaps(runs, tests)
        criteria = [_criterion(row) for row in content["criteria"]]
        later = [_later(name) for name in content["not_asked"]]
        judged = evaluate(runs, tests, criteria, str(content["stage"]))
    except (EvidenceError, CriteriaError, KeyError, TypeError) as error:
        message = told("the report cannot be measured again: {}", told_by(error))
        raise RefusedError(message) from error
    anew = document(
        About(str(content["build"]), str(content["version"]), {}, {}),
        runs,
        tests,
        judged,
        [],
        criteria=[*criteria, *later],
        stage=str(content["stage"]),
        approver=Approver("", ""),
        at_utc_ns=0,
        open_points=[],
    )
    for one, was in zip((*anew["runs"], *anew["load_tests"]), (*content["runs"], *content["load_tests"]), strict=True):
        one["path"] = was["path"]
    found = [text for key in _FOUND for text in _different(key, content.get(key), anew[key])]
    lacking = [one["en"] for one in anew["open_points"] if one not in content.get("open_points", [])]
    return [*found, *(told("open point left out: {}", text) for text in lacking)]


def _criterion(row: Mapping[str, Any]) -> Criterion:
    """The criterion that a row of the document was judged by."""
    keys = ("id", "en", "zh", "measure", "kind", "stage", "evidence", "least", "bound", "percentile", "confidence")
    return criterion_of(Path(str(row["id"])), {key: row[key] for key in keys})


def _later(name: str) -> Criterion:
    """One that was not asked at this stage: only its name stands in the document."""
    row = {"id": name, "en": name, "zh": name, "measure": "journal_faults", "kind": "none", "stage": "full",
           "evidence": "journal"}  # fmt: skip
    return criterion_of(Path(name), row)


def _different(key: str, said: Any, anew: Any) -> list[str]:  # noqa: ANN401 - what JSON holds
    """What is said against what is found, row by row where there are rows."""
    if said == anew:
        return []
    if isinstance(said, list) and isinstance(anew, list) and len(said) == len(anew):
        return [text for one, other in zip(said, anew, strict=True) for text in _rows(key, one, other)]
    return [told("{}: the report says {}, its evidence {}", key, _short(said), _short(anew))]


def _rows(key: str, said: Any, anew: Any) -> list[str]:  # noqa: ANN401 - as above
    if not isinstance(said, dict) or not isinstance(anew, dict):
        return (
            [] if said == anew else [told("{}: the report says {}, its evidence {}", key, _short(said), _short(anew))]
        )
    name = str(anew.get("id") or anew.get("name") or anew.get("key") or anew.get("trade") or anew.get("network") or "")
    return [
        told("{}: the report says {}, its evidence {}", f"{key} {name}: {part}", _short(said.get(part)), _short(value))
        for part, value in anew.items()
        if said.get(part) != value
    ]


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 - as much as a line shows
