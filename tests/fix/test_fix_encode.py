"""Encoding: what QuickFIX writes is, read by simplefix, the order that was given."""

from decimal import Decimal

import pytest
import quickfix
import simplefix
from fix_values import CU, DOMESTIC, HG, OVERSEAS, VENUE_NS, wire
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fix.dialect import load_dialect
from gateway.fix.encode import EncodeError, OrderEncoder, StampWriter
from gateway.fix.scan import Stamps
from gateway.model.order import Order, OrdType, PositionEffect, Side, TimeInForce

CONSTANTS = {"sender_sub_id": "T7", "customer_or_firm": "0"}
DOMESTIC_ENCODER = OrderEncoder(DOMESTIC, {"cu2609": CU}, {})
OVERSEAS_ENCODER = OrderEncoder(OVERSEAS, {"HGZ6": HG}, CONSTANTS)
ORDER = Order(
    "T1-000042", "SHFE", "A1", "SHFE.cu2609", Side.BUY, 5, OrdType.LIMIT, 7123, TimeInForce.IOC,
    PositionEffect.CLOSE_TODAY, "1",
)  # fmt: skip
ORDER_42 = Order("T1", "COMEX", "B7", "COMEX.HGZ6", Side.SELL, 2, OrdType.LIMIT, 9121, TimeInForce.IOC)


def read(message: quickfix.Message) -> dict[int, str]:
    """The body of a message as simplefix reads it."""
    parser = simplefix.FixParser()
    parser.append_buffer(f"8=FIX.4.4\x01{message.toString()}".encode())
    parsed = parser.get_message()
    assert parsed is not None
    return {int(tag): value.decode() for tag, value in parsed.pairs if int(tag) not in (8, 9, 10)}


def body(text: str) -> dict[int, str]:
    """`11=T1|54=1` by tag."""
    return {int(tag): value for tag, _, value in (pair.partition("=") for pair in text.strip("|").split("|"))}


MESSAGES = [
    (
        DOMESTIC_ENCODER.new_order(ORDER, VENUE_NS),
        (
            "35=D|11=T1-000042|1=A1|55=cu2609|207=SHFE|54=1|60=20260105-01:02:03.004|38=5|40=2|44=71230|59=3|77=C|"
            "20077=Y|20078=1"
        ),
    ),
    (
        OVERSEAS_ENCODER.new_order(ORDER_42, VENUE_NS),
        "35=D|50=T7|11=T1|1=B7|21=1|55=HGZ6|54=2|60=20260105-01:02:03.004|38=2|40=2|44=4.5605|59=3|204=0|1028=N",
    ),
    (
        DOMESTIC_ENCODER.cancel("C1", ORDER, "O9", VENUE_NS),
        "35=F|11=C1|41=T1-000042|37=O9|55=cu2609|54=1|60=20260105-01:02:03.004|38=5",
    ),
    (
        DOMESTIC_ENCODER.cancel("C1", ORDER, "", VENUE_NS),
        "35=F|11=C1|41=T1-000042|55=cu2609|54=1|60=20260105-01:02:03.004|38=5",
    ),
    (
        OVERSEAS_ENCODER.replace(ORDER_42, "T0", "O9", VENUE_NS),
        "35=G|50=T7|11=T1|41=T0|37=O9|21=1|55=HGZ6|54=2|60=20260105-01:02:03.004|38=2|40=2|44=4.5605|59=3|204=0|1028=N",
    ),
    (OVERSEAS_ENCODER.status_request(ORDER_42), "35=H|50=T7|11=T1|55=HGZ6|54=2"),
    (DOMESTIC_ENCODER.status_request(ORDER, "Q1"), "35=H|11=T1-000042|55=cu2609|54=1|790=Q1"),
    (DOMESTIC_ENCODER.mass_status_request("Q2"), "35=AF|584=Q2|585=7"),
    (DOMESTIC_ENCODER.mass_cancel("K1", VENUE_NS), "35=q|11=K1|530=7|60=20260105-01:02:03.004"),
    (
        DOMESTIC_ENCODER.mass_cancel("K1", VENUE_NS, symbol="cu2609"),
        "35=q|11=K1|530=1|55=cu2609|60=20260105-01:02:03.004",
    ),
]


