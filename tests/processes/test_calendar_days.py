"""Days checked by hand against published notices and clock changes, as tables in Beijing time (UTC+8 all year).

The expected times are worked out with the fixed offsets of the season, not with the time zone library under test.
"""

import csv
import gzip
import random
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gateway.feed.calendar import ProductCalendar
from gateway.processes.calendars import build_calendars
from gateway.processes.holidays import exchanges, special_days
from gateway.processes.session_days import make_calendar
from gateway.processes.session_rows import DayKind, Holidays, SessionError, Special, parse_sessions
from simulators.tapes import RECORDED_SETS

BEIJING_NS = 8 * 3600 * 10**9
DAY = "09:00-10:15 10:30-11:30 13:30-15:00"
"""Of the Chinese commodity exchanges."""

# product    trading day  sessions in Beijing time, a date (mm-dd) where one begins on another day
CLOCKS_US = """
COMEX.GC     2026-03-06   07:00-06:00
COMEX.GC     2026-03-09   06:00-05:00
CBOT.ZM      2026-03-06   09:00-21:45 22:30-03:20
CBOT.ZM      2026-03-09   08:00-20:45 21:30-02:20
COMEX.GC     2026-10-30   06:00-05:00
COMEX.GC     2026-11-02   07:00-06:00
CBOT.ZM      2026-10-30   08:00-20:45 21:30-02:20
CBOT.ZM      2026-11-02   09:00-21:45 22:30-03:20
"""
CLOCKS_EUROPE = """
LME.CA3M     2026-03-27   09:00-03:00
LME.CA3M     2026-03-30   08:00-02:00
LME.CA3M     2026-10-23   08:00-02:00
LME.CA3M     2026-10-26   09:00-03:00
ICE.BRN      2026-03-27   09:00-07:00
ICE.BRN      2026-03-30   06:00-06:00
ICE.BRN      2026-03-31   08:00-06:00
ICE.BRN      2026-10-26   07:00-07:00
"""
CHINA_2026 = f"""
SHFE.CU      2026-01-01   -
SHFE.CU      2026-01-02   -
SHFE.CU      2026-01-04   -
SHFE.CU      2026-01-05   {DAY}
SHFE.CU      2026-01-06   01-05/21:00-01:00 {DAY}
SHFE.CU      2026-02-13   02-12/21:00-01:00 {DAY}
SHFE.CU      2026-02-14   -
SHFE.CU      2026-02-16   -
SHFE.CU      2026-02-23   -
SHFE.CU      2026-02-24   {DAY}
SHFE.CU      2026-02-25   02-24/21:00-01:00 {DAY}
SHFE.CU      2026-02-28   -
SHFE.CU      2026-03-09   03-06/21:00-01:00 {DAY}
SHFE.CU      2026-04-06   -
SHFE.CU      2026-04-07   {DAY}
SHFE.CU      2026-05-05   -
SHFE.CU      2026-05-06   {DAY}
SHFE.CU      2026-05-09   -
SHFE.CU      2026-06-18   06-17/21:00-01:00 {DAY}
SHFE.CU      2026-06-19   -
SHFE.CU      2026-06-22   {DAY}
SHFE.CU      2026-06-23   06-22/21:00-01:00 {DAY}
SHFE.CU      2026-09-20   -
SHFE.CU      2026-09-25   -
SHFE.CU      2026-09-28   {DAY}
SHFE.CU      2026-09-30   09-29/21:00-01:00 {DAY}
SHFE.CU      2026-10-01   -
SHFE.CU      2026-10-07   -
SHFE.CU      2026-10-08   {DAY}
SHFE.CU      2026-10-09   10-08/21:00-01:00 {DAY}
SHFE.CU      2026-10-10   -
SHFE.AU      2026-10-09   10-08/21:00-02:30 {DAY}
INE.SC       2026-10-09   10-08/21:00-02:30 {DAY}
INE.BC       2026-10-09   10-08/21:00-01:00 {DAY}
INE.NR       2026-10-09   10-08/21:00-23:00 {DAY}
DCE.M        2026-10-09   10-08/21:00-23:00 {DAY}
DCE.M        2026-10-08   {DAY}
CZCE.CF      2026-10-09   10-08/21:00-23:00 {DAY}
CFFEX.IF     2026-10-08   09:30-11:30 13:00-15:00
CFFEX.IF     2026-10-07   -
SSE.ETF      2026-10-08   09:30-11:30 13:00-14:57
"""
US_HOLIDAYS = """
COMEX.GC     2026-11-25   07:00-06:00
COMEX.GC     2026-11-26   -
COMEX.GC     2026-11-27   11-26/07:00-02:00 07:00-02:00
COMEX.GC     2026-11-30   07:00-06:00
COMEX.GC     2026-07-03   -
COMEX.GC     2026-07-06   07-03/06:00-01:00 06:00-05:00
COMEX.GC     2026-12-24   07:00-02:00
COMEX.GC     2026-12-25   -
COMEX.GC     2026-12-28   07:00-06:00
COMEX.GC     2026-12-31   07:00-06:00
COMEX.GC     2027-01-01   -
COMEX.GC     2027-01-04   07:00-06:00
CBOT.ZM      2026-11-25   09:00-21:45 22:30-03:20
CBOT.ZM      2026-11-26   -
CBOT.ZM      2026-11-27   22:30-02:00
CBOT.ZM      2026-11-30   09:00-21:45 22:30-03:20
CBOT.ZM      2026-01-19   -
CBOT.ZM      2026-01-20   09:00-21:45 22:30-03:20
CBOT.ZM      2026-12-24   09:00-21:45 22:30-02:00
CBOT.ZM      2026-12-25   -
CBOT.ZM      2026-12-28   09:00-21:45 22:30-03:20
"""
US_MIDWEEK_2024 = """
CBOT.ZM      2024-06-19   -
CBOT.ZM      2024-06-20   08:00-20:45 21:30-02:20
CBOT.ZM      2024-07-03   08:00-20:45 21:30-01:00
CBOT.ZM      2024-07-04   -
CBOT.ZM      2024-07-05   21:30-02:20
CBOT.ZM      2024-12-24   09:00-21:45 22:30-02:00
CBOT.ZM      2024-12-25   -
CBOT.ZM      2024-12-26   22:30-03:20
CBOT.ZM      2025-01-02   22:30-03:20
COMEX.GC     2024-07-03   06:00-05:00
COMEX.GC     2024-07-05   07-04/06:00-01:00 06:00-05:00
COMEX.GC     2024-12-25   -
COMEX.GC     2024-12-26   07:00-06:00
"""
LONDON_AND_ASIA_HOLIDAYS = """
LME.CA3M     2026-04-02   08:00-02:00
LME.CA3M     2026-04-03   -
LME.CA3M     2026-04-06   -
LME.CA3M     2026-04-07   08:00-02:00
LME.CA3M     2026-12-24   09:00-03:00
LME.CA3M     2026-12-25   -
LME.CA3M     2026-12-28   -
LME.CA3M     2026-12-29   09:00-03:00
LME.CA3M     2026-12-31   09:00-03:00
LME.CA3M     2027-01-01   -
ICE.BRN      2026-12-24   09:00-01:00
ICE.BRN      2026-12-25   -
ICE.BRN      2026-12-28   07:00-07:00
ICE.BRN      2026-11-26   09:00-02:15
HKEX.CUS     2026-12-24   12-23/17:15-03:00 08:30-12:30
HKEX.CUS     2026-12-28   08:30-16:30
HKEX.CUS     2026-12-29   12-28/17:15-03:00 08:30-16:30
SGX.CN       2026-10-05   10-02/17:00-05:15 09:00-16:30
SGX.CN       2026-11-09   -
SGX.CN       2026-11-10   11-06/17:00-05:15 09:00-16:30
SGX.FE       2026-10-06   10-05/20:15-05:15 07:25-20:00
SGX.UC       2026-10-06   10-05/18:15-05:15 07:25-17:55
SGX.TF       2026-10-06   07:55-18:00
"""
RECORDED_2013 = """
COMEX.GC     2013-10-07   06:00-05:15
COMEX.GC     2013-10-08   06:00-05:15
SHFE.AU      2013-10-07   -
SHFE.AU      2013-10-08   09:00-10:15 10:30-11:30 13:30-15:00
SHFE.CU      2013-12-20   09:00-10:15 10:30-11:30 13:30-15:00
SHFE.CU      2013-12-23   12-20/21:00-01:00 09:00-10:15 10:30-11:30 13:30-15:00
"""
RECORDED_2014 = """
CFFEX.IF     2014-01-29   09:15-11:30 13:00-15:15
SGX.CN       2014-01-29   01-28/16:40-02:00 09:00-15:55
SHFE.AU      2014-01-29   01-28/21:00-02:30 09:00-10:15 10:30-11:30 13:30-15:00
SHFE.AU      2014-02-07   09:00-10:15 10:30-11:30 13:30-15:00
CFFEX.IF     2014-01-31   -
"""
RECORDED_2020 = """
SHFE.CU      2020-03-02   09:00-10:15 10:30-11:30 13:30-15:00
SHFE.CU      2020-05-06   09:00-10:15 10:30-11:30 13:30-15:00
SHFE.CU      2020-05-07   05-06/21:00-01:00 09:00-10:15 10:30-11:30 13:30-15:00
SHFE.CU      2021-01-04   09:00-10:15 10:30-11:30 13:30-15:00
SHFE.CU      2021-01-05   01-04/21:00-01:00 09:00-10:15 10:30-11:30 13:30-15:00
CFFEX.IF     2021-01-04   09:30-11:30 13:00-15:00
"""


