"""`[venue.clock]` of the site file: what it becomes, and what is refused."""

from pathlib import Path

import pytest

from gateway.feed.clock_settings import ClockSettings
from gateway.processes.settings import SiteError, load_site

DEMO = Path(__file__).parents[2] / "sites" / "demo.toml"
PREFIX = "CMC_VENUE__SHFE__CLOCK__"


def settings(**given: str) -> ClockSettings:
    """SHFE's, with these keys set in the environment."""
    return load_site(DEMO, {PREFIX + key: value for key, value in given.items()}).venues["SHFE"].clock


def test_a_site_that_says_nothing_gets_the_defaults() -> None:
    """A request a second, five minutes of window, 200 ppm; nothing declared."""
    assert settings() == ClockSettings()


def test_every_key_reaches_its_value() -> None:
    """Units are those of the keys' names."""
    made = settings(
        TEST_REQUEST_INTERVAL_MS="2000", WINDOW_S="60", MAX_DRIFT_PPM="500", WANDER_PPB="50", LIVE_S="10",
        ASYMMETRY_US="-700", ASYMMETRY_ERROR_US="30",
    )  # fmt: skip
    assert made == ClockSettings(2 * 10**9, 60 * 10**9, 500_000, 50, 10 * 10**9, -700_000, 30_000, None)
    assert settings(UTC_ERROR_US="100").utc_error_ns == 100_000


MISTAKES = [
    # what is set                                             key of the mistake           remedy
    ({"ASYMMETRY_US": "5"}, "asymmetry_error_us", "how far off"),
    ({"ASYMMETRY_ERROR_US": "5"}, "asymmetry_us", "belongs to"),
    ({"ASYMMETRY_US": "5", "ASYMMETRY_ERROR_US": "1", "UTC_ERROR_US": "9"}, "utc_error_us", "not both"),
    ({"LIVE_S": "1"}, "test_request_interval_ms", "at most 500, half of live_s"),
    ({"WINDOW_S": "5"}, "window_s", "greater than or equal to 10"),
]


@pytest.mark.parametrize(("given", "key", "remedy"), MISTAKES)
def test_a_mistake_is_told(given: dict[str, str], key: str, remedy: str) -> None:
    """The key, and what would be right."""
    with pytest.raises(SiteError) as caught:
        settings(**given)
    (mistake,) = caught.value.mistakes
    assert mistake.key.startswith(f"venue[0].clock.{key}")
    assert remedy in mistake.remedy
