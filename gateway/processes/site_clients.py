"""The part of a site that concerns its clients: the values that the programs take, and what its keys may not say
together.

What can go wrong: a listener that lets in whom nobody knows. So TLS always asks for a client's certificate, a client
comes in on it only with the one that it is bound to, and who is bound to one nowhere else; plain connections are of
this machine.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.clients.admission import Entry
from gateway.journal.told import told
from gateway.model.client import ClientSpec
from gateway.model.order import TimeInForce
from gateway.processes.client_hours import LONGEST_DAY_NS, LONGEST_WEEK_NS, Reset, SessionHours, longest_ns
from gateway.processes.durations import MS, SECOND
from gateway.processes.rule_keys import window_of
from gateway.processes.site import ClientsSettings
from gateway.processes.site_checks import Mistake, nearest
from gateway.processes.site_file import ClientSection, SiteFile

CLIENT = "client"
"""Beside a client's place, in the passwords that the environment gives."""
_SHA256 = re.compile(r"[0-9A-Fa-f:]{64,95}")
_HEX_DIGITS = 64
REFERENCE_UTC_NS = 1_775_000_000 * SECOND
"""Hours of a week are alike in every week, but for an hour: they are checked in one, of spring 2026."""


def clients_settings(file: Path, written: SiteFile, passwords: Mapping[tuple[int, str], str]) -> ClientsSettings:
    """The values of a checked file."""
    one = written.clients
    hours, minutes, seconds = (int(part) for part in one.day_end.split(":"))
    listed = list(enumerate(written.client))
    return ClientsSettings(
        comp_id=one.comp_id,
        port=one.port,
        tls_host=one.tls_host,
        tls_port=one.tls_port,
        certificate_file=_path(file, one.certificate_file),
        key_file=_path(file, one.key_file),
        ca_file=_path(file, one.ca_file),
        intent_ttl_ns=one.intent_ttl_ms * MS,
        cool_down_ns=one.cool_down_ms * MS,
        day_end_s=(hours * 60 + minutes) * 60 + seconds,
        market_data_interval_ns=one.market_data_interval_ms * MS,
        logon_timeout_ns=one.logon_timeout_s * SECOND,
        max_latency_s=one.max_latency_s,
        max_connections=one.max_connections,
        max_message_bytes=one.max_message_bytes,
        max_pending_bytes=one.max_pending_kb * 1024,
        slow_client_ns=one.slow_client_s * SECOND,
        messages_per_s=one.messages_per_s,
        max_cl_ord_ids=one.max_cl_ord_ids,
        specs={client.id: _spec(client) for client in written.client},
        entries={client.id: _entry(written, client, passwords.get((index, CLIENT), "")) for index, client in listed},
        hours={client.id: _hours(client) for client in written.client},
        max_connections_per_address=one.max_connections_per_address,
        connects_per_s=one.connects_per_s,
        strangers_logged_per_min=one.strangers_logged_per_min,
        nice=one.nice,
    )


def client_passwords(
    file: Path, written: SiteFile, given: Mapping[tuple[int, str], str]
) -> tuple[dict[tuple[int, str], str], list[Mistake]]:
    """The passwords of clients, from the environment or their files, and what could not be read."""
    passwords, mistakes = {key: text for key, text in given.items() if key[1] == CLIENT}, []
    for index, client in enumerate(written.client):
        if (index, CLIENT) in passwords or not client.password_file:
            continue
        try:
            passwords[index, CLIENT] = (file.parent / client.password_file).read_text(encoding="utf-8").rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            key = f"client[{index}].password_file"
            mistakes.append(Mistake(key, client.password_file, told("a file that can be read: {}", error)))
    return passwords, mistakes


def check_clients(file: Path, written: SiteFile) -> Iterator[Mistake]:
    """Every mistake about clients, in the order of the file."""
    if written.client:
        yield from _listeners(file, written)
    ids = Counter(one.id for one in written.client)
    for index, client in enumerate(written.client):
        key = f"client[{index}]"
        if ids[client.id] > 1 and index > [one.id for one in written.client].index(client.id):
            yield Mistake(f"{key}.id", client.id, told("another: {} has it already", "client"))
        yield from _client(written, client, key)


def _listeners(file: Path, written: SiteFile) -> Iterator[Mistake]:
    one = written.clients
    if not one.port and not one.tls_host:
        yield Mistake("clients.port", "0", told("a port for clients of this machine, or tls_host and tls_port"))
    if bool(one.tls_host) is not bool(one.tls_port):
        yield Mistake("clients.tls_port", str(one.tls_port), told("tls_host and tls_port, or neither"))
    if one.heart_bt_min_s > one.heart_bt_max_s:
        yield Mistake(
            "clients.heart_bt_min_s", str(one.heart_bt_min_s), told("at most heart_bt_max_s, {}", one.heart_bt_max_s)
        )
    for name in ("certificate_file", "key_file", "ca_file") if one.tls_host else ():
        value = getattr(one, name)
        if not value:
            yield Mistake(f"clients.{name}", told("missing"), told("a PEM file: nothing listens on TLS without it"))
        elif not (file.parent / value).is_file():
            yield Mistake(f"clients.{name}", value, told("a PEM file that is there, relative to the site file"))


