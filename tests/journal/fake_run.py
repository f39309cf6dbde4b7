"""Makes runs by hand: journal records through the model's classes, the venues' truth beside them, one seed one run.

A trade's kind says how it goes: hedged, late (repaired, then hedged), unwound, missed, rejected (one leg refused, the
other taken back), halted, refused (no trade). Times are plausible for one machine; prices are those of copper.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from gateway.journal.reader import EXECUTION, RECORDER, journal_path
from gateway.journal.writer import JournalWriter
from gateway.model.order import (
    ExecType,
    ExecutionReport,
    Order,
    OrdStatus,
    OrdType,
    PositionEffect,
    Side,
    TimeInForce,
)
from gateway.model.record import ClockPair, Decision, JournalOpened, JournalRecord, Observed
from gateway.model.trade import (
    Action,
    Alarm,
    AlarmName,
    Announce,
    ExecutionEvent,
    Intent,
    IntentLeg,
    IntentRefused,
    LegReport,
    OrderSent,
    OrdersSent,
    PairPrice,
    PairTradeChanged,
    PairTradeState,
    PositionChanged,
    RefusalName,
    SendOrders,
    SetTimer,
    TimerFired,
)

E9 = 10**9
MS = 1_000_000
START_NS = 1_000_000_000_000
UTC_NS = 1_790_000_000_000_000_000
CU, CA = "SHFE.cu2609", "LME.CA3M"
TICKS = {CU: 10, CA: 1}
KINDS = ("hedged", "late", "unwound", "missed", "rejected", "halted", "refused")
WEIGHTS = (78, 6, 3, 4, 2, 1, 6)

SITE = """
[[instrument]]
id = "SHFE.cu2609"
symbol = "cu2609"
tick = "10"
[[instrument]]
id = "LME.CA3M"
symbol = "CA3M"
tick = "1"
[[pair]]
id = "CU-CA"
currency = "CNY"
unit = "t"
slippage_budget = "2000"
"""


def opened(process: str = EXECUTION, incarnation: int = 1) -> JournalOpened:
    """First record of a fake journal."""
    return JournalOpened(process, incarnation, "trader1", "boot-1", START_NS, UTC_NS, "0.1.0", "digest-1")


def intent_leg(instrument_id: str, side: Side, px_ticks: int, recv_ns: int) -> IntentLeg:
    """One leg as the decision saw it."""
    lots = 5 if instrument_id == CU else 1
    vwap_e9 = px_ticks * TICKS[instrument_id] * E9
    value_e9 = 50 * E9 if instrument_id == CU else 200 * E9
    return IntentLeg(instrument_id, side, lots, lots, px_ticks, vwap_e9, value_e9, recv_ns, UTC_NS, 0, 0, 7)


@dataclass
class FakeRun:
    """Records and truth of a run as it grows; `write` puts them into a run directory."""

    seed: int = 1
    at_ns: int = START_NS + 50 * MS
    records: list[JournalRecord] = field(default_factory=list)
    prices: list[JournalRecord] = field(default_factory=list)
    orders: list[dict[str, object]] = field(default_factory=list)
    fills: list[dict[str, object]] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=lambda: {CU: 0, CA: 0})
    _filled: dict[str, int] = field(default_factory=dict)
    _next: int = 1
    _trades: int = 0
    _exec: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - a seeded test, nothing secret

    def decide(self, event: ExecutionEvent, *actions: Action) -> None:
        """Append a decision at the present time."""
        self.records.append(Decision(len(self.records) + 1, self.at_ns, event, actions))

    def trade(self, kind: str) -> str:
        """Append one pair trade of `kind` and give its id, or a refusal and give the intent's."""
        self.at_ns += self.random.randint(150, 900) * MS
        self._trades += 1
        trade_id = f"P1-{self._trades:05d}"
        side = self.random.choice([Side.BUY, Side.SELL])
        intent = self._intent(side)
        if kind == "refused":
            names = [RefusalName.PAIR_BUSY, RefusalName.QUOTE_AGE, RefusalName.THROTTLED]
            refusal = IntentRefused(
                intent.intent_id, "CU-CA", "cu-band", self.random.choice(names), "age 1730 ms, limit 1500 ms"
            )
            self.decide(intent, Announce(refusal))
            return intent.intent_id
        legs = intent.legs
        first = (self._order(legs[0].instrument_id, legs[0].side, legs[0].qty_lots, legs[0].px_ticks + 2 * side.sign),)
        second = self._order(legs[1].instrument_id, legs[1].side, legs[1].qty_lots, legs[1].px_ticks - 2 * side.sign)
        self._filled = {}
        state = self._changed(trade_id, intent, PairTradeState.WORKING)
        self.decide(
            intent, SendOrders(trade_id, (*first, second)), SetTimer(trade_id, self.at_ns + 1500 * MS), Announce(state)
        )
        self._sent((*first, second))
        getattr(self, f"_{kind}")(trade_id, intent, first[0], second)
        return trade_id

    def write(self, run_dir: Path, *, recorder: bool = True, site: bool = True) -> Path:
        """Write the run as its processes would have."""
        self._write_journal(run_dir, opened(), self.records)
        if recorder:
            self._write_journal(run_dir, opened(RECORDER), self.prices)
        for venue in ("SHFE", "LME"):
            folder = run_dir / "truth" / venue
            folder.mkdir(parents=True, exist_ok=True)
            for name, rows in (("orders", self.orders), ("fills", self.fills)):
                lines = [json.dumps(row) + "\n" for row in rows if row["venue"] == venue]
                (folder / f"{name}.jsonl").write_text("".join(lines))
        if site:
            (run_dir / "site.toml").write_text(SITE)
        return run_dir

    def _write_journal(self, run_dir: Path, first: JournalOpened, records: list[JournalRecord]) -> None:
        writer = JournalWriter(
            journal_path(run_dir, first.process, first.incarnation),
            first,
            fdatasync_interval_ns=5 * MS,
            sync_before_send=False,
            min_free_bytes=0,
        )
        for record in records:
            writer.append(record)
        writer.append(ClockPair(self.at_ns, UTC_NS + self.at_ns - START_NS))
        writer.close()

    def _intent(self, side: Side) -> Intent:
        hop = self.random.randint
        recv = self.at_ns
        marks = [recv]
        for low, high in ((8, 30), (60, 300), (2, 9), (5, 20), (70, 260)):
            marks.append(marks[-1] + hop(low, high) * 1000)
        self.at_ns = marks[-1]
        domestic = 7000 + self.random.randint(-20, 20)
        overseas = 8800 + self.random.randint(-20, 20)
        legs = (
            intent_leg(CU, side, domestic, recv - 200 * MS),
            intent_leg(CA, side.opposite, overseas, recv),
        )
        threshold = -150 * E9 if side is Side.BUY else 150 * E9
        price = threshold - side.sign * self.random.randint(0, 60) * E9
        self.prices.extend(self._price(recv + n * 50 * MS, price) for n in (-2, -1, 0))
        name = f"I-{self._trades:05d}"
        return Intent(
            name, 1, "CU-CA", "cu-band", side, 1, price, threshold, abs(price - threshold), legs, CA, *marks[:5],
            recv + 250 * MS,
        )  # fmt: skip

    def _price(self, at_ns: int, price: int) -> Observed:
        noise = self.random.randint(-40, 40) * E9
        what = PairPrice("CU-CA", at_ns, price + noise + 30 * E9, price + noise, 3, 3, -150 * E9, 150 * E9, "ok")
        return Observed(at_ns, 1, len(self.prices) + 1, what)

    def _order(self, instrument_id: str, side: Side, qty: int, px_ticks: int) -> Order:
        venue = instrument_id.partition(".")[0]
        domestic = venue == "SHFE"
        effect = PositionEffect.OPEN if domestic else PositionEffect.NONE
        cl_ord_id = f"P1-{self._next:06d}"
        self._next += 1
        return Order(
            cl_ord_id, venue, "A1" if domestic else "B7", instrument_id, side, qty, OrdType.LIMIT, px_ticks,
            TimeInForce.IOC, effect, "2" if domestic else "",
        )  # fmt: skip

    def _sent(self, orders: tuple[Order, ...]) -> None:
        journalled = self.at_ns + self.random.randint(30, 90) * 1000
        sent, rows = journalled, []
        for order in orders:
            sent += self.random.randint(40, 140) * 1000
            rows.append(OrderSent(order.cl_ord_id, sent, 100 + self._next))
        self.at_ns = sent + 5000
        self.decide(OrdersSent(journalled, tuple(rows)))

    def _truth(self, order: Order, event: str, status: OrdStatus, cum: int) -> None:
        px = str(TICKS[order.instrument_id] * order.px_ticks) if order.px_ticks is not None else ""
        ended = event in {"reject", "cancel"}
        self.orders.append(
            {
                "at_ns": self.at_ns, "venue": order.venue_id, "account": order.account, "cl_ord_id": order.cl_ord_id,
                "order_id": f"V{order.cl_ord_id}", "symbol": order.instrument_id.partition(".")[2],
                "side": order.side.value, "order_qty": order.qty_lots, "px": px, "ord_type": order.ord_type.value,
                "time_in_force": order.time_in_force.value, "position_effect": order.position_effect.value,
                "status": status.value, "cum_qty": cum, "leaves_qty": 0 if ended else order.qty_lots - cum,
                "event": event, "text": "",
            }
        )  # fmt: skip

    def report(
        self, order: Order, kind: ExecType, status: OrdStatus, *, qty: int = 0, px_ticks: int = 0, cum: int = 0,
        exec_id: str = "", ref: str = "", text: str = "",
    ) -> ExecutionReport:  # fmt: skip
        key = f"{order.venue_id}|{exec_id}" if kind is ExecType.TRADE else ""
        px = str(TICKS[order.instrument_id] * px_ticks) if px_ticks else ""
        return ExecutionReport(
            order.venue_id, self.at_ns, UTC_NS, 9, False,
            order.cl_ord_id, "", f"V{order.cl_ord_id}", exec_id, key,
            ref, kind, status, order.instrument_id, order.side, order.qty_lots, qty, px, px_ticks or None, cum,
            order.qty_lots - cum, px, text,
        )  # fmt: skip

    def _accept(self, order: Order) -> None:
        self.at_ns += self.random.randint(4, 12) * (MS if order.venue_id == "SHFE" else 9 * MS)
        self._truth(order, "new", OrdStatus.NEW, 0)
        self.decide(self.report(order, ExecType.NEW, OrdStatus.NEW))

    def _fill(self, order: Order, qty: int, *actions: Action) -> None:
        self.at_ns += self.random.randint(50, 900) * 1000
        self._exec += 1
        exec_id = f"E{self._exec:05d}"
        status = OrdStatus.FILLED if qty == order.qty_lots else OrdStatus.PARTIALLY_FILLED
        px_ticks = (order.px_ticks or 0) - self.random.randint(0, 2) * order.side.sign
        self._truth(order, "trade", status, qty)
        self.fills.append(
            {
                "at_ns": self.at_ns, "venue": order.venue_id, "account": order.account, "trade_date": "20260301",
                "exec_id": exec_id, "cl_ord_id": order.cl_ord_id, "order_id": f"V{order.cl_ord_id}",
                "symbol": order.instrument_id.partition(".")[2], "side": order.side.value, "last_qty": qty,
                "last_px": str(TICKS[order.instrument_id] * px_ticks), "kind": "trade", "exec_ref_id": "",
            }
        )  # fmt: skip
        self.positions[order.instrument_id] += order.side.sign * qty
        self._filled[order.instrument_id] = self._filled.get(order.instrument_id, 0) + order.side.sign * qty
        position = PositionChanged(order.instrument_id, self.positions[order.instrument_id], 0, 0, 0, 0)
        report = self.report(order, ExecType.TRADE, status, qty=qty, px_ticks=px_ticks, cum=qty, exec_id=exec_id)
        self.decide(report, Announce(position), *actions)

    def _end(self, order: Order, cum: int, *actions: Action) -> None:
        self.at_ns += self.random.randint(20, 90) * 1000
        self._truth(order, "cancel", OrdStatus.CANCELED, cum)
        self.decide(self.report(order, ExecType.CANCELED, OrdStatus.CANCELED, cum=cum), *actions)

    def _changed(
        self, trade_id: str, intent: Intent, state: PairTradeState, *, hedged: int = 0, legged_ns: int = 0,
        over: bool = False, cause: str = "", slippage: int = 0,
    ) -> PairTradeChanged:  # fmt: skip
        legs = tuple(
            LegReport(
                leg.instrument_id, leg.side, leg.ratio_lots, leg.qty_lots,
                leg.side.sign * self._filled.get(leg.instrument_id, 0), leg.vwap_e9, leg.vwap_e9, 0,
            )
            for leg in intent.legs
        )  # fmt: skip
        return PairTradeChanged(
            trade_id, intent.intent_id, "CU-CA", "cu-band", intent.side, 1, hedged, state, legs, slippage, legged_ns,
            over, 0, intent.recv_ns, cause,
        )  # fmt: skip

    def _announce(self, trade_id: str, intent: Intent, state: PairTradeState, **more: int | bool | str) -> None:
        self.at_ns += 1000
        self.decide(TimerFired(trade_id), Announce(self._changed(trade_id, intent, state, **more)))  # type: ignore[arg-type]

    def _hedged(self, trade_id: str, intent: Intent, first: Order, second: Order) -> None:
        for order in (first, second):
            self._accept(order)
            self._fill(order, order.qty_lots)
        slippage = self.random.randint(-200, 500) * E9
        self._announce(trade_id, intent, PairTradeState.HEDGED, hedged=1, legged_ns=40 * MS, slippage=slippage)

    def _late(self, trade_id: str, intent: Intent, first: Order, second: Order) -> None:
        self._accept(first)
        self._fill(first, 3)
        self._end(first, 3)
        self._accept(second)
        self._fill(second, 1)
        again = self._order(first.instrument_id, first.side, 2, (first.px_ticks or 0) + 2 * first.side.sign)
        self._repair(trade_id, intent, again)
        self._accept(again)
        self._fill(again, 2)
        self._announce(trade_id, intent, PairTradeState.HEDGED, hedged=1, legged_ns=190 * MS, slippage=700 * E9)

    def _repair(self, trade_id: str, intent: Intent, order: Order) -> None:
        state = self._changed(trade_id, intent, PairTradeState.REPAIRING, cause="first leg short by 2 lots")
        alarm = Alarm(AlarmName.LEGGED, trade_id, "3 of 5 lots, 1 of 1 lots")
        self.decide(TimerFired("repair"), SendOrders(trade_id, (order,)), Announce(state), Announce(alarm))
        self._sent((order,))

    def _unwound(self, trade_id: str, intent: Intent, first: Order, second: Order) -> None:
        self._accept(first)
        self._fill(first, first.qty_lots)
        self._accept(second)
        self._end(second, 0)
        back = self._order(first.instrument_id, first.side.opposite, first.qty_lots, (first.px_ticks or 0))
        self._repair(trade_id, intent, back)
        self._accept(back)
        self._fill(back, back.qty_lots)
        self._announce(trade_id, intent, PairTradeState.UNWOUND, legged_ns=230 * MS, slippage=1500 * E9)

    def _missed(self, trade_id: str, intent: Intent, first: Order, second: Order) -> None:
        for order in (first, second):
            self._accept(order)
            self._end(order, 0)
        self._announce(trade_id, intent, PairTradeState.MISSED)

    def _rejected(self, trade_id: str, intent: Intent, first: Order, second: Order) -> None:
        self._accept(first)
        self._end(first, 0)
        self.at_ns += 30 * MS
        self._truth(second, "reject", OrdStatus.REJECTED, 0)
        text = "exceeds limit"
        self.decide(self.report(second, ExecType.REJECTED, OrdStatus.REJECTED, text=text))
        self._announce(trade_id, intent, PairTradeState.MISSED)

    def _halted(self, trade_id: str, intent: Intent, first: Order, second: Order) -> None:
        self._accept(first)
        self._fill(first, first.qty_lots)
        self._accept(second)
        self._end(second, 0)
        self.at_ns += 3100 * MS
        self._announce(
            trade_id, intent, PairTradeState.HALTED, legged_ns=3100 * MS, over=True, cause="legged_time",
            slippage=900 * E9,
        )  # fmt: skip
        alarm = Alarm(AlarmName.HALTED, trade_id, "legged for 3100 ms, limit 3000 ms")
        self.decide(TimerFired(trade_id), Announce(alarm))


def plausible(trades: int, seed: int = 1) -> FakeRun:
    """Give a run with every kind of trade, most of them hedged."""
    run = FakeRun(seed)
    for number in range(trades):
        kind = KINDS[number] if number < len(KINDS) else run.random.choices(KINDS, WEIGHTS)[0]
        run.trade(kind)
    return run
