"""One backtest from its settings to its run directory and what was found in it. It prints nothing.

Of the site only the pairs that the tape holds are played, at the full stage of rollout: a rule is tried before it may
trade anywhere. Everything else is the site's.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.execution.ledger import ExecutionSettings
from gateway.model.order import Side
from gateway.model.quote import BookState, Levels, Quote
from gateway.model.record import Decision, IntentMade, TriggerInput, TriggerStarted
from gateway.model.trade import Announcement, HoursChanged, IntentRefused, PairPrice, PairTradeChanged
from gateway.processes.backtest_edges import Edges
from gateway.processes.backtest_execution import Delays
from gateway.processes.backtest_opportunities import Books, Opportunities, TruePrices
from gateway.processes.backtest_record import RunRecord
from gateway.processes.backtest_tape import RUN, Chosen
from gateway.processes.backtest_venue import ways
from gateway.processes.backtest_world import BacktestWorld, Result, VenueFacts
from gateway.processes.cores import settings
from gateway.processes.durations import MS
from gateway.processes.settings import Site
from gateway.processes.site import Stage
from gateway.processes.site_calendars import site_calendars

SNAPSHOT_NS = 500 * MS
"""How often a venue without increments shows its book."""
PRICES_KEPT = 4000
"""Of each pair, for the chart."""
LEAST_PRICE_NS = 50 * MS
SLACK_NS = 50 * MS


class Wanted(NamedTuple):
    """What one backtest is to do."""

    site: Site
    chosen: Chosen
    networks: Mapping[str, str]
    """Network profile by venue."""
    delays: Delays
    seed: int
    out_dir: Path


class Done(NamedTuple):
    """What came of it."""

    result: Result
    opportunities: Opportunities
    books: Mapping[str, tuple[Levels, Levels]]
    """The last true book of each instrument that had two sides."""


def played(site: Site, pairs: Iterable[str]) -> ExecutionSettings:
    """The site's settings with these pairs and their rules, ready to trade."""
    names = set(pairs)
    given = settings(site)
    return msgspec.structs.replace(
        given,
        stage=Stage.FULL.value,
        pairs={name: pair for name, pair in given.pairs.items() if name in names},
        rules={name: rule for name, rule in given.rules.items() if rule.pair_id in names},
    )


def venue_facts(wanted: Wanted, given: ExecutionSettings) -> dict[str, VenueFacts]:
    """The venues that the played pairs need, each with its network."""
    used = {given.instruments[leg.instrument_id].venue_id for pair in given.pairs.values() for leg in pair.legs}
    facts = {}
    for name, venue in wanted.site.venues.items():
        dialect = venue.dialect
        received = wanted.chosen.kind == RUN
        mass_status = dialect.mass_status == "AF"
        facts[name] = VenueFacts(
            wanted.networks[name], dialect.incremental or received, mass_status, wanted.seed, received
        )
    # A venue that no leg trades on may hold a currency; one that holds nothing of the tape is left out by the world.
    return dict(sorted(facts.items(), key=lambda one: one[0] not in used))


def run(wanted: Wanted, on_progress: Callable[[int], None] = lambda _: None) -> Done:
    """Play it and write its run directory."""
    site, chosen = wanted.site, wanted.chosen
    given = played(site, chosen.pairs)
    facts = venue_facts(wanted, given)
    calendars = site_calendars(site.calendars, chosen.start_utc_ns)
    with RunRecord(wanted.out_dir, site.path, site.digest, given, chosen.start_utc_ns) as record:
        looker = Looker(record, given, site, chosen.tape.duration_ns)
        world = BacktestWorld(site, given, facts, calendars, chosen.tape, chosen.start_utc_ns, wanted.delays, looker)
        looker.join(world, given, grace(given, facts))
        result = world.run(on_progress)
        looker.opportunities.close(result.end_ns)
        for name, venue in world.venues.items():
            record.truth(name, venue.venue.drain_truth())
    return Done(result, looker.opportunities, looker.books)


def grace(given: ExecutionSettings, facts: Mapping[str, VenueFacts]) -> dict[str, int]:
    """By pair: how long after a change of a true book its quote may still be on its way."""
    found = {}
    for name, pair in given.pairs.items():
        longest = []
        for leg in pair.legs:
            one = facts[given.instruments[leg.instrument_id].venue_id]
            way = ways(one)[1]
            longest.append(way.floor_ns + way.jitter_ns + (0 if one.incremental else SNAPSHOT_NS))
        found[name] = max(longest) + SLACK_NS
    return found


class Looker:
    """Looks on: writes the record, follows opportunities."""

    opportunities: Opportunities
    _edges: Edges

    def __init__(self, record: RunRecord, given: ExecutionSettings, site: Site, duration_ns: int) -> None:
        self.books: dict[str, tuple[Levels, Levels]] = {}
        self._record = record
        self._true = TruePrices(given.pairs.values(), given.instruments)
        self._depth = {name: site.venues[one.venue_id].dialect.depth for name, one in given.instruments.items()}
        self._every_ns = max(LEAST_PRICE_NS, duration_ns // PRICES_KEPT)
        self._due_ns = 0

    def join(self, world: BacktestWorld, given: ExecutionSettings, grace_ns: Mapping[str, int]) -> None:
        """The world that it looks at, before that begins."""
        self._edges = edges = Edges(given, world.rules)
        true, live = self._true.quotes, world.execution.quotes

        def beyond_e9(rule_id: str, side: Side, px_e9: int, books: Books) -> int | None:
            return edges.beyond_e9(rule_id, side, px_e9, true if books is Books.TRUE else live)

        self.opportunities = Opportunities(given.rules.values(), grace_ns, beyond_e9, world.why_not)

    def decided(self, decision: Decision) -> None:
        self._record.decision(decision)

    def quoted(self, quote: Quote, number: int, at_ns: int) -> None:
        self._record.quote(quote, number, at_ns)
        if quote.state is BookState.OK and not quote.venue_ns:  # a fixing: no venue said it
            self.books[quote.instrument_id] = (quote.bids, quote.asks)
            self.opportunities.on_true(self._true.fixed(quote, at_ns))

    def started(self, started: TriggerStarted) -> None:
        self._record.started(started)

    def took(self, given: TriggerInput) -> None:
        self._record.took(given)
        if isinstance(given, IntentMade):
            self.opportunities.on_intent(given.intent)

    def announced(self, what: Announcement, _at_ns: int) -> None:
        if isinstance(what, IntentRefused):
            self.opportunities.on_refused(what)
        elif isinstance(what, PairTradeChanged):
            self.opportunities.on_trade(what)

    def wants_prices(self, at_ns: int) -> bool:
        return at_ns >= self._due_ns or self.opportunities.may_be_seen(at_ns)

    def seen(self, prices: list[PairPrice], at_ns: int) -> None:
        self.opportunities.on_seen(prices)
        if at_ns >= self._due_ns:
            self._due_ns = at_ns + self._every_ns
            for price in prices:
                self._record.price(price)

    def true_book(self, instrument_id: str, bids: Levels, asks: Levels, status: str, at_ns: int) -> None:
        if bids and asks:
            self.books[instrument_id] = (bids, asks)
        depth = self._depth[instrument_id]
        self.opportunities.on_true(self._true.take(instrument_id, bids[:depth], asks[:depth], status, at_ns))

    def day(self, day: str) -> None:
        self._true.on_day(day)
        self._edges.on_day(day)

    def hours(self, change: HoursChanged) -> None:
        self._true.on_hours(change.instrument_id, change.trading_day)
        self._edges.on_hours(change.instrument_id, change.trading_day)
