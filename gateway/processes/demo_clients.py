"""`cmc demo --clients [PORT]`: programs connect to the demo over FIX and trade its pair; nobody else does.

One session of each FIX version and a drop copy of their account, on this machine, without TLS and without passwords:
for trying a program out, never for money. What they may do otherwise is that of any site (docs/CLIENT_FIX.md).
"""

from collections.abc import Mapping
from typing import Any

from gateway.journal.told import Told, told

PORT = 9878
VERSIONS: Mapping[str, str] = {"FUND1": "FIX.4.4", "FUND2": "FIXT.1.1", "FUND3": "FIX.4.2"}
DROP = "DROP"


def with_clients(site: Mapping[str, Any], port: int) -> dict[str, Any]:
    """The demo's site with clients in the place of its rule."""
    pair = site["pair"][0]
    account = site["venue"][0]["account"]
    may = {
        "accounts": [account],
        "pairs": [pair["id"]],
        "instruments": [leg["instrument"] for leg in pair["leg"]],
        "leg_orders": True,
        "max_units": 5,
        "max_lots": 20,
    }
    clients: list[dict[str, Any]] = [{"id": name, "version": version, **may} for name, version in VERSIONS.items()]
    clients.append({"id": DROP, "accounts": [account], "drop_copy": True})
    return {
        **site,
        "pair": [{**pair, "max_open_trades": max(4, pair["max_open_trades"])}],
        "rule": [],
        "clients": {"port": port},
        "client": clients,
    }


def invitation(port: int) -> Told:
    """Where they connect, and as whom."""
    names = ", ".join(f"{name} ({version})" for name, version in VERSIONS.items())
    return told("clients connect to 127.0.0.1:{} as {}, drop copy {}; TargetCompID(56) is GATEWAY", port, names, DROP)
