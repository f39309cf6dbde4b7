"""What an operator is told: every text and every name in both languages, the right one for whom it is said to."""

import ast
import re
import string
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from gateway.journal.told import environment_language, joined, name_sentence, name_short, name_told, said, told
from gateway.model.quote import BookState
from gateway.model.trade import AlarmName, HaltCause, PairTradeState, RefusalName

ROOT = Path(__file__).parents[2]
CHINESE = tomllib.loads((ROOT / "gateway" / "journal" / "chinese.toml").read_text(encoding="utf-8"))
HAN = re.compile(r"[一-鿿]")
NAMES: tuple[type[StrEnum], ...] = (RefusalName, AlarmName, HaltCause, PairTradeState, BookState)


def templates() -> Iterator[tuple[str, str]]:
    """Where each text is said, and the text."""
    for file in sorted([*(ROOT / "gateway").rglob("*.py"), *(ROOT / "acceptance").rglob("*.py")]):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "told":
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", first.value


def fields(text: str) -> int:
    return sum(name is not None for _, name, _, _ in string.Formatter().parse(text))


def test_every_text_that_is_said_has_its_chinese() -> None:
    """Only a text without a word of its own, such as "{}: {}", needs none."""
    lacking = [f"{where}: {text!r}" for where, text in templates() if text not in CHINESE and re.search("[a-z]", text)]
    assert lacking == []


def test_english_and_chinese_take_the_same_values() -> None:
    """As many places to fill in one as in the other, and Chinese characters in the Chinese."""
    assert [key for key, value in CHINESE.items() if fields(key) != fields(value)] == []
    same = {"--tape, --name: {}", "--tape {}: {}", "site.bus_dir: {}"}
    assert [key for key, value in CHINESE.items() if not HAN.search(value) and key not in same] == []


@pytest.mark.parametrize("kind", NAMES)
def test_every_name_has_a_sentence_in_both_languages(kind: type[StrEnum]) -> None:
    """No refusal, alarm, cause or state is shown as a bare code; both sentences differ from the name."""
    lacking = [
        name.value
        for name in kind
        if name_sentence(name, "en") == name.value or not HAN.search(name_sentence(name, "zh"))
    ]
    assert lacking == []


def test_no_sentence_is_of_a_name_that_does_not_exist() -> None:
    """A name that was renamed takes its sentence with it."""
    tables = {"refusal": RefusalName, "alarm": AlarmName, "halt_cause": HaltCause, "state": PairTradeState}
    written = tomllib.loads((ROOT / "gateway" / "journal" / "names.toml").read_text(encoding="utf-8"))
    assert {table: set(names) for table, names in written.items()} == {
        **{table: {name.value for name in kind} for table, kind in tables.items()},
        "book": {name.value for name in BookState},
    }


def test_a_name_stays_beside_its_words() -> None:
    """Logs and programs look for the name; a person reads the words."""
    assert name_told(RefusalName.QUOTE_AGE, "en") == "quote_age (a leg's quote is too old)"
    assert name_told(RefusalName.QUOTE_AGE, "zh").startswith("quote_age (某腿")
    assert name_short(PairTradeState.HEDGED, "en") == "hedged"
    assert name_short(PairTradeState.HEDGED, "zh") == "已对冲 hedged"


def test_told_text_is_english_and_knows_its_chinese() -> None:
    """Values that are told text are said in the same language; braces in a value stay."""
    text = told("{}: {}", "x{y}", told("none"))
    assert (str(text), said(text, "zh")) == ("x{y}: none", "x{y}: 无")
    row = joined("; {", [told("none"), "b"])
    assert (str(row), said(row, "zh")) == ("none; {b", "无; {b")
    assert said("plain", "zh") == "plain"


LANGUAGES = """
environment                            | language
                                       | en
LANG=zh_CN.UTF-8                       | zh
LANG=C.UTF-8                           | en
LANG=zh_CN.UTF-8 LC_ALL=en_GB.UTF-8    | en
LANG=zh_CN.UTF-8 CMC_LANGUAGE=en       | en
LANG=C CMC_LANGUAGE=zh                 | zh
LC_ALL= LANG=zh_TW.UTF-8               | zh
"""


@pytest.mark.parametrize("row", LANGUAGES.strip("\n").splitlines()[1:])
def test_the_language_without_a_site(row: str) -> None:
    """CMC_LANGUAGE before the locale; LC_ALL before LANG; empty is as if not set."""
    environment, language = (cell.strip() for cell in row.split("|"))
    assert environment_language(dict(one.split("=") for one in environment.split())) == language
