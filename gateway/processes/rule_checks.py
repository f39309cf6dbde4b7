"""What a rule may not say, and what two rules of one pair may not say together; the same for a file and for a command.

It judges rules as the trigger takes them, so that what `cmc check` refuses at a start is refused while it runs as well.
Each mistake names the key as the site file has it. It reads no clock: the time is given where there is one.

What can go wrong: two moving bands cannot be compared before their thresholds are known. Execution's limits hold them;
its check against trading with oneself holds what rules of different owners send at once.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from gateway.journal.told import told
from gateway.model.conditions import BandKind, Costs, RuleAction, RuleKind, RuleSide
from gateway.model.instrument import Instrument
from gateway.model.rules import ChangeRules
from gateway.model.site import FormulaKind, PairSpec, RuleSpec
from gateway.processes.e9_text import text_of
from gateway.processes.site_mistakes import Mistake, nearest
from gateway.trigger.expression import FormulaError
from gateway.trigger.price import PairFormula

MOST_RULES = 10_000
"""That are watched at once."""
DAY_S = 86_400
LEAST_INTERVAL_NS, LEAST_SAMPLES, MOST_SAMPLES = 100 * 10**6, 2, 100_000
"""Of a moving band."""

Place = Callable[[str], str]
"""Where a rule stands, by its id: rule[2] in a file, rule NAME in a command."""


def rule_mistakes(
    rules: Sequence[RuleSpec],
    pairs: Mapping[str, PairSpec],
    instruments: Mapping[str, Instrument],
    place: Place,
    changed: Collection[str] | None = None,
) -> list[Mistake]:
    """Every contradiction in and between rules whose pairs exist; with `changed`, only those that such a rule is in."""
    found: list[Mistake] = []
    by_pair: dict[str, list[RuleSpec]] = {}
    for rule in rules:
        if rule.pair_id in pairs:
            by_pair.setdefault(rule.pair_id, []).append(rule)
    for rule in rules:
        if rule.pair_id in pairs and (changed is None or rule.rule_id in changed):
            key = place(rule.rule_id)
            found += _own(rule, key)
            found += _kind(rule, pairs[rule.pair_id], instruments, key)
            found += _windows(rule, key)
    for together in by_pair.values():
        openers = [one.rule_id for one in together if one.action is not RuleAction.CLOSE]
        for rule in together:
            found += (
                _closes(rule, openers, place(rule.rule_id)) if rule.closes or rule.action is RuleAction.CLOSE else ()
            )
        found += _against_each_other(together, place, changed)
    return found


def command_mistakes(
    command: ChangeRules,
    rules: Mapping[str, RuleSpec],
    pairs: Mapping[str, PairSpec],
    instruments: Mapping[str, Instrument],
    utc_ns: int,
) -> list[Mistake]:
    """Why a command cannot be carried out on the rules and pairs in force; empty where it can."""
    found = list(_command(command, rules, pairs, utc_ns))
    for pair in command.pairs:
        found += _coefficients(pair, pairs, instruments)
    if found:
        return found
    after = {name: one for name, one in rules.items() if name not in command.removed} | {
        one.rule_id: one for one in command.rules
    }
    if len(after) > MOST_RULES:
        return [Mistake("rule", str(len(after)), told("at most {} rules", MOST_RULES))]
    for rule in command.rules:
        found += _basic(rule, pairs[rule.pair_id], instruments, _called(rule.rule_id))
    touched = {one.pair_id for one in command.rules} | {rules[name].pair_id for name in command.removed}
    together = [one for one in after.values() if one.pair_id in touched]
    found += rule_mistakes(together, pairs, instruments, _called, {one.rule_id for one in command.rules})
    return found


def _called(rule_id: str) -> str:
    return f"rule {rule_id}"


def _command(
    command: ChangeRules, rules: Mapping[str, RuleSpec], pairs: Mapping[str, PairSpec], utc_ns: int
) -> Iterator[Mistake]:
    if not command.who.strip() or not command.reason.strip():
        yield Mistake("who, reason", repr(command.who), told("a name and a reason; both go on record"))
    seen: set[str] = set()
    for rule in command.rules:
        key = _called(rule.rule_id)
        if rule.rule_id in seen or rule.rule_id in command.removed or not rule.rule_id:
            yield Mistake(f"{key}.id", rule.rule_id, told("once in a command"))
        seen.add(rule.rule_id)
        if rule.pair_id not in pairs:
            yield Mistake(f"{key}.pair", rule.pair_id, told("a pair's id; {}", nearest(rule.pair_id, pairs)))
        known = rules.get(rule.rule_id)
        if known is not None and rule.pair_id in pairs and known.pair_id != rule.pair_id:
            yield Mistake(f"{key}.pair", rule.pair_id, told("{}: a rule stays with its pair", known.pair_id))
        if rule.expires_utc_ns and rule.expires_utc_ns <= utc_ns:
            yield Mistake(f"{key}.expires", _utc(rule.expires_utc_ns), told("a time to come"))
    for name in command.removed:
        if name not in rules:
            yield Mistake(_called(name), name, told("a rule in force; {}", nearest(name, rules)))


def _utc(utc_ns: int) -> str:
    return datetime.fromtimestamp(utc_ns // 10**9, UTC).isoformat()


def _coefficients(
    pair: PairSpec, pairs: Mapping[str, PairSpec], instruments: Mapping[str, Instrument]
) -> Iterator[Mistake]:
    """Only coefficients may change while it runs: execution has the rest from its own start."""
    known = pairs.get(pair.pair_id)
    key = f"pair {pair.pair_id}"
    if known is None:
        yield Mistake(key, pair.pair_id, told("a pair's id; {}", nearest(pair.pair_id, pairs)))
        return
    for name in other_keys(known, pair):
        yield Mistake(f"{key}.{name}", told("another value"), told("as it is: it changes with a restart only"))
    try:
        PairFormula(pair, instruments)
    except (FormulaError, ArithmeticError, KeyError, ValueError) as error:
        yield Mistake(key, pair.pair_id, told("a formula that can be computed: {}", error))


def other_keys(known: PairSpec, pair: PairSpec) -> list[str]:
    """Fields in which two versions of a pair differ that are no coefficients."""
    same = with_coefficients(known, pair)
    return [name for name in same.__struct_fields__ if getattr(same, name) != getattr(pair, name)]


def with_coefficients(known: PairSpec, pair: PairSpec) -> PairSpec:
    """`known` with the coefficients of `pair`: charges, legs' factors and fixed rates, values of parameters."""
    legs = known.legs
    if len(legs) == len(pair.legs):
        legs = tuple(
            msgspec.structs.replace(one, factor=other.factor, fx_rate=other.fx_rate)
            if (one.fx_rate is None) is (other.fx_rate is None)
            else one
            for one, other in zip(known.legs, pair.legs, strict=True)
        )
    expression = known.expression
    if expression is not None and pair.expression is not None:
        expression = msgspec.structs.replace(expression, parameters=pair.expression.parameters)
    return msgspec.structs.replace(known, charges_e9=pair.charges_e9, legs=legs, expression=expression)


