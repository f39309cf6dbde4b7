"""The rules of engagement are what the dictionaries and the codes say, in both languages."""

import pytest
from client_rig import ROOT

from gateway.fix.dictionary import SPECS, read_dictionary
from gateway.model.client import ClientRefusal, Ended
from gateway.processes.client_doc import FROM_CLIENT, FROM_GATEWAY, page, versions_of, words


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
