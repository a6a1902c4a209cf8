"""Draw the bundled stand-ins for the photographic data sets: clothes and pets.

Image ``i`` of a data set depends only on the seed and on ``i``: ten images are the first ten of
a hundred. The pictures are computed from formulas in double precision and then rounded to few
levels, so that a fresh drawing equals the shipped one on every platform.
"""

import io
import os
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from . import drawing_clothes, drawing_pets
from .choices import one_of
from .drawing_shapes import Dice

CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
PETS = ("cat", "dog")


class Bundle(NamedTuple):
    """A shipped drawing: how many images, from which seed, in which file of ``data/``."""

    n: int
    seed: int
    file: str


BUNDLED = {
    "clothes": Bundle(6000, 2024, "clothes.npz"),
    "pets": Bundle(1200, 2024, "pets.zip"),
}

# What a file that is cut off, changed or something else altogether makes the readers raise.
_UNREADABLE = (
    ValueError,
    KeyError,
    IndexError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)

# Streams of one seed: the order of the labels, and the pictures, of each data set.
_CLOTHES_LABELS, _CLOTHES_IMAGES, _PETS_LABELS, _PETS_IMAGES = range(4)


def draw_clothes(n, seed, start=0):
    """Draw garments in the ten classes of Fashion-MNIST.

    Parameters
    ----------
    n : int
        How many images, at least 1.
    seed : int
        At least 0. The same seed gives the same images everywhere.
    start : int
        Number of the first image: ``draw_clothes(5, 0, start=10)`` are images 10 to 14.

    Returns
    -------
    images : uint8 array (n, 28, 28, 1)
    labels : int64 array (n,)
        Positions in `CLOTHES`; every ten images from a multiple of ten on hold each class once.

    Raises
    ------
    ValueError
        If `n`, `seed` or `start` is not a whole number or is too small.
    """
    size = drawing_clothes.SIZE
    streams = (_CLOTHES_LABELS, _CLOTHES_IMAGES)
    return _drawn(drawing_clothes.garment, (size, size, 1), len(CLOTHES), streams, n, seed, start)


def draw_pets(n, seed, start=0):
    """Draw cats and dogs.

    Parameters
    ----------
    n : int
        How many images, at least 1.
    seed : int
        At least 0. The same seed gives the same images everywhere.
    start : int
        Number of the first image: ``draw_pets(5, 0, start=10)`` are images 10 to 14.

    Returns
    -------
    images : uint8 array (n, 150, 150, 3)
        Red, green, blue.
    labels : int64 array (n,)
        Positions in `PETS`; every two images from an even number on are a cat and a dog.

    Raises
    ------
    ValueError
        If `n`, `seed` or `start` is not a whole number or is too small.
    """
    size, streams = drawing_pets.SIZE, (_PETS_LABELS, _PETS_IMAGES)
    return _drawn(drawing_pets.pet, (size, size, 3), len(PETS), streams, n, seed, start)


def write_bundled(folder):
    """Draw both bundled data sets and write them into `folder`, each in one step or not at all.

    Parameters
    ----------
    folder : path
        Made when it is not there.

    Returns
    -------
    list of Path
        The files written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):  # refused now, and not after ten seconds of drawing
        pass
    written = []
    for name, draw, pack in (
        ("clothes", draw_clothes, _pack_arrays),
        ("pets", draw_pets, _pack_pictures),
    ):
        bundle = BUNDLED[name]
        written.append(_write_whole(folder / bundle.file, pack(*draw(bundle.n, bundle.seed))))
    return written


def read_bundled(name, folder):
    """Read a bundled data set as `write_bundled` wrote it.

    Parameters
    ----------
    name : {"clothes", "pets"}
    folder : path
        Where the files are, usually ``data/``.

    Returns
    -------
    images : uint8 array (n, height, width, channels)
    labels : int64 array (n,)

    Raises
    ------
    ValueError
        If there is no bundled drawing of that name, or the file is not one.
    FileNotFoundError
        If the file is missing.
    """
    one_of("name", name, BUNDLED)
    path = Path(folder) / BUNDLED[name].file
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: `course data draw` draws it again")
    try:
        images, labels = (_unpack_arrays if name == "clothes" else _unpack_pictures)(path)
        _hold(name, images, labels)
    except _UNREADABLE as error:
        raise ValueError(
            f"{path} is not the bundled drawing of {name} ({error}): "
            "`course data draw` draws it again"
        ) from error
    return images, labels


def _hold(name, images, labels):
    """Raise ValueError unless the arrays are what the bundle of that name holds."""
    n = BUNDLED[name].n
    size, classes = (28, CLOTHES) if name == "clothes" else (150, PETS)
    shape = (n, size, size, 1 if name == "clothes" else 3)
    if images.shape != shape or images.dtype != np.uint8:
        raise ValueError(f"images are {images.dtype} {images.shape} instead of uint8 {shape}")
    if labels.shape != (n,) or not ((labels >= 0) & (labels < len(classes))).all():
        raise ValueError(f"labels are not {n} numbers from 0 to {len(classes) - 1}")


def _drawn(picture, shape, classes, streams, n, seed, start):
    """Return images start … start+n−1, and their labels; `streams` are those of labels, images."""
    n, seed, start = _checked(n, seed, start)
    labels = _labels(n, seed, start, classes, streams[0])
    images = np.empty((n, *shape), np.uint8)
    for k, label in enumerate(labels):
        images[k] = picture(Dice(seed, streams[1], start + k), int(label))
    return images, labels


def _checked(n, seed, start):
    """Return the three as plain ints, or say which one is wrong."""
    limits = {"n": (n, 1), "seed": (seed, 0), "start": (start, 0)}
    for argument, (value, least) in limits.items():
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or value < least:
            raise ValueError(
                f"{argument} must be a whole number of at least {least}: got {value!r}"
            )
    return int(n), int(seed), int(start)


def _labels(n, seed, start, classes, stream):
    """Return labels start … start+n−1: each block of `classes` images holds each class once."""
    first, last = start // classes, (start + n - 1) // classes
    blocks = [Dice(seed, stream, block).order(classes) for block in range(first, last + 1)]
    skip = start - first * classes
    return np.concatenate(blocks)[skip : skip + n].astype(np.int64)


def _pack_arrays(images, labels):
    """Return the bytes of a compressed npz."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=images, labels=labels.astype(np.uint8))
    return buffer.getvalue()


def _unpack_arrays(path):
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["images"], arrays["labels"].astype(np.int64)


def _pack_pictures(images, labels):
    """Return the bytes of a zip of lossless WebP files: ``0000.cat.webp`` and so on."""
    from PIL import Image

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for k, (image, label) in enumerate(zip(images, labels, strict=True)):
            picture = io.BytesIO()
            Image.fromarray(image).save(picture, "WEBP", lossless=True, quality=100)
            # A fixed date: the same pictures give the same archive.
            entry = zipfile.ZipInfo(f"{k:04d}.{PETS[label]}.webp", (2024, 1, 1, 0, 0, 0))
            archive.writestr(entry, picture.getvalue())
    return buffer.getvalue()


def _unpack_pictures(path):
    from PIL import Image

    with zipfile.ZipFile(path) as archive:
        names = sorted(archive.namelist())
        labels = np.array([PETS.index(name.split(".")[1]) for name in names], np.int64)
        images = [Image.open(io.BytesIO(archive.read(name))) for name in names]
        return np.stack([np.asarray(image.convert("RGB")) for image in images]), labels


def _write_whole(path, content):
    """Write bytes to a file beside `path`, then put it in place: never half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)  # mkstemp's own mode would hide it from the other users
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path
