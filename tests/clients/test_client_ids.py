"""A ClOrdID(11) is accepted once, ever: digests in files over all runs, bounded memory, a named limit."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from client_desk import ClientDesk, client, order, settings
from client_rig import Rig
from hypothesis import given
from hypothesis import strategies as st

from gateway.clients import book
from gateway.clients.engine import ClientEngine
from gateway.clients.used import NONE, digest_of
from gateway.model.client import CancelAsked, CancelRefused, ClientReport, MassCancelAsked, MassCancelTold
from gateway.model.rules import RuleStandingState
from gateway.processes import clients_ids
from gateway.processes.clients_ids import IdsFileError, IdsOnDisk, folder_of

Start = Callable[..., Rig]


def ids_of(count: int) -> list[bytes]:
    return [digest_of("F", f"order-{number}") for number in range(count)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of 128, 512, 2048 places."""
    monkeypatch.setattr(clients_ids, "FIRST_BITS", 7)


@pytest.mark.usefixtures("small")
def test_what_was_added_is_there_and_nothing_else_also_after_a_reopening(tmp_path: Path) -> None:
    """Over four files that fill one after the other; adding twice counts once."""
    ids = IdsOnDisk(tmp_path / "ids")
    made = ids_of(2000)
    for one in (*made[:1000], *made[:1000]):
        ids.add(one)
    assert (len(ids), [one in ids for one in made]) == (1000, [True] * 1000 + [False] * 1000)
    assert sorted(path.name for path in (tmp_path / "ids").iterdir()) == ["ids.0", "ids.1", "ids.2"]
    ids.close()
    again = IdsOnDisk(tmp_path / "ids")
    for one in made[1000:]:
        again.add(one)
    assert (len(again), all(one in again for one in made)) == (2000, True)
    again.close()


@pytest.mark.usefixtures("small")
def test_what_a_kill_leaves_is_there(tmp_path: Path) -> None:
    """The files are not closed: every digest that was added is found; only the count may lag."""
    ids = IdsOnDisk(tmp_path)
    for one in ids_of(300):
        ids.add(one)
    again = IdsOnDisk(tmp_path)
    assert all(one in again for one in ids_of(300))
    for table in (ids, again):
        table.close()


def test_a_full_bucket_goes_on_in_the_next(tmp_path: Path) -> None:
    """Digests that all belong into one of the buckets, more than it holds, and a part of one that is no digest."""
    ids = IdsOnDisk(tmp_path)
    crowd = [(7 + (number << 40)).to_bytes(8, "little") for number in range(1, 200)]
    for one in crowd:
        ids.add(one)
    assert all(one in ids for one in crowd)
    assert (7 + (200 << 40)).to_bytes(8, "little") not in ids
    shifted = (crowd[0] + crowd[1])[3:11]
    assert shifted not in ids
    ids.close()


@pytest.mark.parametrize("damage", ["cut", "other", "empty"])
def test_a_file_that_is_none_of_ours_stops_the_start(tmp_path: Path, damage: str) -> None:
    """An id could be taken twice: the error names the file and what to do."""
    IdsOnDisk(tmp_path).close()
    path = tmp_path / "ids.0"
    content = path.read_bytes()
    path.write_bytes({"cut": content[:-8], "other": b"x" * len(content), "empty": b""}[damage])
    with pytest.raises(IdsFileError, match=r"ids\.0: not a file of used ClOrdIDs of 2101248 bytes; put it back"):
        IdsOnDisk(tmp_path)


@given(st.text(), st.text(), st.text(), st.text())
def test_ids_of_two_clients_have_nothing_to_do_with_each_other(one: str, first: str, two: str, second: str) -> None:
    """SOH, which no field can hold, stands between them; no digest is the mark of an empty place."""
    names = [(text.replace("\x01", ""), name.replace("\x01", "")) for text, name in ((one, first), (two, second))]
    digests = [digest_of(*name) for name in names]
    assert (digests[0] == digests[1]) is (names[0] == names[1])
    assert NONE not in digests


def test_an_id_of_a_client_with_slashes_and_dots_is_one_folder(tmp_path: Path) -> None:
    """Nothing is written beside the folder of ids, and no two clients share one."""
    names = ["A/B", "..", ".", "A", "../A"]
    for name in names:
        IdsOnDisk(tmp_path / "ids" / folder_of(name)).close()
    assert [path.name for path in tmp_path.iterdir()] == ["ids"]
    assert len(list((tmp_path / "ids").iterdir())) == len(names)


