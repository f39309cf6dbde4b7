"""What a process decided by, kept in the run's directory: RUN/settings/PROCESS.DIGEST.INCARNATION.json.

A site file may change between two starts, refer to other files, or be overridden by the environment; another version of
the program may make something else of it. What was made of it is kept, so that a replay needs nothing else. An
incarnation that decides by the same as the one before writes nothing. The values are the model's messages, in order.

What can go wrong: a run of a version that kept none. Then its site.toml is read anew, and where its digest is another
the caller says so.
"""

import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

from gateway.execution.ledger import ExecutionSettings
from gateway.journal.reader import EXECUTION
from gateway.journal.site_facts import SITE_FILE
from gateway.journal.told import told, told_by
from gateway.model.base import Message, made, plain
from gateway.processes.cores import settings
from gateway.processes.ids import write_durably

FOLDER = "settings"
Settings = TypeVar("Settings", bound=Message)


class KeptSettingsError(Exception):
    """What a run decided by cannot be known; names the files that were looked for."""


def kept_path(run_dir: Path, digest: str, incarnation: int, process: str = EXECUTION) -> Path:
    """Where the settings of this incarnation are kept, of the site with this digest."""
    return run_dir / FOLDER / f"{process}.{digest}.{incarnation:010d}.json"


def keep_settings(run_dir: Path, digest: str, incarnation: int, given: Message, process: str = EXECUTION) -> None:
    """Write them down before anything is decided by them, where they are not those of the incarnation before."""
    text = encoded(given)
    last = _last(run_dir, digest, incarnation, process)
    if last is not None and last.read_text(encoding="utf-8") == text:
        return
    path = kept_path(run_dir, digest, incarnation, process)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, text)


def _last(run_dir: Path, digest: str, incarnation: int, process: str) -> Path | None:
    """The newest of this site up to this incarnation."""
    upto = kept_path(run_dir, digest, incarnation, process).name
    found = [one for one in (run_dir / FOLDER).glob(f"{process}.{digest}.*.json") if one.name <= upto]
    return max(found, default=None)


def encoded(given: Message) -> str:
    """Settings as text."""
    return msgspec.json.encode(given, enc_hook=plain).decode()


def read_kept(run_dir: Path, digest: str, incarnation: int, process: str, kind: type[Settings]) -> Settings | None:
    """What an incarnation of a process decided by whose site has this digest; None where nothing was kept."""
    path = _last(run_dir, digest, incarnation, process)
    if path is None:
        return None
    try:
        return msgspec.json.decode(path.read_text(encoding="utf-8"), type=kind, dec_hook=made)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        message = told("{}: {}; the settings that the run kept have to be readable", path, error)
        raise KeptSettingsError(message) from error


def read_settings(run_dir: Path, digest: str, incarnation: int) -> tuple[ExecutionSettings, str]:
    """What an incarnation of execution decided by, and what has to be said of it ("" for nothing)."""
    kept = read_kept(run_dir, digest, incarnation, EXECUTION, ExecutionSettings)
    return _from_site_file(run_dir, digest) if kept is None else (kept, "")


def _from_site_file(run_dir: Path, digest: str) -> tuple[ExecutionSettings, str]:
    path = run_dir / SITE_FILE
    if not path.is_file():
        message = told("{}: neither {} nor {} is there; without them nobody knows what the run decided by",
                       run_dir, FOLDER, SITE_FILE)  # fmt: skip
        raise KeptSettingsError(message)
    from gateway.processes.settings import SiteError, load_site  # noqa: PLC0415 a process that trades never reads it

    try:
        site = load_site(path, {})
    except (SiteError, tomllib.TOMLDecodeError) as error:
        message = told("the run kept no settings of its own, and its site file cannot be used:\n{}", told_by(error))
        raise KeptSettingsError(message) from error
    if site.digest == digest:
        return settings(site), ""
    words = told(
        "the journal names site {}, {} is site {}: the file, the environment or the program has changed since",
        digest[:12],
        path.name,
        site.digest[:12],
    )
    return settings(site), words
