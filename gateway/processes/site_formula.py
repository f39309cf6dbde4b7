"""What a site file says of a pair's formula and lots: names, units, directions, parameters, alignment.

It makes of a `[[pair]]` the formula that the programs take, or every mistake in it with the column; and it finds the
lots that are "auto" before anything else looks at them. Which day it is does not matter here: a parameter that has no
value today is told by `cmc check` (`site_formula_days.py`) and refused while running.

What can go wrong: a direction is derived with each parameter's newest value.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from gateway.journal.told import Told, told
from gateway.model.site import ExpressionSpec, FormulaKind, ParameterRow, ParameterSpec, ReferenceSpec
from gateway.processes.site_file import InstrumentSection, PairSection, ParameterSection, SiteFile
from gateway.processes.site_mistakes import SAME_MONEY, Mistake, nearest
from gateway.trigger.effects import Effect
from gateway.trigger.expression import Fault, FormulaError, Node, Operation, names_of, parse, walk_tree
from gateway.trigger.formula import MOST_DEPENDING, Sides, directions, numbers_of, rounds_of, sides_of
from gateway.trigger.formula_code import value
from gateway.trigger.formula_units import NONE, Dimension, constant, dimension, dimension_of, of_price

CHARGES = "charges"
"""A name of every formula: the pair's key."""
KINDS = tuple(kind.value for kind in FormulaKind)

_SAID = {
    Fault.TOO_LONG: told("at most {} characters"),
    Fault.TOO_DEEP: told("brackets at most {} deep"),
    Fault.TOO_LARGE: told("at most {} operations"),
    Fault.CHARACTER: told("no {}: numbers, names, + - * / , ( ) and min, max, abs, round"),
    Fault.EXPECTED: told("{} instead of {}"),
    Fault.FUNCTION: told("no function {}; there are {}"),
    Fault.ARGUMENTS: told("{} of {} arguments, not {}"),
    Fault.UNKNOWN_NAME: told("{} is no leg's name, no reference, no parameter and no constant between two units"),
    Fault.UNITS_DIFFER: told("one unit on both sides, not {} and {}; multiply the second: {}"),
    Fault.UNIT: told("{} is no unit; currencies such as USD, and {}"),
    Fault.RESULT_UNIT: told("a price in {} (currency and unit of the pair) or a plain number, not {}"),
    Fault.STEP: told("a step above 0 that is a number or a parameter"),
    Fault.ROUNDING: told("no round whose effect on the price depends on prices: which way is against us is not known"),
    Fault.NO_LEG: told("the name of a leg at least: nothing in it is traded"),
    Fault.LEG_ABSENT: told("leg {} in it, or not among the legs: a reference is priced without being traded"),
    Fault.NO_EFFECT: told("a formula whose price changes with leg {}: it cancels out and cannot be executed"),
    Fault.DIRECTION: told('side = "buy" or "sell" at leg {}: which of them buying the pair takes depends on prices'),
    Fault.CONTRADICTION: told("leg {} with the side that the formula gives it, {}"),
    Fault.ZERO: told("no division by 0"),
    Fault.TOO_MANY: told("at most {} references whose side depends on prices, not {}"),
}


class Formula(NamedTuple):
    """A pair's formula, checked."""

    spec: ExpressionSpec
    node: Node
    directions: tuple[int, ...]
    kind: FormulaKind


def is_expression(pair: PairSection) -> bool:
    """Whether its formula is one of names, and not just a kind."""
    return pair.formula not in KINDS


def said(error: FormulaError) -> Told:
    """What is wrong, for a person, with its column."""
    words = _SAID[error.fault]
    return told("column {}: {}", error.column, told(words.template, *error.values))


def expression_of(pair: PairSection) -> ExpressionSpec:
    """The formula as the programs take it."""
    charges = ParameterSpec(CHARGES, f"{pair.currency}/{pair.unit}", (ParameterRow(pair.charges),))
    given = tuple(_parameter(one) for one in pair.parameter)
    own = () if any(one.name == CHARGES for one in given) else (charges,)
    references = tuple(ReferenceSpec(name, instrument) for name, instrument in pair.references.items())
    return ExpressionSpec(pair.formula, references, given + own)


def _parameter(one: ParameterSection) -> ParameterSpec:
    rows = sorted(one.row, key=lambda row: row.from_day)
    days = [(row.from_day.replace("-", ""), row.until_day.replace("-", "")) for row in rows]
    return ParameterSpec(
        one.name, one.unit, tuple(ParameterRow(row.value, *day) for row, day in zip(rows, days, strict=True))
    )


