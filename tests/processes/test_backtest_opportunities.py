"""Opportunities: when they begin and end, whose an intent is, and the one outcome that each gets."""

import pytest

from gateway.model.order import Side
from gateway.model.site import RuleSpec
from gateway.model.trade import (
    Intent,
    IntentRefused,
    PairPrice,
    PairTradeChanged,
    PairTradeState,
    RefusalName,
)
from gateway.processes.backtest_opportunities import Books, Opportunities

MS = 10**6
GRACE_NS = 100 * MS
BUY_AT, SELL_AT = -50, 50


class Story:
    """One rule that buys at -50 and sells at 50, and how free it is to fire."""

    def __init__(self) -> None:
        rule = RuleSpec("band", "P", BUY_AT, SELL_AT, 1, 1, 0, 0, 1)
        self.busy = "a trade of it was open"
        self.all = Opportunities(
            [rule],
            {"P": GRACE_NS},
            self.beyond,
            lambda _rule, _side, _at: self.busy,
        )

    @staticmethod
    def beyond(_rule: str, side: Side, px_e9: int, _books: Books) -> int | None:
        beyond = (BUY_AT - px_e9) if side is Side.BUY else px_e9 - SELL_AT
        return beyond if beyond >= 0 else None

    def true(self, at_ms: int, buy: int | None, sell: int | None) -> None:
        """The pair's price in the true books from now on."""
        self.all.on_true([self._price(at_ms, buy, sell, "ok")])

    def seen(self, at_ms: int, buy: int | None, sell: int | None, verdict: str = "ok") -> None:
        """The pair's price as the trigger has it from now on."""
        self.all.on_seen([self._price(at_ms, buy, sell, verdict)])

    def intent(self, at_ms: int, name: str = "I1", side: Side = Side.BUY) -> None:
        self.all.on_intent(Intent(name, 1, "P", "band", side, 1, 0, 0, 0, (), "V.A", 0, 0, 0, 0, at_ms * MS, 10**18))

    def ended(self, state: PairTradeState, name: str = "I1") -> None:
        self.all.on_trade(PairTradeChanged("T", name, "P", "band", Side.BUY, 1, 1, state, (), 0, 0, False, 0, 0))

    def outcomes(self, end_ms: int = 10_000) -> list[tuple[str, int, int, str]]:
        """Side, beginning, end in milliseconds, and outcome of each."""
        self.all.close(end_ms * MS)
        return [
            (one.side.name.lower(), one.begin_ns // MS, one.end_ns // MS, self.all.outcome(one))
            for one in self.all.found
        ]

    @staticmethod
    def _price(at_ms: int, buy: int | None, sell: int | None, verdict: str) -> PairPrice:
        return PairPrice("P", at_ms * MS, buy, sell, 3, 3, BUY_AT, SELL_AT, verdict)


def test_it_lasts_while_the_true_price_meets_the_threshold() -> None:
    """It begins at the first price at or beyond the threshold, ends at the first that is not, and keeps its best."""
    story = Story()
    for at_ms, buy in ((0, -49), (10, -50), (20, -70), (30, -60), (40, -49), (50, -51), (60, None)):
        story.true(at_ms, buy, 0)
    assert story.outcomes() == [("buy", 10, 40, "not seen"), ("buy", 50, 60, "not seen")]
    assert [(one.best_e9, one.best_units) for one in story.all.found] == [(20, 3), (1, 3)]


def test_both_sides_are_counted_apart() -> None:
    """Selling at or above the other threshold is an opportunity of its own, also at the same time."""
    story = Story()
    story.true(0, -60, 60)
    story.true(10, -60, 40)
    story.true(20, 0, 40)
    assert story.outcomes() == [("buy", 0, 20, "not seen"), ("sell", 0, 10, "not seen")]


def test_one_that_lasts_to_the_end_ends_with_it() -> None:
    """The backtest's end closes it."""
    story = Story()
    story.true(5, -60, 0)
    assert story.outcomes(end_ms=80) == [("buy", 5, 80, "not seen")]


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (PairTradeState.HEDGED, "captured"),
        (PairTradeState.UNWOUND, "unwound"),
        (PairTradeState.MISSED, "missed"),
        (PairTradeState.HALTED, "halted"),
        (PairTradeState.WORKING, "unfinished"),
    ],
)
def test_a_trade_decides_the_outcome(state: PairTradeState, outcome: str) -> None:
    """What became of the pair trade of its intent."""
    story = Story()
    story.true(0, -60, 0)
    story.seen(5, -60, 0)
    story.intent(6)
    story.ended(state)
    assert [one[3] for one in story.outcomes()] == [outcome]


