"""The trigger's process with its command socket: changes on record, over a kill, and no quote that fires twice."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from gateway.bus.rules import RulesClient
from gateway.bus.sockets import IntentReceiver, Publisher, Subscriber, prepare_bus_dir
from gateway.bus.topics import TriggerStatus
from gateway.journal.reader import read_run
from gateway.model.base import PRICE_E9
from gateway.model.order import Side
from gateway.model.quote import BookState, Quote
from gateway.model.record import Consumed, Heard, IntentMade, JournalRecord, QuotesTaken, RulesChanged, TriggerStarted
from gateway.model.rules import AskRules, ChangeRules, RulesInForce, RuleStanding, RuleStandingState
from gateway.model.site import RuleSpec
from gateway.model.trade import (
    CommandAnswered,
    ExecutionStatus,
    Intent,
    PairPosition,
    PairTradeChanged,
    PairTradeState,
)
from gateway.processes import cli, clock
from gateway.processes.settings import load_site
from gateway.processes.start import said_ready
from gateway.trigger.refeed import Refeed

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "sites" / "demo.toml"
CU, CA, FX = "SHFE.cu2609", "LME.CA3M", "LME.USDCNH"
TEXT = re.sub(r"max_quote_(age|skew)_ms = \d+", r"max_quote_\1_ms = 600000", DEMO.read_text(encoding="utf-8"))
"""No quote of a test is too old to be priced."""
RULE = load_site(DEMO).rules["cu-band"]
SECOND = 10**9
T = TypeVar("T")


def until(found: Callable[[], T | None], seconds: float = 20) -> T:
    end = time.monotonic() + seconds
    while (one := found()) is None or one is False:
        assert time.monotonic() < end, f"waited {seconds} s in vain"
    return one


class Rig:
    """A trigger process between a feed and an execution that are this test."""

    def __init__(self, folder: Path, bus_dir: Path) -> None:
        self.run_dir = folder / "state" / "run"
        self.bus_dir = bus_dir
        self.site = folder / "site.toml"
        self.write(TEXT)
        self.feed = Publisher(bus_dir, "feed", 3)
        self.execution = Publisher(bus_dir, "execution", 8)
        self.intents = IntentReceiver(bus_dir, 100)
        self.client = RulesClient(bus_dir)
        self.heard = Subscriber(bus_dir, "trigger", ["R.", "TriggerStatus."])
        self.standings: list[RuleStanding] = []
        self.beats = 0
        self.quotes: dict[tuple[str, int, int], Quote] = {}
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, text: str) -> None:
        """The site file, with this rig's sockets."""
        self.site.write_text(text.replace('bus_dir = ""', f'bus_dir = "{self.bus_dir}"'), encoding="utf-8")

    def start(self) -> None:
        (self.run_dir / "ready" / "trigger.json").unlink(missing_ok=True)
        words = ["--site", str(self.site), "--run-dir", str(self.run_dir), "--bus-dir", str(self.bus_dir)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CMC_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway.processes.trigger", *words], cwd=ROOT, env=environment
        )
        until(lambda: said_ready(self.run_dir, "trigger"))
        self.beats = 0
        self.heard.ask()
        self.wait(lambda: self.beats > 1)  # the second comes by the stream: from now on nothing is missed

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        for one in (self.feed, self.execution, self.intents, self.client, self.heard):
            one.close()

    def publish(self, *quotes: Quote) -> None:
        for one in quotes:
            self.feed.publish(one)
            seq = self.feed._topics[f"Q.{one.instrument_id}"][1]
            self.quotes[one.instrument_id, 3, seq] = one

    def serve(self) -> None:
        """Answer what the trigger asks feed and execution for, and take what it says."""
        self.feed.answer_snapshots()
        self.execution.answer_snapshots()
        for one in self.heard.poll(1):
            self.beats += isinstance(one.message, TriggerStatus)
            self.standings += [one.message] if isinstance(one.message, RuleStanding) else []

    def wait(self, done: Callable[[], object]) -> None:
        """Serve until it is so."""

        def served() -> bool | None:
            self.serve()
            return bool(done()) or None

        until(served)

    def intent(self, *quotes: Quote) -> Intent:
        """The next one, while these quotes are told again and again."""

        def received() -> Intent | None:
            self.publish(*quotes)
            self.serve()
            return self.intents.receive()

        return until(received)

    def ask(self, command: ChangeRules | AskRules) -> CommandAnswered | RulesInForce:
        self.client.send(command)

        def answered() -> CommandAnswered | RulesInForce | None:
            self.serve()
            return self.client.receive()

        return until(answered)

    def in_force(self) -> RulesInForce:
        answer = self.ask(AskRules("A"))
        assert isinstance(answer, RulesInForce)
        return answer

    def change(self, number: int, *rules: RuleSpec, removed: tuple[str, ...] = ()) -> CommandAnswered:
        answer = self.ask(ChangeRules(f"K{number}", "a person", "a test", rules, removed))
        assert isinstance(answer, CommandAnswered)
        return answer


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="cmc-") as folder:
        made = Rig(tmp_path, prepare_bus_dir(Path(folder) / "bus"))
        try:
            yield made
        finally:
            made.close()