@pytest.mark.parametrize(("message", "fields"), MESSAGES)
def test_messages_are_the_dialects_fields_and_no_more(message: quickfix.Message, fields: str) -> None:
    """Each message holds exactly the fields of its rule with the order's values."""
    assert read(message) == body(fields)


SUBSCRIPTIONS = [({}, "1"), ({"snapshot_only": True}, "0"), ({"unsubscribe": True}, "2")]


@pytest.mark.parametrize(("how", "word"), SUBSCRIPTIONS)
def test_a_market_data_request_keeps_its_last_symbol(how: dict[str, bool], word: str) -> None:
    """Both groups reach the wire whole and in order, for each kind of subscription."""
    text = DOMESTIC_ENCODER.market_data_request("r1", ["cu2609", "cu2610"], 5, **how).toString()
    assert text.split("35=V\x01")[1].rsplit("10=", 1)[0] == wire(
        f"146=2|55=cu2609|207=SHFE|55=cu2610|207=SHFE|262=r1|263={word}|264=5|265=0|267=3|269=0|269=1|269=2|"
    )


orders = st.builds(
    Order,
    cl_ord_id=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20),
    venue_id=st.just("SHFE"),
    account=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8),
    instrument_id=st.just("SHFE.cu2609"),
    side=st.sampled_from(Side),
    qty_lots=st.integers(1, 10**6),
    ord_type=st.just(OrdType.LIMIT),
    px_ticks=st.integers(-(10**6), 10**6),
    time_in_force=st.sampled_from([TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK]),
    position_effect=st.sampled_from(["O", "C", "T"]).map(PositionEffect),
    hedge_flag=st.sampled_from(["", "1", "3"]),
)


@settings(max_examples=300, deadline=None)
@given(orders, st.integers(0, 4 * 10**18))
def test_simplefix_reads_the_order_that_was_given(order: Order, at_ns: int) -> None:
    """Two codecs agree: what QuickFIX wrote from the order, simplefix reads as the order."""
    got = read(DOMESTIC_ENCODER.new_order(order, at_ns))
    assert order.px_ticks is not None
    assert (got[11], got.get(1, ""), got[55], got[54], got[59]) == (
        order.cl_ord_id, order.account, "cu2609", order.side.value, order.time_in_force.value,
    )  # fmt: skip
    assert (int(got[38]), Decimal(got[44]), got.get(20078, "")) == (
        order.qty_lots, CU.price(order.px_ticks), order.hedge_flag,
    )  # fmt: skip
    assert got.get(77, "") + got.get(20077, "") == {"O": "O", "C": "CN", "T": "CY"}[order.position_effect]
    assert Stamps().ns(got[60], "60") == at_ns // 10**6 * 10**6


def change(order: Order, **fields: object) -> Order:
    """`order` with other values."""
    return Order(**{name: fields.get(name, getattr(order, name)) for name in order.__struct_fields__})


REFUSED = [
    ({"time_in_force": TimeInForce.GTC}, "TimeInForce(59) 1 GTC: SHFE offers 0 DAY, 3 IOC, 4 FOK"),
    ({"position_effect": PositionEffect.NONE}, "PositionEffect(77) missing: SHFE.cu2609 wants one of O, C, T"),
    ({"px_ticks": None}, "OrdType(40) 2 with price None"),
    ({"ord_type": OrdType.MARKET}, "OrdType(40) 1 with price 7123"),
    ({"qty_lots": 0}, "OrderQty(38) 0"),
    ({"cl_ord_id": "T1\x0154=2"}, "ClOrdID(11) 'T1\\x0154=2': ASCII characters without control characters"),
    ({"cl_ord_id": ""}, "ClOrdID(11) ''"),
    ({"account": "账户"}, "Account(1) '账户'"),
    ({"instrument_id": "SHFE.cu2610"}, "instrument SHFE.cu2610 is not one of this session"),
]


