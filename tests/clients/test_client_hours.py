"""When a client's session is open, and which day's or week's numbers count: weeks, nights, clocks that change."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.client import ClientEvent, ClientSession
from gateway.model.conditions import Window
from gateway.processes.client_hours import (
    AtClose,
    HoursKeeper,
    Reset,
    SessionHours,
    closed_text,
    longest_ns,
    standing,
    turns,
)
from gateway.processes.clients_sessions import LATER, Sessions
from gateway.processes.durations import SECOND

HOUR_S = 3600
SHANGHAI, CHICAGO, LONDON = "Asia/Shanghai", "America/Chicago", "Europe/London"
WORKDAYS = tuple(range(5))
SUN_TO_THU = (6, 0, 1, 2, 3)


def at(text: str, zone: str = "UTC") -> int:
    """UTC nanoseconds of a wall's time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


def window(zone: str, days: tuple[int, ...], begin: str, end: str) -> Window:
    begin_s, end_s = (int(one[:2]) * HOUR_S + int(one[3:]) * 60 for one in (begin, end))
    return Window(zone, days, begin_s, end_s)


DAY = SessionHours(
    (window(SHANGHAI, WORKDAYS, "08:30", "15:30"), window(SHANGHAI, WORKDAYS, "20:30", "02:45")), Reset.DAILY
)
WEEK = SessionHours((window(CHICAGO, SUN_TO_THU, "17:00", "16:00"),), Reset.WEEKLY)
NIGHT = SessionHours((window(LONDON, (5,), "22:00", "06:00"),))


@pytest.mark.parametrize(
    ("hours", "moment", "zone", "is_open", "until"),
    [
        (DAY, "2026-11-20 08:29:59", SHANGHAI, False, "2026-11-20 08:30"),
        (DAY, "2026-11-20 08:30:00", SHANGHAI, True, "2026-11-20 15:30"),
        (DAY, "2026-11-20 15:30:00", SHANGHAI, False, "2026-11-20 20:30"),
        (DAY, "2026-11-21 02:44:59", SHANGHAI, True, "2026-11-21 02:45"),
        (DAY, "2026-11-21 12:00:00", SHANGHAI, False, "2026-11-23 08:30"),
        (WEEK, "2026-11-22 16:59:59", CHICAGO, False, "2026-11-22 17:00"),
        (WEEK, "2026-11-23 03:00:00", CHICAGO, True, "2026-11-23 16:00"),
        (NIGHT, "2026-10-25 05:59:59", LONDON, True, "2026-10-25 06:00"),
        (NIGHT, "2026-10-25 06:00:00", LONDON, False, "2026-10-31 22:00"),
    ],
)
def test_a_session_is_open_on_the_walls_clock(
    hours: SessionHours,
    moment: str,
    zone: str,
    is_open: bool,  # noqa: FBT001 a column
    until: str,
) -> None:
    """From the first second of a window until before its last; a Friday's night is Saturday's morning."""
    found = standing(hours, at(moment, zone))
    assert (found.open, found.until_ns) == (is_open, at(until, zone))


def test_a_night_in_which_clocks_change_is_an_hour_longer_or_shorter() -> None:
    """22:00 to 06:00 in London: nine hours at the end of October, seven at the end of March."""
    spring = SessionHours((window(LONDON, (5,), "22:00", "06:00"),))
    for moment, long_h in (("2026-10-25 01:00", 9), ("2026-03-29 04:00", 7), ("2026-06-07 01:00", 8)):
        found = standing(spring, at(moment))
        assert (found.open, found.until_ns - found.since_ns) == (True, long_h * HOUR_S * SECOND)


def test_numbers_are_of_the_day_on_which_the_session_opens_first() -> None:
    """A day's night has its numbers; between the night's end and the morning the new ones count already."""
    friday = [
        standing(DAY, at(one, SHANGHAI)).period for one in ("2026-11-20 08:30", "2026-11-20 16:00", "2026-11-21 02:44")
    ]
    monday = [
        standing(DAY, at(one, SHANGHAI)).period for one in ("2026-11-21 02:45", "2026-11-22 12:00", "2026-11-23 09:00")
    ]
    assert (len(set(friday)), len(set(monday))) == (1, 1)
    assert friday[0] < monday[0]


