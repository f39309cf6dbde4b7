"""Order sessions: raw text in, events out; both dialects say the same in the end."""

import pytest
from fix_values import CU, DOMESTIC, HG, OVERSEAS, VENUE_NS, wire
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fix.orders import OrderDecoder
from gateway.model.order import (
    BadOrderMessage,
    CancelRejected,
    ExecType,
    ExecutionReport,
    MassCancelReported,
    MessageRejected,
    OrderEvent,
    OrdStatus,
    Side,
)

FILL = (
    "8=FIX.4.4|9=1|35=8|34=9|49=SHFE|52=20260105-01:02:03.100|56=CMC|1=A1|6=71230|11=T1|14=2|17=E7|31=71230|32=2|37=O1|"
    "38=5|39=1|40=2|44=71230|54=2|55=cu2609|59=0|60=20260105-01:02:03.004|75=20260105|77=O|150=F|151=3|207=SHFE|10=000|"
)
FILL_42 = (
    "8=FIX.4.2|9=1|35=8|34=9|49=CX|52=20260105-01:02:03.100|56=CMC|1=B7|6=4.5605|11=T1|14=2|17=E7|20=0|31=4.5605|32=2|"
    "37=O1|38=5|39=1|40=2|44=4.5605|54=2|55=HGZ6|59=0|60=20260105-01:02:03.004|150=1|151=3|10=000|"
)
REPORT = ExecutionReport(
    venue_id="SHFE",
    recv_ns=7,
    venue_ns=VENUE_NS,
    msg_seq_num=9,
    poss_dup=False,
    cl_ord_id="T1",
    orig_cl_ord_id="",
    order_id="O1",
    exec_id="E7",
    exec_key="SHFE|A1|20260105|2|E7",
    exec_ref_id="",
    exec_type=ExecType.TRADE,
    ord_status=OrdStatus.PARTIALLY_FILLED,
    instrument_id="SHFE.cu2609",
    side=Side.SELL,
    order_qty_lots=5,
    last_qty_lots=2,
    last_px="71230",
    last_px_ticks=7123,
    cum_qty_lots=2,
    leaves_qty_lots=3,
    avg_px="71230",
    trade_date="20260105",
)


def decode(raw: str, sent: dict[int, str] | None = None) -> OrderEvent | None:
    """Decode with the dialect that the message's BeginString(8) names."""
    known = sent or {}
    if raw.startswith("8=FIX.4.2"):
        return OrderDecoder(OVERSEAS, "COMEX", {"HGZ6": HG}, lambda n: known.get(n, "")).decode(wire(raw), 7)
    return OrderDecoder(DOMESTIC, "SHFE", {"cu2609": CU}, lambda n: known.get(n, "")).decode(wire(raw), 7)


def test_a_fill_of_the_domestic_dialect() -> None:
    """Every field of a 4.4 fill, and its key: venue, account, TradeDate, Side, ExecID."""
    assert decode(FILL) == REPORT


def test_a_fill_of_the_overseas_dialect() -> None:
    """A 4.2 partial fill (150=1) is a trade as 4.4 has it; its key: venue, account, ExecID."""
    report = decode(FILL_42)
    assert isinstance(report, ExecutionReport)
    assert (report.exec_type, report.exec_key, report.last_px_ticks) == (ExecType.TRADE, "COMEX|B7|E7", 9121)


EXEC_TYPES = """
20 | 150 | 39 | is             | keyed
0  | 0   | 0  | NEW            | no
0  | 1   | 1  | TRADE          | yes
0  | 2   | 2  | TRADE          | yes
0  | 4   | 4  | CANCELED       | no
0  | 8   | 8  | REJECTED       | no
0  | C   | C  | EXPIRED        | no
1  | 2   | 1  | TRADE_CANCEL   | yes
2  | 2   | 2  | TRADE_CORRECT  | yes
3  | 1   | 1  | ORDER_STATUS   | no
3  | 8   | 8  | ORDER_STATUS   | no
0  | F   | 1  | UNKNOWN        | no
0  | ?   | 1  | UNKNOWN        | no
"""


@pytest.mark.parametrize("row", EXEC_TYPES.strip().splitlines()[1:])
def test_overseas_exec_types_are_translated(row: str) -> None:
    """ExecTransType(20) first, then ExecType(150); what the dialect does not list is unknown, never guessed."""
    transaction, exec_type, status, name, keyed = (cell.strip() for cell in row.split(" | "))
    raw = FILL_42.replace("|20=0|", f"|20={transaction}|").replace("|150=1|", f"|150={exec_type}|")
    report = decode(raw.replace("|39=1|", f"|39={status}|19=E3|"))
    assert isinstance(report, ExecutionReport)
    assert (report.exec_type, bool(report.exec_key)) == (ExecType[name], keyed == "yes")
    named = report.exec_key.replace("E7", "E3") if name in ("TRADE_CANCEL", "TRADE_CORRECT") else ""
    assert report.ref_exec_key == named


def test_a_bust_that_names_no_fill_is_not_guessed() -> None:
    """ExecTransType(20)=1 without ExecRefID(19) could be any fill."""
    event = decode(FILL_42.replace("|20=0|", "|20=1|"))
    assert isinstance(event, BadOrderMessage)
    assert "ExecRefID(19)" in event.reason


OFF = """
LastPx  | kept
71235   | 71235
abc     | abc
1e5     | 1e5
        |
"""


