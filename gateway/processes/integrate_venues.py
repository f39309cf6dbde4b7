"""Certification dialogs at every venue of a site, and pair trades end to end on simulators. It prints nothing.

Each venue has three plain sessions: the two that are certified, and one more for market data that gives orders their
prices. What can go wrong at a venue is a finding of its table; what can go wrong here is a program that does not start.
"""

from collections.abc import Sequence
from pathlib import Path

from acceptance.evidence import read_evidence
from acceptance.integrate_book import TouchWatch
from acceptance.integrate_dialog import Dialog
from acceptance.integrate_orders import OrderDesk
from acceptance.integrate_paper import Traded
from acceptance.integrate_play import Played, Table
from acceptance.integrate_session import Clocks, DialogError, Ends, PlainSession
from gateway.fix.encode import OrderEncoder
from gateway.fix.market_data import MarketDataDecoder
from gateway.fix.orders import OrderDecoder
from gateway.journal.fold import fold
from gateway.journal.reader import read_run
from gateway.model.instrument import Instrument
from gateway.processes import clock
from gateway.processes.deliver_world import gateway, keep_with_run, venues
from gateway.processes.durations import SECOND
from gateway.processes.settings import SessionSettings, Site, VenueSettings

TRIPS = 10
TRADES_S = 90
QUIET_S = 30
"""HeartBtInt(108) of sessions that measure or price."""
CLOCKS = Clocks(clock.monotonic_ns, clock.utc_ns)


def play_site(site: Site, dialogs: Sequence[Dialog]) -> list[Played]:
    """Every dialog at every venue; numbers of the sessions begin at 1."""
    tables = []
    for venue_id, venue in site.venues.items():
        listed = {key: one for key, one in site.instruments.items() if one.venue_id == venue_id}
        tradable = next((one for one in listed.values() if one.tradable), None)
        if tradable is not None:
            tables.append(_play_venue(venue_id, venue, listed, tradable, dialogs))
    return tables


def _play_venue(
    venue_id: str,
    venue: VenueSettings,
    listed: dict[str, Instrument],
    tradable: Instrument,
    dialogs: Sequence[Dialog],
) -> Played:
    dialect = venue.dialect
    md, orders, prices = (PlainSession(_ends(one), dialect, CLOCKS) for one in (venue.md, venue.orders, venue.md))
    encoder = OrderEncoder(dialect, listed, venue.md.constants)
    watch = TouchWatch(encoder, MarketDataDecoder(dialect, venue_id, listed), list(listed.values()), dialect.depth)
    desk = OrderDesk(
        dialect,
        tradable,
        tradable.account or venue.spec.account,
        OrderEncoder(dialect, listed, venue.orders.constants),
        OrderDecoder(dialect, venue_id, listed),
        watch,
        prices,
        f"I{clock.utc_ns() // SECOND % 10**8}-",
    )
    table = Table(venue_id, dialect, desk, watch)
    for dialog in dialogs:
        if dialog.session == "orders":
            _log_on(prices)
        table.play(dialog, md if dialog.session == "md" else orders)
        prices.close()
    _finish(table, desk, orders, prices)
    return table.played


def _ends(one: SessionSettings) -> Ends:
    sub = one.constants.get("sender_sub_id", "")
    return Ends(
        one.host, one.port, one.sender_comp_id, one.target_comp_id, sub, one.username, one.password, one.constants
    )


def _log_on(session: PlainSession) -> bool:
    """Connected and logged on; where not, what needs it says so."""
    try:
        session.connect()
        session.logon(QUIET_S)
    except DialogError:
        session.close()
        return False
    return True


def _finish(table: Table, desk: OrderDesk, orders: PlainSession, prices: PlainSession) -> None:
    """Round trips, and what is open is closed."""
    try:
        if _log_on(orders):
            table.measure(orders, TRIPS)
        left = desk.flatten(orders) if _log_on(prices) else desk.left()
        if left:
            table.played.left_over.append(left)
    except DialogError as error:
        if desk.left():
            table.played.left_over.append(f"{desk.left()}: {error}")
    finally:
        orders.close()
        prices.close()


def trade(folder: Path, wanted: int, seed: int) -> Traded:
    """So many pair trades of one unit by the whole gateway on simulators, reconciled with the venues."""
    with (
        venues(folder, seed=seed, seconds=TRADES_S + 60, network="same-city") as at,
        gateway(at, at.site_tables()) as installed,
    ):
        installed.arm("delivery", "trades of one unit, end to end")
        until_ns = clock.monotonic_ns() + TRADES_S * SECOND
        while clock.monotonic_ns() < until_ns and _hedged(installed.run_dir) < wanted:
            clock.pause_ns(SECOND)
        run_dir = installed.run_dir
    keep_with_run(at.folder, run_dir)
    run = read_evidence(run_dir)
    ended = [one.outcome for one in run.story.trades.values()]
    differences = [
        f"{one.venue} {one.subject} {one.field}: {one.journal} / {one.venue_says}"
        for one in run.reconciliation.differences
    ]
    hedged = ended.count("hedged")
    return Traded(wanted, hedged, len(ended) - hedged, [*run.faults, *differences])


def _hedged(run_dir: Path) -> int:
    story = fold(read_run(run_dir, on_torn=lambda _torn: None))
    return sum(one.outcome == "hedged" for one in story.trades.values())
