"""Dialects: what the shipped ones say, that a new venue needs no code, that a mistake is told."""

from pathlib import Path

import pytest
from fix_values import CU, wire

from gateway.fix.dialect import DIALECTS, DialectError, load_dialect
from gateway.fix.dictionary import SPECS
from gateway.fix.encode import OrderEncoder
from gateway.fix.market_data import MarketDataDecoder
from gateway.fix.orders import OrderDecoder
from gateway.model.order import ExecutionReport, Order, OrdType, PositionEffect, Side, TimeInForce
from gateway.model.quote import BookSnapshot

DOMESTIC = (DIALECTS / "domestic44.toml").read_text()


def test_shipped_dialects_say_what_the_venues_speak() -> None:
    """The differences of the two dialects, in a row each."""
    assert [
        (d.begin_string, d.incremental, d.mass_status, d.mass_cancel, d.exec_key, bool(d.exec_trans_types))
        for d in map(load_dialect, ("domestic44", "overseas42"))
    ] == [
        ("FIX.4.4", False, "AF", True, ("venue", "account", "75", "54", "17"), False),
        ("FIX.4.2", True, "H", False, ("venue", "account", "17"), True),
    ]


def test_a_site_changes_what_venues_differ_in() -> None:
    """RptSeq, the times in force and the depth are the site's to change."""
    dialect = load_dialect("overseas42", rpt_seq=False, times_in_force=["0", "4"], depth=10)
    assert (dialect.rpt_seq, dialect.times_in_force, dialect.depth) == (
        False,
        frozenset((TimeInForce.DAY, TimeInForce.FOK)),
        10,
    )


@pytest.mark.parametrize(
    ("changes", "right"),
    [
        ({"rpt_seq": 1}, "rpt_seq = 1 is of the wrong kind"),
        ({"times_in_force": ["9"]}, "right would be some of 0, 1, 3, 4"),
        ({"name": "x"}, "name = 'x' cannot be changed by a site"),
    ],
)
def test_a_wrong_change_is_told(changes: dict[str, object], right: str) -> None:
    """What a site may not change, or not so, is refused by name."""
    with pytest.raises(DialectError) as caught:
        load_dialect("domestic44", **changes)
    assert right in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "right"),
    [
        (
            'begin_string = "FIX.4.4"',
            'begin_string = "FIX.4.2"',
            "dialect.begin_string = 'FIX.4.2'; right would be FIX.4.4",
        ),
        ('resolution = "ms"', 'resolution = "hours"', "time.resolution = 'hours'; right would be one of s, ms, us, ns"),
        ('form = "snapshot"', "", "market_data.form is missing; right would be a value of kind str"),
        ("depth = 5", "depth = true", "market_data.depth = True; right would be a value of kind int"),
        (
            '54 = "side"',
            '54 = "sides"',
            "message.new_order.54 = 'sides'; right would be =TEXT, constant:NAME or one of",
        ),
        ('54 = "side"', "", "message.new_order.54 is missing; right would be a source"),
        (
            '11 = "cl_ord_id"',
            '11 = "cl_ord_id"\n9999 = "=1"',
            "message.new_order.9999 = '=1'; right would be a tag that",
        ),
        ('F = "TRADE"', 'F = "FILL"', "orders.exec_type.F = 'FILL'; right would be one of NEW"),
        ('"75", "54", "17"]', '"75", "54"]', "orders.exec_key = ['venue', 'account', '75', '54']"),
        ('"75", "54", "17"]', '"75x", "17"]', "orders.exec_key = '75x'; right would be venue, account or a tag"),
        ('["0", "3", "4"]', '["0", "7"]', "orders.times_in_force = '7'; right would be one of"),
        ("mass_cancel = true", "mass_cancel = true\ncolour = 1", "orders.colour = 1; right would be no such key here"),
        ('O = { 77 = "O" }', 'O = { 78 = "O" }', "orders.position_effect.O.78 = 'O'; right would be a tag"),
        ('35 = "D"', '35 = "ZZ"', "message.new_order.35 = 'ZZ'; right would be one of"),
        ("[time]", "[time", "not TOML"),
        ('"domestic44.xml"', '"nowhere.xml"', "nowhere.xml: cannot be read"),
    ],
)
def test_a_mistake_in_a_dialect_is_told(old: str, new: str, right: str, tmp_path: Path) -> None:
    """The error names file, key, value and what would be right."""
    assert old in DOMESTIC
    path = tmp_path / "venue.toml"
    path.write_text(DOMESTIC.replace(old, new, 1))
    with pytest.raises(ValueError, match=r".") as caught:
        load_dialect(path)
    assert right in str(caught.value)
    assert "venue.toml" in str(caught.value) or "nowhere.xml" in str(caught.value)


