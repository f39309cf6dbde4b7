"""The command line: help, exit codes, and that asking for help loads nothing heavy."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.processes import cli, site_open

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "sites" / "demo.toml"
COMMANDS = (
    "demo",
    "check",
    "up",
    "down",
    "status",
    "simulate",
    "arm",
    "disarm",
    "kill",
    "stage",
    "explain",
    "trade",
    "fill",
    "pairs",
    "positions",
    "reconcile",
    "record",
    "report",
    "trades",
)


def cmc(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The program as a person calls it."""
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from gateway.processes.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--help says what it does and ends with 0."""
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert f"cmc {command}" in capsys.readouterr().out


def test_the_list_of_commands_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    """`cmc --help` names each of them."""
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert [name for name in COMMANDS if f"    {name}" not in shown] == []


def test_help_loads_no_engine_and_no_drawing_library() -> None:
    """Heavy modules are loaded by the command that needs them."""
    script = (
        "import sys\nfrom gateway.processes import cli\n"
        "try:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'quickfix', 'zmq', 'pydantic', 'rich', 'matplotlib'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


EXIT_CODES = """
call                                                     | code | says
check sites/demo.toml                                    | 0    | 2 venues, 3 instruments, 1 pairs, 1 rules
check absent.toml                                        | 2    | absent.toml: no such file
check pyproject.toml                                     | 1    | no such key
check                                                    | 2    | SITE
nonsense                                                 | 2    | invalid choice
demo --seconds 0                                         | 2    | a whole number of seconds, at least 1
demo --tape /nowhere                                     | 2    | no such folder
demo --name zinc                                         | 2    | one of cu, au
simulate absent.toml                                     | 2    | no such file
up absent.toml                                           | 2    | right would be a site file
status                                                   | 2    | which site?
kill sites/demo.toml --who A --reason B                  | 2    | --hold --balance
arm sites/demo.toml --who A                              | 2    | --reason
arm sites/demo.toml --who A --reason  -                  | 1    | did not answer
pairs sites/demo.toml                                    | 1    | the installation does not run
positions sites/demo.toml                                | 1    | execution does not answer
stage gold sites/demo.toml --who A --reason B            | 2    | invalid choice
stage canary sites/demo.toml --who A --reason B          | 1    | did not answer
stage canary sites/demo.toml --who A                     | 2    | --reason
trade takeover sites/demo.toml --who A --reason B        | 2    | which site?
trade takeover T1 sites/demo.toml --who A --reason B     | 1    | did not answer
trade release T1 sites/demo.toml --who A                 | 2    | --reason
trade                                                    | 2    | ACTION
fill add T1 sites/demo.toml --leg 1 --side buy --lots 5 --price 70000 --exec-id E1 --who A --reason B | 1 | did not answer
fill add T1 sites/demo.toml --leg 0 --side buy --lots 5 --price 70000 --exec-id E1 --who A --reason B | 2 | at least 1
fill add T1 sites/demo.toml --leg 1 --side hold --lots 5 --price 70000 --exec-id E1 --who A --reason B | 2 | invalid choice
fill add T1 sites/demo.toml --leg 1 --side buy --lots 5 --exec-id E1 --who A --reason B | 2 | --price
fill assign T1 sites/demo.toml --leg 2 --exec-id E1 --who A --reason B | 1 | did not answer
explain SHFE.cu2609 sites/demo.toml --who A --reason B   | 1    | did not answer
"""


@pytest.mark.parametrize("row", EXIT_CODES.strip().splitlines()[1:])
def test_exit_code(row: str, tmp_path: Path) -> None:
    """0 success, 1 a failed check, 2 a wrong call, each with words."""
    call, code, says = (cell.strip() for cell in row.split("|"))
    arguments = [
        str(_copied(tmp_path)) if one == "sites/demo.toml" else str(ROOT / one) if one == "pyproject.toml" else one
        for one in call.split()
    ]
    done = cmc(*arguments, cwd=tmp_path)
    assert done.returncode == int(code), done.stdout + done.stderr
    assert says in done.stdout + done.stderr


def _copied(folder: Path) -> Path:
    """The demo's site file in a folder of the test, so that its state lies there."""
    file = folder / "site-of-test.toml"
    file.write_text(DEMO.read_text(encoding="utf-8"), encoding="utf-8")
    return file


def test_check_as_json_is_one_document(tmp_path: Path) -> None:
    """Mistakes come as key, value and remedy."""
    file = tmp_path / "site.toml"
    file.write_text(DEMO.read_text(encoding="utf-8").replace('pair = "CU-CA"', 'pair = "CU-AC"'), encoding="utf-8")
    done = cmc("check", str(file), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "ok": False,
        "file": str(file),
        "mistakes": [{"key": "rule[0].pair", "value": "CU-AC", "remedy": "a pair's id; did you mean CU-CA?"}],
    }


def test_status_of_a_site_that_does_not_run_says_so(tmp_path: Path) -> None:
    """Exit code 1, and the same as JSON."""
    file = _copied(tmp_path)
    plain, machine = cmc("status", str(file)), cmc("status", str(file), "--json")
    assert (plain.returncode, machine.returncode) == (1, 1)
    assert plain.stdout.splitlines()[0] == f"demo: not running ({file})"
    assert json.loads(machine.stdout) == {
        "running": False,
        "processes": [],
        "execution": None,
        "held": None,
        "sessions": [],
        "clocks": [],
        "host_clock": None,
        "market_data": [],
        "currencies": [],
        "clients": [],
        "pairs": [{"pair": "CU-CA", "traded": False, "why": ["the installation does not run"]}],
    }


def test_down_of_a_site_that_does_not_run_is_done(tmp_path: Path) -> None:
    """There is nothing to stop, which is what was asked for."""
    done = cmc("down", str(_copied(tmp_path)))
    assert done.returncode == 0
    assert "not running" in done.stderr


def test_a_run_that_is_not_named_is_that_of_the_site_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """CMC_SITE's where it is set, as for every other command; else the newest of runs/."""
    monkeypatch.chdir(tmp_path)
    for name in ("20260101", "20260102"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    site = ROOT / "sites" / "demo.toml"
    monkeypatch.setenv("CMC_SITE", str(site))
    assert site_open.run_folder(None) == site_open.run_dir_of(site_open.load(site))
    monkeypatch.delenv("CMC_SITE")
    assert site_open.run_folder(None) == Path("runs/20260102")
