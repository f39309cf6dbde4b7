"""The benchmark of the trigger measures what it says."""

from pathlib import Path

import msgspec
import pytest

from benchmarks import pair_pricing, pricing_peer
from benchmarks.harness import Options
from benchmarks.pair_pricing import RATE, run, world


def test_a_small_world_is_priced_and_fires_nothing() -> None:
    """Every pair has a price in the middle of its rule's band, each leg's tick touches as many pairs as it says, and
    the ticks are timed.
    """
    made = world(20, 10, 400)
    prices = made.core.changed_prices()
    assert [price.verdict for price in prices] == ["ok"] * 20
    assert all(
        price.buy_at_e9 < price.sell_px_e9 < price.buy_px_e9 < price.sell_at_e9
        for price in prices
        if None not in (price.buy_at_e9, price.sell_px_e9, price.buy_px_e9, price.sell_at_e9)
    )
    assert made.pairs_touched == 4
    before = made.core.evaluations
    made.core.on_quote(next(quote for quote in made.ticks if quote.instrument_id != RATE), 1000)
    assert made.core.evaluations == before + 4
    timed = run(made, 0.01)
    assert timed.legs.count + timed.currency.count >= 400
    assert (timed.legs.p50_ns > 0, made.core.intents) == (True, 0)


def test_the_same_pairs_as_formulas_cost_the_same() -> None:
    """What is timed as formulas is what is timed as kinds: every price is the same to the last digit."""
    kinds, formulas = (world(20, 10, 400, formulas=way) for way in (False, True))
    assert formulas.core.changed_prices() == kinds.core.changed_prices()
    for quote in kinds.ticks[:200]:
        assert formulas.core.on_quote(quote, 1000) == kinds.core.on_quote(quote, 1000) == []
    assert formulas.core.changed_prices() == kinds.core.changed_prices()


def test_a_peer_that_cannot_be_installed_is_told_and_skipped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The benchmark goes on with ours alone and says why."""

    class Missing:
        missing = "no such package"

    def peer(*, wanted: bool):  # noqa: ANN202 - a context manager
        return _Given(Missing() if wanted else None)

    monkeypatch.setattr(pair_pricing, "peer", peer)
    monkeypatch.setattr(pair_pricing, "SIZES", ((8, 4), (16, 8)))
    report = pair_pricing.measure(Options(rounds=1, seconds=0.05, rates=(0,), sides=("gateway", "reference")))
    assert report.notes == ["vnpy_spreadtrading is not compared: no such package"]
    assert "vnpy_spreadtrading is not compared: no such package" in capsys.readouterr().out
    assert {one.name for one in report.figures} >= {"quote_to_rules_p50", "quote_to_rules.formulas_p99_9"}
    assert msgspec.to_builtins(report)["benchmark"] == "pair-pricing"


class _Given:
    def __init__(self, value: object) -> None:
        self._value = value

    def __enter__(self) -> object:
        return self._value

    def __exit__(self, *_: object) -> None:
        return None


def test_the_peer_tells_why_it_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that cannot be made is a reason in words, not an end of the benchmark."""

    def broken(*_: object, **__: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(pricing_peer.venv, "create", broken)
    assert pricing_peer.Peer(tmp_path).missing == "no environment of its own: no room"
