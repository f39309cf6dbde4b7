"""The FIX sessions that clients hold with us: QuickFIX's acceptor, driven by the caller's own loop in one thread.

`poll` takes up what has arrived and calls back for each message; `send` writes at once. So there is no hop between
threads on the way of an order, and no lock (measured: 27 us from bytes in to bytes out, with the numbers on disk).
QuickFIX validates every message against the dictionary that clients are given, as it stands, and keeps sequence
numbers, heartbeats, gaps, resends. Here its Rejects get words: the tag, the value, and what would be accepted.

It listens on a port of the loopback that nobody else is told of; a Logon is taken only of a session that the door
(`gateway/processes/clients_door.py`) has let in at this moment.

What can go wrong: an exception in a callback ends the process (`application.crash`). A True from QuickFIX's send is no
evidence: to a session that is away it is stored under its number, and sent when the client asks for what it missed.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import quickfix

from gateway.fix import tags
from gateway.fix.application import between, crash
from gateway.fix.dictionary import SPECS, Dictionary, read_dictionary
from gateway.fix.same_day import same_day
from gateway.fix.scan import readable

DICTIONARIES = {
    "FIX.4.2": ("clients42.xml", ""),
    "FIX.4.4": ("clients44.xml", ""),
    "FIXT.1.1": ("clients50sp2.xml", "clientsfixt11.xml"),
}
"""By BeginString: the application's dictionary, and the session's where there are two."""
LOGON_TIMEOUT_S, LOGOUT_TIMEOUT_S = 10, 2
STOPS = "the gateway stops"
"""Text(58) of the Logout that ends a session then."""
COMP_ID_PROBLEM = "9"
THIRD_PARTIES = {"115": "OnBehalfOfCompID", "128": "DeliverToCompID"}
"""No session speaks for another: neither is in a dictionary of ours."""
SHOWN_VALUES = 12
MOST_LOOKS = 8
NS_PER_S = 10**9

_CONTROL = (
    quickfix.DoNotSend,
    quickfix.RejectLogon,
    quickfix.FieldNotFound,
    quickfix.IncorrectDataFormat,
    quickfix.IncorrectTagValue,
    quickfix.UnsupportedMessageType,
)


class ClientSession(NamedTuple):
    """One session: `client_id` is the client's CompID, `comp_id` ours."""

    client_id: str
    comp_id: str
    begin_string: str

    def session_id(self) -> quickfix.SessionID:
        return quickfix.SessionID(self.begin_string, self.comp_id, self.client_id)


class Callbacks(NamedTuple):
    """What is told, in the thread that polls."""

    on_message: Callable[[str, str], None]
    """(client, raw): an application message that the dictionary allows."""
    on_session: Callable[[str, bool, str], None]
    """(client, up, detail)."""


def dictionary_of(begin_string: str) -> Dictionary:
    """What clients of this version are given."""
    name, transport = DICTIONARIES[begin_string]
    return read_dictionary(SPECS / name, SPECS / transport if transport else None)


