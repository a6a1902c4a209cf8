"""``course doctor``: ten lines that say whether this machine can run the course."""

import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from . import ROOT

OK, WARN, FAIL = "ok", "warn", "FAIL"
MEMORY = 4e9  # bytes; a kernel peaks at 2 GB, JupyterLab and a browser want the rest
DISK = 2e9  # bytes, for downloads, executed notebooks and pages


def add_arguments(parser):
    """Declare the options of ``course doctor``: none."""


def run(options):
    """Print the checks; return 1 if one of them says that the course cannot run here."""
    verdicts = []
    for name, check in CHECKS.items():
        try:
            verdict, text = check()
        except Exception as error:
            verdict, text = FAIL, f"the check itself failed: {type(error).__name__}: {error}"
        print(f"{verdict:<4}  {name:<11}  {text}", flush=True)
        verdicts.append(verdict)
    print(
        "This machine cannot run the course yet: mend the lines marked FAIL."
        if FAIL in verdicts
        else "This machine can run the course."
    )
    return 1 if FAIL in verdicts else 0


def _pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _python():
    from packaging.specifiers import SpecifierSet

    needed = _pyproject()["requires-python"]
    text = f"{platform.python_version()} in {sys.prefix}"
    if platform.python_version() in SpecifierSet(needed):
        return OK, text
    return FAIL, f"{text}: the course needs {needed}; make PYTHON=python3.12 install"


def _system():
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    text = f"{platform.system()} {platform.machine()}, {cores} cores"
    if platform.system() == "Darwin" and platform.machine() == "x86_64":
        return WARN, f"{text}: TensorFlow is no longer made for Macs with Intel processors"
    if cores < 2:
        return WARN, f"{text}: with one core each notebook takes about twice its measured time"
    return OK, text


def _memory():
    import psutil

    memory = psutil.virtual_memory()
    text = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB free"
    if memory.available < MEMORY:
        return WARN, f"{text}: close other programs; {MEMORY / 1e9:.0f} GB free is comfortable"
    return OK, text


def _disk():
    free = shutil.disk_usage(ROOT).free
    text = f"{free / 1e9:.1f} GB free"
    if free < DISK:
        return WARN, f"{text}: executed notebooks and real data want {DISK / 1e9:.0f} GB"
    return OK, text


def _packages():
    from packaging.requirements import Requirement

    wrong = []
    needed = [Requirement(text) for text in _pyproject()["dependencies"]]
    for requirement in needed:
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement.name} is {found}, needs {requirement.specifier}")
    if wrong:
        return FAIL, "; ".join(wrong) + ": make install, or pip install -e ."
    return OK, f"all {len(needed)} within pyproject.toml's bounds"


def _tensorflow():
    begin = time.perf_counter()
    code = (
        "import tensorflow as tf; "
        "print(tf.__version__, len(tf.config.list_physical_devices('GPU')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return FAIL, f"cannot be imported: {lines[-1]}"
    found, gpus = done.stdout.split()
    seconds = time.perf_counter() - begin
    text = f"{found}, imported in {seconds:.1f} s, {'no GPU' if gpus == '0' else gpus + ' GPU'}"
    if seconds > 30:
        return WARN, f"{text}: slow; python -m compileall .venv compiles it once"
    return OK, text


def _kernel():
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(
        kernel_name="python3",
        startup_timeout=60,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    try:
        reply = client.execute_interactive(
            "import sys; assert sys.prefix == " + repr(sys.prefix), silent=True, timeout=30
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if reply["content"]["status"] != "ok":
        return FAIL, "python3 is another environment's: python -m ipykernel install --sys-prefix"
    return OK, "starts, and is this environment's Python"


def _data():
    from course_utils import data

    found = [data.load(name) for name in ("digits", "clothes", "pets")]
    text = ", ".join(f"{dataset.name} {dataset.source}" for dataset in found)
    if any(dataset.source == "bundled" for dataset in found):
        return OK, f"{text}; the real images: course data fetch"
    return OK, text


def _writing():
    downloads = Path(os.environ.get("COURSE_DATA_DIR") or ROOT / "data/downloads")
    refused = []
    for folder in (ROOT / "build", downloads):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            refused.append(f"{folder} ({error.strerror})")
    if refused:
        return WARN, f"not in {', '.join(refused)}: use --out and COURSE_DATA_DIR"
    return OK, "build/ and the folder of downloads"


def _port():
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8888))
        except OSError:
            return OK, "8888 is in use; JupyterLab takes the next free one and says which"
    return OK, "8888 is free for JupyterLab"


CHECKS = {
    "Python": _python,
    "machine": _system,
    "memory": _memory,
    "disk": _disk,
    "packages": _packages,
    "TensorFlow": _tensorflow,
    "kernel": _kernel,
    "data": _data,
    "writing": _writing,
    "port": _port,
}
