"""An installation as the programs take it: the values of a checked site file. How they are made: `site_values.py`.

It stands apart from what reads and judges the file, so that a process which is handed these values (`handover.py`)
loads none of that. Durations are whole nanoseconds, money whole 1e-9, files absolute.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from gateway.clients.admission import Entry
from gateway.feed.clock_settings import ClockSettings
from gateway.feed.freshness import FreshnessSettings
from gateway.fix.dialect import Dialect
from gateway.journal.told import Told
from gateway.model.client import ClientSpec
from gateway.model.instrument import Instrument
from gateway.model.site import InstrumentLimits, PairSpec, RuleSpec, SiteLimits, VenueSpec
from gateway.processes.client_hours import SessionHours
from gateway.processes.fixings import Fixing
from gateway.processes.site_calendars import CalendarSettings


class Stage(StrEnum):
    """How far an installation is rolled out."""

    SHADOW = "shadow"
    CANARY = "canary"
    LIMITED = "limited"
    FULL = "full"


@dataclass(frozen=True)
class ClientsSettings:
    """Where clients connect, and who they are."""

    comp_id: str
    port: int
    tls_host: str
    tls_port: int
    certificate_file: Path | None
    key_file: Path | None
    ca_file: Path | None
    intent_ttl_ns: int
    cool_down_ns: int
    day_end_s: int
    market_data_interval_ns: int
    logon_timeout_ns: int
    max_latency_s: int
    max_connections: int
    max_message_bytes: int
    max_pending_bytes: int
    slow_client_ns: int
    messages_per_s: int
    specs: Mapping[str, ClientSpec] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict, repr=False)
    """With the passwords."""
    hours: Mapping[str, SessionHours] = field(default_factory=dict)
    max_connections_per_address: int = 100
    connects_per_s: int = 50
    strangers_logged_per_min: int = 600
    max_cl_ord_ids: int = 100_000_000
    nice: int = 0


@dataclass(frozen=True)
class SessionSettings:
    """One FIX session, with its password where there is one."""

    kind: str
    """"md" or "orders"."""
    host: str
    port: int
    sender_comp_id: str
    target_comp_id: str
    heart_bt_int_s: int
    username: str
    password: str = field(repr=False)
    constants: Mapping[str, str]
    """What the dialect calls constant:NAME; `sender_sub_id` is among them where the site gives one."""
    start_time: str | None = None
    """UTC, HH:MM:SS; the session's own day. None, with `end_time`: it never ends."""
    end_time: str | None = None


@dataclass(frozen=True)
class VenueSettings:
    """A venue: what the execution core has to know, how it speaks, its sessions."""

    spec: VenueSpec
    dialect: Dialect
    md: SessionSettings
    orders: SessionSettings
    reconnect_min_ns: int
    reconnect_max_ns: int
    watch: SessionSettings | None = None
    """The watch's own session, where the venue gives one."""
    drop_copy: SessionSettings | None = None
    cancel_on_disconnect: bool = False
    clock: ClockSettings = field(default_factory=ClockSettings)


@dataclass(frozen=True)
class JournalSettings:
    """How execution's journal reaches the disk."""

    fdatasync_interval_ns: int
    sync_before_send: bool
    min_free_bytes: int
    alarm_every_ns: int


@dataclass(frozen=True)
class RecorderSettings:
    """When a segment of the record is closed."""

    segment_bytes: int
    segment_ns: int


@dataclass(frozen=True)
class SupervisorSettings:
    """Restarts within a window, and how long an orderly stop may take."""

    restarts_max: int
    restarts_window_ns: int
    stop_timeout_ns: int


@dataclass(frozen=True)
class WatchSettings:
    """How long the watch is patient with execution and with venues."""

    silence_ns: int
    restart_ns: int
    answer_ns: int
    retry_ns: int


@dataclass(frozen=True)
class BusSettings:
    """Queues and intervals of the bus."""

    high_water_mark: int
    heartbeat_interval_ns: int
    pair_price_interval_ns: int


@dataclass(frozen=True)
class PerformanceSettings:
    """What a quick answer may cost while nothing happens."""

    warm_interval_ns: int
    """0: no rehearsal."""


@dataclass(frozen=True)
class Site:
    """An installation, checked."""

    path: Path
    name: str
    language: str
    stage: Stage
    state_dir: Path
    bus_dir: Path
    journal: JournalSettings
    recorder: RecorderSettings
    supervisor: SupervisorSettings
    watch: WatchSettings
    bus: BusSettings
    performance: PerformanceSettings
    limits: SiteLimits
    venues: Mapping[str, VenueSettings]
    instruments: Mapping[str, Instrument]
    instrument_limits: Mapping[str, InstrumentLimits]
    pairs: Mapping[str, PairSpec]
    rules: Mapping[str, RuleSpec]
    calendars: CalendarSettings
    freshness: FreshnessSettings
    fixings: Mapping[str, Fixing]
    """By reference instrument: what stands in for its quote while that is shut or stale."""
    digest: str
    """SHA-256 of what the file and the environment say together, without passwords."""
    notes: tuple[Told, ...]
    """What a person should know of it although it is no mistake: `cmc check` says it."""
    clients: ClientsSettings
