"""What the cores of a run decided by, kept in the run's directory by the digest of its site: RUN/settings/DIGEST.json.

A site file may change between two starts, refer to other files, or be overridden by the environment; what was made of
it is kept, so that a replay needs nothing else. The values are the model's messages, fields in order.

What can go wrong: a run of a version that kept none. Then its site.toml is read anew, and where its digest is another
the caller says so.
"""

import tomllib
from pathlib import Path

import msgspec

from gateway.execution.ledger import ExecutionSettings
from gateway.journal.site_facts import SITE_FILE
from gateway.journal.told import told, told_by
from gateway.model.base import made, plain
from gateway.processes.cores import settings
from gateway.processes.ids import write_durably
from gateway.processes.settings import Site, SiteError, load_site

FOLDER = "settings"


class KeptSettingsError(Exception):
    """What a run decided by cannot be known; names the files that were looked for."""


def kept_path(run_dir: Path, digest: str) -> Path:
    """Where the settings of the site with this digest are kept."""
    return run_dir / FOLDER / f"{digest}.json"


def keep_settings(run_dir: Path, site: Site) -> None:
    """Write them down before anything is decided by them; once for a digest."""
    path = kept_path(run_dir, site.digest)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, encoded(settings(site)))


def encoded(given: ExecutionSettings) -> str:
    """Settings as text."""
    return msgspec.json.encode(given, enc_hook=plain).decode()


def decoded(text: str) -> ExecutionSettings:
    """Settings from text; msgspec.DecodeError where it is none."""
    return msgspec.json.decode(text, type=ExecutionSettings, dec_hook=made)


def read_settings(run_dir: Path, digest: str) -> tuple[ExecutionSettings, str]:
    """The settings that a run's site with this digest gave, and what has to be said of them ("" for nothing)."""
    path = kept_path(run_dir, digest)
    try:
        return decoded(path.read_text(encoding="utf-8")), ""
    except FileNotFoundError:
        return _from_site_file(run_dir, digest)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        message = told("{}: {}; the settings that the run kept have to be readable", path, error)
        raise KeptSettingsError(message) from error


def _from_site_file(run_dir: Path, digest: str) -> tuple[ExecutionSettings, str]:
    path = run_dir / SITE_FILE
    if not path.is_file():
        message = told("{}: neither {} nor {} is there; without them nobody knows what the run decided by",
                       run_dir, kept_path(run_dir, digest).relative_to(run_dir), SITE_FILE)  # fmt: skip
        raise KeptSettingsError(message)
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
