"""What a person or the supervisor asks of execution: arm, stop until balanced, status. Words over the bus, no decision.

What can go wrong: execution does not answer, because it is not there, or because it hangs. Then the caller is told so
and has to say loudly that nobody knows whether trades are balanced.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gateway.bus.sockets import CommandClient
from gateway.journal.told import told
from gateway.model.trade import Command, CommandAnswered, ExecutionStatus, Verb
from gateway.processes import clock
from gateway.processes.durations import MS, SECOND
from gateway.processes.ids import IdCounter

WATCH = "watch"
ANSWER_TIMEOUT_NS = 2 * SECOND
LOOK_AGAIN_NS = 100 * MS


class Stopped(NamedTuple):
    """What an orderly stop came to."""

    answered: bool
    """Execution spoke at the end; otherwise nothing is known."""
    open_trades: int
    working_orders: int
    pairs: tuple[str, ...]
    """Pairs with a trade that is not balanced."""
    halted: bool = False
    started: bool = True
    """Execution was started in this run; where it never was, or never armed, it has opened nothing."""

    @property
    def balanced(self) -> bool:
        return self.answered and not self.open_trades and not self.working_orders and not self.halted

    def words(self) -> str:
        """One sentence for the operator."""
        if not self.started:
            return told("stopped before execution was up: nothing was opened")
        if not self.answered:
            return told("execution did not answer: whether every trade is balanced is NOT known; ask the venues")
        if self.balanced:
            return told("stopped with every trade balanced and no order working")
        return told(
            "NOT BALANCED: {} open trade(s), {} working order(s), pairs {}{}; a person has to act",
            self.open_trades,
            self.working_orders,
            ", ".join(self.pairs) or told("unknown"),
            told(", execution is halted") if self.halted else "",
        )


class Operator:
    """Sends commands in a name; `ids` makes each one's id, so that a repeated one is answered and not done twice."""

    def __init__(self, bus_dir: Path, ids: IdCounter, who: str) -> None:
        self._bus_dir = bus_dir
        self._ids = ids
        self._who = who

    def kill(self, verb: Verb, reason: str, timeout_ns: int) -> tuple[CommandAnswered | None, str]:
        """Ask execution, and the watch when no answer comes in time: the same command; the answer and whose it is."""
        command = Command(self._ids.next(), verb, self._who, reason)
        for name, patience_ns in (("execution", timeout_ns), (WATCH, timeout_ns + ANSWER_TIMEOUT_NS)):
            with CommandClient(self._bus_dir, name) as client:
                answer = client.ask(command, patience_ns)
            if isinstance(answer, CommandAnswered):
                return answer, name
        return None, ""

    def release(self, reason: str) -> CommandAnswered | None:
        """Ask the watch to let execution return."""
        with CommandClient(self._bus_dir, WATCH) as client:
            answer = client.ask(Command(self._ids.next(), Verb.ARM, self._who, reason), ANSWER_TIMEOUT_NS)
        return answer if isinstance(answer, CommandAnswered) else None

    def ask(
        self, verb: Verb, reason: str, argument: str = "", timeout_ns: int = ANSWER_TIMEOUT_NS
    ) -> CommandAnswered | ExecutionStatus | None:
        """The answer to one command; None when none came in time."""
        with CommandClient(self._bus_dir) as client:
            return client.ask(Command(self._ids.next(), verb, self._who, reason, argument), timeout_ns)

    def status(self) -> ExecutionStatus | None:
        """How execution stands now."""
        answer = self.ask(Verb.STATUS, "status")
        return answer if isinstance(answer, ExecutionStatus) else None

    def arm(self, reason: str, timeout_ns: int, give_up: Callable[[], bool] = lambda: False) -> str:
        """Ask to arm until it is done, time is up or `give_up` says so; "" when armed, else what execution said last.

        `give_up` is asked between two questions, so the caller can keep its processes meanwhile.
        """
        until_ns = clock.monotonic_ns() + timeout_ns
        said: str = told("execution did not answer")
        while True:
            answer = self.ask(Verb.ARM, reason)
            if isinstance(answer, CommandAnswered):
                if answer.done:
                    return ""
                said = answer.text
            if clock.monotonic_ns() >= until_ns or give_up():
                return said
            clock.pause_ns(LOOK_AGAIN_NS)

    def stop(self, reason: str, timeout_ns: int, give_up: Callable[[], bool] = lambda: False) -> Stopped:
        """No new trades, then wait until all are balanced, time is up or `give_up` says so."""
        until_ns = clock.monotonic_ns() + timeout_ns
        asked = self.ask(Verb.STOP, reason) is not None
        last = Stopped(answered=False, open_trades=0, working_orders=0, pairs=())
        while True:
            status = self.status()
            if status is None:
                last = last._replace(answered=False)
            else:
                last = Stopped(
                    answered=True,
                    open_trades=status.open_trades,
                    working_orders=status.working_orders,
                    pairs=status.busy_pairs,
                    halted=status.halted,
                )
                if not asked or not status.stopping:
                    asked = self.ask(Verb.STOP, reason) is not None
                elif not last.open_trades and not last.working_orders:
                    return last
            if clock.monotonic_ns() >= until_ns or give_up():
                return last
            clock.pause_ns(LOOK_AGAIN_NS)