def formula_of(pair: PairSection, instruments: Mapping[str, InstrumentSection]) -> Formula:
    """The pair's formula; FormulaError names what is wrong with it and the column."""
    spec = expression_of(pair)
    node = parse(pair.formula)
    legs = [leg.name for leg in pair.leg]
    variables = [*legs, *pair.references]
    _check_names(node, legs)
    units = _units(pair, spec, instruments)
    found = dimension_of(node, units)
    wanted = of_price(pair.currency, pair.unit)
    if found not in (wanted, NONE):
        raise FormulaError(Fault.RESULT_UNIT, 1, str(wanted), str(found))
    numbers, _ = numbers_of(_newest(spec), node, "")
    _check_constants(node, numbers)
    sides = sides_of(node, variables, numbers)
    _check_sides(node, pair, sides)
    given = [0 if leg.side is None else 1 if leg.side == "buy" else -1 for leg in pair.leg]
    ways = directions(node, legs, sides, given)
    return Formula(spec, node, ways, FormulaKind.SPREAD if found == wanted else FormulaKind.RATIO)


def kind_of(pair: PairSection, instruments: Mapping[str, InstrumentSection]) -> FormulaKind | None:
    """Which kind of rule watches the pair; None where its formula has a mistake."""
    if not is_expression(pair):
        return FormulaKind(pair.formula)
    try:
        return formula_of(pair, instruments).kind
    except (FormulaError, KeyError):
        return None


def _check_names(node: Node, legs: list[str]) -> None:
    names = names_of(node)
    if not any(name in names for name in legs):
        raise FormulaError(Fault.NO_LEG, 1)
    for name in legs:
        if name not in names:
            raise FormulaError(Fault.LEG_ABSENT, 1, name)


def _check_constants(node: Node, numbers: Mapping[str, Fraction]) -> None:
    """No division by a constant 0, and every round has a constant step above 0."""
    for one in walk_tree(node):
        if not isinstance(one, Operation) or one.operator not in ("/", "round"):
            continue
        part = one.parts[1]
        fixed = _constant(part, numbers)
        if one.operator == "/" and fixed == 0:
            raise FormulaError(Fault.ZERO, part.column)
        if one.operator == "round" and (fixed is None or fixed <= 0):
            raise FormulaError(Fault.STEP, part.column)


def _constant(node: Node, numbers: Mapping[str, Fraction]) -> Fraction | None:
    """Its value where it holds nothing but numbers."""
    if not all(name in numbers for name in names_of(node)):
        return None
    try:
        return value(node, numbers, {id(one): True for one in rounds_of(node)})
    except ZeroDivisionError:
        return None  # told at the division inside of it


def _check_sides(node: Node, pair: PairSection, sides: Sides) -> None:
    for one in rounds_of(node):
        if sides.rounds[id(one)] is Effect.DEPENDS:
            raise FormulaError(Fault.ROUNDING, one.column)
    depending = [name for name in pair.references if sides.effects[name] is Effect.DEPENDS]
    if len(depending) > MOST_DEPENDING:
        raise FormulaError(Fault.TOO_MANY, 1, str(MOST_DEPENDING), ", ".join(depending))


def _units(
    pair: PairSection, spec: ExpressionSpec, instruments: Mapping[str, InstrumentSection]
) -> dict[str, Dimension]:
    """The unit of every name that a formula of this pair may have."""
    made = {one.name: dimension(one.unit) for one in spec.parameters}
    named = {leg.name: leg.instrument for leg in pair.leg} | pair.references
    for name, instrument in named.items():
        made[name] = of_price(instruments[instrument].currency, instruments[instrument].unit)
    for name in names_of(parse(pair.formula)):
        known = constant(name)
        if known is not None:
            made.setdefault(name, known[1])
    return made


def _newest(spec: ExpressionSpec) -> ExpressionSpec:
    """Each parameter with its newest value alone, for ever."""
    parameters = tuple(
        ParameterSpec(one.name, one.unit, (ParameterRow(one.rows[-1].value),) if one.rows else ())
        for one in spec.parameters
    )
    return ExpressionSpec(spec.text, spec.references, parameters)


def newest(formula: Formula) -> Mapping[str, Fraction]:
    """Its numbers, each at its newest value."""
    return numbers_of(_newest(formula.spec), formula.node, "")[0]


def rate_of(pair: PairSection, place: int, instruments: Mapping[str, InstrumentSection]) -> str:
    """The instrument that turns a leg's money into the pair's: as the leg says, else a name of the formula that is
    quoted in the right currencies; empty where there is none, or none is needed.
    """
    leg = pair.leg[place]
    own = instruments.get(leg.instrument)
    if leg.fx or leg.fx_rate is not None or own is None or same_money(own.currency, pair.currency):
        return leg.fx
    if not is_expression(pair):
        return ""
    for name in [*(one.instrument for one in pair.leg), *pair.references.values()]:
        one = instruments.get(name)
        if one is not None and one.unit == own.currency.lower() and same_money(one.currency, pair.currency):
            return name
    return ""


