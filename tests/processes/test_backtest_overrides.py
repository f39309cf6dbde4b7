"""`--set` and `--sweep`: a path into the site file becomes the variable that overrides that key."""

from pathlib import Path

import pytest
from backtest_sites import site_file

from gateway.processes.backtest_overrides import Assignment, Sweep, assignments, combinations, sweeps, variables
from gateway.processes.cli import WrongCallError
from gateway.processes.settings import load_site


def test_each_kind_of_key_is_found(tmp_path: Path) -> None:
    """A key of a table, of a list's entry by its id, one with dots in its id, of a leg by its instrument, by place."""
    path = site_file(tmp_path)
    given = [
        Assignment("limits.max_open_trades", "3"),
        Assignment("rule.cu-band.buy_at", "-77"),
        Assignment("instrument.SHFE.cu2609.max_position_lots", "450"),
        Assignment("pair.CU-CA.leg.LME.CA3M.pay_up_ticks", "9"),
        Assignment("pair.0.leg.0.pay_up_ticks", "6"),
    ]
    site = load_site(path, variables(path, given))
    assert site.limits.max_open_trades == 3
    assert site.rules["cu-band"].buy_at_e9 == -77 * 10**9
    assert site.instrument_limits["SHFE.cu2609"].max_position_lots == 450
    assert [leg.pay_up_ticks for leg in site.pairs["CU-CA"].legs] == [6, 9]


def test_a_key_that_the_file_leaves_out_can_be_set(tmp_path: Path) -> None:
    """A default is a key like any other; a misspelt one is told by the checks of the site."""
    path = site_file(tmp_path)
    made = variables(path, [Assignment("pair.CU-CA.shut_reserve_s", "30")])
    assert load_site(path, made).pairs["CU-CA"].shut_reserve_ns == 30 * 10**9


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("rule.cu-bnad.buy_at", "cu-bnad leads nowhere; there is cu-band"),
        ("rules.cu-band.buy_at", "rules leads nowhere; there is"),
        ("pair.CU-CA.leg.SHFE.al2609.pay_up_ticks", "SHFE leads nowhere; there is SHFE.cu2609, LME.CA3M"),
        ("rule.cu-band", "rule.cu-band leads nowhere"),
        ("rule.7.buy_at", "7 leads nowhere"),
    ],
)
def test_a_path_that_leads_nowhere_names_where_it_was_lost(key: str, said: str, tmp_path: Path) -> None:
    """And what stands there instead."""
    path = site_file(tmp_path)
    with pytest.raises(WrongCallError) as caught:
        variables(path, [Assignment(key, "1")])
    assert said in str(caught.value)


def test_words_become_assignments_and_every_combination() -> None:
    """Each value of each key with each of the others, in order; an equals sign may stand in a value."""
    assert assignments(["a.b=c=d"]) == [Assignment("a.b", "c=d")]
    given = sweeps(["x.y=1, 2", "z=3"])
    assert given == [Sweep("x.y", ("1", "2")), Sweep("z", ("3",))]
    assert combinations(given) == [
        (Assignment("x.y", "1"), Assignment("z", "3")),
        (Assignment("x.y", "2"), Assignment("z", "3")),
    ]
    with pytest.raises(WrongCallError, match="1331 runs"):
        combinations([Sweep(name, tuple(map(str, range(11)))) for name in "abc"])
