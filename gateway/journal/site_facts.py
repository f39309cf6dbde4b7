"""What a run's site file says that its journal does not: symbols, ticks, currencies, slippage budgets.

The copy of the site file that a run keeps is `site.toml` in its directory. Without it figures that need it are told as
not compared. This module reads only the keys it needs of a file that `gateway/processes` has already checked.
"""

import tomllib
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from gateway.model.base import PRICE_E9

SITE_FILE = "site.toml"


class SiteFactsError(Exception):
    """The run's site file cannot be read; names file, key, value and what would be right."""


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """Instruments by id, pairs by id."""

    symbols: dict[str, str] = field(default_factory=dict)
    ticks: dict[str, Decimal] = field(default_factory=dict)
    currencies: dict[str, str] = field(default_factory=dict)
    """Of each pair."""
    quote_currencies: dict[str, str] = field(default_factory=dict)
    """Of each instrument."""
    units: dict[str, str] = field(default_factory=dict)
    """That each pair's price is quoted in."""
    budgets_e9: dict[str, int] = field(default_factory=dict)
    """Slippage budget of one unit of each pair."""

    def symbol(self, instrument_id: str) -> str:
        """Give the venue's Symbol(55); without a site file, what follows the venue in the instrument's id."""
        return self.symbols.get(instrument_id) or instrument_id.partition(".")[2]

    def money_unit(self, pair_id: str) -> str:
        """Give the pair's currency, or words that say that it is not known."""
        return self.currencies.get(pair_id, "pair currency")


def read_site_facts(run_dir: Path) -> SiteFacts:
    """Read `run_dir/site.toml`; nothing is known where it is absent."""
    path = run_dir / SITE_FILE
    if not path.exists():
        return SiteFacts()
    try:
        site = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{path}: {error}"
        raise SiteFactsError(message) from error
    instruments, pairs = site.get("instrument", []), site.get("pair", [])
    return SiteFacts(
        symbols={row["id"]: str(row["symbol"]) for row in instruments if "id" in row and "symbol" in row},
        ticks={row["id"]: _decimal(path, row, "tick") for row in instruments if "id" in row and "tick" in row},
        quote_currencies={row["id"]: str(row["currency"]) for row in instruments if "id" in row and "currency" in row},
        currencies={row["id"]: str(row["currency"]) for row in pairs if "id" in row and "currency" in row},
        units={row["id"]: str(row["unit"]) for row in pairs if "id" in row and "unit" in row},
        budgets_e9={
            row["id"]: int(_decimal(path, row, "slippage_budget") * PRICE_E9)
            for row in pairs
            if "id" in row and "slippage_budget" in row
        },
    )


def _decimal(path: Path, row: dict[str, Any], key: str) -> Decimal:
    try:
        return Decimal(str(row[key]))
    except InvalidOperation as error:
        message = f'{path}: {row["id"]}: {key} = {row[key]!r} is no number; write a decimal in quotes, like "0.5"'
        raise SiteFactsError(message) from error
