"""The folder that ``course run`` writes: one writer at a time, whole files, nothing of yours lost.

``state.json`` holds how each notebook came out, what that result depends on (a key: ``--resume``
skips what has the same one), and the hash of each file written. A file that has another hash was
changed by somebody since, and is kept under another name.
"""

import contextlib
import hashlib
import json
import os
import platform
import shutil
import tempfile
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from . import ROOT, Problem
from .execute import Result

PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "scikit-learn", "matplotlib")


class Store:
    """The folder `out`, locked while this is open (a context manager).

    Raises
    ------
    Problem
        On entry, if `out` holds the course's own files, or another ``course run`` is writing to it.
    """

    def __init__(self, out):
        self.out = out.resolve()
        self._named = out

    def __enter__(self):
        for mine in ("notebooks", "course_utils", "tests", "data"):
            folder = ROOT / mine
            if self.out in (folder, *folder.parents) or folder in self.out.parents:
                raise Problem(f"--out must not be a folder of the course itself: got {self._named}")
        self.out.mkdir(parents=True, exist_ok=True)
        self._lock = open(self.out / ".lock", "a+", encoding="utf-8")  # noqa: SIM115
        try:
            _lock(self._lock)
        except OSError as error:
            self._lock.seek(0)
            pid = self._lock.read().strip() or "unknown"
            self._lock.close()
            raise Problem(
                f"another course run (pid {pid}) is writing to {self._named}: "
                "wait for it, or choose another folder with --out"
            ) from error
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        for left in self.out.glob(".running-*"):
            shutil.rmtree(left, ignore_errors=True)
        self.running = Path(tempfile.mkdtemp(dir=self.out, prefix=".running-"))
        self.scratch = Path(tempfile.mkdtemp(prefix="course-run-"))
        self._state = _read(self.out)
        self.kept = []
        return self

    def __exit__(self, *exception):
        shutil.rmtree(self.running, ignore_errors=True)
        shutil.rmtree(self.scratch, ignore_errors=True)
        self._lock.close()

    def finished(self, name, key):
        """Return the `Result` of an earlier run that `key` says is still good, or None."""
        found = self._state["notebooks"].get(name, {})
        files = (f"executed/{name}.ipynb", f"html/{name}.html")
        if found.get("key") != key or not all((self.out / file).is_file() for file in files):
            return None
        result = Result(**found["result"])
        return result if result.status == "ok" else None

    def results(self):
        """Return (name, Result, whether its run made a page) of every notebook, by name."""
        notebooks = sorted(self._state["notebooks"].items())
        return [(name, Result(**found["result"]), found["page"]) for name, found in notebooks]

    def add(self, name, key, result):
        """Put the files of a notebook that was executed in their place, and note its result."""
        page = (self.running / f"{name}.html").is_file()
        for folder, kind in (("executed", "ipynb"), ("html", "html")):
            made = self.running / f"{name}.{kind}"
            if made.is_file():
                self._place(made, f"{folder}/{name}.{kind}")
        self._state["notebooks"][name] = {"key": key, "result": asdict(result), "page": page}
        self._save()

    def write(self, name, text):
        """Write a file of text, such as ``index.html``."""
        made = self.running / name
        made.write_text(text, encoding="utf-8")
        self._place(made, name)
        self._save()

    def _place(self, made, name):
        target = self.out / name
        target.parent.mkdir(exist_ok=True)
        if target.is_file() and _digest(target) != self._state["files"].get(name):
            spare = _spare(target)
            os.replace(target, spare)
            self.kept.append((target, spare))
        self._state["files"][name] = _digest(made)
        os.replace(made, target)

    def _save(self):
        made = self.running / "state.json"
        made.write_text(json.dumps(self._state, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(made, self.out / "state.json")


def recorded(out):
    """Return how each notebook came out when it was last executed into `out`: name to `Result`."""
    return {name: Result(**found["result"]) for name, found in _read(out)["notebooks"].items()}


def _read(out):
    try:
        state = json.loads((out / "state.json").read_text(encoding="utf-8"))
        if isinstance(state["notebooks"], dict) and isinstance(state["files"], dict):
            return state
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass
    return {"notebooks": {}, "files": {}}


def key(notebook, profile, data):
    """Return a hash of everything that the result of a notebook depends on.

    That is: its sources, the package, the profile, the data that are there (by size and time), and
    the versions of Python and of the libraries that compute.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8")).get("cells", [])
    parts = [
        json.dumps([(cell.get("cell_type"), cell.get("source")) for cell in cells]),
        profile,
        data,
        platform.python_version(),
        *(_version(package) for package in PACKAGES),
        *_package(),
    ]
    folders = {ROOT / "data", Path(os.environ.get("COURSE_DATA_DIR") or ROOT / "data/downloads")}
    for path in sorted(p for folder in folders for p in folder.rglob("*") if p.is_file()):
        facts = path.stat()
        parts.append(f"{path} {facts.st_size} {facts.st_mtime_ns}")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _package():
    files = sorted((ROOT / "course_utils").rglob("*"))
    return (_digest(f) for f in files if f.suffix in (".py", ".mplstyle", ".css"))


def _version(package):
    with contextlib.suppress(PackageNotFoundError):
        return version(package)
    return "not installed"


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _spare(path):
    number = 1
    while (spare := path.with_name(f"{path.stem}.yours-{number}{path.suffix}")).exists():
        number += 1
    return spare


def _lock(file):
    """Take an exclusive lock that the system drops with the process, or raise `OSError` at once."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        # Beyond the end, so that the process number at the start stays readable to others.
        file.seek(1 << 20)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
