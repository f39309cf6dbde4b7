"""The benchmark of the execution path, once and short."""

import json
from pathlib import Path

import pytest

from benchmarks import execution_path


def test_every_step_and_the_whole_path_are_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One round with 0 and 20 open pair trades: the gate, its neighbours, and the hops of intents that left."""
    monkeypatch.setattr(execution_path, "OPEN_TRADES", (0, 20))
    monkeypatch.setattr(execution_path, "ALONE_CALLS", 20)
    monkeypatch.setattr(execution_path, "SENT_CALLS", 10)
    out = tmp_path / "out.json"
    assert execution_path.main(["--rounds", "1", "--seconds", "0.5", "--rates", "20", "--json", str(out)]) == 0
    (report,) = json.loads(out.read_bytes())["benchmarks"]
    timed = {(one["what"], one["open_trades"]): one["took"]["count"] for one in report["rounds"]}
    assert timed["gate", 0] == timed["gate", 20] == timed["engine", 20] == timed["journal append", 0] == 20
    assert timed["build and send two", 0] == 10
    assert 5 <= timed["path", 0] == timed["made -> taken", 0] <= 10
    assert {"gate.tight.open_0.p50", "path.20.open_0.p50", "path.20.p50_with_20_open"} <= set(report["figures"])
    assert {"processor", "cores", "kernel", "python"} <= set(report["machine"])
