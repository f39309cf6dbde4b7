"""A client that lives through a day: its numbers outlast its connections, every message is taken once and in order.

What it sent is kept: asked again, it sends its orders as possible duplicates or fills over them, as its seed says. It
waits for nothing; whoever drives it calls `turn` again and again.
"""

import contextlib
import select
import socket
import struct
from random import Random

import simplefix
from client_rig import as_dict, stamp
from report_book import Fields, ReportBook

SESSION_KINDS = frozenset("012345A")
RESET = struct.pack("ii", 1, 0)


class DayClient:
    """One session. `book` has its reports; `cancel_rejects`, `others` what else it was told."""

    def __init__(self, port: int, name: str, version: str, random: Random) -> None:
        self.port, self.name, self.version = port, name, version
        self.book = ReportBook(name)
        self.next_out, self.next_in = 1, 1
        self.sent: dict[int, tuple[str, list[tuple[int, object]]]] = {}
        self.withdrawn: set[int] = set()
        """Numbers that a gap fill went over: what they were may have been taken, or not."""
        self.cancel_rejects: list[Fields] = []
        self.unknown: list[Fields] = []
        """Answers that there is no such order."""
        self.others: list[Fields] = []
        self.again: list[str] | None = None
        """ExecIDs that came again, since they were asked for."""
        self.up = False
        self.resends = self.logons = 0
        self._random = random
        self._socket: socket.socket | None = None
        self._parser = simplefix.FixParser()
        self._early: dict[int, Fields] = {}
        self._asked_to = 0
        self._closed = False

    def turn(self) -> None:
        """Connect where there is no connection; take what has come."""
        if self._closed or (self._socket is None and not self._connect()):
            return
        assert self._socket is not None
        while self._socket is not None and select.select([self._socket], [], [], 0)[0]:
            try:
                data = self._socket.recv(262_144)
            except OSError:
                data = b""
            if not data:
                self._gone()
                return
            self._parser.append_buffer(data)
            while (message := self._parser.get_message()) is not None:
                self._take(as_dict(message))

    def ask_all(self) -> None:
        """Everything since the session's first message, once more."""
        self.again = []
        self.next_out += 1
        self._write("2", self.next_out - 1, [(7, 1), (16, 0)])

    def cut(self) -> None:
        """The line breaks, without a word; half the time with a reset that throws away what is on its way."""
        if self._socket is not None:
            if self._random.random() < 0.5:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._gone()

    def close(self) -> None:
        """No word either: the gateway sees it go, for good."""
        self._closed = True
        self._gone()

    def send(self, kind: str, *fields: tuple[int, object]) -> bool:
        """Send an application message under the next number; False where there is no session now."""
        if not self.up:
            return False
        number = self.next_out
        self.next_out += 1
        self.sent[number] = (kind, list(fields))
        self._write(kind, number, list(fields))
        return True

    def _connect(self) -> bool:
        try:
            self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=2)
        except OSError:
            return False
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._parser = simplefix.FixParser()
        number = self.next_out
        self.next_out += 1
        more: list[tuple[int, object]] = [(1137, 9)] if self.version == "FIXT.1.1" else []
        self._write("A", number, [(98, 0), (108, 30), *more])
        return True

    def _gone(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self.up, self._early, self._asked_to = None, False, {}, 0

    def _take(self, fields: Fields) -> None:
        number, kind = int(fields["34"]), fields["35"]
        if kind == "A":
            self.up = True
            self.logons += 1
        elif kind == "2":
            self._resend(int(fields["7"]), int(fields["16"]))
        if number > self.next_in:
            self._early[number] = fields
            if self._asked_to < self.next_in:
                self._asked_to = number
                self.next_out += 1
                self._write("2", self.next_out - 1, [(7, self.next_in), (16, 0)])
            return
        if number < self.next_in:
            if self.again is not None and kind == "8" and fields["17"] != "0" and fields["17"] not in self.again:
                self.again.append(fields["17"])
            if fields.get("43") != "Y" and kind != "5":
                self.book.wrong.append(f"{self.name}: number {number} again, {self.next_in} was expected: {fields}")
            return
        following: Fields | None = fields
        while following is not None:
            self.next_in = int(following["36"]) if following["35"] == "4" else self.next_in + 1
            self._deal(following)
            self._early = {key: one for key, one in self._early.items() if key >= self.next_in}
            following = self._early.pop(self.next_in, None)

    def _deal(self, fields: Fields) -> None:
        kind = fields["35"]
        if kind == "1":
            self.next_out += 1
            self._write("0", self.next_out - 1, [(112, fields["112"])])
        elif kind == "8" and fields["37"] == "NONE" and fields["17"] == "0":
            self.unknown.append(fields)
        elif kind == "8":
            self.book.take(fields)
        elif kind == "9":
            self.cancel_rejects.append(fields)
        elif kind not in SESSION_KINDS or kind == "3":
            self.others.append(fields)

    def _resend(self, begin: int, end: int) -> None:
        """Our messages again: possible duplicates, or gap fills over what is not said twice."""
        self.resends += 1
        last = end or self.next_out - 1
        number = begin
        while number <= last:
            if number in self.sent and self._random.random() < 0.7:
                kind, fields = self.sent[number]
                self._write(kind, number, fields, duplicate=True)
                number += 1
                continue
            until = number + 1
            while until <= last and until not in self.sent:
                until += 1
            self.withdrawn |= {number} & self.sent.keys()
            self._write("4", number, [(123, "Y"), (36, until)], duplicate=True)
            number = until

    def _write(self, kind: str, number: int, fields: list[tuple[int, object]], *, duplicate: bool = False) -> None:
        message = simplefix.FixMessage()
        header: list[tuple[int, object]] = [(8, self.version), (35, kind), (34, number), (49, self.name)]
        header += [(56, "GATEWAY"), (52, stamp()), *([(43, "Y"), (122, stamp())] if duplicate else [])]
        for tag, value in header:
            message.append_pair(tag, value, header=True)
        for tag, value in fields:
            message.append_pair(tag, value, header=tag == 97)
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendall(message.encode())
