"""The sockets of the bus: publishers with a memory of the last message per topic, subscribers that know what they
missed, intents, commands. Nothing is decided here.

Addresses are files of one directory of mode 0700, or, where the site file names hosts, tcp. A publisher may be used by
several threads; every other socket belongs to the thread that made it.
"""

import contextlib
import os
import stat
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Self

import msgspec
import zmq

from gateway.bus.topics import (
    ANSWER,
    COMMAND,
    ENCODER,
    INTENT,
    Gap,
    GapWatch,
    Published,
    Received,
    pack,
    pack_end,
    prefix,
    topic_of,
    unpack,
    unpack_end,
)
from gateway.model.quote import Quote
from gateway.model.trade import Command, CommandAnswered, ExecutionStatus, Intent, Verb

LONGEST_IPC_PATH = 107
"""sun_path of unix(7) holds 108 bytes with the closing zero."""
DEFAULT_HIGH_WATER_MARK = 10_000
ANSWER_WAIT_MS = 5
"""How long execution waits for the newest books at most; the feed answers within a fraction of a millisecond."""


class BusError(RuntimeError):
    """A bus directory that cannot be used: says which, and what would be right."""


def endpoint(bus_dir: str | Path, name: str) -> str:
    """The address of `name` in this bus directory."""
    path = str(Path(bus_dir) / name)
    if len(os.fsencode(path)) > LONGEST_IPC_PATH:
        size = len(os.fsencode(path))
        message = f"bus_dir {bus_dir}: {path} has {size} bytes, a socket's path at most {LONGEST_IPC_PATH}"
        raise BusError(message)
    return f"ipc://{path}"


def prepare_bus_dir(bus_dir: str | Path) -> Path:
    """Make the directory with mode 0700, or check that it has it."""
    path = Path(bus_dir)
    endpoint(path, "execution.intents")
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        message = f"bus_dir {path}: {error.strerror}; it has to be a directory that can be made or used"
        raise BusError(message) from error
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        message = f"bus_dir {path}: mode {mode:04o} lets others in; it has to be 0700"
        raise BusError(message)
    return path


def _receive(socket: "zmq.Socket[bytes]") -> list[bytes] | None:
    """The next message that waits, or None."""
    try:
        return socket.recv_multipart(zmq.NOBLOCK)
    except zmq.Again:
        return None


class Publisher:
    """PUB socket `NAME.pub` and, at `NAME.snap`, the last message of each topic for whoever asks."""

    def __init__(
        self, bus_dir: str | Path, name: str, incarnation: int, high_water_mark: int = DEFAULT_HIGH_WATER_MARK
    ) -> None:
        self.incarnation = incarnation
        self._lock = threading.Lock()
        self._topics: dict[str, tuple[bytes, int]] = {}
        self._last: dict[str, bytes] = {}
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PUB)
        self._socket.set_hwm(high_water_mark)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.bind(endpoint(bus_dir, f"{name}.pub"))
        self.snapshots: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.ROUTER)
        self.snapshots.setsockopt(zmq.LINGER, 0)
        self.snapshots.bind(endpoint(bus_dir, f"{name}.snap"))

    def publish(self, message: Published) -> None:
        """Send it to whoever listens; never waits."""
        self.publish_as(topic_of(message), message)

    def publish_as(self, topic: str, message: Published) -> None:
        """As `publish`, with the topic that the caller has at hand."""
        with self._lock:
            known = self._topics.get(topic)
            name, seq = known if known is not None else (prefix(topic), 0)
            self._topics[topic] = (name, seq + 1)
            frame = pack(name, self.incarnation, seq + 1, message)
            self._last[topic] = frame
            self._socket.send(frame, zmq.NOBLOCK)

    def forget(self, topic: str) -> None:
        """No more of this topic: its last message is not kept for who asks; its numbers go on if it comes back."""
        with self._lock:
            self._last.pop(topic, None)

    def answer_snapshots(self) -> None:
        """Answer every waiting request, a tag and prefixes, with the last message of each topic that begins so."""
        while (request := _receive(self.snapshots)) is not None:
            identity, tag, *wanted = request if len(request) > 1 else (*request, b"")
            prefixes = tuple(one.decode(errors="replace") for one in wanted)
            with self._lock:
                frames = [frame for topic, frame in self._last.items() if topic.startswith(prefixes)]
            self.snapshots.send_multipart([identity, *frames, pack_end(self.incarnation, tag)], zmq.NOBLOCK)

    def close(self) -> None:
        self._socket.close()
        self.snapshots.close()


