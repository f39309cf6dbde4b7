"""A short run of the fuzz; the long one is `make fuzz`."""

from tests.fix import fuzz_engine, fuzz_wire


def test_damaged_messages_break_neither_decoders_nor_engine() -> None:
    """20 000 of them: every event has a class, every bad one a reason, and no lots move that no report moved."""
    told = fuzz_engine.run(20_000, 7)
    assert sum(told["orders"].values()) == 10_000
    assert sum(told["market data"].values()) >= 10_000
    assert sum(told["reasons of orders"].values()) == told["orders"]["BadOrderMessage"] > 1000
    assert sum(told["reasons of market data"].values()) == told["market data"]["BadMarketData"] > 1000
    assert told["orders"]["ExecutionReport"] > 3000


def test_damaged_messages_do_not_end_a_session_for_good() -> None:
    """Over a socket into QuickFIX: the process lives, and an ordinary fill arrives after all of them."""
    told = fuzz_wire.run(1000, 7)
    for counts in told.values():
        assert counts["written"] == 500
        assert counts["events"]["ExecutionReport"] > 30
