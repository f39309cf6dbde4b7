"""The synthetic tapes: valid books, whole numbers from a seed, a basis that returns."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.core.tape import Tape, TapeBook, TapeInstrument, TapeStatus, TapeTrade
from simulators.tapes import TapeError, load_tape
from simulators.tapes.summary import basis_figures, digest
from simulators.tapes.synthetic import SyntheticTape

SEEDS = st.integers(min_value=0, max_value=2**63)
NAMES = st.sampled_from(["cu", "au"])
DIGEST_CU_7_10 = "1f6f34be6e3b7fd76e0e5efc314d8bfe2f195156475d28b76f1b5f8fc77437d3"
DIGEST_AU_7_10 = "1665bb4b8691d75820baec6ebd3021d837d3740af200c314c12c96ca033a4bcc"


def synthetic(name: str, seed: int, seconds: int) -> SyntheticTape:
    """A synthetic tape as the profile of a simulator asks for it."""
    tape = load_tape("synthetic", name, "", seed, seconds)
    assert isinstance(tape, SyntheticTape)
    return tape


def within_limits(one: TapeInstrument, px_ticks: int) -> bool:
    """Whether a price lies within the day's limits, where there are any."""
    if one.high_limit_ticks is None or one.low_limit_ticks is None:
        return True
    return one.low_limit_ticks <= px_ticks <= one.high_limit_ticks


def assert_valid(tape: Tape, book: TapeBook) -> None:
    """Five levels a side, best first, no price twice, not crossed, whole lots, within the limits."""
    (one,) = [one for one in tape.instruments if one.symbol == book.symbol]
    prices = [px for px, _ in reversed(book.bids)] + [px for px, _ in book.asks]
    assert len(book.bids) == len(book.asks) == 5
    assert all(low < high for low, high in pairwise(prices))
    assert all(lots >= 1 for _, lots in book.bids + book.asks)
    assert all(within_limits(one, px) for px in prices)


@settings(max_examples=25, deadline=None)
@given(name=NAMES, seed=SEEDS)
def test_every_book_of_any_seed_is_valid_and_times_never_go_back(name: str, seed: int) -> None:
    """Whatever the seed, books are ordered, uncrossed, sized and within limits, and events come in order of time."""
    tape = synthetic(name, seed, 20)
    before_ns = 0
    for event in tape.events():
        assert before_ns <= event.at_ns < tape.duration_ns
        before_ns = event.at_ns
        if isinstance(event, TapeBook):
            assert_valid(tape, event)


@settings(max_examples=25, deadline=None)
@given(name=NAMES, seed=SEEDS)
def test_a_trade_takes_no_more_than_the_book_before_it_showed(name: str, seed: int) -> None:
    """A buyer takes from the asks, a seller from the bids, each level at most once and at most its lots."""
    books: dict[str, TapeBook] = {}
    for event in synthetic(name, seed, 20).events():
        if isinstance(event, TapeBook):
            books[event.symbol] = event
        elif isinstance(event, TapeTrade):
            book = books[event.symbol]
            side = dict(book.asks if event.aggressor == "1" else book.bids)
            assert 1 <= event.qty_lots <= side.pop(event.px_ticks)
            left = tuple(side.items())
            books[event.symbol] = book._replace(asks=left) if event.aggressor == "1" else book._replace(bids=left)


@settings(max_examples=10, deadline=None)
@given(name=NAMES, seed=SEEDS)
def test_a_shorter_tape_is_the_beginning_of_a_longer_one(name: str, seed: int) -> None:
    """Ten seconds are the first ten of twenty."""
    short = list(synthetic(name, seed, 10).events())
    long = list(synthetic(name, seed, 20).events())
    assert long[: len(short)] == short
    assert long[len(short)].at_ns >= 10_000_000_000


@pytest.mark.parametrize(("name", "expected"), [("cu", DIGEST_CU_7_10), ("au", DIGEST_AU_7_10)])
def test_the_digest_of_a_seed_is_the_same_on_every_machine(name: str, expected: str) -> None:
    """Seed 7, ten seconds: this digest, at the first iteration and at the second."""
    tape = synthetic(name, 7, 10)
    assert digest(tape.events()) == expected
    assert digest(tape.events()) == expected


@settings(max_examples=20, deadline=None)
@given(name=NAMES, seed=SEEDS)
def test_another_seed_is_another_tape(name: str, seed: int) -> None:
    """Two seeds give two digests."""
    assert digest(synthetic(name, seed, 2).events()) != digest(synthetic(name, seed + 1, 2).events())


