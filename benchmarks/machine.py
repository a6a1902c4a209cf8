"""What a measurement was made on: a time means nothing without it."""

import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import psutil


def processor():
    """Name of the processor, as the operating system gives it."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores():
    """Physical cores that this process may use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(allowed, psutil.cpu_count(logical=False) or allowed)


def describe(*packages):
    """Return one line: date, processor, cores, memory, system, Python and versions of packages."""
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{date.today()}: {processor()}, {cores()} cores, {memory:.0f} GiB, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {versions}"
    )
