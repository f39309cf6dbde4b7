"""The feed: FIX market data in, quotes out.

Topics: Q. quotes, for everybody; R. what came too late (sent again, or kept during a gap), for the record alone, so
that no rule ever sees it; X. changes of a verdict; C. how the clocks stand; alarms; the heartbeat.

A message is decoded, put into its book and published in the thread that received it: handing it to another thread of
the same interpreter would cost a wake-up per message (docs/ARCHITECTURE.md, decision 8). The main thread asks for
snapshots that are due, answers late subscribers and says how it stands.
"""

import os
import sys
import threading
from collections.abc import Iterable, Sequence

import zmq

from gateway.bus.sockets import Publisher
from gateway.bus.topics import FeedStatus, RepairStatus
from gateway.feed.core import FeedCore
from gateway.feed.repairs import RepairTotals
from gateway.fix.instrument_key import by_symbol
from gateway.model.port import Handlers, Sessions
from gateway.model.quote import BadMarketData, BookState, MdRejected, Quote
from gateway.model.trade import Alarm, AlarmName, BookStateChanged
from gateway.processes import clock, start
from gateway.processes.durations import MS, SECOND
from gateway.processes.fix_sessions import fix_sessions
from gateway.processes.host_clock import HostWatch
from gateway.processes.ids import next_epoch
from gateway.processes.session_clocks import Clocks
from gateway.processes.session_lines import session_lines
from gateway.processes.site import Site
from gateway.processes.venues import market_reader, open_sessions, writer

KEPT_INCREMENTS = 10_000
SNAPSHOT_RETRY_NS = SECOND
SNAPSHOT_RETRY_MOST_NS = 30 * SECOND
HOST_CLOCK_NS = 10 * SECOND
CLOCK_TOLD_NS = SECOND
"""How often the standing of the clocks is published by itself, for the record."""
SENT_AGAIN = "\x0143=Y\x01"
"""PossDupFlag(43)."""


