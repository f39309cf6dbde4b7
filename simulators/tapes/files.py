"""Opening recorded files: plain, gzip or zip text, line by line; a missing one is told with its path."""

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from simulators.tapes.errors import TapeError, at_line

MISSING = "the folder of the recorded sets (given as the tape's directory, default ../shared/marketdata) holds it"


def text_lines(path: Path) -> Iterator[str]:
    """The lines of `path`: .gz is unpacked, of a .zip the only member is read."""
    if not path.is_file():
        raise TapeError(str(path), "no such file", MISSING)
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8", newline="") as plain:
                yield from plain
        elif path.suffix == ".zip":
            yield from _zip_lines(path)
        else:
            with path.open(encoding="utf-8", newline="") as plain:
                yield from plain
    except (OSError, EOFError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise TapeError(str(path), str(error), "a whole, readable file in UTF-8") from error


def table_rows(path: Path, wanted: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, row) of a CSV file with a header that holds at least the columns `wanted`."""
    reader = csv.reader(text_lines(path))
    header = next(reader, [])
    missing = [column for column in wanted if column not in header]
    if missing:
        raise TapeError(at_line(path, 1), ",".join(header), f"a header with the columns {', '.join(missing)}")
    for fields in reader:
        if len(fields) != len(header):
            raise TapeError(at_line(path, reader.line_num), ",".join(fields), f"{len(header)} fields")
        yield reader.line_num, dict(zip(header, fields, strict=True))


def _zip_lines(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        members = archive.namelist()
        if len(members) != 1:
            raise TapeError(str(path), members, "an archive of one file")
        with archive.open(members[0]) as binary:
            yield from io.TextIOWrapper(binary, encoding="utf-8", newline="")
