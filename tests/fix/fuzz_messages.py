"""Valid messages of both dialects, and what a bad day, a bad line or a bad venue makes of them. Everything is drawn from
one `Random`, so a seed names a run.

A message is a list of (tag, value) in bytes. `order_message` and `market_message` give valid ones, `mutated` the bytes
of one that was changed in up to three ways, most often with a length and a checksum that are right again: what QuickFIX
lets through is what the decoders have to judge.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

Field = tuple[bytes, bytes]
Message = list[Field]

SOH = b"\x01"
TIME = b"20260105-01:02:03.004"
HOSTILE = (
    b"", b" ", b"0", b"-1", b"-5", b"2.5", b"1e5", b"0x10", b"1_000", b"NaN", b"sNaN", b"Infinity", b"-inf", b"1e999999999",
    b"9" * 9, b"9" * 18, b"9" * 19, b"9" * 400, b"-" + b"9" * 18, b"0." + b"0" * 40 + b"1", b"00000000000000000005",
    b"Y", b"N", b"?", b"Z", b"~", b"=", b"==", b"a=b", b"NONE", b"C1-1", b"\x00", b"\x02\x03", b"\x7f", b"\xff\xfe",
    b"\xc3\xa9", b"\xd6\xd0\xb9\xfa\xbd\xbb\xd2\xd7\xcb\xf9", b"\xe4\xb8\xad\xe6\x96\x87", b"\xed\xa0\x80", "٣".encode(),
    b"\xef\xbc\x95", b"00010101-00:00:00", b"99991231-23:59:59.999", b"20260105-25:00:00", b"20260105-01:02:60",
    b"20260105-01:02:03.0000000000", b"cu2609", b"HGZ6", b"cu", b"CA", b"CB", b"SHFE.cu", b"%s%d%n", b"'; --", b"x" * 300,
)  # fmt: skip
"""Values that some field somewhere was not made for."""
LONG = b"y" * 70_000
TAGS = (b"11", b"14", b"17", b"19", b"20", b"31", b"32", b"34", b"35", b"37", b"38", b"39", b"41", b"52", b"54", b"55", b"60",
        b"75", b"83", b"146", b"150", b"151", b"268", b"269", b"270", b"271", b"272", b"273", b"279", b"290", b"326", b"453",
        b"0", b"-1", b"99999", b"x", b"")  # fmt: skip


class Dialect(NamedTuple):
    """What the two dialects say differently."""

    name: str
    begin_string: bytes
    domestic: bool
    symbol: bytes
    account: bytes
    px: tuple[int, bytes]
    """A price: its whole ticks and the tick's text."""


class Facts(NamedTuple):
    """An order that a message may speak of."""

    cl_ord_id: bytes
    symbol: bytes
    account: bytes
    side: bytes
    qty: int
    filled: int
    px: bytes


HEADER_FIELDS = 7


def header(begin_string: bytes, msg_type: bytes, seq: int, sender: bytes = b"VENUE", target: bytes = b"CMC") -> Message:
    """What every message begins with."""
    return [(b"8", begin_string), (b"9", b"0"), (b"35", msg_type), (b"34", b"%d" % seq), (b"49", sender), (b"52", TIME),
            (b"56", target)]  # fmt: skip


KINDS = ("ack", "part", "fill", "cancelled", "rejected", "expired", "bust", "correct", "status", "cancel_reject", "mass",
         "session_reject", "business_reject")  # fmt: skip
WEIGHTS = (6, 8, 6, 4, 2, 2, 2, 2, 4, 3, 1, 2, 2)
_STATUS = {"ack": b"0", "part": b"1", "fill": b"2", "cancelled": b"4", "rejected": b"8", "expired": b"C", "bust": b"1",
           "correct": b"1", "status": b"1"}  # fmt: skip
_TYPE_44 = {"ack": b"0", "part": b"F", "fill": b"F", "cancelled": b"4", "rejected": b"8", "expired": b"C", "bust": b"H",
            "correct": b"G", "status": b"I"}  # fmt: skip
_TYPE_42 = _TYPE_44 | {"part": b"1", "fill": b"2", "bust": b"1", "correct": b"1", "status": b"1"}
_TRANSACTION = {"bust": b"1", "correct": b"2", "status": b"3"}


def order_message(draw: Random, begin_string: bytes, order: Facts, number: int) -> Message:
    """A valid message of an order session about `order`; `number` makes its ids its own."""
    kind = draw.choices(KINDS, WEIGHTS)[0]
    domestic = begin_string == b"FIX.4.4"
    if kind == "mass" and domestic:
        return [*header(begin_string, b"r", number), (b"37", b"O1"), (b"11", b"K%d" % number), (b"530", b"7"),
                (b"531", draw.choice((b"7", b"0"))), (b"533", b"2")]  # fmt: skip
    if kind == "cancel_reject":
        return [*header(begin_string, b"9", number), (b"37", b"V1"), (b"11", b"C9-%d" % number), (b"41", order.cl_ord_id),
                (b"39", draw.choice((b"2", b"0", b"4"))), (b"434", b"1"), (b"102", b"0"), (b"58", b"too late")]  # fmt: skip
    if kind in ("session_reject", "mass"):
        return [*header(begin_string, b"3", number), (b"45", b"%d" % draw.randrange(9)), (b"371", b"54"), (b"372", b"D"),
                (b"373", b"1"), (b"58", b"Side")]  # fmt: skip
    if kind == "business_reject":
        named = [(b"379", order.cl_ord_id)] if draw.random() < 0.3 else []
        return [
            *header(begin_string, b"j", number),
            (b"45", b"3"),
            (b"372", b"D"),
            *named,
            (b"380", b"4"),
            (b"58", b"shut"),
        ]
    return _execution(draw, begin_string, order, number, kind)


