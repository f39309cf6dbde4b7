"""After a kill and a restart: an order is accepted once, ever; nothing that was told is lost; a drop copy can be replayed."""

from collections.abc import Callable

import pytest
from client_rig import E9, PAIR, FixClient, Rig, client, until

from gateway.clients.engine import ClientEngine
from gateway.journal.reader import read_run
from gateway.model.order import Side
from gateway.model.record import ClientDecision
from gateway.model.rules import ChangeRules, RuleStandingState
from gateway.model.site import RuleSpec
from gateway.model.trade import PairTradeState
from gateway.processes.clients import settings_of
from gateway.processes.clients_store import Answer, name_of, recover, stored_answers, unsent
from gateway.processes.settings import load_site

Start = Callable[..., Rig]


def back(rig: Rig, one: FixClient) -> FixClient:
    """The same client on a new connection, with its numbers; it asks for what it missed."""
    again = rig.client(one.name)
    again.next_out = one.next_out
    again.send("A", (98, 0), (108, 30))
    seen = max(int(message["34"]) for message in one.seen)
    answer = again.read("A")
    if int(answer["34"]) > seen + 1:
        again.send("2", (7, seen + 1), (16, 0))
    return again


def test_an_order_is_accepted_once_also_across_a_kill(start: Start) -> None:
    """Signal 9 right after the acknowledgement: the resent order and a new one with its id are no second order."""
    rig = start()
    one = rig.client("FUND1").logon()
    one.order("a", force=1)
    assert one.read("8")["150"] == "0"
    until(lambda: len(rig.others.changes) == 1)
    rig.kill()
    one.close()
    rig.start(heard=True)
    two = back(rig, one)
    two.order("a", force=1)
    assert two.read("8")["58"].startswith("duplicate_order: ")
    two.order("a", force=1, header=((97, "Y"),))
    told = two.read("8")
    assert (told["150"], told["39"], told["37"]) == ("I", "0", "O1-1")
    assert len(rig.others.changes) == 1
    two.send("F", (41, "a"), (11, "c"), (55, PAIR), (54, 1), (60, "20260101-00:00:00"))
    assert two.read("8")["150"] == "6", "it lives on: it can be cancelled"


def test_what_happens_while_the_process_is_away_is_told_when_it_is_back(start: Start) -> None:
    """A fill in execution's journal during the outage reaches the client, once, with the end of the order."""
    rig = start()
    one = rig.client("FUND1").logon()
    one.order("a", force=1)
    assert one.read("8")["150"] == "0"
    until(lambda: len(rig.others.changes) == 1)
    rule = rig.others.changes[0].rules[0].rule_id
    rig.kill()
    one.close()
    rig.others.open_trade(rule, Side.BUY, 1)
    rig.others.fill(0, 5, "70010", "x1")
    rig.others.fill(1, 1, "9000.5", "x2")
    rig.others.end_trade(PairTradeState.HEDGED, 1, (70_010 * E9, 9_000_500_000_000))
    rig.others.standing(rule, RuleStandingState.DONE, 1, intent_id="I1-1")
    rig.start()
    two = back(rig, one)
    told = [two.read("8") for _ in range(3)]
    assert [(message["442"], message["150"]) for message in told] == [("2", "F"), ("2", "F"), ("3", "F")]
    assert told[2]["39"] == "2"
    assert two.quiet(("8",))
    rig.kill()
    rig.start()
    three = back(rig, two)
    assert three.quiet(("8",)), "a further restart tells nothing twice"


def test_an_order_whose_rule_trigger_does_not_know_ends_after_a_restart(start: Start) -> None:
    """Trigger lost it: the client hears that it is over."""
    rig = start()
    one = rig.client("FUND1").logon()
    one.order("a", force=1)
    assert one.read("8")["150"] == "0"
    until(lambda: len(rig.others.changes) == 1)
    rig.kill()
    one.close()
    rig.others.in_force = ()
    rig.start()
    ended = back(rig, one).read("8")
    assert (ended["150"], ended["58"]) == ("4", "operator: its rule was removed")


def test_a_rule_of_no_order_is_removed(start: Start) -> None:
    """Trigger still watches for an order that this process does not know: it is told to stop."""
    rig = start()
    rig.others.in_force = ("C/GONE/O9-9",)
    rig.others.changes.append(ChangeRules("old", "GONE", "x", (RuleSpec("C/GONE/O9-9", PAIR, 1, None, 1, 1, 0, 0, 1),)))
    rig.kill()
    rig.start()
    until(lambda: rig.others.changes[-1].removed == ("C/GONE/O9-9",))
    assert rig.others.changes[-1].who == "clients"


def test_a_report_that_was_written_down_and_not_sent_is_sent_at_the_next_start(start: Start) -> None:
    """The last reports are cut off QuickFIX's store, as a kill between the two leaves it: they come as possible resends."""
    rig = start()
    one = rig.client("FUND1").logon()
    for name in ("a", "b"):
        one.order(name, force=1)
        assert one.read("8")["150"] == "0"
    rig.kill()
    one.close()
    folder = rig.folder / "state/clients_fix"
    body = folder / "FIX.4.4-GATEWAY-FUND1.body"
    text = body.read_bytes()
    cut = text.index(b"8=FIX.4.4", text.index(b"\x0111=a\x01"))
    body.write_bytes(text[:cut])
    header = folder / "FIX.4.4-GATEWAY-FUND1.header"
    kept = header.read_text().split()
    header.write_text(" ".join(one for one in kept if int(one.split(",")[1]) < cut) + " ")
    _count_back(rig)
    rig.start()
    again = rig.client("FUND1")
    again.next_out = one.next_out
    again.send("A", (98, 0), (108, 30))
    again.read("A")
    again.send("2", (7, 1), (16, 0))
    told = [again.read("8") for _ in range(2)]
    assert [(message["11"], message.get("97")) for message in told] == [("a", None), ("b", "Y")]


