"""The orders of all clients by everything that they are asked for, and the commands that wait for an answer.

Nothing is decided here. A ClOrdID(11) stays known for ever, as a digest: that is what "once, ever" rests on. Of an
order that has ended long ago nothing else is kept: a fill of it that a venue tells then goes to drop copies only.
"""

from collections import deque
from dataclasses import dataclass

from gateway.clients.order import ClientOrder
from gateway.clients.settings import ClientSettings
from gateway.clients.used import UsedIds, digest_of
from gateway.model.client import ClientAction, LegHours, SwitchesHeard
from gateway.model.rules import RuleStanding

PLACE, CANCEL, REPLACE = "place", "cancel", "replace"
"""What a command is for."""
REMEMBERED = 20_000
"""Orders that have ended and are kept whole, for late fills and questions."""


@dataclass(slots=True)
class Asked:
    """A command that is out."""

    order_id: str
    purpose: str
    action: ClientAction
    at_ns: int
    times: int = 1


class OrderBook:
    """Everything that an event can change."""

    def __init__(self, settings: ClientSettings) -> None:
        self.settings = settings
        self.switches: SwitchesHeard | None = None
        self.orders: dict[str, ClientOrder] = {}
        self.by_rule: dict[str, ClientOrder] = {}
        self.commands: dict[str, Asked] = {}
        self.standings: dict[str, RuleStanding] = {}
        """Of rules that trigger has ended while something of the order is still to be heard."""
        self.settling: dict[str, int] = {}
        """Order -> when it began to wait for that."""
        self.kept: dict[str, ClientOrder] = {}
        """Orders on legs that wait to be entered."""
        self.dated: dict[str, int] = {}
        """Order on a leg -> when its time is over."""
        self.hours: dict[str, LegHours] = {}
        self.up: set[str] = set()
        self.cancels: dict[str, bool] = {}
        """Client -> its choice at logon of what becomes of its orders at a disconnect."""
        self.heard_seq = 0
        self._ended: deque[ClientOrder] = deque()
        self.ids: dict[str, UsedIds] = {}
        """Client -> digests of ids that it has used; `keep_used` adds the newest, when their record is written."""
        self.said_used: bool | None = None
        """In a replay: what the journal says of the id of this event."""
        self._fresh: dict[str, dict[bytes, None]] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._open: dict[str, dict[str, ClientOrder]] = {name: {} for name in settings.clients}

    def used(self, client_id: str, cl_ord_id: str) -> bool:
        """Whether this client has used the id before."""
        if self.said_used is not None:
            return self.said_used
        if (client_id, cl_ord_id) in self._names:
            return True
        digest = digest_of(client_id, cl_ord_id)
        return digest in self._fresh.get(client_id, ()) or digest in self._ids_of(client_id)

    def use(self, client_id: str, cl_ord_id: str, order_id: str) -> None:
        """The ClOrdID belongs to this order from now on; to none when it is empty."""
        self._fresh.setdefault(client_id, {})[digest_of(client_id, cl_ord_id)] = None
        order = self.orders.get(order_id)
        if order is not None:
            self._names[client_id, cl_ord_id] = order_id
            order.names.append(cl_ord_id)

    def ids_used(self, client_id: str) -> int:
        """How many ids this client has used so far."""
        return len(self._ids_of(client_id)) + len(self._fresh.get(client_id, ()))

    def keep_used(self) -> None:
        """What was decided is written down: the ids of it are kept."""
        for client_id, digests in self._fresh.items():
            kept = self._ids_of(client_id)
            for digest in digests:
                kept.add(digest)
        self._fresh.clear()

    def _ids_of(self, client_id: str) -> UsedIds:
        kept = self.ids.get(client_id)
        if kept is None:
            kept = self.ids[client_id] = set()
        return kept

    def find(self, client_id: str, cl_ord_id: str) -> ClientOrder | None:
        return self.orders.get(self._names.get((client_id, cl_ord_id), ""))

    def add(self, order: ClientOrder) -> None:
        """A new order that is open."""
        self.orders[order.order_id] = order
        self.by_rule[order.rule_id] = order
        self._open.setdefault(order.client_id, {})[order.order_id] = order

    def renew(self, order: ClientOrder) -> None:
        """It gets a rule of a new name; fills of its former ones stay its own."""
        self.standings.pop(order.rule_id, None)
        self.settling.pop(order.order_id, None)
        order.rules += 1
        order.rule_id = rule_name(order, order.rules)
        order.base_qty = order.cum_qty
        self.by_rule[order.rule_id] = order

    def close(self, order: ClientOrder) -> None:
        """It has ended."""
        self._open[order.client_id].pop(order.order_id, None)
        self.kept.pop(order.order_id, None)
        self.dated.pop(order.order_id, None)
        order.kept = False
        self.standings.pop(order.rule_id, None)
        self.settling.pop(order.order_id, None)
        self._ended.append(order)
        if len(self._ended) > REMEMBERED:
            oldest = self._ended.popleft()
            self.orders.pop(oldest.order_id, None)
            for cl_ord_id in oldest.names:
                self._names.pop((oldest.client_id, cl_ord_id), None)
            for number in range(1, oldest.rules + 1):
                self.by_rule.pop(rule_name(oldest, number), None)

    def open_of(self, client_id: str) -> list[ClientOrder]:
        return list(self._open.get(client_id, {}).values())

    def open_count(self, client_id: str) -> int:
        return len(self._open.get(client_id, {}))

    def all_open(self) -> list[ClientOrder]:
        return [order for orders in self._open.values() for order in orders.values()]

    def forget_times(self) -> None:
        """After a restart: what is out is due at once, what settles begins anew, nobody has been heard yet."""
        self.switches = None
        for asked in self.commands.values():
            asked.at_ns = 0
        for order_id in self.settling:
            self.settling[order_id] = 0
        for order_id in self.dated:
            self.dated[order_id] = 0
        for order in self.kept.values():
            order.not_before_ns = 0
        self.up.clear()


def rule_name(order: ClientOrder, number: int) -> str:
    """The name of its first, second, ... rule."""
    first = f"C/{order.client_id}/{order.order_id}"
    return first if number == 1 else f"{first}.r{number}"
