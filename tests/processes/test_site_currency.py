"""What a site file says of foreign currencies: limits and fixings, and every mistake in them."""

from pathlib import Path

import pytest

from gateway.model.trade import fixing_of
from gateway.processes.fixings import Fixing
from gateway.processes.settings import Site, SiteError, load_site
from gateway.processes.site_calendars import fixing_calendars

DEMO = (Path(__file__).resolve().parents[2] / "sites" / "demo.toml").read_text(encoding="utf-8")
FX_LINE = 'fx = "LME.USDCNH"'
REFERENCE = 'symbol = "USDCNH"'
E9 = 10**9


def changed(tmp_path: Path, *changes: tuple[str, str]) -> Site:
    text = DEMO
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    return load_site(file, {})


LIMITS = ("[limits]", '[limits]\nmax_currency = { USD = "5000000.5" }')
PAIR = ("[[pair]]", '[[pair]]\nmax_currency = { USD = "2000000" }')
FIXED = (FX_LINE, 'fx_rate = "7.1234"\nfx_source = "PBOC"\nfx_date = "2026-06-15"')
STANDS_IN = (REFERENCE, REFERENCE + '\nfixing = "7.1234"\nfixing_date = "2026-06-15"\nfixing_source = "PBOC"')


def test_limits_by_currency_become_whole_money(tmp_path: Path) -> None:
    """In sum and by pair; without them nothing is limited."""
    site = changed(tmp_path, LIMITS, PAIR)
    assert site.limits.max_currency_e9 == {"USD": 5_000_000_500_000_000}
    assert site.pairs["CU-CA"].max_currency_e9 == {"USD": 2_000_000 * E9}
    assert changed(tmp_path).limits.max_currency_e9 == {}


def test_a_fixed_rate_is_bound_to_its_day(tmp_path: Path) -> None:
    """The pair has the date, and a calendar that is open on that day in Beijing alone; "always" has none."""
    site = changed(tmp_path, FIXED)
    assert site.pairs["CU-CA"].fixing_date == "2026-06-15"
    [(name, calendar)] = fixing_calendars(site.pairs).items()
    assert name == fixing_of("CU-CA")
    midnight_ns = 1_781_452_800 * E9
    assert [calendar.is_open(midnight_ns + one) for one in (-1, 0, 86_400 * E9 - 1, 86_400 * E9)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert calendar.next_shut(midnight_ns) == midnight_ns + 86_400 * E9
    always = (FIXED[0], FIXED[1].replace("2026-06-15", "always"))
    assert fixing_calendars(changed(tmp_path, always).pairs) == {}


def test_a_reference_may_have_a_fixing_that_stands_in_for_it(tmp_path: Path) -> None:
    """In whole ticks, with its day and where it is from."""
    assert changed(tmp_path, STANDS_IN).fixings == {"LME.USDCNH": Fixing(71_234, "2026-06-15", "PBOC")}


def with_(one: tuple[str, str], old: str, new: str) -> tuple[str, str]:
    return one[0], one[1].replace(old, new, 1)


MISTAKES = [
    (with_(LIMITS, "USD", "EUR"), "limits.max_currency.EUR = 5000000.5: right would be a currency that something"),
    (
        with_(PAIR, "USD", "CNY"),
        "pair[0].max_currency.CNY = 2000000: right would be a foreign currency of its legs: USD",
    ),
    (with_(FIXED, '\nfx_date = "2026-06-15"', ""), "pair[0].leg[1].fx_date = missing: right would be the day on which"),
    (with_(FIXED, "2026-06-15", "2026-06-31"), "pair[0].leg[1].fx_date = 2026-06-31: right would be a day of the"),
    ((FX_LINE, FX_LINE + '\nfx_date = "2026-06-15"'), "pair[0].leg[1].fx_date = 2026-06-15: right would be nothing"),
    (with_(STANDS_IN, "7.1234", "7.12345"), "instrument[2].fixing = 7.12345: right would be a whole number of ticks"),
    (with_(STANDS_IN, '\nfixing_source = "PBOC"', ""), "instrument[2].fixing_source = missing: right would be where"),
    (with_(STANDS_IN, '\nfixing_date = "2026-06-15"', ""), "instrument[2].fixing_date = missing"),
    ((REFERENCE, REFERENCE + '\nfixing_date = "always"'), "instrument[2].fixing_date = always: right would be nothing"),
]


@pytest.mark.parametrize(("change", "right"), MISTAKES)
def test_a_mistake_names_key_value_and_remedy(tmp_path: Path, change: tuple[str, str], right: str) -> None:
    """And nothing starts."""
    with pytest.raises(SiteError) as caught:
        changed(tmp_path, change)
    assert right in str(caught.value)
