"""Alarms that are raised beside the engine, brought to it where the rollout's stage in force falls back at them.

The engine sees its own alarms as it raises them. Those of other processes (a clock, the trigger's journal, the watch)
it hears here, once a heartbeat, off the path of intents; those of this process as they are raised. It decides nothing:
whether the stage falls is `gateway/execution/tripwire.py`'s matter. Without a plan, nothing is recorded.

What can go wrong: an alarm that the bus lost. The next one of its kind is heard, and gates upwards count them all.
"""

from collections import deque
from collections.abc import Iterable
from pathlib import Path

from gateway.bus.sockets import Subscriber
from gateway.execution.runner import Runner
from gateway.model.port import VenueMessage
from gateway.model.trade import Alarm, AlarmHeard, AlarmName

PUBLISHERS = ("feed", "trigger", "watch")
KEPT = 100
"""Alarms that wait for a journal that takes records; the oldest of more is forgotten, one is enough to fall back."""


class StageAlarms:
    """What the engine is told of alarms. One thread calls it."""

    def __init__(self, runner: Runner[VenueMessage], bus_dir: Path, high_water_mark: int) -> None:
        self._runner = runner
        self._subscribers = [(name, Subscriber(bus_dir, name, ["Alarm."], high_water_mark)) for name in PUBLISHERS]
        self._waiting: deque[AlarmHeard] = deque(maxlen=KEPT)

    def take(self) -> None:
        """Hear what others have raised."""
        for source, subscriber in self._subscribers:
            for one in subscriber.poll():
                if isinstance(one.message, Alarm):
                    self._note(source, one.message)
        self._tell()

    def hear(self, source: str, alarms: Iterable[Alarm]) -> None:
        """Take up what was raised here, or stands in a journal."""
        for alarm in alarms:
            self._note(source, alarm)
        self._tell()

    def close(self) -> None:
        for _, subscriber in self._subscribers:
            subscriber.close()

    def _note(self, source: str, alarm: Alarm) -> None:
        if alarm.name in self._fallen_back_at():
            self._waiting.append(AlarmHeard(source, alarm.name, alarm.subject, alarm.figures))

    def _fallen_back_at(self) -> tuple[AlarmName, ...]:
        standing = self._runner.engine.ledger.rollout
        return () if standing is None else standing.stage.tripwire.alarms

    def _tell(self) -> None:
        while self._waiting and self._runner.writable:
            self._runner.handle(self._waiting.popleft())
