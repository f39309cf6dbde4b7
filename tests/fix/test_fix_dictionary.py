"""Dictionaries, the tags generated from them, and what QuickFIX gets of them."""

from pathlib import Path

import pytest
import quickfix

from gateway.fix import generate, tags
from gateway.fix.dictionary import SPECS, DictionaryError, read_dictionary, structure_xml


def test_committed_tags_are_what_the_dictionaries_give() -> None:
    """`tags.py` is byte for byte what the generator writes from `fix_specs/`."""
    assert generate.TARGET.read_text() == generate.generate(SPECS)


@pytest.mark.parametrize(
    ("name", "constant"),
    [("ClOrdID", "CL_ORD_ID"), ("NoMDEntries", "NO_MD_ENTRIES"), ("MDReqID", "MD_REQ_ID"), ("Text", "TEXT")],
)
def test_constants_are_named_after_fields(name: str, constant: str) -> None:
    """A field's name becomes a constant with its words apart."""
    assert generate.constant(name) == constant


def test_a_tag_is_text_and_number() -> None:
    """The two forms of a tag agree for every field."""
    assert {number.name: str(number.value) for number in tags.Number} == {
        name: value for name, value in vars(tags).items() if name.isupper()
    }


def test_groups_begin_with_the_standards_delimiter() -> None:
    """An entry of 35=W begins with MDEntryType(269), of 35=X with MDUpdateAction(279)."""
    messages = read_dictionary(SPECS / "overseas42.xml").messages
    assert [messages[kind].groups["268"].members[0] for kind in "WX"] == ["269", "279"]


@pytest.mark.parametrize("name", ["domestic44", "overseas42"])
def test_quickfix_reads_the_structure_without_values(name: str, tmp_path: Path) -> None:
    """The form for QuickFIX loads, keeps the groups and holds no value that it could reject a message for."""
    path = tmp_path / "structure.xml"
    path.write_bytes(structure_xml(SPECS / f"{name}.xml"))
    dictionary = quickfix.DataDictionary(str(path))
    assert dictionary.isGroup("W", 268)
    assert dictionary.isFieldValue(150, "nonsense") or not dictionary.hasFieldValue(150)
    assert not dictionary.isRequiredField("8", 37)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("<fix", "not well-formed XML"),
        (
            '<fix><header/><messages><message name="A" msgtype="A"><field name="X"/></message></messages></fix>',
            "field 'X' is used and not defined; add it under <fields>",
        ),
        (
            '<fix><fields><field number="1" name="A"/><field number="2" name="A"/></fields></fix>',
            "a field is defined twice",
        ),
    ],
)
def test_a_wrong_dictionary_is_told(text: str, right: str, tmp_path: Path) -> None:
    """The error names the file and what is wrong."""
    path = tmp_path / "d.xml"
    path.write_text(text)
    with pytest.raises(DictionaryError) as caught:
        read_dictionary(path)
    assert str(path) in str(caught.value)
    assert right in str(caught.value)


def test_two_names_for_one_tag_stop_the_generator(tmp_path: Path) -> None:
    """Dictionaries that disagree on a name are not merged."""
    for name in ("A", "B"):
        (tmp_path / f"{name}.xml").write_text(
            f'<fix major="4" minor="4"><fields><field number="1" name="{name}" type="INT"/></fields></fix>'
        )
    with pytest.raises(DictionaryError, match="tag 1: named A and B"):
        generate.generate(tmp_path)
