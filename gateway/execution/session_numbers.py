"""Whether a person may set the numbers of a session: an answer to numbers that one side has lost, `cmc session reset`.

Refused while the session is up (then both sides agree) and while trades with a leg there are open or orders work there
(what the venue still has to say of them would be lost with its numbers), unless the person forces it.
"""

from gateway.execution.ledger import Ledger
from gateway.execution.outbox import Outbox
from gateway.model.trade import ResetNumbers

WORDS = 4
FORCE = "force"
KINDS = ("orders", "drop_copy")
MOST_NUMBER = 999_999_999


def reset_numbers(ledger: Ledger, out: Outbox, argument: str) -> tuple[bool, str]:
    """`VENUE KIND OURS THEIRS [force]`; whether it is done, and what is said of it."""
    words = argument.split()
    forced = words[WORDS:] == [FORCE]
    if len(words) != WORDS + forced:
        return False, f"{argument!r}: VENUE KIND OURS THEIRS, and {FORCE}"
    venue_id, kind, ours, theirs = words[:WORDS]
    if venue_id not in ledger.venues:
        return False, f"no venue {venue_id!r}; one of {', '.join(ledger.venues)}"
    if kind not in KINDS:
        return False, f"no session {kind!r} with numbers that are kept; one of {', '.join(KINDS)}"
    numbers = [int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else 0 for text in (ours, theirs)]  # noqa: PLR2004
    if not all(numbers):
        return False, f"MsgSeqNum(34) {ours} {theirs}: whole numbers from 1 to {MOST_NUMBER}"
    why = "" if forced else _in_the_way(ledger, venue_id, kind)
    if why:
        return False, f"{why}; {FORCE} does it all the same"
    if kind == KINDS[0]:
        ledger.venues[venue_id].began_anew = True
    out.do(ResetNumbers(venue_id, kind, *numbers))
    return True, f"{venue_id} {kind}: the next number of ours is {numbers[0]}, of the venue's {numbers[1]}"


def _in_the_way(ledger: Ledger, venue_id: str, kind: str) -> str:
    venue = ledger.venues[venue_id]
    if kind == KINDS[0]:
        trades = [one for one in ledger.open_trades.values() if any(leg.venue_id == venue_id for leg in one.legs)]
        if trades:
            return f"{len(trades)} open pair trades have a leg at {venue_id}"
        if ledger.orders_at(venue_id):
            return f"{len(ledger.orders_at(venue_id))} orders are open at {venue_id}"
    if venue.up if kind == KINDS[0] else venue_id in ledger.copies_up:
        return f"the session {venue_id} {kind} is up"
    return ""
