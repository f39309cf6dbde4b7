"""Engines that are not ours trade a pair: the example clients, and one that shares no code with either."""

import importlib.util
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from client_rig import CA, CU, E9, ROOT, Rig, client, free_port, until

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

    def __init__(self, path: Path, *words: str) -> None:
        self.process = subprocess.Popen([sys.executable, str(path), *words], stdout=subprocess.PIPE)
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
    words = ["--port", str(rig.port), "--sender", "FUND1", "--state", str(state)]
    trades_and_resumes(rig, ENGINES[name], words, state)


def test_the_example_on_simplefix_sends_heartbeats_of_its_own(tmp_path: Path) -> None:
    """Silent for HeartBtInt(108), it sends a Heartbeat(35=0) without TestReqID(112), though nobody asks and nobody answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    words = ["--port", str(listener.getsockname()[1]), "--sender", "FUND1", "--state", str(tmp_path)]
    one = Engine(ENGINES["simplefix"], *words, "--heartbeat", "1")
    listener.settimeout(20)
    line, _ = listener.accept()
    line.settimeout(20)
    said = b""
    try:
        while not (beat := re.search(rb"\x0135=0\x01[^=]*49=.*?\x0110=", said)):
            data = line.recv(65_536)
            assert data, said
            said += data
        assert b"\x01112=" not in beat[0]
    finally:
        one.close()
        line.close()
        listener.close()


def trades_and_resumes(rig: Rig, program: Path, words: list[str], store: Path, before_start: str = "true") -> None:
    """An order is acknowledged, the program killed, the order filled meanwhile; a day later it reads everything.

    A store of QuickFIX then names yesterday; `before_start` is what its file of settings says has to be done.
    """
    engines = [Engine(program, *words, "--order", "a1", "--price", "-150")]
    try:
        new = engines[0].report(f35="8", f150="0")
        assert (new["11"], new["39"], new["44"]) == ("a1", "0", "-150")
        engines[0].kill()
        until(lambda: "client closed the connection" in rig.log() or "connection lost" in rig.log())
        fill(rig)
        for one in store.glob("*.session"):
            one.write_text(time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(time.time() - 86_400)), encoding="ascii")
        subprocess.run(["/bin/sh", "-c", before_start], cwd=store.parent, check=True)
        engines.append(Engine(program, *words))
        legs = [engines[1].report(f35="8", f442="2") for _ in range(2)]
        assert {(one["55"], one["31"]) for one in legs} == {(CU, "70010"), (CA, "9000.5")}
        pair = engines[1].report(f35="8", f442="3", f39="2")
        assert (pair["11"], pair["14"], pair["151"]) == ("a1", "1", "0")
        assert engines[1].process.wait(15) == 0
        until(lambda: "client logged out" in rig.log())
    finally:
        for one in engines:
            one.close()


def sections(path: Path) -> list[dict[str, str]]:
    """The sections of a file of settings, the defaults first."""
    found: list[dict[str, str]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            found.append({})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            assert key not in found[-1], f"{key} stands twice"
            found[-1][key] = value
    return found


@pytest.mark.parametrize("number", [0, 1, 2], ids=["FIX.4.4", "FIX.4.2", "FIXT.1.1"])
def test_quickfix_cpp_trades_over_tls_with_the_settings_that_clients_are_given(
    start: Start, tmp_path: Path, number: int
) -> None:
    """Each session of examples/quickfix_cpp.cfg, with only host, port, paths and certificates put in."""
    pytest.importorskip("cryptography", reason="certificates are made by the package `cryptography` (extra `deliver`)")
    from gateway.processes.client_certificates import make

    example = ROOT / "examples/quickfix_cpp.cfg"
    common, *each = sections(example)
    session = each[number]
    name = session["SenderCompID"]
    tls = tmp_path / "tls"
    make(tls, [name], time.time_ns())
    port = free_port()
    pems = {"certificate_file": tls / "server.pem", "key_file": tls / "server.key", "ca_file": tls / "ca.pem"}
    top = {key: str(value) for key, value in pems.items()} | {"tls_host": "127.0.0.1", "tls_port": port}
    rig = start(client(name, version=session["BeginString"], certificate_cn=name), **top)
    put_in = {"SocketConnectHost": "127.0.0.1", "SocketConnectPort": str(port), "ReconnectInterval": "1"}
    put_in |= {"FileStorePath": str(tmp_path / "store"), "FileLogPath": str(tmp_path / "log")}
    put_in |= {"CertificationAuthoritiesFile": str(tls / "ca.pem")}
    put_in |= {"ClientCertificateFile": str(tls / f"{name}.pem"), "ClientCertificateKeyFile": str(tls / f"{name}.key")}
    assert put_in.keys() <= common.keys()
    dictionaries = {key: str(ROOT / value) for key, value in session.items() if key.endswith("Dictionary")}
    settings = tmp_path / "client.cfg"
    words = ["[DEFAULT]", *_lines(common | put_in), "[SESSION]", *_lines(session | dictionaries)]
    settings.write_text("\n".join(words) + "\n", encoding="utf-8")
    (before_start,) = re.findall(r"#   (for one in store/.*; done)", example.read_text(encoding="utf-8"))
    program = Path(__file__).parent / "cpp_client.py"
    trades_and_resumes(rig, program, ["--settings", str(settings)], tmp_path / "store", before_start)


def _lines(section: dict[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in section.items()]


YES_NO, NUMBER, TEXT = "[YN]", "[1-9][0-9]*", ".+"
QUICKFIXJ = {
    "BeginString": r"FIX\.4\.[0-4]|FIXT\.1\.1",
    "SenderCompID": TEXT,
    "TargetCompID": TEXT,
    "DefaultApplVerID": r"FIX\.[45]\.[0-9](SP[12])?|[2-9]",
    "ConnectionType": "initiator|acceptor",
    "NonStopSession": YES_NO,
    "TimeStampPrecision": "SECONDS|MILLIS|MICROS|NANOS",
    "UseDataDictionary": YES_NO,
    "DataDictionary": TEXT,
    "TransportDataDictionary": TEXT,
    "AppDataDictionary": TEXT,
    "ValidateUserDefinedFields": YES_NO,
    "ReconnectInterval": NUMBER,
    "HeartBtInt": NUMBER,
    "SocketConnectHost": TEXT,
    "SocketConnectPort": NUMBER,
    "SocketTcpNoDelay": YES_NO,
    "SocketUseSSL": YES_NO,
    "SocketKeyStore": TEXT,
    "SocketKeyStorePassword": TEXT,
    "KeyStoreType": "JKS|PKCS12",
    "SocketTrustStore": TEXT,
    "SocketTrustStorePassword": TEXT,
    "TrustStoreType": "JKS|PKCS12",
    "EnabledProtocols": r"TLSv1\.[23](,TLSv1\.[23])*",
    "FileStorePath": TEXT,
    "FileLogPath": TEXT,
    "ResetOnLogon": YES_NO,
    "ResetOnLogout": YES_NO,
    "ResetOnDisconnect": YES_NO,
}
"""Settings of an initiator and their valid values, as QuickFIX/J's user manual lists them ("Configuring QuickFIX/J",
quickfixj-core/src/main/doc/usermanual/usage/configuration.html); protocols are split at commas, without spaces
(quickfix.mina.ssl.SSLSupport). QuickFIX/J itself does not run here."""


def test_every_setting_for_quickfixj_is_one_of_its_manual_with_a_value_that_it_takes() -> None:
    """No key of another engine, no spelling of another engine; each session has what its version needs."""
    common, *each = sections(ROOT / "examples/quickfixj.cfg")
    for section in (common, *each):
        wrong = {key: value for key, value in section.items() if not re.fullmatch(QUICKFIXJ.get(key, ""), value)}
        assert wrong == {}
    for session in each:
        is_fixt = session["BeginString"] == "FIXT.1.1"
        needed = {"DefaultApplVerID", "TransportDataDictionary", "AppDataDictionary"} if is_fixt else {"DataDictionary"}
        assert needed <= session.keys()
        assert all((ROOT / session[key]).is_file() for key in needed if key.endswith("Dictionary"))
    cpp = sections(ROOT / "examples/quickfix_cpp.cfg")[1:]
    ids = ("BeginString", "SenderCompID", "TargetCompID")
    assert [[one[key] for key in ids] for one in each] == [[one[key] for key in ids] for one in cpp]


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
