"""What a venue says we hold, compared with our own fills. Where they differ nothing is traded or repaired until a
person has explained it or has booked what is missing.

A venue that tells positions is asked after every logon, before it counts as reconciled, and at an interval where the
site sets one. An answer is one acknowledgement and as many lines as it announces; an instrument without a line is held
with 0 lots. It is compared only where that says something: no order of the instrument is in doubt, and nothing of it
was booked since the question left. Else it is asked again. While an order of it is open, a difference may be a fill
that is not told yet, so only agreement counts: an order that rests for the day does not keep its venue from being
reconciled. A difference counts when two answers show the same: between them the instrument rests, because a bust that
the venue has made and not yet told is no error of anybody.

Compared are, by model: net lots; long and short; today's and earlier lots where both sides speak of the same trading
day. Lots of another hedge flag or prompt than the instrument's are lots that we do not have. What a person explains is
remembered as a difference that is known, and the next answer may show it; days are then no longer told apart.

What can go wrong: no answer, or a refusal. It is told and asked again; the venue stays not reconciled until it answers
or a person says `explain VENUE`, having looked there.
"""

from collections.abc import Callable
from typing import NamedTuple

from gateway.execution.ledger import Ledger
from gateway.execution.outbox import IdSource, Outbox
from gateway.execution.settling import Settler
from gateway.model.instrument import Instrument, PositionModel
from gateway.model.position import PositionLine, PositionsAcked
from gateway.model.site import VenueSpec
from gateway.model.trade import AlarmName, AskPositions, OrderState, PositionChanged, SetTimer

AGAIN_NS = 250_000_000
"""From an answer that could not be compared to the next question."""
REFUSED_AGAIN_NS = 30_000_000_000
"""From a refusal to the next question."""
PROMPT = "prompt"
_STEADY = (OrderState.WORKING, OrderState.CANCELLING)
"""States of an open order in which the venue has told all that it had to tell."""

Lots = dict[str, int]


class Difference(NamedTuple):
    """One bucket in which the venue's lots are not ours."""

    bucket: str
    venue_lots: int
    our_lots: int


class _Question:
    """A request and what has come of it."""

    def __init__(self, request_id: str, held: dict[str, PositionChanged]) -> None:
        self.request_id = request_id
        self.held = held
        """Our positions when it left."""
        self.total = -1
        self.lines: list[PositionLine] = []

    @property
    def answered(self) -> bool:
        return 0 <= self.total <= len(self.lines)


