"""The gate's check of foreign currency: no intent makes a limited currency's position larger than its limit.

It looks at the worst case, as the gate's other checks do: what is open may be filled whole, or be taken back. A trade
that reduces what is held is never refused for it. Without limits it costs two looks.
"""

from gateway.execution.currency import lots_of_pair, of_pair
from gateway.execution.ledger import Ledger
from gateway.model.base import PRICE_E9
from gateway.model.order import Side
from gateway.model.trade import Intent


def currency_exposure(ledger: Ledger, intent: Intent, _at_ns: int) -> str:
    """Figures of the first limit that the intent would break, of its pair before that of all; or an empty text."""
    spec, limits = ledger.settings.pairs[intent.pair_id], ledger.settings.limits
    if not spec.max_currency_e9 and not limits.max_currency_e9:
        return ""
    book = ledger.exposure.currencies
    traded: dict[str, list[Side]] = {}
    for leg in intent.legs:
        traded.setdefault(book.values[leg.instrument_id].currency, []).append(leg.side)
    for currency, sides in traded.items():
        most_e9 = spec.max_currency_e9.get(currency)
        if most_e9 is not None:
            lots = lots_of_pair(_lots_held(ledger, intent), ledger.pair_trades(intent.pair_id))
            held_e9 = of_pair(currency, intent.legs, book.values, lots).beyond(most_e9, sides)
            if held_e9:
                return _too_much(intent.pair_id, held_e9, currency, most_e9)
        most_e9 = limits.max_currency_e9.get(currency)
        if most_e9 is None:
            continue
        unpriced = book.unpriced(currency, intent.legs)
        if unpriced:
            return f"{', '.join(unpriced)}: held at no known price, so nobody can say how much {currency}"
        held_e9 = book.with_legs(currency, intent.legs).beyond(most_e9, sides)
        if held_e9:
            return _too_much("in sum", held_e9, currency, most_e9)
    return ""


def _lots_held(ledger: Ledger, intent: Intent) -> dict[str, int]:
    """Lots of each leg that the pair's ended trades hold."""
    units = ledger.pair_units.get(intent.pair_id, 0)
    # A leg of this intent goes the way of the pair's own side, or the other way.
    way = intent.side.sign
    return {leg.instrument_id: units * way * leg.side.sign * leg.ratio_lots for leg in intent.legs}


def _too_much(whose: str, held_e9: int, currency: str, most_e9: int) -> str:
    held = held_e9 // PRICE_E9 if held_e9 >= 0 else -(-held_e9 // PRICE_E9)
    return f"{whose}: up to {held} {currency}, at most {most_e9 // PRICE_E9}"
