"""Writes the truth record to its folder, line by line, so that a killed simulator has said all it knew."""

import json
from pathlib import Path
from typing import IO

from simulators.core.truth import BOOKS, CLOCK, FILLS, HEADERS, MESSAGES, ORDERS, Truth, line


class TruthFiles:
    """Open files of one run; a run begins them anew."""

    def __init__(self, folder: Path, *, messages: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        names = [ORDERS, FILLS, BOOKS, CLOCK, *([MESSAGES] if messages else [])]
        self._files: dict[str, IO[str]] = {name: (folder / name).open("w", encoding="utf-8") for name in names}
        self.messages = messages
        for name, file in self._files.items():
            if name in HEADERS:
                file.write(HEADERS[name] + "\n")
                file.flush()

    def write(self, truth: list[Truth]) -> None:
        """What happened at the venue."""
        touched = set()
        for item in truth:
            name, text = line(item)
            self._files[name].write(text + "\n")
            touched.add(name)
        for name in touched:
            self._files[name].flush()

    def clock(self, monotonic_ns: int, venue_ns: int) -> None:
        """What the venue's clock showed."""
        self._files[CLOCK].write(f"{monotonic_ns},{venue_ns}\n")
        self._files[CLOCK].flush()

    def message(self, at_ns: int, session: str, direction: str, raw: bytes) -> None:
        """A message that was read ("in") or written ("out") at `at_ns`."""
        if self.messages:
            fields = (35, 34, 43, 11, 17)
            words = ",".join(_value(raw, tag) for tag in fields)
            self._files[MESSAGES].write(f"{at_ns},{session},{direction},{words}\n")
            self._files[MESSAGES].flush()

    def close(self, summary: dict[str, object]) -> None:
        """The end: the summary is written, the files closed."""
        (self._folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
        for file in self._files.values():
            file.close()


def _value(raw: bytes, tag: int) -> str:
    key = b"\x01%d=" % tag
    start = raw.find(key)
    if start < 0:
        return ""
    start += len(key)
    return raw[start : raw.find(b"\x01", start)].decode("ascii", "replace")