def rows(table: str) -> list[tuple[str, date, str]]:
    found = []
    for line in table.strip().splitlines():
        product, day, sessions = line.split(maxsplit=2)
        found.append((product, date.fromisoformat(day), sessions))
    return found


def told(calendar: ProductCalendar, day: date) -> str:
    """A trading day's sessions as the tables write them."""
    words = []
    for opens, closes in calendar.sessions(f"{day:%Y%m%d}"):
        start, end = (datetime.fromtimestamp((one + BEIJING_NS) // 10**9, tz=UTC) for one in (opens, closes))
        words.append(f"{'' if start.date() == day else f'{start:%m-%d}/'}{start:%H:%M}-{end:%H:%M}")
    return " ".join(words) or "-"


@pytest.mark.parametrize(
    ("table", "first", "last"),
    [
        pytest.param(CLOCKS_US, date(2026, 1, 1), date(2026, 12, 31), id="US summer time, 8 March and 1 November 2026"),
        pytest.param(
            CLOCKS_EUROPE, date(2026, 1, 1), date(2026, 12, 31), id="European summer time, 29 March, 25 October"
        ),
        pytest.param(
            CHINA_2026, date(2026, 1, 1), date(2026, 12, 31), id="CFFEX and futures brokers' notices for 2026"
        ),
        pytest.param(US_HOLIDAYS, date(2026, 1, 1), date(2027, 1, 31), id="Thanksgiving, Christmas, Independence Day"),
        pytest.param(US_MIDWEEK_2024, date(2024, 6, 1), date(2025, 1, 31), id="US holidays in the middle of a week"),
        pytest.param(LONDON_AND_ASIA_HOLIDAYS, date(2026, 1, 1), date(2027, 1, 31), id="London, Hong Kong, Singapore"),
        pytest.param(RECORDED_2013, date(2013, 7, 1), date(2013, 12, 31), id="COMEX trades on in Golden Week 2013"),
        pytest.param(RECORDED_2014, date(2014, 1, 1), date(2014, 2, 28), id="the recorded 2014-01-29"),
        pytest.param(RECORDED_2020, date(2020, 1, 1), date(2021, 1, 31), id="no nights in spring 2020, 2021-01-04"),
    ],
)
def test_days_checked_by_hand(table: str, first: date, last: date) -> None:
    """Night sessions before holidays, make-up days, half days and clock changes fall as published."""
    expected = rows(table)
    calendars = build_calendars({product for product, _, _ in expected}, first, last)
    assert [(product, day, told(calendars[product], day)) for product, day, _ in expected] == expected


def test_each_chinese_weekday_without_trading_in_2026_is_one_of_the_notice() -> None:
    """CFFEX, 17 December 2025: closed on these weekdays and no other."""
    days = special_days(["CFFEX"], 2026, 2026)["CFFEX"].days
    closed = " ".join(f"{day:%m%d}" for day in sorted(days) if day.weekday() < 5)
    assert closed == ("0101 0102 0216 0217 0218 0219 0220 0223 0406 0501 0504 0505 0619 0925 1001 1002 1005 1006 1007")


def test_chinese_holidays_are_known_as_far_as_they_are_published() -> None:
    """The library lists the make-up days of 2026 and none of 2027: nothing is open after New Year's Eve."""
    holidays = special_days(["SHFE", "LME"], 2026, 2029)
    assert (holidays["SHFE"].known_until, holidays["LME"].known_until) == (date(2026, 12, 31), date(2029, 12, 31))
    copper = build_calendars(["SHFE.CU"], date(2026, 12, 1), date(2027, 3, 1))["SHFE.CU"]
    noon_ns = int(datetime(2027, 1, 4, 2, tzinfo=UTC).timestamp()) * 10**9
    assert (copper.trade_dates()[-1], copper.state(noon_ns), copper.is_open(noon_ns)) == ("20261231", "unknown", False)


def test_every_exchange_of_the_templates_has_holidays() -> None:
    """And every template makes a calendar of the present year."""
    text = (Path(__file__).parents[2] / "gateway/feed/sessions.toml").read_text()
    templates = parse_sessions(text, "sessions.toml")
    assert {row.exchange for found in templates.values() for row in found} <= set(exchanges())
    calendars = build_calendars(templates, date(2026, 3, 2), date(2026, 3, 6))
    assert {name for name, one in calendars.items() if len(one.trade_dates()) != 5} == set()


def test_a_half_day_needs_a_time_to_close() -> None:
    """Silence would trade through the early close."""
    text = (
        '[[session]]\nproducts = ["X.Y"]\nexchange = "X"\nzone = "Asia/Tokyo"\nvalid_from = 2020-01-01\n'
        'day = ["09:00-15:00"]\nsource = "none"\nmark = "G"\n'
    )
    template = parse_sessions(text, "t")["X.Y"]
    half = {date(2026, 12, 30): Special(DayKind.HALF, "last day")}
    special = Holidays("X", date(2026, 1, 1), date(2026, 12, 31), half)
    with pytest.raises(SessionError, match=r"X\.Y: 2026-12-30 is a half day of X \(last day\).*half_close"):
        make_calendar(template, special, date(2026, 12, 1), date(2026, 12, 31))
    timed = special._replace(days={date(2026, 12, 30): Special(DayKind.HALF, "last day", 11 * 60)})
    calendar = make_calendar(template, timed, date(2026, 12, 1), date(2026, 12, 31))
    assert told(calendar, date(2026, 12, 30)) == "08:00-10:00"


def test_dates_between_two_templates_are_unknown() -> None:
    """SGX's hours grew in steps after 2015 that no row states; the calendar says so instead of guessing."""
    calendar = build_calendars(["SGX.CN"], date(2015, 2, 9), date(2015, 2, 20))["SGX.CN"]
    morning = [int(datetime(2015, 2, day, 2, tzinfo=UTC).timestamp()) * 10**9 for day in (11, 12)]
    assert [str(calendar.state(one)) for one in morning] == ["open", "unknown"]


def test_the_answers_at_an_instant_agree_with_one_another() -> None:
    """Every product, 2 000 instants of 2026 from a seed: state, session, trading day and the edges around it."""
    text = (Path(__file__).parents[2] / "gateway/feed/sessions.toml").read_text()
    calendars = build_calendars(parse_sessions(text, "sessions.toml"), date(2026, 1, 1), date(2026, 12, 31))
    draw = random.Random(20261012)  # noqa: S311 a test's instants, not a secret
    first_ns, last_ns = (int(datetime(2026, month, 3, tzinfo=UTC).timestamp()) * 10**9 for month in (1, 12))
    for at_ns in (draw.randrange(first_ns, last_ns) for _ in range(2000)):
        for one in calendars.values():
            day, shut, opens = one.trading_day(at_ns), one.next_shut(at_ns), one.next_open(at_ns)
            assert shut is not None
            assert opens is not None
            assert (one.is_open(shut - 1), one.is_open(opens - 1), one.is_open(opens)) == (True, False, True)
            inside = [part for part in one.sessions(day or "") if part.open_ns <= at_ns < part.close_ns]
            assert (len(inside) == 1) == one.is_open(at_ns) == (one.state(at_ns) == "open")
            assert not inside or (one.next_trading_day(at_ns), shut) == (day, inside[0].close_ns)


def recorded(name: str) -> Path:
    path = RECORDED_SETS / name
    if not path.exists():
        pytest.skip(f"{path} is absent: the recorded sets may not be distributed with the product")
    return path


def test_recorded_gold_bars_lie_in_the_sessions_and_every_session_has_some() -> None:
    """SHFE au1912, 9 April to 9 July 2019, with the holidays of May and of the Dragon Boat Festival."""
    gold = build_calendars(["SHFE.AU"], date(2019, 3, 1), date(2019, 8, 1))["SHFE.AU"]
    with gzip.open(recorded("shfe_au/SHFE_au1912_1min.csv.gz"), "rt") as file:
        stamps = [row["bar_start_beijing"] for row in csv.DictReader(file)][:-1]
    instants = [int(datetime.fromisoformat(f"{one}+08:00").timestamp()) * 10**9 for one in stamps]
    assert [one for one in instants if not gold.is_open(one)] == []
    seen = {gold.next_shut(one) for one in instants}
    days = [one for one in gold.trade_dates() if "20190409" <= one <= "20190709"]
    assert [(one, part) for one in days for part in gold.sessions(one) if part.close_ns not in seen] == []


def test_recorded_comex_quotes_pause_where_the_template_does() -> None:
    """7 October 2013: quotes to the minute that begins at 17:15 New York, then none until orders are taken at 17:45."""
    gold = build_calendars(["COMEX.GC"], date(2013, 10, 1), date(2013, 10, 10))["COMEX.GC"]
    midnight_ns = int(datetime(2013, 10, 7, tzinfo=UTC).timestamp()) * 10**9
    minutes = set()
    with zipfile.ZipFile(recorded("comex_gc/20131007_quote.zip")) as archive:
        for name in archive.namelist():
            minutes |= {int(line.split(",")[0]) // 60_000 for line in archive.read(name).decode().splitlines()}
    states = {one: str(gold.state(midnight_ns + one * 60 * 10**9)) for one in sorted(minutes)}
    assert [one for one, state in states.items() if state not in {"open", "auction"}] == [21 * 60 + 15]
