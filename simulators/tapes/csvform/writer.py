"""Writing any tape in the csv form: prices as exact decimals, times as nanoseconds since the tape's start."""

import csv
from decimal import Decimal
from pathlib import Path

from simulators.core.tape import Tape, TapeBook, TapeEvent, TapeInstrument, TapeTrade
from simulators.tapes.csvform.form import (
    BOOK,
    EVENT_COLUMNS,
    EVENTS,
    INSTRUMENT_COLUMNS,
    INSTRUMENTS,
    STATUS,
    TAPE,
    TAPE_COLUMNS,
    TRADE,
)


def write_csv_tape(tape: Tape, folder: str | Path) -> None:
    """Write `tape` into `folder` (made if absent); reading it back gives the same instruments and events."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    ticks = {(one.venue, one.symbol): one.tick for one in tape.instruments}
    _write(folder / TAPE, TAPE_COLUMNS, [(tape.name, tape.label, tape.duration_ns)])
    _write(folder / INSTRUMENTS, INSTRUMENT_COLUMNS, [_instrument_row(one) for one in tape.instruments])
    with (folder / EVENTS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(EVENT_COLUMNS)
        writer.writerows(_event_row(event, ticks[event.venue, event.symbol]) for event in tape.events())


def _write(path: Path, columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _instrument_row(one: TapeInstrument) -> tuple[object, ...]:
    prices = (one.high_limit_ticks, one.low_limit_ticks, one.prev_settlement_ticks)
    texts = ("" if ticks is None else _price(ticks, one.tick) for ticks in prices)
    return (one.venue, one.symbol, format(one.tick, "f"), one.currency, one.trading_date, *texts)


def _event_row(event: TapeEvent, tick: Decimal) -> tuple[object, ...]:
    head = (event.at_ns, event.venue, event.symbol)
    if isinstance(event, TapeBook):
        return (*head, BOOK, _levels(event.bids, tick), _levels(event.asks, tick), "", "", "", "")
    if isinstance(event, TapeTrade):
        return (*head, TRADE, "", "", _price(event.px_ticks, tick), event.qty_lots, event.aggressor, "")
    return (*head, STATUS, "", "", "", "", "", event.status)


def _levels(levels: tuple[tuple[int, int], ...], tick: Decimal) -> str:
    return " ".join(f"{_price(px_ticks, tick)}:{qty_lots}" for px_ticks, qty_lots in levels)


def _price(ticks: int, tick: Decimal) -> str:
    return format(tick * ticks, "f")
