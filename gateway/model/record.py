"""What the journals hold. A record is an input and what was decided on it: replay feeds the one, compares the other."""

from gateway.model.base import Message
from gateway.model.quote import Quote
from gateway.model.trade import Action, ExecutionEvent, PairPrice


class JournalOpened(Message):
    """First record of every journal file: whose clock its times are on, and what wrote it."""

    process: str
    incarnation: int
    host: str
    boot_id: str
    monotonic_ns: int
    utc_ns: int
    version: str
    site_digest: str


class ClockPair(Message):
    """The monotonic clock beside UTC, once a minute."""

    monotonic_ns: int
    utc_ns: int


class Decision(Message):
    """One event that the execution engine took, when, and the actions that it gave."""

    seq: int
    at_ns: int
    event: ExecutionEvent
    actions: tuple[Action, ...]


class Observed(Message):
    """Something that the recorder read from the bus: topic's publisher, its sequence number, the message.

    `repaired` marks the first quote that shows a book after one that could not: nobody knows what the market did
    between the two.
    """

    at_ns: int
    incarnation: int
    seq: int
    what: Quote | PairPrice
    repaired: bool = False


class Missed(Message):
    """The recorder missed messages of a topic: from `first_seq` to `last_seq`, both included."""

    at_ns: int
    topic: str
    incarnation: int
    first_seq: int
    last_seq: int


JournalRecord = JournalOpened | ClockPair | Decision | Observed | Missed
