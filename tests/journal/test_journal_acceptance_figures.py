"""The figures that acceptance alone judges: legged, over budget, capture, recovery; exact, on hand-made runs."""

import pytest
from fake_run import MS, START_NS, FakeRun, opened

from gateway.journal.fold import RunStory, fold
from gateway.journal.measure import (
    capture,
    legged,
    legged_times_ns,
    over_budget,
    quote_to_trigger_ns,
    recovery_times_ns,
)
from gateway.model.record import Decision, JournalOpened, JournalRecord
from gateway.model.trade import (
    Alarm,
    AlarmName,
    Announce,
    Command,
    CommandAnswered,
    IntentRefused,
    RefusalName,
    TimerFired,
    Verb,
)


def run_of(*kinds: str) -> RunStory:
    """The story of trades of these kinds."""
    run = FakeRun(5)
    for kind in kinds:
        run.trade(kind)
    return fold([opened(), *run.records])


def test_a_quote_is_with_the_trigger_when_it_was_taken_up() -> None:
    """From its arrival to `taken_ns`, whatever became of the intent."""
    story = run_of("hedged", "refused")
    assert [quote_to_trigger_ns(one) for one in story.intents] == [one.taken_ns - one.recv_ns for one in story.intents]
    assert len(story.intents) == 2


def test_legged_trades_are_counted_of_those_dispatched() -> None:
    """The halted one of four; a refused intent dispatches nothing. Each has its time."""
    story = run_of("hedged", "late", "unwound", "halted", "refused")
    assert legged(story) == (1, 4)
    assert legged_times_ns(story) == [trade.last.legged_ns for trade in story.trades.values() if trade.last]


def test_a_trade_is_over_budget_by_more_than_the_budget_of_its_units() -> None:
    """At the budget it is within it; a pair that has none is never over it."""
    story = run_of("late")
    (trade,) = story.trades.values()
    assert trade.last is not None
    lost, units = trade.last.slippage_e9, max(trade.last.hedged_units, 1)
    assert over_budget(story, {"CU-CA": lost // units}) == []
    assert over_budget(story, {"CU-CA": lost // units - 1}) == [trade]
    assert over_budget(story, {}) == []


def test_capture_leaves_out_what_nobody_wanted_traded() -> None:
    """Two of four intents were hedged; one that came while execution was disarmed is not asked for."""
    run = FakeRun(5)
    for kind in ("hedged", "unwound", "hedged", "refused"):
        run.trade(kind)
    refused = run.records[-1]
    assert isinstance(refused, Decision)
    assert capture(fold([opened(), *run.records])) == (2, 4)
    (action,) = refused.actions
    assert isinstance(action, Announce)
    assert isinstance(action.what, IntentRefused)
    what = action.what
    disarmed = IntentRefused(what.intent_id, what.pair_id, what.rule_id, RefusalName.DISARMED, "")
    run.records[-1] = Decision(refused.seq, refused.at_ns, refused.event, (Announce(disarmed),))
    assert capture(fold([opened(), *run.records])) == (2, 3)


def command(verb: Verb, at_ms: int, *, done: bool = True, name: str = "") -> Decision:
    name = name or f"{verb}-{at_ms}"
    answer = Announce(CommandAnswered(name, done=done, text=""))
    return Decision(1, START_NS + at_ms * MS, Command(name, verb, "Li Wei", "test"), (answer,))


def idle(at_ms: int) -> Decision:
    return Decision(1, START_NS + at_ms * MS, TimerFired("x"), ())


def life(boot: str, *records: JournalRecord) -> list[JournalRecord]:
    return [JournalOpened("execution", 1, "host", boot, START_NS, 0, "0.1.0", "d"), *records]


def test_recovery_is_from_the_last_record_to_armed_again() -> None:
    """A refused ARM does not count; the second death was never recovered from."""
    records = [
        *life("b", command(Verb.ARM, 0), idle(1000)),
        *life("b", command(Verb.ARM, 2000, done=False), command(Verb.ARM, 3500), idle(4000)),
        *life("b", idle(9000)),
    ]
    assert recovery_times_ns(fold(records)) == [2500 * MS, None]


def test_a_stop_is_no_death_and_another_boot_has_no_common_clock() -> None:
    """Neither is a start that nobody had armed before."""
    stopped = life("b", command(Verb.ARM, 0), command(Verb.STOP, 10))
    armed = life("b", command(Verb.ARM, 500))
    assert recovery_times_ns(fold([*stopped, *armed])) == []
    assert recovery_times_ns(fold([*life("a", command(Verb.ARM, 0)), *armed])) == []
    assert recovery_times_ns(fold([*life("b", idle(0)), *armed])) == []


def test_one_that_was_disarmed_was_not_armed_when_it_died() -> None:
    """By a command or by a limit of the installation: nobody waits for it to be armed again."""
    breach = Announce(Alarm(AlarmName.LIMIT_BREACHED, "daily_loss", ""))
    for end in (command(Verb.KILL_HOLD, 20), Decision(1, START_NS + 20 * MS, TimerFired("x"), (breach,))):
        records = [*life("b", command(Verb.ARM, 0), end), *life("b", idle(500))]
        assert recovery_times_ns(fold(records)) == []


SPANS = """
what came                                   | spans
arm 0, idle 50                              | 0-50
idle 0, arm 10, idle 50, disarm 60, idle 90 | 10-60
arm 0, kill_hold 5, idle 90, arm 100        | 0-5, 100-100
arm 0, kill_balance 5, idle 9               | 0-5
arm 0, stop 30, idle 40                     | 0-30
arm 0, arm 20, idle 40                      | 0-40
idle 40                                     |
"""


@pytest.mark.parametrize("row", SPANS.strip("\n").splitlines()[1:])
def test_time_counts_as_armed_until_a_command_ends_it(row: str) -> None:
    """In milliseconds; the last span ends with the last record."""
    what, spans = (cell.strip() for cell in row.split("|"))
    records = []
    for one in what.split(", "):
        verb, at_ms = one.split(" ")
        records.append(idle(int(at_ms)) if verb == "idle" else command(Verb(verb), int(at_ms)))
    (found,) = fold(life("b", *records)).lives
    wanted = [tuple(START_NS + int(ms) * MS for ms in span.split("-")) for span in spans.split(", ") if span]
    assert found.armed_spans == wanted


def test_a_command_that_comes_again_arms_nothing() -> None:
    """It is answered, not done: the same ARM after a DISARM leaves it disarmed."""
    records = [command(Verb.ARM, 0, name="a"), command(Verb.DISARM, 10, name="b"), command(Verb.ARM, 20, name="a")]
    (found,) = fold(life("b", *records, idle(90))).lives
    assert found.armed_spans == [(START_NS, START_NS + 10 * MS)]
