"""One plain session that times, while others make the load: `python -m loadtest.probe --port N --out FILE`.

Locust adds most of what it would measure to what it measures; this process does one thing: an order when it is due, the
delay of its acknowledgement from then. Standard library and simplefix only, no gevent.
"""

import argparse
import contextlib
import sys
import time
from itertools import takewhile
from pathlib import Path

from loadtest.due import Delays, due_times, write_result
from loadtest.session import Client

LAST_ANSWERS_S = 5.0
REFUSED = (b"8", b"4")


def run(client: Client, pair: str, rate: float, seconds: float, delays: Delays) -> None:
    """Order at the rate for so long; an answer that does not come, and an order that cannot be sent, is a failure."""
    waiting: dict[str, int] = {}
    start_ns = time.monotonic_ns()
    with contextlib.suppress(OSError):
        for number, due_ns in due_times(start_ns, rate):
            if due_ns - start_ns > seconds * 10**9:
                break
            while (left_ns := due_ns - time.monotonic_ns()) > 0:
                take(client, (time.monotonic_ns() + left_ns) / 10**9, waiting, delays)
            name = f"{client.name}{due_ns:x}.{number}"
            client.order(name, pair)
            waiting[name] = due_ns
            delays.sent(time.monotonic_ns() - due_ns)
        until_s = time.monotonic() + LAST_ANSWERS_S
        while waiting and time.monotonic() < until_s:
            take(client, until_s, waiting, delays)
    delays.failed("no answer", len(waiting))
    due = sum(1 for _ in takewhile(lambda one: one[1] - start_ns <= seconds * 10**9, due_times(start_ns, rate)))
    delays.unsent("not sent: the line was cut", due - delays.requests)


def take(client: Client, until_s: float, waiting: dict[str, int], delays: Delays) -> None:
    """Read until the time, or until the last answer that is waited for."""
    for message in client.read(until_s):
        name = (message.get(11) or b"").decode("ascii", "replace")
        if message.get(35) in {b"3", b"j"}:
            delays.failed((message.get(58) or b"rejected").decode("ascii", "replace")[:60])
        elif name in waiting:
            delays.answered(time.monotonic_ns() - waiting.pop(name))
            if message.get(39) == b"8":
                delays.failed((message.get(58) or b"rejected").decode("ascii", "replace")[:60])


def main(words: list[str] | None = None) -> int:
    """The command; 1 where an order failed."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.probe")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--client", default="PROBE", help="its CompID")
    parser.add_argument("--pair", default="CU-CA")
    parser.add_argument("--rate", type=float, default=20.0, help="orders a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--name", default="probe", help="of the result")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    given = parser.parse_args(words)
    delays = Delays()
    try:
        client = Client(given.host, given.port, given.client)
    except OSError as error:
        sys.stderr.write(f"{given.host}:{given.port}: {error.strerror or error}; is the gateway up, with clients?\n")
        return 1
    try:
        try:
            client.log_on()
        except OSError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        run(client, given.pair, given.rate, given.seconds, delays)
    finally:
        client.close()
    about = {"rate_per_s": given.rate, "seconds": given.seconds, "measured_by": "plain probe session, from due times"}
    write_result(given.out, delays.result(given.name, about))
    return 1 if delays.failures else 0


if __name__ == "__main__":
    sys.exit(main())
