"""What limits, modes and substitutes of a site file may not say together: a limit that can never bind or be met, a mode
whose needs are not there, a substitute that is not one lot for lot.

It judges a file whose keys are each right by themselves (`site_file.py`) and adds to `site_checks.py`. It opens no file
and reads no clock. An id that does not exist is told there and passed over here.
"""

from collections.abc import Iterator
from decimal import Decimal

from gateway.journal.told import told
from gateway.model.site import DispatchMode, InDoubtPolicy
from gateway.processes.site_checks import PLACES, Mistake, nearest
from gateway.processes.site_file import InstrumentSection, PairSection, SiteFile, VenueSection

LEADS = (DispatchMode.LEAD_THEN_HEDGE, DispatchMode.QUOTE_THEN_HEDGE)
SAME_OF_A_SUBSTITUTE = ("tick", "lot_units", "point_value", "unit", "currency")
"""What repairs take for granted when they trade one contract for the other."""


def check_limits(site: SiteFile) -> list[Mistake]:
    """Every contradiction, in the order of the file."""
    return [
        *_site(site),
        *(mistake for index, one in enumerate(site.venue) for mistake in _venue(site, f"venue[{index}]", one)),
        *(mistake for index, one in enumerate(site.instrument) for mistake in _instrument(site, index, one)),
        *(mistake for index, one in enumerate(site.pair) for mistake in _pair(site, f"pair[{index}]", one)),
        *_bands(site),
    ]


def _site(site: SiteFile) -> Iterator[Mistake]:
    limits = site.limits
    if limits.max_legged_trades > limits.max_open_trades:
        remedy = told("at most max_open_trades, {}", limits.max_open_trades)
        yield Mistake("limits.max_legged_trades", str(limits.max_legged_trades), remedy)
    most = max((len(pair.leg) for pair in site.pair), default=0)
    if limits.orders_per_intent < most:
        remedy = told("at least {}: a pair has {} legs, each with an order of its own", most, most)
        yield Mistake("limits.orders_per_intent", str(limits.orders_per_intent), remedy)
    if limits.max_orders_per_s < most:
        remedy = told("at least {}: a pair has {} legs, whose orders leave together", most, most)
        yield Mistake("limits.max_orders_per_s", str(limits.max_orders_per_s), remedy)
    for currency, loss in limits.daily_loss.items():
        yield from _places(f"limits.daily_loss.{currency}", loss)


def _venue(site: SiteFile, key: str, venue: VenueSection) -> Iterator[Mistake]:
    gross, net = venue.max_gross_lots, venue.max_net_lots
    if gross is not None and net is not None and net > gross:
        yield Mistake(
            f"{key}.max_net_lots", str(net), told("at most max_gross_lots, {}: net never exceeds gross", gross)
        )
    traded = [one for one in site.instrument if one.venue == venue.id and one.tradable]
    for one in traded:
        held = one.max_position_lots
        if gross is not None and held is not None and held > gross:
            yield Mistake(
                f"{key}.max_gross_lots", str(gross), told("at least max_position_lots {} of {}", held, one.id)
            )
    if venue.margin_available is None:
        return
    for one in traded:
        if one.currency not in venue.margin_available:
            remedy = told("an entry for {}, the currency of {}", one.currency, one.id)
            yield Mistake(f"{key}.margin_available", ", ".join(venue.margin_available) or "empty", remedy)
    for currency, money in venue.margin_available.items():
        yield from _places(f"{key}.margin_available.{currency}", money)


def _instrument(site: SiteFile, index: int, one: InstrumentSection) -> Iterator[Mistake]:
    key = f"instrument[{index}]"
    venue = next((venue for venue in site.venue if venue.id == one.venue), None)
    limited = venue is not None and venue.margin_available is not None
    if one.tradable and limited and one.margin_per_lot is None:
        yield Mistake(
            f"{key}.margin_per_lot",
            told("missing"),
            told("margin of one lot, since {} has margin_available", one.venue),
        )
    if one.margin_per_lot is not None and venue is not None and not limited:
        remedy = told("margin_available of venue {} as well: without it nothing is limited", one.venue)
        yield Mistake(f"{key}.margin_per_lot", str(one.margin_per_lot), remedy)
    for name in ("max_order_value", "margin_per_lot"):
        yield from _places(f"{key}.{name}", getattr(one, name))


def _pair(site: SiteFile, key: str, pair: PairSection) -> Iterator[Mistake]:
    yield from _dispatch(site, key, pair)
    yield from _orders(key, pair)
    yield from _in_doubt(site, key, pair)
    known = {one.id: one for one in site.instrument}
    for place in range(len(pair.leg)):
        yield from _substitute(known, pair, f"{key}.leg[{place}]", place)
    for name in ("charges", "slippage_budget", "collar", "legged_value_limit"):
        yield from _places(f"{key}.{name}", getattr(pair, name))


