"""What the machine itself costs: one small message, one way, between two processes, by TCP and by ZeroMQ ipc.

No program that crosses these links can be faster; what a quote's way costs beyond them is ours. The receiver is a
process of its own (`python -m benchmarks.floors`): it stamps the return of each recv() and tells its stamps at the end.
"""

import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import zmq

from benchmarks.pacing import due_times, undisturbed
from benchmarks.percentiles import Summary, summarise

MESSAGE_BYTES = 256
KINDS = ("TCP", "ZeroMQ ipc")
_TIMEOUT_S = 30
_CALL_ARGUMENTS = 4


class FloorRun(msgspec.Struct, frozen=True):
    """One-way times of one link at one rate."""

    kind: str
    rate: int
    one_way: Summary


def measure(kind: str, rate: int, seconds: float) -> FloorRun:
    """Messages at `rate` for `seconds`."""
    count = max(10, int(rate * seconds))
    sent_ns, received_ns = (_tcp if kind == "TCP" else _zeromq)(rate, count)
    one_way = summarise([received - sent for sent, received in zip(sent_ns, received_ns, strict=True)])
    if one_way is None:
        raise RuntimeError(f"{kind}: nothing arrived")
    return FloorRun(kind, rate, one_way)


def _receiver(kind: str, address: str, count: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "benchmarks.floors", kind, address, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).resolve().parent.parent)


def _stamps(receiver: "subprocess.Popen[bytes]") -> list[int]:
    with receiver:
        told, _ = receiver.communicate(timeout=_TIMEOUT_S)
    return msgspec.json.decode(told, type=list[int])


def _tcp(rate: int, count: int) -> tuple[list[int], list[int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_TIMEOUT_S)
        receiver = _receiver("TCP", str(listener.getsockname()[1]), count)
        connected, _ = listener.accept()
    with connected:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sent_ns = []
        with undisturbed():
            for _ in due_times(rate, count):
                sent_ns.append(time.monotonic_ns())
                connected.sendall(b"x" * MESSAGE_BYTES)
        return sent_ns, _stamps(receiver)


def _zeromq(rate: int, count: int) -> tuple[list[int], list[int]]:
    with tempfile.TemporaryDirectory(prefix="cmc-floor-") as folder, zmq.Context() as context:
        address = f"ipc://{folder}/floor"
        with context.socket(zmq.PUSH) as sender:
            sender.linger = 0
            sender.setsockopt(zmq.IMMEDIATE, 1)
            sender.bind(address)
            receiver = _receiver("ZeroMQ ipc", address, count)
            sender.sndtimeo = _TIMEOUT_S * 1000
            sent_ns = []
            sender.send(b"x" * MESSAGE_BYTES)  # waits for the receiver to be there; not counted
            with undisturbed():
                for _ in due_times(rate, count):
                    sent_ns.append(time.monotonic_ns())
                    sender.send(b"x" * MESSAGE_BYTES)
            return sent_ns, _stamps(receiver)


def _receive_tcp(address: str, count: int) -> list[int]:
    stamps: list[int] = []
    with socket.create_connection(("127.0.0.1", int(address)), timeout=_TIMEOUT_S) as connected:
        waiting = 0
        while len(stamps) < count:
            received = connected.recv(1 << 16)
            at_ns = time.monotonic_ns()
            if not received:
                break
            waiting += len(received)
            whole, waiting = divmod(waiting, MESSAGE_BYTES)
            stamps += [at_ns] * whole
    return stamps


def _receive_zeromq(address: str, count: int) -> list[int]:
    stamps = []
    with zmq.Context() as context, context.socket(zmq.PULL) as receiver:
        receiver.rcvtimeo = _TIMEOUT_S * 1000
        receiver.connect(address)
        receiver.recv()
        for _ in range(count):
            receiver.recv()
            stamps.append(time.monotonic_ns())
    return stamps


def main(arguments: list[str]) -> int:
    """The receiving process: KIND ADDRESS COUNT; prints its stamps as JSON."""
    if len(arguments) != _CALL_ARGUMENTS or arguments[1] not in KINDS:
        print(f"usage: python -m benchmarks.floors {{{' | '.join(KINDS)}}} ADDRESS COUNT", file=sys.stderr)
        return 2
    _, kind, address, count = arguments
    receive = _receive_tcp if kind == "TCP" else _receive_zeromq
    with undisturbed():
        stamps = receive(address, int(count))
    sys.stdout.write(msgspec.json.encode(stamps).decode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
