"""Environment variables that override keys of the site file: `CMC_SECTION__KEY`, nested by two underscores.

An entry of a list is named by its id, every character that is no letter or digit as an underscore, or by its place:
`CMC_VENUE__SHFE__MD__PORT=5001`, `CMC_INSTRUMENT__SHFE_CU2609__MAX_QTY=10`, `CMC_RULE__0__BUY_AT=-150`. Passwords stand
nowhere else but here or in a file: `CMC_VENUE__SHFE__ORDERS__PASSWORD`.

What can go wrong: an override that names nothing would be ignored in silence; so it is an error. Names without two
underscores are not ours to judge.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

PREFIX = "CMC_"
DELIMITER = "__"
SECRET = "password"  # noqa: S105 the name of a key


class _Environment(BaseSettings):
    """No field of its own: the source below is asked for what it sees."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter=DELIMITER)


class Overridden(NamedTuple):
    """The file's content with the overrides in it; passwords by (venue's place, session); names that fit no key."""

    content: dict[str, Any]
    passwords: dict[tuple[int, str], str]
    unknown: tuple[str, ...]
    names: dict[str, str]
    """Key path -> the variable that gave its value."""


def override(content: dict[str, Any], environment: Mapping[str, str] | None = None) -> Overridden:
    """`content` with every override of `environment` (this process's own, when None)."""
    seen = environment if environment is not None else EnvSettingsSource(_Environment).env_vars
    copied = _copy(content)
    made = Overridden(copied, {}, (), {})
    unknown: list[str] = []
    for name, text in sorted(seen.items()):
        upper = name.upper()
        if text is None or not upper.startswith(PREFIX) or DELIMITER not in upper:
            continue
        keys = upper.removeprefix(PREFIX).lower().split(DELIMITER)
        if not _place(copied, keys, text, upper, made):
            unknown.append(upper)
    return made._replace(unknown=tuple(unknown))


def _copy(value: Any) -> Any:  # noqa: ANN401 what TOML holds
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def _place(content: dict[str, Any], keys: list[str], text: str, name: str, made: Overridden) -> bool:
    """Put `text` where `keys` lead; False when they lead nowhere."""
    at: Any = content
    path = ""
    for key in keys[:-1]:
        if isinstance(at, list):
            index = _find(at, key)
            if index is None:
                return False
            at, path = at[index], f"{path}[{index}]"
        else:
            found = next((known for known in at if _word(known) == key), key)
            at, path = at.setdefault(found, {}), f"{path}.{found}" if path else found
        if not isinstance(at, dict | list):
            return False
    if not isinstance(at, dict):
        return False
    secret = re.fullmatch(r"venue\[(\d+)\]\.(md|orders|watch|drop_copy)", path)
    if keys[-1] == SECRET and secret:
        made.passwords[int(secret[1]), secret[2]] = text
        return True
    if keys[-1] == SECRET and (client := re.fullmatch(r"client\[(\d+)\]", path)):
        made.passwords[int(client[1]), "client"] = text
        return True
    last = next((known for known in at if _word(known) == keys[-1]), keys[-1])
    at[last] = _value(text)
    made.names[f"{path}.{last}"] = name
    return True


def _find(entries: list[Any], key: str) -> int | None:
    for index, entry in enumerate(entries):
        if isinstance(entry, dict) and _word(str(entry.get("id", entry.get("instrument", "")))) == key:
            return index
    return int(key) if key.isdecimal() and int(key) < len(entries) else None


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "_", text.lower())


def _value(text: str) -> Any:  # noqa: ANN401 what TOML could hold
    """A list or a table is written as JSON; all else stays text, which the types of the keys read."""
    if text.startswith(("[", "{")):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return text
