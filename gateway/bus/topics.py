"""Topics and frames of the bus.

A published message is one ZeroMQ frame: topic, a zero byte, the publisher's incarnation and the topic's sequence number
(two little-endian u64), then the message as msgpack. One frame: topic and message come and go
together. Sequence numbers count per topic, so that a subscriber to one topic sees no false gap.

What can go wrong: a late subscriber misses the first messages and a slow one misses bursts. `GapWatch` knows it from
the numbers; the subscriber then asks the publisher for the last message of every topic, for what overflowed at one
topic may have lost the last word on another.
"""

import struct
from typing import NamedTuple

import msgspec

from gateway.model.base import Message
from gateway.model.clock import ClockStatus, HostClock
from gateway.model.quote import BookState, Quote
from gateway.model.rules import RuleStanding
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
    """Since it was last up."""
    detail: str
    """What went wrong last."""
    state: str = ""
    """"waiting" for the next attempt, "connecting", "up", "stopped"."""
    next_attempt_ns: int = 0
    """When it tries again, 0 while it does not wait."""


class RepairStatus(Message):
    """What became of missed messages of one market-data session; see `gateway.feed.repairs`."""

    key: str
    gaps: int
    repaired: int
    lost: int
    filled: int
    took_ns_p50: int
    took_ns_p99: int
    took_ns_max: int


class FeedStatus(Message):
    """The feed's heartbeat: its sessions, the state of its books, and of the clocks."""

    incarnation: int
    at_ns: int
    sessions: tuple[SessionStatus, ...]
    books: tuple[tuple[str, BookState, str], ...]
    quotes: int
    gaps: int
    repaired: int
    clocks: tuple[ClockStatus, ...] = ()
    host_clock: HostClock | None = None
    repairs: tuple[RepairStatus, ...] = ()
    bad_messages: int = 0


class OrderSessions(Message):
    """Execution's FIX sessions and their venues' clocks, beside its heartbeat."""

    incarnation: int
    at_ns: int
    sessions: tuple[SessionStatus, ...]
    clocks: tuple[ClockStatus, ...] = ()


class TriggerStatus(Message):
    """The trigger's heartbeat. `missed` counts messages of the bus that never came."""

    incarnation: int
    at_ns: int
    evaluations: int
    intents: int
    unsent: int
    missed: int


class ClientLine(Message):
    """One client's session as `cmc status` shows it."""

    client_id: str
    version: str
    up: bool
    since_ns: int
    address: str
    tls: bool
    drop_copy: bool
    open_orders: int
    next_sender_num: int
    next_target_num: int
    pending_bytes: int
    detail: str
    """Why it ended last, or was turned away."""


class ClientsStatus(Message):
    """The heartbeat of the process that clients connect to. `turned_away` counts connections that were not let in."""

    incarnation: int
    at_ns: int
    ports: tuple[tuple[str, int], ...]
    """(host, port) that it listens on."""
    sessions: tuple[ClientLine, ...]
    orders: int
    rejected: int
    turned_away: int
    unanswered: int
    """Commands to trigger or execution that wait for an answer."""


Published = (
    Quote
    | RuleStanding
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
    | ClientsStatus
    | OrderSessions
    | ClockStatus
    | HostClock
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
            topic = f"Q.{message.instrument_id}"
        case BookStateChanged():
            topic = f"X.{message.instrument_id}"
        case PairPrice():
            topic = f"P.{message.pair_id}"
        case PairTradeChanged():
            topic = f"T.{message.pair_id}"
        case PairPosition():
            topic = f"U.{message.rule_id}"
        case RuleStanding():
            # Rules of clients' orders come and go: one topic for each client, or the last words of all would pile up.
            rule_id = message.rule_id
            topic = f"R.{rule_id.rpartition('/')[0] if rule_id.startswith('C/') else rule_id}"
        case PositionChanged():
            topic = f"N.{message.instrument_id}"
        case ClockStatus():
            topic = f"C.{message.key}"
        case _:
            topic = f"{type(message).__name__}."
    return topic


def prefix(topic: str) -> bytes:
    """The subscription for exactly this topic."""
    return topic.encode() + b"\0"


def pack(topic: bytes, incarnation: int, seq: int, message: Message) -> bytes:
    """The frame of a message; `topic` ends in its zero byte (see `prefix`)."""
    return topic + _NUMBERS.pack(incarnation, seq) + ENCODER.encode(message)


def pack_end(incarnation: int, tag: bytes) -> bytes:
    """The last frame of an answer to a snapshot request: whose answer it was, and the request's own tag."""
    return _NUMBERS.pack(incarnation, 0) + tag


def unpack_end(frame: bytes) -> tuple[int, bytes]:
    """The incarnation that answered, and the tag of the request."""
    incarnation: int = _NUMBERS.unpack_from(frame)[0]
    return incarnation, frame[_NUMBERS.size :]


def unpack(frame: bytes) -> Received:
    """The message in a frame; msgspec.DecodeError, ValueError or struct.error when it is none of ours."""
    end = frame.index(0)
    incarnation, seq = _NUMBERS.unpack_from(frame, end + 1)
    message: Published = PUBLISHED.decode(memoryview(frame)[end + 17 :])
    return Received(frame[:end].decode(), incarnation, seq, message)


class GapWatch:
    """Follows the sequence numbers of every topic of one publisher.

    A topic begins at 1 with each incarnation. Whoever joins late has not missed what came before; whoever was there in
    the incarnation before, or has had an answer with the last message of every topic, has.
    """

    def __init__(self) -> None:
        self.incarnation = 0
        self._from_first = False
        self._last: dict[str, int] = {}

    def see(self, received: Received) -> Gap | bool | None:
        """None: the next message. A Gap: messages before it were missed. False: already seen or overtaken, drop it."""
        if received.incarnation < self.incarnation:
            return False
        self._follow(received.incarnation)
        last = self._last.get(received.topic)
        expected = 1 if last is None else last + 1
        if received.seq < expected:
            return False
        self._last[received.topic] = received.seq
        if received.seq == expected or (last is None and not self._from_first):
            return None
        return Gap(received.topic, received.incarnation, expected, received.seq - 1)

    def answered(self, incarnation: int) -> None:
        """The last message of every topic has been seen: topics that are new from now on begin at 1."""
        if incarnation >= self.incarnation:
            self._follow(incarnation)
            self._from_first = True

    def _follow(self, incarnation: int) -> None:
        if incarnation != self.incarnation:
            self._from_first = self.incarnation != 0
            self.incarnation = incarnation
            self._last.clear()
