"""`python -m gateway.journal.to_parquet RUN`: every closed segment of a run's record as Parquet.

The recorder starts it when a segment is closed, when it starts itself (for segments that a kill left) and when it ends.
It steps back behind everything else on the machine, and leaves alone what is being written.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.journal.frame import CorruptJournalError
from gateway.journal.parquet import NoParquetError, NotConvertedError, convert
from gateway.journal.record_files import segments_of
from gateway.journal.site_facts import SiteFactsError, read_site_facts

LEAST_URGENT = 19
SUCCESS, FAILED, WRONG_CALL = 0, 1, 2


def convert_run(run_dir: Path) -> int:
    """Convert what is closed; 0 when all went well, 1 where a segment could not be, 2 without pyarrow or a run."""
    worst = SUCCESS
    try:
        ticks = read_site_facts(run_dir).ticks
        for segment in segments_of(run_dir):
            try:
                convert(segment, ticks)
            except (CorruptJournalError, NotConvertedError, OSError) as error:
                sys.stderr.write(f"{segment.log}: not converted: {error}\n")
                worst = FAILED
    except (NoParquetError, SiteFactsError) as error:
        sys.stderr.write(f"{run_dir}: the record stays as logs: {error}\n")
        return WRONG_CALL
    return worst


def main(argv: Sequence[str] | None = None) -> int:
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m gateway.journal.to_parquet", description=__doc__)
    parser.add_argument("run", type=Path, help="the directory of a run")
    run_dir: Path = parser.parse_args(argv).run
    os.nice(LEAST_URGENT)
    return convert_run(run_dir)


if __name__ == "__main__":
    sys.exit(main())
