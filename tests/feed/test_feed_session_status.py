"""A venue that says for a whole segment that it does not trade, and two contracts under one Symbol(55)."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from feed_live import Quick, feed_of, site_for, venue_of
from feed_values import NAME, instrument, snapshot, whole_book
from msgspec.structs import replace

from gateway.fix.dialect import DIALECTS, Dialect, DialectError, load_dialect
from gateway.fix.instrument_key import by_symbol
from gateway.fix.market_data import MarketDataDecoder
from gateway.model.instrument import Instrument
from gateway.model.quote import BadMarketData, BookIncrement, BookSnapshot, BookState, StatusChange, TradingStatus
from gateway.processes.settings import SiteError, load_site
from gateway.processes.toml_text import toml_text

OPEN, SHUT = TradingStatus.READY, TradingStatus.HALT


def wire(text: str) -> str:
    return text.replace("|", "\x01")


def status(code: TradingStatus, *, session: bool) -> StatusChange:
    return StatusChange(NAME, 5, 5, 5, code, of_session=session)


def test_both_the_instrument_and_its_segment_have_to_trade() -> None:
    """A segment that opens does not end an instrument's own halt, nor the other way round; then the book is read anew."""
    book = whole_book()
    states = []
    for code, session in ((SHUT, False), (SHUT, True), (OPEN, True), (OPEN, False)):
        book.on_status(status(code, session=session))
        states.append(book.quote(0, 0, 0, 0).state)
    assert states == [BookState.SHUT, BookState.SHUT, BookState.SHUT, BookState.EMPTY]
    book.on_snapshot(snapshot(11))
    book.on_status(status(SHUT, session=True))
    told = book.quote(0, 0, 0, 0)
    assert (told.state, told.detail) == (
        BookState.SHUT,
        "TradingSessionStatus(35=h) as SecurityTradingStatus(326)=2",
    )


def decoder(dialect: Dialect) -> MarketDataDecoder:
    """Three instruments: of segments BASE and PRECIOUS, and one that names none."""
    listed = [
        replace(instrument("LME.CA3M"), fields={"segment": "BASE"}),
        replace(instrument("LME.AU3M"), fields={"segment": "PRECIOUS"}),
        instrument("LME.ZS3M"),
    ]
    return MarketDataDecoder(dialect, "LME", by_symbol(listed))


H = "8=FIX.4.4|9=1|35=h|34=7|49=LME|52=20260615-01:02:03.004|56=CMC|"
TOLD = [
    ("336=BASE|340=1|", TradingStatus.HALT, ["LME.CA3M", "LME.ZS3M"]),
    ("336=PRECIOUS|340=2|", TradingStatus.READY, ["LME.AU3M", "LME.ZS3M"]),
    ("340=3|", TradingStatus.NOT_AVAILABLE, ["LME.CA3M", "LME.AU3M", "LME.ZS3M"]),
    ("336=BASE|340=4|", TradingStatus.PRE_OPEN, ["LME.CA3M", "LME.ZS3M"]),
    ("336=OTHER|340=3|", TradingStatus.NOT_AVAILABLE, ["LME.ZS3M"]),
]


@pytest.mark.parametrize(("said", "meant", "whom"), TOLD)
def test_a_word_for_a_segment_is_one_for_each_of_its_instruments(
    said: str, meant: TradingStatus, whom: list[str]
) -> None:
    """And for those that name no segment; a message without one is about all."""
    events = decoder(load_dialect("lmeselect44")).decode(wire(f"{H}{said}10=000|"), 99)
    assert all(isinstance(one, StatusChange) and one.of_session for one in events)
    assert [(one.instrument_id, one.status) for one in events if isinstance(one, StatusChange)] == [
        (name, meant) for name in whom
    ]


def test_a_word_that_nobody_knows_shuts_and_is_alarmed() -> None:
    """TradSesStatus(340)=9: every instrument counts as not available, and the value is named."""
    *heard, bad = decoder(load_dialect("lmeselect44")).decode(wire(f"{H}336=BASE|340=9|10=000|"), 99)
    assert [one.status for one in heard if isinstance(one, StatusChange)] == [TradingStatus.NOT_AVAILABLE] * 2
    assert isinstance(bad, BadMarketData)
    assert bad.reason == "TradSesStatus(340) '9'; right would be one of 0, 1, 2, 3, 4, 5"


