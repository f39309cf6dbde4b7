"""Values of the bus's tests, and a wait that ends with the event."""

import time
from collections.abc import Callable
from typing import TypeVar

from gateway.bus.sockets import Publisher, Subscriber
from gateway.bus.topics import Received
from gateway.model.order import Side
from gateway.model.quote import BookState, Quote
from gateway.model.trade import Command, ExecutionStatus, Intent, PairPosition, Verb

T = TypeVar("T")
PATIENCE_S = 10.0


def quote(number: int, name: str = "A") -> Quote:
    return Quote(name, BookState.OK, ((number, 1),), ((number + 1, 1),), number, 0, 0, number)


def position(units: int, rule_id: str = "R") -> PairPosition:
    return PairPosition("P", rule_id, units)


def status(incarnation: int = 1) -> ExecutionStatus:
    return ExecutionStatus(incarnation, True, False, False, "full", 0, 0, (), 7)


def intent(name: str = "I1") -> Intent:
    return Intent(name, 1, "P", "R", Side.BUY, 1, -10, -5, 25, (), "A", 1, 2, 3, 4, 5, 6)


def command(name: str = "C1", verb: Verb = Verb.ARM) -> Command:
    return Command(name, verb, "trader", "test")


def until(found: Callable[[], T | None]) -> T:
    """What `found` gives once it gives something."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.001)
    raise AssertionError(f"nothing came within {PATIENCE_S} s")


def wait_for(subscriber: Subscriber, count: int, publisher: Publisher | None = None) -> list[Received]:
    """The next `count` messages; requests to `publisher` are answered meanwhile."""
    received: list[Received] = []

    def enough() -> bool:
        if publisher is not None:
            publisher.answer_snapshots()
        received.extend(subscriber.poll(5))
        return len(received) >= count

    until(enough)
    return received


def joined(publisher: Publisher, subscriber: Subscriber, name: str = "J") -> None:
    """Publish quotes of an instrument of its own until the subscriber hears: from then on nothing is lost by joining."""
    numbers = iter(range(1, 10**6))

    def heard() -> bool:
        publisher.publish(quote(next(numbers), name))
        return bool(subscriber.poll(5))

    until(heard)
    while subscriber.poll(20):
        pass
    subscriber.take_gaps()
