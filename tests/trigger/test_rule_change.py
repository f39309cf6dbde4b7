"""A rule that is changed in flight behaves as one that a restart would begin with; quotes fire no rule twice."""

from random import Random

import msgspec
import pytest
from rule_lives import Desk, Event, Given, draw_quote, draw_rule, first_quotes, made, new_core, tell
from test_trigger_core import PLAIN, T, book, changed, core, shoot, status
from trigger_values import DOMESTIC, INSTRUMENTS, SILENCE_NS, THIRD, e9, leg, pair, rule

from gateway.model.quote import BookState, Quote
from gateway.model.record import SamplesLoaded, Ticked
from gateway.model.rules import ChangeRules, RuleMemory
from gateway.model.site import RuleSpec
from gateway.model.trade import Intent, PairTradeState
from gateway.processes.last_intents import remembering
from gateway.trigger.core import TriggerCore
from gateway.trigger.rulebook import carried

SEEDS = range(120)


def life(draw: Random, core: TriggerCore, desk: Desk, begin_ns: int, steps: int) -> tuple[list[Given], list[Intent]]:
    """So many drawn steps from `begin_ns`; all that was told, and the intents."""
    told: list[Given] = []
    intents: list[Intent] = []
    at_ns = begin_ns
    for _ in range(steps):
        at_ns += draw.randrange(1, 30)
        events: list[Event]
        match draw.randrange(8):
            case 0:
                events = [desk.beats(at_ns)]
            case 1:
                events = desk.ends()
            case 2:
                events = [Ticked(at_ns)]
            case _:
                events = [draw_quote(draw, at_ns)]
        while events:
            given = Given(at_ns, events.pop(0))
            told.append(given)
            for intent in made(tell(core, given), at_ns):
                intents.append(intent)
                events += desk.takes(intent, at_ns)
    return told, intents


def follow(core: TriggerCore, told: list[Given]) -> list[Intent]:
    """The intents of a core that is told the same."""
    return [intent for given in told for intent in made(tell(core, given), given.at_ns)]


