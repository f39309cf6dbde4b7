"""How `cmc status` tells of clocks."""

import tomllib
from pathlib import Path

from gateway.model.clock import ClockStatus, HostClock
from gateway.processes.clock_lines import clock_content, clock_lines

UTC = 1_790_000_000 * 10**9
LIVE = ClockStatus(
    "SHFE.md", True, UTC + 1_250_123_456, 890_000, 40_000, 12_049, 1_300, 1_300_000, 99, 0, 0, "half round trip"
)
DEAD = ClockStatus("LME.md", False, 0, 0, 0, 0, 200_000, 0, 0, 0, 0, "")


def test_a_person_reads_offset_bound_and_drift() -> None:
    """Against our UTC, in milliseconds and parts per million; what is not calibrated says so; our own clock last."""
    host = HostClock("chrony", True, 0, 512_345, 0)
    assert list(clock_lines((LIVE, DEAD), host, UTC)) == [
        "  SHFE.md        clock +1250.123 ms off ours, ± 0.890 ms by half of the round trip, drift +12.0 ± 1.3 ppm",
        "  LME.md         clock not calibrated, 0 answers",
        "  our clock: chrony, within 0.512 ms of UTC",
    ]
    assert list(clock_lines((), HostClock("none", False, 0, 0, 0), UTC)) == ["  our clock: not disciplined (none)"]
    assert list(clock_lines((), None, UTC)) == []


def test_a_program_reads_nanoseconds() -> None:
    """The offset is against our UTC, and there is none without calibration."""
    assert clock_content(LIVE, UTC)["off_ours_ns"] == 1_250_123_456
    assert clock_content(DEAD, UTC)["off_ours_ns"] is None
    assert clock_content(LIVE, UTC)["bound_ns"] == 890_000
    assert "offset_ns" not in clock_content(LIVE, UTC)


def test_every_basis_has_its_words() -> None:
    """What calibration may rest on is told in Chinese as well."""
    file = Path(__file__).parents[2] / "gateway" / "journal" / "chinese.toml"
    chinese = tomllib.loads(file.read_text(encoding="utf-8"))
    assert {"half of the round trip", "measured asymmetry", "declared error to UTC"} <= set(chinese)
