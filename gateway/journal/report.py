"""One self-contained HTML page of a run: verdict, figures, charts, pair trades; English and Chinese, light and dark.

It shows what `summary.py` computes and what the journals hold, and judges nothing itself. The page loads nothing from
elsewhere. Beyond `MAX_TIMELINES` pair trades are listed without their timeline, those that went wrong last to lose it;
beyond `MAX_ROWS` they are counted only.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from gateway.journal import charts
from gateway.journal.fold import RunStory, TradeStory
from gateway.journal.measure import HOPS, ORDER_OUTCOMES, TRADE_OUTCOMES, hops_ns, quote_to_order_ns, venues
from gateway.journal.measure import slippage as measured_slippage
from gateway.journal.prices import Observations, PriceLine, observe
from gateway.journal.reader import RECORDER, read_run
from gateway.journal.summary import Run, figures, read
from gateway.journal.timeline import Moment, start_ns, timeline
from gateway.journal.units import duration, money, percent, rounded_money
from gateway.journal.words import both, both_of_name
from gateway.model.order import Side

REPORT_FILE = "report.html"
MAX_TIMELINES = 200
MAX_ROWS = 2000
_SECOND_NS = 10**9


class TradeRow(NamedTuple):
    """A pair trade as the page lists it. `moments` is empty where its timeline is left out."""

    trade: TradeStory
    slippage_e9: int | None
    latency_ns: int | None
    start_ns: int
    moments: list[Moment]


class FigureRow(NamedTuple):
    """A line of the table of figures."""

    key: str
    result: str
    detail: str
    promised: str
    verdict: str


def write_report(run_dir: Path) -> Path:
    """Write `report.html` into a run directory; RunNotFoundError where it is none."""
    path = run_dir / REPORT_FILE
    path.write_text(render(read(run_dir)), encoding="utf-8")
    return path


def render(run: Run, given: Mapping[str, Any] | None = None) -> str:
    """Give the page of a run that has been read."""
    observations = observe(read_run(run.run_dir, RECORDER))
    summary = figures(run, given or {})
    return page("report.html.j2").render(
        summary=summary,
        started=_utc(summary["run"]["started_utc_ns"]),
        verdict_kind=verdict_kind,
        figure_rows=_figure_rows(summary),
        rows=_rows(run.story),
        price_charts=price_charts(run, observations),
        has_prices=bool(observations.lines),
        missed=observations.missed,
        waterfall=_waterfall(summary),
        curves=charts.percentile_curves(_samples(run.story)),
        slippages=slippages(run),
        orders_chart=charts.stacked_orders(_orders_by_venue(run.story)),
        order_outcomes=ORDER_OUTCOMES,
        trade_outcomes=TRADE_OUTCOMES,
        refusals=_last_figures((at.refusal.name.value, at.refusal.figures) for at in run.story.refusals),
        alarms=_last_figures(
            (at.alarm.name.value, f"{at.alarm.subject}: {at.alarm.figures}") for at in run.story.alarms
        ),
        max_timelines=MAX_TIMELINES,
        buy=Side.BUY,
    )


def page(name: str) -> Template:
    """A template of this folder, with the words and figures that every report uses."""
    environment = Environment(
        loader=FunctionLoader(_text), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(t=both, sentence=both_of_name, duration=duration, money=money, percent=percent)
    return environment.get_template(name)


def _text(name: str) -> str:
    return files("gateway.journal").joinpath(name).read_text(encoding="utf-8")


def verdict_kind(verdict: str) -> str:
    """Give the word's key in report_words.toml, which is also its colour."""
    if verdict in {"pass", "fail"}:
        return verdict
    for words, kind in (("not enough", "not_enough"), ("not measured", "not_measured"), ("no limit", "no_limit")):
        if verdict.startswith(words):
            return kind
    return "not_compared"


def _figure_rows(summary: Mapping[str, Any]) -> list[FigureRow]:
    verdict, latency, skew = summary["verdict"], summary["quote_to_order_ns"], summary["leg_skew_ns"]
    in_step = summary["quotes_in_step_ns_p99"]
    return [
        _share_row("order_success", summary["order_success"], "≥ 98 %", verdict["order_success"]),
        _share_row("pair_completion", summary["pair_completion"], "≥ 98 %", verdict["pair_completion"]),
        _share_row("first_shot", summary["first_shot"], "", ""),
        FigureRow(
            "quote_to_order_ns", f"p99 {duration(latency['p99'])}", _percentiles(latency), "p99 < 50 ms",
            verdict["quote_to_order_ns"],
        ),
        FigureRow("leg_skew_ns", f"p99 {duration(skew['p99'])}", _percentiles(skew), "", ""),
        FigureRow(
            "quotes_in_step_ns_p99", duration(in_step) if isinstance(in_step, int) else "–",  # noqa: RUF001
            summary["quotes_in_step"]["why"] or f"n = {summary['quotes_in_step']['count']}", "p99 < 35 ms",
            verdict["quotes_in_step_ns_p99"],
        ),
    ]  # fmt: skip


