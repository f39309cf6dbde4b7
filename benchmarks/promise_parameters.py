"""What `promise.toml` says, as values, and the same with one parameter changed.

It decides nothing: every figure stands in the files, each of which was committed before its first result. A key that is
missing or not known ends the program with its name, so that a sensitivity row never runs the base case
in silence.
"""

import tomllib
from collections.abc import Mapping
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("promise.toml")
RECORDED = Path(__file__).with_name("promise-recorded.toml")
_NORMAL_95 = 1.6448536269514722
"""The 95th percentile of the standard normal law."""
_EXTRA = frozenset({"market.half_life_ms", "market.band", "gateway.processing_times"})
"""What a sensitivity row may change beside the keys of the file: the tape's law, the rule, a factor."""


class ParametersError(ValueError):
    """A key of the parameter file that is missing or unknown; names the file and the key."""


class Parameters(NamedTuple):
    """The tables of the file, one row's changes applied. `changed` names them."""

    tables: Mapping[str, Mapping[str, Any]]
    changed: Mapping[str, Any]
    source: str = str(FILE)

    def get(self, table: str, key: str) -> Any:  # noqa: ANN401 a value of TOML
        """One value of the file."""
        try:
            return self.tables[table][key]
        except KeyError as error:
            message = f"{self.source}: {table}.{key} is missing"
            raise ParametersError(message) from error

    def changed_to(self, name: str, value: object) -> "Parameters":
        """The same with `table.key` set to `value`."""
        table, _, key = name.partition(".")
        if name not in _EXTRA:
            self.get(table, key)
        tables = {**self.tables, table: {**self.tables[table], key: value}}
        return Parameters(tables, {**self.changed, name: value}, self.source)

    @property
    def reaction(self) -> tuple[float, float]:
        """Mean and deviation of the logarithm of a person's reaction, in nanoseconds."""
        median_ms, p95_ms = self.get("people", "reaction_median_ms"), self.get("people", "reaction_p95_ms")
        # A slower or faster person is so throughout: the ratio of the 95th percentile to the median stays.
        base_ms = self.tables["people"].get("base_median_ms", median_ms)
        return log(median_ms * 1e6), log(p95_ms / base_ms) / _NORMAL_95


def load(path: Path = FILE) -> Parameters:
    """The file as it stands."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    tables["people"]["base_median_ms"] = tables["people"]["reaction_median_ms"]
    return Parameters(tables, {}, str(path))


def load_recorded(path: Path = RECORDED) -> Parameters:
    """The file of the recorded markets, over the other one: what it does not say is said there."""
    base = load()
    own = tomllib.loads(path.read_text(encoding="utf-8"))
    intervals = {**base.tables["intervals"], **own["intervals"]}
    return Parameters({**base.tables, **own, "intervals": intervals}, {}, f"{path} over {FILE}")


def quantile(points: list[list[float]], share: float) -> int:
    """The value at `share` of a law given by (share, value) points, straight lines between them."""
    for (low, low_value), (high, high_value) in pairwise(points):
        if share <= high:
            return int(low_value + (high_value - low_value) * (share - low) / (high - low))
    return int(points[-1][1])
