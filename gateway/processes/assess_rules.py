"""What an assessment says of rules: a site's limits beside what public rules ask, and the data of a report to be filed.

It decides nothing about trades and nothing about law: a row says what a rule asks, what the installation has, and how
the rule was read. Sources, read on 2026-11-22: the text of Regulation (EU) 2017/589, Articles 5 (2), 8, 12 and 15; the
text of the DCE's notice 2025 No. 305 on program trading; the SEC staff's answers on Rule 15c3-5; reports of the SSE's
and SZSE's rules in force since 2025-07-07 and of the SHFE's count of cancels ("500 and more").

What can go wrong: rules change. A row that nobody has read again is as old as the date above.
"""

import tomllib

from acceptance.paper import Section
from gateway.journal.told import told
from gateway.model.site import InstrumentLimits
from gateway.processes.settings import Site

ABNORMAL_CANCELS = 500
ABNORMAL_SELF_TRADES = 5
HFT_ORDERS_PER_S = 300
HFT_ORDERS_PER_DAY = 20_000


def rules(site: Site) -> Section:
    """The site's limits beside what public rules name.

    What counts as a source stands at the top of this module.
    """
    made = Section(
        told("Limits against rules"),
        [
            told(
                "Met: the installation has the control and the site sets it. Whether its values suffice, whether a "
                "rule applies, and what else it asks, is for the customer's counsel."
            ),
            told("Source: whether the rule's own text was read, or others' report of it."),
        ],
        [told("Rule"), told("Asks"), told("Here"), told("Result"), told("Source")],
    )
    met, lacking = told("met"), told("missing")
    made.rows = [
        [rule, asks, here, met if ok else lacking, source]
        for rule, asks, here, ok, source in (*_european(site), *_american(site), *_chinese(site))
    ]
    made.rows.append(
        [
            told("Chinese program trading"),
            told("report before trading; a fully automatic decision is enough"),
            told("data for the report below; to be filed by the customer"),
            told("to be filed"),
            told("the rule's text"),
        ]
    )
    return made


Row = tuple[str, str, str, bool, str]
"""Rule, what it asks, what is here, whether that meets it, how the rule was read."""


