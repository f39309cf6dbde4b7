"""Venue simulators: an independent other side. `core` is pure and runs in virtual time, `fix` puts FIX around it."""


def main(argv: list[str] | None = None) -> int:
    """Run one venue: `python -m simulators PROFILE`, `cmc simulate PROFILE`."""
    # Here, because a virtual-time test that imports simulators.core needs neither sockets nor pydantic.
    from simulators.cli import main as run_main  # noqa: PLC0415

    return run_main(argv)
