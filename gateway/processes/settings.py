"""Reads a site file and gives the values that the programs take, or every mistake in it at once; then nothing starts.

Order of work: the file, the environment's overrides, the type of each key (`site_file.py`), the dialects, what keys say
together (`site_checks.py`), and last the values. A mistake names file, key, value and what would be right.

What can go wrong: two programs that read the file at different times could see different sites; `digest` tells it, and
the supervisor gives every child the same file and compares.
"""

import hashlib
import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.fix.dialect import Dialect, DialectError, load_dialect
from gateway.fix.dictionary import DictionaryError
from gateway.journal.told import joined, told
from gateway.model.order import TimeInForce
from gateway.processes.adapters import adapter_of
from gateway.processes.rule_checks import rule_mistakes
from gateway.processes.site import (
    BusSettings,
    JournalSettings,
    PerformanceSettings,
    SessionSettings,
    Site,
    SupervisorSettings,
    VenueSettings,
    WatchSettings,
)
from gateway.processes.site_align import align
from gateway.processes.site_calendars import calendar_mistakes
from gateway.processes.site_checks import Mistake, check, nearest
from gateway.processes.site_clients import check_clients, client_passwords
from gateway.processes.site_currency import check_currency
from gateway.processes.site_env import override
from gateway.processes.site_file import SiteFile, VenueSection
from gateway.processes.site_formula import check_formulas
from gateway.processes.site_library import expand
from gateway.processes.site_limits import check_limits
from gateway.processes.site_rules import check_rules
from gateway.processes.site_types import type_remedy
from gateway.processes.site_values import calendar_settings, make_site
from gateway.processes.site_words import check_words

__all__ = [
    "BusSettings",
    "JournalSettings",
    "PerformanceSettings",
    "SessionSettings",
    "Site",
    "SiteError",
    "SupervisorSettings",
    "VenueSettings",
    "WatchSettings",
    "default_bus_dir",
    "load_site",
]

LONGEST_IPC_PATH = 107
LONGEST_SOCKET_NAME = "execution.intents"


class SiteError(ValueError):
    """A site file that cannot be used; its text names every mistake, one a line."""

    def __init__(self, path: Path, mistakes: list[Mistake]) -> None:
        self.path = path
        self.mistakes = mistakes
        lines = [told("{}: {} = {}: right would be {}", path, one.key, one.value, one.remedy) for one in mistakes]
        super().__init__(joined("\n", lines))


