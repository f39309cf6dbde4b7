"""Waiting for due times without spinning. The thread's timer slack is cut while a benchmark writes to a timetable."""

import ctypes
import gc
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager

_PR_SET_TIMERSLACK = 29


def _timer_slack(nanoseconds: int) -> None:
    """How late the kernel may wake this thread to save power; 0 is the default of 50 us. Children inherit it."""
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0)


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection and prompt timers for as long as it lasts. Start no children within."""
    gc.collect()
    gc.disable()
    _timer_slack(1)
    try:
        yield
    finally:
        _timer_slack(0)
        gc.enable()


def due_times(rate: int, count: int) -> Iterator[int]:
    """Sleeps until each of `count` due times, `rate` a second, and gives it; late ones follow without a pause."""
    start_ns = time.monotonic_ns() + 1_000_000
    for number in range(count):
        due_ns = start_ns + number * 10**9 // rate
        while (wait_ns := due_ns - time.monotonic_ns()) > 0:
            select.select((), (), (), wait_ns / 1e9)
        yield due_ns