def _client(written: SiteFile, client: ClientSection, key: str) -> Iterator[Mistake]:
    yield from _names(f"{key}.pairs", client.pairs, [one.id for one in written.pair])
    yield from _names(f"{key}.instruments", client.instruments, [one.id for one in written.instrument])
    if client.leg_orders and not client.instruments:
        yield Mistake(f"{key}.instruments", told("missing"), told("the legs that it may order, with leg_orders"))
    if client.drop_copy and client.leg_orders:
        yield Mistake(f"{key}.leg_orders", "true", told("false: a drop copy sends nothing"))
    if client.certificate_sha256 and len(_fingerprint(client.certificate_sha256)) != _HEX_DIGITS:
        yield Mistake(f"{key}.certificate_sha256", client.certificate_sha256, told("64 hexadecimal digits"))
    bound = client.certificate_cn or client.certificate_sha256
    if written.clients.tls_host and not written.clients.port and not bound:
        remedy = told("certificate_cn or certificate_sha256: on TLS each client is bound to its certificate")
        yield Mistake(f"{key}.certificate_cn", told("missing"), remedy)
    for network in client.addresses:
        try:
            ip_network(network)
        except ValueError as error:
            yield Mistake(f"{key}.addresses", network, told('a network such as "10.1.2.0/24": {}', error))
    yield from _session(client, key)
    yield from _sizes(written, client, key)


def _session(client: ClientSection, key: str) -> Iterator[Mistake]:
    """Hours that can be, and numbers that begin again only while the session is closed."""
    wrong = False
    for index, window in enumerate(client.hours):
        place = f"{key}.hours[{index}]"
        if window.from_time == window.until_time:
            wrong = True
            yield Mistake(f"{place}.until_time", window.until_time, told("another than from_time: it is empty"))
        try:
            ZoneInfo(window.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            wrong = True
            yield Mistake(f"{place}.zone", window.zone, told('the IANA name of a time zone, such as "Asia/Shanghai"'))
    if client.reset is Reset.NEVER or wrong:
        return
    if client.drop_copy:
        yield Mistake(f"{key}.reset", client.reset.value, told('"never": a drop copy is read from its first number on'))
    elif not client.hours:
        yield Mistake(f"{key}.reset", client.reset.value, told("with hours: numbers begin again while it is closed"))
    else:
        longest = longest_ns(_hours(client).windows, REFERENCE_UTC_NS)
        if longest > (LONGEST_DAY_NS if client.reset is Reset.DAILY else LONGEST_WEEK_NS):
            remedy = told("hours with a pause in each day (daily) or week (weekly), in which numbers begin again")
            yield Mistake(f"{key}.reset", client.reset.value, remedy)


def _hours(client: ClientSection) -> SessionHours:
    return SessionHours(tuple(window_of(one) for one in client.hours), client.reset, client.at_close)


def _names(key: str, names: tuple[str, ...], known: list[str]) -> Iterator[Mistake]:
    for name in names:
        if name not in known:
            yield Mistake(key, name, nearest(name, known))


def _sizes(written: SiteFile, client: ClientSection, key: str) -> Iterator[Mistake]:
    """An order that can never be filled whole in one go could not be fill-or-kill; the rule would be refused."""
    lots = {one.id: one.max_qty for one in written.instrument}
    for pair in written.pair:
        if pair.id not in client.pairs:
            continue
        if client.max_units > pair.max_units:
            yield Mistake(
                f"{key}.max_units",
                str(client.max_units),
                told("at most max_units of pair {}, {}", pair.id, pair.max_units),
            )
        for leg in pair.leg:
            most = lots.get(leg.instrument, 0) // leg.ratio_lots if isinstance(leg.ratio_lots, int) else 0
            if most and client.max_units > most:
                remedy = told("at most {}: max_qty of {} over its ratio_lots", most, leg.instrument)
                yield Mistake(f"{key}.max_units", str(client.max_units), remedy)


def _fingerprint(text: str) -> str:
    return text.replace(":", "").lower() if _SHA256.fullmatch(text) else ""


def _path(file: Path, name: str) -> Path | None:
    return (file.parent / name).resolve() if name else None


def _spec(one: ClientSection) -> ClientSpec:
    return ClientSpec(
        client_id=one.id,
        begin_string=one.version,
        accounts=one.accounts,
        pairs=one.pairs,
        instruments=one.instruments,
        times_in_force=tuple(TimeInForce[force] for force in one.time_in_force),
        max_units=one.max_units,
        max_lots=one.max_lots,
        max_open_orders=one.max_open_orders,
        orders_per_s=one.orders_per_s,
        leg_orders=one.leg_orders,
        drop_copy=one.drop_copy,
        cancel_on_disconnect=one.cancel_on_disconnect,
    )


def _entry(written: SiteFile, one: ClientSection, password: str) -> Entry:
    top = written.clients
    return Entry(
        client_id=one.id,
        begin_string=one.version,
        target_comp_id=top.comp_id,
        username=one.username,
        password=password,
        certificate_cn=one.certificate_cn,
        certificate_sha256=_fingerprint(one.certificate_sha256),
        addresses=one.addresses,
        drop_copy=one.drop_copy,
        cancel_on_disconnect=one.cancel_on_disconnect,
        heart_bt_s=(top.heart_bt_min_s, top.heart_bt_max_s),
    )