@pytest.mark.parametrize(("fields", "reason"), REFUSED)
def test_what_the_dialect_cannot_say_is_refused(fields: dict[str, object], reason: str) -> None:
    """An order that would be written wrongly is refused with field, value and what would be right."""
    with pytest.raises(EncodeError) as caught:
        DOMESTIC_ENCODER.new_order(change(ORDER, **fields), VENUE_NS)
    assert reason in str(caught.value)


def test_a_net_venue_has_no_position_effect() -> None:
    """The overseas dialect has no field for open and close, and says so."""
    with pytest.raises(EncodeError, match=r"PositionEffect\(77\) O: the dialect overseas42 has none"):
        OVERSEAS_ENCODER.new_order(change(ORDER_42, position_effect=PositionEffect.OPEN), VENUE_NS)


def test_a_dialect_without_mass_messages_says_so() -> None:
    """4.2 has no mass status and no mass cancel."""
    with pytest.raises(EncodeError, match="the dialect overseas42 has no such message"):
        OVERSEAS_ENCODER.mass_status_request("Q1")
    with pytest.raises(EncodeError, match="the dialect overseas42 has no such message"):
        OVERSEAS_ENCODER.mass_cancel("K1", VENUE_NS)


def test_a_market_order_has_no_price() -> None:
    """A market order is written without Price(44)."""
    market = change(ORDER, ord_type=OrdType.MARKET, px_ticks=None)
    assert 44 not in read(DOMESTIC_ENCODER.new_order(market, VENUE_NS))


def test_two_orders_built_before_either_is_sent_stay_apart() -> None:
    """No template is shared: building the second leg does not change the first."""
    first = DOMESTIC_ENCODER.new_order(ORDER, VENUE_NS)
    DOMESTIC_ENCODER.new_order(change(ORDER, cl_ord_id="T2", qty_lots=9), VENUE_NS)
    assert (read(first)[11], read(first)[38]) == ("T1-000042", "5")


def test_a_percent_sign_in_a_constant_is_only_that() -> None:
    """Texts of the site are never read as a format."""
    encoder = OrderEncoder(OVERSEAS, {"HGZ6": HG}, {"sender_sub_id": "100%s%%"})
    assert read(encoder.new_order(ORDER_42, VENUE_NS))[50] == "100%s%%"


@pytest.mark.parametrize(
    ("digits", "text"),
    [(0, "20260105-01:02:03"), (3, "20260105-01:02:03.004"), (6, "20260105-01:02:03.004005"), (9, "20260105-01:02:03.004005006")],
)  # fmt: skip
def test_stamps_are_cut_to_the_venues_resolution(digits: int, text: str) -> None:
    """Seconds to nanoseconds, cut and not rounded; reading gives the cut moment back."""
    at_ns = VENUE_NS + 5006
    assert StampWriter(digits).text(at_ns) == text
    assert Stamps().ns(text, "60") == at_ns // 10 ** (9 - digits) * 10 ** (9 - digits)


def test_a_venue_that_has_fok_is_a_line_of_the_site() -> None:
    """4 (FOK) is refused overseas unless the site says that the venue offers it."""
    order = change(ORDER_42, time_in_force=TimeInForce.FOK)
    with pytest.raises(EncodeError):
        OVERSEAS_ENCODER.new_order(order, VENUE_NS)
    offering = load_dialect("overseas42", times_in_force=["0", "3", "4"])
    assert read(OrderEncoder(offering, {"HGZ6": HG}, {}).new_order(order, VENUE_NS))[59] == "4"
