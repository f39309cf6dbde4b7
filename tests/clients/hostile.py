"""Mutated messages by the million against the process of the clients, with an honest client beside them.

    PYTHONPATH=tests/clients python -m tests.clients.hostile --messages 1000000 --seed 1

What has to hold: the process lives, its memory stays flat, the honest client's orders are acknowledged all the while,
and each connection that was cut off is on record with its reason. The same seed draws the same messages.
"""

import argparse
import json
import random
import select
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parent))

from client_rig import PAIR, FixClient, Rig, client

from acceptance.certify.wire import framed, in_order

BURST = 500
"""Messages of one connection before it is begun anew."""
MOST_GROWTH_BYTES = 40 * 1_000_000
"""Of the process, from a tenth of the run to its end."""
ACK_S = 5.0
ODD = (
    "",
    "0",
    "-1",
    "1e9",
    "99999999999999999999",
    "NaN",
    "Y",
    "\x02",
    "é",
    "A" * 3000,
    "1.5",
    "20260230-25:61:61",
    "=",
)
BODIES = (
    f"35=D|11=@|21=1|55={PAIR}|54=1|60=!|38=1|40=2|44=-150|59=3",
    f"35=AB|11=@|55={PAIR}|555=2|600=SHFE.cu2609|623=5|624=1|600=LME.CA3M|623=1|624=2|54=1|60=!|38=2|40=2|44=-150|59=0",
    f"35=F|41=@|11=@|55={PAIR}|54=1|60=!",
    f"35=G|41=@|11=@|21=1|55={PAIR}|54=1|60=!|38=1|40=2|44=-140|59=0",
    f"35=V|262=@|263=1|264=1|265=1|267=2|269=0|269=1|146=1|55={PAIR}",
    "35=x|320=@|559=4",
    f"35=c|320=@|321=0|55={PAIR}",
    f"35=g|335=@|336={PAIR}|263=1",
    f"35=H|11=@|55={PAIR}|54=1",
    "35=AF|584=@|585=7",
    "35=q|11=@|530=7|60=!",
    "35=1|112=@",
    "35=2|7=1|16=0",
    "35=0",
    "35=3|45=1|58=no",
    "35=4|123=Y|36=5",
    "35=5",
)


