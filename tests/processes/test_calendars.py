"""Calendars of an installation: built with a site's files, handed on as a file, told to a person."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gateway.feed.calendar_pair import PairCalendar
from gateway.processes.calendar_words import always_open_text, outlook_text
from gateway.processes.calendars import (
    build_calendars,
    dates_around,
    horizon_days,
    pair_days,
    read_calendars,
    write_calendars,
)
from gateway.processes.session_rows import SessionError


def beijing(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+08:00").timestamp()) * 10**9


def outlook(home: str, away: str, at: str, language: str = "en") -> list[str]:
    at_ns = beijing(at)
    calendars = build_calendars([home, away], *dates_around(at_ns))
    return outlook_text("P", pair_days([calendars[home], calendars[away]], at_ns), language)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Spans, notes and the ends of what is known survive the file."""
    built = build_calendars(["SHFE.CU", "LME.CA3M", "CBOT.ZM"], date(2026, 9, 20), date(2026, 10, 20))
    write_calendars(tmp_path / "calendars.json", built)
    read = read_calendars(tmp_path / "calendars.json")
    assert {name: vars(one) for name, one in read.items()} == {name: vars(one) for name, one in built.items()}


@pytest.mark.parametrize("content", [None, "", "[{}]", '[{"product": 1}]'])
def test_a_calendar_file_that_is_none_is_refused(tmp_path: Path, content: str | None) -> None:
    """Absent, empty or of another form: nothing starts with it."""
    path = tmp_path / "calendars.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SessionError, match="should be written by `cmc up` or `cmc check`"):
        read_calendars(path)


