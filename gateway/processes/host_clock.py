"""What this host says of its own clock: the kernel by adjtimex(2), and chrony where it runs.

It decides nothing: the feed publishes what is found, and a declared error to UTC (docs/CLOCKS.md) is believed only
while the kernel or chrony says that the clock is disciplined. adjtimex costs microseconds, so the feed's loop asks it;
chronyc is a program, so a thread of its own waits for it. Without `rtcsync` chrony leaves the kernel's word at
"unsynchronised": then chrony's own word counts.

What can go wrong: in a container the kernel's state is the host's own, which is right; where the call is forbidden or
missing the source is "none" and nothing is believed.
"""

import ctypes
import shutil
import subprocess
import threading
from typing import NamedTuple

import msgspec

from gateway.model.clock import HostClock
from gateway.processes import clock

US = 1000
STA_UNSYNC, STA_NANO = 0x0040, 0x2000
TIME_ERROR = 5
FREQUENCY_SCALE = 65536
CHRONY_S = 2.0
CHRONY_EVERY_S = 60.0
_CHRONY_FIELDS = 14


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2), Linux; read only (modes = 0)."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("rest", ctypes.c_byte * 256),
    )


class HostReading(NamedTuple):
    """One look at the host's clock."""

    status: HostClock
    utc_minus_monotonic_ns: int


class HostWatch:
    """Looks at the host's clock when asked; chrony's last word is at most a minute old."""

    def __init__(self) -> None:
        self._chrony: HostClock | None = None
        self._library = ctypes.CDLL(None, use_errno=True)
        threading.Thread(target=self._follow, name="chrony", daemon=True).start()

    def read(self) -> HostReading:
        """What is known now."""
        before_ns, utc_ns, after_ns = clock.monotonic_ns(), clock.utc_ns(), clock.monotonic_ns()
        said = _kernel(self._library)
        if not said.synchronised and self._chrony is not None:
            said = self._chrony
        ahead_ns = utc_ns - (before_ns + after_ns) // 2
        return HostReading(msgspec.structs.replace(said, utc_minus_monotonic_ns=ahead_ns), ahead_ns)

    def _follow(self) -> None:
        pause = threading.Event()
        while (said := chrony()) is not None:
            self._chrony = said
            pause.wait(CHRONY_EVERY_S)
        self._chrony = None


def _kernel(library: ctypes.CDLL) -> HostClock:
    timex = _Timex()
    try:
        state = library.adjtimex(ctypes.byref(timex))
    except AttributeError:
        state = -1
    if state < 0:
        return HostClock("none", synchronised=False, offset_ns=0, error_ns=0, frequency_ppb=0)
    unit = 1 if timex.status & STA_NANO else US
    synchronised = state != TIME_ERROR and not timex.status & STA_UNSYNC
    frequency_ppb = timex.freq * 1000 // FREQUENCY_SCALE
    return HostClock("adjtimex", synchronised, timex.offset * unit, timex.maxerror * US, frequency_ppb)


def chrony() -> HostClock | None:
    """What chronyd says, where it runs; None where it does not. Takes up to two seconds."""
    program = shutil.which("chronyc")
    if program is None:
        return None
    try:
        told = subprocess.run(  # noqa: S603 - a fixed command
            [program, "-c", "tracking"], capture_output=True, text=True, timeout=CHRONY_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return tracking(told.stdout)


def tracking(line: str) -> HostClock | None:
    """What a line of `chronyc -c tracking` says: seconds, and parts per million."""
    fields = line.strip().split(",")
    if len(fields) < _CHRONY_FIELDS:
        return None
    try:
        offset_s, frequency_ppm = float(fields[4]), float(fields[7])
        delay_s, dispersion_s = float(fields[10]), float(fields[11])
    except ValueError:
        return None
    error_ns = int((abs(offset_s) + delay_s / 2 + dispersion_s) * 1e9)
    good = fields[-1] != "Not synchronised"
    return HostClock("chrony", good, int(offset_s * 1e9), error_ns, int(frequency_ppm * 1000))
