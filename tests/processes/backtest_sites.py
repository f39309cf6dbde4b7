"""A small site for backtests, and a run that one of them leaves: the demo's copper pair on a minute of synthetic tape."""

from pathlib import Path

from gateway.journal.frame import FILE_HEADER, Framed, FrameEncoder, scan
from gateway.model.record import JournalRecord
from gateway.processes import demo_sites
from gateway.processes.cli import main
from gateway.processes.demo_plan import Asked
from gateway.processes.toml_text import toml_text


def site_file(folder: Path, name: str = "cu") -> Path:
    """The demo's site of this synthetic pair."""
    asked = Asked(kind="synthetic", name=name, directory="", seed=7, seconds=1, network="", faults=False)
    plan = demo_sites.plan(asked, demo_sites.tape_of(asked))
    ports = {plan.domestic.id: (5001, 5002), plan.overseas.id: (5003, 5004)}
    path = folder / "site.toml"
    path.write_text(toml_text(demo_sites.site(plan, ports, "")), encoding="utf-8")
    return path


def backtest(folder: Path, *more: str) -> tuple[int, Path]:
    """Exit code and run directory of `cmc backtest` on that site; a minute where nothing else is said."""
    site = folder / "site.toml"
    if not site.exists():
        site_file(folder)
    out = folder / "runs"
    before = set(out.glob("*"))
    window = () if any(one.startswith("--to") for one in more) else ("--to=09:01",)
    code = main(["backtest", str(site), "--out", str(out), *window, *more])
    made = sorted(set(out.glob("*")) - before)
    return code, made[0] if made else out


def records_of(path: Path) -> list[JournalRecord]:
    """Every whole record of a journal."""
    with path.open("rb") as stream:
        return [one.record for one in scan(stream, str(path)) if isinstance(one, Framed)]


def write_journal(path: Path, records: list[JournalRecord]) -> None:
    """A journal of these records, with right checksums."""
    encoder = FrameEncoder()
    path.write_bytes(FILE_HEADER + b"".join(bytes(encoder.encode(one)) for one in records))
