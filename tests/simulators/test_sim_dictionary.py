"""Everything a venue says is valid by the committed dictionary of its dialect, read by QuickFIX: another codec agrees."""

from pathlib import Path

import pytest
from sim_fakes import SYMBOL, book, trade
from sim_live import live

from simulators.fix.client import FixClient, utc_now

quickfix = pytest.importorskip("quickfix")
SPECS = Path(__file__).resolve().parents[2] / "fix_specs"
TAPE = [book(0), trade(0, 101, 2, "1")]


class Witness(FixClient):
    """A client that keeps every message as it stood on the wire."""

    def heard(self, until: int) -> list[bytes]:
        raw: list[bytes] = []
        while len(raw) < until:
            raw += list(self._framer.feed(self._connected().recv(65536)))
        return raw


def checked(raw: bytes, dictionary: object) -> str:
    """The MsgType of a message that QuickFIX reads and finds valid."""
    message = quickfix.Message(raw.decode(), dictionary, True)
    dictionary.validate(message)  # type: ignore[attr-defined]
    kind = quickfix.MsgType()
    message.getHeader().getField(kind)
    return str(kind.getValue())


@pytest.mark.parametrize(("dialect", "begin"), [("domestic44", "FIX.4.4"), ("overseas42", "FIX.4.2")])
def test_orders_of_every_ending_are_told_in_valid_messages(tmp_path: Path, dialect: str, begin: str) -> None:
    """Accepted, filled, rejected, replaced, cancelled, busted, corrected, asked about, and refused as messages."""
    faults = [
        {"name": "bust", "ordinals": [1], "params": {"delay_ms": 1}},
        {"name": "correct", "ordinals": [2], "params": {"delay_ms": 1}},
    ]
    deep = [book(0, asks=((101, 500),))]
    with live(tmp_path, deep, dialect=dialect, fault=faults) as run:  # noqa: SIM117  (the port is known inside)
        with Witness(run.simulator.orders_port, begin, "CMC", "SHFE") as orders:
            orders.send("A", [(98, 0), (108, 30), (141, "Y")])
            orders.order("C1", SYMBOL, "1", 1, "1010", [(77, "O")])
            orders.order("C2", SYMBOL, "1", 1, None, [(77, "O")])
            orders.order("C3", "al", "1", 1, "1010")
            orders.order("C4", SYMBOL, "1", 5, "980")
            terms: list[tuple[int, str | int]] = [(55, SYMBOL), (54, 1), (60, utc_now()), (38, 6)]
            orders.send("G", [(11, "C5"), (41, "C4"), (21, 1), *terms, (40, 2), (44, "970"), (59, 0)])
            orders.send("F", [(11, "C6"), (41, "C5"), *terms])
            orders.send("F", [(11, "C7"), (41, "C5"), *terms])
            orders.send("F", [(11, "C8"), (41, "none"), *terms])
            orders.send("H", [(11, "C1"), (55, SYMBOL), (54, 1)])
            orders.send("H", [(11, "none"), (55, SYMBOL), (54, 1)])
            orders.send("D", [(11, "C9")])
            orders.send("B", [(148, "news")])
            if dialect == "domestic44":
                orders.send("AF", [(584, "S"), (585, 7)])
                orders.send("q", [(11, "Q1"), (530, 7), (60, utc_now())])
            raw = orders.heard(22 if dialect == "domestic44" else 17)
    dictionary = quickfix.DataDictionary(str(SPECS / f"{dialect}.xml"))
    kinds = [checked(each, dictionary) for each in raw]
    expected = {"A": 1, "8": 12, "9": 2, "3": 1, "j": 1}
    if dialect == "domestic44":
        expected |= {"8": 16, "r": 1}
    assert {kind: kinds.count(kind) for kind in set(kinds)} == expected


@pytest.mark.parametrize(("dialect", "begin"), [("domestic44", "FIX.4.4"), ("overseas42", "FIX.4.2")])
def test_market_data_is_told_in_valid_messages(tmp_path: Path, dialect: str, begin: str) -> None:
    """Status, full book, change, refusal."""
    with (
        live(tmp_path, TAPE, dialect=dialect) as run,
        Witness(run.simulator.md_port, begin, "CMC", "SHFE") as md,
        run.client("orders") as orders,
    ):
        orders.logon()
        md.send("A", [(98, 0), (108, 30), (141, "Y")])
        md.subscribe("M1", [SYMBOL], update_type="0" if dialect == "domestic44" else "1")
        md.subscribe("M1", [SYMBOL])
        md.subscribe("M2", [SYMBOL], kind="0")
        raw = md.heard(4 if dialect == "domestic44" else 5)
        orders.order("C1", SYMBOL, "1", 4, "1010")
        if dialect == "overseas42":
            raw += md.heard(1)
    dictionary = quickfix.DataDictionary(str(SPECS / f"{dialect}.xml"))
    kinds = [checked(each, dictionary) for each in raw]
    assert kinds == (["A", "f", "Y", "W"] if dialect == "domestic44" else ["A", "f", "W", "Y", "W", "X"])
