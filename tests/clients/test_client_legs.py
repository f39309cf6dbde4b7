"""Orders on one leg: the venue's own, kept over days, replaced; never more at a venue than the client's quantity."""

import tempfile
import tomllib
from pathlib import Path

import msgspec
import pytest
from client_desk import CU, E9, ClientDesk, S, client, fill, order, settings, step, switches
from client_rig import CU as CU_OF_SITE
from client_rig import Rig, until
from client_rig import client as site_client

from gateway.clients.engine import ClientEngine
from gateway.clients.settings import ClientSettings
from gateway.journal.reader import read_run
from gateway.model.client import ClientSession, LegEnd, LegHours, MassCancelAsked, Tick
from gateway.model.order import Side, TimeInForce
from gateway.model.record import ClientDecision
from gateway.model.trade import CommandAnswered, PairTradeState, Restarted, Verb
from gateway.processes import clock
from gateway.processes.settings import load_site
from gateway.processes.site_calendars import write_run_calendars
from gateway.processes.toml_text import toml_text

IOC, FOK, DAY, GTC, GTD = (TimeInForce[name] for name in ("IOC", "FOK", "DAY", "GTC", "GTD"))
HEDGED, MISSED, WAITING, HALTED = (PairTradeState[name] for name in ("HEDGED", "MISSED", "WAITING", "HALTED"))
RULE = "C/F/O1-1"


class LegDesk(ClientDesk):
    """A client that may order the leg CU alone, at a venue of all kinds, with a calendar."""

    def __init__(self) -> None:
        super().__init__(client("F", leg_orders=True), ready=False)
        given = msgspec.structs.replace(self.engine.settings, leg_forces={CU: (DAY, IOC, FOK, GTC, GTD)})
        self.engine = ClientEngine(given, 1)
        self.do(switches(), LegHours(CU, True, "20260615"))

    def leg(self, cl_ord_id: str = "a", **changes: object) -> None:
        """Three lots of the leg, asked for and taken by execution."""
        self.do(self.asking(cl_ord_id, **changes))
        self.answer()

    @staticmethod
    def asking(cl_ord_id: str, **changes: object) -> object:
        words = {"symbol": CU, "price": "70000", "qty": 3, "time_in_force": GTC, **changes}
        return order(cl_ord_id, **words)

    def end(self, end: LegEnd | str, filled: int = 0, rule: str = RULE, **changes: object) -> None:
        """Its trade is over: how, with what filled."""
        state = HEDGED if filled else MISSED
        self.heard(steps=(step(rule, state, filled, "70000", end=end, **changes),))

    def placed(self) -> list[str]:
        """What was given to execution, without the instrument and the price."""
        words = [one.argument.split() for one in self.asked() if one.verb is Verb.LEG_ORDER]
        return [f"{rule} {lots} {force}" for rule, _, _, lots, _, force in words]

    def taken_back(self) -> list[str]:
        return [one.argument for one in self.asked() if one.verb is Verb.WITHDRAW]


@pytest.mark.parametrize(("force", "at_venue"), [(IOC, "3"), (FOK, "4"), (DAY, "0"), (GTC, "0"), (GTD, "0")])
def test_what_is_the_venues_own_and_what_is_kept_by_us(force: TimeInForce, at_venue: str) -> None:
    """GTC and GTD are orders for the day there."""
    desk = LegDesk()
    desk.do(desk.asking("a", time_in_force=force, expire_utc_ns=1_790_100_000 * S))
    assert (desk.placed(), desk.brief()) == ([f"{RULE} 3 {at_venue}"], [("0", "0", 0, 3)])
    assert desk.reports()[0].time_in_force == force.value


