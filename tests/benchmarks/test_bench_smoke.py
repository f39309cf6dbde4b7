import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import floors
from benchmarks.__main__ import main
from benchmarks.floor import build

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def reference() -> None:
    """Skips, with the reason in words, where the C++ reference cannot be built."""
    floor = build.build()
    if floor.missing:
        pytest.skip(floor.missing)


def figures(path: Path) -> dict[str, dict[str, object]]:
    """By name, of the only benchmark in the file."""
    (report,) = json.loads(path.read_bytes())["benchmarks"]
    assert {"processor", "cores", "kernel", "python"} <= set(report["machine"])
    found: dict[str, dict[str, object]] = report["figures"]
    return found


@pytest.mark.usefixtures("reference")
def test_tick_to_order_of_the_reference_answers_every_trigger(tmp_path: Path) -> None:
    """One short round at 200 quotes a second; both floors stand beside it."""
    out = tmp_path / "out.json"
    short = ["--only", "reference", "--rounds", "1", "--seconds", "1", "--rates", "200", "--json", str(out)]
    assert main(["tick-to-order", *short]) == 0
    found = figures(out)
    assert found["answered.200.C++"]["value"] == 1
    assert {"tick_to_order.200.C++.p50", "floor.TCP.200.p50", "floor.ZeroMQ_ipc.200.p50"} <= set(found)


@pytest.mark.usefixtures("reference")
def test_feed_throughput_of_the_reference_loses_nothing(tmp_path: Path) -> None:
    """One short step: every quote that was written reached the subscriber."""
    out = tmp_path / "out.json"
    short = ["--only", "reference", "--rounds", "1", "--seconds", "0.5", "--rates", "400", "--json", str(out)]
    assert main(["feed-throughput", *short]) == 0
    (report,) = json.loads(out.read_bytes())["benchmarks"]
    assert [(one["rate"], one["lost"]) for one in report["rounds"]] == [(400, 0)]


def test_tick_to_order_of_the_gateway_matches_orders_with_their_quotes(tmp_path: Path) -> None:
    """One short round at 200 quotes a second: orders of both legs arrive at the prices of the quotes they answer.

    How many of the triggers are answered depends on the machine: a trigger that is overtaken is skipped on purpose.
    """
    out = tmp_path / "out.json"
    short = ["--only", "gateway", "--rounds", "1", "--seconds", "1", "--rates", "200", "--json", str(out)]
    assert main(["tick-to-order", *short]) == 0
    assert figures(out)["answered.200.gateway"]["value"] > 0


def test_feed_throughput_of_the_gateway_loses_nothing(tmp_path: Path) -> None:
    """One short step: every quote that was written reached the subscriber."""
    out = tmp_path / "out.json"
    short = ["--only", "gateway", "--rounds", "1", "--seconds", "0.5", "--rates", "400", "--json", str(out)]
    assert main(["feed-throughput", *short]) == 0
    (report,) = json.loads(out.read_bytes())["benchmarks"]
    assert [(one["rate"], one["lost"]) for one in report["rounds"]] == [(400, 0)]


@pytest.mark.parametrize("kind", floors.KINDS)
def test_a_floor_gives_a_time_for_every_message(kind: str) -> None:
    """As many one-way times as messages, none of them negative or zero."""
    run = floors.measure(kind, 200, 0.2)
    assert run.one_way.count == 40
    assert 0 < run.one_way.p50_ns <= run.one_way.max_ns


def test_where_no_compiler_is_there_the_report_says_so_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """And names what installs it."""
    monkeypatch.setenv("PATH", "")
    assert build.build().missing == "make is not installed; benchmarks/floor/install.sh installs what is needed"


def test_an_unknown_benchmark_is_a_wrong_call() -> None:
    """Exit code 2, and the names that exist."""
    called = subprocess.run(
        [sys.executable, "-m", "benchmarks", "tick-to-trade"],
        cwd=REPOSITORY, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert called.returncode == 2
    assert "no benchmark tick-to-trade; there are tick-to-order, feed-throughput" in called.stderr
