"""`cmc certify`: the certification of a client's program. It waits where the site's clients connect, plays the numbered
scripts of `acceptance/certify/client` with whoever logs on as the session, and writes a certificate.

No other process is needed and no order goes anywhere. The port must be free: where the gateway runs, name another one.

What can go wrong: the session is not in the site, the port is taken, the TLS files cannot be read (a wrong call); the
client does something else than the scripts, or nobody connects (a failed check, exit code 1).
"""

import argparse
import json
import socket
import ssl
import tomllib
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from acceptance.certify.certificate import Certificate, Outcome, Played, as_html, as_json
from acceptance.certify.examiner import Examiner, Told, asked
from acceptance.certify.line import SocketLine, Times
from acceptance.certify.player import End, Logged, Player
from acceptance.certify.script import Case, Step, read_folder
from acceptance.certify.venue import macros, serve
from gateway.clients.admission import Entry, of_line
from gateway.journal.told import environment_language, said, told
from gateway.processes import clock, machine
from gateway.processes.cli import FAILED, OK, WrongCallError
from gateway.processes.clients_connection import peer_of, tls_context
from gateway.processes.settings import Site
from gateway.processes.site_file import SECOND
from gateway.processes.site_open import load, site_path
from gateway.processes.supervisor_log import out

ORDERS, DROP_COPY = "orders", "drop_copy"


def run(parsed: argparse.Namespace) -> int:
    """Play the scripts, write the certificate."""
    site = load(site_path(parsed.site))
    spec = site.clients.specs.get(parsed.session)
    if spec is None:
        known = ", ".join(site.clients.specs) or "-"
        message = told("--session {}: no [[client]] of this site; right would be one of {}", parsed.session, known)
        raise WrongCallError(message)
    cases = read_folder("client")
    chosen = frozenset(parsed.case)
    unknown = sorted(chosen - {one.number for one in cases})
    if unknown:
        message = told("--case {}: no such case; right would be 1 to {}", unknown[0], len(cases))
        raise WrongCallError(message)
    kind = DROP_COPY if spec.drop_copy else ORDERS
    listener, tls = _listener(site, parsed)
    try:
        began = _stamp(0)
        played = _play(site, parsed, listener, tls, cases, kind, chosen)
        certificate = Certificate(
            parsed.session,
            spec.begin_string,
            site.clients.comp_id,
            kind,
            began,
            _stamp(0),
            machine.version(),
            played,
        )
    finally:
        listener.close()
    return _write(certificate, parsed)


def _play(
    site: Site,
    parsed: argparse.Namespace,
    listener: socket.socket,
    tls: ssl.SSLContext | None,
    cases: tuple[Case, ...],
    kind: str,
    chosen: frozenset[str],
) -> tuple[Played, ...]:
    """Everything between the open port and the certificate."""
    spec, entry = site.clients.specs[parsed.session], site.clients.entries[parsed.session]
    pair = spec.pairs[0] if spec.pairs else next(iter(site.pairs))
    legs = tuple(leg.instrument_id for leg in site.pairs[pair].legs)
    language = environment_language()
    words = tomllib.loads(files("acceptance.certify").joinpath("words.toml").read_text(encoding="utf-8"))["do"]
    host, port = listener.getsockname()[:2]
    out(told("certification of {}: connect to {} port {}", parsed.session, host, port))

    def tell(step: Step) -> None:
        out("  " + asked(step, words, pair, language))

    end = End(
        spec.begin_string,
        site.clients.comp_id,
        parsed.session,
        accepts=True,
        macros=macros(spec.begin_string, pair, legs),
        serve=serve,
        password=entry.password,
        within_s=parsed.answer,
        patience_s=parsed.wait,
    )
    line = SocketLine(
        Times(lambda: clock.monotonic_ns() / SECOND, _stamp),
        listener=listener,
        tls=tls,
        tell=tell,
        lets_in=lambda made, address: _is_client(entry, made, address),
        open_s=parsed.wait,
    )
    log: list[Logged] = []
    player = Player(end, line, log)
    try:
        return Examiner(player, log, Told(_begins, _ended), parsed.attempts).examine(cases, kind, chosen)
    finally:
        player.drop()


def _is_client(entry: Entry, made: ssl.SSLSocket, address: str) -> bool:
    """Whether the certificate and the address are the session's, as the gateway has it; who is not is told of."""
    reason = of_line(peer_of(made, address), entry)
    if reason:
        out(told("  a connection from {} is not of {}: {}", address, entry.client_id, reason))
    return not reason


def _listener(site: Site, parsed: argparse.Namespace) -> tuple[socket.socket, ssl.SSLContext | None]:
    """The door: TLS where it is asked for, with the certificates that the site names."""
    clients = site.clients
    host, port = (clients.tls_host, clients.tls_port) if parsed.tls else ("127.0.0.1", clients.port)
    if parsed.tls and not host:
        message = told("--tls: the site has no tls_host; right would be without --tls, or a site with one")
        raise WrongCallError(message)
    port = parsed.port if parsed.port is not None else port
    try:
        pems = (clients.certificate_file, clients.key_file, clients.ca_file)
        tls = tls_context(*(str(one) for one in pems)) if parsed.tls else None
        return socket.create_server((host, port), backlog=8), tls
    except OSError as error:
        reason = error.strerror or str(error)
        message = told(
            "{} port {} cannot be opened ({}); where the gateway runs, give --port another", host, port, reason
        )
        raise WrongCallError(message) from error


def _begins(case: Case, attempt: int) -> None:
    title = case.title(environment_language())
    again = said(told(", attempt {}", attempt), environment_language()) if attempt > 1 else ""
    out(f"{case.number}. {title}{again}")


def _ended(one: Played) -> None:
    outcome = {
        Outcome.PASSED: told("passed"),
        Outcome.FAILED: told("failed"),
        Outcome.SKIPPED: told("not for this session"),
        Outcome.NOT_PLAYED: told("not played"),
    }[one.outcome]
    if one.outcome in (Outcome.PASSED, Outcome.FAILED):
        out(f"  {said(outcome, environment_language())}")
    for wrong in one.wrong:
        out(f"  ! {wrong}")


def _write(one: Certificate, parsed: argparse.Namespace) -> int:
    folder: Path = parsed.out
    folder.mkdir(parents=True, exist_ok=True)
    name = f"certificate-{one.session}-{one.began[:17].replace(':', '')}"
    texts = {f"{name}.json": as_json(one), f"{name}.html": as_html(one)}
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
    if parsed.json:
        summary: dict[str, Any] = {"passed": one.passed, "json": str(folder / f"{name}.json")}
        out(json.dumps(summary, ensure_ascii=False))
    else:
        words = told("certified: {}", one.session) if one.passed else told("not certified: {}", one.session)
        out(words)
        out(str(folder / f"{name}.html"))
    return OK if one.passed else FAILED


def _stamp(offset_s: int) -> str:
    """SendingTime(52), this many seconds on."""
    at = datetime.fromtimestamp(clock.utc_ns() // SECOND + offset_s, UTC)
    return f"{at:%Y%m%d-%H:%M:%S}.{clock.utc_ns() % SECOND // 1_000_000:03d}"
