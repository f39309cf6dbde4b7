"""Reading the csv form: every line is checked, and a wrong one is told with file, line, value and remedy.

It checks once, at loading, that the whole file is good, and streams it again at each iteration. A book may be locked or
crossed only while the instrument's last status says that it does not trade continuously (halt, closed, auction).
"""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from simulators.core.tape import TapeBook, TapeEvent, TapeInstrument, TapeStatus, TapeTrade
from simulators.tapes.csvform.form import (
    BOOK,
    CONTINUOUS,
    EVENT_COLUMNS,
    EVENTS,
    INSTRUMENT_COLUMNS,
    INSTRUMENTS,
    START_COLUMN,
    STATUS,
    STATUSES,
    TAPE,
    TAPE_COLUMNS,
    TRADE,
)
from simulators.tapes.draws import SECOND_NS
from simulators.tapes.errors import TapeError, at_line
from simulators.tapes.text import present, table_rows, whole_number, whole_ticks

Row = dict[str, str]
Levels = tuple[tuple[int, int], ...]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone(timedelta(0)))
DATE_DIGITS = 8
NANO_DIGITS = 9
SECONDS_AT = 19
"""Where the fraction begins in 2026-06-15T09:00:00.123456789+08:00."""


class CsvTape(NamedTuple):
    """A folder in the csv form, read anew at each iteration, cut at `duration_ns`."""

    name: str
    label: str
    instruments: tuple[TapeInstrument, ...]
    duration_ns: int
    path: Path
    start_utc_ns: int | None = None
    """When it begins, nanoseconds since 1970 UTC, where the folder says so."""

    def events(self) -> Iterator[TapeEvent]:
        """The events in the order of the file."""
        for event in read_events(self.path, self.instruments):
            if event.at_ns >= self.duration_ns:
                return
            yield event


def csv_tape(folder: Path, seconds: int) -> CsvTape:
    """The tape in `folder`, at most `seconds` of it, checked to its end; TapeError tells the first mistake."""
    if not folder.is_dir():
        raise TapeError("folder", str(folder), f"a folder with {INSTRUMENTS} and {EVENTS}")
    instruments = tuple(_instruments(present(folder / INSTRUMENTS)))
    last_ns = -1
    for event in read_events(present(folder / EVENTS), instruments):
        last_ns = event.at_ns
    if last_ns < 0:
        raise TapeError(at_line(folder / EVENTS, 2), "", "at least one event")
    name, label, duration_ns = _header(folder, last_ns + 1)
    start_utc_ns = _start(folder)
    return CsvTape(name, label, instruments, min(duration_ns, seconds * SECOND_NS), folder / EVENTS, start_utc_ns)


def read_events(path: Path, instruments: tuple[TapeInstrument, ...]) -> Iterator[TapeEvent]:
    """The events of `path`, checked line by line."""
    known = {(one.venue, one.symbol): one for one in instruments}
    status: dict[tuple[str, str], str] = {}
    start_ns: int | None = None
    iso = False
    before_ns = 0
    for line, row in table_rows(path, EVENT_COLUMNS):
        where = at_line(path, line)
        time, is_iso = _time(row["time"], f"{where}, time")
        if start_ns is None:
            start_ns, iso = (time if is_iso else 0), is_iso
        if is_iso != iso:
            raise TapeError(f"{where}, time", row["time"], "the same form of time in every row")
        at_ns = time - start_ns
        if at_ns < before_ns:
            raise TapeError(f"{where}, time", row["time"], "a time not before that of the row above")
        before_ns = at_ns
        key = (row["venue"], row["symbol"])
        if key not in known:
            raise TapeError(f"{where}, venue and symbol", ",".join(key), f"an instrument of {INSTRUMENTS}")
        event = _event(at_ns, row, known[key], status.get(key, CONTINUOUS[0]), where)
        if isinstance(event, TapeStatus):
            status[key] = event.status
        yield event


def _event(at_ns: int, row: Row, one: TapeInstrument, status: str, where: str) -> TapeEvent:
    kind = row["type"]
    if kind == BOOK:
        _empty(row, ("price", "qty", "aggressor", "status"), kind, where)
        bids, asks = (_levels(row[side], one, f"{where}, {side}") for side in ("bids", "asks"))
        _ordered(bids, asks, row, status, where)
        return TapeBook(at_ns, one.venue, one.symbol, bids, asks)
    if kind == TRADE:
        _empty(row, ("bids", "asks", "status"), kind, where)
        px_ticks = _price(row["price"], one, f"{where}, price")
        qty_lots = whole_number(row["qty"], 1, f"{where}, qty")
        if row["aggressor"] not in {"1", "2"}:
            raise TapeError(f"{where}, aggressor", row["aggressor"], "1 (a buyer took) or 2 (a seller took)")
        return TapeTrade(at_ns, one.venue, one.symbol, px_ticks, qty_lots, row["aggressor"])
    if kind == STATUS:
        _empty(row, ("bids", "asks", "price", "qty", "aggressor"), kind, where)
        if row["status"] not in STATUSES:
            named = ", ".join(f"{value} ({meaning})" for value, meaning in STATUSES.items())
            raise TapeError(f"{where}, status", row["status"], f"one of {named}")
        return TapeStatus(at_ns, one.venue, one.symbol, row["status"])
    raise TapeError(f"{where}, type", kind, f"{BOOK}, {TRADE} or {STATUS}")


