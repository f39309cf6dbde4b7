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

from gateway.bus.topics import FeedStatus, OrderSessions, Published, SessionStatus
from gateway.journal.told import EN, Told, joined, name_sentence, name_short, name_told, said, told, verdict_told
from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.quote import BookState, Quote
from gateway.model.trade import (
    Alarm,
    ExecutionStatus,
    IntentRefused,
    PairPosition,
    PairPrice,
    PairTradeChanged,
    PairTradeState,
    PositionChanged,
    RefusalName,
)
from gateway.processes.durations import MS

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

    def __init__(self, instruments: Mapping[str, Instrument], title: str, language: str = EN) -> None:
        self.title = title
        self.language = language
        self.instruments = instruments
        self.quotes: dict[str, Quote] = {}
        self.prices: dict[str, PairPrice] = {}
        self.positions: dict[str, PositionChanged] = {}
        self.held: dict[tuple[str, str], int] = {}
        """Units by pair and rule."""
        self.trades: dict[str, PairTradeChanged] = {}
        self.done: deque[PairTradeChanged] = deque(maxlen=LAST_TRADES)
        self.counts: Counter[PairTradeState] = Counter()
        self.refusals: Counter[RefusalName] = Counter()
        self.alarms: deque[Alarm] = deque(maxlen=LAST_ALARMS)
        self.alarm_count = 0
        self.execution: ExecutionStatus | None = None
        self.feed: FeedStatus | None = None
        self.orders: OrderSessions | None = None
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
            case _:
                self._more(message)

    def _more(self, message: Published) -> None:
        match message:
            case PairPosition():
                self.held[message.pair_id, message.rule_id] = message.net_units
            case FeedStatus():
                self.feed = message
            case OrderSessions():
                self.orders = message
            case ExecutionStatus():
                self.execution = message
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
    prices = " ".join(
        f"{one.pair_id} {said(_band(one), state.language)} {said(verdict_told(one.verdict), state.language)}"
        for one in state.prices.values()
    )
    down = [one.key for one in _down(state)]
    ended = _counts(state) if state.counts else told("no trade yet")
    line = told(
        "{} s left | {} | {} | {}, {} refused, {} alarms{}",
        f"{left_s:>4}",
        quotes,
        prices,
        ended,
        sum(state.refusals.values()),
        state.alarm_count,
        told(", sessions down: {}", ", ".join(down)) if down else "",
    )
    return said(line, state.language)


def _counts(state: LiveState) -> Told:
    return joined(", ", [f"{count} {name_short(name, state.language)}" for name, count in sorted(state.counts.items())])


def _down(state: LiveState) -> list[SessionStatus]:
    """Sessions that are not logged on."""
    known = [*(state.feed.sessions if state.feed else ()), *(state.orders.sessions if state.orders else ())]
    return [one for one in known if not one.up]


def _quote_words(state: LiveState, name: str, now_ns: int) -> str:
    quote = state.quotes.get(name)
    if quote is None:
        return f"{name} -"
    instrument = state.instruments[name]
    bid = instrument.price(quote.bids[0][0]) if quote.bids else "-"
    ask = instrument.price(quote.asks[0][0]) if quote.asks else "-"
    words = "" if quote.state is BookState.OK else f" {name_short(quote.state, state.language)}"
    return f"{name} {bid}/{ask}{words} {max(0, now_ns - quote.recv_ns) // MS} ms"


def _band(price: PairPrice) -> Told:
    figures = (price.buy_px_e9, price.buy_at_e9, price.sell_px_e9, price.sell_at_e9)
    return told("buy {} (at {}) sell {} (at {})", *(_e9(one) for one in figures))


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
        title=said(told("{}, {} s left", state.title, left_s), state.language),
        subtitle=said(told("Ctrl-C stops in order: no new trades, then balanced"), state.language),
    )


