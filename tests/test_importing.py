"""Every form in which people have the data is taken; what is harmed is refused in one sentence."""

import errno
import gzip
import http.server
import json
import os
import pickle
import struct
import threading
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from PIL import Image

from course_utils import data, importing

REAL = Path(__file__).parents[2] / "shared" / "data"
RANDOM = np.random.RandomState(0)
X, Y = RANDOM.randint(0, 256, (200, 28, 28), np.uint8), np.arange(200, dtype=np.uint8) % 10
X2, Y2 = X[:50] // 2, Y[:50]
ARRAYS = {"x_train": X, "y_train": Y, "x_test": X2, "y_test": Y2}
IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
IDX += tuple(name.replace("train", "t10k") for name in IDX)


@pytest.fixture
def given(tmp_path, monkeypatch):
    """A folder to import from, beside an empty store."""
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "store"))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    (tmp_path / "given").mkdir()
    return tmp_path / "given"


def put(folder, files):
    """Write files (name: bytes) into a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def zipped(files):
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def csv(images, labels, head=True):
    names = ",".join(["label", *(f"pixel{k}" for k in range(784))])
    rows = [",".join(map(str, [y, *x.ravel()])) for x, y in zip(images, labels, strict=True)]
    return "\n".join([names] * head + rows).encode()


def picture(image, kind="PNG", **options):
    buffer = BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(
        buffer, kind, **options
    )
    return buffer.getvalue()


def photo(red=128, kind="JPEG", mode="RGB", size=(60, 40)):
    return picture(Image.new("RGB", size, (red, 90, 30)).convert(mode), kind)


def npz(arrays):
    buffer = BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


IDX_FILES = dict(zip(IDX, map(idx, (X, Y, X2, Y2)), strict=True))
PACKED = {f"{name}.gz": gzip.compress(content) for name, content in IDX_FILES.items()}
PNGS = {f"{Y[k]}/{k}.png": picture(X[k]) for k in range(200)}
FLAT = {f"{kind}.{k}.jpg": photo(7 * k) for kind in ("cat", "dog") for k in range(30)}
FOLDERS = {f"{name[:3]}s/{name}": content for name, content in FLAT.items()}
PARTS = {
    f"{part}/{name}": content
    for part in ("train", "validation")
    for name, content in FOLDERS.items()
}

TAKEN = {
    "idx": ("digits", (160, 40, 50), {f"MNIST/raw/{n}": c for n, c in IDX_FILES.items()}),
    "idx gz": ("clothes", (160, 40, 50), {f"fashion/{n}": c for n, c in PACKED.items()}),
    "idx both": (
        "clothes",
        (160, 40, 50),
        {f"FashionMNIST/raw/{n}": c for n, c in {**PACKED, **IDX_FILES}.items()},
    ),
    "idx renamed": (
        "digits",
        (160, 40, 50),
        {f"digits/{n}": c for n, c in zip("abcd", PACKED.values())},
    ),
    "idx zip": (
        "digits",
        (160, 40, 50),
        {"mnist.zip": zipped({**{f"{n}/{n}": c for n, c in IDX_FILES.items()}, **IDX_FILES})},
    ),
    "csv": ("digits", (160, 40, 50), {"mnist_train.csv": csv(X, Y), "mnist_test.csv": csv(X2, Y2)}),
    "csv bare": (
        "clothes",
        (160, 40, 50),
        {
            "f/fashion-mnist_train.csv": csv(X, Y, False),
            "f/fashion-mnist_test.csv": csv(X2, Y2, False),
        },
    ),
    "csv alone": ("digits", (128, 32, 40), {"digit-recognizer/train.csv": csv(X, Y)}),
    "csv kaggle": (
        "digits",
        (128, 32, 40),
        {
            "digit-recognizer.zip": zipped(
                {
                    "train.csv": csv(X, Y),
                    "test.csv": csv(X2, Y2).replace(b"label,", b"")[:0]
                    + b"\n".join(line.split(b",", 1)[1] for line in csv(X2, Y2).split(b"\n")),
                }
            )
        },
    ),
    "npz": ("digits", (160, 40, 50), {"mnist.npz": npz(ARRAYS)}),
    "pngs": ("digits", (128, 32, 40), {f"mnist_png/{n}": c for n, c in PNGS.items()}),
    "png parts": (
        "digits",
        (160, 40, 200),
        {f"mnist_png/{part}/{n}": c for part in ("training", "testing") for n, c in PNGS.items()},
    ),
    "cats, dogs": ("pets", (39, 9, 12), FOLDERS),
    "Cat, Dog": (
        "pets",
        (39, 9, 12),
        {f"PetImages/{n[:3].title()}/{n[4:]}": c for n, c in FLAT.items()},
    ),
    "parts": (
        "pets",
        (48, 12, 60),
        {
            "cats_and_dogs_filtered.zip": zipped(
                {f"cats_and_dogs_filtered/{n}": c for n, c in PARTS.items()}
            )
        },
    ),
    "flat": ("pets", (39, 9, 12), {f"train/{n}": c for n, c in FLAT.items()}),
    "zip in zip": (
        "pets",
        (39, 9, 12),
        {
            "dogs-vs-cats.zip": zipped(
                {
                    "train.zip": zipped({f"train/{n}": c for n, c in FLAT.items()}),
                    "test1.zip": zipped({"test1/1.jpg": photo()}),
                    "sampleSubmission.csv": b"id,label\n1,0.5",
                }
            )
        },
    ),
}


@pytest.mark.parametrize("form", TAKEN)
def test_forms_that_are_taken(given, form):
    name, sizes, files = TAKEN[form]
    put(given, files)
    (row,) = importing.import_path(given)
    assert (row.name, row.state) == (name, "imported"), row.text
    found = data.load(name)
    assert found.source == "real"
    assert (len(found.train), len(found.validation), len(found.test)) == sizes
