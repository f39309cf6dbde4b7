"""The promise's comparison: what was fixed before, that each contender does as is said of it, that all count alike."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from math import exp
from pathlib import Path

import pytest

from acceptance.statistics import Interval
from benchmarks import promise
from benchmarks.promise_account import judge, outcome
from benchmarks.promise_desks import Desk, Opened, Oracle, People, Program
from benchmarks.promise_gateway import Gateway
from benchmarks.promise_market import MS, SECOND, Day, Delays
from benchmarks.promise_parameters import ParametersError, load, quantile
from benchmarks.promise_play import CONTENDERS, one_seed
from benchmarks.promise_report import raw, verdict
from benchmarks.promise_slice import Book, Seen, leg_sign
from benchmarks.promise_world import Fill, Line, Once, Opportunity, Watcher, World
from gateway.model.trade import Intent
from simulators.core.network import NETWORK_PROFILES, Link
from simulators.core.values import NewOrder

SECONDS = 240


@pytest.fixture(scope="module")
def day() -> Day:
    """Four minutes of one seed."""
    return Day(load(), 3, SECONDS)


class Noted(World):
    """A world that keeps when each order left."""

    def __init__(self, day: Day, make: type[Desk] | type[Gateway]) -> None:
        self.left: dict[str, list[tuple[int, int, NewOrder]]] = defaultdict(list)
        super().__init__(day, make)

    def send(self, now_ns: int, trade: str, leg: int, order: NewOrder) -> None:
        self.left[trade].append((now_ns, leg, order))
        super().send(now_ns, trade, leg, order)


def ran(day: Day, make: type[Desk] | type[Gateway]) -> Noted:
    world = Noted(day, make)
    world.run()
    return world


def test_what_was_fixed_before_the_first_result() -> None:
    """The figures of the brief: two people, one program, what has to be reached."""
    parameters = load()
    people = {key: parameters.get("people", key) for key in ("quote_delay_ms", "reaction_median_ms", "reaction_p95_ms")}
    assert people == {"quote_delay_ms": 120, "reaction_median_ms": 800, "reaction_p95_ms": 2000}
    assert parameters.tables["reach"] == {
        "more_caught": 0.50,
        "less_slippage": 0.30,
        "less_failure": 0.30,
        "fewer_actions": 0.66,
        "of_oracle": 0.95,
    }
    assert parameters.get("market", "seeds") >= 30
    assert parameters.get("oracle", "processing_ns") == 0


def test_reactions_have_the_median_and_the_95th_percentile_that_were_set() -> None:
    """A lognormal law by its two figures; a slower person is slower throughout."""
    mean, deviation = load().reaction
    assert exp(mean) == pytest.approx(800e6)
    assert exp(mean + 1.6448536269514722 * deviation) == pytest.approx(2000e6)
    slower = load().changed_to("people.reaction_median_ms", 1600).reaction
    assert exp(slower[0]) == pytest.approx(1600e6)
    assert slower[1] == deviation


def test_a_parameter_that_does_not_exist_is_refused() -> None:
    """A row of the sensitivity table never runs the base case under another name."""
    with pytest.raises(ParametersError, match=r"promise\.toml: people\.patience is missing"):
        load().changed_to("people.patience", 3)
    assert quantile([[0.0, 10], [0.5, 20], [1.0, 40]], 0.75) == 30


def test_the_price_of_a_slice_is_the_gateways(day: Day) -> None:
    """Written twice, by two ways of computing: equal at every intent of a day, to the last 1e-9."""
    seen: list[tuple[int, int]] = []

    class Asked(Gateway):
        def _intent_arrives(self, now_ns: int, intent: Intent, seen_ns: int) -> None:
            known = len(self.opened)
            super()._intent_arrives(now_ns, intent, seen_ns)
            if len(self.opened) > known:
                seen.append((intent.pair_px_e9, day.slice.price_e9(self.opened[-1].seen)))

    ran(day, Asked)
    assert len(seen) > 10
    assert [ours for ours, _ in seen] == [theirs for _, theirs in seen]


def test_a_quote_that_is_not_looked_at_further_does_not_meet_the_rule(day: Day) -> None:
    """The best levels alone decide only where no walk could: what is met is met by the whole look."""
    counted = {"met": 0, "not": 0}

    class Compared(Watcher):
        def on_quote(self, now_ns: int, instrument_id: str, book: Book, sent_ns: int) -> None:
            super().on_quote(now_ns, instrument_id, book, sent_ns)
            if len(self._books) == 3:
                whole = [seen for side in (1, -1) if (seen := day.slice.look(side, self._books)) and meets(day, seen)]
                assert day.slice.met(self._books) == (whole[0] if whole else None)
                counted["met" if whole else "not"] += 1

    World(day, Compared).run()
    assert min(counted.values()) > 50


def meets(day: Day, seen: Seen) -> bool:
    """By the rule's own thresholds."""
    price_e9 = day.slice.price_e9(seen)
    buy, sell = day.rule.buy_at_e9, day.rule.sell_at_e9
    assert buy is not None
    assert sell is not None
    return price_e9 <= buy if seen.side > 0 else price_e9 >= sell


