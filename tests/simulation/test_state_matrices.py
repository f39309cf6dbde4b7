"""The page of the state machines says what the tables say."""

import pytest

from gateway.execution import order_state, pair_trade
from tests.simulation import cells, state_matrices


def test_the_page_is_made_from_the_tables() -> None:
    """docs/STATE_MACHINES.md is what the generator writes now."""
    assert state_matrices.FILE.read_text(encoding="utf-8") == state_matrices.text(), (
        "run: python -m tests.simulation.state_matrices"
    )


@pytest.mark.parametrize("machine", cells.TABLES)
def test_every_cell_is_a_transition_or_a_refusal(machine: str) -> None:
    """For each state and input there is one next state, or IllegalInputError with both names in it."""
    next_state = {"order": order_state.next_state, "pair trade": pair_trade.next_state}[machine]
    table = cells.TABLES[machine]
    for state in table:
        for given in cells.INPUTS[machine]:
            if given in table[state]:
                assert next_state(state, given) in table
                continue
            with pytest.raises(order_state.IllegalInputError, match=f"{state.value}.*{given.value}"):
                next_state(state, given)


def test_cells_that_are_never_asked_for_exist() -> None:
    """A reason is given only for a cell that the tables have."""
    known = {(machine, state, given) for machine, pairs in cells.legal().items() for state, given in pairs}
    assert set(state_matrices.NEVER_ASKED) <= known
