"""What the demo writes before it starts: profiles and site files that load, thresholds that follow from the tape."""

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.processes import demo, demo_clients, demo_recorded, demo_sites
from gateway.processes.cli import parser
from gateway.processes.demo_sites import Asked, DemoError
from gateway.processes.operator import Stopped
from gateway.processes.settings import load_site
from gateway.processes.toml_text import toml_text
from simulators.core.tape import TapeBook, TapeEvent, TapeInstrument
from simulators.profile import read_profile
from simulators.tapes import RECORDED_SETS

RECORDED = [
    pytest.param("recorded", name, marks=pytest.mark.skipif(not RECORDED_SETS.is_dir(), reason="no recorded sets here"))
    for name in ("if-cn-20140129", "if-cn-ticks", "if-xauusd")
]


@pytest.mark.parametrize(("kind", "name"), [("synthetic", "cu"), ("synthetic", "au"), *RECORDED])
@pytest.mark.parametrize("faults", [False, True])
def test_profiles_and_site_of_every_tape_load(tmp_path: Path, kind: str, name: str, *, faults: bool) -> None:
    """The simulator takes both profiles, the gateway takes the site, and the pair's venues are those of the profiles."""
    asked = Asked(kind, name, str(RECORDED_SETS) if kind == "recorded" else "", 7, 60, "", faults)
    made = demo_sites.plan(asked, demo_sites.tape_of(asked))
    for venue in (made.domestic, made.overseas):
        file = tmp_path / f"{venue.id}.toml"
        file.write_text(toml_text(demo_sites.profile(made, venue, asked, tmp_path, 1)), encoding="utf-8")
        assert read_profile(file).venue.name == venue.id
    file = tmp_path / "site.toml"
    ports = {made.domestic.id: (5001, 5002), made.overseas.id: (5003, 5004)}
    file.write_text(toml_text(demo_sites.site(made, ports, str(tmp_path))), encoding="utf-8")
    site = load_site(file, {})
    assert list(site.venues) == [made.domestic.id, made.overseas.id]
    assert [leg.instrument_id.partition(".")[0] for leg in next(iter(site.pairs.values())).legs] == list(site.venues)


@pytest.mark.parametrize(("kind", "name"), [("synthetic", "cu"), *RECORDED])
def test_a_demo_with_clients_loads_and_has_a_session_of_each_version(tmp_path: Path, kind: str, name: str) -> None:
    """On this machine only; they may trade the pair and its legs, and no rule of the house does."""
    asked = Asked(kind, name, str(RECORDED_SETS) if kind == "recorded" else "", 7, 60, "", faults=False)
    made = demo_sites.plan(asked, demo_sites.tape_of(asked))
    ports = {made.domestic.id: (5001, 5002), made.overseas.id: (5003, 5004)}
    content = demo_clients.with_clients(demo_sites.site(made, ports, str(tmp_path)), 9878)
    file = tmp_path / "site.toml"
    file.write_text(toml_text(content), encoding="utf-8")
    site = load_site(file, {})
    versions = {name: one.begin_string for name, one in site.clients.specs.items() if not one.drop_copy}
    assert (versions, site.rules) == (dict(demo_clients.VERSIONS), {})
    assert (site.clients.port, site.clients.tls_port, site.clients.specs["DROP"].drop_copy) == (9878, 0, True)
    legs = tuple(leg.instrument_id for leg in next(iter(site.pairs.values())).legs)
    assert site.clients.specs["FUND1"].instruments == legs
    assert str(demo_clients.invitation(9878)).startswith("clients connect to 127.0.0.1:9878 as FUND1 (FIX.4.4)")


@pytest.mark.parametrize(("words", "port"), [([], 0), (["--clients"], 9878), (["--clients", "9900"], 9900)])
def test_the_port_of_clients_is_chosen_or_the_usual_one(words: list[str], port: int) -> None:
    """Without the option nobody connects."""
    assert parser().parse_args(["demo", *words]).clients == port