class Subscriber:
    """Topics of one publisher, in order, each once, with the gaps told. A loop polls `socket` and `answers`.

    After a gap, and when the publisher has begun anew, it asks for the last message of every topic by itself; answers
    are taken up when the stream is empty, so that they do not overtake what waits in it.

    `topics` are prefixes: "Q." for all quotes, "Q.SHFE.cu2609" for an instrument (and all whose names go on from it).
    """

    def __init__(
        self,
        bus_dir: str | Path,
        publisher: str,
        topics: Iterable[str] = ("",),
        high_water_mark: int = DEFAULT_HIGH_WATER_MARK,
    ) -> None:
        self._topics = tuple(topics)
        self._watch = GapWatch()
        self._gaps: list[Gap] = []
        self._asked = 0
        self._unanswered = False
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
        self.socket.set_hwm(high_water_mark)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint(bus_dir, f"{publisher}.pub"))
        for topic in self._topics:
            self.socket.subscribe(topic)
        self.answers: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        self.answers.setsockopt(zmq.LINGER, 0)
        self.answers.connect(endpoint(bus_dir, f"{publisher}.snap"))

        self._poller = zmq.Poller()
        self._poller.register(self.socket, zmq.POLLIN)
        self._poller.register(self.answers, zmq.POLLIN)

    @property
    def is_waiting(self) -> bool:
        """True while an answer to `ask` is outstanding."""
        return self._unanswered

    def poll(self, timeout_ms: int = 0, most: int = 1000) -> list[Received]:
        """What has come, at most `most`, waiting up to `timeout_ms` for the first; answers to `ask` are among it."""
        received: list[Received] = []
        if timeout_ms:
            self._poller.poll(timeout_ms)
        self.drain(received.append, most)
        return received

    def drain(self, take: Callable[[Received], None], most: int) -> int:
        """Give up to `most` waiting messages to `take`, and then, if no more wait, the answers; how many messages."""
        for count in range(most):
            try:
                frame = self.socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                self._take_answers(take)
                return count
            self._take(frame, take)
        return most

    def _take(self, frame: bytes, take: Callable[[Received], None]) -> None:
        one = unpack(frame)
        before = self._watch.incarnation
        seen = self._watch.see(one)
        if seen is False:
            return
        if isinstance(seen, Gap):
            self._gaps.append(seen)
            if not self._unanswered:
                self.ask()
        if before != one.incarnation and (before or self._unanswered):
            self.ask()  # whatever was asked before may have gone down with the process that was asked
        take(one)

    def _take_answers(self, take: Callable[[Received], None]) -> None:
        while self._unanswered and (answer := _receive(self.answers)) is not None:
            *frames, end = answer
            incarnation, tag = unpack_end(end)
            if tag == str(self._asked).encode():
                self._unanswered = False
            for frame in frames:
                self._take(frame, take)
            self._watch.answered(incarnation)

    def ask(self) -> None:
        """Ask the publisher for the last message of each of the topics; the answer comes with `poll`. Never waits: with
        no publisher there and many requests in the queue, one more says nothing new.
        """
        self._asked += 1
        self._unanswered = True
        with contextlib.suppress(zmq.Again):
            tag = str(self._asked).encode()
            self.answers.send_multipart([tag, *(one.encode() for one in self._topics)], zmq.NOBLOCK)

    def take_gaps(self) -> list[Gap]:
        """The gaps noticed since the last call."""
        gaps, self._gaps = self._gaps, []
        return gaps

    def close(self) -> None:
        self.socket.close()
        self.answers.close()


class LatestQuotes:
    """The newest quote of instruments, asked of the feed only when wanted: until then no quote costs us anything.

    `read` waits for the answer, as a rule a fraction of a millisecond and at most `wait_ms`: while the feed is away or
    stands still its quotes are absent, and whoever wanted them has to ask again. A subscription that overwrites what
    nobody reads (ZMQ_CONFLATE) wakes this process's input thread for every quote of the site.
    """

    def __init__(self, bus_dir: str | Path, wait_ms: int = ANSWER_WAIT_MS) -> None:
        self._wait_ms = wait_ms
        self._asked = 0
        self._outstanding = 0
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        self._socket.connect(endpoint(bus_dir, "feed.snap"))

    def read(self, instrument_ids: Sequence[str]) -> tuple[Quote, ...]:
        """The newest quote of each that has one, in the order asked; none without an answer in time."""
        while _receive(self._socket) is not None:
            self._outstanding -= 1  # too late for whoever asked
        self._asked += 1
        tag = str(self._asked).encode()
        try:
            self._socket.send_multipart([tag, *(f"Q.{name}".encode() for name in instrument_ids)], zmq.NOBLOCK)
        except zmq.Again:
            return ()
        self._outstanding += 1
        while self._outstanding > 0 and self._socket.poll(self._wait_ms):
            *frames, end = self._socket.recv_multipart(zmq.NOBLOCK)
            self._outstanding -= 1
            if unpack_end(end)[1] == tag:
                self._outstanding = 0  # what was asked before went down with the feed that was asked
                return _quotes_of(frames, instrument_ids)
        return ()

    def close(self) -> None:
        self._socket.close()


