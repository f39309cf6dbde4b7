"""Plays one script at one end of a session and says what was wrong first. It decides nothing about trading.

Everything outside arrives as a value or through `Line`: bytes, the time, the end of the connection. The rules that hold
without being written in a script: each message that comes is framed right, is from whom it should be, carries the next
MsgSeqNum(34) unless it says PossDupFlag(43)=Y; a TestRequest that no script waits for is answered; a Heartbeat that no
script waits for is passed over.

What can go wrong: an answer that is not the one of the script (`WrongAnswerError`: tag, value, what would be right),
none in time, or a connection that ends.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from acceptance.certify.script import Case, Step
from acceptance.certify.wire import SOH, Cutter, Heard, Pair, WireError, framed, in_order, shown

LOGON, LOGOUT, HEARTBEAT, TEST, RESEND, RESET = "A", "5", "0", "1", "2", "4"
ADMIN = frozenset("012345A")
SECRETS = frozenset({"554", "96", "925"})
"""Password, RawData, NewPassword: they stand in no log."""
ANSWER_S = 5.0
MOST_PASSED_OVER = 10_000
MOST_WAIT_S = 3600.0
AT_ONCE = 50
"""Messages of `many` that are under way together."""
MOST_LINES = 200
"""Of one step in the message log."""
MOST_SILENT = 5
"""Connections in a row that end without a word."""
_VALUE = re.compile(r"\{(\w+)([+-]\d+)?\}")


class WrongAnswerError(Exception):
    """The other end did something else than the script; the text says what would have been right."""


class Line(Protocol):
    """A connection, from either end."""

    def open(self) -> None: ...
    def send(self, data: bytes) -> None: ...
    def receive(self, seconds: float) -> bytes | None:
        """What has come; empty: the other end has closed; None: nothing in this time."""
        ...

    def close(self) -> None: ...
    def now(self) -> float:
        """Seconds on a clock that only counts."""
        ...

    def stamp(self, offset_s: int) -> str:
        """UTC as FIX writes it."""
        ...

    def tell(self, step: Step) -> None:
        """A person has to do something."""
        ...

    def another(self) -> "Line":
        """A second connection to the same end."""
        ...


class End(NamedTuple):
    """Which end of the session is played."""

    version: str
    sender: str
    target: str
    accepts: bool
    """True: the other end logs on."""
    macros: Mapping[str, str]
    serve: Callable[["Player", Heard], bool] | None = None
    """What is done with a message that no script waits for; False: it is a wrong answer."""
    password: str = ""
    within_s: float = ANSWER_S
    """How long an answer may take where a script does not say."""
    patience_s: float = 0.0
    """How much longer where a person has to do something first."""


class Logged(NamedTuple):
    """A line of the message log."""

    at: str
    sent: bool
    text: str


class Player:
    """One connection's worth of state; a case may open several connections after each other."""

    def __init__(self, end: End, line: Line, log: list[Logged] | None = None) -> None:
        self.end = end
        self.line = line
        self.log: list[Logged] = [] if log is None else log
        self.next_out = self.next_in = 1
        self.kept: dict[str, str] = {}
        self._cutter = Cutter()
        self._within_s = end.within_s
        self._patience_s = 0.0
        self._beat_s = self._sent_at_s = 0.0
        self._is_open = False
        self._closed = False
        self._lines = 0

    @property
    def is_up(self) -> bool:
        """Whether the connection is there, as far as is known."""
        return self._is_open and not self._closed

    def drop(self) -> None:
        """End the connection from here."""
        self.line.close()
        self._is_open = False

    def play(self, case: Case) -> None:
        """All steps; WrongAnswerError at the first that goes wrong."""
        self._within_s = self.end.within_s
        self.kept.clear()
        for step in case.of(self.end.version) or ():
            try:
                self._step(step)
            except WireError as error:
                text = f"line {step.line}, {step.verb} {step.rest}: {error}"
                raise WrongAnswerError(text) from error
            except WrongAnswerError as error:
                text = f"line {step.line}, {step.verb} {step.rest}: {error}"
                raise WrongAnswerError(text) from None

    def send(self, fields: str) -> None:
        """A message of the next number; see `script`."""
        pairs = self._pairs(fields)
        number = next((value for tag, value in pairs if tag == "34"), str(self.next_out))
        if not any(tag == "34" for tag, _ in pairs):
            self.next_out += 1
        header = [("8", self.end.version), ("34", number), ("49", self.end.sender), ("56", self.end.target)]
        header.append(("52", self.line.stamp(0)))
        given = {tag for tag, _ in pairs}
        left_out = {tag[1:] for tag, _ in pairs if tag.startswith("-")}
        whole = [one for one in header if one[0] not in given and one[0] not in left_out]
        self._put(framed(in_order(whole + [one for one in pairs if not one[0].startswith("-")])))

    def expect(self, fields: str) -> Heard:
        """The next message that matters has these fields."""
        wanted = self._wanted(fields)
        kind = next((value for tag, value in wanted if tag == "35"), "")
        heard = self._awaited(kind, frozenset(tag for tag, _ in wanted), dict(wanted).get("112", ""))
        for tag, value in wanted:
            self._judge(heard, tag, value)
        return heard

    def _step(self, step: Step) -> None:
        """What a line says."""
        if step.verb == "do":
            self.line.tell(step)
            self._patience_s = self.end.patience_s
            return
        verbs: dict[str, Callable[[str], object]] = {
            "connect": lambda _: self._open(),
            "logon": self._logon,
            ">": self.send,
            "raw": lambda rest: self._put(self._raw(rest)),
            "bytes": lambda rest: self._put(self._filled(rest).replace("|", SOH)),
            "<": self.expect,
            "fill": lambda rest: self._fill(each=rest == "each"),
            "many": self._many,
            "quiet": lambda rest: self._quiet(float(rest)),
            "closed": lambda rest: self._until_closed(silent=rest == "in silence"),
            "close": lambda _: self.drop(),
            "other": self._other,
            "within": self._within,
            "number": self._number,
            "resent": self._resent,
        }
        self._lines = 0
        verbs[step.verb](step.rest)
        if self._lines > MOST_LINES:
            more = f"({self._lines - MOST_LINES} more messages of this step)"
            self.log.append(Logged(self.line.stamp(0), sent=False, text=more))

    def _many(self, words: str) -> None:
        """A message so often, with its answers; some are under way at once."""
        count, _, both = words.partition(" ")
        fields, _, answer = both.partition(" < ")
        left = int(count)
        while left > 0:
            batch = min(left, AT_ONCE)
            for _ in range(batch):
                self.send(fields)
            for _ in range(batch):
                self.expect(answer)
            left -= batch

    def _within(self, seconds: str) -> None:
        self._within_s = float(seconds)

    def _open(self) -> None:
        self.line.open()
        self._cutter, self._closed, self._is_open = Cutter(), False, True
        self._beat_s = 0.0

    def _logon(self, extra: str) -> None:
        """As the one that logs on, or as the one that hears it."""
        more = f"|{extra}" if extra else ""
        if not self.end.accepts:
            version = "|1137=9" if self.end.version == "FIXT.1.1" else ""
            secret = f"|554={self.end.password}" if self.end.password else ""
            beat = "" if "108=" in extra else "|108=30"
            self.send(f"35=A|98=0{beat}{version}{secret}{more}")
            self.expect("35=A")
            return
        version = "|1137=9" if self.end.version == "FIXT.1.1" else ""
        secret = f"|{'96' if self.end.version == 'FIX.4.2' else '554'}={self.end.password}" if self.end.password else ""
        expected = self.next_in
        self._past_the_silent()
        heard = self.expect(f"35=A|34=?|98=0|108=?{version}{secret}{more}")
        if heard.get("141") != "Y" and int(heard.get("34")) < expected:
            text = f"MsgSeqNum(34)={heard.get('34')} of the Logon; right would be {expected}"
            raise WrongAnswerError(text)
        reset = ""
        if heard.get("141") == "Y":
            reset, self.next_out = "|141=Y", 1
        self.send(f"35=A|98=0|108={heard.get('108')}{version}{reset}")
        self._beat_s = float(heard.get("108")) if heard.get("108").isdecimal() else 0.0

    def _past_the_silent(self) -> None:
        """A connection that is given up before it has said anything is none: the next one counts."""
        for _ in range(MOST_SILENT):
            data = self.line.receive(self._within_s)
            if data:
                self._cutter.feed(data)
                return
            if data is not None:
                self._open()

    def _fill(self, *, each: bool) -> None:
        """Give the other end everything it asks for, as gap fills or one by one, until it has all."""
        last = self.next_out - 1
        while True:
            asked = self.expect("35=2|7=?|16=?")
            begin, end = int(asked.get("7")), int(asked.get("16"))
            to = last if end in (0, 999_999) else min(end, last)
            if each:
                for number in range(begin, to + 1):
                    self.send(f"35=0|34={number}|43=Y|122={{now}}")
            else:
                self.send(f"35=4|34={begin}|43=Y|122={{now}}|123=Y|36={to + 1}")
            if to >= last:
                return

    def _resent(self, words: str) -> None:
        """Ask for everything from a number on, whole or in parts."""
        first, _, part = words.partition(" ")
        begin, end = int(self._filled(first)), self.next_in
        while begin < end:
            to = min(end, begin + int(part)) if part else end
            self.send(f"35=2|7={begin}|16={to - 1 if part else 0}")
            begin = self._resent_until(begin, to)

    def _resent_until(self, begin: int, end: int) -> int:
        """Gap fills and possible duplicates, whole and in order; gives the number that follows them."""
        until = self.line.now() + self._within_s
        while begin < end:
            heard = self._next(until - self.line.now())
            if heard is None:
                text = f"nothing more came; right would be MsgSeqNum(34)={begin} with PossDupFlag(43)=Y"
                raise WrongAnswerError(text)
            if heard.get("43") != "Y":
                self._count(heard, frozenset())
                if heard.kind != HEARTBEAT and not self._served(heard):
                    text = f"{shown(heard.raw)}; right would be MsgSeqNum(34)={begin} with PossDupFlag(43)=Y"
                    raise WrongAnswerError(text)
                continue
            if heard.get("34") != str(begin):
                text = f"MsgSeqNum(34)={heard.get('34')} in {shown(heard.raw)}; right would be {begin}"
                raise WrongAnswerError(text)
            is_fill = heard.kind == RESET and heard.get("123") == "Y"
            if not is_fill and (heard.kind in ADMIN or not heard.has("122")):
                text = (
                    f"{shown(heard.raw)}; right would be a gap fill, or a message of business with OrigSendingTime(122)"
                )
                raise WrongAnswerError(text)
            begin = int(heard.get("36")) if is_fill else begin + 1
        return begin

    def _number(self, words: str) -> None:
        which, value = words.split()
        now = self.next_out if which == "out" else self.next_in
        number = now + int(value) if value[0] in "+-" else int(value)
        if which == "out":
            self.next_out = number
        else:
            self.next_in = number

    def _quiet(self, seconds: float) -> None:
        until = self.line.now() + seconds
        while (left := until - self.line.now()) > 0:
            heard = self._next(left)
            if heard is None:
                return
            self._count(heard, frozenset())
            if heard.kind != HEARTBEAT and not self._served(heard):
                text = f"{shown(heard.raw)}; right would be nothing for {seconds:g} s"
                raise WrongAnswerError(text)

    def _until_closed(self, *, silent: bool = False) -> None:
        until = self.line.now() + self._within_s
        passed_over = () if silent else (HEARTBEAT, TEST, LOGOUT)
        while not self._closed:
            heard = self._next(until - self.line.now())
            if heard is None and not self._closed:
                text = f"the connection is open after {self._within_s:g} s; right would be closed"
                raise WrongAnswerError(text)
            if heard is not None and heard.kind not in passed_over:
                text = f"{shown(heard.raw)}; right would be the end of the connection"
                raise WrongAnswerError(text)
        self.drop()

    def _other(self, fields: str) -> None:
        """A second connection that says this, and is closed."""
        second = Player(self.end, self.line.another(), self.log)
        second.line.open()
        second.send(fields)
        second._until_closed()

    def _awaited(self, kind: str, named: frozenset[str], asked: str) -> Heard:
        within_s, self._patience_s = self._within_s + self._patience_s, 0.0
        until = self.line.now() + within_s
        for _ in range(MOST_PASSED_OVER):
            heard = self._next(until - self.line.now())
            if heard is None:
                why = "the connection was closed" if self._closed else f"nothing came within {within_s:g} s"
                text = f"{why}; right would be MsgType(35)={kind}"
                raise WrongAnswerError(text)
            self._count(heard, named if heard.kind in _kinds(kind) else frozenset())
            is_other = heard.kind == HEARTBEAT and self.end.accepts and asked not in ("", heard.get("112"))
            if heard.kind in _kinds(kind) and not is_other:
                return heard
            if heard.kind != HEARTBEAT and not self._served(heard):
                text = f"{shown(heard.raw)}; right would be MsgType(35)={kind}"
                raise WrongAnswerError(text)
        text = f"{MOST_PASSED_OVER} messages, and none is MsgType(35)={kind}"
        raise WrongAnswerError(text)

    def _served(self, heard: Heard) -> bool:
        if heard.kind == TEST:
            self.send(f"35=0|112={heard.get('112')}")
            return True
        return self.end.serve is not None and self.end.serve(self, heard)

    def _next(self, seconds: float) -> Heard | None:
        """The next message; None: nothing within this time, or the end of the connection."""
        until = self.line.now() + seconds
        while (heard := self._cutter.next()) is None:
            if self._closed:
                return None
            # Not within the short waits of a script, which counts numbers itself.
            beat_s = self._beat_in_s() if seconds > self.end.within_s else MOST_WAIT_S
            data = self.line.receive(max(0.0, min(until - self.line.now(), beat_s)))
            if data is None:
                if seconds > self.end.within_s and self._beat_in_s() <= 0:
                    self.send("35=0")
                elif self.line.now() >= until:
                    return None
                continue
            if not data:
                self._closed = True
            self._cutter.feed(data)
        self._log(heard.raw, sent=False)
        return heard

    def _beat_in_s(self) -> float:
        """When the next Heartbeat of ours is due: scripts of a certification may last for hours."""
        if not self._beat_s or not self._is_open:
            return MOST_WAIT_S
        return self._sent_at_s + self._beat_s - self.line.now()

    def _count(self, heard: Heard, named: frozenset[str]) -> None:
        """Who sent it, and whether its number is the next; of what a script does not name itself."""
        for tag, right in (("8", self.end.version), ("49", self.end.target), ("56", self.end.sender)):
            if tag not in named and heard.get(tag) != right:
                text = f"{tag}={heard.get(tag)!r} in {shown(heard.raw)}; right would be {right!r}"
                raise WrongAnswerError(text)
        number = int(heard.get("34") or 0)
        if heard.kind == LOGON and heard.get("141") == "Y":
            self.next_in = number + 1
            return
        if "34" not in named and heard.get("43") != "Y" and number != self.next_in:
            text = f"MsgSeqNum(34)={number} in {shown(heard.raw)}; right would be {self.next_in}"
            raise WrongAnswerError(text)
        if heard.kind == RESET:
            self.next_in = max(self.next_in, int(heard.get("36") or 0))
        else:
            self.next_in = max(self.next_in, number + 1)

    def _judge(self, heard: Heard, tag: str, wanted: str) -> None:
        if tag.startswith("-"):
            if heard.has(tag[1:]):
                text = f"{tag[1:]}={heard.get(tag[1:])!r} in {shown(heard.raw)}; right would be without this field"
                raise WrongAnswerError(text)
            return
        value = heard.get(tag) if heard.has(tag) else None
        if value is not None and wanted.startswith("$"):
            known = self.kept.setdefault(wanted[1:], value)
            wanted = known
        if value is None or not _fits(value, wanted):
            said = "is not there" if value is None else f"is {value!r}"
            text = f"tag {tag} {said} in {shown(heard.raw)}; right would be {wanted!r}"
            raise WrongAnswerError(text)

    def _wanted(self, fields: str) -> list[Pair]:
        return [_pair(one) for one in self._filled(fields).split("|")]

    def _pairs(self, fields: str) -> list[Pair]:
        """Fields with macros put in; the last of a tag counts for what a macro says."""
        found: list[Pair] = []
        for part in fields.split("|"):
            if not part.startswith("+"):
                found.append(_pair(self._filled(part)))
                continue
            name, _, argument = part[1:].partition(":")
            own = {one.partition("=")[0].removeprefix("-") for one in fields.split("|")}
            text = self.end.macros[name].replace("%1", argument)
            found += [_pair(self._filled(one)) for one in text.split("|") if one.partition("=")[0] not in own]
        return found

    def _raw(self, fields: str) -> str:
        pairs = self._pairs(fields)
        body = [f"{tag}={value}{SOH}" for tag, value in pairs if tag not in ("8", "9", "10")]
        text = ""
        for tag, value in pairs:
            if (tag, value) == ("9", "#"):
                text += f"9={len(''.join(body))}{SOH}"
            elif (tag, value) == ("10", "#"):
                before = text
                text += f"10={sum(before.encode('latin-1')) % 256:03d}{SOH}"
            else:
                text += f"{tag}={value}{SOH}"
        return text

    def _filled(self, text: str) -> str:
        return _VALUE.sub(self._value, text)

    def _value(self, match: re.Match[str]) -> str:
        name, offset = match[1], int(match[2] or 0)
        if name == "now":
            return self.line.stamp(offset)
        if name in ("out", "in"):
            return str((self.next_out if name == "out" else self.next_in) + offset)
        words = {"sender": self.end.sender, "target": self.end.target, "version": self.end.version}
        if name in words:
            return words[name]
        known = self.kept.get(name, match[0])
        return str(int(known) + offset) if offset else known

    def _put(self, text: str) -> None:
        self._log(text, sent=True)
        self.line.send(text.encode("latin-1"))
        self._sent_at_s = self.line.now()

    def _log(self, text: str, *, sent: bool) -> None:
        """The first messages of a step; the rest is counted."""
        self._lines += 1
        if self._lines <= MOST_LINES:
            self.log.append(Logged(self.line.stamp(0), sent=sent, text=_masked(text)))


def _masked(text: str) -> str:
    """As people read it, without what is secret."""
    parts = [part.partition("=") for part in shown(text).split("|")]
    return "|".join(f"{tag}{mark}{'***' if tag in SECRETS else value}" for tag, mark, value in parts)


def _pair(text: str) -> Pair:
    tag, _, value = text.partition("=")
    return tag, value


def _kinds(wanted: str) -> tuple[str, ...]:
    return tuple(wanted[1:-1].split(",")) if wanted.startswith("{") else (wanted,)


def _fits(value: str, wanted: str) -> bool:
    if wanted == "?":
        return True
    if wanted.startswith("*") and wanted.endswith("*"):
        return wanted[1:-1] in value
    return value in _kinds(wanted)
