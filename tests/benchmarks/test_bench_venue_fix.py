import re

import pytest
from simplefix import FixParser

from benchmarks import venue_fix
from benchmarks.schedule import A, B

STAMP = b"20260603-01:02:03.456"


def patched(leg: int, msg_type: str, body: list[venue_fix.Pair]) -> bytes:
    """A message as it goes out as number 42, RptSeq 7, 61 lots at the best."""
    encoded = venue_fix.encode(venue_fix.BEGIN_STRING[leg], msg_type, "V", "CMC", body)
    return bytes(venue_fix.Template(encoded).patch(42, STAMP, 7, 61))


def valid(message: bytes) -> bool:
    """BodyLength(9) and CheckSum(10) are right, by their definition."""
    head = re.match(rb"8=FIX\.4\.[24]\x019=(\d+)\x01", message)
    assert head is not None
    body = message[head.end() : message.rindex(b"10=")]
    return int(head[1]) == len(body) and message.endswith(
        b"10=%03d\x01" % (sum(message[: message.rindex(b"10=")]) % 256)
    )


@pytest.mark.parametrize("leg", [A, B])
def test_a_patched_snapshot_is_a_valid_message_with_the_new_figures(leg: int) -> None:
    """Length and checksum hold; number, stamp, RptSeq, entry times and the first size are the ones given."""
    message = patched(leg, "W", venue_fix.snapshot_body(leg, 3, 0, b"R1", b"20260603"))
    assert valid(message)
    parser = FixParser()
    parser.append_buffer(message)
    read = parser.get_message()
    assert read is not None
    assert [read.get(tag) for tag in (34, 52, 83, 271)] == [b"000000042", STAMP, b"000000007", b"061"]
    assert set(re.findall(rb"\x01273=([^\x01]+)", message)) == {b"01:02:03.456"}
    assert message.count(b"\x01269=") == int(read.get(268))


@pytest.mark.parametrize(("moved", "entries"), [(False, 2), (True, 10)])
def test_an_increment_holds_both_best_levels_or_the_whole_book(*, moved: bool, entries: int) -> None:
    """The group begins with 279, and every entry carries the same RptSeq(83)."""
    message = patched(B, "X", venue_fix.increment_body(B, 0, 500, b"R1", b"20260603", moved=moved))
    assert valid(message)
    assert b"\x01268=%d\x01279=1\x01" % entries in message
    assert re.findall(rb"\x0183=(\d+)", message) == [b"000000007"] * entries


def test_check_sum_holds_beyond_the_length_at_which_adler32_wraps() -> None:
    """2 000 bytes of the largest character."""
    assert venue_fix.check_sum(b"~" * 2000) == sum(b"~" * 2000) % 256


def test_a_figure_that_outgrew_its_width_is_an_error() -> None:
    """It would spoil BodyLength(9)."""
    with pytest.raises(ValueError, match="1000 does not fit 3 digits"):
        venue_fix.digits(1000, 3)


def test_prices_are_exact_both_ways_and_off_tick_is_an_error() -> None:
    """Half-dollar ticks."""
    assert venue_fix.price_text(B, 19943) == "9971.5"
    assert [venue_fix.price_ticks(B, text) for text in (b"9971.5", b"9971.50", b"9972")] == [19943, 19943, 19944]
    with pytest.raises(ValueError, match=r"9971\.3 of CA3M is off the tick 0\.5"):
        venue_fix.price_ticks(B, b"9971.3")


def test_split_gives_whole_messages_and_keeps_the_rest() -> None:
    """Two and a half messages, cut within a checksum."""
    one = patched(A, "0", [])
    messages, rest = venue_fix.split(one + one + one[:-3])
    assert messages == [one, one]
    assert rest == one[:-3]


@pytest.mark.parametrize(("leg", "exec_type"), [(A, b"F"), (B, b"2")])
def test_a_fill_echoes_the_order_and_is_whole(leg: int, exec_type: bytes) -> None:
    """ExecType(150) is the dialect's, quantities and prices are the order's."""
    order = {11: b"C1", 1: b"A1", 55: b"S", 54: b"1", 38: b"5", 40: b"2", 44: b"80010", 59: b"3", 77: b"O"}
    message = patched(leg, "8", venue_fix.report_body(leg, order, 2, STAMP, filled=True))
    assert valid(message)
    fields = venue_fix.fields_of(message)
    assert [fields[tag] for tag in (11, 150, 39, 32, 31, 14, 151, 77)] == [
        b"C1", exec_type, b"2", b"5", b"80010", b"5", b"0", b"O",
    ]  # fmt: skip