class Feed:
    """Books of all instruments of a site, fed by their sessions."""

    def __init__(self, site: Site, publisher: Publisher, wake_fd: int) -> None:
        self._publisher = publisher
        self._wake_fd = wake_fd
        self._lock = threading.Lock()
        self._depths = {venue_id: venue.dialect.depth for venue_id, venue in site.venues.items()}
        self._core = FeedCore(
            site.instruments.values(),
            depth=self._depths,
            kept_limit=KEPT_INCREMENTS,
            retry_ns=SNAPSHOT_RETRY_NS,
            retry_most_ns=SNAPSHOT_RETRY_MOST_NS,
            unnumbered=[venue_id for venue_id, venue in site.venues.items() if not venue.dialect.rpt_seq],
            freshness=site.freshness,
        )
        self._topics = {name: f"Q.{name}" for name in site.instruments}
        self._late_topics = {name: f"L.{name}" for name in site.instruments}
        self._behind: set[str] = set()
        self._symbols: dict[str, str] = {}
        self._venue_of = {name: one.venue_id for name, one in site.instruments.items()}
        self._decoders = {}
        self._encoders = {}
        for venue_id, venue in site.venues.items():
            listed = [one for one in site.instruments.values() if one.venue_id == venue_id]
            key = f"{venue_id}.md"
            named = by_symbol(listed)
            self._symbols |= {one.instrument_id: name for name, one in named.items()}
            self._decoders[key] = market_reader(venue, venue_id, named)
            self._encoders[key] = writer(venue, named, venue.md.constants)
        self.clocks = Clocks(site.venues, "md")
        self._host_watch = HostWatch()
        self._host = self._host_watch.read()
        self._host_due_ns = self._clocks_due_ns = 0
        self._requests = 0
        self._subscribe: list[str] = []
        self._told: dict[str, BookState] = {}
        self._in_gap: set[str] = set()
        self._fixings = site.fixings
        self._fixed: set[str] = set()
        self.quotes = 0

    def on_message(self, key: str, raw: str, recv_ns: int) -> None:
        """One message of a market-data session, in the thread that received it."""
        extra_ns = self.clocks.on_message(key, raw, recv_ns)
        if self._behind and self._is_late(key, raw, recv_ns):
            return
        for event in self._decoders[key].decode(raw, recv_ns):
            with self._lock:
                quote = self._core.on_event(event, clock.monotonic_ns())
            if quote is not None:
                self.clocks.stamp(key, quote, raw, recv_ns, extra_ns)
                self._publish(quote)
                if quote.state is not BookState.OK:
                    os.eventfd_write(self._wake_fd, 1)
                elif quote.instrument_id in self._in_gap:
                    self._tell_filled(quote.instrument_id)
            if isinstance(event, MdRejected | BadMarketData):
                self._tell_bad(event)

    def on_admin(self, key: str, raw: str, recv_ns: int) -> None:
        """A message of the session layer."""
        self.clocks.on_admin(key, raw, recv_ns)
        if key not in self._behind:
            return
        if "\x0135=4\x01" in raw:
            with self._lock:
                self._core.on_gap_filled(key.removesuffix(".md"))
        elif SENT_AGAIN not in raw:
            self._caught_up(key)

    def on_gap(self, key: str, _first: int) -> None:
        """Messages of the session are missing; the venue has been asked to send them again."""
        with self._lock:
            quotes = self._core.on_session_gap(key.removesuffix(".md"), clock.monotonic_ns())
            if self._core.is_behind(key.removesuffix(".md")):
                self._behind.add(key)
        self._tell(key, quotes)

    def on_refused(self, key: str, number: int, text: str) -> None:
        """The engine refused a message of the venue, which nobody else has seen: it may have been about any book."""
        reason = f"MsgSeqNum(34) {number} refused by the FIX engine: {text}"
        self._tell_bad(BadMarketData(key.removesuffix(".md"), "", clock.monotonic_ns(), number, reason))

    def _is_late(self, key: str, raw: str, recv_ns: int) -> bool:
        """Whether the message was sent again, for the record then; the first that was not ends the wait."""
        if key not in self._behind:
            return False
        if SENT_AGAIN not in raw:
            self._caught_up(key)
            return False
        for event in self._decoders[key].decode(raw, recv_ns):
            with self._lock:
                quote = self._core.on_replayed(event, clock.monotonic_ns())
            if quote is not None:
                self.clocks.stamp(key, quote, raw, 0, 0)
                self._publisher.publish_as(self._late_topics[quote.instrument_id], quote)
            if isinstance(event, MdRejected | BadMarketData):
                self._tell_bad(event)
        return True

    def _caught_up(self, key: str) -> None:
        self._behind.discard(key)
        with self._lock:
            quotes = self._core.on_session_live(key.removesuffix(".md"), clock.monotonic_ns())
        self._tell(key, quotes)

    def _tell(self, key: str, quotes: Sequence[Quote]) -> None:
        """Quotes that no message of their own brought."""
        for quote in quotes:
            if quote.venue_ns:
                self.clocks.stamp(key, quote, "", 0, 0)
            self._publish(quote)
        os.eventfd_write(self._wake_fd, 1)

    def _tell_bad(self, event: MdRejected | BadMarketData) -> None:
        self._publisher.publish(_alarm(event))
        if isinstance(event, BadMarketData) and not event.instrument_id:
            with self._lock:
                quotes = self._core.on_unnamed(event, clock.monotonic_ns())
            self._tell(f"{event.venue_id}.md", quotes)

    def _tell_filled(self, name: str) -> None:
        """A gap is over: what was kept meanwhile, for the record."""
        self._in_gap.discard(name)
        with self._lock:
            filled = self._core.take_filled(name)
        for quote in filled:
            self.clocks.stamp(f"{self._venue_of[name]}.md", quote, "", 0, 0)
            self._publisher.publish_as(self._late_topics[name], quote)

    def on_session(self, key: str, up: bool, _detail: str) -> None:  # noqa: FBT001 the callback's form
        """A market-data session came up or went down."""
        self.clocks.on_session(key, up=up, at_ns=clock.monotonic_ns())
        self._behind.discard(key)
        with self._lock:
            quotes = self._core.on_session(key.removesuffix(".md"), up=up, at_ns=clock.monotonic_ns())
            if up:
                self._subscribe.append(key)
        for quote in quotes:
            self._publish(quote)
        os.eventfd_write(self._wake_fd, 1)

    def ask(self, sessions: Sessions, at_ns: int) -> None:
        """Subscribe where a session came up; ask for snapshots that are due."""
        with self._lock:
            new, self._subscribe = self._subscribe, []
            due = self._core.due_snapshots(at_ns)
        for key in new:
            venue_id = key.removesuffix(".md")
            symbols = [self._symbols[name] for name, venue in self._venue_of.items() if venue == venue_id]
            if symbols:
                depth = self._depths[venue_id]
                sessions.send(key, self._encoders[key].market_data_request(self._request_id(), symbols, depth))
        for name in due:
            venue_id = self._venue_of[name]
            key = f"{venue_id}.md"
            if sessions.logged_on(key):
                request = self._encoders[key].market_data_request(
                    self._request_id(), [self._symbols[name]], self._depths[venue_id], snapshot_only=True
                )
                sessions.send(key, request)

    def repairs(self, venue_id: str) -> tuple[RepairTotals, list[int]]:
        """What became of the gaps of a venue's books, and how long the last repairs took."""
        with self._lock:
            return self._core.repairs(venue_id), self._core.repair_times(venue_id)

    def mind_fixings(self, at_ns: int, utc_ns: int) -> None:
        """Tell the fixing of each reference that has one of today and no live quote; when it ends, what is so then."""
        if not self._fixings:
            return
        with self._lock:
            live = {name for name, state, _ in self._core.states() if state is BookState.OK}
        for name, fixing in self._fixings.items():
            if name in live:
                self._fixed.discard(name)
            elif fixing.holds(utc_ns):
                self._fixed.add(name)
                self._publish(fixing.quote(name, at_ns))
            elif name in self._fixed:
                self._fixed.discard(name)
                with self._lock:
                    quote = self._core.standing(name, at_ns)
                self._publish(quote)

    def mind_silence(self, at_ns: int) -> int:
        """Tell what has been silent for too long; how long until it has to be looked at again."""
        with self._lock:
            quotes = self._core.stale(at_ns)
            due_ns = self._core.stale_due_ns()
        for quote in quotes:
            self._tell(f"{self._venue_of[quote.instrument_id]}.md", [quote])
        return max(0, due_ns - at_ns)

    def mind_clocks(self, sessions: Sessions, at_ns: int) -> None:
        """Ask the venues for their time, look at our own, and tell what happened to either."""
        self.clocks.ask(sessions, at_ns)
        alarms = list(self.clocks.alarms(at_ns))
        for alarm in alarms:
            self._publisher.publish(alarm)
        if alarms or at_ns >= self._clocks_due_ns:
            self._clocks_due_ns = at_ns + CLOCK_TOLD_NS
            for one in self.clocks.status(at_ns):
                self._publisher.publish(one)
        if at_ns >= self._host_due_ns:
            self._host_due_ns = at_ns + HOST_CLOCK_NS
            was, self._host = self._host, self._host_watch.read()
            self.clocks.on_host(self._host)
            self._publisher.publish(self._host.status)
            if was.status.synchronised and not self._host.status.synchronised:
                self._publisher.publish(Alarm(AlarmName.CLOCK, "host", "our own clock is not disciplined any more"))

    def status(self, sessions: Sessions, incarnation: int, at_ns: int) -> FeedStatus:
        """The heartbeat."""
        with self._lock:
            states = tuple(self._states())
            repairs = tuple(RepairStatus(f"{one}.md", *self._core.repairs(one)) for one in self._depths)
            bad = self._core.bad_messages
        lines = session_lines(sessions)
        clocks = self.clocks.status(at_ns)
        gaps, repaired = sum(one.gaps for one in repairs), sum(one.repaired for one in repairs)
        told = (incarnation, at_ns, lines, states, self.quotes, gaps, repaired, clocks, self._host.status)
        return FeedStatus(*told, repairs, bad)

    def _states(self) -> Iterable[tuple[str, BookState, str]]:
        """Every book's verdict; of a reference that a fixing stands in for, the fixing's."""
        for name, state, detail in self._core.states():
            if name in self._fixed and state is not BookState.OK:
                one = self._fixings[name]
                yield name, BookState.OK, f"fixing of {one.day}, {one.source}"
            else:
                yield name, state, detail

    def _publish(self, quote: Quote) -> None:
        self.quotes += 1
        name = quote.instrument_id
        self._publisher.publish_as(self._topics[name], quote)
        if quote.state is not self._told.get(name):
            self._told[name] = quote.state
            if quote.state is BookState.GAP:
                self._in_gap.add(name)
            self._publisher.publish(BookStateChanged(name, quote.state, quote.detail))

    def _request_id(self) -> str:
        self._requests += 1
        return f"MD{self._requests}"


