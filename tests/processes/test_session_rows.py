"""Session templates and holidays files: what is read, and how a mistake is told."""

from datetime import date

import pytest

from gateway.processes.session_rows import (
    DayKind,
    Holidays,
    Hours,
    Override,
    SessionError,
    Special,
    overridden,
    parse_overrides,
    parse_sessions,
)

ROW = """
[[session]]
products = ["SHFE.CU"]
exchange = "SHFE"
zone = "Asia/Shanghai"
valid_from = 2020-05-07
day = ["09:00-10:15"]
evening = ["21:00-01:00"]
source = "a page"
mark = "S"
"""


def test_hours_over_midnight_run_into_the_next_day() -> None:
    """21:00-01:00 is minute 1260 to 1500."""
    row = parse_sessions(ROW, "t.toml")["SHFE.CU"][0]
    assert (row.day, row.evening, row.half_close) == ((Hours(540, 615),), (Hours(1260, 1500),), None)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('mark = "S"', 'mark = "X"', "session 1: mark X: one of S, M, D, G"),
        ('mark = "S"\n', "", "session 1: mark missing"),
        ("evening =", "evning =", "session 1: evning unknown"),
        ("Asia/Shanghai", "Asia/Shangai", "zone Asia/Shangai: a name of the IANA database"),
        ("2020-05-07", '"2020-05-07"', "valid_from: 2020-05-07: a date such as"),
        ("2020-05-07", "2020-05-07T09:00:00", "valid_from: 2020-05-07 09:00:00: a date such as"),
        ("09:00-10:15", "9:00-10:15", 'day: 9:00: a time such as "21:00"'),
        ("09:00-10:15", "10:15-09:00", "day: 10:15-09:00: should end after it begins"),
        ('"09:00-10:15"', '"09:00-10:15", "10:00-11:00"', "day: 10:00-11:00: should begin after"),
        ('["SHFE.CU"]', '"SHFE.CU"', "products SHFE.CU: should be a list"),
        ('source = "a page"', 'source = ""', "source : should be text in quotes"),
        ('mark = "S"', 'mark = "S"\nvalid_to = 2020-01-01', "valid_to 2020-01-01: not before valid_from"),
        (
            'mark = "S"',
            'mark = "S"\nevening_of = "friday"',
            "evening_of: friday: one of previous_trading_day, day_before",
        ),
        ('mark = "S"', 'mark = "S"\nevening_weekdays = ["sun"]', "evening_weekdays: sun: one of mon"),
        (
            'mark = "S"',
            'mark = "S"\nevening_before_holiday = "no"',
            "evening_before_holiday no: should be true or false",
        ),
        ('day = ["09:00-10:15"]\nevening = ["21:00-01:00"]\n', "", "no hours: day, evening or both"),
        ("[[session]]", "[[sessions]]", "sessions: should be tables"),
        ("[[session]]", "[[session", "not TOML"),
    ],
)
def test_a_mistake_in_a_template_is_told(old: str, new: str, words: str) -> None:
    """With the file, the place, the value and what would be right."""
    with pytest.raises(SessionError) as told:
        parse_sessions(ROW.replace(old, new), "t.toml")
    assert str(told.value).startswith("t.toml: ")
    assert words in str(told.value)


def test_two_rows_of_a_product_may_not_cover_one_day() -> None:
    """The first needs an end before the second begins."""
    later = ROW.replace("2020-05-07", "2024-01-01")
    with pytest.raises(SessionError, match=r"SHFE\.CU: rows from 2020-05-07 and from 2024-01-01 overlap"):
        parse_sessions(ROW + later, "t.toml")
    ended = ROW + "valid_to = 2023-12-31\n"
    assert len(parse_sessions(later + ended, "t.toml")["SHFE.CU"]) == 2


OVERRIDES = """# notices of the exchanges
exchange,date,kind,reason
COMEX,2026-11-26,halt 14:30,CME holiday calendar
COMEX,2026-11-27,half 13:45,"CME holiday calendar, seen 2026-11-20"
SHFE,2027-02-05,closed,notice for 2027

SHFE,2027-12-31,known,notice for 2027
SHFE,2026-06-19,open,test
"""


def test_a_holidays_file_states_days_and_how_far_they_are_known() -> None:
    """Times are minutes of the local day; comments and empty lines are passed over."""
    assert parse_overrides(OVERRIDES, "h.csv", ["SHFE", "COMEX"]) == (
        Override("COMEX", date(2026, 11, 26), Special(DayKind.HALT, "CME holiday calendar", 870)),
        Override("COMEX", date(2026, 11, 27), Special(DayKind.HALF, "CME holiday calendar, seen 2026-11-20", 825)),
        Override("SHFE", date(2027, 2, 5), Special(DayKind.CLOSED, "notice for 2027")),
        Override("SHFE", date(2027, 12, 31), None),
        Override("SHFE", date(2026, 6, 19), Special(DayKind.OPEN, "test")),
    )


def test_a_sites_days_stand_over_the_librarys() -> None:
    """Days of other exchanges are left alone; `known` moves the end."""
    library = Holidays(
        "SHFE", date(2026, 1, 1), date(2026, 12, 31), {date(2026, 6, 19): Special(DayKind.CLOSED, "Dragon Boat")}
    )
    assert overridden(library, parse_overrides(OVERRIDES, "h.csv", ["SHFE", "COMEX"])) == Holidays(
        "SHFE",
        date(2026, 1, 1),
        date(2027, 12, 31),
        {
            date(2026, 6, 19): Special(DayKind.OPEN, "test"),
            date(2027, 2, 5): Special(DayKind.CLOSED, "notice for 2027"),
        },
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("SHEF,2027-02-05,closed,x", "h.csv:2: exchange SHEF: one of COMEX, SHFE"),
        ("SHFE,2027-2-5,closed,x", "h.csv:2: date 2027-2-5: a date such as"),
        ("SHFE,2027-02-30,closed,x", "h.csv:2: date 2027-02-30: a date such as"),
        ("SHFE,2027-02-05,shut,x", "h.csv:2: kind: shut: one of closed, dark, half, halt, open"),
        ("SHFE,2027-02-05,closed 12:00,x", "h.csv:2: kind closed 12:00: only half and halt have a time"),
        ("SHFE,2027-02-05,half 25:00,x", 'h.csv:2: 25:00: a time such as "21:00"'),
        ("SHFE,2027-02-05,closed,", "h.csv:2: reason missing"),
        ("SHFE,2027-02-05,closed", "h.csv:2: SHFE,2027-02-05,closed: 4 fields"),
        ('SHFE,2027-02-05,closed,"x', "h.csv: unexpected end of data: should be CSV"),
    ],
)
def test_a_mistake_in_a_holidays_file_is_told(line: str, words: str) -> None:
    """With its line."""
    with pytest.raises(SessionError) as told:
        parse_overrides(f"exchange,date,kind,reason\n{line}\n", "h.csv", ["SHFE", "COMEX"])
    assert str(told.value).startswith(words)


@pytest.mark.parametrize("text", ["", "# only words\n", "SHFE,2027-02-05,closed,x\n"])
def test_a_holidays_file_needs_its_header(text: str) -> None:
    """Without it a column could be taken for another."""
    with pytest.raises(SessionError, match="the header exchange,date,kind,reason"):
        parse_overrides(text, "h.csv", ["SHFE"])
