"""What the client engine decides by: the part of a site file that concerns clients, and the prices of text."""

import re

import msgspec

from gateway.model.base import PRICE_E9, Message
from gateway.model.client import ClientSpec
from gateway.model.instrument import Instrument
from gateway.model.order import TimeInForce
from gateway.model.site import PairSpec

PLACES = 9
"""A pair's price is a whole multiple of 1e-9."""
MOST_E9 = 10**18
"""Above it a price is no price: its digits would not fit the 64 bits of a journal's number."""
NS_PER_S = 10**9
_DECIMAL = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{0,30}))?", re.ASCII)
DAY_S = 86_400


class ClientSettings(Message, frozen=True):
    """Clients by id, what they trade, and how their orders become rules."""

    clients: dict[str, ClientSpec]
    pairs: dict[str, PairSpec]
    instruments: dict[str, Instrument]
    intent_ttl_ns: int
    cool_down_ns: int
    """Pause of a resting order after each of its pair trades, and after a refusal of the gate."""
    day_end_s: int
    """Second of the UTC day at which orders good for the day end."""
    retry_ns: int
    """A command that is not answered for so long is sent again."""
    settle_ns: int
    """How long an order that has ended waits for what execution still has to say of it."""
    leg_forces: dict[str, tuple[TimeInForce, ...]] = msgspec.field(default_factory=dict)
    """By instrument: what an order on it alone may say. Fill-or-kill where the venue has it; GTC and GTD, which we keep
    and enter on each trading day, where a calendar tells what a trading day is."""
    reenter_ns: int = 5 * NS_PER_S
    """An order that is kept and was refused for the moment is tried again after so long."""
    max_cl_ord_ids: int = 100_000_000
    """ClOrdIDs(11) of one client, ever; beyond them no order of it is taken."""

    def day_end_utc_ns(self, utc_ns: int) -> int:
        """The end of the day that `utc_ns` lies in."""
        day, second = divmod(utc_ns // NS_PER_S, DAY_S)
        return ((day if second < self.day_end_s else day + 1) * DAY_S + self.day_end_s) * NS_PER_S

    def drop_copies(self, *accounts: str) -> tuple[str, ...]:
        """The read-only sessions that get what happens in one of these accounts."""
        return tuple(
            one.client_id
            for one in self.clients.values()
            if one.drop_copy and not set(one.accounts).isdisjoint(accounts)
        )


def price_e9(text: str, *, cut: bool = False) -> int | None:
    """A price as whole 1e-9; None where the text is no plain decimal, or has more than nine places that count.

    `cut` drops what is beyond the ninth place: for a venue's price, which is kept as text beside it.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    sign, units, places = match[1], match[2], match[3] or ""
    if len(places.rstrip("0")) > PLACES and not cut:
        return None
    value = int(units) * PRICE_E9 + int(f"{places[:PLACES]:0<{PLACES}}")
    return None if value > MOST_E9 else -value if sign else value


def price_text(e9: int) -> str:
    """Whole 1e-9 as the shortest decimal."""
    sign, whole = ("-", -e9) if e9 < 0 else ("", e9)
    units, rest = divmod(whole, PRICE_E9)
    return f"{sign}{units}.{rest:09d}".rstrip("0") if rest else f"{sign}{units}"
