"""What a venue has still to do, by time: reports that leave late, snapshots, faults that begin and end. A heap."""

import heapq
from collections.abc import Callable
from itertools import count

Task = Callable[[int], None]


class Agenda:
    """Tasks in order of their time; those of one time in the order in which they were put down."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Task]] = []
        self._count = count()

    def at(self, at_ns: int, task: Task) -> None:
        """Do `task` at `at_ns`."""
        heapq.heappush(self._heap, (at_ns, next(self._count), task))

    def next_at(self) -> int | None:
        """The time of the next task; None when there is none."""
        return self._heap[0][0] if self._heap else None

    def pop(self) -> tuple[int, Task]:
        """The next task and its time."""
        at_ns, _, task = heapq.heappop(self._heap)
        return at_ns, task
