"""What a site file says of a venue's words, checked against its dialect: prices in another unit, values of fields, the
session's own day.

It judges a file whose keys are each right by themselves (`site_file.py`). It opens no file and reads no clock.

What can go wrong that is not seen here: a multiplier that is wrong, but divides the tick. The first price of the book
is held against `reference_price` for that (`gateway.fix.scan`).
"""

from collections.abc import Iterator, Mapping
from decimal import Context, Decimal, Inexact

from gateway.fix.dialect import Dialect
from gateway.fix.dialect_groups import FieldRule
from gateway.journal.told import told
from gateway.processes.site_checks import Mistake, nearest
from gateway.processes.site_file import InstrumentSection, SiteFile

OF_INSTRUMENT = "instrument:"
_EXACT = Context(prec=28, traps=[Inexact])


def check_words(site: SiteFile, dialects: Mapping[str, Dialect]) -> list[Mistake]:
    """Every mistake, in the order of the file; `dialects` by venue id."""
    mistakes = list(_hours(site))
    for index, one in enumerate(site.instrument):
        mistakes += _reference(f"instrument[{index}]", one)
        dialect = dialects.get(one.venue)
        if dialect is not None:
            mistakes += _words(f"instrument[{index}]", one, dialect)
    return [*mistakes, *_told_apart(site, dialects)]


def _told_apart(site: SiteFile, dialects: Mapping[str, Dialect]) -> Iterator[Mistake]:
    """Two contracts of a venue that its messages could not tell apart."""
    seen: dict[tuple[str, ...], str] = {}
    for index, one in enumerate(site.instrument):
        dialect = dialects.get(one.venue)
        rules = () if dialect is None else dialect.key_rules
        more = [one.fields.get(rule.source.removeprefix(OF_INSTRUMENT), "") for rule in rules]
        key = (one.venue, one.symbol, *more)
        other = seen.setdefault(key, one.id)
        if other != one.id:
            yield Mistake(f"instrument[{index}].symbol", one.symbol, told("another: no field tells it from {}", other))


def _hours(site: SiteFile) -> Iterator[Mistake]:
    for index, venue in enumerate(site.venue):
        for kind, session in venue.sessions.items():
            if (session.start_time is None) is not (session.end_time is None):
                lacking = "start_time" if session.start_time is None else "end_time"
                remedy = told("start_time and end_time, or neither")
                yield Mistake(f"venue[{index}].{kind}.{lacking}", told("missing"), remedy)


def _reference(key: str, one: InstrumentSection) -> Iterator[Mistake]:
    if (one.reference_price is None) is not (one.reference_within_pct is None):
        lacking = "reference_price" if one.reference_price is None else "reference_within_pct"
        remedy = told("reference_price and reference_within_pct, or neither")
        yield Mistake(f"{key}.{lacking}", told("missing"), remedy)


def _words(key: str, one: InstrumentSection, dialect: Dialect) -> Iterator[Mistake]:
    multiplier = one.price_multiplier or dialect.price_multiplier
    if not _divides(one.tick, multiplier):
        remedy = told("one that divides tick {} to a decimal; {} does not", one.tick, multiplier)
        yield Mistake(f"{key}.price_multiplier", str(multiplier), remedy)
    if not one.id.startswith(f"{one.venue}."):
        yield Mistake(f"{key}.id", one.id, told("one that begins with {}.", one.venue))
    for rule in dialect.key_rules:
        name = rule.source.removeprefix(OF_INSTRUMENT)
        if rule.source.startswith(OF_INSTRUMENT) and not one.fields.get(name):
            remedy = told("what tells it from others of its Symbol(55): tag {} of dialect {}", rule.tag, dialect.name)
            yield Mistake(f"{key}.fields.{name}", told("missing"), remedy)
    known = sorted(instrument_fields(dialect))
    for name, value in one.fields.items():
        if name not in known and not dialect.adapter:
            yield Mistake(
                f"{key}.fields.{name}", value, told("a field of dialect {}; {}", dialect.name, nearest(name, known))
            )
        elif not value or not value.isascii() or not value.isprintable():
            yield Mistake(f"{key}.fields.{name}", value, told("printable ASCII characters, at least one"))


def _divides(tick: Decimal, multiplier: Decimal) -> bool:
    try:
        _EXACT.divide(tick, multiplier)
    except Inexact:
        return False
    return True


def instrument_fields(dialect: Dialect) -> set[str]:
    """The names that the dialect calls instrument:NAME."""
    rules: list[FieldRule] = [*dialect.md_symbol]
    for message in dialect.messages.values():
        rules += [*message.fields, *(rule for group in message.groups for entry in group.entries for rule in entry)]
    own = {dialect.session_words.instrument} - {""} if dialect.session_words is not None else set()
    return own | {rule.source.removeprefix(OF_INSTRUMENT) for rule in rules if rule.source.startswith(OF_INSTRUMENT)}
