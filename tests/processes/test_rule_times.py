"""Windows of the week in their own zone, told once and at each change, with until when it holds."""

import pytest

from gateway.model.conditions import Window
from gateway.model.record import RuleTimes
from gateway.model.site import RuleSpec
from gateway.processes.rule_keys import utc_ns_of
from gateway.processes.rule_times import RuleTimesTeller, inside

HOUR = 3600
DAY_WINDOW = Window("Asia/Shanghai", (0, 1, 2, 3, 4), 9 * HOUR, 15 * HOUR)
NIGHT = Window("Asia/Shanghai", (4,), 21 * HOUR, 2 * HOUR + 1800)
LONDON = Window("Europe/London", (6,), 0, 3 * HOUR)
"""The last Sunday of March 2026 is the 29th: 01:00 UTC becomes 02:00 on the wall."""

MOMENTS = [
    # windows                at                            open   until
    ((DAY_WINDOW,), "2026-06-15T08:59:59+08:00", False, "2026-06-15T09:00:00+08:00"),
    ((DAY_WINDOW,), "2026-06-15T09:00:00+08:00", True, "2026-06-15T15:00:00+08:00"),
    ((DAY_WINDOW,), "2026-06-15T15:00:00+08:00", False, "2026-06-16T09:00:00+08:00"),
    ((DAY_WINDOW,), "2026-06-19T15:00:00+08:00", False, "2026-06-22T09:00:00+08:00"),
    ((NIGHT,), "2026-06-20T02:29:59+08:00", True, "2026-06-20T02:30:00+08:00"),
    ((NIGHT,), "2026-06-19T20:59:00+08:00", False, "2026-06-19T21:00:00+08:00"),
    ((NIGHT,), "2026-06-20T02:30:00+08:00", False, "2026-06-26T21:00:00+08:00"),
    ((DAY_WINDOW, NIGHT), "2026-06-19T16:00:00+08:00", False, "2026-06-19T21:00:00+08:00"),
    ((LONDON,), "2026-03-29T00:30:00+00:00", True, "2026-03-29T03:00:00+01:00"),
    ((LONDON,), "2026-03-22T02:59:59+00:00", True, "2026-03-22T03:00:00+00:00"),
]


@pytest.mark.parametrize(("windows", "at", "is_open", "until"), MOMENTS)
def test_a_moment_lies_in_a_window_or_before_one(
    windows: tuple[Window, ...],
    at: str,
    is_open: bool,  # noqa: FBT001 a column
    until: str,
) -> None:
    """From its begin on, not at its end any more; over midnight and summer time as the wall has it."""
    assert inside(windows, utc_ns_of(at)) == (is_open, utc_ns_of(until))


def test_windows_that_touch_are_one() -> None:
    """The end of the first is the begin of the second: open until the second ends."""
    both = (Window("UTC", (0,), 0, HOUR), Window("UTC", (0,), HOUR, 2 * HOUR))
    assert inside(both, utc_ns_of("2026-06-15T00:30:00+00:00")) == (True, utc_ns_of("2026-06-15T02:00:00+00:00"))


def spec(name: str, *windows: Window, expires: int = 0) -> RuleSpec:
    return RuleSpec(name, "P", 1, 2, 1, 1, 0, 0, 1, windows=windows, expires_utc_ns=expires)


def test_a_rule_is_told_once_and_at_each_change() -> None:
    """On the monotonic clock; rules without windows and end are never spoken of."""
    teller = RuleTimesTeller()
    at = utc_ns_of("2026-06-15T10:00:00+08:00")
    end = utc_ns_of("2026-06-15T15:00:00+08:00")
    mono = 1_000
    teller.mind([spec("plain"), spec("day", DAY_WINDOW), spec("ends", expires=at + 77)])
    assert teller.changes(mono, at) == [
        RuleTimes(mono, "day", open=True, until_ns=mono + end - at, expires_ns=0),
        RuleTimes(mono, "ends", open=True, until_ns=0, expires_ns=mono + 77),
    ]
    assert teller.changes(mono + 10, at + 10) == []
    later = mono + end - at
    (now,) = [one for one in teller.changes(later, end) if one.rule_id == "day"]
    assert (now.open, now.until_ns) == (False, later + 18 * HOUR * 10**9)
    assert teller.changes(later + 10, end + 10) == []


def test_a_changed_rule_and_a_step_of_utc_are_told_anew() -> None:
    """Another window, or a clock that was set: the old word does not hold any more."""
    teller = RuleTimesTeller()
    at = utc_ns_of("2026-06-15T10:00:00+08:00")
    teller.mind([spec("day", DAY_WINDOW), spec("night", NIGHT)])
    assert len(teller.changes(0, at)) == 2
    teller.mind([spec("day", NIGHT), spec("night", NIGHT)])
    assert [(one.rule_id, one.open) for one in teller.changes(1, at + 1)] == [("day", False)]
    assert len(teller.changes(2, at + 10**9)) == 2
