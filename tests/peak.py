"""The most memory that this process has held."""

from pathlib import Path

STATUS = Path("/proc/self/status")


def peak():
    """Return the largest resident set of this process in bytes; 0 where Linux does not tell.

    Not from getrusage, whose peak begins with the memory of whoever started the process.
    """
    text = STATUS.read_text(encoding="utf-8") if STATUS.exists() else "VmHWM: 0 kB"
    return 1024.0 * int(text.partition("VmHWM:")[2].split()[0])
