"""What of the client process is on disk when it starts: its journal, and what QuickFIX has stored of its reports.

A report that was written into the journal and not yet handed to QuickFIX when the process was killed is in no store:
no client would ever hear of it. So the last reports of the journal are looked for among what QuickFIX has kept, by
ExecID(17), and those behind the last one that is there are sent now, with PossResend(97)=Y.
"""

import re
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.clients.engine import ClientEngine
from gateway.clients.telling import Moment
from gateway.journal.reader import read_run
from gateway.model.client import ClientReport, ClientSession
from gateway.model.record import ClientDecision

CLIENTS = "clients"
"""The process, in names of journals."""
LOOKED_AT_BYTES = 4_000_000
REMEMBERED = 10_000
"""Reports of each client that are looked for."""
_EXEC_ID = re.compile(rb"\x0117=([^\x01]+)\x01")


class Recovered(NamedTuple):
    """Where the journals end, and the last reports of each client."""

    seq: int
    reports: dict[str, deque[ClientReport]]


def recover(engine: ClientEngine, run_dir: Path) -> Recovered:
    """Feed the journals of earlier incarnations to the engine: the same events make the same orders."""
    seq = 0
    reports: dict[str, deque[ClientReport]] = {name: deque(maxlen=REMEMBERED) for name in engine.settings.clients}
    for record in read_run(run_dir, CLIENTS):
        if not isinstance(record, ClientDecision):
            continue
        if isinstance(record.event, ClientSession) and record.event.reset:
            reports.get(record.event.client_id, deque()).clear()
        engine.replay(record.event, Moment(record.at_ns, record.utc_ns), record.actions)
        seq = record.seq
        for action in record.actions:
            if isinstance(action, ClientReport) and action.client_id in reports and action.exec_id != "0":
                reports[action.client_id].append(action)
    return Recovered(seq, reports)


def stored_exec_ids(state_dir: Path, begin_string: str, comp_id: str, client_id: str) -> frozenset[str]:
    """The ExecIDs among the last messages that QuickFIX keeps for a session."""
    path = state_dir / f"{begin_string}-{comp_id}-{client_id}.body"
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LOOKED_AT_BYTES))
            return frozenset(found.decode() for found in _EXEC_ID.findall(file.read()))
    except FileNotFoundError:
        return frozenset()


def unsent(reports: Sequence[ClientReport], stored: frozenset[str]) -> list[ClientReport]:
    """Those behind the last one that is stored."""
    last = max((place for place, one in enumerate(reports) if one.exec_id in stored), default=-1)
    return list(reports)[last + 1 :]
