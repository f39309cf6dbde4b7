"""The execution process falls back by itself: a pair trade that hangs, a venue that is gone, kill -9, others' alarms."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from execution_rig import DOMESTIC, OVERSEAS, Rig, text, until

from gateway.bus.sockets import CommandClient, Publisher
from gateway.journal.reader import read_run
from gateway.model.record import Decision
from gateway.model.rollout import STAGES, Rollout, RolloutStage, StageLimits, Tripwire
from gateway.model.trade import (
    Alarm,
    AlarmHeard,
    AlarmName,
    Announce,
    Command,
    CommandAnswered,
    Restarted,
    TimerFired,
    Verb,
)
from gateway.processes import start

S = 10**9


@pytest.fixture
def bus_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cmc-") as folder:
        yield Path(folder)


@pytest.fixture
def rig(tmp_path: Path, bus_dir: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, bus_dir)
    try:
        yield made
    finally:
        made.close()


def in_canary(bus_dir: Path, **wire: object) -> None:
    """A plan whose canary has this tripwire is in force, one stage up."""
    wires = {"canary": Tripwire(**wire)}  # type: ignore[arg-type]
    stages = tuple(RolloutStage(one, one, StageLimits(), wires.get(one, Tripwire())) for one in STAGES)
    plan = msgspec.json.encode(Rollout("desk", "d1", ("li",), stages)).decode()
    with CommandClient(bus_dir) as client:
        for verb, argument in ((Verb.ROLLOUT, plan), (Verb.STAGE, "canary " + "ab" * 32)):
            answer = client.ask(Command(f"p-{verb}", verb, "li", "test", argument), 5 * S)
            assert isinstance(answer, CommandAnswered)
            assert answer.done, answer.text


def hang(rig: Rig) -> None:
    """A pair trade of which one leg is filled; of the other nothing is heard."""
    order = rig.open()[DOMESTIC]
    same = [(tag, text(order, tag)) for tag in (11, 55, 54, 38, 44)]
    lots, px = text(order, 38), text(order, 44)
    rig.venues[DOMESTIC].send(
        "8", (37, "V1"), (17, "E1"), (150, "F"), (39, "2"), *same, (1, f"A-{DOMESTIC}"), (32, lots), (31, px),
        (151, "0"), (14, lots), (6, px), (75, "20260105"),
    )  # fmt: skip
    until(lambda: rig.reports() == ["E1"], "the fill is on record")


def fallen(rig: Rig) -> list[tuple[type, str]]:
    """Which event the stage fell at, and why, by the journal."""
    found: list[tuple[type, str]] = []
    for record in read_run(rig.run_dir, on_torn=lambda _torn: None):
        if isinstance(record, Decision):
            said = [one.what for one in record.actions if isinstance(one, Announce)]
            alarms = [one for one in said if isinstance(one, Alarm) and one.name is AlarmName.FELL_BACK]
            found += [(type(record.event), one.figures) for one in alarms]
    return found


def test_a_trade_that_hangs_falls_back_though_nothing_is_heard(rig: Rig, bus_dir: Path) -> None:
    """The venue of the other leg says nothing: execution's own timer brings the stage below."""
    in_canary(bus_dir, legged_ns=S // 2)
    hang(rig)
    until(lambda: fallen(rig), "the stage falls")
    ((event, why),) = fallen(rig)
    assert event is TimerFired
    assert why.startswith("canary to shadow: P1-1 was unbalanced for ")


def test_a_trade_that_hangs_falls_back_though_the_sessions_are_gone(rig: Rig, bus_dir: Path) -> None:
    """Both lines are cut while it hangs."""
    in_canary(bus_dir, legged_ns=S)
    hang(rig)
    for name in (DOMESTIC, OVERSEAS):
        rig.venues[name].close()
    until(lambda: fallen(rig), "the stage falls")
    assert [event for event, _ in fallen(rig)] == [TimerFired]


def test_a_kill_does_not_begin_the_time_anew(rig: Rig, bus_dir: Path) -> None:
    """Killed by -9 while it hangs: back in time it waits for what is left, else the return itself tells of the breach."""
    in_canary(bus_dir, legged_ns=2 * S)
    hang(rig)
    assert fallen(rig) == []
    rig.kill()
    rig.start(died=True)
    until(lambda: fallen(rig), "the stage falls")
    ((event, why),) = fallen(rig)
    assert event in {TimerFired, Restarted}
    assert int(why.removeprefix("canary to shadow: P1-1 was unbalanced for ").partition(" ")[0]) > 2 * S


def test_what_was_over_while_it_was_away_falls_with_the_return(rig: Rig, bus_dir: Path) -> None:
    """Nothing is sent in between: the first event of the new incarnation brings the stage below."""
    in_canary(bus_dir, legged_ns=S)
    hang(rig)
    rig.kill()
    due = time.monotonic() + 1.0
    until(lambda: time.monotonic() > due, "the time is over")
    rig.start(died=True)
    until(lambda: fallen(rig), "the stage falls")
    assert [event for event, _ in fallen(rig)] == [Restarted]


def test_another_process_s_alarm_falls_back(rig: Rig, bus_dir: Path) -> None:
    """The feed tells of the host's clock; what the stage does not list is not even recorded."""
    in_canary(bus_dir, alarms=(AlarmName.CLOCK,))
    feed = Publisher(bus_dir, "feed", 1)
    try:

        def told() -> bool:
            feed.publish(Alarm(AlarmName.BAD_MESSAGE, "SHFE", "not listed"))
            feed.publish(Alarm(AlarmName.CLOCK, "host", "not disciplined"))
            return bool(fallen(rig))

        until(told, "the stage falls")
    finally:
        feed.close()
    ((event, why),) = fallen(rig)
    assert (event, why) == (AlarmHeard, "canary to shadow: alarm clock of host, told by feed: not disciplined")
    heard = [one.event for one in read_run(rig.run_dir, on_torn=lambda _torn: None) if isinstance(one, Decision)]
    assert {one.name for one in heard if isinstance(one, AlarmHeard)} == {AlarmName.CLOCK}


def test_what_the_watch_raised_meanwhile_is_heard_with_the_return(rig: Rig, bus_dir: Path) -> None:
    """It held execution and said so in its own journal; several alarms of one hold cost one stage."""
    in_canary(bus_dir, alarms=(AlarmName.WATCH,))
    rig.armed()
    rig.kill()
    journal = start.open_journal("watch", 1, rig.site, rig.run_dir)
    for seq, figures in enumerate(("silent: 2 s", "pulled"), start=1):
        told = Announce(Alarm(AlarmName.WATCH, "execution", figures))
        journal.append(Decision(seq, time.monotonic_ns(), TimerFired("silent"), (told,)))
    journal.close()
    rig.start(died=True)
    until(lambda: fallen(rig), "the stage falls")
    assert fallen(rig) == [(AlarmHeard, "canary to shadow: alarm watch of execution, told by watch: silent: 2 s")]


def test_an_end_of_its_own_falls_back_as_a_failed_invariant(rig: Rig, bus_dir: Path) -> None:
    """Armed when it ended by itself: on its return the alarm `invariant` is raised; not when the machine was booted."""
    in_canary(bus_dir, alarms=(AlarmName.INVARIANT,))
    rig.armed()
    rig.kill()
    rig.start()
    assert fallen(rig) == []
    rig.armed()
    rig.kill()
    rig.start(failed=True)
    until(lambda: fallen(rig), "the stage falls")
    ((event, why),) = fallen(rig)
    assert event is AlarmHeard
    assert why.startswith("canary to shadow: alarm invariant of execution, told by execution: it came back after")
