"""Bytes into messages and back; simplefix is the reference."""

import simplefix
from hypothesis import given
from hypothesis import strategies as st

from simulators.fix.wire import Framer, encode, parse, utc_ns_of, utc_text

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12)


def message(text: str = "x") -> bytes:
    return encode(
        b"FIX.4.4", b"35=0\x0149=A\x0156=B\x0134=1\x0152=20260101-00:00:00.000\x01", f"58={text}\x01".encode()
    )


@given(TEXT)
def test_our_encoder_writes_what_simplefix_writes(text: str) -> None:
    """Byte for byte, BodyLength and CheckSum included."""
    reference = simplefix.FixMessage()
    for tag, value in ((8, "FIX.4.4"), (35, "0"), (49, "A"), (56, "B"), (34, 1), (52, "20260101-00:00:00.000")):
        reference.append_pair(tag, value, header=True)
    reference.append_pair(58, text)
    assert message(text) == reference.encode()


@given(st.lists(st.integers(1, 40), max_size=8))
def test_messages_survive_any_cutting_of_the_stream(cuts: list[int]) -> None:
    """Three messages cut anywhere come out as three messages."""
    stream = b"".join(message(text) for text in "abc")
    framer = Framer()
    out: list[str] = []
    for cut in cuts:
        out += [parse(raw).get(58) for raw in framer.feed(stream[:cut])]
        stream = stream[cut:]
    out += [parse(raw).get(58) for raw in framer.feed(stream)]
    assert out == ["a", "b", "c"]


def test_garbled_messages_are_cut_away_and_counted() -> None:
    """Wrong checksum, wrong length, no MsgType in third place, noise between: the good ones remain."""
    good = message("good")
    bad_sum = good[:-4] + b"999\x01"
    bad_length = good.replace(b"\x019=", b"\x019=9")
    no_type = encode(b"FIX.4.4", b"49=A\x0135=0\x01", b"")
    framer = Framer()
    out = list(framer.feed(bad_sum + good + b"noise" + no_type + good + bad_length + good * 20))
    assert out == [good] * 22
    assert framer.garbled == 3


def test_a_time_is_cut_to_milliseconds_and_read_back() -> None:
    """.9999 s stays in its second."""
    assert utc_text(1_767_225_600_999_900_000) == b"20260101-00:00:00.999"
    assert utc_ns_of("20260101-00:00:00.999") == 1_767_225_600_999_000_000
    assert utc_ns_of("yesterday") is None
