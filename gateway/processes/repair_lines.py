"""What became of missed market data, as `cmc status` tells it, by session. It decides nothing."""

from collections.abc import Iterable, Iterator
from typing import Any

from gateway.bus.topics import RepairStatus
from gateway.journal.told import Told, told
from gateway.processes.durations import MS


def repair_lines(repairs: Iterable[RepairStatus]) -> Iterator[Told]:
    """For a person; a session without a gap is not spoken of."""
    for one in repairs:
        if not one.gaps:
            continue
        key = f"{one.key:<14}"
        counts = (one.gaps, one.repaired, one.lost, one.filled)
        times = [f"{took / MS:.1f}" for took in (one.took_ns_p50, one.took_ns_p99, one.took_ns_max)]
        yield told(
            "  {} gaps {}, repaired {}, messages lost {}, came late {}; whole after {} ms, p99 {}, at most {}",
            key,
            *counts,
            *times,
        )


def repair_content(one: RepairStatus) -> dict[str, Any]:
    """For a program."""
    return {name: getattr(one, name) for name in one.__struct_fields__}