def test_a_week_of_numbers_begins_with_its_sunday() -> None:
    """The Sunday evening's opening in Chicago begins the week that Friday's close ends."""
    week = [
        standing(WEEK, at(one, CHICAGO)).period for one in ("2026-11-20 16:00", "2026-11-22 17:00", "2026-11-27 15:59")
    ]
    assert len(set(week)) == 1
    assert standing(WEEK, at("2026-11-20 15:59", CHICAGO)).period == week[0] - 1
    assert standing(WEEK, at("2026-11-27 16:00", CHICAGO)).period == week[0] + 1


def test_windows_that_touch_are_one_turn() -> None:
    """Sunday 17:00 to Friday 17:00 as five windows: nothing closes in between."""
    whole = (window(CHICAGO, SUN_TO_THU, "17:00", "17:00"),)
    halves = (window(CHICAGO, SUN_TO_THU, "17:00", "05:00"), window(CHICAGO, WORKDAYS, "05:00", "17:00"))
    monday = at("2026-06-15 12:00")
    assert longest_ns(whole, monday) == longest_ns(halves, monday) == 5 * 24 * HOUR_S * SECOND
    assert standing(SessionHours(halves), at("2026-06-18 12:00")).until_ns == at("2026-06-19 17:00", CHICAGO)


def test_what_a_client_is_told_names_the_moment_on_both_clocks() -> None:
    """UTC as FIX writes it, and the wall of the hours' own zone."""
    told = closed_text(standing(WEEK, at("2026-11-22 12:00", CHICAGO)))
    assert told == "it opens at 20261122-23:00:00 UTC (2026-11-22 17:00 America/Chicago)"


@given(st.integers(0, 370 * 24 * HOUR_S), st.sampled_from([DAY, WEEK, NIGHT]))
@settings(max_examples=300, deadline=None)
def test_a_moment_is_inside_as_its_wall_says(offset_s: int, hours: SessionHours) -> None:
    """Against a second way: the wall's own weekday and time, window by window."""
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=offset_s)
    inside = False
    for one in hours.windows:
        wall = moment.astimezone(ZoneInfo(one.zone))
        second = wall.hour * HOUR_S + wall.minute * 60 + wall.second
        if one.from_s < one.until_s:
            inside |= wall.weekday() in one.days and one.from_s <= second < one.until_s
        else:
            inside |= wall.weekday() in one.days and second >= one.from_s
            inside |= (wall.weekday() - 1) % 7 in one.days and second < one.until_s
    found = standing(hours, int(moment.timestamp()) * SECOND)
    assert found.open is inside
    assert found.since_ns <= int(moment.timestamp()) * SECOND < found.until_ns


def test_turns_are_in_order_and_apart() -> None:
    """Each ends before the next begins."""
    found = turns(DAY.windows, at("2026-11-20"))
    assert all(one.end_ns < other.begin_ns for one, other in pairwise(found))