def _dispatch(site: SiteFile, key: str, pair: PairSection) -> Iterator[Mistake]:
    if pair.lead_leg is not None and pair.lead_leg > len(pair.leg):
        yield Mistake(
            f"{key}.lead_leg", str(pair.lead_leg), told("from 1 to {}, counted from the first leg", len(pair.leg))
        )
    if pair.lead_leg is not None and pair.dispatch not in LEADS:
        remedy = told("absent: dispatch {} has no leg that leads; {} have", pair.dispatch, " and ".join(LEADS))
        yield Mistake(f"{key}.lead_leg", str(pair.lead_leg), remedy)
    venue_of = {one.id: one.venue for one in site.instrument}
    venues = {venue_of.get(leg.instrument, leg.instrument) for leg in pair.leg}
    if pair.dispatch is DispatchMode.ARRIVAL_ALIGNED and len(venues) == 1:
        remedy = told("simultaneous: every leg is at {}, there is no difference of delay to align", venues.pop())
        yield Mistake(f"{key}.dispatch", pair.dispatch, remedy)
    if pair.quote_interval_ms > pair.quote_life_ms:
        remedy = told("at most quote_life_ms, {}: else a resting order is never repriced", pair.quote_life_ms)
        yield Mistake(f"{key}.quote_interval_ms", str(pair.quote_interval_ms), remedy)


def _bands(site: SiteFile) -> Iterator[Mistake]:
    resting = {pair.id for pair in site.pair if pair.dispatch is DispatchMode.QUOTE_THEN_HEDGE}
    for index, rule in enumerate(site.rule):
        if rule.quote_band and rule.pair not in resting:
            remedy = told("0: only the lead of a pair with dispatch quote_then_hedge rests; {} has none", rule.pair)
            yield Mistake(f"rule[{index}].quote_band", str(rule.quote_band), remedy)
        yield from _places(f"rule[{index}].quote_band", rule.quote_band)


def _orders(key: str, pair: PairSection) -> Iterator[Mistake]:
    needed = len(pair.leg) + len(pair.repair_pay_up_ticks)
    if pair.max_orders_per_trade < needed:
        remedy = told(
            "at least {}: {} legs and {} repair attempts", needed, len(pair.leg), len(pair.repair_pay_up_ticks)
        )
        yield Mistake(f"{key}.max_orders_per_trade", str(pair.max_orders_per_trade), remedy)


def _in_doubt(site: SiteFile, key: str, pair: PairSection) -> Iterator[Mistake]:
    venue_of = {one.id: one.venue for one in site.instrument}
    used = {venue_of.get(leg.instrument) for leg in pair.leg}
    slowest = max((one for one in site.venue if one.id in used), key=lambda one: one.status_timeout_ms, default=None)
    if slowest is not None and pair.in_doubt_limit_ms < slowest.status_timeout_ms:
        remedy = told(
            "at least status_timeout_ms of {}, {}: a question has so long", slowest.id, slowest.status_timeout_ms
        )
        yield Mistake(f"{key}.in_doubt_limit_ms", str(pair.in_doubt_limit_ms), remedy)
    if pair.in_doubt is InDoubtPolicy.HEDGE_SUBSTITUTE and not any(leg.substitute for leg in pair.leg):
        yield Mistake(f"{key}.in_doubt", pair.in_doubt, told("a substitute at one leg at least, or another policy"))


def _substitute(known: dict[str, InstrumentSection], pair: PairSection, key: str, place: int) -> Iterator[Mistake]:
    leg = pair.leg[place]
    name, own = leg.substitute, known.get(leg.instrument)
    if not name or own is None:
        return
    other = known.get(name)
    if other is None:
        yield Mistake(f"{key}.substitute", name, told("an instrument's id; {}", nearest(name, known)))
        return
    if name in {one.instrument for one in pair.leg}:
        yield Mistake(f"{key}.substitute", name, told("an instrument that is no leg of this pair"))
        return
    if not other.tradable:
        yield Mistake(f"{key}.substitute", name, told("an instrument with tradable = true"))
    for field in SAME_OF_A_SUBSTITUTE:
        wanted, found = _of(own, field), _of(other, field)
        if wanted != found:
            remedy = told(
                "one with {} {}, as {} has; {} has {}: it is traded lot for lot", field, wanted, own.id, name, found
            )
            yield Mistake(f"{key}.substitute", name, remedy)


def _of(one: InstrumentSection, field: str) -> object:
    value = getattr(one, field)
    return one.lot_units if field == "point_value" and value is None else value


def _places(key: str, value: Decimal | None) -> Iterator[Mistake]:
    if value is not None and value != round(value, PLACES):
        yield Mistake(key, str(value), told("at most {} places after the point", PLACES))
