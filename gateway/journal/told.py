"""What a person is told, in English or Chinese: `told("at most {}", 5)` is English text that knows its Chinese.

The English text stands where it is said; its Chinese stands in `chinese.toml`, found by the English, as gettext does
it. A name that people and programs look for (a refusal, an alarm, a state) stays as it is and gets a sentence beside it
from `names.toml`. Which language is the site's word, or the environment's where there is no site.

What can go wrong: a text without Chinese is said in English; tests find every text and every name that has none.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Self

from gateway.model.quote import BookState
from gateway.model.trade import AlarmName, HaltCause, PairTradeState, RefusalName

EN, ZH = "en", "zh"
LANGUAGE = "CMC_LANGUAGE"
_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
_TABLES: dict[type[StrEnum], str] = {
    RefusalName: "refusal",
    AlarmName: "alarm",
    HaltCause: "halt_cause",
    PairTradeState: "state",
    BookState: "book",
}


@cache
def _chinese() -> dict[str, str]:
    text = files("gateway.journal").joinpath("chinese.toml").read_text(encoding="utf-8")
    return {key: value for key, value in tomllib.loads(text).items() if isinstance(value, str)}


@cache
def _names() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(files("gateway.journal").joinpath("names.toml").read_text(encoding="utf-8"))


class Told(str):
    """English text, and what it was made of."""

    __slots__ = ("template", "values")
    template: str
    values: tuple[object, ...]

    def __new__(cls, template: str, *values: object) -> Self:
        made = super().__new__(cls, template.format(*values) if values else template)
        made.template, made.values = template, values
        return made

    def said_in(self, language: str) -> str:
        """The same in `language`; in English where there is no other word for it."""
        template = _chinese().get(self.template) if language == ZH else None
        values = [said(value, language) if isinstance(value, str) else value for value in self.values]
        template = self.template if template is None else template
        return template.format(*values) if values else template


def told(template: str, *values: object) -> Told:
    """English text with `{}` for each value; a value may be told text itself."""
    return Told(template, *values)


def said(text: str, language: str) -> str:
    """`text` in this language, where it has one."""
    return text.said_in(language) if isinstance(text, Told) else text


def joined(separator: str, parts: Iterable[str]) -> Told:
    """Parts in a row, each in the language that the whole is said in."""
    listed = tuple(parts)
    return Told(separator.replace("{", "{{").replace("}", "}}").join(["{}"] * len(listed)), *listed)


def told_by(error: Exception) -> str:
    """What an error says, still to be said in any language."""
    first = error.args[0] if error.args else ""
    return first if isinstance(first, Told) else str(error)


def verdict_told(verdict: str) -> Told:
    """A pair price's verdict: what stands in the way, after the instrument that it is about."""
    subject, colon, word = verdict.rpartition(": ")
    return told("{}: {}", subject, told(word)) if colon else told(word)


def environment_language(environment: Mapping[str, str] | None = None) -> str:
    """CMC_LANGUAGE, else the locale's; English where neither says Chinese."""
    seen = os.environ if environment is None else environment
    for name in (LANGUAGE, *_LOCALE):
        word = seen.get(name, "").lower()
        if word:
            return ZH if word.startswith(ZH) else EN
    return EN


def name_sentence(name: StrEnum, language: str) -> str:
    """What a name says, in a short sentence; the name itself where there is none."""
    return _names().get(_TABLES.get(type(name), ""), {}).get(name.value, {}).get(language, name.value)


def name_told(name: StrEnum, language: str) -> str:
    """The name with its sentence beside it."""
    return f"{name.value} ({name_sentence(name, language)})"


def name_short(name: StrEnum, language: str) -> str:
    """For a table: the name, and in Chinese one word before it."""
    word = _names().get(_TABLES.get(type(name), ""), {}).get(name.value, {}).get("short_zh", "")
    return f"{word} {name.value}" if language == ZH and word else name.value
