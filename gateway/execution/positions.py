"""Positions by our own fills, and which PositionEffect(77) an order needs.

On a venue that keeps long and short apart, an order closes what is there of the other side before it opens. A close
freezes the position that it would take until it is done, so that two closes never ask for the same lots. Yesterday's
lots are closed before today's: on SHFE and INE the close of an earlier day's position never costs the close-today fee.
Where the site asks for locking (锁仓), an order always opens, and both sides are held.
When the trading day changes, what is held becomes yesterday's; the night session belongs to the next trading day.

A share (T+1) is one figure too, but only what was held before today can be sold, and nothing short: what is bought
today is kept apart until the day changes, and a sale that is out freezes its lots.

Where each day's contract has a prompt date of its own (LME 3M), lots are also kept by prompt: a purchase of Monday and
a sale of Tuesday leave two prompts, not zero.

What can go wrong: positions held before the first journal are unknown here; they enter as `seed` from the venue's
answer or an operator's word, never as a guess.
"""

from gateway.model.instrument import PositionModel
from gateway.model.order import Order, PositionEffect, Side, TimeInForce
from gateway.model.trade import PositionChanged

_CLOSING = frozenset({PositionEffect.CLOSE, PositionEffect.CLOSE_TODAY})
_LASTING = frozenset({TimeInForce.GTC, TimeInForce.GTD})
"""Orders that may be filled on a later day than that on which they were sent."""
_WITHOUT_EFFECT = frozenset({PositionModel.NET, PositionModel.T_PLUS_1})
_TODAY_APART = frozenset({PositionModel.OPEN_CLOSE_TODAY, PositionModel.T_PLUS_1})
REFUSED_CLOSES = 3
"""A venue that has refused so many closes of the same lots in turn does not have them, whatever we think: a bust that
was lost, say, and that a person has explained. What is to be closed is then taken from the other lots, or opened."""
_Table = dict[tuple[Side, PositionEffect], int]


