"""Positions of one account in one instrument, as the venue keeps them, and what a close may take of them.

Three models: `net` (one signed figure, no check), `open_close` (long and short apart; a close takes yesterday's lots
before today's) and `open_close_today` (as on SHFE and INE: "C" closes yesterday's, "T" today's). A pending close
freezes its lots, so that two closes cannot take the same ones. A refused close names what was asked and what is free.
"""

from simulators.core.values import BUY, CLOSE, CLOSE_TODAY, OPEN

NET = "net"
OPEN_CLOSE = "open_close"
OPEN_CLOSE_TODAY = "open_close_today"

_LONG_TODAY, _LONG_YESTERDAY, _SHORT_TODAY, _SHORT_YESTERDAY = (
    "long_today",
    "long_yesterday",
    "short_today",
    "short_yesterday",
)


class Position:
    """Lots by bucket; never negative but for `net`, which keeps its figure apart."""

    def __init__(
        self,
        model: str,
        long_today: int = 0,
        long_yesterday: int = 0,
        short_today: int = 0,
        short_yesterday: int = 0,
    ) -> None:
        self.model = model
        self.lots = {
            _LONG_TODAY: long_today,
            _LONG_YESTERDAY: long_yesterday,
            _SHORT_TODAY: short_today,
            _SHORT_YESTERDAY: short_yesterday,
        }
        self.hedge_flag = ""
        """That of the newest order that filled here."""
        self._signed = long_today + long_yesterday - short_today - short_yesterday
        self._frozen: dict[tuple[str, str], int] = {}

    @property
    def net(self) -> int:
        """Long less short, lots."""
        if self.model == NET:
            return self._signed
        lots = self.lots
        return lots[_LONG_TODAY] + lots[_LONG_YESTERDAY] - lots[_SHORT_TODAY] - lots[_SHORT_YESTERDAY]

    @property
    def told(self) -> tuple[int, int, int, int]:
        """Long of today and of earlier days, short of today and of earlier days; of a net figure, all of today."""
        if self.model == NET:
            return max(self._signed, 0), 0, max(-self._signed, 0), 0
        lots = self.lots
        return lots[_LONG_TODAY], lots[_LONG_YESTERDAY], lots[_SHORT_TODAY], lots[_SHORT_YESTERDAY]

    def refusal(self, side: str, effect: str, qty: int) -> str:
        """Why an order may not be taken, in the words of a venue; empty when it may."""
        if self.model == NET or effect == OPEN:
            return ""
        if not effect:
            return "PositionEffect(77) required: O open, C close"
        if effect not in {CLOSE, CLOSE_TODAY}:
            return f"PositionEffect(77) unknown: {effect}; O or C is right"
        free = self._held(side, effect) - self._frozen.get((side, self._kind(effect)), 0)
        if qty <= free:
            return ""
        what = {
            (OPEN_CLOSE_TODAY, CLOSE): "close yesterday volume over yesterday position",
            (OPEN_CLOSE_TODAY, CLOSE_TODAY): "close today volume over today position",
        }.get((self.model, effect), "close volume over position")
        return f"{what}: asked {qty}, closable {max(free, 0)}"

    def freeze(self, side: str, effect: str, qty: int) -> None:
        """A close of `qty` lots works (or, with a negative figure, works no longer)."""
        if self.model == NET or effect not in {CLOSE, CLOSE_TODAY}:
            return
        key = (side, self._kind(effect))
        self._frozen[key] = self._frozen.get(key, 0) + qty

    def apply(self, side: str, effect: str, qty: int, *, earlier: bool = False) -> None:
        """A fill of `qty` lots; a negative figure takes one back (bust).

        `earlier`: the fill is of a trading day before this one. What it opened or closed as today's is yesterday's now.
        """
        if self.model == NET:
            self._signed += qty if side == BUY else -qty
            return
        if effect == OPEN:
            today, yesterday = (_LONG_TODAY, _LONG_YESTERDAY) if side == BUY else (_SHORT_TODAY, _SHORT_YESTERDAY)
            self.lots[yesterday if earlier else today] += qty
            return
        today, yesterday = (_SHORT_TODAY, _SHORT_YESTERDAY) if side == BUY else (_LONG_TODAY, _LONG_YESTERDAY)
        if self.model == OPEN_CLOSE_TODAY or earlier:
            self.lots[today if effect == CLOSE_TODAY and not earlier else yesterday] -= qty
            return
        from_yesterday = min(qty, self.lots[yesterday]) if qty > 0 else 0
        self.lots[yesterday] -= from_yesterday
        self.lots[today] -= qty - from_yesterday

    def roll(self) -> None:
        """The next trading day begins: today's lots are yesterday's."""
        for today, yesterday in ((_LONG_TODAY, _LONG_YESTERDAY), (_SHORT_TODAY, _SHORT_YESTERDAY)):
            self.lots[yesterday] += self.lots[today]
            self.lots[today] = 0

    def _kind(self, effect: str) -> str:
        return effect if self.model == OPEN_CLOSE_TODAY else CLOSE

    def _held(self, side: str, effect: str) -> int:
        today, yesterday = (_SHORT_TODAY, _SHORT_YESTERDAY) if side == BUY else (_LONG_TODAY, _LONG_YESTERDAY)
        if self.model == OPEN_CLOSE_TODAY:
            return self.lots[today if effect == CLOSE_TODAY else yesterday]
        return self.lots[today] + self.lots[yesterday]