def _execution(draw: Random, begin_string: bytes, order: Facts, number: int, kind: str) -> Message:
    domestic = begin_string == b"FIX.4.4"
    left = max(order.qty - order.filled, 0)
    lots = {"part": min(left, 1), "fill": left, "correct": min(order.qty, 1)}.get(kind, 0)
    total = max(order.filled - 1, 0) if kind in ("bust", "correct") else order.filled + lots
    fields = header(begin_string, b"8", number)
    fields += [(b"37", b"V%d" % number), (b"11", order.cl_ord_id), (b"17", b"E%d" % number)]
    fields += [] if domestic else [(b"20", _TRANSACTION.get(kind, b"0"))]
    fields += [(b"150", (_TYPE_44 if domestic else _TYPE_42)[kind]), (b"39", _STATUS[kind]), (b"1", order.account)]
    fields += [(b"55", order.symbol), (b"54", order.side), (b"38", b"%d" % order.qty), (b"40", b"2"), (b"44", order.px)]
    fields += [
        (b"59", b"3"),
        (b"32", b"%d" % lots),
        (b"31", order.px if lots else b"0"),
        (b"151", b"%d" % max(order.qty - total, 0)),
    ]
    fields += [(b"14", b"%d" % total), (b"6", order.px), (b"60", TIME), (b"75", b"20260105")]
    if kind in ("bust", "correct"):
        fields.append((b"19", b"E%d" % draw.randrange(max(number - 40, 1), number + 1)))
    return fields


def market_message(draw: Random, venue: Dialect, number: int) -> Message:
    """A valid message of a market-data session."""
    kind = draw.choices(("W", "X", "f", "Y", "3"), (6, 0 if venue.domestic else 6, 1, 1, 1))[0]
    fields = header(venue.begin_string, kind.encode(), number)
    if kind == "f":
        return [*fields, (b"55", venue.symbol), (b"326", draw.choice((b"2", b"17", b"18", b"21"))), (b"60", TIME)]
    if kind == "Y":
        return [*fields, (b"262", b"M1"), (b"281", b"0"), (b"58", b"unknown symbol")]
    if kind == "3":
        return [*fields, (b"45", b"2"), (b"371", b"55"), (b"372", b"V"), (b"373", b"5"), (b"58", b"no")]
    if kind == "W":
        fields += [(b"262", b"M1"), (b"55", venue.symbol), (b"83", b"%d" % number)]
    else:
        fields.append((b"262", b"M1"))
    entries = [entry for count in range(draw.randrange(1, 6)) for entry in _entry(draw, venue, kind, count + 1, number)]
    opening = b"269" if kind == "W" else b"279"
    return [*fields, (b"268", b"%d" % sum(tag == opening for tag, _ in entries)), *entries]


def _entry(draw: Random, venue: Dialect, kind: str, position: int, number: int) -> Message:
    ticks, tick = venue.px
    made: Message = []
    for side, sign in ((b"0", -1), (b"1", 1)):
        px = (
            b"%d" % ((ticks + sign * position) * int(tick))
            if tick.isdigit()
            else b"%.4f" % ((ticks + sign * position) * float(tick))
        )
        if kind == "X":
            made += [(b"279", draw.choice((b"0", b"1", b"2"))), (b"269", side), (b"55", venue.symbol)]
        else:
            made.append((b"269", side))
        made += [
            (b"270", px),
            (b"271", b"%d" % draw.randrange(1, 90)),
            (b"272", b"20260105"),
            (b"273", b"01:02:03.004"),
        ]
        made.append((b"290", b"%d" % position))
        made += [(b"83", b"%d" % number)] if kind == "X" else []
    return made


def raw(fields: Message) -> bytes:
    """The message as it lies on the wire, with the length and the checksum that it should have."""
    body = b"".join(tag + b"=" + value + SOH for tag, value in fields if tag not in (b"8", b"9", b"10"))
    begin = next((value for tag, value in fields if tag == b"8"), b"FIX.4.4")
    text = b"8=" + begin + SOH + b"9=%d" % len(body) + SOH + body
    return text + b"10=%03d" % (sum(text) % 256) + SOH


# Mutations of fields. Each changes the list that it is given.


def _drop(draw: Random, fields: Message) -> None:
    fields.pop(draw.randrange(len(fields)))


def _double(draw: Random, fields: Message) -> None:
    tag, value = draw.choice(fields)
    fields.insert(draw.randrange(len(fields) + 1), (tag, draw.choice((value, draw.choice(HOSTILE)))))


