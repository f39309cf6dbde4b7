"""Parts of a backtest by themselves: times of a tape, what was held for how long, quotes of a record found in order."""

from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from backtest_sites import write_journal

from gateway.journal.record_files import segment_path
from gateway.model.order import Side
from gateway.model.quote import BookState, Quote
from gateway.model.record import JournalOpened, Observed
from gateway.processes.backtest_overrides import Assignment
from gateway.processes.backtest_profit import Line, Profit, summed
from gateway.processes.backtest_sweep import command
from gateway.processes.backtest_tape import Asked
from gateway.processes.backtest_time import instant_ns, midnight_ns, shown
from gateway.processes.cli import WrongCallError
from gateway.processes.replay_quotes import KEPT_NS, RecordedQuotes

SECOND = 10**9
SHANGHAI, LONDON = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/London")
START_NS = 1781485200 * SECOND
"""2026-06-15, 09:00 in Shanghai, 02:00 in London."""


@pytest.mark.parametrize(
    ("text", "zone", "word", "after_s"),
    [
        ("09:00:30", SHANGHAI, "from", 30),
        ("09:01", SHANGHAI, "from", 60),
        ("2026-06-15", SHANGHAI, "from", -9 * 3600),
        ("2026-06-15", SHANGHAI, "to", 15 * 3600),
        ("2026-06-15T09:00", SHANGHAI, "to", 0),
        ("2026-06-15 02:00:10", LONDON, "from", 10),
        ("02:00", LONDON, "from", 0),
        ("2026-06-15T01:00:00Z", LONDON, "from", 0),
        ("2026-06-15T10:00:00+09:00", SHANGHAI, "from", 0),
    ],
)
def test_a_time_is_the_markets_unless_it_says_otherwise(text: str, zone: ZoneInfo, word: str, after_s: int) -> None:
    """A time of day is one of the tape's first day, a date its midnight, and as an end the midnight after it."""
    assert instant_ns(text, "--from", zone, START_NS, is_end=word == "to") == START_NS + after_s * SECOND


def test_what_is_no_time_is_told_with_the_option() -> None:
    """And with what would be one."""
    with pytest.raises(WrongCallError, match="--to noon: a date, a time of day or both"):
        instant_ns("noon", "--to", SHANGHAI, START_NS, is_end=True)


def test_an_instant_is_shown_as_the_markets_wall_clock() -> None:
    """The same instant in two zones; a day begins at its own midnight."""
    assert (shown(START_NS, SHANGHAI), shown(START_NS, LONDON)) == ("2026-06-15 09:00:00", "2026-06-15 02:00:00")
    assert midnight_ns("20260615", SHANGHAI) == START_NS - 9 * 3600 * SECOND


def test_what_was_held_counts_for_as_long_as_it_was_held() -> None:
    """Lots x price x time between fills, at the price of the last fill, whichever side; cash is what was paid and got."""
    line = Line(since_ns=5)
    line.trade(Side.BUY, 2, Fraction(100), 10)
    line.trade(Side.SELL, 3, Fraction(110), 20)
    line.carry(50)
    assert line.held == 2 * 100 * 10 + 1 * 110 * 30
    assert (line.cash_ticks, line.net_lots) == (-2 * 100 + 3 * 110, -1)


def test_a_sum_with_an_unknown_figure_is_unknown() -> None:
    """Nothing is guessed for a rule without fees."""
    assert (summed([1, 2]), summed([1, None]), summed([])) == (3, None, 0)


def test_what_is_left_of_an_unknown_profit_is_unknown() -> None:
    """With an instrument that nothing values, no part of the rest passes for the profit."""
    assert Profit("R", "P", "CNY", None, 1, 1).net_e9 is None
    assert Profit("R", "P", "CNY", 9, 1, None).net_e9 is None
    assert Profit("R", "P", "CNY", 9, 1, 2).net_e9 == 6


def test_a_run_of_a_sweep_is_called_with_all_that_was_asked(tmp_path: Path) -> None:
    """Tape, times, networks, what is set for all, and last what this run differs by."""
    from gateway.processes.backtest import Options

    asked = Asked("synthetic", "cu", 3, "09:01", "09:02")
    wanted = Options(
        Path("s.toml"), asked, ("LME=none",), 250, (Assignment("a", "1"),), (), tmp_path, json=False, jobs=1
    )
    words = command(wanted, (Assignment("b.c", "2"),))
    assert words[-1] == "--set=b.c=2"
    for one in ("--name=cu", "--from=09:01", "--to=09:02", "--profile=LME=none", "--set=a=1", "--json"):
        assert one in words
    assert words[words.index("--seed") + 1] == "3"


def recorded(run: Path, seconds: range) -> None:
    """A record with one quote of one instrument a second, its number the second."""
    opened = JournalOpened("recorder", 1, "h", "b", 0, 0, "v", "d")
    quotes = [
        Observed(at * SECOND, 4, at, Quote("V.A", BookState.OK, ((at, 1),), ((at + 1, 1),), at * SECOND, 0, 0, at))
        for at in seconds
    ]
    path = segment_path(run, 1, 1)
    path.parent.mkdir(parents=True)
    write_journal(path, [opened, *quotes])


def test_quotes_are_found_by_number_and_forgotten_after_a_while(tmp_path: Path) -> None:
    """Each in its turn, one that the record lacks is None, and no more than the last minute is held."""
    recorded(tmp_path, range(1, 401))
    quotes = RecordedQuotes(tmp_path)
    most = 0
    for at in range(1, 401):
        found = quotes.find(("V.A", 4, at), at * SECOND)
        assert found is not None
        assert found.msg_seq_num == at
        most = max(most, len(quotes._found))
    assert quotes.find(("V.A", 5, 400), 400 * SECOND) is None
    assert quotes.find(("V.A", 4, 401), 401 * SECOND) is None
    assert quotes.find(("V.A", 4, 1), 401 * SECOND) is None
    assert most <= KEPT_NS // SECOND + 12
