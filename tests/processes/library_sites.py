"""A site file for a ready pair: its venues, its contracts as the library has them, and what only a site can say."""

import json
from pathlib import Path
from typing import Any

from gateway.processes.site_library import library

LIMITS = """[limits]
max_open_trades = 2
max_orders_per_s = 50
throttle_trades = 9
throttle_window_s = 60
daily_loss = { CNY = "9000" }
"""
DIALECTS = {"net": "overseas42", "open_close": "domestic44", "open_close_today": "domestic44", "t_plus_1": "overseas42"}
SITES_OWN = {  # parameters that the library leaves to the site
    "prompt": "-25", "premium": "130", "duty": "0.01", "freight": "40", "shares_per_point": "1000",
    "shares1": "600", "shares2": "400",
}  # fmt: skip
PRICES = {  # reference prices, for alignments that need them
    "CFFEX.IF": "3900", "CME.ES": "6800", "SGX.CN": "15000", "SSE.ETF": "3.9", "SSE.SHARE": "3.9",
    "FX.USDCNH": "7.1", "LME.CA": "9500", "SGX.UC": "7.1",
}  # fmt: skip


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


def table(name: str, keys: dict[str, Any]) -> str:
    return "\n".join([f"[[{name}]]", *(f"{key} = {toml(value)}" for key, value in keys.items())])


def contracts_of(ready: dict[str, Any]) -> dict[str, str]:
    """The instrument of every name: the contract's id, made unique where two names have one contract."""
    names = [*((leg["name"], leg["contract"]) for leg in ready["leg"]), *ready.get("reference", {}).items()]
    return {name: f"{contract}.{name}" for name, contract in names}


def site_text(use: str, overrides: dict[str, Any] | None = None, extra: str = "") -> str:
    """The whole file."""
    ready = library()["pair"][use]
    named = contracts_of(ready)
    contracts = {name: library()["contract"][one.rpartition(".")[0]] for name, one in named.items()}
    venues = {one.partition(".")[0]: contracts[name]["position_model"] for name, one in named.items()}
    parts = [
        '[site]\nname = "ready"\n',
        LIMITS,
    ]
    port = 5000
    for venue, model in venues.items():
        parts.append(table("venue", {"id": venue, "dialect": DIALECTS[model], "account": "A1"}))
        for kind in ("md", "orders"):
            port += 1
            parts.append(
                f'[venue.{kind}]\nhost = "127.0.0.1"\nport = {port}\nsender_comp_id = "CMC"\ntarget_comp_id = "{venue}"'
            )
            if kind == "orders" and DIALECTS[model] == "overseas42":
                parts.append('constants = { customer_or_firm = "0" }')
    for name, instrument in named.items():
        contract = instrument.rpartition(".")[0]
        row = contracts[name]
        keys = {
            "id": instrument, "venue": instrument.partition(".")[0], "symbol": instrument.partition(".")[2],
            **{key: row[key] for key in ("tick", "lot_units", "unit", "currency", "position_model")},
        }  # fmt: skip
        if "price_multiplier" in row:
            keys["price_multiplier"] = row["price_multiplier"]
        if contract in PRICES:
            keys |= {"reference_price": PRICES[contract], "reference_within_pct": "50"}
        if name in ready.get("reference", {}):
            keys["tradable"] = False
        keys |= {"max_qty": 10_000, "max_position_lots": 20_000, "max_orders_per_day": 100,
                 "max_order_value": "900000000", "collar_ticks": 100}  # fmt: skip
        parts.append(table("instrument", keys))
    pair = {
        "id": "READY", "use": use, "instruments": named, "max_quote_skew_ms": 2000, "slippage_budget": "500",
        "repair_pay_up_ticks": [2, 4], "legged_limit_ms": 3000, "order_timeout_ms": 1500, "max_units": 2,
    } | (overrides or {})  # fmt: skip
    parts.append(table("pair", pair))
    for one in ready.get("parameter", []):
        if "row" not in one and f'name = "{one["name"]}"' not in extra:
            row = {"value": SITES_OWN[one["name"]], "from_day": "2026-01-01", "source": "the house"}
            parts.append(table("pair.parameter", {"name": one["name"]}) + f"\nrow = [{toml(row)}]")
    parts.append(extra)
    kind = "ratio" if use in ("if-es", "if-a50") else "spread"
    rule = {"id": "r", "pair": "READY", "kind": kind, "buy_at": "-1", "sell_at": "1", "units": 1, "max_units": 1,
            "cool_down_ms": 10, "ttl_ms": 100}  # fmt: skip
    parts.append(table("rule", rule))
    return "\n".join(parts) + "\n"


def written(folder: Path, use: str, overrides: dict[str, Any] | None = None, extra: str = "") -> Path:
    file = folder / "site.toml"
    file.write_text(site_text(use, overrides, extra), encoding="utf-8")
    return file
