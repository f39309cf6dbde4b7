"""Starts our feed, trigger and execution against the benchmark venue: site file, processes, arming, and the hops that
the journal of execution tells afterwards.
"""

import itertools
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.floor.build import REPOSITORY
from benchmarks.programs import Knobs, ProgramError, Programs
from benchmarks.schedule import BUY_AT, FACTOR, LEGS, SELL_AT, A, B
from benchmarks.venue import CLIENT_COMP_ID, MD, ORDERS, Venue
from gateway.bus.sockets import CommandClient, Subscriber
from gateway.journal.reader import read_run
from gateway.model.record import Decision, JournalRecord
from gateway.model.trade import Command, CommandAnswered, Intent, OrdersSent, PairPrice, Verb

ARM_TIMEOUT_S = 15.0
DIALECTS = ("domestic44", "overseas42")

_SITE = """[site]
name = "bench"
stage = "full"
state_dir = "state"

[performance]
warm_interval_ms = {warm_interval_ms}

[limits]
max_open_trades = 8
max_orders_per_s = 10000
throttle_trades = 1000000
throttle_window_s = 60
daily_loss = {{ CNY = "1000000000" }}
"""

_VENUE = """
[[venue]]
id = "{venue}"
dialect = "{dialect}"
ask_positions = "never"
account = "{account}"
[venue.md]
host = "127.0.0.1"
port = {md_port}
sender_comp_id = "{sender}"
target_comp_id = "{venue}"
heart_bt_int_s = 30
[venue.orders]
host = "127.0.0.1"
port = {orders_port}
sender_comp_id = "{sender}"
target_comp_id = "{venue}"
heart_bt_int_s = 30

[[instrument]]
id = "{venue}.{symbol}"
venue = "{venue}"
symbol = "{symbol}"
tick = "{tick}"
lot_units = "{lot_units}"
unit = "t"
currency = "{currency}"
position_model = "{position_model}"
min_qty = 1
max_qty = 500
hedge_flag = "{hedge_flag}"
max_position_lots = 5000
max_orders_per_day = 1000000
max_order_value = "1000000000"
collar_ticks = 5000
"""

_PAIR = """
[[pair]]
id = "CU-CA"
formula = "spread"
currency = "CNY"
unit = "t"
max_quote_skew_ms = 1000
slippage_budget = "1000000"
repair_pay_up_ticks = [2, 4, 8]
legged_limit_ms = 3000
order_timeout_ms = 1500
max_open_trades = 1
max_units = 50
[[pair.leg]]
instrument = "{a}"
ratio_lots = {a_lots}
pay_up_ticks = 0
time_in_force = "IOC"
max_quote_age_ms = 5000
[[pair.leg]]
instrument = "{b}"
ratio_lots = {b_lots}
factors = {{ landed = "{factor}" }}
fx_rate = "1"
fx_source = "within the factor"
fx_date = "always"
pay_up_ticks = 0
time_in_force = "IOC"
max_quote_age_ms = 5000

[[rule]]
id = "band"
pair = "CU-CA"
kind = "spread"
buy_at = "{buy_at}"
sell_at = "{sell_at}"
units = 1
max_units = 20
cool_down_ms = 20
ttl_ms = 250
"""


def instrument_id(leg: int) -> str:
    """As the site file names it."""
    return f"{LEGS[leg].venue}.{LEGS[leg].symbol}"


def site_text(venue: Venue, *, warm: bool) -> str:
    """The site file of the benchmark: limits so wide that nothing but the rule decides."""
    text = _SITE.format(warm_interval_ms=int(warm))
    for leg in (A, B):
        text += _VENUE.format(
            venue=LEGS[leg].venue,
            symbol=LEGS[leg].symbol,
            dialect=DIALECTS[leg],
            account=LEGS[leg].account,
            sender=CLIENT_COMP_ID,
            md_port=venue.connection(leg, MD).port,
            orders_port=venue.connection(leg, ORDERS).port,
            tick=LEGS[leg].tick,
            lot_units=5 if leg == A else 25,
            currency="CNY" if leg == A else "USD",
            position_model="open_close_today" if leg == A else "net",
            hedge_flag="2" if leg == A else "",
        )
    return text + _PAIR.format(
        a=instrument_id(A), a_lots=LEGS[A].qty_lots, b=instrument_id(B), b_lots=LEGS[B].qty_lots,
        factor=FACTOR, buy_at=BUY_AT, sell_at=SELL_AT,
    )  # fmt: skip


