"""A venue's profile: TOML text into checked values. It starts nothing; a mistake names file, key, value and remedy."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from simulators.core.clock import VenueClock
from simulators.core.config import FaultSpec, Listing, VenueConfig
from simulators.core.faults import FAULT_NAMES, TIMED
from simulators.core.network import NETWORK_PROFILES
from simulators.core.positions import NET, OPEN_CLOSE, OPEN_CLOSE_TODAY
from simulators.fix.words import WORDS, Words

_MS = 1_000_000
_SECOND = 1_000_000_000
_FLAG_WORDS = {
    "session": {"md", "orders", "drop_copy", "both"},
    "stream": {"md", "orders"},
    "side": {"up", "down"},
    "level": {"rpt_seq", "msg_seq_num"},
    "direction": {"buy", "sell"},
    "told": {"drop_copy", "orders", "none"},
    "effect": {"O", "C", "T"},
}

Port = Annotated[int, Field(ge=0, le=65535)]
Lots = Annotated[int, Field(ge=0)]


class ProfileError(ValueError):
    """What is wrong with a profile, one line for each mistake."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VenueSection(_Section):
    """`[venue]`."""

    name: Annotated[str, Field(min_length=1)]
    dialect: str
    seed: int = 0
    comp_id: Annotated[str, Field(min_length=1)]
    client_comp_id: Annotated[str, Field(min_length=1)]
    username: str = ""
    password: str = ""
    md_port: Port = 0
    orders_port: Port = 0
    account: Annotated[str, Field(min_length=1)]
    cancel_on_disconnect: bool = False
    drop_copy: bool = False
    drop_copy_port: Port = 0
    rpt_seq: bool = True
    fok: bool = True
    market_orders: bool = True
    snapshot_interval_ms: Annotated[int, Field(ge=1)] = 500
    start_monotonic_ns: Annotated[int, Field(ge=0)] = 0
    truth_dir: Annotated[str, Field(min_length=1)]
    truth_messages: bool = False
    truth_books: bool = True
    ready_file: Annotated[str, Field(min_length=1)]
    state_dir: str = ""
    keep_done: bool = True
    md_resend: bool = True
    sending_time_limit_s: Annotated[int, Field(ge=0)] = 120

    @field_validator("dialect")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in WORDS:
            message = f"one of {', '.join(WORDS)} is right"
            raise ValueError(message)
        return value


class WordsSection(_Section):
    """`[words]`: what this venue says otherwise than its dialect; a key that is left out stays as it is there."""

    begin_string: str | None = None
    reports: Literal["4.4", "4.2"] | None = None
    domestic: bool | None = None
    incremental: bool | None = None
    position_tag: Literal[290, 1023] | None = None
    default_appl_ver_id: str | None = None
    mass: bool | None = None
    positions: bool | None = None
    cancel_on_disconnect: int | None = None
    gtc: bool | None = None
    gtd: bool | None = None
    required: dict[str, tuple[int, ...]] | None = None
    echo: tuple[int, ...] | None = None
    rename: dict[int, int] | None = None


class ClockSection(_Section):
    """`[clock]`."""

    offset_ms: float = 0.0
    drift_ppm: float = 0.0
    step_ms: float = 0.0
    step_at_s: Annotated[float, Field(ge=0)] = 0.0


class NetworkSection(_Section):
    """`[network]`."""

    profile: str = "none"

    @field_validator("profile")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in NETWORK_PROFILES:
            message = f"one of {', '.join(NETWORK_PROFILES)} is right"
            raise ValueError(message)
        return value


class TapeSection(_Section):
    """`[tape]`."""

    kind: Literal["synthetic", "recorded", "csv"] = "synthetic"
    name: str
    dir: str = ""
    seed: int = 0
    seconds: Annotated[int, Field(ge=1)] = 120
    venue: str = ""
    """The venue's name on the tape, where it is not the profile's."""


class InstrumentSection(_Section):
    """`[[instrument]]`."""

    symbol: Annotated[str, Field(min_length=1)]
    tick: Decimal
    min_qty: Annotated[int, Field(ge=1)] = 1
    max_qty: Annotated[int, Field(ge=1)] = 1_000_000
    open_close: Literal["net", "open_close", "open_close_today"] = "net"
    open_today_long: Lots = 0
    open_yesterday_long: Lots = 0
    open_today_short: Lots = 0
    open_yesterday_short: Lots = 0
    segment: str = ""

    @field_validator("tick", mode="before")
    @classmethod
    def _exact(cls, value: object) -> object:
        if not isinstance(value, str):
            message = 'a price step is written as text, such as "0.02", because a float is not exact'
            raise ValueError(message)
        return value

    @field_validator("tick")
    @classmethod
    def _positive(cls, value: Decimal) -> Decimal:
        if not value.is_finite() or value <= 0:
            message = "a tick above 0 is right"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _range(self) -> "InstrumentSection":
        if self.min_qty > self.max_qty:
            message = f"min_qty {self.min_qty} is above max_qty {self.max_qty}; lower the one or raise the other"
            raise ValueError(message)
        return self