def _quotes_of(frames: Iterable[bytes], instrument_ids: Sequence[str]) -> tuple[Quote, ...]:
    """The quotes in an answer, in the order asked; names that only begin alike are among it."""
    messages = [unpack(frame).message for frame in frames]
    found = {one.instrument_id: one for one in messages if isinstance(one, Quote)}
    return tuple(found[name] for name in instrument_ids if name in found)


class IntentSender:
    """Trigger's way to execution. It never waits: what cannot go at once is not sent, and the caller is told."""

    def __init__(self, bus_dir: str | Path, high_water_mark: int) -> None:
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PUSH)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        self._socket.set_hwm(high_water_mark)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(endpoint(bus_dir, "execution.intents"))

    def send(self, intent: Intent) -> bool:
        """False when execution is not there or its queue is full."""
        try:
            self._socket.send(ENCODER.encode(intent), zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def close(self) -> None:
        self._socket.close()


class IntentReceiver:
    """Execution's end of the intents."""

    def __init__(self, bus_dir: str | Path, high_water_mark: int) -> None:
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PULL)
        self.socket.set_hwm(high_water_mark)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(endpoint(bus_dir, "execution.intents"))

    def receive(self) -> Intent | None:
        """The next intent, or None when none waits."""
        try:
            intent: Intent = INTENT.decode(self.socket.recv(zmq.NOBLOCK))
        except zmq.Again:
            return None
        return intent

    def close(self) -> None:
        self.socket.close()


class CommandServer:
    """Execution's end of the commands: each is answered to whom it came from."""

    def __init__(self, bus_dir: str | Path, name: str = "execution") -> None:
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(endpoint(bus_dir, f"{name}.cmd"))

    def receive(self) -> tuple[bytes, Command] | None:
        """Who asks, and what; None when nothing waits. What is no command is answered with a no."""
        while (request := _receive(self.socket)) is not None:
            identity, *frames = request
            try:
                (frame,) = frames
                return identity, COMMAND.decode(frame)
            except (ValueError, msgspec.MsgspecError) as error:
                self.answer(identity, CommandAnswered("", done=False, text=f"not a command: {error}"))
        return None

    def answer(self, identity: bytes, answer: CommandAnswered | ExecutionStatus) -> None:
        self.socket.send_multipart([identity, ENCODER.encode(answer)], zmq.NOBLOCK)

    def close(self) -> None:
        self.socket.close()


class CommandClient:
    """Asks a process for something and waits, no longer than said, for the answer."""

    def __init__(self, bus_dir: str | Path, name: str = "execution") -> None:
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint(bus_dir, f"{name}.cmd"))

    def ask(self, command: Command, timeout_ns: int) -> CommandAnswered | ExecutionStatus | None:
        """The answer, or None when none came in time. One that belongs to an earlier command is passed over."""
        self.send(command)
        while self.socket.poll(timeout_ns // 1_000_000):
            answer = self.receive()
            if isinstance(answer, ExecutionStatus) and command.verb is Verb.STATUS:
                return answer
            if isinstance(answer, CommandAnswered) and answer.command_id in {command.command_id, ""}:
                return answer
        return None

    def send(self, command: Command) -> None:
        """Hand a command over without waiting; with a full queue it is dropped, as one to a dead process is."""
        with contextlib.suppress(zmq.Again):
            self.socket.send(ENCODER.encode(command), zmq.NOBLOCK)

    def receive(self) -> CommandAnswered | ExecutionStatus | None:
        """The next answer that waits, to whichever command."""
        try:
            answer: CommandAnswered | ExecutionStatus = ANSWER.decode(self.socket.recv(zmq.NOBLOCK))
        except zmq.Again:
            return None
        return answer

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
