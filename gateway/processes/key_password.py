"""The password of an approver's key: from the environment, from a file, or asked on the terminal.

    CMC_KEY_PASSWORD          the password itself, for a machine that keeps its secrets in the environment
    CMC_KEY_PASSWORD_FILE     a file that only its owner can read; its first line
    a terminal                asked, without showing it; twice for a new key

Never a word of the command line: that stands in the list of processes for everybody to read, and in a history.

What can go wrong: both variables at once, a file that others can read or that is empty, no terminal to ask on:
SigningError says which, and what would be right.
"""

import getpass
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from acceptance.signing import LEAST_PASSWORD, SigningError
from gateway.journal.told import environment_language, said, told

PASSWORD = "CMC_KEY_PASSWORD"  # noqa: S105 the name of a variable
PASSWORD_FILE = "CMC_KEY_PASSWORD_FILE"  # noqa: S105 as above
TRIES = 3
_OTHERS = 0o077


class Terminal(Protocol):
    """Whom a password is asked of."""

    def there(self) -> bool: ...
    def ask(self, words: str) -> str: ...


class OwnTerminal:
    """The one that this process was started from."""

    def there(self) -> bool:
        return sys.stdin is not None and sys.stdin.isatty()

    def ask(self, words: str) -> str:
        try:
            return getpass.getpass(words)
        except (EOFError, KeyboardInterrupt) as error:
            message = told("no password was given")
            raise SigningError(message) from error


def of_key(path: Path) -> str:
    """The password of a key that has one."""
    return password_for(path, os.environ, OwnTerminal())


def of_new_key(path: Path) -> str:
    """The password that a new key is to have."""
    return new_password(path, os.environ, OwnTerminal())


def password_for(path: Path, environment: Mapping[str, str], terminal: Terminal) -> str:
    """As `of_key`, of these."""
    given = _given(environment)
    if given:
        return given
    if terminal.there():
        return terminal.ask(_in(told("password of {}: ", path)))
    message = told("{}: this key has a password: set {} or {}, or run the command on a terminal, which asks for it",
                   path, PASSWORD, PASSWORD_FILE)  # fmt: skip
    raise SigningError(message)


def new_password(path: Path, environment: Mapping[str, str], terminal: Terminal) -> str:
    """As `of_new_key`, of these."""
    given = _given(environment)
    if given:
        return given
    if not terminal.there():
        message = told("{}: a new key needs a password: set {} or {}, run the command on a terminal, which asks for "
                       "it, or say --without-password", path, PASSWORD, PASSWORD_FILE)  # fmt: skip
        raise SigningError(message)
    for _ in range(TRIES):
        first = terminal.ask(_in(told("a password for {}, at least {} characters: ", path, LEAST_PASSWORD)))
        if len(first) < LEAST_PASSWORD:
            print(_in(told("too short: at least {} characters", LEAST_PASSWORD)), file=sys.stderr)  # noqa: T201 a dialog
        elif terminal.ask(_in(told("once more: "))) == first:
            return first
        else:
            print(_in(told("the two are not the same")), file=sys.stderr)  # noqa: T201 as above
    message = told("no password was given; one that is to have none: --without-password")
    raise SigningError(message)


def _given(environment: Mapping[str, str]) -> str:
    """What the environment says, itself or by a file; empty when it says nothing."""
    word, file = environment.get(PASSWORD, ""), environment.get(PASSWORD_FILE, "")
    if word and file:
        message = told("{} and {} are both set; one of them", PASSWORD, PASSWORD_FILE)
        raise SigningError(message)
    return _first_line(Path(file)) if file else word


def _first_line(path: Path) -> str:
    try:
        if path.stat().st_mode & _OTHERS:
            message = told("{} = {}: others can read this file; `chmod 600` it", PASSWORD_FILE, path)
            raise SigningError(message)
        line = path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        message = told("{} = {}: no text file that can be read", PASSWORD_FILE, path)
        raise SigningError(message) from error
    if not line:
        message = told("{} = {}: its first line is empty; the password stands there", PASSWORD_FILE, path)
        raise SigningError(message)
    return line


def _in(text: str) -> str:
    return said(text, environment_language())