def test_delays_are_those_of_the_link() -> None:
    """Drawn once for all worlds of a day, they make the same arrivals as the simulator's own link, in order."""
    way = NETWORK_PROFILES["shanghai-london"].to_client
    sent = [number * 3 * MS for number in range(3000)]
    link, delays = Link(way, 7, "LME.quotes"), Delays(way, 7, "LME.quotes")
    expected = [link.arrival_ns(at_ns) for at_ns in sent]
    for line in (Line(delays), Line(delays)):
        assert [line.arrival_ns(at_ns) for at_ns in sent] == expected
    assert any(later == earlier for earlier, later in pairwise(expected))


def test_slippage_is_the_engines(day: Day) -> None:
    """Counted from the venues' fills, it is what execution announced, to the rounding of a tick's value."""
    world = ran(day, Gateway)
    gateway = world.contender
    assert isinstance(gateway, Gateway)
    fills = defaultdict(list)
    for fill in world.fills:
        fills[fill.trade].append(fill)
    assert len(gateway.opened) > 10
    for one in gateway.opened:
        counted = outcome(day, one, fills[one.trade]).slippage_e9
        assert abs(counted - gateway.last[one.trade].slippage_e9) < 10_000_000, one


def test_the_same_seed_gives_the_same_day(day: Day) -> None:
    """Every contender, every figure."""
    again = Day(load(), 3, SECONDS)
    for make in (People, Program, Oracle, Gateway):
        found = [judge(one, world.contender, world, []) for one in (day, again) for world in [ran(one, make)]]  # type: ignore[arg-type]
        assert found[0] == found[1]
        assert found[0].dispatched > 5


