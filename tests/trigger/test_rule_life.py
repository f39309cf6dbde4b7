"""A rule's life: units in all, one shot, at once or never, coming back, windows, closing what another opened."""

import msgspec
import pytest
from test_trigger_core import CHEAP, DEAR, PLAIN, T, book, changed, core, shoot, status
from trigger_values import DOMESTIC, INSTRUMENTS, SILENCE_NS, THIRD, e9, rule

from gateway.model.conditions import RuleAction, Window
from gateway.model.order import Side
from gateway.model.quote import Quote
from gateway.model.record import RuleTimes
from gateway.model.rules import ChangeRules, RuleMemory, RuleStandingState
from gateway.model.site import RuleSpec
from gateway.model.trade import IntentRefused, PairPosition, PairTradeChanged, PairTradeState, RefusalName
from gateway.trigger.core import TriggerCore
from gateway.trigger.pool import pool_names
from gateway.trigger.wish import Hops, Wish

WORKING, FIRED = RuleStandingState.WORKING, RuleStandingState.FIRED
DONE, EXPIRED, REMOVED = RuleStandingState.DONE, RuleStandingState.EXPIRED, RuleStandingState.REMOVED


def with_(spec: RuleSpec, **fields: object) -> RuleSpec:
    return msgspec.structs.replace(spec, **fields)


def cheap(at_ns: int) -> Quote:
    """The pair at -20 to buy, received at `at_ns`."""
    return book(DOMESTIC, 97, 98, recv_ns=at_ns)


def middle(at_ns: int) -> Quote:
    """The pair at 10 to buy, -10 to sell."""
    return book(DOMESTIC, 100, 101, recv_ns=at_ns)


def trade(
    intent_id: str, state: PairTradeState, hedged: int, rule_id: str = "R", opened_ns: int = T
) -> PairTradeChanged:
    """A pair trade of 3 units with so many done."""
    return PairTradeChanged("T1", intent_id, "P", rule_id, Side.BUY, 3, hedged, state, (), 0, 0, False, 0, opened_ns)


def states(one: TriggerCore, at_ns: int = T) -> list[tuple[str, RuleStandingState, int, int | None]]:
    """What is news of the rules: id, state, filled, leaves."""
    return [(said.rule_id, said.state, said.filled_units, said.leaves_units) for said in one.news(at_ns)[0]]


def command(*rules: RuleSpec, removed: tuple[str, ...] = ()) -> ChangeRules:
    return ChangeRules("K1", "a person", "a test", rules, removed)


def intents_of(wishes: list[Wish], at_ns: int) -> list[tuple[str, int]]:
    made = [wish.intent(f"I{at_ns}", Hops(at_ns, at_ns, at_ns)) for wish in wishes]
    return [(one.rule_id, one.units) for one in made]


def test_total_units_are_filled_in_parts_and_then_the_rule_is_done() -> None:
    """Each intent asks for no more than is left; with the last unit the rule ends and is watched no more."""
    one = core(with_(rule("-15", units=3, max_units=9, cool_down_ns=0), total_units=4))
    assert states(one) == [("R", WORKING, 0, 4)]
    assert [intent.units for intent in shoot(one, CHEAP)] == [3]
    assert states(one) == [("R", FIRED, 0, 4)]
    one.on_execution(trade(f"I{T}", PairTradeState.WORKING, 2), T + 1)
    assert states(one) == [("R", FIRED, 2, 2)]
    one.on_execution(trade(f"I{T}", PairTradeState.HEDGED, 3), T + 2)
    assert states(one) == [("R", WORKING, 3, 1)]
    (intent,) = shoot(one, cheap(T + 3), T + 3)
    assert intent.units == 1
    one.on_execution(trade(intent.intent_id, PairTradeState.HEDGED, 1, opened_ns=T + 4), T + 5)
    assert states(one) == [("R", DONE, 4, 0)]
    assert shoot(one, cheap(T + 6), T + 6) == []
    assert one.rules.live("P") == []


def test_what_execution_holds_counts_as_filled_where_its_words_were_missed() -> None:
    """A fill of which only the position tells is a fill."""
    one = core(with_(rule("-15", units=3, max_units=9), total_units=3))
    one.on_execution(PairPosition("P", "R", 3), T)
    assert states(one) == [("R", DONE, 3, 0)]


