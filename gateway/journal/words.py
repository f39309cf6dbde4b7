"""Words of the run report in both languages, from `report_words.toml`. A key that is missing shows as itself."""

import tomllib
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from gateway.journal.told import name_sentence
from gateway.model.trade import AlarmName, RefusalName

LANGUAGES = ("en", "zh")


@cache
def _words() -> dict[str, dict[str, str]]:
    text = files("gateway.journal").joinpath("report_words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def word(key: str, language: str) -> str:
    """Give one language's word."""
    return _words().get(key, {}).get(language, key.removeprefix("m_").replace("_", " "))


def both(key: str) -> Markup:
    """Give both languages' words; the page shows one."""
    return Markup("").join(
        Markup('<span class="{0}" lang="{0}">{1}</span>').format(language, word(key, language))
        for language in LANGUAGES
    )


def both_of_name(kind: str, name: str) -> Markup:
    """Give the sentence of a refusal's or an alarm's name in both languages."""
    member = RefusalName(name) if kind == "refusals" else AlarmName(name)
    return Markup("").join(
        Markup('<span class="{0}" lang="{0}">{1}</span>').format(language, name_sentence(member, language))
        for language in LANGUAGES
    )


def both_svg(key: str, attributes: str) -> Markup:
    """Give both languages' words as SVG text; `attributes` is markup of ours, never of a run."""
    return Markup("").join(
        Markup('<text class="{0}" {1}>{2}</text>').format(language, Markup(attributes), word(key, language))  # noqa: S704
        for language in LANGUAGES
    )
