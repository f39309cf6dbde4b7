"""What the watch decides, on made-up times: given heartbeats, kills and looks, exactly these actions."""

import pytest

from gateway.model.trade import Command, CommandAnswered, ExecutionStatus, Verb
from gateway.processes.watch_core import (
    TRANSITIONS,
    CountOrders,
    Forward,
    IllegalWatchInputError,
    LetGo,
    Limits,
    Reply,
    TakeOver,
    WatchCore,
    WatchInput,
    WatchState,
)

MS = 1_000_000
LIMITS = Limits(silence_ns=2000 * MS, restart_ns=30_000 * MS, answer_ns=500 * MS)
KILL = Command("K1", Verb.KILL_HOLD, "Li Lei", "wrong prices")


def beat(trades: int = 0, orders: int = 0) -> ExecutionStatus:
    return ExecutionStatus(1, True, False, False, "full", trades, orders, (), 0)


def looks(core: WatchCore, begin_ms: int, end_ms: int, *, runs: bool = True) -> list[object]:
    """Look every 50 ms from just after `begin_ms` to `end_ms`; everything that was decided."""
    found: list[object] = []
    for at_ms in range(begin_ms + 50, end_ms + 1, 50):
        found += core.on_look(at_ms * MS, runs=runs)
    return found


def watching(trades: int = 0, orders: int = 0) -> WatchCore:
    core = WatchCore(LIMITS, 0)
    core.on_beat(beat(trades, orders))
    return core


@pytest.mark.parametrize(("trades", "orders"), [(1, 0), (0, 1), (2, 3)])
def test_silence_while_something_is_open_takes_execution_over_at_the_limit(trades: int, orders: int) -> None:
    """Open trades or working orders, no heartbeat for 2 s: taken over at 2 s, not at 1.95 s, and once."""
    core = watching(trades, orders)
    assert looks(core, 0, 1950) == []
    figures = f"no heartbeat for {2000 * MS} ns with {trades} trades open, {orders} orders working"
    assert looks(core, 1950, 5000) == [TakeOver("heartbeat_stopped", figures)]
    assert core.state is WatchState.PULLING


def test_heartbeats_in_time_lead_to_nothing() -> None:
    """A heartbeat every 1.95 s is no silence."""
    core = watching(1, 1)
    for begin in range(0, 19_500, 1950):
        assert looks(core, begin, begin + 1950) == []
        core.on_beat(beat(1, 1))
    assert core.state is WatchState.WATCHING


def test_silence_with_nothing_open_asks_the_journal_once() -> None:
    """An order may have left just after the last heartbeat; the journal knows."""
    core = watching()
    assert looks(core, 0, 4000) == [CountOrders()]
    assert core.on_orders(0) == []
    assert looks(core, 4000, 9000) == []
    core.on_beat(beat())
    assert looks(core, 9000, 11_000) == [CountOrders()]
    figures = f"no heartbeat for {2000 * MS} ns with 2 orders open in the journal"
    assert core.on_orders(2) == [TakeOver("heartbeat_stopped", figures)]


def test_a_watch_that_never_heard_execution_asks_the_journal() -> None:
    """A watch that is started again while execution hangs has no heartbeat to go by."""
    core = WatchCore(LIMITS, 0)
    assert looks(core, 0, 2000) == [CountOrders()]


def test_a_process_that_died_gets_the_time_of_a_restart() -> None:
    """Gone for 29.95 s with orders open: the supervisor is at it; at 30 s nobody is."""
    core = watching(1, 1)
    assert looks(core, 0, 29_950, runs=False) == []
    assert [type(one) for one in looks(core, 29_950, 30_000, runs=False)] == [TakeOver]


def test_a_new_process_is_not_charged_with_the_time_that_it_took_to_start() -> None:
    """1.6 s to come back, then ready: its own 2 s begin."""
    core = watching(1, 1)
    assert looks(core, 0, 2600, runs=False) == []
    core.on_new_process()
    assert looks(core, 2600, 4550) == []
    assert [type(one) for one in looks(core, 4550, 4600)] == [TakeOver]


def test_the_watchs_own_pause_is_not_execution_s_silence() -> None:
    """Ten seconds between two looks count as a quarter of one."""
    core = watching(1, 1)
    assert core.on_look(10_000 * MS, runs=True) == []
    assert looks(core, 10_000, 11_700) == []
    assert [type(one) for one in looks(core, 11_700, 11_750)] == [TakeOver]


