"""The session test cases of FIX, for each version, played by a codec of its own against the process of the clients."""

import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from client_rig import PAIR, ROOT, Rig, client, hours, until, within_hours

from acceptance.certify.line import SocketLine, Times
from acceptance.certify.player import End, Player
from acceptance.certify.script import Case, ScriptError, Step, read_case
from acceptance.certify.wire import Cutter, WireError, framed
from gateway.processes.client_doc import FROM_CLIENT, unplayed

VERSIONS = ("FIX.4.2", "FIX.4.4", "FIXT.1.1")
SESSION = sorted((ROOT / "acceptance/certify/session").glob("*.txt"))
EXAMPLES = sorted((ROOT / "acceptance/certify/examples").glob("*.txt"))
FILES = SESSION + EXAMPLES
CASES = (  # noqa: SIM905 as read
    "1B 1S.a 1S.b 1S.c 1S.d 2S 2.a 2.b 2.c 2.d 2.e 2.f 2.g 2.h 2.i 2.j 2.k 2.l 2.m 2.n 2.o 2.p 2.q 2.r 2.s 2.t 3.a 3.b "
    "3.c 3.d 3.e 4.a 4.b 5 6 7 8 9 10.a 10.b 10.c 10.d 10.e 11.a 11.b 11.c 12 13.a 13.b 14.a 14.b 14.c 14.d 14.e 14.f "
    "14.g 14.h 14.i 14.j 14.k 14.l 14.m 14.n 15 16.a 16.b 17.a 17.b 17.c 17.d 17.e 17.f 17.g 17.h 17.i 17.j 18.a 18.b "
    "19.a 19.b 20"
).split()
"""FIX Session Layer Test Cases, version 1.0 of June 2020: its scenarios and their letters."""
ORDER = f"35=D|11=%1|21=1|55={PAIR}|54=1|60={{now}}|38=1|40=2|44=-150|59=1"
LOGON = "35=A|98=0|108=30"


def case_of(path: Path) -> Case:
    return read_case(path.name, path.read_text(encoding="utf-8").splitlines())


def name_of(path: Path, version: str) -> str:
    """A client of its own for each case: the numbers of one are not another's."""
    return f"S{FILES.index(path):02d}V{VERSIONS.index(version)}"


def stamp(offset_s: int) -> str:
    return time.strftime("%Y%m%d-%H:%M:%S.000", time.gmtime(time.time() + offset_s))


def does(path: Path) -> bool:
    """Whether something has to be done beside the session: then it gets a process of its own."""
    return any(step.verb == "do" for step in case_of(path).steps)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One process with a client for each case and version."""
    folder = tmp_path_factory.mktemp("conformance")
    clients = [client(name_of(path, one), version=one) for path in FILES if not does(path) for one in VERSIONS]
    with tempfile.TemporaryDirectory(prefix="cmc-") as bus_dir:
        made = Rig(folder, bus_dir, clients, messages_per_s=20_000, connects_per_s=1_000_000)
        made.start()
        yield made
        made.close()


def play(rig: Rig, path: Path, version: str, tell: Callable[[Step], None] = lambda _step: None) -> None:
    """One case of one version."""
    macros = {"order": ORDER, "logon": LOGON + ("|1137=9" if version == "FIXT.1.1" else "")}
    line = SocketLine(Times(time.monotonic, stamp), address=("127.0.0.1", rig.port), tell=tell)
    try:
        Player(End(version, name_of(path, version), "GATEWAY", accepts=False, macros=macros), line).play(case_of(path))
    finally:
        line.close()


def play_all(rig: Rig, path: Path, tell: Callable[[Step], None] = lambda _step: None) -> dict[str, str]:
    """One case in each version that it is for, at once; what went wrong by version."""
    wrong: dict[str, str] = {}

    def one(version: str) -> None:
        try:
            play(rig, path, version, tell)
        except Exception as error:  # noqa: BLE001 - whatever went wrong in a thread is told
            wrong[version] = f"{type(error).__name__}: {error}"

    threads = [threading.Thread(target=one, args=(v,)) for v in VERSIONS if case_of(path).of(v) is not None]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return wrong


@pytest.mark.parametrize("path", [one for one in FILES if not does(one)], ids=lambda path: path.stem)
def test_the_acceptor_conforms(rig: Rig, path: Path) -> None:
    """Each script of the standard's list and each example of docs/CLIENT_FIX.md, in each version that it is for."""
    assert play_all(rig, path) == {}


@pytest.mark.parametrize("path", [one for one in FILES if does(one)], ids=lambda path: path.stem)
def test_the_acceptor_conforms_when_it_acts(start: Callable[..., Rig], path: Path) -> None:
    """Scripts in which the gateway stops, hours end or trading falls silent: when all three versions are there."""
    (deed,) = {step.rest for step in case_of(path).steps if step.verb == "do"}

    def begin(seconds: float) -> Rig:
        more = {"hours": [hours(-3600, seconds)]} if deed == "hours_end" else {}
        return start(*(client(name_of(path, one), version=one, **more) for one in VERSIONS))

    rig = within_hours(begin) if deed == "hours_end" else begin(0)
    together = threading.Barrier(len(VERSIONS), lambda: DEEDS[deed](rig), timeout=20)
    assert play_all(rig, path, lambda _step: together.wait() and None) == {}


def stop(rig: Rig) -> None:
    """As `cmc down` does."""
    assert rig.process is not None
    rig.process.terminate()


def fall_silent(rig: Rig) -> None:
    """Execution and trigger are not heard of any more, and the process knows it."""
    rig.others.silent = True
    until(lambda: not rig.heard())


DEEDS: dict[str, Callable[[Rig], None]] = {
    "gateway_stops": stop,
    "hours_end": lambda _rig: None,
    "trading_falls_silent": fall_silent,
}


def test_every_case_of_the_standards_list_has_a_script_or_a_reason() -> None:
    """Letter by letter, each once: no script plays what is said to be unplayed."""
    played = [one for path in SESSION for one in re.split(r", ", re.sub(r" \(.*\)", "", case_of(path).number))]
    reasons = unplayed()
    assert set(played) | reasons.keys() == set(CASES)
    assert not set(played) & reasons.keys()
    assert all(set(one) == {"en", "zh"} and all(one.values()) for one in reasons.values())


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