def _swap_values(draw: Random, fields: Message) -> None:
    one, other = draw.randrange(len(fields)), draw.randrange(len(fields))
    (tag, value), (tag_2, value_2) = fields[one], fields[other]
    fields[one], fields[other] = (tag, value_2), (tag_2, value)


def _swap_tags(draw: Random, fields: Message) -> None:
    at = draw.randrange(len(fields))
    fields[at] = (draw.choice(TAGS), fields[at][1])


def _hostile(draw: Random, fields: Message) -> None:
    at = draw.randrange(len(fields))
    fields[at] = (fields[at][0], draw.choice(HOSTILE))


def _number(draw: Random, fields: Message) -> None:
    """Another number in a field that holds one: negative, fractional, huge, or just not the right one."""
    at = draw.choice([at for at, (_, value) in enumerate(fields) if value.isdigit()] or [0])
    made = (b"-%d" % draw.randrange(1, 99), b"%d.5" % draw.randrange(9), b"%d" % draw.randrange(10 ** draw.randrange(1, 19)),
            b"%d" % draw.randrange(12), b"%d.0" % draw.randrange(12))  # fmt: skip
    fields[at] = (fields[at][0], draw.choice(made))


def _letter(draw: Random, fields: Message) -> None:
    """Another letter in a field of one character: an enumeration's value that is unknown, or means something else."""
    at = draw.choice([at for at, (_, value) in enumerate(fields) if len(value) == 1] or [0])
    fields[at] = (fields[at][0], bytes([draw.randrange(32, 127)]))


def _noise(draw: Random, fields: Message) -> None:
    at = draw.randrange(len(fields))
    tag, value = fields[at]
    cut = draw.randrange(len(value) + 1)
    fields[at] = (tag, value[:cut] + draw.randbytes(draw.randrange(1, 5)).replace(SOH, b"") + value[cut:])


def _long(draw: Random, fields: Message) -> None:
    at = draw.randrange(len(fields))
    fields[at] = (fields[at][0], LONG[: draw.choice((100, 5000, 70_000))] if draw.random() < 0.1 else b"z" * 120)


def _count(draw: Random, fields: Message) -> None:
    """A group's count that lies, where there is a group; a group that nobody declared, where there is none."""
    counts = [at for at, (tag, _) in enumerate(fields) if tag in (b"268", b"146", b"453")]
    lie = draw.choice((b"0", b"1", b"7", b"-1", b"999999999", b"x", b""))
    if counts:
        fields[counts[0]] = (fields[counts[0]][0], lie)
    else:
        fields += [(b"453", lie), (b"448", b"x"), (b"11", b"other"), (b"448", b"y"), (b"11", b"another")]


def _shuffle(draw: Random, fields: Message) -> None:
    draw.shuffle(fields)


def _insert(draw: Random, fields: Message) -> None:
    fields.insert(draw.randrange(len(fields) + 1), (draw.choice(TAGS), draw.choice(HOSTILE)))


OF_FIELDS: tuple[Callable[[Random, Message], None], ...] = (
    _drop, _double, _swap_values, _swap_tags, _hostile, _hostile, _number, _number, _letter, _noise, _long, _count, _shuffle,
    _insert,
)  # fmt: skip


def _lying_length(draw: Random, data: bytes, _at: int) -> bytes:
    length = draw.choice((b"0", b"-1", b"5", b"99999", b"99999999", b"x"))
    begin, _, rest = data.partition(SOH + b"9=")
    return begin + SOH + b"9=" + length + SOH + rest.partition(SOH)[2]


def _lost_separators(draw: Random, data: bytes, _at: int) -> bytes:
    return data.replace(SOH, draw.choice((b"", b"|", SOH + SOH)), draw.randrange(1, 4))


OF_BYTES: tuple[Callable[[Random, bytes, int], bytes], ...] = (
    lambda draw, data, at: data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :],
    lambda _draw, data, at: data[:at],
    lambda draw, data, at: data[:at] + draw.randbytes(draw.randrange(1, 9)) + data[at:],
    lambda draw, data, _at: data[:-4] + b"%03d" % draw.randrange(256) + SOH,
    _lying_length,
    _lost_separators,
    lambda _draw, data, at: data[at:] + data[:at],
    lambda draw, data, _at: data + data[: draw.randrange(1, 40)],
)
"""What a line does to a message: a bit, a cut, garbage, a wrong checksum or length, lost separators, two in one."""


def mutated(draw: Random, fields: Message, line_faults: float = 0.2, header_faults: float = 0.3) -> bytes:
    """The message changed in none to three ways; the shares of those damaged as bytes, and of those whose header may be."""
    kept = 0 if draw.random() < header_faults else HEADER_FIELDS
    head, body = fields[:kept], fields[kept:]
    for _ in range(draw.choices((0, 1, 2, 3), (2, 6, 3, 1))[0]):
        if len(body) > 1:
            draw.choice(OF_FIELDS)(draw, body)
    data = raw(head + body)
    return draw.choice(OF_BYTES)(draw, data, draw.randrange(len(data))) if draw.random() < line_faults else data