def _alarm(event: MdRejected | BadMarketData) -> Alarm:
    """What an operator is told of a refused request, or of a message that could not be used."""
    if isinstance(event, BadMarketData):
        return Alarm(AlarmName.BAD_MESSAGE, event.instrument_id or event.venue_id, event.reason)
    figures = (
        f"request {event.md_req_id or 'unknown'} refused: MDReqRejReason(281)={event.reason} Text(58)={event.text}"
    )
    return Alarm(AlarmName.BAD_MESSAGE, event.venue_id, figures)


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to stop."""
    given = start.arguments(argv, "feed")
    site = start.site_when_begun(given)
    stop = start.StopFlag()
    incarnation = next_epoch(site.state_dir / "feed")
    publisher = Publisher(given.bus_dir, "feed", incarnation, site.bus.high_water_mark)
    feed = Feed(site, publisher, stop.fd)
    sessions = open_sessions(
        fix_sessions(site, "md"),
        site.state_dir / "fix",
        given.run_dir / "logs",
        clock.monotonic_ns,
        Handlers(
            feed.on_message,
            feed.on_session,
            on_admin=feed.on_admin,
            on_gap=feed.on_gap,
            on_refused=feed.on_refused,
            on_round_trip=feed.clocks.on_round_trip,
        ),
    )
    sessions.start()
    start.say_ready(given.run_dir, "feed")
    poller = zmq.Poller()
    poller.register(publisher.snapshots, zmq.POLLIN)
    poller.register(stop.fd, zmq.POLLIN)
    beat_ns = silence_ns = 0
    while not stop.set:
        wait_ns = feed.clocks.due_ns(clock.monotonic_ns(), min(site.bus.heartbeat_interval_ns, silence_ns))
        if any(what == stop.fd for what, _ in poller.poll(-(-wait_ns // MS))):
            os.eventfd_read(stop.fd)
        publisher.answer_snapshots()
        now_ns = clock.monotonic_ns()
        feed.ask(sessions, now_ns)
        feed.mind_clocks(sessions, now_ns)
        silence_ns = feed.mind_silence(now_ns)
        if now_ns >= beat_ns:
            beat_ns = now_ns + site.bus.heartbeat_interval_ns
            feed.mind_fixings(now_ns, clock.utc_ns())
            publisher.publish(feed.status(sessions, incarnation, now_ns))
    sessions.stop(timeout_s=2.0)
    publisher.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
