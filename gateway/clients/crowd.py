"""Whether one more connection is taken: how many are open, how many of them of its address, how fast they come. Pure.

A connection is counted before its handshake, which is what costs: nobody's certificate or name is known by then. What
is turned away here costs one `accept` and one `close`.

What can go wrong: a crowd behind one address (a gateway of theirs that translates addresses, a test on one machine) is
held for one peer. The limits are settings of the site for that reason.
"""

from gateway.clients.pace import Pace

MOST_ADDRESSES = 4096
"""Addresses whose pace is remembered."""


class Crowd:
    """Connections by address. `per_address` of them may also come at once; in the long run `per_s`."""

    def __init__(self, most: int, per_address: int, per_s: int) -> None:
        self._most = most
        self._per_address = per_address
        self._per_s = per_s
        self._open: dict[str, int] = {}
        self._paces: dict[str, Pace] = {}
        self.count = 0

    def come(self, address: str, at_ns: int) -> str:
        """Why a connection is turned away; empty: it is taken and counted."""
        if self.count >= self._most:
            return f"turned away: {self.count} connections are open; accepted: {self._most} (max_connections)"
        here = self._open.get(address, 0)
        if here >= self._per_address:
            limit = f"{self._per_address} (max_connections_per_address)"
            return f"turned away: {here} connections of this address are open; accepted: {limit}"
        if not self._pace(address, at_ns).take(at_ns):
            return f"turned away: more than {self._per_s} connections/s of this address (connects_per_s)"
        self._open[address] = here + 1
        self.count += 1
        return ""

    def go(self, address: str) -> None:
        """One that was taken has ended."""
        self.count -= 1
        left = self._open[address] - 1
        if left:
            self._open[address] = left
        else:
            del self._open[address]

    def _pace(self, address: str, at_ns: int) -> Pace:
        known = self._paces.get(address)
        if known is None:
            if len(self._paces) >= MOST_ADDRESSES:
                self._forget(at_ns)
            known = self._paces[address] = Pace(self._per_s, self._per_address)
        return known

    def _forget(self, at_ns: int) -> None:
        """Those that have been quiet; all, where none has: then so many come that the limit of all counts."""
        self._paces = {name: pace for name, pace in self._paces.items() if not pace.rested(at_ns)}
        if len(self._paces) >= MOST_ADDRESSES:
            self._paces.clear()
