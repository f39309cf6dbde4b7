"""Positions in a venue's words: the request by its dialect, the answer as values, what cannot be used named."""

from pathlib import Path

import pytest
from fix_values import CU, DOMESTIC, wire

from gateway.fix.dialect import DIALECTS, DialectError, load_dialect
from gateway.fix.encode import OrderEncoder
from gateway.fix.orders import OrderDecoder
from gateway.model.order import BadOrderMessage, OrderEvent
from gateway.model.position import PositionLine, PositionsAcked

HEAD = "8=FIX.4.4|9=1|35={}|34=7|49=V|52=20260105-01:02:03.004|56=CMC|"


def decode(kind: str, body: str) -> OrderEvent | None:
    """What the domestic venue's message says."""
    decoder = OrderDecoder(DOMESTIC, "SHFE", {"cu2609": CU})
    return decoder.decode(wire(HEAD.format(kind) + body + "10=000|"), 5)


def test_the_request_is_written_as_the_dialect_says() -> None:
    """Account, the id that the answer gives back, the day; without a day its field is left out."""
    encoder = OrderEncoder(DOMESTIC, {"cu2609": CU}, {})
    text = encoder.positions_request("Q1", "A1", "20260105", 1767574923004000000).toString().replace("\x01", "|")
    for field in ("|35=AN|", "|710=Q1|", "|1=A1|", "|715=20260105|", "|60=20260105-01:02:03.004|", "|724=0|"):
        assert field in text
    assert "|715=" not in encoder.positions_request("Q1", "A1", "", 0).toString().replace("\x01", "|")


ACKS = """
body                                    | total | failure
721=P1 710=Q1 727=2 728=0 729=0         | 2     |
721=P1 710=Q1 728=2 729=0               | 0     |
721=P1 710=Q1 728=0 729=0               | -1    |
721=P1 710=Q1 728=0 729=2 58=shut       | -1    | PosReqResult(728) 0 PosReqStatus(729) 2 shut
721=P1 710=Q1 727=0 728=3 729=2         | 0     | PosReqResult(728) 3 PosReqStatus(729) 2
"""


@pytest.mark.parametrize("row", ACKS.strip("\n").splitlines()[1:])
def test_acknowledgements(row: str) -> None:
    """How many lines follow, or why none does."""
    body, total, failure = (cell.strip() for cell in row.split("|"))
    acked = decode("AO", body.replace(" ", "|") + "|")
    assert acked == PositionsAcked("SHFE", 5, "Q1", int(total), failure)


def test_days_are_summed_and_kept_apart() -> None:
    """Today's and earlier lots, the hedge flag, the day that the venue calls today."""
    body = "55=cu2609|1=A1|702=2|703=TQ|704=3|705=1|703=SOD|704=4|705=0|710=Q1|715=20260105|727=1|20078=2|"
    assert decode("AP", body) == PositionLine(
        "SHFE", 5, "Q1", CU.instrument_id, "A1", 7, 1, 3, 1, "2", "", "20260105", 1
    )


def test_a_line_without_quantities_tells_of_no_lots() -> None:
    """A venue may name an instrument of which nothing is held."""
    told = decode("AP", "55=cu2609|1=A1|710=Q1|")
    assert isinstance(told, PositionLine)
    assert (told.long_lots, told.short_lots, told.total) == (0, 0, -1)


BAD = """
body                                                     | reason
55=al2609 702=1 703=TQ 704=3                             | Symbol(55) 'al2609'; right would be an instrument of SHFE
702=1 703=TQ 704=3                                       | Symbol(55) is missing
55=cu2609 702=1 703=TQ 704=1.5                           | LongQty(704) '1.5'; right would be a whole number of lots
55=cu2609 702=1 703=TQ 704=-3                            | LongQty(704) '-3'
55=cu2609 702=2 703=TQ 704=3                             | NoPositions(702) '2'; right would be 1
55=cu2609 702=1 703=DLV 704=3                            | PosType(703) 'DLV'; right would be one of TQ
55=cu2609 702=1 703=TQ 704=3 727=many                    | TotalNumPosReports(727) 'many'
"""


@pytest.mark.parametrize("row", BAD.strip("\n").splitlines()[1:])
def test_what_cannot_be_used_is_named(row: str) -> None:
    """Nothing is guessed: no lots are better than wrong ones."""
    body, reason = (cell.strip() for cell in row.split("|"))
    told = decode("AP", body.replace(" ", "|") + "|")
    assert isinstance(told, BadOrderMessage)
    assert reason in told.reason.replace("\x01", "|")


@pytest.mark.parametrize(
    ("old", "new", "right"),
    [
        ('earlier = "SOD"', "", "positions.earlier = ''; right would be a PosType(703) each for today and earlier"),
        ('today = "TQ"', 'tuday = "TQ"', "right would be a PosType(703) each for today and earlier"),
        ('20078 = "hedge_flag"', '20078 = "flag"', "positions.fields.20078 = 'flag'; right would be one of hedge_flag"),
        ('20078 = "hedge_flag"', '44 = "hedge_flag"', "a tag that the dictionary has in 35=AP"),
        ('20079 = "=Y"', '44 = "=Y"', "cancel_on_disconnect.44 = '=Y'; right would be a tag that the dictionary has"),
        ("[message.positions_request]", "[message.positions]", "message.positions_request is missing"),
    ],
)
def test_a_mistake_in_the_tables_is_told(tmp_path: Path, old: str, new: str, right: str) -> None:
    """With the key, the value and what would be right."""
    toml = (DIALECTS / "domestic44.toml").read_text()
    assert toml.count(old) >= 1
    (tmp_path / "other.toml").write_text(toml.replace(old, new, 1))
    with pytest.raises(DialectError) as caught:
        load_dialect(tmp_path / "other.toml")
    assert right in str(caught.value)


def test_two_dialects_offer_cancel_on_disconnect_and_two_say_why_not() -> None:
    """A tag of the Logon, or words."""
    names = ("domestic44", "fixt11sp2", "lmeselect44", "overseas42")
    offers = {name: load_dialect(name) for name in names}
    assert [bool(one.cancel_on_disconnect) for one in offers.values()] == [True, True, False, False]
    assert [bool(one.no_cancel_on_disconnect) for one in offers.values()] == [False, False, True, True]