def test_a_fill_or_kill_order_is_refused_where_the_venue_has_none() -> None:
    """The text names what is accepted there of what this session may use."""
    desk = ClientDesk(client("F", leg_orders=True))
    desk.do(order(symbol=CU, price="70000", time_in_force=FOK))
    words = f"time_in_force: TimeInForce(59)=4 (FOK) on {CU}, whose venue has none; accepted: 0 (DAY), 3 (IOC)"
    assert desk.reports()[0].text == words


@pytest.mark.parametrize(
    ("force", "end", "exec_type", "text"),
    [
        (DAY, LegEnd.EXPIRED, "C", "time_over: its day at the venue is over"),
        (DAY, LegEnd.WITHDRAWN, "4", "withdrawn: taken back by us"),
        (DAY, LegEnd.UNSENT, "4", "withdrawn: it was not sent"),
        (DAY, LegEnd.BY_VENUE, "4", "by_venue: its venue cancelled it"),
        (DAY, LegEnd.LOST, "4", "by_venue: its venue cancelled it, after its session was lost"),
        (DAY, LegEnd.REJECTED, "4", "by_venue: no"),
        (GTC, LegEnd.REJECTED, "4", "by_venue: no"),
        (GTC, LegEnd.BY_VENUE, "4", "by_venue: its venue cancelled it"),
        (IOC, LegEnd.BY_VENUE, "4", "not_marketable: filled 0 of 3 lots"),
        (FOK, LegEnd.BY_VENUE, "4", "not_marketable: filled 0 of 3 lots"),
    ],
)
def test_how_an_order_ends_at_its_venue(force: TimeInForce, end: LegEnd, exec_type: str, text: str) -> None:
    """Each end has its words; what the venue refuses or cancels by itself ends a kept order too."""
    desk = LegDesk()
    desk.leg(time_in_force=force)
    desk.end(end, cause="no" if end is LegEnd.REJECTED else "")
    assert [(one.exec_type.value, one.text) for one in desk.reports()] == [(exec_type, text)]


def test_what_its_day_left_of_a_kept_order_is_entered_when_the_market_opens_again() -> None:
    """One of three filled, the day over: told as kept; nothing at the shut market; two lots on the next day."""
    desk = LegDesk()
    desk.leg()
    desk.heard(fill(RULE, lots=1), steps=(step(RULE, PairTradeState.WORKING, 1, "70000", open_lots=2),))
    assert desk.brief() == [("F", "1", 1, 2)]
    desk.end(LegEnd.EXPIRED, 1)
    (told,) = desk.reports()
    assert (told.exec_type, told.restatement, told.text) == ("D", "1", "kept: expired; entered again when it may be")
    assert (told.ord_status, desk.placed()) == ("1", [])
    desk.do(LegHours(CU, False, "20260616"), Tick(), after_ns=60 * S)
    assert desk.actions == []
    desk.do(LegHours(CU, True, "20260616"))
    assert desk.placed() == [f"{RULE}.r2 2 0"]
    desk.answer(text="P2")
    assert [one.text for one in desk.reports()] == ["entered: pair trade P2"]
    desk.heard(fill(f"{RULE}.r2", lots=2, trade_id="P2"))
    assert desk.brief() == [("F", "2", 3, 0)]


def test_an_order_whose_day_ends_before_the_calendar_says_so_is_not_entered_on_the_same_day() -> None:
    """The venue's clock is a moment ahead: its market counts as shut for this order until it opens or the day changes."""
    desk = LegDesk()
    desk.leg()
    desk.end(LegEnd.EXPIRED)
    desk.do(Tick(), after_ns=60 * S)
    assert desk.placed() == []
    desk.do(LegHours(CU, True, "20260616"))
    assert desk.placed() == [f"{RULE}.r2 3 0"]