class FaultSection(_Section):
    """`[[fault]]`."""

    name: str
    probability: Annotated[float, Field(ge=0, le=1)] = 0.0
    ordinals: tuple[Annotated[int, Field(ge=1)], ...] = ()
    at_s: Annotated[float, Field(ge=0)] = 0.0
    for_s: Annotated[float, Field(ge=0)] = 0.0
    params: dict[str, str | int | float | bool] = {}

    @field_validator("name")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in FAULT_NAMES:
            message = f"one of {', '.join(FAULT_NAMES)} is right"
            raise ValueError(message)
        return value

    @field_validator("params")
    @classmethod
    def _words(cls, value: dict[str, str | int | float | bool]) -> dict[str, str | int | float | bool]:
        for key, allowed in _FLAG_WORDS.items():
            if key in value and value[key] not in allowed:
                message = f"{key} = {value[key]!r}; one of {', '.join(sorted(allowed))} is right"
                raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _strikes(self) -> "FaultSection":
        if self.name not in TIMED and not (self.probability or self.ordinals or self.for_s):
            message = "it never strikes; give probability, ordinals or at_s with for_s"
            raise ValueError(message)
        return self


class Profile(_Section):
    """One venue, checked."""

    venue: VenueSection
    words: WordsSection = WordsSection()
    clock: ClockSection = ClockSection()
    network: NetworkSection = NetworkSection()
    tape: TapeSection
    instrument: Annotated[tuple[InstrumentSection, ...], Field(min_length=1)]
    fault: tuple[FaultSection, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> "Profile":
        symbols = [item.symbol for item in self.instrument]
        twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        if twice:
            message = f"instrument {twice[0]} stands there twice; once is right"
            raise ValueError(message)
        return self

    def clock_values(self, start_ns: int, utc_offset_ns: int) -> VenueClock:
        """The venue's clock for a tape that starts at `start_ns`."""
        clock = self.clock
        return VenueClock(
            start_ns=start_ns,
            utc_offset_ns=utc_offset_ns,
            offset_ns=round(clock.offset_ms * _MS),
            drift_ppb=round(clock.drift_ppm * 1000),
            step_ns=round(clock.step_ms * _MS),
            step_at_ns=round(clock.step_at_s * _SECOND),
        )

    def spoken(self) -> Words:
        """How the venue speaks: its dialect, with what `[words]` changes."""
        return WORDS[self.venue.dialect]._replace(**self.words.model_dump(exclude_none=True))

    def venue_config(self, start_ns: int, utc_offset_ns: int) -> VenueConfig:
        """What the core is told."""
        venue = self.venue
        words = self.spoken()
        return VenueConfig(
            name=venue.name,
            account=venue.account,
            listings=tuple(Listing(**dict(item)) for item in self.instrument),
            seed=venue.seed,
            start_ns=start_ns,
            clock=self.clock_values(start_ns, utc_offset_ns),
            incremental=words.incremental,
            snapshot_interval_ns=venue.snapshot_interval_ms * _MS,
            fok=venue.fok,
            gtc=words.gtc,
            gtd=words.gtd,
            market_orders=venue.market_orders,
            cancel_on_disconnect=venue.cancel_on_disconnect,
            drop_copy=venue.drop_copy,
            exec_id_per_side=words.domestic,
            faults=tuple(
                FaultSpec(
                    name=item.name,
                    probability=item.probability,
                    ordinals=frozenset(item.ordinals),
                    at_ns=round(item.at_s * _SECOND),
                    for_ns=round(item.for_s * _SECOND),
                    params=dict(item.params),
                )
                for item in self.fault
            ),
            truth_books=venue.truth_books,
            keep_done=venue.keep_done,
            tape_venue=self.tape.venue,
        )


def read_profile(path: Path) -> Profile:
    """The profile in `path`; ProfileError tells every mistake in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}; give the path of a profile (docs/SIMULATOR.md)"
        raise ProfileError(message) from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{path}: not TOML: {error}"
        raise ProfileError(message) from error
    return parse_profile(data, str(path))


def parse_profile(data: dict[str, object], name: str) -> Profile:
    """The profile in `data`, read from the file `name`."""
    try:
        return Profile.model_validate(data)
    except ValidationError as error:
        errors = error.errors()
        # A list whose items are wrong is also told to be too short; the items' own mistakes say it better.
        inner = {item["loc"][0] for item in errors if len(item["loc"]) > 1}
        told = [item for item in errors if len(item["loc"]) != 1 or item["loc"][0] not in inner]
        raise ProfileError("\n".join(_told(name, item) for item in told)) from error


def _told(name: str, item: object) -> str:
    detail = dict(item)  # type: ignore[call-overload]
    key = ".".join(str(part) for part in detail["loc"]) or "profile"
    value = (
        ""
        if detail["type"] in {"missing", "too_short"} or isinstance(detail["input"], dict)
        else (f" = {detail['input']!r}")
    )
    remedy = {
        "missing": "required; add it",
        "extra_forbidden": "unknown key; remove it or see docs/SIMULATOR.md for the right name",
    }.get(detail["type"], detail["msg"].removeprefix("Value error, "))
    return f"{name}: {key}{value}: {remedy}"


__all__ = ["NET", "OPEN_CLOSE", "OPEN_CLOSE_TODAY", "Profile", "ProfileError", "parse_profile", "read_profile"]
