"""Clients over FIX against the process, with trigger and execution played by the test: orders from logon to fills."""

from collections.abc import Callable

import pytest
from client_rig import CA, CU, E9, PAIR, Rig, client, stamp, until

from gateway.model.order import Side
from gateway.model.rules import RuleStandingState
from gateway.model.trade import CommandAnswered, PairPrice, PairTradeState

Start = Callable[..., Rig]


def fill_whole(rig: Rig, rule_id: str) -> None:
    """One unit of the order is filled, and trigger says that it is done."""
    rig.others.open_trade(rule_id, Side.BUY, 1)
    rig.others.fill(0, 5, "70010", "x1")
    rig.others.fill(1, 1, "9000.5", "x2")
    rig.others.end_trade(PairTradeState.HEDGED, 1, (70_010 * E9, 9_000_500_000_000), slippage_e9=250 * E9)
    rig.others.standing(rule_id, RuleStandingState.DONE, 1, intent_id=f"I1-{rig.others._trades}")


def rule_of(rig: Rig, number: int = 0) -> str:
    """The rule that trigger was asked for."""
    until(lambda: len(rig.others.changes) > number)
    return rig.others.changes[number].rules[0].rule_id


def test_an_immediate_pair_order_is_acknowledged_filled_leg_by_leg_and_as_a_pair(start: Start) -> None:
    """New, then each leg's fill with its price, then the pair's, with the price reached."""
    rig = start()
    one = rig.client("FUND1").logon()
    one.order("a1", price="-150")
    new = one.read("8")
    assert (new["150"], new["39"], new["11"], new["44"], new["442"]) == ("0", "0", "a1", "-150", "3")
    fill_whole(rig, rule_of(rig))
    (rule,) = rig.others.changes[0].rules
    assert (rule.pair_id, rule.buy_at_e9, rule.total_units, rule.immediate) == (PAIR, -150 * E9, 1, True)
    first, second, pair = one.read("8"), one.read("8"), one.read("8")
    assert (first["442"], first["55"], first["54"], first["32"], first["31"]) == ("2", CU, "1", "5", "70010")
    assert (second["442"], second["55"], second["54"], second["32"], second["31"]) == ("2", CA, "2", "1", "9000.5")
    assert (pair["442"], pair["55"], pair["150"], pair["39"], pair["14"], pair["151"]) == (
        "3",
        PAIR,
        "F",
        "2",
        "1",
        "0",
    )
    assert pair["31"] == "-190", "the price seen was -200; 250 CNY for 25 t are 10 a tonne"


@pytest.mark.parametrize("version", ["FIX.4.2", "FIXT.1.1"])
def test_the_other_versions_trade_a_pair_with_the_words_they_have(start: Start, version: str) -> None:
    """4.2 tells a fill by ExecType 2 and ExecTransType 0; 5.0 SP2 as 4.4 does."""
    rig = start(client("FUND1", version=version))
    one = rig.client("FUND1", version=version).logon()
    one.order("a1", price="-150")
    new = one.read("8")
    assert (new["8"], new["150"], new["39"]) == (version, "0", "0")
    fill_whole(rig, rule_of(rig))
    leg, _, pair = one.read("8"), one.read("8"), one.read("8")
    told = {"FIX.4.2": ("2", "0"), "FIXT.1.1": ("F", None)}[version]
    assert (pair["150"], pair.get("20")) == told
    assert (leg["31"], pair["39"], pair["14"]) == ("70010", "2", "1")


def test_a_multileg_order_names_its_legs_and_is_replaced_and_cancelled(start: Start) -> None:
    """AB with the pair's legs, AC for another price, F to end it."""
    rig = start()
    one = rig.client("FUND1").logon()
    legs = ((555, 2), (600, CU), (624, 1), (623, 5), (600, CA), (624, 2), (623, 1))
    common = ((55, PAIR), (54, 1), (60, stamp()), (38, 2), (40, 2), (59, 1))
    one.send("AB", (11, "m1"), *common[:1], *legs, *common[1:], (44, "-150"))
    assert one.read("8")["150"] == "0"
    rule = rule_of(rig)
    one.send("AC", (41, "m1"), (11, "m2"), *common[:1], *legs, *common[1:], (44, "-140"))
    assert one.read("8")["150"] == "E"
    until(lambda: rig.others.changes[-1].removed == (rule,))
    rig.others.standing(rule, RuleStandingState.REMOVED)
    replaced = one.read("8")
    assert (replaced["150"], replaced["11"], replaced["41"], replaced["44"]) == ("5", "m2", "m1", "-140")
    one.send("F", (41, "m2"), (11, "m3"), (55, PAIR), (54, 1), (60, stamp()))
    assert one.read("8")["150"] == "6"
    until(lambda: rig.others.changes[-1].removed == (f"{rule}.r2",))
    rig.others.standing(f"{rule}.r2", RuleStandingState.REMOVED)
    ended = one.read("8")
    assert (ended["150"], ended["39"], ended["11"], ended["41"]) == ("4", "4", "m3", "m2")