def newest(told: list[Given]) -> list[Quote]:
    found = {one.what.instrument_id: one.what for one in told if isinstance(one.what, Quote)}
    return list(found.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_changing_a_rule_in_flight_equals_restarting_with_it(seed: int) -> None:
    """Changed at a drawn moment of a drawn life: from there on the same intents as of a trigger that begins with the
    new rule, what the old one remembers, the same samples, the newest quotes and execution's last words.
    """
    draw = Random(seed)  # noqa: S311 drawn lives, not secrets
    old, new = draw_rule(draw), draw_rule(draw)
    one = new_core((old,))
    desk = Desk(draw)
    before = [*first_quotes(), Given(T, desk.beats(T))]
    for given in before:
        tell(one, given)
    told, _ = life(draw, one, desk, T, draw.randrange(80))
    at_ns = told[-1].at_ns + 1 if told else T + 1
    memories = one.rules.memories()
    one.on_tick(at_ns)
    samples = tuple(_samples(one, new))
    again = new_core((new,), _carried(memories, old, new))
    again.on_tick(at_ns)
    if new.band is not None:
        again.on_samples(SamplesLoaded(at_ns, "P", new.band.interval_ns, samples))
    for word in desk.last_words(at_ns):
        again.on_execution(word, at_ns)
    restarted = made(again.on_quotes(newest(before + told), at_ns), at_ns)
    changed = made(one.change(ChangeRules("K", "w", "r", (new,)), at_ns), at_ns)
    assert changed == restarted
    answers = [Given(at_ns, word) for intent in changed for word in desk.takes(intent, at_ns)]
    assert follow(one, answers) == follow(again, answers) == []
    rest, intents = life(draw, one, desk, at_ns, 80)
    assert follow(again, rest) == intents


def _samples(core: TriggerCore, spec: RuleSpec) -> list[tuple[int, int]]:
    """What the record would hold for the band: the samples that the running trigger took."""
    sampler = core.rules._samplers.get(("P", spec.band.interval_ns)) if spec.band is not None else None
    return [] if sampler is None else [(0, sample) for sample in sampler.kept]


def _carried(memories: tuple[RuleMemory, ...], old: RuleSpec, new: RuleSpec) -> list[RuleMemory]:
    return [found for one in memories if (found := carried(one, old, new)) is not None]


def test_the_drawn_lives_change_rules_that_matter() -> None:
    """Of the lives above a good part has intents before and after the change: the test is not empty."""
    busy = 0
    for seed in SEEDS:
        draw = Random(seed)  # noqa: S311
        old, new = draw_rule(draw), draw_rule(draw)
        one, desk = new_core((old,)), Desk(draw)
        for given in [*first_quotes(), Given(T, desk.beats(T))]:
            tell(one, given)
        told, before = life(draw, one, desk, T, draw.randrange(80))
        at_ns = told[-1].at_ns + 1 if told else T + 1
        changed = made(one.change(ChangeRules("K", "w", "r", (new,)), at_ns), at_ns)
        for intent in changed:
            desk.takes(intent, at_ns)
        busy += bool(before) and bool(life(draw, one, desk, at_ns, 80)[1])
    assert busy > len(SEEDS) // 4


@pytest.mark.parametrize("seed", range(150))
def test_no_quotes_fire_a_rule_twice_over_restarts(seed: int) -> None:
    """A trigger that is killed at drawn moments, having kept what it remembered some while ago, and starts on the newest
    quotes, execution's last words and execution's journal: no two intents of a rule were made of the same quotes.
    """
    draw = Random(seed)  # noqa: S311
    rules = (draw_rule(draw, "R"), draw_rule(draw, "S"))
    one, desk = new_core(rules), Desk(draw)
    told = [*first_quotes(), Given(T, desk.beats(T))]
    for given in told:
        tell(one, given)
    at_ns = T
    for _ in range(8):
        kept = one.rules.memories()
        more, _ = life(draw, one, desk, at_ns, draw.randrange(1, 15))
        told += more
        at_ns = told[-1].at_ns + draw.randrange(1, 3)
        one = new_core(rules, [_recalled(memory, desk.seen) for memory in kept])
        for word in desk.last_words(at_ns):
            one.on_execution(word, at_ns)
        for intent in made(one.on_quotes(newest(told), at_ns), at_ns):
            told += [Given(at_ns, word) for word in desk.takes(intent, at_ns)]
            for given in told[-1:]:
                tell(one, given)
    seen = [(one.rule_id, tuple(sorted((leg.instrument_id, leg.recv_ns) for leg in one.legs))) for one in desk.seen]
    assert len(set(seen)) == len(seen)


def _recalled(memory: RuleMemory, seen: list[Intent]) -> RuleMemory:
    for intent in seen:
        if intent.rule_id == memory.rule_id:
            memory = remembering(memory, intent)
    return memory


def test_a_change_fires_on_the_quotes_that_are_there() -> None:
    """A threshold that is moved to where the price is does not wait for another quote."""
    one = core(rule("-25"))
    one.on_quote(book(DOMESTIC, 97, 98), T)
    intents = made(one.change(ChangeRules("K", "w", "r", (rule("-15"),)), T + 1), T + 1)
    assert [(intent.rule_id, intent.pair_px_e9) for intent in intents] == [("R", e9("-20"))]


def test_a_change_of_charges_moves_the_price_at_once() -> None:
    """The pair is priced with its new coefficient from the event of the change on, its rules keep their state."""
    one = core(rule("-25", cool_down_ns=1000))
    one.on_quote(book(DOMESTIC, 97, 98), T)
    dearer = pair(leg(DOMESTIC), leg(THIRD), charges="-7")
    intents = made(one.change(ChangeRules("K", "w", "r", pairs=(dearer,)), T + 1), T + 1)
    assert [intent.pair_px_e9 for intent in intents] == [e9("-27")]
    assert one.pairs() == (dearer,)
    one.change(ChangeRules("L", "w", "r", pairs=(PLAIN,)), T + 2)
    assert [price.buy_px_e9 for price in one.changed_prices()] == [e9("-20")]
    assert shoot(one, book(DOMESTIC, 96, 97, recv_ns=T + 3), T + 3) == []  # its intent is still out


def test_a_changed_pair_keeps_its_place_among_the_pairs_of_an_instrument() -> None:
    """Wishes of one quote come in the order of the site file, also after a change."""
    pairs = tuple(pair(leg(DOMESTIC), leg(THIRD), pair_id=name) for name in ("P", "Q"))
    one = core(rule("-15"), rule("-15", rule_id="S", pair_id="Q"), pairs=pairs)
    one.change(ChangeRules("K", "w", "r", pairs=(pair(leg(DOMESTIC), leg(THIRD), charges="1"),)), T)
    assert [intent.pair_id for intent in shoot(one, book(DOMESTIC, 97, 98))] == ["P", "Q"]


def test_a_changed_pair_minds_what_is_unusable() -> None:
    """A leg in a gap when the pair is changed still stands in the way, and no more when it is back."""
    one = core(rule("-15"))
    one.on_quote(book(THIRD, 100, 101, state=BookState.GAP), T)
    one.change(ChangeRules("K", "w", "r", pairs=(pair(leg(DOMESTIC), leg(THIRD), charges="1"),)), T)
    assert shoot(one, book(DOMESTIC, 97, 98)) == []
    assert [intent.pair_px_e9 for intent in shoot(one, book(THIRD, 103, 104))] == [e9("980") - e9("1030") + e9("1")]


def test_a_change_that_is_refused_by_an_error_changes_nothing() -> None:
    """A pair that cannot be computed raises before any rule of the same command is in force."""
    one = core(rule("-15"))
    broken = msgspec.structs.replace(PLAIN, legs=(msgspec.structs.replace(PLAIN.legs[0], instrument_id="NO.NE"),))
    with pytest.raises(KeyError):
        one.change(ChangeRules("K", "w", "r", rules=(rule("-25"),), pairs=(broken,)), T)
    assert one.rules.specs() == (rule("-15"),)
    assert len(shoot(one, book(DOMESTIC, 97, 98))) == 1


def test_a_restart_starts_with_what_is_out() -> None:
    """An intent that nobody has spoken of is waited for as before the restart: until its silence is over."""
    spec = rule("-15", cool_down_ns=0)
    one = core(spec)
    shoot(one, book(DOMESTIC, 97, 98))
    again = TriggerCore((PLAIN,), (spec,), INSTRUMENTS, silence_ns=SILENCE_NS, memories=one.rules.memories())
    assert again.rules.machines["R"].is_out
    assert again.rules.machines["R"].intent_id == f"I{T}"


def test_a_restart_goes_on_cooling_down() -> None:
    """The cool-down counts from the end of the trade, not from the restart, and is not lost with it."""
    spec = rule("-15", cool_down_ns=100)
    one = core(spec)
    shoot(one, book(DOMESTIC, 97, 98))
    one.on_execution(changed(f"I{T}", PairTradeState.HEDGED), T + 10)
    again = TriggerCore((PLAIN,), (spec,), INSTRUMENTS, silence_ns=SILENCE_NS, memories=one.rules.memories())
    again.on_execution(status(at_ns=T + 11), T + 11)
    again.on_quote(book(THIRD, 100, 101), T + 11)
    assert shoot(again, book(DOMESTIC, 97, 98, recv_ns=T + 109), T + 109) == []
    assert len(shoot(again, book(DOMESTIC, 97, 98, recv_ns=T + 110), T + 110)) == 1


def test_a_restart_still_waits_for_the_price_to_come_back() -> None:
    """A side that fired before the restart needs the price to have been away after it."""
    spec = msgspec.structs.replace(rule("-15", cool_down_ns=0), rearm_e9=e9("10"))
    one = core(spec)
    shoot(one, book(DOMESTIC, 97, 98))
    one.on_execution(changed(f"I{T}", PairTradeState.HEDGED), T + 1)
    again = TriggerCore((PLAIN,), (spec,), INSTRUMENTS, silence_ns=SILENCE_NS, memories=one.rules.memories())
    again.on_execution(status(at_ns=T + 2), T + 2)
    again.on_quote(book(THIRD, 100, 101), T + 2)
    assert shoot(again, book(DOMESTIC, 97, 98, recv_ns=T + 3), T + 3) == []
    assert shoot(again, book(DOMESTIC, 100, 101, recv_ns=T + 4), T + 4) == []
    assert len(shoot(again, book(DOMESTIC, 97, 98, recv_ns=T + 5), T + 5)) == 1
