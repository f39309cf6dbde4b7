"""Compares what our journal says of a run with what the venues themselves recorded, order by order, fill by fill.

Equal means: every order sent is at its venue with the same fields, and no other order is there; every fill is counted
once with the same quantity and price, busts and corrections taken into account; the filled quantity of every order and
the position in every instrument are the same; and what execution announced (positions, filled lots of each leg) is
what its own fills add up to. Each difference names the subject, the field and both values.

An order may rightly be absent at the venue when its session refused the message, when the venue answered a status
request that it never heard of it, when it was never handed over, or when the process died before it could tell.
Lots that came by a status answer instead of a fill report (*inferred*) explain venue fills that the journal misses.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from gateway.journal.fold import OrderStory, RunStory, fold
from gateway.journal.reader import EXECUTION, read_run, require_run
from gateway.journal.site_facts import SiteFacts, read_site_facts
from gateway.journal.truth import TruthFill, VenueTruth, read_truth
from gateway.model.order import OrdType, Side


class Difference(NamedTuple):
    """One thing on which journal and venue disagree."""

    venue: str
    subject: str
    """ClOrdID(11), ExecID(17), instrument or pair trade."""
    field: str
    journal: str
    venue_says: str


@dataclass(slots=True)
class Reconciliation:
    """What was compared, what differs, and what could not be compared."""

    venues: list[str] = field(default_factory=list)
    orders: int = 0
    fills: int = 0
    positions: int = 0
    differences: list[Difference] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was rightly left out of the comparison, and why."""

    @property
    def equal(self) -> bool:
        """Tell whether every venue that orders went to was compared, and nothing differs."""
        return bool(self.venues) and not self.differences and not self.not_compared


def reconcile(run_dir: Path) -> Reconciliation:
    """Read and compare a run directory; RunNotFoundError where it is none."""
    require_run(run_dir)
    return compare(fold(read_run(run_dir, EXECUTION)), read_truth(run_dir), read_site_facts(run_dir))


def compare(run: RunStory, truth: Mapping[str, VenueTruth], site: SiteFacts) -> Reconciliation:
    """Compare a run with the truth of its venues. Pure."""
    result = Reconciliation(venues=sorted(truth))
    by_venue: dict[str, dict[str, OrderStory]] = defaultdict(dict)
    for cl_ord_id, story in run.orders.items():
        by_venue[story.order.venue_id][cl_ord_id] = story
    for venue in sorted(by_venue.keys() - truth.keys()):
        result.not_compared.append(f"{venue}: its simulator left no truth/{venue}/orders.jsonl")
    ticks = {**_ticks_of_fills(run), **site.ticks}
    for venue, venue_truth in sorted(truth.items()):
        stories = by_venue.get(venue, {})
        result.orders += len(venue_truth.orders)
        result.fills += len(venue_truth.fills)
        result.differences += _compare_orders(venue_truth, stories, site, ticks)
        result.differences += _compare_fills(venue_truth, stories)
        result.not_compared += _without_tick(venue, stories, ticks)
        positions = list(_compare_positions(venue_truth, stories, site))
        result.positions += len({story.order.instrument_id for story in stories.values()})
        result.differences += positions
    result.differences += _compare_announced(run)
    result.notes += [f"booked by hand, announced lots not compared: {argument}" for argument in run.by_hand]
    result.differences += [Difference("", text, "report", "no such order", "") for text in run.unplaced]
    return result


