"""What of the client process is on disk when it starts: its journal, and what QuickFIX has stored of its reports.

What was written into the journal and not yet handed to QuickFIX when the process was killed is in no store: no client
would ever hear of it. So the last answers of the journal, reports, refused cancels and mass cancels, are looked for
among what QuickFIX has kept, and those behind the last one that is there are sent now, with PossResend(97)=Y.

QuickFIX keeps a message, then counts its number, then sends it. A kill between the first two leaves a message whose
number is given to the next one: it was never sent and never will be, so it does not count as kept.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.clients.engine import ClientEngine
from gateway.clients.telling import Moment
from gateway.journal.reader import read_run
from gateway.model.client import CancelRefused, ClientReport, ClientSession, MassCancelTold
from gateway.model.record import ClientDecision
from gateway.processes.clients_ids import IdsOnDisk

KEPT_EVERY = 1000
"""While journals are read, used ids are handed on after so many records."""
CLIENTS = "clients"
"""The process, in names of journals."""
LOOKED_AT_BYTES = 4_000_000
REMEMBERED = 10_000
"""Answers to each client that are looked for."""
Answer = ClientReport | CancelRefused | MassCancelTold
_NAMES = {
    b"8": re.compile(rb"\x0117=([^\x01]+)\x01"),
    b"9": re.compile(rb"\x0111=([^\x01]+)\x01"),
    b"r": re.compile(rb"\x0137=([^\x01]+)\x01"),
}
_NUMBER = re.compile(rb"\x0134=([0-9]+)\x01")
_KIND = re.compile(rb"\x0135=([89r])\x01")


class Recovered(NamedTuple):
    """Where the journals end, and the last answers to each client."""

    seq: int
    answers: dict[str, deque[Answer]]


def recover(engine: ClientEngine, run_dir: Path, ids: Mapping[str, IdsOnDisk] | None = None) -> Recovered:
    """Feed the journals of earlier incarnations to the engine: the same events make the same orders.

    From then on it knows the ids of all runs: `ids` has those of earlier ones, and gets what a kill has left out.
    """
    if ids is not None:
        engine.book.ids.update(ids)
    seq = 0
    answers: dict[str, deque[Answer]] = {name: deque(maxlen=REMEMBERED) for name in engine.settings.clients}
    for record in read_run(run_dir, CLIENTS):
        if not isinstance(record, ClientDecision):
            continue
        if isinstance(record.event, ClientSession) and record.event.reset:
            answers.get(record.event.client_id, deque()).clear()
        engine.replay(record.event, Moment(record.at_ns, record.utc_ns), record.actions)
        seq = record.seq
        if not seq % KEPT_EVERY:
            engine.book.keep_used()
        for action in record.actions:
            if isinstance(action, Answer) and action.client_id in answers and name_of(action) != STATUS:
                answers[action.client_id].append(action)
    engine.book.keep_used()
    for one in (ids or {}).values():
        one.sync()
    return Recovered(seq, answers)


def name_of(answer: Answer) -> str:
    """What it is known by: ExecID(17) of a report, ClOrdID(11) of a refused change, OrderID(37) of a mass cancel."""
    match answer:
        case ClientReport():
            return f"8 {answer.exec_id}"
        case CancelRefused():
            return f"9 {answer.cl_ord_id}"
        case MassCancelTold():
            return f"r {answer.order_id}"


STATUS = "8 0"
"""An answer to a question: who did not hear it asks again."""


def stored_answers(state_dir: Path, begin_string: str, comp_id: str, client_id: str) -> frozenset[str]:
    """The names of the answers among the last messages that QuickFIX keeps for a session, and can send again."""
    name = f"{begin_string}-{comp_id}-{client_id}"
    try:
        next_number = int((state_dir / f"{name}.seqnums").read_text(encoding="ascii").partition(":")[0])
        with (state_dir / f"{name}.body").open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LOOKED_AT_BYTES))
            kept = dict(_stored(file.read()))
    except (FileNotFoundError, ValueError):  # no session yet
        return frozenset()
    return frozenset(name for number, name in kept.items() if number < next_number and name)


def _stored(messages: bytes) -> Iterator[tuple[int, str]]:
    """(MsgSeqNum, name) of each message in the order of the file; the last one of a number is what it stands for."""
    for one in messages.split(b"8=FIX"):
        number = _NUMBER.search(one)
        if number is None:
            continue
        kind = _KIND.search(one)
        found = _NAMES[kind[1]].search(one) if kind is not None else None
        yield (
            int(number[1]),
            f"{kind[1].decode()} {found[1].decode()}" if kind is not None and found is not None else "",
        )


def unsent(answers: Sequence[Answer], stored: frozenset[str]) -> list[Answer]:
    """Those behind the last one that is stored."""
    last = max((place for place, one in enumerate(answers) if name_of(one) in stored), default=-1)
    return list(answers)[last + 1 :]
