"""A message of ours that the venue refuses as such: Reject(35=3) with nothing but a number in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from execution_rig import DOMESTIC, OVERSEAS, TIMEOUT_S, Rig, rig_in, text, until

from gateway.model.trade import OrderState


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rig_in(tmp_path) as made:
        yield made


def test_an_order_whose_reject_names_only_its_number_has_ended(rig: Rig) -> None:
    """RefSeqNum(45) is the MsgSeqNum(34) that it left under: nothing was filled, nothing is asked."""
    order = rig.open()[DOMESTIC]
    venue = rig.venues[DOMESTIC]
    venue.send("3", (45, text(order, 34)), (58, "value is incorrect"))
    until(lambda: rig.order(DOMESTIC).state is OrderState.DONE, "the order has ended")
    assert rig.order(DOMESTIC).filled_lots == 0
    assert venue.messages.empty()


def test_a_reject_of_nobody_knows_what_asks_about_what_is_open(rig: Rig) -> None:
    """Its number is of no message that is remembered: the open order is asked about, and ends by the answer."""
    order = rig.open()[OVERSEAS]
    venue = rig.venues[OVERSEAS]
    venue.send("3", (45, "9999"), (58, "value is incorrect"))
    asked = venue.read("H", TIMEOUT_S)
    assert text(asked, 11) == text(order, 11)
    same = [(tag, text(order, tag)) for tag in (11, 55, 54, 38)]
    unknown = [(37, "NONE"), (17, "0"), (20, "3"), (150, "8"), (39, "8"), *same, (151, "0"), (14, "0"), (6, "0")]
    venue.send("8", *unknown)
    until(lambda: rig.order(OVERSEAS).state is OrderState.DONE, "the order has ended")
    assert rig.order(OVERSEAS).filled_lots == 0
