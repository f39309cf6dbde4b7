"""The FIX that the benchmark venue writes: docs/VENUE_FIX.md, encoded once by simplefix, then patched in place. Pure.

A template holds one whole message whose changing fields have a fixed width, so BodyLength(9) stays right and only the
bytes of those fields and CheckSum(10) are written anew: a few microseconds instead of a hundred. A field that outgrew
its width would spoil the message, so `digits` refuses it.
"""

import zlib
from collections.abc import Iterable, Mapping
from decimal import Decimal

from simplefix import FixMessage

from benchmarks.schedule import LEGS, SHOWN_LOTS, A, best

SOH = b"\x01"
DEPTH = 5
SEQ_DIGITS = 9
QTY_DIGITS = 3
STAMP = b"20000101-00:00:00.000"
BEGIN_STRING = ("FIX.4.4", "FIX.4.2")
"""By leg: leg A speaks domestic44, leg B overseas42."""
_CHUNK = 512  # 512 bytes of ASCII cannot exceed the 65521 at which adler32 wraps

Pair = tuple[int, object]


def digits(value: int, width: int) -> bytes:
    """`value` in exactly `width` digits."""
    text = b"%0*d" % (width, value)
    if len(text) != width:
        message = f"{value} does not fit {width} digits"
        raise ValueError(message)
    return text


def check_sum(message: bytes | bytearray | memoryview) -> int:
    """CheckSum(10) of everything before it: adler32 that starts at 0 holds the plain sum in its low half."""
    return sum(zlib.adler32(message[at : at + _CHUNK], 0) & 0xFFFF for at in range(0, len(message), _CHUNK)) % 256


def encode(begin_string: str, msg_type: str, sender: str, target: str, body: Iterable[Pair]) -> bytes:
    """A whole message with MsgSeqNum(34) and SendingTime(52) still to be patched."""
    message = FixMessage()
    message.append_pair(8, begin_string)
    message.append_pair(35, msg_type)
    message.append_pair(49, sender)
    message.append_pair(56, target)
    message.append_pair(34, b"0" * SEQ_DIGITS)
    message.append_pair(52, STAMP)
    for tag, value in body:
        message.append_pair(tag, value)
    encoded: bytes = message.encode()
    return encoded


def offsets_of(message: bytes, tag: int) -> list[int]:
    """Where the values of `tag` start."""
    mark = SOH + b"%d=" % tag
    found = []
    at = message.find(mark)
    while at >= 0:
        found.append(at + len(mark))
        at = message.find(mark, at + 1)
    return found


class Template:
    """One message, patched and sent again and again."""

    def __init__(self, message: bytes) -> None:
        self.buffer = bytearray(message)
        self._view = memoryview(self.buffer)
        self._seq = offsets_of(message, 34)[0]
        self._sending_time = offsets_of(message, 52)[0]
        self._rpt_seqs = offsets_of(message, 83)
        self._times = offsets_of(message, 273)
        self._qtys = offsets_of(message, 271)[:1]
        self._body_end = len(message) - len("10=000") - len(SOH)

    def patch(self, seq: int, stamp: bytes, rpt_seq: int, qty: int) -> bytearray:
        """The message with these figures; `stamp` is FIX's UTC time stamp with milliseconds."""
        buffer = self.buffer
        buffer[self._seq : self._seq + SEQ_DIGITS] = digits(seq, SEQ_DIGITS)
        buffer[self._sending_time : self._sending_time + len(STAMP)] = stamp
        rpt = digits(rpt_seq, SEQ_DIGITS)
        for at in self._rpt_seqs:
            buffer[at : at + SEQ_DIGITS] = rpt
        time_of_day = stamp[9:]
        for at in self._times:
            buffer[at : at + len(time_of_day)] = time_of_day
        for at in self._qtys:
            buffer[at : at + QTY_DIGITS] = digits(qty, QTY_DIGITS)
        end = self._body_end
        buffer[end + 3 : end + 6] = b"%03d" % check_sum(self._view[:end])
        return buffer


def price_text(leg: int, ticks: int) -> str:
    """The price as the venue writes it."""
    return str(LEGS[leg].tick * ticks)


def price_ticks(leg: int, text: bytes) -> int:
    """The whole ticks of Price(44)."""
    ticks, rest = divmod(Decimal(text.decode()), LEGS[leg].tick)
    if rest:
        message = f"Price(44)={text.decode()} of {LEGS[leg].symbol} is off the tick {LEGS[leg].tick}"
        raise ValueError(message)
    return int(ticks)