@pytest.mark.parametrize(
    ("name", "low_deviation", "high_deviation"),
    [("cu", Decimal(30), Decimal(90)), ("au", Decimal("0.3"), Decimal("0.9"))],
)
def test_the_basis_returns_to_its_mean_within_bounds(
    name: str, low_deviation: Decimal, high_deviation: Decimal
) -> None:
    """Over ten minutes the basis has its half-life, its deviation, and a mean that is small against it."""
    figures = basis_figures(synthetic(name, 11, 600))
    assert figures.half_life_s is not None
    assert 2 <= figures.half_life_s <= 6
    assert low_deviation <= figures.deviation <= high_deviation
    assert abs(figures.mean) < figures.deviation / 2


@pytest.mark.parametrize("name", ["cu", "au"])
def test_a_spread_rule_meets_an_opportunity_every_few_seconds_in_both_directions(name: str) -> None:
    """At half the cost of crossing as the edge, each direction has at least three a minute, both at most thirty."""
    figures = basis_figures(synthetic(name, 11, 600))
    half = figures.opportunities[2]
    assert half.sell_domestic_per_min >= 3
    assert half.buy_domestic_per_min >= 3
    assert half.sell_domestic_per_min + half.buy_domestic_per_min <= 30


def test_five_lots_of_cu_and_one_of_ca_trade_within_two_levels_nearly_always() -> None:
    """In 99 of 100 books the best two levels hold five lots of copper, or one of the LME."""
    enough = {"cu2609": 5, "CA3M": 1}
    books = [event for event in synthetic("cu", 7, 300).events() if isinstance(event, TapeBook)]
    for symbol, lots in enough.items():
        sides = [side for book in books if book.symbol == symbol for side in (book.bids, book.asks)]
        deep = sum(side[0][1] + side[1][1] >= lots for side in sides)
        assert deep * 100 >= len(sides) * 99


def test_the_overseas_leg_comes_in_bursts_and_the_domestic_leg_moves_between_its_snapshots() -> None:
    """Overseas one second in twenty has 15 changes and more, a quarter at most 3; domestic 4 to 10 a second."""
    seconds = 300
    counts = {"CA3M": [0] * seconds, "cu2609": [0] * seconds, "USDCNH": [0] * seconds}
    for event in synthetic("cu", 7, seconds).events():
        if isinstance(event, TapeBook):
            counts[event.symbol][event.at_ns // 1_000_000_000] += 1
    overseas = sorted(counts["CA3M"])
    assert overseas[seconds * 95 // 100] >= 15
    assert overseas[seconds // 4] <= 3
    assert 4 * seconds <= sum(counts["cu2609"]) <= 10 * seconds


def test_the_tape_opens_with_status_and_book_of_each_instrument() -> None:
    """At time 0: ready to trade, three times, then three books around the stated levels."""
    tape = synthetic("cu", 7, 1)
    opening = [event for event in tape.events() if event.at_ns == 0]
    statuses, books = opening[:3], opening[3:]
    venues = [("SHFE", "cu2609"), ("LME", "CA3M"), ("LME", "USDCNH")]
    assert statuses == [TapeStatus(0, venue, symbol, "17") for venue, symbol in venues]
    mids = {book.symbol: (book.bids[0][0], book.asks[0][0]) for book in books if isinstance(book, TapeBook)}
    # 9 750 x 7.10 x 1.13 = 78 224.25 CNY/t; ticks of 10 CNY, 0.50 USD, 0.0001 CNH
    for symbol, ticks in {"cu2609": 7822, "CA3M": 19500, "USDCNH": 71000}.items():
        assert mids[symbol][0] - 1 <= ticks <= mids[symbol][1] + 1


def test_the_label_names_seed_parameters_and_sources() -> None:
    """A reader of a report learns the seed, what was chosen and what was fitted to which sets."""
    label = synthetic("au", 42, 60).label
    for words in ("seed 42", "GCZ6 x USDCNH x 1/31.1034768", "half-life 3500 ms", "SGX CN 2014-01-29", "(chosen)"):
        assert words in label


@pytest.mark.parametrize(
    ("kind", "name", "seconds", "message"),
    [
        ("live", "cu", 1, "kind: 'live': one of synthetic, recorded, csv"),
        ("synthetic", "zn", 1, "name: 'zn': one of cu, au"),
        ("synthetic", "cu", 0, "seconds: 0: a whole number above 0"),
    ],
)
def test_a_wrong_argument_is_told_with_what_would_be_right(kind: str, name: str, seconds: int, message: str) -> None:
    """The error names the argument, the value and the remedy."""
    with pytest.raises(TapeError) as error:
        load_tape(kind, name, "", 1, seconds)
    assert str(error.value) == message
