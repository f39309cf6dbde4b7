"""Raw messages of a session become calibration, and calibration becomes times on quotes."""

import time
from pathlib import Path

import pytest

from gateway.model.clock import HostClock
from gateway.model.quote import BookState, Quote
from gateway.model.trade import Alarm, AlarmName
from gateway.processes.host_clock import HostReading
from gateway.processes.session_clocks import Clocks
from gateway.processes.settings import load_site

DEMO = Path(__file__).parents[2] / "sites" / "demo.toml"
MS, S = 10**6, 10**9
KEY = "SHFE.md"
MIDNIGHT = 1_781_481_600 * S
"""2026-06-15 00:00 UTC."""


def stamp(venue_ns: int) -> str:
    seconds, rest = divmod(venue_ns, S)
    return time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(seconds)) + f".{rest // MS:03d}"


def raw(msg_type: str, venue_ns: int, more: str = "") -> str:
    return f"8=FIX.4.4|9=99|35={msg_type}|34=7|49=SHFE|52={stamp(venue_ns)}|56=CMC|{more}10=000|".replace("|", "\x01")


@pytest.fixture
def clocks(tmp_path: Path) -> Clocks:
    """Those of the shipped site, with a declared error to UTC at the second venue; SHFE's session is up."""
    file = tmp_path / "site.toml"
    file.write_text(DEMO.read_text(encoding="utf-8"), encoding="utf-8")
    made = Clocks(load_site(file, {"CMC_VENUE__LME__CLOCK__UTC_ERROR_US": "500"}).venues, "md")
    made.on_session(KEY, up=True, at_ns=0)
    return made


def answered(clocks: Clocks, key: str = KEY, times: int = 20) -> int:
    """Requests with answers 1 ms there and 1 ms back, from a venue whose day began at 0; until when."""
    at_ns = S
    for _ in range(times):
        at_ns += 171 * MS
        name = clocks._clocks[key].session.request(at_ns)
        clocks.on_admin(key, raw("0", MIDNIGHT + at_ns + MS, f"112={name}|"), at_ns + 2 * MS)
    return at_ns


def quote(recv_ns: int, venue_ns: int) -> Quote:
    return Quote("SHFE.cu2609", BookState.OK, ((1, 1),), ((2, 1),), recv_ns, venue_ns, recv_ns, 7)


def test_a_quote_gets_the_venues_time_on_our_clock(clocks: Clocks) -> None:
    """After some answers a quote stamped at a moment carries that moment, within its bound of 1 ms and the stamp's."""
    at_ns = answered(clocks) + 5 * MS
    text = raw("W", MIDNIGHT + at_ns)
    made = quote(at_ns + MS, MIDNIGHT + at_ns)
    clocks.stamp(KEY, made, text, made.recv_ns, clocks.on_message(KEY, text, made.recv_ns))
    assert abs(made.calibrated_ns - at_ns) <= MS
    assert MS // 2 < made.bound_ns < 3 * MS


def test_a_quote_without_calibration_stays_as_it_is(clocks: Clocks) -> None:
    """Neither time nor bound where nothing was answered, and none for a book that no message told of."""
    made = quote(9, MIDNIGHT)
    clocks.stamp(KEY, made, raw("W", MIDNIGHT), 9, clocks.on_message(KEY, raw("W", MIDNIGHT), 9))
    assert (made.calibrated_ns, made.bound_ns) == (0, 0)
    at_ns = answered(clocks)
    made = quote(at_ns, 0)
    clocks.stamp(KEY, made, raw("W", MIDNIGHT), at_ns, 0)
    assert (made.calibrated_ns, made.bound_ns) == (0, 0)


def test_a_quote_of_an_earlier_message_is_not_widened_by_a_late_one(clocks: Clocks) -> None:
    """A status that came late says nothing of the book that was told before."""
    at_ns = answered(clocks) + 5 * MS
    late = raw("f", MIDNIGHT + at_ns - 900 * MS)
    extra_ns = clocks.on_message(KEY, late, at_ns)
    assert extra_ns > 800 * MS
    made = quote(at_ns - 10 * MS, MIDNIGHT + at_ns - 11 * MS)
    clocks.stamp(KEY, made, late, at_ns, extra_ns)
    assert 0 < made.bound_ns < 3 * MS


def test_stamps_that_cannot_be_read_are_passed_over(clocks: Clocks) -> None:
    """A message without SendingTime(52), or with another form, changes nothing."""
    answered(clocks)
    before = clocks.status(S)
    for text in ("", "8=FIX.4.4\x0135=W\x01", raw("W", MIDNIGHT).replace("52=2026", "52=26"), "\x0152="):
        assert clocks.on_message(KEY, text, 9 * S) == 0
        clocks.on_admin(KEY, text, 9 * S)
    assert clocks.status(S) == before


