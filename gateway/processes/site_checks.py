"""What two keys of a site file may not say together: ids that do not exist, currencies without a rate, limits that
contradict each other. Each check gives every mistake that it finds; none stops the others.

It judges a file whose keys are each right by themselves (`site_file.py`). It opens no file and reads no clock.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from gateway.fix.dialect import Dialect
from gateway.journal.told import told
from gateway.model.instrument import PositionModel
from gateway.model.order import PositionEffect, TimeInForce
from gateway.model.site import FormulaKind
from gateway.processes.site_file import (
    AskPositions,
    ClockSection,
    InstrumentSection,
    LegSection,
    PairSection,
    RuleSection,
    RuleWord,
    SiteFile,
    VenueSection,
)
from gateway.processes.site_formula import is_expression, kind_of, rate_of, same_money
from gateway.processes.site_mistakes import Mistake, nearest
from gateway.trigger.units import KNOWN_UNITS, UnitError, unit_factor

__all__ = ["PLACES", "Mistake", "check", "nearest"]

PLACES = 9
"""Prices and money are whole multiples of 1e-9."""
NEEDED_TO_TRADE = ("max_position_lots", "max_orders_per_day", "max_order_value", "collar_ticks")
EFFECTS = {
    PositionModel.NET: (),
    PositionModel.T_PLUS_1: (),
    PositionModel.OPEN_CLOSE: (PositionEffect.OPEN, PositionEffect.CLOSE),
    PositionModel.OPEN_CLOSE_TODAY: (PositionEffect.OPEN, PositionEffect.CLOSE, PositionEffect.CLOSE_TODAY),
}


def check(site: SiteFile, dialects: Mapping[str, Dialect]) -> list[Mistake]:
    """Every contradiction, in the order of the file; `dialects` by venue id."""
    return [
        *_duplicates(site),
        *_venues(site),
        *_watch(site, dialects),
        *(mistake for index, one in enumerate(site.venue) for mistake in _asked(one, dialects.get(one.id), index)),
        *_freshness(site),
        *(mistake for index, one in enumerate(site.instrument) for mistake in _instrument(site, dialects, index, one)),
        *(mistake for index, one in enumerate(site.pair) for mistake in _pair(site, dialects, index, one)),
        *(mistake for index, one in enumerate(site.rule) for mistake in _rule(site, index, one)),
    ]


def _duplicates(site: SiteFile) -> Iterator[Mistake]:
    tables: dict[str, list[str]] = {
        "venue": [one.id for one in site.venue],
        "instrument": [one.id for one in site.instrument],
        "pair": [one.id for one in site.pair],
        "rule": [one.id for one in site.rule],
    }
    for table, ids in tables.items():
        counts = Counter(ids)
        for index, name in enumerate(ids):
            if counts[name] > 1 and index > ids.index(name):
                remedy = told("another: {}[{}] has it already", table, ids.index(name))
                yield Mistake(f"{table}[{index}].id", name, remedy)


def _venues(site: SiteFile) -> Iterator[Mistake]:
    seen: dict[tuple[str, int, str, str], str] = {}
    for index, venue in enumerate(site.venue):
        if venue.reconnect_max_s < venue.reconnect_min_s:
            yield Mistake(
                f"venue[{index}].reconnect_max_s",
                str(venue.reconnect_max_s),
                told("at least reconnect_min_s, {}", venue.reconnect_min_s),
            )
        yield from _clock(venue.clock, f"venue[{index}].clock")
        for kind, session in venue.sessions.items():
            key = f"venue[{index}].{kind}"
            identity = (session.host, session.port, session.sender_comp_id, session.target_comp_id)
            if identity in seen:
                yield Mistake(
                    f"{key}.port", str(session.port), told("not that of {}: one session each", seen[identity])
                )
            seen.setdefault(identity, key)


def _clock(clock: ClockSection, key: str) -> Iterator[Mistake]:
    """What is declared of the way has its error with it, and is declared once."""
    if clock.asymmetry_us is not None and clock.asymmetry_error_us is None:
        yield Mistake(f"{key}.asymmetry_error_us", "missing", told("how far off asymmetry_us may be"))
    if clock.asymmetry_us is None and clock.asymmetry_error_us is not None:
        yield Mistake(f"{key}.asymmetry_us", "missing", told("the asymmetry that asymmetry_error_us belongs to"))
    if clock.asymmetry_us is not None and clock.utc_error_us is not None:
        yield Mistake(
            f"{key}.utc_error_us", str(clock.utc_error_us), told("either asymmetry_us or utc_error_us, not both")
        )
    if clock.test_request_interval_ms > clock.live_s * 500:
        remedy = told("at most {}, half of live_s", clock.live_s * 500)
        yield Mistake(f"{key}.test_request_interval_ms", str(clock.test_request_interval_ms), remedy)


def _watch(site: SiteFile, dialects: Mapping[str, Dialect]) -> Iterator[Mistake]:
    """Patience that one lost heartbeat would end, and a session of its own that can cancel nothing."""
    beat_ms, limit_ms = site.bus.heartbeat_interval_ms, site.watch.heartbeat_timeout_ms
    if limit_ms < 2 * beat_ms:
        remedy = told("at least {}, twice bus.heartbeat_interval_ms", 2 * beat_ms)
        yield Mistake("watch.heartbeat_timeout_ms", str(limit_ms), remedy)
    for index, venue in enumerate(site.venue):
        dialect = dialects.get(venue.id)
        if venue.watch is not None and dialect is not None and not dialect.mass_cancel:
            remedy = told(
                "absent: dialect {} has no OrderMassCancelRequest(35=q); the watch takes `orders` then", dialect.name
            )
            yield Mistake(f"venue[{index}].watch", "a session", remedy)


def _freshness(site: SiteFile) -> Iterator[Mistake]:
    one = site.freshness
    if one.least_ms > one.most_ms:
        yield Mistake("freshness.least_ms", str(one.least_ms), told("at most most_ms, {}", one.most_ms))
    if one.warm_up > one.window:
        yield Mistake("freshness.warm_up", str(one.warm_up), told("at most window, {}", one.window))


def _asked(venue: VenueSection, dialect: Dialect | None, index: int) -> Iterator[Mistake]:
    """What a venue is asked for that it does not offer."""
    if dialect is None:
        return
    if venue.cancel_on_disconnect and not dialect.cancel_on_disconnect:
        why = dialect.no_cancel_on_disconnect or told("its dialect names no field for it")
        remedy = told("false: {} offers no cancel on disconnect: {}", dialect.name, why)
        yield Mistake(f"venue[{index}].cancel_on_disconnect", "true", remedy)
    if dialect.positions is not None:
        return
    remedy = told("absent: dialect {} has no RequestForPositions(35=AN)", dialect.name)
    if venue.ask_positions is AskPositions.LOGON:
        yield Mistake(f"venue[{index}].ask_positions", venue.ask_positions.value, remedy)
    if venue.ask_positions_interval_s:
        yield Mistake(f"venue[{index}].ask_positions_interval_s", str(venue.ask_positions_interval_s), remedy)


def _instrument(
    site: SiteFile, dialects: Mapping[str, Dialect], index: int, one: InstrumentSection
) -> Iterator[Mistake]:
    key = f"instrument[{index}]"
    venues = [venue.id for venue in site.venue]
    if one.venue not in venues:
        yield Mistake(f"{key}.venue", one.venue, told("the id of a venue; {}", nearest(one.venue, venues)))
    keyed = one.venue in dialects and dialects[one.venue].key_rules
    if not keyed and one.id != f"{one.venue}.{one.symbol}":
        yield Mistake(f"{key}.id", one.id, told("VENUE.SYMBOL, here {}.{}", one.venue, one.symbol))
    if one.unit not in KNOWN_UNITS:
        yield Mistake(f"{key}.unit", one.unit, told("a unit; {}", nearest(one.unit, KNOWN_UNITS)))
    if one.min_qty > one.max_qty:
        yield Mistake(f"{key}.min_qty", str(one.min_qty), told("at most max_qty, {}", one.max_qty))
    if one.tradable:
        for name in NEEDED_TO_TRADE:
            if getattr(one, name) is None:
                yield Mistake(
                    f"{key}.{name}", told("missing"), told("needed for an instrument that is traded (tradable = true)")
                )
    dialect = dialects.get(one.venue)
    if dialect is not None:
        lacking = [effect for effect in EFFECTS[one.position_model] if effect not in dialect.position_effects]
        if lacking:
            remedy = told(
                "net: dialect {} has no field for {}", dialect.name, ", ".join(effect.name for effect in lacking)
            )
            yield Mistake(f"{key}.position_model", one.position_model, remedy)


def _pair(site: SiteFile, dialects: Mapping[str, Dialect], index: int, pair: PairSection) -> Iterator[Mistake]:
    key = f"pair[{index}]"
    if pair.unit not in KNOWN_UNITS:
        yield Mistake(f"{key}.unit", pair.unit, told("a unit; {}", nearest(pair.unit, KNOWN_UNITS)))
    if pair.formula == FormulaKind.RATIO and len(pair.leg) != 2:  # noqa: PLR2004 a ratio is of two
        yield Mistake(f"{key}.leg", told("{} legs", len(pair.leg)), told("exactly two for formula ratio"))
    if pair.formula == FormulaKind.RATIO and pair.charges:
        yield Mistake(f"{key}.charges", str(pair.charges), told('"0": a ratio has no charges'))
    if pair.legged_limit_ms < pair.order_timeout_ms:
        remedy = told("at least order_timeout_ms, {}: an order is not judged before", pair.order_timeout_ms)
        yield Mistake(f"{key}.legged_limit_ms", str(pair.legged_limit_ms), remedy)
    if pair.max_open_trades > site.limits.max_open_trades:
        remedy = told("at most limits.max_open_trades, {}", site.limits.max_open_trades)
        yield Mistake(f"{key}.max_open_trades", str(pair.max_open_trades), remedy)
    if pair.currency not in site.limits.daily_loss:
        remedy = told("a limit for {}, the currency of pair {}", pair.currency, pair.id)
        yield Mistake("limits.daily_loss", ", ".join(site.limits.daily_loss) or "empty", remedy)
    names = Counter(leg.instrument for leg in pair.leg)
    for place, leg in enumerate(pair.leg):
        if names[leg.instrument] > 1 and place > [one.instrument for one in pair.leg].index(leg.instrument):
            yield Mistake(f"{key}.leg[{place}].instrument", leg.instrument, told("an instrument that no other leg has"))
        yield from _leg(site, dialects, pair, f"{key}.leg[{place}]", leg)


def _leg(
    site: SiteFile, dialects: Mapping[str, Dialect], pair: PairSection, key: str, leg: LegSection
) -> Iterator[Mistake]:
    known = {one.id: one for one in site.instrument}
    instrument = known.get(leg.instrument)
    if instrument is None:
        yield Mistake(
            f"{key}.instrument", leg.instrument, told("an instrument's id; {}", nearest(leg.instrument, known))
        )
        return
    if not instrument.tradable:
        yield Mistake(f"{key}.instrument", leg.instrument, told("an instrument with tradable = true"))
    yield from _sizes(pair, key, leg, instrument)
    yield from _money(known, pair, key, leg, instrument)
    dialect = dialects.get(instrument.venue)
    if dialect is not None and TimeInForce[leg.time_in_force] not in dialect.times_in_force:
        offered = ", ".join(force.name for force in TimeInForce if force in dialect.times_in_force)
        yield Mistake(f"{key}.time_in_force", leg.time_in_force, told("what {} offers: {}", instrument.venue, offered))
    if instrument.unit in KNOWN_UNITS and pair.unit in KNOWN_UNITS and not is_expression(pair):
        try:
            unit_factor(instrument.unit, pair.unit)
        except UnitError as error:
            yield Mistake(f"{key}.instrument", leg.instrument, told("a unit that converts to the pair's: {}", error))


def _sizes(pair: PairSection, key: str, leg: LegSection, instrument: InstrumentSection) -> Iterator[Mistake]:
    ratio = leg.ratio_lots
    if not instrument.min_qty <= ratio <= instrument.max_qty:
        remedy = told("from min_qty {} to max_qty {} of {}", instrument.min_qty, instrument.max_qty, instrument.id)
        yield Mistake(f"{key}.ratio_lots", str(ratio), remedy)
    if instrument.max_position_lots is not None and pair.max_units * ratio > instrument.max_position_lots:
        remedy = told(
            "max_units {} x ratio_lots {} = {} lots within max_position_lots {} of {}",
            pair.max_units,
            ratio,
            pair.max_units * ratio,
            instrument.max_position_lots,
            instrument.id,
        )
        yield Mistake(f"{key}.ratio_lots", str(ratio), remedy)


def _money(
    known: Mapping[str, InstrumentSection], pair: PairSection, key: str, leg: LegSection, instrument: InstrumentSection
) -> Iterator[Mistake]:
    if leg.fx and leg.fx_rate is not None:
        yield Mistake(f"{key}.fx_rate", str(leg.fx_rate), told("either fx (now {}) or fx_rate, not both", leg.fx))
        return
    if leg.fx_rate is not None and not leg.fx_source:
        yield Mistake(
            f"{key}.fx_source", told("missing"), told('where fx_rate is from and its date, such as "ECB 2014-01-28"')
        )
    if instrument.currency == pair.currency:
        if leg.fx or leg.fx_rate is not None:
            yield Mistake(f"{key}.fx", leg.fx or str(leg.fx_rate), told("nothing: both are in {}", pair.currency))
        return
    if is_expression(pair) and (
        same_money(instrument.currency, pair.currency) or rate_of(pair, pair.leg.index(leg), known)
    ):
        return
    if not leg.fx and leg.fx_rate is None:
        remedy = told(
            "fx or fx_rate, since {} is in {} and the pair in {}", instrument.id, instrument.currency, pair.currency
        )
        yield Mistake(f"{key}.fx", told("missing"), remedy)
    if leg.fx:
        yield from _reference(known, pair, f"{key}.fx", leg.fx, instrument.currency)


def _reference(
    known: Mapping[str, InstrumentSection], pair: PairSection, key: str, name: str, currency: str
) -> Iterator[Mistake]:
    reference = known.get(name)
    if reference is None:
        yield Mistake(key, name, told("an instrument's id; {}", nearest(name, known)))
        return
    if reference.unit != currency.lower() or not same_money(reference.currency, pair.currency):
        remedy = told("an instrument with unit {} and currency {}", currency.lower(), pair.currency)
        yield Mistake(key, f"{name} (unit {reference.unit}, currency {reference.currency})", remedy)


def _rule(site: SiteFile, index: int, rule: RuleSection) -> Iterator[Mistake]:
    key = f"rule[{index}]"
    yield from _thresholds(rule, key)
    if rule.units > rule.max_units:
        yield Mistake(f"{key}.units", str(rule.units), told("at most max_units, {}", rule.max_units))
    pairs = {pair.id: pair for pair in site.pair}
    pair = pairs.get(rule.pair)
    if pair is None:
        yield Mistake(f"{key}.pair", rule.pair, told("a pair's id; {}", nearest(rule.pair, pairs)))
        return
    kind = kind_of(pair, {one.id: one for one in site.instrument})
    if kind is not None and rule.kind not in (kind.value, RuleWord.COUNTER_PRICE):
        yield Mistake(f"{key}.kind", rule.kind, told("the formula of pair {}, {}", pair.id, kind))
    if rule.max_units > pair.max_units:
        yield Mistake(
            f"{key}.max_units", str(rule.max_units), told("at most max_units of pair {}, {}", pair.id, pair.max_units)
        )
    yield from _intent_sizes(site, rule, pair, key)


def _thresholds(rule: RuleSection, key: str) -> Iterator[Mistake]:
    if rule.buy_at is None and rule.sell_at is None and rule.band is None and rule.kind is not RuleWord.COUNTER_PRICE:
        yield Mistake(key, rule.id, told("buy_at, sell_at or both"))
    if rule.buy_at is not None and rule.sell_at is not None and rule.buy_at >= rule.sell_at:
        yield Mistake(
            f"{key}.buy_at", str(rule.buy_at), told("below sell_at, {}: else it trades with itself", rule.sell_at)
        )


def _intent_sizes(site: SiteFile, rule: RuleSection, pair: PairSection, key: str) -> Iterator[Mistake]:
    known = {one.id: one for one in site.instrument}
    for leg in pair.leg:
        instrument = known.get(leg.instrument)
        if instrument is not None and rule.units * leg.ratio_lots > instrument.max_qty:
            remedy = told(
                "at most {}: {} x {} lots exceed max_qty {} of {}",
                instrument.max_qty // leg.ratio_lots,
                rule.units,
                leg.ratio_lots,
                instrument.max_qty,
                instrument.id,
            )
            yield Mistake(f"{key}.units", str(rule.units), remedy)
