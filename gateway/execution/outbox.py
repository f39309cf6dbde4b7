"""What the engine wants done, in order, while it takes one event; and the ids that it counts."""

from gateway.model.trade import Action, Alarm, AlarmName, Announce, Announcement


class Outbox:
    """The actions of the event at hand."""

    def __init__(self) -> None:
        self._actions: list[Action] = []

    def do(self, action: Action) -> None:
        self._actions.append(action)

    def announce(self, what: Announcement) -> None:
        self._actions.append(Announce(what))

    def alarm(self, name: AlarmName, subject: str, figures: str) -> None:
        """Tell a person: what, about what, and the figures that caused it."""
        self._actions.append(Announce(Alarm(name, subject, figures)))

    def take(self) -> list[Action]:
        """All of them; the box is empty then."""
        actions, self._actions = self._actions, []
        return actions


class IdSource:
    """Ids of one incarnation: counted, never drawn, so that a replay gives the same ones."""

    def __init__(self, prefix: str, incarnation: int) -> None:
        self._prefix = prefix
        self.restart(incarnation)

    def restart(self, incarnation: int) -> None:
        """Count anew for this incarnation."""
        self._head = f"{self._prefix}{incarnation}-"
        self._count = 0

    def next(self) -> str:
        self._count += 1
        return f"{self._head}{self._count}"
