"""A few days of clients on real processes with kills, and that what watches over them would notice a mistake."""

from pathlib import Path

import pytest
from client_day import Day, Length
from report_book import Fields, ReportBook

from tests.chaos.rig import VENUES


@pytest.mark.parametrize("seed", [1, 2])
def test_a_day_with_kills_is_told_as_it_was(tmp_path: Path, seed: int) -> None:
    """Clients, drop copy, execution's journal and the venues' own record agree, fill by fill and order by order."""
    day = Day(tmp_path, seed, Length(kills=4, actions=12))
    try:
        day.start()
        assert day.play() == []
        assert sum(len(one.book.told) for one in day.funds) > 40
        assert any(list(day.truth(venue, "fills.jsonl")) for venue in VENUES)
    finally:
        day.close()


NEW = "150=0|39=0|14=0|151=2|6=0"
FILL = "150=F|39=1|14=1|151=1|6=10|32=1|31=10|17=E2"
CASES = """
what is wrong                      | reports after the first
LastQty(32) twice                  | 150=F|39=2|14=2|151=0|6=10|32=1|31=10|17=E2
ExecID(17)=E1 was told before      | 150=F|39=1|14=1|151=1|6=10|32=1|31=10|17=E1
are not OrderQty(38)=2             | 150=F|39=1|14=1|151=0|6=10|32=1|31=10|17=E2
but the trades average             | 150=F|39=1|14=1|151=1|6=11|32=1|31=10|17=E2
39=2 at CumQty(14)=1               | 150=F|39=2|14=1|151=0|6=10|32=1|31=10|17=E2
names no trade of 1                | FILL ; 150=H|39=0|14=0|151=2|6=0|32=1|31=10|17=E3|19=E9
names no trade of 1                | FILL ; 150=H|39=0|14=0|151=2|6=0|32=1|31=10|17=E3
none left                          | 150=4|39=4|14=0|151=2|6=0|17=E2
LastQty(32) in 150=4               | 150=4|39=4|14=0|151=0|6=0|32=1|17=E2
after the end                      | 150=4|39=4|14=0|151=0|6=0|17=E2 ; 150=6|39=6|14=0|151=2|6=0|17=E3
39=0 after 39=4                    | 150=4|39=4|14=0|151=0|6=0|17=E2 ; 150=D|39=0|14=0|151=2|6=0|17=E3
39=0 in 150=6                      | 150=6|39=0|14=0|151=2|6=0|17=E2
OrderID(37)=O9, but O1             | 150=6|39=6|14=0|151=2|6=0|17=E2|37=O9
14=1, not 0                        | 150=I|39=0|14=1|151=1|6=0|17=0
17=E7, not 0                       | 150=I|39=0|14=0|151=2|6=0|17=E7
an answer 39=1 after 39=4          | 150=4|39=4|14=0|151=0|6=0|17=E2 ; 150=I|39=1|14=0|151=0|6=0|17=0
""".strip().splitlines()[1:]


def report(text: str) -> Fields:
    """A report of FIX 4.4 about the order O1, with these fields."""
    base = "8=FIX.4.4|35=8|11=a|37=O1|17=E1|38=2|442=3|54=1|55=CU-CA"
    return dict(field.split("=", 1) for part in (base, text) for field in part.split("|"))


@pytest.mark.parametrize("row", CASES, ids=lambda row: row.partition("|")[0].strip())
def test_what_an_order_management_could_not_follow_is_noticed(row: str) -> None:
    """Counts, averages, references, states and ids that do not agree with what was told before."""
    what, _, texts = row.partition("|")
    book = ReportBook("F")
    book.take(report(NEW))
    assert book.wrong == []
    for text in texts.split(";"):
        book.take(report(FILL if text.strip() == "FILL" else text.strip()))
    expected = what.strip().replace("LastQty(32) twice", "are 1")
    assert any(expected in line for line in book.wrong), book.wrong


def test_what_it_can_follow_is_nothing_wrong() -> None:
    """Two fills, one corrected, one taken back in part, a resend of one, the end; the same in FIX 4.2."""
    rest = "17=E2|32=1|31=10"
    texts = (
        NEW, FILL, FILL + "|97=Y", "150=F|39=2|14=2|151=0|6=11|32=1|31=12|17=E3",
        "150=G|39=2|14=2|151=0|6=12|32=1|31=14|17=E4|19=E3", "150=H|39=4|14=1|151=0|6=10|32=1|31=14|17=E5|19=E4",
        "150=I|39=4|14=1|151=0|6=10|17=0", "150=D|39=4|14=1|151=0|6=10|17=E6",
    )  # fmt: skip
    book = ReportBook("F")
    for text in texts:
        book.take(report(text))
    assert book.wrong == []
    assert (book.status("a"), book.cum("a"), book.status("b")) == ("4", 1, "")
    old = ReportBook("F")
    for text in (
        NEW + "|20=0",
        f"150=1|20=0|39=1|14=1|151=1|6=10|{rest}",
        "150=0|20=1|39=0|14=0|151=2|6=0|17=E3|32=1|31=10|19=E2",
    ):
        old.take(report(text) | {"8": "FIX.4.2"})
    assert old.wrong == []
