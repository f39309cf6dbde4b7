"""How the clocks stand, as `cmc status` tells it: every session's venue against our own UTC, and our own.

It decides nothing. An offset on the bus is venue time less our monotonic clock; a person wants it against UTC, so ours
is asked beside it, and is only as good as this host's clock is.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from gateway.journal.told import Told, told
from gateway.model.clock import ClockStatus, HostClock
from gateway.processes.durations import MS

BASES = {
    "half round trip": told("half of the round trip"),
    "measured asymmetry": told("measured asymmetry"),
    "utc": told("declared error to UTC"),
}


def clock_lines(clocks: Iterable[ClockStatus], host: HostClock | None, utc_minus_local_ns: int) -> Iterator[Told]:
    """For a person."""
    for one in clocks:
        key = f"{one.key:<14}"
        if not one.live:
            yield told("  {} clock not calibrated, {} answers", key, one.answers)
            continue
        off = f"{(one.offset_ns - utc_minus_local_ns) / MS:+.3f}"
        bound = f"{one.bound_ns / MS:.3f}"
        drift = f"{one.drift_ppb / 1000:+.1f} ± {one.drift_bound_ppb / 1000:.1f}"
        yield told("  {} clock {} ms off ours, ± {} ms by {}, drift {} ppm", key, off, bound, BASES[one.basis], drift)
        if one.report_age_ns:
            age = f"{one.report_age_ns / MS:.3f}"
            yield told("  {} reports are {} ms old when they come, ± {} ms", key, age, bound)
    if host is not None and host.synchronised:
        yield told("  our clock: {}, within {} ms of UTC", host.source, f"{host.error_ns / MS:.3f}")
    elif host is not None:
        yield told("  our clock: not disciplined ({})", host.source)


def clock_content(one: ClockStatus, utc_minus_local_ns: int) -> dict[str, Any]:
    """For a program; `off_ours_ns` is against our UTC."""
    content: dict[str, Any] = {name: getattr(one, name) for name in one.__struct_fields__ if name != "offset_ns"}
    content["off_ours_ns"] = one.offset_ns - utc_minus_local_ns if one.live else None
    return content
