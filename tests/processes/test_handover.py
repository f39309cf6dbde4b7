"""What the supervisor hands to its processes: the site in memory, the word to begin, and what they need not load."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from gateway.processes import clock, handover, start
from gateway.processes.handover import Word, hand_over, heard_word, take_over
from gateway.processes.settings import Site, load_site
from gateway.processes.site import SupervisorSettings
from gateway.processes.supervisor import Supervisor, SupervisorError

ROOT = Path(__file__).parents[2]
SECOND = 10**9

CHILD = """
import json, os, pathlib, signal, sys
from time import sleep
run_dir, name, waits_for, *more = sys.argv[1:]
folder = pathlib.Path(run_dir)
def note(word):
    with open(folder / "events", "a") as file:
        file.write(f"{name} {word}\\n")
given = dict(zip(more[-4::2], more[-3::2]))
site_bytes = os.fstat(int(given["--site-fd"])).st_size
(folder / f"{name}.loaded").write_text(str(site_bytes))
if os.read(int(given["--word-fd"]), 9) != b"begin":
    note("not told")
    sys.exit(1)
note("begun")
if waits_for == "dies":
    sys.exit(3)
while waits_for and not (folder / f"{waits_for}.loaded").exists():
    sleep(0.01)
ready = folder / "ready" / (name + ".json")
ready.with_suffix(".new").write_text(json.dumps({"ready": True}))
ready.with_suffix(".new").replace(ready)
while True:
    signal.pause()
"""


@pytest.fixture
def site() -> Site:
    """The shipped demo's, with a password at its first venue."""
    made = load_site(ROOT / "sites" / "demo.toml", {})
    name, venue = next(iter(made.venues.items()))
    secret = replace(venue, orders=replace(venue.orders, password="open sesame"))
    return replace(made, venues={**made.venues, name: secret})


@pytest.fixture
def made(tmp_path: Path, site: Site) -> Iterator[Callable[..., Supervisor]]:
    """A maker of supervisors that hand over the site; their children are ended in any case."""
    all_made: list[Supervisor] = []

    def make(**waits_for: str) -> Supervisor:
        programs = {
            name: [sys.executable, "-c", CHILD, str(tmp_path), name, other] for name, other in waits_for.items()
        }
        settings = SupervisorSettings(5, 60 * SECOND, SECOND)
        all_made.append(Supervisor(programs, tmp_path, settings, lambda _: None, site))
        return all_made[-1]

    yield make
    for one in all_made:
        one.end_children()


def begun(run_dir: Path) -> list[str]:
    return (run_dir / "events").read_text(encoding="utf-8").splitlines()


def test_the_site_arrives_as_it_was_handed_over(site: Site) -> None:
    """Every value is the same, passwords too, and each process can read it: nobody moves another's place in it."""
    fd = hand_over(site)
    try:
        assert [take_over(os.dup(fd)), take_over(os.dup(fd))] == [site, site]
        assert str(Path(f"/proc/self/fd/{fd}").readlink()).startswith("/memfd:")
        assert not os.get_inheritable(fd)
    finally:
        os.close(fd)


def test_values_of_another_program_are_not_taken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the program was replaced since: then the process has to read the site file itself."""
    fd = hand_over(site)
    monkeypatch.setattr(handover, "program_mark", lambda: bytes(32))
    assert take_over(fd) is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_a_changed_file_changes_the_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark follows a file's size, and its time where the size stays."""
    monkeypatch.setattr(handover, "_PROGRAM", tmp_path)
    file = tmp_path / "deep" / "one.py"
    file.parent.mkdir()
    marks = []
    for text, at in (("a", 1), ("ab", 1), ("ab", 2)):
        file.write_text(text, encoding="utf-8")
        os.utime(file, (at, at))
        marks.append(handover.program_mark())
    assert len(set(marks)) == 3
    assert handover.program_mark() == marks[-1]


