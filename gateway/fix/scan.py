"""Cuts a raw FIX message into fields, in one pass, and reads single values strictly. No meaning is given here.

Strict: a number is ASCII digits, a price a plain decimal, a stamp has the standard's form to the character. Python's
`int` and `Decimal` are more generous (`1_0`, `" 5"`, `Infinity`, digits of other scripts) and are not asked first.
What is wrong becomes `BadField`, which the decoders turn into a value that names the tag, the text and what would be
right; it never leaves this folder.

Caches hold what repeats (prices, sizes, seconds). Each is bounded and emptied when full.
"""

import re
from collections.abc import Collection
from datetime import date

from gateway.model.instrument import Instrument, OffTickError

SOH = "\x01"
CACHE_LIMIT = 4096
"""Entries of one cache before it is emptied: some hundred levels around the market, a quarter of an hour of seconds."""
MAX_DIGITS = 18
"""Longest whole number or part of a price that is read: what fits 64 bits."""
MAX_LOTS = 10**9
"""Largest quantity that is believed; sums of more would not fit the 64 bits of a journal's number."""
MAX_CHARACTERS = 65_536
"""Longest message of an order session that is read: its text goes into one journal record."""
FIRST_YEAR, LAST_YEAR = 1970, 2261
"""Years whose nanoseconds since 1970 fit 64 bits."""

_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{0,18})?", re.ASCII)
_STAMP = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})-([0-9]{2}):([0-9]{2}):([0-9]{2})", re.ASCII)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SCALE = (0, 10**8, 10**7, 10**6, 10**5, 10**4, 10**3, 100, 10, 1)

Fields = dict[str, str]


class BadField(ValueError):  # noqa: N818 - it names a state of the message, as the events do
    """A field that cannot be used; its text names the tag, the value and what would be right."""

    def __init__(self, name: str, value: str | None, right: str) -> None:
        shown = "is missing" if value is None else repr(value[:40])
        super().__init__(f"{name} {shown}; right would be {right}")


def readable(text: str) -> str:
    """A text from QuickFIX as one that can be written down: its binding escapes bytes that are no UTF-8.

    Chinese venues write Text(58) in GBK, whose bytes never contain SOH or "=": so read, the fields stay the same.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            return text.encode("utf-8", "surrogateescape").decode("gb18030")
        except UnicodeError:
            return text.encode("utf-8", "backslashreplace").decode()
    return text


def scan(raw: str) -> Fields:
    """All fields of a message outside groups by tag; a tag that appears twice keeps its first value.

    The first: fields of an unknown group come after those of the body that we know, and must not replace them.
    """
    parts = raw.rstrip(SOH).split(SOH)
    try:
        pairs = [part.split("=", 1) for part in parts]
        fields = dict(pairs)  # a part without "=" raises ValueError here
    except ValueError:
        raise _no_tag(parts) from None
    if len(fields) != len(parts):
        fields = dict(reversed(pairs))
    return fields


def scan_group(
    raw: str, count_tag: str, delimiter: str, members: Collection[str], name: str = "NoMDEntries"
) -> tuple[Fields, list[Fields]]:
    """The fields outside the group that `count_tag` counts, and the group's entries, each beginning with `delimiter`.

    What stands after the last entry and is no member belongs to the body, whatever the order of the message.
    """
    head, mark, tail = raw.rstrip(SOH).partition(f"{SOH}{count_tag}=")
    if not mark:
        raise BadField(f"{name}({count_tag})", None, "the number of entries")
    count, *chunks = tail.split(f"{SOH}{delimiter}=")
    count, _, rest = count.partition(SOH)
    body = scan(head)
    if rest:
        body.update(scan(rest))
    entries = [_entry(delimiter, chunk) for chunk in chunks]
    if entries and not entries[-1].keys() <= set(members):
        body.update({tag: entries[-1].pop(tag) for tag in list(entries[-1]) if tag not in members})
    if not count.isdecimal() or not count.isascii() or len(count) > MAX_DIGITS or int(count) != len(entries):
        raise BadField(f"{name}({count_tag})", count, f"{len(entries)}, the number of entries that follow")
    return body, entries


def _entry(delimiter: str, chunk: str) -> Fields:
    parts = chunk.split(SOH)
    try:
        entry = dict([part.split("=", 1) for part in parts[1:]])
    except ValueError:
        raise _no_tag(parts[1:]) from None
    entry[delimiter] = parts[0]
    if len(entry) != len(parts):
        raise BadField("an entry of a group", chunk.replace(SOH, "|"), "each tag once in an entry")
    return entry


def _no_tag(parts: list[str]) -> BadField:
    wrong = next((part for part in parts if "=" not in part), "")
    return BadField("a field", wrong, "TAG=VALUE")


def need(fields: Fields, tag: str, name: str) -> str:
    """The text of a field that has to be there and not empty."""
    text = fields.get(tag)
    if not text:
        raise BadField(f"{name}({tag})", text, "a value")
    return text


def whole(text: str, name: str) -> int:
    """A whole number, 0 or more."""
    if text.isdecimal() and text.isascii() and len(text) <= MAX_DIGITS:
        return int(text)
    raise BadField(name, text, "a whole number, 0 or more")


class Sizes:
    """Reads sizes and quantities as whole lots: `5`, also `5.0` as venues write it."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def lots(self, text: str, name: str) -> int:
        """The quantity `text`; BadField when it is negative, fractional or no number."""
        known = self._known.get(text)
        if known is not None:
            return known
        digits, _, rest = text.partition(".")
        if not digits.isdecimal() or not digits.isascii() or len(digits) > MAX_DIGITS or rest.strip("0"):
            raise BadField(name, text, "a whole number of lots, 0 or more")
        lots = int(digits)
        if lots > MAX_LOTS:
            raise BadField(name, text, f"at most {MAX_LOTS} lots")
        if len(self._known) >= CACHE_LIMIT:
            self._known.clear()
        self._known[text] = lots
        return lots


