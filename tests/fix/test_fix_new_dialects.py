"""The dialects lmeselect44 and fixt11sp2 against the simulators, on real sessions: each says what its version can."""

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from fix_peer import Peer
from fix_values import wire
from test_fix_simulator import Venue

from gateway.feed.core import FeedCore
from gateway.fix.dialect import Dialect, load_dialect
from gateway.fix.encode import EncodeError, OrderEncoder
from gateway.fix.engine import FixSessions
from gateway.fix.market_data import MarketDataDecoder
from gateway.fix.orders import OrderDecoder
from gateway.fix.session_settings import SessionSettings
from gateway.model.instrument import Instrument
from gateway.model.order import (
    ExecType,
    ExecutionReport,
    MassCancelReported,
    Order,
    OrderEvent,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)
from gateway.model.quote import BadMarketData, BookIncrement, BookSnapshot, BookState, StatusChange

CONSTANTS = {"member": "MBR", "client": "17", "trader": "42", "order_capacity": "P", "expire_date": "20991231"}
NAMES = ("lmeselect44", "fixt11sp2")


def copper(symbol: str = "CA3M", **more: object) -> Instrument:
    """The tape's LME contract, with a prompt."""
    own = {"security_id": "CA", "prompt": "20261216", "settl_date": "20261218"}
    return Instrument(
        f"LME.{symbol}", "LME", symbol, Decimal("0.50"), Decimal(25), "t", "USD", Decimal(25), account="A1", fields=own,
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


class End(NamedTuple):
    """Our end of a venue."""

    venue: Venue
    dialect: Dialect
    encoder: OrderEncoder
    decoder: OrderDecoder
    books: MarketDataDecoder

    def answers(self, until: ExecType | type) -> list[OrderEvent]:
        """What the order session says, up to an event of that kind."""
        said: list[OrderEvent] = []
        while True:
            event = self.decoder.decode(*self.venue.next("orders"))
            assert event is not None
            said.append(event)
            assert getattr(event, "exec_type", None) is not ExecType.REJECTED, event
            if getattr(event, "exec_type", None) is until or (isinstance(until, type) and isinstance(event, until)):
                return said


@pytest.fixture(params=NAMES)
def end(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[End]:
    """A simulator that speaks the dialect, and two sessions that are logged on."""
    dialect, one = load_dialect(request.param), copper()
    venue = Venue(tmp_path, dialect, one)
    by_symbol = {one.symbol: one}
    yield End(
        venue,
        dialect,
        OrderEncoder(dialect, by_symbol, CONSTANTS),
        OrderDecoder(dialect, "LME", by_symbol),
        MarketDataDecoder(dialect, "LME", by_symbol),
    )
    venue.close()


def order(name: str, px_ticks: int, force: TimeInForce, side: Side = Side.BUY) -> Order:
    """One lot."""
    return Order(name, "LME", "A1", "LME.CA3M", side, 1, OrdType.LIMIT, px_ticks, force)


def test_a_day_with_each_new_dialect(end: End) -> None:
    """Log on, books, an order that fills, one that rests and is cancelled, questions: all of it decodes."""
    send, encoder = end.venue.sessions.send, end.encoder
    assert send("md", encoder.market_data_request("r1", ["CA3M"], 5))
    books = [event for _ in range(6) for event in end.books.decode(*end.venue.next("md"))]
    assert not [event for event in books if isinstance(event, BadMarketData)]
    assert {type(event) for event in books} <= {BookSnapshot, BookIncrement, StatusChange}
    asks: list[int] = []
    for number in range(50):
        assert send("md", encoder.market_data_request(f"s{number}", ["CA3M"], 5, snapshot_only=True))
        found = [one for one in end.books.decode(*end.venue.next("md")) if isinstance(one, BookSnapshot) and one.asks]
        if found:
            asks = [found[0].asks[0][0]]
            break
    assert send("orders", encoder.new_order(order("T1", asks[0] + 50, TimeInForce.IOC), time.time_ns()))
    told = end.answers(ExecType.TRADE)
    assert [one.exec_type for one in told if isinstance(one, ExecutionReport)] == [ExecType.NEW, ExecType.TRADE]
    assert isinstance(told[1], ExecutionReport)
    assert (told[1].cum_qty_lots, told[1].leaves_qty_lots, bool(told[1].exec_key)) == (1, 0, True)
    rests = order("T2", asks[0] - 400, TimeInForce.DAY)
    assert send("orders", encoder.new_order(rests, time.time_ns()))
    [new] = end.answers(ExecType.NEW)
    assert isinstance(new, ExecutionReport)
    assert send("orders", encoder.status_request(rests, "Q1"))
    [status] = end.answers(ExecType.ORDER_STATUS)
    assert (status.cl_ord_id, status.ord_status) == ("T2", OrdStatus.NEW)  # type: ignore[union-attr]
    assert send("orders", encoder.cancel("T3", rests, new.order_id, time.time_ns()))
    [gone] = end.answers(ExecType.CANCELED)
    assert (gone.cl_ord_id, gone.orig_cl_ord_id) == ("T3", "T2")  # type: ignore[union-attr]


def test_what_only_one_of_them_has(end: End) -> None:
    """FIX 5.0 SP2: status and cancel of everything in one request; LME: an order good till a date, and neither."""
    send, encoder = end.venue.sessions.send, end.encoder
    force = TimeInForce.GTD if end.dialect.name == "lmeselect44" else TimeInForce.GTC
    assert send("orders", encoder.new_order(order("T1", 17300, force), time.time_ns()))
    assert len(end.answers(ExecType.NEW)) == 1
    if end.dialect.name == "lmeselect44":
        with pytest.raises(EncodeError, match="the dialect lmeselect44 has no such message"):
            encoder.mass_status_request("Q1")
        return
    assert send("orders", encoder.mass_status_request("Q1"))
    assert [one.cl_ord_id for one in end.answers(ExecType.ORDER_STATUS)] == ["T1"]  # type: ignore[union-attr]
    assert send("orders", encoder.mass_cancel("Q2", time.time_ns()))
    told = end.answers(MassCancelReported) + ([] if end.venue.calls.empty() else end.answers(ExecType.CANCELED))
    report = next(one for one in told if isinstance(one, MassCancelReported))
    assert (report.response, report.affected) == ("7", 1)


def test_parties_and_prompt_of_an_order() -> None:
    """Parties that the site names stand in the group, the others are left out; the prompt is the instrument's."""
    encoder = OrderEncoder(load_dialect("lmeselect44"), {"CA3M": copper()}, CONSTANTS)
    written = encoder.new_order_text(order("T1", 19501, TimeInForce.GTD), 0)
    assert written == wire(
        "35=D|453=3|448=MBR|447=D|452=1|448=17|447=P|452=3|448=42|447=P|452=12|11=T1|1=A1|55=CA3M|48=CA|22=8|"
        "64=20261218|541=20261216|54=1|60=19700101-00:00:00.000|38=1|40=2|44=9750.50|528=P|59=6|432=20991231|"
    )
    sent = encoder.new_order(order("T1", 19501, TimeInForce.GTD), 0).toString()
    assert wire("|453=3|448=MBR|447=D|452=1|448=17|447=P|452=3|448=42|447=P|452=12|") in sent
    day = encoder.new_order_text(order("T1", 19501, TimeInForce.DAY), 0)
    assert day.endswith(wire("|59=0|"))


def test_an_order_till_a_date_needs_the_date() -> None:
    """Without expire_date among the constants such an order is refused before it is sent."""
    encoder = OrderEncoder(load_dialect("lmeselect44"), {"CA3M": copper()}, {})
    with pytest.raises(EncodeError, match=r"ExpireDate\(432\) missing: T1 wants expire_date"):
        encoder.new_order_text(order("T1", 1, TimeInForce.GTD), 0)


def test_a_logon_of_another_application_version_is_refused(tmp_path: Path) -> None:
    """A FIXT venue that wants another DefaultApplVerID(1137) than 9 logs us out and says why."""
    toml = "[words]\ndefault_appl_ver_id = '8'\n"
    with pytest.raises(AssertionError):
        Venue(tmp_path, load_dialect("fixt11sp2"), copper(), toml)
    assert "DefaultApplVerID(1137) wrong: '9'; '8' is right" in (tmp_path / "log" / "fix_events.log").read_text()


def test_level_places_of_either_tag() -> None:
    """MDPriceLevel(1023) is read where the dialect says so; the error names it."""
    books = MarketDataDecoder(load_dialect("fixt11sp2"), "LME", {"CA3M": copper()})
    text = (
        "8=FIXT.1.1|9=1|35=X|34=2|52=20260105-01:02:03.004|262=r|268=1|279=0|269=0|55=CA3M|270=9750.50|271=5|"
        "272=20260105|273=01:02:03.000|{}=1|83=3|10=000|"
    )
    [change] = books.decode(wire(text.format(1023)), 7)
    assert isinstance(change, BookIncrement)
    assert change.changes[0].position == 1
    [bad] = books.decode(wire(text.format(290)), 7)
    assert isinstance(bad, BadMarketData)
    assert "MDPriceLevel(1023) is missing" in bad.reason


@pytest.mark.parametrize(("text", "believed"), [("975050", True), ("9750.50", False), ("9750.00", False)])
def test_the_first_price_is_held_against_the_reference(text: str, *, believed: bool) -> None:
    """A venue that says cents is read in dollars; the same figure in dollars already is a hundredfold error and told."""
    one = copper(price_multiplier=Decimal("0.01"), reference_price=Decimal(9700), reference_within_pct=Decimal(20))
    raw = wire(
        f"8=FIX.4.2|9=1|35=W|34=2|52=20260105-01:02:03.004|55=CA3M|83=1|268=1|269=0|270={text}|271=5|"
        "272=20260105|273=01:02:03.000|290=1|10=000|"
    )
    [book] = MarketDataDecoder(load_dialect("overseas42"), "LME", {"CA3M": one}).decode(raw, 7)
    if believed:
        assert isinstance(book, BookSnapshot)
        assert book.bids == ((19501, 5),)
        return
    assert isinstance(book, BadMarketData)
    assert book.instrument_id == "LME.CA3M"
    words = "(price_multiplier 0.01) is not within 20 % of reference_price 9700 of LME.CA3M"
    assert words in book.reason
    core = FeedCore([one], depth=5, kept_limit=10, retry_ns=1, retry_most_ns=1)
    core.on_session("LME", up=True, at_ns=1)
    quote = core.on_event(book, 8)
    assert quote is not None
    assert quote.state is BookState.BAD
    assert words in quote.detail


def test_a_multiplier_goes_both_ways() -> None:
    """An order is priced in the venue's unit, and a fill of it comes back in ours."""
    one = copper(price_multiplier=Decimal("0.01"))
    dialect = load_dialect("overseas42")
    sent = OrderEncoder(dialect, {"CA3M": one}, {}).new_order_text(order("T1", 19501, TimeInForce.IOC), 0)
    assert wire("|44=975050|") in sent
    raw = wire(
        "8=FIX.4.2|35=8|34=2|52=20260105-01:02:03|37=O1|11=T1|17=E1|20=0|150=2|39=2|55=CA3M|54=1|32=1|31=975050|"
        "151=0|14=1|6=975050|"
    )
    fill = OrderDecoder(dialect, "LME", {"CA3M": one}).decode(raw, 7)
    assert isinstance(fill, ExecutionReport)
    assert (fill.last_px_ticks, Decimal(fill.last_px), Decimal(fill.avg_px)) == (
        19501,
        Decimal("9750.5"),
        Decimal("9750.5"),
    )


def test_outside_of_its_hours_a_session_does_not_log_on(tmp_path: Path) -> None:
    """The session's day is the site's to say; outside of it no Logon is sent, and the status says that it may be so."""
    peer = Peer()
    now = time.gmtime().tm_hour
    first, last = (f"{(now + ahead) % 24:02d}:00:00" for ahead in (4, 5))
    settings = SessionSettings(
        "md", "LME", "md", load_dialect("lmeselect44"), "127.0.0.1", peer.port, "CMC", "VENUE",
        start_time=first, end_time=last,
    )  # fmt: skip
    sessions = FixSessions(
        [settings], tmp_path / "s", tmp_path / "l", time.monotonic_ns, on_message=_no, on_session=_no
    )
    sessions.start()
    deadline = time.monotonic() + 10
    while not sessions.status()[0].last_error:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert f"outside of its hours, {first} to {last} UTC" in sessions.status()[0].last_error
    assert peer.messages.empty()
    assert sessions.stop(5)
    peer.close()


def _no(*_call: object) -> None:
    """Nothing arrives."""
