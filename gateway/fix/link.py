"""One FIX session and its thread: attempts to log on, pauses between them, what is told about it.

Each attempt is a QuickFIX initiator of its own, in the session's one thread, thrown away when the session ends. Not
QuickFIX's reconnecting, because of a known fault of version 1.16: after a disconnect that starts on our side (the venue
logs us out, its heartbeats stop, its numbers are too low) `SocketInitiator` keeps the dead connection, writes each
later Logon into it and never connects again. The same way gives exact pauses, and no session disturbs another.

The order of locks: `_lock` (send, destroy) before QuickFIX's own; callbacks come with QuickFIX's lock held and never
take `_lock`.
"""

import os
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

import psutil
import quickfix

from gateway.fix import tags
from gateway.fix.application import Border, Handlers, between
from gateway.fix.encode import resolve
from gateway.fix.resume import numbers_since_ns, resume_at
from gateway.fix.same_day import same_day
from gateway.fix.scan import readable
from gateway.fix.session_settings import SessionSettings, quickfix_settings
from gateway.model.port import Heard, SendResult

__all__ = ["Folders", "SendResult", "SessionLink", "close_left_over"]

ATTEMPT_S = 3.0
"""How long one attempt may take until its Logon goes out; within it QuickFIX connects once a second."""


LONGEST_NOTE = 500
"""Characters that are kept of what a venue says when it logs us out."""


class Owner(Protocol):
    """What a link asks of the process's FixSessions."""

    handlers: Handlers
    on_resend_request: Callable[[str, int, int], None]
    on_refused: Callable[[str, int, str], None]
    on_gap: Callable[[str, int], None]
    utc: Callable[[], int] | None

    def now_ns(self) -> int: ...
    def tell(self, key: str, *, up: bool, detail: str) -> None: ...
    def event(self, key: str, text: str) -> None: ...
    def wake(self) -> None: ...


class Folders(NamedTuple):
    """Where QuickFIX keeps numbers, where it and we log, and whether it logs every message."""

    state: Path
    log: Path
    message_log: bool


