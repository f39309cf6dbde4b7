"""Moving bands: exact statistics, warm-up, standing still while a leg is unusable, floor, cap, sides."""

from fractions import Fraction
from math import isqrt

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_trigger_core import PLAIN, T, book, core, shoot, status
from trigger_values import DOMESTIC, INSTRUMENTS, SILENCE_NS, THIRD, e9, rule

from gateway.model.base import PRICE_E9
from gateway.model.conditions import BandKind, MovingBand, RuleSide
from gateway.model.order import Side
from gateway.model.quote import BookState
from gateway.model.record import SamplesLoaded
from gateway.model.rules import ChangeRules
from gateway.model.site import RuleSpec
from gateway.trigger.band import Band, Exponential, Rolling
from gateway.trigger.core import TriggerCore

INTERVAL = 100
PRICES = st.integers(-(10**15), 10**15)
BAND = MovingBand(BandKind.ROLLING, INTERVAL, 4, 3, e9("1"), e9("5"))


def banded(band: MovingBand = BAND, **fields: object) -> RuleSpec:
    return msgspec.structs.replace(rule(cool_down_ns=0), band=band, **fields)


def tick(one: TriggerCore, at_ns: int, bid: int | None = None) -> None:
    """The domestic book moves, then a sample is due."""
    if bid is not None:
        one.on_quote(book(DOMESTIC, bid, bid + 1, recv_ns=at_ns), at_ns)
        one.on_quote(book(THIRD, 100, 101, recv_ns=at_ns), at_ns)
    one.on_tick(at_ns)


@given(st.lists(PRICES, min_size=1, max_size=40), st.integers(2, 12))
def test_a_rolling_band_is_mean_and_deviation_of_the_last_samples(samples: list[int], length: int) -> None:
    """To the last digit what fractions give: mean rounded down, root of the population variance rounded down."""
    rolling = Rolling(length)
    for sample in samples:
        rolling.add(sample)
    last = samples[-length:]
    mean = Fraction(sum(last), len(last))
    variance = sum((Fraction(one) - mean) ** 2 for one in last) / len(last)
    assert rolling.middle_e9() == mean // 1
    squares = len(last) * len(last) * variance
    assert rolling.deviation_e9() == isqrt(int(squares)) // len(last)


@settings(max_examples=50)
@given(st.lists(PRICES, min_size=1, max_size=40), st.integers(2, 12))
def test_an_exponential_band_is_the_recursion_on_fractions(samples: list[int], length: int) -> None:
    """Mean and variance by their recursion in fractions agree to a billionth of a billionth and one."""
    found = Exponential(length)
    mean = variance = Fraction(0)
    weight = Fraction(2, length + 1)
    for place, sample in enumerate(samples):
        found.add(sample)
        if place == 0:
            mean = Fraction(sample)
            continue
        away = sample - mean
        mean += weight * away
        variance = (1 - weight) * (variance + weight * away * away)
    assert abs(found.middle_e9() - mean) <= 1
    assert abs(found.deviation_e9() - isqrt(int(variance))) <= 1


def test_floor_and_cap_bound_the_half_width() -> None:
    """Flat prices have the floor's width, wild ones the cap's, and buying is below, selling above the middle."""
    flat = Band(msgspec.structs.replace(BAND, cap_e9=e9("7")), [e9("10")] * 4)
    wild = Band(msgspec.structs.replace(BAND, cap_e9=e9("7")), [e9("0"), e9("100"), e9("0"), e9("100")])
    assert (flat.threshold_e9(Side.BUY), flat.threshold_e9(Side.SELL)) == (e9("5"), e9("15"))
    assert (wild.threshold_e9(Side.BUY), wild.threshold_e9(Side.SELL)) == (e9("43"), e9("57"))


