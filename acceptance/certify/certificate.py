"""The certificate of a client: what each case showed, with its message log, as JSON and as a page in both languages.

What is passed is passed whole: one case that failed, or was not played, and there is no certificate.
"""

import hashlib
import json
from enum import StrEnum
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined

from acceptance.certify.player import Logged


class Outcome(StrEnum):
    """Of a case."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It is not for this session."""
    NOT_PLAYED = "not_played"
    """Left out by whoever called, or the certification ended before it."""


class Played(NamedTuple):
    """A case as it went."""

    number: str
    en: str
    zh: str
    outcome: Outcome
    attempts: int
    wrong: tuple[str, ...]
    """What went wrong in each attempt that failed."""
    log: tuple[Logged, ...]


class Certificate(NamedTuple):
    """All of it. Times are UTC as FIX writes them."""

    session: str
    version: str
    comp_id: str
    kind: str
    began: str
    ended: str
    gateway: str
    """Version of the gateway's program."""
    cases: tuple[Played, ...]

    @property
    def passed(self) -> bool:
        """Whether every case that is for this session was played and passed."""
        outcomes = {one.outcome for one in self.cases}
        return Outcome.PASSED in outcomes and outcomes <= {Outcome.PASSED, Outcome.SKIPPED}


def as_json(one: Certificate) -> str:
    """The record: everything, with the messages."""
    content: dict[str, Any] = {
        "session": one.session,
        "version": one.version,
        "comp_id": one.comp_id,
        "kind": one.kind,
        "began": one.began,
        "ended": one.ended,
        "gateway": one.gateway,
        "passed": one.passed,
        "cases": [
            {
                "number": case.number,
                "title": {"en": case.en, "zh": case.zh},
                "outcome": case.outcome.value,
                "attempts": case.attempts,
                "wrong": list(case.wrong),
                "log": [
                    {"at": line.at, "by": "gateway" if line.sent else "client", "text": line.text} for line in case.log
                ],
            }
            for case in one.cases
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def as_html(one: Certificate) -> str:
    """The page; it names the digest of the JSON that it belongs to."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = files("acceptance.certify").joinpath("certificate.html.j2").read_text(encoding="utf-8")
    digest = hashlib.sha256(as_json(one).encode()).hexdigest()
    words = {"passed": "通过", "failed": "未通过", "skipped": "不适用", "not_played": "未执行"}
    return environment.from_string(text).render(one=one, digest=digest, words=words)
