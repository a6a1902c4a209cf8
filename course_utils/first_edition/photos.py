"""Photos of a real data set: decode them, keep the decoded ones, record which archive was accepted.

No hash of the archive is published. So its structure and counts are checked, every photo is decoded
once, and the hash of what was accepted is recorded beside it, and holds from then on.
"""

import json
import math
import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np

from .formats import DataError, digest, entry_chunks, open_zip, reading, times
from .memory import remove

PHOTO_LIMIT = 5_000_000  # bytes of one photo
PIXEL_LIMIT = 16_000_000  # pixels of one photo


def record_path(variant):
    """Return where the hashes of accepted photo archives are recorded."""
    return variant.path / "accepted.json"


def accepted(variant):
    """SHA-256 of the photo archives that an import or a fetch has accepted.

    Returns
    -------
    list of str or None
        Empty if none is recorded; None for a data set with published hashes.
    """
    if variant.spec["format"] != "photos":
        return None
    try:
        found = json.loads(record_path(variant).read_text(encoding="utf-8"))["sha256"]
        return [sha for sha in found if isinstance(sha, str)]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return []


def read_archive(variant, target, size, memory, known=None, hashes=None):
    """Read the photos of an archive, from what an earlier run decoded if that is unharmed.

    Parameters
    ----------
    variant : downloads.Variant
    target : Path
        The zip file.
    size : int
        Height and width of the result.
    memory : memory.Memory
        What need not be verified again.
    known : str, optional
        SHA-256 of the archive, if it was verified before.
    hashes : list of str, optional
        SHA-256 of the archives that were accepted before; None accepts any of right structure.

    Returns
    -------
    dict of str to ndarray
        ``x_train``, ``y_train``, ``x_test``, ``y_test``, uint8, class after class.

    Raises
    ------
    DataError
        If it is not an accepted archive, or not one of photos as the manifest describes.
    """
    sha = known or digest(target)
    if hashes is not None and sha not in hashes:
        raise DataError(
            f"it has SHA-256 {sha}"
            if hashes
            else "no record of its acceptance is beside it: give it to `course data import`"
        )
    folders = variant.spec["train"] | variant.spec["test"]
    cache = memory.folder / ".cache" / f"{variant.key}-{size}-{sha[:16]}.npy"
    images = _read_cache(cache, (sum(folders.values()), size, size, 3), memory)
    if images is None:
        images = read_photos(target, folders, size)
        _write_cache(cache, images, memory)
    train = sum(variant.spec["train"].values())
    return {
        "x_train": images[:train],
        "y_train": _folder_labels(variant.spec["train"]),
        "x_test": images[train:],
        "y_test": _folder_labels(variant.spec["test"]),
    }


def _folder_labels(folders):
    return np.repeat(np.arange(len(folders), dtype=np.uint8), list(folders.values()))


def _read_cache(cache, shape, memory):
    try:
        if not memory.recall(cache):
            return None
        images = np.load(cache, allow_pickle=False)
    except (OSError, ValueError):
        return None
    return images if (images.shape, images.dtype) == (shape, np.uint8) else None


def _write_cache(cache, images, memory):
    # A convenience: a full disk, or a folder that may not be written, must not end a run.
    partial = cache.with_name(f"{cache.stem}-{os.getpid()}.part")
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            np.save(file, images, allow_pickle=False)
        os.replace(partial, cache)
        memory.keep(cache)
        for old in cache.parent.glob(f"{cache.name.rsplit('-', 1)[0]}-*.npy"):
            if old != cache:  # of an archive that is no longer there
                remove(old)
    except (OSError, DataError):
        remove(partial)


def photo_paths(entries, folders):
    """Paths of the photos of a zip file, folder by folder, in the order of their numbers.

    Parameters
    ----------
    entries : dict of str to zipfile.ZipInfo
        As `open_zip` gives them.
    folders : dict of str to int
        How many photos each folder must hold.

    Returns
    -------
    dict of str to list of str

    Raises
    ------
    DataError
        If a folder holds more or fewer.
    """
    found = {}
    for folder, count in folders.items():
        paths = [
            path
            for path in entries
            if path.startswith(f"{folder}/") and path.lower().endswith((".jpg", ".jpeg"))
        ]
        if len(paths) != count:
            raise DataError(f"its folder {folder} holds {len(paths):,} photos, expected {count:,}")
        found[folder] = sorted(paths, key=lambda path: (len(path), path))
    return found


def read_photos(path, folders, size):
    """Decode the photos of a zip file.

    Parameters
    ----------
    path : path-like
    folders : dict of str to int
        How many photos each folder must hold.
    size : int
        Height and width of the result; the sides of a photo are scaled separately.

    Returns
    -------
    ndarray of uint8, shape (n, size, size, 3)
        RGB, folder after folder in the order given.

    Raises
    ------
    DataError
        If a folder holds another number of photos, or a photo is damaged or far too large.
    """
    with open_zip(path) as (archive, entries):
        paths = [name for names in photo_paths(entries, folders).values() for name in names]
        images = np.empty((len(paths), size, size, 3), np.uint8)

        def decode(index):
            data = b"".join(entry_chunks(archive, entries[paths[index]], PHOTO_LIMIT))
            images[index] = _decode(data, size, paths[index])

        # Pillow decodes without holding Python's lock, so threads help.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(decode, range(len(paths))):
                pass
    return images


def _decode(data, size, name):
    from PIL import Image

    try:
        with reading(), Image.open(BytesIO(data), formats=["JPEG"]) as photo:
            if math.prod(photo.size) > PIXEL_LIMIT:
                raise DataError(f"it has {times(photo.size)} pixels")
            photo.draft("RGB", (size, size))  # a large photo is decoded at a fraction of its size
            return np.asarray(photo.convert("RGB").resize((size, size), Image.Resampling.BILINEAR))
    except DataError as error:
        raise DataError(f"its photo {name}: {error}") from error
