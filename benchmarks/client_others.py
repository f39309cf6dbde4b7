"""Trigger and execution as the client process needs them under load: every order is looked at and not marketable.

`python -m benchmarks.client_others BUS_DIR`. It answers each change of rules and ends each rule, as trigger does with
an immediate order that meets no price; nothing is traded. It runs until it is ended.
"""

import sys
import time
from pathlib import Path

import zmq

from gateway.bus.rules import RulesServer
from gateway.bus.sockets import Publisher
from gateway.bus.topics import TriggerStatus
from gateway.model.rules import ChangeRules, RulesInForce, RuleStanding, RuleStandingState
from gateway.model.trade import CommandAnswered, ExecutionStatus

BEAT_NS = 200_000_000


def run(bus_dir: Path) -> None:
    """Answer for ever."""
    trigger, execution = Publisher(bus_dir, "trigger", 1), Publisher(bus_dir, "execution", 1)
    server = RulesServer(bus_dir)
    poller = zmq.Poller()
    for one in (server.socket, trigger.snapshots, execution.snapshots):
        poller.register(one, zmq.POLLIN)
    beat_ns = 0
    while True:
        poller.poll(20)
        while (asked := server.receive()) is not None:
            identity, command = asked
            if not isinstance(command, ChangeRules):
                server.answer(identity, RulesInForce(command.command_id, (), (), (), (), (), ""))
                continue
            server.answer(identity, CommandAnswered(command.command_id, done=True, text=""))
            for rule in command.rules:
                ended = RuleStanding(
                    rule.rule_id, rule.pair_id, RuleStandingState.EXPIRED, 0, 0, 0, 0, "not met", time.monotonic_ns()
                )
                trigger.publish(ended)
        for publisher in (trigger, execution):
            publisher.answer_snapshots()
        now_ns = time.monotonic_ns()
        if now_ns >= beat_ns:
            beat_ns = now_ns + BEAT_NS
            trigger.publish(TriggerStatus(1, now_ns, 0, 0, 0, 0))
            execution.publish(ExecutionStatus(1, True, False, False, "full", 0, 0, (), now_ns))  # noqa: FBT003 fields


if __name__ == "__main__":
    run(Path(sys.argv[1]))