def test_a_message_sent_again_is_no_answer(clocks: Clocks) -> None:
    """PossDupFlag(43)=Y: when it was first sent is not when it came."""
    name = clocks._clocks[KEY].session.request(S)
    clocks.on_admin(KEY, raw("0", MIDNIGHT, f"43=Y|112={name}|"), 2 * S)
    assert not clocks.status(2 * S)[0].live


def test_the_wait_ends_when_a_request_is_due(clocks: Clocks) -> None:
    """The loop waits for the next TestRequest(1) and no longer than it would anyway; a session that is down asks none."""
    assert clocks.due_ns(0, 500 * MS) == 0
    clocks._clocks[KEY].session.request(0)
    assert 0 < clocks.due_ns(0, 500 * MS) <= 200 * MS
    clocks.on_session(KEY, up=False, at_ns=0)
    assert clocks.due_ns(0, 500 * MS) == 500 * MS


def test_what_happens_to_a_clock_is_an_alarm(clocks: Clocks) -> None:
    """A step is told under the session's key, once."""
    at_ns = answered(clocks)
    clocks.on_message(KEY, raw("W", MIDNIGHT + at_ns + 5 * S), at_ns + MS)
    (alarm,) = clocks.alarms(at_ns)
    assert (alarm.name, alarm.subject) == (AlarmName.CLOCK, KEY)
    assert alarm.figures.startswith("stepped: ")
    assert list(clocks.alarms(at_ns)) == []
    assert clocks.status(at_ns)[0].steps == 1
    assert isinstance(alarm, Alarm)


def test_the_hosts_utc_is_used_while_it_is_disciplined(clocks: Clocks) -> None:
    """With a declared error and our own UTC the basis is utc; without discipline it is half of the round trip."""
    clocks.on_session("LME.md", up=True, at_ns=0)
    disciplined = HostClock("adjtimex", True, 0, 100_000, 0)
    clocks.on_host(HostReading(disciplined, MIDNIGHT))
    answered(clocks, "LME.md", 1)
    assert [one.basis for one in clocks.status(S)] == ["", "utc"]
    clocks.on_host(HostReading(HostClock("adjtimex", False, 0, 0, 0), MIDNIGHT))
    assert [one.basis for one in clocks.status(S)] == ["", "half round trip"]


def test_a_process_that_stamps_no_quotes_hands_messages_over_first(clocks: Clocks) -> None:
    """`hearing` and `following` call what they wrap with the same arguments, and calibration hears as well."""
    calls: list[object] = []
    clocks.hearing(lambda *call: calls.append(call))(KEY, "raw", 1)
    clocks.following(lambda *call: calls.append(call), lambda: 7)(KEY, False, "gone")
    assert calls == [(KEY, "raw", 1), (KEY, False, "gone")]
    assert clocks.due_ns(7, S) == S


@pytest.mark.parametrize(("clock", "age_ns"), [("gateway", 2_500_000), ("matching", 0)])
def test_how_old_reports_are_is_told_where_the_clock_is_known(tmp_path: Path, clock: str, age_ns: int) -> None:
    """TransactTime(60) of 3 ms before is 2.5 ms on our clock, its stamp being cut off; of another clock nothing is said."""
    dialect = (DEMO.parents[1] / "gateway/fix/dialects/domestic44.toml").read_text(encoding="utf-8")
    (tmp_path / "own.toml").write_text(
        dialect.replace('transact_clock = "gateway"', f'transact_clock = "{clock}"'), encoding="utf-8"
    )
    file = tmp_path / "site.toml"
    file.write_text(DEMO.read_text(encoding="utf-8").replace('"domestic44"', '"own.toml"', 1), encoding="utf-8")
    clocks = Clocks(load_site(file, {}).venues, "orders")
    key = "SHFE.orders"
    clocks.on_session(key, up=True, at_ns=0)
    at_ns = answered(clocks, key) // S * S + S
    told: list[str] = []
    hear = clocks.hearing(lambda _key, text, _ns: told.append(text))
    hear(key, raw("8", MIDNIGHT + at_ns, f"60={stamp(MIDNIGHT + at_ns)}|"), at_ns + 3 * MS)
    hear(key, raw("8", MIDNIGHT + at_ns, f"43=Y|60={stamp(MIDNIGHT)}|"), at_ns + 3 * MS)
    hear(key, raw("8", MIDNIGHT + at_ns, "60=nonsense|"), at_ns + 3 * MS)
    [standing] = [one for one in clocks.status(at_ns) if one.key == key]
    assert len(told) == 3
    assert abs(standing.report_age_ns - age_ns) <= standing.bound_ns // 2
    assert (standing.report_age_ns == 0) is (age_ns == 0)
