"""The benchmark of the trigger measures what it says."""

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
