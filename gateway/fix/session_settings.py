"""What a FIX session is set up with, and the same in QuickFIX's words.

Why each of QuickFIX's settings is what it is: docs/FIX_ENGINE.md. What can go wrong: a setting out of its range, named
by `SessionSettingsError` before anything starts.
"""

import hashlib
import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import quickfix

from gateway.fix.dialect import Dialect
from gateway.fix.dictionary import Dictionary, structure_xml

RECONNECT_INTERVAL_S = 1
"""How often QuickFIX connects within one attempt; the pauses between attempts are ours (`reconnect_backoff_s`)."""
LOGON_TIMEOUT_S = 10
LOGOUT_TIMEOUT_S = 2

_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_COMP_ID = re.compile(r"[\x21-\x7e]{1,64}")


class SessionSettingsError(ValueError):
    """A session cannot be set up so; names the session, the setting, the value and what would be right."""


class Secret(Protocol):
    """A text that does not print itself, such as pydantic's SecretStr."""

    def get_secret_value(self) -> str: ...


class SessionSettings(NamedTuple):
    """One session. `key` is its name in the gateway and in file names; unique in a process.

    `reconnect_backoff_s` is the shortest and the longest pause between two attempts to log on. `start_time` and
    `end_time` are UTC as `HH:MM:SS`, both or neither (neither: a non-stop session).
    """

    key: str
    venue_id: str
    kind: Literal["orders", "md"]
    dialect: Dialect
    host: str
    port: int
    sender_comp_id: str
    target_comp_id: str
    sender_sub_id: str = ""
    heart_bt_int_s: int = 10
    reset_on_logon: bool = False
    username: str = ""
    password: Secret | str = ""
    reconnect_backoff_s: tuple[float, float] = (1.0, 30.0)
    start_time: str | None = None
    end_time: str | None = None
    persist_messages: bool = False
    """Whether QuickFIX keeps the text of what was sent. Nothing of it is ever sent again, so it need not."""
    cancel_on_disconnect: bool = False
    """Whether the Logon asks that our orders be cancelled when the session is lost, as the dialect says it."""

    @property
    def resets(self) -> bool:
        """Whether each logon begins again at 1: market data always, its numbers are kept in memory only."""
        return self.reset_on_logon or self.kind == "md"

    def secret(self) -> str:
        """The password as it goes on the wire."""
        return self.password if isinstance(self.password, str) else self.password.get_secret_value()

    def session_id(self) -> quickfix.SessionID:
        """QuickFIX's name of the session; the key tells sessions with the same CompIDs apart."""
        return quickfix.SessionID(self.dialect.begin_string, self.sender_comp_id, self.target_comp_id, self.key)


def check(sessions: Sequence[SessionSettings]) -> None:
    """SessionSettingsError for the first setting that cannot be."""
    keys: set[str] = set()
    for session in sessions:
        _require(session, "key", session.key, _KEY.fullmatch(session.key), "letters, digits, _ . -")
        _require(session, "key", session.key, session.key not in keys, "a key of its own")
        keys.add(session.key)
        _require(session, "kind", session.kind, session.kind in ("orders", "md"), "orders or md")
        for name in ("sender_comp_id", "target_comp_id", "host"):
            value = getattr(session, name)
            _require(session, name, value, _COMP_ID.fullmatch(value), "1 to 64 printable ASCII characters, no space")
        _require(session, "port", session.port, 0 < session.port < 65536, "1 to 65535")  # noqa: PLR2004
        _require(session, "heart_bt_int_s", session.heart_bt_int_s, session.heart_bt_int_s > 0, "1 or more")
        low, high = session.reconnect_backoff_s
        _require(
            session, "reconnect_backoff_s", session.reconnect_backoff_s, 0 < low <= high, "0 < shortest <= longest"
        )
        both = (session.start_time is None) is (session.end_time is None)
        _require(session, "start_time", session.start_time, both, "start_time and end_time, or neither")


def quickfix_settings(session: SessionSettings, state_dir: Path, log_dir: Path) -> quickfix.SessionSettings:
    """The session as QuickFIX takes it; its dictionary's structure is written to `state_dir`."""
    settings = quickfix.SessionSettings()
    common = {
        "ConnectionType": "initiator",
        "ReconnectInterval": str(RECONNECT_INTERVAL_S),
        "FileStorePath": str(state_dir),
        "FileLogPath": str(log_dir),
        "SocketNodelay": "Y",
        "CheckLatency": "N",
        "UseDataDictionary": "Y",
        "AllowUnknownMsgFields": "Y",
        "ValidateUserDefinedFields": "N",
        "ValidateFieldsHaveValues": "N",
        "ValidateFieldsOutOfOrder": "N",
        "LogonTimeout": str(LOGON_TIMEOUT_S),
        "LogoutTimeout": str(LOGOUT_TIMEOUT_S),
    }
    settings.set(_dictionary(common))
    settings.set(session.session_id(), _dictionary(_session_words(session, state_dir)))
    return settings


def _session_words(session: SessionSettings, state_dir: Path) -> dict[str, str]:
    hours = {"NonStopSession": "Y"}
    if session.start_time is not None and session.end_time is not None:
        hours = {"StartTime": session.start_time, "EndTime": session.end_time}
    return (
        hours
        | {
            "ConnectionType": "initiator",
            "SocketConnectHost": session.host,
            "SocketConnectPort": str(session.port),
            "HeartBtInt": str(session.heart_bt_int_s),
            "ResetOnLogon": "Y" if session.resets else "N",
            "PersistMessages": "Y" if session.persist_messages else "N",
            "TimestampPrecision": str(session.dialect.time_digits),
        }
        | _dictionary_words(session.dialect.dictionary, state_dir)
    )


def _dictionary_words(dictionary: Dictionary, state_dir: Path) -> dict[str, str]:
    """One dictionary up to FIX 4.4; from FIX 5.0 on one of the session (FIXT) and one of the application."""
    structure = str(_structure_file(dictionary.path, state_dir))
    if dictionary.transport is None:
        return {"DataDictionary": structure}
    return {
        "TransportDataDictionary": str(_structure_file(dictionary.transport, state_dir)),
        "AppDataDictionary": structure,
        "DefaultApplVerID": dictionary.appl_ver_id,
    }


def _structure_file(dictionary: Path, state_dir: Path) -> Path:
    """The file QuickFIX reads; put in place whole, as other sessions and processes may be reading it."""
    text = structure_xml(dictionary)
    target = state_dir / f"{dictionary.stem}.{hashlib.sha256(text).hexdigest()[:12]}.xml"
    if not target.exists():
        part = target.with_suffix(f".{os.getpid()}.{threading.get_ident()}.part")
        part.write_bytes(text)
        part.replace(target)
    return target


def _dictionary(words: dict[str, str]) -> quickfix.Dictionary:
    dictionary = quickfix.Dictionary()
    for key, value in words.items():
        dictionary.setString(key, value)
    return dictionary


def _require(session: SessionSettings, name: str, value: object, holds: object, right: str) -> None:
    if not holds:
        message = f"session {session.key}: {name} = {value!r}; right would be {right}"
        raise SessionSettingsError(message)
