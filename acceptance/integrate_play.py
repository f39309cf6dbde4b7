"""Plays certification dialogs against a venue, step by step: expected, actual, how long, and the FIX log of each.

A step that goes wrong is a finding and the dialog goes on where it can; after a lost session the rest is "not run".
What a venue's dialect does not offer is skipped and said so. Orders are of one lot unless a step asks for more than the
touch; what was filled is closed again at the end, and what could not be closed is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from acceptance.integrate_book import TouchWatch
from acceptance.integrate_dialog import Dialog, Step
from acceptance.integrate_orders import OrderDesk
from acceptance.integrate_session import DialogError, Heard, PlainSession, shown
from gateway.fix.dialect import Dialect
from gateway.fix.encode import EncodeError
from gateway.fix.scan import SOH
from gateway.journal.told import told

ANSWER_S = 5.0
HEARTBEAT_S = 1
MOST_LOG_LINES = 40
_OF_WORKING = frozenset({"cancel", "status", "mass_status", "duplicate"})


class Came(StrEnum):
    """What a step came to."""

    PASS = "pass"  # noqa: S105 - a word of a verdict
    FAIL = "fail"
    SKIPPED = "skipped"
    NOT_RUN = "not run"


class Result(NamedTuple):
    """One step, played."""

    venue: str
    dialog: str
    step: Step
    came: Came
    actual: str
    took_ns: int
    log: list[tuple[int, str, str]]


@dataclass(slots=True)
class Played:
    """Everything that was played at one venue."""

    venue: str
    results: list[Result] = field(default_factory=list)
    round_trips_ns: list[int] = field(default_factory=list)
    clock_offsets_ns: list[int] = field(default_factory=list)
    """SendingTime(52) of an answer less the middle of its round trip on our UTC clock."""
    left_over: list[str] = field(default_factory=list)


class Table:
    """The player of one venue."""

    def __init__(self, venue: str, dialect: Dialect, desk: OrderDesk, watch: TouchWatch) -> None:
        self.played = Played(venue)
        self._dialect = dialect
        self._desk, self._watch = desk, watch
        self._tests = 0
        self._skipped_order = False

    def play(self, dialog: Dialog, session: PlainSession) -> None:
        """All steps of a dialog on its session; whatever came of it is in `played`."""
        lost = ""
        for step in dialog.steps:
            begun, at_ns = len(session.log), session.clocks.monotonic_ns()
            came, actual = (Came.NOT_RUN, lost) if lost else self._one(step, session)
            if came is Came.FAIL and step.do in {"connect", "logon", "disconnect"}:
                lost = told("the session is lost: {}", actual)
            took_ns = session.clocks.monotonic_ns() - at_ns
            log = session.log[begun:]
            self.played.results.append(
                Result(self.played.venue, dialog.name, step, came, actual, took_ns, log[-MOST_LOG_LINES:])
            )
        session.close()

    def _one(self, step: Step, session: PlainSession) -> tuple[Came, str]:
        missing = self._missing(step)
        if step.do == "order" and step.expect == "working":
            self._skipped_order = bool(missing)
        elif step.do in _OF_WORKING and self._skipped_order:
            missing = told("the order that it is about was skipped")
        if missing:
            return Came.SKIPPED, missing
        try:
            return Came.PASS, getattr(self, f"_do_{step.do}")(step, session)
        except (DialogError, EncodeError) as error:
            return Came.FAIL, str(error)

    def _missing(self, step: Step) -> str:
        dialect = self._dialect
        if step.tif is not None and step.tif not in dialect.times_in_force:
            return told("the dialect {} has no {}", dialect.name, step.tif.name)
        has = {
            "mass_status": dialect.mass_status == "AF",
            "mass_cancel": dialect.mass_cancel,
            "positions": dialect.positions is not None,
        }
        return told("the dialect {} has no {}", dialect.name, step.needs) if not has.get(step.needs, True) else ""

    def _do_connect(self, _step: Step, session: PlainSession) -> str:
        session.connect()
        return told("connected to {}:{}", session.ends.host, session.ends.port)

    def _do_logon(self, _step: Step, session: PlainSession) -> str:
        return shown(session.logon(HEARTBEAT_S).raw)

    def _do_heartbeat(self, _step: Step, session: PlainSession) -> str:
        heard = session.next(lambda one: one.kind in {"0", "1"}, 3.0 * HEARTBEAT_S + 1)
        if heard.kind == "1":
            session.send(f"35=0{SOH}112={heard.fields.get('112', '')}{SOH}")
        return shown(heard.raw)

    def _do_test_request(self, _step: Step, session: PlainSession) -> str:
        return shown(self._test(session).raw)

    def _test(self, session: PlainSession) -> Heard:
        self._tests += 1
        name = f"T{self._tests}"
        begun_ns, begun_utc_ns = session.clocks.monotonic_ns(), session.clocks.utc_ns()
        session.send(f"35=1{SOH}112={name}{SOH}")
        heard = session.next(lambda one: one.kind == "0" and one.fields.get("112") == name, ANSWER_S)
        trip_ns = heard.at_ns - begun_ns
        self.played.round_trips_ns.append(trip_ns)
        said_ns = self._desk.stamp_ns(heard.fields.get("52", ""))
        if said_ns is not None:
            self.played.clock_offsets_ns.append(said_ns - begun_utc_ns - trip_ns // 2)
        return heard

    def measure(self, session: PlainSession, count: int) -> None:
        """Round trips and the venue's clock, by TestRequests on a session that is logged on."""
        for _ in range(count):
            self._test(session)

    def _do_gap(self, _step: Step, session: PlainSession) -> str:
        missing = session.next_out
        session.next_out += 3
        session.send(f"35=0{SOH}")
        asked = session.next(lambda one: one.kind == "2", ANSWER_S)
        if asked.fields.get("7") != str(missing):
            text = f"{shown(asked.raw)}; BeginSeqNo(7)={missing} would be right"
            raise DialogError(text)
        session.send(f"35=4{SOH}123=Y{SOH}36={session.next_out}{SOH}", seq=missing, more=f"43=Y{SOH}")
        self._test(session)
        return shown(asked.raw)

    def _do_ask_resend(self, _step: Step, session: PlainSession) -> str:
        session.send(f"35=2{SOH}7=1{SOH}16=0{SOH}")
        heard = session.next(lambda one: one.kind == "4" or one.fields.get("43") == "Y", ANSWER_S)
        self._test(session)
        return shown(heard.raw)

    def _do_sequence_reset(self, _step: Step, session: PlainSession) -> str:
        following = session.next_out + 10
        session.send(f"35=4{SOH}36={following}{SOH}")
        session.next_out = following
        return shown(self._test(session).raw)

    def _do_disconnect(self, _step: Step, session: PlainSession) -> str:
        session.connect()
        return shown(session.logon(HEARTBEAT_S).raw)

    def _do_logout(self, _step: Step, session: PlainSession) -> str:
        session.send(f"35=5{SOH}")
        return shown(session.next(lambda one: one.kind == "5", ANSWER_S).raw)

    def _do_subscribe(self, _step: Step, session: PlainSession) -> str:
        return self._watch.subscribe(session, ANSWER_S)

    def _do_snapshot(self, _step: Step, session: PlainSession) -> str:
        return self._watch.snapshot(session, ANSWER_S)

    def _do_unknown_symbol(self, _step: Step, session: PlainSession) -> str:
        return self._watch.unknown(session, ANSWER_S)

    def _do_unsubscribe(self, _step: Step, session: PlainSession) -> str:
        self._watch.unsubscribe(session)
        return shown(self._test(session).raw)

    def _do_order(self, step: Step, session: PlainSession) -> str:
        return self._desk.order(step, session)

    def _do_bad_order(self, _step: Step, session: PlainSession) -> str:
        return self._desk.too_large(session)

    def _do_cancel(self, _step: Step, session: PlainSession) -> str:
        return self._desk.cancel(session)

    def _do_cancel_done(self, _step: Step, session: PlainSession) -> str:
        return self._desk.cancel_done(session)

    def _do_status(self, _step: Step, session: PlainSession) -> str:
        return self._desk.status(session)

    def _do_mass_status(self, _step: Step, session: PlainSession) -> str:
        return self._desk.mass_status(session)

    def _do_duplicate(self, _step: Step, session: PlainSession) -> str:
        return self._desk.duplicate(session)


def verdict(played: Sequence[Played]) -> str:
    """Of everything: fails with any failed step; passes when something was played and nothing was left out."""
    came = [one.came for table in played for one in table.results]
    if Came.FAIL in came or any(table.left_over for table in played):
        return "fail"
    return "pass" if Came.PASS in came and Came.NOT_RUN not in came else "not measured"