def _compare_orders(
    truth: VenueTruth, stories: Mapping[str, OrderStory], site: SiteFacts, ticks: Mapping[str, Decimal]
) -> Iterator[Difference]:
    for cl_ord_id, story in stories.items():
        at_venue = truth.orders.get(cl_ord_id)
        if at_venue is None:
            if not _may_be_absent(story):
                yield Difference(truth.venue, cl_ord_id, "order", "sent", "unknown")
            continue
        if story.send_failure:
            yield Difference(truth.venue, cl_ord_id, "order", f"not sent: {story.send_failure}", "received")
        order = story.order
        pairs = (
            ("Account(1)", order.account, at_venue.account or order.account),
            ("Symbol(55)", site.symbol(order.instrument_id), at_venue.symbol),
            ("Side(54)", order.side.value, at_venue.side),
            ("OrderQty(38)", str(order.qty_lots), str(at_venue.order_qty)),
            ("OrdType(40)", order.ord_type.value, at_venue.ord_type),
            ("TimeInForce(59)", order.time_in_force.value, at_venue.time_in_force),
            ("PositionEffect(77)", order.position_effect.value, at_venue.position_effect),
            ("CumQty(14)", str(story.cum_lots), str(at_venue.cum_qty)),
            ("accepted", *_acceptance(story, was_accepted=at_venue.was_accepted)),
        )
        for name, ours, theirs in pairs:
            if ours != theirs:
                yield Difference(truth.venue, cl_ord_id, name, ours, theirs)
        yield from _compare_price(truth.venue, story, at_venue.px, ticks)
    for cl_ord_id in truth.orders.keys() - stories.keys():
        yield Difference(truth.venue, cl_ord_id, "order", "unknown", "received")


def _acceptance(story: OrderStory, *, was_accepted: bool) -> tuple[str, str]:
    """Give both sides' word; ours is "yes" or "no" only where the venue's answer reached us."""
    if not (story.accepted or story.rejected):
        return "", ""
    return ("no" if story.rejected else "yes"), ("yes" if was_accepted else "no")


def _compare_price(venue: str, story: OrderStory, px: str, ticks: Mapping[str, Decimal]) -> Iterator[Difference]:
    order, cl_ord_id = story.order, story.order.cl_ord_id
    if order.ord_type is not OrdType.LIMIT or order.px_ticks is None:
        if px:
            yield Difference(venue, cl_ord_id, "Price(44)", "none, a market order", px)
        return
    tick = ticks.get(order.instrument_id)
    if tick is not None and _number(px) != tick * order.px_ticks:
        yield Difference(venue, cl_ord_id, "Price(44)", str(tick * order.px_ticks), px or "none")


def _without_tick(venue: str, stories: Mapping[str, OrderStory], ticks: Mapping[str, Decimal]) -> list[str]:
    missing = sorted({story.order.instrument_id for story in stories.values()} - ticks.keys())
    return [
        f"{venue}: prices of {instrument_id}: its tick is known neither from site.toml nor from a fill"
        for instrument_id in missing
    ]


def _compare_fills(truth: VenueTruth, stories: Mapping[str, OrderStory]) -> Iterator[Difference]:
    ours = _our_fills(stories)
    theirs, recorded_twice = _their_fills(truth.fills)
    for key in recorded_twice:
        yield Difference(truth.venue, key[1], f"fill of {key[0]}", "", "recorded twice")
    to_explain = {cl_ord_id: story.inferred_lots for cl_ord_id, story in stories.items()}
    for key in sorted(theirs.keys() - ours.keys()):
        cl_ord_id, exec_id = key
        lots = theirs[key].last_qty
        if 0 < lots <= to_explain.get(cl_ord_id, 0):
            to_explain[cl_ord_id] -= lots
            continue
        if lots:
            text = f"{lots} at {theirs[key].last_px}"
            yield Difference(truth.venue, exec_id, f"fill of {cl_ord_id}", "missing", text)
    for cl_ord_id, lots in sorted(to_explain.items()):
        if lots:
            yield Difference(truth.venue, cl_ord_id, "inferred fill", f"{lots} lots", "no such fill")
    for key in sorted(ours.keys() - theirs.keys()):
        fills = ours[key]
        yield Difference(truth.venue, key[1], f"fill of {key[0]}", f"{fills[0][0]} at {fills[0][1]}", "missing")
    for key in sorted(ours.keys() & theirs.keys()):
        yield from _compare_fill(truth.venue, key, ours[key], theirs[key])


def _compare_fill(
    venue: str, key: tuple[str, str], ours: list[tuple[int, str]], theirs: TruthFill
) -> Iterator[Difference]:
    cl_ord_id, exec_id = key
    if len(ours) > 1:
        yield Difference(venue, exec_id, f"fill of {cl_ord_id}", f"counted {len(ours)} times", "once")
    qty, px = ours[0]
    if qty != theirs.last_qty:
        yield Difference(venue, exec_id, f"LastQty(32) of {cl_ord_id}", str(qty), str(theirs.last_qty))
    if qty and _number(px) != _number(theirs.last_px):
        yield Difference(venue, exec_id, f"LastPx(31) of {cl_ord_id}", px, theirs.last_px)


