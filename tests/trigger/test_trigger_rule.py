"""The rule machine: every state with every event, and its clocks."""

import pytest
from trigger_values import SILENCE_NS, TTL_NS, e9, rule

from gateway.model.order import Side
from gateway.trigger.rule import RuleMachine, RuleState

NOW = 10_000
IDLE, FIRED, COOLING = RuleState.IDLE, RuleState.FIRED, RuleState.COOLING


def machine(state: str = "idle", *, persist_ns: int = 100) -> RuleMachine:
    """A rule in `state` at NOW: idle, holding (a buy), fired (intent I1), opened (I1, at NOW) or cooling."""
    one = RuleMachine(rule("-10", "10", persist_ns=persist_ns), SILENCE_NS)
    if state == "holding":
        one.condition(Side.BUY, NOW)
    elif state in ("fired", "opened"):
        one.fired("I1", NOW + TTL_NS)
    elif state == "cooling":
        one.not_sent(NOW)
    if state == "opened":
        one.opened("I1", NOW)
    return one


EVENTS = {
    "buy met": lambda one: one.ready(NOW + 10) and one.condition(Side.BUY, NOW + 10),
    "sell met": lambda one: one.ready(NOW + 10) and one.condition(Side.SELL, NOW + 10),
    "buy met later": lambda one: one.ready(NOW + 100) and one.condition(Side.BUY, NOW + 100),
    "none met": lambda one: one.ready(NOW + 10) and one.condition(None, NOW + 10),
    "fired": lambda one: one.fired("I2", NOW + 10),
    "not sent": lambda one: one.not_sent(NOW + 10),
    "opened I1": lambda one: one.opened("I1", NOW + 5),
    "opened other": lambda one: one.opened("I0", NOW + 5),
    "ended I1": lambda one: one.ended("I1", NOW + 10),
    "ended other": lambda one: one.ended("I0", NOW + 10),
    "ended none": lambda one: one.ended("", NOW + 10),
    "no open trade": lambda one: one.no_open_trade(NOW + 6, NOW + 10),
    "no open trade before": lambda one: one.no_open_trade(NOW, NOW + 10),
}

TABLE = """
event                | idle     | holding  | fired    | opened   | cooling
buy met              | holding  | holding  | fired    | fired    | cooling
sell met             | holding  | holding  | fired    | fired    | cooling
buy met later        | holding  | holding! | fired    | fired    | holding
none met             | idle     | idle     | fired    | fired    | cooling
fired                | fired    | fired    | fired    | fired    | fired
not sent             | cooling  | cooling  | cooling  | cooling  | cooling
opened I1            | fired    | fired    | fired    | fired    | fired
opened other         | fired    | fired    | fired    | fired    | fired
ended I1             | idle     | holding  | cooling  | cooling  | cooling
ended other          | idle     | holding  | fired    | fired    | cooling
ended none           | idle     | holding  | fired    | fired    | cooling
no open trade        | idle     | holding  | fired    | cooling  | cooling
no open trade before | idle     | holding  | fired    | fired    | cooling
"""
"""The state after the event; "!" where the rule has to fire."""


def cells() -> list[tuple[str, str, str]]:
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
    return [(row[0], state, cell) for row in rows for state, cell in zip(head[1:], row[1:], strict=True)]


@pytest.mark.parametrize(("event", "state", "after"), cells())
def test_every_state_with_every_event(event: str, state: str, after: str) -> None:
    """The transition table of the module, cell by cell."""
    one = machine(state)
    fires = EVENTS[event](one)
    assert (one.state.value, bool(fires)) == (after.rstrip("!"), after.endswith("!"))


THRESHOLDS = [
    # buy_at  sell_at  side       price  met
    ("-10", "10", Side.BUY, "-10", True),
    ("-10", "10", Side.BUY, "-11", True),
    ("-10", "10", Side.BUY, "-9.999999999", False),
    ("-10", "10", Side.SELL, "10", True),
    ("-10", "10", Side.SELL, "11", True),
    ("-10", "10", Side.SELL, "9.999999999", False),
    (None, "10", Side.BUY, "-1000", False),
    ("-10", None, Side.SELL, "1000", False),
    ("10", "10", Side.BUY, "0", True),
]


