"""A client of the gateway with QuickFIX's Python binding: the same as simplefix_client.py, the session is QuickFIX's.

    python quickfix_client.py --sender FUND1 --port 9878 --pair CU-CA --order a1 --price -150

Settings are in quickfix_client.cfg; the dictionary is the one that the gateway itself validates against. Run it again
without --order after it was cut off: QuickFIX kept its numbers in --state and asks for what it missed.
"""

import argparse
import threading
from datetime import UTC, datetime
from pathlib import Path

import quickfix

HERE = Path(__file__).parent
ENDED = ("2", "4", "8", "C")  # OrdStatus(39): filled, canceled, rejected, expired


class Client(quickfix.Application):
    def __init__(self, given: argparse.Namespace) -> None:
        super().__init__()
        self.given = given
        self.ended = threading.Event()

    def onCreate(self, session_id): ...

    def onLogout(self, session_id): ...

    def toAdmin(self, message, session_id): ...

    def fromAdmin(self, message, session_id): ...

    def toApp(self, message, session_id):
        """An order that is asked for again is late: it is not sent again, QuickFIX fills over it."""
        if message.getHeader().isSetField(43):
            raise quickfix.DoNotSend

    def onLogon(self, session_id):
        quickfix.Session.sendToTarget(self.subscription(), session_id)
        if self.given.order:
            quickfix.Session.sendToTarget(self.order(), session_id)

    def fromApp(self, message, session_id):
        print(message.toString().replace("\x01", "|"), flush=True)
        if message.getHeader().getField(35) != "8":
            return
        is_leg = message.isSetField(442) and message.getField(442) == "2"
        if not is_leg and message.getField(39) in ENDED:
            self.ended.set()

    def subscription(self) -> quickfix.Message:
        message = quickfix.Message()
        message.getHeader().setField(35, "V")
        for tag, value in ((262, f"md{datetime.now(UTC).timestamp()}"), (263, "1"), (264, "1")):
            message.setField(tag, value)
        for kind in ("0", "1"):
            entry = quickfix.Group(267, 269)
            entry.setField(269, kind)
            message.addGroup(entry)
        symbol = quickfix.Group(146, 55)
        symbol.setField(55, self.given.pair)
        message.addGroup(symbol)
        return message

    def order(self) -> quickfix.Message:
        message = quickfix.Message()
        message.getHeader().setField(35, "D")
        now = datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")
        fields = {11: self.given.order, 21: "1", 55: self.given.pair, 54: "1", 60: now, 38: "1", 40: "2"}
        for tag, value in (fields | {44: self.given.price, 59: "1"}).items():
            message.setField(tag, value)
        return message


def keep_numbers(state: Path) -> None:
    """Whatever the settings say, QuickFIX begins numbers at 1 on another UTC day than its store names."""
    for one in state.glob("*.session"):
        one.write_text(datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S"), encoding="ascii")


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--host", default="127.0.0.1")
    words.add_argument("--port", required=True)
    words.add_argument("--sender", required=True, help="your SenderCompID(49)")
    words.add_argument("--target", default="GATEWAY")
    words.add_argument("--pair", default="CU-CA", help="Symbol(55)")
    words.add_argument("--order", default="", help="ClOrdID(11), new each time; none: only read what was missed")
    words.add_argument("--price", default="-150", help="limit, in the pair's currency and unit")
    words.add_argument("--state", type=Path, default=Path(), help="folder of the session's store")
    given = words.parse_args()
    text = (HERE / "quickfix_client.cfg").read_text(encoding="utf-8")
    here = {"HOST": given.host, "PORT": given.port, "SENDER": given.sender, "TARGET": given.target}
    here |= {"STATE": str(given.state), "SPECS": str(HERE.parent / "fix_specs")}
    for word, value in here.items():
        text = text.replace(f"@{word}@", value)
    config = given.state / f"{given.sender}.cfg"
    config.write_text(text, encoding="utf-8")
    keep_numbers(given.state)
    client = Client(given)
    settings = quickfix.SessionSettings(str(config))
    store = quickfix.FileStoreFactory(settings)
    initiator = quickfix.SocketInitiator(client, store, settings)
    initiator.start()
    client.ended.wait()
    initiator.stop()


if __name__ == "__main__":
    main()
