"""What the figures were measured on: processor, cores, kernel, versions. A figure without its machine says nothing."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import zmq

PACKAGES = ("quickfix-tls", "quickfix", "pyzmq", "msgspec", "simplefix")


def processor() -> str:
    """The processor's name as the kernel gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def package_versions() -> dict[str, str]:
    """The versions of the packages that the figures depend on, those that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def describe() -> dict[str, object]:
    """The machine as the report's header and its JSON give it."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libzmq": zmq.zmq_version(),
        "load_before": round(os.getloadavg()[0], 2),
    } | package_versions()


def in_words(machine: dict[str, object]) -> str:
    """One line for the head of a table."""
    return ", ".join(f"{name} {value}" for name, value in machine.items())