class Position:
    """Lots of one instrument, kept as its venue keeps them."""

    def __init__(self, instrument_id: str, model: PositionModel, *, lock: bool = False) -> None:
        self.instrument_id = instrument_id
        self.model = model
        self._lock = lock
        self.net_lots = 0
        self.by_prompt: dict[str, int] = {}
        self._trading_day = ""
        self._prompts = [""]
        """Prompt date of each trading day's contract, by the number of the day."""
        self._day_numbers: dict[str, int] = {}
        self._held: _Table = {}
        self._frozen: _Table = {}
        self._refused: _Table = {}
        """Closes of these lots that the venue has refused since one was filled."""
        self.day = 0
        """How often its trading day has changed: an order keeps the number of the day on which it was sent."""
        self.moved: set[str] = set()
        """Where it notes its name when its lots have changed."""

    def effects(self, side: Side, qty_lots: int) -> list[tuple[int, PositionEffect]]:
        """Split an order of `qty_lots` by the effects it needs, closes first."""
        if self.model in _WITHOUT_EFFECT:
            return [(qty_lots, PositionEffect.NONE)]
        if self._lock or not self._held:
            return [(qty_lots, PositionEffect.OPEN)]
        parts: list[tuple[int, PositionEffect]] = []
        left, opposite = qty_lots, side.opposite
        for effect in self._closes():
            if self._refused.get((opposite, effect), 0) >= REFUSED_CLOSES:
                continue
            closable = self._free(opposite, effect)
            taken = min(left, closable)
            if taken > 0:
                parts.append((taken, effect))
                left -= taken
        if left:
            parts.append((left, PositionEffect.OPEN))
        return parts

    def freeze(self, order: Order) -> None:
        """An order that closes is on its way: its lots are spoken for."""
        if order.position_effect in _CLOSING:
            _add(self._frozen, order.side.opposite, order.position_effect, order.qty_lots)
        elif self._sells_a_share(order):
            _add(self._frozen, Side.BUY, PositionEffect.CLOSE, order.qty_lots)

    def refuse(self, order: Order, sent_on: int) -> None:
        """The venue refused an order that closes; it was sent on day number `sent_on`."""
        if order.position_effect in _CLOSING:
            _add(self._refused, order.side.opposite, self._effect_now(order, sent_on), 1)

    def thaw(self, order: Order, lots: int, sent_on: int) -> None:
        """`lots` of it were filled, or will not be; it was sent on day number `sent_on`."""
        if order.position_effect in _CLOSING:
            _add(self._frozen, order.side.opposite, self._effect_now(order, sent_on), -lots)
        elif self._sells_a_share(order):
            _add(self._frozen, Side.BUY, PositionEffect.CLOSE, -lots)

    def fill(self, order: Order, lots: int, sent_on: int, trade_date: str = "") -> None:
        """Book `lots` of a fill of this order; negative for what a bust takes back.

        A fill that is told, or taken back, after its trading day is of an earlier day: what it opened or closed as
        today's is yesterday's by now. `trade_date` is TradeDate(75), `sent_on` the number of the day of its order,
        which says the same where the venue does not and the order was for the day.
        """
        self.net_lots += order.side.sign * lots
        self.moved.add(self.instrument_id)
        lasting = order.time_in_force in _LASTING
        filled_on = self._day_numbers.get(trade_date, self.day if lasting else sent_on)
        prompt = self._prompts[filled_on]
        if prompt:
            self.by_prompt[prompt] = self.by_prompt.get(prompt, 0) + order.side.sign * lots
        if self.model is PositionModel.NET:
            return
        if order.position_effect in _CLOSING:
            effect = self._effect_now(order, sent_on)
            _add(self._held, order.side.opposite, effect, -lots)
            self._refused.pop((order.side.opposite, effect), None)
        elif self._sells_a_share(order):
            _add(self._held, Side.BUY, PositionEffect.CLOSE, -lots)
        else:
            earlier = trade_date < self._trading_day if trade_date else filled_on < self.day
            _add(self._held, order.side, PositionEffect.CLOSE if earlier else self._todays(), lots)

    def seed(self, side: Side, lots: int, *, today: bool) -> None:
        """Lots held before our first fill."""
        self.net_lots += side.sign * lots
        self.moved.add(self.instrument_id)
        if self.model is not PositionModel.NET:
            _add(self._held, side, self._todays() if today else PositionEffect.CLOSE, lots)

    def on_day(self, trading_day: str, prompt: str) -> None:
        """The instrument's trading day is now this one."""
        if self._trading_day and trading_day != self._trading_day:
            if self.model in _TODAY_APART:
                for table in (self._held, self._frozen):
                    for side in Side:
                        _add(table, side, PositionEffect.CLOSE, table.pop((side, PositionEffect.CLOSE_TODAY), 0))
            self._refused.clear()
            self.day += 1
            self._prompts.append(prompt)
        self._prompts[self.day] = prompt
        self._trading_day = trading_day
        self._day_numbers[trading_day] = self.day

    def report(self) -> PositionChanged:
        """The position as it is announced."""
        todays = self._todays()
        apart = todays is PositionEffect.CLOSE_TODAY
        return PositionChanged(
            self.instrument_id,
            self.net_lots,
            self._held.get((Side.BUY, todays), 0),
            self._held.get((Side.BUY, PositionEffect.CLOSE), 0) if apart else 0,
            self._held.get((Side.SELL, todays), 0),
            self._held.get((Side.SELL, PositionEffect.CLOSE), 0) if apart else 0,
            tuple(sorted((prompt, lots) for prompt, lots in self.by_prompt.items() if lots)),
        )

    @property
    def held_before_today(self) -> int | None:
        """Lots that may be sold today, working sales among them; None where that is no question."""
        if self.model is not PositionModel.T_PLUS_1:
            return None
        return self._held.get((Side.BUY, PositionEffect.CLOSE), 0)

    @property
    def sellable_lots(self) -> int | None:
        """As `held_before_today`, less what working sales have taken."""
        held = self.held_before_today
        return None if held is None else max(0, held - self._frozen.get((Side.BUY, PositionEffect.CLOSE), 0))

    def _sells_a_share(self, order: Order) -> bool:
        return self.model is PositionModel.T_PLUS_1 and order.side is Side.SELL

    def _effect_now(self, order: Order, sent_on: int) -> PositionEffect:
        """Which lots an order closes, as they are called by now."""
        return PositionEffect.CLOSE if sent_on < self.day else order.position_effect

    def _closes(self) -> tuple[PositionEffect, ...]:
        if self.model is PositionModel.OPEN_CLOSE_TODAY:
            return (PositionEffect.CLOSE, PositionEffect.CLOSE_TODAY)
        return (PositionEffect.CLOSE,)

    def _todays(self) -> PositionEffect:
        """Under which close today's lots are kept: their own, or, where days are not told apart, the one there is."""
        return PositionEffect.CLOSE_TODAY if self.model in _TODAY_APART else PositionEffect.CLOSE

    def _free(self, side: Side, effect: PositionEffect) -> int:
        return self._held.get((side, effect), 0) - self._frozen.get((side, effect), 0)


def _add(table: _Table, side: Side, effect: PositionEffect, lots: int) -> None:
    table[side, effect] = table.get((side, effect), 0) + lots
