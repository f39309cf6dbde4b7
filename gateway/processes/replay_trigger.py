"""Replays the trigger: every input of its journal goes into a fresh core, with the quotes that the record holds; each
evaluation's digest and each intent are compared.

An intent's id and the times of its hops are given, because they are inputs: everything else has to come out the same.
Each incarnation of the trigger begins with what it remembered, so it is replayed for itself.

What can go wrong: a quote that the record lacks. Then nothing is compared that depends on it, until the instrument's
next quote; an intent that was made meanwhile is taken as it was recorded. It is counted and said, never guessed.
"""

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from gateway.journal.frame import TornTail
from gateway.journal.told import told
from gateway.model.quote import Quote
from gateway.model.record import (
    ClockPair,
    Consumed,
    DayTold,
    Heard,
    HoursHeard,
    InputsLost,
    IntentMade,
    JournalOpened,
    QuotesTaken,
    RulesChanged,
    RuleTimes,
    SamplesLoaded,
    Ticked,
    TriggerInput,
    TriggerStarted,
)
from gateway.model.trade import Intent
from gateway.processes import machine
from gateway.processes.replay_compare import Field, fields, same, text
from gateway.processes.replay_quotes import RecordedQuotes
from gateway.processes.replay_records import Place, placed_records
from gateway.processes.replay_result import PROGRESS_EVERY, Difference, OnProgress, Replayed
from gateway.trigger.core import Hops, TriggerCore, Wish

TRIGGER = "trigger"
LACKING = "quotes not in the record"