def test_people_send_one_leg_after_the_other_and_need_a_reaction_for_each(day: Day) -> None:
    """The second leg leaves later than the first one's fill could be on the screen, by a reaction of its own."""
    world = ran(day, People)
    assert len(world.left) > 5
    gaps = []
    for orders in world.left.values():
        assert [leg for _, leg, _ in orders[:2]] == [1, 0]
        gaps.append(orders[1][0] - orders[0][0])
    # There and back to the farther venue takes 179 ms at least.
    assert min(gaps) > 179 * MS + 100 * MS
    assert sorted(gaps)[len(gaps) // 2] > 700 * MS


def test_people_see_quotes_120_ms_late(day: Day) -> None:
    """Each book reaches the desk so much after it arrived."""
    arrivals: dict[int, int] = {}
    shown: list[int] = []

    class Looking(People):
        def on_quote(self, now_ns: int, instrument_id: str, book: object, sent_ns: int) -> None:
            arrivals[id(book)] = now_ns
            super().on_quote(now_ns, instrument_id, book, sent_ns)  # type: ignore[arg-type]

    world = World(day, Looking)
    taken = world.at

    def at(at_ns: int, call: object, *what: object) -> None:
        if getattr(call, "__name__", "") == "on_quote" and len(what) == 3 and at_ns - world.now_ns == 120 * MS:
            shown.append(at_ns)
        taken(at_ns, call, *what)  # type: ignore[arg-type]

    world.at = at  # type: ignore[method-assign]
    world.run()
    assert len(shown) > 1000


def test_the_program_sends_the_passive_leg_when_the_active_one_is_filled(day: Day) -> None:
    """Not before its report, and at once after it: within the processing time that it shares with the gateway."""
    world = ran(day, Program)
    gaps = []
    for orders in world.left.values():
        legs = [leg for _, leg, _ in orders]
        assert legs == sorted(legs, reverse=True)
        if len(orders) == 2:
            gaps.append(orders[1][0] - orders[0][0])
    assert min(gaps) > 179 * MS
    assert max(gaps) < 400 * MS


def test_the_oracle_and_the_gateway_send_both_legs_at_once(day: Day) -> None:
    """The oracle at the instant of the quote, the gateway after its processing time."""
    for make, shortest_ns, longest_ns in ((Oracle, 0, 0), (Gateway, 700_000, 6_000_000)):
        world = ran(day, make)
        opened = {one.trade: one.at_ns for one in world.contender.opened}  # type: ignore[attr-defined]
        assert len(opened) > 10
        for trade, orders in world.left.items():
            assert orders[0][0] == orders[1][0]
            assert {orders[0][1], orders[1][1]} == {0, 1}
            assert shortest_ns <= orders[0][0] - opened[trade] <= longest_ns


SEEN = Seen(1, (7_800 * 10**9, 19_500 * 10**9), (7_800, 19_500), 71_000)


def fill(at_ms: int, leg: int, lots: int, px_ticks: int) -> Fill:
    """Lots in the direction of the pair trade; negative: taken back."""
    sign = leg_sign(1, leg) * (1 if lots > 0 else -1)
    return Fill(at_ms * MS, "T", leg, sign, abs(lots), px_ticks)


OUTCOMES = """
fills at ms: leg lots ticks                                  | units | balanced | slippage | legged ms | complete
0: 0 5 7800, 0: 1 1 19500                                    | 1     | yes      | 0        | 0         | yes
0: 0 5 7801, 90: 1 1 19500                                   | 1     | yes      | 250      | 90        | yes
0: 0 5 7800, 90: 1 1 19498                                   | 1     | yes      | 177.5    | 90        | yes
0: 0 3 7800, 10: 1 1 19500, 500: 0 2 7802                    | 1     | yes      | 200      | 500       | yes
0: 0 5 7800, 3001: 1 1 19500                                 | 1     | yes      | 0        | 3001      | no
0: 0 5 7921, 90: 1 1 19500                                   | 1     | yes      | 30250    | 90        | no
0: 1 1 19500, 2000: 1 -1 19504                               | 0     | yes      | 355      | 2000      | no
                                                             | 0     | yes      | 0        | 0         | no
""".strip("\n").splitlines()[1:]


@pytest.mark.parametrize("row", OUTCOMES)
def test_a_pair_trade_is_counted_from_its_fills(day: Day, row: str) -> None:
    """A tick of five domestic lots is 250 CNY, of one overseas lot 88.75 at 7.1."""
    cells = [cell.strip() for cell in row.split("|")]
    fills = []
    for part in filter(None, cells[0].split(", ")):
        at_ms, _, words = part.partition(": ")
        fills.append(fill(int(at_ms), *(int(word) for word in words.split())))
    found = outcome(day, Opened("T", 0, SEEN), fills)
    told = [str(found.units), "yes" if found.balanced else "no", f"{found.slippage_e9 / 1e9:g}"]
    told += [str(found.legged_ns // MS), "yes" if found.complete else "no"]
    assert told == cells[1:]


def test_what_is_left_open_is_legged_to_the_end(day: Day) -> None:
    """It is no hedged unit, and its time goes on to the end of the tape."""
    found = outcome(day, Opened("T", 0, SEEN), [fill(1000, 1, 1, 19_500)])
    assert (found.units, found.balanced, found.complete) == (0, False, False)
    assert found.legged_ns == day.tape.duration_ns - SECOND


def test_an_opportunity_is_caught_once_and_only_on_its_own_side(day: Day) -> None:
    """Two trades on one stretch are one; one on the other side, or before any, is none."""
    world = World(day, Watcher)
    good = [fill(0, 0, 5, 7800), fill(0, 1, 1, 19500)]
    desk = Desk(world)
    desk.name = "program"
    for number, at_ms in enumerate((50, 150, 160, 450)):
        desk.opened.append(Opened(f"T{number}", at_ms * MS, SEEN))
        world.fills += [one._replace(trade=f"T{number}") for one in good]
    found = judge(day, desk, world, [Opportunity(100 * MS, 200 * MS, 1), Opportunity(300 * MS, 400 * MS, -1)])
    assert (found.opportunities, found.caught, found.dispatched, found.hedged) == (2, 1, 4, 4)


def test_a_rule_fires_once_on_each_opportunity(day: Day) -> None:
    """Again when it was not met for a second, or on the other side; with the setting off whenever it is met."""
    once = Once(day)
    assert once.look(0, 1)
    once.fired(0, 1)
    assert [once.look(ms * MS, side) for ms, side in ((100, 1), (900, 0), (1000, 1), (1900, 0))] == [False] * 4
    assert once.look(2000 * MS, 1)
    once.fired(2000 * MS, 1)
    assert once.look(2001 * MS, -1)
    free = Once(Day(load().changed_to("market.once_per_opportunity", value=False), 3, 1))
    free.fired(0, 1)
    assert free.look(1, 1)


VERDICTS = """
value | low  | high | aim  | verdict
0.60  | 0.55 | 0.65 | 0.50 | reached
0.52  | 0.45 | 0.60 | 0.50 | not shown
0.48  | 0.45 | 0.60 | 0.50 | NOT REACHED
0.40  | 0.35 | 0.45 | 0.50 | NOT REACHED
"""


@pytest.mark.parametrize("row", VERDICTS.strip("\n").splitlines()[1:])
def test_an_aim_is_reached_by_the_whole_interval(row: str) -> None:
    """A value beyond the aim whose interval is not proves nothing; one below it is not reached."""
    value, low, high, aim, words = (cell.strip() for cell in row.split("|"))
    assert verdict(Interval(float(value), float(low), float(high)), float(aim)) == words


def test_the_command_prints_every_aim_and_writes_every_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two short days without the sensitivity table."""
    path = tmp_path / "promise.json"
    words = ["--seeds", "2", "--day-s", "120", "--workers", "1", "--no-sensitivity", "--json", str(path)]
    assert promise.main(words) == 0
    said = capsys.readouterr().out
    for aim in (
        "more caught than two people",
        "less slippage than two people",
        "less failure than two people",
        "fewer actions than two people",
        "caught: better than one program",
        "legged: better than one program",
        "caught of what the oracle caught",
    ):
        assert aim in said
    assert path.read_text(encoding="utf-8").count('"dispatched"') == 2 * 4


def test_the_sensitivity_table_has_a_row_for_each_value() -> None:
    """One parameter at a time, each contender beside the others."""
    parameters = load().changed_to("sensitivity.seeds", 1).changed_to("sensitivity.day_s", 20)
    rows = [
        value for values in parameters.tables["sensitivity"].values() if isinstance(values, list) for value in values
    ]
    with ThreadPoolExecutor(1) as pool:
        table, kept = promise.sensitivity(pool, parameters)  # type: ignore[arg-type]
    assert len(kept) == len(rows) == len(table.splitlines()) - 2


def test_a_row_runs_again_only_whom_its_parameter_reaches() -> None:
    """What it leaves as it was is what a run of everything gives: people know nothing of the program's timer."""
    parameters = load().changed_to("sensitivity.seeds", 1).changed_to("sensitivity.day_s", 60)
    for name, value in (("program.retry_ms", 5000), ("gateway.processing_times", 10), ("people.quote_delay_ms", 0)):
        one = parameters.changed_to(name, value)
        only = {"seeds": 1, "day_s": 60, name: [value]}
        tables = {**parameters.tables, "sensitivity": only}
        with ThreadPoolExecutor(1) as pool:
            _, kept = promise.sensitivity(pool, parameters._replace(tables=tables))  # type: ignore[arg-type]
        first = parameters.get("market", "first_seed")
        whole = one_seed(one, first, 60, tuple(CONTENDERS))
        assert kept[0]["days"] == raw([whole])
