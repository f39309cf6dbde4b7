"""The approver's own key: made once, kept by the approver, known to the site by its public half (Ed25519).

    [[approver]]                          in the site file, a rollout plan, or a file of approvers
    name = "Li Wei"
    public_key = "ed25519:<base64>"

It decides whether a signature is that of a named approver. Who may approve what is the plan's matter. A private key is
a PEM file that only its owner may read, with a password or, where its owner wants that, without one; it is never
written to a report. Who asks for the password is the caller's matter: nothing is asked where the key has none.

A key whose 32 bytes are all alike is a placeholder, as the shipped plans and sites have it: it belongs to nobody, and
nobody signs by it. Neither does anybody by one of the few points of small order, under which strangers could sign.

What can go wrong: no key, another's key, a wrong password, a key file that others can read: SigningError says which and
what to do. `cryptography` is an extra of the package; without it the error says how to install it.
"""

import base64
import binascii
import os
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from gateway.journal.told import told

PREFIX = "ed25519:"
LEAST_PASSWORD = 12
"""Characters: a file's encryption slows guessing little, so that the password has to be long."""
_OTHERS = 0o077
_LOCKED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_KEY_BYTES = 32
_SMALL_ORDER = frozenset(
    bytes.fromhex(one)
    for one in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
"""Points of small order on the curve, and other writings of them, the sign's bit left out (edwards25519, RFC 8032)."""


class SigningError(Exception):
    """A key or a signature that cannot be used; says which, and what would be right."""


class Approver(NamedTuple):
    """A person who may sign, by name and public key."""

    name: str
    public_key: str


def read_approvers(paths: Iterable[Path]) -> list[Approver]:
    """Every [[approver]] of these TOML files."""
    found: list[Approver] = []
    for path in paths:
        try:
            rows = tomllib.loads(path.read_text(encoding="utf-8")).get("approver", [])
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            message = told("{}: approvers cannot be read: {}", path, error)
            raise SigningError(message) from error
        for row in rows:
            name, key = str(row.get("name", "")), str(row.get("public_key", ""))
            if not name or not (is_usable(key) or is_placeholder(key)):
                message = told('{}: [[approver]] {}: needs name and public_key = "ed25519:..."', path, repr(name))
                raise SigningError(message)
            if any(one.name == name and one.public_key != key for one in found):
                message = told("{}: [[approver]] {} stands there with two keys; one is needed", path, repr(name))
                raise SigningError(message)
            others = [one.name for one in found if one.public_key == key and one.name != name]
            if others and not is_placeholder(key):
                message = told(
                    "{}: [[approver]] {} and {} have one key: nobody could tell who of them signed; each makes a key "
                    "of their own",
                    path,
                    repr(others[0]),
                    repr(name),
                )
                raise SigningError(message)
            found.append(Approver(name, key))
    return found


def known(approvers: Iterable[Approver], name: str) -> Approver:
    """The approver of this name; an unknown one, or one that has no key yet, is refused with what would be right."""
    listed = list(approvers)
    for one in listed:
        if one.name == name:
            if is_placeholder(one.public_key):
                message = told(
                    "approver {} still has the key of nobody; {} makes a key by `cmc deliver keygen`, and `cmc deliver "
                    "approver add` puts its public half where it belongs",
                    repr(name),
                    name,
                )
                raise SigningError(message)
            return one
    message = told("approver {} is not known; known: {}", repr(name), ", ".join(one.name for one in listed) or "-")
    raise SigningError(message)


def is_placeholder(public_key: str) -> bool:
    """Whether it stands where a key has to be put: the key of nobody."""
    raw = _raw(public_key)
    return raw is not None and len(set(raw)) == 1


def is_usable(public_key: str) -> bool:
    """Whether it is a public key by which one person, and nobody else, can sign."""
    raw = _raw(public_key)
    if raw is None or is_placeholder(public_key):
        return False
    return raw[:-1] + bytes([raw[-1] & 0x7F]) not in _SMALL_ORDER


def refuse_if_there(path: Path) -> None:
    """Before anybody is asked for a password: a key is not overwritten."""
    if path.exists():
        message = told("{} exists: a key is not overwritten; name another file", path)
        raise SigningError(message)


def make_key(path: Path, password: str = "") -> str:
    """Write a new private key, readable by its owner only, locked with the password if any; the public half."""
    key = _library().Ed25519PrivateKey.generate()
    serial = _serialization()
    if password and len(password) < LEAST_PASSWORD:
        message = told("a password of {} characters; at least {}", len(password), LEAST_PASSWORD)
        raise SigningError(message)
    lock = serial.BestAvailableEncryption(password.encode()) if password else serial.NoEncryption()
    pem: bytes = key.private_bytes(serial.Encoding.PEM, serial.PrivateFormat.PKCS8, lock)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        message = told("{} exists: a key is not overwritten; name another file", path)
        raise SigningError(message) from error
    except OSError as error:
        message = told("{}: the key cannot be written: {}", path, error)
        raise SigningError(message) from error
    with os.fdopen(fd, "wb") as stream:
        stream.write(pem)
    return public_of(key)


def read_key(path: Path, ask: Callable[[Path], str] | None = None) -> Any:  # noqa: ANN401 - a class of an optional package
    """The private key in a file that only its owner can read; `ask` gives the password of one that has one."""
    try:
        if path.stat().st_mode & _OTHERS:
            message = told("{}: others can read this key; `chmod 600` it, or make a new one", path)
            raise SigningError(message)
        content = path.read_bytes()
    except OSError as error:
        message = told("{}: no key that can be read; `cmc deliver keygen` makes one", path)
        raise SigningError(message) from error
    locked = _LOCKED in content
    if locked and ask is None:
        message = told("{}: this key has a password, and nobody was there to be asked", path)
        raise SigningError(message)
    password = ask(path).encode() if locked and ask is not None else None
    try:
        key = _serialization().load_pem_private_key(content, password)
    except (ValueError, TypeError) as error:
        if locked:
            message = told("{}: the password does not open this key, or the file is damaged", path)
            raise SigningError(message) from error
        message = told("{}: no private key in PEM: {}", path, error)
        raise SigningError(message) from error
    if not isinstance(key, _library().Ed25519PrivateKey):
        message = told("{}: a key of another kind; `cmc deliver keygen` makes an Ed25519 key", path)
        raise SigningError(message)
    return key


def public_of(key: Any) -> str:  # noqa: ANN401 - as above
    """The public half as the site file has it."""
    serial = _serialization()
    raw: bytes = key.public_key().public_bytes(serial.Encoding.Raw, serial.PublicFormat.Raw)
    return PREFIX + base64.b64encode(raw).decode("ascii")


def sign(key: Any, content: bytes) -> str:  # noqa: ANN401 - as above
    """The signature of `content`, as text."""
    signature: bytes = key.sign(content)
    return base64.b64encode(signature).decode("ascii")


def is_signed(public_key: str, content: bytes, signature: str) -> bool:
    """Whether `signature` is that of the key's owner over `content`."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 an extra of the package

    raw = _raw(public_key)
    if raw is None or not is_usable(public_key):
        return False
    try:
        _library().Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(signature, validate=True), content)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _raw(public_key: str) -> bytes | None:
    """The 32 bytes of a public key's text; None when it is none."""
    if not public_key.startswith(PREFIX):
        return None
    try:
        raw = base64.b64decode(public_key.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == _KEY_BYTES else None


def _library() -> Any:  # noqa: ANN401 - a module
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 an extra of the package
    except ImportError as error:
        message = told("signing needs the package cryptography: pip install 'cross-market-connect[deliver]'")
        raise SigningError(message) from error
    return ed25519


def _serialization() -> Any:  # noqa: ANN401 - a module
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 an extra of the package

    return serialization
