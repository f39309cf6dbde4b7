"""Which instrument a message is about: by Symbol(55), and by further fields where a venue has two contracts under one.

A dialect declares them as `[market_data] key`, Symbol(55) first: SecurityID(48), MaturityMonthYear(200) or
SecurityExchange(207), say. What an instrument has there is what we would write there ourselves: the source that the
dialect names for the field in `[market_data.request_symbol]`. A message that lacks a field of the key is about nobody:
two contracts are never mixed up by a guess.
"""

from collections.abc import Iterable, Mapping

from gateway.fix import tags
from gateway.fix.dialect import Dialect
from gateway.fix.dialect_groups import FieldRule
from gateway.fix.scan import SOH, BadField, Fields, need
from gateway.model.instrument import Instrument

OF_INSTRUMENT = "instrument:"


def value_of(rule: FieldRule, one: Instrument) -> str:
    """What an instrument has in a field of the key; empty where its site gives nothing."""
    if rule.source.startswith("="):
        return rule.source[1:]
    if rule.source.startswith(OF_INSTRUMENT):
        return one.fields.get(rule.source.removeprefix(OF_INSTRUMENT), "")
    return one.venue_id if rule.source == "exchange" else one.symbol


def key_of(dialect: Dialect, one: Instrument) -> str:
    """The key of an instrument: its Symbol(55) where that is all."""
    return SOH.join([one.symbol, *(value_of(rule, one) for rule in dialect.key_rules)])


class InstrumentKeys:
    """Finds the instrument of a message's fields."""

    def __init__(self, dialect: Dialect, venue_id: str, instruments: Mapping[str, Instrument]) -> None:
        self._venue_id = venue_id
        self._more = tuple(rule.tag for rule in dialect.key_rules)
        self._names = {rule.tag: _name(dialect, rule.tag) for rule in dialect.key_rules}
        self.tags = frozenset({tags.SYMBOL, *self._more})
        self.by_key = {key_of(dialect, one): one for one in instruments.values()}
        self._symbols = frozenset(one.symbol for one in instruments.values())

    def key(self, fields: Fields) -> str:
        """The key in these fields; BadField where one is missing."""
        symbol = need(fields, tags.SYMBOL, "Symbol")
        if not self._more or symbol not in self._symbols:
            return symbol
        return SOH.join([symbol, *(need(fields, tag, self._names[tag]) for tag in self._more)])

    def knows_symbol(self, fields: Fields) -> bool:
        """Whether Symbol(55) is there, and one of ours."""
        return fields.get(tags.SYMBOL, "") in self._symbols

    def of(self, fields: Fields) -> Instrument:
        """The instrument; BadField where it is none of ours, or a field of the key is missing."""
        one = self.by_key.get(self.key(fields))
        if one is None:
            raise self.unknown(fields)
        return one

    def unknown(self, fields: Fields) -> BadField:
        """What to say of fields that name none of ours."""
        told = ", ".join(f"{self._names[tag]}({tag}) {fields.get(tag)!r}" for tag in self._more)
        right = f"an instrument of {self._venue_id} in the site file"
        return BadField("Symbol(55)", fields.get(tags.SYMBOL), right if not told else f"{right}; it came with {told}")


def _name(dialect: Dialect, tag: str) -> str:
    spec = dialect.dictionary.fields.get(tag)
    return tag if spec is None else spec.name


def by_symbol(instruments: Iterable[Instrument]) -> dict[str, Instrument]:
    """As readers and writers take them: by Symbol(55), and by id those that share theirs with another."""
    listed = list(instruments)
    counts: dict[str, int] = {}
    for one in listed:
        counts[one.symbol] = counts.get(one.symbol, 0) + 1
    return {one.symbol if counts[one.symbol] == 1 else one.instrument_id: one for one in listed}
