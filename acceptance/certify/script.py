"""Reads a numbered script: one case of a session, line by line, for either end of it. Pure.

```
case 4b                      its number
en A TestRequest is answered  what it shows, in English
zh ...                        and in Chinese
only FIX.4.4 FIXT.1.1         of these versions alone; every version without
for orders                    of a session that orders, or `for drop_copy`; of both without
do order                      a person has to do this at this point (words.toml says it in both languages), or the
                              test that plays the script
connect                       open the connection, or wait for it
logon 108=1                   log on and hear the Logon; from the acceptor's end: hear it and answer
> 35=1|112=T1                 send; header, length, sum filled in; `-52` leaves a field out, `+order:a1` is a macro
raw 9=#|8=FIX.4.4|...         send these fields in this order; # is worked out
bytes 8=FIX.4.4|9=           send exactly this
< 35=0|112=T1                 the next message has these fields: a value, `{0,A}` one of, `*word*` contains, `?` any,
                              `$name` kept under this name, `-58` not there
fill                          answer ResendRequests with gap fills until the other end has all; `fill each`: with one
                              possible duplicate for each number
quiet 0.5                     so long nothing comes but heartbeats
closed                        the other end closes the connection; `closed in silence`: it says nothing before
close                         close it
other 35=A|98=0               a second connection that says this is closed without a Logon
within 5                      from here on an answer may take so long, in seconds
number out +3000              the next number of ours is so much higher; `out 5`: it is 5; `in` is the other end's
resent {in-2}                 ask for everything from this number on, and get it as possible duplicates and gap fills;
                              `resent 1 1000`: in parts of so many
many 100 35=1|112=a < 35=0    send it so often, and hear so many answers
@FIX.4.2 < 35=8|20=0          a line of one version alone
```

In values `{out}` is our next number, `{in}` the other end's, `{now}` the time, `{sender}`, `{target}`, `{version}` what
they are, `{name}` what was kept; each number and time with `+3`, `-3` after it.

What can go wrong: a line that is none of these: `ScriptError` names file and line.
"""

from collections.abc import Iterable
from importlib.resources import files
from typing import NamedTuple

VERBS = frozenset(
    "connect logon > raw bytes < fill quiet closed close other within number resent many do".split()  # noqa: SIM905 as read
)
HEADS = ("case", "en", "zh", "only", "for")


class ScriptError(ValueError):
    """A script that cannot be read; names file, line, what stands there and what would be right."""


class Step(NamedTuple):
    """One line."""

    line: int
    verb: str
    rest: str
    version: str
    """Of which alone it is; empty: of each."""


class Case(NamedTuple):
    """A script."""

    number: str
    en: str
    zh: str
    versions: tuple[str, ...]
    steps: tuple[Step, ...]
    kind: str = ""
    """`orders` or `drop_copy`: the sessions it is for; empty: both."""

    def title(self, language: str) -> str:
        """What it shows, in `en` or `zh`."""
        return self.zh if language == "zh" else self.en

    def of(self, version: str) -> tuple[Step, ...] | None:
        """Its steps in this version; None: it is not for it."""
        if self.versions and version not in self.versions:
            return None
        return tuple(one for one in self.steps if one.version in ("", version))


def read_folder(name: str) -> tuple[Case, ...]:
    """The scripts of a folder beside this file, `session`, `examples` or `client`, by their file names."""
    found = sorted(files("acceptance.certify").joinpath(name).iterdir(), key=lambda one: one.name)
    return tuple(read_case(one.name, one.read_text(encoding="utf-8").splitlines()) for one in found)


def read_case(name: str, lines: Iterable[str]) -> Case:
    """The script in these lines."""
    heads: dict[str, str] = {}
    steps: list[Step] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        version = ""
        if text.startswith("@"):
            version, _, text = text[1:].partition(" ")
        verb, _, rest = text.partition(" ")
        if verb in HEADS and not version:
            heads[verb] = rest.strip()
        elif verb in VERBS:
            steps.append(Step(number, verb, rest.strip(), version))
        else:
            message = f"{name}:{number}: {verb!r} is no verb; right would be one of {' '.join(sorted(VERBS))}"
            raise ScriptError(message)
    missing = [head for head in HEADS[:3] if not heads.get(head)]
    if missing:
        message = f"{name}: no line {missing[0]!r}; right would be `{missing[0]} ...` at its top"
        raise ScriptError(message)
    return Case(
        heads["case"],
        heads["en"],
        heads["zh"],
        tuple(heads.get("only", "").split()),
        tuple(steps),
        heads.get("for", ""),
    )
