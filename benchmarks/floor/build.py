"""Builds the C++ reference, or says in words why it cannot be built. Nothing here fails a benchmark."""

import shutil
import subprocess
from pathlib import Path

import msgspec

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
OUT = REPOSITORY / "build" / "floor"
PROGRAMS = ("feed", "trigger", "execution")
HEADERS = {"quickfix/Session.h": "libquickfix-dev", "zmq.h": "libzmq3-dev"}
BUILD_TIMEOUT_S = 300


class Floor(msgspec.Struct, frozen=True):
    """Where the reference's programs lie, or `missing`: why they do not."""

    folder: Path
    quickfix: str
    missing: str = ""


def build() -> Floor:
    """Runs make where the compiler and both libraries are there."""
    reason = _what_is_missing()
    if reason:
        return Floor(OUT, "", f"{reason}; benchmarks/floor/install.sh installs what is needed")
    made = subprocess.run(
        [_path_of("make"), "-f", str(HERE / "Makefile"), f"OUT={OUT}"],
        cwd=HERE, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S, check=False,
    )  # fmt: skip
    if made.returncode != 0 or not all((OUT / name).exists() for name in PROGRAMS):
        return Floor(OUT, "", f"make ended with {made.returncode}: {made.stderr.strip()[-400:]}")
    return Floor(OUT, _version_of("libquickfix-dev"))


def _path_of(tool: str) -> str:
    """Where the tool lies; empty where it is not installed."""
    return shutil.which(tool) or ""


def _what_is_missing() -> str:
    for tool in ("make", "g++"):
        if not _path_of(tool):
            return f"{tool} is not installed"
    for header, package in HEADERS.items():
        found = subprocess.run(
            [_path_of("g++"), "-std=c++14", "-E", "-x", "c++", "-include", header, "/dev/null"],
            capture_output=True, timeout=BUILD_TIMEOUT_S, check=False,
        )  # fmt: skip
        if found.returncode != 0:
            return f"<{header}> of {package} is not installed"
    return ""


def _version_of(package: str) -> str:
    """As Debian's package list has it; empty where there is none."""
    if not _path_of("dpkg-query"):
        return ""
    shown = subprocess.run(
        [_path_of("dpkg-query"), "--show", "--showformat=${Version}", package],
        capture_output=True, text=True, timeout=BUILD_TIMEOUT_S, check=False,
    )  # fmt: skip
    return shown.stdout.strip()


def main() -> int:
    """Builds and tells."""
    floor = build()
    print(floor.missing or f"C++ reference built in {floor.folder} with QuickFIX {floor.quickfix}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
