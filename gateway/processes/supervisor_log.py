"""What the supervisor says, to the terminal and, one JSON object a line, to `logs/supervisor.log` of the run.

The terminal of a foreground program is often gone when somebody asks why a process was started again; the file is not.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from gateway.journal.told import environment_language, said
from gateway.processes import clock


def out(text: str, language: str = "") -> None:
    """To standard output: what a command was asked for. Without a language, in the environment's."""
    print(said(text, language or environment_language()), flush=True)  # noqa: T201 a command line speaks


def say(text: str, language: str = "") -> None:
    """To standard error, with the time in UTC."""
    words = said(text, language or environment_language())
    print(f"{clock.utc_stamp(clock.utc_ns())} {words}", file=sys.stderr, flush=True)  # noqa: T201 a command line speaks


@contextmanager
def speaker(run_dir: Path, language: str = "") -> Iterator[Callable[[str], None]]:
    """A `say` that also keeps what it said in the run's folder, there in English."""
    path = run_dir / "logs" / "supervisor.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        log: Any = None

        def both(text: str) -> None:
            nonlocal log
            say(text, language)
            # Loaded at the first words, when the processes have been started: it takes longer than all else here.
            log = log or _log(file)
            # A full disk is told by whoever cannot do without it; this file can.
            with suppress(OSError):
                log.info(str(text), utc_ns=clock.utc_ns(), monotonic_ns=clock.monotonic_ns())

        yield both


def _log(file: TextIO) -> Any:  # noqa: ANN401 structlog's own word for a logger
    import structlog  # noqa: PLC0415 see above

    return structlog.wrap_logger(
        structlog.WriteLogger(file), processors=[structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
