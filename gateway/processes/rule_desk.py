"""Answers commands about rules: each is judged, written down, carried out and answered, in this order, once.

A change that cannot be carried out whole is refused whole, with every reason. What was carried out is in the journal of
rules before anybody is told, so that a restart begins with it.

What can go wrong: the journal takes nothing. Then nothing is changed, and the answer says so.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from gateway.bus.rules import RulesServer
from gateway.journal.errors import JournalError
from gateway.journal.told import joined, told
from gateway.journal.writer import JournalWriter
from gateway.model.base import plain
from gateway.model.instrument import Instrument
from gateway.model.record import RulesBase, RulesChanged, TriggerStarted
from gateway.model.rules import AskRules, ChangeRules, RuleMemory, RulesInForce, RuleStanding
from gateway.model.trade import CommandAnswered
from gateway.processes.rule_checks import command_mistakes
from gateway.processes.rules_journal import InForce, applied, changed_names
from gateway.trigger.core import TriggerCore

ANSWERS_REMEMBERED = 10_000
LONGEST_COMMAND = 200_000
"""Bytes of a command that is taken: it goes into one record."""
MISTAKES_TOLD = 20


class RuleDesk:
    """The commands of one trigger."""

    def __init__(
        self, core: TriggerCore, bus_dir: Path, journal: JournalWriter, begin: InForce, started: TriggerStarted
    ) -> None:
        self._core = core
        self._journal = journal
        self._instruments: dict[str, Instrument] = {one.instrument_id: one for one in started.instruments}
        self._server = RulesServer(bus_dir)
        self.socket = self._server.socket
        self._base: RulesBase = begin.base
        self._conflicts = begin.conflicts
        self._answers = {one.command_id: one for one in begin.base.answers}
        journal.append(started)
        journal.append(begin.base)

    def receive(self) -> tuple[bytes, ChangeRules] | None:
        """The next command that changes something; questions are answered here."""
        while (asked := self._server.receive()) is not None:
            identity, command = asked
            if isinstance(command, ChangeRules):
                return identity, command
            self._server.answer(identity, self._in_force(command))
        return None

    def known(self, command: ChangeRules) -> CommandAnswered | None:
        """What was answered to a command of this id before."""
        return self._answers.get(command.command_id)

    def decide(self, command: ChangeRules, at_ns: int, utc_ns: int) -> CommandAnswered:
        """Judge it and write it down; where the answer is `done` it has to be carried out now."""
        if len(msgspec.msgpack.encode(command, enc_hook=plain)) > LONGEST_COMMAND:
            text = f"a command of more than {LONGEST_COMMAND} bytes"
            return CommandAnswered(command.command_id[:40], done=False, text=text)
        wrong = self._wrong(command, utc_ns)
        answer = CommandAnswered(command.command_id, done=not wrong, text=wrong or _words(command))
        change = RulesChanged(at_ns, command, answer)
        try:
            self._journal.append(change)
        except JournalError as error:
            return CommandAnswered(command.command_id, done=False, text=f"the journal cannot be written: {error}")
        self._answers[command.command_id] = answer
        if len(self._answers) > ANSWERS_REMEMBERED:
            del self._answers[next(iter(self._answers))]
        if answer.done and self._concerns_base(command):
            rules = {one.rule_id: one for one in self._core.rules.specs()}
            self._base = applied(self._base, rules, {one.pair_id: one for one in self._core.pairs()}, {}, change)
            self._conflicts = () if command.base_digest else self._conflicts
        return answer

    def _concerns_base(self, command: ChangeRules) -> bool:
        """Whether what the site file says of rules is told otherwise after it; a client's order is no part of that."""
        if command.base_digest:
            return True
        of_file = {one.rule_id for one in self._base.rules}.union(self._base.removed)
        return not of_file.isdisjoint(command.removed) or not of_file.isdisjoint([one.rule_id for one in command.rules])

    def answer(self, identity: bytes, answer: CommandAnswered) -> None:
        """Say it to whom asked."""
        self._server.answer(identity, answer)

    def note(self, standings: Sequence[RuleStanding], memories: Sequence[RuleMemory]) -> str:
        """Write down how rules stand; why that could not be written, empty when it could."""
        try:
            for memory in memories:
                self._journal.append(memory)
            for standing in standings:
                self._journal.append(standing)
        except JournalError as error:
            return str(error)
        return ""

    def close(self) -> None:
        self._server.close()
        self._journal.close()

    def _wrong(self, command: ChangeRules, utc_ns: int) -> str:
        # One that has ended stands in nobody's way.
        rules = {one.rule_id: one for one in self._core.rules.specs(command.removed)}
        pairs = {one.pair_id: one for one in self._core.pairs()}
        mistakes = command_mistakes(command, rules, pairs, self._instruments, utc_ns)
        return str(joined("; ", (told("{} = {}: right would be {}", *one) for one in mistakes[:MISTAKES_TOLD])))

    def _in_force(self, asked: AskRules) -> RulesInForce:
        rules, pairs = self._core.rules.specs(), self._core.pairs()
        return RulesInForce(
            asked.command_id,
            rules,
            pairs,
            tuple(self._core.rules.all_standings()),
            changed_names(self._base, rules, pairs),
            self._conflicts,
            self._base.site_digest,
            tuple(one.rule_id for one in self._base.rules),
        )


def _words(command: ChangeRules) -> str:
    return f"{len(command.rules)} rule(s) set, {len(command.removed)} removed, {len(command.pairs)} pair(s) changed"
