"""USD/CNY of a day from the recorded ECB reference rates, without look-ahead.

The rate of a day is fixed at 14:15 in Frankfurt, after the Chinese day session has ended, so the rate that a decision
on a day could know is that of the last fixing before the day.
"""

from decimal import Decimal, InvalidOperation
from pathlib import Path

from simulators.tapes.errors import TapeError, at_line
from simulators.tapes.text import present, table_rows

FILE = "fx/ECB_EURUSD_EURCNY_USDCNY_daily.csv.gz"


def usdcny_fixing(directory: str, date: str) -> tuple[Decimal, str]:
    """The rate known on `date` (YYYYMMDD or YYYY-MM-DD) and the day (YYYY-MM-DD) on which it was fixed."""
    day = date if "-" in date else f"{date[:4]}-{date[4:6]}-{date[6:]}"
    path = present(Path(directory) / FILE)
    known: tuple[int, dict[str, str]] | None = None
    for line, row in table_rows(path, ("Date", "USDCNY")):
        if row["Date"] >= day:
            break
        known = line, row
    if known is None:
        raise TapeError(str(path), date, "a date after the first fixing of the file")
    line, row = known
    try:
        return Decimal(row["USDCNY"]), row["Date"]
    except InvalidOperation as error:
        raise TapeError(at_line(path, line, "USDCNY"), row["USDCNY"], "a decimal rate") from error