class VenuePositions:
    """Asks, compares, and keeps what is unexplained. `on_told` is called when a venue has told."""

    def __init__(self, ledger: Ledger, outbox: Outbox, settler: Settler, request_ids: IdSource) -> None:
        self._ledger = ledger
        self._out = outbox
        self._settler = settler
        self._request_ids = request_ids
        self._questions: dict[str, _Question] = {}
        self._differs: dict[str, tuple[Difference, ...]] = {}
        """By instrument: what the last answer showed."""
        self._figures: dict[str, str] = {}
        """The words of ours that stand in the ledger as unexplained."""
        self._explained: dict[str, Lots] = {}
        """By instrument: what the venue may have more than our fills."""
        self._timed: set[str] = set()
        """Venues whose timer still means something."""
        self.due: set[str] = set()
        """Venues that have not told since their session came up: they are not reconciled."""
        self.on_told: Callable[[str, int], None]

    def begin(self, venue_id: str, at_ns: int) -> None:
        """Its session came up."""
        self._questions.pop(venue_id, None)
        if self._ledger.settings.venues[venue_id].ask_positions:
            self.due.add(venue_id)
            self.ask(venue_id, at_ns)

    def end(self, venue_id: str) -> None:
        """No answer is waited for any more: its session went down, or a person has looked."""
        self._questions.pop(venue_id, None)
        self._timed.discard(venue_id)

    def ask(self, venue_id: str, at_ns: int) -> None:
        """Send the question."""
        if not self._ledger.venues[venue_id].up:
            return
        names = self._instruments(venue_id)
        request_id = self._request_ids.next()
        held = {name: self._ledger.positions[name].report() for name in names}
        self._questions[venue_id] = _Question(request_id, held)
        day = max((self._ledger.trading_day.get(name, "") for name in names), default="")
        self._out.do(AskPositions(venue_id, request_id, day))
        self._wait(venue_id, at_ns + self._ledger.settings.venues[venue_id].status_timeout_ns)

    def on_timer(self, venue_id: str, at_ns: int) -> None:
        """It is time to ask, or an answer is overdue."""
        if venue_id not in self._timed:
            return
        question = self._questions.get(venue_id)
        if question is not None and self._ledger.venues[venue_id].up:
            figures = f"RequestForPositions(35=AN) {question.request_id}: no whole answer in time"
            self._out.alarm(AlarmName.POSITIONS_UNKNOWN, venue_id, figures)
        self.ask(venue_id, at_ns)

    def on_acked(self, event: PositionsAcked, at_ns: int) -> None:
        """35=AO."""
        question = self._questions.get(event.venue_id)
        if question is None or event.request_id != question.request_id:
            return
        if event.failure:
            self.on_refused(event.venue_id, event.failure, at_ns)
            return
        question.total = max(question.total, event.total)
        self._look(event.venue_id, question, at_ns)

    def on_line(self, event: PositionLine, at_ns: int) -> None:
        """35=AP. One that answers no question of now is passed over."""
        question = self._questions.get(event.venue_id)
        if question is None or event.request_id != question.request_id:
            return
        account = self._ledger.settings.venues[event.venue_id].account
        question.total = max(question.total, event.total)
        question.lines.append(event)
        if event.account not in ("", account):
            figures = f"a position of Account(1) {event.account}; ours is {account}"
            self._out.alarm(AlarmName.BAD_MESSAGE, event.instrument_id, figures)
        self._look(event.venue_id, question, at_ns)

    def asked(self, venue_id: str, request_id: str) -> bool:
        """Whether this is the question that waits for its answer there."""
        question = self._questions.get(venue_id)
        return question is not None and question.request_id == request_id

    def on_refused(self, venue_id: str, why: str, at_ns: int) -> None:
        """The venue does not answer the question."""
        if self._questions.pop(venue_id, None) is not None:
            self._out.alarm(AlarmName.POSITIONS_UNKNOWN, venue_id, f"RequestForPositions(35=AN) refused: {why}")
            self._wait(venue_id, at_ns + REFUSED_AGAIN_NS)

    def accept(self, venue_id: str, at_ns: int) -> bool:
        """A person has looked there; whether anything was due."""
        was_due = venue_id in self.due
        self.due.discard(venue_id)
        if not any(name in self._figures for name in self._instruments(venue_id)):
            self.end(venue_id)
        self.on_told(venue_id, at_ns)
        return was_due

    def explained(self, instrument_id: str) -> None:
        """A person has explained what is different: the next answer may show it."""
        differences = self._differs.pop(instrument_id, None)
        if self._figures.pop(instrument_id, None) is not None and differences is not None:
            known = self._explained.setdefault(instrument_id, {})
            for one in differences:
                if not _is_of_day(one.bucket):
                    known[one.bucket] = known.get(one.bucket, 0) + one.venue_lots - one.our_lots

    def booked(self, instrument_id: str, at_ns: int) -> None:
        """A person has booked an execution made elsewhere: the venue is asked whether that was it."""
        venue_id = self._ledger.settings.instruments[instrument_id].venue_id
        if instrument_id in self._figures:
            self.ask(venue_id, at_ns)

    def _look(self, venue_id: str, question: _Question, at_ns: int) -> None:
        if not question.answered:
            return
        del self._questions[venue_id]
        self._timed.discard(venue_id)
        spec = self._ledger.settings.venues[venue_id]
        before = dict(self._ledger.unexplained)
        waits = [self._compare(name, question, spec) for name in question.held]
        if any(waits):
            self._wait(venue_id, at_ns + max(waits))
        elif spec.positions_interval_ns:
            self._wait(venue_id, at_ns + spec.positions_interval_ns)
        if venue_id in self.due and not any(waits):
            self.due.discard(venue_id)
            self.on_told(venue_id, at_ns)
        if before != self._ledger.unexplained:
            self._settler.settle_all(at_ns)

    def _compare(self, name: str, question: _Question, spec: VenueSpec) -> int:
        """Compare one instrument; in how many nanoseconds it has to be asked again, 0: it need not."""
        ledger = self._ledger
        position = ledger.positions[name].report()
        out = [own.state for own in ledger.orders_at(spec.venue_id) if own.order.instrument_id == name]
        if position != question.held[name] or not all(state in _STEADY for state in out):
            return AGAIN_NS
        lines = [one for one in question.lines if one.instrument_id == name and one.account in ("", spec.account)]
        differences = self._differences(ledger.settings.instruments[name], position, lines)
        ours = self._figures.get(name)
        if differences and out:
            return AGAIN_NS  # perhaps a fill of it that is under way
        if not differences:
            self._differs.pop(name, None)
            if ours is not None and ledger.unexplained.get(name) == ours:
                del ledger.unexplained[name]
            self._figures.pop(name, None)
            return 0
        if name in ledger.unexplained and ours is None:
            return 0  # something else is unexplained there already
        again = self._differs.get(name) != differences
        self._differs[name] = differences
        told = "; ".join(
            f"{one.bucket}: the venue says {one.venue_lots} lots, our fills {one.our_lots}" for one in differences
        )
        if again:
            told += " (to be confirmed)"
        elif ours != told:
            self._out.alarm(AlarmName.POSITION_DIFFERS, name, told)
        self._figures[name] = ledger.unexplained[name] = told
        return spec.status_timeout_ns if again else 0

    def _differences(
        self, instrument: Instrument, position: PositionChanged, lines: list[PositionLine]
    ) -> tuple[Difference, ...]:
        known = self._explained.get(instrument.instrument_id)
        told, ours = _totals(instrument, position, lines)
        for bucket, lots in (known or {}).items():
            ours[bucket] = ours.get(bucket, 0) + lots
        found = _unequal(told, ours)
        if found or known is not None or instrument.position_model is not PositionModel.OPEN_CLOSE_TODAY:
            return found
        day = self._ledger.trading_day.get(instrument.instrument_id, "")
        if any(one.long_today_lots is None or "" in (one.trading_day, day) or one.trading_day != day for one in lines):
            return ()
        return _unequal(*_days(position, lines))

    def _instruments(self, venue_id: str) -> list[str]:
        listed = self._ledger.settings.instruments.values()
        return [one.instrument_id for one in listed if one.venue_id == venue_id and one.tradable]

    def _wait(self, venue_id: str, until_ns: int) -> None:
        self._timed.add(venue_id)
        self._out.do(SetTimer(f"positions:{venue_id}", until_ns))


