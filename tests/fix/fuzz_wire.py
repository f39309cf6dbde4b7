"""Damaged messages over a loopback socket into a real QuickFIX session, in a process of its own.

The venue writes messages in bursts and then asks with a TestRequest(35=1). An answer says that the process lives and
that the session has taken up everything before it. No answer within a second, or a connection that ends, and the venue
drops the connection, as a venue would; the session has to log on again. A length that lies is why answers stay out:
QuickFIX waits for as many bytes as BodyLength(9) said.

What has to hold: the process never ends and leaves no crash file; after every loss the session logs on again; at the
end an ordinary fill arrives as one.
"""

import contextlib
import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import simplefix

from tests.fix.fix_peer import SENDING_TIME, Peer, text
from tests.fix.fuzz_engine import Broken
from tests.fix.fuzz_messages import Facts, Message, mutated, order_message, raw

ROOT = Path(__file__).parents[2]
BURST = 20
LINE_FAULTS = HEADER_FAULTS = 0.005
"""Shares of messages damaged as bytes or in the header: each may cost a connection, and the burst behind it."""
ANSWER_S = 1.0
LOGON_S = 20.0
LOOK_S = 0.02
FACTS = {
    "domestic44": (b"FIX.4.4", Facts(b"C1-1", b"cu", b"A1", b"1", 5, 0, b"78020")),
    "overseas42": (b"FIX.4.2", Facts(b"C1-2", b"CA", b"B1", b"2", 3, 0, b"9749")),
}


class Venue(Peer):
    """A peer that begins at 1 with every logon, and whose numbers several threads may take."""

    def __init__(self, begin_string: str) -> None:
        self.logons = 0
        self.up = threading.Event()
        self.numbers = threading.RLock()
        super().__init__(begin_string)
        self.on_logon = lambda _peer, logon: self.begin(logon)

    def begin(self, _logon: simplefix.FixMessage) -> None:
        """Answer a Logon: both sides begin at 1."""
        with self.numbers:
            self.next_out = 1
            self.send("A", (98, "0"), (108, "30"), (141, "Y"))
            self.logons += 1
            self.up.set()

    def send(self, msg_type: str, *fields: tuple[int, str], **words: Any) -> None:  # noqa: ANN401 - as the peer's
        """As the peer's, one thread at a time."""
        with self.numbers:
            super().send(msg_type, *fields, **words)

    def burst(self, draw: Random, name: str, number: int, many: int) -> None:
        """Write `many` messages with the next numbers in one go."""
        begin_string, facts = FACTS[name]
        with self.numbers:
            parts = []
            for count in range(many):
                fields = self._addressed(order_message(draw, begin_string, facts, number + count))
                parts.append(mutated(draw, fields, LINE_FAULTS, HEADER_FAULTS))
                self.next_out += 1
            self._write(b"".join(parts))

    def whole(self, fields: Message) -> None:
        """Write a message that is as it should be."""
        with self.numbers:
            self._write(raw(self._addressed(fields)))
            self.next_out += 1

    def _addressed(self, fields: Message) -> Message:
        own = {b"34": b"%d" % self.next_out, b"49": b"VENUE", b"56": self.client.encode()}
        return [(tag, own.get(tag, value)) for tag, value in fields]

    def _write(self, data: bytes) -> None:
        if self._connection is None:
            raise BrokenPipeError
        self._connection.sendall(data)


