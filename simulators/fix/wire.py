"""FIX on the wire: cutting a byte stream into messages, reading their fields, writing them fast.

Garbled input is cut away and counted, as the standard says: a message whose BeginString, BodyLength, MsgType or
CheckSum is wrong is ignored, and its number is not used. Fields are read by simplefix. Writing is own code for speed;
simplefix is the reference that tests compare it with.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import simplefix
from simplefix.errors import ParsingError

SOH = b"\x01"
_MAX_BODY = 1 << 16
_MAX_DIGITS = 18
_MAX_FIELD = 16
_CACHED_SECONDS = 100
_TRAILER = 7


class Message:
    """The fields of one message in the order of the wire, header and trailer included."""

    __slots__ = ("_first", "pairs")

    def __init__(self, pairs: list[tuple[int, str]]) -> None:
        self.pairs = pairs
        self._first: dict[int, str] = {}
        for tag, value in pairs:
            self._first.setdefault(tag, value)

    def get(self, tag: int, default: str = "") -> str:
        """The first value of `tag`."""
        return self._first.get(tag, default)

    def has(self, tag: int) -> bool:
        """Whether `tag` is there."""
        return tag in self._first

    def all(self, tag: int) -> list[str]:
        """Every value of `tag`, in order."""
        return [value for key, value in self.pairs if key == tag]

    @property
    def msg_type(self) -> str:
        """MsgType(35)."""
        return self.get(35)

    @property
    def seq(self) -> int | None:
        """MsgSeqNum(34); None when it is absent or no number."""
        return whole(self.get(34))

    @property
    def poss_dup(self) -> bool:
        """PossDupFlag(43)=Y."""
        return self.get(43) == "Y"

    def __repr__(self) -> str:
        return "|".join(f"{tag}={value}" for tag, value in self.pairs)


def whole(text: str) -> int | None:
    """A whole number of FIX (digits only, a bounded number of them); None when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None


def parse(raw: bytes) -> Message | None:
    """The fields of one whole message; None when it is garbled inside."""
    parser = simplefix.FixParser(allow_empty_values=True)
    parser.append_buffer(raw)
    try:
        message = parser.get_message()
    except (ParsingError, ValueError):
        return None
    if message is None:
        return None
    return Message([(int(tag), value.decode("utf-8", "replace")) for tag, value in message.pairs if tag.isdigit()])


class Framer:
    """Bytes in, whole and valid messages out; `garbled` counts what was cut away."""

    def __init__(self) -> None:
        self._buffer = b""
        self.garbled = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that are complete now."""
        self._buffer += data
        while True:
            start = self._buffer.find(b"8=FIX")
            if start < 0:
                self._buffer = self._buffer[-_TRAILER:]
                return
            if start:
                self._buffer = self._buffer[start:]
            length = _message_length(self._buffer)
            if length is None or (length > 0 and len(self._buffer) < length):
                return
            if length > 0 and _valid(self._buffer[:length]):
                raw, self._buffer = self._buffer[:length], self._buffer[length:]
                yield raw
            else:
                self.garbled += 1
                self._buffer = self._buffer[5:]


def _message_length(buffer: bytes) -> int | None:
    """The whole length that BodyLength(9) announces; None when it is not there yet, -1 when it is wrong."""
    begin = buffer.find(SOH)
    if begin < 0:
        return None if len(buffer) < _MAX_FIELD else -1
    end = buffer.find(SOH, begin + 1)
    if end < 0:
        return None if len(buffer) < 2 * _MAX_FIELD else -1
    field = buffer[begin + 1 : end]
    if not field.startswith(b"9=") or not field[2:].isdigit() or int(field[2:]) > _MAX_BODY:
        return -1
    return end + 1 + int(field[2:]) + _TRAILER


def _valid(raw: bytes) -> bool:
    body_end = len(raw) - _TRAILER
    if raw[body_end : body_end + 3] != b"10=" or raw[-1:] != SOH or raw[body_end - 1 : body_end] != SOH:
        return False
    second = raw.find(SOH, raw.find(SOH) + 1)
    if raw[second + 1 : second + 4] != b"35=":
        return False
    return raw[body_end + 3 : -1] == b"%03d" % (sum(raw[:body_end]) % 256)


def encode(begin_string: bytes, head: bytes, body: bytes) -> bytes:
    """A whole message of `head` (35 to 52) and `body`, each ending in SOH or empty."""
    text = b"8=%b\x019=%d\x01%b%b" % (begin_string, len(head) + len(body), head, body)
    return b"%b10=%03d\x01" % (text, sum(text) % 256)


_seconds: dict[int, bytes] = {}


def utc_text(utc_ns: int) -> bytes:
    """UTCTimestamp with milliseconds, cut off (not rounded), as venues do."""
    second, rest = divmod(utc_ns, 1_000_000_000)
    return b"%b.%03d" % (_second(second), rest // 1_000_000)


def utc_date_and_time(utc_ns: int) -> tuple[bytes, bytes]:
    """UTCDateOnly and UTCTimeOnly with milliseconds."""
    text = utc_text(utc_ns)
    return text[:8], text[9:]


def utc_ns_of(text: str) -> int | None:
    """Nanoseconds since 1970 of a UTCTimestamp; None when it is none."""
    whole, _, fraction = text.partition(".")
    try:
        moment = datetime.strptime(whole, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
        return int(moment.timestamp()) * 1_000_000_000 + int((fraction + "0" * 9)[:9])
    except ValueError:
        return None


def _second(second: int) -> bytes:
    text = _seconds.get(second)
    if text is None:
        if len(_seconds) > _CACHED_SECONDS:
            _seconds.clear()
        text = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(second)).encode()
        _seconds[second] = text
    return text


def field(tag: int, value: object) -> bytes:
    """One field."""
    return f"{tag}={value}\x01".encode()
