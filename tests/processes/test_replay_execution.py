"""Replay of execution: the same where nothing changed, else the first place, its input, and both versions."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from backtest_sites import backtest, records_of, write_journal

from gateway.execution import dispatch
from gateway.execution.recovery import recover
from gateway.journal.reader import EXECUTION, journal_path
from gateway.model.order import ExecutionReport
from gateway.model.record import Decision, JournalOpened
from gateway.model.trade import Intent, Restarted, SendOrders
from gateway.processes.cli import FAILED, OK, WRONG_CALL, main
from gateway.processes.cores import execution_engine
from gateway.processes.kept_settings import encoded, keep_settings, kept_path, read_settings
from gateway.processes.replay_execution import replay_execution
from gateway.processes.replay_result import Replayed


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with some pair trades."""
    code, run = backtest(tmp_path_factory.mktemp("made"))
    assert code == OK
    return run


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy to damage."""
    copy = tmp_path / "run"
    shutil.copytree(made, copy)
    return copy


def journal(run: Path, incarnation: int = 1) -> Path:
    return journal_path(run, EXECUTION, incarnation)


def replayed(run: Path) -> Replayed:
    return replay_execution(run, lambda _: None)


def test_a_run_replays_to_the_same_bytes(made: Path) -> None:
    """Every decision of a run comes out as it was recorded, orders and all."""
    result = replayed(made)
    decisions = [one for one in records_of(journal(made)) if isinstance(one, Decision)]
    sent = [action for one in decisions for action in one.actions if isinstance(action, SendOrders)]
    assert (result.is_same, result.compared, result.incarnations, result.notes) == (True, len(decisions), [1], [])
    assert result.counts["orders"] == sum(len(one.orders) for one in sent) > 0
    assert result.counts["intents"] == sum(isinstance(one.event, Intent) for one in decisions) > 0


def test_an_event_that_was_changed_is_found_at_its_place(run: Path) -> None:
    """A report with another quantity is the first difference, although its checksum is right."""
    records = records_of(journal(run))
    place = next(
        place
        for place, one in enumerate(records)
        if isinstance(one, Decision) and isinstance(one.event, ExecutionReport) and one.event.last_qty_lots > 1
    )
    one = records[place]
    assert isinstance(one, Decision)
    event = msgspec.structs.replace(one.event, last_qty_lots=one.event.last_qty_lots - 1)
    records[place] = msgspec.structs.replace(one, event=event)
    write_journal(journal(run), records)
    found = replayed(run).difference
    assert found is not None
    assert (found.seq, found.at_ns, found.place.file) == (one.seq, one.at_ns, journal(run).name)
    assert found.led_to_it.startswith("ExecutionReport(")
    assert found.fields
    assert all(field.recorded != field.replayed for field in found.fields)


def test_an_action_that_was_changed_is_told_field_by_field(run: Path) -> None:
    """The path leads to the field that differs, with both values."""
    records = records_of(journal(run))
    place = next(
        place
        for place, one in enumerate(records)
        if isinstance(one, Decision) and any(isinstance(action, SendOrders) for action in one.actions)
    )
    one = records[place]
    assert isinstance(one, Decision)
    index = next(index for index, action in enumerate(one.actions) if isinstance(action, SendOrders))
    action = one.actions[index]
    assert isinstance(action, SendOrders)
    order = msgspec.structs.replace(action.orders[0], px_ticks=1)
    actions = list(one.actions)
    actions[index] = msgspec.structs.replace(action, orders=(order, *action.orders[1:]))
    records[place] = msgspec.structs.replace(one, actions=tuple(actions))
    write_journal(journal(run), records)
    found = replayed(run).difference
    assert found is not None
    assert found.seq == one.seq
    px_ticks = action.orders[0].px_ticks
    assert [tuple(field) for field in found.fields] == [(f"actions[{index}].orders[0].px_ticks", "1", str(px_ticks))]


def test_code_that_was_changed_shows_at_the_first_order(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders a tick off are found at the first of them, and all before it is counted as the same."""
    original = dispatch.first_orders

    def dearer(*arguments: object) -> list[object]:
        orders = original(*arguments)  # type: ignore[arg-type]
        return [msgspec.structs.replace(one, px_ticks=(one.px_ticks or 0) + 1) for one in orders]

    monkeypatch.setattr("gateway.execution.opening.first_orders", dearer)
    result = replayed(made)
    decisions = [one for one in records_of(journal(made)) if isinstance(one, Decision)]
    first = next(one for one in decisions if any(isinstance(action, SendOrders) for action in one.actions))
    assert result.difference is not None
    assert (result.difference.seq, result.compared) == (first.seq, first.seq - 1)
    assert result.difference.led_to_it.startswith("Intent(")