def test_a_report_that_was_stored_and_not_counted_is_sent_at_the_next_start(start: Start) -> None:
    """A kill between the two: its number goes to the next Logon, so it comes under another one; twice in a row as well."""
    rig = start()
    one = rig.client("FUND1").logon()
    for name in ("a", "b"):
        one.order(name, force=1)
        assert one.read("8")["150"] == "0"
    rig.kill()
    one.close()
    _count_back(rig)
    rig.start()
    two = rig.client("FUND1")
    two.next_out = one.next_out
    two.send("A", (98, 0), (108, 30))
    two.read("A")
    rig.kill()
    two.close()
    rig.start()
    again = rig.client("FUND1")
    again.next_out = two.next_out
    again.send("A", (98, 0), (108, 30))
    again.read("A")
    again.send("2", (7, 1), (16, 0))
    told = [again.read("8") for _ in range(2)]
    assert [(message["11"], message.get("97")) for message in told] == [("a", None), ("b", "Y")]
    assert again.quiet(("8",)), "once"


def _count_back(rig: Rig) -> None:
    """As if the last message had been stored, and its number not been counted."""
    seqnums = rig.folder / "state/clients_fix/FIX.4.4-GATEWAY-FUND1.seqnums"
    ours, theirs = seqnums.read_text().split(":")
    seqnums.write_text(f"{int(ours) - 1:020d} : {int(theirs):020d}")


def test_reports_behind_the_last_stored_one_are_the_unsent_ones(start: Start) -> None:
    """Reports, refused cancels and mass cancels, by the name of each; where nothing is stored, all of them."""
    rig = start()
    one = rig.client("FUND1").logon()
    for name in ("a", "b", "c"):
        one.order(name, force=1)
        one.read("8")
    one.send("F", (41, "unknown"), (11, "d"), (55, PAIR), (54, 1), (60, "20260101-00:00:00"))
    one.read("9")
    one.send("q", (11, "e"), (530, "1"), (55, "LME.CA3M"), (60, "20260101-00:00:00"))
    one.read("r")
    rig.kill()
    records = [record for record in read_run(rig.run_dir, "clients") if isinstance(record, ClientDecision)]
    told = [action for record in records for action in record.actions if isinstance(action, Answer)]
    names = [name_of(answer) for answer in told]
    assert names[3:] == ["9 d", "r O1-4"]
    assert unsent(told, frozenset(names[:2])) == told[2:]
    assert unsent(told, frozenset(names[:4])) == told[4:]
    assert unsent(told, frozenset(names)) == []
    assert unsent(told, frozenset()) == told
    recovered = recover(ClientEngine(settings_of(load_site(rig.site, {})), 1), rig.run_dir)
    assert (recovered.seq, list(recovered.answers["FUND1"])) == (records[-1].seq, told)
    stored = stored_answers(rig.folder / "state/clients_fix", "FIX.4.4", "GATEWAY", "FUND1")
    assert stored == set(names), "all of it was handed over"


@pytest.mark.parametrize("begin", [2, 4])
def test_a_drop_copy_has_every_execution_and_is_replayed_from_any_number(start: Start, begin: int) -> None:
    """What happened while it was away waits for it; a ResendRequest gives the same executions again."""
    rig = start(client("FUND1"), client("DROP", drop_copy=True, pairs=[], instruments=[]))
    drop = rig.client("DROP").logon()
    drop.close()
    until(lambda: "DROP down" in rig.log())
    one = rig.client("FUND1").logon()
    one.order("a")
    one.read("8")
    until(lambda: len(rig.others.changes) == 1)
    rule = rig.others.changes[0].rules[0].rule_id
    rig.others.open_trade(rule, Side.BUY, 1)
    rig.others.fill(0, 5, "70010", "x1")
    rig.others.fill(1, 1, "9000.5", "x2")
    rig.others.end_trade(PairTradeState.HEDGED, 1, (70_010 * E9, 9_000_500_000_000))
    while one.read("8")["442"] != "3":
        pass
    again = back(rig, drop)
    told = [again.read("8") for _ in range(4)]
    rig.others.open_trade("band", Side.SELL, 1)
    rig.others.fill(0, 5, "70020", "x3")
    told.append(again.read("8"))
    assert [message.get("527", "new") for message in told] == ["new", "x1", "x2", "P1-1", "x3"]
    assert all(message["797"] == "Y" and message["43"] == "Y" for message in told[:4])
    assert (told[4]["11"], told[4]["37"]) == ("CP1-20", "P1-2"), "the house's own trade, by our ClOrdID at the venue"
    again.send("2", (7, begin), (16, 0))
    replayed = [again.read("8") for _ in range(len([one for one in told if int(one["34"]) >= begin]))]
    assert [one["17"] for one in replayed] == [one["17"] for one in told if int(one["34"]) >= begin]
    again.order("x")
    assert again.read("8", "3")["58"].startswith("read_only: ")
