"""What chaos does to an installation, by name: each function strikes, and brings a person where one has to come.

When it returns, everything that has to run does, or comes by itself. What is waited for is execution armed and
reconciled; the time of that is the recovery.
"""

import contextlib
import os
import resource
import signal
import time
from collections.abc import Callable
from random import Random

import psutil

from gateway.model.trade import CommandAnswered, Verb
from gateway.processes.child import Identity, alive
from tests.chaos.rig import AWAY, HOME, RigError
from tests.chaos.world import World

Strike = Callable[[World, Random], None]
BALLAST = "ballast"


def _kill(name: str) -> Strike:
    """Kill -9 of a process of the gateway; the supervisor starts it again."""

    def strike(world: World, _random: Random) -> None:
        before = world.process(name)
        os.kill(before.pid, signal.SIGKILL)
        world.until(f"{name} is back", lambda: _is_back(world, name, before))

    return strike


def _is_back(world: World, name: str, before: Identity) -> bool:
    with contextlib.suppress(RigError):
        now = world.process(name)
        return now != before and alive(now)
    return False


def _kill_execution(world: World, random: Random) -> None:
    """As of the others, and execution has to arm itself again."""
    _kill("execution")(world, random)
    world.until("execution arms itself again", world.armed)


def _kill_both(world: World, _random: Random) -> None:
    """Execution and feed at once."""
    before = {name: world.process(name) for name in ("execution", "feed")}
    for one in before.values():
        os.kill(one.pid, signal.SIGKILL)
    for name, one in before.items():
        world.until(f"{name} is back", lambda name=name, one=one: _is_back(world, name, one))
    world.until("execution arms itself again", world.armed)


def _kill_twice(world: World, random: Random) -> None:
    """Execution, and its successor while that recovers."""
    _kill("execution")(world, random)
    time.sleep(random.uniform(0, 0.3))
    _kill_execution(world, random)


def _kill_venue(venue: str) -> Strike:
    """Kill -9 of a simulator, which is started again with its state after a moment."""

    def strike(world: World, random: Random) -> None:
        process = world.venues[venue]
        process.kill()
        process.wait()
        time.sleep(random.uniform(0, 0.5))
        world.start_venue(venue)

    return strike


def _kill_supervisor(world: World, _random: Random) -> None:
    """Everything goes on; a person stops what is left, starts anew and arms."""
    assert world.up is not None
    world.up.kill()
    world.up.wait()
    world.trades_on()
    down = world.cmc("down")
    if down.returncode != 0:
        raise RigError(f"cmc down: {down.stdout}{down.stderr}")
    world.start_gateway()
    world.until("reconciled", world.reconciled)
    world.arm()


def _pause(name: str, seconds: float) -> Strike:
    """SIGSTOP, later SIGCONT."""

    def strike(world: World, random: Random) -> None:
        one = world.process(name)
        os.kill(one.pid, signal.SIGSTOP)
        try:
            time.sleep(random.uniform(0.3, 1.0) * seconds)
        finally:
            os.kill(one.pid, signal.SIGCONT)

    return strike


def _pause_venue(venue: str, seconds: float) -> Strike:
    """SIGSTOP of a simulator: its connections stay and say nothing."""

    def strike(world: World, random: Random) -> None:
        world.venues[venue].send_signal(signal.SIGSTOP)
        try:
            time.sleep(random.uniform(0.3, 1.0) * seconds)
        finally:
            world.venues[venue].send_signal(signal.SIGCONT)

    return strike


def _freeze_execution(world: World, _random: Random) -> None:
    """SIGSTOP for good: the watch ends it and pulls; a person arms. Where nothing was open nobody acts: SIGCONT."""
    one = world.process("execution")
    os.kill(one.pid, signal.SIGSTOP)
    begun = time.monotonic()
    while world.held() is None and time.monotonic() - begun < 4:
        time.sleep(0.02)
    if world.held() is None:
        os.kill(one.pid, signal.SIGCONT)
        return
    world.until("the watch has pulled", lambda: (held := world.held()) is not None and held.pulled)
    working = [name for venue in (HOME, AWAY) for name in world.working_at(venue)]
    if alive(one) or working:
        raise RigError(f"after the pull execution lives: {alive(one)}, orders work: {working}")
    armed = world.cmc("arm", "--who", "chaos", "--reason", "venues asked")
    if armed.returncode != 0:
        raise RigError(f"cmc arm: {armed.stdout}{armed.stderr}")


