import json
from pathlib import Path

from benchmarks.feed_throughput import Step, delays, knee
from benchmarks.gateway_side import hop_times
from benchmarks.matching import Answered
from benchmarks.percentiles import Summary, summarise
from benchmarks.report import Figure, Report, as_json, table, write_json
from benchmarks.tick_to_order import hop_medians
from benchmarks.venue import Run


def test_json_holds_each_figure_by_name_each_round_and_the_machine(tmp_path: Path) -> None:
    """The whole document."""
    figures = [Figure("a.p50", 12.5, "us", 20.0, 10.0), Figure("knee", 9000, "quotes/s", 10000, less_is_better=False)]
    rounds: list[dict[str, object]] = [{"number": 1, "side": "gateway"}]
    report = Report("b", {"cores": 2}, {"rounds": 1}, figures, rounds, ["a note"])
    write_json(tmp_path / "new" / "out.json", [report])
    assert json.loads((tmp_path / "new" / "out.json").read_bytes()) == {
        "benchmarks": [
            {
                "benchmark": "b",
                "machine": {"cores": 2},
                "settings": {"rounds": 1},
                "figures": {
                    "a.p50": {"value": 12.5, "unit": "us", "reach": 20.0, "stretch": 10.0, "met": True},
                    "knee": {"value": 9000, "unit": "quotes/s", "reach": 10000, "stretch": None, "met": False},
                },
                "rounds": [{"number": 1, "side": "gateway"}],
                "notes": ["a note"],
            }
        ]
    }


def test_percentile_names_in_json_are_those_of_the_tables() -> None:
    """p99.9 keeps its point."""
    report = Report("b", {}, {}, rounds=[{"delay": summarise([5])}])
    told = json.loads(as_json([report]))["benchmarks"][0]["rounds"][0]["delay"]
    assert told == {"count": 1, "p50_ns": 5, "p90_ns": 5, "p99_ns": 5, "p99.9_ns": 5, "max_ns": 5}


def test_a_figure_without_an_aim_is_neither_met_nor_missed() -> None:
    """And its words name no aim."""
    figure = Figure("x", 3.0, "us")
    assert (figure.met, figure.in_words()) == (None, "x: 3 us")
    assert Figure("x", 3.0, "us", 2.0).in_words() == "x: 3 us (reach 2: NOT met)"


def test_a_table_puts_numbers_right_and_words_left() -> None:
    """Two rows, a dash among numbers."""
    assert table(["side", "p50"], [["ours", "1000"], ["C++", "-"]]) == "side   p50\nours  1000\nC++      -"


def step(number: int, rate: int, p99_ns: int, lost: int = 0, achieved: int | None = None) -> Step:
    """One step of a climb."""
    delay = Summary(100, 1, 1, p99_ns, p99_ns, p99_ns)
    return Step(number, "gateway", rate, rate if achieved is None else achieved, lost, delay, 50)


def test_the_knee_is_the_last_rate_that_most_rounds_sustained_with_all_below_it() -> None:
    """One bad round of three is forgiven, a rate above a failed one does not count."""
    good, bad = 9_999_999, 10_000_000
    climb = [step(number, 1000, good) for number in (1, 2, 3)]
    climb += [step(1, 2000, bad), step(2, 2000, good), step(3, 2000, good)]
    climb += [step(1, 3000, bad), step(2, 3000, bad), step(3, 3000, good)]
    climb += [step(number, 4000, good) for number in (1, 2, 3)]
    assert knee(climb) == 2000


def test_a_lost_quote_or_a_venue_that_could_not_keep_the_rate_is_not_sustained() -> None:
    """However small the delay of those that came."""
    assert [step(1, 1000, 1).sustained, step(1, 1000, 1, lost=1).sustained] == [True, False]
    assert [step(1, 1000, 1, achieved=970).sustained, step(1, 1000, 1, achieved=969).sustained] == [True, False]


def test_delays_join_by_leg_and_number_and_count_what_never_came() -> None:
    """The same MsgSeqNum(34) on two sessions is two quotes."""
    run = Run((), (), ({1: 100, 2: 200}, {1: 150}), (), 1)
    assert delays(run, {(0, 1): 110, (1, 1): 190}) == ([10, 40], 1)


def test_hops_join_intents_to_the_newest_trigger_before_them() -> None:
    """p50 of each hop over the chains; an intent that no trigger explains is left out."""
    answered = [Answered(0, 100, (180, 190), (179, 185)), Answered(1, 1000, (1085, 1100), (1084, 1095))]
    hops = [(10, 20, 30), (110, 120, 130), (1030, 1040, 1060)]
    names = ("a -> b", "b -> taken by execution", "c -> d", "d -> socket", "socket -> read")
    assert hop_medians(answered, hops, names) == ((10, 10, 10, 35, 5), 55)


def test_no_intent_has_no_hops() -> None:
    """Nothing but None, so that a table leaves the line out."""
    assert hop_medians([], [], ()) == ((), None)
    assert hop_times([]) == []
