"""What a person tells execution to do: arm, disarm, kill, stage, take a trade over, book a fill, explain.

Each command carries a name and a reason, which execution writes down before it does it. A kill that execution does not
answer goes to the watch; an execution that the watch holds is let go by `cmc arm`.
"""

from pathlib import Path
from typing import NamedTuple

from gateway.journal.told import Told, told
from gateway.model.trade import CommandAnswered, Verb
from gateway.processes import clock
from gateway.processes.cli import FAILED, OK, WrongCallError
from gateway.processes.durations import SECOND
from gateway.processes.held import clear_held, read_held
from gateway.processes.operator import Operator
from gateway.processes.settings import Site
from gateway.processes.site_open import load, operator_of, run_dir_of, site_path, wait
from gateway.processes.supervisor import START_TIMEOUT_NS, live_children, read_status
from gateway.processes.supervisor_log import out, say

PULL_NS = 10 * SECOND
"""How long `cmc kill` waits for the watch to have pulled everything."""
KILLS = (Verb.KILL_HOLD, Verb.KILL_BALANCE)


class Asked(NamedTuple):
    """A command as it was called."""

    verb: Verb
    argument: str
    who: str
    reason: str


def operate(path: Path | None, asked: Asked) -> int:
    """Send it; 1 when execution refuses or does not answer."""
    if not asked.who.strip() or not asked.reason.strip():
        message = told("--who and --reason have to say something; both go on record")
        raise WrongCallError(message)
    for word in asked.argument.split(" ") if asked.argument else ():
        if not word or not word.isprintable():
            message = told("{}: words without spaces, none of them empty", repr(asked.argument))
            raise WrongCallError(message)
    site = load(site_path(path))
    operator = operator_of(site, asked.who)
    if asked.verb in KILLS:
        return _kill(site, operator, asked)
    if asked.verb is Verb.ARM and not _released(site, operator, asked.reason):
        return FAILED
    answer = operator.ask(asked.verb, asked.reason, asked.argument)
    if not isinstance(answer, CommandAnswered):
        text = told("execution did not answer; nothing is known. Is the site up? `cmc status {}`", site.path)
        say(text, site.language)
        return FAILED
    out(told("{}: {}: {}", asked.verb.value, _done(answer), answer.text), site.language)
    return OK if answer.done else FAILED


def _done(answer: CommandAnswered) -> Told:
    return told("done") if answer.done else told("refused")


def _kill(site: Site, operator: Operator, asked: Asked) -> int:
    """Through execution, or through the watch, which then says in `held.json` what it did."""
    answer, whose = operator.kill(asked.verb, asked.reason, site.watch.answer_ns)
    if answer is None:
        text = told(
            "neither execution nor the watch answered; nothing is known. Is the site up? `cmc status {}`", site.path
        )
        say(text, site.language)
        return FAILED
    out(told("{}: {} by {}: {}", asked.verb.value, _done(answer), whose, answer.text), site.language)
    run_dir = run_dir_of(site)
    held = read_held(run_dir)
    if held is not None:
        wait(lambda: (read_held(run_dir) or held).pulled, clock.monotonic_ns() + PULL_NS)
        out((read_held(run_dir) or held).words(), site.language)
    return OK if answer.done else FAILED


def _released(site: Site, operator: Operator, reason: str) -> bool:
    """Where the watch holds execution: show why, let it return, and wait until it can be armed."""
    run_dir = run_dir_of(site)
    held = read_held(run_dir)
    if held is None:
        return True
    out(held.words(), site.language)
    answer = operator.release(reason)
    if answer is None and "watch" in live_children(read_status(run_dir) or {"children": []}):
        say(told("the watch runs and does not answer; execution stays held"), site.language)
        return False
    if answer is None or not answer.done:
        clear_held(run_dir)
    if not wait(lambda: operator.status() is not None, clock.monotonic_ns() + START_TIMEOUT_NS):
        say(told("no longer held, but execution does not come up; `cmc status {}`", site.path), site.language)
        return False
    return True
