"""`cmc certify`: a client that does what is right gets its certificate, one that does not is told what was wrong."""

import json
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from client_rig import ROOT, client, free_port, write_site

from acceptance.certify.venue import macros
from acceptance.certify.wire import framed, in_order

CMC = (sys.executable, "-m", "gateway.processes.cli", "certify")
ASKED = re.compile(r"^  \[(\w+)\]")
PORT = re.compile(r"port (\d+)")


class Certification:
    """The command as a child, and who does what it asks."""

    def __init__(self, folder: Path, session: str, version: str, *words: str, **keys: Any) -> None:  # noqa: ANN401 keys of the site file
        self.folder = folder
        top = keys.pop("top", {"port": free_port()})
        site = write_site(folder, str(folder / "bus"), [client(session, version=version, **keys)], **top)
        command = [*CMC, str(site), "--session", session, "--port", "0", "--out", str(folder / "out"), "--json"]
        command += ["--wait", "15", *words]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.lines: list[str] = []

    def read(self) -> Iterator[str]:
        """Each line that the console says."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            yield line

    def port(self) -> str:
        """Where it waits."""
        found = next(match for line in self.read() if (match := PORT.search(line)))
        return found[1]

    def certificate(self) -> dict[str, Any]:
        """What it wrote."""
        said: dict[str, Any] = json.loads(self.lines[-1])
        content: dict[str, Any] = json.loads(Path(said["json"]).read_text(encoding="utf-8"))
        assert content["passed"] is said["passed"]
        return content

    def outcomes(self) -> dict[str, str]:
        return {case["number"]: case["outcome"] for case in self.certificate()["cases"]}


@contextmanager
def certification(session: str, version: str, *words: str, **keys: Any) -> Iterator[Certification]:  # noqa: ANN401 as above
    with tempfile.TemporaryDirectory(prefix="cmc-") as folder:
        made = Certification(Path(folder), session, version, *words, **keys)
        try:
            yield made
        finally:
            made.process.kill()
            made.process.wait()
            assert made.process.stdout is not None
            made.process.stdout.close()


def robot(made: Certification, session: str, version: str) -> subprocess.Popen[str]:
    """A client that reads what to do."""
    state = made.folder / "robot"
    state.mkdir()
    words = [sys.executable, str(Path(__file__).parent / "certified_client.py"), "--port", made.port()]
    words += ["--sender", session, "--version", version, "--state", str(state)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, text=True)


def play(made: Certification, session: str, version: str) -> None:
    """All of it, the robot doing what is asked."""
    one = robot(made, session, version)
    assert one.stdin is not None
    try:
        for line in made.read():
            if found := ASKED.match(line):
                one.stdin.write(f"{found[1]}\n")
                one.stdin.flush()
    finally:
        one.kill()
        one.wait()
        one.stdin.close()


@pytest.mark.parametrize("version", ["FIX.4.2", "FIX.4.4", "FIXT.1.1"])
def test_a_client_on_quickfix_is_certified(version: str) -> None:
    """Every case of its session passes; the certificate is there as page and as record."""
    with certification("FUND1", version) as made:
        play(made, "FUND1", version)
        assert made.process.wait(10) == 0, "\n".join(made.lines)
        outcomes = made.outcomes()
        skipped = {"17"} | ({"15"} if version == "FIX.4.2" else set())
        assert {number for number, one in outcomes.items() if one != "passed"} == skipped, outcomes
        content = made.certificate()
        gap = next(case for case in content["cases"] if case["number"] == "5")
        assert any("35=2|" in line["text"] for line in gap["log"] if line["by"] == "client")
        page = next((made.folder / "out").glob("*.html")).read_text(encoding="utf-8")
        assert "Certified: FUND1 认证通过" in page
        assert "批量撤单得到应答" in page


def test_a_drop_copy_is_certified_by_what_it_reads() -> None:
    """No case of orders is for it; its gap and its resent copies are."""
    with certification("DROP", "FIX.4.4", *_cases(1, 3, 17, 19), drop_copy=True, pairs=[], instruments=[]) as made:
        play(made, "DROP", "FIX.4.4")
        assert made.process.wait(10) == 1, "some cases were left out, so nothing is certified"
        outcomes = made.outcomes()
        assert {number for number, one in outcomes.items() if one == "passed"} == {"1", "3", "17", "19"}, made.lines
        assert {number for number, one in outcomes.items() if one == "skipped"} == {
            str(number) for number in (*range(9, 17), 18)
        }


def test_a_wrong_answer_restarts_the_case_and_is_told() -> None:
    """A client that answers no TestRequest: the tag, what came, what would be right; as often as allowed, then failed."""
    with certification("FUND1", "FIX.4.4", *_cases(1), "--attempts", "2", "--answer", "1") as made:
        port = int(made.port())
        lines = made.read()
        for _ in range(2):
            next(line for line in lines if ASKED.match(line))
            with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
                one.sendall(fix("A", 1, "98=0|108=30|141=Y|554=open sesame"))
                one.recv(1000)
                one.sendall(fix("0", 2, "112=something else"))
                next(line for line in lines if line.startswith(("1.", "  failed")))
        assert list(lines)
        assert made.process.wait(10) == 1
        (case,) = [case for case in made.certificate()["cases"] if case["number"] == "1"]
        assert (case["outcome"], case["attempts"], len(case["wrong"])) == ("failed", 2, 2)
        assert "right would be MsgType(35)=0" in case["wrong"][0]
        assert any("554=***" in line["text"] for line in case["log"])
        assert "open sesame" not in json.dumps(made.certificate())


def test_over_tls_only_who_shows_the_sessions_certificate_is_heard(tmp_path: Path) -> None:
    """With --tls: without a certificate or with another client's nobody is heard; then the session's own is played."""
    pytest.importorskip("cryptography", reason="certificates are made by the package `cryptography` (extra `deliver`)")
    from gateway.processes.client_certificates import make

    make(tmp_path / "tls", ["FUND1", "FUND2"], time.time_ns())
    names = {"certificate_file": "server.pem", "key_file": "server.key", "ca_file": "ca.pem"}
    top = {key: str(tmp_path / "tls" / name) for key, name in names.items()}
    top |= {"tls_host": "127.0.0.1", "tls_port": free_port()}
    with certification("FUND1", "FIX.4.4", "--tls", *_cases(1), top=top, certificate_cn="FUND1") as made:
        port = int(made.port())
        heard = {name: _heard_over_tls(made, port, tmp_path / "tls", name) for name in ("", "FUND2", "FUND1")}
        assert heard == {"": False, "FUND2": False, "FUND1": True}
        assert made.outcomes()["1"] == "passed"
    told = "  a connection from 127.0.0.1 is not of FUND1: certificate of 'FUND2', not of 'FUND1'"
    assert told in made.lines


def test_over_tls_a_fingerprint_is_held_against_the_session(tmp_path: Path) -> None:
    """Another certificate of the same name does not do."""
    pytest.importorskip("cryptography", reason="certificates are made by the package `cryptography` (extra `deliver`)")
    from gateway.processes.client_certificates import fingerprint, make

    make(tmp_path / "tls", ["FUND1"], time.time_ns())
    names = {"certificate_file": "server.pem", "key_file": "server.key", "ca_file": "ca.pem"}
    top = {key: str(tmp_path / "tls" / name) for key, name in names.items()}
    top |= {"tls_host": "127.0.0.1", "tls_port": free_port()}
    own = fingerprint(tmp_path / "tls/FUND1.pem")
    other = own.translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
    for expected, is_heard in ((other, False), (own, True)):
        words = ("--tls", *_cases(1), "--wait", "5")
        with certification("FUND1", "FIX.4.4", *words, top=top, certificate_sha256=expected) as made:
            assert _heard_over_tls(made, int(made.port()), tmp_path / "tls", "FUND1") is is_heard


def _heard_over_tls(made: Certification, port: int, folder: Path, name: str) -> bool:
    """Whether a Logon of FUND1 is answered to who shows the certificate of `name`, or none."""
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    if name:
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    try:
        with context.wrap_socket(plain, server_hostname="localhost") as one:
            one.sendall(fix("A", 1, "98=0|108=30"))
            heard = one.recv(1000)
            if heard:
                one.sendall(fix("0", 2, "112=CERT-1"))
                list(made.read())
    except (ssl.SSLError, ConnectionError):
        heard = b""
    return b"35=A" in heard


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--session", "NOBODY"), "--session NOBODY: no [[client]] of this site; right would be one of FUND1"),
        (("--session", "FUND1", "--case", "99"), "--case 99: no such case; right would be 1 to 19"),
        (("--session", "FUND1", "--tls"), "the site has no tls_host"),
    ],
)
def test_a_wrong_call_is_told(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    """Exit code 2, what was given and what would be right; nothing is opened."""
    site = write_site(tmp_path, str(tmp_path / "bus"), [client("FUND1")], port=free_port())
    done = subprocess.run([*CMC, str(site), *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def _cases(*numbers: int) -> tuple[str, ...]:
    return tuple(word for number in numbers for word in ("--case", str(number)))


def fix(kind: str, number: int, body: str) -> bytes:
    """A message of FUND1."""
    head = [("8", "FIX.4.4"), ("35", kind), ("34", str(number)), ("49", "FUND1"), ("56", "GATEWAY")]
    head.append(("52", time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())))
    rest = [tuple(part.split("=", 1)) for part in body.split("|")]
    return framed(in_order([*head, *rest])).encode()  # type: ignore[list-item]


@pytest.mark.parametrize("version", ["FIX.4.2", "FIX.4.4", "FIXT.1.1"])
def test_a_bust_of_the_kit_names_the_fill_that_was_told_before_it(version: str) -> None:
    """A client that looks for ExecRefID(19) among what it was told finds it: both are named by their numbers."""
    told = macros(version, "CU-CA", ("SHFE.cu2609",))
    assert "|17=E{out}|" in told["filled"]
    assert "|19=E{out-1}|" in told["bust"]
    script = (ROOT / "acceptance/certify/client/16_repair.txt").read_text(encoding="utf-8").splitlines()
    assert script[script.index("> +bust") - 1] == "> +filled"