def quote(name: str, bid_ticks: int) -> Quote:
    now_ns = clock.monotonic_ns()
    return Quote(name, BookState.OK, ((bid_ticks, 50),), ((bid_ticks + 1, 50),), now_ns, 0, now_ns, 1)


def status(*busy: str) -> ExecutionStatus:
    return ExecutionStatus(8, True, False, False, "full", 0, 0, (), clock.monotonic_ns(), busy)


def cheap() -> tuple[Quote, ...]:
    """The pair far below every threshold to buy."""
    return quote(CU, 7000), quote(CA, 19_500), quote(FX, 71_000)


def trade(intent: Intent, state: PairTradeState, hedged: int) -> PairTradeChanged:
    return PairTradeChanged(
        "T1", intent.intent_id, "CU-CA", intent.rule_id, Side.BUY, intent.units, hedged, state, (), 0, 0, False, 0,
        clock.monotonic_ns(),
    )  # fmt: skip


def test_killed_after_its_intent_the_trigger_does_not_fire_on_the_same_quotes(rig: Rig) -> None:
    """Killed, started again on the same books after the trade has ended: no intent until a leg has a newer quote."""
    rig.execution.publish(status())
    rig.execution.publish(PairPosition("CU-CA", "cu-band", 0))
    same = cheap()
    rig.start()
    intent = rig.intent(*same)
    rig.kill()
    rig.execution.publish(PairPosition("CU-CA", "cu-band", 1))
    rig.execution.publish(trade(intent, PairTradeState.HEDGED, 1))
    rig.execution.publish(status())
    rig.start()
    rig.wait(lambda: any(isinstance(one, Heard) for one in consumed(rig.run_dir)))
    rested_ns = clock.monotonic_ns() + RULE.cool_down_ns + SECOND // 5

    def looked_again() -> bool | None:
        rig.publish(*same)
        rig.serve()
        taken = [one for one in consumed(rig.run_dir) if isinstance(one, QuotesTaken) and one.looks]
        return (taken and taken[-1].at_ns > rested_ns) or None

    until(looked_again)
    assert rig.intents.receive() is None
    again = rig.intent(quote(CA, 19_500))
    assert again.rule_id == "cu-band"
    assert again.intent_id.startswith("I2-")
    assert [leg.recv_ns for leg in again.legs] != [leg.recv_ns for leg in intent.legs]


def consumed(run_dir: Path) -> list[object]:
    """Inputs of the newest incarnation."""
    found: list[object] = []
    for record in read_run(run_dir, "trigger", on_torn=lambda _torn: None):
        if isinstance(record, TriggerStarted):
            found = []
        elif isinstance(record, Consumed):
            found += record.inputs
    return found


def test_a_change_is_answered_once_told_on_record_and_survives_a_kill(rig: Rig) -> None:
    """Set, added, removed by command; the same id again is answered, not done; a refused one changes nothing; after a
    kill the trigger begins with the rules as they were left, and the edited file's conflict is told.
    """
    rig.start()
    lower = msgspec.structs.replace(RULE, buy_at_e9=-99_000 * PRICE_E9)
    other = msgspec.structs.replace(RULE, rule_id="other", sell_at_e9=None, buy_at_e9=-99_500 * PRICE_E9)
    assert rig.change(1, lower, other) == CommandAnswered(
        "K1", done=True, text="2 rule(s) set, 0 removed, 0 pair(s) changed"
    )
    assert rig.change(1, RULE) == CommandAnswered("K1", done=True, text="2 rule(s) set, 0 removed, 0 pair(s) changed")
    refused = rig.change(2, msgspec.structs.replace(lower, buy_at_e9=999 * PRICE_E9), removed=("nothing",))
    assert not refused.done
    assert "rule nothing" in refused.text
    assert rig.change(3, removed=("other",)).done
    found = rig.in_force()
    assert (found.rules, found.changed) == ((lower,), ("cu-band",))
    rig.wait(lambda: any(one.state is RuleStandingState.REMOVED for one in rig.standings))
    rig.kill()
    rig.write(TEXT.replace('buy_at = "-150"', 'buy_at = "-140"'))
    rig.start()
    found = rig.in_force()
    assert (found.rules, found.conflicts) == ((lower,), ("cu-band",))
    assert rig.change(1, RULE).done
    assert rig.in_force().rules == (lower,)
    changes = [one for one in read_run(rig.run_dir, "rules") if isinstance(one, RulesChanged)]
    assert [(one.command.command_id, one.answer.done) for one in changes] == [("K1", True), ("K2", False), ("K3", True)]


