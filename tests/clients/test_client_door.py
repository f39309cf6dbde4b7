"""Who gets in: TLS with a certificate of one's own, passwords, addresses; who is silent, slow or hostile delays nobody."""

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from client_rig import FixClient, Rig, client, free_port, until

pytest.importorskip("cryptography", reason="certificates are made by the package `cryptography` (extra `deliver`)")
from gateway.processes.client_certificates import fingerprint, make

Start = Callable[..., Rig]
OK = "FUND1 up"


def tls_of(folder: Path, name: str = "") -> ssl.SSLContext:
    """A client's TLS, with the certificate of `name` or with none."""
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    if name:
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def turned_away(port: int, name: str, context: ssl.SSLContext) -> bool:
    """Whether a logon with this TLS gets no session: an alert, a cut line, or a Logout before it."""
    try:
        one = FixClient(port, name, tls=context)
    except (ssl.SSLError, ConnectionError):
        return True
    try:
        one.send("A", (98, 0), (108, 30))
        said = one.read()
    except (ssl.SSLError, ConnectionError):
        return True
    finally:
        one.close()
    return said.get("35") != "A"


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A CA, the server's certificate, two clients'."""
    make(tmp_path / "tls", ["FUND1", "FUND2"], time.time_ns())
    return tmp_path / "tls"


def with_tls(certificates: Path) -> dict[str, Any]:
    """The site's keys of a TLS listener on this machine."""
    return {
        "tls_host": "127.0.0.1",
        "tls_port": free_port(),
        "certificate_file": str(certificates / "server.pem"),
        "key_file": str(certificates / "server.key"),
        "ca_file": str(certificates / "ca.pem"),
        "logon_timeout_s": 2,
    }


def test_over_tls_a_client_comes_in_with_its_own_certificate_only(start: Start, certificates: Path) -> None:
    """With its own it trades; with another client's, or none, it does not get to a session."""
    top = with_tls(certificates)
    rig = start(client("FUND1", certificate_cn="FUND1"), client("FUND2", certificate_cn="FUND2"), **top)
    own = FixClient(top["tls_port"], "FUND1", tls=tls_of(certificates, "FUND1")).logon()
    own.order("a")
    assert own.read("8")["150"] == "0"
    other = FixClient(top["tls_port"], "FUND2", tls=tls_of(certificates, "FUND1"))
    other.send("A", (98, 0), (108, 30))
    assert other.read()["58"] == "logon refused: SenderCompID(49), certificate, address or password"
    assert other.read() == {}, "and the line is cut"
    assert "FUND2: certificate of 'FUND1', not of 'FUND2'" in rig.log()
    assert turned_away(top["tls_port"], "FUND2", tls_of(certificates))
    until(lambda: "peer did not return a certificate" in rig.log())
    plain = rig.client("FUND2")
    plain.send("A", (98, 0), (108, 30))
    assert plain.read()["35"] == "5", "who is bound to a certificate comes in with it alone"
    until(lambda: "FUND2: it is bound to a certificate, the connection is plain" in rig.log())
    own.order("b")
    assert own.read("8")["150"] == "0"
    for one in (own, other):
        one.close()


def test_a_certificate_is_known_by_its_fingerprint(start: Start, certificates: Path) -> None:
    """Another certificate with the same name of the same CA does not do."""
    top = with_tls(certificates)
    print_of = fingerprint(certificates / "FUND1.pem")
    rig = start(client("FUND1", certificate_sha256=print_of), **top)
    make(certificates / "later", ["FUND1"], time.time_ns())
    one = FixClient(top["tls_port"], "FUND1", tls=tls_of(certificates, "FUND1")).logon()
    one.close()
    until(lambda: "FUND1 down" in rig.log())
    foreign = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    foreign.load_cert_chain(certificates / "later/FUND1.pem", certificates / "later/FUND1.key")
    assert turned_away(top["tls_port"], "FUND1", foreign)


def test_silent_peers_delay_nobody_and_are_closed_in_time(start: Start, certificates: Path) -> None:
    """Twenty that never begin the handshake or never log on; meanwhile a client logs on and is answered."""
    top = with_tls(certificates)
    rig = start(client("FUND1", certificate_cn="FUND1"), **top)
    ports = [top["tls_port"]] * 10 + [rig.port] * 10
    silent = [socket.create_connection(("127.0.0.1", port)) for port in ports]
    begun = time.monotonic()
    one = FixClient(top["tls_port"], "FUND1", tls=tls_of(certificates, "FUND1")).logon()
    one.order("a")
    assert one.read("8")["150"] == "0"
    assert time.monotonic() - begun < 2, "they are closed after 2 s only"
    until(lambda: rig.log().count("no Logon(35=A) within 2 s") == 20)
    for peer in silent:
        peer.settimeout(5)
        assert peer.recv(1) == b""
        peer.close()
    one.close()


