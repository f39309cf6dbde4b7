"""Bytes into messages, and messages into values, whatever a client writes."""

import pytest
import simplefix
from client_desk import INSTRUMENTS, PAIR, client
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.clients.decode import ClientReader, Unsupported
from gateway.clients.framing import Framer, TooLongError
from gateway.clients.pace import Pace
from gateway.model.client import OrderAsked

SOH = "\x01"


def message(kind: str, *fields: tuple[int, object]) -> bytes:
    """By the independent codec."""
    made = simplefix.FixMessage()
    for tag, value in ((8, "FIX.4.4"), (35, kind), (34, 1), *fields):
        made.append_pair(tag, value)
    encoded: bytes = made.encode()
    return encoded


ORDER = message(
    "D", (11, "a"), (1, "A1"), (55, PAIR), (54, 1), (60, "20260101-00:00:00"), (38, 2), (40, 2), (44, "-1.5"), (59, 3)
)


@given(st.lists(st.integers(0, 60), max_size=20), st.data())
@settings(max_examples=200, deadline=None)
def test_however_a_stream_is_cut_the_same_messages_come_out(kinds: list[int], data: st.DataObject) -> None:
    """Pieces of any size, noise that begins no message between them."""
    messages = [message("0", (112, "x" * kind)) for kind in kinds]
    noise = data.draw(st.sampled_from([b"", b"noise", b"\x01\x01", b"8=FI"]))
    stream = noise.join(messages)
    framer, found, at = Framer(500), [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, 80))
        found += framer.feed(stream[at : at + step])
        at += step
    assert found == messages


@given(st.lists(st.one_of(st.binary(max_size=40), st.just(ORDER), st.just(b"8=FIX.4.4\x019=")), max_size=30))
@settings(max_examples=300, deadline=None)
def test_noise_is_dropped_or_told_and_never_kept_beyond_a_message(parts: list[bytes]) -> None:
    """Whatever comes, at most one message's bytes wait, and what comes out was in the stream."""
    framer = Framer(2000)
    stream = b""
    for part in parts:
        stream += part
        try:
            found = framer.feed(part)
        except TooLongError:
            return
        assert all(one in stream for one in found)
        assert framer.waiting_bytes <= 2000 + len(part)


def test_a_message_that_is_too_long_is_named_before_it_has_come() -> None:
    """Its length alone is enough."""
    with pytest.raises(TooLongError, match="at most 500 are accepted"):
        Framer(500).feed(b"8=FIX.4.4\x019=600\x01")


def test_what_came_whole_before_a_message_that_is_too_long_is_given() -> None:
    """The message before it, then nothing more, and the reason is kept."""
    framer = Framer(500)
    assert framer.feed(ORDER + b"8=FIX.4.4\x019=600\x01") == [ORDER]
    assert framer.too_long == "BodyLength(9) makes a message of 623 bytes; at most 500 are accepted"
    assert framer.waiting_bytes == 0


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_reader_gives_a_value_for_whatever_it_is_handed(data: st.DataObject) -> None:
    """Fields dropped, doubled, with any text: an order, or what says that it cannot be read."""
    fields = ORDER.decode().rstrip(SOH).split(SOH)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(2, len(fields) - 1))
        tag = fields[place].partition("=")[0]
        text = data.draw(st.text(st.characters(blacklist_characters=SOH, max_codepoint=0x2FF), max_size=30))
        fields[place : place + 1] = data.draw(st.sampled_from([[], [f"{tag}={text}"], [fields[place]] * 2, [text]]))
        if len(fields) < 4:
            break
    reader = ClientReader(client("F"), INSTRUMENTS)
    assert isinstance(reader.read(SOH.join(fields) + SOH), OrderAsked | Unsupported)


@pytest.mark.parametrize(
    ("qty", "price", "expected"),
    [
        ("2", "-1.5", (2, -1_500_000_000)),
        ("2.0", "0.000000001", (2, 1)),
        ("1.5", "1", (0, 10**9)),
        ("-1", "1e999999", (0, None)),
        ("1e3", "0.0000000001", (0, None)),
        ("0", "NaN", (0, None)),
        ("9" * 30, "9" * 30, (0, None)),
    ],
)
def test_quantities_and_prices_are_read_exactly_or_not_at_all(
    qty: str, price: str, expected: tuple[int, int | None]
) -> None:
    """No float, no rounding; what cannot be read is kept as text for the reject."""
    raw = ORDER.decode().replace(f"{SOH}38=2{SOH}", f"{SOH}38={qty}{SOH}").replace("44=-1.5", f"44={price}")
    asked = ClientReader(client("F"), INSTRUMENTS).read(raw)
    assert isinstance(asked, OrderAsked)
    assert (asked.qty, asked.price_e9) == expected


def test_a_pace_lets_a_burst_through_and_then_its_rate() -> None:
    """Three at once, then one a second; one that is refused costs nothing."""
    pace = Pace(1, 3)
    second = 10**9
    assert [pace.take(10 * second) for _ in range(5)] == [True, True, True, False, False]
    assert pace.wait_ns(10 * second) == second
    assert [pace.take(11 * second), pace.take(11 * second), pace.take(12 * second)] == [True, False, True]
