"""Replays the trigger: every input of its journal goes into a fresh core, with the quotes that the record holds; each
evaluation's digest and each intent are compared (`gateway/trigger/refeed.py`).

An intent's id and the times of its hops are given, because they are inputs: everything else has to come out the same.
Each incarnation of the trigger begins with what it remembered, so it is replayed for itself.

What can go wrong: a quote that the record lacks. Then nothing is compared that depends on it, until the instrument's
next quote. It is counted and said, never guessed.
"""

from collections.abc import Sequence
from pathlib import Path

from gateway.journal.frame import CorruptJournalError, TornTail
from gateway.journal.told import told
from gateway.model.quote import Quote
from gateway.model.record import (
    ClockPair,
    Consumed,
    IntentMade,
    JournalOpened,
    QuotesTaken,
    TriggerInput,
    TriggerStarted,
)
from gateway.model.trade import Intent
from gateway.processes import machine
from gateway.processes.replay_compare import fields, text
from gateway.processes.replay_quotes import RecordedQuotes
from gateway.processes.replay_records import Place, placed_records
from gateway.processes.replay_result import PROGRESS_EVERY, Difference, OnProgress, Replayed
from gateway.trigger.refeed import Difference as Found
from gateway.trigger.refeed import Refeed

TRIGGER = "trigger"
EVALUATIONS, INTENTS, LACKING = "evaluations", "intents", "quotes not in the record"


class TriggerReplay:
    """One replay of a run's trigger journals."""

    def __init__(self, run_dir: Path, on_progress: OnProgress) -> None:
        self._run_dir = run_dir
        self._on_progress = on_progress
        self._quotes = RecordedQuotes(run_dir)
        self._refeed: Refeed | None = None
        self._names: list[str] = []
        self._cause: TriggerInput | None = None
        """The input before the intents."""
        self._at_ns = 0
        self._first_lacking = ""
        self._utc_minus_monotonic_ns = 0
        self._before = {EVALUATIONS: 0, INTENTS: 0, LACKING: 0}
        self.result = Replayed(TRIGGER, counts=dict(self._before))

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
                        self._count()
                        return self.result
        self._count()
        if self._first_lacking:
            self.result.note(
                told("{} quotes that the trigger took are not in the record (the first: {}): what depends on them was "
                     "not compared", self.result.counts[LACKING], self._first_lacking)
            )  # fmt: skip
        return self.result

    def _opened(self, opened: JournalOpened) -> None:
        self.result.incarnations.append(opened.incarnation)
        self._utc_minus_monotonic_ns = opened.utc_ns - opened.monotonic_ns
        self._count()
        self._refeed = None
        version = machine.version()
        if opened.version != version:
            self.result.note(
                told("recorded by version {}, replayed by {}: a difference may be a change of the program",
                     opened.version, version)
            )  # fmt: skip

    def _started(self, started: TriggerStarted) -> None:
        self._names = [one.instrument_id for one in started.instruments]
        self._count()
        self._refeed = Refeed(started, self._quote_of)

    def _count(self) -> None:
        """What was fed so far, of all incarnations."""
        fed = self._refeed
        if fed is not None:
            now = {EVALUATIONS: fed.evaluations, INTENTS: fed.intents, LACKING: fed.missing}
            self._before = {name: self._before[name] + count for name, count in now.items()}
            self._refeed = None
        self.result.counts.update(self._before)

    def _quote_of(self, name: str, incarnation: int, number: int) -> Quote | None:
        return self._quotes.find((name, incarnation, number), self._at_ns)

    def _take(self, place: Place, seq: int, given: TriggerInput) -> None:
        refeed = self._refeed
        if refeed is None:
            return
        if not isinstance(given, IntentMade):
            self._at_ns = given.at_ns
        compared = refeed.evaluations
        try:
            found = refeed.take(given)
        except CorruptJournalError:
            raise  # the record of the quotes is damaged: no matter of the code
        except Exception as error:  # noqa: BLE001 code that differs may fail in any way: it is shown, not hidden
            why = told("the code of now fails at it: {}: {}", type(error).__name__, error)
            self._differs(place, seq, given, Found("input", None, None), why)
            return
        if not isinstance(given, IntentMade):
            self._cause = given
        if found is not None:
            self._look(place, seq, given, found)
        elif isinstance(given, QuotesTaken) and (refeed.evaluations > compared or not given.looks):
            self.result.compared += 1
            if self.result.compared % PROGRESS_EVERY == 0:
                self._on_progress(self.result.compared)

    def _look(self, place: Place, seq: int, given: TriggerInput, found: Found) -> None:
        """A difference, or what keeps from comparing."""
        if found.what == "quote missing":
            assert isinstance(found.then, tuple)  # noqa: S101 which quote it is
            name, incarnation, number = found.then
            self._first_lacking = self._first_lacking or f"{name} {incarnation}/{number}"
        elif found.what == "inputs lost":
            self.result.note(
                told("{} inputs could not be written ({}): nothing is compared until the trigger starts again",
                     found.then, found.now)
            )  # fmt: skip
            self._count()
        elif found.then is None:
            why = told("an intent comes of the input before it now, and none was recorded")
            self._differs(place, seq, given, found, why)
        elif found.now is None:
            self._differs(place, seq, given, found, told("the intent does not come of its input any more"))
        else:
            self._differs(place, seq, given, found, "")

    def _differs(self, place: Place, seq: int, given: TriggerInput, found: Found, why: str) -> None:
        led = text(self._cause if isinstance(given, IntentMade) else given)
        if isinstance(given, QuotesTaken):
            led = f"{led}: {text(self._taken(given))}"
        at_ns = given.sent_ns if isinstance(given, IntentMade) else given.at_ns
        both = isinstance(found.then, Intent) and isinstance(found.now, Intent)
        self.result.difference = Difference(
            place,
            seq,
            at_ns,
            at_ns + self._utc_minus_monotonic_ns,
            led,
            _said(found.what, found.then),
            _said(found.what, found.now),
            tuple(fields(found.then, found.now, "intent")) if both else (),
            why,
        )

    def _taken(self, given: QuotesTaken) -> Sequence[Quote]:
        """The quotes behind the references of an input."""
        found = (self._quote_of(self._names[place], *number) for place, *number in given.quotes)
        return [one for one in found if one is not None]

    def _torn(self, torn: TornTail) -> None:
        self.result.note(
            told("{}: {} bytes at its end are no whole record (a kill cut it): left out", Path(torn.name).name,
                 torn.torn_bytes)
        )  # fmt: skip


def _said(what: str, made: object) -> str:
    """One version of what differs."""
    if made is None:
        return "nothing"
    if what == "evaluation" and isinstance(made, tuple):
        looks, digest = made
        return f"{looks} pairs, digest {digest}"
    return text(made)


def replay_trigger(run_dir: Path, on_progress: OnProgress) -> Replayed:
    """Compare every evaluation and intent of a run's trigger."""
    return TriggerReplay(run_dir, on_progress).run()
