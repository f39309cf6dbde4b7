"""What execution is told of trading hours."""

from gateway.feed.calendar import ProductCalendar, Span, State
from gateway.model.trade import HoursChanged
from gateway.processes.hours import HoursTeller

S = 10**9
SPANS = (
    Span(100 * S, 200 * S, State.OPEN, "20260615"),
    Span(300 * S, 400 * S, State.OPEN, "20260615"),
    Span(500 * S, 600 * S, State.OPEN, "20260616"),
)


def teller(product: str) -> HoursTeller:
    return HoursTeller({"X.y": ProductCalendar(product, SPANS, known=(0, 1000 * S))})


def test_hours_are_told_once_at_the_start_and_at_each_change() -> None:
    """The start of a session, its end, a break and a new trading day are told; nothing in between."""
    given = teller("SHFE.CU")
    at = {
        seconds: list(given.changes(seconds * S + 7, seconds * S)) for seconds in (50, 60, 100, 150, 200, 300, 450, 500)
    }
    assert at == {
        50: [HoursChanged("X.y", False, 0, "20260615")],
        60: [],
        100: [HoursChanged("X.y", True, 200 * S + 7, "20260615")],
        150: [],
        200: [HoursChanged("X.y", False, 0, "20260615")],
        300: [HoursChanged("X.y", True, 400 * S + 7, "20260615")],
        450: [HoursChanged("X.y", False, 0, "20260616")],
        500: [HoursChanged("X.y", True, 600 * S + 7, "20260616")],
    }


def test_a_contract_with_a_prompt_each_day_is_told_its_prompt() -> None:
    """LME 3M: the prompt goes with the trading day."""
    (told,) = teller("LME.CA").changes(150 * S, 150 * S)
    assert told.prompt == "20260615+3M"


def test_beyond_the_calendar_an_instrument_is_shut() -> None:
    """What is not known counts as shut."""
    (told,) = teller("SHFE.CU").changes(2000 * S, 2000 * S)
    assert (told.open, told.trading_day) == (False, "")
