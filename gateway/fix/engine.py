"""The FIX sessions of a process: they log on, stay logged on, hand messages over and send.

Decides who is told what, and starts and stops the sessions; one session is `link.SessionLink`. Does not read messages
(decoders), nor decide what is sent.

Threads: each session has one of its own, the same for its life; `on_message`, `on_session`, `on_resend_request` and
`on_refused` of a session are called there, those of two sessions possibly at the same time. A keeper thread ends
attempts that take too long. `send` writes to the socket in the thread that calls it, and calls `on_sent` there.

What can go wrong: a venue that is down, refuses, or has lost its numbers shows in `status()` and in the details of
`on_session`. An exception in a callback ends the process (`application`).
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import quickfix

from gateway.fix import tags
from gateway.fix.application import Handlers, crash
from gateway.fix.link import Folders, SendResult, SessionLink
from gateway.fix.rehearsal import SendRehearsal
from gateway.fix.session_settings import SessionSettings, check, quickfix_settings
from gateway.model.port import Heard, SessionStatus

__all__ = ["FixSessions", "SendResult", "SessionStatus"]

KEEPER_LATE_S = 0.05
"""How late the keeper may be; it sleeps at least so long."""


def _ignore(*_args: object) -> None:
    pass


class FixSessions:
    """All sessions of a process; see the module. `clock` gives nanoseconds of the host's monotonic clock.

    `on_message(key, raw, recv_ns)`: an application message, or a Reject(35=3), as QuickFIX's text.
    `on_session(key, up, detail)`: a change; the detail begins with "numbers reset" or "numbers lost" where they were.
    `on_sent(key, cl_ord_id, msg_seq_num)`: a message is about to be written with this MsgSeqNum(34).
    `on_resend_request(key, begin, end)`: the venue never got our messages of this range (end 0: all after begin).
    `on_admin(key, raw, recv_ns)`: a message of the session layer, a Heartbeat(35=0) say; a Reject comes twice.
    `on_refused(key, ref_seq_num, text)`: QuickFIX itself refused a message of the venue, which nobody else saw.
    `on_gap(key, begin)`: we asked the venue to send its messages from this number on again.
    `on_round_trip` is for adapters that ask for the time in their own way; here a Heartbeat(35=0) tells it.
    """

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
        on_admin: Callable[[str, str, int], None] = _ignore,
        on_gap: Callable[[str, int], None] = _ignore,
        on_round_trip: Callable[[str, int, int, int], None] = _ignore,
        message_log: bool = False,
        heard: Mapping[str, Heard] | None = None,
        utc: Callable[[], int] | None = None,
    ) -> None:
        """`heard`: by session, what of the venue's messages is on record; what came after it is asked for again.

        `utc`: nanoseconds since 1970, for numbers that go on from day to day; without it QuickFIX begins them anew.
        """
        check(sessions)
        state_dir.mkdir(parents=True, exist_ok=True)
        log_dir.mkdir(parents=True, exist_ok=True)
        for settings in sessions:
            quickfix_settings(settings, state_dir, log_dir)  # a dictionary that cannot be used is told here
        self.handlers = Handlers(on_message, on_sent, on_admin)
        self.on_resend_request = on_resend_request
        self.on_refused = on_refused
        self.on_gap = on_gap
        self.on_round_trip = on_round_trip
        self._on_session = on_session
        self._clock = clock
        self.utc = utc
        self._log_dir = log_dir
        folders = Folders(state_dir, log_dir, message_log)
        ends = Counter((settings.host, settings.port) for settings in sessions)
        self._links = {
            one.key: SessionLink(
                one, self, folders, alone=ends[one.host, one.port] == 1, heard=(heard or {}).get(one.key)
            )
            for one in sessions
        }
        self._sessions = tuple(sessions)
        self._folders = folders
        self._rehearsal: SendRehearsal | None = None
        self._changed = threading.Condition()
        self._stopping = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to log on; returns at once."""
        for link in self._links.values():
            self._thread(f"fix-{link.key}", link.run)
        self._thread("fix-keeper", self._keep)

    def stop(self, timeout_s: float) -> bool:
        """Log out, end the threads; False when a thread still runs after `timeout_s`. It takes up to two seconds."""
        if self._rehearsal is not None:
            self._rehearsal.close()
            self._rehearsal = None
        deadline_ns = self._clock() + int(timeout_s * 1e9)
        for link in self._links.values():
            link.log_out()
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            while any(link.up for link in self._links.values()) and self._clock() < deadline_ns - timeout_s * 0.5e9:
                self._changed.wait(0.1)
        while any(thread.is_alive() for thread in self._threads) and self._clock() < deadline_ns:
            for link in self._links.values():
                link.force()  # again and again: QuickFIX forgets a stop that comes just before its loop begins
            for thread in self._threads:
                thread.join(0.05)
        return not any(thread.is_alive() for thread in self._threads)

    def send(self, key: str, message: quickfix.Message) -> SendResult:
        """Write `message` in the calling thread. A session that is down refuses; nothing is stored for later."""
        return self._links[key].send(message)

    def rehearse(self, message: quickfix.Message) -> None:
        """Send `message` to nobody: see `rehearsal`. The first call makes the session for it, which takes a moment."""
        if self._rehearsal is None:
            self._rehearsal = SendRehearsal(self._sessions[0], self._folders.state, self._folders.log, self._clock)
        self._rehearsal.send(message)

    def test_request(self, key: str, test_req_id: str) -> SendResult:
        """Send a TestRequest(35=1); the venue's Heartbeat(35=0) gives the TestReqID(112) back, through `on_admin`."""
        message = quickfix.Message()
        message.getHeader().setField(tags.Number.MSG_TYPE, tags.MsgType.TEST_REQUEST)
        message.setField(tags.Number.TEST_REQ_ID, test_req_id)
        return self.send(key, message)

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

    def reset_numbers(self, key: str, next_sender: int = 1, next_target: int = 1, *, log_out: bool = False) -> None:
        """Set the next MsgSeqNum(34) of both sides: an operator's answer to lost numbers, while the session is down.

        With `log_out` one that is up is logged out, and comes back with them.
        """
        link = self._links[key]
        if link.up and not log_out:
            raise ValueError(f"session {key} is up; log out before its numbers are set")
        link.give_numbers(next_sender, next_target)
        link.end()
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

    def wake(self) -> None:
        """Let the keeper and a waiting `stop` look again."""
        with self._changed:
            self._changed.notify_all()

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
            due = [due_ns for link in self._links.values() if (due_ns := link.give_up(self._clock())) is not None]
            with self._changed:
                if self._stopping:
                    return
                pause_s = max(KEEPER_LATE_S, (min(due) - self._clock()) / 1e9) if due else None
                self._changed.wait(pause_s)