def _freeze_and_kill(world: World, _random: Random) -> None:
    """SIGSTOP, then `cmc kill --hold`: the watch carries it out at once; a person arms."""
    os.kill(world.process("execution").pid, signal.SIGSTOP)
    killed = world.cmc("kill", "--hold", "--who", "chaos", "--reason", "frozen")
    if killed.returncode != 0 or "by watch" not in killed.stdout:
        raise RigError(f"cmc kill: {killed.stdout}{killed.stderr}")
    working = [name for venue in (HOME, AWAY) for name in world.working_at(venue)]
    if working:
        raise RigError(f"after the kill orders work: {working}")
    armed = world.cmc("arm", "--who", "chaos", "--reason", "venues asked")
    if armed.returncode != 0:
        raise RigError(f"cmc arm: {armed.stdout}{armed.stderr}")


def _cut(venue: str) -> Strike:
    """Both connections of a venue are cut."""

    def strike(world: World, _random: Random) -> None:
        world.venues[venue].send_signal(signal.SIGUSR1)
        time.sleep(0.05)

    return strike


def _full_disk(world: World, random: Random) -> None:
    """No room for the journals for a second; execution disarms itself when it can write again; a person arms."""
    if world.own_disk:
        ballast = world.journals / BALLAST
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        time.sleep(random.uniform(0.3, 1.5))
        ballast.unlink()
    else:  # a limit of the process stands in: its next write fails with EFBIG as it would with ENOSPC
        process = psutil.Process(world.process("execution").pid)
        newest = max(world.journals.glob("execution.*"))
        before = process.rlimit(resource.RLIMIT_FSIZE)
        process.rlimit(resource.RLIMIT_FSIZE, (newest.stat().st_size, before[1]))
        time.sleep(random.uniform(0.3, 1.5))
        process.rlimit(resource.RLIMIT_FSIZE, before)
    world.until("execution writes again", world.reconciled)
    time.sleep(0.3)
    world.arm()


def _takeover(world: World, random: Random) -> None:
    """A person takes an open trade, books an execution, execution is killed, the rest is booked, the trade given back."""
    trade = _take_one(world)
    price = "78000"

    def say(verb: Verb, argument: str) -> None:
        def said() -> bool:
            answer = world.ask(verb, argument)
            if isinstance(answer, CommandAnswered) and not answer.done:
                raise RigError(f"{verb.value} {argument}: {answer.text}")
            return answer is not None

        world.until(f"{verb.value} {argument}", said)

    say(Verb.FILL_ADD, f"{trade} 1 buy 2 {price} BY-HAND-1-{trade}")
    _kill("execution")(world, random)
    world.until("reconciled", world.reconciled)
    say(Verb.FILL_ADD, f"{trade} 1 buy 2 {price} BY-HAND-1-{trade}")
    say(Verb.FILL_ADD, f"{trade} 1 sell 2 {price} BY-HAND-2-{trade}")
    say(Verb.RELEASE, trade)
    world.arm()


def _take_one(world: World) -> str:
    """Take over the first trade that is still open when asked; some are, for venues delay some reports."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        world.hear()
        for trade in list(world.open):
            answer = world.ask(Verb.TAKEOVER, trade)
            if isinstance(answer, CommandAnswered) and answer.done:
                return trade
            world.open.pop(trade, None)
        time.sleep(0.001)
    raise RigError("no trade stayed open long enough to be taken over")


FAULTS: dict[str, Strike] = {
    "kill feed": _kill("feed"),
    "kill trigger": _kill("trigger"),
    "kill execution": _kill_execution,
    "kill execution and feed": _kill_both,
    "kill execution twice": _kill_twice,
    "kill watch": _kill("watch"),
    "kill home venue": _kill_venue(HOME),
    "kill away venue": _kill_venue(AWAY),
    "kill supervisor": _kill_supervisor,
    "cut home venue": _cut(HOME),
    "cut away venue": _cut(AWAY),
    "pause feed": _pause("feed", 1.5),
    "pause trigger": _pause("trigger", 1.5),
    "pause execution": _pause("execution", 1.0),
    "pause watch": _pause("watch", 3.0),
    "pause home venue": _pause_venue(HOME, 3.0),
    "pause away venue": _pause_venue(AWAY, 3.0),
    "freeze execution": _freeze_execution,
    "freeze execution, cmc kill": _freeze_and_kill,
    "full disk": _full_disk,
    "takeover": _takeover,
}
