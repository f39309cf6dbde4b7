"""The load itself, for locust: `python -m locust -f loadtest/locustfile.py --headless ...` (docs/DELIVERY.md).

Users are FIX sessions on gevent: Trader orders at a steady rate from due times, Burster as at an opening, Storm logs
on and cuts its line again and again, Slow subscribes and reads a few bytes a second, Watcher subscribes and reads all.
Which of them a test has, `--kinds` says; how many there are over time, `--shape`. Workers tell their delays to the
master with locust's own reports, so a distributed test has one result file.

Names of sessions (CompIDs) are `PREFIX0`, `PREFIX1`, ...; a worker takes every n-th, so no two are the same.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import gevent  # type: ignore[import-untyped]
from locust import LoadTestShape, User, events, task
from locust.env import Environment
from locust.runners import WorkerRunner

from loadtest.due import Delays, burst_times, due_times, write_result
from loadtest.session import Client
from loadtest.shapes import SHAPES, Wanted

DELAYS = Delays()
STORM_S = 0.5
"""Between two connections of one storming user."""
SLOW_BYTES = 512
BURST_S = 5.0
LAST_ANSWERS_S = 3.0
_FREE: list[int] = []
_GIVEN: dict[str, int] = {"next": 0}
_ENDED: list[bool] = []
"""Not empty once the shape has come to its end."""


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def _options(parser: Any) -> None:  # noqa: ANN401 - locust's
    """What a test is."""
    parser.add_argument("--fix-port", type=int, required=True, help="of the gateway's clients")
    parser.add_argument("--pair", default="CU-CA")
    parser.add_argument("--prefix", default="LOAD", help="of the sessions' CompIDs")
    parser.add_argument("--rate", type=float, default=10.0, help="orders a second of one user")
    parser.add_argument("--kinds", default="trader", help="trader, burster, storm, slow, watcher; several with commas")
    parser.add_argument("--shape", default="soak", choices=sorted(SHAPES))
    parser.add_argument("--most-users", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--workers-count", type=int, default=1)
    parser.add_argument("--name", default="load")
    parser.add_argument("--result", default="", help="file of the result")


@events.init.add_listener  # type: ignore[untyped-decorator]
def _begin(environment: Environment, **_more: Any) -> None:  # noqa: ANN401
    asked: Any = environment.parsed_options
    wanted = set(asked.kinds.split(","))
    known = {one.__name__.lower(): one for one in (Trader, Burster, Storm, Slow, Watcher)}
    if unknown := sorted(wanted - known.keys()):
        message = f"--kinds {unknown[0]}: one of {', '.join(known)}"
        raise SystemExit(message)
    environment.user_classes = [known[name] for name in sorted(wanted)]


@events.report_to_master.add_listener  # type: ignore[untyped-decorator]
def _tell(client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG001 - locust calls it so
    data["delays"] = DELAYS.packed()


@events.worker_report.add_listener  # type: ignore[untyped-decorator]
def _hear(client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG001
    if "delays" in data:
        DELAYS.add(data["delays"])


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def _end(environment: Environment, **_more: Any) -> None:  # noqa: ANN401
    asked: Any = environment.parsed_options
    if isinstance(environment.runner, WorkerRunner) or not asked.result or not _ENDED:
        return  # of a test that was stopped on its way there is no result
    about = {"shape": asked.shape, "kinds": asked.kinds, "users": asked.most_users, "rate_per_s": asked.rate,
             "seconds": asked.seconds, "workers": asked.workers_count,
             "measured_by": "locust on gevent, from due times; it adds to what it measures"}  # fmt: skip
    write_result(Path(asked.result), DELAYS.result(asked.name, about))


class Shape(LoadTestShape):
    """Users over time; the end of the test."""

    def tick(self) -> tuple[int, float] | None:
        """Users now, and how many may be started in a second."""
        assert self.runner is not None  # noqa: S101 - locust asks a shape of a runner
        asked: Any = self.runner.environment.parsed_options
        wanted = Wanted(asked.most_users, asked.seconds)
        users = SHAPES[asked.shape](self.get_run_time(), wanted)  # type: ignore[no-untyped-call]
        if users is None:
            _ENDED.append(True)
            return None
        return users, float(max(wanted.users, 1))


class FixUser(User):
    """A session: logs on at its start, ends its line at its end."""

    abstract = True
    asked: Any
    logs_on: ClassVar[bool] = True

    def on_start(self) -> None:
        """A name of its own, a line, a logon."""
        asked = self.asked = self.environment.parsed_options
        index = getattr(self.environment.runner, "worker_index", 0) or 0
        if not _FREE:
            _FREE.append(index + _GIVEN["next"] * asked.workers_count)
            _GIVEN["next"] += 1
        self.place = _FREE.pop(0)
        self.name = f"{asked.prefix}{self.place}"
        self.client: Client | None = None
        self.reader: Any = None
        self.waiting: dict[str, int] = {}
        if self.logs_on:
            self.connect()

    def connect(self) -> None:
        """A line, and logged on; a refusal is a failure and the user tries again."""
        asked = self.asked
        while True:
            try:
                self.client = Client("127.0.0.1", asked.fix_port, self.name)
                self.client.log_on()
            except (ConnectionError, OSError) as error:
                DELAYS.failed(f"logon: {type(error).__name__}")
                gevent.sleep(STORM_S)
            else:
                return

    def on_stop(self) -> None:
        """What is still waited for is counted as failed only after some seconds."""
        until_s = time.monotonic() + LAST_ANSWERS_S
        while self.waiting and time.monotonic() < until_s:
            gevent.sleep(0.05)
        if self.reader is not None:
            self.reader.kill()
        DELAYS.failed("no answer", len(self.waiting))
        if self.client is not None:
            self.client.close()
        _FREE.append(self.place)

    def order_at(self, times: Iterator[tuple[int, int]]) -> None:
        """Send when due, whatever was answered; a greenlet of its own reads."""
        assert self.client is not None  # noqa: S101 - on_start has connected
        self.reader = gevent.spawn(self._read)
        try:
            for number, due_ns in times:
                left_ns = due_ns - time.monotonic_ns()
                if left_ns > 0:
                    gevent.sleep(left_ns / 10**9)
                name = f"{self.name}-{due_ns:x}.{number}"
                self.waiting[name] = due_ns
                self.client.order(name, self.asked.pair)
                DELAYS.sent(time.monotonic_ns() - due_ns)
        except (ConnectionError, OSError) as error:
            DELAYS.failed(f"line: {type(error).__name__}")

    def _read(self) -> None:
        assert self.client is not None  # noqa: S101 - as above
        while True:
            for message in self.client.read(time.monotonic() + 1.0):
                name = (message.get(11) or b"").decode("ascii", "replace")
                due_ns = self.waiting.pop(name, None)
                if due_ns is None:
                    continue
                delay_ns = time.monotonic_ns() - due_ns
                DELAYS.answered(delay_ns)
                bad = message.get(39) == b"8"
                if bad:
                    DELAYS.failed((message.get(58) or b"rejected").decode("ascii", "replace")[:60])
                # Locust's own page shows whole milliseconds of the same.
                self.environment.events.request.fire(
                    request_type="FIX", name="order to answer", response_time=delay_ns / 10**6, response_length=0,
                    exception=RuntimeError("rejected") if bad else None, context={})  # fmt: skip


class Trader(FixUser):
    """Orders at a steady rate."""

    @task
    def trade(self) -> None:
        """Until the test ends."""
        self.order_at(due_times(time.monotonic_ns(), self.asked.rate))


class Burster(FixUser):
    """As at an opening: everything at once, then nothing."""

    @task
    def trade(self) -> None:
        """Until the test ends; all users burst at the same instants."""
        size = max(1, round(self.asked.rate * BURST_S))
        now_ns = time.monotonic_ns()
        every_ns = int(BURST_S * 10**9)
        self.order_at(burst_times(now_ns - now_ns % every_ns + every_ns, BURST_S, size))


class Storm(FixUser):
    """Logs on, cuts its line, and comes again."""

    logs_on = False

    @task
    def come_and_go(self) -> None:
        """One round."""
        begun_ns = time.monotonic_ns()
        self.connect()
        assert self.client is not None  # noqa: S101 - connect gave one
        DELAYS.sent(0)
        DELAYS.answered(time.monotonic_ns() - begun_ns)
        self.client.close()
        gevent.sleep(STORM_S)


class Slow(FixUser):
    """Subscribes to market data and reads next to nothing of it."""

    @task
    def crawl(self) -> None:
        """Until the gateway cuts the line or the test ends."""
        assert self.client is not None  # noqa: S101 - on_start has connected
        self.client.subscribe(self.asked.pair)
        try:
            while True:
                for _ in self.client.read(time.monotonic() + 0.01, SLOW_BYTES):
                    pass
                gevent.sleep(1.0)
        except (ConnectionError, OSError):
            gevent.sleep(STORM_S)
            self.connect()


class Watcher(FixUser):
    """Subscribes and reads everything."""

    @task
    def watch(self) -> None:
        """Until the test ends."""
        assert self.client is not None  # noqa: S101 - on_start has connected
        self.client.subscribe(self.asked.pair)
        try:
            while True:
                for _ in self.client.read(time.monotonic() + 1.0):
                    pass
        except (ConnectionError, OSError):
            self.connect()
