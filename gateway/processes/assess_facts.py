"""What an assessment finds in a site file alone: markets, lots and residuals, capital, limits, what is missing.

Values in, sections of a paper out. Margins and fees are the site's own words with their dates; where the site says
nothing, that is a question to the customer and not a guess. Public rules are compared with what the site sets, with the
rule's article beside it; whether a rule applies to a customer is for their counsel.

What can go wrong: nothing is refused here; a figure that cannot be found says why.
"""

import tomllib
from collections.abc import Iterator, Mapping
from fractions import Fraction

from acceptance.paper import Section, told_in
from gateway.journal.told import told
from gateway.journal.units import rounded_money
from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.site import PairSpec, instruments_of
from gateway.processes.calendar_words import outlook_text
from gateway.processes.calendars import PairOutlook
from gateway.processes.settings import Site
from gateway.trigger.align import Alignment, alignments

MOST_LOTS = 40
ABNORMAL_CANCELS = 500
HFT_ORDERS_PER_S = 300


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
            name, f"{one.point_value.normalize():f}", f"{one.tick.normalize():f}", one.currency,
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
        made.head = [told("Lots"), told("Residual of the quantity")]
        made.rows = [[f"{found.first_lots} : {found.second_lots}", f"{float(found.residual) * 100:+.2f} %"]
                     for found in _ratios(legs[0][1], legs[1][1])]  # fmt: skip
    if outlook is None:
        made.texts.append(told("no leg has a calendar: it counts as always open; hours are a question"))
    else:
        english, chinese = (outlook_text(one.pair_id, outlook, language) for language in ("en", "zh"))
        made.texts += [told_in(first, second) for first, second in zip(english, chinese, strict=True)]
    return made


def _ratios(first: Instrument, second: Instrument) -> list[Alignment]:
    return alignments(Fraction(first.point_value), Fraction(second.point_value), MOST_LOTS)


def capital(site: Site) -> Section:
    """Margin at the site's own position limits, by venue and currency: pools that cannot help each other."""
    made = Section(
        told("Margin and capital"),
        [told("What the site's own position limits can tie up, by venue and currency; the pools do not help each "
              "other. Below it, the largest loss a day that execution allows by itself.")],
        [told("Venue"), told("Currency"), told("Margin at the limits"), told("Margin that may be used")],
    )  # fmt: skip
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
        allowed = (site.venues[venue].spec.margin_available_e9 or {}).get(currency)
        made.rows.append([venue, currency, rounded_money(margin) if margin is not None else told("not stated"),
                          rounded_money(allowed) if allowed is not None else told("not stated")])  # fmt: skip
    for currency, loss in site.limits.daily_loss_e9.items():
        made.rows.append([told("all"), currency, told("daily loss"), rounded_money(loss)])
    return made


def rules(site: Site) -> Section:
    """The site's limits beside what public rules name."""
    made = Section(
        told("Limits against rules"),
        [told("Whether a rule applies, and what else it asks, is for the customer's counsel.")],
        [told("Rule"), told("Asks"), told("Here"), told("Result")],
    )
    met, lacking = told("met"), told("missing")
    collars = all(one.collar_ticks > 0 for one in site.instrument_limits.values())
    cancels = [one.max_cancels_per_day for one in site.instrument_limits.values()]
    bounded = all(one is not None and one <= ABNORMAL_CANCELS for one in cancels)
    per_s = site.limits.max_orders_per_s
    rows: list[tuple[str, str, str, bool]] = [
        ("RTS 6 Art. 15", told("price collar for each order"), told("collar_ticks of each contract"), collars),
        ("RTS 6 Art. 15", told("largest order value and volume"), told("max_order_value, max_qty"), True),
        ("RTS 6 Art. 15", told("repeated-execution throttle until a named person acts"),
         told("{} pair trades in {} s", site.limits.throttle_trades, site.limits.throttle_window_ns // 10**9), True),
        ("RTS 6 Art. 12", told("kill of all orders by one decision"), told("cmc kill, and the watch"), True),
        ("RTS 6 Art. 8", told("controlled deployment with preset limits"), told("a rollout plan: cmc deliver grey"),
         True),
        ("RTS 6 Art. 5", told("a named person authorises"), told("{} approvers in the site", len(_approvers(site))),
         bool(_approvers(site))),
        ("SEC 15c3-5", told("credit and capital thresholds"), told("daily_loss, margin_available"),
         bool(site.limits.daily_loss_e9)
         and all(one.spec.margin_available_e9 is not None for one in site.venues.values())),
        ("SEC 15c3-5", told("duplicate and erroneous orders blocked"), told("duplicate_intent, self_match, collars"),
         True),
        (told("SHFE abnormal trading"), told("cancels of a contract and day below {}", ABNORMAL_CANCELS),
         told("max_cancels_per_day"), bounded),
        (told("SSE/SZSE high frequency"), told("report from {} orders and cancels a second", HFT_ORDERS_PER_S),
         told("max_orders_per_s {}", per_s), per_s < HFT_ORDERS_PER_S),
        (told("Chinese program trading"), told("report before trading: account, software, strategy, limits, contact"),
         told("data for the report below; to be filed by the customer"), False),
    ]  # fmt: skip
    made.rows = [[rule, asks, here, met if ok else lacking] for rule, asks, here, ok in rows]
    return made


def report_data(site: Site, version: str) -> Section:
    """What a report of program trading asks for, as far as the site knows it."""
    made = Section(told("Data for the program-trading report"), head=[told("Item"), told("Value")])
    accounts = sorted({one.spec.account for one in site.venues.values()} - {""})
    made.rows = [
        [told("accounts"), ", ".join(accounts) or told("not stated")],
        [told("software"), f"cross-market-connect {version}"],
        [told("decision"), told("fully automatic by rules, orders without a person's hand")],
        [told("kind of strategy"), told("arbitrage between two markets: {}", ", ".join(site.pairs))],
        [told("highest rate of orders"), told("{} a second", site.limits.max_orders_per_s)],
        [told("most orders of a day"),
         str(sum(one.max_orders_per_day for one in site.instrument_limits.values()))],
        [told("contact, server location, source of funds"), told("not stated")],
    ]  # fmt: skip
    return made


def _approvers(site: Site) -> list[str]:
    # The values of a site do not hold its approvers.
    rows = tomllib.loads(site.path.read_text(encoding="utf-8")).get("approver", [])
    return [str(one.get("name")) for one in rows]


def questions(site: Site, outlooks: Mapping[str, PairOutlook]) -> Section:
    """What is missing, each as a question."""
    made = Section(
        told("Questions"),
        [told("Nothing of this is guessed; each changes a figure above.")],
        [told("About"), told("Question")],
    )
    made.rows = [
        [about, question]
        for asking in (_of_contracts(site), _of_venues(site), _of_pairs(site, outlooks), _of_site(site))
        for about, question in asking
    ]
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


def _of_pairs(site: Site, outlooks: Mapping[str, PairOutlook]) -> Iterator[tuple[str, str]]:
    for pair_id, pair in site.pairs.items():
        bare = [leg for leg in instruments_of(pair) if leg not in site.calendars.products]
        if bare:
            yield pair_id, told("Which calendar has {}?", ", ".join(bare))
        elif pair_id not in outlooks:
            yield pair_id, told("When do all legs trade?")


def _of_site(site: Site) -> Iterator[tuple[str, str]]:
    if not _approvers(site):
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
