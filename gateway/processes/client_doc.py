"""Writes the tables of docs/CLIENT_FIX.md from the dictionaries and the codes: messages, fields, values, what refusals
mean, in English or Chinese. What a person has written around them stands in the page itself, between marks.

`python -m gateway.processes.client_doc docs/CLIENT_FIX.md` writes what is between `<!-- generated: NAME -->` and
`<!-- end -->` anew; a test compares. NAME is `messages`, `codes`, `examples`, `conformance` or `certification`, with a
language, `en` or `zh`; the last three are made of the scripts in `acceptance/certify`, which the tests play.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from acceptance.certify.script import read_folder
from gateway.fix.dictionary import SPECS, FieldSpec, read_dictionary
from gateway.model.client import ClientRefusal, Ended

EN, ZH = "en", "zh"
VERSIONS = (
    ("4.2", "clients42.xml", ""),
    ("4.4", "clients44.xml", ""),
    ("5.0 SP2", "clients50sp2.xml", "clientsfixt11.xml"),
)
FULL = "clients44.xml"
_BLOCK = re.compile(r"(<!-- generated: (\w+) (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_ADMIN = frozenset({"A", "0", "1", "2", "3", "4", "5"})
FROM_CLIENT = _ADMIN | frozenset({"x", "c", "g", "V", "D", "AB", "F", "G", "AC", "H", "AF", "q"})
FROM_GATEWAY = _ADMIN | frozenset({"y", "d", "h", "W", "X", "Y", "r", "8", "9", "j"})
_HEADS = {
    EN: ("Tag", "Field", "Required", "Values", "Sent by", "client", "gateway", "FIX versions", "yes", "in group"),
    ZH: ("标签", "字段", "必填", "取值", "发送方", "客户端", "网关", "FIX 版本", "是", "组内"),
}


class Row(NamedTuple):
    """One field of a message: how deep it stands in groups, and whether it has to be there."""

    spec: FieldSpec
    required: bool
    depth: int


def page(text: str) -> str:
    """`text` with what is generated in it as it is now."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{block(found[2], found[3])}\n{found[4]}", text)


def block(name: str, language: str) -> str:
    """One generated part."""
    parts = {
        "messages": _messages,
        "codes": _codes,
        "examples": _examples,
        "conformance": _conformance,
        "certification": _certification,
    }
    return "\n".join(parts[name](language))


def words() -> dict[str, dict[str, list[str]]]:
    """What is said of each message and each code: English, Chinese."""
    return tomllib.loads(files("gateway.clients").joinpath("words.toml").read_text(encoding="utf-8"))


def versions_of(msg_type: str) -> tuple[str, ...]:
    """The FIX versions that have this message."""
    return tuple(
        version
        for version, name, transport in VERSIONS
        if msg_type in read_dictionary(SPECS / name, SPECS / transport if transport else None).messages
    )


def _messages(language: str) -> Iterator[str]:
    said = words()["message"]
    place = 0 if language == EN else 1
    tag, field, required, values, sender, client, gateway, versions, yes, _ = _HEADS[language]
    root = ET.parse(SPECS / FULL).getroot()  # noqa: S314 - our own file
    known = {one.name: one for one in read_dictionary(SPECS / FULL).fields.values()}
    for message in root.iterfind("messages/message"):
        kind = message.get("msgtype", "")
        senders = [client] * (kind in FROM_CLIENT) + [gateway] * (kind in FROM_GATEWAY)
        yield f"### {message.get('name')} (35={kind})\n"
        yield f"{said[kind][place]} {sender}: {', '.join(senders)}. {versions}: {', '.join(versions_of(kind))}.\n"
        yield f"| {tag} | {field} | {required} | {values} |\n|---|---|---|---|"
        for row in _rows(message, known, 0):
            name = f"{'· ' * row.depth}{row.spec.name}"
            shown = ", ".join(f"`{value}` {word.lower()}" for value, word in row.spec.values)
            yield f"| {row.spec.tag} | {name} | {yes if row.required else ''} | {shown or row.spec.kind.lower()} |"
        yield ""


def _rows(element: ET.Element, known: dict[str, FieldSpec], depth: int) -> Iterator[Row]:
    for one in element:
        yield Row(known[one.get("name", "")], one.get("required") == "Y", depth)
        if one.tag == "group":
            yield from _rows(one, known, depth + 1)


def _codes(language: str) -> Iterator[str]:
    said = words()
    place = 0 if language == EN else 1
    tables: tuple[tuple[str, list[str], str, str], ...] = (
        ("refusal", [one.value for one in ClientRefusal], "39=8", "39=8"),
        ("ended", [one.value for one in Ended], "39=4, 39=C", "39=4、39=C"),
    )
    for name, codes, english, chinese in tables:
        head = english if language == EN else chinese
        yield f"| Text(58), {head} | {'Means' if language == EN else '含义'} |\n|---|---|"
        yield from (f"| `{code}: ...` | {said[name][code][place]} |" for code in codes)
        yield ""


def _examples(language: str) -> Iterator[str]:
    for case in read_folder("examples"):
        versions = ", ".join(case.versions) or ("all versions" if language == EN else "各版本")
        yield f"### {case.number}\n"
        yield f"{case.title(language)} ({versions}).\n\n```"
        for step in case.steps:
            if step.verb in ("<", ">"):
                yield f"{step.version + ': ' if step.version else ''}{step.verb} {step.rest}"
        yield "```\n"


def _conformance(language: str) -> Iterator[str]:
    head = "| Case | What is shown | FIX versions |" if language == EN else "| 用例 | 内容 | FIX 版本 |"
    yield f"{head}\n|---|---|---|"
    for case in read_folder("session"):
        yield f"| {case.number} | {case.title(language)} | {', '.join(case.versions) or '4.2, 4.4, 5.0 SP2'} |"


def _certification(language: str) -> Iterator[str]:
    yield f"{'| Case | What is shown |' if language == EN else '| 用例 | 内容 |'}\n|---|---|"
    yield from (f"| {case.number} | {case.title(language)} |" for case in read_folder("client"))


def main() -> int:
    """Write the page anew."""
    path = Path(sys.argv[1])
    path.write_text(page(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
