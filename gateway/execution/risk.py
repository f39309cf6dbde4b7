"""The gate: may this intent become a pair trade? Named checks in a fixed order; the first that fails says no.

The order of `RefusalName` is the order of the checks and of the tests. Every check looks at all legs, and at the worst
case of all orders that the trade may still need, before the first is sent. What passes is a `RiskApproved`: dispatch
takes nothing else, so an unchecked trade cannot be sent because it has the wrong type.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from gateway.execution import rollout
from gateway.execution.currency_check import currency_exposure
from gateway.execution.ledger import Ledger
from gateway.execution.limited import can_refuse
from gateway.model.base import PRICE_E9, Message
from gateway.model.order import Side
from gateway.model.quote import BookState
from gateway.model.trade import Intent, RefusalName, fixing_of


class RiskApproved(Message, frozen=True):
    """An intent that passed every check at `at_ns`."""

    intent: Intent
    at_ns: int


class Refusal(Message, frozen=True):
    """The first check that failed, and the figures that made it."""

    name: RefusalName
    figures: str


Check = Callable[[Ledger, Intent, int], str]
"""Figures of the failure, or an empty text."""
Ladder = tuple[tuple[RefusalName, Check], ...]


def judge(ledger: Ledger, intent: Intent, at_ns: int) -> RiskApproved | Refusal:
    """Run the ladder."""
    for name, check in _steps_of(ledger, intent.pair_id):
        figures = check(ledger, intent, at_ns)
        if figures:
            return Refusal(name, figures)
    return RiskApproved(intent, at_ns)


def _steps_of(ledger: Ledger, pair_id: str) -> Ladder:
    """The ladder without the steps that can refuse no intent of this pair; found once."""
    kept: Ladder | None = ledger.ladders.get(pair_id)
    if kept is None:
        row = ledger.pairs.get(pair_id)
        if row is None:
            return LADDER
        kept = tuple(step for step in LADDER if can_refuse(step[0], row.spec, ledger.settings))
        ledger.ladders[pair_id] = kept
    return kept


def judge_release(ledger: Ledger, intent: Intent, index: int, at_ns: int) -> Refusal | None:
    """A leg that was held back is about to leave: only what is true of this moment is judged again."""
    alone = msgspec.structs.replace(intent, legs=(intent.legs[index],))
    for name, check in LADDER:
        if name in OF_THE_MOMENT:
            figures = check(ledger, alone, at_ns)
            if figures:
                return Refusal(name, figures)
    return None


def judge_residual(ledger: Ledger, intent: Intent, at_ns: int) -> RiskApproved | Refusal:
    """An intent of one leg that execution made itself: every check that is not about a pair of quotes."""
    for name, check in LADDER:
        if name not in OF_A_PAIR and (figures := check(ledger, intent, at_ns)):
            return Refusal(name, figures)
    return RiskApproved(intent, at_ns)


def limit_px_ticks(ledger: Ledger, intent: Intent, index: int) -> int:
    """The limit price of a leg's first order: the price seen, and the pay-up that the pair allows beyond it."""
    leg = intent.legs[index]
    pay_up_ticks = ledger.pairs[intent.pair_id].pay_up_ticks[index]
    return leg.px_ticks + pay_up_ticks if leg.side is Side.BUY else leg.px_ticks - pay_up_ticks


def _halted(ledger: Ledger, _intent: Intent, _at_ns: int) -> str:
    return "kill --hold is in force" if ledger.held else ""


def _stopping(ledger: Ledger, _intent: Intent, _at_ns: int) -> str:
    return "a stop was asked for" if ledger.stopping else ""


def _disarmed(ledger: Ledger, _intent: Intent, _at_ns: int) -> str:
    return "" if ledger.armed else "execution is not armed"


def _stage(ledger: Ledger, intent: Intent, at_ns: int) -> str:
    if ledger.rollout is not None:
        return rollout.refuses(ledger, intent, at_ns)
    return "stage shadow sends nothing" if ledger.stage == "shadow" else ""


