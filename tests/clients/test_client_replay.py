"""Replay of the door to clients: its journal through a fresh engine gives the same actions."""

from pathlib import Path

import msgspec
from client_desk import ClientDesk, order, settings

from gateway.journal.frame import FILE_HEADER, FrameEncoder
from gateway.journal.reader import journal_path
from gateway.model.record import ClientDecision, JournalOpened
from gateway.processes.kept_settings import keep_settings
from gateway.processes.replay_execution import CLIENTS, replay_clients
from gateway.processes.replay_result import Replayed


def decisions() -> list[ClientDecision]:
    """A life: an order that is taken, one too large, the first one again."""
    desk = ClientDesk()
    desk.do(order("a"))
    desk.do(order("b", qty=99), order("a"), after_ns=10)
    return [
        ClientDecision(seq, now.at_ns, now.utc_ns, event, tuple(actions))
        for seq, (event, now, actions) in enumerate(desk.history, 1)
    ]


def replayed(run: Path, records: list[ClientDecision]) -> Replayed:
    """What becomes of a run with this journal."""
    opened = JournalOpened(CLIENTS, 1, "h", "b", 0, 0, "v", "digest")
    path = journal_path(run, CLIENTS, 1)
    path.parent.mkdir(exist_ok=True)
    encoder = FrameEncoder()
    path.write_bytes(FILE_HEADER + b"".join(bytes(encoder.encode(one)) for one in (opened, *records)))
    return replay_clients(run, lambda _: None)


def test_every_answer_to_a_client_comes_out_the_same(tmp_path: Path) -> None:
    """Acceptances, refusals and commands of the door, all of them."""
    keep_settings(tmp_path, "digest", 1, settings(), CLIENTS)
    made = decisions()
    result = replayed(tmp_path, made)
    assert (result.is_same, result.compared) == (True, len(made))
    assert result.counts["actions"] == sum(len(one.actions) for one in made) > 2


def test_an_answer_that_was_changed_is_a_difference(tmp_path: Path) -> None:
    """At its own record, with the event that led to it."""
    keep_settings(tmp_path, "digest", 1, settings(), CLIENTS)
    made = decisions()
    made[-1] = msgspec.structs.replace(made[-1], actions=())
    found = replayed(tmp_path, made).difference
    assert found is not None
    assert (found.seq, found.recorded) == (len(made), "[]")
    assert found.led_to_it.startswith("OrderAsked(")


def test_without_settings_nothing_is_compared_and_it_says_so(tmp_path: Path) -> None:
    """A run of a version that kept none."""
    result = replayed(tmp_path, decisions())
    assert (result.is_same, result.compared) == (True, 0)
    assert any("kept no settings" in note for note in result.notes)
