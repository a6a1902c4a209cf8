"""Make the course's own environment, ``.venv``, with everything installed in it.

``make install`` runs this file with whatever Python the machine has, so it uses nothing but the
standard library, and no syntax that Python 3.8 cannot read. It is safe to interrupt: what was not
finished is made anew.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
UNFINISHED = VENV / "unfinished"
INSTALLED = VENV / "installed"


def unsuitable(version, requirement):
    """Return one sentence if a version of Python is outside of a requirement, else None.

    Parameters
    ----------
    version : sequence of int
        Such as ``(3, 11, 7)``.
    requirement : str
        Such as ``">=3.11,<3.14"``.
    """
    bounds = re.fullmatch(r">=(\d+)\.(\d+),<(\d+)\.(\d+)", requirement)
    major, lowest, next_major, above = map(int, bounds.groups())
    if (major, lowest) <= tuple(version[:2]) < (next_major, above):
        return None
    return (
        f"This is Python {version[0]}.{version[1]}; the course needs {major}.{lowest} to "
        f"{next_major}.{above - 1}, which TensorFlow is made for. Say which to use, for example: "
        f"make PYTHON=python{next_major}.{above - 2} run"
    )


def main():
    """Make ``.venv`` where it is missing or unfinished, and install the course into it.

    Returns
    -------
    int or str
        0, or one sentence that says what stopped it.
    """
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    requirement = re.search(r'requires-python\s*=\s*"([^"]+)"', text).group(1)
    complaint = unsuitable(sys.version_info, requirement)
    if complaint:
        return complaint
    if UNFINISHED.exists():
        shutil.rmtree(VENV)
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    try:
        VENV.mkdir(exist_ok=True)
        UNFINISHED.touch()
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        print("Installing the course into .venv: some minutes, about 2.5 GB.", flush=True)
        words = ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "-e", ".[dev]"]
        subprocess.run([str(python), *words], check=True, cwd=str(ROOT))
    except subprocess.CalledProcessError as error:
        if python.exists():
            # pip said no and took back what it had begun: what is there is whole, worth keeping.
            UNFINISHED.unlink()
        tool = "venv" if "venv" in error.cmd else "pip"
        return f"The install stopped: what {tool} says is above. Mend that, and run it again."
    except KeyboardInterrupt:
        return "The install was stopped; the same command begins it again."
    except OSError as error:
        return f"The install stopped: {error.strerror or error} ({error.filename})."
    INSTALLED.touch()
    UNFINISHED.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