def _other_incarnation(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    if intent.incarnation == ledger.incarnation:
        return ""
    return f"decided against incarnation {intent.incarnation}, this is {ledger.incarnation}"


def _expired(_ledger: Ledger, intent: Intent, at_ns: int) -> str:
    return f"expired {at_ns - intent.expires_ns} ns ago" if at_ns > intent.expires_ns else ""


def _duplicate_intent(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    known = ledger.seen_intents.get(intent.intent_id)
    return f"{intent.intent_id} was {known}" if known else ""


def _unknown_pair(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    return "" if intent.pair_id in ledger.settings.pairs else f"no pair {intent.pair_id}"


def _malformed(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    rows, units = ledger.pairs[intent.pair_id].legs[intent.side], intent.units
    if len(intent.legs) != len(rows) or units < 1:
        return f"{len(intent.legs)} legs of {len(rows)}, {units} units"
    for index, (leg, (name, side, ratio_lots)) in enumerate(zip(intent.legs, rows, strict=True)):
        lots = ratio_lots * units
        alike = leg.instrument_id == name and leg.side is side and leg.ratio_lots == ratio_lots
        if not alike or leg.qty_lots != lots:
            given = _words(leg.instrument_id, leg.side, leg.ratio_lots, leg.qty_lots)
            return f"leg {index + 1}: {given} where {_words(name, side, ratio_lots, lots)} is right"
    return ""


def _words(instrument_id: str, side: Side, ratio_lots: int, qty_lots: int) -> str:
    return f"{side.name} {qty_lots} {instrument_id} (ratio {ratio_lots})"


def _session_down(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    rows = ledger.instruments
    for leg in intent.legs:
        if not rows[leg.instrument_id].state.up:
            down = [one.instrument_id for one in intent.legs if not rows[one.instrument_id].state.up]
            return f"order session down for {', '.join(down)}"
    return ""


def _not_reconciled(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    rows = ledger.instruments
    for leg in intent.legs:
        if not rows[leg.instrument_id].state.reconciled:
            waiting = [one.instrument_id for one in intent.legs if not rows[one.instrument_id].state.reconciled]
            return f"not every order and position is told yet at the venue of {', '.join(waiting)}"
    return ""


def _unexplained(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    if not ledger.unexplained:
        return ""
    found = [f"{leg.instrument_id}: {ledger.unexplained[leg.instrument_id]}" for leg in intent.legs
             if leg.instrument_id in ledger.unexplained]  # fmt: skip
    return "; ".join(found)


def _hours(ledger: Ledger, intent: Intent, at_ns: int) -> str:
    reserve_ns = ledger.pairs[intent.pair_id].spec.shut_reserve_ns
    for leg in intent.legs:
        hours = ledger.hours.get(leg.instrument_id)
        if hours is None:
            continue
        if not hours.open:
            return f"{leg.instrument_id}: outside trading hours"
        if hours.shut_ns and hours.shut_ns - at_ns < reserve_ns:
            return f"{leg.instrument_id}: shuts in {hours.shut_ns - at_ns} ns, {reserve_ns} wanted to repair"
    return ""


def _fixing(ledger: Ledger, intent: Intent, at_ns: int) -> str:
    date = ledger.pairs[intent.pair_id].spec.fixing_date
    if not date:
        return ""
    hours = ledger.hours.get(fixing_of(intent.pair_id))
    if hours is None or not hours.open or at_ns >= hours.shut_ns:
        return f"{intent.pair_id}: its currency fixing is of {date}, and that is not today"
    return ""


def _not_tradable(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    states = ledger.book_states
    for leg in intent.legs:
        told = states.get(leg.instrument_id)
        if told is not None and told[0] is not BookState.OK:
            return f"{leg.instrument_id}: book is {told[0].value} {told[1]}".rstrip()
    return ""


def _quote_age(ledger: Ledger, intent: Intent, at_ns: int) -> str:
    for leg, wanted in zip(intent.legs, ledger.pairs[intent.pair_id].spec.legs, strict=True):
        age_ns = at_ns - leg.recv_ns
        if age_ns > wanted.max_quote_age_ns:
            return f"{leg.instrument_id}: quote is {age_ns} ns old, {wanted.max_quote_age_ns} allowed"
    return ""


def _quote_skew(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    times = [leg.calibrated_ns for leg in intent.legs]
    if not all(times):  # a leg without calibration: all by arrival
        times = [leg.recv_ns for leg in intent.legs]
    skew_ns = max(times) - min(times)
    most_ns = ledger.pairs[intent.pair_id].spec.max_quote_skew_ns
    return f"quotes {skew_ns} ns apart, {most_ns} allowed" if skew_ns > most_ns else ""


def _price_collar(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    for index, leg in enumerate(intent.legs):
        last_px_ticks = leg.last_px_ticks
        if last_px_ticks is None:
            continue
        px_ticks = limit_px_ticks(ledger, intent, index)
        most_ticks = ledger.instruments[leg.instrument_id].limits.collar_ticks
        if abs(px_ticks - last_px_ticks) > most_ticks:
            text = f"limit {px_ticks} ticks is over {most_ticks} from the last trade {last_px_ticks}"
            return f"{leg.instrument_id}: {text}"
    return ""


def _pair_collar(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    most_e9 = ledger.pairs[intent.pair_id].spec.collar_e9
    if most_e9 is None:
        return ""
    beyond_e9 = abs(intent.pair_px_e9 - intent.threshold_e9)
    return f"pair price is {beyond_e9} e-9 beyond its threshold, at most {most_e9}" if beyond_e9 > most_e9 else ""


def _min_size(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    for leg in intent.legs:
        least = ledger.instruments[leg.instrument_id].min_qty_lots
        if leg.qty_lots < least:
            return f"{leg.instrument_id}: {leg.qty_lots} lots, at least {least}"
    return ""


def _max_size(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    for leg in intent.legs:
        most = ledger.instruments[leg.instrument_id].max_qty_lots
        if leg.qty_lots > most:
            return f"{leg.instrument_id}: {leg.qty_lots} lots, at most {most}"
    return ""


def _order_value(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    for index, leg in enumerate(intent.legs):
        px_ticks = limit_px_ticks(ledger, intent, index)
        most_e9 = ledger.settings.instrument_limits[leg.instrument_id].max_order_value_e9
        above, below = ledger.instruments[leg.instrument_id].value_e9
        if abs(px_ticks) * leg.qty_lots * above > most_e9 * below:
            instrument = ledger.settings.instruments[leg.instrument_id]
            value = instrument.price(px_ticks) * leg.qty_lots * instrument.point_value
            return f"{leg.instrument_id}: order of {value} {instrument.currency}, at most {most_e9 // PRICE_E9}"
    return ""


def _legged_value(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    most_e9 = ledger.pairs[intent.pair_id].spec.legged_value_limit_e9
    if most_e9 is None:
        return ""
    for leg in intent.legs:
        value_e9 = abs(leg.px_ticks) * leg.qty_lots * leg.value_per_tick_e9
        if value_e9 > most_e9:
            return f"{leg.instrument_id}: {value_e9 // PRICE_E9} would stand open, at most {most_e9 // PRICE_E9}"
    return ""


def _self_match(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    for index, leg in enumerate(intent.legs):
        trades = ledger.pair_trades_of(leg.instrument_id)
        if not trades:
            continue
        px_ticks = limit_px_ticks(ledger, intent, index)
        for trade in trades:
            for own in trade.orders():
                order = own.order
                if not own.open or order.instrument_id != leg.instrument_id or order.side is leg.side:
                    continue
                if order.px_ticks is None or (px_ticks - order.px_ticks) * leg.side.sign >= 0:
                    return f"{leg.instrument_id}: {order.cl_ord_id} is open on the other side at {order.px_ticks} ticks"
    return ""


def _pair_busy(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    count = len(ledger.pair_trades(intent.pair_id))
    most = ledger.pairs[intent.pair_id].spec.max_open_trades
    return f"{count} pair trades of {intent.pair_id} open, at most {most}" if count >= most else ""


def _open_trades(ledger: Ledger, _intent: Intent, _at_ns: int) -> str:
    count, most = len(ledger.open_trades), ledger.settings.limits.max_open_trades
    return f"{count} pair trades open, at most {most}" if count >= most else ""


def _pair_legged(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    trades = ledger.pair_trades(intent.pair_id)
    legged = [trade.trade_id for trade in trades if trade.touched and not trade.balanced] if trades else []
    return f"legged: {', '.join(legged)}" if legged else ""


def _legged_trades(ledger: Ledger, _intent: Intent, _at_ns: int) -> str:
    # A pair trade in the course of its first dispatch is unbalanced too, so only those under repair count.
    count = sum(ledger.trades[name].in_trouble for name in ledger.legged) if ledger.legged else 0
    most = ledger.settings.limits.max_legged_trades
    return f"{count} pair trades legged, at most {most - 1} while another opens" if count >= most else ""


def _instrument_position(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    for leg in intent.legs:
        worst = abs(ledger.exposure.furthest_with(leg))
        most = ledger.instruments[leg.instrument_id].limits.max_position_lots
        if worst > most:
            return f"{leg.instrument_id}: up to {worst} lots, at most {most}"
    for name, lots in _substitutes(ledger, intent):
        worst = abs(ledger.exposure.furthest_either_way(name, lots))
        most = ledger.settings.instrument_limits[name].max_position_lots
        if worst > most:
            return f"{name}: up to {worst} lots as a substitute, at most {most}"
    return ""


def _substitutes(ledger: Ledger, intent: Intent) -> Sequence[tuple[str, int]]:
    """What repairs may trade in the place of a leg: the instrument and the lots, either way."""
    found = ledger.substitutes[intent.pair_id]
    if not found:
        return ()
    return [(name, intent.legs[index].qty_lots) for index, name in found if index < len(intent.legs)]


def _not_sellable(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    for leg in intent.legs:
        if leg.side is Side.BUY:
            continue
        held = ledger.positions[leg.instrument_id].held_before_today
        if held is None:
            continue
        free = held - ledger.exposure.selling(leg.instrument_id)
        if leg.qty_lots > free:
            return f"{leg.instrument_id}: {leg.qty_lots} lots, {max(free, 0)} of those held before today are free"
    return ""


def _pair_position(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    held = ledger.pair_units.get(intent.pair_id, 0)
    after = held + intent.side.sign * intent.units
    most = ledger.pairs[intent.pair_id].spec.max_units
    return f"{after} units of {intent.pair_id}, at most {most}" if abs(after) > most and abs(after) > abs(held) else ""


def _venue_position(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    for venue_id in _venue_ids(ledger, intent):
        spec = ledger.settings.venues[venue_id]
        if spec.max_gross_lots is None and spec.max_net_lots is None:
            continue
        after = ledger.exposure.of_venue(venue_id, intent.legs, _substitutes(ledger, intent))
        if spec.max_gross_lots is not None and after.gross_lots > spec.max_gross_lots:
            return f"{venue_id}: {after.gross_lots} lots gross, at most {spec.max_gross_lots}"
        if spec.max_net_lots is not None and abs(after.net_lots) > spec.max_net_lots:
            return f"{venue_id}: {abs(after.net_lots)} lots net, at most {spec.max_net_lots}"
    return ""


def _venue_ids(ledger: Ledger, intent: Intent) -> tuple[str, ...]:
    """The venues of the legs, each once, in order, and those of their substitutes."""
    row = ledger.pairs[intent.pair_id]
    if len(intent.legs) == len(row.pay_up_ticks):
        return row.venue_ids
    instruments = ledger.settings.instruments
    names = [leg.instrument_id for leg in intent.legs] + [name for _, name in ledger.substitutes[intent.pair_id]]
    return tuple(dict.fromkeys([instruments[name].venue_id for name in names]))


def _margin(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    for venue_id in _venue_ids(ledger, intent):
        available = ledger.settings.venues[venue_id].margin_available_e9
        if available is None:
            continue
        after = ledger.exposure.of_venue(venue_id, intent.legs, _substitutes(ledger, intent))
        for currency, needed_e9 in after.margin_e9.items():
            if needed_e9 > available.get(currency, 0):
                has = available.get(currency, 0) // PRICE_E9
                return f"{venue_id}: margin of {needed_e9 // PRICE_E9} {currency}, {has} available"
    return ""


def _order_rate(ledger: Ledger, intent: Intent, at_ns: int) -> str:
    count, most = ledger.orders_in_last_second(at_ns), ledger.settings.limits.max_orders_per_s
    return f"{count} orders in the last second, at most {most}" if count + len(intent.legs) > most else ""


def _orders_per_day(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    for leg in intent.legs:
        count = ledger.orders_of_day.get(leg.instrument_id, 0)
        most = ledger.instruments[leg.instrument_id].limits.max_orders_per_day
        if count >= most:
            return f"{leg.instrument_id}: {count} orders today, at most {most}"
    return ""


def _cancels_per_day(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    for leg in intent.legs:
        count = ledger.cancels_of_day.get(leg.instrument_id, 0)
        most = ledger.instruments[leg.instrument_id].limits.max_cancels_per_day
        if most is not None and count >= most:
            return f"{leg.instrument_id}: {count} cancels today, at most {most}"
    return ""


def _runaway(ledger: Ledger, _intent: Intent, _at_ns: int) -> str:
    most = ledger.settings.limits.orders_per_intent * max(1, ledger.intents_in)
    if ledger.orders_out <= most:
        return ""
    return (
        f"{ledger.orders_out} orders out for {ledger.intents_in} intents in, at most {most}; a named person arms again"
    )


def _throttled(ledger: Ledger, intent: Intent, at_ns: int) -> str:
    limits = ledger.settings.limits
    if intent.rule_id in ledger.throttled:
        return f"rule {intent.rule_id} waits for a named person to arm it"
    count = ledger.rule_trades(intent.rule_id, at_ns)
    if count < limits.throttle_trades:
        return ""
    return f"rule {intent.rule_id}: {count} pair trades within {limits.throttle_window_ns} ns"


def _daily_loss(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    currency = ledger.pairs[intent.pair_id].spec.currency
    lost_e9 = ledger.loss_e9.get(currency, 0)
    most_e9 = ledger.settings.limits.daily_loss_e9.get(currency)
    if most_e9 is None or lost_e9 <= most_e9:
        return ""
    return f"{lost_e9 // PRICE_E9} {currency} lost to slippage, at most {most_e9 // PRICE_E9}"


OF_THE_MOMENT = frozenset(
    {
        RefusalName.HALTED,
        RefusalName.SESSION_DOWN,
        RefusalName.NOT_RECONCILED,
        RefusalName.UNEXPLAINED,
        RefusalName.HOURS,
        RefusalName.FIXING,
        RefusalName.NOT_TRADABLE,
    }
)
"""The checks that a leg passes again when it was held back. What it would do to positions is in them already."""

OF_A_PAIR = frozenset(
    {
        RefusalName.MALFORMED,
        RefusalName.QUOTE_AGE,
        RefusalName.QUOTE_SKEW,
        RefusalName.PAIR_COLLAR,
        RefusalName.PAIR_POSITION,
    }
)
"""The checks that a single leg has nothing for: a residual counts in no pair's units, and its book was just read."""

LADDER: Ladder = (
    (RefusalName.HALTED, _halted),
    (RefusalName.STOPPING, _stopping),
    (RefusalName.DISARMED, _disarmed),
    (RefusalName.STAGE, _stage),
    (RefusalName.OTHER_INCARNATION, _other_incarnation),
    (RefusalName.EXPIRED, _expired),
    (RefusalName.DUPLICATE_INTENT, _duplicate_intent),
    (RefusalName.UNKNOWN_PAIR, _unknown_pair),
    (RefusalName.MALFORMED, _malformed),
    (RefusalName.SESSION_DOWN, _session_down),
    (RefusalName.NOT_RECONCILED, _not_reconciled),
    (RefusalName.UNEXPLAINED, _unexplained),
    (RefusalName.HOURS, _hours),
    (RefusalName.FIXING, _fixing),
    (RefusalName.NOT_TRADABLE, _not_tradable),
    (RefusalName.QUOTE_AGE, _quote_age),
    (RefusalName.QUOTE_SKEW, _quote_skew),
    (RefusalName.PRICE_COLLAR, _price_collar),
    (RefusalName.PAIR_COLLAR, _pair_collar),
    (RefusalName.MIN_SIZE, _min_size),
    (RefusalName.MAX_SIZE, _max_size),
    (RefusalName.ORDER_VALUE, _order_value),
    (RefusalName.LEGGED_VALUE, _legged_value),
    (RefusalName.SELF_MATCH, _self_match),
    (RefusalName.PAIR_BUSY, _pair_busy),
    (RefusalName.OPEN_TRADES, _open_trades),
    (RefusalName.PAIR_LEGGED, _pair_legged),
    (RefusalName.LEGGED_TRADES, _legged_trades),
    (RefusalName.INSTRUMENT_POSITION, _instrument_position),
    (RefusalName.NOT_SELLABLE, _not_sellable),
    (RefusalName.PAIR_POSITION, _pair_position),
    (RefusalName.VENUE_POSITION, _venue_position),
    (RefusalName.MARGIN, _margin),
    (RefusalName.CURRENCY_EXPOSURE, currency_exposure),
    (RefusalName.ORDER_RATE, _order_rate),
    (RefusalName.ORDERS_PER_DAY, _orders_per_day),
    (RefusalName.CANCELS_PER_DAY, _cancels_per_day),
    (RefusalName.RUNAWAY, _runaway),
    (RefusalName.THROTTLED, _throttled),
    (RefusalName.DAILY_LOSS, _daily_loss),
)


def steps() -> Iterator[RefusalName]:
    """The ladder's names in the order in which they are checked."""
    return (name for name, _ in LADDER)
