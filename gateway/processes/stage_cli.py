"""The command line of `cmc stage`; what it does is `stage_command.py`. It decides nothing."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any


def stage_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    add: Callable[..., argparse.ArgumentParser],
    site_argument: Callable[[argparse.ArgumentParser], Any],
) -> None:
    """Add it."""
    text = "Where the rollout stands and what is missing for the next stage; with STAGE, go there."
    stage = add(commands, "stage", text, _stage)
    stage.add_argument("word", nargs="?", default=None, metavar="STAGE", help="of the plan; without one: how it stands")
    site_argument(stage)
    stage.add_argument("--who", default="", help="the person who decides; goes on record")
    stage.add_argument("--reason", default="", help="goes on record")
    stage.add_argument("--key", type=Path, default=None, metavar="FILE", help="the approver's private key, to go up")
    stage.add_argument("--json", action="store_true", help="how it stands as one JSON document")


def _stage(parsed: argparse.Namespace) -> int:
    from gateway.processes import stage_command  # noqa: PLC0415 a command loads what it needs

    return stage_command.run(parsed)
