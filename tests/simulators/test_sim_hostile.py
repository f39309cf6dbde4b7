"""Whatever a client sends, a venue answers or ignores; nothing it sends raises or hangs."""

from hypothesis import given, settings
from hypothesis import strategies as st
from sim_fakes import MS, SYMBOL, venue

from simulators.core.clock import VenueClock
from simulators.fix.market_data import MarketDataApp
from simulators.fix.orders import OrdersApp
from simulators.fix.session import Session, SessionConfig
from simulators.fix.store import MemoryStore
from simulators.fix.wire import Framer, Message, encode, parse
from simulators.fix.words import DialectConfig

VALUES = st.one_of(
    st.text(st.characters(codec="ascii", exclude_characters="\x01"), max_size=6),
    st.sampled_from(
        ["1", "2", "0", "7", "Y", "C1", "A1", SYMBOL, "990", "-1", "1e99", "9" * 30, "²", "NaN", "0.5", "."]
    ),
)
FIELDS = st.lists(
    st.tuples(
        st.sampled_from([1, 11, 21, 38, 40, 41, 44, 54, 55, 59, 60, 77, 146, 262, 263, 264, 265, 530, 584, 585]), VALUES
    ),
    max_size=14,
)
KINDS = st.sampled_from(["D", "F", "G", "H", "AF", "q", "V", "", "ZZ"])


@given(st.lists(st.tuples(KINDS, FIELDS), max_size=8), st.sampled_from(["domestic44", "overseas42"]))
@settings(max_examples=200, deadline=None)
def test_no_application_message_breaks_a_venue(messages: list[tuple[str, list[tuple[int, str]]]], dialect: str) -> None:
    """Both sessions, both dialects: every answer can be put into words."""
    sim = venue()
    config = DialectConfig(dialect, "SHFE", VenueClock())
    orders, market_data = OrdersApp(sim, config), MarketDataApp(sim, config)
    for number, (kind, fields) in enumerate(messages):
        message = Message([(35, kind), (34, str(number)), *fields])
        result = orders.on_message(message, MS)
        if isinstance(result, list):
            for event in result:
                if type(event).__name__ in {"Report", "CancelReject", "MassCancelReport"}:
                    orders.words(event)  # type: ignore[arg-type]
        market_data.on_message(message, MS)


@given(st.lists(st.tuples(st.sampled_from("A012345D8"), st.lists(st.tuples(st.sampled_from([34, 43, 122, 52, 36, 123, 7, 16, 108, 98, 141, 112]), VALUES), max_size=8)), max_size=10))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_no_session_message_breaks_a_session(messages: list[tuple[str, list[tuple[int, str]]]]) -> None:
    """Numbers never run backwards without a reset, whatever the fields hold."""
    store = MemoryStore()
    session = Session(SessionConfig(b"FIX.4.4", "SHFE", "CMC"), store)
    session.on_connect(0)
    for kind, fields in messages:
        before = store.next_in
        session.on_message(Message([(8, "FIX.4.4"), (35, kind), (49, "CMC"), (56, "SHFE"), *fields]), 0, 0)
        assert store.next_in >= before or any(field == (141, "Y") for field in fields)


@given(st.binary(max_size=200), st.binary(max_size=60).filter(lambda body: b"\x01" not in body))
@settings(max_examples=200, deadline=None)
def test_no_bytes_break_the_reader(noise: bytes, inside: bytes) -> None:
    """Noise around, and odd bytes inside a message whose length and checksum are right."""
    good = encode(b"FIX.4.4", b"35=0\x0134=1\x01", b"")
    odd = encode(b"FIX.4.4", b"35=0\x01", inside + b"\x01")
    for raw in Framer().feed(noise + good + odd + good):
        parse(raw)
