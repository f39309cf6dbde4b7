"""`--set KEY=VALUE` and `--sweep KEY=A,B,C`: any key of the site file, for one backtest.

A key is a path: `rule.cu-band.buy_at`, `limits.max_open_trades`, `pair.CU-CA.leg.LME.CA3M.pay_up_ticks`. Entries of a
list are named by their id (a leg by its instrument) or their place from 0. It becomes the variable that the environment
would override that key with (`site_env.py`), so that there is one way to change a site, and the same checks.

What can go wrong: a path that leads nowhere. It is told with what stands at the place where it was lost.
"""

import tomllib
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from gateway.journal.told import told
from gateway.processes.cli import WrongCallError
from gateway.processes.site_env import DELIMITER, PREFIX
from gateway.processes.site_library import expand

MOST_RUNS = 1000


class Assignment(NamedTuple):
    """A key and its value, as they were given."""

    key: str
    value: str


class Sweep(NamedTuple):
    """A key and the values that it takes in turn."""

    key: str
    values: tuple[str, ...]


def assignments(texts: Sequence[str]) -> list[Assignment]:
    """`--set` as given."""
    return [Assignment(*_split(text, "--set")) for text in texts]


def sweeps(texts: Sequence[str]) -> list[Sweep]:
    """`--sweep` as given."""
    found = []
    for text in texts:
        key, values = _split(text, "--sweep")
        listed = tuple(one.strip() for one in values.split(",") if one.strip())
        if not listed:
            message = told("--sweep {}: KEY=VALUE,VALUE,...", text)
            raise WrongCallError(message)
        found.append(Sweep(key, listed))
    return found


def combinations(given: Sequence[Sweep]) -> list[tuple[Assignment, ...]]:
    """Every run of a sweep: each value of each key with each of the others."""
    made = [
        tuple(Assignment(one.key, value) for one, value in zip(given, values, strict=True))
        for values in product(*(one.values for one in given))
    ]
    if len(made) > MOST_RUNS:
        message = told("--sweep: {} runs, at most {}", len(made), MOST_RUNS)
        raise WrongCallError(message)
    return made


def variables(site_file: Path, given: Sequence[Assignment]) -> dict[str, str]:
    """The environment that overrides these keys of the site file."""
    if not given:
        return {}
    try:
        content, _ = expand(tomllib.loads(site_file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = told("{}: {}", site_file, error)
        raise WrongCallError(message) from error
    return {_variable(content, one): one.value for one in given}


def _split(text: str, option: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        message = told("{} {}: KEY=VALUE, with a key of the site file such as {}", option, text, "rule.ID.buy_at")
        raise WrongCallError(message)
    return key.strip(), value.strip()


def _variable(content: dict[str, Any], given: Assignment) -> str:
    """`rule.cu-band.buy_at` -> CMC_RULE__0__BUY_AT: lists by place, so that no id has to be spelt."""
    at: Any = content
    rest, keys = given.key, []
    while rest:
        if isinstance(at, list):
            place, rest = _entry(at, rest, given)
            keys.append(str(place))
            at = at[place]
            continue
        word, _, rest = rest.partition(".")
        keys.append(word)
        if rest and not isinstance(at.get(word), dict | list):
            raise _lost(given, word, sorted(name for name, value in at.items() if isinstance(value, dict | list)))
        at = at.get(word)
    if isinstance(at, list | dict) and not given.value.startswith(("[", "{")):
        inner = [_name(one) for one in at] if isinstance(at, list) else sorted(at)
        raise _lost(given, given.key, inner)
    return PREFIX + DELIMITER.join(keys).upper()


def _entry(entries: list[Any], rest: str, given: Assignment) -> tuple[int, str]:
    """Which entry of a list the path goes on with; an id may hold dots, so the longest that fits counts."""
    names = [_name(one) for one in entries]
    for name in sorted(names, key=len, reverse=True):
        if name and (rest == name or rest.startswith(f"{name}.")):
            return names.index(name), rest[len(name) + 1 :]
    word, _, left = rest.partition(".")
    if word.isdecimal() and int(word) < len(entries):
        return int(word), left
    raise _lost(given, word, names)


def _name(entry: Any) -> str:  # noqa: ANN401 what TOML holds
    return str(entry.get("id", entry.get("instrument", ""))) if isinstance(entry, dict) else str(entry)


def _lost(given: Assignment, word: str, known: list[str]) -> WrongCallError:
    return WrongCallError(told("{}={}: {} leads nowhere; there is {}", given.key, given.value, word, ", ".join(known)))