def test_reading_the_file_does_not_load_the_holiday_library(tmp_path: Path) -> None:
    """A process of the gateway pays for the spans only."""
    path = tmp_path / "calendars.json"
    write_calendars(path, build_calendars(["SHFE.CU"], date(2026, 9, 20), date(2026, 10, 20)))
    code = (
        "import sys; from pathlib import Path; from gateway.processes.calendars import read_calendars; "
        f"read_calendars(Path({str(path)!r})); print([one for one in ('holidays', 'pandas') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_sites_holidays_file_wins(tmp_path: Path) -> None:
    """COMEX to 14:30 New York on Thanksgiving, and a Chinese year that the library does not know yet."""
    file = tmp_path / "holidays.csv"
    file.write_text(
        "exchange,date,kind,reason\nCOMEX,2026-11-26,halt 14:30,CME\nSHFE,2027-01-31,known,test\n"
        "SHFE,2027-01-01,closed,New Year\n"
    )
    built = build_calendars(["COMEX.GC", "SHFE.CU"], date(2026, 11, 1), date(2027, 3, 1), holidays_file=file)
    assert built["COMEX.GC"].sessions("20261127")[0].close_ns == beijing("2026-11-27T03:30")
    january = [one for one in built["SHFE.CU"].trade_dates() if one > "20261231"]
    assert (january[0], january[-1], built["SHFE.CU"].sessions("20270104")[0].open_ns) == (
        "20270104",
        "20270129",
        beijing("2027-01-04T09:00"),
    )


def test_a_sites_sessions_file_replaces_a_product_whole(tmp_path: Path) -> None:
    """Its rows alone count; a new product needs no code."""
    file = tmp_path / "sessions.toml"
    row = (
        '[[session]]\nproducts = ["SHFE.CU", "SHFE.NEW"]\nexchange = "SHFE"\nzone = "Asia/Shanghai"\n'
        'valid_from = 2026-01-01\nday = ["10:00-11:00"]\nsource = "a test"\nmark = "G"\n'
    )
    file.write_text(row)
    built = build_calendars(["SHFE.CU", "SHFE.NEW", "SHFE.AU"], date(2026, 3, 2), date(2026, 3, 6), sessions_file=file)
    assert [len(built[name].sessions("20260303")) for name in ("SHFE.CU", "SHFE.NEW", "SHFE.AU")] == [1, 1, 4]
    file.write_text(row.replace('"SHFE"', '"SFE"'))
    with pytest.raises(SessionError, match=r"exchange SFE: holidays are known of CBOT, "):
        build_calendars(["SHFE.NEW"], date(2026, 3, 2), date(2026, 3, 6), sessions_file=file)


def test_mistakes_of_a_site_are_told(tmp_path: Path) -> None:
    """A product without a template, a file that is not there, dates that nobody knows."""
    with pytest.raises(SessionError, match=r"calendar SHFE\.XX: no template; one of CBOT\.ZL"):
        build_calendars(["SHFE.XX"], date(2026, 3, 2), date(2026, 3, 6))
    with pytest.raises(SessionError, match=r"none\.csv: .*should be a readable UTF-8 file"):
        build_calendars(["SHFE.CU"], date(2026, 3, 2), date(2026, 3, 6), holidays_file=tmp_path / "none.csv")
    with pytest.raises(SessionError, match=r"SHFE\.CU: holidays of SHFE are known from 2031-01-01 to"):
        build_calendars(["SHFE.CU"], date(2031, 3, 2), date(2031, 3, 6))


def test_a_run_knows_four_hundred_days_or_what_is_published() -> None:
    """Today and 400 more; what is less than 45 days is told by the check."""
    at_ns = beijing("2026-11-22T08:00")
    built = build_calendars(["SHFE.CU", "LME.CA3M"], *dates_around(at_ns))
    assert [horizon_days(one, at_ns) for one in built.values()] == [401, 39]
    assert outlook("SHFE.CU", "LME.CA3M", "2026-11-22T08:00")[-1] == (
        "  WARNING: SHFE.CU: hours are known for 39 more days only, then nothing is traded; renew the holiday library "
        "or the site's holidays_file"
    )


def test_copper_over_golden_week() -> None:
    """The night of 30 September does not exist, London trades on for a week, 8 October begins at nine."""
    assert outlook("SHFE.CU", "LME.CA3M", "2026-09-29T22:00") == [
        "P: SHFE.CU x LME.CA3M: open, shuts in 180 min (Beijing time)",
        "  2026-09-30 Wed  09-29 21:00-01:00, 09:00-10:15, 10:30-11:30, 13:30-15:00  (465 min)",
        "  2026-10-08 Thu  09:00-10:15, 10:30-11:30, 13:30-15:00  (225 min)",
        (
            "      09-30 15:00-10-01 00:00 no_night SHFE.CU: no night session before a holiday, overseas trades on "
            "(National Day)"
        ),
        "      10-01 00:00-10-08 09:00 home_holiday SHFE.CU: holiday at home, overseas trades on (National Day)",
        "  2026-10-09 Fri  10-08 21:00-01:00, 09:00-10:15, 10:30-11:30, 13:30-15:00  (465 min)",
        "  2026-10-12 Mon  10-09 21:00-01:00, 09:00-10:15, 10:30-11:30, 13:30-15:00  (465 min)",
        "      10-10 01:00-10-12 09:00 home_shut SHFE.CU: shut at home, overseas trades on",
        "  2026-10-13 Tue  10-12 21:00-01:00, 09:00-10:15, 10:30-11:30, 13:30-15:00  (465 min)",
        "  4/5 days  15:00-21:00 home_shut SHFE.CU: shut at home, overseas trades on",
        "  3/5 days  01:00-09:00 home_shut SHFE.CU: shut at home, overseas trades on",
        "  5/5 days  10:15-10:30 home_break SHFE.CU: break at home, overseas trades on",
        "  5/5 days  11:30-13:30 home_break SHFE.CU: break at home, overseas trades on",
    ]


def test_meal_over_the_american_clock_change_in_chinese() -> None:
    """CBOT's halt moves from 21:45-22:30 to 21:00-21:30 within Dalian's night."""
    assert outlook("DCE.M", "CBOT.ZM", "2026-03-06T12:00", "zh")[:8] == [
        "P: DCE.M x CBOT.ZM: 未开市，13:30 开市，180 分钟后收市 (北京时间)",  # noqa: RUF001 Chinese commas
        "  2026-03-06 五  03-05 21:00-21:45, 03-05 22:30-23:00, 09:00-10:15, 10:30-11:30, 13:30-15:00  (300 分钟)",
        "  2026-03-09 一  03-06 21:00-21:45, 03-06 22:30-23:00, 09:00-10:15, 10:30-11:30, 13:30-15:00  (300 分钟)",
        "      03-06 23:00-03-09 09:00 home_shut DCE.M: 境内收市，境外照常交易",  # noqa: RUF001 as above
        "      03-09 08:00-20:45 clock_change CBOT.ZM: 当地夏令时切换，开盘 (早一小时)",  # noqa: RUF001 as above
        "  2026-03-10 二  03-09 21:30-23:00, 09:00-10:15, 10:30-11:30, 13:30-15:00  (315 分钟)",
        "  2026-03-11 三  03-10 21:30-23:00, 09:00-10:15, 10:30-11:30, 13:30-15:00  (315 分钟)",
        "  2026-03-12 四  03-11 21:30-23:00, 09:00-10:15, 10:30-11:30, 13:30-15:00  (315 分钟)",
    ]


def test_the_comex_break_follows_american_summer_time() -> None:
    """05:00-06:00 Beijing in summer, 06:00-07:00 in winter, on four mornings of five: Saturday's begins the weekend."""
    for at, break_at in (("2026-07-08T10:00", "05:00-06:00"), ("2026-12-08T10:00", "06:00-07:00")):
        assert f"  4/5 days  {break_at} away_break COMEX.GC: daily break overseas" in outlook("SHFE.AU", "COMEX.GC", at)


def test_london_opens_with_shanghai_in_winter_and_an_hour_before_in_summer() -> None:
    """08:00 or 09:00 Beijing: in winter nothing of Shanghai's morning is without London."""
    built = build_calendars(["SHFE.CU", "LME.CA3M"], date(2026, 1, 5), date(2026, 7, 31))
    for day, opens in (("20260105", "09:00"), ("20260707", "08:00")):
        first_ns = built["LME.CA3M"].sessions(day)[0].open_ns
        assert first_ns == beijing(f"{day[:4]}-{day[4:6]}-{day[6:]}T{opens}")
    pair = PairCalendar(list(built.values()))
    assert pair.home.product == "SHFE.CU"
    assert pair.ns_until_shut(beijing("2026-01-06T09:00")) == 75 * 60 * 10**9


def test_lunch_of_the_index_pair_is_a_trap() -> None:
    """CFFEX shuts from 11:30 to 13:00 while A50 trades."""
    assert "  5/5 days  11:30-13:00 home_break CFFEX.IF: break at home, overseas trades on" in outlook(
        "CFFEX.IF", "SGX.CN", "2026-09-08T10:00"
    )


def test_no_calendar_is_said_loudly() -> None:
    """In both languages."""
    assert always_open_text("LME.USDCNH").startswith("WARNING: LME.USDCNH has no calendar: it counts as always open")
    assert always_open_text("LME.USDCNH", "zh").startswith("警告：LME.USDCNH 未设置 calendar")  # noqa: RUF001 as above


def test_a_pair_beyond_what_is_known_has_no_window() -> None:
    """The text says so; nothing is invented."""
    at_ns = int(datetime(2027, 1, 5, tzinfo=UTC).timestamp()) * 10**9
    built = build_calendars(["SHFE.CU", "LME.CA3M"], date(2026, 12, 1), date(2027, 3, 1))
    found = pair_days([built["SHFE.CU"], built["LME.CA3M"]], at_ns)
    assert (found.days, found.minutes_until_shut) == ((), None)
    assert outlook_text("P", found)[0] == "P: SHFE.CU x LME.CA3M: no window is known from now on (Beijing time)"
