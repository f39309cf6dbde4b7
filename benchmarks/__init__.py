"""Measurements of the gateway, each beside a reference and the floors of the machine. Read docs/BENCHMARKS.md."""