class Session:
    """One dialect's venue and the gateway's process."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.venue = Venue(FACTS[name][0].decode())
        command = [sys.executable, "-m", "tests.fix.fuzz_gateway", name, str(self.venue.port), str(folder)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.counts: Counter[str] = Counter()
        self._asked = 0
        self._logons = 0

    def run(self, messages: int, seed: int) -> dict[str, Any]:
        """Write so many messages; what became of them."""
        draw = Random(seed)  # noqa: S311 - a seed names a run
        for number in range(1, messages + 1, BURST):
            many = min(BURST, messages + 1 - number)
            self._up()
            try:
                self.venue.burst(draw, self.name, number, many)
                taken = self._answers(ANSWER_S)
            except OSError:
                taken = False
            self.counts["written"] += many
            self.counts["in bursts that were answered" if taken else "in bursts that lost the session"] += many
            if not taken:
                self._drop()
        return self._end()

    def _end(self) -> dict[str, Any]:
        """An ordinary fill still arrives; the process ends when told and leaves no crash file."""
        self._up()
        self.venue.whole(self._fill())
        if not self._answers(LOGON_S):
            raise Broken(f"{self.name}: the session did not answer at the end")
        out, _ = self.process.communicate(timeout=LOGON_S)
        crashes = [path.read_text(encoding="utf-8", errors="replace") for path in self.folder.rglob("crash-*.txt")]
        if self.process.returncode or crashes:
            raise Broken(f"{self.name}: ended with {self.process.returncode}; {crashes}")
        told: dict[str, Any] = json.loads(out)
        if not told["events"].get("ExecutionReport"):
            raise Broken(f"{self.name}: no execution arrived: {told}")
        return dict(self.counts) | {"logons": self.venue.logons} | told

    def _fill(self) -> Message:
        begin_string, facts = FACTS[self.name]
        draw = Random(2)  # noqa: S311
        return next(
            made for made in iter(lambda: order_message(draw, begin_string, facts, 1), None) if made[2][1] == b"8"
        )

    def _up(self) -> None:
        if not self.venue.up.wait(LOGON_S) or self.process.poll() is not None:
            raise Broken(
                f"{self.name}: no session; the process {'lives' if self.process.poll() is None else 'has ended'}"
            )
        self._logons = self.venue.logons

    def _drop(self) -> None:
        """End the connection, unless the gateway has begun another already."""
        with self.venue.numbers:
            if self.venue.logons != self._logons:
                return
            self.venue.up.clear()
            with contextlib.suppress(OSError):
                self.venue.drop()

    def _answers(self, within_s: float) -> bool:
        """Whether a TestRequest is answered; what the gateway asks again for is filled over meanwhile."""
        logons = self.venue.logons
        self._ask()
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            if self.venue.logons != logons:
                self.counts["session began anew"] += 1
                return False
            try:
                message = self.venue.messages.get(timeout=LOOK_S)
            except queue.Empty:
                continue
            kind = text(message, 35)
            if kind == "0" and text(message, 112) == f"fuzz-{self._asked}":
                return True
            if kind == "5":
                self.counts["logged out"] += 1
                return False
            if kind == "2":
                self._fill_gap(int(text(message, 7)))
        self.counts["no answer"] += 1
        return False

    def _ask(self) -> None:
        self._asked += 1
        self.venue.send("1", (112, f"fuzz-{self._asked}"))

    def _fill_gap(self, begin: int) -> None:
        """What QuickFIX took for garbled used a number that it never saw: fill over it, and ask once more."""
        with self.venue.numbers:
            fill = ((123, "Y"), (36, str(self.venue.next_out)))
            self.venue.send("4", *fill, header=((43, "Y"), (122, SENDING_TIME)), seq=begin)
            self.counts["gaps filled"] += 1
            self._ask()

    def close(self) -> None:
        """End whatever is left."""
        self.process.kill()
        self.process.communicate()
        self.venue.close()


@contextmanager
def session(name: str) -> Iterator[Session]:
    """A session in a folder of its own, ended in any case."""
    with tempfile.TemporaryDirectory(prefix="cmc-fuzz-") as folder:
        made = Session(name, Path(folder))
        try:
            yield made
        finally:
            made.close()


def run(messages: int, seed: int) -> dict[str, Any]:
    """Half of the messages to each dialect's session."""
    told = {}
    for name in FACTS:
        with session(name) as made:
            told[name] = made.run(messages // len(FACTS), seed)
    return told
