"""The rollout plan in execution: what a stage lets through, who moves it, and when it falls back by itself."""

from __future__ import annotations

import msgspec
import pytest
from desk import CA, CU, MS, SETTINGS, Desk, S, intent, settings

from gateway.model.rollout import Rollout, RolloutStage, StageLimits, Tripwire
from gateway.model.trade import (
    Alarm,
    AlarmName,
    Announce,
    Command,
    CommandAnswered,
    IntentRefused,
    OrderSent,
    OrdersSent,
    RefusalName,
    Restarted,
    Verb,
)

RECORD = "ab" * 32
WIDE = settings(max_open_trades=99, max_units=99)


def plan(limits: StageLimits | None = None, tripwire: Tripwire | None = None, kinds: str = "") -> Rollout:
    """Shadow, canary as given, limited at a half, full."""
    canary = RolloutStage("canary", "canary", limits or StageLimits(), tripwire or Tripwire())
    stages = {
        "shadow": RolloutStage("shadow", "shadow", StageLimits(), Tripwire()),
        "canary": canary,
        "limited": RolloutStage("limited-50", "limited", StageLimits(share_e6=500_000), Tripwire()),
        "full": RolloutStage("full", "full", StageLimits(), Tripwire()),
    }
    return Rollout(
        "desk", "d1", ("li", "wu"), tuple(stages[one] for one in (kinds or "shadow canary limited full").split())
    )


def ask(desk: Desk, verb: Verb, argument: str, who: str = "li") -> CommandAnswered:
    """The answer to a command of its own id."""
    desk.count = getattr(desk, "count", 0) + 1  # type: ignore[attr-defined]
    actions = desk.do(Command(f"T{desk.count}", verb, who, "test", argument))  # type: ignore[attr-defined]
    (said,) = [one.what for one in actions if isinstance(one, Announce) and isinstance(one.what, CommandAnswered)]
    return said


def begun(limits: StageLimits | None = None, tripwire: Tripwire | None = None, at: str = "canary") -> Desk:
    """A desk whose plan stands at this stage."""
    desk = Desk(WIDE)
    assert ask(desk, Verb.ROLLOUT, msgspec.json.encode(plan(limits, tripwire)).decode()).done
    for name in ("canary", "limited-50", "full"):
        if desk.engine.status(0).step == at:
            break
        assert ask(desk, Verb.STAGE, f"{name} {RECORD}").done
    return desk


def refusal(desk: Desk) -> IntentRefused | None:
    """What the last actions refused."""
    found = [one.what for one in desk.actions if isinstance(one, Announce) and isinstance(one.what, IntentRefused)]
    return found[0] if found else None


def fell(desk: Desk) -> str:
    """Figures of the fall-back that the last actions tell; empty when there was none."""
    said = [one.what for one in desk.actions if isinstance(one, Announce) and isinstance(one.what, Alarm)]
    return next((one.figures for one in said if one.name is AlarmName.FELL_BACK), "")


def test_a_plan_begins_in_shadow_and_sends_nothing() -> None:
    """Whatever the stage was before, a new plan begins at its first, which refuses each intent by name."""
    desk = begun(at="shadow")
    desk.do(intent(1, desk.at_ns))
    said = refusal(desk)
    assert said is not None
    assert (said.name, said.figures, desk.sent) == (RefusalName.STAGE, "stage shadow sends nothing", [])


@pytest.mark.parametrize(
    ("verb", "argument", "who", "words"),
    [
        (
            Verb.STAGE,
            f"limited-50 {RECORD}",
            "li",
            "shadow to limited-50 skips canary; a plan goes up one stage at a time",
        ),
        (Verb.STAGE, f"canary {RECORD}", "xu", "'xu' is no approver of plan desk; one of li, wu"),
        (
            Verb.STAGE,
            "canary",
            "li",
            "going up to canary needs the digest of a signed record; `cmc stage canary --key FILE` makes it",
        ),
        (Verb.STAGE, "half", "li", "plan desk has no stage 'half'; one of shadow, canary, limited-50, full"),
        (Verb.ROLLOUT, "{}", "li", "no rollout plan: Expected `array`, got `object`"),
    ],
)
def test_what_may_not_be_is_refused_and_changes_nothing(verb: Verb, argument: str, who: str, words: str) -> None:
    """A skipped stage, an unknown approver, a missing record and an unknown stage each say what would be right."""
    desk = begun(at="shadow")
    said = ask(desk, verb, argument, who)
    assert (said.done, said.text.partition(" - ")[0]) == (False, words)
    assert desk.engine.status(0).step == "shadow"


