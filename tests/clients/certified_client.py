"""A client on QuickFIX that does what the console of `cmc certify` asks: a word a line on standard input."""

import argparse
import select
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import quickfix

ROOT = Path(__file__).parents[2]
SPECS = {
    "FIX.4.2": "DataDictionary={specs}/clients42.xml",
    "FIX.4.4": "DataDictionary={specs}/clients44.xml",
    "FIXT.1.1": "TransportDataDictionary={specs}/clientsfixt11.xml\nAppDataDictionary={specs}/clients50sp2.xml\n"
    "DefaultApplVerID=FIX.5.0SP2",
}
SETTINGS = """[DEFAULT]
ConnectionType=initiator
ReconnectInterval=1
StartTime=00:00:00
EndTime=00:00:00
HeartBtInt=1
FileStorePath={state}
UseDataDictionary=Y
ValidateUserDefinedFields=N
SocketNodelay=Y
SocketConnectHost=127.0.0.1
SocketConnectPort={port}
[SESSION]
BeginString={version}
SenderCompID={sender}
TargetCompID=GATEWAY
{dictionary}
"""


class Client(quickfix.Application):
    """Keeps the last order."""

    def __init__(self, version: str) -> None:
        super().__init__()
        self.version = version
        self.session: quickfix.SessionID | None = None
        self.count = 0
        self.last = ""

    def onCreate(self, session_id: quickfix.SessionID) -> None:
        self.session = session_id

    def onLogon(self, session_id: quickfix.SessionID) -> None: ...

    def onLogout(self, session_id: quickfix.SessionID) -> None: ...

    def toAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        """A password where the session has one."""
        if message.getHeader().getField(35) == "A":
            message.setField(554, "open sesame")

    def fromAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None: ...

    def toApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None: ...

    def fromApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None: ...

    def comes_back(self) -> bool:
        """Whether it is up within two seconds without being helped."""
        session = quickfix.Session.lookupSession(self.session)
        end = time.monotonic() + 2
        while time.monotonic() < end:
            if session.isLoggedOn():
                return True
            select.select((), (), (), 0.02)
        return False

    def do(self, word: str) -> None:
        """What the console asks."""
        self.count += 1
        name = f"k{self.count}"
        if word.startswith("order"):
            self._send("D", {11: name, 21: 1, 38: 2 if word == "order2" else 1, 40: 2, 44: "-150", 59: 0})
            self.last = name
        elif word == "cancel":
            self._send("F", {11: name, 41: self.last})
        elif word == "replace":
            self._send("G", {11: name, 41: self.last, 21: 1, 38: 1, 40: 2, 44: "-140", 59: 0})
        elif word == "mass_cancel":
            self._send("q", {11: name, 530: 7}, pair=False)

    def _send(self, kind: str, fields: dict[int, object], *, pair: bool = True) -> None:
        message = quickfix.Message()
        message.getHeader().setField(35, kind)
        for tag, value in fields.items():
            message.setField(tag, str(value))
        message.setField(60, datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3])
        if pair:
            message.setField(55, "CU-CA")
            message.setField(54, "1")
        quickfix.Session.sendToTarget(message, self.session)


def main() -> None:
    words = argparse.ArgumentParser()
    for name in ("port", "sender", "version", "state"):
        words.add_argument(f"--{name}", required=True)
    given = words.parse_args()
    dictionary = SPECS[given.version].format(specs=ROOT / "fix_specs")
    config = Path(given.state) / "client.cfg"
    config.write_text(SETTINGS.format(dictionary=dictionary, **vars(given)), encoding="utf-8")
    settings = quickfix.SessionSettings(str(config))
    client = Client(given.version)
    initiator = None
    for line in sys.stdin:
        word = line.strip()
        if word == "reconnect" and client.comes_back():
            continue
        if word in ("logon", "reconnect"):
            # QuickFIX's initiator does not connect again after it has ended a session itself: a new one does.
            if initiator is not None:
                initiator.stop(True)
                initiator = None
            store = quickfix.FileStoreFactory(settings)
            initiator = quickfix.SocketInitiator(client, store, settings)
            initiator.start()
        elif word == "logout":
            break
        else:
            client.do(word)
    initiator.stop()


if __name__ == "__main__":
    main()
