"""Which site a command means, and the way to its execution. Each command opens its site here."""

import os
import tomllib
from collections.abc import Callable
from pathlib import Path

from gateway.journal.told import EN, ZH, environment_language, said, told, told_by
from gateway.processes import clock
from gateway.processes.cli import WrongCallError
from gateway.processes.durations import MS
from gateway.processes.ids import IdCounter, next_epoch
from gateway.processes.operator import Operator
from gateway.processes.settings import Site, SiteError, load_site

DEFAULT_SITE = Path("site.toml")
SITE_VARIABLE = "CMC_SITE"
RUNS = Path("runs")
RUN_FOLDER = "run"
"""Of the state directory: journals, logs, ready files, status. It stays from one start to the next."""


def run_dir_of(site: Site) -> Path:
    """The folder of its journals, logs and status."""
    return site.state_dir / RUN_FOLDER


def language_of_file(path: Path) -> str:
    """What a file says of its language, also where it cannot be used otherwise; else the environment's."""
    try:
        language = tomllib.loads(path.read_text(encoding="utf-8"))["site"]["language"]
    except (OSError, ValueError, KeyError, TypeError):
        return environment_language()
    return language if language in (EN, ZH) else environment_language()


def wait(done: Callable[[], bool], until_ns: int) -> bool:
    """Whether it is done before `until_ns`."""
    while not done():
        if clock.monotonic_ns() > until_ns:
            return False
        clock.pause_ns(100 * MS)
    return True


def run_folder(path: Path | None) -> Path:
    """The run that a person means: a run's folder, the one of a site, CMC_SITE's, or the newest under runs/."""
    if path is None and os.environ.get(SITE_VARIABLE):
        path = site_path(None)
    if path is None:
        found = sorted(one for one in RUNS.glob("*") if one.is_dir())
        if not found:
            message = told("no run given and none in {}/; make one with `cmc demo`", RUNS)
            raise WrongCallError(message)
        return found[-1]
    if path.suffix == ".toml":
        return load(path).state_dir / RUN_FOLDER
    return path


def site_path(path: Path | None) -> Path:
    """The file named, else CMC_SITE, else site.toml here."""
    if path is not None:
        return path
    given = os.environ.get(SITE_VARIABLE)
    if given:
        return Path(given)
    if DEFAULT_SITE.is_file():
        return DEFAULT_SITE
    message = told("which site? Name its file, set CMC_SITE, or stand in the folder of a site.toml")
    raise WrongCallError(message)


def load(path: Path) -> Site:
    """The site in a file; a wrong call, with every mistake, where it cannot be used."""
    try:
        return load_site(path)
    except SiteError as error:
        message = told("nothing was started\n{}", told_by(error))
        raise WrongCallError(said(message, language_of_file(path))) from error


def operator_of(site: Site, who: str) -> Operator:
    """The way to its execution, in this name."""
    return Operator(site.bus_dir, IdCounter("K", next_epoch(site.state_dir)), who)
