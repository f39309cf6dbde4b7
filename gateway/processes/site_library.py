"""Ready pairs: `use = "cu-lme"` in a `[[pair]]` takes its formula, legs and parameters from gateway/trigger/pairs.toml.

What the site says stands before what the library says, key by key; legs and parameters are matched by their names. The
site names the instrument of every name of the pair. What comes out is a `[[pair]]` as if it had been written in full,
so everything after this judges and reads it the same way.

What can go wrong: a row of the library that nobody has confirmed. `notes` names each that a site relies on, and each
contract of the site that differs from the library's.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from gateway.journal.told import Told, told
from gateway.processes.site_file import InstrumentSection, PairSection, SiteFile
from gateway.processes.site_mistakes import Mistake, nearest

OF_A_CONTRACT = ("tick", "lot_units", "unit", "currency")
_ONLY_HERE = frozenset({"title", "note", "reference", "leg", "parameter"})
_ONLY_OF_A_ROW = frozenset({"mark"})


@cache
def library() -> Mapping[str, Any]:
    """The file of ready pairs: `pair` and `contract`, by name."""
    return tomllib.loads(files("gateway.trigger").joinpath("pairs.toml").read_text(encoding="utf-8"))


def expand(content: dict[str, Any]) -> tuple[dict[str, Any], list[Mistake]]:
    """The content of a site file with every `use` written out, and what is wrong with their names."""
    pairs = content.get("pair")
    if not isinstance(pairs, list):
        return content, []
    made, mistakes = [], []
    for index, pair in enumerate(pairs):
        ready = _ready(pair)
        if ready is None:
            mistakes += list(_unknown(pair, f"pair[{index}]"))
            made.append(pair)
        else:
            mistakes += list(_instruments(pair, ready, f"pair[{index}]"))
            made.append(_written_out(pair, ready))
    return {**content, "pair": made}, mistakes


def _ready(pair: object) -> Mapping[str, Any] | None:
    use = pair.get("use") if isinstance(pair, dict) else None
    found: Mapping[str, Any] | None = library()["pair"].get(use) if isinstance(use, str) else None
    return found


def _unknown(pair: object, key: str) -> Iterator[Mistake]:
    if isinstance(pair, dict) and pair.get("use"):
        known = list(library()["pair"])
        yield Mistake(f"{key}.use", str(pair["use"]), told("a ready pair; {}", nearest(str(pair["use"]), known)))


def _names(ready: Mapping[str, Any]) -> list[str]:
    return [*(leg["name"] for leg in ready["leg"]), *ready.get("reference", {})]


def _instruments(pair: dict[str, Any], ready: Mapping[str, Any], key: str) -> Iterator[Mistake]:
    """Every name of the ready pair needs its instrument, and no other has one."""
    given, replaced = _table(pair.get("instruments")), _table(pair.get("references"))
    names = _names(ready)
    own = {_name(leg): leg for leg in _tables(pair.get("leg"))}
    for name in names:
        if name not in given and "instrument" not in own.get(name, {}) and name not in replaced:
            remedy = told("the instrument of each of {}", ", ".join(names))
            yield Mistake(f"{key}.instruments.{name}", told("missing"), remedy)
    for name in given:
        if name not in names:
            remedy = told("a name of ready pair {}; {}", pair["use"], nearest(name, names))
            yield Mistake(f"{key}.instruments.{name}", str(given[name]), remedy)


def _written_out(pair: dict[str, Any], ready: Mapping[str, Any]) -> dict[str, Any]:
    instruments = _table(pair.get("instruments"))
    legs = [_leg(leg, instruments) for leg in ready["leg"]]
    references = {name: instruments[name] for name in ready.get("reference", {}) if name in instruments}
    rows = [_parameter(one) for one in ready.get("parameter", [])]
    own = pair.get("references", {})
    return {
        **{key: value for key, value in ready.items() if key not in _ONLY_HERE},
        **pair,
        "references": {**references, **own} if isinstance(own, dict) else own,
        "parameter": _merged(rows, pair.get("parameter", [])),
        "leg": _merged(legs, pair.get("leg", [])),
    }


def _table(value: object) -> dict[str, Any]:
    """A table, or nothing where the file has something else: the types of the keys tell that afterwards."""
    return value if isinstance(value, dict) else {}


def _tables(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _name(one: Mapping[str, Any]) -> str:
    name = one.get("name")
    return name if isinstance(name, str) else ""


def _leg(leg: Mapping[str, Any], instruments: Mapping[str, str]) -> dict[str, Any]:
    made = {key: value for key, value in leg.items() if key != "contract"}
    return made | ({"instrument": instruments[leg["name"]]} if leg["name"] in instruments else {})


def _parameter(one: Mapping[str, Any]) -> dict[str, Any]:
    rows = [{key: value for key, value in row.items() if key not in _ONLY_OF_A_ROW} for row in one.get("row", [])]
    return {**one, "row": rows}


def _merged(ready: list[dict[str, Any]], given: Any) -> Any:  # noqa: ANN401 what TOML gives; judged afterwards
    """Tables of a name: the site's keys before the library's, and the site's own tables after them."""
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        return given
    own = {_name(one): one for one in given}
    known = {one["name"] for one in ready}
    return [one | own.get(one["name"], {}) for one in ready] + [one for one in given if _name(one) not in known]


def notes(site: SiteFile) -> list[Told]:
    """What a person should know of what a site takes from the library, and of rows that are not confirmed."""
    known = {one.id: one for one in site.instrument}
    said = []
    for pair in site.pair:
        for parameter in pair.parameter:
            for row in parameter.row:
                if not row.confirmed:
                    source = row.source or told("no source")
                    said.append(
                        told(
                            "pair {}: parameter {} = {} is not confirmed ({})",
                            pair.id,
                            parameter.name,
                            row.value,
                            source,
                        )
                    )
        said += list(_differing(pair, known))
    return said


def _differing(pair: PairSection, known: Mapping[str, InstrumentSection]) -> Iterator[Told]:
    """A contract of the site that is not the library's: its lots and units are the site's own word then."""
    ready = library()["pair"].get(pair.use)
    if ready is None:
        return
    named = {leg.name: leg.instrument for leg in pair.leg} | pair.references
    contracts = {leg["name"]: leg["contract"] for leg in ready["leg"]} | ready.get("reference", {})
    for name, contract in contracts.items():
        own, row = known.get(named.get(name, "")), library()["contract"][contract]
        if own is None:
            continue
        for field in OF_A_CONTRACT:
            value = getattr(own, field)
            if type(value)(row[field]) != value:
                yield told(
                    "pair {}: {} has {} {}, the ready pair's {} has {}",
                    pair.id,
                    own.id,
                    field,
                    value,
                    contract,
                    row[field],
                )
        if not row["confirmed"]:
            yield told("pair {}: the contract of {} as {} is not confirmed; check it", pair.id, own.id, contract)