def _empty(row: Row, columns: tuple[str, ...], kind: str, where: str) -> None:
    for column in columns:
        if row[column]:
            raise TapeError(f"{where}, {column}", row[column], f"nothing in a row of type {kind}")


def _levels(text: str, one: TapeInstrument, where: str) -> Levels:
    levels = []
    for level in text.split():
        price, colon, qty = level.partition(":")
        if not colon:
            raise TapeError(where, level, "price:lots, levels apart by a space, best first")
        levels.append((_price(price, one, where), whole_number(qty, 1, where)))
    return tuple(levels)


def _ordered(bids: Levels, asks: Levels, row: Row, status: str, where: str) -> None:
    """Best first, no price twice, and no crossing while the instrument trades continuously."""
    if any(better[0] <= worse[0] for better, worse in itertools.pairwise(bids)):
        raise TapeError(f"{where}, bids", row["bids"], "prices that fall from level to level")
    if any(better[0] >= worse[0] for better, worse in itertools.pairwise(asks)):
        raise TapeError(f"{where}, asks", row["asks"], "prices that rise from level to level")
    if status in CONTINUOUS and bids and asks and bids[0][0] >= asks[0][0]:
        found = f"{row['bids'].split()[0]} / {row['asks'].split()[0]}"
        raise TapeError(
            where, found, "a best bid below the best ask, or a status of auction (21), halt or closed before"
        )


def _price(text: str, one: TapeInstrument, where: str) -> int:
    px_ticks = whole_ticks(text, one.tick, where)
    if one.high_limit_ticks is not None and px_ticks > one.high_limit_ticks:
        raise TapeError(where, text, f"at most the high limit {one.tick * one.high_limit_ticks}")
    if one.low_limit_ticks is not None and px_ticks < one.low_limit_ticks:
        raise TapeError(where, text, f"at least the low limit {one.tick * one.low_limit_ticks}")
    return px_ticks


def _time(text: str, where: str) -> tuple[int, bool]:
    """(nanoseconds, whether it was ISO-8601): since the tape's start, or since 1970 UTC."""
    if text.isascii() and text.isdigit():
        return int(text), False
    whole, rest = text[:SECONDS_AT], text[SECONDS_AT:]
    digits = ""
    if rest.startswith("."):
        zone_at = next((i for i, c in enumerate(rest) if i and not c.isdigit()), len(rest))
        digits, rest = rest[1:zone_at], rest[zone_at:]
    try:
        stamp = datetime.fromisoformat(whole + rest)
    except ValueError:
        stamp = None
    if stamp is None or stamp.tzinfo is None or len(digits) > NANO_DIGITS:
        remedy = "whole nanoseconds since the start, or ISO-8601 with its offset: 2026-06-15T09:00:00.123456789+08:00"
        raise TapeError(where, text, remedy)
    return (stamp - EPOCH) // timedelta(seconds=1) * SECOND_NS + int(digits.ljust(9, "0")), True


def _instruments(path: Path) -> Iterator[TapeInstrument]:
    seen: set[tuple[str, str]] = set()
    for line, row in table_rows(path, INSTRUMENT_COLUMNS):
        where = at_line(path, line)
        for column in ("venue", "symbol", "currency"):
            if not row[column]:
                raise TapeError(f"{where}, {column}", "", "a name")
        date = row["trading_date"]
        if not (date.isascii() and date.isdigit() and len(date) == DATE_DIGITS):
            raise TapeError(f"{where}, trading_date", date, "a date YYYYMMDD")
        key = (row["venue"], row["symbol"])
        if key in seen:
            raise TapeError(f"{where}, venue and symbol", ",".join(key), "each instrument once")
        seen.add(key)
        tick = _tick(row["tick"], f"{where}, tick")
        high, low, settled = (
            whole_ticks(row[column], tick, f"{where}, {column}") if row[column] else None
            for column in ("high_limit", "low_limit", "prev_settlement")
        )
        yield TapeInstrument(*key, tick, row["currency"], date, high, low, settled)
    if not seen:
        raise TapeError(at_line(path, 2), "", "at least one instrument")


def _tick(text: str, where: str) -> Decimal:
    try:
        tick = Decimal(text)
    except InvalidOperation:
        tick = Decimal(0)
    if not tick.is_finite() or tick <= 0:
        raise TapeError(where, text, "a decimal above 0")
    return tick


def _header(folder: Path, duration_ns: int) -> tuple[str, str, int]:
    """Name, label and duration: as tape.csv has them, else the folder's name and the time of the last event."""
    path = folder / TAPE
    if not path.is_file():
        return folder.name, f"csv tape {folder.name}: recorded by its user", duration_ns
    line, row = next(table_rows(path, TAPE_COLUMNS), (0, {}))
    if not row:
        raise TapeError(at_line(path, 2), "", "one row: name, label, duration in nanoseconds")
    asked = whole_number(row["duration_ns"], duration_ns, at_line(path, line, "duration_ns"))
    return row["name"], row["label"], asked


def _start(folder: Path) -> int | None:
    """When the tape begins: as its first row is stamped, else as tape.csv may say in a column of its own."""
    line, row = next(table_rows(folder / EVENTS, EVENT_COLUMNS))
    at_ns, is_iso = _time(row["time"], f"{at_line(folder / EVENTS, line)}, time")
    if is_iso:
        return at_ns
    path = folder / TAPE
    line, row = next(table_rows(path, TAPE_COLUMNS), (0, {})) if path.is_file() else (0, {})
    text = row.get(START_COLUMN, "")
    return whole_number(text, 0, at_line(path, line, START_COLUMN)) if text else None
