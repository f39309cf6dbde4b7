"""A FIX codec of its own, a witness beside QuickFIX and simplefix: text to fields and back, nothing more. Pure.

It cuts a stream by BodyLength(9) and says of each message what is wrong with its frame. What a field means is not its
business. What can go wrong: bytes that are no FIX (`WireError`): whoever plays a script says so and fails its case.
"""

from typing import NamedTuple

SOH = "\x01"
HEADER = ("8", "9", "35", "34", "49", "50", "56", "57", "115", "128", "43", "97", "52", "122")
"""Tags that go before the body, in this order."""
MOST_BYTES = 1_048_576
FRAME_MARK = "8=FIX"
TRAILER_CHARACTERS = 7

Pair = tuple[str, str]


class WireError(ValueError):
    """Bytes that are no FIX message; names the place."""


class Heard(NamedTuple):
    """A message as it came."""

    raw: str
    pairs: tuple[Pair, ...]

    def get(self, tag: str, default: str = "") -> str:
        """The first value of a tag."""
        return next((value for name, value in self.pairs if name == tag), default)

    def has(self, tag: str) -> bool:
        return any(name == tag for name, _ in self.pairs)

    @property
    def kind(self) -> str:
        """MsgType(35)."""
        return self.get("35")


def checksum(text: str) -> str:
    """CheckSum(10) of everything before it."""
    return f"{sum(text.encode('latin-1')) % 256:03d}"


def framed(pairs: list[Pair]) -> str:
    """The message: BodyLength(9) and CheckSum(10) are worked out where they are `#` or missing."""
    rest = [one for one in pairs if one[0] not in ("8", "9", "10")]
    given = dict(reversed(pairs))
    body = "".join(f"{tag}={value}{SOH}" for tag, value in rest)
    length = given.get("9", "#")
    head = f"8={given.get('8', '')}{SOH}9={len(body) if length == '#' else length}{SOH}{body}"
    said = given.get("10", "#")
    return f"{head}10={checksum(head) if said == '#' else said}{SOH}"


def in_order(pairs: list[Pair]) -> list[Pair]:
    """Header first, in the order of the standard; the body as it is."""
    head = sorted((one for one in pairs if one[0] in HEADER), key=lambda one: HEADER.index(one[0]))
    return head + [one for one in pairs if one[0] not in HEADER]


def read(raw: str) -> Heard:
    """The fields of a message; WireError where its frame is wrong."""
    parts = raw.split(SOH)[:-1]
    pairs = tuple((tag, value) for tag, mark, value in (one.partition("=") for one in parts) if mark)
    if len(pairs) != len(parts):
        text = f"a part without '=' in {shown(raw)}"
        raise WireError(text)
    if [tag for tag, _ in pairs[:3]] != ["8", "9", "35"]:
        text = f"begins with the tags {[tag for tag, _ in pairs[:3]]}; right would be 8, 9, 35: {shown(raw)}"
        raise WireError(text)
    before = raw.rpartition("10=")[0]
    if pairs[-1] != ("10", checksum(before)):
        text = f"CheckSum(10)={pairs[-1][1]!r}; right would be {checksum(before)}: {shown(raw)}"
        raise WireError(text)
    return Heard(raw, pairs)


def shown(raw: str) -> str:
    """A message as people read it."""
    return raw.replace(SOH, "|")


class Cutter:
    """Cuts what arrives into messages."""

    def __init__(self) -> None:
        self._text = ""

    def feed(self, data: bytes) -> None:
        self._text += data.decode("latin-1")

    def next(self) -> Heard | None:
        """The next whole message; None: there is none yet."""
        text = self._text
        if not text:
            return None
        if not text.startswith(FRAME_MARK[: len(text)]):
            error = f"the stream goes on with {text[:40]!r}; right would be {FRAME_MARK}"
            raise WireError(error)
        head = text.split(SOH, 2)
        if len(head) < 3:  # noqa: PLR2004 8=, 9=, and the rest
            return None
        length = head[1].removeprefix("9=")
        if not head[1].startswith("9=") or not length.isdecimal() or int(length[:8]) > MOST_BYTES:
            error = f"BodyLength(9) is {head[1][:40]!r}; right would be 9= and a number: {shown(text[:80])}"
            raise WireError(error)
        end = len(head[0]) + len(head[1]) + 2 + int(length) + TRAILER_CHARACTERS
        if len(text) < end:
            return None
        self._text = text[end:]
        return read(text[:end])
