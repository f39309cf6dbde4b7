"""`held.json` of a run: execution was ended by the watch and stays down until a named person lets it return.

The watch writes it before it ends execution; the supervisor then starts no execution, and one that is started all the
same ends at once. `cmc arm` shows what stands in it and asks the watch to take it away.

What can go wrong: a file that cannot be read holds all the same. Whoever is in doubt keeps execution down.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gateway.processes.ids import write_durably

HELD_FILE = "held.json"


class Held(NamedTuple):
    """Why and since when execution is held, and what became of its orders."""

    cause: str
    figures: str
    utc_ns: int
    pulled: bool
    """Every order is known to have ended at its venue."""
    venues: Mapping[str, str]
    """What was done at each venue, in words."""

    def words(self) -> str:
        """For a person."""
        head = f"held by the watch: {self.cause}: {self.figures}"
        orders = "all orders are off the venues" if self.pulled else "NOT ALL ORDERS ARE KNOWN TO BE OFF THE VENUES"
        return "\n".join([head, f"  {orders}", *(f"  {venue}: {said}" for venue, said in self.venues.items())])


def is_held(run_dir: Path) -> bool:
    """Whether execution has to stay down."""
    return (run_dir / HELD_FILE).exists()


def write_held(run_dir: Path, held: Held) -> None:
    """Put it on the disk, whole."""
    run_dir.mkdir(parents=True, exist_ok=True)
    write_durably(run_dir / HELD_FILE, json.dumps(held._asdict(), indent=1, ensure_ascii=False) + "\n")


def read_held(run_dir: Path) -> Held | None:
    """What stands there; None when execution is not held."""
    try:
        content: dict[str, Any] = json.loads((run_dir / HELD_FILE).read_text(encoding="utf-8"))
        return Held(**content)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        return Held("unreadable", f"{run_dir / HELD_FILE}: {error}", 0, pulled=False, venues={})


def clear_held(run_dir: Path) -> None:
    """Execution may return."""
    (run_dir / HELD_FILE).unlink(missing_ok=True)
