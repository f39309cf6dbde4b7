"""Commands about rules: trigger's end and the asker's. Each is answered to whom it came from; nothing is decided here.

What can go wrong: trigger is not there, or busy for longer than the asker waits. Then nothing is known, and the same
command may be sent again: it is done once.
"""

from pathlib import Path
from typing import Self

import msgspec
import zmq

from gateway.bus.sockets import endpoint
from gateway.model.base import made, plain
from gateway.model.rules import AskRules, ChangeRules, RulesInForce
from gateway.model.trade import CommandAnswered

NAME = "trigger.cmd"
_ENCODER = msgspec.msgpack.Encoder(enc_hook=plain)
_ASKED = msgspec.msgpack.Decoder(ChangeRules | AskRules, dec_hook=made)
_ANSWER = msgspec.msgpack.Decoder(CommandAnswered | RulesInForce, dec_hook=made)


class RulesServer:
    """Trigger's end."""

    def __init__(self, bus_dir: str | Path) -> None:
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(endpoint(bus_dir, NAME))

    def receive(self) -> tuple[bytes, ChangeRules | AskRules] | None:
        """Who asks, and what; None when nothing waits. What is no command is answered with a no."""
        while True:
            try:
                identity, *frames = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return None
            try:
                (frame,) = frames
                return identity, _ASKED.decode(frame)
            except (ValueError, msgspec.MsgspecError) as error:
                self.answer(identity, CommandAnswered("", done=False, text=f"not a command about rules: {error}"))

    def answer(self, identity: bytes, answer: CommandAnswered | RulesInForce) -> None:
        self.socket.send_multipart([identity, _ENCODER.encode(answer)], zmq.NOBLOCK)

    def close(self) -> None:
        self.socket.close()


class RulesClient:
    """Asks trigger. `socket` may be polled; `ask` waits, no longer than said."""

    def __init__(self, bus_dir: str | Path) -> None:
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint(bus_dir, NAME))

    def send(self, command: ChangeRules | AskRules) -> bool:
        """Hand it over without waiting; False with a full queue."""
        try:
            self.socket.send(_ENCODER.encode(command), zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def receive(self) -> CommandAnswered | RulesInForce | None:
        """The next answer that waits, to whichever command."""
        try:
            answer: CommandAnswered | RulesInForce = _ANSWER.decode(self.socket.recv(zmq.NOBLOCK))
        except zmq.Again:
            return None
        return answer

    def ask(self, command: ChangeRules | AskRules, timeout_ns: int) -> CommandAnswered | RulesInForce | None:
        """The answer, or None when none came in time. One that belongs to an earlier command is passed over."""
        self.send(command)
        while self.socket.poll(timeout_ns // 1_000_000):
            answer = self.receive()
            if answer is not None and answer.command_id in {command.command_id, ""}:
                return answer
        return None

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
