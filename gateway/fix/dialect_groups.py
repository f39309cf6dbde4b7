"""The sources of fields that a dialect writes, and the repeating groups among them: parties and their short codes, say.

A group in a `[message.NAME]` table is a list of entries under the tag that counts it, each a table of tags and sources:

    453 = [ { 448 = "constant:member", 447 = "=D", 452 = "=1" }, { 448 = "constant:trader", 447 = "=D", 452 = "=11" } ]

An entry whose first field has no value is left out, and the group with it when no entry is left. Values of groups are
the same for all orders of an instrument: `=TEXT`, `constant:NAME`, `instrument:NAME`.

What can go wrong: a tag that the dictionary does not have in the group, an entry that does not begin with the group's
first field, a source that is none: `GroupError` with the tag, the value and what would be right.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from gateway.fix.dictionary import GroupSpec, MessageSpec

FIXED = ("=", "constant:", "instrument:")


class GroupError(ValueError):
    """A group of a dialect that cannot be written."""

    def __init__(self, tag: str, value: object, right: str) -> None:
        super().__init__(right)
        self.tag, self.value, self.right = tag, value, right


class FieldRule(NamedTuple):
    """One field of a message that we write: its tag and the source of its value."""

    tag: str
    source: str


class GroupRule(NamedTuple):
    """A repeating group that we write: the tag that counts it, and its entries."""

    count_tag: str
    entries: tuple[tuple[FieldRule, ...], ...]


def is_source(source: object, words: Collection[str] = ()) -> bool:
    """Whether a value of a field may be taken from `source`: fixed, a constant, the instrument's, or one of `words`."""
    return isinstance(source, str) and (source.startswith(FIXED) or source in words)


def group_rules(table: dict[str, Any], spec: MessageSpec) -> tuple[GroupRule, ...]:
    """Take the groups out of the table of a message."""
    counted = [tag for tag, value in table.items() if isinstance(value, list)]
    return tuple(_group(tag, table.pop(tag), spec.groups.get(tag)) for tag in counted)


def _group(tag: str, entries: list[Any], spec: GroupSpec | None) -> GroupRule:
    if spec is None:
        raise GroupError(tag, entries, "a text; the dictionary has no such group in this message")
    return GroupRule(tag, tuple(_entry(tag, entry, spec) for entry in entries))


def _entry(tag: str, entry: object, spec: GroupSpec) -> tuple[FieldRule, ...]:
    first = spec.members[0]
    if not isinstance(entry, dict) or next(iter(entry), "") != first:
        raise GroupError(tag, entry, f"a table that begins with {first}")
    for field, source in entry.items():
        if field not in spec.members:
            raise GroupError(f"{tag}.{field}", source, f"one of {', '.join(spec.members)}")
        if not is_source(source):
            raise GroupError(f"{tag}.{field}", source, "=TEXT, constant:NAME or instrument:NAME")
    return tuple(FieldRule(field, source) for field, source in entry.items())