class ClientAcceptor:
    """All sessions with clients. `port` is on the loopback."""

    def __init__(
        self,
        sessions: Sequence[ClientSession],
        port: int,
        state_dir: Path,
        log_dir: Path,
        callbacks: Callbacks,
        *,
        max_latency_s: int,
        utc_ns: int,
    ) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        log_dir.mkdir(parents=True, exist_ok=True)
        self._began_files = {
            one.client_id: state_dir / f"{one.begin_string}-{one.comp_id}-{one.client_id}.session" for one in sessions
        }
        self._ids = {one.client_id: one.session_id() for one in sessions}
        settings = _settings(sessions, port, state_dir, max_latency_s)
        words = {one.client_id: Words(dictionary_of(one.begin_string)) for one in sessions}
        clients = {one.session_id().toStringFrozen(): one.client_id for one in sessions}
        self._border = _Border(clients, words, callbacks, log_dir)
        self._groups = {one.client_id: _groups(one.begin_string) for one in sessions}
        self._kept = (settings, quickfix.FileStoreFactory(settings))
        with same_day(self._began_files.values(), utc_ns):
            self._acceptor = quickfix.SocketAcceptor(self._border, self._kept[1], settings)
        self._sessions = {name: quickfix.Session.lookupSession(one) for name, one in self._ids.items()}
        self._acceptor.poll()

    def admit(self, client_id: str, raw: bytes) -> None:
        """The door has let this client in: its next Logon is taken; `raw` is what it sent last."""
        self._sessions[client_id].logon()  # after a Logout of ours QuickFIX takes nobody
        self._border.admitted.add(client_id)
        self.saw(client_id, raw)

    def saw(self, client_id: str, raw: bytes) -> None:
        """A client's message is on its way to QuickFIX: a Reject of it can name the value."""
        self._border.last_in[client_id] = raw

    def dismiss(self, client_id: str) -> None:
        """Its connection is gone; QuickFIX may need more than one look to see it, and takes no other before it has."""
        for _ in range(MOST_LOOKS):
            if not self._sessions[client_id].isLoggedOn():
                break
            self._acceptor.poll()
        self._border.ended = True
        self.poll()
        self._border.admitted.discard(client_id)

    def poll(self) -> None:
        """Take up what has arrived, and let time pass for every session.

        After a connection has ended, QuickFIX's next look does nothing but let go of it (`SocketMonitor::block`): one
        more is due at once, or what others have sent meanwhile would lie there until somebody looks again.
        """
        self._acceptor.poll()
        while self._border.ended:
            self._border.ended = False
            self._acceptor.poll()

    def send(self, client_id: str, text: str, *, keep: bool = True) -> bool:
        """Send a message; one that is not kept is filled over when the client asks for it again."""
        session = self._sessions[client_id]
        if not keep:
            if not session.isLoggedOn():
                return False
            session.setPersistMessages(False)
        grouped = f"\x01{tags.NO_MD_ENTRIES}=" in text or f"\x01{tags.NO_LEGS}=" in text or "\x01146=" in text
        message = quickfix.Message(text, self._groups[client_id], False) if grouped else quickfix.Message(text, False)  # noqa: FBT003
        try:
            return bool(session.send(message))
        finally:
            if not keep:
                session.setPersistMessages(True)

    def up(self, client_id: str) -> bool:
        return bool(self._sessions[client_id].isLoggedOn())

    def numbers(self, client_id: str) -> tuple[int, int]:
        """The next MsgSeqNum(34) of ours, and of the client's."""
        session = self._sessions[client_id]
        return session.getExpectedSenderNum(), session.getExpectedTargetNum()

    def log_out(self, client_id: str, reason: str) -> None:
        """Send a Logout; the session ends with the client's answer, or `LOGOUT_TIMEOUT_S` later without one."""
        session = self._sessions[client_id]
        if session.isLoggedOn() and not session.sentLogout():
            session.logout(reason)
            self._acceptor.poll()

    def began_utc_ns(self, client_id: str) -> int:
        """When the numbers of a session last began at 1, to the second, as its store has it; 0: it cannot be told."""
        try:
            return _began_utc_ns(self._began_files[client_id].read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0

    def reset(self, client_id: str) -> None:
        """Both directions begin again at 1, and nothing of before is kept. Only while nobody is logged on."""
        self._sessions[client_id].reset()
        self._border.forget(client_id)

    def stop(self) -> None:
        """Let go of the port; who is still logged on is cut off."""
        for client_id in self._sessions:
            self.log_out(client_id, STOPS)
        self._acceptor.poll()
        self._acceptor.stop(True)  # noqa: FBT003 - QuickFIX's signature: no waiting


class _Border(quickfix.Application):  # type: ignore[misc] # quickfix has no types
    """QuickFIX's view of us: hands over, and crashes where we raise."""

    def __init__(
        self, clients: dict[str, str], words: dict[str, "Words"], callbacks: Callbacks, crash_dir: Path
    ) -> None:
        super().__init__()
        self._clients = clients
        self._words = words
        self._callbacks = callbacks
        self._crash_dir = crash_dir
        self.admitted: set[str] = set()
        self.last_in: dict[str, bytes] = {}
        self._notes: dict[str, str] = {}
        self.ended = False
        """A connection has ended since it was looked at last."""

    def forget(self, client_id: str) -> None:
        """What was noted of a session that began anew tells nothing of its next end."""
        self._notes.pop(client_id, None)

    def fromApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:  # noqa: N802 - QuickFIX's name
        raw = ""
        try:
            raw = readable(message.toString())
            self._callbacks.on_message(self._clients[session_id.toStringFrozen()], raw)
        except _CONTROL:
            raise
        except BaseException:  # noqa: BLE001 - the border, see application
            crash(self._crash_dir, "fromApp", raw)

    def toApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:  # noqa: N802
        """Whatever is sent may be sent again: it is an execution, or an answer."""

    def fromAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:  # noqa: N802
        try:
            client_id = self._clients[session_id.toStringFrozen()]
            kind = message.getHeader().getField(tags.Number.MSG_TYPE)
            if kind == tags.MsgType.LOGON and client_id not in self.admitted:
                raise quickfix.RejectLogon("not let in")  # noqa: TRY301
            if kind == tags.MsgType.LOGOUT:
                said = f"client logged out {between(readable(message.toString()), chr(1) + '58=')}"
                self._notes.setdefault(client_id, said)
        except _CONTROL:
            raise
        except BaseException:  # noqa: BLE001
            crash(self._crash_dir, "fromAdmin", "(not shown: a Logon holds a password)")

    def toAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:  # noqa: N802
        try:
            client_id = self._clients[session_id.toStringFrozen()]
            kind = message.getHeader().getField(tags.Number.MSG_TYPE)
            if kind == tags.MsgType.REJECT:
                self._explain(client_id, message)
            elif kind == tags.MsgType.LOGOUT:
                # An answer to a Logout does not take the place of its reason.
                said = f"we logged out: {between(readable(message.toString()), chr(1) + '58=')}"
                self._notes.setdefault(client_id, said)
        except _CONTROL:
            raise
        except BaseException:  # noqa: BLE001
            crash(self._crash_dir, "toAdmin", "")

    def onCreate(self, session_id: quickfix.SessionID) -> None:  # noqa: N802
        """Nothing to do; QuickFIX wants it."""

    def onLogon(self, session_id: quickfix.SessionID) -> None:  # noqa: N802
        try:
            client_id = self._clients[session_id.toStringFrozen()]
            self.forget(client_id)
            self._callbacks.on_session(client_id, True, "logged on")  # noqa: FBT003
        except _CONTROL:
            raise
        except BaseException:  # noqa: BLE001
            crash(self._crash_dir, "onLogon", "")

    def onLogout(self, session_id: quickfix.SessionID) -> None:  # noqa: N802
        self.ended = True
        try:
            client_id = self._clients[session_id.toStringFrozen()]
            self._callbacks.on_session(client_id, False, self._notes.pop(client_id, "disconnected"))  # noqa: FBT003
        except _CONTROL:
            raise
        except BaseException:  # noqa: BLE001
            crash(self._crash_dir, "onLogout", "")

    def _explain(self, client_id: str, message: quickfix.Message) -> None:
        """Give a Reject words that name the tag, the value and what would be accepted."""
        header = message.getHeader()
        for tag in THIRD_PARTIES:
            # QuickFIX answers a third party by name, in a field that is not in the client's dictionary.
            if header.isSetField(int(tag)):
                header.removeField(int(tag))
        raw = readable(message.toString())
        if between(raw, "\x01371=") in THIRD_PARTIES:
            message.setField(tags.Number.SESSION_REJECT_REASON, COMP_ID_PROBLEM)
        text = self._words[client_id].of_reject(raw, self.last_in.get(client_id, b""))
        if text:
            message.setField(tags.Number.TEXT, text)


class Words:
    """What a Reject(35=3) of QuickFIX says, in full, by the dictionary."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._names = {tag: spec.name for tag, spec in dictionary.fields.items()}

    def of_reject(self, reject: str, refused: bytes) -> str:
        """Text(58): QuickFIX's own words, and the place, the value and what would be right after them."""
        own = between(reject, "\x0158=")
        tag = between(reject, "\x01371=")
        kind = between(reject, "\x01372=")
        if kind and kind not in self._dictionary.messages:
            known = " ".join(sorted(self._dictionary.messages))
            return f"{own}: MsgType(35)={kind!r}; accepted: {known}"
        if not tag:
            return own
        value = between(refused.decode("ascii", "replace"), f"\x01{tag}=")
        shown = f"={value[:40]!r}" if value else ""
        if tag in THIRD_PARTIES:
            return f"CompID problem: {THIRD_PARTIES[tag]}({tag}){shown}; accepted: none, a session speaks for itself"
        return f"{own}: {self._names.get(tag, 'tag')}({tag}){shown}; accepted: {self._right(tag, kind)}"

    def _right(self, tag: str, kind: str) -> str:
        spec = self._dictionary.fields.get(tag)
        if spec is None:
            message = self._dictionary.messages.get(kind)
            return f"fields of {message.name}({kind})" if message is not None else "a tag of the dictionary"
        if spec.values:
            words = [f"{value} ({name.lower()})" for value, name in spec.values[:SHOWN_VALUES]]
            return ", ".join(words)
        return _FORMS.get(spec.kind, "a value that is not empty, once")


_FORMS = {
    "PRICE": "a decimal number",
    "QTY": "a number",
    "INT": "a whole number",
    "UTCTIMESTAMP": "YYYYMMDD-HH:MM:SS with up to 6 places, within the allowed time of our clock",
    "LOCALMKTDATE": "YYYYMMDD",
    "NUMINGROUP": "the number of entries that follow, each beginning with the group's first field",
    "BOOLEAN": "Y, N",
    "SEQNUM": "a whole number above 0",
}


def _began_utc_ns(text: str) -> int:
    """`YYYYMMDD-HH:MM:SS` of QuickFIX's `.session` file."""
    at = datetime.strptime(text.strip()[:17], "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
    return int(at.timestamp()) * NS_PER_S


def _groups(begin_string: str) -> quickfix.DataDictionary:
    return quickfix.DataDictionary(str(SPECS / DICTIONARIES[begin_string][0]))


def _settings(
    sessions: Sequence[ClientSession], port: int, state_dir: Path, max_latency_s: int
) -> quickfix.SessionSettings:
    settings = quickfix.SessionSettings()
    settings.set(
        _dictionary(
            {
                "ConnectionType": "acceptor",
                "SocketAcceptPort": str(port),
                "SocketAcceptAddress": "127.0.0.1",
                "SocketReuseAddress": "Y",
                "SocketNodelay": "Y",
                "FileStorePath": str(state_dir),
                "NonStopSession": "Y",
                "PersistMessages": "Y",
                "CheckLatency": "Y",
                "MaxLatency": str(max_latency_s),
                "UseDataDictionary": "Y",
                "ValidateUserDefinedFields": "N",
                "LogonTimeout": str(LOGON_TIMEOUT_S),
                "LogoutTimeout": str(LOGOUT_TIMEOUT_S),
            }
        )
    )
    for one in sessions:
        name, transport = DICTIONARIES[one.begin_string]
        words = {"ConnectionType": "acceptor", "TimestampPrecision": "3" if one.begin_string == "FIX.4.2" else "6"}
        if transport:
            words |= {
                "TransportDataDictionary": str(SPECS / transport),
                "AppDataDictionary": str(SPECS / name),
                "DefaultApplVerID": "FIX.5.0SP2",
            }
        else:
            words["DataDictionary"] = str(SPECS / name)
        settings.set(one.session_id(), _dictionary(words))
    return settings


def _dictionary(words: dict[str, str]) -> quickfix.Dictionary:
    dictionary = quickfix.Dictionary()
    for key, value in words.items():
        dictionary.setString(key, value)
    return dictionary
