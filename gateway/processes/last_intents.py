"""The last intent of each rule that execution took in, from its journal: what a killed trigger had no time to keep.

An intent is sent before the trigger writes it down, so that the way to the order waits for no file. Execution writes it
before any order of it leaves. Whatever it has there was made of quotes that must not fire the rule again.

It reads the newest files of this boot only and decodes nothing but intents. What can go wrong: a torn end, which a kill
of execution leaves; what comes before it counts.
"""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.journal.frame import FILE_HEADER, MAX_RECORD_BYTES, RECORD_HEADER_BYTES
from gateway.journal.reader import EXECUTION, journal_paths
from gateway.model.base import made
from gateway.model.record import Decision, JournalOpened, JournalRecord
from gateway.model.rules import RuleMemory
from gateway.model.trade import Intent

FILES_READ = 3
"""Newest incarnations of execution that are looked at."""
_HEADER = struct.Struct("<II")
_TAG = b"\xa6Intent"
"""How msgpack writes the name of the class."""
_DECODER: msgspec.msgpack.Decoder[JournalRecord] = msgspec.msgpack.Decoder(JournalRecord, dec_hook=made)


def last_intents(run_dir: Path, boot_id: str) -> dict[str, Intent]:
    """By rule, the last intent that execution took in since this boot."""
    found: dict[str, Intent] = {}
    for path in journal_paths(run_dir, EXECUTION)[-FILES_READ:]:
        for record in _intents(path, boot_id):
            found[record.rule_id] = record
    return found


def remembering(memory: RuleMemory, intent: Intent) -> RuleMemory:
    """What a rule remembers, with an intent of it that it may have forgotten."""
    newest_ns = max(intent.recv_ns, *(leg.recv_ns for leg in intent.legs))
    if intent.intent_id == memory.intent_id or newest_ns <= memory.fence_ns:
        return memory
    return msgspec.structs.replace(
        memory,
        intent_id=intent.intent_id,
        out=True,
        opened=False,
        out_units=intent.units,
        out_side=intent.side,
        since_ns=intent.expires_ns,
        fence_ns=newest_ns,
        before_units=memory.filled_units,
        cooling=False,
    )


def _intents(path: Path, boot_id: str) -> Iterator[Intent]:
    with path.open("rb") as stream:
        if path.stat().st_size <= len(FILE_HEADER):
            return
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for payload in _payloads(data):
                first = payload.find(b"\xadJournalOpened", 0, 16) >= 0
                if not first and _TAG not in payload:
                    continue
                try:
                    record = _DECODER.decode(payload)
                except msgspec.DecodeError:
                    return
                if isinstance(record, JournalOpened) and record.boot_id != boot_id:
                    return
                if isinstance(record, Decision) and isinstance(record.event, Intent):
                    yield record.event


def _payloads(data: mmap.mmap) -> Iterator[bytes]:
    offset = len(FILE_HEADER)
    while offset + RECORD_HEADER_BYTES <= len(data):
        length = _HEADER.unpack_from(data, offset)[0]
        end = offset + RECORD_HEADER_BYTES + length
        if not 0 < length <= MAX_RECORD_BYTES or end > len(data):
            return
        yield data[offset + RECORD_HEADER_BYTES : end]
        offset = end
