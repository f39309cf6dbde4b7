"""The recorder's helper process that turns closed segments into Parquet. Decides nothing about what is recorded.

The recorder never waits for it while it records: one runs at a time, and what is closed meanwhile is taken by the next.
At the end it is waited for, no longer than said; what it does not reach stays a log, and the next start converts it.
"""

import subprocess
import sys
from pathlib import Path


class RecordConverter:
    """Starts `gateway.journal.to_parquet` for one run, one at a time."""

    def __init__(self, run_dir: Path) -> None:
        self._command = [sys.executable, "-m", "gateway.journal.to_parquet", str(run_dir)]
        self._running: subprocess.Popen[bytes] | None = None
        self._again = False

    def ask(self) -> None:
        """Something was closed: convert it, now or when the one that runs has ended."""
        self._again = True
        self.mind()

    def mind(self) -> None:
        """Take note of its end, and start the next where one is asked for."""
        if self._running is not None and self._running.poll() is not None:
            self._running = None
        if self._again and self._running is None:
            self._again = False
            # A session of its own: Ctrl-C is for those who trade, it ends by itself.
            self._running = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603

    def finish(self, timeout_s: float) -> None:
        """Wait for the one that runs and the one asked for after it; end what takes longer, which loses nothing."""
        for _ in range(2):
            self.mind()
            if self._running is None:
                return
            try:
                self._running.wait(timeout_s / 2)
            except subprocess.TimeoutExpired:
                self._again = False
                self._running.terminate()
                self._running.wait()
