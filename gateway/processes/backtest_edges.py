"""How far a price is beyond what a rule asks for, at one unit: by its threshold, or by the money that a counter-price
rule leaves after costs. The same arithmetic as the trigger's (`gateway/trigger/costs.py`), on books that are given.

What can go wrong: fees that are not known for the day. Then a counter-price rule has no edge, here as there.
"""

from collections.abc import Mapping

from gateway.execution.ledger import ExecutionSettings
from gateway.model.conditions import RuleKind
from gateway.model.order import Side
from gateway.model.quote import Quote
from gateway.model.site import RuleSpec
from gateway.trigger.costs import Trade, edge
from gateway.trigger.price import PairFormula
from gateway.trigger.rulebook import Rulebook


class Edges:
    """Of every rule; thresholds and positions are those that the trigger's rules have now."""

    def __init__(self, given: ExecutionSettings, rules: Rulebook) -> None:
        counters = [one for one in given.rules.values() if one.kind is RuleKind.COUNTER_PRICE]
        self._rules = rules
        self._formulas = {one.pair_id: PairFormula(given.pairs[one.pair_id], given.instruments) for one in counters}
        self._day = ""
        self._days: dict[str, str] = {}

    def on_day(self, day: str) -> None:
        """The date that counts for an instrument without a trading day of its own."""
        self._day = day
        self._tell_day()

    def on_hours(self, instrument_id: str, trading_day: str) -> None:
        """An instrument's trading day."""
        self._days[instrument_id] = trading_day
        self._tell_day()

    def beyond_e9(self, rule_id: str, side: Side, px_e9: int, quotes: Mapping[str, Quote]) -> int | None:
        """In the pair's price, or in money for one unit of a counter-price rule; None where it is not met."""
        rule = self._rules.machines[rule_id]
        threshold_e9 = rule.threshold_e9(side)
        if threshold_e9 is None:
            return None
        beyond_e9 = (threshold_e9 - px_e9) * side.sign
        if beyond_e9 < 0:
            return None
        if rule.spec.kind is not RuleKind.COUNTER_PRICE:
            return beyond_e9
        return self._money_e9(rule.spec, side, px_e9, quotes, opens=rule.pool.opens(side, rule.net_units))

    def _money_e9(
        self, spec: RuleSpec, side: Side, px_e9: int, quotes: Mapping[str, Quote], *, opens: bool
    ) -> int | None:
        formula = self._formulas[spec.pair_id]
        walks = formula.walks(side, 1, quotes)
        if walks is None or spec.min_edge_e9 is None:
            return None
        found = edge(formula, spec.costs, Trade(side, 1, px_e9, walks, opens), quotes, self._day_of)
        left_e9 = None if found is None else found.net_e9 - spec.min_edge_e9
        return left_e9 if left_e9 is not None and left_e9 >= 0 else None

    def _day_of(self, instrument_id: str) -> str:
        return self._days.get(instrument_id) or self._day

    def _tell_day(self) -> None:
        for formula in self._formulas.values():
            if formula.expression is not None:
                formula.expression.on_day(self._day_of(formula.legs[0].spec.instrument_id))