def test_code_that_fails_is_a_difference(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception of the code of now is told with the input that led to it."""

    def broken(*_: object) -> list[object]:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("gateway.execution.opening.first_orders", broken)
    found = replayed(made).difference
    assert found is not None
    assert "ZeroDivisionError: by nothing" in found.why


def test_a_record_that_is_missing_is_told(run: Path) -> None:
    """Decisions are numbered: a hole is no silent difference."""
    records = records_of(journal(run))
    del records[5]
    write_journal(journal(run), records)
    found = replayed(run).difference
    assert found is not None
    assert found.seq == 6
    assert "record 6 follows record 4" in found.why


def test_a_journal_that_a_kill_cut_is_the_same_up_to_there(run: Path) -> None:
    """Half a record at the end is left out, and said."""
    path = journal(run)
    path.write_bytes(path.read_bytes()[:-7])
    decisions = [one for one in records_of(path) if isinstance(one, Decision)]
    result = replayed(run)
    assert (result.is_same, result.compared) == (True, len(decisions))
    assert ["no whole record" in note for note in result.notes] == [True]


def second_life(run: Path, digest: str) -> Path:
    """A second incarnation of the run's execution, with the settings of this digest; its first decision."""
    records = records_of(journal(run))
    opened = records[0]
    assert isinstance(opened, JournalOpened)
    given, _ = read_settings(run, digest, 2)
    engine = execution_engine(given, 2)
    recovered = recover(engine, records)
    event = Restarted(2)
    at_ns = recovered.at_ns + 1
    decision = Decision(recovered.seq + 1, at_ns, event, tuple(engine.on_event(event, at_ns)))
    again = msgspec.structs.replace(opened, incarnation=2, site_digest=digest)
    write_journal(journal(run, 2), [again, decision])
    return journal(run, 2)


def test_several_incarnations_are_one_story(run: Path) -> None:
    """The second incarnation goes on from what the first had decided."""
    opened = records_of(journal(run))[0]
    assert isinstance(opened, JournalOpened)
    second_life(run, opened.site_digest)
    result = replayed(run)
    assert (result.is_same, result.incarnations) == (True, [1, 2])


def test_an_incarnation_with_another_site_is_replayed_with_its_own_settings(run: Path) -> None:
    """Settings are kept by digest: the stage that the second one began with is its own."""
    opened = records_of(journal(run))[0]
    assert isinstance(opened, JournalOpened)
    given, _ = read_settings(run, opened.site_digest, 1)
    kept_path(run, "other", 2).write_text(encoded(msgspec.structs.replace(given, id_prefix="Z")))
    second_life(run, "other")
    result = replayed(run)
    assert (result.is_same, result.incarnations) == (True, [1, 2])
    assert any("incarnation 2 decided by other settings" in note for note in result.notes)


def test_settings_are_kept_once_for_as_long_as_they_are_the_same(run: Path) -> None:
    """A second incarnation that decides by the same writes no file; by other settings of the same site it writes one."""
    opened = records_of(journal(run))[0]
    assert isinstance(opened, JournalOpened)
    digest = opened.site_digest
    given, _ = read_settings(run, digest, 1)
    keep_settings(run, digest, 2, given)
    assert [one.name for one in (run / "settings").iterdir()] == [kept_path(run, digest, 1).name]
    other = msgspec.structs.replace(given, id_prefix="Z")
    keep_settings(run, digest, 3, other)
    assert [read_settings(run, digest, one)[0] for one in (1, 2, 3, 9)] == [given, given, other, other]


def test_another_version_of_the_program_is_said(run: Path) -> None:
    """A difference may then be meant."""
    records = records_of(journal(run))
    records[0] = msgspec.structs.replace(records[0], version="0.0.1")
    write_journal(journal(run), records)
    assert any("recorded by version 0.0.1" in note for note in replayed(run).notes)


def test_exit_codes_and_json(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 the same, 1 different, 2 no run or a damaged one; --json is one document."""
    assert main(["replay", str(run), "--json"]) == OK
    document = json.loads(capsys.readouterr().out)
    assert document["same"]
    assert [one["difference"] for one in document["processes"]] == [None, None]
    records = records_of(journal(run))
    del records[5]
    write_journal(journal(run), records)
    assert main(["replay", str(run), "--json"]) == FAILED
    found = {one["process"]: one["difference"] for one in json.loads(capsys.readouterr().out)["processes"]}
    assert found["trigger"] is None
    assert found["execution"]["seq"] == 6
    assert main(["replay", str(run.parent / "nowhere")]) == WRONG_CALL
    assert "nowhere" in capsys.readouterr().err


def test_damage_in_the_middle_is_no_replay(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What lies behind damage cannot be trusted: a wrong call that names file and byte."""
    path = journal(run)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(bytes(damaged))
    assert main(["replay", str(run)]) == WRONG_CALL
    assert "byte" in capsys.readouterr().err


def test_a_run_that_kept_no_settings_is_read_from_its_site_file(run: Path) -> None:
    """The run's site.toml serves where nothing else is there; what it cannot know is said."""
    shutil.rmtree(run / "settings")
    result = replayed(run)
    assert result.is_same
    (run / "site.toml").write_text((run / "site.toml").read_text().replace('name = "demo"', 'name = "other"'))
    assert any("has changed since" in note for note in replayed(run).notes)
