"""The calendar of a product over given spans: what an instant is, which trading day, what comes next."""

import pytest

from gateway.feed.calendar import CalendarError, ProductCalendar, Session, Span, State, overlap, without

HOUR = 3600 * 10**9
AUCTION, OPEN, UNKNOWN = State.AUCTION, State.OPEN, State.UNKNOWN


def span(start: float, end: float, state: State = OPEN, trade_date: str = "20261009") -> Span:
    return Span(int(start * HOUR), int(end * HOUR), state, trade_date)


CALENDAR = ProductCalendar(
    "X",
    [
        span(9, 10),
        span(10.5, 11.5),
        span(20.75, 21, AUCTION, "20261012"),
        span(21, 25, OPEN, "20261012"),
        span(40, 48, UNKNOWN, ""),
        span(50, 52, OPEN, "20261013"),
        span(52, 53, OPEN, "20261013"),
    ],
    known=(0, 60 * HOUR),
)


@pytest.mark.parametrize(
    ("hour", "state", "trading_day", "next_trading_day", "next_open", "next_shut"),
    [
        (-1, "unknown", None, "20261009", 9, 10),
        (0, "shut", None, "20261009", 9, 10),
        (9, "open", "20261009", "20261009", 10.5, 10),
        (9.999, "open", "20261009", "20261009", 10.5, 10),
        (10, "break", "20261009", "20261009", 10.5, 11.5),
        (10.5, "open", "20261009", "20261009", 21, 11.5),
        (11.5, "shut", None, "20261012", 21, 25),
        (20.75, "auction", "20261012", "20261012", 21, 25),
        (24.5, "open", "20261012", "20261012", 50, 25),
        (25, "shut", None, "20261013", 50, 53),
        (41, "unknown", None, "20261013", 50, 53),
        (48, "shut", None, "20261013", 50, 53),
        (51, "open", "20261013", "20261013", None, 53),
        (53, "shut", None, None, None, None),
        (60, "unknown", None, None, None, None),
    ],
)
def test_an_instant_has_a_state_a_trading_day_and_a_next_edge(
    hour: float,
    state: str,
    trading_day: str | None,
    next_trading_day: str | None,
    next_open: float | None,
    next_shut: float | None,
) -> None:
    """A session begins at its first instant and is over at its last; short pauses are breaks; unknown is not open."""
    at = int(hour * HOUR)

    def edge(hours: float | None) -> int | None:
        return None if hours is None else int(hours * HOUR)

    assert (
        str(CALENDAR.state(at)),
        CALENDAR.is_open(at),
        CALENDAR.trading_day(at),
        CALENDAR.next_trading_day(at),
        CALENDAR.next_open(at),
        CALENDAR.next_shut(at),
    ) == (state, state == "open", trading_day, next_trading_day, edge(next_open), edge(next_shut))


def test_sessions_that_touch_are_one() -> None:
    """Between 50 and 53 hours nothing shuts."""
    assert CALENDAR.sessions("20261013") == (Session(50 * HOUR, 53 * HOUR),)


def test_a_day_without_sessions_has_none() -> None:
    """A date that is no trading day gives nothing, not an error."""
    assert (CALENDAR.sessions("20261010"), CALENDAR.trade_dates()) == ((), ("20261009", "20261012", "20261013"))


def test_a_pause_of_two_hours_is_a_break_and_a_longer_one_is_not() -> None:
    """LME's night of six hours is shut, the Chinese lunch of two hours is a break."""
    two = ProductCalendar("X", [span(1, 2), span(4, 5), span(7.1, 8)], known=(0, 9 * HOUR))
    assert (two.state(3 * HOUR), two.state(6 * HOUR), two.breaks()) == ("break", "shut", ((2 * HOUR, 4 * HOUR),))


def test_an_auction_within_a_pause_belongs_to_the_break() -> None:
    """COMEX takes orders a quarter of an hour before it opens; the break is still the hour."""
    found = ProductCalendar("X", [span(1, 2), span(2.75, 3, AUCTION), span(3, 5)], known=(0, 9 * HOUR))
    assert found.breaks() == ((2 * HOUR, 3 * HOUR),)


@pytest.mark.parametrize("spans", [[span(1, 3), span(2, 4)], [span(2, 2)], [span(3, 4), span(1, 2)]])
def test_spans_that_overlap_are_refused(spans: list[Span]) -> None:
    """Two sessions at once, an empty one, or a wrong order are no calendar."""
    with pytest.raises(CalendarError, match="X: open from"):
        ProductCalendar("X", spans, known=(0, 9 * HOUR))


def test_overlap_and_without_share_out_a_stretch() -> None:
    """What lies in the spans and what does not make up the whole."""
    spans = [(1, 3), (5, 8), (9, 12)]
    assert (overlap(spans, 2, 10), without(2, 10, spans)) == ([(2, 3), (5, 8), (9, 10)], [(3, 5), (8, 9)])
