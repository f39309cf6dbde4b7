"""The page of a backtest: what there was to take, what was taken, why the rest was not, what it earned. Both languages.

It shows `backtest.json` and what the run's journals hold, and judges nothing. The page of the same run beside it,
report.html, shows how execution went.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from gateway.journal.prices import observe
from gateway.journal.reader import RECORDER, read_run
from gateway.journal.report import REPORT_FILE, page, price_charts, slippages
from gateway.journal.summary import read
from gateway.journal.told import ZH
from gateway.journal.units import rounded_money
from gateway.journal.words import LANGUAGES, word
from gateway.model.trade import RefusalName

BACKTEST_FILE = "backtest.html"
WIDEST = 60
"""Per cent of a cell that the longest bar takes."""


def write_backtest_report(run_dir: Path, document: Mapping[str, Any]) -> Path:
    """Write `backtest.html` into the directory of a backtest."""
    run = read(run_dir)
    charts = price_charts(run, observe(read_run(run_dir, RECORDER)))
    text = page("backtest.html.j2").render(
        about=document,
        charts=charts,
        slippages=slippages(run),
        bars=_bars(document),
        outcome=outcome_words,
        amount=amount,
        lines=list(zip(document["assumed"], document["assumed_zh"], strict=True)),
        run_report=REPORT_FILE,
    )
    path = run_dir / BACKTEST_FILE
    path.write_text(text, encoding="utf-8")
    return path


def amount(value_e9: int | None) -> str:
    """Money, or both languages' words for a figure that is not known."""
    if value_e9 is None:
        return _both({one: word("not_known", one) for one in LANGUAGES})
    return rounded_money(value_e9)


def outcome_words(outcome: str) -> Markup:
    """An outcome of an opportunity in both languages; the detail behind its colon stays where it has no word."""
    head, colon, detail = outcome.partition(": ")
    if detail in set(RefusalName):
        return Markup("{}: <code>{}</code>").format(_both(_word(head)), detail)
    return Markup("{}{}{}").format(_both(_word(head)), colon, _both(_word(detail))) if detail else _both(_word(head))


def outcome_text(outcome: str, language: str) -> str:
    """An outcome in one language, for a terminal; a refusal keeps its name."""
    head, _, detail = outcome.partition(": ")
    words = [_word(head)[language]]
    if detail:
        words.append(detail if detail in set(RefusalName) else _word(detail)[language])
    return ("\N{FULLWIDTH COLON}" if language == ZH else ": ").join(words)


def _word(text: str) -> dict[str, str]:
    key = f"o_{text.replace(' ', '_').replace(chr(39), '')}"
    found = {one: word(key, one) for one in LANGUAGES}
    return {"en": text, "zh": text if found["zh"] == key.replace("_", " ") else found["zh"]}


def _both(words: Mapping[str, str]) -> Markup:
    return Markup("").join(Markup('<span class="{0}" lang="{0}">{1}</span>').format(*one) for one in words.items())


def _bars(document: Mapping[str, Any]) -> dict[str, float]:
    """The most frequent outcome of each rule: its bar is the widest."""
    return {
        one["rule"]: WIDEST / max((each["count"] for each in one["opportunities"]["outcomes"]), default=1)
        for one in document["rules"]
    }
