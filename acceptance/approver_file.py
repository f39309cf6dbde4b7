"""Puts an approver's public key into a TOML file (a plan, a site), and takes one out. Pure: text in, text out.

A key takes the place of the placeholder of the same name; another key of that name is replaced only where that is
asked for; a name that the file does not have is added behind its last [[approver]]. Everything else of the file,
comments included, stays as it is: what comes out is read again, and compared.

What can go wrong: a file that writes its approvers in another form than [[approver]] with `name` and `public_key` on
lines of their own: it is refused, with the lines that a person has to put there.
"""

import json
import re
import tomllib
from typing import NamedTuple

from acceptance.signing import Approver, SigningError, is_placeholder
from gateway.journal.told import told

_HEAD = re.compile(r"^\s*\[\[\s*approver\s*\]\]\s*(#.*)?$")
_TABLE = re.compile(r"^\s*\[")
_KEY = re.compile(r"^(\s*public_key\s*=\s*)(\"[^\"]*\"|'[^']*')(.*)$")


class _Block(NamedTuple):
    """One [[approver]]: its lines, from its head to before the next table."""

    first: int
    behind: int


def block_text(approver: Approver) -> str:
    """The lines of an approver."""
    name = json.dumps(approver.name, ensure_ascii=False)
    return f'[[approver]]\nname = {name}\npublic_key = "{approver.public_key}"\n'


def put(where: str, text: str, approver: Approver, *, replace: bool = False) -> str:
    """The file's text with this approver in it; the same text where it is there already."""
    before = _approvers(where, text)
    had = [one for one in before if one.name == approver.name]
    if approver in had:
        return text
    if had and not replace and not is_placeholder(had[0].public_key):
        message = told("{}: {} is there with another key, {}; --replace puts the new one in its place",
                       where, repr(approver.name), had[0].public_key)  # fmt: skip
        raise SigningError(message)
    lines = text.splitlines(keepends=True)
    if had:
        made = _with_key(lines, approver)
        after = [approver if one.name == approver.name else one for one in before]
    else:
        made = _added(lines, approver)
        after = [*before, approver]
    return _checked(where, text, made, after, approver)


def take_out(where: str, text: str, name: str) -> str:
    """The file's text without the approver of this name."""
    before = _approvers(where, text)
    after = [one for one in before if one.name != name]
    if len(after) == len(before):
        message = told("{}: no approver {}; it has {}", where, repr(name), ", ".join(one.name for one in before) or "-")
        raise SigningError(message)
    lines = text.splitlines(keepends=True)
    for block in reversed(_blocks(lines)):
        if _name(lines, block) == name:
            del lines[block.first : block.behind]
    return _checked(where, text, "".join(lines), after, None)


def _approvers(where: str, text: str) -> list[Approver]:
    try:
        rows = tomllib.loads(text).get("approver", [])
        return [Approver(str(row["name"]), str(row["public_key"])) for row in rows]
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        message = told("{}: approvers cannot be read: {}", where, error)
        raise SigningError(message) from error


def _blocks(lines: list[str]) -> list[_Block]:
    """Every [[approver]] with what stands below it; an empty line or a comment before the next table is not of it."""
    found = []
    for first, line in enumerate(lines):
        if not _HEAD.match(line):
            continue
        behind = first + 1
        while behind < len(lines) and not _TABLE.match(lines[behind]):
            behind += 1
        while behind > first + 1 and (not lines[behind - 1].strip() or lines[behind - 1].lstrip().startswith("#")):
            behind -= 1
        found.append(_Block(first, behind))
    return found


def _name(lines: list[str], block: _Block) -> str:
    try:
        (row,) = tomllib.loads("".join(lines[block.first : block.behind]))["approver"]
        return str(row["name"])
    except (tomllib.TOMLDecodeError, KeyError, ValueError, TypeError):
        return ""


def _with_key(lines: list[str], approver: Approver) -> str:
    made = list(lines)
    for block in _blocks(lines):
        if _name(lines, block) != approver.name:
            continue
        for place in range(block.first + 1, block.behind):
            made[place] = _KEY.sub(lambda found: f'{found[1]}"{approver.public_key}"{found[3]}', made[place])
    return "".join(made)


def _added(lines: list[str], approver: Approver) -> str:
    blocks = _blocks(lines)
    behind = blocks[-1].behind if blocks else len(lines)
    before, after = "".join(lines[:behind]), "".join(lines[behind:])
    if before and not before.endswith("\n"):
        before += "\n"
    return f"{before}\n{block_text(approver)}{after}"


def _checked(where: str, text: str, made: str, after: list[Approver], approver: Approver | None) -> str:
    """What was made, where it differs from the file in approvers only; else SigningError with what to do by hand."""
    try:
        old, new = tomllib.loads(text), tomllib.loads(made)
    except tomllib.TOMLDecodeError:
        old, new = {}, {"approver": []}
    rows = [{"name": one.name, "public_key": one.public_key} for one in after]
    if new.pop("approver", []) != rows or new != {key: value for key, value in old.items() if key != "approver"}:
        lines = block_text(approver) if approver is not None else "-"
        message = told("{}: its approvers are written in a form that is not changed here; put there by hand:\n{}",
                       where, lines)  # fmt: skip
        raise SigningError(message)
    return made
