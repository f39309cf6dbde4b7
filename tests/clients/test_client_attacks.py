"""Attacks on the door that need no valid message: pieces, halves, floods, renegotiation, the right word from elsewhere."""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from client_rig import FixClient, Rig, client, free_port, until

pytest.importorskip("cryptography", reason="certificates are made by the package `cryptography` (extra `deliver`)")
from gateway.processes.client_certificates import make

Start = Callable[..., Rig]


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    """A CA, the server's certificate, two clients'."""
    make(tmp_path / "tls", ["FUND1", "FUND2"], time.time_ns())
    return tmp_path / "tls"


def begin(start: Start, tls: Path) -> tuple[Rig, int]:
    """The process with a TLS listener, and its port."""
    port = free_port()
    pems = {"certificate_file": "server.pem", "key_file": "server.key", "ca_file": "ca.pem"}
    top = {key: str(tls / name) for key, name in pems.items()} | {"tls_host": "127.0.0.1", "tls_port": port}
    people = [client(name, certificate_cn=name) for name in ("FUND1", "FUND2")]
    return start(*people, client("PLAIN"), **top), port


def context(tls: Path, name: str) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(tls / "ca.pem"))
    made.load_cert_chain(tls / f"{name}.pem", tls / f"{name}.key")
    return made


def test_a_logon_in_single_bytes_is_one(start: Start, tls: Path) -> None:
    """Plain, and with a TLS record for each byte."""
    rig, port = begin(start, tls)
    for one in (rig.client("PLAIN"), FixClient(port, "FUND1", tls=context(tls, "FUND1"))):
        for byte in one.text("A", (98, 0), (108, 30)):
            one.socket.sendall(bytes([byte]))
        assert one.read("A")["35"] == "A"
        one.close()


def test_half_a_tls_record_ends_with_the_heartbeats(start: Start, tls: Path) -> None:
    """What never becomes a message keeps nobody's session up, and holds no other up; its end is on record."""
    rig, port = begin(start, tls)
    other = rig.client("PLAIN").logon()
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    wrapped = context(tls, "FUND2").wrap_bio(coming, going, server_hostname="localhost")
    words = FixClient.__new__(FixClient)
    words.name, words.version, words.target, words.next_out = "FUND2", "FIX.4.4", "GATEWAY", 1
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        while True:
            try:
                wrapped.do_handshake()
                break
            except ssl.SSLWantReadError:
                line.sendall(going.read())
                coming.write(line.recv(65_536))
        wrapped.write(words.text("A", (98, 0), (108, 1)))
        line.sendall(going.read())
        until(lambda: "FUND2 up" in rig.log())
        wrapped.write(words.text("0"))
        line.sendall(going.read()[:-5])
        other.send("1", (112, "alive"))
        assert other.read("0")["112"] == "alive"
        until(lambda: "FUND2 connection: " in rig.log())


def test_nobody_renegotiates(start: Start, tls: Path) -> None:
    """TLS 1.2: whoever asks for another handshake on the same line is refused it; the process goes on."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the program `openssl` is not here: it asks for another handshake")
    rig, port = begin(start, tls)
    words = [openssl, "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2", "-CAfile", str(tls / "ca.pem")]
    words += ["-cert", str(tls / "FUND2.pem"), "-key", str(tls / "FUND2.key")]
    done = subprocess.run(words, input=b"R\n", capture_output=True, timeout=30, check=False)
    assert b"RENEGOTIATING" in done.stdout + done.stderr
    assert b"no renegotiation" in done.stderr
    assert rig.client("PLAIN").logon().seen[-1]["35"] == "A"


def test_a_right_password_from_a_refused_address_is_no_logon(start: Start, tmp_path: Path) -> None:
    """One sentence for the stranger, the address in the log; the session's numbers are untouched."""
    (tmp_path / "secret").write_text("s3cret\n", encoding="utf-8")
    rig = start(client("FUND1", password_file="secret", addresses=["10.0.0.0/8"]), client("FUND2"))
    one = rig.client("FUND1")
    one.send("A", (98, 0), (108, 30), (554, "s3cret"))
    assert one.read()["58"] == "logon refused: SenderCompID(49), certificate, address or password"
    assert one.read() == {}
    assert "FUND1: address 127.0.0.1 is not one of 10.0.0.0/8" in rig.log()
    (numbers,) = rig.folder.glob("state/clients_fix/*FUND1.seqnums")
    assert [int(one) for one in numbers.read_text(encoding="ascii").split(" : ")] == [1, 1]


def test_one_address_takes_no_more_places_than_it_may(start: Start) -> None:
    """Its fourth connection is closed at once with the figures in the log; the three go on, and one that ends makes room."""
    rig = start(max_connections_per_address=3)
    three = [rig.client("FUND1") for _ in range(3)]
    fourth = rig.client("FUND1")
    assert fourth.read() == {}
    until(lambda: "3 connections of this address are open; accepted: 3 (max_connections_per_address)" in rig.log())
    three[0].logon().order("a")
    assert three[0].read("8")["11"] == "a"
    three[1].close()
    until(lambda: "127.0.0.1 connection: client closed the connection" in rig.log())
    again = rig.client("FUND1")
    again.send("A", (98, 0), (108, 30))
    assert again.read()["58"] == "FUND1 is logged on already"


def test_a_flood_of_connections_is_turned_away_counted_and_delays_nobody(start: Start) -> None:
    """Of a thousand, a burst and so many a second reach a Logon; the log has a line for some and all are counted."""
    rig = start(max_connections_per_address=20, connects_per_s=1, strangers_logged_per_min=30)
    one = rig.client("FUND1").logon()
    for number in range(1000):
        socket.create_connection(("127.0.0.1", rig.port), timeout=10).close()
        if number % 100 == 0:
            one.send("1", (112, f"t{number}"))
            assert one.read("0")["112"] == f"t{number}"
    one.order("still here")
    assert one.read("8")["11"] == "still here"
    lines = [line for line in rig.log().splitlines() if "127.0.0.1 connection: " in line]
    assert len(lines) == 30
    assert any("more than 1 connections/s of this address (connects_per_s)" in line for line in lines)
