"""The rules of engagement are what the dictionaries and the codes say, in both languages."""

import pytest
from client_rig import ROOT

from gateway.fix.dictionary import SPECS, read_dictionary
from gateway.model.client import ClientRefusal, Ended
from gateway.processes.client_doc import FROM_CLIENT, FROM_GATEWAY, VERSIONS, block, page, versions_of, words


@pytest.mark.parametrize("name", ["CLIENT_FIX.md", "CLIENT_FIX.zh.md"])
def test_the_page_is_what_is_generated_now(name: str) -> None:
    """`python -m gateway.processes.client_doc docs/NAME` writes it anew."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert page(text) == text
    assert "35=AB" in text
    assert "`throttled: ...`" in text


def test_every_message_and_every_code_has_its_words() -> None:
    """In both languages, and none is of something that does not exist."""
    said = words()
    messages = read_dictionary(SPECS / "clients44.xml").messages
    assert set(said["message"]) == set(messages) == FROM_CLIENT | FROM_GATEWAY
    assert set(said["refusal"]) == {one.value for one in ClientRefusal}
    assert set(said["ended"]) == {one.value for one in Ended}
    assert all(len(both) == 2 and all(both) for table in said.values() for both in table.values())


def test_each_version_has_what_its_standard_can_say() -> None:
    """Pairs are ordered with D in all; 4.2 has no multileg order, no list of securities and no mass cancel."""
    assert versions_of("D") == versions_of("8") == ("4.2", "4.4", "5.0 SP2")
    assert {kind: versions_of(kind) for kind in ("AB", "x", "q")} == dict.fromkeys(("AB", "x", "q"), ("4.4", "5.0 SP2"))


@pytest.mark.parametrize(
    "row",
    [
        "| 20 | ExecTransType | R | - | - | ",
        "| 527 | SecondaryExecID | - | o | o | ",
        "| 1137 | DefaultApplVerID | - | - | R | ",
        "| 146 | NoRelatedSym | o | - | - | numingroup |\n| 311 | · UnderlyingSymbol | R | - | - | ",
        "| 1128 | ApplVerID | - | - | o | ",
        "`1` partial_fill (4.2), `2` fill (4.2) |",
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_table_says_of_each_version_whether_it_has_the_field_and_the_value(row: str, language: str) -> None:
    """Required, optional or absent, by version; a value of one version alone names it."""
    assert row in block("messages", language)


def test_no_field_of_any_version_is_missing_in_the_tables() -> None:
    """Each message shows every tag that one of the dictionaries gives it, once."""
    tables = block("messages", "en").split("\n### ")
    of_version = [read_dictionary(SPECS / name, SPECS / more if more else None) for _, name, more in VERSIONS]
    for kind, spec in of_version[1].messages.items():
        (table,) = [one for one in tables if one.startswith(f"{spec.name} (35={kind})")]
        rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ") and line[2].isdigit()]
        outside = [row[0].removeprefix("| ") for row in rows if not row[1].startswith("·")]
        wanted = {tag for one in of_version if kind in one.messages for tag in one.messages[kind].tags}
        wanted |= {tag for one in of_version if kind in one.messages for tag in one.messages[kind].groups}
        assert sorted(outside) == sorted(wanted), kind
