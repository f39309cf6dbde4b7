"""The benchmark of start-up: its site is a right one, and its table says what was measured."""

from pathlib import Path

from benchmarks.start_up import ASKED, Round, rows, site_of
from gateway.processes import demo_sites
from gateway.processes.settings import load_site
from gateway.processes.toml_text import toml_text


def test_the_site_has_as_many_pairs_as_asked_for_and_no_mistake(tmp_path: Path) -> None:
    """Ten pairs of the demo's two contracts, each with a rule of its own that no price meets."""
    made = demo_sites.plan(ASKED, demo_sites.tape_of(ASKED))
    ports = {one.id: (5001, 5002) for one in (made.domestic, made.overseas)}
    file = tmp_path / "site.toml"
    file.write_text(toml_text(site_of(made, ports, "", 10)), encoding="utf-8")
    site = load_site(file, {})
    assert len(site.pairs) == 10
    assert {rule.pair_id for rule in site.rules.values()} == set(site.pairs)
    assert {(rule.buy_at_e9, rule.sell_at_e9) for rule in site.rules.values()} == {(-(10**15), 10**15)}


def test_a_row_has_the_percentiles_and_every_round() -> None:
    """Nearest rank of three rounds; milliseconds and megabytes are cut off."""
    ms, mb = 10**6, 10**6
    measured = [Round(3 * ms, 2 * ms, 4 * ms, 5 * ms, 200 * mb, 6, ms), Round(1 * ms, ms, ms, ms, 100 * mb, 6, ms)]
    shown = {row[1]: row[2:] for row in rows("this", [*measured, measured[0]._replace(venues_to_armed_ns=9 * ms)])}
    assert shown["venues up -> armed, ms"] == ["3", "3", "9", "9", "3 1 9"]
    assert shown["memory, sum of PSS, MB"] == ["3", "200", "200", "200", "200 100 200"]
