"""The benchmark of what clients cost the trading path plays its three states, and its effect is counted by round."""

import json

from benchmarks.client_effect import NULL, PRODUCT, STATES, Load, Loaded, Round, effect_pct, measure
from benchmarks.harness import Options
from benchmarks.percentiles import Summary
from benchmarks.report import as_json


def timed(number: int, state: str, p50_ns: int) -> Round:
    """A round whose p50 is this."""
    return Round(number, state, 1000, Summary(100, p50_ns, 0, 0, 0, 0), 0, 0, Loaded(), {})


def test_the_effect_is_the_p50_of_one_state_over_the_other_within_a_round() -> None:
    """A round without the other state gives none: 110 over 100 is 10 %, 90 over 100 is -10 %."""
    rounds = [
        timed(1, PRODUCT, 110), timed(1, NULL, 100), timed(2, NULL, 100), timed(2, PRODUCT, 90), timed(3, PRODUCT, 1),
    ]  # fmt: skip
    assert [round(one) for one in effect_pct(rounds, PRODUCT, NULL)] == [10, -10]


def test_each_state_is_played_and_every_order_of_its_load_is_acknowledged() -> None:
    """One short round with 3 sessions: none sends nothing; product and null answer every order."""
    report = measure(Options(rounds=1, seconds=0.5, rates=(200,)), Load(sessions=3, orders_per_s=60))
    rounds = {str(one["state"]): one for one in report.rounds}
    assert tuple(rounds) == STATES
    for state, sent in zip(STATES, (0, 180, 180), strict=True):
        loaded = rounds[state]["loaded"]
        assert isinstance(loaded, dict)
        assert (loaded["sent"], loaded["acked"]) == (sent, sent), state
        assert rounds[state]["last_leg"] is not None, state
    assert report.notes == []
    (told,) = json.loads(as_json([report]))["benchmarks"]
    assert "client_effect.200.product_against_null.p50" in told["figures"]
