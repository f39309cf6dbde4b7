"""Finds the lots that a pair leaves to its alignment, and says what any lots leave over.

Weights are worked out from the contracts: quantity from their lots, price from how much the formula moves with each
leg, value from the reference prices. `gateway/trigger/align.py` finds the whole lots.

What can go wrong: a weight that depends on prices needs `reference_price` of instruments, and is right as long as they
are.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from gateway.journal.told import Told, joined, told, told_by
from gateway.processes.site_file import AUTO, Align, InstrumentSection, LegSection, PairSection, SiteFile
from gateway.processes.site_formula import formula_of, is_expression, newest, rate_of
from gateway.processes.site_mistakes import Mistake
from gateway.trigger.align import aligned, residual_lots, residuals
from gateway.trigger.expression import FormulaError
from gateway.trigger.formula import slope_at
from gateway.trigger.formula_units import CURRENCY_UNITS
from gateway.trigger.units import UnitError, unit_factor

STAND_INS = (Fraction(1009), Fraction(7919, 3))
"""Two made-up prices: what comes out the same with both does not depend on the price."""
E9 = 10**9
NOT_MEASURED = frozenset({"point", "share"})
"""Units of which one is not another: points of two indices, shares of two companies."""


class LackingPriceError(LookupError):
    """An instrument whose reference price is needed."""

    def __init__(self, instrument: str) -> None:
        super().__init__(instrument)
        self.instrument = instrument


class NotComparableError(LookupError):
    """Two legs that this alignment cannot compare; the argument says why."""


class Facts(NamedTuple):
    """A pair with its instruments, and a made-up price for those without a reference price."""

    pair: PairSection
    known: Mapping[str, InstrumentSection]
    stand_in: Fraction

    def price(self, instrument: str) -> Fraction:
        """The reference price, or the made-up one, another for each instrument."""
        given = self.known[instrument].reference_price
        return Fraction(given) if given is not None else self.stand_in + 7 * list(self.known).index(instrument)

    def point_value(self, place: int) -> Fraction:
        one = self.known[self.pair.leg[place].instrument]
        return Fraction(one.point_value if one.point_value is not None else one.lot_units)

    def rate(self, place: int) -> Fraction:
        """The leg's money in the pair's."""
        leg = self.pair.leg[place]
        if leg.fx_rate is not None:
            return Fraction(leg.fx_rate)
        name = rate_of(self.pair, place, self.known)
        return self.price(name) if name else Fraction(1)


def weights(way: Align, pair: PairSection, known: Mapping[str, InstrumentSection]) -> list[Fraction]:
    """Exact lots of each leg against one of the first; LackingPriceError or NotComparableError where there are none."""
    found = [_weights(way, Facts(pair, known, stand_in)) for stand_in in STAND_INS]
    if found[0] == found[1]:
        return found[0]
    lacking = [name for name in _instruments(pair, known) if known[name].reference_price is None]
    for name in lacking:
        without = {
            one: known[one].model_copy(update={"reference_price": Decimal(977)}) for one in lacking if one != name
        }
        if _weights(way, Facts(pair, {**known, **without}, STAND_INS[0])) != _weights(
            way, Facts(pair, {**known, **without}, STAND_INS[1])
        ):
            raise LackingPriceError(name)
    raise LackingPriceError(lacking[0])


def _instruments(pair: PairSection, known: Mapping[str, InstrumentSection]) -> list[str]:
    rates = [rate_of(pair, place, known) for place in range(len(pair.leg))]
    names = [*(leg.instrument for leg in pair.leg), *pair.references.values(), *(name for name in rates if name)]
    return list(dict.fromkeys(names))


def _weights(way: Align, facts: Facts) -> list[Fraction]:
    places = range(len(facts.pair.leg))
    if way is Align.QUANTITY:
        made = [_quantity(facts, place) for place in places]
        return [made[place] if made[place] is not None else _money(facts, place, made) for place in places]  # type: ignore[misc]
    if way is Align.VALUE:
        values = [
            facts.point_value(place) * facts.price(leg.instrument) * facts.rate(place) * (Fraction(leg.beta))
            for place, leg in enumerate(facts.pair.leg)
        ]
        return [abs(values[0] / one) for one in values]
    slopes = _slopes(facts)
    lots = [abs(slopes[place]) / (facts.point_value(place) * facts.rate(place)) for place in places]
    if not lots[0]:
        raise NotComparableError(facts.pair.leg[0].instrument)
    return [one / lots[0] for one in lots]


def _quantity(facts: Facts, place: int) -> Fraction | None:
    """Lots that hold what a lot of the first leg holds; None for a currency, which is not measured so."""
    first, own = (facts.known[facts.pair.leg[one].instrument] for one in (0, place))
    if first.unit in NOT_MEASURED or own.unit in NOT_MEASURED:
        raise NotComparableError(told("{} and {} have no common quantity", first.id, own.id))
    try:
        same = unit_factor(own.unit, first.unit)
    except UnitError as error:
        if own.unit in CURRENCY_UNITS:
            return None
        raise NotComparableError(str(error)) from error
    return Fraction(first.lot_units) * same / Fraction(own.lot_units)


def _money(facts: Facts, place: int, lots: Sequence[Fraction | None]) -> Fraction:
    """Lots of a currency that are worth what the other legs are worth in it."""
    own = facts.known[facts.pair.leg[place].instrument]
    worth = Fraction(0)
    for other, weight in enumerate(lots):
        leg = facts.pair.leg[other].instrument
        if weight is not None and facts.known[leg].currency == CURRENCY_UNITS[own.unit]:
            worth += weight * facts.point_value(other) * facts.price(leg)
    return worth / Fraction(own.lot_units)


def _slopes(facts: Facts) -> list[Fraction]:
    """How much the pair's price rises with each leg's price."""
    pair = facts.pair
    if is_expression(pair):
        formula = formula_of(pair, facts.known)
        named = {leg.name: leg.instrument for leg in pair.leg} | pair.references
        values = {name: facts.price(instrument) for name, instrument in named.items()}
        return [slope_at(formula.node, leg.name, newest(formula), values) for leg in pair.leg]
    made = []
    for place, leg in enumerate(pair.leg):
        factor = unit_factor(facts.known[leg.instrument].unit, pair.unit)
        for named_factor in leg.factors.values():
            factor *= Fraction(named_factor)
        made.append(factor * facts.rate(place))
    if pair.formula == "ratio":
        # the one gains what the other loses where the ratio stands still: in proportion to the value of each
        prices = [facts.price(leg.instrument) * slope for leg, slope in zip(pair.leg, made, strict=True)]
        return [slope / price for slope, price in zip(made, prices, strict=True)]
    return made


def align(written: SiteFile) -> tuple[SiteFile, list[Mistake]]:
    """The same file with lots in place of every "auto", and every mistake that keeps lots from being found."""
    known = {one.id: one for one in written.instrument}
    pairs, mistakes = [], []
    for index, pair in enumerate(written.pair):
        made = _aligned(pair, known, f"pair[{index}]")
        if isinstance(made, Mistake):
            mistakes.append(made)
            made = pair.model_copy(update={"leg": tuple(_with_lots(leg, max(leg.ratio_lots, 1)) for leg in pair.leg)})
        pairs.append(made)
    return written.model_copy(update={"pair": tuple(pairs)}), mistakes


def _with_lots(leg: LegSection, lots: int) -> LegSection:
    return leg.model_copy(update={"ratio_lots": lots})


def _aligned(  # noqa: PLR0911 - one for each mistake
    pair: PairSection, known: Mapping[str, InstrumentSection], key: str
) -> PairSection | Mistake:
    free = [place for place, leg in enumerate(pair.leg) if leg.ratio_lots == AUTO]
    if not free:
        return pair
    if pair.align is None:
        where = f"{key}.align"
        return Mistake(where, told("missing"), told("one of {}: what the lots shall make equal", ", ".join(Align)))
    where = f"{key}.leg[{free[0]}].ratio_lots"
    try:
        first = formula_of(pair, known).directions[0] if is_expression(pair) else 1
        exact = weights(pair.align, pair, known)
    except LackingPriceError as error:
        remedy = told("reference_price of {}: lots by {} depend on it", error.instrument, pair.align)
        return Mistake(where, "auto", remedy)
    except (NotComparableError, UnitError) as error:
        return Mistake(f"{key}.align", pair.align, told("another way: {}", told_by(error)))
    except (FormulaError, KeyError, ZeroDivisionError):
        return Mistake(where, "auto", told("a pair without other mistakes: lots are found when its formula is right"))
    fixed = [leg.ratio_lots if leg.ratio_lots != AUTO else None for leg in pair.leg]
    most = [min(pair.most_lots, _limit(pair, known[leg.instrument])) for leg in pair.leg]
    found = aligned(exact, fixed, most)
    if found is None:
        shown = " : ".join(f"{float(one):.4g}" for one in exact)
        remedy = told("most_lots and max_qty that allow {} lots, exactly", shown)
        return Mistake(where, "auto", remedy)
    legs = tuple(_with_lots(leg, lots) for leg, lots in zip(pair.leg, found.lots, strict=True))
    changes: dict[str, object] = {"leg": legs}
    if not pair.residual_lots and len(legs) == 2:  # noqa: PLR2004 what a third leg leaves over is no lot of the first
        over = residual_lots(exact, found.lots) * first
        changes["residual_lots"] = Decimal(int(over * E9)) / E9
    return pair.model_copy(update=changes)


def _limit(pair: PairSection, one: InstrumentSection) -> int:
    """Most lots of one unit: of one order, and of a position of all units."""
    held = one.max_position_lots // pair.max_units if one.max_position_lots else one.max_qty
    return min(one.max_qty, held)


def residuals_told(pair: PairSection, known: Mapping[str, InstrumentSection]) -> list[Told]:
    """What the lots of a pair leave over, by each way of looking at it that can be worked out."""
    lots = [leg.ratio_lots for leg in pair.leg]
    said = []
    for way in Align:
        try:
            left = residuals(weights(way, pair, known), lots)
        except (LackingPriceError, NotComparableError, UnitError, FormulaError, KeyError, ZeroDivisionError):
            continue
        shares = joined(", ", [told("{} %", f"{float(one) * 100:+.2f}") for one in left])
        said.append(told("by {} {}", told(way.value), shares))
    return said
