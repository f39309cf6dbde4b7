"""The parts of the load test that need no gateway: due times, histograms that add up, shapes, loopback, storms."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from acceptance.evidence import read_loadtest
from loadtest.due import Delays, burst_times, due_times, write_result
from loadtest.run import commands, parser
from loadtest.session import NotLoopbackError, loopback
from loadtest.shapes import Wanted, ramp, soak, spike, step
from loadtest.storm import write_storm
from simulators.tapes import load_tape

WANTED = Wanted(20, 100)


def test_due_times_do_not_wait_for_anybody() -> None:
    """The k-th request is due k intervals after the start, whatever became of those before."""
    assert list(islice(due_times(1000, 4.0), 4)) == [(0, 1000), (1, 250_001_000), (2, 500_001_000), (3, 750_001_000)]


def test_a_burst_is_due_at_one_instant() -> None:
    """Three at once, then three again after the interval."""
    times = [due for _, due in islice(burst_times(0, 2.0, 3), 7)]
    assert times == [0, 0, 0, 2 * 10**9, 2 * 10**9, 2 * 10**9, 4 * 10**9]


@pytest.mark.parametrize(
    ("shape", "at", "users"),
    [
        (ramp, 0, 1), (ramp, 50, 10), (ramp, 99, 20), (ramp, 100, None),
        (step, 0, 5), (step, 26, 10), (step, 99, 20), (step, 100, None),
        (spike, 10, 4), (spike, 45, 20), (spike, 70, 4), (spike, 100, None),
        (soak, 0, 20), (soak, 99, 20), (soak, 100, None),
    ],
)  # fmt: skip
def test_shapes(shape: object, at: int, users: int | None) -> None:
    """Users at each moment; None ends the test by itself."""
    assert shape(at, WANTED) == users  # type: ignore[operator]


def test_what_workers_tell_adds_up_and_nothing_is_told_twice() -> None:
    """Two workers' histograms make one; a worker begins anew after it told."""
    first, second, master = Delays(), Delays(), Delays()
    for delays, ns in ((first, 1_000_000), (first, 2_000_000), (second, 50_000_000)):
        delays.sent(5)
        delays.answered(ns)
    second.failed("rejected")
    for told in (first.packed(), second.packed(), first.packed()):
        master.add(told)
    found = master.result("both", {})
    assert (found["requests"], found["answered"], found["failures"]) == (3, 3, 1)
    assert found["latency_ns"]["max"] == pytest.approx(50_000_000, rel=0.001)


def test_a_result_is_a_file_that_acceptance_reads(tmp_path: Path) -> None:
    """Name, requests, failures and the 99th percentile, as docs/ACCEPTANCE.md asks."""
    delays = Delays()
    for ns in range(1, 101):
        delays.sent(0)
        delays.answered(ns * 1_000_000)
    write_result(tmp_path / "one.json", delays.result("ramp", {"shape": "ramp"}))
    read = read_loadtest(tmp_path / "one.json")
    assert (read.name, read.requests, read.failures) == ("ramp", 100, 0)
    assert read.p99_ns == pytest.approx(99_000_000, rel=0.001)


@pytest.mark.parametrize("host", ["10.0.0.1", "8.8.8.8", "0.0.0.0"])  # noqa: S104 - it is refused
def test_load_goes_to_this_machine_only(host: str) -> None:
    """Another machine's address is refused before a socket is opened."""
    with pytest.raises(NotLoopbackError, match="loopback only"):
        loopback(host)


def test_a_distributed_test_has_a_master_and_its_workers() -> None:
    """One master on loopback, as many workers as were asked for, all on its port; only the master writes the result."""
    given = parser().parse_args(["--port", "1", "--workers", "3"])
    master, *workers = commands(given, Path("r.json"))
    port = master[master.index("--master-bind-port") + 1]
    assert len(workers) == 3
    assert all(one[one.index("--master-port") + 1] == port for one in workers)
    assert ("--result" in master, any("--result" in one for one in workers)) == (True, False)
    assert master[master.index("--master-bind-host") + 1] == "127.0.0.1"


def test_a_storm_is_the_same_market_faster(tmp_path: Path) -> None:
    """The same books in the same order, three times as fast."""
    write_storm(tmp_path / "storm", "cu", 7, 4, 3)
    calm = load_tape("synthetic", "cu", "", 7, 12)
    storm = load_tape("csv", "storm", str(tmp_path), 0, 4)
    before, after = list(calm.events()), list(storm.events())
    assert len(before) == len(after) > 100
    assert [one.at_ns // 3 for one in before] == [one.at_ns for one in after]
    assert before[-1]._replace(at_ns=0) == after[-1]._replace(at_ns=0)


def test_the_scenarios_that_are_shipped_are_readable() -> None:
    """Each names what `cmc deliver stress` needs; an unknown one is refused with the names that are there."""
    from gateway.processes.deliver_stress import SCENARIOS, StressError, scenarios

    rows = scenarios(SCENARIOS, "", 3)
    assert {"ramp", "step", "spike", "soak", "disconnect storm", "slow clients", "opening bursts"} == {
        row["name"] for row in rows
    }
    assert {row["seconds"] for row in rows} == {3}
    with pytest.raises(StressError, match="no scenario nothing"):
        scenarios(SCENARIOS, "nothing", 0)


@pytest.mark.parametrize("text", ["", '[[scenario]]\nname = "a"\n', "not toml ["])
def test_bad_scenarios_are_refused(tmp_path: Path, text: str) -> None:
    """None at all, one without its keys, no TOML: each says what is missing."""
    from gateway.processes.deliver_stress import StressError, scenarios

    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    with pytest.raises(StressError):
        scenarios(tmp_path / "s.toml", "", 0)


def test_json_of_a_result_is_plain(tmp_path: Path) -> None:
    """It reads back as it was written, histogram included."""
    write_result(tmp_path / "deep" / "r.json", Delays().result("none", {}))
    content = json.loads((tmp_path / "deep" / "r.json").read_text(encoding="utf-8"))
    assert (content["kind"], content["requests"]) == ("loadtest", 0)