def _basic(rule: RuleSpec, pair: PairSpec, instruments: Mapping[str, Instrument], key: str) -> Iterator[Mistake]:
    """What `site_checks.py` sees to in a file."""
    buy_e9, sell_e9 = rule.buy_at_e9, rule.sell_at_e9
    if buy_e9 is None and sell_e9 is None and rule.band is None and rule.kind is RuleKind.PRICE:
        yield Mistake(key, rule.rule_id, told("buy_at, sell_at or both"))
    if buy_e9 is not None and sell_e9 is not None and buy_e9 >= sell_e9:
        remedy = told("below sell_at, {}: else it trades with itself", text_of(sell_e9))
        yield Mistake(f"{key}.buy_at", text_of(buy_e9), remedy)
    if not 1 <= rule.units <= rule.max_units:
        yield Mistake(f"{key}.units", str(rule.units), told("at most max_units, {}", rule.max_units))
    if rule.max_units > pair.max_units:
        remedy = told("at most max_units of pair {}, {}", pair.pair_id, pair.max_units)
        yield Mistake(f"{key}.max_units", str(rule.max_units), remedy)
    yield from _ranges(rule, key)
    for leg in pair.legs:
        most = instruments[leg.instrument_id].max_qty_lots
        if rule.units * leg.ratio_lots > most:
            remedy = told(
                "at most {}: {} x {} lots exceed max_qty {} of {}",
                most // leg.ratio_lots,
                rule.units,
                leg.ratio_lots,
                most,
                leg.instrument_id,
            )
            yield Mistake(f"{key}.units", str(rule.units), remedy)


