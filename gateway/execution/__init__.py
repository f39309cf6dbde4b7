"""The last gate: risk, dispatch of both legs, order and pair-trade machines, repair, positions. Pure."""
