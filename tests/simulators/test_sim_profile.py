"""A profile's mistakes are told with file, key, value and remedy; nothing starts."""

# ruff: noqa: ANN401  (a test gives what a section of a profile holds: any value)

from pathlib import Path
from typing import Any

import pytest

from simulators import main
from simulators.core.clock import VenueClock
from simulators.profile import ProfileError, parse_profile


def profile(**changes: Any) -> dict[str, Any]:
    """A right profile; `section__key=value` changes one thing, `...=None` removes it."""
    data: dict[str, Any] = {
        "venue": {
            "name": "SHFE", "dialect": "domestic44", "comp_id": "SHFE", "client_comp_id": "CMC", "account": "A1",
            "truth_dir": "truth", "ready_file": "ready.json",
        },
        "tape": {"kind": "synthetic", "name": "cu"},
        "instrument": [{"symbol": "cu2609", "tick": "10"}],
    }  # fmt: skip
    for name, value in changes.items():
        section, _, key = name.partition("__")
        target = data.setdefault(section, {}) if key else data
        if value is None:
            del target[key]
        else:
            target[key or section] = value
    return data


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"venue__dialect": "fix50"},
            "p.toml: venue.dialect = 'fix50': one of domestic44, overseas42, lmeselect44, fixt11sp2 is right",
        ),
        ({"venue__account": None}, "p.toml: venue.account: required; add it"),
        (
            {"venue__sped": 1},
            "p.toml: venue.sped = 1: unknown key; remove it or see docs/SIMULATOR.md for the right name",
        ),
        ({"venue__md_port": 70000}, "p.toml: venue.md_port = 70000: Input should be less than or equal to 65535"),
        (
            {"network__profile": "moon"},
            "p.toml: network.profile = 'moon': one of none, same-rack, same-city, shanghai-london, shanghai-chicago is right",
        ),
        (
            {"instrument": [{"symbol": "cu", "tick": 0.1}]},
            'p.toml: instrument.0.tick = 0.1: a price step is written as text, such as "0.02", because a float is not exact',
        ),
        ({"instrument": [{"symbol": "cu", "tick": "-1"}]}, "p.toml: instrument.0.tick = '-1': a tick above 0 is right"),
        (
            {"fault": [{"name": "reject"}]},
            "p.toml: fault.0: it never strikes; give probability, ordinals or at_s with for_s",
        ),
    ],
)
def test_a_mistake_names_file_key_value_and_remedy(changes: dict[str, Any], said: str) -> None:
    """One mistake, one line."""
    with pytest.raises(ProfileError) as caught:
        parse_profile(profile(**changes), "p.toml")
    assert str(caught.value) == said


def test_an_unknown_fault_is_told_with_all_right_names() -> None:
    """The remedy lists them."""
    with pytest.raises(ProfileError, match=r"fault.0.name = 'typhoon': one of reject, partial, .* is right"):
        parse_profile(profile(fault=[{"name": "typhoon", "probability": 1.0}]), "p.toml")


def test_two_mistakes_are_two_lines() -> None:
    """Nobody has to start three times to learn of three mistakes."""
    with pytest.raises(ProfileError) as caught:
        parse_profile(profile(venue__account=None, venue__sped=1), "p.toml")
    assert len(str(caught.value).splitlines()) == 2


def test_the_clock_is_read_into_whole_nanoseconds() -> None:
    """1250 ms and 12 ppm."""
    read = parse_profile(profile(clock__offset_ms=1250, clock__drift_ppm=12.0), "p.toml")
    assert read.clock_values(5, 7) == VenueClock(5, 7, 1_250_000_000, 12_000, 0, 0)


@pytest.mark.parametrize("text", ["[venue", "", None])
def test_the_command_ends_with_2_and_starts_nothing(text: str | None, tmp_path: Path, capsys: Any) -> None:
    """Not TOML, empty, or not there: a line on stderr that names the file, exit code 2."""
    path = tmp_path / "p.toml"
    if text is not None:
        path.write_text(text)
    assert main([str(path)]) == 2
    assert str(path) in capsys.readouterr().err
    assert [item.name for item in tmp_path.iterdir()] == (["p.toml"] if text is not None else [])
