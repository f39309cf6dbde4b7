"""What venues write that no price can be: it is counted, told, and can be written down."""

import msgspec
import pytest
from desk import CU_PX, E9, Desk

from gateway.execution.order_book import price_e9
from gateway.model.order import ExecType
from gateway.model.record import Decision
from gateway.model.trade import CommandAnswered, PairTradeState, Verb

PRICES = """
text         | price_e9
78000        | 78000000000000
0.29         | 290000000
-37.63       | -37630000000
1e9          | 1000000000000000000
1000000001   | 0
NaN          | 0
sNaN         | 0
Infinity     | 0
-inf         | 0
1e999999999  | 0
1e-999999999 | 0
x            | 0
"""


@pytest.mark.parametrize("row", PRICES.strip().splitlines()[1:])
def test_a_price_is_exact_or_none(row: str) -> None:
    """Whatever a venue writes, a price is an exact number up to 1e9, or 0; nothing raises."""
    text, wanted = (cell.strip() for cell in row.split("|"))
    assert price_e9(text) == int(wanted)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999999999", "abc", ""])
def test_a_fill_with_no_number_for_a_price_counts(text: str) -> None:
    """Its lots are booked and a person is told."""
    desk = Desk()
    first, _ = desk.open()
    desk.do(desk.report(first, ExecType.TRADE, 5, last_px=text, last_px_ticks=None))
    assert desk.filled() == (5, 0)
    assert "off_tick_fill" in desk.alarms()


def test_a_loss_beyond_64_bits_can_be_journalled() -> None:
    """A pair trade that was filled at an absurd price is told with the largest loss that a record holds."""
    desk = Desk()
    first, second = desk.open()
    desk.fill(first, last_px="999999999", last_px_ticks=None)
    actions = desk.fill(second)
    assert desk.told().state is PairTradeState.HEDGED
    assert desk.told().slippage_e9 == 2**63 - 1
    assert CU_PX * 10 * E9 < desk.told().legs[0].avg_px_e9 < 2**63
    msgspec.msgpack.encode(Decision(1, 1, desk.report(second, ExecType.NEW), tuple(actions)))


@pytest.mark.parametrize("lots", ["0", "-1", "2.5", "1000000000", "9" * 5000, "\u0665", "x"])
def test_a_count_that_a_person_mistyped_is_refused(lots: str) -> None:
    """Not booked, and answered with the form."""
    desk = Desk()
    desk.open()
    desk.command(Verb.FILL_ADD, f"P1-1 2 sell {lots} 9751.5 PHONE1", "t2")
    (answer,) = desk.announced(CommandAnswered)
    assert isinstance(answer, CommandAnswered)
    assert (answer.done, desk.filled()) == (False, (0, 0))
    desk.command(Verb.FILL_ADD, f"P1-1 {lots} sell 1 9751.5 PHONE1", "t3")
    assert desk.filled() == (0, 0)
