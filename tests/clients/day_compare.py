"""What clients and drop copy were told against execution's journal and the venues' own record, when everything rests."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from report_book import exec_type

from gateway.journal.reader import read_run
from gateway.model.record import Decision
from gateway.model.trade import Announce, PairTradeChanged, SendOrders
from tests.chaos.rig import VENUES

if TYPE_CHECKING:
    from client_day import Day
    from day_client import DayClient

ENDED = ("2", "4", "8", "C")


class Journal:
    """Execution's: which order of ours belongs to which client's order, and what each pair trade holds."""

    def __init__(self, day: "Day") -> None:
        self.order_of: dict[str, str] = {}
        """Our ClOrdID at a venue -> the OrderID that clients know."""
        self.units: Counter[str] = Counter()
        """OrderID -> units that its pair trades hold."""
        self.house: set[str] = set()
        """Trades of the house: the drop copy alone hears of them, and the trade is their OrderID."""
        trades: dict[str, PairTradeChanged] = {}
        sent: dict[str, list[str]] = defaultdict(list)
        for record in read_run(day.run_dir):
            if not isinstance(record, Decision):
                continue
            for action in record.actions:
                if isinstance(action, SendOrders):
                    sent[action.trade_id] += [one.cl_ord_id for one in action.orders]
                elif isinstance(action, Announce) and isinstance(action.what, PairTradeChanged):
                    trades[action.what.trade_id] = action.what
        for trade_id, trade in trades.items():
            if not trade.rule_id.startswith("C/"):
                self.house.add(trade_id)
                self.order_of |= dict.fromkeys(sent[trade_id], trade_id)
                continue
            order_id = trade.rule_id.split("/")[2].partition(".")[0]
            self.units[order_id] += trade.hedged_units
            self.order_of |= dict.fromkeys(sent[trade_id], order_id)


def differences(day: "Day") -> list[str]:
    """Everything that does not agree; empty: all does."""
    found = [line for one in [*day.funds, day.drop] for line in one.book.wrong]
    journal = Journal(day)
    found += _fills(day, journal)
    found += _ends(day, journal)
    found += _copies(day, journal)
    found += _answers(day)
    found += _again(day)
    return found


Line = tuple[str, str, str]
"""OrderID, instrument, side."""


def _true(day: "Day", journal: Journal) -> dict[Line, dict[str, tuple[int, Decimal]]]:
    """What stands at the venues after busts and corrections: line -> ExecID -> lots and price."""
    stands: dict[Line, dict[str, tuple[int, Decimal]]] = defaultdict(dict)
    for venue in VENUES:
        for one in day.truth(venue, "fills.jsonl"):
            order_id = journal.order_of.get(one["cl_ord_id"], f"nobody's {one['cl_ord_id']}")
            line = stands[order_id, f"{venue}.{one['symbol']}", one["side"]]
            if one["kind"] != "trade":
                line.pop(one["exec_ref_id"], None)
            if one["kind"] != "bust":
                line[one["exec_id"]] = int(one["last_qty"]), Decimal(str(one["last_px"]))
    return {key: line for key, line in stands.items() if line}


def _told(one: "DayClient") -> dict[Line, dict[str, tuple[int, Decimal]]]:
    """What stands by the reports of a client; what its venue only counted goes by a name of its own."""
    stands: dict[Line, dict[str, tuple[int, Decimal]]] = defaultdict(dict)
    for line in one.book.lines.values():
        for exec_id, (lots, _) in line.trades.items():
            report = one.book.told[exec_id]
            if not lots or report["442"] == "3":
                continue
            name = f"implied {exec_id}" if "counted by its venue" in report["58"] else report.get("527", exec_id)
            stands[report["37"], report["55"], report["54"]][name] = lots, Decimal(report["31"])
    return {key: line for key, line in stands.items() if line}


def _fills(day: "Day", journal: Journal) -> Iterator[str]:
    """Each client, and the drop copy, was told what its orders hold at the venues, fill by fill."""
    owner = {order_id: one.name for one in day.funds for order_id in one.book.orders.values()}
    true = _true(day, journal)
    yield from (
        f"{line} was filled, and nobody was told of the order"
        for line in true
        if line[0] not in {*owner, *journal.house}
    )
    for one in [*day.funds, day.drop]:
        wanted = {line: fills for line, fills in true.items() if one is day.drop or owner.get(line[0]) == one.name}
        told = _told(one)
        for line in sorted({*wanted, *told}):
            yield from (f"{one.name} {line}: {what}" for what in _unlike(wanted.get(line, {}), told.get(line, {}), one))


def _unlike(
    wanted: dict[str, tuple[int, Decimal]], told: dict[str, tuple[int, Decimal]], one: "DayClient"
) -> Iterator[str]:
    """Fill by fill; lots that a venue only counted stand for fills that it never told."""
    names = one.version != "FIX.4.2"  # which has no SecondaryExecID(527)
    left = Counter((name if names else "", *fill) for name, fill in wanted.items())
    implied = sum(lots for name, (lots, _) in told.items() if name.startswith("implied"))
    said = Counter((name if names else "", *fill) for name, fill in told.items() if not name.startswith("implied"))
    yield from (f"told beyond the truth: {what}" for what in (said - left).elements())
    missing = [what[1] for what in (left - said).elements()]
    if sum(missing) != implied:
        yield f"{list((left - said).elements())} were not told, {implied} lots were told as counted"


def _ends(day: "Day", journal: Journal) -> Iterator[str]:
    """Every order has an end that was told, holds what its pair trades hold, and was accepted once."""
    told_of = set()
    for one in day.funds:
        for cl_ord_id in day.ordered[one.name]:
            status = one.book.status(cl_ord_id)
            order_id = one.book.orders.get(cl_ord_id)
            if order_id is None:
                if status != "8" and not any(told.get("11") == cl_ord_id for told in one.unknown):
                    yield f"{one.name} {cl_ord_id}: no answer"
                continue
            told_of.add(order_id)
            if status not in ENDED:
                yield f"{one.name} {cl_ord_id}: told 39={status} at last"
            if (cum := one.book.cum(cl_ord_id)) != journal.units[order_id]:
                yield f"{one.name} {cl_ord_id}: told CumQty(14)={cum}, its pair trades hold {journal.units[order_id]}"
        news = Counter(report["11"] for report in one.book.told.values() if exec_type(report) == "0")
        yield from (f"{one.name} {name} was accepted {times} times" for name, times in news.items() if times > 1)
    strange = set(journal.order_of.values()) - told_of - journal.house
    yield from (f"order {name} trades, nobody was told of it" for name in strange)


def _copies(day: "Day", journal: Journal) -> Iterator[str]:
    """The drop copy has every report of every client, word for word but for whom it is to."""
    copies = dict(day.drop.book.told)
    for one in day.funds:
        for exec_id, report in one.book.told.items():
            copy = copies.pop(exec_id, None)
            if exec_type(report) == "8":
                continue
            if copy is None:
                yield f"{one.name} {exec_id}: no copy of it"
                continue
            for tag in ("37", "11", "55", "54", "38", "14", "151", "6", "39", "31", "32"):
                if copy.get(tag) != report.get(tag):
                    yield f"{one.name} {exec_id}: {tag}={report.get(tag)}, its copy {copy.get(tag)}"
    strange = [report for report in copies.values() if report["37"] not in journal.house]
    yield from (f"a copy of what nobody was told: {report}" for report in strange)


def _answers(day: "Day") -> Iterator[str]:
    """Every cancel and every replacement has one answer that says what came of it."""
    for one in day.funds:
        refused = Counter(told["11"] for told in one.cancel_rejects)
        done = {report["11"] for report in one.book.told.values() if exec_type(report) in ("4", "5", "C")}
        withdrawn = {str(dict(fields).get(11)) for number, (_, fields) in one.sent.items() if number in one.withdrawn}
        for name, orig in day.asked[one.name].items():
            if not refused[name] and name not in done and name not in withdrawn:
                yield f"{one.name} {name} about {orig}: no answer"
            if refused[name] > 1 or (refused[name] and name in done):
                yield f"{one.name} {name} about {orig}: refused {refused[name]} times, done {name in done}"


def _again(day: "Day") -> Iterator[str]:
    """Asked from the first number on, each session gets every report again, in the same order."""
    for one in [*day.funds, day.drop]:
        if one.again != list(one.book.told):
            missing = sorted(set(one.book.told) - set(one.again or ()))
            yield f"{one.name}: asked from 1 on, {len(one.again or ())} of {len(one.book.told)} came again; not {missing}"