def _levels(leg: int, code: int, shift: int, depth: int) -> list[tuple[str, int, int]]:
    """(MDEntryType, position, ticks) of both sides, best first."""
    bid, ask = best(leg, code, shift)
    bids = [("0", level + 1, bid - level) for level in range(depth)]
    return bids + [("1", level + 1, ask + level) for level in range(depth)]


def _times(date: bytes) -> list[Pair]:
    return [(272, date), (273, STAMP[9:])]


def snapshot_body(leg: int, code: int, shift: int, md_req_id: bytes, date: bytes) -> list[Pair]:
    """35=W: five levels a side and, domestic, limits and the last trade."""
    levels = _levels(leg, code, shift, DEPTH)
    body: list[Pair] = [(262, md_req_id), (55, LEGS[leg].symbol)]
    if leg == A:
        body += [(207, LEGS[leg].venue), (75, date)]
    body.append((83, b"0" * SEQ_DIGITS))
    if leg == A:
        spread = LEGS[leg].base_ticks // 10
        body.append((1148, price_text(leg, LEGS[leg].base_ticks - spread)))
        body.append((1149, price_text(leg, LEGS[leg].base_ticks + spread)))
    body.append((268, len(levels) + (leg == A)))
    for kind, position, ticks in levels:
        body += [(269, kind), (270, price_text(leg, ticks)), (271, digits(SHOWN_LOTS, QTY_DIGITS)), *_times(date)]
        body.append((290, position))
    if leg == A:
        body += [(269, "2"), (270, price_text(leg, LEGS[leg].base_ticks)), (271, digits(1, QTY_DIGITS)), *_times(date)]
    return body


def increment_body(leg: int, code: int, shift: int, md_req_id: bytes, date: bytes, *, moved: bool) -> list[Pair]:
    """35=X: both best levels where only a size changed, all ten where the book moved."""
    levels = _levels(leg, code, shift, DEPTH if moved else 1)
    body: list[Pair] = [(262, md_req_id), (268, len(levels))]
    for kind, position, ticks in levels:
        body += [(279, "1"), (269, kind), (55, LEGS[leg].symbol), (270, price_text(leg, ticks))]
        body += [(271, digits(SHOWN_LOTS, QTY_DIGITS)), *_times(date), (290, position), (83, b"0" * SEQ_DIGITS)]
    return body


def report_body(leg: int, order: Mapping[int, bytes], number: int, stamp: bytes, *, filled: bool) -> list[Pair]:
    """35=8 for an accepted order: new, or wholly filled at its limit price."""
    qty, price = order[38], order[44]
    exec_type = ("F" if leg == A else "2") if filled else "0"
    body: list[Pair] = [(37, f"O{number // 2}"), (11, order[11]), (17, f"E{number}")]
    if leg != A:
        body.append((20, "0"))
    body += [(150, exec_type), (39, "2" if filled else "0"), (1, order[1]), (55, order[55])]
    body += [(tag, order[tag]) for tag in (207, 54, 38, 40, 44, 59, 77, 20077, 20078) if tag in order]
    body += [(32, qty if filled else "0"), (31, price if filled else "0")]
    body += [(151, "0" if filled else qty), (14, qty if filled else "0"), (6, price if filled else "0"), (60, stamp)]
    if leg == A:
        body.append((75, stamp[:8]))
    return body


def no_orders_body(request: bytes, number: int, stamp: bytes) -> list[Pair]:
    """The answer to a mass status request while nothing is open."""
    body: list[Pair] = [(37, "NONE"), (11, request), (17, f"E{number}"), (150, "I"), (39, "8"), (54, "1"), (151, "0")]
    body += [(14, "0"), (6, "0"), (584, request), (585, "7"), (911, "0"), (912, "Y"), (58, "no orders"), (60, stamp)]
    return body


def fields_of(message: bytes) -> dict[int, bytes]:
    """Tag to value; of a repeated tag the last."""
    found = {}
    for pair in message.split(SOH):
        tag, equals, value = pair.partition(b"=")
        if equals:
            found[int(tag)] = value
    return found


def split(received: bytes) -> tuple[list[bytes], bytes]:
    """The whole messages at the start of `received`, and what is left."""
    messages = []
    while (at := received.find(b"\x0110=")) >= 0:
        end = at + len("\x0110=000\x01")
        if len(received) < end:
            break
        messages.append(received[:end])
        received = received[end:]
    return messages, received
