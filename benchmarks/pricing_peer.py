"""vnpy_spreadtrading's own price calculation, measured beside ours: installed from PyPI into an environment that is
thrown away, and run there as a program of its own (`pricing_peer_program.py`).

Where it cannot be installed the benchmark says why and goes on without it.
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.percentiles import Summary, summarise

PACKAGES = ("vnpy_spreadtrading==1.4.0", "vnpy==4.5.0", "tzlocal")
"""Without what they depend on: the calculation needs none of it."""
INSTALL_TIMEOUT_S = 120
PROGRAM = Path(__file__).with_name("pricing_peer_program.py")


class Peer:
    """The environment, and why there is none."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._python = directory / "env" / "bin" / "python"
        self.missing = self._install()

    def run(self, pairs: int, instruments: int, ticks: int, seconds: float) -> tuple[Summary, Summary] | None:
        """A leg's tick and the currency's; None where it failed, which `missing` then tells."""
        words = [str(self._python), str(PROGRAM), *(str(one) for one in (pairs, instruments, ticks, seconds))]
        done = self._call(words, seconds + 60)
        if self.missing:
            return None
        told = json.loads(done)
        legs, currency = summarise(told["legs"]), summarise(told["currency"])
        return None if legs is None or currency is None else (legs, currency)

    def _install(self) -> str:
        self.missing = ""
        try:
            venv.create(self._directory / "env", with_pip=True)
        except (OSError, subprocess.CalledProcessError) as error:
            return f"no environment of its own: {error}"
        pip = [str(self._python), "-m", "pip", "install", "--disable-pip-version-check", "-q", "--no-deps", *PACKAGES]
        self._call(pip, INSTALL_TIMEOUT_S)
        return self.missing

    def _call(self, words: list[str], timeout_s: float) -> str:
        environment = os.environ | {"HOME": str(self._directory)}  # it makes a folder at home when it is imported
        try:
            done = subprocess.run(
                words, cwd=self._directory, env=environment, capture_output=True, text=True, timeout=timeout_s,
                check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            self.missing = str(error)
            return ""
        if done.returncode:
            self.missing = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return done.stdout


@contextmanager
def peer(*, wanted: bool) -> Iterator[Peer | None]:
    """The peer, gone with its files afterwards; None where it is not wanted."""
    if not wanted:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="pricing-peer-") as directory:
        print(f"installing {', '.join(PACKAGES)} for {sys.version.split()[0]}, to be thrown away")
        yield Peer(Path(directory))
