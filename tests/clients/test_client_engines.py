"""Engines that are not ours trade a pair: the example clients, and one that shares no code with either."""

import importlib.util
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from client_rig import CA, CU, E9, ROOT, Rig, client, until

from gateway.model.order import Side
from gateway.model.rules import RuleStandingState
from gateway.model.trade import PairTradeState

Start = Callable[..., Rig]
ENGINES = {
    "simplefix": ROOT / "examples/simplefix_client.py",
    "quickfix": ROOT / "examples/quickfix_client.py",
    "asyncfix": Path(__file__).parent / "asyncfix_client.py",
}


class Engine:
    """A client's program as a child; its lines as they come."""

    def __init__(self, path: Path, rig: Rig, state: Path, *words: str) -> None:
        command = [sys.executable, str(path), "--port", str(rig.port), "--sender", "FUND1", "--state", str(state)]
        self.process = subprocess.Popen([*command, *words], stdout=subprocess.PIPE)
        self._text = b""

    def report(self, **wanted: str) -> dict[str, str]:
        """The next message with these fields: `f150="0"`."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            line, mark, rest = self._text.partition(b"\n")
            if mark:
                self._text = rest
                fields = dict(part.split("=", 1) for part in line.decode().split("|") if "=" in part)
                if all(fields.get(tag[1:]) == value for tag, value in wanted.items()):
                    return fields
                continue
            assert self.process.stdout is not None
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                data = self.process.stdout.read1(65_536)  # type: ignore[attr-defined]
                assert data, f"it ended without {wanted}"
                self._text += data
        raise AssertionError(wanted)

    def kill(self) -> None:
        """As when its machine loses power."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_trades_a_pair_is_cut_off_and_resumes(start: Start, tmp_path: Path, name: str) -> None:
    """Logon, price, order, acknowledgement; killed; both legs and the pair are filled; after a restart it hears all."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed here: `pip install {name}`")
    rig = start(client("FUND1"))
    state = tmp_path / "state-of-client"
    state.mkdir()
    engines = [Engine(ENGINES[name], rig, state, "--order", "a1", "--price", "-150")]
    try:
        new = engines[0].report(f35="8", f150="0")
        assert (new["11"], new["39"], new["44"]) == ("a1", "0", "-150")
        engines[0].kill()
        until(lambda: "client closed the connection" in rig.log() or "connection lost" in rig.log())
        fill(rig)
        engines.append(Engine(ENGINES[name], rig, state))
        legs = [engines[1].report(f35="8", f442="2") for _ in range(2)]
        assert {(one["55"], one["31"]) for one in legs} == {(CU, "70010"), (CA, "9000.5")}
        pair = engines[1].report(f35="8", f442="3", f39="2")
        assert (pair["11"], pair["14"], pair["151"]) == ("a1", "1", "0")
        assert engines[1].process.wait(15) == 0
        until(lambda: "client logged out" in rig.log())
    finally:
        for one in engines:
            one.close()


def fill(rig: Rig) -> None:
    """One unit of the order is filled while the client is away."""
    until(lambda: bool(rig.others.changes))
    rule_id = rig.others.changes[0].rules[0].rule_id
    rig.others.open_trade(rule_id, Side.BUY, 1)
    rig.others.fill(0, 5, "70010", "x1")
    rig.others.fill(1, 1, "9000.5", "x2")
    rig.others.end_trade(PairTradeState.HEDGED, 1, (70_010 * E9, 9_000_500_000_000), slippage_e9=0)
    rig.others.standing(rule_id, RuleStandingState.DONE, 1, intent_id=f"I1-{rig.others._trades}")
    until(lambda: _told(rig))


def _told(rig: Rig) -> bool:
    """Whether the gateway has made its reports: with nobody there they wait under their numbers."""
    bodies = list(rig.folder.glob("state/clients_fix/*.body"))
    return any(b"\x0139=2\x01" in one.read_bytes() for one in bodies)
