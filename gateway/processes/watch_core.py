"""What the watch decides: when execution counts as gone, and when a kill counts as unanswered. Pure.

Execution says every heartbeat how many trades are open and how many orders work. Two things make the watch act: no
heartbeat for longer than the limit while something was open, and a kill that execution did not answer in time. Acting
is always the same and goes one way: the lease is taken, execution is ended, its orders are pulled off the venues. It
never opens, repairs or balances anything, and a heartbeat that comes back afterwards changes nothing.

A process that hangs and one that died are told apart: the second is started again by the supervisor, which gets longer
for it. When the last heartbeat told of nothing open, the journal is asked: an order may have left just after it.

What can go wrong: the watch itself is stopped, or the whole machine. Then its own pause must not count as execution's
silence, so between two looks no more than `most_step_ns` is counted.

States: `watching`; `asked`, a kill was passed on and waits for its answer; `pulling`, the lease is taken; `held`, no
order of execution is left at any venue. Only a person leads back from the last two.
"""

from enum import StrEnum
from typing import NamedTuple

from gateway.model.trade import Command, CommandAnswered, ExecutionStatus, Verb

ANSWERS_KEPT = 1000
KILLS = (Verb.KILL_HOLD, Verb.KILL_BALANCE)


class WatchState(StrEnum):
    """Where the watch stands."""

    WATCHING = "watching"
    ASKED = "asked"
    PULLING = "pulling"
    HELD = "held"


class WatchInput(StrEnum):
    """What can happen to it."""

    BEAT = "beat"
    SILENT = "silent"
    KILL = "kill"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    PULLED = "pulled"
    RELEASED = "released"


class IllegalWatchInputError(RuntimeError):
    """An input that the state cannot have: a mistake of ours."""


_TABLE = """
state    | beat     silent  kill    answered unanswered pulled released
watching | watching pulling asked   watching watching   -      watching
asked    | asked    pulling asked   watching pulling    -      asked
pulling  | pulling  pulling pulling pulling  pulling    held   watching
held     | held     held    held    held     held       held   watching
"""


def _read(text: str) -> dict[WatchState, dict[WatchInput, WatchState]]:
    header, *rows = [line.split() for line in text.strip().splitlines()]
    return {
        WatchState(row[0]): {
            WatchInput(name): WatchState(cell) for name, cell in zip(header[2:], row[2:], strict=True) if cell != "-"
        }
        for row in rows
    }


TRANSITIONS = _read(_TABLE)


class Limits(NamedTuple):
    """How long the watch is patient, in nanoseconds."""

    silence_ns: int
    """No heartbeat of a process that runs."""
    restart_ns: int
    """No heartbeat while the process is gone or starts."""
    answer_ns: int
    """No answer to a kill."""
    most_step_ns: int = 250_000_000
    """Counted as silence between two looks, at most."""


class Forward(NamedTuple):
    """Pass the command on to execution."""

    command: Command


class Reply(NamedTuple):
    """Answer whoever sent this command."""

    command_id: str
    done: bool
    text: str


class CountOrders(NamedTuple):
    """Ask the journal how many orders are open, and tell `on_orders`."""


class TakeOver(NamedTuple):
    """Take the lease, hold execution, end it, pull its orders."""

    cause: str
    figures: str


class LetGo(NamedTuple):
    """Leave the venues' sessions and let execution return."""

    who: str
    reason: str


WatchAction = Forward | Reply | CountOrders | TakeOver | LetGo