class SessionLink:
    """A session. `run` is its thread; the methods that `Border` calls come from there, `toApp` from who sends."""

    def __init__(
        self, settings: SessionSettings, owner: Owner, folders: Folders, *, alone: bool, heard: Heard | None = None
    ) -> None:
        """`alone`: no other session of this process has the same host and port.

        `heard`: the venue's last message that is on record; those after it are asked for at the first logon.
        """
        self.settings = settings
        self._alone = alone
        self._sockets_before: set[tuple[int, object]] = set()
        self.key = settings.key
        self.up = False
        self.last_sent = 0
        self.state = "stopped"
        self.since_ns = 0
        self.attempts = 0
        self.last_error = ""
        self.next_attempt_ns = 0
        self.deadline_ns = 0
        self.delay_s = settings.reconnect_backoff_s[0]
        self._owner = owner
        self._folders = folders
        self._session_id = settings.session_id()
        self._border = Border({self._session_id.toStringFrozen(): self}, owner.handlers, owner.now_ns, folders.log)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._initiator: quickfix.SocketInitiator = None
        self._session: quickfix.Session = None
        self._numbers = (0, 0)
        self._numbers_given: tuple[int, int] | None = None
        self._heard = heard
        self._resumes = False
        self._notes: list[str] = []
        self._expected = 0
        self._told = ""

    # The session's thread.

    def run(self) -> None:
        """Attempt, pause, attempt again, until stopped."""
        while not self._stopping.is_set():
            kept = self._open()
            self._initiator.block()
            self._close()
            del kept
            if not self._stopping.is_set():
                self._pause()
        self._to("stopped")

    def _open(self) -> tuple[object, ...]:
        """Make QuickFIX's objects; what is returned has to live as long as they do."""
        if self._alone:
            self._sockets_before = sockets_to(self.settings.host, self.settings.port)
        settings = quickfix_settings(self.settings, self._folders.state, self._folders.log)
        files = self.settings.kind == "orders"
        store = quickfix.FileStoreFactory(settings) if files else quickfix.MemoryStoreFactory()
        log = (quickfix.FileLogFactory(settings),) if self._folders.message_log else ()
        with self._lock:
            with self._same_day():
                self._initiator = quickfix.SocketInitiator(self._border, store, settings, *log)
            self._session = quickfix.Session.lookupSession(self._session_id)
            self._resume()
            if self._numbers_given is not None:
                self._session.setNextSenderMsgSeqNum(self._numbers_given[0])
                self._session.setNextTargetMsgSeqNum(self._numbers_given[1])
                self._numbers_given = None
        self.attempts += 1
        self._to("connecting")
        self.deadline_ns = self.since_ns + int(ATTEMPT_S * 1e9)
        self._owner.wake()
        return settings, store, log

    def _same_day(self) -> AbstractContextManager[None]:
        """Of a session that never ends, numbers of yesterday go on: see `same_day`."""
        if self._owner.utc is None or self.settings.start_time is not None or self.settings.resets:
            return nullcontext()
        return same_day(self._folders.state.glob(f"*-{self.key}.session"), self._owner.utc())

    def _resume(self) -> None:
        """Expect the message after the last one that is on record, once: see `resume_at`."""
        heard, self._heard = self._heard, None
        if heard is None or self.settings.resets:
            return
        expected = self._session.getExpectedTargetNum()
        begin = resume_at(heard, expected, numbers_since_ns(self._folders.state, self.key))
        if begin < expected:
            self._session.setNextTargetMsgSeqNum(begin)
            self._resumes = True
            self._owner.event(self.key, f"on record are the venue's messages up to {begin - 1} of {expected - 1}")

    def _close(self) -> None:
        with self._lock:
            self._read_numbers()
            self._session = None
            # Not left to the last reference: QuickFIX's binding never lets go of a DoNotSend that was raised, whose
            # traceback holds the initiator, and the store would stay open.
            self._initiator.__swig_destroy__(self._initiator)
            self._initiator = None
        if self._alone:
            close_left_over(sockets_to(self.settings.host, self.settings.port) - self._sockets_before)

    def _pause(self) -> None:
        self._to("waiting")
        self.next_attempt_ns = self.since_ns + int(self.delay_s * 1e9)
        pause_s = self.delay_s
        self.delay_s = min(self.delay_s * 2, self.settings.reconnect_backoff_s[1])
        self._stopping.wait(pause_s)
        self.next_attempt_ns = 0

    # The keeper's thread.

    def give_up(self, now_ns: int) -> int | None:
        """End an attempt that took too long; until when to wait otherwise."""
        with self._lock:
            if self._initiator is None or not self.deadline_ns:
                return None
            if now_ns < self.deadline_ns:
                return self.deadline_ns
            self.last_error = f"no connection to {self.settings.host}:{self.settings.port}{self._hours()}"
            self._initiator.stop(True)  # noqa: FBT003 - QuickFIX's signature: do not wait for a Logout
            return now_ns  # look again: QuickFIX forgets a stop that comes just before its loop begins

    def _hours(self) -> str:
        one = self.settings
        return "" if one.start_time is None else f", or outside of its hours, {one.start_time} to {one.end_time} UTC"

    # Any thread.

    def send(self, message: quickfix.Message) -> SendResult:
        """Write `message` in the calling thread; a session that is down refuses and keeps nothing."""
        with self._lock:
            if not self.up or self._session is None:
                return SendResult(ok=False, reason=f"session {self.key} is down: {self.last_error}", msg_seq_num=0)
            self.last_sent = 0
            if self._session.send(message):
                return SendResult(ok=True, reason="", msg_seq_num=self.last_sent)
        what = "broke while sending" if self.last_sent else "went down before sending"
        return SendResult(ok=False, reason=f"session {self.key} {what}", msg_seq_num=self.last_sent)

    def log_out(self) -> None:
        """Begin to stop: log out where logged on, else end the attempt or the pause."""
        self._stopping.set()
        with self._lock:
            if self._session is not None and self.up:
                self._session.logout()
            elif self._initiator is not None:
                self._initiator.stop(True)  # noqa: FBT003

    def force(self) -> None:
        """End the session without waiting for the venue's Logout."""
        with self._lock:
            if self._initiator is not None:
                self._initiator.stop(True)  # noqa: FBT003

    def numbers(self) -> tuple[int, int]:
        """The next MsgSeqNum(34) of ours and of the venue's."""
        with self._lock:
            self._read_numbers()
            return self._numbers_given or self._numbers

    def end(self) -> None:
        """Log out where logged on; the next attempt follows."""
        with self._lock:
            if self._session is not None and self.up:
                self._session.logout()

    def give_numbers(self, next_sender: int, next_target: int) -> None:
        """Begin the next attempt with these numbers."""
        with self._lock:
            self._numbers_given = (next_sender, next_target)

    def _read_numbers(self) -> None:
        if self._session is not None:
            self._numbers = (self._session.getExpectedSenderNum(), self._session.getExpectedTargetNum())

    # QuickFIX's callbacks.

    def logged_on(self) -> None:
        self.up = True
        self.attempts = 0
        self.last_error = ""
        self._to("up")
        self._resumes = False
        detail, self._told = self._take_notes() or "logged on", ""
        self._owner.tell(self.key, up=True, detail=detail)

    def logged_out(self) -> None:
        was_up, self.up = self.up, False
        long_up_ns = self.settings.reconnect_backoff_s[1] * 1e9
        if was_up and self._owner.now_ns() - self.since_ns > long_up_ns:
            self.delay_s = self.settings.reconnect_backoff_s[0]
        where = f"{self.settings.host}:{self.settings.port}"
        unsaid = "disconnected" if was_up else f"no Logon(35=A) from {where}: nobody listens, or no answer"
        self.last_error = self._take_notes() or unsaid
        self._initiator.stop(True)  # noqa: FBT003
        if was_up or self.last_error != self._told:
            self._told = self.last_error
            self._owner.tell(self.key, up=False, detail=self.last_error)
        self._owner.wake()

    def admin_in(self, raw: str, recv_ns: int) -> None:
        self._owner.handlers.on_admin(self.key, raw, recv_ns)
        msg_type = between(raw, "\x0135=")
        if msg_type == tags.MsgType.REJECT:
            self._owner.handlers.on_message(self.key, raw, recv_ns)
        elif msg_type == tags.MsgType.LOGON:
            self._compare(raw)
        elif msg_type == tags.MsgType.LOGOUT:
            text = between(raw, "\x0158=")
            self._note(f"venue logged out: {text or 'no reason given'}")
            if "too low" in text.lower():
                self._note("numbers lost: the venue expects a higher MsgSeqNum(34) than ours")
        elif msg_type == tags.MsgType.RESEND_REQUEST:
            begin, end = between(raw, "\x017="), between(raw, "\x0116=")
            self._owner.event(self.key, f"venue asks again for {begin} to {end}")
            self._owner.on_resend_request(self.key, int(begin), int(end))

    def admin_out(self, message: quickfix.Message) -> None:
        raw = readable(message.toString())
        msg_type = between(raw, "\x0135=")
        if self.settings.sender_sub_id:
            message.getHeader().setField(tags.Number.SENDER_SUB_ID, self.settings.sender_sub_id)
        if msg_type == tags.MsgType.LOGON:
            self.deadline_ns = 0  # from here QuickFIX's own LogonTimeout ends the attempt
            self._expected = self._session.getExpectedTargetNum()
            self._identify(message)
        elif msg_type == tags.MsgType.LOGOUT:
            text = between(raw, "\x0158=")
            if "too low" in text:
                self._note(f"numbers lost: {text}")
            elif text:
                self._note(f"we logged out: {text}")
        elif msg_type == tags.MsgType.RESEND_REQUEST:
            begin = between(raw, "\x017=")
            self._owner.event(self.key, f"we ask again for {begin} to {between(raw, chr(1) + '16=')}")
            self._owner.on_gap(self.key, int(begin))
        elif msg_type == tags.MsgType.REJECT:
            self._owner.on_refused(self.key, int(between(raw, "\x0145=") or 0), between(raw, "\x0158="))

    def _identify(self, logon: quickfix.Message) -> None:
        secret = self.settings.secret()
        values = {
            "username": self.settings.username,
            "password": secret,
            "password_length": str(len(secret.encode())) if secret else "",
        }
        asked = self.settings.dialect.cancel_on_disconnect if self.settings.cancel_on_disconnect else ()
        for rule in (*self.settings.dialect.logon, *asked):
            value = resolve(rule, values, {})
            if value:
                logon.setField(int(rule.tag), value)

    def _compare(self, raw: str) -> None:
        """Compare the venue's number in its Logon with the one that we expected before."""
        number, expected = int(between(raw, "\x0134=")), self._expected
        if self.settings.resets:
            return
        if "\x01141=Y\x01" in raw:
            self._note(f"numbers reset: the venue began again at 1 (ResetSeqNumFlag(141)=Y), we expected {expected}")
        elif number > expected and self._resumes:
            self._owner.event(self.key, f"the venue is at {number}; asked for all after our last record again")
        elif number > expected:
            self._note(f"numbers lost: the venue is at {number}, we expected {expected}; asked to send it again")

    def _note(self, text: str) -> None:
        text = text[:LONGEST_NOTE]
        self._notes.append(text)
        self._owner.event(self.key, text)

    def _take_notes(self) -> str:
        notes, self._notes = "; ".join(self._notes), []
        return notes

    def _to(self, state: str) -> None:
        self.state = state
        self.since_ns = self._owner.now_ns()


def sockets_to(host: str, port: int) -> set[tuple[int, object]]:
    """The sockets of this process that lead to a venue: descriptor and own address."""
    addresses: set[object] = set()
    with suppress(OSError):
        addresses = {found[4][0] for found in socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)}
    return {
        (one.fd, one.laddr)
        for one in psutil.Process().net_connections("tcp4")
        if one.raddr and one.raddr.port == port and one.raddr.ip in addresses and one.fd >= 0
    }


def close_left_over(sockets: set[tuple[int, object]]) -> None:
    """Close what an attempt has left, when its initiator is gone.

    QuickFIX 1.16 closes a connection that was made, and forgets one that is being made: an attempt that a firewall
    swallows, and the one that it begins by itself in the very moment in which a session is lost. Each would be a
    descriptor for good, and to the venue a connection that never speaks.
    """
    for descriptor, _ in sockets:
        with suppress(OSError):
            os.close(descriptor)
