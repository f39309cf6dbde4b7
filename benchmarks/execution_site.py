"""A site with some pairs that are traded and many others that only stand there, and intents for them.

Every limit that the gate knows is set, so wide that it passes: a check that is not set costs nothing and would flatter
the figures.
"""

from pathlib import Path
from typing import Any

from gateway.model.base import PRICE_E9
from gateway.model.order import Side
from gateway.model.trade import Intent, IntentLeg
from gateway.processes.settings import Site, load_site
from gateway.processes.toml_text import toml_text

DOMESTIC, OVERSEAS = "SHFE", "LME"
TRADED_PAIRS = 20
"""Pairs 0 to 19 are traded, in turn, so that a trade has ended when the next of its pair comes; the others stand."""
PX_TICKS = (7_800, 19_500)
LIFE_NS = 250_000_000
WIDE = 1_000_000_000


def instrument_ids(pair: int) -> tuple[str, str]:
    """The two legs of a pair; no two pairs share one."""
    return f"{DOMESTIC}.cu{pair}", f"{OVERSEAS}.CA{pair}"


def write_site(folder: Path, ports: tuple[int, int] = (1, 3), others: int = 0, **journal: object) -> Site:
    """A site file in `folder`, read and checked; `ports` are those of the two order sessions."""
    content: dict[str, Any] = {
        "site": {"name": "bench", "stage": "full", "state_dir": "state"},
        "journal": {"min_free_mb": 1} | journal,
        "limits": {
            "max_open_trades": WIDE,
            "max_orders_per_s": WIDE,
            "throttle_trades": WIDE,
            "throttle_window_s": 60,
            "daily_loss": {"CNY": str(WIDE)},
            "max_legged_trades": WIDE,
            "orders_per_intent": WIDE,
        },
        "venue": [_venue(DOMESTIC, "domestic44", "CNY", ports[0]), _venue(OVERSEAS, "overseas42", "USD", ports[1])],
        "instrument": [one for pair in range(TRADED_PAIRS + others) for one in _instruments(pair)],
        "pair": [_pair(pair) for pair in range(TRADED_PAIRS + others)],
        "rule": [_rule(pair) for pair in range(TRADED_PAIRS + others)],
    }
    file = folder / "site.toml"
    file.write_text(toml_text(content), encoding="utf-8")
    return load_site(file, {})


def _venue(name: str, dialect: str, currency: str, port: int) -> dict[str, Any]:
    session = {"host": "127.0.0.1", "sender_comp_id": "CMC", "target_comp_id": "VENUE", "heart_bt_int_s": 30}
    return {
        "id": name,
        "dialect": dialect,
        "account": f"A-{name}",
        "max_gross_lots": WIDE,
        "max_net_lots": WIDE,
        "margin_available": {currency: str(WIDE * 1000)},
        "ask_positions": "never",
        "md": session | {"port": port + 1},
        "orders": session | {"port": port},
    }


def _instruments(pair: int) -> list[dict[str, Any]]:
    limits = {
        "unit": "t",
        "max_qty": 500,
        "max_position_lots": WIDE,
        "max_orders_per_day": WIDE,
        "max_order_value": str(WIDE),
        "collar_ticks": 5000,
        "max_cancels_per_day": WIDE,
        "margin_per_lot": "1000",
    }
    first, second = instrument_ids(pair)
    return [
        {
            "id": first,
            "venue": DOMESTIC,
            "symbol": first.partition(".")[2],
            "tick": "10",
            "lot_units": "5",
            "currency": "CNY",
            "position_model": "open_close_today",
            "hedge_flag": "2",
        }
        | limits,
        {
            "id": second,
            "venue": OVERSEAS,
            "symbol": second.partition(".")[2],
            "tick": "0.5",
            "lot_units": "25",
            "currency": "USD",
        }
        | limits,
    ]


def _pair(pair: int) -> dict[str, Any]:
    first, second = instrument_ids(pair)
    legs = [
        {"instrument": first, "ratio_lots": 5, "pay_up_ticks": 2, "max_quote_age_ms": 5000},
        {
            "instrument": second,
            "ratio_lots": 1,
            "factors": {"landed": "1.13"},
            "fx_rate": "7",
            "fx_source": "fixed here",
            "fx_date": "always",
            "pay_up_ticks": 2,
            "max_quote_age_ms": 5000,
        },
    ]
    return {
        "id": f"P{pair}",
        "formula": "spread",
        "currency": "CNY",
        "unit": "t",
        "max_quote_skew_ms": 1000,
        "slippage_budget": "2000",
        "repair_pay_up_ticks": [2, 4, 8],
        "legged_limit_ms": 3_600_000,
        "order_timeout_ms": 3_600_000,
        "max_open_trades": 100_000,
        "max_units": WIDE // 10,
        "collar": "100000",
        "legged_value_limit": str(WIDE),
        "leg": legs,
    }


def _rule(pair: int) -> dict[str, Any]:
    return {
        "id": f"R{pair}",
        "pair": f"P{pair}",
        "kind": "spread",
        "buy_at": "-150",
        "sell_at": "150",
        "units": 1,
        "max_units": WIDE // 10,
        "cool_down_ms": 0,
        "ttl_ms": LIFE_NS // 1_000_000,
    }


def intent(number: int, at_ns: int, incarnation: int, pair: int = 0, side: Side = Side.BUY) -> Intent:
    """An intent to trade one unit of a pair that passes the gate at `at_ns`."""
    first, second = instrument_ids(pair)
    first_px, second_px = PX_TICKS
    legs = (
        IntentLeg(first, side, 5, 5, first_px, first_px * 10 * PRICE_E9, 50 * PRICE_E9, at_ns, 0, 0, 0, 1, first_px),
        IntentLeg(
            second,
            side.opposite,
            1,
            1,
            second_px,
            second_px * PRICE_E9 // 2,
            87_500_000_000,
            at_ns,
            0,
            0,
            0,
            1,
            second_px,
        ),
    )
    threshold_e9 = -150 * PRICE_E9 * side.sign
    return Intent(
        f"I1-{pair}-{number}",
        incarnation,
        f"P{pair}",
        f"R{pair}",
        side,
        1,
        threshold_e9 - 50 * PRICE_E9 * side.sign,
        threshold_e9,
        0,
        legs,
        first,
        at_ns,
        at_ns,
        at_ns,
        at_ns,
        at_ns,
        at_ns + LIFE_NS,
    )
