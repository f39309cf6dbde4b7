"""docs/STATE_MACHINES.md from the tables: `python -m tests.simulation.state_matrices` writes it.

Every cell is a named transition or a named refusal. Which cells the code never asks for, and why, stands in NEVER_ASKED:
the soak expects all others to be visited.
"""

# ruff: noqa: T201 - it prints its result

import sys
from pathlib import Path

from gateway.execution import order_state, pair_trade
from tests.simulation import cells

FILE = Path(__file__).parents[2] / "docs" / "STATE_MACHINES.md"
REFUSED = "refused"
MACHINES = {"order": order_state, "pair trade": pair_trade}
NAMES = {"order": "OrderState x OrderInput", "pair trade": "PairTradeState x Balance"}
_ONE_LEG = "one event moves one leg: in between the trade is legged, and repaired from there"
_BACK = "an order of an ended trade comes back as open first, and the trade is repairing then"
_HALTED = "a halted trade is told `give_up` whatever its orders add up to"
NEVER_ASKED: dict[tuple[str, str, str], str] = {
    **{
        ("pair trade", "halted", given): _HALTED
        for given in ("waiting_for", "doubtful", "hedged", "nothing", "flat", "legged", "blocked")
    },
    **{
        ("pair trade", state, given): _ONE_LEG
        for state, given in (
            ("hedged", "flat"),
            ("unwound", "hedged"),
            ("unwound", "nothing"),
            ("missed", "flat"),
        )
    },
    **{("pair trade", state, "doubtful"): _BACK for state in ("hedged", "unwound", "missed")},
    ("pair trade", "working", "flat"): "what was filled is sold back by a repair, and then it is repairing",
    ("order", "done", "doubted"): "an order that has ended is not put in doubt",
    ("order", "in_doubt", "doubted"): "nor is one that is in doubt",
    ("order", "done", "unsent"): "what became of the sending is looked at while the order is `sent`",
    ("order", "in_doubt", "unsent"): "as above",
    ("order", "cancelling", "cancel_sent"): "a second cancel waits for the answer to the first",
}
"""(machine, state, input) -> why no code asks for it. The table answers all the same."""


def text() -> str:
    """The whole page."""
    parts = [
        "# State machines",
        "",
        "Made from the tables in `gateway/execution/order_state.py` and `gateway/execution/pair_trade.py` by",
        "`python -m tests.simulation.state_matrices`; a test compares. A cell names the next state, or says `refused`:",
        "then `IllegalInputError` is raised, nothing has changed, and the pair trade goes to a person",
        "(`HaltCause.VENUE_DISAGREES`).",
    ]
    for machine, module in MACHINES.items():
        parts += [
            "",
            f"## {machine.capitalize()}: {NAMES[machine]}",
            "",
            *_prose(module.__doc__ or ""),
            "",
            *_matrix(machine),
        ]
        parts += ["", "```mermaid", "stateDiagram-v2", *_diagram(machine), "```"]
        unasked = [(state, given, why) for (name, state, given), why in NEVER_ASKED.items() if name == machine]
        parts += ["", "Cells that no code asks for (the table answers all the same):", ""]
        parts += [f"- {state} x {given}: {why}" for state, given, why in unasked]
    return "\n".join(parts) + "\n"


def _prose(doc: str) -> list[str]:
    """The module's own words."""
    return doc.strip().splitlines()


def _matrix(machine: str) -> list[str]:
    inputs = cells.INPUTS[machine]
    table = cells.TABLES[machine]
    rows = [["state", *(given.value for given in inputs)]]
    for state, row in table.items():
        rows.append([f"**{state.value}**", *(row[given].value if given in row else REFUSED for given in inputs)])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]


def _diagram(machine: str) -> list[str]:
    """One arrow for each pair of states, with all inputs that lead there."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for state, row in cells.TABLES[machine].items():
        for given, following in row.items():
            if following is not state:
                arrows.setdefault((state.value, following.value), []).append(given.value)
    return [f"    {begin} --> {end}: {', '.join(given)}" for (begin, end), given in arrows.items()]


def main() -> int:
    """Write the page."""
    FILE.write_text(text(), encoding="utf-8")
    print(f"{FILE} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
