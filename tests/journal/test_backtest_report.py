"""The page of a backtest: every word in both languages, outcomes said as a person reads them."""

import re
from pathlib import Path

import pytest

from gateway.journal.backtest_report import amount, outcome_text, outcome_words
from gateway.journal.words import _words

ROOT = Path(__file__).parents[2]


def test_every_word_that_the_page_uses_exists() -> None:
    """The template names no key that report_words.toml does not have."""
    template = (ROOT / "gateway/journal/backtest.html.j2").read_text()
    used = set(re.findall(r't\("([a-z_0-9]+)"\)', template))
    assert used - _words().keys() == set()
    assert used


@pytest.mark.parametrize(
    ("outcome", "english", "chinese"),
    [
        ("captured", "captured", "抓住"),
        ("refused: quote_age", "refused: quote_age", "被风控拒绝:quote_age"),
        ("not free: cooling down", "not free: cooling down", "规则不空闲:冷却中"),
        ("no price: stale", "no price: stale", "没有价格:报价过期"),
        ("not free: something new", "not free: something new", "规则不空闲:something new"),
    ],
)
def test_an_outcome_reads_in_both_languages(outcome: str, english: str, chinese: str) -> None:
    """A refusal keeps its name; a reason without a word of its own stays as it is."""
    assert outcome_text(outcome, "en") == english
    assert outcome_text(outcome, "zh").replace("\N{FULLWIDTH COLON}", ":") == chinese
    assert 'lang="zh"' in outcome_words(outcome)


def test_every_fixed_reason_has_its_chinese() -> None:
    """What the rules and the backtest may say of a missed opportunity."""
    from gateway.processes import backtest_opportunities as found
    from gateway.trigger import rule

    reasons = [rule.WARMING_UP, rule.OUTSIDE, rule.COMES_BACK, rule.COOLING_DOWN, rule.NOTHING_TO_CLOSE]
    reasons += [found.OPEN_TRADE, found.NO_ROOM, found.HELD_TOO_SHORT, "max_units are held"]
    lacking = [one for one in reasons if outcome_text(f"not free: {one}", "zh").endswith(one)]
    assert lacking == []
    assert outcome_text(found.NOT_SEEN, "zh") != found.NOT_SEEN


def test_a_figure_that_is_not_known_says_so() -> None:
    """No figure is 0 because nobody knows it."""
    assert 'lang="zh"' in amount(None)
    assert amount(1_500_000_000) == "1.50"