def test_an_unknown_name_lists_the_shipped_dialects() -> None:
    """A dialect that does not exist is answered with those that do."""
    with pytest.raises(DialectError, match="domestic44, fixt11sp2, lmeselect44, overseas42"):
        load_dialect("nasdaq")


def test_cancel_on_disconnect_is_asked_for_by_a_line_of_the_dialect(tmp_path: Path) -> None:
    """A venue that cancels when the session is lost, if the Logon asks: its tag in the dictionary, a text in [logon]."""
    dictionary = (SPECS / "domestic44.xml").read_text()
    dictionary = dictionary.replace(
        '      <field name="Password" required="N"/>\n',
        '      <field name="Password" required="N"/>\n      <field name="CancelOnDisconnect" required="N"/>\n',
        1,
    ).replace("  <fields>\n", '  <fields>\n    <field number="35002" name="CancelOnDisconnect" type="INT"/>\n', 1)
    (tmp_path / "other.xml").write_text(dictionary)
    toml = DOMESTIC.replace('"domestic44.xml"', '"other.xml"').replace("[logon]\n", '[logon]\n35002 = "=1"\n', 1)
    (tmp_path / "other.toml").write_text(toml)
    rules = load_dialect(tmp_path / "other.toml").logon
    assert [(rule.tag, rule.source) for rule in rules] == [("35002", "=1"), ("553", "username"), ("554", "password")]


def test_a_venue_with_other_words_needs_no_code(tmp_path: Path) -> None:
    """Close-today as a value of 77, another tag for the hedge flag, local stamps, a fill key of its own: two files."""
    dictionary = (SPECS / "domestic44.xml").read_text().replace("20078", "9001")
    (tmp_path / "other.xml").write_text(dictionary)
    toml = (
        DOMESTIC.replace('"domestic44.xml"', '"other.xml"')
        .replace('T = { 77 = "C", 20077 = "Y" }', 'T = { 77 = "T" }')
        .replace("20078 = ", "9001 = ")
        .replace("utc_offset_minutes = 0", "utc_offset_minutes = 480")
        .replace('["venue", "account", "75", "54", "17"]', '["17", "37"]')
        .replace("rpt_seq = true", "rpt_seq = false")
    )
    (tmp_path / "other.toml").write_text(toml)
    dialect = load_dialect(tmp_path / "other.toml")
    order = Order(
        "T1", "SHFE", "A1", "SHFE.cu2609", Side.BUY, 5, OrdType.LIMIT, 7123, TimeInForce.IOC,
        PositionEffect.CLOSE_TODAY, "3",
    )  # fmt: skip
    assert OrderEncoder(dialect, {"cu2609": CU}, {}).new_order_text(order, 0) == wire(
        "35=D|11=T1|1=A1|55=cu2609|207=SHFE|54=1|60=19700101-08:00:00.000|38=5|40=2|44=71230|59=3|77=T|9001=3|"
    )
    report = OrderDecoder(dialect, "SHFE", {"cu2609": CU}).decode(
        wire("8=FIX.4.4|35=8|34=2|52=19700101-08:00:01|37=O1|17=E1|150=F|39=2|32=5|31=71230|151=0|14=5|6=71230|"), 7
    )
    assert isinstance(report, ExecutionReport)
    assert (report.exec_key, report.venue_ns) == ("E1|O1", 10**9)
    [book] = MarketDataDecoder(dialect, "SHFE", {"cu2609": CU}).decode(
        wire("8=FIX.4.4|35=W|34=2|52=19700101-08:00:01|55=cu2609|268=1|269=0|270=71230|271=5|290=1|"), 7
    )
    assert book == BookSnapshot("SHFE.cu2609", 7, 10**9, 2, 0, ((7123, 5),), ())
