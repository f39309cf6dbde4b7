"""How clocks stand, as the processes publish it and the record keeps it; docs/CLOCKS.md. Nanoseconds."""

from gateway.model.base import Message


class ClockStatus(Message):
    """How the clock of one session is calibrated; see `gateway.feed.clock_events.ClockStanding`.

    `offset_ns` is the venue's clock (since 1970) less our monotonic clock, at `at_ns` of the latter.
    """

    key: str
    live: bool
    offset_ns: int
    bound_ns: int
    noise_ns: int
    drift_ppb: int
    drift_bound_ppb: int
    least_round_trip_ns: int
    answers: int
    steps: int
    path_changes: int
    basis: str
    at_ns: int = 0
    report_age_ns: int = 0
    """Of an order session: median age of ExecutionReports(8) at their arrival, by TransactTime(60) on our clock; 0
    where the dialect says that another clock writes that stamp, and before the first."""


class HostClock(Message):
    """What the kernel, or chrony, says of this host's own clock. `error_ns` is the most that UTC may be off."""

    source: str
    """"adjtimex", "chrony", or "none" where neither can be asked."""
    synchronised: bool
    offset_ns: int
    error_ns: int
    frequency_ppb: int
    utc_minus_monotonic_ns: int = 0
    """UTC less the monotonic clock, as it was read."""
