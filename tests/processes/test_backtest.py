"""A backtest end to end: the same run to the byte, agreed with its venues, figures that add up, calls that are wrong."""

import errno
import json
import os
import subprocess
import sys
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from backtest_sites import backtest, records_of, site_file

from gateway.journal.fold import fold
from gateway.journal.reader import read_run
from gateway.journal.reconcile import reconcile
from gateway.journal.truth import read_truth
from gateway.model.base import PRICE_E9
from gateway.model.order import Side
from gateway.model.quote import Quote
from gateway.model.record import Observed
from gateway.model.trade import PairTradeState
from gateway.processes.cli import FAILED, OK, WRONG_CALL, main
from gateway.processes.toml_text import toml_text


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of the copper pair."""
    code, run = backtest(tmp_path_factory.mktemp("made"))
    assert code == OK
    return run


def document(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "backtest.json").read_text())
    return found


def test_the_same_call_gives_the_same_run_to_the_byte(made: Path, tmp_path: Path) -> None:
    """Nothing is drawn but from the seed and nothing reads a clock: journals and venues' records are equal."""
    site_file(tmp_path)
    _, again = backtest(tmp_path)
    for name in sorted(one.relative_to(made) for one in made.glob("journal/*")):
        assert (again / name).read_bytes() == (made / name).read_bytes(), name
    for name in sorted(one.relative_to(made) for one in made.glob("truth/*/*.jsonl")):
        assert (again / name).read_bytes() == (made / name).read_bytes(), name


def test_another_seed_gives_another_market(made: Path, tmp_path: Path) -> None:
    """Tape and network are drawn anew."""
    _, other = backtest(tmp_path, "--seed=8")
    assert document(other)["tape"]["label"] != document(made)["tape"]["label"]
    assert document(other)["rules"][0]["profit_e9"] != document(made)["rules"][0]["profit_e9"]


def test_journal_and_venues_agree(made: Path) -> None:
    """Every order, fill and position of the journal is what the simulated venues recorded themselves."""
    result = reconcile(made)
    assert result.equal
    assert (result.differences, result.not_compared) == ([], [])
    assert result.fills >= result.orders > 0