@pytest.mark.parametrize(
    ("keys", "logon", "logged"),
    [
        ({"password_file": "secret"}, {"fields": ((554, "wrong"),)}, "wrong password"),
        ({"password_file": "secret"}, {"fields": ()}, "wrong password"),
        ({"addresses": ["10.0.0.0/8"]}, {"fields": ()}, "address 127.0.0.1 is not one of 10.0.0.0/8"),
        ({}, {"name": "FUND9"}, "SenderCompID(49)='FUND9' is no client"),
        ({}, {"target": "OTHER"}, "TargetCompID(56)='OTHER'; accepted: GATEWAY"),
        ({}, {"version": "FIX.4.2"}, "BeginString(8)='FIX.4.2'; accepted: FIX.4.4"),
        ({}, {"beat": 9999}, "HeartBtInt(108)='9999'; accepted: 1 to 120"),
        ({}, {"kind": "0"}, "MsgType(35)='0': the first message has to be a Logon(35=A)"),
        ({"drop_copy": True}, {"fields": ((141, "Y"),)}, "ResetSeqNumFlag(141)=Y would lose the record of a drop copy"),
    ],
)
def test_who_may_not_log_on_is_told_and_cut_off_and_the_reason_is_logged(
    start: Start, tmp_path: Path, keys: dict[str, Any], logon: dict[str, Any], logged: str
) -> None:
    """And its session is untouched: the right client logs on afterwards with the first number."""
    (tmp_path / "secret").write_text("s3cret\n", encoding="utf-8")
    rig = start(client("FUND1", **keys))
    one = rig.client(logon.get("name", "FUND1"), logon.get("version", "FIX.4.4"), target=logon.get("target", "GATEWAY"))
    one.send(logon.get("kind", "A"), (98, 0), (108, logon.get("beat", 30)), *logon.get("fields", ()))
    told = one.read()
    assert told["35"] == "5", told
    assert one.read() == {}
    until(lambda: logged in rig.log())
    if "addresses" not in keys:
        password = ((553, "any"), (554, "s3cret")) if "password_file" in keys else ()
        assert rig.client("FUND1").logon(*password).seen[-1]["34"] == "1"


def test_a_second_connection_of_a_client_is_refused_and_the_first_stays(start: Start) -> None:
    """Nobody takes a session over, or its sequence numbers."""
    rig = start()
    one = rig.client("FUND1").logon()
    two = rig.client("FUND1")
    two.send("A", (98, 0), (108, 30))
    assert two.read()["58"] == "FUND1 is logged on already"
    assert two.read() == {}
    one.order("a")
    assert one.read("8")["150"] == "0"


@pytest.mark.parametrize(
    ("data", "logged"),
    [
        (b"8=FIX.4.4\x019=999999\x0135=D\x01", "BodyLength(9) makes a message of 10000"),
        (b"GET / HTTP/1.1\r\n\r\n" * 200, "the first message has to be a Logon"),
        (b"8=FIX.4.4\x019=5\x01" * 200, "garbled messages: not FIX"),
    ],
)
def test_what_is_no_fix_is_cut_off_with_its_reason(start: Start, data: bytes, logged: str) -> None:
    """Before it logs on as after it; nobody else notices."""
    rig = start(client("FUND1"), client("FUND2"), logon_timeout_s=2)
    other = rig.client("FUND2").logon()
    stranger = rig.client("FUND1")
    stranger.socket.sendall(data)
    words = logged if "Logon" not in logged else "no Logon(35=A) within 2 s"
    until(lambda: words in rig.log())
    one = rig.client("FUND1").logon()
    one.socket.sendall(data)
    if "Logon" not in logged:
        assert one.read() == {}
    other.order("a")
    assert other.read("8")["150"] == "0"


def test_garbled_messages_are_passed_over_and_the_next_one_is_read(start: Start) -> None:
    """A wrong length, a wrong checksum, noise: each is no message, as the standard has it."""
    rig = start()
    one = rig.client("FUND1").logon()
    good = one.text("1", (112, "t1"))
    wrong_sum = good[:-4] + b"000\x01"
    one.socket.sendall(b"noise" + wrong_sum + b"8=FIX.4.4\x019=3\x0135=0\x01" + good)
    assert one.read("0")["112"] == "t1"


def test_a_client_that_does_not_read_is_cut_off_and_others_are_not_delayed(start: Start) -> None:
    """It asks for the same again and again and reads nothing; its end is logged, the other is answered all the time."""
    rig = start(client("FUND1"), client("FUND2"), slow_client_s=1, max_pending_kb=64, messages_per_s=5000)
    slow, other = rig.client("FUND1").logon(), rig.client("FUND2").logon()
    slow.socket.settimeout(0.2)
    worst = 0.0
    number = 0
    end = time.monotonic() + 30
    while "does not read" not in rig.log() and time.monotonic() < end:
        with contextlib.suppress(OSError):
            slow.socket.sendall(b"".join(slow.text("x", (320, "r"), (559, 4)) for _ in range(50)))
        number += 1
        begun = time.monotonic()
        other.send("1", (112, f"t{number}"))
        assert other.read("0")["112"] == f"t{number}"
        worst = max(worst, time.monotonic() - begun)
    assert "does not read" in rig.log()
    assert worst < 5, "a stall would be the whole of slow_client_s and more"