HOPS = (
    "written -> received by feed",
    "received -> published",
    "published -> taken by trigger",
    "taken -> evaluated",
    "evaluated -> intent made",
    "intent made -> taken by execution",
    "taken -> journalled",
    "journalled -> first order handed over",
    "first order handed over -> last in its venue's socket",
    "in the socket -> read by the venue",
)
"""What lies between the instants that `hop_times` gives."""


def hop_times(records: Iterable[JournalRecord]) -> list[tuple[int, ...]]:
    """Of each intent that was sent: received, published, taken, evaluated, decided, taken by execution, journalled,
    first order handed to its session. OrdersSent follows its intent, because one pair is traded at a time.
    """
    found: list[tuple[int, ...]] = []
    taken: tuple[Intent, int] | None = None
    for record in records:
        if not isinstance(record, Decision):
            continue
        if isinstance(record.event, Intent):
            taken = (record.event, record.at_ns)
        elif isinstance(record.event, OrdersSent) and taken is not None:
            intent, at_ns = taken
            taken = None
            first_ns = min(order.sent_ns for order in record.event.orders)
            hops = (intent.recv_ns, intent.pub_ns, intent.taken_ns, intent.evaluated_ns, intent.decided_ns)
            found.append((*hops, at_ns, record.event.journalled_ns, first_ns))
    return found


class Gateway:
    """Our three processes as the harness drives them."""

    name = "gateway"
    hops: tuple[str, ...] = HOPS

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs
        self._commands = itertools.count(1)

    def start_feed(self, venue: Venue, programs: Programs, directory: Path) -> None:
        """Only the feed."""
        self._start(venue, programs, directory, ("feed",))

    def start(self, venue: Venue, programs: Programs, directory: Path) -> None:
        """Feed, trigger and execution, then armed. The venue is served meanwhile."""
        self._start(venue, programs, directory, ("execution", "trigger", "feed"))
        if not venue.serve_until(lambda: self._alive(programs) and venue.ready(), ARM_TIMEOUT_S):
            raise ProgramError("the gateway's sessions did not log on: " + programs.last_words("execution"))
        self._arm(venue, programs, directory)
        self._wait_for_price(venue, programs, directory)

    def _site(self, venue: Venue) -> str:
        return site_text(venue, warm=self._knobs.warm)

    def _start(self, venue: Venue, programs: Programs, directory: Path, names: Iterable[str]) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        site = directory / "site.toml"
        site.write_text(self._site(venue), encoding="utf-8")
        environment = {"PYTHONPATH": str(REPOSITORY)}
        for name in names:
            command = [sys.executable, "-m", f"gateway.processes.{name}", "--site", str(site)]
            command += ["--run-dir", str(directory / "run"), "--bus-dir", str(directory)]
            programs.start(name, command, environment)

    @staticmethod
    def _alive(programs: Programs) -> bool:
        programs.check()
        return True

    def _arm(self, venue: Venue, programs: Programs, directory: Path) -> None:
        said = ["no answer"]

        def armed() -> bool:
            programs.check()
            venue.tick()
            with CommandClient(directory) as client:
                number = next(self._commands)
                command = Command(f"bench-{number}", Verb.ARM, "benchmark", "measurement")
                answer = client.ask(command, 50_000_000)
            if isinstance(answer, CommandAnswered):
                said[0] = answer.text
                return answer.done
            return False

        if not venue.serve_until(armed, ARM_TIMEOUT_S):
            raise ProgramError(f"execution was not armed within {ARM_TIMEOUT_S} s; it said: {said[0]}")

    @staticmethod
    def _wait_for_price(venue: Venue, programs: Programs, directory: Path) -> None:
        """Until the trigger prices the pair and hears execution: before that it rightly sends nothing."""
        prices = Subscriber(directory, "trigger", ["P."])
        prices.ask()
        said = ["no price"]

        def priced() -> bool:
            programs.check()
            venue.tick()
            for one in prices.poll():
                if isinstance(one.message, PairPrice):
                    said[0] = one.message.verdict
            return said[0] == "ok"

        try:
            if not venue.serve_until(priced, ARM_TIMEOUT_S):
                raise ProgramError(f"the trigger gave no price within {ARM_TIMEOUT_S} s; it said: {said[0]}")
        finally:
            prices.close()

    @staticmethod
    def journal_hops(directory: Path) -> list[tuple[int, ...]]:
        """See `hop_times`."""
        return hop_times(read_run(directory / "run"))
