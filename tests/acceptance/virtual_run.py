"""Runs made in virtual time by the product's trigger and execution, written as a run's folder: journal, truth, site.

A second of processor time makes some hundred pair trades. What is wrong with a run is put in where it happens: in the
venue, in the processing time, in the calibration of a clock.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.promise_gateway import Gateway
from benchmarks.promise_market import SECOND, Day, site_text
from benchmarks.promise_parameters import load
from benchmarks.promise_world import World
from gateway.journal.reader import journal_path
from gateway.journal.writer import JournalWriter
from gateway.model.record import Decision, JournalOpened
from gateway.processes.build_id import build_id
from gateway.processes.settings import load_site
from simulators.core.config import FaultSpec
from simulators.fix.truth_files import TruthFiles

UTC_NS = 1_780_000_000 * SECOND
SECONDS = 1500


class OneRefuses(World):
    """A world in which the domestic venue alone refuses orders."""

    def faults(self, name: str) -> tuple[FaultSpec, ...]:
        return super().faults(name) if name == self.domestic else ()


def make_run(
    folder: Path,
    *,
    seconds: int = SECONDS,
    seed: int = 5,
    reject: float = 0.0,
    slower: int = 1,
    clock_error_ms: int = 0,
    network: str = "shanghai-london",
) -> Path:
    """A run's folder. `reject` is the share that the domestic venue refuses; `slower` is how many times longer processing takes than was measured."""
    parameters = load().changed_to("market.reject_probability", reject)
    parameters = parameters.changed_to("market.once_per_opportunity", value=False)
    parameters = parameters.changed_to("gateway.processing_times", slower)
    parameters = parameters.changed_to("market.network_overseas", network)
    day = Day(parameters, seed, seconds)
    decisions: list[Decision] = []
    errors = {"LME": clock_error_ms * 1_000_000}
    world = OneRefuses(
        day, lambda made: Gateway(made, decided=decisions.append, clock_error_ns=errors), truth=True
    ).run()
    (folder / "profiles").mkdir(parents=True)
    for name, venue in world.venues.items():
        files = TruthFiles(folder / "truth" / name, messages=False)
        files.write(venue.drain_truth())
        for at_s in (0, seconds + 60):
            files.clock(at_s * SECOND, at_s * SECOND)
        files.close({})
        way = parameters.get("market", "network_domestic") if name == "SHFE" else network
        text = f'[venue]\nname = "{name}"\n[network]\nprofile = "{way}"\n'
        (folder / "profiles" / f"{name}.toml").write_text(text, encoding="utf-8")
    (folder / "site.toml").write_text(site_text(parameters), encoding="utf-8")
    digest = load_site(folder / "site.toml", {}).digest
    opened = JournalOpened("execution", 1, "virtual", f"boot-{folder.name}", 0, UTC_NS, "0.1.0", digest, build_id())
    writer = JournalWriter(
        journal_path(folder, "execution", 1),
        opened,
        fdatasync_interval_ns=SECOND,
        sync_before_send=False,
        min_free_bytes=0,
    )
    for decision in decisions:
        writer.append(decision)
    writer.close()
    return folder
