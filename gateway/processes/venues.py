"""Gives each venue the adapter that its dialect asks for: FIX, or the one that the dialect file names (`adapters.py`).

All sessions of a process are then used as one.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from gateway.fix.dialect import Dialect
from gateway.fix.encode import OrderEncoder
from gateway.fix.engine import FixSessions
from gateway.fix.market_data import MarketDataDecoder
from gateway.fix.orders import OrderDecoder
from gateway.fix.session_settings import SessionSettings
from gateway.model.instrument import Instrument
from gateway.model.port import (
    Endpoint,
    Handlers,
    Heard,
    MarketReader,
    NumberedSessions,
    OrderReader,
    SendResult,
    Sessions,
    SessionStatus,
    VenueMessage,
    Writer,
)
from gateway.processes.adapters import adapter_of
from gateway.processes.clock import utc_ns


class _Spoken(Protocol):
    """What a venue's settings say here."""

    @property
    def dialect(self) -> Dialect: ...


def _nobody(_number: int) -> str:
    return ""


def writer(venue: _Spoken, instruments: Mapping[str, Instrument], constants: Mapping[str, str]) -> Writer:
    """Writes to this venue."""
    if venue.dialect.adapter:
        return adapter_of(venue.dialect).writer(instruments, constants)
    return OrderEncoder(venue.dialect, instruments, constants)


def market_reader(venue: _Spoken, venue_id: str, instruments: Mapping[str, Instrument]) -> MarketReader:
    """Reads its market data."""
    if venue.dialect.adapter:
        return adapter_of(venue.dialect).market_reader(venue_id, instruments)
    return MarketDataDecoder(venue.dialect, venue_id, instruments)


def order_reader(
    venue: _Spoken,
    venue_id: str,
    instruments: Mapping[str, Instrument],
    cl_ord_id_of: Callable[[int], str] = _nobody,
    *,
    copied: bool = False,
) -> OrderReader:
    """Reads its order session, or its drop copy."""
    if venue.dialect.adapter:
        return adapter_of(venue.dialect).order_reader(venue_id, instruments, cl_ord_id_of)
    return OrderDecoder(venue.dialect, venue_id, instruments, cl_ord_id_of, copied=copied)


def open_sessions(
    settings: Sequence[SessionSettings],
    state_dir: Path,
    log_dir: Path,
    clock: Callable[[], int],
    handlers: Handlers,
    heard: Mapping[str, Heard] | None = None,
) -> Sessions:
    """All sessions of a process, not started yet. `heard`: what of the venues' messages is on record, by session."""
    speakers: dict[str, Sessions] = {}
    plain = [one for one in settings if not one.dialect.adapter]
    if plain or not settings:
        fix = FixSessions(plain, state_dir, log_dir, clock, **handlers._asdict(), heard=heard, utc=utc_ns)
        if len(plain) == len(settings):
            return fix
        speakers |= dict.fromkeys([one.key for one in plain], fix)
    by_dialect: dict[Path, list[SessionSettings]] = {}
    for one in settings:
        if one.dialect.adapter:
            by_dialect.setdefault(one.dialect.path, []).append(one)
    for group in by_dialect.values():
        made = adapter_of(group[0].dialect).sessions([_endpoint(one) for one in group], clock, handlers)
        speakers |= dict.fromkeys([one.key for one in group], made)
    return AllSessions({one.key: speakers[one.key] for one in settings}, clock)


def _endpoint(one: SessionSettings) -> Endpoint:
    return Endpoint(
        one.key,
        one.venue_id,
        one.kind,
        one.host,
        one.port,
        one.sender_comp_id,
        one.username,
        one.secret(),
        one.reconnect_backoff_s,
    )


class AllSessions:
    """Sessions of several adapters, as if they were of one."""

    def __init__(self, by_key: Mapping[str, Sessions], clock: Callable[[], int]) -> None:
        self._by_key = by_key
        self._all = list({id(one): one for one in by_key.values()}.values())
        self._clock = clock

    def start(self) -> None:
        """Begin to log on."""
        for one in self._all:
            one.start()

    def stop(self, timeout_s: float) -> bool:
        """Log out, one after the other; False when one still runs."""
        ended = [one.stop(timeout_s) for one in self._all]
        return all(ended)

    def send(self, key: str, message: VenueMessage) -> SendResult:
        """By whoever has the session."""
        return self._by_key[key].send(key, message)

    def test_request(self, key: str, test_req_id: str) -> SendResult:
        """As `send`."""
        return self._by_key[key].test_request(key, test_req_id)

    def reset_numbers(self, key: str, next_sender: int, next_target: int, *, log_out: bool) -> None:
        """As FixSessions; ValueError where the adapter of this session has no numbers."""
        sessions = self._by_key[key]
        if not isinstance(sessions, NumberedSessions):
            raise ValueError(f"session {key} has no numbers that can be set: it does not speak FIX")
        sessions.reset_numbers(key, next_sender, next_target, log_out=log_out)

    def logged_on(self, key: str) -> bool:
        """Whether a message may be sent now."""
        return self._by_key[key].logged_on(key)

    def status(self) -> Sequence[SessionStatus]:
        """In the order of the site file."""
        known = {line.key: line for one in self._all for line in one.status()}
        return [known[key] for key in self._by_key]

    def now_ns(self) -> int:
        """The clock that was given."""
        return self._clock()
