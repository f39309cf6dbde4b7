"""What a backtest leaves: a run directory like a live one, so that every reader of runs reads it.

    OUT/journal/execution.0000000001.journal   every event and decision of execution
    OUT/journal/trigger.0000000001.journal     what the trigger took in, and its intents
    OUT/journal/recorder.0000000001-000001.journal   every quote, and prices of pairs at an interval
    OUT/truth/VENUE/                           what the venues recorded themselves
    OUT/settings/, OUT/site.toml               what was decided by

Nothing here is synced to the disk: a backtest that dies is run again. Its times are the tape's, UTC on both clocks.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.execution.ledger import ExecutionSettings
from gateway.journal.frame import FILE_HEADER, FrameEncoder
from gateway.journal.reader import EXECUTION, RECORDER, journal_path
from gateway.journal.record_files import RepairMarks, segment_path
from gateway.journal.site_facts import SITE_FILE
from gateway.model.quote import Quote
from gateway.model.record import (
    Consumed,
    Decision,
    JournalOpened,
    JournalRecord,
    Observed,
    TriggerInput,
    TriggerStarted,
)
from gateway.model.trade import PairPrice
from gateway.processes import machine
from gateway.processes.kept_settings import keep_settings
from gateway.processes.replay_trigger import TRIGGER
from simulators.core.truth import HEADERS, ORDERS, Truth, line

BOOT_ID = "backtest"
INCARNATION = 1
INPUTS_AT_ONCE = 500


class JournalFile:
    """One journal, written in blocks."""

    def __init__(self, path: Path, opened: JournalOpened) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = path.open("wb")
        self._encode = FrameEncoder().encode
        self._stream.write(FILE_HEADER)
        self.append(opened)

    def append(self, record: JournalRecord) -> None:
        self._stream.write(self._encode(record))

    def close(self) -> None:
        self._stream.close()


class RunRecord:
    """The run directory of one backtest, while it runs."""

    def __init__(self, out_dir: Path, site_file: Path, digest: str, given: ExecutionSettings, start_ns: int) -> None:
        self._truth_dir = out_dir / "truth"
        keep_settings(out_dir, digest, INCARNATION, given)
        shutil.copyfile(site_file, out_dir / SITE_FILE)
        paths = {
            EXECUTION: journal_path(out_dir, EXECUTION, INCARNATION),
            TRIGGER: journal_path(out_dir, TRIGGER, INCARNATION),
            RECORDER: segment_path(out_dir, INCARNATION, 1),
        }
        self._execution, self._trigger, self._recorder = (
            JournalFile(
                path,
                JournalOpened(
                    name, INCARNATION, machine.host(), BOOT_ID, start_ns, start_ns, machine.version(), digest
                ),
            )
            for name, path in paths.items()
        )
        self._repairs = RepairMarks()
        self._inputs: list[TriggerInput] = []
        self._taken = 0
        self._prices = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write_inputs()
        for one in (self._execution, self._trigger, self._recorder):
            one.close()

    def decision(self, decision: Decision) -> None:
        """An event of execution and what it decided."""
        self._execution.append(decision)

    def price(self, price: PairPrice) -> None:
        """A pair's price as the trigger saw it."""
        self._prices += 1
        self._recorder.append(Observed(price.at_ns, INCARNATION, self._prices, price))

    def quote(self, quote: Quote, number: int, at_ns: int) -> None:
        """A quote as the feed told it, under the number of its topic."""
        self._recorder.append(Observed(at_ns, INCARNATION, number, quote, self._repairs.is_repaired(quote)))

    def started(self, started: TriggerStarted) -> None:
        """What the trigger's core was made of."""
        self._trigger.append(started)

    def took(self, given: TriggerInput) -> None:
        """An input of the trigger, or an intent that came of it."""
        self._inputs.append(given)
        if len(self._inputs) >= INPUTS_AT_ONCE:
            self._write_inputs()

    def _write_inputs(self) -> None:
        if self._inputs:
            self._trigger.append(Consumed(self._taken + 1, tuple(self._inputs)))
            self._taken += len(self._inputs)
            self._inputs.clear()

    def truth(self, venue_id: str, items: Iterable[Truth]) -> None:
        """What happened at a venue, as it recorded it."""
        folder = self._truth_dir / venue_id
        folder.mkdir(parents=True, exist_ok=True)
        lines: dict[str, list[str]] = {ORDERS: []}
        for item in items:
            name, text = line(item)
            lines.setdefault(name, [HEADERS[name]] if name in HEADERS else []).append(text)
        for name, listed in lines.items():
            (folder / name).write_text("".join(f"{text}\n" for text in listed), encoding="utf-8")
