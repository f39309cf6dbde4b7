"""What calibration is told of a venue's clock: how its stamps are written, how often to ask, what was declared.

Values only; `docs/CLOCKS.md` says what each is good for. All durations are whole nanoseconds, all rates parts per
billion (1 ppm is 1000 ppb).
"""

from typing import NamedTuple

US = 10**3
MS = 10**6
SECOND = 10**9


class StampForm(NamedTuple):
    """What a stamp says of the clock that wrote it: the clock showed from stamp + low to stamp + high when it did.

    A stamp cut off at milliseconds is (0, 1 ms), one rounded to the nearest is (-0.5 ms, 0.5 ms).
    """

    low_ns: int
    high_ns: int

    @property
    def middle_ns(self) -> int:
        return (self.low_ns + self.high_ns) // 2

    @property
    def half_ns(self) -> int:
        return (self.high_ns - self.low_ns + 1) // 2


def stamp_form(resolution_ns: int, *, cut_off: bool) -> StampForm:
    """The form of stamps with this resolution."""
    return (
        StampForm(0, resolution_ns) if cut_off else StampForm(-resolution_ns // 2, resolution_ns - resolution_ns // 2)
    )


MILLISECONDS = stamp_form(MS, cut_off=True)


class StampClocks(NamedTuple):
    """What a dialect says of a venue's stamps; times of one clock are compared, those of two only by calibration.

    `sending` is SendingTime(52), `entry` MDEntryTime(273) and TransactTime(60) of market data. `entry_clock` names the
    clock of the latter, `sending_clock` that of the former, `transact_clock` that of TransactTime(60) in reports.
    `publish_floor_ns` is the least, `publish_lag_ns` the most that passes from a stamp 273 to SendingTime(52); the
    latter is None where the venue does not say. `snapshot_phase_ns` is where in its interval, on the venue's clock, a
    snapshot is taken; None where it is not fixed.
    """

    sending: StampForm = MILLISECONDS
    entry: StampForm = MILLISECONDS
    sending_clock: str = "gateway"
    entry_clock: str = "gateway"
    transact_clock: str = "gateway"
    publish_floor_ns: int = 0
    publish_lag_ns: int | None = None
    snapshot_interval_ns: int = 0
    snapshot_phase_ns: int | None = None


class ClockSettings(NamedTuple):
    """How one venue's clock is calibrated; the site file's `[venue.clock]`.

    `asymmetry_ns` is the way to the venue less the way back, where it was measured, `asymmetry_error_ns` how far off
    that may be. `utc_error_ns` is what host and venue together may be off UTC, where both declare it.
    """

    interval_ns: int = SECOND
    """Between two TestRequests(1); 0: none are sent, and nothing is calibrated."""
    window_ns: int = 300 * SECOND
    max_drift_ppb: int = 200_000
    wander_ppb: int = 1_000
    """How fast a clock's rate may be off the line through the window."""
    live_ns: int = 30 * SECOND
    """A calibration whose last answer is older is not used."""
    asymmetry_ns: int | None = None
    asymmetry_error_ns: int = 0
    utc_error_ns: int | None = None
