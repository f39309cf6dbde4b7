"""A venue's clock and the way to it, with delays that a test chooses; what `ClockSession` hears of them."""

from collections.abc import Callable

from gateway.feed.clock_events import ClockEvent
from gateway.feed.clock_session import ClockSession
from gateway.feed.clock_settings import ClockSettings, StampClocks, stamp_form

US, MS, S = 10**3, 10**6, 10**9
EPOCH = 1_790_000_000 * S
START = 5_000 * S
DRIFT = 40_000
"""Parts per billion that the venue's clock gains."""


class World:
    """A session with a venue. `there` and `back` are one-way delays by the time of sending; all clocks are exact."""

    def __init__(
        self,
        resolution_ns: int = US,
        *,
        settings: ClockSettings | None = None,
        stamps: StampClocks | None = None,
        there: Callable[[int], int] = lambda _at: 10 * MS,
        back: Callable[[int], int] = lambda _at: 10 * MS,
    ) -> None:
        form = stamp_form(resolution_ns, cut_off=True)
        self.resolution_ns = resolution_ns
        self.there, self.back = there, back
        self.offset_ns = EPOCH
        self.now_ns = START
        self.answering = True
        self.session = ClockSession(settings or ClockSettings(), stamps or StampClocks(form, form), "T")
        self.session.on_session(up=True, at_ns=START)

    def true_ns(self, at_ns: int) -> int:
        """What the venue's clock shows."""
        return at_ns + self.offset_ns + (at_ns - START) * DRIFT // S

    def stamp(self, at_ns: int) -> int:
        """What the venue writes."""
        shown = self.true_ns(at_ns)
        return shown - shown % self.resolution_ns

    def run(self, seconds: float) -> "World":
        """Ask when it is due; every answer arrives before the next is asked."""
        until_ns = self.now_ns + int(seconds * S)
        while (due_ns := self.session.due_ns() or 0) < until_ns:
            self.now_ns = max(self.now_ns, due_ns)
            self.ask()
        self.now_ns = until_ns
        return self

    def ask(self) -> None:
        """One request, now, and its answer."""
        name = self.session.request(self.now_ns)
        if self.answering:
            stamped_ns = self.now_ns + self.there(self.now_ns)
            self.session.on_heartbeat(name, self.stamp(stamped_ns), stamped_ns + self.back(stamped_ns))

    def quote(self, event_ns: int | None = None, late_ns: int = 0) -> tuple[int, int]:
        """Error and bound of a quote of now; (0, 0) where it has no calibration."""
        event_ns = self.now_ns if event_ns is None else event_ns
        recv_ns = event_ns + self.back(event_ns) + late_ns
        extra_ns = self.session.observe(self.stamp(event_ns), recv_ns)
        calibrated_ns, bound_ns = self.session.calibrate(self.stamp(event_ns), recv_ns, extra_ns)
        return (calibrated_ns - event_ns, bound_ns) if calibrated_ns else (0, 0)

    def events(self) -> list[ClockEvent]:
        return self.session.take_events(self.now_ns)

    def names(self) -> list[str]:
        """Names of what happened since the last look."""
        return [one.name.value for one in self.events()]


def wavy(least_ns: int, most_ns: int, key: int) -> Callable[[int], int]:
    """Delays between the two, uneven, the same for the same time."""
    return lambda at_ns: (
        least_ns + (at_ns // 1000 * 2_654_435_761 + key * 40_503) % 9_973 * (most_ns - least_ns) // 9_973
    )
