"""The calendars of a site: by instrument, through the run's file, in words."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from gateway.processes.calendars import CALENDAR_FILE
from gateway.processes.session_rows import SessionError
from gateway.processes.site_calendars import (
    CalendarMistake,
    CalendarSettings,
    calendar_mistakes,
    pair_calendar,
    read_run_calendars,
    site_calendars,
    site_outlook,
    site_outlook_json,
    site_outlook_text,
    write_run_calendars,
)

AT_NS = int(datetime.fromisoformat("2026-10-12T10:00+08:00").timestamp()) * 10**9
SETTINGS = CalendarSettings({"SHFE.cu2612": "SHFE.CU", "SHFE.cu2701": "SHFE.CU", "LME.CA3M": "LME.CA3M"})
PAIRS = {"CU-CA": ("SHFE.cu2612", "LME.CA3M"), "CU-FX": ("SHFE.cu2612", "LME.USDCNH"), "FX": ("LME.USDCNH",)}


def test_a_run_hands_its_calendars_on_by_file(tmp_path: Path) -> None:
    """Two months of one product share a calendar; an instrument without one is absent."""
    write_run_calendars(tmp_path, SETTINGS, AT_NS)
    read = read_run_calendars(tmp_path, SETTINGS)
    assert {name: one.product for name, one in read.items()} == dict(SETTINGS.products)
    built = site_calendars(SETTINGS, AT_NS)
    assert {name: one.spans for name, one in read.items()} == {name: one.spans for name, one in built.items()}


def test_a_site_without_calendars_needs_no_file(tmp_path: Path) -> None:
    """Everything is always open; the written file is an empty list."""
    bare = CalendarSettings({})
    write_run_calendars(tmp_path, bare, AT_NS)
    assert (read_run_calendars(tmp_path, bare), (tmp_path / CALENDAR_FILE).read_bytes()) == ({}, b"[]")


def test_a_pair_trades_when_its_legs_with_a_calendar_do() -> None:
    """A leg without one does not shut the pair; a pair of such legs has no calendar."""
    calendars = site_calendars(SETTINGS, AT_NS)
    found = {pair_id: pair_calendar(calendars, legs) for pair_id, legs in PAIRS.items()}
    open_now = {pair_id: one is None or one.is_open(AT_NS) for pair_id, one in found.items()}
    assert (open_now, found["FX"]) == ({"CU-CA": True, "CU-FX": True, "FX": True}, None)
    night_ns = AT_NS + 18 * 3600 * 10**9
    assert [one.is_open(night_ns) for one in found.values() if one is not None] == [False, False]


def test_the_check_tells_each_pair_and_warns_of_each_leg_that_is_always_open() -> None:
    """Once for the currency, though two pairs use it."""
    calendars = site_calendars(SETTINGS, AT_NS)
    lines = site_outlook_text(calendars, PAIRS, AT_NS)
    assert [line for line in lines if not line.startswith(" ")] == [
        "CU-CA: SHFE.CU x LME.CA3M: open, shuts in 15 min (Beijing time)",
        "CU-FX: SHFE.CU: open, shuts in 15 min (Beijing time)",
        "WARNING: LME.USDCNH has no calendar: it counts as always open, orders may go out at any time",
    ]
    assert {pair_id: len(one.days) for pair_id, one in site_outlook(calendars, PAIRS, AT_NS).items()} == {
        "CU-CA": 5,
        "CU-FX": 5,
    }


def test_a_machine_reads_the_same() -> None:
    """JSON, times in nanoseconds, the first window of the day and what is always open."""
    told = json.loads(json.dumps(site_outlook_json(site_calendars(SETTINGS, AT_NS), PAIRS, AT_NS)))
    pair = told["pairs"]["CU-CA"]
    night = [int(datetime.fromisoformat(f"2026-10-{one}:00+08:00").timestamp()) * 10**9 for one in ("09T21", "10T01")]
    assert (told["always_open"], list(told["pairs"])) == (["LME.USDCNH"], ["CU-CA", "CU-FX"])
    assert (pair["open"], pair["minutes_until_shut"], pair["next_shut_ns"]) == (True, 15, AT_NS + 15 * 60 * 10**9)
    assert (pair["days"][0]["trade_date"], pair["days"][0]["windows"][0]) == ("20261012", night)
    assert {trap["name"] for trap in pair["days"][0]["traps"]} == {"home_shut", "home_break"}
    assert pair["horizon_days"] == {"SHFE.CU": 80, "LME.CA3M": 400}


def test_a_calendar_that_does_not_exist_is_a_mistake() -> None:
    """With the names that do."""
    with pytest.raises(SessionError, match=r"calendar SHFE\.CX: no template; one of "):
        site_calendars(CalendarSettings({"SHFE.cu2612": "SHFE.CX"}), AT_NS)


def test_every_mistake_of_a_sites_calendars_is_told(tmp_path: Path) -> None:
    """Names with what is near, a holidays file with its line, a sessions file that hides the names."""
    holidays = tmp_path / "h.csv"
    holidays.write_text("exchange,date,kind,reason\nSHFE,2027-01-01,shut,x\n")
    told = calendar_mistakes(CalendarSettings({"A": "SHFE.CX", "B": "SHFE.CU", "C": "?"}, holidays))
    assert [(one.where, one.value, one.remedy[:33]) for one in told] == [
        ("A", "SHFE.CX", "a calendar; did you mean SHFE.CU?"),
        ("C", "?", "a calendar; one of CBOT.ZL, CBOT."),
        ("holidays_file", str(holidays), f"{holidays}:2"[:33]),
    ]
    absent = tmp_path / "absent.toml"
    told = calendar_mistakes(CalendarSettings({"A": "SHFE.CX"}, sessions_file=absent))
    assert [(one.where, one.value) for one in told] == [("sessions_file", str(absent))]
    assert calendar_mistakes(SETTINGS) == []
    assert isinstance(told[0], CalendarMistake)
