"""What a trigger starts with: the file, the commands of earlier lives, what each rule remembers, and every conflict."""

from pathlib import Path

import msgspec
import pytest

from gateway.journal.frame import FrameEncoder
from gateway.journal.reader import journal_path
from gateway.journal.writer import JournalWriter
from gateway.model.base import PRICE_E9
from gateway.model.record import JournalOpened, JournalRecord, RulesBase, RulesChanged, TriggerStarted
from gateway.model.rules import ChangeRules, RuleMemory
from gateway.model.site import PairSpec, RuleSpec
from gateway.model.trade import CommandAnswered
from gateway.processes.rules_journal import InForce, in_force, read_kept
from gateway.processes.settings import load_site

SITE = load_site(Path(__file__).parents[2] / "sites" / "demo.toml")
PAIR = SITE.pairs["CU-CA"]
A = SITE.rules["cu-band"]
B = msgspec.structs.replace(A, rule_id="b", buy_at_e9=-300 * PRICE_E9, sell_at_e9=None)
BOOT = "boot-1"


def at(spec: RuleSpec, buy_at: int) -> RuleSpec:
    return msgspec.structs.replace(spec, buy_at_e9=buy_at * PRICE_E9)


def command(number: int, *rules: RuleSpec, removed: tuple[str, ...] = (), **more: object) -> ChangeRules:
    made = ChangeRules(f"K{number}", "a person", "a test", rules, removed)
    return msgspec.structs.replace(made, **more)


def done(command: ChangeRules) -> RulesChanged:
    return RulesChanged(1, command, CommandAnswered(command.command_id, done=True, text=""))


def write(run_dir: Path, incarnation: int, *records: JournalRecord, boot_id: str = BOOT) -> None:
    path = journal_path(run_dir, "rules", incarnation)
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = JournalOpened("rules", incarnation, "host", boot_id, 1, 2, "v", "digest")
    journal = JournalWriter(path, opened, fdatasync_interval_ns=10**9, sync_before_send=False, min_free_bytes=0)
    for record in records:
        journal.append(record)
    journal.close()


def began(*rules: RuleSpec, base: tuple[RuleSpec, ...] | None = None) -> tuple[JournalRecord, JournalRecord]:
    started = TriggerStarted(1, 1, (), (PAIR,), rules, ())
    return started, RulesBase("digest", rules if base is None else base, (PAIR,), (), ())


def begin(run_dir: Path, *rules: RuleSpec, pairs: tuple[PairSpec, ...] = (PAIR,), boot_id: str = BOOT) -> InForce:
    """What a start with this file begins with."""
    by_id = {one.rule_id: one for one in rules}
    return in_force(read_kept(run_dir), by_id, {one.pair_id: one for one in pairs}, SITE.instruments, "digest", boot_id)


def test_without_a_journal_the_file_is_in_force(tmp_path: Path) -> None:
    """Nothing was changed, nothing is told."""
    found = begin(tmp_path, A, B)
    assert (list(found.rules.values()), found.memories, found.conflicts, found.told) == ([A, B], (), (), ())


def test_a_changed_rule_stays_changed_and_an_untouched_one_follows_the_file(tmp_path: Path) -> None:
    """A set by command; B edited in the file: A as commanded, B as edited, no conflict."""
    write(tmp_path, 1, *began(A, B), done(command(1, at(A, -200))))
    found = begin(tmp_path, A, at(B, -400))
    assert found.rules == {"cu-band": at(A, -200), "b": at(B, -400)}
    assert found.conflicts == ()


def test_a_refused_command_changed_nothing(tmp_path: Path) -> None:
    """Its record is there, with its answer."""
    asked = command(1, at(A, -200))
    write(tmp_path, 1, *began(A), RulesChanged(1, asked, CommandAnswered("K1", done=False, text="no")))
    assert begin(tmp_path, A).rules == {"cu-band": A}
    kept = read_kept(tmp_path)
    assert kept is not None
    assert [(one.command_id, one.done) for one in kept.base.answers] == [("K1", False)]


def test_a_rule_added_stays_and_a_rule_removed_stays_away(tmp_path: Path) -> None:
    """Neither is as the file has it."""
    write(tmp_path, 1, *began(A), done(command(1, B)), done(command(2, removed=("cu-band",))))
    found = begin(tmp_path, A)
    assert (found.rules, found.base.removed) == ({"b": B}, ("cu-band",))


def test_a_conflict_with_an_edited_file_is_told_and_the_command_counts(tmp_path: Path) -> None:
    """Both versions are someone's wish: the one that is traded now goes on, and a person hears of it."""
    write(tmp_path, 1, *began(A), done(command(1, at(A, -200))))
    found = begin(tmp_path, at(A, -500))
    assert (found.rules, found.conflicts) == ({"cu-band": at(A, -200)}, ("cu-band",))
    assert "as a command left it" in found.told[0]


def test_the_file_of_a_reload_is_the_file_to_compare_with(tmp_path: Path) -> None:
    """After it the rules in force are the file's again: an edit of them later is followed, a client's rule stays."""
    reload = command(2, at(A, -250), base_digest="new", base_rules=("cu-band",))
    write(tmp_path, 1, *began(A), done(command(1, B)), done(reload))
    found = begin(tmp_path, at(A, -260))
    assert (found.rules, found.conflicts) == ({"cu-band": at(A, -260), "b": B}, ())


