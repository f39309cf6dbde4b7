"""Writes docs/SITE_FILE.md from the types of the site file: `python -m gateway.processes.site_doc docs/SITE_FILE.md`.

A test compares the page with what this gives, so that the two cannot drift apart.
"""

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.processes.site_file import SiteFile
from gateway.trigger.units import KNOWN_UNITS

HEAD = """# The site file

One TOML file describes an installation. `cmc check FILE` tells every mistake in it: the file, the key, the value that
stands there, and what would be right; nothing starts while there is one. `sites/demo.toml` is a whole example.
This page is generated from `gateway/processes/site_file.py`; `python -m gateway.processes.site_doc docs/SITE_FILE.md`
writes it anew.

- A decimal (prices, ticks, money, factors, rates) is written in quotes: a TOML float is not the number that was typed.
- A key that is not listed here is an error, so a misspelt key cannot take its default in silence.
- Times say their unit in their name. Money is in the currency that the key names or belongs to.
- Paths are relative to the site file.

## Environment

`CMC_SECTION__KEY` overrides a key; two underscores go one level down. An entry of a list is named by its id, with an
underscore for every character that is no letter or digit, or by its place from 0:

```
CMC_VENUE__SHFE__MD__PORT=5001
CMC_INSTRUMENT__SHFE_CU2609__MAX_QTY=10
CMC_RULE__0__BUY_AT=-150
CMC_PAIR__CU_CA__REPAIR_PAY_UP_TICKS='[2, 4]'
```

A variable that names nothing is an error. Passwords stand only in `CMC_VENUE__ID__MD__PASSWORD`,
`CMC_VENUE__ID__ORDERS__PASSWORD`, `CMC_VENUE__ID__WATCH__PASSWORD` and `CMC_CLIENT__ID__PASSWORD`, or in the file that
`password_file` names.

## Units

{units}: the last ones are currencies, for references such as USD/CNH. `oz` is the troy ounce, `st` the short ton,
`bu_soy` the bushel of soybeans. A leg's price is converted to the pair's unit exactly, then multiplied by its named
factors. A quote in cents takes a factor of "0.01".

## Keys
"""

TAIL = """
## What is checked between keys

Ids are unique and every id that is named exists. Instruments are called `VENUE.SYMBOL`. A venue's dialect offers the
time in force and the position model that are used. Two sessions never share host, port and CompIDs. A leg in another
currency than its pair has exactly one of `fx` and `fx_rate`; the reference is quoted in the right currencies. Units
convert. `buy_at` lies below `sell_at`. Limits do not contradict each other: units of a rule within those of its pair,
lots of an order within the instrument's, lots of a full position within `max_position_lots`, `legged_limit_ms` not
below `order_timeout_ms`, net lots within gross ones, orders of a trade and of an intent enough for legs and repairs,
`in_doubt_limit_ms` not below the venue's `status_timeout_ms`. `margin_available` of a venue and `margin_per_lot` of its
instruments are given together. `lead_leg` counts from 1 and stands only with `lead_then_hedge` or `quote_then_hedge`;
`arrival_aligned` has legs at two venues. A substitute is no leg of the pair and has the leg's tick, lot, point value,
unit and currency. A formula of names names every leg, reference and parameter, its units meet, no leg cancels out, and
lots that are "auto" can be found (docs/FORMULA.md). Money has at most nine places after the point. `daily_loss` has
an entry for each pair's currency. A measured asymmetry of a venue's clock has its error with it, and excludes a
declared error to UTC. A bus path fits into 107 bytes.
Numbers of a client begin again (`reset`) only in a pause of its `hours`, and never on a drop copy.
"""


def page() -> str:
    """The whole page."""
    head = HEAD.format(units=", ".join(f"`{one}`" for one in KNOWN_UNITS))
    return "\n".join([head, *_tables("", SiteFile), TAIL.strip()]) + "\n"


def _tables(path: str, model: type[BaseModel]) -> Iterator[str]:
    plain = {name: one for name, one in model.model_fields.items() if _table_of(one) is None}
    if plain:
        yield from ("| Key | Holds | Default | Meaning |", "|---|---|---|---|")
        yield from (_row(name, one) for name, one in plain.items())
        yield ""
    for name, one in model.model_fields.items():
        inner = _table_of(one)
        if inner is None:
            continue
        here = f"{path}.{name}" if path else name
        many = get_origin(one.annotation) is tuple
        yield from (f"### `{f'[[{here}]]' if many else f'[{here}]'}`", "", _first_line(inner), "")
        yield from _tables(here, inner)


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _table_of(one: FieldInfo) -> type[BaseModel] | None:
    for candidate in (one.annotation, *get_args(one.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _row(name: str, one: FieldInfo) -> str:
    default = "needed" if one.is_required() else "empty" if one.default_factory else _shown(one.default)
    return f"| `{name}` | {_holds(one.annotation)} | {default} | {(one.description or '').replace('|', ' or ')} |"


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{one}"' for one in value) + "]`"
    return f'`"{value}"`' if isinstance(value, str) or type(value).__name__ == "Decimal" else f"`{value}`"


def _holds(kind: Any) -> str:  # noqa: ANN401 a type as it is written
    origin, inner = get_origin(kind), [one for one in get_args(kind) if one is not type(None)]
    if origin in (Union, UnionType):
        return _holds(inner[0])
    if origin is tuple:
        return f"list of {_holds(inner[0])}"
    if origin is dict:
        return f"table of {_holds(inner[1])}"
    if hasattr(kind, "__metadata__"):
        return _holds(inner[0])
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return ", ".join(f'`"{one}"`' for one in kind)
    names = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "Decimal": "decimal"}
    return names.get(getattr(kind, "__name__", ""), str(kind))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
