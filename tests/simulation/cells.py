"""Which cells of the transition tables a run has visited: (machine, state, input), legal ones and refused ones.

The tables themselves are watched, not the code that uses them: each row counts what it is asked for.
"""

# ruff: noqa: ANN401 - a row takes any key

from collections import Counter
from typing import Any

from gateway.execution import order_state, pair_trade

TABLES: dict[str, dict[Any, dict[Any, Any]]] = {
    "order": order_state.TRANSITIONS,  # type: ignore[dict-item]
    "pair trade": pair_trade.TRANSITIONS,  # type: ignore[dict-item]
}
INPUTS: dict[str, tuple[Any, ...]] = {"order": tuple(order_state.OrderInput), "pair trade": tuple(pair_trade.Balance)}

visited: Counter[tuple[str, str, str]] = Counter()


class _Row(dict[Any, Any]):
    """A row of a table that counts what it is asked for."""

    def __init__(self, machine: str, state: str, cells: dict[Any, Any]) -> None:
        super().__init__(cells)
        self._machine = machine
        self._state = state

    def get(self, key: Any, default: Any = None) -> Any:
        visited[self._machine, self._state, key.value] += 1
        return super().get(key, default)

    def __getitem__(self, key: Any) -> Any:
        visited[self._machine, self._state, key.value] += 1
        return super().__getitem__(key)


def watch() -> None:
    """From now on, in this process, every look into a table is counted."""
    for machine, table in TABLES.items():
        for state, cells in table.items():
            if not isinstance(cells, _Row):
                table[state] = _Row(machine, state.value, dict(cells))


def legal() -> dict[str, set[tuple[str, str]]]:
    """Machine -> the (state, input) that have a next state."""
    return {
        machine: {(state.value, given.value) for state, cells in table.items() for given in cells}
        for machine, table in TABLES.items()
    }
