"""The client of examples/quickfix_client.py with settings of its own, over TLS: the C++ engine as its file says."""

import argparse
import importlib.util
from pathlib import Path

import quickfix

EXAMPLE = Path(__file__).parents[2] / "examples/quickfix_client.py"


def main() -> None:
    """Until its order has ended."""
    words = argparse.ArgumentParser()
    words.add_argument("--settings", type=Path, required=True)
    for name, default in (("order", ""), ("pair", "CU-CA"), ("price", "-150")):
        words.add_argument(f"--{name}", default=default)
    given = words.parse_args()
    spec = importlib.util.spec_from_file_location("quickfix_client", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    client = example.Client(given)
    settings = quickfix.SessionSettings(str(given.settings))
    store, log = quickfix.FileStoreFactory(settings), quickfix.FileLogFactory(settings)
    initiator = quickfix.ThreadedSSLSocketInitiator(client, store, settings, log)
    initiator.start()
    client.ended.wait()
    initiator.stop()


if __name__ == "__main__":
    main()
