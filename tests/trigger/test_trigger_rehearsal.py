"""A rehearsal goes the way of an intent and leaves no trace."""

from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from test_trigger_core import CHEAP, PLAIN, T, book, changed, core, shoot, status
from trigger_values import DOMESTIC, THIRD, e9, leg, pair, quote, rule

from gateway.model.order import Side
from gateway.model.quote import BookState
from gateway.model.site import FormulaKind
from gateway.model.trade import Intent, PairTradeState
from gateway.trigger.core import Hops, TriggerCore

RATIO = pair(leg(DOMESTIC), leg(THIRD), kind=FormulaKind.RATIO)
PLAIN_TYPES = (int, str, float, bool, Decimal, Fraction, type(None), frozenset)


def state(value: Any, seen: dict[int, int] | None = None) -> object:  # noqa: ANN401 - whatever a core is made of
    """All that an object holds, to the last number, without the turn of the rehearsals."""
    seen = {} if seen is None else seen
    if isinstance(value, PLAIN_TYPES):
        return value
    if id(value) in seen:
        return ("seen", seen[id(value)])
    seen[id(value)] = len(seen)
    if isinstance(value, dict):
        return [(key if isinstance(key, PLAIN_TYPES) else "?", state(one, seen)) for key, one in value.items()]
    if isinstance(value, list | tuple):
        return [state(one, seen) for one in value]
    names = getattr(value, "__struct_fields__", None) or getattr(type(value), "__slots__", None) or vars(value)
    return [(name, state(getattr(value, name), seen)) for name in sorted(names) if name != "_turn"]


@pytest.mark.parametrize("spec", [PLAIN, RATIO])
def test_a_rehearsal_gives_a_whole_intent_far_from_any_threshold(spec: Any) -> None:  # noqa: ANN401
    """One unit at the price of now, with both legs as they stand, and as its threshold this price."""
    one = core(rule("-1000", "1000"), pairs=(spec,))
    wish = one.rehearse(T)
    assert wish is not None
    price = e9("10") if spec is PLAIN else e9("1.01")
    intent = wish.intent("R", Hops(T, T, T))
    assert (intent.side, intent.units, intent.pair_px_e9, intent.threshold_e9) == (Side.BUY, 1, price, price)
    assert [one.instrument_id for one in intent.legs] == [DOMESTIC, THIRD]


def test_pairs_take_turns() -> None:
    """Every pair with a rule is rehearsed, one at a call; one without is not."""
    pairs = tuple(pair(leg(DOMESTIC), leg(THIRD), pair_id=name) for name in ("P", "Q", "bare"))
    one = core(rule("-1000"), rule("-1000", rule_id="S", pair_id="Q"), pairs=pairs)
    wishes = [one.rehearse(T) for _ in range(4)]
    assert [wish.pair_id for wish in wishes if wish is not None] == ["Q", "P", "Q", "P"]


def test_without_a_price_or_a_rule_or_execution_there_is_nothing_to_rehearse() -> None:
    """Like an intent, a rehearsal needs whole books and an execution that was heard."""
    assert core().rehearse(T) is None
    assert core(rule("-1000"), heard=False).rehearse(T) is None
    one = core(rule("-1000"))
    one.on_quote(book(THIRD, 100, 101, state=BookState.GAP), T)
    assert one.rehearse(T) is None
    one = core(rule("-1000"))
    one.on_quote(quote(DOMESTIC, ((100, 9),), (), T, BookState.ONE_SIDED), T)
    assert one.rehearse(T) is None


@pytest.mark.parametrize("spec", [PLAIN, RATIO])
def test_a_rehearsal_changes_nothing(spec: Any) -> None:  # noqa: ANN401
    """Every number that the core holds is the same before and after, whatever state its rules are in."""
    one = core(rule("-1000"), rule("-15", persist_ns=10, rule_id="S"), rule("-15", rule_id="F"), pairs=(spec,))
    for happens in (
        lambda: None,
        lambda: shoot(one, CHEAP),
        lambda: one.on_execution(changed(f"I{T}", PairTradeState.WORKING, "F"), T),
        lambda: one.on_execution(changed(f"I{T}", PairTradeState.HEDGED, "F"), T),
        one.changed_prices,
    ):
        happens()
        before = state(one)
        wish = one.rehearse(T + 1)
        assert wish is not None
        wish.intent("R", Hops(T, T, T))
        assert state(one) == before


def live(seed: int, *, rehearses: bool) -> list[object]:
    """All that a trigger says in a drawn life of quotes and of words of execution."""
    draw = Random(seed)  # noqa: S311 - fixed, not secret
    one = core(
        rule("-15", "25", persist_ns=20, cool_down_ns=100, units=2),
        rule("0", rule_id="S", cool_down_ns=30),
        heard=False,
    )
    said: list[object] = []
    at_ns = T
    for _ in range(300):
        at_ns += draw.randrange(40)
        if rehearses:
            _rehearse(one, at_ns)
        match draw.randrange(8):
            case 0:
                one.on_execution(status(at_ns=at_ns), at_ns)
            case 1:
                done = [item for item in said if isinstance(item, Intent)][-1:]
                for intent in done:
                    ended = changed(intent.intent_id, PairTradeState.HEDGED, intent.rule_id, at_ns)
                    one.on_execution(ended, at_ns)
            case 2:
                said.extend(one.changed_prices())
            case _:
                bid = draw.randrange(94, 106)
                states = (BookState.OK, BookState.OK, BookState.OK, BookState.GAP)
                given = book(draw.choice((DOMESTIC, THIRD)), bid, bid + 1, 9, at_ns, draw.choice(states))
                said.extend(shoot(one, given, at_ns))
    return [*said, one.evaluations, one.opportunities, one.intents]


def _rehearse(one: TriggerCore, at_ns: int) -> None:
    wish = one.rehearse(at_ns)
    if wish is not None:
        wish.intent("R", Hops(at_ns, at_ns, at_ns))


@pytest.mark.parametrize("seed", range(8))
def test_a_life_with_rehearsals_is_the_life_without(seed: int) -> None:
    """The same intents, prices and counts."""
    plain = live(seed, rehearses=False)
    assert any(isinstance(one, Intent) for one in plain)
    assert live(seed, rehearses=True) == plain


def test_a_pair_whose_last_rule_has_ended_is_rehearsed_no_more() -> None:
    """An order of a client is a rule that ends: the pair keeps its place in the turns until rules are changed."""
    one = core(rule("-1000"))
    for standing in one._rehearsed:
        standing.rules = ()
    assert one.rehearse(T) is None
