"""What an assessment finds in a site file alone: markets, lots and residuals, capital, what is missing.

Values in, sections of a paper out. Margins and fees are the site's own words with their dates; where the site says
nothing, that is a question to the customer and not a guess. Rules stand in `assess_rules.py`.

What can go wrong: nothing is refused here; a figure that cannot be found says why.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from acceptance.paper import Section, told_in
from gateway.journal.told import told
from gateway.journal.units import rounded_money
from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.site import PairSpec, instruments_of
from gateway.processes.assess_rules import approvers
from gateway.processes.calendar_words import outlook_text
from gateway.processes.calendars import PairOutlook
from gateway.processes.settings import Site
from gateway.processes.site_align import NOT_MEASURED
from gateway.trigger.align import alignments
from gateway.trigger.units import UnitError, unit_factor

MOST_LOTS = 40


def markets(site: Site) -> Section:
    """Venues and their sessions."""
    made = Section(told("Markets"), head=[told("Venue"), "FIX", told("Dialect"), told("Market data"), told("Orders"),
                                          told("Account"), told("Time in force")])  # fmt: skip
    for name, venue in site.venues.items():
        made.rows.append([
            name, venue.dialect.begin_string, venue.dialect.name, f"{venue.md.host}:{venue.md.port}",
            f"{venue.orders.host}:{venue.orders.port}", venue.spec.account or "-",
            ", ".join(one.name for one in venue.spec.time_in_force),
        ])  # fmt: skip
    return made


def contracts(site: Site) -> Section:
    """Instruments as the site has them."""
    made = Section(told("Contracts"), head=[told("Contract"), told("Lot"), told("Tick"), told("Currency"),
                                            told("Largest order"), told("Position limit"), told("Margin of a lot"),
                                            told("Fees")])  # fmt: skip
    for name, one in site.instruments.items():
        limits = site.instrument_limits.get(name)
        margin = limits.margin_per_lot_e9 if limits is not None else None
        made.rows.append([
            name, f"{one.lot_units.normalize():f} {one.unit}", f"{one.tick.normalize():f}", one.currency,
            str(one.max_qty_lots) if one.tradable else told("reference only"),
            str(limits.max_position_lots) if limits is not None else "-",
            rounded_money(margin) if margin is not None else told("not stated"),
            told("stated") if one.fees else told("not stated"),
        ])  # fmt: skip
    return made


def pairs(site: Site, outlooks: Mapping[str, PairOutlook]) -> list[Section]:
    """Each pair: hours in which all legs trade, lots, what they leave over."""
    return [_pair(site, one, outlooks.get(one.pair_id)) for one in site.pairs.values()]


def _pair(site: Site, one: PairSpec, outlook: PairOutlook | None) -> Section:
    legs = [(leg, site.instruments[leg.instrument_id]) for leg in one.legs]
    made = Section(told("Pair {}", one.pair_id))
    made.texts.append(told("legs {}", " : ".join(f"{leg.ratio_lots} {leg.instrument_id}" for leg, _ in legs)))
    if one.residual_lots_e9:
        share = Fraction(one.residual_lots_e9, PRICE_E9) / one.legs[0].ratio_lots
        made.texts.append(told("one unit leaves {} lots of the first leg over ({} %)",
                               f"{one.residual_lots_e9 / PRICE_E9:+.4f}", f"{float(share) * 100:+.2f}"))  # fmt: skip
    if len(legs) == 2:  # noqa: PLR2004 - a ratio of two
        _residuals(made, one, legs[0][1], legs[1][1])
    if outlook is None:
        made.texts.append(told("no leg has a calendar: it counts as always open; hours are a question"))
    else:
        english, chinese = (outlook_text(one.pair_id, outlook, language) for language in ("en", "zh"))
        made.texts += [told_in(first, second) for first, second in zip(english, chinese, strict=True)]
    return made


def _residuals(made: Section, one: PairSpec, first: Instrument, second: Instrument) -> None:
    """Lot ratios with what each leaves of the first leg's quantity, the site's own among them."""
    quantities = _quantities(first, second)
    if quantities is None:
        made.texts.append(told("{} and {} are counted in units that do not convert: no ratio by quantity", first.unit,
                               second.unit))  # fmt: skip
        return
    own = Fraction(one.legs[0].ratio_lots) * quantities[0] / (one.legs[1].ratio_lots * quantities[1]) - 1
    ratios = alignments(*quantities, MOST_LOTS)
    rows = [(f"{found.first_lots} : {found.second_lots}", found.residual) for found in ratios]
    mine = f"{one.legs[0].ratio_lots} : {one.legs[1].ratio_lots}"
    rows += [(mine, own)] if mine not in dict(rows) else []
    made.head = [told("Lots"), told("Residual of the quantity"), ""]
    made.rows = [[lots, f"{float(left) * 100:+.2f} %", told("the site's") if lots == mine else ""]
                 for lots, left in rows]  # fmt: skip


def _quantities(first: Instrument, second: Instrument) -> tuple[Fraction, Fraction] | None:
    """What a lot of each holds, in the first's unit; None where one unit is not the other (points, shares, oil)."""
    if NOT_MEASURED & {first.unit, second.unit}:
        return None
    try:
        same = unit_factor(first.unit, second.unit)
    except UnitError:
        return None
    return Fraction(first.lot_units), Fraction(second.lot_units) * same


