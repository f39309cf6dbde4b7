"""What a run looks like while it runs: quotes, pair price against its rule, position, trades, refusals, alarms.

`LiveState` takes what the processes publish and keeps the newest; `screen` and `one_line` show it. It decides nothing,
and a message that it misses makes the screen older, never the trading.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from statistics import median

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gateway.bus.topics import FeedStatus, Published
from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.quote import BookState, Quote
from gateway.model.trade import (
    Alarm,
    ExecutionStatus,
    IntentRefused,
    PairPrice,
    PairTradeChanged,
    PairTradeState,
    PositionChanged,
)
from gateway.processes.site_file import MS

ENDED = frozenset({PairTradeState.HEDGED, PairTradeState.UNWOUND, PairTradeState.MISSED, PairTradeState.HALTED})
LAST_TRADES = 6
LAST_ALARMS = 3
LATENCY_SAMPLE = 200
STATE_COLOURS = {
    PairTradeState.HEDGED: "green",
    PairTradeState.UNWOUND: "yellow",
    PairTradeState.MISSED: "dim",
    PairTradeState.HALTED: "bold red",
}


class LiveState:
    """The newest of everything that was published."""

    def __init__(self, instruments: Mapping[str, Instrument], title: str) -> None:
        self.title = title
        self.instruments = instruments
        self.quotes: dict[str, Quote] = {}
        self.prices: dict[str, PairPrice] = {}
        self.positions: dict[str, PositionChanged] = {}
        self.trades: dict[str, PairTradeChanged] = {}
        self.done: deque[PairTradeChanged] = deque(maxlen=LAST_TRADES)
        self.counts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.alarms: deque[Alarm] = deque(maxlen=LAST_ALARMS)
        self.alarm_count = 0
        self.execution: ExecutionStatus | None = None
        self.feed: FeedStatus | None = None
        self.feed_ns: deque[int] = deque(maxlen=LATENCY_SAMPLE)

    def take(self, messages: Iterable[Published]) -> None:
        """Keep what is new in them."""
        for message in messages:
            self._take(message)

    def _take(self, message: Published) -> None:
        match message:
            case Quote():
                self.quotes[message.instrument_id] = message
                if message.pub_ns and message.recv_ns:
                    self.feed_ns.append(message.pub_ns - message.recv_ns)
            case PairPrice():
                self.prices[message.pair_id] = message
            case PositionChanged():
                self.positions[message.instrument_id] = message
            case PairTradeChanged():
                self._trade(message)
            case IntentRefused():
                self.refusals[message.name] += 1
            case Alarm():
                self.alarms.append(message)
                self.alarm_count += 1
            case ExecutionStatus():
                self.execution = message
            case FeedStatus():
                self.feed = message
            case _:
                pass

    def _trade(self, trade: PairTradeChanged) -> None:
        if trade.state in ENDED:
            known = self.trades.pop(trade.trade_id, None)
            if known is None and any(one.trade_id == trade.trade_id for one in self.done):
                return
            self.done.append(trade)
            self.counts[trade.state] += 1
        else:
            self.trades[trade.trade_id] = trade


def one_line(state: LiveState, now_ns: int, left_s: int) -> str:
    """The whole state in a line, for a log."""
    quotes = " | ".join(_quote_words(state, name, now_ns) for name in state.instruments)
    prices = " ".join(f"{one.pair_id} {_band(one)} {one.verdict}" for one in state.prices.values())
    counts = ", ".join(f"{count} {name}" for name, count in sorted(state.counts.items())) or "no trade yet"
    refused = sum(state.refusals.values())
    return f"{left_s:>4} s left | {quotes} | {prices} | {counts}, {refused} refused, {state.alarm_count} alarms"


def _quote_words(state: LiveState, name: str, now_ns: int) -> str:
    quote = state.quotes.get(name)
    if quote is None:
        return f"{name} -"
    instrument = state.instruments[name]
    bid = instrument.price(quote.bids[0][0]) if quote.bids else "-"
    ask = instrument.price(quote.asks[0][0]) if quote.asks else "-"
    words = "" if quote.state is BookState.OK else f" {quote.state}"
    return f"{name} {bid}/{ask}{words} {max(0, now_ns - quote.recv_ns) // MS} ms"


def _band(price: PairPrice) -> str:
    buy = f"buy {_e9(price.buy_px_e9)} (at {_e9(price.buy_at_e9)})"
    return f"{buy} sell {_e9(price.sell_px_e9)} (at {_e9(price.sell_at_e9)})"


def _e9(value: int | None) -> str:
    """A price of a pair with as many digits as a person reads: two places from 1 on, six below."""
    if value is None:
        return "-"
    exact = Decimal(value) / PRICE_E9
    return f"{exact:.2f}" if abs(exact) >= 1 or not exact else f"{exact:.6f}"


def screen(state: LiveState, now_ns: int, left_s: int) -> RenderableType:
    """The whole state as a screen."""
    return Panel(
        Group(_quotes(state, now_ns), "", _prices(state), "", _trades(state), "", _footer(state)),
        title=f"{state.title}, {left_s} s left",
        subtitle="Ctrl-C stops in order: no new trades, then balanced",
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, expand=True, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", no_wrap=True)
    return table


def _quotes(state: LiveState, now_ns: int) -> Table:
    table = _table("instrument", "bid lots", "bid", "ask", "ask lots", "age", "state", "position")
    for name, instrument in state.instruments.items():
        quote = state.quotes.get(name)
        held = state.positions.get(name)
        position = f"{held.net_lots:+d}" if held is not None else ("0" if instrument.tradable else "")
        if quote is None:
            table.add_row(name, "", "", "", "", "", "nothing yet", position)
            continue
        bid, ask = _best(instrument, quote.bids), _best(instrument, quote.asks)
        colour = "green" if quote.state is BookState.OK else "red"
        age = f"{max(0, now_ns - quote.recv_ns) // MS} ms"
        table.add_row(name, bid[1], bid[0], ask[0], ask[1], age, Text(quote.state, style=colour), position)
    return table


def _best(instrument: Instrument, levels: tuple[tuple[int, int], ...]) -> tuple[str, str]:
    return (str(instrument.price(levels[0][0])), str(levels[0][1])) if levels else ("-", "-")


def _prices(state: LiveState) -> Table:
    table = _table("pair", "buys at", "if at most", "sells at", "if at least", "verdict")
    for one in state.prices.values():
        table.add_row(
            one.pair_id,
            _e9(one.buy_px_e9),
            _e9(one.buy_at_e9),
            _e9(one.sell_px_e9),
            _e9(one.sell_at_e9),
            Text(one.verdict, style="green" if one.verdict == "ok" else "yellow"),
        )
    return table


def _trades(state: LiveState) -> Table:
    table = _table("trade", "side", "units", "state", "legs", "slippage", "unbalanced")
    for one in [*state.trades.values(), *reversed(state.done)]:
        legs = "  ".join(f"{leg.filled_lots:+d}/{leg.target_lots}" for leg in one.legs)
        table.add_row(
            one.trade_id,
            one.side.name.lower(),
            f"{one.hedged_units}/{one.units}",
            Text(one.state, style=STATE_COLOURS.get(one.state, "cyan")),
            legs,
            _e9(one.slippage_e9),
            f"{one.legged_ns // MS} ms",
        )
    return table


def _footer(state: LiveState) -> Text:
    counts = ", ".join(f"{count} {name}" for name, count in sorted(state.counts.items())) or "no trade has ended yet"
    refused = ", ".join(f"{name} {count}" for name, count in state.refusals.most_common(3)) or "none"
    feed = f"{int(median(state.feed_ns)) // 1000} us" if state.feed_ns else "-"
    lines = [
        f"trades: {counts}",
        f"refused: {refused}",
        f"quote read to published: {feed} (median of the last {len(state.feed_ns)})",
    ]
    if state.execution is not None:
        one = state.execution
        mode = "HALTED" if one.halted else "stopping" if one.stopping else "armed" if one.armed else "disarmed"
        lines.append(f"execution: {mode}, {one.open_trades} open, {one.working_orders} working orders")
    if state.feed is not None:
        lines.append(f"feed: {state.feed.quotes} quotes, {state.feed.gaps} gaps, {state.feed.repaired} repaired")
    text = Text("\n".join(lines))
    for alarm in state.alarms:
        text.append(f"\nalarm {alarm.name} {alarm.subject}: {alarm.figures}", style="bold red")
    return text
