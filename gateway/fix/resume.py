"""From which number on a venue is asked to send again when a process comes back: all after what is on record.

QuickFIX stores the number of a message when its callback has returned; the record of what it said is written a moment
later by another thread. Between the two a kill loses the message for good, because a venue sends again only what it is
asked for, and a status answer tells the quantity of an order that is still asked about, not a late fill of one that had
ended. So the first logon of a process asks from the record, not from the store.

What can go wrong: the numbers began anew since the record was written (the session's day, a venue that was reset, a
store that was lost). QuickFIX keeps the time in which they began beside them; where that is later than the record, all
of them are asked for. A venue fills over what it does not keep.
"""

from pathlib import Path

from gateway.fix.scan import BadField, Stamps
from gateway.model.port import Heard

NS_PER_S = 1_000_000_000


def resume_at(heard: Heard, expected: int, since_ns: int) -> int:
    """The next number to expect, where the store says `expected` and its numbers began at `since_ns`, whole seconds."""
    if since_ns >= heard.utc_ns - heard.utc_ns % NS_PER_S:
        return 1
    return heard.number + 1 if heard.number < expected else 1


def numbers_since_ns(folder: Path, key: str) -> int:
    """When the numbers of a session in QuickFIX's store began, in nanoseconds since 1970; 0 when it does not say."""
    for file in folder.glob(f"*-{key}.session"):
        try:
            return Stamps().ns(file.read_text(encoding="ascii").strip()[:17], "the store's beginning")
        except (OSError, ValueError, BadField):
            return 0
    return 0
