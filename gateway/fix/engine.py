"""The FIX sessions of a process: they log on, stay logged on, hand messages over and send.

Decides when a session is tried again (exponential backoff), what a change of it means for sequence numbers, and that
nothing is sent while it is down. Does not read messages (decoders), nor decide what is sent.

Threads: QuickFIX's loop runs in one Python thread for all order sessions and one for all market-data sessions (their
stores differ: files, memory); `on_message`, `on_session` are called there. A keeper thread sleeps until an attempt is
due. `send` writes to the socket in the thread that calls it; it may be called from any, one at a time.

What can go wrong: a venue that is down, refuses, or has lost its numbers shows in `status()` and in the details of
`on_session`. An exception in a callback ends the process (`application`).
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import quickfix

from gateway.fix import tags
from gateway.fix.application import Border, Handlers, between, crash
from gateway.fix.encode import resolve
from gateway.fix.session_settings import SessionSettings, check, quickfix_settings

ATTEMPT_S = 3.0
"""How long one attempt may take until the Logon goes out: QuickFIX looks every second, and connects every second."""
KEEPER_LATE_S = 0.05
"""How late the keeper may be; it sleeps at least so long."""


class SendResult(NamedTuple):
    """Whether QuickFIX took a message and wrote it. True is no evidence that the venue has it.

    With `ok` false, `msg_seq_num` tells whether a number was used (the message is in doubt) or 0 (it never left).
    """

    ok: bool
    reason: str
    msg_seq_num: int

    def __bool__(self) -> bool:
        return self.ok


class SessionStatus(NamedTuple):
    """What is known of one session; times on the clock that was given, 0 where there is none."""

    key: str
    venue_id: str
    kind: str
    state: str
    """"waiting" for the next attempt, "connecting", "up", "stopped"."""
    since_ns: int
    attempts: int
    """Attempts since it was last up."""
    last_error: str
    next_attempt_ns: int
    next_sender_num: int
    next_target_num: int


def _ignore(*_args: object) -> None:
    pass


class _Link:
    """One session's state. Its methods are called by QuickFIX's thread (under QuickFIX's lock) or by the keeper."""

    def __init__(self, settings: SessionSettings, owner: "FixSessions") -> None:
        self.settings = settings
        self.key = settings.key
        self.session_id = settings.session_id()
        self.session: quickfix.Session = None
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
        self._notes: list[str] = []
        self._expected = 0
        self._numbers = (0, 0)
        self._told = ""

    def attempt(self, now_ns: int) -> None:
        """Let QuickFIX connect."""
        self.attempts += 1
        self.deadline_ns = now_ns + int(ATTEMPT_S * 1e9)
        self._to("connecting", now_ns)
        self.session.logon()

    def answering(self) -> None:
        """A Logon goes out: let it be answered."""
        self.deadline_ns = 0
        if self.state == "waiting":
            self._to("connecting", self._owner.now_ns())
            self.session.logon()

    def failed(self, now_ns: int, error: str) -> None:
        """End an attempt, or a session; the next attempt is due after the pause, the one after it later."""
        self.session.logout()
        self.last_error = error
        self.next_attempt_ns = now_ns + int(self.delay_s * 1e9)
        self.delay_s = min(self.delay_s * 2, self.settings.reconnect_backoff_s[1])
        self._to("waiting", now_ns)

    def numbers(self) -> tuple[int, int]:
        """The next MsgSeqNum(34) of ours and of the venue's."""
        if self.session is not None:
            self._numbers = (self.session.getExpectedSenderNum(), self.session.getExpectedTargetNum())
        return self._numbers

    def detach(self) -> None:
        """Keep the numbers and let QuickFIX's object go, which does not outlive its initiator."""
        self.numbers()
        self.session = None

    def logged_on(self) -> None:
        now_ns = self._owner.now_ns()
        self.up = True
        self.attempts = 0
        self.last_error = ""
        self.next_attempt_ns = 0
        self._to("up", now_ns)
        detail, self._told = self._take_notes() or "logged on", ""
        self._owner.tell(self.key, up=True, detail=detail)

    def logged_out(self) -> None:
        now_ns = self._owner.now_ns()
        was_up, self.up = self.up, False
        detail = self._take_notes() or (
            "disconnected" if was_up else "no answer to Logon(35=A), or refused without a word"
        )
        if was_up and now_ns - self.since_ns > self.settings.reconnect_backoff_s[1] * 1e9:
            self.delay_s = self.settings.reconnect_backoff_s[0]
        if self.state == "stopped":
            self.last_error = detail
        else:
            self.failed(now_ns, detail)
        if was_up or detail != self._told:
            self._told = detail
            self._owner.tell(self.key, up=False, detail=detail)
        self._owner.wake()

    def admin_in(self, raw: str, recv_ns: int) -> None:
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
            self._owner.on_resend_request(self.key, int(begin), int(end))

    def admin_out(self, message: quickfix.Message) -> None:
        raw = message.toString()
        msg_type = between(raw, "\x0135=")
        if self.settings.sender_sub_id:
            message.getHeader().setField(50, self.settings.sender_sub_id)
        if msg_type == tags.MsgType.LOGON:
            self._expected = self.session.getExpectedTargetNum()
            self._owner.logon_goes_out(self)
            secret = self.settings.secret()
            values = {
                "username": self.settings.username,
                "password": secret,
                "password_length": str(len(secret.encode())) if secret else "",
            }
            for rule in self.settings.dialect.logon:
                value = resolve(rule, values, {})
                if value:
                    message.setField(int(rule.tag), value)
        elif msg_type == tags.MsgType.LOGOUT:
            text = between(raw, "\x0158=")
            if "too low" in text:
                self._note(f"numbers lost: {text}")
            elif text:
                self._note(f"we logged out: {text}")
        elif msg_type == tags.MsgType.REJECT:
            self._owner.on_refused(self.key, int(between(raw, "\x0145=") or 0), between(raw, "\x0158="))

    def _compare(self, raw: str) -> None:
        """Compare the venue's number in its Logon with the one that we expected before."""
        number = int(between(raw, "\x0134="))
        if "\x01141=Y\x01" in raw and not self.settings.reset_on_logon:
            self._note(
                f"numbers reset: the venue began again at 1 (ResetSeqNumFlag(141)=Y), we expected {self._expected}"
            )
        elif number > self._expected and not self.settings.reset_on_logon:
            self._note(f"numbers lost: the venue is at {number}, we expected {self._expected}; asked to send it again")

    def _note(self, text: str) -> None:
        self._notes.append(text)
        self._owner.event(self.key, text)

    def _take_notes(self) -> str:
        notes, self._notes = "; ".join(self._notes), []
        return notes

    def _to(self, state: str, now_ns: int) -> None:
        self.state = state
        self.since_ns = now_ns


class FixSessions:
    """All sessions of a process; see the module. `clock` gives nanoseconds of the host's monotonic clock."""

    def __init__(
        self,
        sessions: Sequence[SessionSettings],
        state_dir: Path,
        log_dir: Path,
        clock: Callable[[], int],
        *,
        on_message: Callable[[str, str, int], None],
        on_session: Callable[[str, bool, str], None],
        on_sent: Callable[[str, str, int], None] = _ignore,
        on_resend_request: Callable[[str, int, int], None] = _ignore,
        on_refused: Callable[[str, int, str], None] = _ignore,
        message_log: bool = False,
    ) -> None:
        check(sessions)
        state_dir.mkdir(parents=True, exist_ok=True)
        log_dir.mkdir(parents=True, exist_ok=True)
        self.handlers = Handlers(on_message, on_sent)
        self.on_resend_request = on_resend_request
        self.on_refused = on_refused
        self._on_session = on_session
        self._clock = clock
        self._log_dir = log_dir
        self._links = {settings.key: _Link(settings, self) for settings in sessions}
        by_id = {link.session_id.toStringFrozen(): link for link in self._links.values()}
        self._border = Border(by_id, self.handlers, clock, log_dir)  # type: ignore[arg-type] # dict of a protocol
        self._initiators = [
            self._initiator([s for s in sessions if s.kind == kind], state_dir, message_log=message_log)
            for kind in ("orders", "md")
            if any(s.kind == kind for s in sessions)
        ]
        for link in self._links.values():
            link.session = quickfix.Session.lookupSession(link.session_id)
        self._changed = threading.Condition()
        self._stopping = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to log on; returns at once."""
        now_ns = self._clock()
        for link in self._links.values():
            link.attempt(now_ns)
        for number, (initiator, *_kept) in enumerate(self._initiators):
            self._thread(f"fix-{number}", initiator.block)
        self._thread("fix-keeper", self._keep)

    def stop(self, timeout_s: float) -> bool:
        """Log out, end the threads; False when a thread still runs after `timeout_s`. Once stopped, nothing to do."""
        if not self._initiators:
            return True
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for link in self._links.values():
            link.state = "stopped"
            link.session.logout()
        deadline_ns = self._clock() + int(timeout_s * 1e9)
        with self._changed:
            while any(link.up for link in self._links.values()) and self._clock() < deadline_ns:
                self._changed.wait(max(0.0, min(0.1, (deadline_ns - self._clock()) / 1e9)))
        for initiator, *_kept in self._initiators:
            initiator.stop(True)  # noqa: FBT003 - QuickFIX's signature: by force, the waiting was done above
        for thread in self._threads:
            thread.join(max(0.0, (deadline_ns - self._clock()) / 1e9))
        if any(thread.is_alive() for thread in self._threads):
            return False
        for link in self._links.values():
            link.detach()
        for initiator, *_kept in self._initiators:
            # Closes the stores, so that another instance may open them. Not left to the last reference: QuickFIX's
            # binding never lets go of a DoNotSend that was raised, and its traceback holds the initiator.
            initiator.__swig_destroy__(initiator)
        self._initiators.clear()
        return True

    def send(self, key: str, message: quickfix.Message) -> SendResult:
        """Write `message` in the calling thread. A session that is down refuses; nothing is stored for later."""
        link = self._links[key]
        if not link.up:
            return SendResult(ok=False, reason=f"session {key} is {link.state}: {link.last_error}", msg_seq_num=0)
        link.last_sent = 0
        if link.session.send(message):
            return SendResult(ok=True, reason="", msg_seq_num=link.last_sent)
        if link.last_sent:
            return SendResult(ok=False, reason=f"session {key} broke while sending", msg_seq_num=link.last_sent)
        return SendResult(ok=False, reason=f"session {key} went down before sending", msg_seq_num=0)

    def logged_on(self, key: str) -> bool:
        """Whether a message may be sent now."""
        return self._links[key].up

    def status(self) -> list[SessionStatus]:
        """The sessions in the order they were given."""
        return [
            SessionStatus(
                link.key,
                link.settings.venue_id,
                link.settings.kind,
                link.state,
                link.since_ns,
                link.attempts,
                link.last_error,
                link.next_attempt_ns,
                *link.numbers(),
            )
            for link in self._links.values()
        ]

    def reset_numbers(self, key: str, next_sender: int = 1, next_target: int = 1) -> None:
        """Set the next MsgSeqNum(34) of both sides: an operator's answer to lost numbers, while the session is down."""
        link = self._links[key]
        if link.up:
            message = f"session {key} is up; log out before its numbers are set"
            raise ValueError(message)
        link.session.setNextSenderMsgSeqNum(next_sender)
        link.session.setNextTargetMsgSeqNum(next_target)
        self.event(key, f"numbers set: ours {next_sender}, the venue's {next_target}")

    def now_ns(self) -> int:
        """The clock that was given."""
        return self._clock()

    def tell(self, key: str, *, up: bool, detail: str) -> None:
        """Log a change of a session and hand it over."""
        self.event(key, f"{'up' if up else 'down'}: {detail}")
        self._on_session(key, up, detail)

    def event(self, key: str, text: str) -> None:
        """Append a line to the log of events."""
        with (self._log_dir / "fix_events.log").open("a", encoding="utf-8") as file:
            file.write(f"{self._clock()} {key} {text}\n")

    def logon_goes_out(self, link: _Link) -> None:
        """From here on QuickFIX's own timeout ends the attempt; also one that the keeper gave up a moment ago."""
        with self._changed:
            link.answering()

    def wake(self) -> None:
        """Let the keeper and a waiting `stop` look again."""
        with self._changed:
            self._changed.notify_all()

    def _initiator(
        self, sessions: list[SessionSettings], state_dir: Path, *, message_log: bool
    ) -> tuple[quickfix.Initiator, ...]:
        settings = quickfix_settings(sessions, state_dir, self._log_dir)
        files = sessions[0].kind == "orders"
        store = quickfix.FileStoreFactory(settings) if files else quickfix.MemoryStoreFactory()
        if not message_log:
            return quickfix.SocketInitiator(self._border, store, settings), store, settings
        log = quickfix.FileLogFactory(settings)
        return quickfix.SocketInitiator(self._border, store, settings, log), store, settings, log

    def _thread(self, name: str, run: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                run()
            except BaseException:  # noqa: BLE001 - a session thread that ends silently leaves orders unattended
                crash(self._log_dir, f"thread {name}", "")

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _keep(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                due_ns = self._look()
                pause_s = None if due_ns is None else max(KEEPER_LATE_S, (due_ns - self._clock()) / 1e9)
                self._changed.wait(pause_s)

    def _look(self) -> int | None:
        """Begin what is due, end what took too long; when to look again."""
        now_ns = self._clock()
        due: list[int] = []
        for link in self._links.values():
            if link.state == "connecting" and 0 < link.deadline_ns <= now_ns:
                link.failed(now_ns, f"no connection to {link.settings.host}:{link.settings.port}")
            if link.state == "waiting" and link.next_attempt_ns <= now_ns:
                link.attempt(now_ns)
            if link.state == "waiting":
                due.append(link.next_attempt_ns)
            elif link.state == "connecting" and link.deadline_ns:
                due.append(link.deadline_ns)
        return min(due, default=None)
