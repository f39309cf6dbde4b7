"""Keeps QuickFIX from beginning the numbers of a session anew because it is another day.

A session that never ends (`NonStopSession=Y`) goes on with its numbers. QuickFIX 1.16 agrees while it runs; where it
opens a store, it asks before it has read that setting whether the store's numbers began on the same UTC day, and begins
them at 1 where they did not (seen with its initiator and its acceptor: `tests/fix/test_fix_same_day.py`). So the store
says that they began just now while QuickFIX opens it, and what it said before stands there again afterwards.

What can go wrong: a kill in between; then the numbers seem to have begun at that moment. Nothing that was sent is lost.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

NS_PER_S = 10**9


@contextmanager
def same_day(files: Iterable[Path], utc_ns: int) -> Iterator[None]:
    """While QuickFIX opens the stores with these `.session` files; one that is not there yet is none of an old day."""
    kept = {one: one.read_bytes() for one in files if one.is_file()}
    stamp = datetime.fromtimestamp(utc_ns // NS_PER_S, UTC).strftime("%Y%m%d-%H:%M:%S")
    for one in kept:
        one.write_text(stamp, encoding="ascii")
    try:
        yield
    finally:
        for one, content in kept.items():
            one.write_bytes(content)
