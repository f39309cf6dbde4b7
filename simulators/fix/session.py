"""The FIX session layer of an acceptor, pure: messages and times in, actions out. No socket, no clock.

Rules, in the order in which a message meets them:

1. The first message must be a Logon(35=A) with the right BeginString and CompIDs; anything else closes the connection
   without a word (an unknown client learns nothing). Later, a wrong one of them ends the session with a Logout.
2. Without MsgSeqNum(34) the session ends. Without SendingTime(52), or with one too far off, the message is rejected.
3. Too low a number without PossDupFlag(43) ends the session with a Logout that names both numbers; with it the message
   is ignored (and rejected when OrigSendingTime(122) is missing or after SendingTime).
4. Too high a number: the message is kept, a ResendRequest(35=2) goes out once per gap. A Logon, a ResendRequest, a
   Logout and a SequenceReset-Reset are obeyed all the same.
5. A ResendRequest is answered with the application messages again (43=Y, 122) and SequenceReset-GapFill over the rest.
6. Silence of 1.2 HeartBtInt brings a TestRequest, of 2.4 the end. We send a Heartbeat after one HeartBtInt of silence.

An application message that is sent while nobody is logged on takes a number and is kept; the client's next Logon sees
the higher number and asks.
"""

from typing import NamedTuple

from simulators.fix.store import MemoryStore, Sent
from simulators.fix.wire import Message, encode, field, utc_ns_of, utc_text, whole

_SECOND = 1_000_000_000
_QUEUE_LIMIT = 10_000
REQUIRED_TAG_MISSING, VALUE_INCORRECT, COMP_ID_PROBLEM, SENDING_TIME_PROBLEM = 1, 5, 9, 10


class SendBytes(NamedTuple):
    """Write these bytes: one whole message."""

    data: bytes


class Deliver(NamedTuple):
    """An application message in sequence, for the dialect."""

    message: Message


class Close(NamedTuple):
    """Close the connection once everything before it is written."""

    reason: str


class LoggedOn(NamedTuple):
    """The session is up."""


Action = SendBytes | Deliver | Close | LoggedOn


class SessionConfig(NamedTuple):
    """One session. `utc_offset_ns` turns `at_ns` into true UTC, for judging the client's clock."""

    begin_string: bytes
    comp_id: str
    client_comp_id: str
    username: str = ""
    password: str = ""
    raw_data: str = ""
    """What RawData(96) of the Logon must be (4.2); empty: not checked."""
    default_appl_ver_id: str = ""
    """What DefaultApplVerID(1137) of both Logons is (FIXT.1.1); empty: there is none."""
    cancel_tag: int = 0  # what asks in the Logon, with Y, for cancel on disconnect; 0: it is not offered
    utc_offset_ns: int = 0
    sending_time_limit_ns: int = 0
    """How far SendingTime(52) may be from true UTC; 0: not checked."""
    logon_timeout_ns: int = 10 * _SECOND


