"""Numbers that a person sets, and from where a venue is asked to send again, as values."""

import pytest
from fix_peer import Peer, text
from test_fix_sessions import KEY, Make, make, peer, stops

from gateway.fix.resume import resume_at
from gateway.model.port import Heard

__all__ = ["make", "peer", "stops"]


def test_a_session_that_is_up_is_logged_out_and_comes_back_with_the_numbers(peer: Peer, make: Make) -> None:
    """Without `log_out` it is refused: a session that is up has no numbers that are lost."""
    world = make(peer.port)
    peer.read("A")
    world.next("session")
    with pytest.raises(ValueError, match="is up; log out before its numbers are set"):
        world.sessions.reset_numbers(KEY, 41, 7)
    world.sessions.reset_numbers(KEY, 41, 7, log_out=True)
    peer.next_out = 6  # the answer to our Logout; then as we expect it
    peer.read("5")
    assert text(peer.read("A"), 34) == "41"
    assert world.next("session")[1] is False
    assert world.next("session")[1:] == (True, "logged on")


S = 10**9
ROWS = """
on record | written at | store expects | its numbers began | expect
9         | 100.5      | 12            | 50                | 10
9         | 100.5      | 10            | 50                | 10
0         | 100.5      | 12            | 50                | 1
9         | 100.5      | 12            | 101               | 1
9         | 100.5      | 12            | 100               | 1
20        | 100.5      | 12            | 50                | 1
"""


@pytest.mark.parametrize("row", ROWS.strip().splitlines()[1:])
def test_from_where_it_is_asked(row: str) -> None:
    """The number after the record; from the first where the numbers began with or after it, or do not fit it."""
    number, written, expected, since, right = (cell.strip() for cell in row.split("|"))
    heard = Heard(int(number), int(float(written) * S))
    assert resume_at(heard, int(expected), int(since) * S) == int(right)