class Fake:
    """Acceptor and shell; `told` is what was done, in order."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.online: set[str] = set()
        self.writable = True
        self.began_ns = at("2026-11-19 09:00", SHANGHAI)
        self.details: dict[str, str] = {}

    def up(self, client_id: str) -> bool:
        return client_id in self.online

    def log_out(self, client_id: str, reason: str) -> None:
        self.told.append(("log out", client_id, reason.partition(";")[0]))

    def began_utc_ns(self, client_id: str) -> int:  # noqa: ARG002 the sessions' form
        return self.began_ns

    def reset(self, client_id: str) -> None:
        self.told.append(("reset", client_id))

    def handle(self, event: ClientEvent) -> None:
        assert isinstance(event, ClientSession)
        self.told.append((event.cancels, event.reset, event.keeps))


class Desk:
    """Sessions of one client at a time that the test moves."""

    def __init__(self, hours: SessionHours, moment: str) -> None:
        self.fake = Fake()
        self.utc_ns = at(moment, SHANGHAI)
        self.sessions = Sessions({"F": hours}, self.fake, self.fake, lambda: self.utc_ns, lambda _who, _text: None)

    def at(self, moment: str) -> list[object]:
        """What is done when this moment has come."""
        self.utc_ns = at(moment, SHANGHAI)
        self.sessions.mind()
        done, self.fake.told[:] = list(self.fake.told), []
        return done


def test_numbers_begin_again_only_when_nobody_is_logged_on_and_it_is_written_down_first() -> None:
    """At the night's end a Logout goes out; numbers begin again after the client has gone and the journal takes it."""
    desk = Desk(DAY, "2026-11-20 21:00")
    desk.fake.began_ns = at("2026-11-20 08:00", SHANGHAI)
    desk.fake.online = {"F"}
    assert desk.at("2026-11-20 21:00") == []
    assert desk.at("2026-11-21 02:45") == [("log out", "F", "session hours are over")]
    desk.fake.online, desk.fake.writable = set(), False
    assert desk.at("2026-11-21 02:45:01") == []
    assert desk.sessions.refusal("F").startswith("session hours: closed")
    desk.fake.writable = True
    assert desk.at("2026-11-21 02:45:02") == [(False, True, True), ("reset", "F")]
    assert desk.at("2026-11-21 02:45:03") == []


def test_a_machine_that_was_off_over_the_end_begins_the_numbers_before_anybody_is_let_in() -> None:
    """Started within the hours of a later day; while it cannot be written down, nobody comes in."""
    desk = Desk(DAY, "2026-11-20 09:00")
    desk.fake.writable = False
    assert desk.at("2026-11-20 09:00") == []
    assert desk.sessions.refusal("F") == LATER
    desk.fake.writable = True
    assert desk.at("2026-11-20 09:01") == [(False, True, True), ("reset", "F")]
    assert desk.sessions.refusal("F") == ""


def test_numbers_of_the_same_day_go_on_after_a_restart_and_over_the_pause_of_noon() -> None:
    """They began at the day's opening: neither its pauses nor its night begin them again."""
    desk = Desk(DAY, "2026-11-19 16:00")
    assert [desk.at(f"2026-11-{one}") for one in ("19 16:00", "19 20:30", "20 02:44")] == [[], [], []]


@pytest.mark.parametrize(
    ("rule", "connected", "away"),
    [
        (AtClose.CHOICE, (False, False), []),
        (AtClose.CANCEL, (True, False), [(True, False, False)]),
        (AtClose.KEEP, (False, True), []),
    ],
)
def test_what_becomes_of_orders_at_the_end_is_a_named_rule(
    rule: AtClose, connected: tuple[bool, bool], away: list[object]
) -> None:
    """It counts for an end by the hours only, and `cancel` for a client that is away as well."""
    hours = DAY._replace(reset=Reset.NEVER, at_close=rule)
    desk = Desk(hours, "2026-11-20 15:00")
    desk.fake.online = {"F"}
    desk.at("2026-11-20 15:00")
    assert desk.sessions.ends("F") == (False, False)
    desk.at("2026-11-20 15:30")
    assert desk.sessions.ends("F") == connected
    desk.fake.online = set()
    desk.at("2026-11-20 20:30")
    assert desk.sessions.ends("F") == (False, False)
    assert desk.at("2026-11-21 02:45") == away


def test_a_stop_lets_nobody_in_and_logs_everybody_out() -> None:
    """Both by the same words."""
    desk = Desk(DAY, "2026-11-20 09:00")
    desk.sessions.stop()
    assert desk.sessions.refusal("F") == "the gateway stops"
    assert desk.fake.told == [("log out", "F", "the gateway stops")]


def test_a_step_of_the_clock_is_followed() -> None:
    """Set back into the hours, the session is open again."""
    keeper = HoursKeeper({"F": DAY})
    assert [one.standing.open for one in keeper.changes(at("2026-11-20 16:00", SHANGHAI))] == [False]
    assert [one.standing.open for one in keeper.changes(at("2026-11-20 15:00", SHANGHAI))] == [True]
    assert list(keeper.changes(at("2026-11-20 15:01", SHANGHAI))) == []
