"""How records lie in a journal file, and what is wrong with a file that holds something else. Pure.

    file   = magic "CMC-JRNL", u32 version, record*
    record = u32 length of the payload, u32 CRC-32 of (length, four zero bytes, payload), payload (msgpack)

Numbers are little-endian. The checksum covers the length, so that a damaged length is seen as damage and a run of
zero bytes (what a file system leaves after a power loss) is no record.

A process that is killed while it writes leaves the first part of one record at the end: a *torn tail*, to be told and
cut off. Anything damaged that is followed by a whole record, or that is longer than one record can be, was not made by
a kill and is a `CorruptJournalError`: a person decides. Bytes of the last record that were changed on the disk look
like a torn tail; they are told with the reason "checksum".
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple
from zlib import crc32

import msgspec

from gateway.model.base import made, plain
from gateway.model.record import JournalRecord

MAGIC = b"CMC-JRNL"
VERSION = 1
FILE_HEADER = MAGIC + struct.pack("<I", VERSION)
RECORD_HEADER_BYTES = 8
MAX_RECORD_BYTES = 1 << 22
"""Largest payload of one record unless a caller sets another: what a trigger of 2 000 pairs starts with is 1.4 MB."""

_HEADER = struct.Struct("<II")
_CRC = struct.Struct("<I")
_DECODER: msgspec.msgpack.Decoder[JournalRecord] = msgspec.msgpack.Decoder(JournalRecord, dec_hook=made)


class CorruptJournalError(Exception):
    """A journal file holds what no writer of ours leaves behind, even when killed."""

    def __init__(self, name: str, offset: int, expected: str, found: str) -> None:
        """Name the file, the byte offset, what should stand there and what stands there."""
        super().__init__(
            f"{name}: byte {offset}: expected {expected}, found {found}. "
            "Keep the file as it is, work on a copy; records before this place are whole."
        )
        self.name, self.offset, self.expected, self.found = name, offset, expected, found


class RecordTooLargeError(ValueError):
    """A record of ours is larger than the setting allows; nothing was written."""


class Framed(NamedTuple):
    """A whole record and where it lies: from `offset` to `end_offset`, the latter excluded."""

    offset: int
    end_offset: int
    record: JournalRecord


class TornTail(NamedTuple):
    """What a killed writer left after the last whole record."""

    name: str
    offset: int
    torn_bytes: int
    reason: str


class FrameEncoder:
    """Turns records into framed bytes in one reused buffer; the result is valid until the next call."""

    def __init__(self, max_record_bytes: int = MAX_RECORD_BYTES) -> None:
        """Refuse payloads above `max_record_bytes`."""
        self._max_record_bytes = max_record_bytes
        self._encode_into = msgspec.msgpack.Encoder(enc_hook=plain).encode_into
        self._buffer = bytearray(RECORD_HEADER_BYTES)

    def encode(self, record: JournalRecord) -> bytearray:
        """One record as it lies in the file."""
        buffer = self._buffer
        self._encode_into(record, buffer, RECORD_HEADER_BYTES)
        length = len(buffer) - RECORD_HEADER_BYTES
        if length > self._max_record_bytes:
            message = f"{type(record).__name__} of {length} bytes; at most {self._max_record_bytes} (max_record_bytes)"
            raise RecordTooLargeError(message)
        _HEADER.pack_into(buffer, 0, length, 0)
        _CRC.pack_into(buffer, 4, crc32(buffer))
        return buffer


def scan(stream: BinaryIO, name: str, max_record_bytes: int = MAX_RECORD_BYTES) -> Iterator[Framed | TornTail]:
    """Every whole record of the file, then, if the end is torn, one TornTail as the last item."""
    start = stream.read(len(FILE_HEADER))
    if start != FILE_HEADER:
        yield _torn_start(start, name)
        return
    offset = len(FILE_HEADER)
    while head := stream.read(RECORD_HEADER_BYTES):
        length = _HEADER.unpack(head)[0] if len(head) == RECORD_HEADER_BYTES else 0
        payload = stream.read(length) if 0 < length <= max_record_bytes else b""
        problem = _problem(head, payload, max_record_bytes)
        if problem:
            yield _torn_end(head + payload, stream, name, offset, problem, max_record_bytes)
            return
        end = offset + RECORD_HEADER_BYTES + length
        yield Framed(offset, end, _decode(payload, name, offset))
        offset = end


def _problem(head: bytes, payload: bytes, max_record_bytes: int) -> str:
    """Why these bytes are no whole record; empty when they are one."""
    if len(head) < RECORD_HEADER_BYTES:
        return f"{len(head)} of {RECORD_HEADER_BYTES} bytes of a record's header"
    length, crc = _HEADER.unpack(head)
    if not 0 < length <= max_record_bytes:
        return f"length {length}, outside 1 to {max_record_bytes}"
    if len(payload) < length:
        return f"{len(payload)} of {length} bytes of a record"
    found = crc32(payload, crc32(head[:4] + bytes(4)))
    return "" if crc == found else f"checksum {found:08x} where {crc:08x} is written"


def _decode(payload: bytes, name: str, offset: int) -> JournalRecord:
    try:
        return _DECODER.decode(payload)
    except msgspec.DecodeError as error:
        expected = f"a record that version {VERSION} of this program knows"
        raise CorruptJournalError(name, offset, expected, f"one that does not decode ({error})") from error


def _torn_start(start: bytes, name: str) -> TornTail:
    """Give the torn tail of a file whose writer was killed in its first bytes; other files are no journals."""
    if FILE_HEADER.startswith(start):
        return TornTail(name, 0, len(start), f"{len(start)} of {len(FILE_HEADER)} bytes of the file's header")
    if start.startswith(MAGIC):
        raise CorruptJournalError(name, len(MAGIC), f"journal version {VERSION}", f"bytes {start[len(MAGIC) :].hex()}")
    raise CorruptJournalError(name, 0, f"a journal, which starts with {MAGIC!r}", repr(start))


def _torn_end(read: bytes, stream: BinaryIO, name: str, offset: int, problem: str, max_record_bytes: int) -> TornTail:
    """Tell a torn tail from damage in the middle: the rest of a torn file holds no whole record and is short."""
    longest = RECORD_HEADER_BYTES + max_record_bytes
    rest = read + stream.read(longest + 1)
    if not any(rest):
        zeros = len(rest)
        while more := stream.read(1 << 20):
            if any(more):
                raise CorruptJournalError(name, offset, "a whole record", f"{zeros} zero bytes, then data")
            zeros += len(more)
        return TornTail(name, offset, zeros, "zero bytes")
    follower = _whole_record_in(rest, max_record_bytes)
    if follower is not None:
        found = f"{problem}, and a whole record after it at byte {offset + follower}"
        raise CorruptJournalError(name, offset, "a whole record", found)
    if len(rest) > longest:
        raise CorruptJournalError(name, offset, "a whole record", f"{problem}, and more bytes than one record has")
    return TornTail(name, offset, len(rest), problem)


def _whole_record_in(rest: bytes, max_record_bytes: int) -> int | None:
    """Where, after its first byte, `rest` holds a whole record."""
    for at in range(1, len(rest) - RECORD_HEADER_BYTES):
        head = rest[at : at + RECORD_HEADER_BYTES]
        length = _HEADER.unpack(head)[0]
        if 0 < length <= min(max_record_bytes, len(rest) - at - RECORD_HEADER_BYTES):
            payload = rest[at + RECORD_HEADER_BYTES : at + RECORD_HEADER_BYTES + length]
            if not _problem(head, payload, max_record_bytes):
                return at
    return None