def capital(site: Site) -> Section:
    """Margin at the site's own position limits, by venue and currency: pools that cannot help each other."""
    made = Section(
        told("Margin and capital"),
        [told("What the site's own position limits can tie up, by venue and currency; the pools do not help each "
              "other. Below it, the largest loss a day that execution allows by itself.")],
        [told("Venue"), told("Currency"), told("Margin at the limits"), told("Margin that may be used")],
    )  # fmt: skip
    for venue, currency, margin, allowed in _margins(site):
        made.rows.append([venue, currency, rounded_money(margin) if margin is not None else told("not stated"),
                          rounded_money(allowed) if allowed is not None else told("not stated")])  # fmt: skip
    for currency, loss in site.limits.daily_loss_e9.items():
        made.rows.append([told("all"), currency, told("daily loss"), rounded_money(loss)])
    return made


def _margins(site: Site) -> Iterator[tuple[str, str, int | None, int | None]]:
    """By venue and currency: margin at the position limits, and what may be used; None where the site does not say."""
    sums: dict[tuple[str, str], int | None] = {}
    for name, one in site.instruments.items():
        limits = site.instrument_limits.get(name)
        if limits is None or not one.tradable:
            continue
        key = (one.venue_id, one.currency)
        known = sums.get(key, 0)
        each = limits.margin_per_lot_e9
        sums[key] = None if known is None or each is None else known + each * limits.max_position_lots
    for (venue, currency), margin in sums.items():
        yield venue, currency, margin, (site.venues[venue].spec.margin_available_e9 or {}).get(currency)


def questions(site: Site, outlooks: Mapping[str, PairOutlook]) -> Section:
    """What is missing, each as a question."""
    made = Section(
        told("Questions"),
        [told("Nothing of this is guessed; each changes a figure above.")],
        [told("About"), told("Question")],
    )
    asking = (
        _of_contracts(site),
        _of_venues(site),
        _of_margins(site),
        _of_pairs(site, outlooks),
        _of_site(site),
    )
    made.rows = [[about, question] for one in asking for about, question in one]
    return made


def _of_contracts(site: Site) -> Iterator[tuple[str, str]]:
    for name, one in site.instruments.items():
        limits = site.instrument_limits.get(name)
        if one.tradable and not one.fees:
            yield name, told("What do opening and closing a lot cost (exchange and broker)?")
        if limits is not None and limits.margin_per_lot_e9 is None:
            yield name, told("What is the margin of a lot, from which date?")
        if limits is not None and limits.max_cancels_per_day is None:
            yield name, told("How many cancels of a day does the exchange or the broker allow?")


def _of_venues(site: Site) -> Iterator[tuple[str, str]]:
    for name, venue in site.venues.items():
        if venue.spec.margin_available_e9 is None:
            yield name, told("How much margin may be used there, in which currency?")
        if not venue.spec.tells_positions:
            yield name, told("How does the broker tell positions, since FIX does not here?")
        if venue.watch is None:
            yield name, told("Is there a second session, or a call, that cancels all orders?")
        if venue.drop_copy is None:
            yield name, told("Is there a drop copy?")


def _of_margins(site: Site) -> Iterator[tuple[str, str]]:
    for venue, currency, margin, allowed in _margins(site):
        if margin is not None and allowed is not None and margin > allowed:
            yield venue, told("The position limits tie up {} {}, more than the {} that may be used: which is meant?",
                              rounded_money(margin), currency, rounded_money(allowed))  # fmt: skip


def _of_pairs(site: Site, outlooks: Mapping[str, PairOutlook]) -> Iterator[tuple[str, str]]:
    for pair_id, pair in site.pairs.items():
        bare = [leg for leg in instruments_of(pair) if leg not in site.calendars.products]
        if bare:
            yield pair_id, told("Which calendar has {}?", ", ".join(bare))
        elif pair_id not in outlooks:
            yield pair_id, told("When do all legs trade?")


def _of_site(site: Site) -> Iterator[tuple[str, str]]:
    if not approvers(site):
        yield site.name, told("Who approves a stage and the acceptance, with which key?")
    if not site.limits.max_currency_e9:
        yield site.name, told("How much foreign currency may all positions hold?")


def work(site: Site, asked: int) -> Section:
    """The bill of work: what a delivery of this site consists of."""
    made = Section(told("Bill of work"), head=[told("Step"), told("Command"), told("Amount")])
    venues, pairs_count = len(site.venues), len(site.pairs)
    made.rows = [
        [told("answer the open questions"), "cmc deliver assess", str(asked)],
        [told("connect and certify each session"), "cmc deliver integrate", told("{} sessions", 2 * venues)],
        [told("dialect and contracts checked at each venue"), "cmc check", told("{} venues", venues)],
        [told("rules tried on recorded data"), "cmc backtest", told("{} pairs", pairs_count)],
        [told("load and storms on the customer's machine"), "cmc deliver stress", told("1 machine")],
        [told("staged rollout"), "cmc deliver grey", told("{} pairs", pairs_count)],
        [told("acceptance, signed"), "cmc deliver accept", told("1 report")],
    ]
    return made