class Prices:
    """Reads the prices of one instrument as whole ticks, exactly."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self._known: dict[str, int] = {}
        self._believed = instrument.reference_price is None

    def quoted(self, text: str, name: str) -> int:
        """As `ticks`, for a price of the book; the first one has to lie near the site's reference_price."""
        if self._believed:
            return self.ticks(text, name)
        if _DECIMAL.fullmatch(text):
            doubt = self.instrument.implausible(text)
            if doubt:
                raise BadField(name, text, f"a price near the reference: {doubt}")
        ticks = self.ticks(text, name)
        self._believed = True
        return ticks

    def ticks(self, text: str, name: str) -> int:
        """The price `text`; BadField when it is off the tick or no number."""
        known = self._known.get(text)
        if known is not None:
            return known
        if not _DECIMAL.fullmatch(text):
            raise BadField(name, text, f"a price in ticks of {self.instrument.tick}")
        try:
            ticks = self.instrument.to_ticks(text)
        except OffTickError as error:
            raise BadField(name, text, f"a whole number of ticks ({error})") from error
        if len(self._known) >= CACHE_LIMIT:
            self._known.clear()
        self._known[text] = ticks
        return ticks


class Stamps:
    """Reads UTCTimestamp, `20260105-01:02:03` with 0 to 9 digits of fraction, as nanoseconds since 1970 UTC.

    `utc_offset_ns` is what the venue's stamps are ahead of UTC. A second of 60 (a leap second) is read as the next one.
    """

    def __init__(self, utc_offset_ns: int = 0) -> None:
        self._offset_ns = utc_offset_ns
        self._known: dict[str, int] = {}

    def ns(self, text: str, name: str) -> int:
        """The stamp `text`; BadField when it has not the standard's form or names no moment."""
        second = text[:17]
        base = self._known.get(second)
        if base is None:
            base = self._second_ns(second, text, name)
        digits = text[18:]
        if not digits and len(text) == 17:  # noqa: PLR2004 - length of a stamp without fraction
            return base
        if text[17] == "." and digits.isdecimal() and digits.isascii() and len(digits) < len(_SCALE):
            return base + int(digits) * _SCALE[len(digits)]
        raise self._wrong(text, name)

    def _second_ns(self, second: str, text: str, name: str) -> int:
        match = _STAMP.fullmatch(second)
        if match is None:
            raise self._wrong(text, name)
        year, month, day, hour, minute, seconds = map(int, match.groups())
        if hour > 23 or minute > 59 or seconds > 60 or not FIRST_YEAR <= year <= LAST_YEAR:  # noqa: PLR2004 - clock
            raise self._wrong(text, name)
        try:
            days = date(year, month, day).toordinal() - _EPOCH_DAY
        except ValueError as error:
            raise self._wrong(text, name) from error
        base = (((days * 24 + hour) * 60 + minute) * 60 + seconds) * 10**9 - self._offset_ns
        if len(self._known) >= CACHE_LIMIT:
            self._known.clear()
        self._known[second] = base
        return base

    @staticmethod
    def _wrong(text: str, name: str) -> BadField:
        return BadField(name, text, f"a moment as YYYYMMDD-HH:MM:SS[.fraction] from {FIRST_YEAR} to {LAST_YEAR}")