def load_site(path: str | Path, environment: Mapping[str, str] | None = None, *, as_kept: Path | None = None) -> Site:
    """The site in the file `path`, or SiteError with every mistake; `as_kept`: its words as a run keeps them there."""
    file = Path(path)
    content, misused = expand(_toml(as_kept or file))
    overridden = override(content, environment)
    mistakes = misused + [
        Mistake(
            name,
            told("set in the environment"),
            told("a variable that names a key of this site file; see docs/SITE_FILE.md"),
        )
        for name in overridden.unknown
    ]
    try:
        written = SiteFile.model_validate(overridden.content)
    except ValidationError as error:
        details = error.errors(include_url=False)
        found = [_typed(one, overridden.names) for one in details]
        raise SiteError(file, mistakes + found) from error
    written, unaligned = align(written)
    dialects, unusable = _dialects(file, written)
    passwords, unread = _passwords(file, written, overridden.passwords)
    secrets, unreadable = client_passwords(file, written, overridden.passwords)
    mistakes += [*unusable, *unread, *check(written, dialects), *check_words(written, dialects)]
    mistakes += [*check_limits(written), *check_currency(written)]
    mistakes += [*unaligned, *check_formulas(written), *check_rules(written)]
    mistakes += [*_bus_dir_mistakes(file, written), *_calendar_mistakes(file, written)]
    mistakes += [*unreadable, *check_clients(file, written)]
    if mistakes:
        raise SiteError(file, mistakes)
    site = make_site(file, _bus_dir(file, written.site.bus_dir), written, dialects, passwords | secrets)
    places = {one.id: f"rule[{index}]" for index, one in enumerate(written.rule)}
    mistakes = rule_mistakes(tuple(site.rules.values()), site.pairs, site.instruments, places.__getitem__)
    if mistakes:
        raise SiteError(file, mistakes)
    return site


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SiteError(file, [Mistake("file", str(error.strerror), told("a site file that can be read"))]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SiteError(file, [Mistake("file", str(error), told("TOML in UTF-8"))]) from error


def _typed(error: ErrorDetails, names: Mapping[str, str]) -> Mistake:
    """What pydantic says of one key, in our form."""
    place = error["loc"]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    named = f"{key} (from {names[key]})" if key in names else key
    if error["type"] == "missing":
        return Mistake(named, told("missing"), _described(place) or "a value")
    value = json.dumps(error["input"], default=str, ensure_ascii=False)[:60]
    if error["type"] == "extra_forbidden":
        return Mistake(named, value, told("no such key; {}", nearest(str(place[-1]), _known(place))))
    return Mistake(named, value, type_remedy(error))


def _model(place: tuple[int | str, ...]) -> Any:  # noqa: ANN401 a class of site_file, or None
    """The table that the last key of `place` stands in."""
    model: Any = SiteFile
    for part in place[:-1]:
        if isinstance(part, int):
            continue
        one = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        if one is None:
            return None
        inner = getattr(one.annotation, "__args__", ())
        model = inner[0] if inner else one.annotation
    return model if hasattr(model, "model_fields") else None


def _known(place: tuple[int | str, ...]) -> list[str]:
    model = _model(place)
    return list(model.model_fields) if model is not None else []


def _described(place: tuple[int | str, ...]) -> str:
    model = _model(place)
    one = model.model_fields.get(place[-1]) if model is not None else None
    return str(one.description or "a table") if one is not None else ""


def _dialects(file: Path, written: SiteFile) -> tuple[dict[str, Dialect], list[Mistake]]:
    dialects: dict[str, Dialect] = {}
    mistakes = []
    for index, venue in enumerate(written.venue):
        source: str | Path = venue.dialect
        if venue.dialect.endswith(".toml"):
            source = file.parent / venue.dialect
        try:
            dialect = load_dialect(source, **_changes(venue))
            if dialect.adapter:
                adapter_of(dialect)
            dialects[venue.id] = dialect
        except (DialectError, DictionaryError) as error:
            mistakes.append(
                Mistake(f"venue[{index}].dialect", venue.dialect, told("a dialect that can be used: {}", error))
            )
    return dialects, mistakes


def _changes(venue: VenueSection) -> dict[str, object]:
    changes: dict[str, object] = {}
    if venue.rpt_seq is not None:
        changes["rpt_seq"] = venue.rpt_seq
    if venue.depth is not None:
        changes["depth"] = venue.depth
    if venue.time_in_force is not None:
        changes["times_in_force"] = [TimeInForce[force].value for force in venue.time_in_force]
    return changes


def _passwords(
    file: Path, written: SiteFile, given: Mapping[tuple[int, str], str]
) -> tuple[dict[tuple[int, str], str], list[Mistake]]:
    passwords = dict(given)
    mistakes = []
    for index, venue in enumerate(written.venue):
        for kind, session in venue.sessions.items():
            if (index, kind) in passwords or not session.password_file:
                continue
            try:
                text = (file.parent / session.password_file).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                key = f"venue[{index}].{kind}.password_file"
                mistakes.append(Mistake(key, session.password_file, told("a file that can be read: {}", error)))
            else:
                passwords[index, kind] = text.rstrip("\n")
    return passwords, mistakes


def _calendar_mistakes(file: Path, written: SiteFile) -> list[Mistake]:
    places = {one.id: f"instrument[{index}].calendar" for index, one in enumerate(written.instrument)}
    return [
        Mistake(places.get(one.where, f"site.{one.where}"), one.value, one.remedy)
        for one in calendar_mistakes(calendar_settings(file, written))
    ]


def default_bus_dir(file: Path) -> Path:
    """Where the sockets lie when the site does not say: a short path of this user, the same for every program."""
    word = hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:12]
    given = os.environ.get("XDG_RUNTIME_DIR")
    # Mode and owner are checked when it is used (supervisor.py).
    return Path(given) / f"cmc-{word}" if given else Path(tempfile.gettempdir()) / f"cmc-{os.getuid()}-{word}"


def _bus_dir(file: Path, text: str) -> Path:
    return (file.parent / text).resolve() if text else default_bus_dir(file)


def _bus_dir_mistakes(file: Path, written: SiteFile) -> list[Mistake]:
    text = written.site.bus_dir
    if "://" in text:
        return [
            Mistake("site.bus_dir", text, told("a directory: the bus listens on ipc sockets only, never on a network"))
        ]
    longest = len(os.fsencode(_bus_dir(file, text) / LONGEST_SOCKET_NAME))
    if longest > LONGEST_IPC_PATH:
        remedy = told(
            "a path shorter by {} bytes: a socket's may have {}", longest - LONGEST_IPC_PATH, LONGEST_IPC_PATH
        )
        return [Mistake("site.bus_dir", str(_bus_dir(file, text)), remedy)]
    return []
