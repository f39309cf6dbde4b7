"""Fall-backs that nothing has to be heard for: a pair trade that hangs, alarms of other processes, a machine booted anew."""

from __future__ import annotations

import msgspec
import pytest
from desk import MS, Desk, S, intent, settings
from test_rollout import begun, fell

from gateway.model.order import ExecType
from gateway.model.rollout import Tripwire
from gateway.model.site import DispatchMode
from gateway.model.trade import AlarmHeard, AlarmName, OrderSent, OrdersSent, Restarted, SetTimer, TimerFired

LEGGED = Tripwire(legged_ns=2 * S)
KEY = "tripwire:P1-1"


def timers(desk: Desk) -> dict[str, int]:
    """When the last actions want to be woken, from now, by key."""
    return {one.key: one.at_ns - desk.at_ns for one in desk.actions if isinstance(one, SetTimer)}


def hanging(tripwire: Tripwire = LEGGED, **opened: object) -> Desk:
    """A desk in canary, whose pair trade has one leg filled and hears no more of the other."""
    desk = begun(tripwire=tripwire)
    first, _ = desk.open(**opened)
    desk.fill(first)
    return desk


def stage(desk: Desk) -> str:
    return desk.engine.status(desk.at_ns).step


def test_a_hanging_trade_falls_back_when_its_time_is_over_though_nothing_is_heard() -> None:
    """The timer stands at the stage's bound and 1 ns, and its firing alone brings the stage below."""
    desk = hanging()
    assert timers(desk)[KEY] == 2 * S + 1
    desk.timer(KEY, 2 * S + 1)
    assert fell(desk) == f"canary to shadow: P1-1 was unbalanced for {2 * S + 1} ns, at most {2 * S}"
    assert stage(desk) == "shadow"


def test_the_time_that_was_unbalanced_before_counts() -> None:
    """A trade that was unbalanced, balanced and is so again has only what is left of its time."""
    desk = begun(tripwire=LEGGED)
    first, second = desk.open()
    desk.fill(first)
    desk.at_ns += 1500 * MS
    fill = desk.report(second, ExecType.TRADE, second.qty_lots)
    desk.do(fill)
    assert fell(desk) == ""
    desk.at_ns += S
    desk.do(desk.report(second, ExecType.TRADE_CANCEL, second.qty_lots, 0, ref_exec_key=fill.exec_key))
    assert timers(desk)[KEY] == 500 * MS + 1


def test_a_trade_that_was_balanced_in_time_breaks_nothing() -> None:
    """The timer of a trade that is whole again finds nothing."""
    desk = begun(tripwire=LEGGED)
    first, second = desk.open()
    desk.fill(first)
    desk.at_ns += S
    desk.fill(second)
    desk.timer(KEY, S + 1)
    assert (fell(desk), stage(desk)) == ("", "canary")


def test_without_a_bound_no_timer_is_set() -> None:
    """A stage that does not watch legged time has no timer for it."""
    assert KEY not in timers(hanging(Tripwire(most_rejected=1)))


def test_a_trade_of_the_stage_before_is_not_held_against_this_one() -> None:
    """One fall-back for one hanging trade: it does not go on down stage by stage."""
    desk = begun(at="full")
    standing = desk.engine.ledger.rollout
    assert standing is not None
    stages = tuple(msgspec.structs.replace(one, tripwire=LEGGED) for one in standing.plan.stages)
    standing.plan = msgspec.structs.replace(standing.plan, stages=stages)
    orders = desk.open()
    desk.fill(orders[0])
    (key,) = [one for one in timers(desk) if one.startswith("tripwire:")]
    desk.timer(key, 2 * S + 1)
    assert stage(desk) == "limited-50"
    desk.timer(key, 5 * S)
    assert (fell(desk), stage(desk)) == ("", "limited-50")


def test_after_a_restart_the_rest_of_the_time_is_left() -> None:
    """Killed half a second into it: the timer of the new incarnation is set for what is left."""
    desk = hanging()
    desk.do(Restarted(2), after_ns=500 * MS)
    assert timers(desk)[KEY] == 1500 * MS + 1
    desk.timer(KEY, 1500 * MS + 1)
    assert fell(desk).startswith("canary to shadow: P1-1 was unbalanced")


