"""What the fills of a backtest earned, by rule: before costs, fees, financing, and what is left. Exact until printed.

Each instrument's profit is counted in its own currency, fill by fill; what is held at the end is valued at what closing
it would bring, the last true bid or ask. Then it is turned into the pair's currency at the last rate's middle, because
a future pays its profit only, not its value. Fees are the row of the day of the fill; an order without a position
effect pays what opening costs. Financing runs on the value that was held, for as long as it was held.

What can go wrong: an instrument without fees in the site. Then there is no figure after costs, and it says so. One that
is held or converted without a book to value it by: then no figure of the rule is known, since the rest alone is none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from zoneinfo import ZoneInfo

from gateway.execution.ledger import ExecutionSettings
from gateway.journal.fold import Fill, OrderStory, RunStory, TradeStory
from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.order import PositionEffect, Side
from gateway.model.quote import Levels
from gateway.model.site import PairSpec
from gateway.processes.backtest_time import local
from gateway.processes.durations import SECOND
from gateway.processes.site_formula import same_money
from gateway.trigger.costs import fee_row

YEAR_NS = 365 * 86_400 * SECOND
Books = Mapping[str, tuple[Levels, Levels]]


@dataclass(slots=True)
class Line:
    """One instrument of one rule: cash in ticks x lots, lots held, fees in its currency."""

    cash_ticks: Fraction = Fraction(0)
    net_lots: int = 0
    fees: Fraction = Fraction(0)
    fees_known: bool = True
    held: Fraction = Fraction(0)
    """Value x time: ticks x lots x nanoseconds, gross."""
    since_ns: int = 0
    px_ticks: Fraction = Fraction(0)

    def trade(self, side: Side, lots: int, px_ticks: Fraction, at_ns: int) -> None:
        """A fill."""
        self.carry(at_ns)
        self.cash_ticks -= side.sign * lots * px_ticks
        self.net_lots += side.sign * lots
        self.px_ticks = px_ticks

    def carry(self, at_ns: int) -> None:
        """What was held until now, was held."""
        self.held += abs(self.net_lots) * abs(self.px_ticks) * (at_ns - self.since_ns)
        self.since_ns = at_ns


@dataclass(slots=True)
class Profit:
    """One rule's, in 1e-9 of its pair's currency; None where it is not known."""

    rule_id: str
    pair_id: str
    currency: str
    gross_e9: int | None = 0
    fees_e9: int | None = 0
    financing_e9: int | None = 0
    open_lots: dict[str, int] = field(default_factory=dict)
    not_valued: list[str] = field(default_factory=list)
    """Instruments held at the end, or converted, without a book to value them by."""

    @property
    def net_e9(self) -> int | None:
        if self.gross_e9 is None or self.fees_e9 is None or self.financing_e9 is None:
            return None
        return self.gross_e9 - self.fees_e9 - self.financing_e9


def profits(story: RunStory, given: ExecutionSettings, books: Books, end_ns: int, zone: ZoneInfo) -> list[Profit]:
    """Of every rule, in the order of the site; a rule that the site does not know, such as a residual's, follows."""
    lines: dict[tuple[str, str], dict[str, Line]] = {(one.pair_id, one.rule_id): {} for one in given.rules.values()}
    for at_ns, trade, order, fill in fills_in_time(story):
        last = trade.last
        pair_id = last.pair_id if last is not None else trade.intent.pair_id if trade.intent else ""
        rule_id = last.rule_id if last is not None else trade.intent.rule_id if trade.intent else ""
        if pair_id in given.pairs:
            name = order.order.instrument_id
            line = lines.setdefault((pair_id, rule_id), {}).setdefault(name, Line(since_ns=at_ns))
            _book(line, given.instruments[name], order, fill, at_ns, zone)
    return [
        _profit(given.pairs[pair_id], rule_id, found, given, books, end_ns)
        for (pair_id, rule_id), found in lines.items()
    ]


def fills_in_time(story: RunStory) -> list[tuple[int, TradeStory, OrderStory, Fill]]:
    """Every fill that stands, in order of its arrival."""
    found = [
        (fill.recv_ns, trade, order, fill)
        for trade in story.trades.values()
        for order in trade.orders
        for fill in order.fills.values()
        if fill.qty_lots
    ]
    return sorted(found, key=lambda one: one[0])