def _our_fills(stories: Mapping[str, OrderStory]) -> dict[tuple[str, str], list[tuple[int, str]]]:
    """Give what each fill counts for now, by order and ExecID(17)."""
    found: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for cl_ord_id, story in stories.items():
        for fill in story.fills.values():
            found[cl_ord_id, fill.exec_id].append((fill.qty_lots, fill.px))
    return found


def _their_fills(fills: list[TruthFill]) -> tuple[dict[tuple[str, str], TruthFill], list[tuple[str, str]]]:
    """Give each trade after busts and corrections, by order and ExecID(17), and those that stand there twice."""
    net: dict[tuple[str, str], TruthFill] = {}
    twice = list[tuple[str, str]]()
    for fill in fills:
        if fill.kind == "trade":
            key = (fill.cl_ord_id, fill.exec_id)
            if key in net:
                twice.append(key)
            net[key] = fill
            continue
        key = (fill.cl_ord_id, fill.exec_ref_id)
        if key in net:
            changed = {"last_qty": 0} if fill.kind == "bust" else {"last_qty": fill.last_qty, "last_px": fill.last_px}
            net[key] = net[key]._replace(**changed)
    return net, twice


def _compare_positions(truth: VenueTruth, stories: Mapping[str, OrderStory], site: SiteFacts) -> Iterator[Difference]:
    ours, theirs = Counter[str](), Counter[str]()
    for story in stories.values():
        ours[site.symbol(story.order.instrument_id)] += story.order.side.sign * story.cum_lots
    net, _ = _their_fills(truth.fills)
    for fill in net.values():
        theirs[fill.symbol] += Side(fill.side).sign * fill.last_qty
    for symbol in sorted(ours.keys() | theirs.keys()):
        if ours[symbol] != theirs[symbol]:
            yield Difference(truth.venue, symbol, "position by fills", str(ours[symbol]), str(theirs[symbol]))


def _compare_announced(run: RunStory) -> Iterator[Difference]:
    """Compare what execution announced with the sum of the fills in its own journal.

    Trades with fills that a person booked, and their instruments, are left out: no order of ours explains those.
    """
    by_hand = {argument.split(" ")[0] for argument in run.by_hand}
    touched = {story.order.instrument_id for name in by_hand if name in run.trades for story in run.trades[name].orders}
    counted = Counter[str]()
    for story in run.orders.values():
        counted[story.order.instrument_id] += story.order.side.sign * story.cum_lots
    for instrument_id, position in sorted(run.positions.items()):
        if instrument_id not in touched and position.net_lots != counted[instrument_id]:
            fills = f"{counted[instrument_id]} by the journal's fills"
            yield Difference("", instrument_id, "net_lots announced", str(position.net_lots), fills)
    for trade in run.trades.values():
        if trade.trade_id in by_hand:
            continue
        lots = Counter[str]()
        for story in trade.orders:
            lots[story.order.instrument_id] += story.order.side.sign * story.cum_lots
        for leg in trade.last.legs if trade.last else ():
            filled = leg.side.sign * lots[leg.instrument_id]
            if leg.filled_lots != filled:
                subject = f"{trade.trade_id} {leg.instrument_id}"
                fills = f"{filled} by the journal's fills"
                yield Difference("", subject, "filled_lots announced", str(leg.filled_lots), fills)


def _may_be_absent(story: OrderStory) -> bool:
    return story.sent_ns == 0 or story.unknown_at_venue or (story.rejected and not story.accepted)


def _ticks_of_fills(run: RunStory) -> dict[str, Decimal]:
    """Give ticks as fills show them: price divided by whole ticks."""
    return {
        story.order.instrument_id: _number(fill.px) / fill.px_ticks
        for story in run.orders.values()
        for fill in story.fills.values()
        if fill.px_ticks
    }


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")
