"""Takes keys out of the tables of a TOML file, each checked for its kind, so that what is left over was not meant.

It knows no key. What can go wrong: a key that is missing or of the wrong kind: `DialectError`.
"""

from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn, TypeVar

_E = TypeVar("_E", bound=StrEnum)


class DialectError(ValueError):
    """A dialect file that cannot be used; names the file, the key, the value and what would be right."""


class TableReader:
    """The tables of one file."""

    def __init__(self, path: Path, root: dict[str, Any]) -> None:
        self._path = path
        self._root = root

    def has(self, table: str, key: str) -> bool:
        """Whether the key is there and not taken yet."""
        return key in self._table(table, self._root.get(table, {}))

    def _count(self, table: str, key: str, default: int | None) -> Any:  # noqa: ANN401 - an int, or the default
        if key not in self._table(table, self._root.get(table)):
            return default
        value: int = self._kind(table, key, int)
        if value < 0:
            self._refuse(f"{table}.{key}", value, "0 or more")
        return value

    def _sub(self, table: str, key: str, *, optional: bool = False) -> dict[str, Any]:
        place = f"{table}.{key}"
        tables = self._table(table, self._root.get(table))
        if optional and key not in tables:
            return {}
        return self._table(place, tables.pop(key, None))

    def _table(self, place: str, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._refuse(place, value, f"a table [{place}]")
        return value

    def _kind(self, table: str, key: str, kind: type, default: Any = None) -> Any:  # noqa: ANN401 - what TOML holds
        value = self._table(table, self._root.get(table)).pop(key, default)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self._refuse(f"{table}.{key}", value, f"a value of kind {kind.__name__}")
        return value

    def _one_of(self, table: str, key: str, choices: tuple[str, ...], default: str | None = None) -> str:
        value = self._kind(table, key, str, default)
        if value not in choices:
            self._refuse(f"{table}.{key}", value, f"one of {', '.join(choices)}")
        return str(value)

    def _enum(self, place: str, value: object, kind: type[_E]) -> _E:
        try:
            return kind(str(value))
        except ValueError:
            return self._refuse(place, value, f"one of {', '.join(repr(str(member)) for member in kind)}")

    def _refuse(self, key: str, value: object, right: str) -> NoReturn:
        what = "is missing" if value is None else f"= {value!r}"
        message = f"{self._path}: {key} {what}; right would be {right}"
        raise DialectError(message)