def test_a_rule_with_the_name_of_an_earlier_one_begins_at_nothing_filled() -> None:
    """What its namesake still holds is no fill of its own."""
    one = core()
    one.on_execution(PairPosition("P", "R", 2), T)
    one.change(command(with_(rule("-15", units=3, max_units=9), total_units=3)), T)
    assert states(one) == [("R", WORKING, 0, 3)]
    one.on_execution(PairPosition("P", "R", 3), T)
    assert states(one) == [("R", WORKING, 1, 2)]


def test_a_one_shot_ends_with_its_trade_whatever_that_filled() -> None:
    """A trade that was missed is its shot; an intent that execution refused is none."""
    one = core(with_(rule("-15", cool_down_ns=0), one_shot=True))
    shoot(one, CHEAP)
    one.on_execution(IntentRefused(f"I{T}", "P", "R", RefusalName.DISARMED, ""), T + 1)
    (intent,) = shoot(one, cheap(T + 2), T + 2)
    one.on_execution(trade(intent.intent_id, PairTradeState.MISSED, 0, opened_ns=T + 3), T + 4)
    assert states(one)[-1][:2] == ("R", DONE)
    assert shoot(one, cheap(T + 5), T + 5) == []


def test_an_immediate_rule_fires_with_the_quotes_that_are_there() -> None:
    """At its arrival, without a new quote; what its trade does not fill expires."""
    one = core()
    one.on_quote(CHEAP, T)
    asked = with_(rule("-15", units=2, max_units=2), immediate=True, total_units=2)
    assert intents_of(one.change(command(asked), T + 1), T + 1) == [("R", 2)]
    one.on_execution(trade(f"I{T + 1}", PairTradeState.HEDGED, 1), T + 2)
    assert states(one) == [("R", EXPIRED, 1, 0)]


@pytest.mark.parametrize(
    ("asked", "heard", "why"),
    [
        (rule("-25"), True, "no price at its limit for its units"),
        (
            with_(rule("-15", units=3, max_units=3), min_units=3, total_units=3),
            True,
            "no price at its limit for its units",
        ),
        (rule("-15"), False, "execution is not heard"),
    ],
)
def test_an_immediate_rule_that_cannot_fire_ends_at_once(asked: RuleSpec, heard: bool, why: str) -> None:  # noqa: FBT001
    """Too far, all or none with too little in the books, or nobody to send to: expired, with the reason."""
    one = core(heard=heard)
    one.on_quote(book(DOMESTIC, 97, 98, size=2), T)
    assert one.change(command(with_(asked, immediate=True)), T) == []
    (said,), _ = one.news(T)
    assert (said.state, said.filled_units, said.leaves_units, said.reason) == (EXPIRED, 0, 0, why)
    assert shoot(one, cheap(T + 1), T + 1) == []


def test_an_immediate_rule_whose_pair_has_no_price_says_what_stands_in_the_way() -> None:
    """The obstacle of the pair is the reason."""
    one = TriggerCore((PLAIN,), (), INSTRUMENTS, silence_ns=SILENCE_NS)
    one.on_execution(status(), T)
    one.change(command(with_(rule("-15"), immediate=True)), T)
    assert [said.reason for said in one.news(T)[0]] == [f"{DOMESTIC}: no quote yet"]


def test_after_it_fired_the_price_has_to_come_back() -> None:
    """With rearm the same side fires again only after the price was that far from the threshold; the other side may."""
    one = core(with_(rule("-15", "15", cool_down_ns=0), rearm_e9=e9("20")))
    shoot(one, CHEAP)
    one.on_execution(changed(f"I{T}", PairTradeState.HEDGED), T)
    assert shoot(one, cheap(T + 1), T + 1) == []
    assert shoot(one, book(DOMESTIC, 99, 100, recv_ns=T + 2), T + 2) == []  # 0: back by 15 of 20
    assert shoot(one, cheap(T + 3), T + 3) == []
    (sold,) = shoot(one, book(DOMESTIC, 103, 104, recv_ns=T + 4), T + 4)
    assert sold.side is Side.SELL
    one.on_execution(changed(sold.intent_id, PairTradeState.HEDGED, opened_ns=T + 4), T + 5)
    assert len(shoot(one, cheap(T + 6), T + 6)) == 1


def test_a_condition_has_to_hold_for_so_many_looks() -> None:
    """The third look in a row fires, a break begins anew."""
    one = core(with_(rule("-15"), persist_quotes=3))
    assert [len(shoot(one, cheap(T + at), T + at)) for at in (1, 2)] == [0, 0]
    assert shoot(one, middle(T + 3), T + 3) == []
    assert [len(shoot(one, cheap(T + at), T + at)) for at in (4, 5, 6)] == [0, 0, 1]


