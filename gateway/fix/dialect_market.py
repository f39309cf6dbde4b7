"""What a dialect says of market data beyond levels: how instruments are told apart, and words for the whole session.

    [market_data]
    key = ["55", "48"]              # fields that tell contracts apart; those after Symbol(55) are in request_symbol

    [market_data.session_status]    # TradingSessionStatus(35=h); the table is left out where the venue has none
    segment = "336"                 # the field that names a segment; without it, or without the field, all instruments
    instrument = "segment"          # what the site calls an instrument's segment, under `fields`
    values = { 1 = "2", 2 = "17" }  # TradSesStatus(340): SecurityTradingStatus(326) as which it counts

What can go wrong: a tag that the dictionary does not have there, a value that is no status: `DialectError`.
"""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.fix.dialect_groups import FieldRule
from gateway.fix.dialect_tables import TableReader
from gateway.fix.dictionary import Dictionary
from gateway.model.quote import TradingStatus

SESSION_STATUS = "h"


class SessionWords(NamedTuple):
    """How 35=h speaks. `segment` may be empty; `values` by TradSesStatus(340)."""

    segment: str
    instrument: str
    values: Mapping[str, TradingStatus]


class MarketTable(TableReader):
    """Reads them."""

    def _key_rules(self, md_symbol: tuple[FieldRule, ...]) -> tuple[FieldRule, ...]:
        """The fields beyond Symbol(55)."""
        key = self._kind("market_data", "key", list, ["55"])
        known = {rule.tag: rule for rule in md_symbol}
        if not key or key[0] != "55" or len(set(key)) != len(key):
            self._refuse("market_data.key", key, 'a list of tags, each once, "55" first')
        for tag in key[1:]:
            if tag not in known:
                right = ", ".join(tag for tag in known if tag != "55") or "none is there"
                self._refuse("market_data.key", tag, f"a field of market_data.request_symbol: {right}")
        return tuple(known[tag] for tag in key[1:])

    def _session_words(self, dictionary: Dictionary) -> SessionWords | None:
        table = self._sub("market_data", "session_status", optional=True)
        if not table:
            return None
        spec = dictionary.messages.get(SESSION_STATUS)
        if spec is None:
            self._refuse("market_data.session_status", table, f"no such table: {dictionary.path} has no message h")
        segment, instrument = (str(table.pop(key, "")) for key in ("segment", "instrument"))
        if segment and segment not in spec.tags:
            self._refuse("market_data.session_status.segment", segment, "a tag of 35=h in the dictionary")
        if bool(segment) is not bool(instrument):
            self._refuse("market_data.session_status.instrument", instrument, "segment and instrument, or neither")
        place = "market_data.session_status.values"
        values = self._table(place, table.pop("values", None))
        if table:
            key = next(iter(table))
            self._refuse(f"market_data.session_status.{key}", table[key], "segment, instrument or values")
        return SessionWords(
            segment,
            instrument,
            {said: self._enum(f"{place}.{said}", one, TradingStatus) for said, one in values.items()},
        )
