"""The port behind which a venue lies: what the gateway asks of an adapter, and what an adapter tells the gateway.

FIX is one adapter (`gateway.fix`: sessions, encoder, decoders); a venue that speaks something else, CTP's API say, has
another, which its dialect file names. All that the feed, execution and the watch know of a venue passes here. See
docs/VENUE_PORT.md, which says what each part has to keep to.

Text between the parts is the adapter's own: `raw` is whatever its sessions hand over and its readers understand. It is
text because it goes to the crash file and to captures; a binary message is written as text by its session.

What can go wrong: an adapter that raises in a reader ends the process, as an error of ours would. One that answers a
question differently from what it says here trades wrongly; nothing can check that but its tests.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from gateway.model.instrument import Instrument
from gateway.model.order import Order, OrderEvent
from gateway.model.quote import MarketEvent


class SendResult(NamedTuple):
    """Whether a message was written. True is no evidence that the venue has it.

    With `ok` false, `msg_seq_num` tells whether a number was used (the message is in doubt) or 0 (it never left).
    """

    ok: bool
    reason: str
    msg_seq_num: int

    def __bool__(self) -> bool:
        return self.ok


class SessionStatus(NamedTuple):
    """What is known of one session; times on the clock that was given, 0 where there is none."""

    key: str
    venue_id: str
    kind: str
    state: str
    """"waiting" for the next attempt, "connecting", "up", "stopped"."""
    since_ns: int
    attempts: int
    """Attempts since it was last up."""
    last_error: str
    next_attempt_ns: int
    next_sender_num: int
    next_target_num: int


class Heard(NamedTuple):
    """The last MsgSeqNum(34) of a venue that is on record, and when it was written, in nanoseconds since 1970."""

    number: int
    utc_ns: int


class Endpoint(NamedTuple):
    """One session, as the site file has it. `key` is `VENUE.md`, `VENUE.orders` or `VENUE.watch`."""

    key: str
    venue_id: str
    kind: str
    """"md" or "orders"."""
    host: str
    port: int
    client_id: str
    """`sender_comp_id` of the site file."""
    username: str
    password: str
    reconnect_s: tuple[float, float]
    """Shortest and longest pause between two attempts."""


def _ignore(*_args: object) -> None:
    pass


class Handlers(NamedTuple):
    """What an adapter's sessions call, in any thread, for one session in order."""

    on_message: Callable[[str, str, int], None]
    """(key, raw, recv_ns): what the reader of this session shall read; `recv_ns` is the clock's at arrival."""
    on_session: Callable[[str, bool, str], None]
    """(key, up, detail): messages may be sent from now on, or no more."""
    on_sent: Callable[[str, str, int], None] = _ignore
    """(key, cl_ord_id, number): a message is about to be written under this number, from 1."""
    on_admin: Callable[[str, str, int], None] = _ignore
    on_refused: Callable[[str, int, str], None] = _ignore
    """(key, number, text): something arrived that no reader will see."""
    on_resend_request: Callable[[str, int, int], None] = _ignore
    """(key, first, last): the venue never got our messages of these numbers."""
    on_gap: Callable[[str, int], None] = _ignore
    """(key, first): the venue's messages from this number on are missing; they have been asked for again."""
    on_round_trip: Callable[[str, int, int, int], None] = _ignore
    """(key, sent_ns, venue_ns, recv_ns): a question about the time left us, the venue's clock showed `venue_ns` (since
    1970, cut off as its stamps are) when it answered, the answer came: what a clock is calibrated by."""


class VenueMessage(Protocol):
    """What a writer makes and its sessions send."""

    def toString(self) -> str: ...  # noqa: N802 - QuickFIX's name: its messages are used as they are


class Sessions(Protocol):
    """The sessions of one process with their venues. They log on again by themselves until `stop`."""

    def start(self) -> None: ...
    def stop(self, timeout_s: float) -> bool: ...
    def send(self, key: str, message: VenueMessage) -> SendResult: ...
    def test_request(self, key: str, test_req_id: str) -> SendResult: ...
    def logged_on(self, key: str) -> bool: ...
    def status(self) -> Sequence[SessionStatus]: ...
    def now_ns(self) -> int: ...


class Writer(Protocol):
    """Orders and requests in the venue's words. It raises ValueError for what the venue has no word for."""

    def new_order(self, order: Order, transact_ns_utc: int) -> VenueMessage: ...
    def cancel(self, cl_ord_id: str, orig: Order, order_id: str, transact_ns_utc: int) -> VenueMessage: ...
    def status_request(self, order: Order, request_id: str = "") -> VenueMessage: ...
    def mass_status_request(self, request_id: str) -> VenueMessage: ...
    def mass_cancel(self, request_id: str, transact_ns_utc: int, symbol: str = "") -> VenueMessage: ...
    def market_data_request(
        self, req_id: str, symbols: Sequence[str], depth: int, *, snapshot_only: bool = False, unsubscribe: bool = False
    ) -> VenueMessage: ...


@runtime_checkable
class PositionsWriter(Protocol):
    """What the writer of a venue that tells positions can do besides: its reader gives PositionsAcked, PositionLine."""

    def positions_request(
        self, request_id: str, account: str, trading_day: str, transact_ns_utc: int
    ) -> VenueMessage: ...


@runtime_checkable
class RehearsingSessions(Protocol):
    """Sessions that can send a message to nobody, so that the next real one finds its way warm."""

    def rehearse(self, message: VenueMessage) -> None: ...


@runtime_checkable
class NumberedSessions(Protocol):
    """Sessions with numbers that a person may set: with `log_out` also while it is up, which ends it first."""

    def reset_numbers(self, key: str, next_sender: int, next_target: int, *, log_out: bool) -> None: ...


class MarketReader(Protocol):
    """What the market-data session said, in whole ticks, lots and nanoseconds. It raises nothing."""

    def decode(self, raw: str, recv_ns: int) -> Sequence[MarketEvent]: ...


class OrderReader(Protocol):
    """What the order session said. It raises nothing; None for what is no event."""

    def decode(self, raw: str, recv_ns: int) -> OrderEvent | None: ...


class Adapter(Protocol):
    """A way of speaking to venues. `instruments` are by the venue's symbol."""

    def sessions(self, ends: Sequence[Endpoint], clock: Callable[[], int], handlers: Handlers) -> Sessions: ...
    def writer(self, instruments: Mapping[str, Instrument], constants: Mapping[str, str]) -> Writer: ...
    def market_reader(self, venue_id: str, instruments: Mapping[str, Instrument]) -> MarketReader: ...
    def order_reader(
        self, venue_id: str, instruments: Mapping[str, Instrument], cl_ord_id_of: Callable[[int], str]
    ) -> OrderReader: ...
