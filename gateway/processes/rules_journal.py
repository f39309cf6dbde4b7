"""The rules in force over restarts: what was changed by command, what each rule must not forget.

Each incarnation of the trigger begins a file with the rules it starts with, those of the site file, and the commands
answered of late; then every change follows before it is answered. The next start takes the newest whole beginning, and
then: a rule that a command changed is as the command left it; one that no command touched is as the file has it now.
Where a command changed it and the file was edited since, the command's version is in force and the conflict is told.

What can go wrong: a machine that was booted anew. Times of another boot mean nothing, so no intent is waited for and no
quote is old then; what was filled and what ended stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.journal.reader import journal_paths, read_journal
from gateway.journal.told import Told, told
from gateway.model.instrument import Instrument
from gateway.model.record import JournalOpened, JournalRecord, RulesBase, RulesChanged, TriggerStarted
from gateway.model.rules import ChangeRules, RuleMemory
from gateway.model.site import PairSpec, RuleSpec
from gateway.model.trade import CommandAnswered
from gateway.processes.rule_checks import other_keys, rule_mistakes, with_coefficients
from gateway.trigger.rulebook import ENDED_KEPT, carried

PROCESS = "rules"
ANSWERS_KEPT = 1000
"""Commands whose repetition is known over a restart."""


class Kept(NamedTuple):
    """Where the journal of rules ends."""

    base: RulesBase
    rules: Mapping[str, RuleSpec]
    pairs: Mapping[str, PairSpec]
    memories: Mapping[str, RuleMemory]
    boot_id: str


class InForce(NamedTuple):
    """What a trigger starts with."""

    rules: dict[str, RuleSpec]
    pairs: dict[str, PairSpec]
    memories: tuple[RuleMemory, ...]
    base: RulesBase
    conflicts: tuple[str, ...]
    told: tuple[Told, ...]
    """What a person should know of it."""


def read_kept(run_dir: Path) -> Kept | None:
    """What the newest file that begins whole says; None where there is none."""
    for path in reversed(journal_paths(run_dir, PROCESS)):
        kept = _fold(read_journal(path))
        if kept is not None:
            return kept
    return None


def _fold(records: Iterable[JournalRecord]) -> Kept | None:
    boot_id = ""
    started: TriggerStarted | None = None
    base: RulesBase | None = None
    rules: dict[str, RuleSpec] = {}
    pairs: dict[str, PairSpec] = {}
    memories: dict[str, RuleMemory] = {}
    for record in records:
        match record:
            case JournalOpened():
                boot_id = record.boot_id
            case TriggerStarted():
                started = record
                rules = {one.rule_id: one for one in record.rules}
                pairs = {one.pair_id: one for one in record.pairs}
                memories = {one.rule_id: one for one in record.memories}
            case RulesBase():
                base = record
            case RulesChanged() if base is not None:
                base = applied(base, rules, pairs, memories, record)
            case RuleMemory():
                memories[record.rule_id] = record
    if started is None or base is None:
        return None
    return Kept(base, rules, pairs, memories, boot_id)


def applied(
    base: RulesBase,
    rules: dict[str, RuleSpec],
    pairs: dict[str, PairSpec],
    memories: dict[str, RuleMemory],
    change: RulesChanged,
) -> RulesBase:
    """Put a change into `rules`, `pairs` and `memories`; the base after it."""
    command = change.command
    base = msgspec.structs.replace(base, answers=(*base.answers, change.answer)[-ANSWERS_KEPT:])
    if not change.answer.done:
        return base
    for name in command.removed:
        rules.pop(name, None)
        memories.pop(name, None)
    for spec in command.rules:
        memory = carried(memories.get(spec.rule_id), rules.get(spec.rule_id), spec)
        if memory is not None:
            memories[spec.rule_id] = memory
        rules[spec.rule_id] = spec
    pairs.update({one.pair_id: one for one in command.pairs})
    if command.base_digest:
        written = tuple(rules[name] for name in command.base_rules if name in rules)
        return RulesBase(command.base_digest, written, tuple(pairs.values()), (), base.answers)
    back = {one.rule_id for one in command.rules}
    named = {one.rule_id for one in base.rules}
    removed = [name for name in base.removed if name not in back] + [name for name in command.removed if name in named]
    return msgspec.structs.replace(base, removed=tuple(dict.fromkeys(removed)))


def in_force(
    kept: Kept | None,
    rules: Mapping[str, RuleSpec],
    pairs: Mapping[str, PairSpec],
    instruments: Mapping[str, Instrument],
    digest: str,
    boot_id: str,
) -> InForce:
    """What to start with, of the site file's rules and pairs and of what was kept."""
    fresh = RulesBase(
        digest, tuple(rules.values()), tuple(pairs.values()), (), () if kept is None else kept.base.answers
    )
    if kept is None:
        return InForce(dict(rules), dict(pairs), (), fresh, (), ())
    merged = _Merge(kept, rules, pairs)
    merged.take_pairs()
    merged.take_rules()
    merged.drop_contradictions(instruments)
    merged.drop_long_ended()
    base = msgspec.structs.replace(fresh, removed=tuple(merged.removed))
    memories = tuple(
        _over_boot(memory, kept.boot_id == boot_id)
        for name, spec in merged.rules.items()
        if (memory := carried(kept.memories.get(name), kept.rules.get(name), spec)) is not None
    )
    return InForce(merged.rules, merged.pairs, memories, base, tuple(merged.conflicts), tuple(merged.told))