def test_coefficients_of_a_pair_stay_changed(tmp_path: Path) -> None:
    """The command's charges on the file's pair, whatever else was edited there."""
    dearer = msgspec.structs.replace(PAIR, charges_e9=5)
    write(tmp_path, 1, *began(A), done(command(1, pairs=(dearer,))))
    edited = msgspec.structs.replace(PAIR, max_units=4)
    found = begin(tmp_path, A, pairs=(edited,))
    assert found.pairs == {"CU-CA": msgspec.structs.replace(edited, charges_e9=5)}
    assert found.conflicts == ("CU-CA",)


def test_a_rule_of_the_edited_file_that_contradicts_a_command_is_not_watched(tmp_path: Path) -> None:
    """It would trade against the one that is in force; that one goes on, and both are told."""
    write(tmp_path, 1, *began(A), done(command(1, at(A, 100))))
    seller = msgspec.structs.replace(A, rule_id="s", buy_at_e9=None, sell_at_e9=50 * PRICE_E9)
    found = begin(tmp_path, A, seller)
    assert (found.rules, found.conflicts) == ({"cu-band": at(A, 100)}, ("s",))


def test_a_rule_whose_pair_is_gone_goes_with_it(tmp_path: Path) -> None:
    """There is nothing to price it by."""
    write(tmp_path, 1, *began(A), done(command(1, B)))
    found = begin(tmp_path, pairs=())
    assert found.rules == {}
    assert any("is gone" in words for words in found.told)


def test_what_a_rule_remembers_comes_back(tmp_path: Path) -> None:
    """The last memory of each; times and what is out only on the same boot, what was filled in any case."""
    memory = RuleMemory("cu-band", 2, 3, "I7", out=True, out_units=1, since_ns=99, fence_ns=88)
    write(tmp_path, 1, *began(A), RuleMemory("cu-band", 0, 0), memory)
    assert begin(tmp_path, A).memories == (memory,)
    (other,) = begin(tmp_path, A, boot_id="boot-2").memories
    assert (other.filled_units, other.net_units, other.out, other.fence_ns, other.since_ns) == (3, 2, False, 0, 0)


def test_an_ended_rule_stays_ended_until_its_keys_are_others(tmp_path: Path) -> None:
    """Done yesterday and still in the file: done; edited: it lives anew, and what is held is not filled by it."""
    memory = RuleMemory("cu-band", 2, 3, ended="done")
    write(tmp_path, 1, *began(A), memory)
    assert begin(tmp_path, A).memories == (memory,)
    (fresh,) = begin(tmp_path, at(A, -200)).memories
    assert (fresh.ended, fresh.filled_units, fresh.birth_units) == ("", 0, 2)


def test_a_file_that_a_kill_left_without_its_beginning_is_passed_over(tmp_path: Path) -> None:
    """The newest whole beginning counts, with all that follows it."""
    write(tmp_path, 1, *began(A), done(command(1, at(A, -200))))
    write(tmp_path, 2)
    write(tmp_path, 3, began(A)[0])
    assert begin(tmp_path, A).rules == {"cu-band": at(A, -200)}


@pytest.mark.parametrize("torn", [1, 9, 40])
def test_a_torn_end_is_cut_off(tmp_path: Path, torn: int) -> None:
    """What was not written whole was not answered either."""
    write(tmp_path, 1, *began(A), done(command(1, at(A, -200))), done(command(2, at(A, -210))))
    path = journal_path(tmp_path, "rules", 1)
    path.write_bytes(path.read_bytes()[:-torn])
    assert begin(tmp_path, A).rules == {"cu-band": at(A, -200)}


def test_rules_of_commands_that_ended_long_ago_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last ones are kept, so that who asked for them can hear how they ended; one whose trade is open stays."""
    monkeypatch.setattr("gateway.processes.rules_journal.ENDED_KEPT", 2)
    names = ("open", "one", "two", "three", "lives")
    orders = [msgspec.structs.replace(B, rule_id=name) for name in names]
    memories = [RuleMemory(name, 0, 0, ended="done", out=name == "open") for name in names[:-1]]
    write(tmp_path, 1, *began(A), done(command(1, *orders)), *memories)
    assert list(begin(tmp_path, A).rules) == ["cu-band", "open", "two", "three", "lives"]


def test_a_trigger_of_two_thousand_pairs_can_write_down_what_it_starts_with() -> None:
    """Instruments, pairs and four rules each are one record: it is within the largest that a journal takes."""
    pairs = tuple(msgspec.structs.replace(PAIR, pair_id=f"PAIR-{number}") for number in range(2000))
    rules = tuple(
        msgspec.structs.replace(A, rule_id=f"rule-{number}-{which}", pair_id=f"PAIR-{number}")
        for number in range(2000)
        for which in range(4)
    )
    framed = FrameEncoder().encode(TriggerStarted(1, 1, tuple(SITE.instruments.values()), pairs, rules, ()))
    assert len(framed) > 2**20