class WatchCore:
    """See the module. Times are nanoseconds of the monotonic clock."""

    def __init__(self, limits: Limits, at_ns: int, state: WatchState = WatchState.WATCHING) -> None:
        self.state = state
        self._limits = limits
        self._looked_ns = at_ns
        self._silence_ns = 0
        self._counted = False
        self._last: ExecutionStatus | None = None
        self._asked: dict[str, tuple[Command, int]] = {}
        """Kills that were passed on, and until when an answer is waited for."""
        self._answers: dict[str, Reply] = {}

    def on_beat(self, status: ExecutionStatus) -> None:
        """A heartbeat of execution."""
        self._move(WatchInput.BEAT)
        self._last = status
        self._silence_ns = 0
        self._counted = False

    def on_new_process(self) -> None:
        """Execution was started again and is ready: its silence counts from now."""
        self._silence_ns = 0
        self._counted = False

    def on_command(self, command: Command, at_ns: int) -> list[WatchAction]:
        """A person asks the watch for something."""
        known = self._answers.get(command.command_id)
        if known is not None:
            return [known]
        if command.verb is Verb.STATUS:
            return [Reply(command.command_id, done=True, text=self.words())]
        if not (command.who and command.reason):
            return [self._reply(command, done=False, text="a command needs a name and a reason")]
        if command.verb in KILLS:
            return self._kill(command, at_ns)
        if command.verb is Verb.ARM:
            return self._release(command)
        return [self._reply(command, done=False, text=f"the watch knows no {command.verb.value}: ask execution")]

    def on_answer(self, answer: CommandAnswered) -> list[WatchAction]:
        """Execution answered a kill that was passed on."""
        asked = self._asked.pop(answer.command_id, None)
        if asked is None:
            return []
        if not self._asked or self.state is not WatchState.ASKED:
            self._move(WatchInput.ANSWERED)
        return [self._reply(asked[0], done=answer.done, text=f"execution: {answer.text}")]

    def on_look(self, at_ns: int, *, runs: bool) -> list[WatchAction]:
        """Time has passed; everything that waited was taken first. `runs`: the process is up and has been ready."""
        self._silence_ns += min(max(0, at_ns - self._looked_ns), self._limits.most_step_ns)
        self._looked_ns = at_ns
        overdue = [command for command, until_ns in self._asked.values() if at_ns >= until_ns]
        if overdue:
            return self._unanswered(overdue)
        limit_ns = self._limits.silence_ns if runs else self._limits.restart_ns
        if self.state not in (WatchState.WATCHING, WatchState.ASKED) or self._silence_ns < limit_ns:
            return []
        if self._last is not None and (self._last.open_trades or self._last.working_orders):
            return self._silent(f"{self._last.open_trades} trades open, {self._last.working_orders} orders working")
        if self._counted:
            return []
        self._counted = True
        return [CountOrders()]

    def on_orders(self, count: int) -> list[WatchAction]:
        """The journal's number of open orders, asked for by CountOrders."""
        return self._silent(f"{count} orders open in the journal") if count else []

    def on_pulled(self) -> None:
        """No order of execution is left at any venue."""
        self._move(WatchInput.PULLED)

    @property
    def quiet(self) -> bool:
        """Whether it is worth a look whether the process runs: half of the limit without a heartbeat."""
        return self._silence_ns * 2 >= self._limits.silence_ns

    def words(self) -> str:
        """How the watch stands, for a person."""
        last = self._last
        told = "no heartbeat yet" if last is None else f"incarnation {last.incarnation}"
        return f"{self.state.value}; {told}, silent for {self._silence_ns // 1_000_000} ms"

    def _kill(self, command: Command, at_ns: int) -> list[WatchAction]:
        before = self.state
        self._move(WatchInput.KILL)
        if self.state is not WatchState.ASKED:
            return [self._reply(command, done=True, text=f"{before.value}: execution was ended already")]
        self._asked[command.command_id] = (command, at_ns + self._limits.answer_ns)
        return [Forward(command)]

    def _release(self, command: Command) -> list[WatchAction]:
        if self.state not in (WatchState.PULLING, WatchState.HELD):
            return [self._reply(command, done=False, text=f"{self.state.value}: nothing is held")]
        self._move(WatchInput.RELEASED)
        self._last = None
        self._silence_ns = 0
        self._counted = False
        return [LetGo(command.who, command.reason), self._reply(command, done=True, text="execution may return")]

    def _unanswered(self, overdue: list[Command]) -> list[WatchAction]:
        acted = self.state in (WatchState.PULLING, WatchState.HELD)
        self._move(WatchInput.UNANSWERED)
        self._asked.clear()
        first = overdue[0]
        figures = f"{first.verb.value} of {first.who} ({first.reason}) had no answer in {self._limits.answer_ns} ns"
        actions: list[WatchAction] = [] if acted else [TakeOver("kill_unanswered", figures)]
        text = "execution did not answer: it is ended and its orders are pulled; nothing is repaired"
        return [*actions, *(self._reply(command, done=True, text=text) for command in overdue)]

    def _silent(self, figures: str) -> list[WatchAction]:
        if self.state not in (WatchState.WATCHING, WatchState.ASKED):
            return []
        self._move(WatchInput.SILENT)
        return [TakeOver("heartbeat_stopped", f"no heartbeat for {self._silence_ns} ns with {figures}")]

    def _reply(self, command: Command, *, done: bool, text: str) -> Reply:
        if len(self._answers) >= ANSWERS_KEPT:
            del self._answers[next(iter(self._answers))]
        made = self._answers[command.command_id] = Reply(command.command_id, done, text)
        return made

    def _move(self, given: WatchInput) -> None:
        following = TRANSITIONS[self.state].get(given)
        if following is None:
            message = f"the watch is {self.state.value}: {given.value} cannot happen"
            raise IllegalWatchInputError(message)
        self.state = following