@pytest.mark.parametrize("end", [LegEnd.WITHDRAWN, LegEnd.LOST, LegEnd.UNSENT])
def test_a_kept_order_that_a_stop_or_a_lost_session_took_back_is_entered_when_execution_is_armed(end: LegEnd) -> None:
    """Disarmed it waits; armed it is entered again under another name."""
    desk = LegDesk()
    desk.leg()
    desk.do(switches(armed=False))
    desk.end(end)
    assert (desk.brief(), desk.placed()) == ([("D", "0", 0, 3)], [])
    desk.do(Tick(), after_ns=60 * S)
    assert desk.actions == []
    desk.do(switches())
    assert desk.placed() == [f"{RULE}.r2 3 0"]


def test_a_kept_order_waits_out_refusals_of_the_moment_and_ends_with_others() -> None:
    """A session that is down passes, so it is tried again after a pause; a position limit does not."""
    desk = LegDesk()
    desk.do(desk.asking("a"))
    assert desk.answer(False, "session_down: order session down for CU") == []
    desk.do(Tick(), after_ns=4 * S)
    assert desk.placed() == []
    desk.do(Tick(), after_ns=S)
    assert desk.placed() == [f"{RULE} 3 0"]
    desk.answer(False, "instrument_position: up to 60 lots, at most 50")
    assert [one.text for one in desk.reports()] == ["refused_by_gate: instrument_position: up to 60 lots, at most 50"]


def test_a_kept_order_that_comes_while_its_market_is_shut_waits_for_the_opening() -> None:
    """Acknowledged as new; its status says what it waits for."""
    desk = LegDesk()
    desk.do(LegHours(CU, False, "20260616"))
    desk.do(desk.asking("a"))
    assert (desk.brief(), desk.placed()) == ([("0", "0", 0, 3)], [])
    desk.do(desk.asking("a", poss_resend=True))
    assert desk.reports()[0].text == f"hours: {CU} is shut"
    desk.do(LegHours(CU, True, "20260616"))
    assert desk.placed() == [f"{RULE} 3 0"]


def test_an_order_that_waits_is_cancelled_and_replaced_at_once() -> None:
    """Nothing of it is at a venue: no command, and each request has both its answers."""
    desk = LegDesk()
    desk.do(LegHours(CU, False, "20260616"))
    desk.do(desk.asking("a"))
    desk.replace("a", "r", symbol=CU, price="70010", qty=5)
    assert [(one.exec_type.value, one.cl_ord_id, one.order_qty) for one in desk.reports()] == [
        ("E", "r", 3),
        ("5", "r", 5),
    ]
    desk.cancel("r", "c", symbol=CU)
    assert [(one.exec_type.value, one.cl_ord_id) for one in desk.reports()] == [("6", "c"), ("4", "c")]
    desk.do(LegHours(CU, True, "20260616"), Tick(), after_ns=60 * S)
    assert desk.asked() == []


@pytest.mark.parametrize("force", [DAY, GTC])
def test_a_replacement_takes_back_what_is_at_the_venue_and_enters_what_is_left(force: TimeInForce) -> None:
    """A fill that overtakes it counts: of five, two are filled by then, and three are entered at the new price."""
    desk = LegDesk()
    desk.leg(time_in_force=force)
    desk.replace("a", "r", symbol=CU, price="70010", qty=5, time_in_force=force)
    assert (desk.brief(), desk.taken_back(), desk.placed()) == ([("E", "E", 0, 3)], [RULE], [])
    assert desk.answer() == []
    desk.heard(fill(RULE, lots=2))
    assert (desk.brief(), desk.placed()) == ([("F", "E", 2, 1)], [])
    desk.end(LegEnd.WITHDRAWN, 2)
    (told,) = desk.reports()
    assert (told.exec_type, told.ord_status, told.cl_ord_id, told.orig_cl_ord_id) == ("5", "1", "r", "a")
    assert (told.order_qty, told.leaves_qty, told.price_e9) == (5, 3, 70_010 * E9)
    (command,) = desk.asked()
    assert command.argument == f"{RULE}.r2 {CU} 1 3 7001 0"


