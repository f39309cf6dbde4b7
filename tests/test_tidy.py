"""Style that a linter does not know: which way imports point, what pure code may not use, dead and unfinished code."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS = (
    ("gateway.processes",),
    ("acceptance",),
    ("gateway.console", "gateway.clients", "gateway.journal", "gateway.bus", "gateway.fix"),
    ("gateway.execution",),
    ("gateway.trigger",),
    ("gateway.feed",),
    ("gateway.model",),
)
"""Imports point down this list, never up. Parts of one layer may use one another."""

PURE = ("gateway/model", "gateway/feed", "gateway/trigger", "gateway/execution", "gateway/clients", "simulators/core")
IMPURE = frozenset(
    [
        "asyncio",
        "datetime",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "quickfix",
        "random",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "simplefix",
        "socket",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "uuid",
        "zmq",
    ]
)
"""Clocks, chance, files, processes, threads, sockets, and what opens them. `datetime` is one, since it reads a clock."""
CLOCK_READERS = frozenset({"gateway/processes/clock.py"})
LONGEST_LINES = 400
LONG_FILES_ALLOWED = 6
LEFTOVER = re.compile(r"\b(FIX" + r"ME|XX" + r"X|TO" + r"DO|HA" + r"CK|breakpoint\(\)|pdb\.set_trace)\b")


@cache
def files(*folders: str) -> tuple[Path, ...]:
    """The Python files of these folders, relative to the repository."""
    return tuple(sorted(one.relative_to(ROOT) for name in folders for one in (ROOT / name).rglob("*.py")))


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), str(file))


def module(file: Path) -> str:
    """The dotted name of a file."""
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that a file imports; `from a import b` gives a and a.b."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield node.lineno, one.name
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}:{node.lineno}: imports are absolute here"
            yield node.lineno, node.module or ""
            for one in node.names:
                yield node.lineno, f"{node.module}.{one.name}"


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def layer(name: str) -> int | None:
    for depth, packages in enumerate(LAYERS):
        if any(within(name, package) for package in packages):
            return depth
    return None


def test_imports_point_one_way() -> None:
    """Processes -> acceptance -> console, clients, journal, bus, fix -> execution -> trigger -> feed -> model."""
    wrong = []
    for file in files("gateway", "acceptance"):
        own = layer(module(file))
        for line, name in imports(file):
            other = layer(name)
            if own is not None and other is not None and other < own:
                wrong.append(f"{file}:{line}: {name} lies above {module(file)}")
    assert wrong == []


@pytest.mark.parametrize("folder", PURE)
def test_pure_code_reads_no_clock_and_opens_nothing(folder: str) -> None:
    """Time, chance and the outside arrive as arguments in the folders that decide."""
    wrong = [
        f"{file}:{line}: {name}"
        for file in files(folder)
        for line, name in imports(file)
        if name.partition(".")[0] in IMPURE
    ]
    assert wrong == []


def test_only_one_file_of_the_gateway_reads_a_clock() -> None:
    """Every other one takes the time as an argument; `datetime` may convert, not ask what time it is."""
    wrong = []
    for file in files("gateway"):
        if str(file) in CLOCK_READERS:
            continue
        wrong += [f"{file}:{line}: {name}" for line, name in imports(file) if within(name, "time")]
        wrong += [
            f"{file}:{node.lineno}: .{node.func.attr}()"
            for node in ast.walk(tree(file))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"now", "utcnow", "today"}
        ]
    assert wrong == []


def test_simulators_do_not_know_the_gateway() -> None:
    """They are the independent witness."""
    wrong = [
        f"{file}:{line}: {name}"
        for file in files("simulators")
        for line, name in imports(file)
        if within(name, "gateway") or within(name, "quickfix")
    ]
    assert wrong == []


def test_only_processes_and_tests_look_into_the_simulators() -> None:
    """The gateway would otherwise be judged by code that it uses."""
    wrong = [
        f"{file}:{line}: {name}"
        for file in files("gateway", "acceptance")
        for line, name in imports(file)
        if within(name, "simulators") and not within(module(file), "gateway.processes")
    ]
    assert wrong == []


def test_gevent_stays_in_the_load_test() -> None:
    """It replaces sockets and threads of a whole process."""
    wrong = [
        f"{file}:{line}: {name}"
        for file in files("gateway", "acceptance", "simulators")
        for line, name in imports(file)
        if name.partition(".")[0] in {"gevent", "locust"}
    ]
    assert wrong == []


def test_nothing_unfinished_is_left() -> None:
    """No note to self and no debugger in a file that is kept."""
    wrong = [
        f"{file}:{number}: {line.strip()}"
        for file in files("gateway", "acceptance", "simulators", "benchmarks", "loadtest", "tests")
        for number, line in enumerate((ROOT / file).read_text(encoding="utf-8").splitlines(), 1)
        if LEFTOVER.search(line)
    ]
    assert wrong == []


def test_no_module_is_dead() -> None:
    """Each module is imported by another one, or is a program: __main__ or a file that ends in a call of its main."""
    used = {
        name
        for file in files("gateway", "acceptance", "simulators", "benchmarks", "loadtest", "tests")
        for _, name in imports(file)
    }
    # Modules that are named in text: started as processes, or loaded when they are needed.
    text = "\n".join(
        (ROOT / file).read_text(encoding="utf-8")
        for file in files("gateway", "acceptance", "simulators", "benchmarks", "loadtest")
    )
    dead = [
        str(file)
        for file in files("gateway", "acceptance", "simulators", "benchmarks", "loadtest")
        if file.name not in {"__init__.py", "__main__.py"}
        and module(file) not in used
        and 'if __name__ == "__main__"' not in (ROOT / file).read_text(encoding="utf-8")
        and f'"{module(file)}' not in text
    ]
    assert dead == []


def test_every_module_introduces_itself() -> None:
    """A file opens with what it decides, what it does not, or how it can go wrong."""
    silent = [
        str(file)
        for file in files("gateway", "acceptance", "simulators", "benchmarks", "loadtest")
        if not ast.get_docstring(tree(file)) and (ROOT / file).read_text(encoding="utf-8").strip()
    ]
    assert silent == []


def test_every_test_states_its_fact() -> None:
    """A test without a docstring does not say what is true."""
    silent = [
        f"{file}:{node.lineno}: {node.name}"
        for file in files("tests")
        for node in ast.walk(tree(file))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_names_of_test_files_are_unique() -> None:
    """Pytest imports them by name."""
    names = [file.name for file in files("tests") if file.name not in ("__init__.py", "conftest.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_few_files_are_long() -> None:
    """A file of more than 400 lines is an exception; there are few."""
    long = [
        f"{file}: {lines}"
        for file in files("gateway", "acceptance", "simulators")
        if (lines := len((ROOT / file).read_text(encoding="utf-8").splitlines())) > LONGEST_LINES
    ]
    assert len(long) <= LONG_FILES_ALLOWED, long


def test_no_journal_state_or_run_is_committed() -> None:
    """What programs write stays out of the repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone: there is no list of what is committed")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    wrong = [one for one in listed.stdout.splitlines() if re.match(r"(runs|state|\.venv)/|.*\.(journal|pyc)$", one)]
    assert wrong == []