@pytest.mark.parametrize("kinds", ["shadow limited full", "canary shadow limited full", "shadow canary full"])
def test_a_plan_that_skips_a_stage_is_refused(kinds: str) -> None:
    """All four kinds stand in a plan, in their order."""
    desk = Desk(WIDE)
    said = ask(desk, Verb.ROLLOUT, msgspec.json.encode(plan(kinds=kinds)).decode())
    assert not said.done
    assert "shadow, canary, limited, full in this order, none left out" in said.text
    assert desk.engine.ledger.rollout is None


def test_a_plan_that_names_an_unknown_pair_is_refused() -> None:
    """What a stage names has to be of the site."""
    desk = Desk(WIDE)
    said = ask(desk, Verb.ROLLOUT, msgspec.json.encode(plan(StageLimits(pairs=("AU-GC",)))).decode())
    assert said.text == "plan desk: stage canary: no pair AU-GC"


@pytest.mark.parametrize(
    ("limits", "figures"),
    [
        (StageLimits(venues=("SHFE",)), "venue LME is not among SHFE"),
        (StageLimits(instruments=(CA,)), f"instrument {CU} is not among {CA}"),
        (StageLimits(accounts=("A1",)), "account B1 is not among A1"),
        (StageLimits(max_open_trades=0), "0 pair trades open, at most 0"),
        (StageLimits(max_orders=1), "0 orders so far, at most 1"),
        (StageLimits(max_pair_units=0), "1 units of CU-CA, at most 0"),
        (StageLimits(max_position_lots=4), f"{CU}: up to 5 lots, at most 4"),
    ],
)
def test_each_limit_of_a_stage_refuses_with_its_figures(limits: StageLimits, figures: str) -> None:
    """Nothing is sent beyond what the stage names."""
    desk = begun(limits)
    desk.do(intent(1, desk.at_ns))
    said = refusal(desk)
    assert said is not None
    assert (said.name, said.figures, desk.sent) == (RefusalName.STAGE, f"stage canary: {figures}", [])


def test_a_larger_intent_is_taken_up_with_the_size_of_the_stage() -> None:
    """Canary trades one unit where the rule wanted three."""
    desk = begun(StageLimits(max_units=1))
    desk.do(intent(1, desk.at_ns, units=3))
    assert [one.qty_lots for one in desk.sent] == [5, 1]


def test_of_a_client_that_wants_all_or_none_nothing_is_cut() -> None:
    """A rule that execution does not know by its file may be fill-or-kill: its size is refused, not made smaller."""
    desk = begun(StageLimits(max_units=1))
    desk.do(intent(1, desk.at_ns, units=3, rule_id="client-7"))
    said = refusal(desk)
    assert said is not None
    assert said.figures == "stage canary: 3 units, at most 1"


def test_half_of_the_opportunities_are_taken_and_one_keeps_its_fate() -> None:
    """Every second one at 50 %; intents of one opportunity that come again share what became of it."""
    desk = begun(at="limited-50")
    standing = desk.engine.ledger.rollout
    assert standing is not None
    stage = msgspec.structs.replace(standing.stage, limits=StageLimits(share_e6=500_000, opportunity_gap_ns=S))
    standing.plan = msgspec.structs.replace(
        standing.plan, stages=(*standing.plan.stages[:2], stage, standing.plan.stages[3])
    )
    taken = []
    for number in range(1, 5):
        for again in range(2):
            desk.do(intent(10 * number + again, desk.at_ns))
            taken.append(refusal(desk) is None)
            for order in desk.orders():
                desk.fill(order)
            desk.at_ns += 100 * MS
        desk.at_ns += 2 * S
    assert taken == [False, False, True, True, False, False, True, True]