def test_after_a_restart_that_took_too_long_it_falls_back_at_once() -> None:
    """Down for longer than the bound: the return itself tells of it."""
    desk = hanging()
    desk.do(Restarted(2), after_ns=10 * S)
    assert fell(desk) == f"canary to shadow: P1-1 was unbalanced for {10 * S} ns, at most {2 * S}"


def test_a_clock_that_began_anew_blinds_nothing() -> None:
    """After a boot the clock stands before everything: the stage and what hangs count from the return on."""
    desk = hanging()
    desk.at_ns = 5 * MS
    desk.do(Restarted(2))
    assert timers(desk)[KEY] == 2 * S + 1
    desk.timer(KEY, 2 * S + 1)
    assert stage(desk) == "shadow"


def test_restarts_are_counted_over_a_boot() -> None:
    """A boot does not forgive the restarts of before."""
    desk = begun(tripwire=Tripwire(most_restarts=1))
    desk.do(Restarted(2))
    desk.at_ns = 5 * MS
    desk.do(Restarted(3))
    assert fell(desk) == "canary to shadow: 2 restarts of execution, at most 1"


def test_a_hedge_that_waited_for_its_lead_is_not_late() -> None:
    """Latency is that of the first dispatch: the time until the lead is filled is the venue's."""
    desk = Desk(settings(dispatch=DispatchMode.LEAD_THEN_HEDGE, max_open_trades=99, max_units=99))
    late = begun(tripwire=Tripwire(most_late=0, latency_ns=50 * MS))
    desk.engine.ledger.rollout = late.engine.ledger.rollout
    desk.at_ns += S
    desk.do(intent(1, desk.at_ns))
    (lead,) = desk.orders()
    desk.do(OrdersSent(desk.at_ns, (OrderSent(lead.cl_ord_id, desk.at_ns + MS, 7),)))
    desk.at_ns += 300 * MS
    desk.fill(lead)
    (hedge,) = desk.orders()
    desk.do(OrdersSent(desk.at_ns, (OrderSent(hedge.cl_ord_id, desk.at_ns + MS, 8),)))
    assert fell(desk) == ""


HEARD = AlarmHeard("feed", AlarmName.CLOCK, "host", "not disciplined")


def test_an_alarm_of_another_process_falls_back() -> None:
    """What the plan lists counts wherever it was raised."""
    desk = begun(tripwire=Tripwire(alarms=(AlarmName.CLOCK,)))
    desk.do(HEARD)
    assert fell(desk) == "canary to shadow: alarm clock of host, told by feed: not disciplined"


def test_an_alarm_that_the_stage_does_not_list_is_nothing() -> None:
    """Only what is listed."""
    desk = begun(tripwire=Tripwire(alarms=(AlarmName.JOURNAL,)))
    desk.do(HEARD)
    assert (fell(desk), stage(desk)) == ("", "canary")


@pytest.mark.parametrize(("after_ns", "at"), [(999 * MS, "canary"), (S, "shadow")])
def test_one_cause_that_several_processes_tell_costs_one_stage(after_ns: int, at: str) -> None:
    """An alarm that is heard within a second after a fall-back is of the same cause; later it is another."""
    desk = begun(at="limited-50")
    standing = desk.engine.ledger.rollout
    assert standing is not None
    wire = Tripwire(alarms=(AlarmName.CLOCK,))
    stages = tuple(msgspec.structs.replace(one, tripwire=wire) for one in standing.plan.stages)
    standing.plan = msgspec.structs.replace(standing.plan, stages=stages)
    desk.do(HEARD)
    assert stage(desk) == "canary"
    desk.do(HEARD, after_ns=after_ns)
    assert stage(desk) == at


def test_a_journal_read_again_stands_at_the_same_stage() -> None:
    """Fed the same events, timers among them, a fresh engine has fallen back at the same one."""
    desk = begun(tripwire=LEGGED)
    events: list[tuple[object, int]] = []
    do = desk.engine.on_event

    def noting(event: object, at_ns: int) -> object:
        events.append((event, at_ns))
        return do(event, at_ns)  # type: ignore[arg-type]

    desk.engine.on_event = noting  # type: ignore[method-assign,assignment]
    first, _ = desk.open()
    desk.fill(first)
    desk.do(TimerFired(KEY), after_ns=2 * S + 1)
    fresh = begun(tripwire=LEGGED).engine
    for event, at_ns in events:
        fresh.on_event(event, at_ns)  # type: ignore[arg-type]
    assert fresh.status(0).step == stage(desk) == "shadow"
