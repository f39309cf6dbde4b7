"""Which quote the benchmark venue writes when, and which orders it has to see for it. Pure.

Two instruments make one pair; its price is leg A minus FACTOR times leg B. Quotes alternate between the legs. Every
N-th quote, a trigger, moves one leg so far that the rule is met; it stands there for 4 ms of quotes, because a program
may rightly skip a quote that a newer one has overtaken, and then moves back. Triggers take turns: buy by leg A, sell by
leg A, buy by leg B, sell by leg B, so positions return to flat. The prices of both legs encode the trigger's number
modulo CODES, so every order's price says which trigger it answers.
"""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

CODES = 16
"""Price levels that tell successive triggers apart."""
TRIGGERS_PER_S = 20
HELD_PER_MILLE = 80
"""Of a thousand quotes, so many only hold a trigger: 4 ms of the 50 ms from one trigger to the next."""

A = 0
B = 1
BUY = 1
SELL = -1


class LegTerms(msgspec.Struct, frozen=True):
    """One leg's contract as site file, reference and venue have to agree on it. `base_ticks` is where it stands."""

    venue: str
    symbol: str
    tick: Decimal
    base_ticks: int
    shift_ticks: int
    """How far a trigger moves it."""
    qty_lots: int
    account: str


LEGS = (
    LegTerms("SHFE", "cu2609", Decimal(10), 8000, 200, 5, "A1"),
    LegTerms("LME", "CA3M", Decimal("0.5"), 19942, 500, 1, "B1"),
)
FACTOR = Decimal("8.023")
"""CNY per t for one USD per t: 7.1 CNY per USD x 1.13 VAT."""
BUY_AT = Decimal(-1000)
SELL_AT = Decimal(1000)
SHOWN_LOTS = 60
"""Size of every level; the size of the best changes from quote to quote."""


class Step(msgspec.Struct, frozen=True):
    """One quote: `leg` now stands at `base + code + shift`. `trigger` is the number of the trigger it is, else None.

    `moved` tells that the whole book moved, not only the size at the best.
    """

    leg: int
    code: int
    shift: int
    moved: bool
    trigger: int | None


class Expected(msgspec.Struct, frozen=True):
    """The order that a trigger calls for on one leg."""

    buy: bool
    px_ticks: int


def side_of(trigger: int) -> int:
    """Buy and sell in turn."""
    return SELL if trigger % 2 else BUY


def cause_of(trigger: int) -> int:
    """Two triggers by leg A, two by leg B."""
    return trigger // 2 % 2


def shift_of(trigger: int) -> int:
    """Ticks by which the causing leg moves: the pair gets cheap for a buy, dear for a sell."""
    leg = cause_of(trigger)
    down = (side_of(trigger) == BUY) == (leg == A)
    return -LEGS[leg].shift_ticks if down else LEGS[leg].shift_ticks


def best(leg: int, code: int, shift: int) -> tuple[int, int]:
    """Best bid and ask, in ticks."""
    bid = LEGS[leg].base_ticks + code + shift
    return bid, bid + 1


def expected(trigger: int, leg: int) -> Expected:
    """The order on `leg` for `trigger`: the opposite best price as the trigger left it."""
    bid, ask = best(leg, trigger % CODES, shift_of(trigger) if leg == cause_of(trigger) else 0)
    buy = (side_of(trigger) == BUY) == (leg == A)
    return Expected(buy, ask if buy else bid)


def quotes_per_trigger(rate: int, triggers_per_s: int = TRIGGERS_PER_S) -> int:
    """Quotes from one trigger to the next; at least 5, or there would be no room to move both legs."""
    return max(5, rate // triggers_per_s)


def steps(per_trigger: int, first_trigger: int = 0) -> Iterator[Step]:
    """All quotes from `first_trigger` on, without end, in groups of `per_trigger` for each trigger.

    A group's first quote moves the causing leg of the trigger before back, the second brings the other leg to the new
    code; quiet ones follow in turn, then the trigger, then those through which it is held.
    """
    held = per_trigger * HELD_PER_MILLE // 1000
    trigger = first_trigger
    moved_before = cause_of(trigger - 1) if trigger else A
    while True:
        code = trigger % CODES
        cause = cause_of(trigger)
        yield Step(moved_before, code, 0, moved=True, trigger=None)
        yield Step(1 - moved_before, code, 0, moved=True, trigger=None)
        for number in range(per_trigger - 3 - held):
            yield Step((moved_before + number) % 2, code, 0, moved=False, trigger=None)
        shifts = {cause: shift_of(trigger), 1 - cause: 0}
        yield Step(cause, code, shifts[cause], moved=True, trigger=trigger)
        for number in range(held):
            leg = (cause + 1 + number) % 2
            yield Step(leg, code, shifts[leg], moved=False, trigger=None)
        moved_before = cause
        trigger += 1
