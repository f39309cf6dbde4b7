"""`cmc status`, `cmc pairs`, `cmc positions`: how an installation stands, from what its processes published last.

A pair's line says whether it is traded and, if not, everything that stands in the way: execution, order sessions,
books, the price itself. Nothing is decided here.

What can go wrong: a process that hangs has published something once; so the age of each heartbeat is looked at, and an
old one counts as silence.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from gateway.bus.sockets import Subscriber
from gateway.bus.topics import (
    ClientsStatus,
    FeedStatus,
    OrderSessions,
    Published,
    SessionStatus,
    TriggerStatus,
)
from gateway.execution.settling import RESIDUAL_RULE
from gateway.journal.told import Told, joined, name_sentence, told, verdict_told
from gateway.journal.units import money
from gateway.model.clock import ClockStatus
from gateway.model.quote import BookState, Quote
from gateway.model.site import PairSpec, instruments_of
from gateway.model.trade import ExecutionStatus, PairPosition, PairPrice, PositionChanged
from gateway.processes import clock
from gateway.processes.child import Identity, alive
from gateway.processes.cli import FAILED, OK
from gateway.processes.client_lines import client_content, client_lines
from gateway.processes.clock_lines import clock_content, clock_lines
from gateway.processes.currency_lines import CurrencyHeld, currencies_held, currency_content, currency_lines
from gateway.processes.durations import SECOND
from gateway.processes.held import Held, read_held
from gateway.processes.repair_lines import repair_content, repair_lines
from gateway.processes.settings import Site
from gateway.processes.site_open import load, operator_of, run_dir_of, site_path
from gateway.processes.supervisor import live_children, read_status
from gateway.processes.supervisor_log import out

ANSWER_NS = SECOND
"""How long a process may take to say what it published last."""
SILENT_NS = 5 * SECOND
"""A heartbeat older than this is silence."""
NO_NAMES: dict[str, Any] = {"children": [], "pid": 0, "created": 0}


class Standing(NamedTuple):
    """What is known of an installation now."""

    site: Site
    running: bool
    children: Sequence[dict[str, Any]]
    held: Held | None
    execution: ExecutionStatus | None
    feed: FeedStatus | None
    trigger: TriggerStatus | None
    sessions: tuple[SessionStatus, ...]
    clocks: tuple[ClockStatus, ...]
    prices: dict[str, PairPrice]
    now_ns: int
    utc_minus_local_ns: int
    currencies: tuple[CurrencyHeld, ...] = ()
    clients: ClientsStatus | None = None


class PairStanding(NamedTuple):
    """A pair, and what stands in the way of its trades; nothing: it is traded."""

    pair_id: str
    why: tuple[str, ...]


def hear(bus_dir: Path, publisher: str, topics: Sequence[str]) -> list[Published]:
    """The last message of each topic of a process that runs; none of one that does not answer."""
    subscriber = Subscriber(bus_dir, publisher, topics)
    try:
        subscriber.ask()
        heard: list[Published] = []
        until_ns = clock.monotonic_ns() + ANSWER_NS
        while subscriber.is_waiting and clock.monotonic_ns() < until_ns:
            heard += [one.message for one in subscriber.poll(20)]
        return heard
    finally:
        subscriber.close()


def look(site: Site) -> Standing:
    """Ask everybody who runs."""
    table = read_status(run_dir_of(site)) or NO_NAMES
    live = live_children(table)
    heard: list[Published] = []
    for publisher, topics in (
        ("feed", ["FeedStatus.", "Q."]),
        ("trigger", ["TriggerStatus.", "P."]),
        ("execution", ["OrderSessions.", "N.", "U."]),
        ("clients", ["ClientsStatus."]),
    ):
        heard += hear(site.bus_dir, publisher, topics) if publisher in live else []
    now_ns = clock.monotonic_ns()
    feed = trigger = orders = clients = None
    prices = {}
    for message in heard:
        match message:
            case FeedStatus() if now_ns - message.at_ns < SILENT_NS:
                feed = message
            case TriggerStatus() if now_ns - message.at_ns < SILENT_NS:
                trigger = message
            case OrderSessions() if now_ns - message.at_ns < SILENT_NS:
                orders = message
            case ClientsStatus() if now_ns - message.at_ns < SILENT_NS:
                clients = message
            case PairPrice():
                prices[message.pair_id] = message
            case _:
                pass
    return Standing(
        site,
        alive(Identity(table["pid"], table["created"])),
        table["children"],
        read_held(run_dir_of(site)),
        operator_of(site, "cmc status").status() if "execution" in live else None,
        feed,
        trigger,
        (*(feed.sessions if feed else ()), *(orders.sessions if orders else ())),
        (*(feed.clocks if feed else ()), *(orders.clocks if orders else ())),
        prices,
        now_ns,
        clock.utc_ns() - clock.monotonic_ns(),
        held_of(site, heard),
        clients,
    )


def held_of(site: Site, heard: Sequence[Published]) -> tuple[CurrencyHeld, ...]:
    """Foreign currency by the positions, units and quotes among what was heard; nothing where execution is not."""
    lots = {one.instrument_id: one.net_lots for one in heard if isinstance(one, PositionChanged)}
    quotes = {one.instrument_id: one for one in heard if isinstance(one, Quote)}
    units: dict[str, int] = {}
    for one in heard:
        if isinstance(one, PairPosition) and one.rule_id != RESIDUAL_RULE:
            units[one.pair_id] = units.get(one.pair_id, 0) + one.net_units
    return tuple(currencies_held(site, lots, units, quotes)) if lots or units else ()


def status(path: Path | None, *, as_json: bool) -> int:
    """Processes, sessions and pairs; 1 when it does not run or execution does not answer."""
    site = load(site_path(path))
    standing = look(site)
    if as_json:
        out(msgspec.json.format(msgspec.json.encode(as_content(standing)), indent=1).decode())
    else:
        for line in lines(standing):
            out(line, site.language)
    return OK if standing.running and standing.execution is not None else FAILED


def as_content(standing: Standing) -> dict[str, Any]:
    """For a program. Times to come are in nanoseconds from now."""
    content: dict[str, Any] = {
        "running": standing.running,
        "processes": standing.children,
        "execution": None,
        "held": standing.held._asdict() if standing.held else None,
        "sessions": [_session_content(one, standing.now_ns) for one in standing.sessions],
        "clients": client_content(standing.clients),
        "clocks": [clock_content(one, standing.utc_minus_local_ns) for one in standing.clocks],
        "host_clock": standing.feed.host_clock if standing.feed else None,
        "market_data": [repair_content(one) for one in standing.feed.repairs] if standing.feed else [],
        "currencies": currency_content(standing.currencies),
        "pairs": [
            {"pair": one.pair_id, "traded": not one.why, "why": [str(word) for word in one.why]}
            for one in pairs_of(standing)
        ],
    }
    execution = standing.execution
    if execution is not None:
        content["execution"] = {name: getattr(execution, name) for name in execution.__struct_fields__}
    return content


def _session_content(one: SessionStatus, now_ns: int) -> dict[str, Any]:
    return {
        "session": one.key,
        "venue": one.venue_id,
        "kind": one.kind,
        "state": one.state,
        "up": one.up,
        "attempts": one.attempts,
        "last_error": one.detail,
        "next_attempt_in_ns": max(0, one.next_attempt_ns - now_ns) if one.next_attempt_ns else None,
    }


def pairs_of(standing: Standing) -> list[PairStanding]:
    """Every pair of the site, in its order."""
    return [PairStanding(name, tuple(_why(standing, pair))) for name, pair in standing.site.pairs.items()]


def _why(standing: Standing, pair: PairSpec) -> Iterator[str]:
    """Everything that keeps it from being traded, the most general first."""
    if not standing.running and not standing.children:
        yield told("the installation does not run")
        return
    yield from _execution_why(standing)
    yield from _orders_why(standing, pair)
    books = list(_books_why(standing, pair))
    yield from books
    if standing.trigger is None:
        yield told("trigger does not answer")
    price = standing.prices.get(pair.pair_id)
    if not books and price is not None and price.verdict != "ok":
        yield verdict_told(price.verdict)


def _execution_why(standing: Standing) -> Iterator[str]:
    execution = standing.execution
    if standing.held is not None:
        yield told("execution is held by the watch until `cmc arm`")
    elif execution is None:
        yield told("execution does not answer")
    elif execution.halted:
        yield told("execution is halted until `cmc arm`")
    elif execution.stopping:
        yield told("execution is stopping")
    elif not execution.armed:
        yield told("execution is disarmed until `cmc arm`")


def _orders_why(standing: Standing, pair: PairSpec) -> Iterator[str]:
    if standing.execution is None:
        return
    known = {venue: (up, reconciled) for venue, up, reconciled in standing.execution.sessions}
    for venue in dict.fromkeys(standing.site.instruments[leg.instrument_id].venue_id for leg in pair.legs):
        up, reconciled = known.get(venue, (False, False))
        if not up:
            yield told("{}: order session is down", venue)
        elif not reconciled:
            yield told("{}: not reconciled since its logon", venue)


def _books_why(standing: Standing, pair: PairSpec) -> Iterator[str]:
    if standing.feed is None:
        yield told("feed does not answer")
        return
    books = {name: (state, detail) for name, state, detail in standing.feed.books}
    language = standing.site.language
    for name in instruments_of(pair):
        state, _ = books.get(name, (BookState.EMPTY, ""))
        if state is not BookState.OK:
            yield told("{}: book is {} ({})", name, state.value, name_sentence(state, language))


def lines(standing: Standing) -> list[Told]:
    """For a person."""
    site = standing.site
    running = told("running") if standing.running else told("not running")
    said_lines = [told("{}: {} ({})", site.name, running, site.path)]
    for one in standing.children:
        end = told(", last end: {}", one["last_end"]) if one["last_end"] else ""
        state, pid = told(one["state"]), one["pid"] or "-"
        said_lines.append(
            told("  {} {}, pid {}, restarts {}{}", f"{one['name']:<10}", state, pid, one["restarts"], end)
        )
    if standing.held is not None:
        said_lines += [told("  {}", line) for line in standing.held.words().splitlines()]
    elif standing.running and not any(one["name"] == "watch" and one["pid"] for one in standing.children):
        said_lines.append(told("  NO WATCH: nothing pulls the orders of a hung execution"))
    if not standing.running and not standing.children:
        return said_lines
    said_lines.append(_execution_line(standing.execution))
    said_lines += [_session_line(one, standing.now_ns) for one in standing.sessions]
    host = standing.feed.host_clock if standing.feed else None
    said_lines += clock_lines(standing.clocks, host, standing.utc_minus_local_ns)
    said_lines += repair_lines(standing.feed.repairs if standing.feed else ())
    said_lines += currency_lines(standing.currencies)
    said_lines += client_lines(standing.clients)
    for pair in pairs_of(standing):
        said_lines.append(told("  pair {}: {}", pair.pair_id, told("NOT traded") if pair.why else told("traded")))
        said_lines += [told("    - {}", reason) for reason in pair.why]
    return said_lines


def _execution_line(execution: ExecutionStatus | None) -> Told:
    if execution is None:
        return told("  execution does not answer")
    words = [
        told("armed") if execution.armed else told("disarmed"),
        *([told("stopping")] if execution.stopping else []),
        *([told("HALTED")] if execution.halted else []),
        told("stage {}", execution.stage),
        *([told("plan {}, at {}", execution.plan, execution.step)] if execution.plan else []),
        told("{} open trades", execution.open_trades),
        told("{} working orders", execution.working_orders),
    ]
    return told("  {}", joined(", ", words))


def _session_line(one: SessionStatus, now_ns: int) -> Told:
    key = f"{one.key:<14}"
    if one.up:
        return told("  {} up", key)
    error = one.detail or told("no error yet")
    if one.next_attempt_ns:
        wait_s = f"{max(0, one.next_attempt_ns - now_ns) / SECOND:.1f}"
        return told("  {} DOWN, {} attempts, next in {} s: {}", key, one.attempts, wait_s, error)
    return told("  {} DOWN, {} attempts, {}: {}", key, one.attempts, told(one.state or "down"), error)


def pairs(path: Path | None, *, as_json: bool) -> int:
    """Prices of every pair as they were published last, with thresholds, and whether it is traded."""
    site = load(site_path(path))
    standing = look(site)
    found = pairs_of(standing)
    if as_json:
        content = [
            {
                "pair": one.pair_id,
                "traded": not one.why,
                "why": [str(word) for word in one.why],
                **_price_content(standing.prices.get(one.pair_id), standing.now_ns),
            }
            for one in found
        ]
        out(msgspec.json.format(msgspec.json.encode(content), indent=1).decode())
    else:
        for one in found:
            out(_pair_line(one, standing.prices.get(one.pair_id)), site.language)
    return OK if standing.running else FAILED


def _price_content(price: PairPrice | None, now_ns: int) -> dict[str, Any]:
    if price is None:
        return {"price": None}
    return {"price": {name: getattr(price, name) for name in price.__struct_fields__}, "age_ns": now_ns - price.at_ns}


def _pair_line(one: PairStanding, price: PairPrice | None) -> Told:
    traded = told("NOT traded: {}", joined("; ", one.why)) if one.why else told("traded")
    if price is None:
        return told("{}: no price yet; {}", one.pair_id, traded)
    figures = [
        "-" if value is None else money(value)
        for value in (price.buy_px_e9, price.buy_at_e9, price.sell_px_e9, price.sell_at_e9)
    ]
    return told("{}: buys at {} (if at most {}), sells at {} (if at least {}); {}", one.pair_id, *figures, traded)


def positions(path: Path | None, *, as_json: bool) -> int:
    """Lots held of each instrument by our own fills, and units of each rule, as execution published them last."""
    site = load(site_path(path))
    live = live_children(read_status(run_dir_of(site)) or NO_NAMES)
    heard = hear(site.bus_dir, "execution", ["N.", "U."]) if "execution" in live else []
    quotes = hear(site.bus_dir, "feed", ["Q."]) if heard and "feed" in live else []
    currencies = held_of(site, [*heard, *quotes])
    traded = {name for name, one in site.instruments.items() if one.tradable}
    held = [one for one in heard if isinstance(one, PositionChanged) and one.instrument_id in traded]
    units = [one for one in heard if isinstance(one, PairPosition)]
    if as_json:
        content = {"instruments": [_fields(one) for one in held], "rules": [_fields(one) for one in units]}
        content["currencies"] = currency_content(currencies)
        out(msgspec.json.format(msgspec.json.encode(content), indent=1).decode())
    elif not heard:
        out(told("execution does not answer"), site.language)
    else:
        for position in held:
            out(_position_line(position), site.language)
        for unit in units:
            text = told("pair {}, rule {}: {} units", unit.pair_id, unit.rule_id, f"{unit.net_units:+d}")
            out(text, site.language)
        for line in currency_lines(currencies):
            out(line, site.language)
    return OK if heard else FAILED


def _fields(message: Any) -> dict[str, Any]:  # noqa: ANN401 any message of the bus
    return {name: getattr(message, name) for name in message.__struct_fields__}


def _position_line(one: PositionChanged) -> Told:
    return told(
        "{}: net {}, long {} today + {} before, short {} today + {} before",
        one.instrument_id,
        f"{one.net_lots:+d}",
        one.long_today_lots,
        one.long_yesterday_lots,
        one.short_today_lots,
        one.short_yesterday_lots,
    )