def _over_boot(memory: RuleMemory, same_boot: bool) -> RuleMemory:  # noqa: FBT001 the one thing it asks
    if same_boot:
        return memory
    return msgspec.structs.replace(
        memory, out=False, opened=False, out_units=0, out_side=None, since_ns=0, opened_ns=0, fence_ns=0, cooling=False
    )


class _Merge:
    """The file of now with what commands changed on top."""

    def __init__(self, kept: Kept, rules: Mapping[str, RuleSpec], pairs: Mapping[str, PairSpec]) -> None:
        self._kept = kept
        self._file_rules = rules
        self._file_pairs = pairs
        self.rules: dict[str, RuleSpec] = {}
        self.pairs: dict[str, PairSpec] = dict(pairs)
        self.removed: list[str] = []
        self.conflicts: list[str] = []
        self.told: list[Told] = []
        self._base_rules = {one.rule_id: one for one in kept.base.rules}
        self._by_command: set[str] = set()

    def take_pairs(self) -> None:
        base = {one.pair_id: one for one in self._kept.base.pairs}
        for name, spec in self._file_pairs.items():
            changed, was = self._kept.pairs.get(name), base.get(name)
            if changed is None or was is None or changed == was:
                continue
            self.pairs[name] = with_coefficients(spec, changed)
            if spec != was:
                self._conflict(name, told("pair {}: the coefficients that a command gave are in force", name))
            if other_keys(self.pairs[name], changed):
                self.told.append(told("pair {}: the rest of it is as the site file has it now", name))

    def take_rules(self) -> None:
        names = dict.fromkeys([*self._file_rules, *self._kept.rules])
        for name in names:
            was, is_now = self._base_rules.get(name), self._file_rules.get(name)
            changed = self._kept.rules.get(name)
            if changed == was:
                if is_now is not None:
                    self.rules[name] = is_now
                continue
            self._by_command.add(name)
            if changed is None:
                self.removed += [name] if is_now is not None else []
            elif changed.pair_id in self.pairs:
                self.rules[name] = changed
            else:
                self.told.append(told("rule {}: its pair {} is gone from the site file", name, changed.pair_id))
            if is_now != was:
                self._conflict(
                    name, told("rule {}: it is as a command left it, not as the edited site file says", name)
                )

    def drop_long_ended(self) -> None:
        """Rules of commands that have ended are kept for a while only, so that their askers can still hear of it."""
        memories = self._kept.memories
        ended = [
            name
            for name in self.rules
            if name not in self._file_rules and name in memories and memories[name].ended and not memories[name].out
        ]
        for name in ended[: max(0, len(ended) - ENDED_KEPT)]:
            del self.rules[name]

    def drop_contradictions(self, instruments: Mapping[str, Instrument]) -> None:
        """A rule of the edited file that contradicts one that a command left is not watched."""
        live = tuple(one for name, one in self.rules.items() if not self._has_ended(name))
        for mistake in rule_mistakes(live, self.pairs, instruments, lambda name: f"{name}\n"):
            name = mistake.key.partition("\n")[0]
            if not self._by_command:
                return
            if name in self._by_command:
                name = self._other_in(name)
            if name in self.rules and name not in self._by_command:
                del self.rules[name]
                self._conflict(name, told("rule {} is not watched: {}", name, mistake.remedy))

    def _has_ended(self, name: str) -> bool:
        memory = carried(self._kept.memories.get(name), self._kept.rules.get(name), self.rules[name])
        return memory is not None and bool(memory.ended)

    def _other_in(self, name: str) -> str:
        """The rule of the file that the one of a command is up against."""
        buy_e9 = self.rules[name].buy_at_e9
        for other in self.rules.values():
            same = other.pair_id == self.rules[name].pair_id and other.rule_id not in self._by_command
            if same and buy_e9 is not None and other.sell_at_e9 is not None and buy_e9 >= other.sell_at_e9:
                return other.rule_id
        return ""

    def _conflict(self, name: str, words: Told) -> None:
        self.conflicts.append(name)
        self.told.append(words)


def changed_names(base: RulesBase, rules: Sequence[RuleSpec], pairs: Sequence[PairSpec]) -> tuple[str, ...]:
    """Rules and pairs that are not as the site file has them."""
    file_rules = {one.rule_id: one for one in base.rules}
    file_pairs = {one.pair_id: one for one in base.pairs}
    found = [one.rule_id for one in rules if file_rules.get(one.rule_id) != one]
    found += base.removed
    return tuple(found + [one.pair_id for one in pairs if file_pairs.get(one.pair_id) != one])


def refused(command: ChangeRules, text: str) -> CommandAnswered:
    """The answer to a command that changes nothing."""
    return CommandAnswered(command.command_id, done=False, text=text)
