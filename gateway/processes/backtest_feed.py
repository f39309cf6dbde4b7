"""The feed of a backtest: the product's books, their silence and the site's fixings, in virtual time.

Everything that the feed process decides by time is done here at the same occasions: snapshots that are due, instruments
that have been silent for too long, fixings that stand in for a reference without a live quote. Clocks are right, so a
quote is calibrated at its venue's own time without an error.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from gateway.feed.core import FeedCore
from gateway.model.instrument import Instrument
from gateway.model.quote import BookState, MarketEvent, Quote
from gateway.processes.backtest_venue import BacktestVenue
from gateway.processes.durations import MS, SECOND
from gateway.processes.settings import Site

KEPT_INCREMENTS = 10_000
LOOK_LEAST_NS = 20 * MS
"""Silence is looked at no more often."""


class BacktestFeed:
    """Books of the listed instruments; `publish` takes each quote."""

    def __init__(
        self,
        site: Site,
        listed: Iterable[Instrument],
        venues: Mapping[str, BacktestVenue],
        at: Callable[..., None],
        publish: Callable[[Quote, int], None],
    ) -> None:
        instruments = list(listed)
        self._venues = venues
        self._venue_of = {one.instrument_id: one.venue_id for one in instruments}
        self._at = at
        self._publish = publish
        self._fixings = {name: one for name, one in site.fixings.items() if name in site.instruments}
        self._fixed: set[str] = set()
        self.core = FeedCore(
            instruments,
            depth={name: venue.dialect.depth for name, venue in site.venues.items()},
            kept_limit=KEPT_INCREMENTS,
            retry_ns=SECOND,
            retry_most_ns=30 * SECOND,
            unnumbered=[name for name, venue in site.venues.items() if not venue.dialect.rpt_seq],
            freshness=site.freshness,
        )

    def begin(self, now_ns: int) -> None:
        """From now on silence is listened to."""
        self._at(now_ns, self._listen)

    def on_session(self, venue_id: str, now_ns: int) -> None:
        """A market-data session came up."""
        for quote in self.core.on_session(venue_id, up=True, at_ns=now_ns):
            self._publish(quote, now_ns)

    def on_market(self, event: MarketEvent, now_ns: int) -> None:
        """A message of a venue."""
        quote = self.core.on_event(event, now_ns)
        if quote is None:
            return
        if quote.venue_ns:
            msgspec.structs.force_setattr(quote, "calibrated_ns", quote.venue_ns)
        self._publish(quote, now_ns)
        if quote.state is not BookState.OK:
            self._ask(now_ns)

    def beat(self, now_ns: int) -> None:
        """What is due by the clock."""
        self._ask(now_ns)
        if not self._fixings:
            return
        live = {name for name, state, _ in self.core.states() if state is BookState.OK}
        for name, fixing in self._fixings.items():
            if name in live:
                self._fixed.discard(name)
            elif fixing.holds(now_ns):
                self._fixed.add(name)
                self._publish(fixing.quote(name, now_ns), now_ns)
            elif name in self._fixed and name in self._venue_of:
                self._fixed.discard(name)
                self._publish(self.core.standing(name, now_ns), now_ns)

    def _ask(self, now_ns: int) -> None:
        for name in self.core.due_snapshots(now_ns):
            self._venues[self._venue_of[name]].ask_snapshot(now_ns, name)

    def _listen(self, now_ns: int) -> None:
        for quote in self.core.stale(now_ns):
            self._publish(quote, now_ns)
        self._at(max(self.core.stale_due_ns(), now_ns + LOOK_LEAST_NS), self._listen)
