"""Replay of the trigger: every evaluation and intent, with the quotes of the record; what the record lacks is said."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from backtest_sites import backtest, records_of, write_journal

from gateway.journal.reader import journal_path
from gateway.journal.record_files import segment_path
from gateway.model.quote import Quote
from gateway.model.record import (
    Consumed,
    IntentMade,
    JournalRecord,
    Observed,
    QuotesTaken,
    TriggerInput,
    TriggerStarted,
)
from gateway.processes.cli import FAILED, OK, WRONG_CALL, main
from gateway.processes.replay_result import Replayed
from gateway.processes.replay_trigger import LACKING, TRIGGER, replay_trigger
from gateway.trigger.standing import StandingLeg


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with some intents."""
    code, run = backtest(tmp_path_factory.mktemp("made"))
    assert code == OK
    return run


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy to change."""
    copy = tmp_path / "run"
    shutil.copytree(made, copy)
    return copy


def journal(run: Path) -> Path:
    return journal_path(run, TRIGGER, 1)


def replayed(run: Path) -> Replayed:
    return replay_trigger(run, lambda _: None)


def inputs(run: Path) -> list[TriggerInput]:
    return [one for record in records_of(journal(run)) if isinstance(record, Consumed) for one in record.inputs]


def change(run: Path, make: Callable[[int, TriggerInput], list[TriggerInput]]) -> None:
    """Write the journal anew with `make` of each input in its place, numbered from 1."""
    head: list[JournalRecord] = [one for one in records_of(journal(run)) if not isinstance(one, Consumed)]
    changed = [two for seq, one in enumerate(inputs(run), 1) for two in make(seq, one)]
    write_journal(journal(run), [*head, Consumed(1, tuple(changed))])


def first(run: Path, kind: type) -> int:
    return next(seq for seq, one in enumerate(inputs(run), 1) if isinstance(one, kind))


def test_every_evaluation_and_intent_comes_out_the_same(made: Path) -> None:
    """As many evaluations and intents as the journal holds, none different, no quote missing."""
    result = replayed(made)
    taken = [one for one in inputs(made) if isinstance(one, QuotesTaken)]
    intents = [one for one in inputs(made) if isinstance(one, IntentMade)]
    assert (result.is_same, result.compared, result.notes) == (True, len(taken), [])
    assert result.counts == {
        "evaluations": sum(one.looks for one in taken),
        "intents": len(intents),
        LACKING: 0,
    }
    assert intents


def test_a_price_that_was_changed_in_the_record_is_found(run: Path) -> None:
    """A quote one tick dearer is the first difference, with the quote itself beside the evaluation."""
    path = segment_path(run, 1, 1)
    records = records_of(path)
    place = next(
        place
        for place, one in enumerate(records)
        if place > 500 and isinstance(one, Observed) and isinstance(one.what, Quote) and one.what.asks
    )
    one = records[place]
    assert isinstance(one, Observed)
    assert isinstance(one.what, Quote)
    dearer = msgspec.structs.replace(one.what, asks=tuple((px + 1, qty) for px, qty in one.what.asks))
    records[place] = msgspec.structs.replace(one, what=dearer)
    write_journal(path, records)
    found = replayed(run).difference
    assert found is not None
    assert "digest" in found.recorded
    assert found.recorded != found.replayed
    assert f"Quote(instrument_id='{dearer.instrument_id}'" in found.led_to_it
    assert found.at_ns == dearer.recv_ns


def test_code_that_prices_otherwise_is_found_at_the_first_evaluation(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leg that is priced a little dearer shows in the first digest that has a price."""
    original = StandingLeg.reprice

    def dearer(self: StandingLeg) -> None:
        original(self)
        self.ask = None if self.ask is None else self.ask + 1

    monkeypatch.setattr(StandingLeg, "reprice", dearer)
    result = replayed(made)
    assert result.difference is not None
    assert result.counts["intents"] == 0


def test_an_intent_that_was_changed_is_told_field_by_field(run: Path) -> None:
    """Units of an intent are not given but made: another figure is the difference, by its path."""
    at = first(run, IntentMade)

    def doubled(seq: int, one: TriggerInput) -> list[TriggerInput]:
        if seq != at or not isinstance(one, IntentMade):
            return [one]
        return [msgspec.structs.replace(one, intent=msgspec.structs.replace(one.intent, units=2))]

    change(run, doubled)
    found = replayed(run).difference
    assert found is not None
    assert found.seq == at
    assert [tuple(one) for one in found.fields] == [("intent.units", "2", "1")]
    assert found.led_to_it.startswith("QuotesTaken(")


