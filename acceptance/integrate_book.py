"""The touch of a venue's instruments, read off a plain market-data session with the gateway's own decoder.

It keeps the last snapshot of each instrument, and asks for a fresh one whenever a price is needed: a dialog sends a few
orders, so increments are not followed.
"""

from collections.abc import Sequence

from acceptance.integrate_session import DialogError, Heard, PlainSession, shown
from gateway.fix.encode import OrderEncoder
from gateway.fix.market_data import MarketDataDecoder
from gateway.model.instrument import Instrument
from gateway.model.quote import BookSnapshot

_UNKNOWN = "NOSUCH"


class TouchWatch:
    """Of one venue."""

    def __init__(self, encoder: OrderEncoder, decoder: MarketDataDecoder, instruments: Sequence[Instrument],
                 depth: int) -> None:  # fmt: skip
        self._encoder, self._decoder = encoder, decoder
        self._instruments, self._depth = instruments, depth
        self._requests = 0
        self.books: dict[str, BookSnapshot] = {}

    def subscribe(self, session: PlainSession, within_s: float) -> str:
        """Subscribe to all; a message for each instrument."""
        waiting = {one.symbol for one in self._instruments}
        self._send(session, sorted(waiting), "1")
        while waiting:
            heard = session.next(lambda one: one.kind in {"W", "X", "Y"}, within_s)
            if heard.kind == "Y":
                raise DialogError(f"{shown(heard.raw)}; market data would be right")
            self._take(heard)
            waiting = {one for one in waiting if f"\x0155={one}\x01" not in heard.raw}
        return ", ".join(one.symbol for one in self._instruments)

    def snapshot(self, session: PlainSession, within_s: float) -> str:
        """One snapshot of the first instrument."""
        return self._fresh(session, self._instruments[0], within_s)

    def unknown(self, session: PlainSession, within_s: float) -> str:
        """A symbol that the venue does not list."""
        self._send(session, [_UNKNOWN], "0")
        return shown(session.next(lambda one: one.kind in {"Y", "3", "j"}, within_s).raw)

    def unsubscribe(self, session: PlainSession) -> None:
        """End the last subscription."""
        text = self._encoder.market_data_request_text(
            "MD1", [one.symbol for one in self._instruments], self._depth, "2"
        )
        session.send(text)

    def touch(self, session: PlainSession, instrument: Instrument, within_s: float) -> BookSnapshot:
        """The book of now, both sides there."""
        for _ in range(3):
            self._fresh(session, instrument, within_s)
            book = self.books.get(instrument.instrument_id)
            if book is not None and book.bids and book.asks:
                return book
        raise DialogError(f"{instrument.instrument_id}: no book with both sides; orders cannot be priced")

    def _fresh(self, session: PlainSession, instrument: Instrument, within_s: float) -> str:
        self._send(session, [instrument.symbol], "0")
        heard = session.next(lambda one: one.kind in {"W", "Y"} and _is_about(one, instrument), within_s)
        if heard.kind == "Y":
            raise DialogError(f"{shown(heard.raw)}; a snapshot would be right")
        self._take(heard)
        return shown(heard.raw)

    def _send(self, session: PlainSession, symbols: Sequence[str], subscription: str) -> None:
        self._requests += 1
        session.send(self._encoder.market_data_request_text(f"MD{self._requests}", symbols, self._depth, subscription))

    def _take(self, heard: Heard) -> None:
        for event in self._decoder.decode_any(heard.raw, heard.at_ns):
            if isinstance(event, BookSnapshot):
                self.books[event.instrument_id] = event


def _is_about(heard: Heard, instrument: Instrument) -> bool:
    return heard.kind == "Y" or heard.fields.get("55") == instrument.symbol