def test_outside_its_windows_a_rule_does_not_fire() -> None:
    """It opens and shuts exactly when it was told to, whoever looks when; before it was told anything it is shut."""
    one = core(with_(rule("-15", cool_down_ns=0), windows=(Window("UTC", (0,), 0, 1),)))
    assert shoot(one, cheap(T + 1), T + 1) == []
    one.on_rule_times(RuleTimes(T, "R", open=False, until_ns=T + 10, expires_ns=0))
    assert shoot(one, cheap(T + 9), T + 9) == []
    assert len(shoot(one, cheap(T + 10), T + 10)) == 1
    one.on_execution(changed(f"I{T + 10}", PairTradeState.HEDGED), T + 11)
    one.on_rule_times(RuleTimes(T, "R", open=True, until_ns=T + 20, expires_ns=0))
    assert shoot(one, cheap(T + 20), T + 20) == []
    assert len(shoot(one, cheap(T + 19), T + 19)) == 1


def test_a_rule_ends_when_its_time_is_over() -> None:
    """From that moment it does not fire, and the next tick says that it has expired."""
    one = core(with_(rule("-15"), expires_utc_ns=1))
    one.on_rule_times(RuleTimes(T, "R", open=True, until_ns=0, expires_ns=T + 10))
    states(one)
    assert one.due_ns(T) == T + 10
    assert shoot(one, cheap(T + 10), T + 10) == []
    one.on_tick(T + 10)
    assert states(one) == [("R", EXPIRED, 0, 0)]
    assert one.due_ns(T + 10) == 0


def test_a_removed_rule_does_not_fire_and_its_open_trade_is_told_to_the_end() -> None:
    """Removed while its trade is open: the standing says so, and what the trade fills is told as well."""
    one = core(rule("-15", units=3, max_units=3))
    shoot(one, CHEAP)
    one.on_execution(trade(f"I{T}", PairTradeState.WORKING, 0), T)
    states(one)
    one.change(command(removed=("R",)), T + 1)
    assert states(one) == [("R", REMOVED, 0, 0)]
    one.on_execution(trade(f"I{T}", PairTradeState.HEDGED, 3), T + 2)
    assert states(one) == [("R", REMOVED, 3, 0)]
    assert shoot(one, cheap(T + 3), T + 3) == []
    assert one.rules.specs() == ()


def closing(buy_at: str, closes: str = "R", **fields: object) -> RuleSpec:
    return with_(rule(buy_at, rule_id="C", units=9, max_units=9), action=RuleAction.CLOSE, closes=closes, **fields)


@pytest.mark.parametrize(("held", "units"), [(-2, 2), (0, None), (2, None), (-9, 9)])
def test_a_closing_rule_only_makes_the_position_smaller(held: int, units: int | None) -> None:
    """It buys no more than the other rule has sold, and nothing where that holds nothing or the other side."""
    one = core(with_(rule(None, "15", units=1, max_units=9), action=RuleAction.OPEN), closing("-15"))
    one.on_execution(PairPosition("P", "R", held), T)
    intents = shoot(one, CHEAP)
    assert [(intent.rule_id, intent.units) for intent in intents] == ([] if units is None else [("C", units)])


def test_what_was_closed_gives_the_opening_rule_its_room_back() -> None:
    """Sold 3 by the one, bought 2 back by the other: 2 of 3 units may be sold again."""
    one = core(with_(rule(None, "15", units=9, max_units=3), action=RuleAction.OPEN), closing("-15"))
    one.on_execution(PairPosition("P", "R", -3), T)
    assert shoot(one, DEAR) == []
    one.on_execution(PairPosition("P", "C", 2), T)
    assert [intent.units for intent in shoot(one, DEAR, T + 1)] == [2]


def test_two_rules_that_close_do_not_close_more_than_is_held() -> None:
    """What the first has out counts as closed for the second."""
    opener = with_(rule(None, "15", units=1, max_units=9), action=RuleAction.OPEN)
    one = core(opener, with_(closing("-15"), units=2), with_(closing("-15"), rule_id="D"))
    one.on_execution(PairPosition("P", "R", -3), T)
    wishes = one.on_quote(CHEAP, T)
    assert intents_of(wishes[:1], T) == [("C", 2)]
    assert [(intent.rule_id, intent.units) for intent in shoot(one, cheap(T + 1), T + 1)] == [("D", 1)]


