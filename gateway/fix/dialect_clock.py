"""The table `[clock]` of a dialect: which stamps the venue writes, by which clock and how exactly. docs/CLOCKS.md.

What can go wrong: two keys that contradict each other: `DialectError` with both.
"""

import re

from gateway.feed.clock_settings import MS, US, StampClocks, stamp_form
from gateway.fix.dialect_tables import TableReader

TIME_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
CLOCK_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class ClockTable(TableReader):
    """Reads it."""

    def _stamps(self) -> StampClocks:
        self._root.setdefault("clock", {})
        cut_off = self._kind("clock", "cut_off", bool, default=True)
        sending_ns, entry_ns = (
            10 ** (9 - TIME_DIGITS[self._one_of("clock", key, tuple(TIME_DIGITS), "ms")])
            for key in ("sending_time", "entry_time")
        )
        names = [self._clock_name(key) for key in ("sending_clock", "entry_clock", "transact_clock")]
        floor_ns = self._count("clock", "publish_floor_us", 0) * US
        lag_ms = self._count("clock", "publish_lag_ms", None)
        interval_ms = self._count("clock", "snapshot_interval_ms", 0)
        phase_ms = self._count("clock", "snapshot_phase_ms", None)
        if phase_ms is not None and phase_ms >= interval_ms:
            self._refuse("clock.snapshot_phase_ms", phase_ms, f"less than snapshot_interval_ms, {interval_ms}")
        if lag_ms is not None and lag_ms * MS < floor_ns:
            self._refuse("clock.publish_lag_ms", lag_ms, f"at least publish_floor_us, {floor_ns // US}")
        return StampClocks(
            sending=stamp_form(sending_ns, cut_off=cut_off),
            entry=stamp_form(entry_ns, cut_off=cut_off),
            sending_clock=names[0],
            entry_clock=names[1],
            transact_clock=names[2],
            publish_floor_ns=floor_ns,
            publish_lag_ns=None if lag_ms is None else lag_ms * MS,
            snapshot_interval_ns=interval_ms * MS,
            snapshot_phase_ns=None if phase_ms is None else phase_ms * MS,
        )

    def _clock_name(self, key: str) -> str:
        name: str = self._kind("clock", key, str, "gateway")
        if not CLOCK_NAME.fullmatch(name):
            self._refuse(f"clock.{key}", name, "a name of small letters, digits and _, such as gateway or matching")
        return name