def test_an_intent_that_comes_no_more_and_one_that_was_not_recorded_are_differences(run: Path, made: Path) -> None:
    """Both are told where they happen."""
    at = first(run, IntentMade)
    change(run, lambda seq, one: [] if seq == at else [one])
    found = replayed(run).difference
    assert found is not None
    assert "none was recorded" in found.why
    shutil.copyfile(journal(made), journal(run))
    change(run, lambda seq, one: [one, one] if seq == at else [one])
    found = replayed(run).difference
    assert found is not None
    assert "does not come of its input" in found.why


def test_a_quote_that_the_record_lacks_is_said_and_nothing_that_needs_it_is_compared(run: Path) -> None:
    """The recorder was not up yet: the first quotes are counted, and from each instrument's next one on all compares."""
    path = segment_path(run, 1, 1)
    records = records_of(path)
    quotes = [one for one in records if isinstance(one, Observed) and isinstance(one.what, Quote)]
    lost = {id(one) for one in quotes[10:25]}
    started = next(one for one in records_of(journal(run)) if isinstance(one, TriggerStarted))
    names = [one.instrument_id for one in started.instruments]
    keys = {(one.what.instrument_id, one.seq) for one in quotes[10:25] if isinstance(one.what, Quote)}
    taken = [ref for one in inputs(run) if isinstance(one, QuotesTaken) for ref in one.quotes]
    write_journal(path, [one for one in records if id(one) not in lost])
    result = replayed(run)
    assert result.is_same
    assert result.counts[LACKING] == sum((names[place], number) in keys for place, _, number in taken) > 0
    assert 0 < result.compared < len([one for one in inputs(run) if isinstance(one, QuotesTaken)])
    assert any("are not in the record" in note for note in result.notes)


def test_an_intent_on_a_quote_that_the_record_lacks_is_taken_as_it_was(run: Path) -> None:
    """What came of it is not judged, and what follows is replayed as it happened."""
    at = first(run, IntentMade)
    cause = inputs(run)[at - 2]
    assert isinstance(cause, QuotesTaken)
    place, incarnation, number = cause.quotes[0]
    path = segment_path(run, 1, 1)
    intent = inputs(run)[at - 1]
    assert isinstance(intent, IntentMade)
    name = intent.intent.cause_instrument_id

    def is_it(one: JournalRecord) -> bool:
        return (
            isinstance(one, Observed)
            and isinstance(one.what, Quote)
            and (one.what.instrument_id, one.incarnation, one.seq) == (name, incarnation, number)
        )

    assert place >= 0
    write_journal(path, [one for one in records_of(path) if not is_it(one)])
    result = replayed(run)
    assert result.is_same
    assert result.counts[LACKING] == 1
    assert result.counts["intents"] > 0


def test_a_run_without_the_triggers_journal_says_so(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Execution is compared all the same."""
    journal(run).unlink()
    assert main(["replay", str(run)]) == OK
    said = capsys.readouterr().out
    assert "trigger: the run holds no journal of it" in said
    assert "execution: the same" in said


def test_a_difference_of_either_process_fails(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and the document names the process."""
    at = first(run, IntentMade)
    change(run, lambda seq, one: [] if seq == at else [one])
    assert main(["replay", str(run), "--json"]) == FAILED
    found = {one["process"]: one["same"] for one in json.loads(capsys.readouterr().out)["processes"]}
    assert found == {"trigger": False, "execution": True}


def test_damage_in_the_record_of_quotes_is_told_as_damage(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A changed byte in its middle: exit code 2 with file and byte, no difference of the code."""
    path = segment_path(run, 1, 1)
    held = bytearray(path.read_bytes())
    held[len(held) // 3] ^= 4
    path.write_bytes(held)
    assert main(["replay", str(run)]) == WRONG_CALL
    told = capsys.readouterr()
    assert f"{path.name}: byte " in told.err
    assert "the code of now fails" not in told.out + told.err
