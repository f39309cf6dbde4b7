"""What the promised figures of a run come to. Pure.

    figure             passes                                              fails
    quote_to_order_ns  99th percentile below 50 ms                         at or above it
    order_success      lower end of the 95 % interval at or above 98 %     share over pair trades below 98 %
    pair_completion    the same                                            the same
    reconciliation     journal and venues are equal                        anything differs

Between pass and fail lies "not enough trades (n of N)": nothing speaks against the figure, and N trades with as many
failures would prove it. A figure with an empty sample is there too. "In step" has no limit of its own unless one is
given. The whole run fails with any figure, and passes only with all.
"""

from collections.abc import Mapping
from typing import Any

from gateway.journal.in_step import NOT_MEASURED
from gateway.journal.statistics import PROMISED_SHARE, trials_needed

LATENCY_LIMIT_NS = 50_000_000
IN_STEP_LIMIT_NS = 35_000_000
PASS, FAIL, NOT_ENOUGH = "pass", "fail", "not enough trades"


def judge(summary: Mapping[str, Any]) -> dict[str, str]:
    """Give a word for each promised figure of a summary and for `overall`."""
    verdict = {
        "quote_to_order_ns": _latency(summary["quote_to_order_ns"]["p99"]),
        "order_success": _share(summary["order_success"]["trades"], summary["order_success"]["lower_95"]),
        "pair_completion": _share(summary["pair_completion"], summary["pair_completion"]["lower_95"]),
        "reconciliation": _reconciled(summary),
        "quotes_in_step_ns_p99": _in_step(summary["quotes_in_step_ns_p99"]),
    }
    return {"overall": _overall(verdict), **verdict}


def _latency(p99_ns: int | None) -> str:
    if p99_ns is None:
        return f"{NOT_ENOUGH} (0 of 1)"
    return PASS if p99_ns < LATENCY_LIMIT_NS else FAIL


def _share(share: Mapping[str, Any], lower: float | None) -> str:
    count, whole = share["count"], share["of"]
    if lower is not None and lower >= PROMISED_SHARE:
        return PASS
    if whole and count / whole < PROMISED_SHARE:
        return FAIL
    return f"{NOT_ENOUGH} ({whole} of {trials_needed(whole - count)})"


def _reconciled(summary: Mapping[str, Any]) -> str:
    if summary["reconciled_with_venues"]:
        return PASS
    return FAIL if summary["differences"] else "not compared"


def _in_step(p99_ns: int | str) -> str:
    if isinstance(p99_ns, str):
        return NOT_MEASURED
    return PASS if p99_ns < IN_STEP_LIMIT_NS else FAIL


def _overall(verdict: Mapping[str, str]) -> str:
    words = set(verdict.values())
    if FAIL in words:
        return FAIL
    if words <= {PASS, NOT_MEASURED}:
        return PASS
    short = [word for word in verdict.values() if word.startswith(NOT_ENOUGH)]
    return short[-1] if short else "not compared"
