"""The draws: exact tables, right means and deviations, the shapes that a ladder and the hidden prices rest on."""

from random import Random

from simulators.core.tape import TapeBook, TapeTrade
from simulators.tapes.draws import EXPONENTIAL, SECOND_NS, diffusion, quantile, wait_ns
from simulators.tapes.ladder import BookShape, Ladder
from simulators.tapes.latent import Arrivals, Reverting, Walk

FLAT = BookShape("V", "S", (1,) * 16, (1000,) * 17, 10, (1000,) * 5, 0)


def seeded(seed: int) -> Random:
    """The same draws each time."""
    return Random(seed)  # noqa: S311 - seeded on purpose


def test_the_exponential_table_is_what_decimal_gives() -> None:
    """First, middle and last entries: -ln(1/8192), -ln(4097/8192), -ln(8191/8192), in millionths."""
    assert (len(EXPONENTIAL), EXPONENTIAL[0], EXPONENTIAL[2048], EXPONENTIAL[-1]) == (4096, 9_010_913, 692_903, 122)


def test_waits_have_the_mean_that_was_asked_for() -> None:
    """The mean of 20 000 waits lies within 3 % of a second, and none is below a microsecond."""
    random = seeded(1)
    waits = [wait_ns(random, SECOND_NS) for _ in range(20_000)]
    assert 97 * SECOND_NS <= sum(waits) * 100 // len(waits) <= 103 * SECOND_NS
    assert min(waits) >= 1_000


def test_a_diffusion_scales_with_the_root_of_time() -> None:
    """Over four seconds the mean square is four times sigma squared, within 5 %."""
    random = seeded(2)
    steps = [diffusion(random, 1_000, 4 * SECOND_NS) for _ in range(20_000)]
    assert 3_800_000 <= sum(step * step for step in steps) // len(steps) <= 4_200_000


def test_a_quantile_draw_stays_within_its_table() -> None:
    """Draws of a table from 0 to 160 spread evenly between its ends."""
    random = seeded(3)
    draws = [quantile(random, tuple(range(0, 170, 10))) for _ in range(5_000)]
    assert (min(draws), max(draws)) == (0, 159)
    assert 78 <= sum(draws) // len(draws) <= 82


def test_a_walk_stays_within_its_bounds() -> None:
    """A walk with a large step and narrow bounds touches both and leaves neither."""
    walk = Walk(seeded(4), 0, 1_000, -500, 500)
    values = {walk.advance(i * SECOND_NS) for i in range(1, 500)}
    assert (min(values), max(values)) == (-500, 500)


def test_a_basis_without_shocks_and_noise_halves_in_its_half_life() -> None:
    """From 1 000 000 it is at half, within 1 %, after its half-life in steps of 10 ms."""
    basis = Reverting(seeded(5), 2_000, 10**12, 0, 0)
    basis.value = 1_000_000
    for i in range(1, 201):
        basis.advance(i * 10_000_000)
    assert 495_000 <= basis.value <= 505_000


def test_shocks_come_at_their_rate_and_size() -> None:
    """With hardly any decay, each step between readings is a sum of shocks of half to one and a half times 1 000."""
    basis = Reverting(seeded(6), 10**12, 1_000, 1_000, 0)
    before, jumps = 0, []
    for i in range(1, 100_001):
        now = basis.advance(i * 10_000_000)
        if abs(now - before) > 100:
            jumps.append(abs(now - before))
        before = now
    assert 900 <= len(jumps) <= 1_100
    assert min(jumps) >= 495
    assert sorted(jumps)[len(jumps) * 9 // 10] <= 1_500


def test_arrivals_have_the_mean_rate_of_their_two_states() -> None:
    """Eight seconds at 2 a second and two at 20 make 5.6 a second, within 5 %, over an hour and more."""
    arrivals = Arrivals(seeded(7), (8_000, 2), (2_000, 20))
    count = 0
    while arrivals.next_ns < 10_000 * SECOND_NS:
        arrivals.advance()
        count += 1
    assert 53_200 <= count <= 58_800


def test_a_ladder_stands_around_its_mid() -> None:
    """At a mid of 100.5 ticks with a spread of one, the bid is 100 and the ask 101, ten lots a level."""
    book = Ladder(FLAT, seeded(8), 100_500_000).book(9)
    bids = ((100, 10), (99, 10), (98, 10), (97, 10), (96, 10))
    asks = ((101, 10), (102, 10), (103, 10), (104, 10), (105, 10))
    assert book == TapeBook(9, "V", "S", bids, asks)


def test_a_ladder_that_is_passed_trades_its_levels_away_and_follows() -> None:
    """A mid that jumps three ticks up takes from the asks at 101, 102, 103 only, and the book is 103 to 104."""
    seen = set()
    for seed in range(40):
        ladder = Ladder(FLAT, seeded(seed), 100_500_000)
        trades = ladder.step(5, 103_500_000)
        assert set(trades) <= {TapeTrade(5, "V", "S", px, 10, "1") for px in (101, 102, 103)}
        seen |= set(trades)
        book = ladder.book(5)
        assert (book.bids[0], book.asks[0]) == ((103, 10), (104, 10))
    assert len(seen) == 3


def test_a_ladder_that_is_passed_downwards_is_the_mirror() -> None:
    """A mid that falls by two ticks takes from the bids at 100 and 99 only, by sellers."""
    seen = set()
    for seed in range(40):
        ladder = Ladder(FLAT, seeded(seed), 100_500_000)
        seen |= set(ladder.step(5, 98_500_000))
        assert ladder.book(5).bids[0][0] == 98
    assert seen == {TapeTrade(5, "V", "S", px, 10, "2") for px in (100, 99)}
