"""The client process's side of sessions: their hours, Logouts of ours, numbers that begin again.

What the hours are is `client_hours`' business, what becomes of orders the engine's. Here one is told of the other, in
an order that a kill at any point leaves right: that numbers begin again is written down before it is done, and done
again where it was not.

What can go wrong: the journal takes no record; then numbers begin again later, and until then the client is refused.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from gateway.clients.settings import NS_PER_S
from gateway.fix.acceptor import STOPS
from gateway.model.client import ClientEvent, ClientSession
from gateway.processes.client_hours import AtClose, Change, HoursKeeper, Reset, SessionHours, closed_text

AT_CLOSE = {AtClose.CHOICE: (False, False), AtClose.CANCEL: (True, False), AtClose.KEEP: (False, True)}
"""Of an end by the hours: whether orders end, whether they outlive it."""
LATER = "its numbers begin again at 1 as soon as that can be written down; accepted: later"


class Acceptor(Protocol):
    """What is needed of QuickFIX's sessions."""

    def up(self, client_id: str) -> bool: ...
    def log_out(self, client_id: str, reason: str) -> None: ...
    def began_utc_ns(self, client_id: str) -> int: ...
    def reset(self, client_id: str) -> None: ...


class Shell(Protocol):
    """What is needed of the engine and its journal."""

    details: dict[str, str]

    @property
    def writable(self) -> bool: ...
    def handle(self, event: ClientEvent) -> None: ...


class Sessions:
    """Of all clients. `say(client, text)` goes to the log."""

    def __init__(
        self,
        hours: Mapping[str, SessionHours],
        acceptor: Acceptor,
        shell: Shell,
        utc: Callable[[], int],
        say: Callable[[str, str], None],
    ) -> None:
        self._clients = tuple(hours)
        self._keeper = HoursKeeper(hours)
        self._acceptor = acceptor
        self._shell = shell
        self._utc = utc
        self._say = say
        self._closed: set[str] = set()
        self._renewing: set[str] = set()
        """Whose numbers may have to begin again, when nobody is logged on and it can be written down."""
        self._stopping = False

    def refusal(self, client_id: str) -> str:
        """Why it may not log on now; empty: it may."""
        if self._stopping:
            return STOPS
        shut = self._keeper.refusal(client_id, self._utc())
        return shut or (LATER if client_id in self._renewing else "")

    def ends(self, client_id: str) -> tuple[bool, bool]:
        """Of an end of its session now: whether its orders end or outlive it, whatever it chose."""
        return AT_CLOSE[self._keeper.of(client_id).at_close] if client_id in self._closed else (False, False)

    def mind(self) -> None:
        """Open, close, begin again: what is due by now."""
        utc_ns = self._utc()
        for change in self._keeper.changes(utc_ns):
            if change.standing.open:
                self._opens(change)
            else:
                self._closes(change)
            if self._keeper.of(change.client_id).reset is not Reset.NEVER:
                self._renewing.add(change.client_id)
        for client_id in sorted(self._renewing):
            self._renew(client_id, utc_ns)

    def stop(self) -> None:
        """Nobody is let in from here on, and everybody hears a Logout."""
        self._stopping = True
        for client_id in self._clients:
            self._acceptor.log_out(client_id, STOPS)

    @property
    def anyone(self) -> bool:
        """Whether a session is still logged on."""
        return any(self._acceptor.up(client_id) for client_id in self._clients)

    def _opens(self, change: Change) -> None:
        self._closed.discard(change.client_id)
        if not change.first:
            self._shell.details[change.client_id] = ""
            self._say(change.client_id, "hours: open")

    def _closes(self, change: Change) -> None:
        client_id = change.client_id
        text = f"session hours are over; {closed_text(change.standing)}"
        self._closed.add(client_id)
        self._shell.details[client_id] = text
        self._say(client_id, f"hours: {text}")
        if self._acceptor.up(client_id):
            self._acceptor.log_out(client_id, text)
        elif self._keeper.of(client_id).at_close is AtClose.CANCEL:
            self._shell.handle(ClientSession(client_id, up=False, cancels=True, detail=text))

    def _renew(self, client_id: str, utc_ns: int) -> None:
        if self._acceptor.up(client_id) or not self._shell.writable:
            return
        self._renewing.discard(client_id)
        began_ns = self._acceptor.began_utc_ns(client_id)
        if self._keeper.is_new_period(client_id, began_ns, utc_ns):
            text = f"numbers begin again at 1: {self._keeper.of(client_id).reset.value}"
            self._shell.handle(ClientSession(client_id, up=False, cancels=False, detail=text, reset=True, keeps=True))
            self._acceptor.reset(client_id)
            self._say(
                client_id, f"hours: {text}; those of before began {utc_ns // NS_PER_S - began_ns // NS_PER_S} s ago"
            )
