"""Cuts a stream of bytes into FIX messages, before anything else looks at them. Pure.

A message begins with `8=FIX`, says its length in BodyLength(9) and ends with CheckSum(10). What does not is *garbled*:
it is dropped, as the standard has it, and counted; the stream goes on at the next `8=FIX`. Whether the sum is right is
QuickFIX's business.

What can go wrong: a length that is longer than any message of ours (`TooLongError`, `too_long`): the peer would make
us keep whatever it sends. Whoever reads the stream takes what came whole before it and ends the connection then.
"""

SOH = b"\x01"
START = b"8=FIX"
LENGTH = b"\x019="
TRAILER_BYTES = 7
"""`10=123` and SOH."""
LONGEST_VERSION = 10
"""`FIX.4.4`, `FIXT.1.1`."""
MOST_DIGITS = 9


class TooLongError(ValueError):
    """A message longer than `max_message_bytes`."""


class Framer:
    """One stream. `garbled` counts what was dropped."""

    def __init__(self, max_message_bytes: int) -> None:
        self._most = max_message_bytes
        self._buffer = bytearray()
        self.garbled = 0
        self.too_long = ""
        """What is wrong with the message that comes next, where it can never be one of ours; nothing follows it."""

    def feed(self, data: bytes) -> list[bytes]:
        """The whole messages that are there now; TooLongError where the first of them can never be one of ours."""
        self._buffer += data
        messages: list[bytes] = []
        try:
            while (message := self._next()) is not None:
                if message:
                    messages.append(message)
        except TooLongError as error:
            self.too_long = str(error)
            self._buffer.clear()
            if not messages:
                raise
        return messages

    @property
    def waiting_bytes(self) -> int:
        """Of a message that is not whole yet."""
        return len(self._buffer)

    def _next(self) -> bytes | None:
        """The next message; empty bytes where something garbled was dropped; None: more is needed."""
        buffer = self._buffer
        start = buffer.find(START)
        if start:
            return self._drop(start if start > 0 else max(0, len(buffer) - len(START) + 1))
        end = self._end()
        if end is None:
            return self._drop(1)
        if end > self._most:
            text = f"BodyLength(9) makes a message of {end} bytes; at most {self._most} are accepted"
            raise TooLongError(text)
        if not end or len(buffer) < end:
            return None
        tail = buffer[end - TRAILER_BYTES - 1 : end]
        if not tail.startswith(b"\x0110=") or tail[-1:] != SOH:
            return self._drop(1)
        message = bytes(buffer[:end])
        del buffer[:end]
        return message

    def _end(self) -> int | None:
        """Where the message that begins here ends; 0: not known yet; None: it is none."""
        buffer = self._buffer
        head = buffer.find(LENGTH, 0, len(START) + LONGEST_VERSION)
        if head < 0:
            return 0 if len(buffer) < len(START) + LONGEST_VERSION else None
        body = buffer.find(SOH, head + len(LENGTH))
        digits = bytes(buffer[head + len(LENGTH) : body if body >= 0 else len(buffer)])
        if digits and (not digits.isdigit() or len(digits) > MOST_DIGITS):
            return None
        if body < 0:
            return 0
        return body + 1 + int(digits) + TRAILER_BYTES if digits else None

    def _drop(self, count: int) -> bytes | None:
        """Forget what cannot be a message; None when nothing can be told yet."""
        if not count:
            return None
        self.garbled += 1
        del self._buffer[:count]
        following = self._buffer.find(START)
        if following > 0:
            del self._buffer[:following]
        return b""


def fields(message: bytes) -> dict[str, str]:
    """The fields of a message by tag, the first of each; a part that is no field is passed over."""
    found: dict[str, str] = {}
    for part in message.split(SOH):
        tag, mark, value = part.partition(b"=")
        if mark:
            found.setdefault(tag.decode("ascii", "replace"), value.decode("ascii", "replace"))
    return found