@pytest.mark.parametrize("row", OFF.strip("\n").splitlines()[1:])
def test_an_execution_counts_whatever_its_price(row: str) -> None:
    """Off tick, unreadable or absent: the quantity counts, the text is kept, the ticks are None."""
    price, kept = (cell.strip() for cell in row.split("|"))
    report = decode(FILL.replace("|31=71230|", f"|31={price}|" if price else "|"))
    assert isinstance(report, ExecutionReport)
    assert (report.last_qty_lots, report.last_px, report.last_px_ticks) == (2, kept, None)


def test_an_unknown_order_status_is_none() -> None:
    """OrdStatus(39) outside the standard does not stop a fill; it is None."""
    report = decode(FILL.replace("|39=1|", "|39=Z|"))
    assert isinstance(report, ExecutionReport)
    assert report.ord_status is None


def test_a_fill_without_account_has_the_instruments() -> None:
    """The key of a fill is the same whether or not the venue repeats Account(1)."""
    report = decode(FILL.replace("|1=A1|", "|"))
    assert isinstance(report, ExecutionReport)
    assert report.exec_key == REPORT.exec_key


def test_a_group_nobody_declared_hides_nothing() -> None:
    """Tags that appear twice, behind those we know, change nothing."""
    assert decode(FILL.replace("|207=", "|453=2|448=x|11=other|448=y|11=another|207=")) == REPORT


BAD = """
was            | is            | reason
32=2           | 32=-2         | LastQty(32) '-2'; right would be a whole number of lots
32=2           | 32=2.5        | LastQty(32) '2.5'
32=2|          |               | LastQty(32) is missing
14=2           | 14=x          | CumQty(14) 'x'
151=3|         |               | LeavesQty(151) is missing
37=O1|         |               | OrderID(37) is missing
17=E7|         |               | ExecID(17) is missing
75=20260105|   |               | TradeDate(75) is missing
39=1|          |               | OrdStatus(39) is missing
150=F|         |               | ExecType(150) is missing
54=2           | 54=5          | Side(54) '5'; right would be 1 buy or 2 sell
55=cu2609      | 55=cu2610     | Symbol(55) 'cu2610'; right would be an instrument of SHFE
60=2026        | 60=20-26      | TransactTime(60) '20-260105-01:02:03.004'
34=9           | 34=0x9        | MsgSeqNum(34) '0x9'
35=8           | 35=B          | MsgType(35) 'B'; right would be 8, 9, r, j or 3
"""


@pytest.mark.parametrize("row", BAD.strip().splitlines()[1:])
def test_what_cannot_be_used_is_named(row: str) -> None:
    """Tag, value and what would be right; the ClOrdID is kept, so that the order can be asked about."""
    was, becomes, reason = (cell.strip() for cell in row.split(" | "))
    assert f"|{was}" in FILL
    event = decode(FILL.replace(f"|{was}", f"|{becomes}", 1))
    assert isinstance(event, BadOrderMessage)
    assert reason in event.reason
    assert event.cl_ord_id == "T1"


def test_an_unknown_exec_trans_type_is_named() -> None:
    """ExecTransType(20) outside the dialect could be a bust: it is not guessed."""
    event = decode(FILL_42.replace("|20=0|", "|20=7|"))
    assert isinstance(event, BadOrderMessage)
    assert "ExecTransType(20) '7'" in event.reason


HEAD = "8=FIX.4.4|9=1|52=20260105-01:02:03.004|34=4|"
OTHER = [
    (
        "35=9|37=O1|11=C1|41=T1|39=2|434=1|102=0|58=too late|",
        CancelRejected("SHFE", 7, 4, "C1", "T1", "O1", OrdStatus.FILLED, "1", "0", "too late"),
    ),
    ("35=r|37=O1|11=K1|530=7|531=7|533=3|", MassCancelReported("SHFE", 7, "K1", "7", 3, "")),
    ("35=r|37=O1|11=K1|530=7|531=0|58=no|", MassCancelReported("SHFE", 7, "K1", "0", 0, "no")),
    ("35=3|45=2|371=54|372=D|373=1|58=Side|", MessageRejected("SHFE", 7, 2, "D", "T2", "1", "Side")),
    ("35=j|45=3|372=D|379=T9|380=4|58=shut|", MessageRejected("SHFE", 7, 3, "D", "T9", "4", "shut")),
    ("35=j|45=3|372=D|380=4|", MessageRejected("SHFE", 7, 3, "D", "", "4", "")),
    ("35=0|", None),
    ("35=5|58=bye|", None),
]


@pytest.mark.parametrize(("raw", "event"), OTHER)
def test_other_messages(raw: str, event: OrderEvent | None) -> None:
    """Cancel rejects, mass cancels, rejects by number (ClOrdID known from what was sent), and what is the session's."""
    assert decode(HEAD + raw, {2: "T2"}) == event


def test_a_status_of_an_unknown_order() -> None:
    """37=NONE without a symbol: an order status with no instrument."""
    report = decode(HEAD + "35=8|37=NONE|11=T1|17=S1|150=I|39=8|103=5|151=0|14=0|6=0|58=unknown order|")
    assert isinstance(report, ExecutionReport)
    assert (report.exec_type, report.ord_status, report.instrument_id, report.exec_key, report.reason) == (
        ExecType.ORDER_STATUS,
        OrdStatus.REJECTED,
        "",
        "",
        "5",
    )


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_mutated_message_never_raises(data: st.DataObject) -> None:
    """Whatever is cut out, doubled or overwritten, an event or nothing comes out."""
    raw = data.draw(st.sampled_from([FILL, FILL_42, *[HEAD + raw for raw, _ in OTHER]]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(at, min(len(raw), at + 12)))
        raw = raw[:at] + data.draw(st.text(max_size=6) | st.sampled_from(["|", "=", "9" * 5000])) + raw[end:]
    event = decode(raw)
    assert event is None or isinstance(event, OrderEvent)