def same_money(one: str, other: str) -> bool:
    """Onshore and offshore renminbi are converted 1:1."""
    return one == other or frozenset({one, other}) in SAME_MONEY


def check_formulas(site: SiteFile) -> list[Mistake]:
    """Every mistake of the pairs' formulas, names and parameters."""
    known = {one.id: one for one in site.instrument}
    found = []
    for index, pair in enumerate(site.pair):
        key = f"pair[{index}]"
        found += list(_named(pair, key, known) if is_expression(pair) else _unnamed(pair, key))
    return found


def _unnamed(pair: PairSection, key: str) -> Iterator[Mistake]:
    """A kind needs no names."""
    for name, given in (("references", pair.references), ("parameter", pair.parameter)):
        if given:
            yield Mistake(f"{key}.{name}", str(len(given)), told("absent: formula {} has no names", pair.formula))
    for place, leg in enumerate(pair.leg):
        derived = "buy" if place == 0 else "sell"
        if leg.side is not None and leg.side != derived:
            remedy = told("{}: formula {} buys its first leg and sells the others", derived, pair.formula)
            yield Mistake(f"{key}.leg[{place}].side", leg.side, remedy)


def _named(pair: PairSection, key: str, known: Mapping[str, InstrumentSection]) -> Iterator[Mistake]:
    mistakes = [*_names(pair, key, known), *_rows(pair, key)]
    yield from mistakes
    try:
        yield from _unused(pair, key, names_of(parse(pair.formula)))
        if not mistakes:
            formula_of(pair, known)
    except FormulaError as error:
        yield Mistake(f"{key}.formula", pair.formula, said(error))
    except KeyError:
        return  # an instrument or a unit that is told elsewhere


def _unused(pair: PairSection, key: str, named: Mapping[str, int]) -> Iterator[Mistake]:
    """What has a name and is not in the formula would not count."""
    if pair.charges and CHARGES not in named:
        yield Mistake(f"{key}.charges", str(pair.charges), told('"0", or the name charges in the formula'))
    for name in pair.references:
        if name not in named:
            yield Mistake(f"{key}.references.{name}", pair.references[name], told("a name that the formula has"))
    for place, one in enumerate(pair.parameter):
        if one.name not in named:
            yield Mistake(f"{key}.parameter[{place}].name", one.name, told("a name that the formula has"))


def _names(pair: PairSection, key: str, known: Mapping[str, InstrumentSection]) -> Iterator[Mistake]:
    taken: dict[str, str] = {}
    places: list[tuple[str, str]] = [(f"{key}.leg[{place}].name", leg.name) for place, leg in enumerate(pair.leg)]
    places += [(f"{key}.references.{name}", name) for name in pair.references]
    places += [(f"{key}.parameter[{place}].name", one.name) for place, one in enumerate(pair.parameter)]
    for where, name in places:
        if not name:
            yield Mistake(where, told("missing"), told("how the formula calls it"))
        elif name in taken:
            yield Mistake(where, name, told("a name that nothing else has; {} has it", taken[name]))
        elif constant(name) is not None:
            yield Mistake(where, name, told("another name: this one is a constant between two units"))
        taken.setdefault(name, where)
    legs = {leg.instrument for leg in pair.leg}
    for name, instrument in pair.references.items():
        if instrument not in known:
            yield Mistake(
                f"{key}.references.{name}", instrument, told("an instrument's id; {}", nearest(instrument, known))
            )
        elif instrument in legs:
            yield Mistake(f"{key}.references.{name}", instrument, told("an instrument that is no leg of this pair"))
    for place, leg in enumerate(pair.leg):
        if leg.factors:
            remedy = told("absent: a formula of names says by itself what is multiplied")
            yield Mistake(f"{key}.leg[{place}].factors", ", ".join(leg.factors), remedy)


def _rows(pair: PairSection, key: str) -> Iterator[Mistake]:
    for place, one in enumerate(pair.parameter):
        where = f"{key}.parameter[{place}]"
        try:
            dimension(one.unit)
        except FormulaError as error:
            yield Mistake(f"{where}.unit", one.unit, said(error))
        if not one.row:
            yield Mistake(f"{where}.row", told("missing"), told("a value of {} in {}", one.name, one.unit or "1"))
        rows = sorted(one.row, key=lambda row: row.from_day)
        for before, row in pairwise(rows):
            if not before.until_day or before.until_day >= row.from_day:
                remedy = told("a last day before {}, from when the next value holds", row.from_day)
                yield Mistake(f"{where}.row", before.until_day or told("no end"), remedy)
        for row in rows:
            if row.until_day and row.until_day < row.from_day:
                yield Mistake(f"{where}.row", row.until_day, told("not before from_day, {}", row.from_day))
