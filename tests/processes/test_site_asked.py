"""What the site file may ask of a venue: positions, cancel on disconnect, a drop copy; what is told when it cannot."""

from pathlib import Path

import pytest

from benchmarks.execution_site import write_site
from gateway.processes.fix_sessions import fix_sessions
from gateway.processes.settings import Site, SiteError, load_site

DROP = """
[venue.drop_copy]
host = "127.0.0.1"
port = {port}
sender_comp_id = "CMC"
target_comp_id = "DROP"
"""


def changed(folder: Path, venue: str, line: str, more: str = "") -> Site:
    """The site of the benchmarks with `line` in a venue's table, `more` behind its order session."""
    text = write_site(folder).path.read_text(encoding="utf-8").replace('ask_positions = "never"\n', "")
    head, mark, tail = text.partition(f'id = "{venue}"\n')
    tail = tail.replace("[[", f"{more}\n[[", 1)
    file = folder / "changed.toml"
    file.write_text(f"{head}{mark}{line}\n{tail}", encoding="utf-8")
    return load_site(file, {})


MISTAKES = """
venue | line                          | what is told
LME   | cancel_on_disconnect = true   | venue[1].cancel_on_disconnect = true: right would be false: overseas42 offers no cancel on disconnect: 4.2 has no word
LME   | ask_positions = "logon"       | venue[1].ask_positions = logon: right would be absent: dialect overseas42 has no RequestForPositions(35=AN)
LME   | ask_positions_interval_s = 60 | venue[1].ask_positions_interval_s = 60: right would be absent: dialect overseas42 has no
SHFE  | ask_positions = "always"      | venue[0].ask_positions
"""


@pytest.mark.parametrize("row", MISTAKES.strip("\n").splitlines()[1:])
def test_what_a_venue_does_not_offer_is_told(tmp_path: Path, row: str) -> None:
    """With the key, why, and what would be right."""
    venue, line, told = (cell.strip() for cell in row.split("|"))
    with pytest.raises(SiteError) as caught:
        changed(tmp_path, venue, line)
    assert told in str(caught.value)


def test_a_venue_that_tells_positions_is_asked_at_logon_unless_the_site_says_never(tmp_path: Path) -> None:
    """By its dialect, not by a key that somebody has to remember."""
    asked = changed(tmp_path, "SHFE", "ask_positions_interval_s = 60").venues
    assert (asked["SHFE"].spec.ask_positions, asked["SHFE"].spec.positions_interval_ns) == (True, 60 * 10**9)
    assert (asked["LME"].spec.tells_positions, asked["LME"].spec.ask_positions) == (False, False)
    never = changed(tmp_path, "SHFE", 'ask_positions = "never"').venues["SHFE"].spec
    assert (never.tells_positions, never.ask_positions) == (True, False)
    assert asked["SHFE"].spec.exec_key == ("venue", "account", "75", "54", "17")


def test_a_drop_copy_is_a_session_of_its_own(tmp_path: Path) -> None:
    """With its key, its numbers in files, and no word of cancel on disconnect; the order session asks for that."""
    site = changed(tmp_path, "SHFE", "cancel_on_disconnect = true", DROP.format(port=7777))
    orders, copies = fix_sessions(site, "orders"), fix_sessions(site, "drop_copy")
    assert [(one.key, one.cancel_on_disconnect) for one in orders] == [("SHFE.orders", True), ("LME.orders", False)]
    (copy,) = copies
    assert (copy.key, copy.port, copy.resets, copy.cancel_on_disconnect) == ("SHFE.drop_copy", 7777, False, False)


def test_two_sessions_do_not_share_an_end(tmp_path: Path) -> None:
    """A drop copy with the order session's host, port and ids would take its place."""
    drop = DROP.format(port=1).replace('"DROP"', '"VENUE"')
    with pytest.raises(
        SiteError, match=r"venue\[0\]\.drop_copy\.port = 1: right would be not that of venue\[0\]\.orders"
    ):
        changed(tmp_path, "SHFE", "", drop)
