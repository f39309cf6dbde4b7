"""Pairs over given spans: windows in which every leg trades, and the traps between."""

from gateway.feed.calendar import Note, NoteKind, ProductCalendar, Span, State
from gateway.feed.calendar_pair import PairCalendar, Trap

HOUR = 3600 * 10**9


def calendar(
    product: str,
    hours: list[tuple[float, float, str]],
    *,
    domestic: bool = False,
    nights: bool = False,
    notes: tuple[Note, ...] = (),
    known: tuple[float, float] = (0, 100),
) -> ProductCalendar:
    return ProductCalendar(
        product,
        [Span(int(start * HOUR), int(end * HOUR), State.OPEN, day) for start, end, day in hours],
        known=(int(known[0] * HOUR), int(known[1] * HOUR)),
        notes=notes,
        domestic=domestic,
        nights=nights,
    )


def note(start: float, end: float, kind: NoteKind = NoteKind.CLOSED) -> Note:
    return Note(int(start * HOUR), int(end * HOUR), kind, "Feast")


def told(traps: tuple[Trap, ...]) -> list[tuple[float, float, str, str, str]]:
    return [(one.start_ns / HOUR, one.end_ns / HOUR, str(one.name), one.product, one.note) for one in traps]


HOME = calendar("H", [(9, 11, "1"), (13, 15, "1"), (33, 35, "2")], domestic=True, nights=True)


def test_a_window_is_where_every_leg_trades() -> None:
    """Three legs: the third shuts the end off; the home leg is the Chinese one wherever it stands."""
    pair = PairCalendar([calendar("A", [(8, 14, "1"), (34, 40, "2")]), HOME, calendar("B", [(0, 34.5, "1")])])
    windows = [(start / HOUR, end / HOUR) for start, end in pair.windows(0, 100 * HOUR)]
    assert (pair.home.product, windows) == ("H", [(9, 11), (13, 14), (34, 34.5)])
    assert pair.windows_of("1") == pair.windows(0, 20 * HOUR)


def test_time_until_shut_is_that_of_the_leg_that_shuts_first() -> None:
    """0 while one leg is shut, also at the very end of a window."""
    pair = PairCalendar([HOME, calendar("A", [(8, 14, "1")])])
    at = [8, 9, 13.5, 14, 33]
    assert [pair.ns_until_shut(int(one * HOUR)) / HOUR for one in at] == [0, 2, 0.5, 0, 0]
    assert [pair.is_open(int(one * HOUR)) for one in at] == [False, True, True, False, False]
    assert [pair.next_open(int(one * HOUR)) for one in at] == [9 * HOUR, 13 * HOUR, None, None, None]
    assert [pair.next_shut(int(one * HOUR)) for one in at] == [11 * HOUR, 11 * HOUR, 14 * HOUR, None, None]


def test_home_pauses_while_overseas_trades_on() -> None:
    """Lunch is a break, the night shut; both are told with the product that cannot trade."""
    pair = PairCalendar([HOME, calendar("A", [(8, 40, "1")])])
    assert told(pair.traps(9 * HOUR, 35 * HOUR)) == [
        (11, 13, "home_break", "H", ""),
        (15, 33, "home_shut", "H", ""),
    ]


def test_a_gap_at_home_of_more_than_two_hours_is_no_break() -> None:
    """Two hours are lunch, three are shut."""
    home = calendar("H", [(1, 2, "1"), (4, 5, "1"), (8, 9, "1")], domestic=True)
    found = PairCalendar([home, calendar("A", [(0, 10, "1")])]).traps(HOUR, 9 * HOUR)
    assert told(found) == [(2, 4, "home_break", "H", ""), (5, 8, "home_shut", "H", "")]


def test_a_holiday_at_home_begins_on_its_eve_where_there_is_a_night_session() -> None:
    """Between the last close and the holiday's midnight the night session is missing; without nights it is just shut."""
    notes = (note(24, 32),)
    overseas = calendar("A", [(8, 40, "1")])
    hours = [(9, 15, "1"), (33, 35, "2")]
    for nights, eve in ((True, "no_night"), (False, "home_shut")):
        home = calendar("H", hours, domestic=True, nights=nights, notes=notes)
        assert told(PairCalendar([home, overseas]).traps(9 * HOUR, 35 * HOUR)) == [
            (15, 24, eve, "H", "Feast"),
            (24, 33, "home_holiday", "H", "Feast"),
        ]


def test_overseas_halts_shuts_and_keeps_holidays_within_home_sessions() -> None:
    """A short pause is a halt, a long one shut, one with a closed day in it a holiday, one not known unknown."""
    home = calendar("H", [(0, 20, "1"), (30, 50, "2"), (60, 70, "3"), (80, 90, "4")], domestic=True)
    away = calendar(
        "A",
        [(0, 5, "1"), (6, 10, "1"), (15, 35, "2"), (45, 50, "2"), (71, 72, "4")],
        notes=(note(55, 70),),
        known=(0, 72),
    )
    assert [one for one in told(PairCalendar([home, away]).traps(0, 90 * HOUR)) if one[3] == "A"] == [
        (5, 6, "away_halt", "A", ""),
        (10, 15, "away_shut", "A", ""),
        (35, 45, "away_shut", "A", ""),
        (60, 70, "away_holiday", "A", "Feast"),
        (80, 90, "unknown", "A", ""),
    ]


def test_a_break_overseas_outside_home_sessions_is_told_too() -> None:
    """COMEX's hour in the Beijing morning: a position cannot be hedged there, whatever home does."""
    pair = PairCalendar([HOME, calendar("A", [(8, 30, "1"), (31, 40, "2")])])
    assert (30, 31, "away_break", "A", "") in told(pair.traps(0, 40 * HOUR))


def test_an_early_close_is_told() -> None:
    """From the close to local midnight, with its reason."""
    away = calendar("A", [(8, 14, "1")], notes=(note(14, 24, NoteKind.HALF),))
    assert (14, 24, "half_day", "A", "Feast") in told(PairCalendar([HOME, away]).traps(9 * HOUR, 15 * HOUR))


def test_an_opening_that_moved_by_an_hour_is_a_clock_change() -> None:
    """An hour, either way; a day that begins elsewhere for another reason is none."""
    away = calendar("A", [(9, 20, "1"), (32, 44, "2"), (57, 68, "3"), (83, 90, "4")])
    found = PairCalendar([HOME, away]).traps(0, 100 * HOUR)
    assert [one for one in told(found) if one[2] == "clock_change"] == [
        (32, 44, "clock_change", "A", "an hour earlier"),
        (57, 68, "clock_change", "A", "an hour later"),
    ]
