"""`cmc deliver keygen` and `cmc deliver approver`: an approver's key, and its public half where it belongs.

    keygen FILE --name NAME                       the approver's own work: the private half stays with them
    approver add FILE... --name --public-key      the public half into plans and site files, in the place of nobody's
    approver remove FILE... --name                one that is not wanted
    approver list FILE...                         who may sign, and who has no key yet

Exit codes: 0 done, 1 refused (or, of `list`, somebody has no key yet), 2 a wrong call.
"""

import argparse
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from gateway.journal.told import environment_language, said, told, told_by

OK, FAILED = 0, 1


def register(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both."""
    text = "Make an approver's key: the private half into FILE, with a password; prints where the public half goes."
    keygen = steps.add_parser("keygen", help=text, description=text)
    keygen.add_argument("file", type=Path, metavar="FILE", help="a new file of the private key")
    keygen.add_argument("--name", required=True, help="the approver's, as plan and site are to know it")
    keygen.add_argument("--without-password", action="store_true", help="whoever reads the file can sign by it")
    keygen.set_defaults(handler=_keygen)
    text = "Who may sign: put an approver's public key into plans and site files, take one out, list them."
    approver = steps.add_parser("approver", help=text, description=text)
    acts = approver.add_subparsers(dest="act", metavar="ACT", required=True)
    add = acts.add_parser("add", help="put a public key there, in the place of nobody's if the name has that")
    add.add_argument("--public-key", required=True, metavar="KEY", help='as keygen printed it: "ed25519:..."')
    add.add_argument("--replace", action="store_true", help="another key of this name is there: put this one")
    remove = acts.add_parser("remove", help="take an approver out")
    listing = acts.add_parser("list", help="names, and whether each has a key")
    for one, handler in ((add, _add), (remove, _remove), (listing, _list)):
        one.add_argument("files", nargs="+", type=Path, metavar="FILE", help="rollout plans, site files")
        if one is not listing:
            one.add_argument("--name", required=True, help="the approver's")
        one.set_defaults(handler=handler)


def _keygen(parsed: argparse.Namespace) -> int:
    return _guarded(lambda: _make_key(parsed))


def _make_key(parsed: argparse.Namespace) -> int:
    from acceptance import approver_file, signing  # noqa: PLC0415 a command loads what it needs
    from gateway.processes import key_password  # noqa: PLC0415

    name = _name(parsed.name)
    signing.refuse_if_there(parsed.file)
    password = "" if parsed.without_password else key_password.of_new_key(parsed.file)
    public = signing.make_key(parsed.file, password)
    _say(told("{}: the private key; it stays with {}, nobody else needs it", parsed.file, name))
    _say(told("the public half goes into the rollout plan and the site file:"))
    command = f"cmc deliver approver add PLAN SITE --name {shlex.quote(name)} --public-key {public}"
    print(f"\n{command}\n")  # noqa: T201 the command's answer
    _say(told("which puts these lines there:"))
    print("\n" + approver_file.block_text(signing.Approver(name, public)), end="")  # noqa: T201 as above
    return OK


def _add(parsed: argparse.Namespace) -> int:
    return _guarded(lambda: _put(parsed))


def _put(parsed: argparse.Namespace) -> int:
    from acceptance import approver_file, signing  # noqa: PLC0415

    if not signing.is_usable(parsed.public_key):
        message = told("--public-key {}: no key that a person could sign by; as `cmc deliver keygen` prints it: {}",
                       parsed.public_key, '"ed25519:..."')  # fmt: skip
        raise signing.SigningError(message)
    one = signing.Approver(_name(parsed.name), parsed.public_key)
    made = [(path, text, approver_file.put(str(path), text, one, replace=parsed.replace))
            for path, text in _texts(parsed.files)]  # fmt: skip
    for path, before, after in made:  # only when all of them can be changed
        if after != before:
            _write(path, after)
        _say(told("{}: {} may sign", path, one.name) if after != before
             else told("{}: {} stands there with this key already", path, one.name))  # fmt: skip
        _tell_missing(path)
    return OK


def _remove(parsed: argparse.Namespace) -> int:
    return _guarded(lambda: _take_out(parsed))


def _take_out(parsed: argparse.Namespace) -> int:
    from acceptance import approver_file  # noqa: PLC0415

    made = [(path, approver_file.take_out(str(path), text, parsed.name)) for path, text in _texts(parsed.files)]
    for path, after in made:
        _write(path, after)
        _say(told("{}: {} may not sign any more", path, parsed.name))
        _tell_missing(path)
    return OK


def _list(parsed: argparse.Namespace) -> int:
    return _guarded(lambda: _show(parsed))


def _show(parsed: argparse.Namespace) -> int:
    from acceptance import signing  # noqa: PLC0415

    whole = True
    for path in parsed.files:
        found = signing.read_approvers([path])
        whole = whole and bool(found)
        _say(told("{}: {} approvers", path, len(found)))
        for one in found:
            if signing.is_placeholder(one.public_key):
                whole = False
                _say(told("  {}: no key yet", one.name))
            else:
                _say(told("  {}: {}", one.name, one.public_key))
    return OK if whole else FAILED


def _tell_missing(path: Path) -> None:
    from acceptance import signing  # noqa: PLC0415

    found = signing.read_approvers([path])
    missing = [one.name for one in found if signing.is_placeholder(one.public_key)]
    if missing:
        _say(told("{}: no key yet: {}; add theirs, or take them out by `cmc deliver approver remove`",
                  path, ", ".join(missing)))  # fmt: skip


def _name(name: str) -> str:
    from acceptance.signing import SigningError  # noqa: PLC0415

    if not name.strip() or any(not sign.isprintable() for sign in name):
        message = told("--name {}: the approver's name, in letters", repr(name))
        raise SigningError(message)
    return name.strip()


def _texts(paths: list[Path]) -> list[tuple[Path, str]]:
    from acceptance.signing import SigningError  # noqa: PLC0415

    found = []
    for path in paths:
        try:
            found.append((path, path.read_bytes().decode("utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            message = told("{}: no file with approvers that can be read; a rollout plan or a site file in TOML", path)
            raise SigningError(message) from error
    return found


def _write(path: Path, text: str) -> None:
    """Whole or not at all; what the file was allowed, it is."""
    whole = path.resolve()
    with tempfile.NamedTemporaryFile("wb", dir=whole.parent, prefix=f".{whole.name}.", delete=False) as stream:
        try:
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
            shutil.copymode(whole, stream.name)
            Path(stream.name).replace(whole)
        except OSError:
            Path(stream.name).unlink(missing_ok=True)
            raise


def _guarded(command: Callable[[], int]) -> int:
    from acceptance.signing import SigningError  # noqa: PLC0415

    try:
        return command()
    except SigningError as error:
        _complain(told("refused: {}", told_by(error)))
    except OSError as error:
        _complain(told("{}: cannot be written: {}", error.filename or "-", error.strerror or error))
    return FAILED


def _complain(text: str) -> None:
    print(said(text, environment_language()), file=sys.stderr)  # noqa: T201 a command line speaks


def _say(text: str) -> None:
    print(said(text, environment_language()))  # noqa: T201 the command's answer
