"""What the supervisor hands to a process that it starts: the checked site, and later the word to begin.

The site file is read and judged once, by the supervisor. A process that is handed the values loads neither the file nor
the libraries that judge it, and all processes of a site have the very same values, also one that is started again after
the file was edited. The values lie in memory (memfd) and on no disk, because passwords are among them.

A process loads its code while those before it still begin, and then waits for the word, which comes when the one before
it is ready: so the order in which they begin is kept, and the loading of several goes on at the same time.

What can go wrong: the program was replaced on the disk while the supervisor runs. Values of another form must not be
taken, so they carry a mark of the program's files; where it is another, the process reads the site file itself. The
supervisor dies before the word: the process ends, because nobody knows its turn any more.
"""

import hashlib
import os
import pickle
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gateway.processes.site import Site

NOTHING = -1
"""In place of a file descriptor: nothing was handed over."""
_PROGRAM = Path(__file__).parents[1]
_MARK_BYTES = hashlib.sha256().digest_size
_WORD = b"begin"


def hand_over(site: Site) -> int:
    """A descriptor of the values, to be inherited; it stays the caller's, who closes it."""
    fd = os.memfd_create("cmc-site")
    with os.fdopen(os.dup(fd), "wb") as file:
        file.write(program_mark() + pickle.dumps(site, pickle.HIGHEST_PROTOCOL))
    return fd


def take_over(fd: int) -> Site | None:
    """The values behind `fd`, which is closed; None where the program that made them was another."""
    try:
        # By offset: the processes that were handed this share one position in it.
        content = os.pread(fd, os.fstat(fd).st_size, 0)
    finally:
        os.close(fd)
    if content[:_MARK_BYTES] != program_mark():
        return None
    site = pickle.loads(content[_MARK_BYTES:])  # noqa: S301 from our parent, through memory that nobody else writes
    return site if isinstance(site, Site) else None


def program_mark() -> bytes:
    """Another one for another program: names, sizes and times of its files."""
    lines = sorted(f"{name} {size} {changed_ns}\n" for name, size, changed_ns in _files(_PROGRAM))
    return hashlib.sha256("".join(lines).encode()).digest()


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for one in entries:
            if one.name.endswith(".py"):
                seen = one.stat()
                yield one.path, seen.st_size, seen.st_mtime_ns
            elif one.is_dir() and one.name != "__pycache__":
                yield from _files(Path(one.path))


class Word:
    """The word to one process that it may begin: a pipe, said at most once."""

    def __init__(self) -> None:
        self.fd, self._write = os.pipe()
        self.said = False

    def started(self) -> None:
        """The process has its end; ours of it is closed, so that its death can be seen."""
        os.close(self.fd)
        self.fd = NOTHING

    def say(self) -> None:
        """Begin. A process that has died meanwhile does not hear it, which its parent sees anyway."""
        if self.said:
            return
        self.said = True
        with suppress(BrokenPipeError):
            os.write(self._write, _WORD)
        os.close(self._write)

    def withhold(self) -> None:
        """Never begin."""
        if not self.said:
            self.said = True
            os.close(self._write)


def heard_word(fd: int) -> bool:
    """Wait for the word on `fd`, which is closed; False where whoever was to say it has gone."""
    try:
        return os.read(fd, len(_WORD)) == _WORD
    finally:
        os.close(fd)
