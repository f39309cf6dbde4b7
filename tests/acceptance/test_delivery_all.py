"""All five steps in a row: what is left when one of them fails."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

import pytest
from virtual_run import make_run

from acceptance import signing
from acceptance.accept import verify
from gateway.journal.told import told
from gateway.processes import deliver_all
from gateway.processes.deliver_world import WorldError
from gateway.processes.toml_text import toml_text


def test_a_rollout_that_does_not_get_on_has_a_signed_report_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The step failed, and so did the delivery; what the run shows is judged, signed and verified."""

    def fails(out: Path, _seed: int, _seconds: int) -> tuple[Path, Path, Path]:
        run_dir, plan, key = deliver_all.left_of(out)
        make_run(run_dir, seconds=60)
        public = signing.make_key(key)
        content = tomllib.loads(deliver_all.PLAN.read_text(encoding="utf-8"))
        content["approver"] = [{"name": deliver_all.WHO, "public_key": public}]
        plan.write_text(toml_text(content), encoding="utf-8")
        message = told("no rollout plan is in force")
        raise WorldError(message)

    monkeypatch.setattr(deliver_all, "_step", lambda _number, _words: 0)
    monkeypatch.setattr(deliver_all, "grey", fails)
    out = tmp_path / "all"
    assert deliver_all.run(argparse.Namespace(out=out, seed=7, stress_seconds=1, full_seconds=1)) == 1
    assert "grey: no rollout plan is in force" in capsys.readouterr().out
    content = verify(out / "acceptance", signing.read_approvers([out / "grey" / "plan.toml"]))
    assert content["approver"]["name"] == deliver_all.WHO


def test_without_a_run_there_is_nothing_to_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing traded: failed, and no report that would say otherwise."""

    def fails(_out: Path, _seed: int, _seconds: int) -> tuple[Path, Path, Path]:
        message = told("the plan was not put in force")
        raise WorldError(message)

    monkeypatch.setattr(deliver_all, "_step", lambda _number, _words: 0)
    monkeypatch.setattr(deliver_all, "grey", fails)
    out = tmp_path / "all"
    assert deliver_all.run(argparse.Namespace(out=out, seed=7, stress_seconds=1, full_seconds=1)) == 1
    assert not (out / "acceptance").exists()