class Attacker:
    """Draws messages; `send` has the socket."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - drawn again from the seed
        self._count = 0

    def message(self, number: int) -> bytes:
        """A message that was right, with one to three wounds."""
        chance = self._chance
        self._count += 1
        now = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
        body = chance.choice(BODIES).replace("@", f"h{self._count}").replace("!", now)
        head = [("8", "FIX.4.4"), ("34", str(number)), ("49", "EVIL"), ("56", "GATEWAY"), ("52", now)]
        pairs = in_order([*head, *((one.split("=", 1)[0], one.split("=", 1)[1]) for one in body.split("|"))])
        wild = chance.random() < 0.3
        for _ in range(chance.randint(0, 3)):
            self._wound(pairs, 0 if wild else 6)
        raw = framed(pairs).encode("latin-1")
        return self._bytes(raw) if wild and chance.random() < 0.5 else raw

    def _wound(self, pairs: list[tuple[str, str]], first: int) -> None:
        """One field lost, doubled, moved, renamed or given another value."""
        if len(pairs) <= first:
            return
        chance, at = self._chance, self._chance.randrange(first, len(pairs))
        tag, value = pairs[at]
        match chance.randrange(5):
            case 0:
                del pairs[at]
            case 1:
                pairs.insert(at, (tag, value))
            case 2:
                pairs.insert(chance.randrange(first, len(pairs)), pairs.pop(at))
            case 3:
                pairs[at] = (str(chance.choice((0, 1, 9, 10, 34, 43, 58, 99, 122, 146, 267, 555, 10**9))), value)
            case _:
                pairs[at] = (tag, chance.choice(ODD))

    def _bytes(self, raw: bytes) -> bytes:
        """Bytes flipped, lost or doubled."""
        chance, text = self._chance, bytearray(raw)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(text))
            text[at : at + 1] = chance.choice((b"", b"\x01", b"\x00", bytes([chance.randrange(256)]) * 2))
        return bytes(text)


def run(messages: int, seed: int, folder: Path, bus_dir: str) -> dict[str, Any]:
    """The whole of it; AssertionError where something does not hold."""
    people = [client("FUND1", max_open_orders=10_000), client("EVIL", orders_per_s=50, max_open_orders=20)]
    freely = dict.fromkeys(("messages_per_s", "connects_per_s", "strangers_logged_per_min"), 1_000_000)
    rig = Rig(folder, bus_dir, people, **freely)
    rig.start()
    assert rig.process is not None
    process = psutil.Process(rig.process.pid)
    honest, attacker = rig.client("FUND1").logon(), Attacker(seed)
    sent = connections = orders = 0
    worst_s, early_bytes, began = 0.0, 0, time.monotonic()
    try:
        while sent < messages:
            sent += _burst(rig, attacker, min(BURST, messages - sent))
            connections += 1
            honest.order(f"ok{connections}", force=3)
            begin = time.monotonic()
            told = honest.read("8", timeout_s=ACK_S)
            worst_s = max(worst_s, time.monotonic() - begin)
            assert told.get("11") == f"ok{connections}", told
            orders += 1
            honest.seen.clear()
            rig.others.changes.clear()
            assert rig.process.poll() is None, f"seed {seed}: it ended after {sent} messages"
            if not early_bytes and sent >= messages // 10:
                early_bytes = process.memory_info().rss
        ends = _ends_on_record(rig, connections)
        grown = process.memory_info().rss - early_bytes
        assert grown < MOST_GROWTH_BYTES, f"seed {seed}: it grew by {grown} bytes"
        assert not list((rig.run_dir / "logs").glob("*crash*")), "a callback has crashed"
        return {
            "messages": sent,
            "connections": connections,
            "ends on record": ends,
            "honest orders": orders,
            "slowest acknowledgement, ms": round(worst_s * 1000),
            "grown, bytes": grown,
            "per second": round(sent / (time.monotonic() - began)),
        }
    finally:
        rig.close()


def _ends_on_record(rig: Rig, wanted: int) -> int:
    """Ends of connections in the log, but for the honest client's: a stranger's stands under its address."""
    end_s, found = time.monotonic() + ACK_S, 0
    while found < wanted and time.monotonic() < end_s:
        lines = rig.log().splitlines()
        found = sum(1 for line in lines if " connection: " in line and " FUND1 " not in line)
        select.select((), (), (), 0.02)
    return found


def _burst(rig: Rig, attacker: Attacker, count: int) -> int:
    """One connection: logs on, sends, reads whatever comes; ends when it is cut off."""
    end: FixClient = rig.client("EVIL")
    rig._open.remove(end)
    end.send("A", (98, 0), (108, 30), (141, "Y"))
    end.socket.setblocking(False)
    number, pending, sent = 2, bytearray(), 0
    quiet_s = time.monotonic()
    while time.monotonic() - quiet_s < 5:
        if not pending and sent < count:
            for _ in range(min(20, count - sent)):
                pending += attacker.message(number)
                sent += 1
                number += 1
            # Whatever was lost among them, the number that follows is ours again.
            pending += end.text("4", (36, number), seq=number, header=((43, "N"),))
        readable, writable, _ = select.select([end.socket], [end.socket] if pending else [], [], 0.05)
        try:
            if readable:
                if not end.socket.recv(65_536):
                    break
                quiet_s = time.monotonic()
            if writable:
                del pending[: end.socket.send(pending)]
                quiet_s = time.monotonic()
        except BlockingIOError:
            continue
        except OSError:
            break
        if sent >= count and not pending and not readable:
            break
    end.close()
    return sent


def main() -> int:
    """Counts, as JSON; exit code 1 with the seed where something did not hold."""
    words = argparse.ArgumentParser(prog="python -m tests.clients.hostile", description=__doc__)
    words.add_argument("--messages", type=int, default=1_000_000)
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="cmc-") as folder, tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir:
        try:
            told = run(given.messages, given.seed, Path(folder), bus_dir)
        except AssertionError as error:
            print(f"seed {given.seed}: {error}", file=sys.stderr)  # noqa: T201 - a program
            return 1
    print(json.dumps(told, indent=1))  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