def test_the_status_of_an_instrument_that_is_not_ours_is_no_doubt_about_ours() -> None:
    """Venues tell of all that they list; a book that cannot be read is another matter."""
    reader = decoder(load_dialect("lmeselect44"))
    text = "8=FIX.4.4|9=1|35=f|34=7|49=LME|52=20260615-01:02:03.004|56=CMC|55=XX|326=2|10=000|"
    [bad] = reader.decode(wire(text), 99)
    assert isinstance(bad, BadMarketData)
    assert (bad.instrument_id, bad.suspect) == ("", False)
    [bad] = reader.decode(wire(text.replace("35=f", "35=W").replace("326=2", "268=0")), 99)
    assert isinstance(bad, BadMarketData)
    assert (bad.instrument_id, bad.suspect) == ("", True)


@pytest.mark.parametrize("dialect", ["overseas42", "fixt11sp2"])
def test_a_halt_of_a_segment_through_the_simulator(tmp_path: Path, dialect: str) -> None:
    """The contract of the segment is shut and comes back, the other one trades on; a late subscriber is told, too."""
    venue = {"username": "u", "password": "p"} if dialect == "fixt11sp2" else {}
    # One every two seconds: whenever the logon is done, one follows.
    fault = [{"name": "session", "at_s": at_s, "for_s": 0.5, "params": {"segment": "BASE"}} for at_s in range(1, 15, 2)]

    def change(content: dict[str, Any]) -> None:
        content["venue"][1]["dialect"] = dialect
        content["venue"][1]["time_in_force"] = ["IOC", "DAY"]
        content["instrument"][1]["fields"] = {"segment": "BASE"}
        content["instrument"][2]["fields"] = {"segment": "FX"}

    tape = Quick()
    with venue_of(
        tmp_path, "LME", dialect, tape, venue=venue, fault=fault, segments={"CA3M": "BASE", "USDCNH": "FX"}
    ) as made:
        site = site_for(tmp_path, {"LME": made.md_port}, change, {"username": "u", "password": "p"} if venue else {})
        with feed_of(site, tmp_path) as live:
            live.bus.until(
                lambda bus: (
                    [one.state for one in bus.verdicts() if one.instrument_id == "LME.CA3M"][-2:]
                    == [BookState.EMPTY, BookState.OK]
                    and any(one.state is BookState.SHUT for one in bus.verdicts())
                )
            )
            shut = [one for one in live.bus.verdicts() if one.state is BookState.SHUT]
    assert {one.instrument_id for one in shut} == {"LME.CA3M"}
    assert shut[0].detail == "TradingSessionStatus(35=h) as SecurityTradingStatus(326)=2"


# Two contracts under one Symbol(55).

KEYED = DIALECTS / "fixt11sp2.toml"


def keyed(tmp_path: Path, key: str = '["55", "48"]') -> Dialect:
    """FIX 5.0 SP2 whose contracts are told apart by SecurityID(48), in the dictionary and in the request."""
    text = KEYED.read_text(encoding="utf-8").replace('dictionary = "fixt11sp2.xml"', 'dictionary = "keyed.xml"', 1)
    text = text.replace("rpt_seq = true", f"rpt_seq = true\nkey = {key}", 1)
    text = text.replace(
        '[market_data.request_symbol]\n55 = "symbol"',
        '[market_data.request_symbol]\n55 = "symbol"\n48 = "instrument:security_id"',
        1,
    )
    (tmp_path / "keyed.toml").write_text(text, encoding="utf-8")
    spec = (Path(__file__).resolve().parents[2] / "fix_specs" / "fixt11sp2.xml").read_text(encoding="utf-8")
    for part in "VWX":
        at = spec.index(f'msgtype="{part}"')
        end = spec.index("</message>", at)
        body = spec[at:end].replace(
            '<field name="Symbol"', '<field name="SecurityID" required="N"/>\n        <field name="Symbol"', 1
        )
        spec = spec[:at] + body + spec[end:]
    if 'name="SecurityID" type' not in spec:
        spec = spec.replace("  </fields>", '    <field number="48" name="SecurityID" type="STRING"/>\n  </fields>', 1)
    (tmp_path / "keyed.xml").write_text(spec, encoding="utf-8")
    return load_dialect(tmp_path / "keyed.toml")


