"""When each order first reached its venue, by the simulated venues' own record; on our monotonic clock."""

from pathlib import Path

from gateway.journal.truth import TRUTH_FOLDER, lines


def first_arrivals(run_dir: Path) -> dict[str, int]:
    """Give the time of the first line of each ClOrdID(11), over all venues of a run."""
    found: dict[str, int] = {}
    for path in sorted((run_dir / TRUTH_FOLDER).glob("*/orders.jsonl")):
        for line in lines(path):
            found.setdefault(str(line["cl_ord_id"]), int(line["at_ns"]))
    return found
