"""Topics and frames of the bus.

A published message is one ZeroMQ frame: topic, a zero byte, the publisher's incarnation and the topic's sequence number
(two little-endian u64), then the message as msgpack. One frame, because a conflating subscriber keeps single frames
only. Sequence numbers count per topic, so that a subscriber to one topic sees no false gap.

What can go wrong: a late subscriber misses the first messages and a slow one misses bursts. `GapWatch` knows it from the
numbers; the subscriber then asks the publisher for the last message of the topic.
"""

import struct
from typing import NamedTuple

import msgspec

from gateway.model.base import Message
from gateway.model.quote import BookState, Quote
from gateway.model.trade import (
    Alarm,
    BookStateChanged,
    Command,
    CommandAnswered,
    ExecutionStatus,
    Intent,
    IntentRefused,
    PairPosition,
    PairPrice,
    PairTradeChanged,
    PositionChanged,
)

_NUMBERS = struct.Struct("<QQ")


class SessionStatus(Message):
    """One FIX session as its process sees it."""

    key: str
    venue_id: str
    kind: str
    """"md" or "orders"."""
    up: bool
    since_ns: int
    attempts: int
    detail: str


class FeedStatus(Message):
    """The feed's heartbeat: its sessions and the state of its books."""

    incarnation: int
    at_ns: int
    sessions: tuple[SessionStatus, ...]
    books: tuple[tuple[str, BookState, str], ...]
    quotes: int
    gaps: int
    repaired: int


class TriggerStatus(Message):
    """The trigger's heartbeat. `missed` counts messages of the bus that never came."""

    incarnation: int
    at_ns: int
    evaluations: int
    intents: int
    unsent: int
    missed: int


Published = (
    Quote
    | BookStateChanged
    | PairPrice
    | PairTradeChanged
    | PositionChanged
    | PairPosition
    | IntentRefused
    | Alarm
    | CommandAnswered
    | ExecutionStatus
    | FeedStatus
    | TriggerStatus
)

ENCODER = msgspec.msgpack.Encoder()
PUBLISHED = msgspec.msgpack.Decoder(Published)
INTENT = msgspec.msgpack.Decoder(Intent)
COMMAND = msgspec.msgpack.Decoder(Command)
ANSWER = msgspec.msgpack.Decoder(CommandAnswered | ExecutionStatus)


class Received(NamedTuple):
    """A published message with where it stands in its stream."""

    topic: str
    incarnation: int
    seq: int
    message: Published


class Gap(NamedTuple):
    """Messages of a topic that never came: `first_seq` to `last_seq`, both included."""

    topic: str
    incarnation: int
    first_seq: int
    last_seq: int


def topic_of(message: Published) -> str:
    """The topic that a message is published under."""
    match message:
        case Quote():
            return f"Q.{message.instrument_id}"
        case BookStateChanged():
            return f"X.{message.instrument_id}"
        case PairPrice():
            return f"P.{message.pair_id}"
        case PairTradeChanged():
            return f"T.{message.pair_id}"
        case PairPosition():
            return f"U.{message.rule_id}"
        case PositionChanged():
            return f"N.{message.instrument_id}"
        case _:
            return f"{type(message).__name__}."


def prefix(topic: str) -> bytes:
    """The subscription for exactly this topic."""
    return topic.encode() + b"\0"


def pack(topic: bytes, incarnation: int, seq: int, message: Message) -> bytes:
    """The frame of a message; `topic` ends in its zero byte (see `prefix`)."""
    return topic + _NUMBERS.pack(incarnation, seq) + ENCODER.encode(message)


def unpack(frame: bytes) -> Received:
    """The message in a frame; msgspec.DecodeError, ValueError or struct.error when it is none of ours."""
    end = frame.index(0)
    incarnation, seq = _NUMBERS.unpack_from(frame, end + 1)
    message: Published = PUBLISHED.decode(memoryview(frame)[end + 17 :])
    return Received(frame[:end].decode(), incarnation, seq, message)


class GapWatch:
    """Follows the sequence numbers of every topic of one publisher."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, int]] = {}

    def see(self, received: Received) -> Gap | None | bool:
        """None: the next message. A Gap: messages before it were missed. False: already seen, drop it."""
        last = self._last.get(received.topic)
        if last is not None and last[0] == received.incarnation:
            if received.seq <= last[1]:
                return False
            self._last[received.topic] = (received.incarnation, received.seq)
            if received.seq == last[1] + 1:
                return None
            return Gap(received.topic, received.incarnation, last[1] + 1, received.seq - 1)
        if last is not None and received.incarnation < last[0]:
            return False
        self._last[received.topic] = (received.incarnation, received.seq)
        return None
