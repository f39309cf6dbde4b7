"""The figures fitted to the recorded sets (`fitted.toml`, made by `python -m simulators.tapes.fit`), as values.

Parameters only: the file holds no recorded data. What each means stands beside it here, how it was fitted in `fit.py`.
"""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from simulators.tapes.errors import TapeError

FITTED = Path(__file__).with_name("fitted.toml")


class Fitted(NamedTuple):
    """Rates are book changes per second; a table of quantiles has 17 entries (0/16 .. 16/16), of draws 16."""

    sources: tuple[str, ...]
    calm_per_s: int
    burst_per_s: int
    calm_ms: int
    burst_ms: int
    domestic_per_s: int
    large_tick_spread_ticks: tuple[int, ...]
    small_tick_spread_bp_e2: tuple[int, ...]
    size_permille: tuple[int, ...]
    level_permille: tuple[int, ...]
    volatility_bp_e2: int
    """Of the overseas price, hundredths of a basis point per square root of a second."""
    trade_permille: int


def load_fitted(path: Path = FITTED) -> Fitted:
    """The parameters in `path`; TapeError names the file and what is missing."""
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return Fitted(
            sources=tuple(raw["sources"]),
            calm_per_s=raw["arrivals"]["calm_per_s"],
            burst_per_s=raw["arrivals"]["burst_per_s"],
            calm_ms=raw["arrivals"]["calm_ms"],
            burst_ms=raw["arrivals"]["burst_ms"],
            domestic_per_s=raw["arrivals"]["domestic_per_s"],
            large_tick_spread_ticks=tuple(raw["spread"]["large_tick"]),
            small_tick_spread_bp_e2=tuple(raw["spread"]["bp_e2"]),
            size_permille=tuple(raw["sizes"]["permille"]),
            level_permille=tuple(raw["sizes"]["level_permille"]),
            volatility_bp_e2=raw["volatility"]["bp_e2_per_root_s"],
            trade_permille=raw["trades"]["permille"],
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise TapeError(str(path), str(error), "run `python -m simulators.tapes.fit DIR --write`") from error