def _table(state: LiveState, *columns: Told) -> Table:
    table = Table(box=None, expand=True, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(said(column, state.language), justify="left" if index == 0 else "right", no_wrap=True)
    return table


def _quotes(state: LiveState, now_ns: int) -> Table:
    table = _table(
        state,
        told("instrument"),
        told("bid lots"),
        told("bid"),
        told("ask"),
        told("ask lots"),
        told("age"),
        told("state"),
        told("position"),
    )
    for name, instrument in state.instruments.items():
        quote = state.quotes.get(name)
        held = state.positions.get(name)
        position = f"{held.net_lots if held is not None else 0:+d}" if instrument.tradable else ""
        if quote is None:
            table.add_row(name, "", "", "", "", "", said(told("nothing yet"), state.language), position)
            continue
        bid, ask = _best(instrument, quote.bids), _best(instrument, quote.asks)
        colour = "green" if quote.state is BookState.OK else "red"
        age = f"{max(0, now_ns - quote.recv_ns) // MS} ms"
        table.add_row(
            name,
            bid[1],
            bid[0],
            ask[0],
            ask[1],
            age,
            Text(name_short(quote.state, state.language), style=colour),
            position,
        )
    return table


def _best(instrument: Instrument, levels: tuple[tuple[int, int], ...]) -> tuple[str, str]:
    return (str(instrument.price(levels[0][0])), str(levels[0][1])) if levels else ("-", "-")


def _prices(state: LiveState) -> Table:
    table = _table(
        state,
        told("pair"),
        told("buys at"),
        told("if at most"),
        told("sells at"),
        told("if at least"),
        told("units held"),
        told("verdict"),
    )
    for one in state.prices.values():
        table.add_row(
            one.pair_id,
            _e9(one.buy_px_e9),
            _e9(one.buy_at_e9),
            _e9(one.sell_px_e9),
            _e9(one.sell_at_e9),
            f"{sum(units for (pair_id, _), units in state.held.items() if pair_id == one.pair_id):+d}",
            Text(said(verdict_told(one.verdict), state.language), style="green" if one.verdict == "ok" else "yellow"),
        )
    return table


def _trades(state: LiveState) -> Table:
    table = _table(
        state,
        told("trade"),
        told("side"),
        told("units"),
        told("state"),
        told("legs"),
        told("slippage"),
        told("unbalanced"),
    )
    for one in [*state.trades.values(), *reversed(state.done)]:
        legs = "  ".join(f"{leg.filled_lots:+d}/{leg.target_lots}" for leg in one.legs)
        table.add_row(
            one.trade_id,
            said(told("buy") if one.side is Side.BUY else told("sell"), state.language),
            f"{one.hedged_units}/{one.units}",
            Text(name_short(one.state, state.language), style=STATE_COLOURS.get(one.state, "cyan")),
            legs,
            _e9(one.slippage_e9),
            f"{one.legged_ns // MS} ms",
        )
    return table


def _footer(state: LiveState) -> Text:
    text = Text("\n".join(said(one, state.language) for one in _footer_lines(state)))
    for one in _down(state):
        text.append("\n" + said(told("session {} is down: {}", one.key, one.detail), state.language), style="bold red")
    for alarm in state.alarms:
        sentence = name_sentence(alarm.name, state.language)
        words = told("alarm {} ({}) {}: {}", alarm.name.value, sentence, alarm.subject, alarm.figures)
        text.append("\n" + said(words, state.language), style="bold red")
    return text


def _footer_lines(state: LiveState) -> list[Told]:
    refused = joined(
        ", ", [f"{name_told(name, state.language)} {count}" for name, count in state.refusals.most_common(3)]
    )
    lines = [
        told("trades: {}", _counts(state) if state.counts else told("no trade has ended yet")),
        told("refused: {}", refused if state.refusals else told("none")),
        told(
            "quote read to published: {} (median of the last {})",
            f"{int(median(state.feed_ns)) // 1000} us" if state.feed_ns else "-",
            len(state.feed_ns),
        ),
    ]
    if state.execution is not None:
        one = state.execution
        lines.append(
            told("execution: {}, {} open, {} working orders", execution_mode(one), one.open_trades, one.working_orders)
        )
    if state.feed is not None:
        feed = state.feed
        lines.append(told("feed: {} quotes, {} gaps, {} repaired", feed.quotes, feed.gaps, feed.repaired))
    return lines


def execution_mode(status: ExecutionStatus) -> Told:
    """In a word."""
    if status.halted:
        return told("HALTED")
    if status.stopping:
        return told("stopping")
    return told("armed") if status.armed else told("disarmed")
