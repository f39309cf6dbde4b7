"""From the wire to the trigger: which quotes count, joined from the trigger's journal and the record."""

from decimal import Decimal
from pathlib import Path

from gateway.journal.reader import RECORDER, journal_path
from gateway.journal.record_files import segment_path
from gateway.journal.trigger_times import TRIGGER, quote_to_trigger_sample_ns
from gateway.journal.writer import JournalWriter
from gateway.model.instrument import Instrument
from gateway.model.quote import BookState, Quote
from gateway.model.record import (
    Consumed,
    JournalOpened,
    JournalRecord,
    Observed,
    QuotesTaken,
    Ticked,
    TriggerStarted,
)

US = 1_000
START_NS = 1_000_000


def instrument(name: str) -> Instrument:
    venue, _, symbol = name.partition(".")
    return Instrument(name, venue, symbol, Decimal(1), Decimal(1), "t", "CNY", Decimal(1))


def write(path: Path, process: str, records: list[JournalRecord]) -> None:
    opened = JournalOpened(process, 1, "host", "boot", START_NS, 0, "0.1.0", "d")
    writer = JournalWriter(path, opened, fdatasync_interval_ns=10**9, sync_before_send=False, min_free_bytes=0)
    for record in records:
        writer.append(record)
    writer.close()


def quote(name: str, recv_us: int, state: BookState = BookState.OK) -> Quote:
    at_ns = START_NS + recv_us * US
    return Quote(name, state, ((10, 1),), ((11, 1),), at_ns, at_ns, at_ns, 1)


def observed(seq: int, what: Quote, *, filled: bool = False) -> Observed:
    return Observed(START_NS + 10**6, 7, seq, what, filled=filled)


def taken(at_us: int, *quotes: tuple[int, int]) -> QuotesTaken:
    return QuotesTaken(START_NS + at_us * US, tuple((place, 7, seq) for place, seq in quotes), 1, 0)


def made(tmp_path: Path, recorded: list[JournalRecord], *inputs: QuotesTaken | Ticked) -> Path:
    started = TriggerStarted(START_NS, 10**9, (instrument("A.a"), instrument("B.b")), (), (), ())
    write(journal_path(tmp_path, TRIGGER, 1), TRIGGER, [started, Consumed(1, inputs)])
    write(segment_path(tmp_path, 1, 1), RECORDER, recorded)
    return tmp_path


def test_each_quote_counts_from_its_arrival_to_when_it_was_taken_up(tmp_path: Path) -> None:
    """Quotes of two instruments, taken up together and alone; by instrument and number, not by order."""
    recorded: list[JournalRecord] = [
        observed(1, quote("A.a", 100)),
        observed(1, quote("B.b", 120)),
        observed(2, quote("A.a", 300)),
    ]
    run = made(tmp_path, recorded, taken(150, (0, 1), (1, 1)), Ticked(START_NS), taken(340, (0, 2)))
    assert quote_to_trigger_sample_ns(run) == [50 * US, 30 * US, 40 * US]


def test_what_tells_nothing_new_of_the_way_is_left_out(tmp_path: Path) -> None:
    """A state that changed under an old message, a book not to be traded on, a late filling, a quote from before the
    trigger's start, one that is not in the record; and one that is evaluated anew counts once.
    """
    recorded: list[JournalRecord] = [
        observed(1, quote("A.a", -50)),
        observed(2, quote("A.a", 100)),
        observed(3, quote("A.a", 100)),
        observed(4, quote("A.a", 200, BookState.GAP)),
        observed(5, quote("A.a", 300), filled=True),
        observed(6, quote("A.a", 400)),
    ]
    inputs = [taken(500 + seq, (0, seq)) for seq in range(1, 8)]
    run = made(tmp_path, recorded, *inputs, taken(9000, (0, 6)))
    assert quote_to_trigger_sample_ns(run) == [402 * US, 106 * US]


def test_a_large_run_gives_an_even_sample_of_bounded_size(tmp_path: Path) -> None:
    """Every n-th by number, not the first ones."""
    recorded: list[JournalRecord] = [observed(seq, quote("A.a", seq)) for seq in range(1, 101)]
    run = made(tmp_path, recorded, *[taken(seq + seq, (0, seq)) for seq in range(1, 101)])
    assert quote_to_trigger_sample_ns(run, most=10) == [seq * US for seq in range(10, 101, 10)]
    assert len(quote_to_trigger_sample_ns(run)) == 100


def test_a_run_whose_trigger_kept_no_journal_gives_none(tmp_path: Path) -> None:
    """Nothing is guessed."""
    assert quote_to_trigger_sample_ns(tmp_path) == []
