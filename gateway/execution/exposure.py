"""How far positions can go if everything that is open goes wrong: by instrument, and summed by venue.

The sums are kept, not made: what changes an instrument (a fill, a pair trade that opens, moves on or ends) puts its
name into `changed`, and the next question takes up those instruments only. So an intent costs the same with nothing
open as with thousands of pair trades open elsewhere.

What can go wrong: a change that nobody notes would leave a stale sum. Positions note their own; `Ledger.touch` is
called wherever a pair trade opens, is settled or ends.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from gateway.execution.currency import CurrencyBook
from gateway.execution.positions import Position
from gateway.model.instrument import Instrument
from gateway.model.order import Side
from gateway.model.site import InstrumentLimits
from gateway.model.trade import IntentLeg

Swing = tuple[int, int]
"""Lots that what is open may still buy, and may still sell."""


class Known(NamedTuple):
    """An instrument as it was taken up last."""

    net_lots: int
    bought: int
    sold: int
    furthest: int
    """The signed position furthest from zero that this can lead to."""


class VenueSums:
    """Of the furthest positions of one venue's instruments."""

    __slots__ = ("gross_lots", "margin_e9", "net_lots")

    def __init__(self, gross_lots: int, net_lots: int, margin_e9: dict[str, int]) -> None:
        self.gross_lots = gross_lots
        self.net_lots = net_lots
        self.margin_e9 = margin_e9
        """By currency, of the instruments that have a margin."""


class Exposure:
    """Furthest positions; `swing` tells of one instrument what its unended pair trades may still trade."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        limits: Mapping[str, InstrumentLimits],
        positions: Mapping[str, Position],
        swing: Callable[[str], Swing],
        *,
        counts_currencies: bool = True,
    ) -> None:
        """`counts_currencies`: False where no currency has a limit, so that nobody asks what is held in it."""
        self.changed = set(positions)
        self._venue_ids = {name: one.venue_id for name, one in instruments.items()}
        self._margins = {
            name: (instruments[name].currency, one.margin_per_lot_e9)
            for name, one in limits.items()
            if one.margin_per_lot_e9 is not None
        }
        self._positions = positions
        self._swing = swing
        self._known = dict.fromkeys(positions, Known(0, 0, 0, 0))
        self._venues = {one.venue_id: VenueSums(0, 0, {}) for one in instruments.values()}
        self._currencies = CurrencyBook(instruments)
        self._counts_currencies = counts_currencies
        self._told: dict[str, VenueSums] = {}
        """By venue: the sums with the legs that were asked about last, which the gate does twice."""
        self._told_of: tuple[tuple[IntentLeg, ...], Sequence[tuple[str, int]]] = ((), ())

    @property
    def currencies(self) -> CurrencyBook:
        """What is held in each currency, with all that has changed."""
        self.take_up()
        return self._currencies

    def see(self, leg: IntentLeg, substitute_id: str) -> None:
        """A leg that is traded, at its price; its substitute may be traded at about the same."""
        if not self._counts_currencies:
            return
        self._currencies.see(leg.instrument_id, leg.px_ticks)
        if substitute_id:
            self._currencies.see(substitute_id, leg.px_ticks)

    def furthest_with(self, leg: IntentLeg) -> int:
        """The furthest signed position in the direction of a leg that is added.

        In its direction only: a trade that reduces a position above its limit is not refused for that.
        """
        if self.changed:
            self.take_up()
        return self._with(leg)

    def selling(self, instrument_id: str) -> int:
        """Lots that what is open may still sell."""
        self.take_up()
        return self._known[instrument_id].sold

    def furthest_either_way(self, instrument_id: str, lots: int) -> int:
        """The furthest signed position when so many lots of a substitute may be bought as well as sold."""
        self.take_up()
        net_lots, bought, sold, _ = self._known[instrument_id]
        return max(net_lots + bought + lots, net_lots - sold - lots, key=abs)

    def of_venue(
        self, venue_id: str, legs: tuple[IntentLeg, ...], substitutes: Sequence[tuple[str, int]] = ()
    ) -> VenueSums:
        """The venue's sums with these legs and lots of substitutes added; those of other venues are passed over.

        Asked again of the same legs, with nothing changed, it tells the same sums: they are not to be changed.
        """
        if self.changed:
            self.take_up()
        if legs is not self._told_of[0] or substitutes != self._told_of[1]:
            self._told_of = legs, substitutes
            self._told.clear()
        told = self._told.get(venue_id)
        if told is None:
            told = self._told[venue_id] = self._sums_with(venue_id, legs, substitutes)
        return told

    def _sums_with(
        self, venue_id: str, legs: tuple[IntentLeg, ...], substitutes: Sequence[tuple[str, int]]
    ) -> VenueSums:
        kept = self._venues[venue_id]
        told = VenueSums(kept.gross_lots, kept.net_lots, kept.margin_e9.copy())
        venue_ids = self._venue_ids
        for name, leg in {leg.instrument_id: leg for leg in legs}.items():
            if venue_ids[name] == venue_id:
                self._move(told, name, self._known[name].furthest, self._with(leg))
        for name, lots in substitutes:
            if venue_ids[name] == venue_id:
                self._move(told, name, self._known[name].furthest, self.furthest_either_way(name, lots))
        return told

    def _with(self, leg: IntentLeg) -> int:
        net_lots, bought, sold, _ = self._known[leg.instrument_id]
        if leg.side is Side.BUY:
            return max(net_lots + bought + leg.qty_lots, 0)
        return min(net_lots - sold - leg.qty_lots, 0)

    def take_up(self) -> None:
        """Bring the sums up to date. Whoever asks does it; who does it before, saves an intent the time."""
        changed = self.changed
        if changed:
            self._told.clear()
        while changed:
            name = changed.pop()
            net_lots = self._positions[name].net_lots
            bought, sold = self._swing(name)
            high, low = net_lots + bought, net_lots - sold
            furthest = high if abs(high) >= abs(low) else low
            before = self._known[name].furthest
            if furthest != before:
                self._move(self._venues[self._venue_ids[name]], name, before, furthest)
            self._known[name] = Known(net_lots, bought, sold, furthest)
            if self._counts_currencies:
                self._currencies.move(name, high, low)

    def _move(self, sums: VenueSums, name: str, before: int, after: int) -> None:
        gross = abs(after) - abs(before)
        sums.gross_lots += gross
        sums.net_lots += after - before
        margin = self._margins.get(name)
        if margin is not None:
            currency, each_e9 = margin
            sums.margin_e9[currency] = sums.margin_e9.get(currency, 0) + gross * each_e9
