"""The client process's ways to the others: commands to trigger and execution, and what they announce.

Nothing is decided here. Commands are sent without waiting, and their answers taken up as they come; one that gets none
is sent again by the engine, with the same id.
"""

from collections import deque
from collections.abc import Callable
from pathlib import Path

import zmq

from gateway.bus.rules import RulesClient
from gateway.bus.sockets import CommandClient, Subscriber
from gateway.model.base import Message
from gateway.model.rules import AskRules, ChangeRules
from gateway.model.trade import Command, ExecutionStatus

MOST_AT_ONCE = 1000
_READABLE = int(zmq.POLLIN)


class ClientsBus:
    """All sockets of the process."""

    def __init__(self, bus_dir: Path, high_water_mark: int) -> None:
        self._trigger = RulesClient(bus_dir)
        self._execution = CommandClient(bus_dir)
        self._from_trigger = Subscriber(bus_dir, "trigger", ["R.C/", "P.", "TriggerStatus."], high_water_mark)
        self._from_execution = Subscriber(bus_dir, "execution", ["ExecutionStatus.", "T."], high_water_mark)
        self._quotes: dict[str, Subscriber] = {}
        self._waiting: deque[ChangeRules | Command] = deque()
        self.sent = False
        """Something was sent since the last `drain`: that may have taken up an answer whose edge then never shows."""
        self._bus_dir = bus_dir
        self._high_water_mark = high_water_mark
        self._from_trigger.ask()
        self._from_execution.ask()

    def fds(self) -> list[int]:
        """Descriptors that become readable when something has come; edges, so everything is drained each time."""
        subscribers = (self._from_trigger, self._from_execution, *self._quotes.values())
        sockets = [one for each in subscribers for one in (each.socket, each.answers)]
        return [int(one.getsockopt(zmq.FD)) for one in (self._trigger.socket, self._execution.socket, *sockets)]

    def follow(self, symbol: str) -> None:
        """Hear the quotes of a leg from now on."""
        if symbol not in self._quotes:
            made = Subscriber(self._bus_dir, "feed", [f"Q.{symbol}"], self._high_water_mark)
            made.ask()
            self._quotes[symbol] = made

    def drain(self, take: Callable[[Message], None]) -> None:
        """Give everything that waits to `take`."""
        self.sent = False
        for one in (self._from_trigger, self._from_execution, *self._quotes.values()):
            _hear(one, take)
        if self._from_trigger.take_gaps():
            self.ask_rules("after-a-gap")
        for _ in range(MOST_AT_ONCE):
            said = self._trigger.receive() if _waits(self._trigger.socket) else None
            if said is None:
                break
            take(said)
        for _ in range(MOST_AT_ONCE):
            answer = self._execution.receive() if _waits(self._execution.socket) else None
            if answer is None:
                break
            if not isinstance(answer, ExecutionStatus):
                take(answer)

    def place(self, change: ChangeRules) -> None:
        """To trigger, with the next `flush`."""
        self._waiting.append(change)

    def command(self, command: Command) -> None:
        """To execution, with the next `flush`."""
        self._waiting.append(command)

    def flush(self) -> None:
        """Send what waits: after the acknowledgements have gone to their clients, for a send here wakes a thread."""
        while self._waiting:
            one = self._waiting.popleft()
            if isinstance(one, ChangeRules):
                self._trigger.send(one)
            else:
                self._execution.send(one)
            self.sent = True

    def ask_rules(self, command_id: str) -> None:
        """What rules are in force: the answer tells what became of an order's rule while we were away."""
        self._trigger.send(AskRules(command_id))

    def close(self) -> None:
        for command in (self._trigger, self._execution):
            command.close()
        for subscriber in (self._from_trigger, self._from_execution, *self._quotes.values()):
            subscriber.close()


def _waits(socket: "zmq.Socket[bytes]") -> bool:
    """Whether a message waits there. To ask costs a third of a receive that finds nothing and raises."""
    return bool(int(socket.getsockopt(zmq.EVENTS)) & _READABLE)


def _hear(one: Subscriber, take: Callable[[Message], None]) -> None:
    """Give what waits of a publisher; the answer to a question of ours behind it, once the stream is empty."""
    if one.is_waiting:
        for received in one.poll(0, MOST_AT_ONCE):
            take(received.message)
        return
    for _ in range(MOST_AT_ONCE):
        if not _waits(one.socket):
            return
        one.drain(lambda received: take(received.message), 1)