def test_a_kill_is_passed_on_and_its_answer_handed_back() -> None:
    """Execution that answers does the kill itself."""
    core = watching(1, 1)
    assert core.on_command(KILL, 0) == [Forward(KILL)]
    assert core.state is WatchState.ASKED
    answer = CommandAnswered("K1", done=True, text="kill_hold: 1 pair trades open")
    assert core.on_answer(answer) == [Reply("K1", done=True, text="execution: kill_hold: 1 pair trades open")]
    assert core.state is WatchState.WATCHING
    assert looks(core, 0, 1000) == []


@pytest.mark.parametrize("verb", [Verb.KILL_HOLD, Verb.KILL_BALANCE])
def test_a_kill_without_an_answer_is_carried_out_by_the_watch(verb: Verb) -> None:
    """Unanswered for 500 ms: taken over whatever the heartbeats say, and the person is told."""
    core = watching()
    kill = Command("K1", verb, "Li Lei", "wrong prices")
    core.on_command(kill, 0)
    core.on_beat(beat())
    assert looks(core, 0, 450) == []
    text = "execution did not answer: it is ended and its orders are pulled; nothing is repaired"
    figures = f"{verb.value} of Li Lei (wrong prices) had no answer in {500 * MS} ns"
    assert looks(core, 450, 500) == [TakeOver("kill_unanswered", figures), Reply("K1", done=True, text=text)]
    assert core.state is WatchState.PULLING


def test_a_kill_twice_is_answered_twice_and_done_once() -> None:
    """The same command id after the end of it: the same answer, nothing else."""
    core = watching()
    core.on_command(KILL, 0)
    (_, reply) = looks(core, 0, 500)
    assert core.on_command(KILL, 600 * MS) == [reply]
    assert core.on_command(Command("K2", Verb.KILL_HOLD, "Li Lei", "again"), 600 * MS) == [
        Reply("K2", done=True, text="pulling: execution was ended already")
    ]


def test_a_heartbeat_that_comes_back_changes_nothing() -> None:
    """After the lease was taken only a person leads back."""
    core = watching(1, 1)
    looks(core, 0, 2000)
    core.on_beat(beat(1, 1))
    assert core.state is WatchState.PULLING
    core.on_pulled()
    core.on_beat(beat(0, 0))
    assert core.state is WatchState.HELD
    assert looks(core, 2000, 9000) == []


@pytest.mark.parametrize("pulled", [True, False])
def test_a_named_person_lets_execution_return(pulled: bool) -> None:  # noqa: FBT001
    """With name and reason, whether or not everything was pulled; afterwards silence counts from the beginning."""
    core = watching(1, 1)
    looks(core, 0, 2000)
    if pulled:
        core.on_pulled()
    nobody = Command("A1", Verb.ARM, "", "")
    assert core.on_command(nobody, 0) == [Reply("A1", done=False, text="a command needs a name and a reason")]
    arm = Command("A2", Verb.ARM, "Han Mei", "venue asked, all flat")
    assert core.on_command(arm, 0) == [
        LetGo("Han Mei", "venue asked, all flat"),
        Reply("A2", done=True, text="execution may return"),
    ]
    assert core.state is WatchState.WATCHING
    assert looks(core, 2000, 3900) == []


def test_what_is_not_the_watchs_is_refused() -> None:
    """It opens, repairs and stages nothing; nothing is let go that is not held."""
    core = watching()
    said = core.on_command(Command("S1", Verb.STAGE, "Li Lei", "test", "full"), 0)
    assert said == [Reply("S1", done=False, text="the watch knows no stage: ask execution")]
    said = core.on_command(Command("A1", Verb.ARM, "Li Lei", "test"), 0)
    assert said == [Reply("A1", done=False, text="watching: nothing is held")]


def test_status_is_told_without_a_name() -> None:
    """`status` says state, incarnation and silence."""
    core = watching()
    core.on_look(100 * MS, runs=True)
    text = "watching; incarnation 1, silent for 100 ms"
    assert core.on_command(Command("S1", Verb.STATUS, "", ""), 0) == [Reply("S1", done=True, text=text)]


def test_every_state_has_a_row_and_only_a_pull_can_be_finished() -> None:
    """The table is whole; `pulled` while nothing is pulled is our own mistake and changes nothing."""
    assert {state: set(row) for state, row in TRANSITIONS.items()} == {
        WatchState.WATCHING: set(WatchInput) - {WatchInput.PULLED},
        WatchState.ASKED: set(WatchInput) - {WatchInput.PULLED},
        WatchState.PULLING: set(WatchInput),
        WatchState.HELD: set(WatchInput),
    }
    core = watching()
    with pytest.raises(IllegalWatchInputError, match="the watch is watching: pulled cannot happen"):
        core.on_pulled()
    assert core.state is WatchState.WATCHING