def test_a_band_warms_up_before_it_fires_and_says_so() -> None:
    """Before its third sample the rule has no threshold, fires at no price and tells why; with it, it fires."""
    one = core(banded())
    one.on_tick(T)
    (price,) = one.changed_prices()
    assert (price.buy_at_e9, price.verdict) == (None, "R: warming up")
    assert [said.reason for said in one.news(T)[0]] == ["warming up"]
    for number in (1, 2):
        tick(one, T + number * INTERVAL, 100)
        assert shoot(one, book(DOMESTIC, 1, 2, recv_ns=T + number * INTERVAL), T + number * INTERVAL) == []
    tick(one, T + 3 * INTERVAL, 100)
    (price,) = one.changed_prices()
    assert (price.buy_at_e9, price.sell_at_e9, price.verdict) == (e9("-5"), e9("5"), "ok")
    intents = shoot(one, book(DOMESTIC, 97, 98, recv_ns=T + 3 * INTERVAL + 1), T + 3 * INTERVAL + 1)
    assert [(intent.side, intent.threshold_e9) for intent in intents] == [(Side.BUY, e9("-5"))]


def test_a_sample_is_taken_once_in_an_interval_and_none_while_a_leg_is_unusable() -> None:
    """However often somebody looks; in a gap the band stands still."""
    one = core(banded())
    machine = one.rules.machines["R"]
    one.on_tick(T)
    for at_ns in (T + INTERVAL, T + INTERVAL + 1, T + 2 * INTERVAL - 1):
        tick(one, at_ns, 100)
    assert machine.band is not None
    assert machine.band.samples == 1
    one.on_quote(book(THIRD, 100, 101, state=BookState.GAP, recv_ns=T + 2 * INTERVAL), T + 2 * INTERVAL)
    one.on_tick(T + 2 * INTERVAL)
    one.on_tick(T + 3 * INTERVAL)
    assert machine.band.samples == 1
    tick(one, T + 4 * INTERVAL, 100)
    assert machine.band.samples == 2


def test_fixed_thresholds_bound_a_moving_band_and_a_side_may_be_left_out() -> None:
    """Never bought above buy_at however high the band stands, and a band for one side has no other."""
    one = core(msgspec.structs.replace(banded(side=RuleSide.BUY), buy_at_e9=e9("-30")))
    one.on_samples(SamplesLoaded(T, "P", INTERVAL, tuple((T, e9("0")) for _ in range(4))))
    machine = one.rules.machines["R"]
    assert (machine.threshold_e9(Side.BUY), machine.threshold_e9(Side.SELL)) == (e9("-30"), None)


def test_samples_of_the_record_warm_a_band_up_at_once() -> None:
    """A restarted trigger whose record has the samples begins where it was."""
    one = core(banded())
    one.on_samples(SamplesLoaded(T, "P", INTERVAL, tuple((T - back, e9("0")) for back in (300, 200, 100))))
    assert len(shoot(one, book(DOMESTIC, 97, 98, recv_ns=T + 1), T + 1)) == 1


@pytest.mark.parametrize("kind", tuple(BandKind))
def test_the_same_samples_give_the_same_thresholds_bit_by_bit(kind: BandKind) -> None:
    """Loaded or taken one by one."""
    band = msgspec.structs.replace(BAND, kind=kind, length=7)
    samples = [number * number * 123_456_789 % PRICE_E9 for number in range(50)]
    one_by_one = Band(band)
    for sample in samples:
        one_by_one.add(sample)
    loaded = Band(band, samples)
    assert [loaded.threshold_e9(side) for side in Side] == [one_by_one.threshold_e9(side) for side in Side]


def test_a_band_of_other_deviations_keeps_its_samples() -> None:
    """k, floor and cap change in flight without a new warm-up; another length starts from the samples that are kept."""
    one = TriggerCore((PLAIN,), (banded(),), INSTRUMENTS, silence_ns=SILENCE_NS)
    one.on_execution(status(), T)
    one.on_samples(SamplesLoaded(T, "P", INTERVAL, tuple((T, e9(str(price))) for price in (0, 10, 0, 10))))
    wider = msgspec.structs.replace(BAND, deviations_e9=e9("2"))
    one.change(ChangeRules("K", "w", "r", (banded(wider),)), T)
    assert one.rules.machines["R"].threshold_e9(Side.BUY) == e9("-5")
    shorter = msgspec.structs.replace(BAND, length=3)
    one.change(ChangeRules("L", "w", "r", (banded(shorter),)), T)
    band = one.rules.machines["R"].band
    assert band is not None
    assert (band.samples, band.is_warm) == (3, True)
    longer = msgspec.structs.replace(BAND, length=9, warm_up=9)
    one.change(ChangeRules("M", "w", "r", (banded(longer),)), T)
    assert one.rules.machines["R"].threshold_e9(Side.BUY) is None
