"""Damaged FIX messages by the million: decoders, an engine with open orders, and a real session over a socket.

    python -m tests.fix.fuzz --messages 1000000 --wire 60000 --seed 1

What has to hold is written in `fuzz_engine` and `fuzz_wire`; the first message that breaks it ends the run with exit
code 1 and is shown. The same seed draws the same messages.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence

from tests.fix import fuzz_engine, fuzz_wire


def main(arguments: Sequence[str] | None = None) -> int:
    """Both parts; what was counted, as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.fix.fuzz", description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000, help="into decoders and engine (1000000)")
    parser.add_argument("--wire", type=int, default=60_000, help="over a socket into QuickFIX (60000)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    begin = time.monotonic()
    try:
        told = {"decoders and engine": fuzz_engine.run(given.messages, given.seed)}
        told["over a socket"] = fuzz_wire.run(given.wire, given.seed)
    except fuzz_engine.Broken as error:
        print(f"seed {given.seed}: {error}", file=sys.stderr)  # noqa: T201 - a program
        return 1
    print(json.dumps(told, indent=1, ensure_ascii=False))  # noqa: T201
    print(f"{given.messages + given.wire} messages, {time.monotonic() - begin:.0f} s")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
