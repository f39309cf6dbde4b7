"""Which faults strike which order, message or time. It decides only that; what a fault does stands in the venue.

A draw is keyed by seed, fault name and ordinal (draw.py), so that the same orders are struck whatever the network or
the machine did. Order faults count NewOrderSingle from 1; market-data faults count an instrument's RptSeq(83).
"""

from collections import Counter

from simulators.core.config import FaultSpec
from simulators.core.draw import draw

FAULT_NAMES = {
    "reject": "the order is rejected (params: reason, text)",
    "partial": "only a part of what could fill at once does (params: fraction, 0.5)",
    "late_fill": "fills are reported late (params: delay_ms, 500)",
    "fill_before_ack": "the first fill is reported before the acknowledgement",
    "delay": "all reports of the order leave late (params: delay_ms, 200)",
    "drop_connection": "the connection is cut (params: session, processed, refuse_ms)",
    "gap": "a market-data message is lost (params: level = rpt_seq or msg_seq_num)",
    "duplicate": "a report is sent twice (params: stream = orders or md)",
    "out_of_order": "reports are swapped (params: stream = orders or md, delay_ms, 50)",
    "halt": "trading halts (params: symbol)",
    "session": "a segment does not trade (params: segment, status = TradSesStatus(340), 1 halted)",
    "limit_locked": "the book stands at a price limit (params: symbol, side = up or down, qty)",
    "bust": "a fill is busted later (params: delay_ms, 1000)",
    "correct": "a fill's price is corrected later (params: delay_ms, 1000; ticks, 1)",
    "silence": "no report of the order leaves (params: lost)",
    "outside_trade": "a trader trades by telephone on the same account (params: symbol, direction = buy or sell, qty,"
    " effect = O, C or T, told = drop_copy, orders or none)",
    "cancel_reject": "every cancel or replace of the order is refused (params: reason, text)",
}
TIMED = frozenset({"halt", "session", "limit_locked", "drop_connection", "outside_trade"})
_STREAMED = frozenset({"duplicate", "out_of_order"})


class FaultPlan:
    """The faults of one venue and how often each has struck."""

    def __init__(self, seed: int, start_ns: int, specs: tuple[FaultSpec, ...]) -> None:
        self._seed = seed
        self._start_ns = start_ns
        self.counts: Counter[str] = Counter()
        self._timed = [spec for spec in specs if spec.name in TIMED and not spec.ordinals and not spec.probability]
        rest = [spec for spec in specs if spec not in self._timed]
        self._market_data = [spec for spec in rest if _stream(spec) == "md"]
        self._orders = [spec for spec in rest if _stream(spec) == "orders"]

    def timed(self) -> list[FaultSpec]:
        """Faults that begin and end at set times."""
        return self._timed

    def for_order(self, ordinal: int, at_ns: int) -> dict[str, FaultSpec]:
        """The faults that strike this order, by name."""
        if not self._orders:
            return {}
        return self._struck(self._orders, at_ns, ordinal)

    def for_market_data(self, symbol: str, rpt_seq: int, at_ns: int) -> dict[str, FaultSpec]:
        """The faults that strike this market-data message, by name."""
        if not self._market_data:
            return {}
        return self._struck(self._market_data, at_ns, rpt_seq, symbol)

    def _struck(self, specs: list[FaultSpec], at_ns: int, ordinal: int, symbol: str = "") -> dict[str, FaultSpec]:
        struck: dict[str, FaultSpec] = {}
        for spec in specs:
            if spec.name not in struck and self._strikes(spec, at_ns, ordinal, symbol):
                struck[spec.name] = spec
        for name in struck:
            self.counts[name] += 1
        return struck

    def _strikes(self, spec: FaultSpec, at_ns: int, ordinal: int, symbol: str) -> bool:
        since_ns = at_ns - self._start_ns
        if symbol and spec.word("symbol", symbol) != symbol:
            return False
        if spec.for_ns and not spec.at_ns <= since_ns < spec.at_ns + spec.for_ns:
            return False
        if ordinal in spec.ordinals:
            return True
        if spec.probability:
            return draw(self._seed, spec.name, ordinal, symbol) < spec.probability
        return bool(spec.for_ns) and not spec.ordinals


def _stream(spec: FaultSpec) -> str:
    if spec.name == "gap":
        return "md"
    return spec.word("stream", "orders") if spec.name in _STREAMED else "orders"
