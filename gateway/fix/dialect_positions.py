"""The tables of a dialect about what a venue tells and does unasked for orders: positions, cancel on disconnect.

    [positions]                    # PositionReport(35=AP); the table is left out where the venue has none
    total = "TOT"                  # PosType(703) of all lots held; or the next two
    today = "TQ"                   # lots opened today
    earlier = "SOD"                # lots of earlier days
    [positions.fields]
    20078 = "hedge_flag"           # where a position has one
    541 = "prompt"                 # prompt date, where a position has one
    [cancel_on_disconnect]
    20079 = "=Y"                   # what the Logon asks with; or none = "TEXT", why the venue has no such thing

What can go wrong: a position that could be told in neither way: `DialectError` with the key and what would be right.
"""

from typing import NamedTuple

from gateway.fix.dialect_tables import TableReader
from gateway.fix.dictionary import Dictionary

POSITIONS = "positions_request"
REPORT = "AP"
TAGGED = ("hedge_flag", "prompt")
"""What may have a tag of its own in 35=AP."""


class PositionWords(NamedTuple):
    """How 35=AP says what is held: values of PosType(703), tags; empty where the venue has none."""

    total: str
    today: str
    earlier: str
    hedge_flag: str
    prompt: str


TOLD = PositionWords("", "", "", "", "")
"""Of a venue that does not speak FIX and tells positions in its own words."""


class PositionTable(TableReader):
    """Reads them."""

    def _positions(self, dictionary: Dictionary) -> PositionWords | None:
        if "positions" not in self._root:
            return None
        tags = self._sub("positions", "fields", optional=True)
        types = [self._kind("positions", key, str, "") for key in ("total", "today", "earlier")]
        known = {word: tag for tag, word in tags.items() if word in TAGGED}
        words = PositionWords(*types, *(known.get(word, "") for word in TAGGED))
        report = dictionary.messages.get(REPORT)
        if report is None or "702" not in report.groups:
            self._refuse("positions", "a table", f"absent, or 35={REPORT} with the group 702 in {dictionary.path}")
        if bool(words.today) is not bool(words.earlier):
            self._refuse(
                "positions.earlier", words.earlier, "a PosType(703) each for today and earlier, or for neither"
            )
        if not words.total and not words.today:
            self._refuse("positions.total", words.total, "a PosType(703), or today and earlier")
        for tag, word in tags.items():
            if tag not in report.tags:
                self._refuse(f"positions.fields.{tag}", word, f"a tag that the dictionary has in 35={REPORT}")
            if word not in TAGGED:
                self._refuse(f"positions.fields.{tag}", word, f"one of {', '.join(TAGGED)}")
        return words
