"""The session test cases of FIX, for each version, played by a codec of its own against the process of the clients."""

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from client_rig import PAIR, ROOT, Rig, client

from acceptance.certify.line import SocketLine, Times
from acceptance.certify.player import End, Player
from acceptance.certify.script import Case, ScriptError, read_case
from acceptance.certify.wire import Cutter, WireError, framed
from gateway.processes.client_doc import FROM_CLIENT

VERSIONS = ("FIX.4.2", "FIX.4.4", "FIXT.1.1")
SESSION = sorted((ROOT / "acceptance/certify/session").glob("*.txt"))
EXAMPLES = sorted((ROOT / "acceptance/certify/examples").glob("*.txt"))
FILES = SESSION + EXAMPLES
ORDER = f"35=D|11=%1|21=1|55={PAIR}|54=1|60={{now}}|38=1|40=2|44=-150|59=1"
LOGON = "35=A|98=0|108=30"


def case_of(path: Path) -> Case:
    return read_case(path.name, path.read_text(encoding="utf-8").splitlines())


def name_of(path: Path, version: str) -> str:
    """A client of its own for each case: the numbers of one are not another's."""
    return f"S{FILES.index(path):02d}V{VERSIONS.index(version)}"


def stamp(offset_s: int) -> str:
    return time.strftime("%Y%m%d-%H:%M:%S.000", time.gmtime(time.time() + offset_s))


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One process with a client for each case and version."""
    folder = tmp_path_factory.mktemp("conformance")
    clients = [client(name_of(path, one), version=one) for path in FILES for one in VERSIONS]
    with tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir:
        made = Rig(folder, bus_dir, clients)
        made.start()
        yield made
        made.close()


def play(rig: Rig, path: Path, version: str) -> None:
    """One case of one version."""
    macros = {"order": ORDER, "logon": LOGON + ("|1137=9" if version == "FIXT.1.1" else "")}
    line = SocketLine(Times(time.monotonic, stamp), address=("127.0.0.1", rig.port))
    try:
        Player(End(version, name_of(path, version), "GATEWAY", accepts=False, macros=macros), line).play(case_of(path))
    finally:
        line.close()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_acceptor_conforms(rig: Rig, path: Path) -> None:
    """Each script of the standard's list and each example of docs/CLIENT_FIX.md, in each version that it is for."""
    wrong: dict[str, str] = {}

    def one(version: str) -> None:
        try:
            play(rig, path, version)
        except Exception as error:  # noqa: BLE001 - whatever went wrong in a thread is told below
            wrong[version] = f"{type(error).__name__}: {error}"

    threads = [threading.Thread(target=one, args=(v,)) for v in VERSIONS if case_of(path).of(v) is not None]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == {}


def test_every_area_of_the_standards_list_has_a_script() -> None:
    """The areas 1 to 8, 10, 11, 13 to 16, 19 and 20; the others are not ours to play, docs/CLIENT_FIX.md says why."""
    areas = {case_of(path).number.partition(" ")[0].partition(".")[0].rstrip("S") for path in SESSION}
    assert {int(one) for one in areas} == {1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 14, 15, 16, 19, 20}


def test_every_message_of_a_client_has_an_example() -> None:
    """What the dictionary lets a client send is sent by an example, but for what only the session layer sends."""
    sent = {
        step.rest.removeprefix("35=").partition("|")[0]
        for path in EXAMPLES
        for step in case_of(path).steps
        if step.verb == ">"
    }
    assert FROM_CLIENT - sent == {"0", "3", "4"}


def test_the_codec_finds_a_wrong_frame() -> None:
    """A wrong sum, a wrong order and a length that is none are told."""
    right = framed([("8", "FIX.4.4"), ("35", "0"), ("34", "1")])
    cutter = Cutter()
    cutter.feed(right[:9].encode())
    assert cutter.next() is None
    cutter.feed(right[9:].encode())
    heard = cutter.next()
    assert heard is not None
    assert heard.kind == "0"
    for wrong in (right.replace("10=", "10=9"), right.replace("9=", "9=x"), "9=1" + right):
        other = Cutter()
        other.feed((wrong + right).encode())
        with pytest.raises(WireError):
            other.next()


def test_a_script_that_cannot_be_read_is_told_with_its_line() -> None:
    """The file, the line, what stands there and what would be right."""
    with pytest.raises(ScriptError, match=r"x\.txt:2: 'shout' is no verb; right would be one of < > bytes"):
        read_case("x.txt", ["case 1", "shout hello"])
    with pytest.raises(ScriptError, match=r"x\.txt: no line 'zh'"):
        read_case("x.txt", ["case 1", "en one"])
