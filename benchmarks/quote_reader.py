"""A subscriber to a feed's quotes: stamps each frame as it comes, decodes all of them at the end.

`python -m benchmarks.quote_reader {gateway|C++} BUS_DIR OUT`: on SIGTERM it writes (leg, MsgSeqNum, at_ns) of every
quote to OUT as 64-bit numbers, and ends. Decoding waits for the end, so that the reader is not what is measured.
"""

import signal
import struct
import sys
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import zmq

from benchmarks.gateway_side import instrument_id
from benchmarks.pacing import undisturbed
from benchmarks.schedule import A, B
from gateway.bus.topics import unpack
from gateway.model.quote import Quote

_REFERENCE_HEAD = struct.Struct("<ii")
_HIGH_WATER_MARK = 1_000_000
_CALL_ARGUMENTS = 4


def addresses(side: str, bus_dir: str) -> tuple[str, bytes]:
    """The publisher's address and the subscription."""
    if side == "gateway":
        return f"ipc://{bus_dir}/feed.pub", b"Q."
    return f"ipc://{bus_dir}/floor-quotes", b""


def decode(side: str, frames: list[tuple[int, bytes]]) -> Iterator[tuple[int, int, int]]:
    """(leg, MsgSeqNum, at_ns) of each frame."""
    legs = {instrument_id(leg): leg for leg in (A, B)}
    for at_ns, frame in frames:
        if side == "gateway":
            quote = unpack(frame).message
            if isinstance(quote, Quote):
                yield legs[quote.instrument_id], quote.msg_seq_num, at_ns
        else:
            leg, msg_seq_num = _REFERENCE_HEAD.unpack_from(frame)
            yield leg, msg_seq_num, at_ns


class _EndedError(Exception):
    """SIGTERM."""


def _end(*_: object) -> None:
    raise _EndedError


def read(side: str, bus_dir: str) -> list[tuple[int, bytes]]:
    """All frames until SIGTERM."""
    frames: list[tuple[int, bytes]] = []
    address, subscription = addresses(side, bus_dir)
    with zmq.Context() as context, context.socket(zmq.SUB) as quotes:
        quotes.set_hwm(_HIGH_WATER_MARK)
        quotes.linger = 0
        quotes.connect(address)
        quotes.subscribe(subscription)
        try:
            signal.signal(signal.SIGTERM, _end)
            while True:
                frame = quotes.recv()
                frames.append((time.monotonic_ns(), frame))
        except _EndedError:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return frames


def main(arguments: list[str]) -> int:
    """SIDE BUS_DIR OUT."""
    if len(arguments) != _CALL_ARGUMENTS:
        print("usage: python -m benchmarks.quote_reader {gateway|C++} BUS_DIR OUT", file=sys.stderr)
        return 2
    _, side, bus_dir, out = arguments
    with undisturbed():
        frames = read(side, bus_dir)
    numbers = array("q")
    for triple in decode(side, frames):
        numbers.extend(triple)
    Path(out).write_bytes(numbers.tobytes())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