def test_a_process_begins_at_the_word_and_ends_where_none_can_come(site: Site, tmp_path: Path) -> None:
    """Said, it is heard; a supervisor that has gone is noticed, and the process does not begin."""
    said, silent = Word(), Word()
    heard, unheard = os.dup(said.fd), os.dup(silent.fd)
    for word in (said, silent):
        word.started()
    said.say()
    silent.withhold()
    assert heard_word(heard)
    given = start.Arguments(site.path, tmp_path, tmp_path, "exit", hand_over(site), unheard)
    with pytest.raises(SystemExit, match="the supervisor ended before it was this process's turn"):
        start.site_when_begun(given)


def test_without_a_supervisor_a_process_reads_the_file(tmp_path: Path) -> None:
    """Started by hand, or by another program, it has the site of the file."""
    file = ROOT / "sites" / "demo.toml"
    given = start.arguments(["--site", str(file), "--run-dir", str(tmp_path), "--bus-dir", str(tmp_path)], "feed")
    assert start.site_when_begun(given) == load_site(file)


def test_children_load_at_the_same_time_and_begin_in_order(tmp_path: Path, made: Callable[..., Supervisor]) -> None:
    """The first is ready only when the second has loaded; still none begins before the one before it is ready."""
    supervisor = made(feed="execution", execution="", watch="", recorder="", trigger="")
    supervisor.start()
    names = ["feed", "execution", "watch", "recorder", "trigger"]
    assert begun(tmp_path) == [f"{name} begun" for name in names]
    sizes = {(tmp_path / f"{name}.loaded").read_text(encoding="utf-8") for name in names}
    assert len(sizes) == 1
    assert int(sizes.pop()) > 1000


def test_one_that_does_not_come_up_leaves_none_of_those_that_wait(
    tmp_path: Path, made: Callable[..., Supervisor]
) -> None:
    """The second has loaded and was never told to begin; it ends with the others."""
    supervisor = made(feed="dies", execution="", watch="")
    with pytest.raises(SupervisorError, match="feed ended while it started"):
        supervisor.start()
    pids = [row["pid"] for row in supervisor.table() if row["pid"]]
    states = {row["name"]: row["state"] for row in supervisor.table()}
    assert states["watch"] == "not started"
    supervisor.end_children()
    assert "execution begun" not in begun(tmp_path)
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []


def test_one_that_is_started_again_is_handed_the_same_site(tmp_path: Path, made: Callable[..., Supervisor]) -> None:
    """It begins at once: nobody waits before it."""
    supervisor = made(feed="")
    supervisor.start()
    first = (tmp_path / "feed.loaded").read_text(encoding="utf-8")
    (tmp_path / "feed.loaded").unlink()
    pid = next(row["pid"] for row in supervisor.table())
    os.kill(pid, 9)

    def back() -> bool:
        supervisor.tick(clock.monotonic_ns())
        return begun(tmp_path) == ["feed begun", "feed begun"]

    _until(back)
    assert (tmp_path / "feed.loaded").read_text(encoding="utf-8") == first


def _until(done: Callable[[], bool]) -> None:
    for _ in range(1000):
        if done():
            return
        clock.pause_ns(SECOND // 100)
    pytest.fail("waited ten seconds in vain")


@pytest.mark.parametrize(
    ("process", "not_loaded"),
    [
        ("feed", ("pydantic", "pydantic_settings", "structlog", "rich", "holidays")),
        ("execution", ("pydantic", "pydantic_settings", "structlog", "rich", "holidays")),
        ("watch", ("pydantic", "pydantic_settings", "structlog", "rich", "holidays")),
        ("recorder", ("pydantic", "pydantic_settings", "structlog", "rich", "holidays", "quickfix")),
        ("trigger", ("pydantic", "pydantic_settings", "structlog", "rich", "holidays", "quickfix")),
        ("clients", ("pydantic", "pydantic_settings", "structlog", "rich", "holidays")),
    ],
)
def test_a_process_loads_no_library_that_it_does_not_need(process: str, not_loaded: tuple[str, ...]) -> None:
    """What judges a site file or writes for people costs a process that trades a fifth of a second and 15 MB."""
    program = f"import sys, gateway.processes.{process}; print([one for one in {not_loaded!r} if one in sys.modules])"
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
