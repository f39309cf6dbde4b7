"""The command: one profile in, one venue up, until it is told to stop."""

import argparse
import importlib
import sys
from pathlib import Path
from typing import cast

from simulators.core.market import TapeError
from simulators.core.tape import Tape
from simulators.fix.server import run
from simulators.profile import Profile, ProfileError, read_profile

WRONG_CALL = 2


def main(argv: list[str] | None = None) -> int:
    """0 after a clean stop, 2 when the profile or its tape is wrong (nothing was started then)."""
    parser = argparse.ArgumentParser(prog="simulators", description="Run one venue simulator (docs/SIMULATOR.md).")
    parser.add_argument("profile", type=Path, help="the venue's profile, TOML")
    arguments = parser.parse_args(argv)
    path: Path = arguments.profile
    try:
        profile = read_profile(path)
        run(profile, _tape(profile), Path())
    except ProfileError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return WRONG_CALL
    except (TapeError, OSError) as error:
        print(f"{path}: {error}", file=sys.stderr)  # noqa: T201
        return WRONG_CALL
    return 0


def _tape(profile: Profile) -> Tape:
    """The tape that the profile names. Imported only now: the core and the tests do without the recorded days."""
    tape = profile.tape
    tapes = importlib.import_module("simulators.tapes")
    try:
        return cast("Tape", tapes.load_tape(tape.kind, tape.name, tape.dir, tape.seed, tape.seconds))
    except (ValueError, KeyError) as error:
        message = f"[tape] {error}"
        raise TapeError(message) from error