def test_status_mass_status_and_mass_cancel_are_answered(start: Start) -> None:
    """H for one, AF for all that are open, q to end them; what is not there is said."""
    rig = start()
    one = rig.client("FUND1").logon()
    for name in ("a", "b"):
        one.order(name, force=1)
        assert one.read("8")["150"] == "0"
    one.send("H", (11, "a"), (790, "s1"), (55, PAIR), (54, 1))
    told = one.read("8")
    assert (told["150"], told["39"], told["790"], told["17"]) == ("I", "0", "s1", "0")
    one.send("H", (11, "zz"), (55, PAIR), (54, 1))
    assert one.read("8")["58"] == "unknown_order: ClOrdID(11)='zz' is no order of this session"
    one.send("H", (11, "zz"), (37, told["37"]), (55, PAIR), (54, 1))
    assert one.read("8")["11"] == "a", "by OrderID(37)"
    one.send("AF", (584, "m1"), (585, 7))
    first, second = one.read("8"), one.read("8")
    assert [(one["11"], one["911"], one["912"]) for one in (first, second)] == [("a", "2", "N"), ("b", "2", "Y")]
    one.send("q", (11, "q1"), (530, 7), (60, stamp()))
    assert [one.read("r")[tag] for tag in ("531",)] == ["7"]
    until(lambda: sum(len(change.removed) for change in rig.others.changes) == 2)
    for change in list(rig.others.changes):
        for rule in change.removed:
            rig.others.standing(rule, RuleStandingState.REMOVED)
    assert {one.read("8")["58"] for _ in range(2)} == {"mass_cancel"}
    one.send("AF", (584, "m2"), (585, 7))
    assert one.read("j")["58"] == "no_orders: no order of this session is open"


WRONG: tuple[tuple[str, tuple[tuple[int, object], ...], str, str], ...] = (
        ("D", ((11, "x"), (55, PAIR), (54, "9"), (60, stamp()), (38, 1), (40, 2)), "3", "Side(54)='9'; accepted: 1 (buy)"),
        ("D", ((11, "x"), (54, 1), (60, stamp()), (38, 1), (40, 2)), "3", "Symbol(55); accepted"),
        ("D", ((11, "x"), (55, PAIR), (54, 1), (60, "noon"), (38, 1), (40, 2)), "3", "TransactTime(60)='noon'; accepted: YYYY"),
        ("D", ((11, "x"), (55, PAIR), (54, 1), (60, stamp()), (38, "two"), (40, 2)), "3", "OrderQty(38)='two'; accepted: a number"),
        ("D", ((11, "x"), (55, PAIR), (54, 1), (60, stamp()), (38, 1), (40, 2), (44, 1), (64, 1)), "3", "(64)='1'; accepted: fields of"),
        ("D", ((11, "x"), (55, "XX"), (54, 1), (60, stamp()), (38, 1), (40, 2), (44, 1)), "8", "unknown_symbol: Symbol(55)='XX'"),
        ("R", ((131, "x"),), "3", "MsgType(35)='R'; accepted: 0 1"),
        ("8", ((37, 1), (17, 1), (150, 0), (39, 0), (55, PAIR), (54, 1), (151, 0), (14, 0), (6, 0)), "j", "MsgType(35)='8'; accepted"),
        ("F", ((41, "no"), (11, "y"), (55, PAIR), (54, 1), (60, stamp())), "9", "unknown_order: OrigClOrdID(41)='no'"),
        ("V", ((262, "m"), (263, 1), (264, 0), (267, 1), (269, 0), (146, 1), (55, "XX")), "Y", "Symbol(55)='XX' is not known; accepted: CU-CA"),
        ("x", ((320, "r"), (559, 0), (55, "XX")), "y", "Symbol(55)='XX' is not known; accepted: CU-CA"),
        ("c", ((320, "r"), (321, 0), (55, "XX")), "d", "Symbol(55)='XX' is not known; accepted: CU-CA"),
        ("g", ((335, "r"), (336, "XX"), (263, 0)), "h", "TradingSessionID(336)='XX' is not known; accepted: CU-CA"),
)  # fmt: skip


def test_what_is_wrong_is_refused_in_the_standards_message_and_the_session_lives(start: Start) -> None:
    """Text(58) names the tag, the value and what would be accepted; the next order is taken."""
    rig = start()
    one = rig.client("FUND1").logon()
    for number, (kind, fields, answer, words) in enumerate(WRONG):
        one.send(kind, *fields)
        told = one.read("3", "8", "9", "j", "Y", "y", "d", "h")
        assert told["35"] == answer, told
        assert words in told.get("58", told.get("560", "")), told
        one.order(f"after{number}")
        assert one.read("8")["150"] == "0"