def test_a_replacement_that_the_fill_of_the_whole_order_overtakes_is_refused() -> None:
    """Nothing is entered any more."""
    desk = LegDesk()
    desk.leg()
    desk.replace("a", "r", symbol=CU, price="70010", qty=5)
    desk.heard(fill(RULE, lots=3))
    assert desk.brief() == [("F", "2", 3, 0)]
    assert [(one.response_to, one.cl_ord_id, one.reason) for one in desk.refusals()] == [("2", "r", "0")]
    desk.end(LegEnd.WITHDRAWN, 3)
    assert desk.actions == []


def test_a_replacement_below_what_was_filled_meanwhile_is_refused_and_the_rest_is_entered_at_the_old_terms() -> None:
    """From three to two, and two are filled by then: one is left, at the old price."""
    desk = LegDesk()
    desk.leg()
    desk.replace("a", "r", symbol=CU, price="70010", qty=2)
    desk.heard(fill(RULE, lots=2))
    desk.end(LegEnd.WITHDRAWN, 2)
    assert [(one.response_to, one.reason) for one in desk.refusals()] == [("2", "0")]
    (command,) = desk.asked()
    assert command.argument == f"{RULE}.r2 {CU} 1 1 7000 0"


def test_a_cancel_of_what_never_reached_execution_ends_it_by_the_answers_of_both() -> None:
    """The order's command was lost: execution knows nothing to withdraw, and refuses the order when it comes again."""
    desk = LegDesk()
    desk.do(desk.asking("a"))
    (placed,) = desk.asked()
    desk.cancel("a", "c", symbol=CU)
    (taken_back,) = desk.asked()
    assert desk.do(CommandAnswered(taken_back.command_id, False, "no open order")) == []
    desk.do(CommandAnswered(placed.command_id, False, f"withdrawn: {RULE} was withdrawn before it came"))
    assert [(one.exec_type.value, one.cl_ord_id, one.text) for one in desk.reports()] == [("4", "c", "by_client")]


@pytest.mark.parametrize("how", ["disconnect", "mass_cancel", "killed"])
def test_a_kept_order_that_is_cancelled_while_its_day_ends_is_not_entered_again(how: str) -> None:
    """Execution has nothing open of it any more; its end at the venue then ends it for good."""
    desk = LegDesk()
    desk.do(ClientSession("F", True, True))
    desk.leg()
    events = {
        "disconnect": ClientSession("F", False, False),
        "mass_cancel": MassCancelAsked("F", 5, "q", "7", ""),
        "killed": switches(armed=False, held=True),
    }
    desk.do(events[how])
    desk.answer(False, f"no open order of '{RULE}'")
    desk.end(LegEnd.EXPIRED)
    assert [(one.exec_type.value, one.text) for one in desk.reports()] == [("4", how)]
    desk.do(switches(), LegHours(CU, False, "20260616"), LegHours(CU, True, "20260616"), after_ns=60 * S)
    assert desk.asked() == []


def test_an_order_good_till_a_time_ends_with_it_wherever_it_is() -> None:
    """At its venue it is taken back first; one that waits ends at once."""
    desk = LegDesk()
    due = 1_790_000_000 * S + 100 * S
    desk.leg(time_in_force=GTD, expire_utc_ns=due)
    assert desk.do(Tick(), after_ns=98 * S) == []
    desk.do(Tick(), after_ns=2 * S)
    assert desk.taken_back() == [RULE]
    assert not desk.engine.book_due(desk.at_ns), "its answer is waited for"
    desk.answer()
    desk.end(LegEnd.WITHDRAWN)
    assert [(one.exec_type.value, one.text) for one in desk.reports()] == [("C", "time_over")]
    desk.do(LegHours(CU, False, "20260616"))
    desk.do(desk.asking("b", time_in_force=GTD, expire_utc_ns=due + 100 * S))
    desk.do(Tick(), after_ns=100 * S)
    assert [(one.exec_type.value, one.text) for one in desk.reports()] == [("C", "time_over")]


