"""Writes the tables of docs/CLIENT_FIX.md from the dictionaries and the codes: messages, fields, values, what refusals
mean, in English or Chinese. What a person has written around them stands in the page itself, between marks.

`python -m gateway.processes.client_doc docs/CLIENT_FIX.md` writes what is between `<!-- generated: NAME -->` and
`<!-- end -->` anew; a test compares. NAME is `messages`, `codes`, `examples`, `conformance` or `certification`, with a
language, `en` or `zh`; the last three are made of the scripts in `acceptance/certify`, which the tests play.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
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
FULL = 1
"""The place in `VERSIONS` of the one that has every message."""
REQUIRED, OPTIONAL = "R", "o"
_BLOCK = re.compile(r"(<!-- generated: (\w+) (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_ADMIN = frozenset({"A", "0", "1", "2", "3", "4", "5"})
FROM_CLIENT = _ADMIN | frozenset({"x", "c", "g", "V", "D", "AB", "F", "G", "AC", "H", "AF", "q"})
FROM_GATEWAY = _ADMIN | frozenset({"y", "d", "h", "W", "X", "Y", "r", "8", "9", "j"})
_HEADS = {
    EN: ("Sent by", "client", "gateway", "FIX versions", "Header of every message"),
    ZH: ("发送方", "客户端", "网关", "FIX 版本", "每条消息的消息头"),
}
_COLUMNS = {EN: ("Tag", "Field", "Values"), ZH: ("标签", "字段", "取值")}


class Row(NamedTuple):
    """One field of a message: whether it has to be there, and its name behind those of the groups it stands in."""

    spec: FieldSpec
    required: bool
    path: tuple[str, ...]


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


def unplayed() -> dict[str, dict[str, str]]:
    """The cases of the standard's list that no script plays, with the reason in both languages."""
    return tomllib.loads(files("acceptance.certify").joinpath("unplayed.toml").read_text(encoding="utf-8"))


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
    sender, client, gateway, versions, header = _HEADS[language]
    yield f"### {header}\n"
    yield from _table([_header(*files) for _, *files in VERSIONS], language)
    bodies = [_bodies(*files) for _, *files in VERSIONS]
    for kind, (name, _) in bodies[FULL].items():
        senders = [client] * (kind in FROM_CLIENT) + [gateway] * (kind in FROM_GATEWAY)
        yield f"### {name} (35={kind})\n"
        yield f"{said[kind][place]} {sender}: {', '.join(senders)}. {versions}: {', '.join(versions_of(kind))}.\n"
        yield from _table([one[kind][1] if kind in one else [] for one in bodies], language)


def _table(versions: Sequence[Sequence[Row]], language: str) -> Iterator[str]:
    """One table of the rows of each version, in the order of the version that has most, others where they stand."""
    names = [name for name, _, _ in VERSIONS]
    tag, field, values = _COLUMNS[language]
    yield f"| {' | '.join((tag, field, *names, values))} |\n|---|---|{'---|' * len(names)}---|"
    by_path = [{row.path: row for row in rows} for rows in versions]
    for path in _merged(versions):
        found = [one.get(path) for one in by_path]
        row = next(one for one in found if one is not None)
        marks = ["-" if one is None else REQUIRED if one.required else OPTIONAL for one in found]
        cells = [str(row.spec.tag), "· " * (len(path) - 1) + row.spec.name, *marks, _values(found, names)]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _merged(versions: Sequence[Sequence[Row]]) -> list[tuple[str, ...]]:
    """The paths of all rows: those of the full version, and behind its forerunner what only another has."""
    merged = [row.path for row in versions[FULL]]
    for rows in versions:
        at = 0
        for row in rows:
            if row.path in merged:
                at = merged.index(row.path) + 1
                continue
            while at < len(merged) and len(merged[at]) > len(row.path):  # not into a group that it does not belong to
                at += 1
            merged.insert(at, row.path)
            at += 1
    return merged


def _values(found: Sequence[Row | None], names: Sequence[str]) -> str:
    """What may stand in a field; where the versions that have it differ, which of them is named."""
    having = [(name, row.spec) for name, row in zip(names, found, strict=True) if row is not None]
    texts: dict[str, list[str]] = {}
    for name, spec in having:
        for text in [f"`{value}` {word.lower()}" for value, word in spec.values] or [spec.kind.lower()]:
            texts.setdefault(text, []).append(name)
    return ", ".join(text if len(of) == len(having) else f"{text} ({', '.join(of)})" for text, of in texts.items())


def _header(application: str, transport: str) -> list[Row]:
    name = transport or application
    return _rows(_root(name).find("header") or (), _known(name), ())


def _bodies(application: str, transport: str) -> dict[str, tuple[str, list[Row]]]:
    """Name and rows of each message by MsgType(35), those of the session among them."""
    found = {}
    for file in filter(None, (transport, application)):
        for message in _root(file).iterfind("messages/message"):
            rows = _rows(message, _known(file), ())
            found[message.get("msgtype", "")] = (message.get("name", ""), rows)
    return found


def _root(file: str) -> ET.Element:
    return ET.parse(SPECS / file).getroot()  # noqa: S314 - our own file


def _known(file: str) -> dict[str, FieldSpec]:
    return {one.name: one for one in read_dictionary(SPECS / file).fields.values()}


def _rows(elements: Iterable[ET.Element], known: dict[str, FieldSpec], path: tuple[str, ...]) -> list[Row]:
    rows = []
    for one in elements:
        name = one.get("name", "")
        rows.append(Row(known[name], one.get("required") == "Y", (*path, name)))
        rows += _rows(one, known, (*path, name))
    return rows


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
    for number, reasons in unplayed().items():
        yield f"| {number} | {reasons[language]} | - |"


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
