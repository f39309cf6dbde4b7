"""The client process's ways to the others: commands to trigger and execution, and what they announce.

Nothing is decided here. Commands are sent without waiting, and their answers taken up as they come; one that gets none
is sent again by the engine, with the same id.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import zmq

from gateway.bus.sockets import Subscriber, endpoint
from gateway.bus.topics import ENCODER
from gateway.model.base import Message
from gateway.model.quote import Quote
from gateway.model.rules import AskRules, ChangeRules, RulesInForce, RuleStanding
from gateway.model.trade import Command, CommandAnswered, ExecutionStatus, PairPrice

ANSWERS = msgspec.msgpack.Decoder(CommandAnswered | RulesInForce | ExecutionStatus)
MOST_AT_ONCE = 200
_HEARD = (RuleStanding, PairPrice, Quote, ExecutionStatus)


class Asker:
    """One process's command socket."""

    def __init__(self, bus_dir: Path, name: str) -> None:
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(endpoint(bus_dir, f"{name}.cmd"))

    @property
    def fd(self) -> int:
        return int(self._socket.getsockopt(zmq.FD))

    def send(self, message: Message) -> None:
        """Hand it over; with nobody there it waits in the queue, or is dropped when that is full."""
        with contextlib.suppress(zmq.Again):
            self._socket.send(ENCODER.encode(message), zmq.NOBLOCK)

    def answers(self) -> Iterator[CommandAnswered | RulesInForce]:
        """Those that wait."""
        for _ in range(MOST_AT_ONCE):
            try:
                answer = ANSWERS.decode(self._socket.recv(zmq.NOBLOCK))
            except zmq.Again:
                return
            if not isinstance(answer, ExecutionStatus):
                yield answer

    def close(self) -> None:
        self._socket.close()


class ClientsBus:
    """All sockets of the process."""

    def __init__(self, bus_dir: Path, high_water_mark: int) -> None:
        self.trigger = Asker(bus_dir, "trigger")
        self.execution = Asker(bus_dir, "execution")
        self._from_trigger = Subscriber(bus_dir, "trigger", ["R.C/", "P.", "TriggerStatus."], high_water_mark)
        self._from_execution = Subscriber(bus_dir, "execution", ["ExecutionStatus.", "T."], high_water_mark)
        self._quotes: dict[str, Subscriber] = {}
        self._bus_dir = bus_dir
        self._high_water_mark = high_water_mark
        self._from_trigger.ask()
        self._from_execution.ask()

    def fds(self) -> list[int]:
        """Descriptors that become readable when something has come; edges, so everything is drained each time."""
        subscribers = (self._from_trigger, self._from_execution, *self._quotes.values())
        sockets = [one for each in subscribers for one in (each.socket, each.answers)]
        return [self.trigger.fd, self.execution.fd, *(int(one.getsockopt(zmq.FD)) for one in sockets)]

    def follow(self, symbol: str) -> list[int]:
        """Hear the quotes of a leg from now on; new descriptors."""
        if symbol in self._quotes:
            return []
        made = Subscriber(self._bus_dir, "feed", [f"Q.{symbol}"], self._high_water_mark)
        made.ask()
        self._quotes[symbol] = made
        return [int(made.socket.getsockopt(zmq.FD)), int(made.answers.getsockopt(zmq.FD))]

    def drain(self, take: Callable[[Message], None]) -> None:
        """Give everything that waits to `take`."""
        for one in (self._from_trigger, self._from_execution, *self._quotes.values()):
            for received in one.poll(0, MOST_AT_ONCE):
                take(received.message)
        for asker in (self.trigger, self.execution):
            for answer in asker.answers():
                take(answer)

    def place(self, change: ChangeRules) -> None:
        self.trigger.send(change)

    def command(self, command: Command) -> None:
        self.execution.send(command)

    def ask_rules(self, command_id: str) -> None:
        """What rules are in force: the answer tells what became of an order's rule while we were away."""
        self.trigger.send(AskRules(command_id))

    def close(self) -> None:
        for asker in (self.trigger, self.execution):
            asker.close()
        for subscriber in (self._from_trigger, self._from_execution, *self._quotes.values()):
            subscriber.close()
