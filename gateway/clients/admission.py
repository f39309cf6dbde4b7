"""Who may log on: the first message of a connection, held against what the site says of its client. Pure.

What is told to the peer names the tag and what would be right, as long as that tells a stranger nothing: who is a
client, its password and its certificate are refused in one sentence, and the full reason goes to our log.
"""

import hmac
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from gateway.clients.framing import fields
from gateway.fix import tags

STRANGER = "logon refused: SenderCompID(49), certificate, address or password"
FIXT = "FIXT.1.1"
VERSIONS = ("FIX.4.2", "FIX.4.4", FIXT)
NO_ENCRYPTION = "0"
APPL_VER_ID = "9"
"""FIX 5.0 SP2, as DefaultApplVerID(1137) has it."""


class Entry(NamedTuple):
    """A client as the door knows it."""

    client_id: str
    begin_string: str
    target_comp_id: str
    """Ours."""
    username: str
    password: str
    """Empty: none is asked for."""
    certificate_cn: str
    certificate_sha256: str
    addresses: tuple[str, ...]
    """Networks; empty: every one."""
    drop_copy: bool
    cancel_on_disconnect: bool
    heart_bt_s: tuple[int, int]


class Peer(NamedTuple):
    """Who is at the other end of a connection."""

    address: str
    tls: bool
    certificate_cn: str = ""
    certificate_sha256: str = ""


class Admitted(NamedTuple):
    """It may log on."""

    client_id: str
    cancels: bool
    """Its orders end with the connection."""
    reset: bool


class Turned(NamedTuple):
    """It may not: what is logged, and what is told."""

    reason: str
    told: str


def judge(first: bytes, peer: Peer, entries: Mapping[str, Entry]) -> Admitted | Turned:
    """Whether the first message of a connection is a Logon of one of our clients."""
    said = fields(first)
    if said.get(tags.MSG_TYPE) != tags.MsgType.LOGON:
        text = f"MsgType(35)={said.get(tags.MSG_TYPE, '')!r}: the first message has to be a Logon(35=A)"
        return Turned(text, text)
    entry = entries.get(said.get(tags.SENDER_COMP_ID, ""))
    if entry is None:
        return Turned(f"SenderCompID(49)={said.get(tags.SENDER_COMP_ID, '')!r} is no client", STRANGER)
    secret = _stranger(said, peer, entry)
    words = secret or _words(said, entry)
    if words:
        return Turned(f"{entry.client_id}: {words}", STRANGER if secret else words)
    asked = said.get(tags.CANCEL_ORDERS_ON_DISCONNECT, "")
    cancels = asked == "Y" if asked else entry.cancel_on_disconnect
    return Admitted(entry.client_id, cancels, said.get(tags.RESET_SEQ_NUM_FLAG) == "Y")


def _stranger(said: Mapping[str, str], peer: Peer, entry: Entry) -> str:
    """Why we do not believe who it says it is."""
    return of_line(peer, entry) or (_wrong_secret(said, entry) if entry.password else "")


def of_line(peer: Peer, entry: Entry) -> str:
    """Why a connection is not this client's, by its certificate and its address; empty: it is."""
    bound = bool(entry.certificate_cn or entry.certificate_sha256)
    if bound is not peer.tls:
        return "it is bound to a certificate, the connection is plain" if bound else "no certificate is bound to it"
    if entry.addresses and not any(ip_address(peer.address) in ip_network(one) for one in entry.addresses):
        return f"address {peer.address} is not one of {', '.join(entry.addresses)}"
    if peer.tls and entry.certificate_sha256 and not _same(peer.certificate_sha256, entry.certificate_sha256):
        return f"certificate {peer.certificate_sha256} is not its own"
    if peer.tls and entry.certificate_cn and not _same(peer.certificate_cn, entry.certificate_cn):
        return f"certificate of {peer.certificate_cn!r}, not of {entry.certificate_cn!r}"
    return ""


def _wrong_secret(said: Mapping[str, str], entry: Entry) -> str:
    """Username(553) where one is set; the password as Password(554), or RawData(96) in an older version."""
    if entry.username and not _same(said.get(tags.USERNAME, entry.username), entry.username):
        return f"Username(553)={said.get(tags.USERNAME, '')!r} is wrong"
    given = said.get(tags.PASSWORD) or said.get(tags.RAW_DATA, "")
    return "" if _same(given, entry.password) else "wrong password"


def _words(said: Mapping[str, str], entry: Entry) -> str:
    """What is wrong with the Logon of a client that we believe."""
    version = said.get(tags.BEGIN_STRING, "")
    if version != entry.begin_string:
        return f"BeginString(8)={version!r}; accepted: {entry.begin_string}"
    if said.get(tags.TARGET_COMP_ID) != entry.target_comp_id:
        return f"TargetCompID(56)={said.get(tags.TARGET_COMP_ID, '')!r}; accepted: {entry.target_comp_id}"
    if entry.begin_string == FIXT and said.get(tags.DEFAULT_APPL_VER_ID) != APPL_VER_ID:
        given = said.get(tags.DEFAULT_APPL_VER_ID, "")
        return f"DefaultApplVerID(1137)={given!r}; accepted: {APPL_VER_ID} (FIX 5.0 SP2)"
    return _terms(said, entry)


def _terms(said: Mapping[str, str], entry: Entry) -> str:
    """What is wrong with what it asks for."""
    encrypted = said.get(tags.ENCRYPT_METHOD, "")
    if encrypted != NO_ENCRYPTION:
        return f"EncryptMethod(98)={encrypted!r}; accepted: 0 (none; TLS encrypts the line)"
    beat = said.get(tags.HEART_BT_INT, "")
    least, most = entry.heart_bt_s
    if not beat.isdecimal() or not least <= int(beat[:9]) <= most:
        return f"HeartBtInt(108)={beat!r}; accepted: {least} to {most}"
    if entry.drop_copy and said.get(tags.RESET_SEQ_NUM_FLAG) == "Y":
        return "ResetSeqNumFlag(141)=Y would lose the record of a drop copy; accepted: N, and a ResendRequest(35=2)"
    return ""


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def logout(entry: Entry | None, said: Mapping[str, str], text: str, stamp: str) -> bytes:
    """A Logout(35=5) to a peer that has no session: it uses no number of anybody's."""
    heard = said.get(tags.BEGIN_STRING, "")
    version = entry.begin_string if entry is not None else heard if heard in VERSIONS else "FIX.4.4"
    sender = said.get(tags.TARGET_COMP_ID, "") or "GATEWAY"
    target = said.get(tags.SENDER_COMP_ID, "") or "UNKNOWN"
    body = f"35=5\x0134=1\x0149={sender}\x0152={stamp}\x0156={target}\x0158={text}\x01"
    head = f"8={version}\x019={len(body)}\x01{body}".encode("ascii", "replace")
    return head + f"10={sum(head) % 256:03d}\x01".encode()