def test_a_rule_that_only_opens_does_not_reduce() -> None:
    """Holding 2 bought, it sells nothing."""
    one = core(with_(rule("-15", "15"), action=RuleAction.OPEN))
    one.on_execution(PairPosition("P", "R", 2), T)
    assert shoot(one, DEAR) == []


def test_quotes_of_before_do_not_fire_a_restarted_rule_again() -> None:
    """With what it remembers, the same quotes are no news; one newer leg is."""
    spec = rule("-15", cool_down_ns=0)
    one = core(spec)
    shoot(one, CHEAP)
    one.on_execution(changed(f"I{T}", PairTradeState.HEDGED), T)
    memories = one.rules.memories()
    again = TriggerCore((PLAIN,), (spec,), INSTRUMENTS, silence_ns=SILENCE_NS, memories=memories)
    again.on_execution(status(), T)
    again.on_quote(book(THIRD, 100, 101), T)
    assert shoot(again, CHEAP, T + 5) == []
    assert len(shoot(again, cheap(T + 1), T + 6)) == 1


def test_a_trade_that_the_journal_did_not_keep_is_learned_from_execution() -> None:
    """Killed before it wrote the intent down: the ended trade that execution tells of makes its quotes old."""
    spec = rule("-15", cool_down_ns=0)
    again = TriggerCore((PLAIN,), (spec,), INSTRUMENTS, silence_ns=SILENCE_NS, memories=(RuleMemory("R", 0, 0),))
    again.on_execution(changed("I-lost", PairTradeState.HEDGED, opened_ns=T + 1), T + 2)
    again.on_execution(status(at_ns=T + 2), T + 2)
    again.on_quote(book(THIRD, 100, 101), T + 3)
    assert shoot(again, CHEAP, T + 3) == []
    assert len(shoot(again, cheap(T + 2), T + 4)) == 1


def test_an_ended_rule_is_in_nobodys_way_and_is_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no rule to contradict; the oldest ended ones are forgotten, but for one whose trade is open."""
    monkeypatch.setattr("gateway.trigger.rulebook.ENDED_KEPT", 2)
    one = core()
    for number in range(5):
        one.change(command(with_(rule("-25", rule_id=f"r{number}"), immediate=True)), T)
        states(one)
    assert list(one.rules.machines) == ["r3", "r4"]
    assert one.rules.specs(but=()) == ()
    assert len(one.rules.specs()) == 2


def test_an_immediate_rule_of_which_nobody_speaks_ends_without_another_quote() -> None:
    """Execution died with its intent: a tick after the silence says that it has expired."""
    one = core()
    one.on_quote(CHEAP, T)
    asked = with_(rule("-15"), immediate=True, total_units=1)
    (wish,) = one.change(command(asked), T)
    intent = wish.intent("I1", Hops(T, T, T))
    assert one.due_ns(T) == intent.expires_ns + SILENCE_NS + 1
    one.on_tick(intent.expires_ns + SILENCE_NS)
    assert states(one)[-1][1] is FIRED
    one.on_tick(intent.expires_ns + SILENCE_NS + 1)
    assert states(one) == [("R", EXPIRED, 0, 0)]
    assert one.due_ns(T) == 0


def test_a_removed_rule_of_whose_intent_nobody_speaks_has_nothing_out_in_the_end() -> None:
    """The refusal was lost while execution was started again: whoever cancelled it hears that it is over."""
    one = core(rule("-15"))
    (wish,) = one.on_quote(CHEAP, T)
    intent = wish.intent("I1", Hops(T, T, T))
    one.change(ChangeRules("K1", "li", "cancelled", removed=("R",)), T)
    assert [(said.state, said.open_units) for said in one.news(T)[0]] == [(REMOVED, 1)]
    assert one.due_ns(T) == intent.expires_ns + SILENCE_NS + 1
    one.on_tick(intent.expires_ns + SILENCE_NS)
    assert one.news(T)[0] == []
    one.on_tick(intent.expires_ns + SILENCE_NS + 1)
    assert [(said.state, said.open_units) for said in one.news(T)[0]] == [(REMOVED, 0)]
    assert one.due_ns(T) == 0


def test_a_rule_that_closes_all_of_the_pair_closes_no_clients_order() -> None:
    """The house's rules share a position with it; an order of an account keeps its own."""
    closer = with_(rule(0, rule_id="C"), action=RuleAction.CLOSE)
    specs = [rule(0, rule_id="A"), with_(rule(0, rule_id="C/F/O1-1"), owner="A1"), closer]
    assert pool_names(specs) == {"A": "", "C/F/O1-1": "C/F/O1-1", "C": ""}
