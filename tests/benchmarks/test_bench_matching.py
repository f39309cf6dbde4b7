from collections import Counter
from itertools import islice

import pytest

from benchmarks.matching import Answered, Matched, OrderArrived, TriggerWritten, match
from benchmarks.schedule import (
    BUY_AT,
    CODES,
    FACTOR,
    LEGS,
    SELL_AT,
    A,
    B,
    Step,
    best,
    cause_of,
    expected,
    quotes_per_trigger,
    side_of,
    steps,
)


def order(trigger: int, leg: int, at_ns: int, code_step: int = 0) -> OrderArrived:
    """The order that answers `trigger` on `leg`."""
    want = expected(trigger, leg)
    return OrderArrived(leg, want.buy, want.px_ticks + code_step, at_ns, at_ns - 2 * leg)


def test_both_legs_are_matched_to_their_trigger_by_price_and_side() -> None:
    """Arrivals, the slower leg's delay and the skew of two triggers in a row."""
    triggers = [TriggerWritten(4, 1000), TriggerWritten(5, 2000)]
    orders = [order(4, A, 1300), order(4, B, 1450), order(5, B, 2100), order(5, A, 2350)]
    matched = match(triggers, orders)
    assert matched == Matched(
        (Answered(4, 1000, (1300, 1450), (1300, 1448)), Answered(5, 2000, (2350, 2100), (2350, 2098))), (), ()
    )
    measured = [(one.last_leg_ns, one.socket_leg_ns, one.skew_ns) for one in matched.answered]
    assert measured == [(450, 448, 148), (350, 350, 252)]


def test_an_order_that_comes_after_the_next_trigger_still_belongs_to_its_own() -> None:
    """A late answer counts as late, not as a fast answer to the next trigger."""
    triggers = [TriggerWritten(0, 1000), TriggerWritten(1, 2000)]
    orders = [order(0, A, 1100), order(0, B, 2500), order(1, A, 2600), order(1, B, 2700)]
    assert [one.last_leg_ns for one in match(triggers, orders).answered] == [1500, 700]


def test_a_missing_leg_is_a_missed_trigger_and_a_second_order_is_a_stray() -> None:
    """Neither enters the percentiles."""
    second = order(0, A, 1200)
    assert match([TriggerWritten(0, 1000)], [order(0, A, 1100), second]) == Matched((), (0,), (second,))


def test_an_order_before_its_trigger_is_a_stray() -> None:
    """No answer comes before its question."""
    early = order(0, A, 900)
    assert match([TriggerWritten(0, 1000)], [early]).strays == (early,)


@pytest.mark.parametrize("trigger", [0, 1, 2, 3, CODES - 1])
def test_only_the_leg_that_did_not_cause_may_stand_at_the_next_level(trigger: int) -> None:
    """Its quote may be read early; the causing leg's price is the trigger's own."""
    other = 1 - cause_of(trigger)
    step = (trigger + 1) % CODES - trigger % CODES
    written = [TriggerWritten(trigger, 0)]
    late_reader = [order(trigger, cause_of(trigger), 10), order(trigger, other, 20, step)]
    assert len(match(written, late_reader).answered) == 1
    wrong = [order(trigger, cause_of(trigger), 10, step), order(trigger, other, 20)]
    assert match(written, wrong).strays == (wrong[0],)


def test_successive_triggers_call_for_different_orders() -> None:
    """Within the window that is searched, no two triggers share both side and price on a leg."""
    for leg in (A, B):
        wanted = Counter((expected(trigger, leg).buy, expected(trigger, leg).px_ticks) for trigger in range(CODES))
        assert max(wanted.values()) == 1


def prices(plan: list[Step]) -> list[int]:
    """After each quote: +1 if the pair may be bought, -1 if sold, 0 if neither."""
    book = {A: best(A, 0, 0), B: best(B, 0, 0)}
    verdicts = []
    for step in plan:
        book[step.leg] = best(step.leg, step.code, step.shift)
        (bid_a, ask_a), (bid_b, ask_b) = book[A], book[B]
        buy = ask_a * LEGS[A].tick - FACTOR * bid_b * LEGS[B].tick <= BUY_AT
        sell = bid_a * LEGS[A].tick - FACTOR * ask_b * LEGS[B].tick >= SELL_AT
        verdicts.append(buy - sell)
    return verdicts


@pytest.mark.parametrize(("rate", "held"), [(100, 0), (1000, 4), (5000, 20)])
def test_the_rule_is_met_from_a_trigger_for_4_ms_and_at_no_other_quote(rate: int, held: int) -> None:
    """Two turns of all codes: side and number of every trigger, and quiet in between."""
    per_trigger = quotes_per_trigger(rate)
    plan = list(islice(steps(per_trigger), 2 * CODES * per_trigger))
    quiet = [0] * (per_trigger - 1 - held)
    right = [quiet + [side_of(trigger)] * (1 + held) for trigger in range(2 * CODES)]
    assert prices(plan) == [verdict for group in right for verdict in group]
    assert [step.trigger for step in plan if step.trigger is not None] == list(range(2 * CODES))


def test_each_four_triggers_come_back_to_flat_over_both_legs_as_causes() -> None:
    """Buy and sell by either leg."""
    assert [(side_of(trigger), cause_of(trigger)) for trigger in range(4)] == [(1, A), (-1, A), (1, B), (-1, B)]


def test_quotes_between_triggers_give_twenty_triggers_a_second_but_never_fewer_than_five_quotes() -> None:
    """At 50 quotes a second there are 10 triggers a second."""
    assert [quotes_per_trigger(rate) for rate in (50, 100, 1000, 5000)] == [5, 5, 50, 250]