def test_every_reader_of_runs_reads_it(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trades, replay and both pages: a backtest's folder is a run's."""
    assert main(["trades", str(made), "--json"]) == OK
    trades = json.loads(capsys.readouterr().out)
    assert len(trades) == document(made)["pair_trades"]["opened"] > 0
    assert main(["replay", str(made)]) == OK
    said = capsys.readouterr().out
    assert said.count("the same:") == 2
    for page in ("backtest.html", "report.html"):
        text = (made / page).read_text()
        assert 'lang="zh"' in text
        assert "synthetic cu, seed 7" in text


def test_figures_add_up(made: Path) -> None:
    """Each opportunity has one outcome; trades of the rules are those of the run."""
    found = document(made)
    for rule in found["rules"]:
        outcomes = rule["opportunities"]["outcomes"]
        assert sum(one["count"] for one in outcomes) == rule["opportunities"]["count"] > 0
        captured = [one["count"] for one in outcomes if one["outcome"] == "captured"]
        assert captured == [rule["opportunities"]["captured"]]
    assert sum(one["trades"]["opened"] for one in found["rules"]) == found["pair_trades"]["opened"]
    assert found["pair_trades"]["hedged"] == found["pair_trades"]["opened"]
    assert found["orders"]["sent"] == found["orders"]["filled"] + found["orders"]["partly_filled"]


def test_profit_is_what_the_venues_fills_come_to(made: Path) -> None:
    """Cash of the venues' own fills, what is held valued at the last true touch, dollars at the last rate's middle."""
    assert_profit_of_the_venues(made)


def test_a_currency_future_that_is_a_leg_earns_and_costs_as_well(tmp_path: Path) -> None:
    """Three legs, the last quoted in CNH: its fills are part of the profit, one CNH a CNY."""
    path = site_file(tmp_path)
    content = tomllib.loads(path.read_text())
    rate, pair = content["instrument"][2], content["pair"][0]
    rate |= {
        "tradable": True,
        "max_position_lots": 100,
        "max_orders_per_day": 9000,
        "max_order_value": "90000000",
        "collar_ticks": 400,
    }
    pair["formula"] = "cu - ca * uc * 1.13"
    uc = {"instrument": rate["id"], "name": "uc", "ratio_lots": 1, "pay_up_ticks": 4, "max_quote_age_ms": 5000}
    for leg, name in zip(pair["leg"], ("cu", "ca"), strict=True):
        leg["name"] = name
        leg.pop("fx", None)
        leg.pop("factors", None)
    pair["leg"].append(uc)
    path.write_text(toml_text(content))
    code, run = backtest(tmp_path)
    assert code == OK
    assert "USDCNH" in (run / "truth" / "LME" / "fills.jsonl").read_text()
    quotes = [one.what for one in records_of(next((run / "journal").glob("recorder.*"))) if isinstance(one, Observed)]
    rates = [one for one in quotes if isinstance(one, Quote) and one.instrument_id == rate["id"]]
    (bid_ticks, _), (ask_ticks, _) = rates[-1].bids[0], rates[-1].asks[0]
    tick = Fraction(rate["tick"])
    assert_profit_of_the_venues(run, rate=(bid_ticks * tick, ask_ticks * tick))


def assert_profit_of_the_venues(run: Path, rate: tuple[Fraction, Fraction] | None = None) -> None:
    """`rate`: bid and ask of the currency at the end, where our own fills took of it."""
    site = tomllib.loads((run / "site.toml").read_text())
    listed = {one["id"]: one for one in site["instrument"]}
    earned = document(run)["rules"][0]
    by_symbol = {one["symbol"]: one for one in listed.values()}
    cash: dict[str, Fraction] = {}
    lots: dict[str, int] = {}
    for venue in (run / "truth").iterdir():
        for text in (venue / "fills.jsonl").read_text().splitlines():
            fill = json.loads(text)
            name = by_symbol[fill["symbol"]]["id"]
            sign = Side(fill["side"]).sign
            cash[name] = cash.get(name, Fraction(0)) - sign * fill["last_qty"] * Fraction(fill["last_px"])
            lots[name] = lots.get(name, 0) + sign * fill["last_qty"]
    assert {name: count for name, count in lots.items() if count} == earned["open_lots"]
    assert earned["not_valued"] == []
    books = last_books(run) | ({"LME.USDCNH": rate} if rate else {})
    bid, ask = books["LME.USDCNH"]
    rates = {"CNY": Fraction(1), "CNH": Fraction(1), "USD": (bid + ask) / 2}
    total = Fraction(0)
    for name, held in lots.items():
        touch = books[name][0 if held > 0 else 1]
        money = cash[name] + held * touch
        total += money * Fraction(listed[name]["lot_units"]) * rates[listed[name]["currency"]]
    assert abs(Fraction(earned["profit_e9"]["gross"], PRICE_E9) - total) <= Fraction(1, PRICE_E9)
    assert earned["profit_e9"]["net"] is None


def last_books(run: Path) -> dict[str, tuple[Fraction, Fraction]]:
    """Bid and ask of each instrument as the tape leaves them; what we took at the end is older than a minute here."""
    from simulators.core.tape import TapeBook
    from simulators.tapes import load_tape

    tape = load_tape("synthetic", "cu", "", 7, 60)
    ticks = {one.symbol: Fraction(one.tick) for one in tape.instruments}
    books: dict[str, tuple[Fraction, Fraction]] = {}
    for event in tape.events():
        if isinstance(event, TapeBook) and event.bids and event.asks:
            tick = ticks[event.symbol]
            books[f"{event.venue}.{event.symbol}"] = (event.bids[0][0] * tick, event.asks[0][0] * tick)
    assert run.is_dir()
    return books


def test_fees_of_the_site_are_taken_off(made: Path, tmp_path: Path) -> None:
    """With fees stated there is a figure after costs: the gross one less each lot's fee, by position effect."""
    path = site_file(tmp_path)
    content = tomllib.loads(path.read_text())
    for one in content["instrument"]:
        if one["tradable"]:
            one["fees"] = [fee_row()]
    path.write_text(toml_text(content))
    _, run = backtest(tmp_path)
    earned = document(run)["rules"][0]["profit_e9"]
    assert earned["gross"] == document(made)["rules"][0]["profit_e9"]["gross"]
    story = fold(read_run(run))
    fills = [(order.order, fill) for order in story.orders.values() for fill in order.fills.values() if fill.qty_lots]
    domestic = sum(fill.qty_lots for order, fill in fills if order.venue_id == "SHFE")
    overseas = sum(fill.qty_lots for order, fill in fills if order.venue_id == "LME")
    bid, ask = last_books(run)["LME.USDCNH"]
    expected = 3 * domestic + 3 * overseas * (bid + ask) / 2
    assert abs(Fraction(earned["fees"], PRICE_E9) - expected) <= Fraction(2, PRICE_E9)
    assert earned["net"] == earned["gross"] - earned["fees"] - earned["financing"]


def test_an_opportunity_of_a_counter_price_rule_is_money_after_costs(tmp_path: Path) -> None:
    """The same market is one for a rule that wants 100 a unit after fees, and none for one that wants 100 000."""
    path = site_file(tmp_path)
    content = tomllib.loads(path.read_text())
    for one in content["instrument"]:
        if one["tradable"]:
            one["fees"] = [fee_row()]
    rule = content["rule"][0]
    del rule["buy_at"], rule["sell_at"]
    rule |= {"kind": "counter_price", "min_edge": "100"}
    path.write_text(toml_text(content))
    _, some = backtest(tmp_path)
    _, none = backtest(tmp_path, "--set=rule.cu-band.min_edge=100000")
    found = document(some)["rules"][0]
    assert found["opportunities"]["captured"] > 0
    assert found["trades"]["opened"] > 0
    assert all(one["best_e9"] >= 0 for one in found["opportunities"]["outcomes"])
    assert document(none)["rules"][0]["opportunities"]["count"] == 0


def fee_row() -> dict[str, str]:
    """Three a lot, whatever it does."""
    return {
        "from_day": "2026-01-01",
        "open_per_lot": "3",
        "close_per_lot": "3",
        "close_today_per_lot": "3",
        "source": "made up",
    }


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--from=2026-06-16"], "has 2026-06-15 09:00:00 to"),
        (["--from=09:30", "--to=09:20"], "--from 09:30 --to 09:20"),
        (["--to=soon"], "a date, a time of day or both"),
        (["--profile=moon"], "one of none, same-rack"),
        (["--profile=CME=same-city"], "a venue of the site: SHFE, LME"),
        (["--tape=/nowhere/at/all"], "no such folder"),
        (["--name=au"], "it holds no pair of the site"),
        (["--set=rule.nothing.buy_at=1"], "nothing leads nowhere; there is cu-band"),
        (["--set=rule.cu-band.buy_at"], "KEY=VALUE"),
        (["--set=rule.cu-band.buy_at=dear"], "buy_at"),
        (["--sweep=rule.cu-band.buy_at="], "KEY=VALUE,VALUE"),
    ],
)
def test_a_wrong_call_says_what_would_be_right(
    more: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Times outside of the tape, unknown networks, tapes, keys and values: exit code 2 and the remedy."""
    code, _ = backtest(tmp_path, *more)
    assert code == WRONG_CALL
    assert said in capsys.readouterr().err


def test_a_window_in_the_middle_begins_with_what_stood_there(tmp_path: Path) -> None:
    """From a minute after the tape's start: books are known at once, and times are the market's."""
    code, run = backtest(tmp_path, "--from=09:01", "--to=2026-06-15T09:02:00+08:00")
    found = document(run)
    assert code == OK
    assert (found["tape"]["from"], found["tape"]["to"]) == ("2026-06-15 09:01:00", "2026-06-15 09:02:00")
    assert found["tape"]["zone"] == "Asia/Shanghai"
    assert found["pair_trades"]["opened"] > 0


def test_a_full_disk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file and why, and exit code 1: no figures of half a run."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "execution.journal")

    monkeypatch.setattr("gateway.processes.backtest.play", full)
    code, _ = backtest(tmp_path)
    assert code == FAILED
    assert (
        "the run cannot be written: [Errno 28] No space left on device: 'execution.journal'" in capsys.readouterr().err
    )


def test_a_key_of_the_site_is_another_for_one_backtest(made: Path, tmp_path: Path) -> None:
    """A threshold that is never met leaves nothing to take; the file on the disk is as it was."""
    path = site_file(tmp_path)
    before = path.read_bytes()
    _, run = backtest(tmp_path, "--set=rule.cu-band.buy_at=-5000", "--set=rule.cu-band.sell_at=5000")
    assert document(run)["set"] == {"rule.cu-band.buy_at": "-5000", "rule.cu-band.sell_at": "5000"}
    assert [one["opportunities"]["count"] for one in document(run)["rules"]] == [0]
    assert document(made)["rules"][0]["opportunities"]["count"] > 0
    assert path.read_bytes() == before


def test_a_sweep_is_a_run_for_each_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each combination in a process of its own, told as one document."""
    code, _ = backtest(
        tmp_path, "--to=09:00:20", "--json", "--sweep=rule.cu-band.sell_at=50,5000", "--sweep=rule.cu-band.units=1"
    )
    found = json.loads(capsys.readouterr().out)
    assert code == OK
    assert [one["set"]["rule.cu-band.sell_at"] for one in found] == ["50", "5000"]
    met = [one["result"]["rules"][0]["opportunities"]["count"] for one in found]
    assert met[0] > met[1]


def answered_ns(run: Path) -> dict[str, int]:
    """By venue, the shortest time from an order sent to its acknowledgement."""
    stories = fold(read_run(run)).orders.values()
    found: dict[str, int] = {}
    for one in stories:
        took_ns = one.acknowledged_ns - one.sent_ns
        found[one.order.venue_id] = min(took_ns, found.get(one.order.venue_id, took_ns))
    return found


def test_the_network_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    """An order's way there and its answer's way back take what the profile says; with none, no time at all."""
    _, far = backtest(tmp_path, "--profile=shanghai-chicago")
    _, near = backtest(tmp_path, "--profile=SHFE=none", "--profile=LME=none", "--latency-us=1")
    assert document(near)["network"] == {"SHFE": "none", "LME": "none"}
    assert answered_ns(near) == {"SHFE": 0, "LME": 0}
    assert answered_ns(far)["LME"] >= 182_000_000
    assert 1_250_000 <= answered_ns(far)["SHFE"] < 2_000_000


def test_timers_of_a_repair_fire(tmp_path: Path) -> None:
    """A leg that found nothing waits for a newer book and is tried again: no trade is left open."""
    _, run = backtest(tmp_path, "--profile=SHFE=none", "--profile=LME=none", "--latency-us=1")
    stories = fold(read_run(run)).trades.values()
    waited = [one for one in stories if any(change.said.state is PairTradeState.WAITING for change in one.changes)]
    assert waited
    assert {one.outcome for one in waited} <= {"hedged", "unwound"}
    assert document(run)["open_trades"] == 0


def test_the_record_of_a_run_is_a_tape(made: Path, tmp_path: Path) -> None:
    """What the recorder kept of a run is played again: the same seconds, trades again, said to be as received."""
    code, run = backtest(tmp_path, f"--tape={made}", "--to=2026-06-16")
    found = document(run)
    assert code == OK
    assert found["tape"]["kind"] == "run"
    assert found["tape"]["from"] == "2026-06-15 09:00:00"
    assert found["pair_trades"]["opened"] > 0
    assert any("played as it came" in one for one in found["assumed"])


def test_a_recorded_day_is_played_where_it_is_there(tmp_path: Path) -> None:
    """Ten minutes of the recorded IF x CN day, from its own time of day."""
    from simulators.tapes import RECORDED_SETS

    if not (RECORDED_SETS / "sgx_cn_book").is_dir():
        pytest.skip(f"the recorded sets are not in {RECORDED_SETS}")
    from gateway.processes import demo_sites
    from gateway.processes.demo_plan import Asked

    asked = Asked("recorded", "if-cn-20140129", str(RECORDED_SETS), 7, 1, "", faults=False)
    plan = demo_sites.plan(asked, demo_sites.tape_of(asked))
    site = demo_sites.site(plan, {"CFFEX": (5001, 5002), "SGX": (5003, 5004)}, "")
    (tmp_path / "site.toml").write_text(toml_text(site))
    code, run = backtest(tmp_path, f"--tape={RECORDED_SETS}", "--from=2014-01-29T09:39", "--to=09:49")
    found = document(run)
    assert code == OK
    assert (found["tape"]["name"], found["tape"]["from"]) == ("if-cn-20140129", "2014-01-29 09:39:00")
    assert "BAR-DERIVED" in found["tape"]["label"]
    assert found["pair_trades"]["opened"] > 0
    assert read_truth(run)


def test_a_moving_band_warms_up_on_the_tape_and_trades(tmp_path: Path) -> None:
    """Samples are taken in virtual time: no intent before the warm-up is over, some after; its replay is the same."""
    band = '--set=rule.cu-band.band={"kind":"rolling","interval_ms":500,"length":60,"warm_up":60,"deviations":"1.5"}'
    code, run = backtest(tmp_path, band, "--set=rule.cu-band.buy_at=-1", "--set=rule.cu-band.sell_at=1", "--to=09:03")
    found = document(run)
    assert code == OK
    first_ns = min(one.decided_ns for one in fold(read_run(run)).intents)
    assert first_ns - found["tape"]["start_utc_ns"] > 30 * 10**9
    assert found["rules"][0]["opportunities"]["captured"] > 0
    assert main(["replay", str(run)]) == OK


def test_a_window_of_a_rule_is_kept_in_the_markets_time(tmp_path: Path) -> None:
    """Opportunities outside of it are told as such; no intent is made there."""
    window = '--set=rule.cu-band.window=[{"zone":"Asia/Shanghai","from_time":"09:00:00","until_time":"09:01:00"}]'
    code, run = backtest(tmp_path, window, "--to=09:02")
    found = document(run)
    assert code == OK
    last_ns = max(one.decided_ns for one in fold(read_run(run)).intents)
    assert last_ns - found["tape"]["start_utc_ns"] <= 60 * 10**9
    outcomes = [one["outcome"] for one in found["rules"][0]["opportunities"]["outcomes"]]
    assert "not free: outside its windows" in outcomes


def test_the_order_of_python_sets_decides_nothing(tmp_path: Path) -> None:
    """Two programs that hash words otherwise write the same journals: what a replay in another process rests on."""
    site = site_file(tmp_path)
    written = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        command = [sys.executable, "-m", "gateway.processes.cli", "backtest", str(site), "--to=09:00:40"]
        subprocess.run(
            [*command, "--out", str(out)], env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True
        )
        (run,) = out.glob("*")
        written.append({one.name: one.read_bytes() for one in run.glob("journal/*")})
    assert written[0] == written[1]
    assert len(written[0]) == 3


def test_a_fixing_stands_in_for_a_reference_that_the_tape_does_not_hold(made: Path, tmp_path: Path) -> None:
    """A pair whose currency has a fixing of the day is played and counted without live rates; without one it is not."""
    path = site_file(tmp_path)
    content = tomllib.loads(path.read_text())
    rate = next(one for one in content["instrument"] if one["symbol"] == "USDCNH")
    rate |= {"id": "LME.USDCNY", "symbol": "USDCNY"}
    content["pair"][0]["leg"][1]["fx"] = "LME.USDCNY"
    path.write_text(toml_text(content))
    code, _ = backtest(tmp_path)
    assert code == WRONG_CALL
    rate |= {"fixing": "7.1000", "fixing_date": "2026-06-15", "fixing_source": "made up"}
    path.write_text(toml_text(content))
    code, run = backtest(tmp_path)
    assert code == OK
    rule = document(run)["rules"][0]
    assert rule["opportunities"]["captured"] > 0
    assert rule["not_valued"] == []
    assert document(made)["rules"][0]["opportunities"]["captured"] > 0
