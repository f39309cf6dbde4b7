"""Text files of a tape, and the words in them: lines, table rows, prices, whole numbers, times. All exact.

A file that is missing or cannot be unpacked, a row of the wrong width, a price off its tick: each is told with its
place.
"""

import csv
import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

from simulators.tapes.draws import SECOND_NS
from simulators.tapes.errors import TapeError, at_line

TIME_OF_DAY = re.compile(r"([0-2]\d):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?")
MISSING = "the tape's directory must hold it (recorded sets: ../shared/marketdata by default; csv: docs/TAPES.md)"


def present(path: Path) -> Path:
    """`path`, if there is such a file."""
    if not path.is_file():
        raise TapeError(str(path), "no such file", MISSING)
    return path


def text_lines(path: Path) -> Iterator[str]:
    """The lines of `path`: .gz is unpacked, of a .zip the only member is read."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8", newline="") as plain:
                yield from plain
        elif path.suffix == ".zip":
            yield from _zip_lines(path)
        else:
            with path.open(encoding="utf-8-sig", newline="") as plain:
                yield from plain
    except (OSError, EOFError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise TapeError(str(path), str(error), "a whole, readable file in UTF-8") from error


def table_rows(path: Path, wanted: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, row) of a CSV file with a header that holds at least the columns `wanted`."""
    rows = _rows(path)
    _, header = next(rows, (1, []))
    missing = [column for column in wanted if column not in header]
    if missing:
        raise TapeError(at_line(path, 1), ",".join(header), f"a header with the columns {', '.join(missing)}")
    for line, fields in rows:
        if len(fields) != len(header):
            raise TapeError(at_line(path, line), ",".join(fields), f"{len(header)} fields")
        yield line, dict(zip(header, fields, strict=True))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text_lines(path), strict=True)
    try:
        for fields in reader:
            yield reader.line_num, fields
    except csv.Error as error:
        raise TapeError(at_line(path, reader.line_num), str(error), "fields apart by commas, quotes closed") from error


def _zip_lines(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        members = archive.namelist()
        if len(members) != 1:
            raise TapeError(str(path), members, "an archive of one file")
        with archive.open(members[0]) as binary:
            yield from io.TextIOWrapper(binary, encoding="utf-8", newline="")


def time_of_day_ns(text: str, where: str) -> int:
    """Nanoseconds since midnight of "HH:MM:SS" with up to nine decimals."""
    match = TIME_OF_DAY.fullmatch(text)
    if match is None:
        raise TapeError(where, text, "a time of day such as 09:30:00 or 09:30:00.400")
    hours, minutes, seconds, fraction = match.groups()
    return (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * SECOND_NS + int((fraction or "0").ljust(9, "0"))


def beijing_ns(text: str, date: str, where: str) -> int:
    """Nanoseconds since midnight of an ISO-8601 stamp that must lie on `date` (YYYY-MM-DD) and end in +08:00."""
    if not (text.startswith(f"{date}T") and text.endswith("+08:00")):
        raise TapeError(where, text, f"a stamp {date}THH:MM:SS.sss+08:00")
    return time_of_day_ns(text[len(date) + 1 : -6], where)


def whole_ticks(text: str, tick: Decimal, where: str) -> int:
    """The price `text` as whole ticks, exactly."""
    try:
        ticks, rest = divmod(Decimal(text), tick)
    except InvalidOperation as error:
        raise TapeError(where, text, "a decimal price") from error
    if rest:
        raise TapeError(where, text, f"a whole multiple of the tick {tick}")
    return int(ticks)


def whole_number(text: str, least: int, where: str) -> int:
    """A whole number of at least `least`; "12.0" is one, "12.5" is not."""
    digits = text.removesuffix(".0")
    if not digits.isascii() or not digits.isdigit() or int(digits) < least:
        raise TapeError(where, text, f"a whole number, {least} or more")
    return int(digits)
