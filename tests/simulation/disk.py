"""A journal on a disk that can be full, and that loses its unsynced tail when power goes.

Records are kept as encoded bytes, so that what a new process reads is what went through the codec. `synced` counts the
records that a power cut leaves.
"""

import msgspec

from gateway.model.record import Decision

SYNC_NS = 5_000_000
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Decision)


class DiskFullError(Exception):
    """The record was not written."""


class Disk:
    """See the module."""

    def __init__(self, *, sync_before_send: bool) -> None:
        self.records: list[bytes] = []
        self.full_until_ns = 0
        self._sync_before_send = sync_before_send
        self._synced = 0
        self._synced_at_ns = 0

    def append(self, decision: Decision, now_ns: int) -> None:
        """Write one record, whole, or raise and write nothing."""
        if now_ns < self.full_until_ns:
            raise DiskFullError
        if now_ns >= self._synced_at_ns + SYNC_NS:
            self._synced, self._synced_at_ns = len(self.records), now_ns
        self.records.append(_ENCODER.encode(decision))
        if self._sync_before_send:
            self._synced = len(self.records)

    def lose_tail(self) -> list[Decision]:
        """Power goes: what was not synced is lost."""
        lost = [_DECODER.decode(record) for record in self.records[self._synced :]]
        del self.records[self._synced :]
        return lost

    def read(self) -> list[Decision]:
        """All records, decoded."""
        return [_DECODER.decode(record) for record in self.records]


def encoded(decision: Decision) -> bytes:
    """A record as it is written."""
    return _ENCODER.encode(decision)
