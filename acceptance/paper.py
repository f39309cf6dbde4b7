"""The documents of assess, integrate, stress and grey: sections of text, tables and curves, English and Chinese in one
self-contained page. Pure: values in, HTML out. What is in them is decided by who makes them.

A text is `told` text, or a pair of texts; plain text reads the same in both languages. The page loads nothing from
elsewhere and has the look of the acceptance report.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, Self

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from acceptance.pages import svg
from acceptance.picture import HEIGHT, WIDTH, Line, Shape, Text
from gateway.journal.told import EN, ZH, Told, said, told

_LEFT, _RIGHT, _TOP, _BOTTOM = 70.0, 16.0, 14.0, 30.0


class Curve(NamedTuple):
    """Points in order of x, as numbers, with what the axes mean."""

    x: str
    y: str
    points: Sequence[tuple[float, float]]


@dataclass(slots=True)
class Section:
    """A heading with what belongs to it."""

    title: str
    texts: list[str] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    curve: Curve | None = None


@dataclass(slots=True)
class Paper:
    """A whole document. `verdict` is a word of acceptance, or empty."""

    title: str
    subject: str
    verdict: str = ""
    at_utc_ns: int = 0
    facts: list[tuple[str, str]] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """The same for a program: each text in both languages."""
        return {
            "title": both(self.title),
            "subject": self.subject,
            "verdict": self.verdict,
            "at_utc_ns": self.at_utc_ns,
            "facts": [[both(name), both(value)] for name, value in self.facts],
            "sections": [
                {
                    "title": both(one.title),
                    "texts": [both(text) for text in one.texts],
                    "head": [both(text) for text in one.head],
                    "rows": [[both(cell) for cell in row] for row in one.rows],
                    **({"curve": one.curve._asdict()} if one.curve else {}),
                }
                for one in self.sections
            ],
        }


def told_in(english: str, chinese: str) -> Told:
    """A text that brings its own Chinese, as a file of data does."""
    return _OwnTold(english, chinese)


class _OwnTold(Told):
    """English text with the Chinese that came with it."""

    __slots__ = ("chinese",)
    chinese: str

    def __new__(cls, english: str, chinese: str) -> Self:
        made = super().__new__(cls, english)
        made.chinese = chinese
        return made

    def said_in(self, language: str) -> str:
        return self.chinese if language == ZH else str(self)


def both(text: str) -> dict[str, str]:
    """A text in both languages."""
    return {EN: said(text, EN), ZH: said(text, ZH)}


def render(paper: Paper) -> str:
    """The page."""
    date = f"{datetime.fromtimestamp(paper.at_utc_ns // 10**9, UTC):%Y-%m-%d %H:%M} UTC"
    curves = [svg(_drawn(one.curve)) if one.curve else Markup("") for one in paper.sections]
    return _template().render(paper=paper, curves=curves, date=date, date_word=told("date"))


def write_json(content: Mapping[str, Any]) -> str:
    """JSON for people and programs."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _shown(text: str) -> Markup:
    words = both(text)
    if words[EN] == words[ZH]:
        return Markup("{}").format(words[EN])
    return Markup('<span class="en" lang="en">{}</span><span class="zh" lang="zh">{}</span>').format(
        words[EN], words[ZH]
    )


def _drawn(curve: Curve) -> list[Shape]:
    """The curve with the ends of its axes; fewer than two points draw nothing."""
    if len(curve.points) < 2:  # noqa: PLR2004 - a line has two ends
        return []
    xs, ys = [x for x, _ in curve.points], [y for _, y in curve.points]
    left, right, most = min(xs), max(xs), max([*ys, 1e-9])

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - left) / (right - left or 1.0)
        return _LEFT + across * (WIDTH - _LEFT - _RIGHT), HEIGHT - _BOTTOM - y / most * (HEIGHT - _TOP - _BOTTOM)

    foot, top = HEIGHT - _BOTTOM, _TOP
    return [
        Line("axis", ((_LEFT, top), (_LEFT, foot), (WIDTH - _RIGHT, foot))),
        Line("curve", tuple(place(x, y) for x, y in curve.points)),
        Text("soft", _LEFT - 4, top + 8, f"{most:g}", "end"),
        Text("soft", _LEFT - 4, foot, "0", "end"),
        Text("soft", _LEFT, foot + 14, f"{left:g}", "start"),
        Text("soft", WIDTH - _RIGHT, foot + 14, f"{right:g}", "end"),
    ]


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    folder = files("acceptance")
    style = folder.joinpath("report.css").read_text(encoding="utf-8")
    environment.globals.update(t=_shown, style=Markup(style))  # noqa: S704 - our own file
    return environment.from_string(folder.joinpath("paper.html.j2").read_text(encoding="utf-8"))