def test_a_late_fill_of_an_earlier_days_order_takes_back_what_works_and_enters_what_is_left() -> None:
    """One of three came after its day's end: the three at the venue are one too many, so two are entered in their place."""
    desk = LegDesk()
    desk.leg()
    desk.end(LegEnd.EXPIRED)
    desk.do(LegHours(CU, True, "20260616"))
    desk.answer()
    desk.heard(fill(RULE, lots=1), steps=(step(RULE, HEDGED, 1, "70000", end=LegEnd.EXPIRED),))
    assert (desk.brief(), desk.taken_back()) == ([("F", "1", 1, 2)], [f"{RULE}.r2"])
    desk.answer()
    desk.end(LegEnd.WITHDRAWN, rule=f"{RULE}.r2", trade_id="P2")
    assert desk.placed() == [f"{RULE}.r3 2 0"]


def test_a_late_fill_of_what_a_replacement_took_back_is_taken_off_an_order_for_the_day_too() -> None:
    """Five at new terms work when one lot of before is told: they are taken back, and four are entered."""
    desk = LegDesk()
    desk.leg(time_in_force=DAY)
    desk.replace("a", "r", symbol=CU, price="70010", qty=5, time_in_force=DAY)
    desk.end(LegEnd.WITHDRAWN)
    assert desk.placed() == [f"{RULE}.r2 5 0"]
    desk.answer()
    desk.heard(fill(RULE, lots=1))
    assert desk.taken_back() == [f"{RULE}.r2"]
    desk.answer()
    desk.end(LegEnd.WITHDRAWN, rule=f"{RULE}.r2", trade_id="P2")
    assert desk.placed() == [f"{RULE}.r3 4 0"]


def test_the_answer_of_an_earlier_entry_that_comes_late_says_nothing() -> None:
    """The journal has told of the trade's end before execution's answer arrived."""
    desk = LegDesk()
    desk.do(desk.asking("a"))
    (first,) = desk.asked()
    desk.end(LegEnd.LOST)
    assert desk.placed() == [f"{RULE}.r2 3 0"]
    assert desk.do(CommandAnswered(first.command_id, True, "P1")) == []


def test_a_late_fill_of_all_of_it_takes_back_what_works_and_enters_nothing() -> None:
    """The order is filled; what works at the venue is withdrawn, and its end is nobody's news."""
    desk = LegDesk()
    desk.leg()
    desk.end(LegEnd.EXPIRED)
    desk.do(LegHours(CU, True, "20260616"))
    desk.answer()
    desk.heard(fill(RULE, lots=3))
    assert (desk.brief(), desk.taken_back()) == ([("F", "2", 3, 0)], [f"{RULE}.r2"])
    desk.answer()
    desk.end(LegEnd.WITHDRAWN, rule=f"{RULE}.r2", trade_id="P2")
    assert desk.actions == []


def test_an_order_in_doubt_is_told_as_that_and_stays_until_it_is_known() -> None:
    """Halted with lots that may be open: it is no end, and nothing is entered; with none it is one."""
    desk = LegDesk()
    desk.leg()
    desk.heard(steps=(step(RULE, WAITING, open_lots=3),))
    assert [(one.exec_type.value, one.text) for one in desk.reports()] == [("D", "unsure: pair trade P1 is waiting")]
    desk.heard(steps=(step(RULE, HALTED, open_lots=3, cause="in_doubt"),))
    assert [one.text for one in desk.reports()] == ["unsure: pair trade P1 is halted in_doubt; a person decides"]
    desk.do(Tick(), after_ns=600 * S)
    assert desk.actions == []
    desk.heard(steps=(step(RULE, HALTED, cause="in_doubt", end=LegEnd.EXPIRED),))
    assert [(one.exec_type.value, one.text) for one in desk.reports()] == [
        ("4", "halted: pair trade P1 in_doubt; a person decides")
    ]


