"""A record of some quotes, as the recorder writes it, and the site file of its run."""

from collections.abc import Iterable
from pathlib import Path

from gateway.journal.record_files import RepairMarks, segment_path
from gateway.journal.writer import JournalWriter
from gateway.model.quote import BookState, Levels, Quote
from gateway.model.record import ClockPair, JournalOpened, JournalRecord, Missed, Observed

CU, CA = "SHFE.cu2609", "LME.CA3M"
MONO_NS, UTC_NS = 5_000_000_000, 1_781_485_200_000_000_000
"""2026-06-15T01:00:00Z, 09:00 in Beijing."""
AHEAD_NS = UTC_NS - MONO_NS
BIDS: Levels = ((7822, 12), (7821, 30))
ASKS: Levels = ((7823, 9), (7824, 21))
SITE = """
[[instrument]]
id = "SHFE.cu2609"
symbol = "cu2609"
tick = "10"
currency = "CNY"

[[instrument]]
id = "LME.CA3M"
symbol = "CA3M"
tick = "0.50"
currency = "USD"
"""


def opened(incarnation: int = 1) -> JournalOpened:
    return JournalOpened("recorder", incarnation, "host-1", "boot-1", MONO_NS, UTC_NS, "0.1.0", "digest")


def quote(
    ms: int,
    state: BookState = BookState.OK,
    bids: Levels = BIDS,
    asks: Levels = ASKS,
    *,
    name: str = CU,
    last: tuple[int, int] | None = None,
    detail: str = "",
) -> Quote:
    """A quote received `ms` after the record began; without levels where the state shows none."""
    at_ns = MONO_NS + ms * 1_000_000
    if state in {BookState.EMPTY, BookState.GAP, BookState.BAD, BookState.DOWN}:
        bids = asks = ()
    px_ticks, qty_lots = (None, 0) if last is None else last
    return Quote(
        name, state, bids, asks, at_ns, UTC_NS + ms * 1_000_000, at_ns + 40_000, 100 + ms, ms, at_ns - 900_000, 250_000,
        px_ticks, qty_lots, detail,
    )  # fmt: skip


def observed(quotes: Iterable[Quote], marks: RepairMarks | None = None) -> list[Observed]:
    """As the recorder writes them, numbered from 1, marked by `marks`."""
    marks = marks or RepairMarks()
    return [Observed(one.pub_ns + 60_000, 3, seq, one, marks.is_repaired(one)) for seq, one in enumerate(quotes, 1)]


def missed(first_seq: int, last_seq: int, name: str = CU) -> Missed:
    return Missed(MONO_NS, f"Q.{name}", 3, first_seq, last_seq)


def clock_pair(ms: int) -> ClockPair:
    return ClockPair(MONO_NS + ms * 1_000_000, UTC_NS + ms * 1_000_000)


def segment(run_dir: Path, records: Iterable[JournalRecord], number: int = 1, incarnation: int = 1) -> Path:
    """A closed segment's log."""
    path = segment_path(run_dir, incarnation, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    (run_dir / "site.toml").write_text(SITE, encoding="utf-8")
    writer = JournalWriter(
        path, opened(incarnation), fdatasync_interval_ns=10**9, sync_before_send=False, min_free_bytes=0
    )
    for one in records:
        writer.append(one)
    writer.close()
    return path
