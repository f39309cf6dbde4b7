"""The keys of a site file about a venue's words: prices in another unit, the session's day, values of fields."""

from decimal import Decimal
from pathlib import Path

import pytest

from gateway.processes.fix_sessions import fix_sessions
from gateway.processes.settings import SiteError, load_site

DEMO = Path(__file__).parents[2] / "sites" / "demo.toml"
COPPER = "CMC_INSTRUMENT__LME_CA3M__"
MD = "CMC_VENUE__LME__MD__"


def test_a_site_that_says_nothing_multiplies_by_one_and_never_ends() -> None:
    """No reference, no hours."""
    site = load_site(DEMO, {})
    one = site.instruments["LME.CA3M"]
    assert (one.price_multiplier, one.reference_price, one.fields) == (Decimal(1), None, {})
    assert [(session.start_time, session.end_time) for session in fix_sessions(site, "md")] == [(None, None)] * 2


def test_every_key_reaches_its_value() -> None:
    """Multiplier and reference are the instrument's, the day is the session's."""
    site = load_site(
        DEMO,
        {
            f"{COPPER}PRICE_MULTIPLIER": "0.01",
            f"{COPPER}REFERENCE_PRICE": "9700",
            f"{COPPER}REFERENCE_WITHIN_PCT": "20",
            f"{MD}START_TIME": "22:00:00",
            f"{MD}END_TIME": "21:30:00",
        },
    )
    one = site.instruments["LME.CA3M"]
    assert (one.price_multiplier, one.reference_price, one.reference_within_pct) == (Decimal("0.01"), 9700, 20)
    hours = {session.key: (session.start_time, session.end_time) for session in fix_sessions(site, "md")}
    assert hours == {"SHFE.md": (None, None), "LME.md": ("22:00:00", "21:30:00")}


MISTAKES = [
    # what is set                                key of the mistake             remedy
    ({f"{MD}START_TIME": "22:00:00"}, "venue[1].md.end_time", "start_time and end_time, or neither"),
    ({f"{MD}START_TIME": "24:00:00", f"{MD}END_TIME": "21:30:00"}, "venue[1].md.start_time", ""),
    ({f"{COPPER}REFERENCE_PRICE": "9700"}, "instrument[1].reference_within_pct", "or neither"),
    ({f"{COPPER}PRICE_MULTIPLIER": "3"}, "instrument[1].price_multiplier", "one that divides tick 0.50 to a decimal"),
    ({f"{COPPER}FIELDS": '{"prompt": "20261216"}'}, "instrument[1].fields.prompt", "a field of dialect overseas42"),
]


@pytest.mark.parametrize(("given", "key", "remedy"), MISTAKES)
def test_a_mistake_is_told(given: dict[str, str], key: str, remedy: str) -> None:
    """The key, and what would be right; a field that the dialect does not have is one."""
    with pytest.raises(SiteError) as caught:
        load_site(DEMO, given)
    (mistake,) = caught.value.mistakes
    assert mistake.key.startswith(key)
    assert remedy in mistake.remedy
