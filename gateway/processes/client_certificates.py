"""Certificates to try TLS with: `python -m gateway.processes.client_certificates FOLDER NAME...`

Makes a CA of its own, a server's certificate and one for each client, as PEM files, valid for a year. For trials and
tests: an installation takes those of its own CA. It needs the package `cryptography` (the extra `deliver`).

What can go wrong: a key that others can read. Keys are written with mode 0600.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.processes import clock

LIFE = timedelta(days=365)
AUTHORITY, SERVER = "ca", "server"


class Made(NamedTuple):
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make(folder: Path, clients: Sequence[str], at_utc_ns: int) -> list[Path]:
    """Write `ca.pem`, `server.pem`, `server.key`, and `NAME.pem`, `NAME.key` for each client; gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    at = datetime.fromtimestamp(at_utc_ns // 10**9, UTC)
    authority = _authority(at)
    written = [_write(folder / f"{AUTHORITY}.pem", _pem(authority.certificate))]
    for name in (SERVER, *clients):
        made = _issued(authority, name, at, server=name == SERVER)
        written.append(_write(folder / f"{name}.pem", _pem(made.certificate)))
        written.append(_write(folder / f"{name}.key", _key(made.key)))
    return written


def fingerprint(path: Path) -> str:
    """SHA-256 of the certificate in a PEM file, as `certificate_sha256` of the site file has it."""
    return x509.load_pem_x509_certificate(path.read_bytes()).fingerprint(hashes.SHA256()).hex()


def _authority(at: datetime) -> Made:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "trial CA")])
    builder = _builder(name, name, key.public_key(), at)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return Made(builder.add_extension(usage, critical=True).sign(key, hashes.SHA256()), key)


def _issued(authority: Made, name: str, at: datetime, *, server: bool) -> Made:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _builder(subject, authority.certificate.subject, key.public_key(), at)
    usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    if server:
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return Made(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, at: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + LIFE)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> Path:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return path


def main(argv: Sequence[str] | None = None) -> int:
    """Write them and say which."""
    parser = argparse.ArgumentParser(prog="python -m gateway.processes.client_certificates")
    parser.add_argument("folder", type=Path)
    parser.add_argument("clients", nargs="+", metavar="NAME", help="common name: the client's id in the site file")
    given = parser.parse_args(argv)
    for path in make(given.folder, given.clients, clock.utc_ns()):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