@pytest.mark.parametrize(("buy_at", "sell_at", "side", "price", "met"), THRESHOLDS)
def test_a_threshold_is_met_at_it_or_beyond(
    buy_at: str | None,
    sell_at: str | None,
    side: Side,
    price: str,
    met: bool,  # noqa: FBT001 a column
) -> None:
    """To buy at or below, to sell at or above; a side without a threshold is never met."""
    assert RuleMachine(rule(buy_at, sell_at), 0).meets(side, e9(price)) is met


ROOM = [
    # units max net   buy sell
    (1, 3, 0, 1, 1),
    (2, 3, 0, 2, 2),
    (5, 3, 0, 3, 3),
    (2, 3, 2, 1, 2),
    (2, 3, 3, 0, 2),
    (9, 3, 3, 0, 6),
    (9, 3, -3, 6, 0),
    (9, 3, -2, 5, 1),
    (2, 3, 5, 0, 2),
]


@pytest.mark.parametrize(("units", "max_units", "net", "buy", "sell"), ROOM)
def test_room_is_what_max_units_leaves(units: int, max_units: int, net: int, buy: int, sell: int) -> None:
    """At most `units` at once, and never beyond `max_units` held, long or short."""
    one = RuleMachine(rule(units=units, max_units=max_units), 0)
    one.net_units = net
    assert (one.room_units(Side.BUY), one.room_units(Side.SELL)) == (buy, sell)


def test_without_persistence_a_met_condition_fires_at_once() -> None:
    """persist_ns = 0 needs no second quote."""
    assert machine(persist_ns=0).condition(Side.BUY, NOW)


def test_persistence_starts_anew_with_a_break_or_the_other_side() -> None:
    """Held for persist_ns means without a break and on one side."""
    one = machine("holding")
    one.condition(None, NOW + 50)
    assert not one.condition(Side.BUY, NOW + 99)
    assert not one.condition(Side.SELL, NOW + 150)
    assert not one.condition(Side.SELL, NOW + 249)
    assert one.condition(Side.SELL, NOW + 250)


def test_a_cool_down_ends_when_it_is_over() -> None:
    """Ready again exactly cool_down_ns after the end."""
    one = machine("cooling")
    assert not one.ready(NOW + 49)
    assert one.ready(NOW + 50)
    assert one.state is IDLE


def test_silence_ends_a_shot_and_cools_from_then() -> None:
    """An intent unheard of for silence_ns after its expiry never arrived; the cool-down counts from that time, however
    late somebody looks.
    """
    one = machine("fired")
    silent_ns = NOW + TTL_NS + SILENCE_NS
    assert not one.ready(silent_ns)
    assert not one.ready(silent_ns + 1)
    assert one.state is COOLING
    assert one.ready(silent_ns + 50)
    assert machine("fired").ready(silent_ns + 51)


def test_an_opened_trade_is_waited_for() -> None:
    """Silence does not end a trade that execution spoke of."""
    one = machine("opened")
    assert not one.ready(NOW + 10**15)
    assert one.state is FIRED


def test_a_trade_that_is_heard_of_after_the_silence_counts() -> None:
    """The rule was given up too early: it waits for that trade after all, and its end is heard."""
    one = machine("fired")
    assert one.ready(NOW + TTL_NS + SILENCE_NS + 51)
    one.opened("I1", NOW + 20)
    assert one.state is FIRED
    one.ended("I1", NOW + 2000)
    assert (one.state, one.ready(NOW + 2049), one.ready(NOW + 2050)) == (COOLING, False, True)


def test_an_end_after_the_silence_cools_from_the_end() -> None:
    """A trade that ended just now is cooled down from now."""
    one = machine("fired")
    one.ready(NOW + TTL_NS + SILENCE_NS + 51)
    one.ended("I1", NOW + 2000)
    assert not one.ready(NOW + 2049)


def test_an_end_that_is_told_twice_counts_once() -> None:
    """The second telling does not start the cool-down anew."""
    one = machine("opened")
    one.ended("I1", NOW)
    one.ended("I1", NOW + 40)
    assert one.ready(NOW + 50)


def test_while_fired_another_trade_of_the_rule_is_not_its_own() -> None:
    """The intent that is out stays the one that is waited for."""
    one = machine("fired")
    one.opened("I0", NOW + 5)
    one.ended("I0", NOW + 6)
    assert (one.state, one.intent_id) == (FIRED, "I1")
