"""Hours of a client's session as the client meets them: Logons refused, a Logout at the end, numbers that begin again."""

import time
from collections.abc import Callable

import pytest
from client_rig import Rig, client, hours, until, within_hours

Start = Callable[..., Rig]
HOUR_S = 3600


@pytest.mark.parametrize("version", ["FIX.4.2", "FIX.4.4", "FIXT.1.1"])
def test_outside_its_hours_a_logon_is_refused_with_when_they_begin(start: Start, version: str) -> None:
    """A Logout that names the moment; the numbers of the session stay as they were."""
    rig = start(client("FUND1", version=version, hours=[hours(HOUR_S, 2 * HOUR_S)]))
    one = rig.client("FUND1", version=version)
    version_field = ((1137, 9),) if version == "FIXT.1.1" else ()
    one.send("A", (98, 0), (108, 30), *version_field)
    told = one.read()
    assert told["35"] == "5"
    assert told["58"].startswith("session hours: closed; it opens at 20")
    assert told["58"].endswith(" UTC)")
    assert one.read() == {}
    assert "FUND1: session hours: closed" in rig.log()


def test_at_their_end_a_logout_goes_out_and_orders_end_as_the_rule_says(start: Start) -> None:
    """Each answers it and is cut off; the next Logon is refused; an order is withdrawn or stays by rule and choice."""
    rows = {
        "ENDS": ("choice", "Y"),
        "STAYS": ("choice", "N"),
        "ALWAYS": ("cancel", "N"),
        "NEVER": ("keep", "Y"),
        "AWAY": ("cancel", "N"),
    }
    rig = within_hours(
        lambda seconds: start(
            *(client(name, at_close=rule, hours=[hours(-HOUR_S, seconds)]) for name, (rule, _) in rows.items())
        )
    )
    ends = {}
    for name, (_, chooses) in rows.items():
        ends[name] = one = rig.client(name).logon((20079, chooses))
        one.order("a", force=1)
        assert one.read("8")["150"] == "0"
    ends.pop("AWAY").close()
    until(lambda: len(rig.others.changes) == len(rows))
    for name, one in ends.items():
        assert one.read("5", timeout_s=70)["58"].startswith("session hours are over; it opens at ")
        one.send("5")
        assert one.read() == {}
        until(lambda name=name: f"{name} down: we logged out: session hours are over" in rig.log())  # type: ignore[misc]
    again = rig.client("STAYS")
    again.next_out = ends["STAYS"].next_out
    again.send("A", (98, 0), (108, 30))
    assert again.read()["58"].startswith("session hours: closed")

    def withdrawn() -> set[str]:
        return {rule.split("/")[1] for change in rig.others.changes for rule in change.removed}

    until(lambda: withdrawn() >= {"ENDS", "ALWAYS", "AWAY"})
    assert withdrawn() == {"ENDS", "ALWAYS", "AWAY"}


def test_numbers_begin_again_with_a_new_day_and_what_happened_since_stands_under_them(start: Start) -> None:
    """Numbers of yesterday are over: the first Logon has number 1 in both directions, and the order is still known."""
    day = hours(-HOUR_S, HOUR_S)
    rig = start(client("FUND1", reset="daily", hours=[day]), client("FUND2", hours=[day]))
    ends = {}
    for name in ("FUND1", "FUND2"):
        one = rig.client(name).logon()
        one.order("a", force=1)
        one.read("8")
        one.close()
        ends[name] = one.next_out
    until(lambda: rig.log().count(" down: ") == 2)
    rig.kill()
    for path in rig.folder.glob("state/clients_fix/*.session"):
        path.write_text(time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(time.time() - 24 * HOUR_S)), encoding="ascii")
    rig.start()
    until(lambda: "FUND1 hours: numbers begin again at 1: daily" in rig.log())
    assert "FUND2 hours: numbers" not in rig.log()
    one = rig.client("FUND1").logon()
    assert one.seen[-1]["34"] == "1"
    one.send("AF", (584, "all"), (585, 7))
    assert (one.read("8")["11"], one.seen[-1]["34"]) == ("a", "2")
    one.order("a")
    assert "duplicate_order" in one.read("8")["58"], "a ClOrdID is accepted once, ever"
    other = rig.client("FUND2")
    other.next_out = ends["FUND2"]
    assert int(other.logon().seen[-1]["34"]) > 2, "these go on"
