"""`cmc deliver`: the steps of a delivery, each a module that registers its own command line.

A step's module has `register(steps)`, which adds its parsers and sets their handlers; it imports what it needs only in
the handler, so that `cmc --help` stays quick. Add a step by adding its module here.
"""

import argparse
from importlib import import_module

STEPS = (
    "gateway.processes.deliver_assess",
    "gateway.processes.deliver_integrate",
    "gateway.processes.deliver_stress",
    "gateway.processes.deliver_grey",
    "gateway.processes.deliver_accept",
    "gateway.processes.deliver_keys",
)


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `deliver` with every step."""
    text = "The delivery of an installation: documents, checks, and the signed acceptance."
    deliver = commands.add_parser("deliver", help=text, description=text)
    steps = deliver.add_subparsers(dest="step", metavar="STEP", required=True)
    for name in STEPS:
        import_module(name).register(steps)
