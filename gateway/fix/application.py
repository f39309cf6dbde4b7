"""The border to QuickFIX: its callbacks, and nothing of them behind it.

QuickFIX calls these methods in the thread that reads the socket (and `toApp` in the thread that sends). They only hand
over. What an ordinary exception in one of them would do was measured: the session stays and looks logged on, sends
"succeed", a lock is never freed. So each catches all that is not one of QuickFIX's own control exceptions, writes it
to a crash file and ends the process with exit code 70; whoever watches the process brings it back reconciled.

Two things are decided here, both so that no order goes out that nobody decided on now: an application message that
would be *re*sent (PossDupFlag(43)=Y) is not, QuickFIX then fills the gap; and one that meets a session that is not
logged on is not stored and uses no number.
"""

import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn, Protocol

import quickfix

from gateway.fix.scan import readable

CRASH_EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h: an internal error."""

_CONTROL = (
    quickfix.DoNotSend,
    quickfix.RejectLogon,
    quickfix.FieldNotFound,
    quickfix.IncorrectDataFormat,
    quickfix.IncorrectTagValue,
    quickfix.UnsupportedMessageType,
)


class Link(Protocol):
    """What the border needs to know of a session, and tells it."""

    key: str
    up: bool
    last_sent: int

    def logged_on(self) -> None: ...
    def logged_out(self) -> None: ...
    def admin_in(self, raw: str, recv_ns: int) -> None: ...
    def admin_out(self, message: quickfix.Message) -> None: ...


def _ignore(_key: str, _raw: str, _recv_ns: int) -> None:
    pass


class Handlers(NamedTuple):
    """Where messages go: `on_message` and `on_admin(key, raw, recv_ns)`, `on_sent(key, cl_ord_id, msg_seq_num)`."""

    on_message: Callable[[str, str, int], None]
    on_sent: Callable[[str, str, int], None]
    on_admin: Callable[[str, str, int], None] = _ignore


class Border(quickfix.Application):  # type: ignore[misc] # quickfix has no types
    """QuickFIX's view of the gateway. `links` by SessionID in text."""

    def __init__(self, links: dict[str, Link], handlers: Handlers, clock: Callable[[], int], crash_dir: Path) -> None:
        super().__init__()
        self._links = links
        self._only = next(iter(links.values())) if len(links) == 1 else None
        """The one session of this border, which need not be looked for by the text of its SessionID."""
        self._on_message = handlers.on_message
        self._on_sent = handlers.on_sent
        self._clock = clock
        self._crash_dir = crash_dir

    def fromApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:  # noqa: N802 - QuickFIX's name
        recv_ns = self._clock()
        raw = ""
        try:
            raw = readable(message.toString())
            link = self._only or self._links[session_id.toStringFrozen()]
            self._on_message(link.key, raw, recv_ns)
        except _CONTROL:
            raise
        except BaseException:  # noqa: BLE001 - the border, see above
            self._crash("fromApp", session_id, raw)

    def toApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:  # noqa: N802
        raw = ""
        try:
            # The text costs 0.4 us, each field that is asked for by its tag 0.6.
            raw = message.toString()
            link = self._only or self._links[session_id.toStringFrozen()]
            if not link.up or "\x0143=Y\x01" in raw:
                raise quickfix.DoNotSend  # noqa: TRY301 - QuickFIX's way to be told
            link.last_sent = int(between(raw, "\x0134="))
            self._on_sent(link.key, between(raw, "\x0111="), link.last_sent)
        except _CONTROL:
            raise
        except BaseException:  # noqa: BLE001
            self._crash("toApp", session_id, raw)

    def fromAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:  # noqa: N802
        recv_ns = self._clock()
        raw = ""
        try:
            raw = readable(message.toString())
            self._links[session_id.toStringFrozen()].admin_in(raw, recv_ns)
        except _CONTROL:
            raise
        except BaseException:  # noqa: BLE001
            self._crash("fromAdmin", session_id, raw)

    def toAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:  # noqa: N802
        try:
            self._links[session_id.toStringFrozen()].admin_out(message)
        except _CONTROL:
            raise
        except BaseException:  # noqa: BLE001
            self._crash("toAdmin", session_id, "(not shown: a Logon holds a password)")

    def onCreate(self, session_id: quickfix.SessionID) -> None:  # noqa: N802
        """Nothing to do; QuickFIX wants it."""

    def onLogon(self, session_id: quickfix.SessionID) -> None:  # noqa: N802
        try:
            self._links[session_id.toStringFrozen()].logged_on()
        except _CONTROL:
            raise
        except BaseException:  # noqa: BLE001
            self._crash("onLogon", session_id, "")

    def onLogout(self, session_id: quickfix.SessionID) -> None:  # noqa: N802
        try:
            self._links[session_id.toStringFrozen()].logged_out()
        except _CONTROL:
            raise
        except BaseException:  # noqa: BLE001
            self._crash("onLogout", session_id, "")

    def _crash(self, callback: str, session_id: quickfix.SessionID, raw: str) -> NoReturn:
        crash(self._crash_dir, f"{callback} of session {session_id.toStringFrozen()}", raw)


def crash(folder: Path, where: str, raw: str) -> NoReturn:
    """Write the current exception, where it happened and the message to a file, and end the process at once."""
    try:
        text = f"{where}\nmessage: {raw.replace(chr(1), '|')}\n\n{traceback.format_exc()}"
        target = folder / f"crash-{os.getpid()}.txt"
        with target.open("a", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.write(2, text.encode())
    finally:
        os._exit(CRASH_EXIT_CODE)


def between(raw: str, mark: str) -> str:
    """The value of the field whose SOH and `TAG=` is `mark`; empty where there is none."""
    return raw.partition(mark)[2].partition("\x01")[0]
