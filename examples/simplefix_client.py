"""A client of the gateway in some 100 lines, with simplefix: logs on, sees a pair's price, orders it, reads reports.

    python simplefix_client.py --sender FUND1 --port 9878 --pair CU-CA --order a1 --price -150

Run it again without --order after it was cut off: it goes on with the numbers kept in --state, asks for what it missed.
"""

import argparse
import contextlib
import json
import socket
import time
from pathlib import Path

import simplefix

ENDED = ("2", "4", "8", "C")  # OrdStatus(39): filled, canceled, rejected, expired


class Client:
    def __init__(self, host: str, port: int, sender: str, target: str, state: Path, beat_s: int) -> None:
        self.sender, self.target, self.state = sender, target, state / f"{sender}.json"
        kept = json.loads(self.state.read_text()) if self.state.exists() else {}
        self.next_out, self.next_in = kept.get("out", 1), kept.get("in", 1)
        self.early: dict[int, dict[str, str]] = {}  # messages that came before one that is missing
        self.socket, self.parser, self.over = socket.create_connection((host, port), 1), simplefix.FixParser(), False
        self.beat_s, self.said_s = beat_s, 0.0

    def keep(self) -> None:
        """Ours before the message leaves, theirs after it is dealt with: after a crash one may be heard twice."""
        self.state.with_suffix(".new").write_text(json.dumps({"out": self.next_out, "in": self.next_in}))
        self.state.with_suffix(".new").replace(self.state)  # whole, or not at all

    def send(self, kind: str, *fields: tuple[int, object], number: int = 0) -> None:
        message = simplefix.FixMessage()
        for tag, value in ((8, "FIX.4.4"), (35, kind), (49, self.sender), (56, self.target)):
            message.append_pair(tag, value, header=True)
        message.append_pair(34, number or self.next_out, header=True)
        message.append_pair(52, now(), header=True)
        for tag, value in fields:
            message.append_pair(tag, value, header=tag in (43, 122))
        if not number:
            self.next_out += 1
            self.keep()
        self.said_s = time.monotonic()
        self.socket.sendall(message.encode())

    def messages(self):  # every application message once, in order
        while not self.over:
            if time.monotonic() - self.said_s >= self.beat_s:
                self.send("0")  # nothing else was said for so long
            with contextlib.suppress(TimeoutError):  # after a second
                self.parser.append_buffer(data := self.socket.recv(65536))
                self.over = not data
            while (message := self.parser.get_message()) is not None:
                yield from self.session({tag.decode(): value.decode() for tag, value in message.pairs})

    def session(self, fields: dict[str, str]):
        number, kind = int(fields["34"]), fields["35"]
        if kind == "2":  # we keep no messages: an order that is late is not an order, so everything is filled over
            self.send("4", (43, "Y"), (122, now()), (123, "Y"), (36, self.next_out), number=int(fields["7"]))
        if number > self.next_in:
            if not self.early:
                self.send("2", (7, self.next_in), (16, 0))
            self.early[number] = fields
        while fields is not None:
            if int(fields["34"]) == self.next_in:
                self.next_in = int(fields["36"]) if fields["35"] == "4" else self.next_in + 1
                if fields["35"] == "1":
                    self.send("0", (112, fields["112"]))
                elif fields["35"] == "5":
                    self.over = True
                elif fields["35"] not in tuple("01234A"):
                    yield fields
                self.keep()
            self.early = {key: one for key, one in self.early.items() if key >= self.next_in}
            fields = self.early.pop(self.next_in, None)


def now() -> str:
    return time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--port", type=int, required=True)
    words.add_argument("--sender", required=True, help="your SenderCompID(49)")
    words.add_argument("--order", default="", help="ClOrdID(11), new each time; none: only read what was missed")
    words.add_argument("--state", type=Path, default=Path(), help="folder of the sequence numbers")
    words.add_argument("--heartbeat", type=int, default=30, help="HeartBtInt(108), seconds")
    for name, value in (("host", "127.0.0.1"), ("target", "GATEWAY"), ("pair", "CU-CA"), ("price", "-150")):
        words.add_argument(f"--{name}", default=value)
    given = words.parse_args()
    client = Client(given.host, given.port, given.sender, given.target, given.state, given.heartbeat)
    client.send("A", (98, 0), (108, given.heartbeat))
    market_data = ((262, f"md{client.next_out}"), (263, 1), (264, 1), (267, 2), (269, 0), (269, 1), (146, 1))
    client.send("V", *market_data, (55, given.pair))
    if given.order:
        what = ((11, given.order), (21, 1), (55, given.pair), (54, 1), (60, now()), (38, 1))
        client.send("D", *what, (40, 2), (44, given.price), (59, 1))
    for fields in client.messages():
        print("|".join(f"{tag}={value}" for tag, value in fields.items()), flush=True)
        if fields["35"] == "8" and fields.get("442") != "2" and fields["39"] in ENDED:
            client.send("5")  # and the gateway's Logout ends it


if __name__ == "__main__":
    main()
