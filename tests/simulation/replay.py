"""Tell the story of one seed again: `python -m tests.simulation.replay SEED [--all] [--trade P1-7]`.

Prints the plan of faults, then every event and action that names the failing pair trade, its orders or its intent (or
all, with --all), and at the end what was broken. Exit code 0 when nothing was, 1 when an invariant was broken.
"""

# ruff: noqa: T201 - it prints its result

import argparse
import sys
from collections.abc import Iterable

import msgspec

from gateway.model.trade import Intent, SendOrders
from tests.simulation import plan
from tests.simulation.invariants import BrokenError
from tests.simulation.sim_world import World

Noted = tuple[int, str, object]


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.replay", description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("--all", action="store_true", help="every event, not only those of one pair trade")
    parser.add_argument("--trade", default="", help="the pair trade; without it the one that broke an invariant")
    given = parser.parse_args(argv)
    drawn = plan.draw(given.seed)
    noted: list[Noted] = []
    world = World(given.seed, trace=lambda at_ns, kind, what: noted.append((at_ns, kind, what)))
    broken: BrokenError | None = None
    try:
        world.run()
    except BrokenError as error:
        broken = error
    trade_id = given.trade or (broken.trade_id if broken else "")
    told = noted if given.all or not trade_id else about(noted, trade_id)
    for at_ns, kind, what in told:
        print(f"{at_ns / 1e9:12.6f} {kind:7} {what}")
    print("orders' faults:", {spec.name: (round(spec.probability, 3), spec.params) for spec in drawn.order})
    print("wire and timed:", drawn.wire, {name: mean / 1e9 for name, mean in drawn.timed.items()})
    for pair in world.given.settings.pairs.values():
        print("pair:", pair)
    print(broken or "nothing is broken")
    return 1 if broken else 0


def about(noted: Iterable[Noted], trade_id: str) -> list[Noted]:
    """What names the pair trade, one of its orders, or its intent; and what concerns everybody."""
    names = {trade_id}
    everything = list(noted)
    for _, kind, what in everything:
        if kind == "action" and isinstance(what, SendOrders) and what.trade_id == trade_id:
            names |= {order.cl_ord_id for order in what.orders}
    found = []
    for one in everything:
        _, kind, what = one
        words = _words(what)
        if names & words or kind in ("killed", "calm") or type(what).__name__ in ("SessionChanged", "Restarted"):
            found.append(one)
            if isinstance(what, Intent):
                names.add(what.intent_id)
    return found


def _words(what: object) -> set[str]:
    """Every text in a message, and the trades and orders that timers and alarms name inside one."""
    found: set[str] = set()
    stack = [msgspec.to_builtins(what)]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            found |= {one, *one.replace(":", " ").replace("|", " ").split()}
        elif isinstance(one, list | tuple):
            stack += one
    return found


if __name__ == "__main__":
    sys.exit(main())