@pytest.mark.parametrize("port", ["0", "65536", "x"])
def test_a_port_of_clients_that_cannot_be_is_a_wrong_call(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With what would be right."""
    with pytest.raises(SystemExit):
        parser().parse_args(["demo", "--clients", port])
    assert f"'{port}': a port, 1 to 65535" in capsys.readouterr().err


class SmallTape:
    """Two instruments, three books."""

    name = "small"
    label = "small"
    duration_ns = 7
    instruments = (
        TapeInstrument("A", "a", Decimal("0.2"), "CNY", "20140129"),
        TapeInstrument("B", "b", Decimal(5), "USD", "20140129"),
    )

    def events(self) -> Iterator[TapeEvent]:
        """A book of one side only does not count."""
        yield TapeBook(0, "A", "a", ((10, 1),), ())
        yield TapeBook(1, "B", "b", ((1, 1),), ((3, 1),))
        yield TapeBook(2, "A", "a", ((100, 1),), ((102, 1),))
        yield TapeBook(3, "A", "a", ((200, 1),), ((204, 1),))
        yield TapeBook(6, "A", "a", ((200, 1),), ())


def test_a_recorded_pairs_mean_counts_each_ratio_by_how_long_it_stood() -> None:
    """(100 + 102) / 2 ticks of 0.2 over (1 + 3) / 2 ticks of 5 is 2.02, 1 ns; then 4.04 for 3 ns; one side counts not."""
    assert demo_recorded.mean_ratio(SmallTape(), "a", "b") == Decimal("3.535")


def test_a_tape_without_a_common_book_is_refused() -> None:
    """There is no price to set a rule around."""
    with pytest.raises(DemoError, match="never have a book at the same time"):
        demo_recorded.mean_ratio(SmallTape(), "a", "c")


@pytest.mark.skipif(not RECORDED_SETS.is_dir(), reason="no recorded sets here")
def test_a_recorded_pairs_rule_knows_nothing_after_its_start() -> None:
    """Its thresholds are those of the five minutes before; value-neutral, IF to CN is 1 to 16 on 2014-01-29."""
    made = {}
    for seconds in (60, 600):
        asked = Asked("recorded", "if-cn-20140129", str(RECORDED_SETS), 7, seconds, "", faults=False)
        made[seconds] = demo_sites.plan(asked, demo_sites.tape_of(asked))
    assert made[60].rule == made[600].rule
    assert made[60].legs[1]["ratio_lots"] == 16
    before = Asked("recorded", "if-cn-20140129@09:34:00", str(RECORDED_SETS), 7, 60, "", faults=False)
    own = demo_recorded.tape_before(asked)
    assert own.duration_ns == 300 * 10**9
    assert list(own.events())[:1] == list(demo_sites.tape_of(before).events())[:1]


def test_toml_text_is_what_toml_reads() -> None:
    """Nested tables, lists of tables, text with quotes and Chinese, numbers, booleans: all come back."""
    tree = {
        "site": {"name": 'a "b" \\ 中', "on": True, "off": False, "n": -3, "f": 0.5, "list": [1, 2], "words": ["x"]},
        "pair": [{"id": "p", "leg": [{"id": "l1", "factors": {"vat": "1.13"}}, {"id": "l2"}]}, {"id": "q"}],
        "empty": [],
    }
    assert tomllib.loads(toml_text(tree)) == tree


SUCCESS = """
why                         | failed | balanced | reconciled | verdict          | halted | success
all well                    |        | yes      | yes        | pass             | 0      | yes
too few trades to prove     |        | yes      | yes        | not enough trades | 0     | yes
cut short                   | died   | yes      | yes        | pass             | 0      | no
left legged                 |        | no       | yes        | pass             | 0      | no
journal and venues differ   |        | yes      | no         | pass             | 0      | no
a promised figure failed    |        | yes      | yes        | fail             | 0      | no
a trade was halted          |        | yes      | yes        | pass             | 1      | no
"""


@pytest.mark.parametrize("row", SUCCESS.strip().splitlines()[1:])
def test_the_demo_succeeds_only_when_everything_is_in_order(row: str) -> None:
    """One thing out of order is enough for exit code 1."""
    _, failed, balanced, reconciled, verdict, halted, success = (cell.strip() for cell in row.split("|"))
    stopped = Stopped(answered=True, open_trades=int(balanced == "no"), working_orders=0, pairs=())
    summary = {
        "reconciled_with_venues": reconciled == "yes",
        "verdict": {"overall": verdict},
        "pair_trades": {"halted": int(halted)},
    }
    assert demo.succeeded(summary, demo.Outcome(stopped, failed, 1)) is (success == "yes")
