"""Remember which files were verified, so that loading a data set need not verify them each time."""

import json
import os
import tempfile
import time
from pathlib import Path

from .formats import digest

TICK = 2_000_000_000  # nanoseconds: the coarsest clock of a file system that is in use
STAGING = ".incoming-"  # folders of files on their way in begin with this


class Memory:
    """Which files of a folder were verified: their sizes, times and hashes.

    Parameters
    ----------
    folder : Path
        The folder of downloads.
    trust : bool, default True
        Whether to recall what was written down; if not, everything is verified anew.
    """

    def __init__(self, folder, trust=True):
        self.folder = folder
        self.path = folder / ".verified.json"
        self.trust = trust
        self.changed = False
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            found = {}
        self.entries = found if isinstance(found, dict) else {}

    def recall(self, file):
        """SHA-256 of a file that was verified and has not changed since; else None."""
        entry = self.entries.get(self._key(file))
        if not (self.trust and isinstance(entry, dict) and file.is_file()):
            return None
        now = file.stat()
        try:
            same = (entry["size"], entry["mtime_ns"]) == (now.st_size, now.st_mtime_ns)
            settled = entry["checked_ns"] - now.st_mtime_ns > TICK
            sha = str(entry["sha256"])
        except (KeyError, TypeError):
            return None
        # A file that changes twice within a tick of the clock keeps its time: then the hash tells.
        if same and settled:
            return sha
        if digest(file) != sha:
            return None
        self.keep(file, sha)
        return sha

    def keep(self, file, sha=None):
        """Remember that a file is right."""
        now = file.stat()
        self.entries[self._key(file)] = {
            "size": now.st_size,
            "mtime_ns": now.st_mtime_ns,
            "checked_ns": time.time_ns(),
            "sha256": sha or digest(file),
        }
        self.changed = True

    def forget(self, file):
        """Remember no longer that a file is right: it turned out not to be."""
        self.changed |= self.entries.pop(self._key(file), None) is not None

    def save(self):
        """Write it down, if the folder allows it: what is forgotten is only verified again."""
        if self.changed:
            there = {
                key: entry
                for key, entry in self.entries.items()
                if (self.folder / key).is_file() and not key.startswith(STAGING)
            }
            try:
                write_json(self.path, there)
            except OSError:
                return
            self.changed = False

    def _key(self, file):
        return file.relative_to(self.folder).as_posix()


def write_json(path, value):
    """Write a JSON file so that it is there whole or not at all.

    Parameters
    ----------
    path : Path
    value : object

    Raises
    ------
    OSError
        If it cannot be written; what was there before stays.
    """
    handle, partial = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(partial, 0o644)  # a room full of accounts may read one folder
        os.replace(partial, path)
    except BaseException:
        remove(Path(partial))
        raise


def remove(path):
    """Remove a file that nobody needs, if that is possible."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
