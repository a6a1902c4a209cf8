"""The real data sets on disk: which are there, and whether they are what they claim to be.

`data/manifest.json` lists every file with its hash. How they get there is
`fetching.py`'s business.
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

from . import formats, photos
from .choices import one_of
from .formats import DataError
from .memory import Memory

DATA = Path(__file__).parents[2] / "data"
SIZE = 150  # height and width of the photos unless another is asked for


class Variant(NamedTuple):
    """One form of a real data set, as the manifest lists it: the whole of it, or a sample."""

    name: str
    key: str
    spec: dict

    @property
    def title(self):
        """What people call it."""
        return self.spec["title"]

    @property
    def path(self):
        """The folder that holds its files."""
        return folder() / self.key

    @property
    def there(self):
        """Whether any of its files is there, right or not."""
        return any(os.path.lexists(self.path / file) for file in self.spec["files"])

    def shape(self, array):
        """Shape of one of its arrays."""
        return tuple(self.spec["arrays"][array]["shape"])


class Status(NamedTuple):
    """What `verify` found. `problem` is empty when all is well; `size` is in bytes."""

    name: str
    title: str
    path: Path
    size: int
    problem: str


def folder():
    """Return the folder of downloads: ``COURSE_DATA_DIR`` or the checkout's ``data/downloads``."""
    path = Path(os.environ.get("COURSE_DATA_DIR") or DATA / "downloads").expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise DataError(f"COURSE_DATA_DIR must name a folder: {path} is a file")
    return path


def manifest():
    """Return what ``data/manifest.json`` says: a dict by data set."""
    return json.loads((DATA / "manifest.json").read_text(encoding="utf-8"))


def variants(name):
    """Return the forms of a real data set, the whole one first.

    Parameters
    ----------
    name : {"digits", "clothes", "pets", "pretrained"}

    Returns
    -------
    list of Variant
    """
    listed = manifest()
    one_of("name", name, listed)
    return [Variant(name, key, spec) for key, spec in listed[name]["real"].items()]


def find(name):
    """Return the form of a real data set that is there, the whole one before a sample.

    Returns
    -------
    Variant or None
        It may still turn out to be damaged: `read` says so.
    """
    return next((variant for variant in variants(name) if variant.there), None)


def read(variant, size=SIZE):
    """Read a real data set from the folder of downloads.

    Files that were verified and have not changed since (same size and time) are not verified again;
    `verify` always does.

    Parameters
    ----------
    variant : Variant
    size : int, default 150
        Height and width of photos; of no effect for the others.

    Returns
    -------
    dict of str to ndarray
        ``x_train``, ``y_train``, ``x_test``, ``y_test``, uint8, as they are in the files.

    Raises
    ------
    DataError
        If a file is missing, damaged, or not what it claims to be.
    """
    try:
        return read_files(variant, variant.path, size, Memory(folder()), photos.accepted(variant))
    except DataError as error:
        raise DataError(
            f"{error}; `course data verify` checks everything, "
            f"`course data fetch {variant.name}` gets it anew"
        ) from error


def verify(name):
    """Read and hash again all that is there of one real data set.

    Returns
    -------
    list of Status
        One a form; empty if there is nothing.
    """
    found = []
    for variant in filter(lambda variant: variant.there, variants(name)):
        problem = ""
        try:
            memory = Memory(folder(), trust=False)
            read_files(variant, variant.path, SIZE, memory, photos.accepted(variant))
        except DataError as error:
            problem = str(error)
        files = [variant.path / file for file in variant.spec["files"]]
        size = sum(file.stat().st_size for file in files if file.is_file())
        found.append(Status(name, variant.title, variant.path, size, problem))
    return found


def read_files(variant, path, size, memory, hashes=None, origins=None):
    """Read and check the files of one form of a data set, wherever they are.

    Parameters
    ----------
    variant : Variant
    path : Path
        The folder that holds them.
    size : int
        Height and width of photos.
    memory : Memory
        What need not be verified again.
    hashes : list of str, optional
        SHA-256 of the photo archives accepted before; None accepts any of right structure.
    origins : dict of str to str, optional
        What the sentences call each file, if not by its path.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    DataError
        Naming the file, what is wrong with it, and what was expected.
    """
    arrays = {}
    for file, spec in variant.spec["files"].items():
        target = path / file
        try:
            known = memory.recall(target)
            if variant.spec["format"] == "photos":
                arrays |= photos.read_archive(variant, target, size, memory, known, hashes)
            elif variant.spec["format"] == "npz":
                shapes = {array: variant.shape(array) for array in variant.spec["arrays"]}
                arrays |= _proved(variant, formats.read_npz(target, shapes), known)
            elif variant.spec["format"] == "weights":
                if not known and formats.digest(target, "md5") != spec["md5"]:
                    raise DataError(f"it has MD5 {formats.digest(target, 'md5')}")
            else:
                found = formats.read_idx(target, [variant.shape(spec["array"])])
                arrays |= _proved(variant, {spec["array"]: found}, known)
                if "md5" in spec and not known and formats.digest(target, "md5") != spec["md5"]:
                    raise DataError(f"it has MD5 {formats.digest(target, 'md5')}")
            if not known:
                memory.keep(target)
        except (DataError, OSError) as error:
            memory.forget(target)
            memory.save()
            shown = (origins or {}).get(file, target)
            expected = _expected(variant, file, hashes)
            raise DataError(f"{shown} is refused: {error}; expected {expected}") from error
    memory.save()
    return arrays


def _proved(variant, arrays, known):
    """Return the arrays if their labels and hashes are right; known ones are not checked again."""
    if known:
        return arrays
    classes = len(manifest()[variant.name]["classes"])
    for array, values in arrays.items():
        wanted = variant.spec["arrays"][array].get("sha256")
        if array.startswith("y"):
            formats.check_labels(values, classes, f"its labels {array}")
        if wanted and wanted != formats.array_digest(values):
            raise DataError(f"its {array} has SHA-256 {formats.array_digest(values)}, not {wanted}")
    return arrays


def _expected(variant, file, hashes):
    spec = variant.spec["files"][file]
    if "sha256" in spec:
        return f"SHA-256 {spec['sha256']}, or another copy of {variant.title}'s arrays"
    if "md5" in spec:
        return f"{variant.title} with MD5 {spec['md5']}"
    if variant.spec["format"] == "idx":
        wanted = variant.spec["arrays"][spec["array"]]["sha256"]
        return f"{variant.title}, values with SHA-256 {wanted}"
    if hashes:
        return f"SHA-256 {' or '.join(hashes)}, recorded when it was accepted"
    counts = [*variant.spec["train"].values(), *variant.spec["test"].values()]
    return f"{variant.title}, {sum(counts):,} photos in {len(counts)} folders"
