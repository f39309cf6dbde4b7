"""What an order session was asked, so that a venue that is started again is the same venue.

The venue is a function of its tape, its seed and its requests. So its state is kept as the requests with their times:
each is written down before it is taken, and a start with the same folder asks them all again, in virtual time. Orders,
positions, faults already struck and ids then stand as they stood; what was sent is not sent again (`FileStore.kept`).

What can go wrong: times are of CLOCK_MONOTONIC, so a log of another boot means nothing; another profile or tape would
make another venue of it. Both are refused. Half a line at the end, of a simulator that was killed, is cut off.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from simulators.fix.wire import Message

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class RequestLogError(ValueError):
    """The log cannot be gone on with; says why and what to do."""


class Request(NamedTuple):
    """A message of the client in sequence, or the end of its connection: None, or one without fields where the Logon
    had asked for cancel on disconnect.
    """

    at_ns: int
    message: Message | None


class RequestLog:
    """`orders.requests` of `folder`: `before` is what was asked until the last end, `start_ns` when the tape began."""

    def __init__(self, folder: Path, start_ns: int, identity: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "orders.requests"
        whole = list(_whole_lines(self._path))
        head = {"boot": BOOT_ID.read_text(encoding="ascii").strip(), "venue": identity}
        if whole:
            found = json.loads(whole[0])
            self.start_ns = int(found.pop("start_ns"))
            if found != head:
                message = f"{self._path}: of {found}, this is {head}; remove {folder} to begin anew"
                raise RequestLogError(message)
        else:
            self.start_ns = start_ns
            whole = [json.dumps({"start_ns": start_ns, **head}).encode() + b"\n"]
        self.before = tuple(_request(line) for line in whole[1:])
        self._path.write_bytes(b"".join(whole))
        self._file = self._path.open("ab")

    def append(self, request: Request) -> None:
        """Written before it is taken."""
        pairs = None if request.message is None else request.message.pairs
        self._file.write(json.dumps([request.at_ns, pairs]).encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def _whole_lines(path: Path) -> Iterator[bytes]:
    if path.exists():
        yield from (line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n"))


def _request(line: bytes) -> Request:
    at_ns, pairs = json.loads(line)
    return Request(at_ns, None if pairs is None else Message([(int(tag), value) for tag, value in pairs]))