def twins() -> list[Instrument]:
    """July and August under one symbol, with other ticks."""
    july = Instrument("X.CLN6", "X", "CL", Decimal("0.01"), Decimal(1000), "bbl", "USD", Decimal(1000))
    august = replace(july, instrument_id="X.CLQ6", tick=Decimal("0.05"), fields={"security_id": "CLQ6"})
    return [replace(july, fields={"security_id": "CLN6"}), august]


def image(security_id: str, bid: str) -> str:
    named = f"48={security_id}|" if security_id else ""
    return wire(
        f"8=FIXT.1.1|9=1|35=W|34=7|49=X|52=20260615-01:02:03.004|56=CMC|262=r|{named}55=CL|83=3|268=1|"
        f"269=0|270={bid}|271=3|272=20260615|273=01:02:03.004|1023=1|10=000|"
    )


def test_two_contracts_under_one_symbol_are_not_mixed_up(tmp_path: Path) -> None:
    """Each book gets its own messages, in its own ticks, in snapshots and in entries of one increment."""
    reader = MarketDataDecoder(keyed(tmp_path), "X", by_symbol(twins()))
    for name, ticks in (("CLN6", 7050), ("CLQ6", 1410)):
        [event] = reader.decode(image(name, "70.50"), 9)
        assert isinstance(event, BookSnapshot)
        assert (event.instrument_id, event.bids) == (f"X.{name}", ((ticks, 3),))
    entry = "279=0|269=0|48={}|55=CL|270=70.50|271=3|272=20260615|273=01:02:03.004|1023=1|83={}|"
    both = wire(
        "8=FIXT.1.1|9=1|35=X|34=8|49=X|52=20260615-01:02:03.004|56=CMC|262=r|268=2|"
        + entry.format("CLN6", 4) + entry.format("CLQ6", 9) + "10=000|"
    )  # fmt: skip
    events = reader.decode(both, 9)
    assert [
        (one.instrument_id, one.rpt_seq, one.changes[0].px_ticks) for one in events if isinstance(one, BookIncrement)
    ] == [
        ("X.CLN6", 4, 7050),
        ("X.CLQ6", 9, 1410),
    ]


@pytest.mark.parametrize(
    ("security_id", "named"), [("", "SecurityID(48) is missing"), ("CLU6", "SecurityID(48) 'CLU6'")]
)
def test_a_message_without_the_key_is_about_nobody(tmp_path: Path, security_id: str, named: str) -> None:
    """It is named and counted, and no book of either contract takes it."""
    [bad] = MarketDataDecoder(keyed(tmp_path), "X", by_symbol(twins())).decode(image(security_id, "70.50"), 9)
    assert isinstance(bad, BadMarketData)
    assert (bad.instrument_id, bad.suspect) == ("", True)
    assert named in bad.reason


def test_a_key_that_is_not_asked_for_is_a_mistake_of_the_dialect(tmp_path: Path) -> None:
    """Its fields come from the request's own table, Symbol(55) first."""
    for key in ('["48", "55"]', '["55", "200"]'):
        with pytest.raises(DialectError, match=r"market_data\.key"):
            keyed(tmp_path, key)


def test_a_site_has_to_tell_them_apart(tmp_path: Path) -> None:
    """Two instruments of one symbol load with their fields; without, or with the same, the mistake names them."""
    keyed(tmp_path)
    demo = Path(__file__).resolve().parents[2] / "sites" / "demo.toml"
    content = tomllib.loads(demo.read_text(encoding="utf-8"))
    content["venue"][1]["dialect"] = "keyed.toml"
    first = content["instrument"][1] | {"fields": {"security_id": "A"}}
    second = first | {"id": "LME.OTHER", "fields": {"security_id": "B"}}
    content["instrument"][2]["fields"] = {"security_id": "C"}
    content["instrument"] = [content["instrument"][0], first, content["instrument"][2], second]
    file = tmp_path / "site.toml"
    file.write_text(toml_text(content), encoding="utf-8")
    assert {"LME.CA3M", "LME.OTHER"} <= load_site(file, {}).instruments.keys()
    for fields, named in (({"security_id": "A"}, "no field tells it from LME.CA3M"), ({}, "fields.security_id")):
        second["fields"] = fields
        file.write_text(toml_text(content), encoding="utf-8")
        with pytest.raises(SiteError, match=named):
            load_site(file, {})
