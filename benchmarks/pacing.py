"""Waiting for due times without spinning. The thread's timer slack is cut while a benchmark writes to a timetable."""

import ctypes
import gc
import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager

_PR_SET_TIMERSLACK = 29


def _timer_slack(nanoseconds: int) -> None:
    """How late the kernel may wake this thread to save power; 0 is the default of 50 us. Children inherit it."""
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0)


def may_go_first() -> bool:
    """Whether this process may take precedence over others (SCHED_FIFO)."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        return False
    os.sched_setscheduler(0, *before)
    return True


@contextmanager
def undisturbed(*, first: bool = False) -> Iterator[None]:
    """No garbage collection and prompt timers for as long as it lasts. Start no children within.

    `first`: and precedence over other processes, where that is allowed: for a venue, which in the field has a machine
    of its own and here would wait until the programs under test leave it a core.
    """
    gc.collect()
    gc.disable()
    _timer_slack(1)
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    if first and may_go_first():
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)
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