def test_an_immediate_rule_fires_at_its_arrival_and_its_life_is_told(rig: Rig) -> None:
    """A client's order that takes what is there: working, fired, and done with what its trade filled; its journal gives
    every evaluation and intent again.
    """
    rig.execution.publish(status())
    rig.start()
    away = msgspec.structs.replace(RULE, buy_at_e9=-99_999 * PRICE_E9)
    assert rig.change(1, away).done
    rig.publish(*cheap())
    rig.wait(lambda: any(isinstance(one, QuotesTaken) for one in consumed(rig.run_dir)))
    order = msgspec.structs.replace(RULE, rule_id="order", sell_at_e9=None, immediate=True, total_units=1)
    assert rig.change(2, order).done
    intent = rig.intent()
    assert (intent.rule_id, intent.units) == ("order", 1)
    rig.execution.publish(trade(intent, PairTradeState.HEDGED, 1))
    rig.wait(lambda: any(one.state is RuleStandingState.DONE for one in rig.standings))
    said = [(one.state.value, one.filled_units, one.leaves_units) for one in rig.standings if one.rule_id == "order"]
    assert said == [("fired", 0, 1), ("done", 1, 0)]
    rig.end()
    assert refed(rig.run_dir, rig.quotes) == [intent]


ASKED = ("--who", "a person", "--reason", "a test")


def test_a_person_looks_at_the_rules_and_changes_them(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    """`cmc rule`: shown, a key set, a mistake refused with its key, a new file compared, applied, and refused where it
    is different in more than rules and coefficients; in the language of the site.
    """
    rig.start()
    (rig.run_dir / "site.toml").write_text(rig.site.read_text(encoding="utf-8"), encoding="utf-8")

    def cmc(*words: str) -> tuple[int, str]:
        code = cli.main(["rule", *words])
        return code, capsys.readouterr().out

    site = str(rig.site)
    code, text = cmc("show", site)
    assert code == 0
    assert "rule cu-band: watched, filled 0, held 0, out 0, standing" in text
    assert "buy_at = -150" in text
    code, text = cmc("set", "cu-band", "buy_at=-120.5", "band.kind=rolling", "--site", site, *ASKED)
    assert code == 1
    assert "rule cu-band.band.length = missing" in text
    code, text = cmc("set", "cu-band", "buy_at=150", "--site", site, *ASKED)
    assert code == 1
    assert "rule cu-band.buy_at = 150: right would be below sell_at, 150" in text
    code, text = cmc("set", "cu-band", "buy_at=-120.5", "rearm=10", "--site", site, *ASKED)
    assert code == 0
    assert "~ rule cu-band: buy_at -150 -> -120.5" in text
    assert "~ rule cu-band: rearm none -> 10" in text
    code, text = cmc("show", site, "--json")
    (shown,) = json.loads(text)["rules"]
    assert (shown["buy_at"], shown["rearm"], shown["standing"]["state"]) == ("-120.5", "10", "working")
    rig.write(rig.site.read_text(encoding="utf-8").replace('sell_at = "150"', 'sell_at = "175"'))
    code, text = cmc("reload", site, "--dry-run", *ASKED)
    assert (code, rig.in_force().rules[0].sell_at_e9) == (0, 150 * PRICE_E9)
    code, text = cmc("reload", site, *ASKED)
    assert code == 0
    assert "~ rule cu-band: sell_at 150 -> 175" in text
    assert "~ rule cu-band: buy_at -120.5 -> -150" in text
    found = rig.in_force()
    assert ([one.sell_at_e9 for one in found.rules], found.changed) == ([175 * PRICE_E9], ())
    rig.write(rig.site.read_text(encoding="utf-8").replace("max_orders_per_s = 50", "max_orders_per_s = 60"))
    code, text = cmc("reload", site, *ASKED)
    assert code == 1
    assert "limits = another value: right would be as it is: it changes with a restart only" in text
    rig.write(rig.site.read_text(encoding="utf-8").replace('language = "en"', 'language = "zh"'))
    code, text = cmc("show", site)
    assert "监视中" in text
    code, text = cmc("remove", "cu-band", site, *ASKED)
    assert (code, rig.in_force().rules) == (0, ())


def refed(run_dir: Path, quotes: dict[tuple[str, int, int], Quote]) -> list[Intent]:
    """The intents of a run whose journal gives all of it again."""
    made: list[Intent] = []
    fed: Refeed | None = None
    records: Iterator[JournalRecord] = read_run(run_dir, "trigger")
    for record in records:
        if isinstance(record, TriggerStarted):
            fed = Refeed(record, lambda *key: quotes.get(key))
        elif isinstance(record, Consumed):
            assert fed is not None
            assert [found for one in record.inputs if (found := fed.take(one)) is not None] == []
            made += [one.intent for one in record.inputs if isinstance(one, IntentMade)]
    return made
