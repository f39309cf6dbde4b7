"""Writes a tree of tables, lists and plain values as TOML, for the files that the demo makes.

Only what those files need: strings, whole numbers, floats, booleans, lists of plain values, tables, lists of tables.
A string is written as JSON writes it, which TOML reads the same.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def toml_text(tree: Mapping[str, Any]) -> str:
    """`tree` as TOML, plain values first, tables after them, in the order of the tree."""
    return "\n".join(_lines(tree, ())).strip() + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    for key, value in table.items():
        if not _is_table(value):
            yield f"{key} = {_plain(value)}"
    for key, value in table.items():
        here = (*path, key)
        if isinstance(value, Mapping):
            yield from ("", f"[{'.'.join(here)}]")
            yield from _lines(value, here)
        elif _is_table(value):
            for entry in value:
                yield from ("", f"[[{'.'.join(here)}]]")
                yield from _lines(entry, here)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)
    )


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_plain(one) for one in value)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return repr(value)
    message = f"{value!r} has no place in TOML here"
    raise TypeError(message)
