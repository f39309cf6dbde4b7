"""Takes a client through the cases of its certification: one after the other, each again after a wrong answer, at most
so often. It holds what lasts from case to case: the numbers of the session and the connection.

What can go wrong: nobody connects (the certification ends there; what is left was not played).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from acceptance.certify.certificate import Outcome, Played
from acceptance.certify.line import NobodyError
from acceptance.certify.player import Logged, Player, WrongAnswerError
from acceptance.certify.script import Case, Step, read_case

UP = read_case("up", ["case up", "en the session is up", "zh 会话已建立", "do reconnect", "connect", "logon"])
"""Before a case that does not open the connection itself, where there is none."""


class Told(NamedTuple):
    """What the console is told."""

    begins: Callable[[Case, int], None]
    """(case, attempt)."""
    ended: Callable[[Played], None]


class Examiner:
    """`attempts` of each case."""

    def __init__(self, player: Player, log: list[Logged], told: Told, attempts: int) -> None:
        self._player = player
        self._log = log
        self._told = told
        self._attempts = attempts

    def examine(self, cases: Sequence[Case], kind: str, chosen: frozenset[str]) -> tuple[Played, ...]:
        """All cases in their order; `chosen` names those to play, all where it is empty."""
        found: list[Played] = []
        nobody = ""
        for case in cases:
            if case.of(self._player.end.version) is None or case.kind not in ("", kind):
                one = self._played(case, Outcome.SKIPPED)
            elif nobody or (chosen and case.number not in chosen):
                one = self._played(case, Outcome.NOT_PLAYED, wrong=(nobody,) if nobody else ())
            else:
                try:
                    one = self._case(case)
                except NobodyError as error:
                    nobody = str(error)
                    one = self._played(case, Outcome.NOT_PLAYED, wrong=(nobody,))
            found.append(one)
            self._told.ended(one)
        return tuple(found)

    def _case(self, case: Case) -> Played:
        wrong: list[str] = []
        for attempt in range(1, self._attempts + 1):
            self._log.clear()
            self._told.begins(case, attempt)
            opens = any(step.verb == "connect" for step in case.steps[:2])
            try:
                if opens:
                    self._player.drop()
                elif not self._player.is_up:
                    self._player.play(UP)
                self._player.play(case)
            except WrongAnswerError as error:
                wrong.append(str(error))
                self._player.drop()
                continue
            return self._played(case, Outcome.PASSED, attempt, tuple(wrong))
        return self._played(case, Outcome.FAILED, self._attempts, tuple(wrong))

    def _played(self, case: Case, outcome: Outcome, attempts: int = 0, wrong: tuple[str, ...] = ()) -> Played:
        log = tuple(self._log) if attempts else ()
        return Played(case.number, case.en, case.zh, outcome, attempts, wrong, log)


def asked(step: Step, words: dict[str, list[str]], pair: str, language: str) -> str:
    """What a person has to do now, and its short name for a program."""
    both = words[step.rest]
    return f"[{step.rest}] " + both[language == "zh"].replace("{pair}", pair)