def _share_row(key: str, share: Mapping[str, Any], promised: str, verdict: str) -> FigureRow:
    detail = f"{share['count']} / {share['of']}"
    if share["lower_95"] is not None:
        detail += f"; 95 % ≥ {percent(share['lower_95'])}"
    return FigureRow(key, percent(share["share"]), detail, promised, verdict)


def _percentiles(figure: Mapping[str, int | None]) -> str:
    names = ("p50", "p90", "p99.9", "max")
    return ", ".join(f"{name} {duration(figure[name])}" for name in names) + f"; n = {figure['count']}"


def _rows(story: RunStory) -> list[TradeRow]:
    trades = list(story.trades.values())[:MAX_ROWS]
    by_trouble = sorted(range(len(trades)), key=lambda index: (trades[index].outcome == "hedged", index))
    opened_up = set(by_trouble[:MAX_TIMELINES])
    return [
        TradeRow(
            trade,
            trade.last.slippage_e9 if trade.last and any(story.cum_lots for story in trade.orders) else None,
            quote_to_order_ns(trade),
            start_ns(trade),
            timeline(trade) if index in opened_up else [],
        )
        for index, trade in enumerate(trades)
    ]


def price_charts(run: Run, observations: Observations) -> list[tuple[str, str, Markup]]:
    """Give pair, unit and chart of each pair that has a price or a trade."""
    marks: dict[str, list[charts.Mark]] = {}
    for trade in run.story.trades.values():
        if trade.intent:
            marks.setdefault(trade.intent.pair_id, []).append(_mark(trade))
    opened = run.story.opened
    begin = opened[0].monotonic_ns if opened else run.story.first_ns
    found = []
    for pair_id in sorted(observations.lines.keys() | marks.keys()):
        line = observations.lines.get(pair_id) or PriceLine()
        unit = f"{run.site.money_unit(pair_id)} / {run.site.units.get(pair_id, 'unit')}"
        found.append((pair_id, unit, charts.price_chart(line, marks.get(pair_id, []), begin)))
    return found


def _mark(trade: TradeStory) -> charts.Mark:
    intent = trade.intent
    assert intent is not None  # noqa: S101 - the caller asked
    side = "buy" if intent.side is Side.BUY else "sell"
    title = f"{trade.trade_id}: {side} {intent.units} × {intent.pair_id} at {money(intent.pair_px_e9)}, {trade.outcome}"  # noqa: RUF001
    return charts.Mark(intent.decided_ns, intent.pair_px_e9, intent.side is Side.BUY, trade.outcome, title)


def _waterfall(summary: Mapping[str, Any]) -> Markup:
    medians = {name: summary["hops"][name]["p50"] for name in HOPS}
    return charts.waterfall(medians) if all(ns is not None for ns in medians.values()) else Markup("")


def _samples(story: RunStory) -> dict[str, list[int]]:
    """Give the whole latency first, then each hop, trade by trade."""
    trades = story.trades.values()
    samples = {"quote_to_order_ns": [ns for trade in trades if (ns := quote_to_order_ns(trade)) is not None]}
    by_trade = [hops for trade in trades if (hops := hops_ns(trade))]
    return samples | {name: [hops[name] for hops in by_trade] for name in HOPS}


def slippages(run: Run) -> list[tuple[str, str, str, int, Markup]]:
    """Give pair, currency, sum, count and chart of each pair that was filled."""
    by_pair: dict[str, list[int]] = {}
    for _, pair_id, slippage_e9 in measured_slippage(run.story):
        by_pair.setdefault(pair_id, []).append(slippage_e9)
    return [
        (pair_id, run.site.money_unit(pair_id), rounded_money(sum(sample)), len(sample), charts.histogram(sample))
        for pair_id, sample in sorted(by_pair.items())
    ]


def _orders_by_venue(story: RunStory) -> dict[str, dict[str, int]]:
    return {
        venue: {
            outcome: sum(
                order.outcome == outcome for order in story.orders.values() if order.order.venue_id == venue
            )
            for outcome in ORDER_OUTCOMES
        }
        for venue in venues(story)
    }  # fmt: skip


def _last_figures(named: Iterable[tuple[str, str]]) -> list[tuple[str, int, str]]:
    """Give name, count and the figures of its last occurrence, most frequent first."""
    counts, last = Counter[str](), dict[str, str]()
    for name, text in named:
        counts[name] += 1
        last[name] = text
    return [(name, count, last[name]) for name, count in counts.most_common()]


def _utc(at_ns: int | None) -> str:
    return datetime.fromtimestamp(at_ns // _SECOND_NS, UTC).strftime("%Y-%m-%d %H:%M:%S") if at_ns else ""