def trade(desk: Desk, number: int, late_ns: int = 0) -> list[str]:
    """An intent, its orders written `late_ns` after the quote; their ids."""
    desk.do(intent(number, desk.at_ns))
    orders = desk.orders()
    desk.do(OrdersSent(desk.at_ns, tuple(OrderSent(one.cl_ord_id, desk.at_ns + late_ns, 7) for one in orders)))
    return [one.cl_ord_id for one in orders]


def test_a_late_order_falls_back_before_the_next_intent() -> None:
    """The event that breaks the latency changes the stage; the intent right behind it is refused."""
    desk = begun(tripwire=Tripwire(most_late=0, latency_ns=50 * MS))
    trade(desk, 1, late_ns=51 * MS)
    assert fell(desk) == "canary to shadow: 1 of the last 1 pair trades sent late, at most 0"
    desk.do(intent(2, desk.at_ns))
    assert refusal(desk) is not None
    assert desk.engine.status(0).stage == "shadow"


def test_open_trades_finish_after_a_fall_back() -> None:
    """What is open when the stage falls is hedged as it would have been."""
    desk = begun(tripwire=Tripwire(most_rejected=0))
    desk.do(intent(1, desk.at_ns))
    first, second = desk.orders()
    desk.do(OrdersSent(desk.at_ns, tuple(OrderSent(one.cl_ord_id, desk.at_ns, 7) for one in (first, second))))
    desk.fill(first)
    before = len(desk.sent)
    desk.reject(second)
    assert desk.engine.status(0).stage == "shadow"
    desk.books(*())
    assert list(desk.engine.ledger.open_trades) != []
    assert before == 2


@pytest.mark.parametrize(
    ("wire", "act", "figures"),
    [
        (Tripwire(most_rejected=0), "reject", "1 of the last 1 pair trades with a rejected order, at most 0"),
        (Tripwire(most_restarts=0), "restart", "1 restarts of execution, at most 0"),
    ],
)
def test_each_wire_says_what_broke(wire: Tripwire, act: str, figures: str) -> None:
    """A rejected order and a restart each have their own figures."""
    desk = begun(tripwire=wire)
    desk.do(intent(1, desk.at_ns))
    orders = desk.orders()
    if act == "reject":
        desk.reject(orders[0])
    else:
        desk.do(Restarted(2))
    assert fell(desk) == f"canary to shadow: {figures}"


def test_a_slipping_trade_counts_when_it_ends() -> None:
    """More than the stage allows for one unit, told at the end of the trade."""
    desk = begun(tripwire=Tripwire(most_slipped=0, slippage_e9=-1))
    desk.do(intent(1, desk.at_ns))
    for order in desk.orders():
        desk.fill(order)
    assert fell(desk) == "canary to shadow: 1 of the last 1 pair trades over their slippage, at most 0"


def test_trades_of_the_stage_before_break_nothing() -> None:
    """A trade that was opened before the stage began is not held against it."""
    desk = begun(tripwire=Tripwire(most_rejected=0), at="canary")
    assert ask(desk, Verb.STAGE, f"limited-50 {RECORD}").done
    assert ask(desk, Verb.STAGE, f"full {RECORD}").done
    desk.at_ns += S
    desk.do(intent(1, desk.at_ns))
    (first, _) = desk.orders()
    desk.at_ns += S
    assert ask(desk, Verb.STAGE, "canary", who="anybody").done
    desk.reject(first)
    assert fell(desk) == ""


def test_the_same_plan_again_changes_nothing() -> None:
    """It is answered with where it stands."""
    desk = begun(at="canary")
    said = ask(desk, Verb.ROLLOUT, msgspec.json.encode(plan()).decode())
    assert (said.done, said.text) == (True, "plan desk is in force, at canary")


def test_without_a_plan_nothing_is_different() -> None:
    """The stage of the site alone counts, and nothing is watched."""
    desk = Desk(SETTINGS)
    desk.do(intent(1, desk.at_ns))
    assert len(desk.sent) == 2
    assert desk.engine.status(0).step == ""
