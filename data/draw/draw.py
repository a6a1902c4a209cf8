"""Draw the stand-ins for the photographic data sets: ``clothes.npz`` and ``pets.zip``.

    python data/draw/draw.py           write both anew
    python data/draw/draw.py --check   draw both, and compare them with what is stored

Image ``i`` depends only on the seed and on ``i``. The pictures are computed from formulas in double
precision and then rounded to few levels, so that a fresh drawing equals the stored one on every
platform.
"""

import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from clothes import garment
from pets import pet
from PIL import Image
from shapes import Dice
from tqdm import tqdm

DATA = Path(__file__).resolve().parents[1]
SEED = 2024
# Of each set: how many images, how many classes, and the streams of the seed for the order of the
# labels and for the pictures.
SETS = {"clothes": (garment, 6000, 10, 0, 1), "pets": (pet, 1200, 2, 2, 3)}


def draw(name):
    """Return images (n, height, width, channels) and labels (n,), both uint8.

    Every ten garments from a multiple of ten on hold each class once, every two pets a cat and
    a dog.
    """
    picture, n, classes, of_labels, of_images = SETS[name]
    blocks = [Dice(SEED, of_labels, block).order(classes) for block in range(n // classes)]
    labels = np.concatenate(blocks).astype(np.uint8)
    each = enumerate(tqdm(labels.tolist(), name, disable=None))
    return np.stack([picture(Dice(SEED, of_images, k), label) for k, label in each]), labels


def pack(name, images, labels):
    """Return the bytes of a file: an npz of clothes, a zip of lossless WebP pictures of pets."""
    buffer = io.BytesIO()
    if name == "clothes":
        np.savez_compressed(buffer, images=images, labels=labels)
        return buffer.getvalue()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for k, (image, label) in enumerate(zip(images, labels, strict=True)):
            picture = io.BytesIO()
            Image.fromarray(image).save(picture, "WEBP", lossless=True, quality=100)
            # A fixed date: the same pictures give the same archive.
            kind = ("cat", "dog")[label]
            entry = zipfile.ZipInfo(f"{k:04d}.{kind}.webp", (2024, 1, 1, 0, 0, 0))
            archive.writestr(entry, picture.getvalue())
    return buffer.getvalue()


def unpack(name):
    """Return the images and labels that are stored."""
    if name == "clothes":
        with np.load(DATA / "clothes.npz") as file:
            return file["images"], file["labels"]
    with zipfile.ZipFile(DATA / "pets.zip") as archive:
        names = sorted(archive.namelist())
        images = [np.asarray(Image.open(archive.open(each))) for each in names]
    return np.stack(images), np.array(["dog" in each for each in names], np.uint8)


def main():
    """Draw both sets; write them, or compare them, by pixels: compression differs with versions."""
    for name in SETS:
        drawn, file = draw(name), DATA / {"clothes": "clothes.npz", "pets": "pets.zip"}[name]
        if "--check" not in sys.argv:
            file.write_bytes(pack(name, *drawn))
            print(f"drew {file}")
        elif all(np.array_equal(*pair) for pair in zip(drawn, unpack(name), strict=True)):
            print(f"a fresh drawing of {name} gives what is stored")
        else:
            sys.exit(f"a fresh drawing of {name} is not what {file} holds")


if __name__ == "__main__":
    main()