def _ranges(rule: RuleSpec, key: str) -> Iterator[Mistake]:
    """Figures that a file could not have (`site_file.py`): a program may send any."""
    band, costs = rule.band, rule.costs
    least: list[tuple[str, int | None, int]] = [
        ("ttl_ms", rule.ttl_ns, 1), ("cool_down_ms", rule.cool_down_ns, 0), ("persist_ms", rule.persist_ns, 0),
        ("persist_quotes", rule.persist_quotes, 0), ("min_units", rule.min_units, 1),
        ("total_units", rule.total_units, 1), ("quote_band", rule.quote_band_e9, 0), ("rearm", rule.rearm_e9, 0),
        ("costs.financing_rate", costs.financing_rate_e9, 0), ("costs.holding_days", costs.holding_days, 0),
        *(("costs.financed", share, 0) for share in costs.financed_e9),
        *(("costs.slippage_ticks", ticks, 0) for ticks in costs.slippage_ticks),
    ]  # fmt: skip
    if band is not None:
        least += [
            ("band.interval_ms", band.interval_ns, LEAST_INTERVAL_NS), ("band.length", band.length, LEAST_SAMPLES),
            ("band.warm_up", band.warm_up, LEAST_SAMPLES), ("band.deviations", band.deviations_e9, 1),
            ("band.floor", band.floor_e9, 0), ("band.cap", band.cap_e9, 0),
            ("band.warm_up_age_min", band.warm_up_age_ns, 0),
        ]  # fmt: skip
        if band.length > MOST_SAMPLES:
            yield Mistake(f"{key}.band.length", str(band.length), told("less than or equal to {}", MOST_SAMPLES))
    for name, value_or_none, smallest in least:
        if value_or_none is not None and value_or_none < smallest:
            remedy = told("greater than or equal to {}", smallest)
            yield Mistake(f"{key}.{name}", str(value_or_none), remedy)
    for index, window in enumerate(rule.windows):
        if not (0 <= window.from_s < DAY_S and 0 <= window.until_s < DAY_S):
            value = f"{window.from_s}, {window.until_s}"
            yield Mistake(f"{key}.window[{index}].from_time", value, told("a second of the day"))


def _own(rule: RuleSpec, key: str) -> Iterator[Mistake]:
    """Sizes, life and band of one rule."""
    if rule.min_units > rule.units:
        yield Mistake(f"{key}.min_units", str(rule.min_units), told("at most units, {}", rule.units))
    if rule.total_units is not None and rule.total_units < rule.min_units:
        remedy = told("at least min_units, {}", rule.min_units)
        yield Mistake(f"{key}.total_units", str(rule.total_units), remedy)
    if rule.side is not RuleSide.BOTH and rule.band is None and rule.kind is RuleKind.PRICE:
        remedy = told('"both": a rule of fixed thresholds trades the sides that have one')
        yield Mistake(f"{key}.side", rule.side.value, remedy)
    if rule.immediate and (rule.persist_ns or rule.persist_quotes or rule.windows or rule.rearm_e9):
        remedy = told("nothing to wait for: an immediate rule is looked at once")
        yield Mistake(f"{key}.persist_ms", str(rule.persist_ns), remedy)
    band = rule.band
    if band is None:
        return
    if rule.kind is RuleKind.COUNTER_PRICE:
        yield Mistake(f"{key}.band", told("a table"), told("none: a counter-price rule has min_edge"))
    if band.kind is BandKind.ROLLING and band.warm_up > band.length:
        remedy = told("at most length, {}: no more samples are kept", band.length)
        yield Mistake(f"{key}.band.warm_up", str(band.warm_up), remedy)
    if band.cap_e9 is not None and band.cap_e9 < band.floor_e9:
        yield Mistake(f"{key}.band.cap", text_of(band.cap_e9), told("at least floor, {}", text_of(band.floor_e9)))
    if not band.floor_e9 and band.cap_e9 == 0:
        yield Mistake(f"{key}.band.cap", "0", told("above 0: a band without width trades with itself"))


def _kind(rule: RuleSpec, pair: PairSpec, instruments: Mapping[str, Instrument], key: str) -> Iterator[Mistake]:
    """What a counter-price rule needs, and what no other rule has."""
    if rule.kind is RuleKind.PRICE:
        if rule.min_edge_e9 is not None:
            yield Mistake(f"{key}.min_edge", text_of(rule.min_edge_e9), told("none, or kind = counter_price"))
        if rule.costs != Costs():
            yield Mistake(f"{key}.costs", told("a table"), told("none, or kind = counter_price"))
        return
    if rule.min_edge_e9 is None:
        yield Mistake(f"{key}.min_edge", told("missing"), told("least net money that one unit has to leave"))
    if rule.quote_band_e9:
        yield Mistake(f"{key}.quote_band", text_of(rule.quote_band_e9), told('"0": a counter-price rule has no band'))
    yield from _costs(rule, pair, instruments, key)