def test_reference_data_tells_pairs_with_their_legs(start: Start) -> None:
    """Y lists what the client may see, d defines one, h says when it trades."""
    rig = start()
    one = rig.client("FUND1").logon()
    one.send("x", (320, "r1"), (559, 4))
    listed = one.read("y")
    assert (listed["560"], listed["393"], listed["146"]) == ("0", "3", "3")
    one.send("c", (320, "r2"), (321, 0), (55, PAIR))
    defined = one.read("d")
    assert (defined["55"], defined["167"], defined["15"], defined["555"], defined["323"]) == (
        PAIR,
        "MLEG",
        "CNY",
        "2",
        "1",
    )
    assert (defined["600"], defined["623"], defined["624"], defined["556"]) == (CA, "1", "2", "USD"), "the last leg"
    one.send("g", (335, "r3"), (336, PAIR), (263, 0))
    assert [one.read("h")[tag] for tag in ("340",)] == ["2"], "without a calendar it counts as always open"


def test_market_data_is_a_snapshot_then_what_is_newest(start: Start) -> None:
    """Prices with their time and verdict; what is overtaken is not told."""
    rig = start(client("FUND1"), market_data_interval_ms=50)
    one = rig.client("FUND1").logon()
    request = ((264, 1), (265, 1), (267, 2), (269, 0), (269, 1), (146, 1), (55, PAIR))
    one.send("V", (262, "m1"), (263, 1), *request)
    empty = one.read("W")
    assert (empty["268"], empty["276"], empty["58"]) == ("1", "B", "no price yet")
    for number in range(20):
        rig.others.trigger.publish(PairPrice(PAIR, 1, (100 + number) * E9, 90 * E9, 3, 4, None, None, "ok"))
    seen = []
    while not seen or seen[-1].get("270") != "119":
        seen.append(one.read("X"))
    assert len(seen) < 20
    assert (seen[-1]["269"], seen[-1]["271"], seen[-1]["276"], seen[-1]["55"]) == ("1", "3", "A", PAIR)
    rig.others.trigger.publish(PairPrice(PAIR, 1, None, None, 0, 0, None, None, "LME.CA3M: gap"))
    last = one.read("X")
    assert (last["279"], last["268"]) == ("2", "2"), "both sides are gone"
    one.send("V", (262, "m1"), (263, 1), *request)
    assert one.read("Y")["281"] == "1"
    one.send("V", (262, "m1"), (263, 2), *request)
    one.send("V", (262, "m2"), (263, 0), *request)
    assert one.read("W")["58"] == "LME.CA3M: gap"
    rig.others.trigger.publish(PairPrice(PAIR, 1, 5 * E9, 4 * E9, 3, 4, None, None, "ok"))
    assert one.quiet(("W", "X"))


def test_orders_beyond_the_clients_pace_are_rejected_and_their_ids_stay_free(start: Start) -> None:
    """A named reject with the time to wait; the same ClOrdID is taken later."""
    rig = start(client("FUND1", orders_per_s=2))
    one = rig.client("FUND1").logon()
    for number in range(3):
        one.order(f"a{number}", force=1)
    told = [one.read("8") for _ in range(3)]
    assert [message["150"] for message in told] == ["0", "0", "8"]
    assert told[2]["58"].startswith("throttled: more than 2 orders/s; the same ClOrdID(11) is accepted in ")
    until(lambda: _taken(one, "a2"), 5)


def _taken(one: object, cl_ord_id: str) -> bool:
    one.order(cl_ord_id, force=1)  # type: ignore[attr-defined]
    return bool(one.read("8")["150"] == "0")  # type: ignore[attr-defined]


def test_kill_disarm_and_stage_are_clear_rejects(start: Start) -> None:
    """An order names what stands in its way; a resting one is suspended and comes back."""
    rig = start()
    one = rig.client("FUND1").logon()
    one.order("rest", force=1)
    assert one.read("8")["150"] == "0"
    rig.others.armed = False
    assert (one.read("8")["150"], one.seen[-1]["39"]) == ("9", "9")
    one.order("no")
    assert one.read("8")["58"].startswith("disarmed: ")
    rig.others.armed, rig.others.stage = True, "shadow"
    assert one.read("8")["150"] == "D"
    one.order("no2")
    assert one.read("8")["58"].startswith("stage: ")
    rig.others.stage, rig.others.halted = "full", True
    until(lambda: any(change.removed for change in rig.others.changes))
    one.order("no3")
    assert one.read("8")["58"].startswith("killed: ")
    rig.others.silent = True
    until(lambda: _says(one, "gateway_down: "), 6)


def _says(one: object, words: str) -> bool:
    one.order(f"q{len(one.seen)}")  # type: ignore[attr-defined]
    return bool(one.read("8")["58"].startswith(words))  # type: ignore[attr-defined]


def test_an_order_that_trigger_refuses_ends_with_its_reason(start: Start) -> None:
    """Acknowledged, then cancelled."""
    rig = start()
    rig.others.answer = lambda one: CommandAnswered(one.command_id, False, "no such pair")
    one = rig.client("FUND1").logon()
    one.order("a")
    assert [one.read("8")["150"] for _ in range(2)] == ["0", "4"]
    assert one.seen[-1]["58"] == "refused_by_trigger: no such pair"