class Session:
    """See the module. `venue_ns` of each call is the venue's clock at that time, for SendingTime(52)."""

    def __init__(self, config: SessionConfig, store: MemoryStore) -> None:
        self._config = config
        self._store = store
        self._queue: dict[int, Message] = {}
        self._head = f"\x0149={config.comp_id}\x0156={config.client_comp_id}\x0134=".encode()
        self.logged_on = False
        self._connected = False
        self._closing = False
        self._heartbeat_ns = 0
        self._connected_ns = 0
        self._last_in_ns = 0
        self._last_out_ns = 0
        self._tested = False
        self.cancels = False  # whether the Logon asked for cancel on disconnect
        self._resend_to = 0
        """The highest number that an outstanding ResendRequest covers; 0: none is outstanding."""

    # Connection and time ---------------------------------------------------------------------------------------------

    def on_connect(self, at_ns: int) -> None:
        """A client connected."""
        self._connected = True
        self._closing = False
        self.logged_on = False
        self._connected_ns = self._last_in_ns = self._last_out_ns = at_ns
        self._tested = False
        self._resend_to = 0
        self._queue.clear()

    def on_disconnect(self) -> None:
        """The connection is gone; numbers and messages stay."""
        self._connected = False
        self.logged_on = False
        self._store.save_numbers()

    def next_timer_at(self) -> int | None:
        """When `on_timer` has something to do; None while nothing is connected."""
        if not self._connected:
            return None
        if not self.logged_on:
            return self._connected_ns + self._config.logon_timeout_ns
        if not self._heartbeat_ns:
            return None
        silence = self._heartbeat_ns * 24 // 10 if self._tested else self._heartbeat_ns * 12 // 10
        return min(self._last_out_ns + self._heartbeat_ns, self._last_in_ns + silence)

    def on_timer(self, at_ns: int, venue_ns: int) -> list[Action]:
        """Heartbeats and the end of patience."""
        due_ns = self.next_timer_at()
        if due_ns is None or at_ns < due_ns or self._closing:
            return []
        if not self.logged_on:
            return self._close("no Logon in time")
        actions: list[Action] = []
        if at_ns - self._last_out_ns >= self._heartbeat_ns:
            actions.append(self._admin("0", b"", at_ns, venue_ns))
        silence_ns = at_ns - self._last_in_ns
        if self._tested and silence_ns >= self._heartbeat_ns * 24 // 10:
            return actions + self._close("no answer to TestRequest(35=1)")
        if not self._tested and silence_ns >= self._heartbeat_ns * 12 // 10:
            self._tested = True
            actions.append(self._admin("1", field(112, f"TEST-{at_ns}"), at_ns, venue_ns))
        return actions

    # Out -------------------------------------------------------------------------------------------------------------

    def send(self, msg_type: str, body: bytes, at_ns: int, venue_ns: int, *, lost: bool = False) -> list[Action]:
        """An application message. Kept when nobody is logged on; `lost` takes a number and writes nothing."""
        seq = self._store.next_out
        sending_time = utc_text(venue_ns)
        data = self._encode(msg_type, body, seq, sending_time)
        self._store.next_out = seq + 1
        self._store.keep(seq, Sent(msg_type, body, sending_time))
        self._store.save_numbers()
        if lost or not self.logged_on:
            return []
        self._last_out_ns = at_ns
        return [SendBytes(data)]

    def logout(self, text: str, at_ns: int, venue_ns: int) -> list[Action]:
        """End the session from our side."""
        if not self.logged_on or self._closing:
            return self._close(text)
        return [self._admin("5", field(58, text), at_ns, venue_ns), *self._close(text)]

    def reject(self, message: Message, reason: int, tag: int, text: str, at_ns: int, venue_ns: int) -> list[Action]:
        """Reject(35=3) of a message. SessionRejectReason(373) and RefTagID(371) where the version has them."""
        body = field(45, message.seq or 0)
        if tag:
            body += field(371, tag)
        body += field(372, message.msg_type) + field(373, reason) + field(58, text)
        return [self._admin("3", body, at_ns, venue_ns)]

    def _encode(self, msg_type: str, body: bytes, seq: int, sending_time: bytes, extra: bytes = b"") -> bytes:
        head = b"35=%b%b%d\x01%b52=%b\x01" % (msg_type.encode(), self._head, seq, extra, sending_time)
        return encode(self._config.begin_string, head, body)

    def _admin(self, msg_type: str, body: bytes, at_ns: int, venue_ns: int) -> Action:
        seq = self._store.next_out
        self._store.next_out = seq + 1
        self._store.save_numbers()
        self._last_out_ns = at_ns
        return SendBytes(self._encode(msg_type, body, seq, utc_text(venue_ns)))

    def _close(self, reason: str) -> list[Action]:
        self._closing = True
        self.logged_on = False
        return [Close(reason)]

    # In --------------------------------------------------------------------------------------------------------------

    def on_message(self, message: Message, at_ns: int, venue_ns: int) -> list[Action]:
        """One whole, valid message of the connection."""
        if self._closing or not self._connected:
            return []
        self._last_in_ns = at_ns
        self._tested = False
        if not self.logged_on:
            return self._on_first(message, at_ns, venue_ns)
        wrong = self._identity_error(message)
        if wrong:
            told = self.reject(message, COMP_ID_PROBLEM, 0, wrong, at_ns, venue_ns)
            return [*told, *self.logout(wrong, at_ns, venue_ns)]
        actions = self._on_numbered(message, at_ns, venue_ns)
        while not self._closing and (queued := self._queue.pop(self._store.next_in, None)) is not None:
            actions += self._on_numbered(queued, at_ns, venue_ns)
        self._store.save_numbers()
        return actions

    def _identity_error(self, message: Message) -> str:
        if message.get(8).encode() != self._config.begin_string:
            return f"BeginString(8) wrong: {message.get(8)}; {self._config.begin_string.decode()} is right"
        if message.get(49) != self._config.client_comp_id:
            return f"SenderCompID(49) wrong: {message.get(49)}"
        if message.get(56) != self._config.comp_id:
            return f"TargetCompID(56) wrong: {message.get(56)}"
        return ""

    def _on_first(self, message: Message, at_ns: int, venue_ns: int) -> list[Action]:
        if message.msg_type != "A":
            return self._close(f"MsgType(35)={message.msg_type} before Logon(35=A)")
        wrong = self._identity_error(message)
        if wrong:
            return self._close(wrong)
        return self._on_logon(message, at_ns, venue_ns)

    def _on_logon(self, message: Message, at_ns: int, venue_ns: int) -> list[Action]:
        refusal = self._logon_refusal(message)
        if refusal:
            return [self._admin("5", field(58, refusal), at_ns, venue_ns), *self._close(refusal)]
        reset = message.get(141) == "Y"
        if reset:
            self._store.reset()
            self._queue.clear()
        seq, expected = message.seq or 0, self._store.next_in
        if seq < expected and not message.poss_dup:
            text = f"MsgSeqNum(34) too low, expecting {expected} but received {seq}"
            return [self._admin("5", field(58, text), at_ns, venue_ns), *self._close(text)]
        self._heartbeat_ns = int(message.get(108)) * _SECOND
        self.logged_on = True
        self.cancels = bool(self._config.cancel_tag) and message.get(self._config.cancel_tag) == "Y"
        body = field(98, 0) + field(108, message.get(108)) + (field(141, "Y") if reset else b"")
        body += field(1137, self._config.default_appl_ver_id) if self._config.default_appl_ver_id else b""
        actions: list[Action] = [self._admin("A", body, at_ns, venue_ns), LoggedOn()]
        if seq > expected:
            actions.append(self._ask_again(seq, at_ns, venue_ns))
        elif seq == expected:
            self._store.next_in = expected + 1
        self._store.save_numbers()
        return actions

    def _logon_refusal(self, message: Message) -> str:  # noqa: PLR0911  (one return for each check, in order)
        config = self._config
        if message.seq is None:
            return "MsgSeqNum(34) missing"
        if message.get(98) not in {"", "0"}:
            return f"EncryptMethod(98) not supported: {message.get(98)}; 0 is right"
        if whole(message.get(108)) is None:
            return f"HeartBtInt(108) wrong: {message.get(108)!r}; whole seconds are right"
        if config.username and (message.get(553), message.get(554)) != (config.username, config.password):
            return "Username(553) or Password(554) wrong"
        if config.raw_data and message.get(96) != config.raw_data:
            return "RawData(96) wrong"
        if message.get(1137) != config.default_appl_ver_id:
            return f"DefaultApplVerID(1137) wrong: {message.get(1137)!r}; {config.default_appl_ver_id!r} is right"
        if self._clock_error(message):
            return self._clock_error(message)
        return ""

    def _clock_error(self, message: Message) -> str:
        limit_ns = self._config.sending_time_limit_ns
        said_ns = utc_ns_of(message.get(52))
        if said_ns is None:
            return f"SendingTime(52) wrong: {message.get(52)!r}; YYYYMMDD-HH:MM:SS.sss is right"
        off_ns = abs(said_ns - (self._last_in_ns + self._config.utc_offset_ns))
        if limit_ns and off_ns > limit_ns:
            return f"SendingTime(52) {message.get(52)} is {off_ns // _SECOND} s off"
        return ""

    def _on_numbered(self, message: Message, at_ns: int, venue_ns: int) -> list[Action]:
        seq, expected = message.seq, self._store.next_in
        if seq is None:
            return self.logout("MsgSeqNum(34) missing", at_ns, venue_ns)
        kind = message.msg_type
        if kind == "4" and message.get(123) != "Y":
            return self._on_reset(message, at_ns, venue_ns)
        if kind == "A" and message.get(141) == "Y":
            return self._on_logon(message, at_ns, venue_ns)
        if seq < expected:
            return self._on_low(message, seq, expected, at_ns, venue_ns)
        if seq > expected:
            return self._on_high(message, seq, at_ns, venue_ns)
        return self._in_order(message, at_ns, venue_ns)

    def _in_order(self, message: Message, at_ns: int, venue_ns: int) -> list[Action]:
        self._store.next_in += 1
        if self._resend_to and self._store.next_in > self._resend_to:
            self._resend_to = 0
        clock_error = self._clock_error(message)
        if clock_error:
            reason = SENDING_TIME_PROBLEM if message.has(52) else REQUIRED_TAG_MISSING
            told = self.reject(message, reason, 52, clock_error, at_ns, venue_ns)
            return told if reason == REQUIRED_TAG_MISSING else [*told, *self.logout(clock_error, at_ns, venue_ns)]
        if message.msg_type in {"0", "3", "A"}:
            return []
        administrative = {
            "1": self._on_test_request,
            "2": self._on_resend_request,
            "4": self._on_gap_fill,
            "5": self._on_logout,
        }.get(message.msg_type)
        return [Deliver(message)] if administrative is None else administrative(message, at_ns, venue_ns)

    def _on_logout(self, _message: Message, at_ns: int, venue_ns: int) -> list[Action]:
        return self.logout("as you wish", at_ns, venue_ns)

    def _on_low(self, message: Message, seq: int, expected: int, at_ns: int, venue_ns: int) -> list[Action]:
        if not message.poss_dup:
            text = f"MsgSeqNum(34) too low, expecting {expected} but received {seq}"
            return self.logout(text, at_ns, venue_ns)
        original_ns, sending_ns = utc_ns_of(message.get(122)), utc_ns_of(message.get(52))
        if original_ns is None:
            text = "OrigSendingTime(122) missing with PossDupFlag(43)=Y"
            return self.reject(message, REQUIRED_TAG_MISSING, 122, text, at_ns, venue_ns)
        if sending_ns is not None and original_ns > sending_ns:
            text = "OrigSendingTime(122) after SendingTime(52)"
            return self.reject(message, SENDING_TIME_PROBLEM, 122, text, at_ns, venue_ns)
        return []

    def _on_high(self, message: Message, seq: int, at_ns: int, venue_ns: int) -> list[Action]:
        actions: list[Action] = []
        if message.msg_type == "2":
            # Answered at once, or two sides that both miss something would wait for each other.
            actions = self._on_resend_request(message, at_ns, venue_ns)
        elif message.msg_type == "5":
            return self.logout("as you wish", at_ns, venue_ns)
        elif len(self._queue) < _QUEUE_LIMIT:
            self._queue[seq] = message
        if not self._resend_to:
            actions.append(self._ask_again(seq, at_ns, venue_ns))
        return actions

    def _ask_again(self, seq: int, at_ns: int, venue_ns: int) -> Action:
        self._resend_to = seq
        return self._admin("2", field(7, self._store.next_in) + field(16, 0), at_ns, venue_ns)

    def _on_test_request(self, message: Message, at_ns: int, venue_ns: int) -> list[Action]:
        if not message.has(112):
            text = "TestReqID(112) missing"
            return self.reject(message, REQUIRED_TAG_MISSING, 112, text, at_ns, venue_ns)
        return [self._admin("0", field(112, message.get(112)), at_ns, venue_ns)]

    def _on_reset(self, message: Message, at_ns: int, venue_ns: int) -> list[Action]:
        """SequenceReset-Reset: its own number does not matter."""
        new_seq = whole(message.get(36))
        if new_seq is None or new_seq < self._store.next_in:
            why = f"NewSeqNo(36) wrong: {message.get(36)!r}; at least {self._store.next_in} is right"
            return self.reject(message, VALUE_INCORRECT, 36, why, at_ns, venue_ns)
        self._store.next_in = new_seq
        self._resend_to = 0
        return []

    def _on_gap_fill(self, message: Message, at_ns: int, venue_ns: int) -> list[Action]:
        """SequenceReset-GapFill, in order: the number was counted by one already."""
        new_seq = whole(message.get(36))
        if new_seq is None or new_seq < self._store.next_in:
            why = f"NewSeqNo(36) wrong: {message.get(36)!r}; at least {self._store.next_in} is right"
            return self.reject(message, VALUE_INCORRECT, 36, why, at_ns, venue_ns)
        self._store.next_in = new_seq
        if self._resend_to and self._store.next_in > self._resend_to:
            self._resend_to = 0
        return []

    def _on_resend_request(self, message: Message, at_ns: int, venue_ns: int) -> list[Action]:
        begin, end = whole(message.get(7)), whole(message.get(16))
        if begin is None or end is None:
            text = "BeginSeqNo(7) and EndSeqNo(16) must be numbers"
            missing = 7 if begin is None else 16
            return self.reject(message, REQUIRED_TAG_MISSING, missing, text, at_ns, venue_ns)
        last = self._store.next_out - 1
        return self._again(begin, min(end, last) if end else last, at_ns, venue_ns)

    def _again(self, begin: int, end: int, at_ns: int, venue_ns: int) -> list[Action]:
        actions: list[Action] = []
        now = utc_text(venue_ns)
        gap_from = 0
        for seq in range(max(begin, 1), end + 1):
            sent = self._store.sent(seq)
            if sent is None:
                gap_from = gap_from or seq
                continue
            if gap_from:
                actions.append(self._fill_over(gap_from, seq, now))
                gap_from = 0
            extra = b"43=Y\x01122=%b\x01" % sent.sending_time
            actions.append(SendBytes(self._encode(sent.msg_type, sent.body, seq, now, extra)))
        if gap_from:
            actions.append(self._fill_over(gap_from, end + 1, now))
        if actions:
            self._last_out_ns = at_ns
        return actions

    def _fill_over(self, begin: int, new_seq: int, now: bytes) -> Action:
        extra = b"43=Y\x01122=%b\x01" % now
        return SendBytes(self._encode("4", field(123, "Y") + field(36, new_seq), begin, now, extra))
