"""Serves a long ResendRequest(35=2) in parts, so that whoever asks for a whole history delays nobody else. Pure.

QuickFIX answers a ResendRequest in one go: some 20 us a message, seconds for a history of days. So a request for more
than `PART` messages is passed on for its first part, and the rest follows as requests of the same MsgSeqNum(34),
one at a time, when others have had their turn and the client has read most of what was sent. QuickFIX serves a request
whatever its number is, and counts one of an old number no second time (`tests/clients/test_client_resends.py`).

What can go wrong: a request that cannot be read, or whose sum is wrong, is passed on as it is and judged by QuickFIX.
"""

from gateway.clients.framing import SOH, fields

PART = 200
KIND = b"\x0135=2\x01"
HEAD_BYTES = 40
"""Within which MsgType(35) stands."""
INFINITY = frozenset({"0", "999999"})
"""EndSeqNo(16) that means the last message there is."""
MOST_DIGITS = 9


def is_request(frame: bytes) -> bool:
    """Whether a message is a ResendRequest."""
    return frame.find(KIND, 0, HEAD_BYTES) >= 0


class Resends:
    """What of one client's request is still to be served."""

    def __init__(self) -> None:
        self._head: dict[str, str] = {}
        self._next = self._last = 0

    @property
    def waits(self) -> bool:
        """Whether there is a further part."""
        return self._next <= self._last and self._last > 0

    def first(self, frame: bytes, next_out: int) -> bytes:
        """What is passed on of a request, where `next_out` is the number that our next message will have."""
        said = fields(frame)
        begin, end = said.get("7", ""), said.get("16", "")
        if not (_is_number(begin) and _is_number(end) and _is_whole(frame)):
            return frame
        last = next_out - 1 if end in INFINITY else min(int(end), next_out - 1)
        until = int(begin) + PART - 1
        if not int(begin) or last <= until:
            return frame
        self._head, self._next, self._last = said, until + 1, last
        return self._request(int(begin), until, said.get("52", ""))

    def part(self, stamp: str, next_out: int) -> bytes:
        """The next part, as a request that is sent now; empty where numbers have begun again at 1 since."""
        if self._next >= next_out:
            self._last = 0
            return b""
        begin, until = self._next, min(self._next + PART - 1, self._last)
        self._next = until + 1
        return self._request(begin, until, stamp)

    def _request(self, begin: int, until: int, stamp: str) -> bytes:
        said = self._head
        head = f"35=2\x0134={said['34']}\x0149={said['49']}\x0152={stamp}\x0156={said['56']}\x01"
        body = f"{head}7={begin}\x0116={until}\x01"
        text = f"8={said['8']}\x019={len(body)}\x01{body}".encode("ascii", "replace")
        return text + f"10={sum(text) % 256:03d}\x01".encode()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS


def _is_whole(frame: bytes) -> bool:
    """Whether its sum is right and it has who and which number it is; else QuickFIX has to see it as it came."""
    before, mark, tail = frame.rpartition(SOH + b"10=")
    total = sum(before) + SOH[0]
    known = fields(frame).keys() >= {"8", "34", "49", "52", "56"}
    return bool(mark) and known and tail[:3] == b"%03d" % (total % 256)
