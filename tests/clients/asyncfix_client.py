"""A client on asyncfix, an engine that shares no code with simplefix or QuickFIX; the same words as the examples."""

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path

from asyncfix import FIXMessage
from asyncfix.connection import ConnectionState
from asyncfix.connection_client import AsyncFIXClient
from asyncfix.journaler import Journaler
from asyncfix.protocol import FIXProtocol44

ENDED = ("2", "4", "8", "C")


def now() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]


class Client(AsyncFIXClient):
    """Orders once, when the session is up."""

    def __init__(self, given: argparse.Namespace, journal: Journaler) -> None:
        super().__init__(
            FIXProtocol44(), given.sender, given.target, journal, host=given.host, port=given.port, heartbeat_period=30
        )
        self.given = given
        self.ended = asyncio.Event()
        self.ordered = False

    async def on_connect(self) -> None:
        await self.send_msg(FIXMessage("A", {98: 0, 108: 30}))

    async def on_disconnect(self) -> None:
        self.ended.set()

    async def on_state_change(self, connection_state: ConnectionState) -> None:
        if connection_state != ConnectionState.ACTIVE or self.ordered or not self.given.order:
            return
        self.ordered = True
        wanted = FIXMessage("V", {262: "m", 263: 1, 264: 1})
        wanted.set_group(267, [{269: 0}, {269: 1}])
        wanted.set_group(146, [{55: self.given.pair}])
        await self.send_msg(wanted)
        fields = {11: self.given.order, 21: 1, 55: self.given.pair, 54: 1, 60: now(), 38: 1, 40: 2}
        await self.send_msg(FIXMessage("D", fields | {44: self.given.price, 59: 1}))

    async def on_message(self, msg: FIXMessage) -> None:
        print(f"{msg}|", flush=True)  # noqa: T201 the test reads it
        if msg.msg_type == "8" and msg.get(442, "") != "2" and msg[39] in ENDED:
            self.ended.set()


async def run(given: argparse.Namespace) -> None:
    client = Client(given, Journaler(given.state / "asyncfix.db"))
    await client.connect()
    await client.ended.wait()
    await client.disconnect(ConnectionState.DISCONNECTED_WCONN_TODAY, logout_message="")


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--host", default="127.0.0.1")
    words.add_argument("--port", type=int, required=True)
    words.add_argument("--state", type=Path, required=True)
    for name, default in (("sender", ""), ("target", "GATEWAY"), ("pair", "CU-CA"), ("order", ""), ("price", "-150")):
        words.add_argument(f"--{name}", default=default)
    asyncio.run(run(words.parse_args()))


if __name__ == "__main__":
    main()