def test_a_refusal_is_told_by_its_name() -> None:
    """The gate refused the intent, and no other was made."""
    story = Story()
    story.true(0, -60, 0)
    story.intent(6)
    story.all.on_refused(IntentRefused("I1", "P", "band", RefusalName.QUOTE_AGE, "too old"))
    assert [one[3] for one in story.outcomes()] == ["refused: quote_age"]


def test_of_several_trades_the_best_counts() -> None:
    """Captured when one of them was hedged, whatever came before or after."""
    story = Story()
    story.true(0, -60, 0)
    for at_ms, name, state in (
        (6, "I1", PairTradeState.MISSED),
        (16, "I2", PairTradeState.HEDGED),
        (26, "I3", PairTradeState.UNWOUND),
    ):
        story.intent(at_ms, name)
        story.ended(state, name)
    assert [one[3] for one in story.outcomes()] == ["captured"]


def test_an_intent_that_comes_late_is_still_its_own_within_the_grace() -> None:
    """Quotes are on their way for so long; after that it is a phantom, as is one of the other side."""
    story = Story()
    story.true(0, -60, 0)
    story.true(10, 0, 0)
    story.intent(110)
    story.ended(PairTradeState.HEDGED)
    story.intent(111, "I2")
    story.intent(20, "I3", Side.SELL)
    assert [one[3] for one in story.outcomes()] == ["captured"]
    assert story.all.phantoms == {"band": 2}


def test_the_most_frequent_reason_of_a_missed_one_is_told() -> None:
    """Seen and not free beats no price: somebody could have taken it."""
    story = Story()
    story.true(0, -60, 0)
    story.seen(1, None, None, "V.A: stale")
    story.seen(2, None, None, "V.A: stale")
    story.seen(3, -60, 0)
    story.busy = "cooling down"
    story.seen(4, -60, 0)
    story.seen(5, -60, 0)
    assert [one[3] for one in story.outcomes()] == ["not free: cooling down"]


def test_without_a_price_the_obstacle_is_told_without_its_instrument() -> None:
    """Stale is stale, of whichever leg: so that it can be counted."""
    story = Story()
    story.true(0, -60, 0)
    story.seen(1, None, None, "V.A: stale")
    story.seen(2, None, None, "V.B: stale")
    story.seen(3, None, None, "quotes of the legs too far apart")
    assert [one[3] for one in story.outcomes()] == ["no price: stale"]


def test_a_price_that_does_not_meet_is_not_seen() -> None:
    """The trigger had a price all along, and it never met the threshold: the quotes came too late."""
    story = Story()
    story.true(0, -60, 0)
    story.true(10, 0, 0)
    story.seen(50, -40, 0)
    assert [one[3] for one in story.outcomes()] == ["not seen"]


def test_a_side_without_a_price_on_whole_books_had_too_few_lots() -> None:
    """Nothing else stands in the way: it is never told as "ok"."""
    story = Story()
    story.true(0, -60, None)
    story.seen(10, None, None)
    story.true(100, None, None)
    assert story.outcomes() == [("buy", 0, 100, "no price: not enough lots in the books")]
