"""Reads a QuickFIX data dictionary of `fix_specs/` and makes the form of it that QuickFIX is run with.

The file is the one place where a dialect's fields and messages are listed: tags and enums are generated from it
(`generate.py`), a dialect is checked against it (`dialect.py`), and QuickFIX takes its *structure* from it: which
fields are header, which form groups. QuickFIX is not given values, types or required fields of messages, because it
answers a message that breaks them with a Reject(35=3) of its own and never shows it to us; an execution with an
unknown ExecType(150) would be lost. Judging content is the decoders' work, which name what is wrong.

What can go wrong: the file is missing or not XML, or it names a field that it does not define: `DictionaryError`.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

SPECS = Path(__file__).parent.parent.parent / "fix_specs"
"""Where the dictionaries of the product lie."""


class DictionaryError(ValueError):
    """A data dictionary that cannot be used; names the file, the place and what would be right."""


class FieldSpec(NamedTuple):
    """A field as the dictionary defines it; `values` are (wire value, description)."""

    tag: int
    name: str
    kind: str
    values: tuple[tuple[str, str], ...]


class GroupSpec(NamedTuple):
    """A repeating group of a message: the tag that counts it and its members, the first one the delimiter."""

    count_tag: str
    members: tuple[str, ...]


class MessageSpec(NamedTuple):
    """A message: its MsgType(35), the tags of its body outside groups, those of them that are required, its groups."""

    name: str
    msg_type: str
    tags: frozenset[str]
    required: frozenset[str]
    groups: Mapping[str, GroupSpec]


class Dictionary(NamedTuple):
    """A data dictionary: where it lies, which FIX version it is of, its fields by tag and messages by MsgType(35).

    From FIX 5.0 on the session has a dictionary of its own, `transport` (FIXT.1.1); header, messages and fields of both
    are then in this one value, and `appl_ver_id` says what the application's messages are, "FIX.5.0SP2".
    """

    path: Path
    begin_string: str
    fields: Mapping[str, FieldSpec]
    header: frozenset[str]
    messages: Mapping[str, MessageSpec]
    transport: Path | None = None
    appl_ver_id: str = ""


def read_dictionary(path: Path, transport: Path | None = None) -> Dictionary:
    """The dictionary in the file at `path`; with `transport`, that of the session beneath it."""
    if transport is not None:
        return _joined(read_dictionary(transport), read_dictionary(path))
    root = _root(path)
    specs = [_field(element) for element in root.iterfind("fields/field")]
    tags = {spec.name: str(spec.tag) for spec in specs}
    if len(tags) != len(specs):
        message = f"{path}: a field is defined twice; each name and number once"
        raise DictionaryError(message)
    messages = [_message(path, element, tags) for element in root.iterfind("messages/message")]
    return Dictionary(
        path=path,
        begin_string=_version(root),
        fields={str(spec.tag): spec for spec in specs},
        header=frozenset(_tag(path, element, tags) for element in root.iterfind("header/field")),
        messages={message.msg_type: message for message in messages},
    )


def _joined(transport: Dictionary, application: Dictionary) -> Dictionary:
    both = sorted(transport.messages.keys() & application.messages.keys())
    if both:
        message = f"{application.path}: MsgType(35) {both[0]} is in {transport.path}, too; right would be one of them"
        raise DictionaryError(message)
    return Dictionary(
        path=application.path,
        begin_string=transport.begin_string,
        fields={**transport.fields, **application.fields},
        header=transport.header,
        messages={**transport.messages, **application.messages},
        transport=transport.path,
        appl_ver_id=application.begin_string,
    )


def _version(root: ET.Element) -> str:
    """`FIX.4.4`, `FIXT.1.1`, `FIX.5.0SP2`."""
    pack = root.get("servicepack", "0")
    return f"{root.get('type', 'FIX')}.{root.get('major')}.{root.get('minor')}" + (f"SP{pack}" if pack != "0" else "")


def structure_xml(path: Path) -> bytes:
    """The dictionary at `path` as QuickFIX gets it: header, groups and tags; no values, no types, nothing required."""
    root = _root(path)
    for field in root.iterfind("fields/field"):
        for value in field.findall("value"):
            field.remove(value)
        if field.get("type") not in ("DATA", "LENGTH", "NUMINGROUP"):
            field.set("type", "STRING")
    for message in root.iterfind("messages/message"):
        if message.get("msgcat") == "app":
            for element in message.iter():
                if element.tag in ("field", "group"):
                    element.set("required", "N")
    xml: bytes = ET.tostring(root, encoding="utf-8")
    return xml


def _root(path: Path) -> ET.Element:
    try:
        return ET.fromstring(path.read_bytes())  # noqa: S314 - our own file, shipped with the product or by the installer
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror}); a QuickFIX data dictionary is needed here"
        raise DictionaryError(message) from error
    except ET.ParseError as error:
        message = f"{path}: not well-formed XML ({error}); a QuickFIX data dictionary is needed here"
        raise DictionaryError(message) from error


def _field(element: ET.Element) -> FieldSpec:
    values = tuple((value.get("enum", ""), value.get("description", "")) for value in element.iterfind("value"))
    return FieldSpec(int(element.get("number", "0")), element.get("name", ""), element.get("type", ""), values)


def _message(path: Path, element: ET.Element, tags: Mapping[str, str]) -> MessageSpec:
    plain = element.findall("field")
    groups = [_group(path, group, tags) for group in element.iterfind("group")]
    return MessageSpec(
        name=element.get("name", ""),
        msg_type=element.get("msgtype", ""),
        tags=frozenset(_tags(path, plain, tags)) | {group.count_tag for group in groups},
        required=frozenset(_tags(path, [field for field in plain if field.get("required") == "Y"], tags)),
        groups={group.count_tag: group for group in groups},
    )


def _group(path: Path, element: ET.Element, tags: Mapping[str, str]) -> GroupSpec:
    return GroupSpec(_tag(path, element, tags), tuple(_tags(path, element.findall("field"), tags)))


def _tags(path: Path, elements: list[ET.Element], tags: Mapping[str, str]) -> Iterator[str]:
    return (_tag(path, element, tags) for element in elements)


def _tag(path: Path, element: ET.Element, tags: Mapping[str, str]) -> str:
    name = element.get("name", "")
    if name not in tags:
        message = f"{path}: {element.tag} {name!r} is used and not defined; add it under <fields>"
        raise DictionaryError(message)
    return tags[name]
