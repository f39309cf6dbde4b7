"""What `cmc positions` and `cmc status` say of foreign currency, and of gaps in market data."""

# ruff: noqa: RUF001 - Chinese punctuation

from pathlib import Path

from gateway.bus.topics import RepairStatus
from gateway.journal.told import said
from gateway.model.quote import BookState, Quote
from gateway.model.trade import PairPosition, PositionChanged
from gateway.processes.currency_lines import CurrencyHeld, currencies_held, currency_content, currency_lines
from gateway.processes.repair_lines import repair_content, repair_lines
from gateway.processes.settings import load_site
from gateway.processes.site_status import held_of

SITE = load_site(Path(__file__).resolve().parents[2] / "sites" / "demo.toml", {})
CU, CA = "SHFE.cu2609", "LME.CA3M"
E9 = 10**9


def quote(bid: int | None, ask: int | None, last: int | None = None) -> Quote:
    bids = () if bid is None else ((bid, 1),)
    asks = () if ask is None else ((ask, 1),)
    return Quote(CA, BookState.OK, bids, asks, 0, 0, 0, 0, last_px_ticks=last)


def test_dollars_are_lots_times_the_middle_price_times_the_lot() -> None:
    """Three lots short of 25 t at 9 750.25: in sum by positions, by pair by its units."""
    assert currencies_held(SITE, {CU: 15, CA: -3}, {"CU-CA": 3}, {CA: quote(19_500, 19_501)}) == [
        CurrencyHeld("USD", "", -731_268_750_000_000, None),
        CurrencyHeld("USD", "CU-CA", -731_268_750_000_000, None),
    ]


def test_without_a_price_the_sum_is_not_known() -> None:
    """The last trade stands in for a side that is missing; with nothing at all nobody says a smaller figure."""
    [one, _] = currencies_held(SITE, {CA: -3}, {}, {CA: quote(19_500, None, 19_600)})
    assert one.held_e9 == -3 * 9800 * 25 * E9
    [one, _] = currencies_held(SITE, {CA: -3}, {}, {CA: quote(19_500, None)})
    assert (one.held_e9, one.unpriced) == (None, (CA,))


def test_what_was_heard_is_put_together() -> None:
    """Positions, units of all rules but that of residual lots, and quotes, in any order."""
    heard = [
        PairPosition("CU-CA", "cu-band", 1),
        quote(19_500, 19_500),
        PositionChanged(CA, -2, 0, 0, 0, 0),
        PairPosition("CU-CA", "other", 2),
        PairPosition("CU-CA", "residual", 9),
    ]
    assert [one.held_e9 for one in held_of(SITE, heard)] == [-2 * 9750 * 25 * E9, -3 * 9750 * 25 * E9]
    assert held_of(SITE, []) == ()


def test_the_lines() -> None:
    """The sum first, its limit or that there is none; in both languages."""
    held = [CurrencyHeld("USD", "", -731_250 * E9, 10**6 * E9), CurrencyHeld("USD", "CU-CA", None, None, (CA,))]
    assert [said(one, "en") for one in currency_lines(held)] == [
        "  USD in sum: \N{MINUS SIGN}731,250 held, at most 1,000,000",
        "  USD pair CU-CA: not known, no price of LME.CA3M; no limit",
    ]
    assert [said(one, "zh") for one in currency_lines(held)] == [
        "  USD 合计：持有 \N{MINUS SIGN}731,250，限额 1,000,000",
        "  USD 组合 CU-CA：未知，LME.CA3M 没有价格；未设限额",
    ]
    assert currency_content(held)[0]["held_e9"] == -731_250 * E9


def test_gaps_are_told_by_session_with_how_long_they_took() -> None:
    """Counts and milliseconds; a session without a gap is not spoken of, to a program it is."""
    some = RepairStatus("LME.md", 6, 5, 12, 3, 343_495, 528_493, 1_528_493)
    none = RepairStatus("SHFE.md", 0, 0, 0, 0, 0, 0, 0)
    assert [said(one, "en") for one in repair_lines([some, none])] == [
        "  LME.md         gaps 6, repaired 5, messages lost 12, came late 3; whole after 0.3 ms, p99 0.5, at most 1.5"
    ]
    assert repair_content(none)["key"] == "SHFE.md"
