"""What a journal and a report have to say of the machine that they were made on: host, boot, cores, kernel, versions.

Nothing here decides anything. A figure that cannot be had reads "unknown", because a report without it is still one.
"""

import os
import platform
import socket
from pathlib import Path

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
CPUINFO = Path("/proc/cpuinfo")
UNKNOWN = "unknown"


def host() -> str:
    """This host's name."""
    return socket.gethostname()


def boot_id() -> str:
    """The kernel's id of this boot; two times on CLOCK_MONOTONIC are comparable only within one."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return UNKNOWN


def version(package: str = "cross-market-connect") -> str:
    """The installed version of `package`."""
    from importlib import metadata  # noqa: PLC0415 it loads a parser of mail

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return UNKNOWN


def describe() -> dict[str, str | int]:
    """The machine in a few words, for reports."""
    return {
        "host": host(),
        "boot_id": boot_id(),
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
        "memory_mb": psutil.virtual_memory().total // 2**20,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "product": version(),
        "quickfix": version("quickfix-tls") if version("quickfix-tls") != UNKNOWN else version("quickfix"),
    }


def _cpu() -> str:
    try:
        for line in CPUINFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine() or UNKNOWN