def _totals(instrument: Instrument, position: PositionChanged, lines: list[PositionLine]) -> tuple[Lots, Lots]:
    """What the venue has and what we have, by bucket; lots that cannot be ours have buckets of their own."""
    told: Lots = {}
    by_prompt = _prompts_agree(position, lines)
    for line in lines:
        foreign = _foreign(instrument, line)
        if foreign or instrument.position_model is not PositionModel.NET:
            _add(told, f"{foreign}long", line.long_lots)
            _add(told, f"{foreign}short", line.short_lots)
        else:
            bucket = f"{PROMPT} {line.prompt}" if by_prompt else "net"
            _add(told, bucket, line.long_lots - line.short_lots)
    if by_prompt:
        return told, {f"{PROMPT} {prompt}": lots for prompt, lots in position.by_prompt}
    if instrument.position_model is PositionModel.NET:
        return told, {"net": position.net_lots}
    longs = position.long_today_lots + position.long_yesterday_lots
    return told, {"long": longs, "short": longs - position.net_lots}


def _prompts_agree(position: PositionChanged, lines: list[PositionLine]) -> bool:
    """Whether both sides name prompts, and name them alike."""
    named = {line.prompt for line in lines}
    ours = {prompt for prompt, _ in position.by_prompt}
    return bool(ours) and ours <= named and sum(lots for _, lots in position.by_prompt) == position.net_lots


def _foreign(instrument: Instrument, line: PositionLine) -> str:
    """What makes these lots others than the instrument's, as the beginning of a bucket's name."""
    prompt = instrument.fields.get(PROMPT, "")
    if instrument.hedge_flag and line.hedge_flag not in ("", instrument.hedge_flag):
        return f"hedge flag {line.hedge_flag} "
    return f"{PROMPT} {line.prompt} " if prompt and line.prompt not in ("", prompt) else ""


def _days(position: PositionChanged, lines: list[PositionLine]) -> tuple[Lots, Lots]:
    told: Lots = {}
    for line in lines:
        long_today, short_today = line.long_today_lots or 0, line.short_today_lots or 0
        _add(told, "long today", long_today)
        _add(told, "long earlier", line.long_lots - long_today)
        _add(told, "short today", short_today)
        _add(told, "short earlier", line.short_lots - short_today)
    ours = {
        "long today": position.long_today_lots,
        "long earlier": position.long_yesterday_lots,
        "short today": position.short_today_lots,
        "short earlier": position.short_yesterday_lots,
    }
    return told, ours


def _is_of_day(bucket: str) -> bool:
    return bucket.endswith((" today", " earlier"))


def _add(lots: Lots, bucket: str, more: int) -> None:
    lots[bucket] = lots.get(bucket, 0) + more


def _unequal(told: Lots, ours: Lots) -> tuple[Difference, ...]:
    buckets = sorted({**told, **ours})
    pairs = [Difference(one, told.get(one, 0), ours.get(one, 0)) for one in buckets]
    return tuple(one for one in pairs if one.venue_lots != one.our_lots)
