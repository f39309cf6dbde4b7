"""The trigger and the recorder with real sockets around them, and no process."""

# ruff: noqa: F811 - a parameter is the fixture of its name

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bus_fixtures import bus_dir, opened  # noqa: F401 - pytest finds them here
from bus_values import status, until

from gateway.bus.sockets import IntentReceiver, Publisher, Subscriber
from gateway.bus.topics import OrderSessions
from gateway.journal.record_files import RepairMarks
from gateway.model.clock import ClockStatus, HostClock
from gateway.model.quote import BookState, Levels, Quote
from gateway.model.record import Missed, Observed
from gateway.model.trade import Alarm, AlarmName, Intent, PairPosition
from gateway.processes import clock, recorder, trigger
from gateway.processes.settings import load_site

Keep = Callable[[Any], Any]
SITE = Path(__file__).resolve().parents[2] / "sites" / "demo.toml"
CU, CA, FX = "SHFE.cu2609", "LME.CA3M", "LME.USDCNH"


def quote(name: str, bid_ticks: int, ask_ticks: int) -> Quote:
    bids: Levels = ((bid_ticks, 50),)
    now_ns = clock.monotonic_ns()
    return Quote(name, BookState.OK, bids, ((ask_ticks, 50),), now_ns, 0, now_ns, 1)


def test_quotes_on_the_bus_become_one_intent_and_prices(bus_dir: Path, opened: Keep) -> None:
    """With execution heard and the domestic leg far too cheap, one intent is sent, against execution's incarnation; the
    pair's price is published.
    """
    feed = opened(Publisher(bus_dir, "feed", 3))
    execution = opened(Publisher(bus_dir, "execution", 8))
    intents = opened(IntentReceiver(bus_dir, 100))
    execution.publish(status(8))
    execution.publish(PairPosition("CU-CA", "cu-band", 0))
    under_test = opened(trigger.Trigger(load_site(SITE), bus_dir.parent, str(bus_dir), 2))
    prices = opened(Subscriber(bus_dir, "trigger", ["P."]))

    def sent() -> Intent | None:
        for one in (quote(CU, 7000, 7001), quote(CA, 19_500, 19_502), quote(FX, 71_000, 71_001)):
            feed.publish(one)
        for one in (feed, execution):
            one.answer_snapshots()
        under_test.hear()
        under_test.take_quotes()
        return intents.receive()

    intent = until(sent)
    assert (intent.incarnation, intent.pair_id, intent.rule_id, intent.units) == (8, "CU-CA", "cu-band", 1)
    assert [(leg.instrument_id, leg.qty_lots, leg.px_ticks) for leg in intent.legs] == [(CU, 5, 7001), (CA, 1, 19_500)]
    assert intent.recv_ns <= intent.taken_ns <= intent.evaluated_ns <= intent.decided_ns < intent.expires_ns

    def priced() -> bool:
        feed.publish(quote(CU, 7000, 7001))
        under_test.take_quotes()
        under_test.publish_prices()
        return any(one.topic == "P.CU-CA" for one in prices.poll(5))

    until(priced)
    assert intents.receive() is None, "the same opportunity was shot at twice"
    for _ in range(20):
        under_test.rehearse(clock.monotonic_ns())
    assert intents.receive() is None, "a rehearsal was sent"
    told = under_test.status(clock.monotonic_ns())
    assert (told.incarnation, told.intents, told.unsent) == (2, 1, 0)


def test_the_recorder_keeps_quotes_and_says_what_it_missed(bus_dir: Path, opened: Keep) -> None:
    """Every quote with its incarnation and number, and every gap."""
    feed = opened(Publisher(bus_dir, "feed", 3))
    subscriber = opened(Subscriber(bus_dir, "feed", ["Q."]))
    records: list[Any] = []
    marks = RepairMarks()

    class Journal:
        @staticmethod
        def append(record: object) -> None:
            records.append(record)

    def observed() -> list[Observed]:
        feed.publish(quote(CU, 1, 2))
        recorder.record(subscriber, Journal, marks)  # type: ignore[arg-type]
        return [one for one in records if isinstance(one, Observed)]

    first = until(observed)[0]
    assert (first.incarnation, first.what.instrument_id) == (3, CU)
    name, seq = feed._topics[f"Q.{CU}"]
    feed._topics[f"Q.{CU}"] = (name, seq + 10)

    def missed() -> list[Missed]:
        observed()
        return [one for one in records if isinstance(one, Missed)]

    assert [one.first_seq for one in until(missed)] == [seq + 1]
    assert [(one.topic, one.incarnation, one.last_seq) for one in missed()] == [(f"Q.{CU}", 3, seq + 10)]


def test_the_recorder_keeps_what_proves_the_age_of_quotes(bus_dir: Path, opened: Keep) -> None:
    """Standings of clocks, our own clock, alarms of clocks and no others, the order sessions' clocks; and what came too
    late, marked as filled, which nobody who subscribes to quotes hears.
    """
    feed, execution = opened(Publisher(bus_dir, "feed", 3)), opened(Publisher(bus_dir, "execution", 4))
    subscribers = [
        opened(Subscriber(bus_dir, "feed", ["Q.", "L.", "C.", "HostClock.", "Alarm."])),
        opened(Subscriber(bus_dir, "execution", ["OrderSessions.", "Alarm."])),
    ]
    trader = opened(Subscriber(bus_dir, "feed", ["Q."]))
    records: list[Any] = []
    heard: list[str] = []

    class Journal:
        @staticmethod
        def append(record: object) -> None:
            records.append(record)

    clock_of = ("LME.md", True, 5, 6, 1, 2, 3, 4, 9, 0, 0, "half round trip", 77)

    def kept() -> set[str]:
        feed.publish(quote(CU, 1, 2))
        feed.publish_as(f"L.{CU}", quote(CU, 3, 4))
        feed.publish(ClockStatus(*clock_of))
        feed.publish(HostClock("adjtimex", True, 0, 5, 0, 99))
        feed.publish(Alarm(AlarmName.CLOCK, "LME.md", "stepped: by much"))
        feed.publish(Alarm(AlarmName.BAD_MESSAGE, "LME", "not of a clock"))
        execution.publish(OrderSessions(4, 1, (), (ClockStatus("LME.orders", *clock_of[1:]),)))
        marks = RepairMarks()
        for one in subscribers:
            recorder.record(one, Journal, marks)  # type: ignore[arg-type]
        heard.extend(one.topic for one in trader.poll())
        return {type(one.what).__name__ for one in records if isinstance(one, Observed)}

    until(lambda: kept() == {"Quote", "ClockStatus", "HostClock", "Alarm"} and heard)
    observed = [one for one in records if isinstance(one, Observed)]
    assert {one.what.key for one in observed if isinstance(one.what, ClockStatus)} <= {"LME.md", "LME.orders"}
    assert {one.what.name for one in observed if isinstance(one.what, Alarm)} == {AlarmName.CLOCK}
    late = [one for one in observed if one.filled]
    assert late
    assert all(isinstance(one.what, Quote) and one.what.bids[0][0] == 3 and one.repaired for one in late)
    assert all(one.what.bids[0][0] == 1 for one in observed if isinstance(one.what, Quote) and not one.filled)
    assert set(heard) == {f"Q.{CU}"}
