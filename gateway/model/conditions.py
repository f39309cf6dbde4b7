"""What a rule may ask for beyond a threshold: where it may act, when, against which costs, from which statistics.

They are parts of `RuleSpec` (`gateway/model/site.py`); nothing here decides. Money and prices are whole 1e-9 of their
unit, shares and rates whole 1e-9 (a rate of 2.5 % is 25_000_000), times nanoseconds.
"""

from enum import StrEnum

from gateway.model.base import Message


class RuleKind(StrEnum):
    """What is compared with what."""

    PRICE = "price"
    """The pair's executable price, spread or ratio as its formula has it, with thresholds or a moving band."""
    COUNTER_PRICE = "counter_price"
    """Both legs at the best opposite price for the wanted size: money left after costs, with `min_edge_e9`."""


class RuleAction(StrEnum):
    """What a rule may do to the position that its trades hold."""

    BOTH = "both"
    """Buy and sell, up to max_units on either side."""
    OPEN = "open"
    """Only make the position larger."""
    CLOSE = "close"
    """Only make it smaller: the position of the rule `closes`, or of all rules of the pair where that is empty."""


class Window(Message):
    """Hours of a week in which a rule may fire: from `from_s` to `until_s` seconds of the day, in `zone`.

    `days` are those on which the window begins, Monday 0; one that ends before it begins goes on past midnight.
    """

    zone: str
    """IANA name, such as Asia/Shanghai."""
    days: tuple[int, ...]
    from_s: int
    until_s: int


class BandKind(StrEnum):
    """How the middle and the deviation of a moving band follow the price."""

    ROLLING = "rolling"
    """Of the last `length` samples, each alike."""
    EXPONENTIAL = "exponential"
    """Each sample counts for 2 / (length + 1), all before it for the rest."""


class RuleSide(StrEnum):
    """Which side is traded where no thresholds say it: of a moving band, of a counter-price rule."""

    BOTH = "both"
    BUY = "buy"
    SELL = "sell"


class MovingBand(Message):
    """Thresholds that follow the pair's price: middle less and plus `deviations_e9` standard deviations.

    A sample is the middle of the pair's two prices, taken every `interval_ns` while both can be had; while a leg is
    unusable nothing is sampled and the band stands still. The half width is never under `floor_e9` nor over `cap_e9`.
    """

    kind: BandKind
    interval_ns: int
    length: int
    """Samples of the window, or of the exponential weights."""
    warm_up: int
    """Samples that have to be there before the rule may fire."""
    deviations_e9: int
    floor_e9: int = 0
    cap_e9: int | None = None
    warm_up_age_ns: int = 0
    """How old samples of the record may be that count at a start; 0: the time that so many samples take."""


class Costs(Message):
    """What a counter-price rule takes off the edge, beside the fees of its instruments."""

    fair_e9: int = 0
    """The price at which the pair is worth nothing: 0 for most spreads, 1_000_000_000 for most ratios."""
    financing_rate_e9: int = 0
    """Per year of 365 days, on the value of the legs at `financed_e9`."""
    holding_days: int = 0
    """Expected; with 0 the close of today is what closing costs."""
    financed_e9: tuple[int, ...] = ()
    """Share of each leg's value that is financed (a future: its margin); empty: all of every leg."""
    slippage_ticks: tuple[int, ...] = ()
    """Expected beyond the price seen, for each leg; empty: none."""


class FeeRow(Message):
    """What an exchange and a broker take of one lot, from a day on. Per lot in the instrument's currency, or of value.

    Both kinds add up. A row counts from `from_day` until the next row's; a day before the first row has no fees known,
    and a counter-price rule has no edge then.
    """

    from_day: str
    """YYYYMMDD."""
    open_per_lot_e9: int
    close_per_lot_e9: int
    close_today_per_lot_e9: int
    open_rate_e9: int
    close_rate_e9: int
    close_today_rate_e9: int
    source: str
    """Where the figures are from."""