def test_a_replacement_survives_a_kill_at_any_place() -> None:
    """After each event the journal is played into a fresh engine: from there on it says the same, and enters once."""
    whole = LegDesk()
    whole.leg()
    whole.replace("a", "r", symbol=CU, price="70010", qty=5)
    whole.answer()
    whole.heard(fill(RULE, lots=2))
    whole.end(LegEnd.WITHDRAWN, 2)
    whole.answer()
    whole.heard(fill(f"{RULE}.r2", lots=3, trade_id="P2"))
    history = list(whole.history)
    for cut in range(2, len(history)):
        desk = LegDesk()
        for event, now, actions in history[2:cut]:
            desk.engine.replay(event, now, actions)
        desk.do(Restarted(1), switches(), Tick(), after_ns=10 * S)
        asked_again = {one.argument for one in desk.asked()}
        told = []
        for event, now, _ in history[cut:]:
            told += desk.engine.on_event(event, now)
        placed = asked_again | {one.command.argument for one in told if hasattr(one, "command")}
        placed |= {one.command.argument for _, _, made in history[:cut] for one in made if hasattr(one, "command")}
        assert placed == {f"{RULE} {CU} 1 3 7000 0", RULE, f"{RULE}.r2 {CU} 1 3 7001 0"}, cut
        order = desk.engine.find("F", "r") or desk.engine.find("F", "a")
        assert order is not None
        assert (order.cum_qty, order.leaves_qty, order.state) == (5, 0, "2"), cut


def test_settings_without_words_on_legs_offer_day_and_ioc() -> None:
    """As those that an earlier version kept."""
    assert isinstance(settings(), ClientSettings)
    assert settings().leg_forces == {}
    desk = ClientDesk(client("F", leg_orders=True))
    desk.do(order(symbol=CU, price="70000", side=Side.SELL, time_in_force=DAY))
    assert desk.brief() == [("0", "0", 0, 2)]


def test_the_process_hears_the_hours_of_legs_and_offers_what_each_venue_and_calendar_allow(tmp_path: Path) -> None:
    """A GTC order on the leg with a calendar goes out where its market is open now, and waits where it is shut."""
    with tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir:
        rig = Rig(tmp_path, bus_dir, [site_client("FUND1", leg_orders=True, max_lots=10)])
        try:
            content = tomllib.loads(rig.site.read_text(encoding="utf-8"))
            (named,) = [one for one in content["instrument"] if one["id"] == CU_OF_SITE]
            named["calendar"] = "SHFE.CU"
            rig.site.write_text(toml_text(content), encoding="utf-8")
            write_run_calendars(rig.run_dir, load_site(rig.site, {}).calendars, clock.utc_ns())
            rig.start()
            one = rig.client("FUND1").logon()
            one.order("gtc", price="70000", force=1, qty=2, f55=CU_OF_SITE)
            told = one.read("8")
            assert (told["150"], told["39"], told["59"]) == ("0", "0", "1"), told
            records = [record for record in read_run(rig.run_dir, "clients") if isinstance(record, ClientDecision)]
            hours = [record.event for record in records if isinstance(record.event, LegHours)]
            assert [hour.instrument_id for hour in hours] == [CU_OF_SITE]
            if hours[0].open:
                until(lambda: [command.verb for command in rig.others.commands] == [Verb.LEG_ORDER])
            else:
                one.send("H", (11, "gtc"), (55, CU_OF_SITE), (54, 1))
                assert one.read("8")["58"] == f"hours: {CU_OF_SITE} is shut"
            one.order("other", price="9000", force=1, f55="LME.CA3M")
            assert (
                "(GTC) on LME.CA3M, which has no calendar to keep it by; accepted: 0 (DAY), 3 (IOC)"
                in one.read("8")["58"]
            )
        finally:
            rig.close()
