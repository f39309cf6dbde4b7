"""The figures of a backtest as one document: by rule, what there was to take, what was taken, and what it earned.

Trades, orders and slippage are read off the journal by the code that reads every run (`gateway/journal`).
"""

from collections import Counter
from collections.abc import Iterable
from statistics import median
from typing import Any

from gateway.execution.ledger import ExecutionSettings
from gateway.journal.fold import RunStory, TradeStory
from gateway.journal.measure import TRADE_OUTCOMES, alarms, order_counts, refusals, trade_counts
from gateway.journal.statistics import distribution
from gateway.processes.backtest_opportunities import CAPTURED, Opportunities, Opportunity
from gateway.processes.backtest_profit import Profit, summed

VERSION = 1
Figures = dict[str, Any]


def figures(story: RunStory, given: ExecutionSettings, found: Opportunities, earned: Iterable[Profit]) -> Figures:
    """By rule, by pair and in all."""
    rules = [_rule(one, story, found) for one in earned]
    return {
        "version": VERSION,
        "rules": rules,
        "pairs": [
            _sum({"pair": name}, [one for one in rules if one["pair"] == name]) | {"currency": pair.currency}
            for name, pair in given.pairs.items()
        ],
        "currencies": [
            _sum({"currency": name}, [one for one in rules if one["currency"] == name])
            for name in dict.fromkeys(one["currency"] for one in rules)
        ],
        "pair_trades": trade_counts(story),
        "orders": order_counts(story),
        "intents": len(story.intents),
        "refusals": refusals(story),
        "alarms": alarms(story),
    }


def _rule(earned: Profit, story: RunStory, found: Opportunities) -> Figures:
    trades = [one for one in story.trades.values() if _rule_of(one) == (earned.pair_id, earned.rule_id)]
    mine = [one for one in found.found if one.rule_id == earned.rule_id]
    filled = [one.last for one in trades if one.last is not None and any(order.cum_lots for order in one.orders)]
    outcomes = Counter(one.outcome for one in trades)
    lost = [one.slippage_e9 for one in filled]
    return {
        "rule": earned.rule_id,
        "pair": earned.pair_id,
        "currency": earned.currency,
        "opportunities": _opportunities(mine, found),
        "phantoms": found.phantoms[earned.rule_id],
        "trades": {"opened": len(trades), **{name: outcomes[name] for name in TRADE_OUTCOMES}},
        "units": sum(one.hedged_units for one in filled),
        "slippage_e9": {"sum": sum(lost), **distribution(lost)},
        "legged_ns": distribution([one.legged_ns for one in filled]),
        "profit_e9": {
            "gross": earned.gross_e9,
            "fees": earned.fees_e9,
            "financing": earned.financing_e9,
            "net": earned.net_e9,
        },
        "open_lots": earned.open_lots,
        "not_valued": earned.not_valued,
    }  # fmt: skip


def _opportunities(mine: list[Opportunity], found: Opportunities) -> Figures:
    by_outcome: dict[str, list[Opportunity]] = {}
    for one in mine:
        by_outcome.setdefault(found.outcome(one), []).append(one)
    captured = len(by_outcome.get(CAPTURED, ()))
    return {
        "count": len(mine),
        "captured": captured,
        "share": captured / len(mine) if mine else None,
        "outcomes": [
            {
                "outcome": name,
                "count": len(listed),
                "lasted_ns": round(median(one.end_ns - one.begin_ns for one in listed)),
                "best_e9": round(median(one.best_e9 for one in listed)),
            }
            for name, listed in sorted(by_outcome.items(), key=lambda item: (item[0] != CAPTURED, -len(item[1])))
        ],
    }


def _sum(head: Figures, rules: list[Figures]) -> Figures:
    names = ("gross", "fees", "financing", "net")
    return head | {
        "opportunities": sum(one["opportunities"]["count"] for one in rules),
        "captured": sum(one["opportunities"]["captured"] for one in rules),
        "trades": sum(one["trades"]["opened"] for one in rules),
        "units": sum(one["units"] for one in rules),
        "slippage_e9": sum(one["slippage_e9"]["sum"] for one in rules),
        "profit_e9": {name: summed(one["profit_e9"][name] for one in rules) for name in names},
    }


def _rule_of(trade: TradeStory) -> tuple[str, str]:
    said = trade.last or trade.intent
    return ("", "") if said is None else (said.pair_id, said.rule_id)
