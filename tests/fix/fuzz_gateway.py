"""The gateway's end of the fuzz over a socket: one real order session, its decoder, counts. A program of its own, so that
whoever talks to it sees whether it lives.

    python -m tests.fix.fuzz_gateway DIALECT PORT FOLDER

It ends when its standard input does, and then writes what it counted as one line of JSON.
"""

import faulthandler
import json
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from gateway.fix.dialect import load_dialect
from gateway.fix.engine import FixSessions
from gateway.fix.orders import OrderDecoder
from gateway.fix.session_settings import SessionSettings
from gateway.journal.frame import FrameEncoder
from gateway.model.order import SessionChanged
from gateway.model.record import Decision
from gateway.model.trade import ExecutionEvent
from tests.execution.desk import INSTRUMENTS
from tests.fix.fuzz_engine import Share

HEART_BT_INT_S = 30
BACKOFF_S = (0.01, 0.02)


class Gateway:
    """Decodes what the session hands over, in its thread, and makes a journal record of it."""

    def __init__(self, dialect: str, port: int, folder: Path) -> None:
        self.share = Share(Counter(), Counter())
        self.sessions_lost = 0
        self._encoder = FrameEncoder()
        venue_id = "SHFE" if dialect == "domestic44" else "LME"
        loaded = load_dialect(dialect)
        listed = {one.symbol: one for one in INSTRUMENTS.values() if one.venue_id == venue_id}
        self._decoder = OrderDecoder(loaded, venue_id, listed)
        settings = SessionSettings(
            "fuzz.orders", venue_id, "orders", loaded, "127.0.0.1", port, "CMC", "VENUE",
            heart_bt_int_s=HEART_BT_INT_S, reset_on_logon=True, reconnect_backoff_s=BACKOFF_S,
        )  # fmt: skip
        self.sessions = FixSessions(
            [settings],
            folder / "state",
            folder / "log",
            time.monotonic_ns,
            on_message=self._on_message,
            on_session=self._on_session,
            on_refused=self._on_refused,
        )

    def _on_message(self, _key: str, raw: str, recv_ns: int) -> None:
        event = self._decoder.decode(raw, recv_ns)
        self.share.note(event)
        if event is not None:
            self._record(event)

    def _on_session(self, _key: str, up: bool, detail: str) -> None:  # noqa: FBT001 - the callback's form
        self.sessions_lost += not up
        self._record(SessionChanged("LME", "orders", up, 1, detail))

    def _on_refused(self, _key: str, _ref_seq_num: int, text: str) -> None:
        self.share.events["refused by QuickFIX"] += 1
        self.share.reasons[f"QuickFIX: {text.split(':', maxsplit=1)[0]}"] += 1

    def _record(self, event: ExecutionEvent) -> None:
        self._encoder.encode(Decision(1, 1, event, ()))


def main() -> None:
    """Run until standard input ends."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    made = Gateway(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    made.sessions.start()
    sys.stdin.read()
    made.sessions.stop(5)
    told = {
        "events": dict(made.share.events.most_common()),
        "reasons": dict(made.share.reasons.most_common()),
        "sessions lost": made.sessions_lost,
    }
    print(json.dumps(told))  # noqa: T201 - a program


if __name__ == "__main__":
    main()