class TriggerReplay:
    """One replay of a run's trigger journals."""

    def __init__(self, run_dir: Path, on_progress: OnProgress) -> None:
        self._run_dir = run_dir
        self._on_progress = on_progress
        self._quotes = RecordedQuotes(run_dir)
        self._core: TriggerCore | None = None
        self._names: list[str] = []
        self._unknown: set[str] = set()
        """Instruments whose newest quote the record lacks."""
        self._wishes: deque[Wish] = deque()
        self._cause: TriggerInput | None = None
        """The input before the intents."""
        self._first_lacking = ""
        self._utc_minus_monotonic_ns = 0
        self.result = Replayed(TRIGGER, counts={"evaluations": 0, "intents": 0, LACKING: 0})

    def run(self) -> Replayed:
        """All of it, or up to the first difference."""
        for one in placed_records(self._run_dir, TRIGGER, self._torn):
            record = one.record
            if isinstance(record, JournalOpened):
                self._opened(record)
            elif isinstance(record, ClockPair):
                self._utc_minus_monotonic_ns = record.utc_ns - record.monotonic_ns
            elif isinstance(record, TriggerStarted):
                self._started(record)
            elif isinstance(record, Consumed):
                for index, given in enumerate(record.inputs):
                    self._take(one.place, record.first_seq + index, given)
                    if self.result.difference is not None:
                        return self.result
        self._say_what_lacks()
        return self.result

    def _opened(self, opened: JournalOpened) -> None:
        self.result.incarnations.append(opened.incarnation)
        self._utc_minus_monotonic_ns = opened.utc_ns - opened.monotonic_ns
        self._core = None
        self._wishes.clear()
        version = machine.version()
        if opened.version != version:
            self.result.note(
                told("recorded by version {}, replayed by {}: a difference may be a change of the program",
                     opened.version, version)
            )  # fmt: skip

    def _started(self, started: TriggerStarted) -> None:
        self._names = [one.instrument_id for one in started.instruments]
        self._core = TriggerCore(
            started.pairs,
            started.rules,
            {one.instrument_id: one for one in started.instruments},
            silence_ns=started.silence_ns,
            memories=started.memories,
        )
        self._unknown.clear()
        self._wishes.clear()

    def _take(self, place: Place, seq: int, given: TriggerInput) -> None:
        if isinstance(given, InputsLost):
            self.result.note(
                told("{} inputs could not be written ({}): nothing is compared until the trigger starts again",
                     given.inputs, given.why)
            )  # fmt: skip
            self._core = None
        if self._core is None:
            return
        try:
            if isinstance(given, IntentMade):
                self._intent(self._core, place, seq, given)
                return
            if self._wishes and not self._unknown:
                why = told("an intent comes of the input before it now, and none was recorded")
                self._differs(place, seq, given, "nothing", text(self._wishes[0]), why=why)
                return
            self._wishes.clear()
            self._cause = given
            self._wishes.extend(self._fed(self._core, place, seq, given))
        except Exception as error:  # noqa: BLE001 code that differs may fail in any way: it is shown, not hidden
            why = told("the code of now fails at it: {}: {}", type(error).__name__, error)
            self._differs(place, seq, given, "", "", why=why)

    def _fed(self, core: TriggerCore, place: Place, seq: int, given: TriggerInput) -> Sequence[Wish]:
        """Give the core one input; what its rules ask for."""
        match given:
            case QuotesTaken():
                return self._evaluated(core, place, seq, given)
            case Heard():
                core.on_execution(given.what, given.at_ns)
            case HoursHeard():
                what = given.what
                core.on_hours(what.instrument_id, is_open=what.open, trading_day=what.trading_day)
            case RuleTimes():
                core.on_rule_times(given)
            case DayTold():
                core.on_day(given.day)
            case SamplesLoaded():
                core.on_samples(given)
            case Ticked():
                core.on_tick(given.at_ns)
            case RulesChanged() if given.answer.done:
                return core.change(given.command, given.at_ns)
        return ()

    def _evaluated(self, core: TriggerCore, place: Place, seq: int, given: QuotesTaken) -> Sequence[Wish]:
        quotes, is_whole = self._found(given)
        wishes = core.on_quotes(quotes, given.at_ns)
        if not is_whole or self._unknown:
            return wishes
        looks, digest = core.evaluated()
        if (looks, digest) != (given.looks, given.digest):
            recorded, replayed = (
                f"{one} pairs, digest {two}" for one, two in ((given.looks, given.digest), (looks, digest))
            )
            self._differs(place, seq, given, recorded, replayed, inputs=quotes)
            return ()
        result = self.result
        result.compared += 1
        result.counts["evaluations"] += looks
        if result.compared % PROGRESS_EVERY == 0:
            self._on_progress(result.compared)
        return wishes

    def _found(self, given: QuotesTaken) -> tuple[list[Quote], bool]:
        quotes = []
        for index, incarnation, number in given.quotes:
            name = self._names[index]
            quote = self._quotes.find((name, incarnation, number), given.at_ns)
            if quote is None:
                self._unknown.add(name)
                self.result.counts[LACKING] += 1
                self._first_lacking = self._first_lacking or f"{name} {incarnation}/{number}"
            else:
                self._unknown.discard(name)
                quotes.append(quote)
        return quotes, len(quotes) == len(given.quotes)

    def _intent(self, core: TriggerCore, place: Place, seq: int, given: IntentMade) -> None:
        recorded = given.intent
        if not self._wishes or self._wishes[0].rule.spec.rule_id != recorded.rule_id:
            if self._unknown:
                self._follow(core, recorded)
                return
            came = text(self._wishes[0]) if self._wishes else "nothing"
            why = told("the intent does not come of its input any more")
            self._differs(place, seq, given, text(recorded), came, why=why)
            return
        hops = Hops(recorded.taken_ns, recorded.evaluated_ns, recorded.decided_ns)
        made = self._wishes.popleft().intent(recorded.intent_id, hops)
        if not same((recorded,), (made,)) and not self._unknown:
            found = fields(recorded, made, "intent")
            self._differs(place, seq, given, text(recorded), text(made), found=found)
            return
        self.result.counts["intents"] += 1
        if not given.sent:
            core.on_unsent(made, given.sent_ns)

    def _follow(self, core: TriggerCore, intent: Intent) -> None:
        """Have the rule fire as it did: the quotes that would show why are not in the record."""
        rule = core.rules.machines.get(intent.rule_id)
        if rule is not None:
            newest_ns = max(leg.recv_ns for leg in intent.legs)
            rule.fired(intent.intent_id, intent.expires_ns, intent.side, intent.units, newest_ns)

    def _differs(  # noqa: D417 the rest is shown as it is
        self, place: Place, seq: int, given: TriggerInput, recorded: str, replayed: str, *, why: str = "",
        found: Sequence[Field] = (), inputs: Sequence[Quote] = (),
    ) -> None:  # fmt: skip
        """The first difference.

        Args:
            inputs: the quotes behind the references of the input, where it was one.
        """
        led = text(self._cause if isinstance(given, IntentMade) else given)
        at_ns = given.sent_ns if isinstance(given, IntentMade) else given.at_ns
        shown = f"{led}: {text(list(inputs))}" if inputs else led
        self.result.difference = Difference(
            place, seq, at_ns, at_ns + self._utc_minus_monotonic_ns, shown, recorded, replayed, tuple(found), why
        )  # fmt: skip

    def _say_what_lacks(self) -> None:
        count = self.result.counts[LACKING]
        if count:
            self.result.note(
                told("{} quotes that the trigger took are not in the record (the first: {}): what depends on them was "
                     "not compared", count, self._first_lacking)
            )  # fmt: skip

    def _torn(self, torn: TornTail) -> None:
        self.result.note(
            told("{}: {} bytes at its end are no whole record (a kill cut it): left out", Path(torn.name).name,
                 torn.torn_bytes)
        )  # fmt: skip


def replay_trigger(run_dir: Path, on_progress: OnProgress) -> Replayed:
    """Compare every evaluation and intent of a run's trigger."""
    return TriggerReplay(run_dir, on_progress).run()
