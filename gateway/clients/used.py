"""Every ClOrdID(11) that a client has used, ever: kept as a digest of eight bytes.

An id that differs from all before it is taken for a used one with a chance of one in 2**64 for each of those: over
100 million ids of one site, in all, 3 in 10 000 that a single order is refused by mistake, as `duplicate_order`; the
client sends it under another id. The other mistake, an id taken twice, cannot happen.

`Used` is the memory of a test or a replay; the process keeps them in files (`gateway/processes/clients_ids.py`).
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Protocol

from gateway.model.client import CancelRefused, ClientAction, ClientReport, MassCancelTold
from gateway.model.order import ExecType

DUPLICATE = "6"
"""OrdRejReason(103) and CxlRejReason(102)."""
AGAIN = "taken when it came first"
USED_BEFORE = "was used before"
DIGEST_BYTES = 8
NONE = bytes(DIGEST_BYTES)


class UsedIds(Protocol):
    """Digests of the ids that were used."""

    def __contains__(self, digest: bytes, /) -> bool: ...

    def __len__(self) -> int: ...

    def add(self, digest: bytes, /) -> None:
        """Keep it; nothing where it is there already."""


def digest_of(client_id: str, cl_ord_id: str) -> bytes:
    """Ids of two clients have nothing to do with each other. Never all zeros: that is an empty place."""
    made = blake2b(f"{client_id}\x01{cl_ord_id}".encode(), digest_size=DIGEST_BYTES).digest()
    return made if made != NONE else b"\x01" + made[1:]


def was_used(actions: Iterable[ClientAction]) -> bool:
    """Whether what a client asked for was answered as a ClOrdID that was used before."""
    for one in actions:
        if isinstance(one, ClientReport) and one.exec_type is ExecType.REJECTED:
            return one.ord_rej_reason == DUPLICATE
        if isinstance(one, CancelRefused):
            return one.reason == DUPLICATE
        if isinstance(one, MassCancelTold):
            return one.text == AGAIN or USED_BEFORE in one.text
    return False
