"""A tiny venue that speaks JSON lines: a book for each symbol that is asked for, and every IOC order filled whole at its
price; another order rests until it is cancelled.
"""

import json
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

AHEAD_NS = 2_500_000_000
NS = 1_767_574_923_000_000_000


class JsonVenue:
    """Listens on a free port of the loopback, for market data and orders alike."""

    def __init__(self, books: Mapping[str, dict[str, Any]]) -> None:
        self._books = books
        self.orders: dict[str, dict[str, Any]] = {}
        self.asked: list[dict[str, Any]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._number = 0
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def now_ns(self) -> int:
        """The venue's clock: two seconds and a half ahead of ours, since another day."""
        return NS + AHEAD_NS + time.monotonic_ns()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._connections:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                asked = json.loads(line)
                for said in self._answers(asked):
                    connection.sendall(json.dumps(said).encode() + b"\n")

    def _answers(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        with self._lock:
            self.asked.append(asked)
            if "hello" in asked:
                return [{"welcome": asked["hello"]}]
            said = getattr(self, f"_{asked['do']}", self._nothing)(asked)
            for one in said:
                self._number += 1
                one |= {"n": self._number, "ns": self.now_ns()}
            return list(said)

    def _ping(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"pong": asked["ping"]}]

    def _nothing(self, _asked: dict[str, Any]) -> list[dict[str, Any]]:
        return []

    def _subscribe(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"book": symbol} | self._books[symbol] for symbol in asked["symbols"] if symbol in self._books]

    _book = _subscribe

    def _order(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        lots, fills = asked["lots"], asked["force"] == "3"
        order = {key: asked[key] for key in ("id", "symbol", "side", "lots", "px")} | {"order": f"V{asked['id']}"}
        self.orders[asked["id"]] = order | {"cum": lots if fills else 0, "leaves": 0 if fills else lots}
        new = order | {"said": "new", "cum": 0, "leaves": lots}
        return [new, order | {"said": "trade", "fill": lots, "cum": lots, "leaves": 0}] if fills else [new]

    def _cancel(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        order = self.orders[asked["order"]]
        order["leaves"] = 0
        return [order | {"said": "cancelled", "id": asked["id"], "orig": asked["order"]}]

    def _status(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        order = self.orders.get(asked["id"])
        if order is None:
            return [{"said": "unknown", "id": asked["id"]}]
        return [order | {"said": "works" if order["leaves"] else "filled"}]
