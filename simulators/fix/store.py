"""What a session must not forget: its two numbers, and the application messages that it may be asked for again.

In memory by default, so it outlives a connection; with a folder it outlives the process, too: the numbers stand in one
small file that is rewritten in place, the messages in one that grows. Only the last `limit` messages are kept; older
ones are filled over (SequenceReset-GapFill) when a client asks for them.
"""

import base64
import json
import os
from pathlib import Path
from typing import NamedTuple

DEFAULT_LIMIT = 20_000


class Sent(NamedTuple):
    """An application message as it was sent: `sending_time` goes into OrigSendingTime(122) when it is sent again."""

    msg_type: str
    body: bytes
    sending_time: bytes


class MemoryStore:
    """Numbers and messages of one session, for the life of the process."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.next_in = 1
        self.next_out = 1
        self.kept = 0
        """Application messages ever kept, also those that are forgotten."""
        self._limit = limit
        self._sent: dict[int, Sent] = {}

    def keep(self, seq: int, sent: Sent) -> None:
        """Message `seq` may be asked for."""
        self._sent[seq] = sent
        self.kept += 1
        if len(self._sent) > self._limit:
            del self._sent[next(iter(self._sent))]

    def sent(self, seq: int) -> Sent | None:
        """Message `seq`; None when it was administrative or is forgotten."""
        return self._sent.get(seq)

    def reset(self) -> None:
        """Both numbers at 1, no messages."""
        self.next_in = 1
        self.next_out = 1
        self._sent.clear()

    def save_numbers(self) -> None:
        """The numbers changed."""

    def close(self) -> None:
        """The process ends."""


class FileStore(MemoryStore):
    """The same, in `folder`/`name`.seq and `folder`/`name`.out."""

    def __init__(self, folder: Path, name: str, limit: int = DEFAULT_LIMIT) -> None:
        super().__init__(limit)
        folder.mkdir(parents=True, exist_ok=True)
        self._numbers = os.open(folder / f"{name}.seq", os.O_RDWR | os.O_CREAT, 0o600)
        self._messages = (folder / f"{name}.out").open("a+b")
        self._load()

    def keep(self, seq: int, sent: Sent) -> None:
        super().keep(seq, sent)
        record = [seq, sent.msg_type, base64.b64encode(sent.body).decode(), sent.sending_time.decode()]
        self._messages.write(json.dumps(record).encode() + b"\n")
        self._messages.flush()

    def reset(self) -> None:
        super().reset()
        self._messages.truncate(0)
        self.save_numbers()

    def save_numbers(self) -> None:
        os.pwrite(self._numbers, b"%019d %019d %019d\n" % (self.next_in, self.next_out, self.kept), 0)

    def close(self) -> None:
        self.save_numbers()
        os.close(self._numbers)
        self._messages.close()

    def _load(self) -> None:
        numbers = os.pread(self._numbers, 64, 0)
        self._messages.seek(0)
        for line in self._messages:
            if not line.endswith(b"\n"):
                break
            seq, msg_type, body, sending_time = json.loads(line)
            MemoryStore.keep(self, seq, Sent(msg_type, base64.b64decode(body), sending_time.encode()))
        if numbers:
            self.next_in, self.next_out, self.kept = (int(number) for number in numbers.split())