def test_an_id_stays_used_when_its_order_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the newest ended orders nothing is kept of one but its digests: of the order and of its cancel."""
    monkeypatch.setattr(book, "REMEMBERED", 1)
    desk = ClientDesk()
    for name in ("a", "b", "c"):
        rule = desk.open(name)
        desk.cancel(name, f"cancel-{name}")
        desk.answer()
        desk.standing(rule, RuleStandingState.REMOVED)
    kept = desk.engine.book
    kept.keep_used()
    assert (len(kept.orders), len(kept._names), kept.ids_used("F")) == (1, 2, 6)
    for name in ("a", "cancel-a", "c"):
        desk.do(order(name, poss_resend=name == "a"))
        assert [one.ord_rej_reason for one in desk.reports()] == ["6"], name


def test_beyond_the_limit_no_order_is_taken_and_a_cancel_is() -> None:
    """Named as ids_full; what was refused used its id up; no cancel is ever refused for it."""
    desk = ClientDesk()
    desk.engine = ClientEngine(msgspec.structs.replace(settings(client("F"), client("G")), max_cl_ord_ids=2), 1)
    desk.do(desk.history[0][0])
    desk.open("a")
    desk.open("b")
    desk.do(order("c"))
    words = "ids_full: 2 ClOrdIDs(11) were used, ever; accepted: when clients.max_cl_ord_ids is above 2"
    assert [(one.text, one.ord_rej_reason) for one in desk.reports()] == [(words, "3")]
    desk.replace("a", "r", qty=3)
    assert "ids_full: " in desk.refusals()[0].text
    desk.cancel("a", "x")
    assert desk.brief() == [("6", "6", 0, 2)]
    desk.do(order("c", client_id="G"))
    assert desk.brief("G") == [("0", "0", 0, 2)], "what one client uses up is no other's"


def test_a_replay_takes_the_journals_word_for_ids_of_earlier_runs() -> None:
    """Four requests were refused because an earlier run had used their ids: an engine that knows none says the same."""
    desk = ClientDesk()
    desk.open("a")
    for name in ("old", "x", "q", "r"):
        desk.engine.book.ids.setdefault("F", set()).add(digest_of("F", name))
    desk.do(order("old"))
    assert [one.ord_rej_reason for one in desk.actions if isinstance(one, ClientReport)] == ["6"]
    desk.do(CancelAsked("F", 9, "x", "a", "", "CU-CA"))
    assert [one.reason for one in desk.actions if isinstance(one, CancelRefused)] == ["6"]
    desk.do(MassCancelAsked("F", 5, "q", "7", ""))
    assert [one.response for one in desk.actions if isinstance(one, MassCancelTold)] == ["0"]
    desk.replace("a", "r", qty=3)
    assert [one.reason for one in desk.refusals()] == ["6"]
    fresh = ClientEngine(settings(), 1)
    for event, now, actions in desk.history:
        assert fresh.decide_again(event, now, actions) == actions
    recovered = ClientEngine(settings(), 1)
    recovered.book.ids = {"F": {digest_of("F", "a")}}
    for event, now, actions in desk.history:
        recovered.replay(event, now, actions)
    (one,) = recovered.all_open()
    assert (one.cl_ord_id, one.pending, one.changes) == ("a", "", 1)


def test_an_id_of_an_earlier_run_is_refused_and_what_a_kill_left_out_is_there(start: Start) -> None:
    """Kill -9, then another run in the same state: the order's id, and its cancel's, were used before."""
    rig = start()
    one = rig.client("FUND1").logon()
    one.order("a", force=1)
    assert one.read("8")["150"] == "0"
    rig.kill()
    one.close()
    rig.start()
    rig.kill()
    rig.others.close()
    rig.run_dir.rename(rig.folder / "before")
    rig.run_dir.mkdir()
    rig.reopen()
    rig.start()
    two = rig.client("FUND1")
    two.next_out = one.next_out
    two.send("A", (98, 0), (108, 30))
    two.read("A")
    two.order("a", force=1)
    while (told := two.read("8"))["39"] != "8":
        pass  # what was told before comes again
    assert told["58"].startswith("duplicate_order: ")
