"""What the journals hold. A record is an input and what was decided on it: replay feeds the one, compares the other."""

from gateway.model.base import Message
from gateway.model.client import ClientAction, ClientEvent
from gateway.model.clock import ClockStatus, HostClock
from gateway.model.instrument import Instrument
from gateway.model.quote import Quote
from gateway.model.rules import ChangeRules, RuleMemory, RuleStanding
from gateway.model.site import PairSpec, RuleSpec
from gateway.model.trade import (
    Action,
    Alarm,
    CommandAnswered,
    ExecutionEvent,
    ExecutionStatus,
    HoursChanged,
    Intent,
    IntentRefused,
    PairPosition,
    PairPrice,
    PairTradeChanged,
)


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
    build: str = ""
    """Which build wrote it (gateway/processes/build_id.py); empty in journals of before."""


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


class ClientDecision(Message):
    """One event that concerns clients, when it came, on both clocks, and what was done about it."""

    seq: int
    at_ns: int
    utc_ns: int
    event: ClientEvent
    actions: tuple[ClientAction, ...]


class Observed(Message):
    """Something that the recorder read from the bus: topic's publisher, its sequence number, the message.

    `repaired` marks the first quote that shows a book after one that could not: nobody knows what the market did
    between the two. `filled` marks a quote that came too late for anybody to act on: it was made of messages that the
    venue sent again, or that were kept during a gap, and was told to the record alone.
    """

    at_ns: int
    incarnation: int
    seq: int
    what: Quote | PairPrice | ClockStatus | HostClock | Alarm
    repaired: bool = False
    filled: bool = False


class Missed(Message):
    """The recorder missed messages of a topic: from `first_seq` to `last_seq`, both included."""

    at_ns: int
    topic: str
    incarnation: int
    first_seq: int
    last_seq: int


# What the trigger's journal holds: see docs/JOURNAL.md, "The trigger's journals". Short tags, for there are many.


class QuotesTaken(Message, tag="Q"):
    """Quotes that were taken up together, in this order, and what their evaluation came to.

    A quote is (place of its instrument in TriggerStarted.instruments, the feed's incarnation, its topic's number).
    """

    at_ns: int
    quotes: tuple[tuple[int, int, int], ...]
    looks: int
    """Pairs that were evaluated."""
    digest: int
    """Of their prices: `gateway.trigger.digest`."""


class Heard(Message, tag="H"):
    """Something that execution announced."""

    at_ns: int
    what: PairTradeChanged | IntentRefused | PairPosition | ExecutionStatus


class HoursHeard(Message, tag="O"):
    """An instrument opened or shut, or began a trading day."""

    at_ns: int
    what: HoursChanged


class RuleTimes(Message, tag="W"):
    """The time of one rule on the monotonic clock: whether it is inside a window, until when that holds (0: for ever),
    and when its life ends (0: never).
    """

    at_ns: int
    rule_id: str
    open: bool
    until_ns: int
    expires_ns: int


class DayTold(Message, tag="D"):
    """The date, YYYYMMDD, that fees count by where an instrument has no trading day of its own."""

    at_ns: int
    day: str


class SamplesLoaded(Message, tag="S"):
    """Prices of a pair that a moving band warms up with, oldest first: (at_ns, middle of both prices in 1e-9)."""

    at_ns: int
    pair_id: str
    interval_ns: int
    samples: tuple[tuple[int, int], ...]


class Ticked(Message, tag="T"):
    """A moment at which samples were due or rules ended."""

    at_ns: int


class RulesChanged(Message, tag="C"):
    """A command that was carried out or refused, with its answer; a refused one changed nothing."""

    at_ns: int
    command: ChangeRules
    answer: CommandAnswered


class IntentMade(Message, tag="I"):
    """An intent that came of the input before it, and whether it could be handed over at `sent_ns`."""

    intent: Intent
    sent: bool
    sent_ns: int


class InputsLost(Message, tag="L"):
    """Inputs before this one could not be written: replay begins anew at the next TriggerStarted."""

    at_ns: int
    inputs: int
    why: str


TriggerInput = (
    QuotesTaken
    | Heard
    | HoursHeard
    | RuleTimes
    | DayTold
    | SamplesLoaded
    | Ticked
    | RulesChanged
    | IntentMade
    | InputsLost
)


class TriggerStarted(Message):
    """What a trigger's core was made of. The second record of each of its journals."""

    at_ns: int
    silence_ns: int
    instruments: tuple[Instrument, ...]
    pairs: tuple[PairSpec, ...]
    rules: tuple[RuleSpec, ...]
    memories: tuple[RuleMemory, ...]


class Consumed(Message):
    """Inputs in the order in which the trigger took them, and the intents between them. `seq` counts inputs, from 1."""

    first_seq: int
    inputs: tuple[TriggerInput, ...]


class RulesBase(Message):
    """Rules and pairs as the site file had them, and commands that were answered of late: in the journal of rules."""

    site_digest: str
    rules: tuple[RuleSpec, ...]
    pairs: tuple[PairSpec, ...]
    removed: tuple[str, ...]
    """Ids of rules of the file that a command took away."""
    answers: tuple[CommandAnswered, ...]


JournalRecord = (
    JournalOpened
    | ClockPair
    | Decision
    | Observed
    | Missed
    | ClientDecision
    | TriggerStarted
    | Consumed
    | RulesBase
    | RulesChanged
    | RuleStanding
    | RuleMemory
)