def _book(line: Line, instrument: Instrument, order: OrderStory, fill: Fill, at_ns: int, zone: ZoneInfo) -> None:
    px_ticks = Fraction(fill.px) / Fraction(instrument.tick) if fill.px_ticks is None else Fraction(fill.px_ticks)
    line.trade(order.order.side, fill.qty_lots, px_ticks, at_ns)
    row = fee_row(instrument, f"{local(at_ns, zone):%Y%m%d}")
    if row is None:
        line.fees_known = False
        return
    per_lot_e9, rate_e9 = {
        PositionEffect.CLOSE: (row.close_per_lot_e9, row.close_rate_e9),
        PositionEffect.CLOSE_TODAY: (row.close_today_per_lot_e9, row.close_today_rate_e9),
    }.get(order.order.position_effect, (row.open_per_lot_e9, row.open_rate_e9))
    value = abs(px_ticks) * _tick_value(instrument) * fill.qty_lots
    line.fees += Fraction(per_lot_e9 * fill.qty_lots, PRICE_E9) + value * Fraction(rate_e9, PRICE_E9)


def _profit(
    pair: PairSpec, rule_id: str, lines: Mapping[str, Line], given: ExecutionSettings, books: Books, end_ns: int
) -> Profit:
    made = Profit(rule_id, pair.pair_id, pair.currency)
    spec = given.rules.get(rule_id)
    fees, known = Fraction(0), True
    gross = financing = Fraction(0)
    for index, (name, line) in enumerate(lines.items()):
        instrument = given.instruments[name]
        rate = conversion(pair, instrument, given, books)
        mark = _mark(line, books.get(name))
        if rate is None or mark is None:
            made.not_valued.append(name)
            continue
        line.carry(end_ns)
        money = _tick_value(instrument) * rate
        gross += (line.cash_ticks + line.net_lots * mark) * money
        fees += line.fees * rate
        known = known and line.fees_known
        if line.net_lots:
            made.open_lots[name] = line.net_lots
        if spec is not None and spec.costs.financing_rate_e9:
            share_e9 = _share_e9(pair, name, spec.costs.financed_e9, index)
            part = Fraction(share_e9 * spec.costs.financing_rate_e9, PRICE_E9 * PRICE_E9 * YEAR_NS)
            financing += line.held * money * part
    if made.not_valued:
        made.gross_e9 = made.fees_e9 = made.financing_e9 = None
        return made
    made.gross_e9 = _down(gross)
    made.fees_e9 = -_down(-fees) if known else None
    made.financing_e9 = -_down(-financing)
    return made


def _share_e9(pair: PairSpec, name: str, shares: tuple[int, ...], index: int) -> int:
    """How much of an instrument's value is financed."""
    places = [place for place, leg in enumerate(pair.legs) if leg.instrument_id == name]
    place = places[0] if places else index
    return shares[place] if place < len(shares) else PRICE_E9


def _mark(line: Line, book: tuple[Levels, Levels] | None) -> Fraction | None:
    """What closing would bring, in ticks; 0 where nothing is held."""
    if not line.net_lots:
        return Fraction(0)
    if book is None:
        return None
    return Fraction(book[0][0][0] if line.net_lots > 0 else book[1][0][0])


def conversion(pair: PairSpec, instrument: Instrument, given: ExecutionSettings, books: Books) -> Fraction | None:
    """Money of the pair's currency for one of the instrument's, at the end; None where no rate is known. CNH is CNY."""
    if same_money(instrument.currency, pair.currency):
        return Fraction(1)
    for leg in pair.legs:
        if given.instruments[leg.instrument_id].currency != instrument.currency:
            continue
        if leg.fx_rate is not None:
            return Fraction(leg.fx_rate)
        rate = _middle(leg.fx_instrument_id, given.instruments, books)
        if rate is not None:
            return rate
    return _named_rate(pair, instrument.currency, given, books)


def _named_rate(pair: PairSpec, currency: str, given: ExecutionSettings, books: Books) -> Fraction | None:
    """Of a pair whose price is a formula: the reference that is quoted in the pair's currency per unit of this one."""
    if pair.expression is None:
        return None
    for reference in pair.expression.references:
        one = given.instruments[reference.instrument_id]
        if one.unit.upper() == currency and same_money(one.currency, pair.currency):
            return _middle(one.instrument_id, given.instruments, books)
    return None


def _middle(name: str, instruments: Mapping[str, Instrument], books: Books) -> Fraction | None:
    if name not in books:
        return None
    bids, asks = books[name]
    return Fraction(bids[0][0] + asks[0][0], 2) * Fraction(instruments[name].tick)


def _tick_value(instrument: Instrument) -> Fraction:
    """Money of the instrument's currency that one lot gains with one tick."""
    return Fraction(instrument.tick) * Fraction(instrument.point_value)


def _down(money: Fraction) -> int:
    """In 1e-9, rounded against us."""
    scaled = money * PRICE_E9
    return scaled.numerator // scaled.denominator


def summed(figures: Iterable[int | None]) -> int | None:
    """The sum; None where one is not known."""
    listed = list(figures)
    known = [one for one in listed if one is not None]
    return sum(known) if len(known) == len(listed) else None