def _costs(rule: RuleSpec, pair: PairSpec, instruments: Mapping[str, Instrument], key: str) -> Iterator[Mistake]:
    if pair.formula is FormulaKind.RATIO and rule.costs.fair_e9 <= 0:
        remedy = told("above 0, mostly 1: the ratio at which nothing is to be won")
        yield Mistake(f"{key}.costs.fair", text_of(rule.costs.fair_e9), remedy)
    for name in ("slippage_ticks", "financed_e9"):
        given = len(getattr(rule.costs, name))
        if given not in (0, len(pair.legs)):
            remedy = told("one for each leg, {}, or none", len(pair.legs))
            yield Mistake(f"{key}.costs.{name.removesuffix('_e9')}", str(given), remedy)
    for leg in pair.legs:
        if not instruments[leg.instrument_id].fees:
            remedy = told("fees of instrument {} with their days: no edge is known without them", leg.instrument_id)
            yield Mistake(f"{key}.kind", RuleKind.COUNTER_PRICE.value, remedy)


def _closes(rule: RuleSpec, openers: Sequence[str], key: str) -> Iterator[Mistake]:
    if rule.action is not RuleAction.CLOSE:
        yield Mistake(f"{key}.closes", rule.closes, told('none, or action = "close"'))
    elif rule.closes and rule.closes not in openers:
        remedy = told("a rule of the same pair that opens; {}", nearest(rule.closes, openers))
        yield Mistake(f"{key}.closes", rule.closes, remedy)
    elif not openers:
        yield Mistake(f"{key}.action", rule.action.value, told("a rule of the same pair that opens, for it to close"))


def _windows(rule: RuleSpec, key: str) -> Iterator[Mistake]:
    for index, window in enumerate(rule.windows):
        place = f"{key}.window[{index}]"
        if not window.days or not set(window.days) <= set(range(7)):
            yield Mistake(f"{place}.days", str(window.days), told("days of the week on which it begins"))
        if window.from_s == window.until_s:
            yield Mistake(f"{place}.until_time", str(window.until_s), told("another than from_time: it is empty"))
        try:
            ZoneInfo(window.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield Mistake(f"{place}.zone", window.zone, told('the IANA name of a time zone, such as "Asia/Shanghai"'))


def _against_each_other(
    together: Iterable[RuleSpec], place: Place, changed: Collection[str] | None
) -> Iterator[Mistake]:
    """A rule that buys where another of its owner sells: they would trade with each other for ever.

    Orders of different accounts may cross, as at an exchange: each trades with the venues, up to its quantity.
    """
    fixed = [one for one in together if one.band is None and one.kind is RuleKind.PRICE and not one.immediate]
    if changed is not None and not any(one.rule_id in changed for one in fixed):
        return
    sellers = sorted((one.sell_at_e9, one.rule_id, one) for one in fixed if one.sell_at_e9 is not None)
    changed_sellers = [one for one in sellers if changed is None or one[1] in changed]
    for buyer in fixed:
        against = sellers if changed is None or buyer.rule_id in changed else changed_sellers
        if buyer.buy_at_e9 is not None and against:
            yield from _crossed(buyer, buyer.buy_at_e9, against, place, changed)


def _crossed(
    buyer: RuleSpec,
    buy_e9: int,
    sellers: Sequence[tuple[int, str, RuleSpec]],
    place: Place,
    changed: Collection[str] | None,
) -> Iterator[Mistake]:
    """The first of the sellers, lowest price first, that this buyer would trade with."""
    for sell_e9, seller_id, seller in sellers:
        if sell_e9 > buy_e9:
            return
        both_close = buyer.action is RuleAction.CLOSE and seller.action is RuleAction.CLOSE
        named = changed is None or buyer.rule_id in changed or seller_id in changed
        if seller is not buyer and seller.owner == buyer.owner and not both_close and named:
            remedy = told(
                "below sell_at of rule {}, {}: else they trade against each other", seller_id, text_of(sell_e9)
            )
            yield Mistake(f"{place(buyer.rule_id)}.buy_at", text_of(buy_e9), remedy)
            return
