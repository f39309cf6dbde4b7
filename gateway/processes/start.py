"""What every main needs at its start: arguments, readiness, the journal's first record, session settings, its end."""

import argparse
import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.journal.reader import journal_path
from gateway.journal.writer import JournalWriter
from gateway.model.record import JournalOpened
from gateway.processes import clock, machine
from gateway.processes.build_id import build_id
from gateway.processes.child import Identity, identity
from gateway.processes.handover import NOTHING, heard_word, take_over
from gateway.processes.ids import write_durably
from gateway.processes.site import Site


class Arguments(NamedTuple):
    """What the supervisor tells a child."""

    site: Path
    run_dir: Path
    bus_dir: Path
    after_death: str
    site_fd: int = NOTHING
    word_fd: int = NOTHING


def arguments(argv: Sequence[str] | None, name: str) -> Arguments:
    """The command line of the process `name`."""
    parser = argparse.ArgumentParser(prog=f"python -m gateway.processes.{name}")
    parser.add_argument("--site", type=Path, required=True, help="the site file")
    parser.add_argument("--run-dir", type=Path, required=True, help="journals, logs and readiness go here")
    parser.add_argument("--bus-dir", type=Path, required=True, help="directory of the sockets, mode 0700")
    ends = "how its predecessor ended; other: told to, held by the watch, or with its supervisor or the machine"
    parser.add_argument("--after-death", choices=("signal", "exit", "other"), default="other", help=ends)
    parser.add_argument("--site-fd", type=int, default=NOTHING, help="what is made of the site file is read from here")
    parser.add_argument("--word-fd", type=int, default=NOTHING, help="begin when it is said here")
    given = parser.parse_args(argv)
    return Arguments(given.site, given.run_dir, given.bus_dir, given.after_death, given.site_fd, given.word_fd)


def site_when_begun(given: Arguments) -> Site:
    """The site, as it was handed over or else from its file; returns when it is this process's turn to begin."""
    site = take_over(given.site_fd) if given.site_fd != NOTHING else None
    if site is None:
        from gateway.processes.settings import load_site  # noqa: PLC0415 what judges a file is slow to load

        site = load_site(given.site)
    if given.word_fd != NOTHING and not heard_word(given.word_fd):
        message = "the supervisor ended before it was this process's turn"
        raise SystemExit(message)
    return site


def say_ready(run_dir: Path, name: str) -> None:
    """Tell the supervisor that this process is up, and the watch which process it is."""
    own = identity(os.getpid())
    said = {"ready": True, "pid": os.getpid(), "created": own.created if own is not None else 0}
    folder = run_dir / "ready"
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(folder / f"{name}.json", json.dumps(said) + "\n")


def said_ready(run_dir: Path, name: str) -> Identity | None:
    """Who last said that it is the process `name`; None while it starts."""
    try:
        said = json.loads((run_dir / "ready" / f"{name}.json").read_text(encoding="utf-8"))
        return Identity(int(said["pid"]), float(said["created"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


class StopFlag:
    """Set by SIGTERM or SIGINT; the loop looks at it, and `fd` becomes readable so that a wait ends at once."""

    def __init__(self) -> None:
        self.set = False
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.set = True
        os.eventfd_write(self.fd, 1)


def opened(process: str, incarnation: int, site: Site) -> JournalOpened:
    """The first record of a journal."""
    return JournalOpened(
        process,
        incarnation,
        machine.host(),
        machine.boot_id(),
        clock.monotonic_ns(),
        clock.utc_ns(),
        machine.version(),
        site.digest,
        build_id(),
    )


def open_journal(process: str, incarnation: int, site: Site, run_dir: Path) -> JournalWriter:
    """A journal of its own for this incarnation of `process`."""
    path = journal_path(run_dir, process, incarnation)
    path.parent.mkdir(parents=True, exist_ok=True)
    return JournalWriter(
        path,
        opened(process, incarnation, site),
        fdatasync_interval_ns=site.journal.fdatasync_interval_ns,
        sync_before_send=site.journal.sync_before_send,
        min_free_bytes=site.journal.min_free_bytes,
    )