def _european(site: Site) -> list[Row]:
    text = told("the rule's text")
    collars = all(one.collar_ticks > 0 for one in site.instrument_limits.values())
    values = all(one.max_order_value_e9 > 0 for one in site.instrument_limits.values())
    named = len(approvers(site))
    return [
        (
            "RTS 6 Art. 15 (1) a",
            told("price collar for each order"),
            told("collar_ticks of each contract"),
            collars,
            text,
        ),
        (
            "RTS 6 Art. 15 (1) a",
            told("price collar over a period of time"),
            told("none: each order is held against the last trade alone"),
            False,
            text,
        ),
        (
            "RTS 6 Art. 15 (1) b, c",
            told("largest order value and volume"),
            told("max_order_value, max_qty"),
            values,
            text,
        ),
        (
            "RTS 6 Art. 15 (1) d",
            told("limit of messages"),
            told("max_orders_per_s {}, max_orders_per_day", site.limits.max_orders_per_s),
            True,
            text,
        ),
        (
            "RTS 6 Art. 15 (3)",
            told("repeated-execution throttle until a named person acts"),
            told("{} pair trades in {} s", site.limits.throttle_trades, site.limits.throttle_window_ns // 10**9),
            True,
            text,
        ),
        ("RTS 6 Art. 12", told("kill of all orders by one decision"), told("cmc kill, and the watch"), True, text),
        (
            "RTS 6 Art. 8",
            told("controlled deployment with preset limits"),
            told("a rollout plan: cmc deliver grey"),
            True,
            text,
        ),
        (
            "RTS 6 Art. 5 (2)",
            told("a named person authorises"),
            told("{} approvers in the site", named),
            bool(named),
            text,
        ),
    ]


def _american(site: Site) -> list[Row]:
    report = told("others' report")
    thresholds = bool(site.limits.daily_loss_e9) and all(
        one.spec.margin_available_e9 is not None for one in site.venues.values()
    )
    return [
        ("SEC 15c3-5", told("credit and capital thresholds"), told("daily_loss, margin_available"), thresholds, report),
        (
            "SEC 15c3-5",
            told("duplicate and erroneous orders blocked"),
            told("duplicate_intent, self_match, collars"),
            True,
            report,
        ),
    ]


def _chinese(site: Site) -> list[Row]:
    report = told("others' report")
    cancels = [one.max_cancels_per_day for one in _domestic(site)]
    bounded = all(one is not None and one < ABNORMAL_CANCELS for one in cancels)
    per_s = site.limits.max_orders_per_s
    per_day = most_a_day(site)
    shown = str(per_day) if per_day is not None else told("not stated")
    return [
        (
            told("SHFE abnormal trading"),
            told("cancels of a contract and day below {}", ABNORMAL_CANCELS),
            told("max_cancels_per_day"),
            bounded,
            report,
        ),
        (
            told("SHFE abnormal trading"),
            told("trades with oneself below {} a day", ABNORMAL_SELF_TRADES),
            told("refused by the gate: self_match"),
            True,
            report,
        ),
        (
            told("SSE/SZSE high frequency"),
            told("report from {} orders and cancels a second", HFT_ORDERS_PER_S),
            told("max_orders_per_s {}", per_s),
            per_s < HFT_ORDERS_PER_S,
            report,
        ),
        (
            told("SSE/SZSE high frequency"),
            told("report from {} orders and cancels a day", HFT_ORDERS_PER_DAY),
            told("max_orders_per_day and max_cancels_per_day, in sum {}", shown),
            per_day is not None and per_day < HFT_ORDERS_PER_DAY,
            report,
        ),
    ]


def _domestic(site: Site) -> list[InstrumentLimits]:
    """Limits of the contracts that Chinese rules are about: those in yuan of the mainland."""
    return [one for name, one in site.instrument_limits.items() if site.instruments[name].currency == "CNY"]


def most_a_day(site: Site) -> int | None:
    """Orders and cancels that the site lets pass on a day, over all domestic contracts; None where one has no limit."""
    total = 0
    for one in _domestic(site):
        if one.max_cancels_per_day is None:
            return None
        total += one.max_orders_per_day + one.max_cancels_per_day
    return total


def report_data(site: Site, version: str) -> Section:
    """What a report of program trading asks for (DCE notice 2025 No. 305, part 1), as far as the site knows it."""
    made = Section(
        told("Data for the program-trading report"),
        [told("To be filed through the futures company before trading; a major change within 30 trading days.")],
        [told("Item"), told("Value")],
    )
    accounts = sorted({one.spec.account for one in site.venues.values()} - {""})
    per_day = most_a_day(site)
    made.rows = [
        [told("trader's name, product manager, futures company"), told("not stated")],
        [told("trading codes (accounts)"), ", ".join(accounts) or told("not stated")],
        [told("how orders are carried out"), told("fully automatic by rules, orders without a person's hand")],
        [
            told("software, its functions"),
            told(
                "{}: takes quotes of both markets, prices pairs, trades and hedges both legs",
                f"cross-market-connect {version}",
            ),
        ],
        [told("software's developer"), told("not stated")],
        [told("kind of strategy"), told("arbitrage between two markets: {}", ", ".join(site.pairs))],
        [told("highest rate of orders"), told("{} a second", site.limits.max_orders_per_s)],
        [told("most orders of a day"), str(sum(one.max_orders_per_day for one in site.instrument_limits.values()))],
        [told("most orders and cancels of a day"), str(per_day) if per_day is not None else told("not stated")],
        [told("contact, server location, source of funds"), told("not stated")],
    ]
    return made


def approvers(site: Site) -> list[str]:
    """Names of the approvers that the site file lists."""
    # The values of a site do not hold its approvers.
    rows = tomllib.loads(site.path.read_text(encoding="utf-8")).get("approver", [])
    return [str(one.get("name")) for one in rows]
