"""Which build of the product runs: what `CMC_BUILD` says, else a digest of the program's own files.

The digest needs no repository and no release: two programs with one digest are the same code. Journals open with it, so
that acceptance can tell runs of different builds from each other and from the build that judges them. Each process
works it out for itself (6 ms on a quiet machine): one that is started again after an update runs other code than its
supervisor, and says so.
"""

import hashlib
import os
from functools import cache
from pathlib import Path

BUILD = "CMC_BUILD"
"""Environment variable with the build's id, where whoever builds gives one."""
_FILES = ("*.py", "*.toml", "*.json")
_LENGTH = 16


def build_id() -> str:
    """The build's id: the environment's word, or `code-` and the beginning of the digest of the program's files."""
    return os.environ.get(BUILD) or f"code-{_code_digest(Path(__file__).parents[1])}"


@cache
def _code_digest(package: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(one for pattern in _FILES for one in package.rglob(pattern)):
        content = path.read_bytes()
        found.update(f"{path.relative_to(package).as_posix()} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()[:_LENGTH]
