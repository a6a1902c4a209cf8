"""The first edition's data sets and splits, for the notebooks that are not written anew yet.

``load("digits")``, ``load("clothes")`` and ``load("pets")`` give uint8 images. The bundled digits
are scikit-learn's, as they were; real data come from where the second edition stores them.
"""

import os
import warnings
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from .. import data as store
from ..data import DATA, DataError
from .choices import one_of

NAMES = ("digits", "clothes", "pets")
SOURCES = ("auto", "bundled", "real")
SIZE = 150  # height and width of pets unless another is asked for
SIZES = range(8, 257)  # pixels a side that pets may be loaded at
SPLIT_SEED = 2024
BUNDLED = {  # title, and how many images are held out for validation and for test
    "digits": ("bundled handwritten digits", 360, 360),
    "clothes": ("drawn clothes", 600, 1000),
    "pets": ("drawn pets", 200, 200),
}
REAL = {"digits": "MNIST", "clothes": "Fashion-MNIST", "pets": "Cats and Dogs"}

_OPENINGS = Counter()


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their labels; unpacks as ``images, labels = split``.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, height, width, channels)
    labels : ndarray of int64, shape (n,)
    class_names : tuple of str
        The name of each label.
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: tuple

    def __iter__(self):
        """Yield the images, then the labels."""
        return iter((self.images, self.labels))

    def __len__(self):
        """Return the number of images."""
        return len(self.images)

    def __repr__(self):
        """Say how many images of what size there are."""
        shape = "×".join(str(side) for side in self.images.shape[1:])
        return f"Split({len(self):,} images of {shape}, {len(self.class_names)} classes)"

    def counts(self):
        """Return the number of images of each class.

        Returns
        -------
        dict of str to int
        """
        found = np.bincount(self.labels, minlength=len(self.class_names))
        return dict(zip(self.class_names, found.tolist(), strict=True))

    def take(self, n, seed=0):
        """Return a random subset with as equal a share of each class as there is.

        Parameters
        ----------
        n : int
            Number of images in all. A class that has too few gives all of its own, and the others
            share the rest.
        seed : int, default 0
            The same seed gives the same subset, on every machine.

        Returns
        -------
        Split
            In random order.

        Raises
        ------
        ValueError
            If `n` is not a whole number from 1 to the number of images.
        """
        whole = isinstance(n, int | np.integer) and not isinstance(n, bool)
        if not whole or not 1 <= n <= len(self):
            raise ValueError(f"n must be a whole number from 1 to {len(self):,}: got {n!r}")
        chosen = balanced(self.labels, int(n), seed)
        return Split(self.images[chosen], self.labels[chosen], self.class_names)


class SealedTest:
    """A test set that can only be scored on, through `Dataset.evaluate`, and that counts how often.

    Attributes
    ----------
    openings : int
        How often it was opened in this process.
    """

    def __init__(self, key, split):
        self._key = key
        self._split = split
        # The next opening must see the same images, whatever this one's function does to them.
        for array in split:
            array.flags.writeable = False

    @property
    def openings(self):
        """How often this test set was opened in this process, by any `Dataset` that holds it."""
        return _OPENINGS[self._key]

    def __len__(self):
        """Return the number of images."""
        return len(self._split)

    def __repr__(self):
        """Say how many images there are, and how often they were looked at."""
        times = {0: "never opened", 1: "opened once"}.get(
            self.openings, f"opened {self.openings} times"
        )
        return f"SealedTest({len(self):,} images, {times})"

    def _open(self, name, score):
        _OPENINGS[self._key] += 1
        if self.openings > 1:
            warnings.warn(
                f"the sealed test set of {name} has now been opened {self.openings} times: if "
                "anything was chosen after an earlier look, this number is no longer an honest "
                "estimate",
                stacklevel=3,
            )
        return score(*self._split)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A data set, split into train, validation and a sealed test set.

    Attributes
    ----------
    name : {"digits", "clothes", "pets"}
    source : {"bundled", "real"}
    title : str
        What people call it: "MNIST".
    class_names : tuple of str
    image_shape : tuple of int
        Height, width, channels.
    train, validation : Split
    test : SealedTest
    card : str
        Where it comes from.
    hint : str
        What `describe` adds when there is more to be had.
    """

    name: str
    source: str
    title: str
    class_names: tuple
    image_shape: tuple
    train: Split
    validation: Split
    test: SealedTest
    card: str
    hint: str = ""

    def evaluate(self, score):
        """Open the sealed test set.

        Parameters
        ----------
        score : callable
            Gets the test images (uint8) and labels, both read-only; for instance
            ``lambda images, labels: model.evaluate(images / 255, labels)``.

        Returns
        -------
        object
            What `score` returns.

        Warns
        -----
        UserWarning
            From the second opening on: a number that was looked at before choosing is no longer an
            honest estimate.
        """
        return self.test._open(self.name, score)

    def describe(self):
        """Return one line that says what this is, and how to get the real data if it is not."""
        return (
            f"{self.name}: {self.title} ({len(self.train):,} train, "
            f"{len(self.validation):,} validation, {len(self.test):,} sealed test){self.hint}"
        )

    def __repr__(self):
        """Return the line of `describe`."""
        return f"<{self.describe()}>"

    def _repr_markdown_(self):
        train, validation = self.train.counts(), self.validation.counts()
        rows = [f"| {name} | {train[name]:,} | {validation[name]:,} |" for name in self.class_names]
        table = "\n".join(["| class | train | validation |", "| --- | ---: | ---: |", *rows])
        return f"**{self.describe()}**\n\n{table}\n\n{self.card}"


def load(name, source=None, *, size=None):
    """Load a data set.

    Parameters
    ----------
    name : {"digits", "clothes", "pets"}
    source : {"auto", "bundled", "real"}, optional
        Default: what ``COURSE_DATA`` says, or "auto": the real data if they are there, else the
        bundled stand-in. Real data that are there but damaged are never passed over in silence.
    size : int, optional
        Height and width of pets, 8 to 256, default 150. The others are 28×28.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If an argument is not one of these; it names the nearest right one.
    FileNotFoundError
        If `source` is "real" and the real data are not there.
    DataError
        If files are damaged or not what they claim to be (a ValueError).
    """
    one_of("name", name, NAMES)
    argument = "COURSE_DATA" if source is None else "source"
    source = (os.environ.get("COURSE_DATA") or "auto") if source is None else source
    one_of(argument, source, SOURCES)
    size = _checked_size(name, size)
    path = store.folder() / f"{name}.npz"
    if source != "bundled" and os.path.lexists(path):
        return _real(name, path, size)
    if source == "real":
        raise FileNotFoundError(
            f"the real {name} are not in {path.parent}: get them with "
            f"`course data fetch {name}`, or from a disk with `course data import PATH`"
        )
    return _bundled(name, size)


def balanced(labels, n, seed):
    """Choose examples at random, with as equal a share of each class as there is.

    Parameters
    ----------
    labels : ndarray of int, shape (m,)
    n : int
        At most m.
    seed : int

    Returns
    -------
    ndarray of int, shape (n,)
        Positions in `labels`, in random order, none twice.
    """
    random = np.random.RandomState(seed)  # its stream is frozen, unlike default_rng's
    order = random.permutation(len(labels))
    # The k-th example of each class comes before the (k+1)-th of any.
    rank = np.empty(len(labels), int)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        rank[members] = np.arange(len(members))
    chosen = order[np.argsort(rank[order], kind="stable")][:n]
    return random.permutation(chosen)


def _checked_size(name, size):
    if size is None:
        return SIZE
    if name != "pets":
        raise ValueError(f"size is only for pets: {name} are 28×28, got size={size!r}")
    if not isinstance(size, int | np.integer) or isinstance(size, bool) or size not in SIZES:
        raise ValueError(
            f"size must be a whole number of pixels from {SIZES[0]} to {SIZES[-1]}: got {size!r}"
        )
    return int(size)


def _real(name, path, size):
    arrays, about = store.read(path)
    parts = [(arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in store.PARTS]
    if name == "pets":
        parts = [(_resized(images, size), labels) for images, labels in parts]
    return _dataset(name, "real", about["title"], about["card"], parts, "")


def _bundled(name, size):
    title, held_out, sealed = BUNDLED[name]
    if name == "digits":
        images, labels = _digits()
    elif name == "clothes":
        with np.load(DATA / "clothes.npz") as file:
            images, labels = file["images"], file["labels"].astype(np.int64)
    else:
        images, labels = _pets(size)
    test, rest = _part(labels, sealed)
    validation, train = (rest[part] for part in _part(labels[rest], held_out))
    parts = [(images[part], labels[part]) for part in (train, validation, test)]
    hint = f"; real {REAL[name]}: course data fetch {name}"
    return _dataset(name, "bundled", title, "It comes with the course.", parts, hint)


def _part(labels, n):
    """Positions of `n` examples, each class alike, and of the others; both in random order."""
    if n >= len(labels):
        raise DataError(f"there are {len(labels):,} images, too few to hold out {n:,}")
    order = balanced(labels, len(labels), SPLIT_SEED)
    chosen = balanced(labels, n, SPLIT_SEED)
    return chosen, order[~np.isin(order, chosen)]


def _dataset(name, source, title, card, parts, hint):
    class_names = store.CLASSES[name]
    train, validation, test = (Split(images, labels, class_names) for images, labels in parts)
    return Dataset(
        name=name,
        source=source,
        title=title,
        class_names=class_names,
        image_shape=train.images.shape[1:],
        train=train,
        validation=validation,
        test=SealedTest((name, title), test),
        card=card,
        hint=hint,
    )


def _digits():
    """Return scikit-learn's 1,797 handwritten digits of 8×8, drawn into 28×28 as MNIST's are."""
    # Importing scikit-learn takes a second, reading its file takes a hundredth.
    home = Path(find_spec("sklearn").submodule_search_locations[0])
    table = home / "datasets" / "data" / "digits.csv.gz"
    if table.is_file():
        values = np.loadtxt(table, delimiter=",", dtype=np.int64)
        small, labels = values[:, :64].reshape(-1, 8, 8), values[:, 64]
    else:
        from sklearn.datasets import load_digits

        found = load_digits()
        small, labels = found.images.astype(np.int64), found.target.astype(np.int64)
    # Bilinear, 8×8 to 20×20: the weights are whole tenths, so the same bytes on every machine.
    at = (np.arange(20) + 0.5) * 8 / 20 - 0.5
    weights = np.stack([np.interp(at, range(8), unit) for unit in np.eye(8)], axis=1)
    tenths = np.rint(10 * weights).astype(np.int64)
    large = tenths @ small @ tenths.T  # 0 … 16·100
    images = np.zeros((len(small), 28, 28, 1), np.uint8)
    images[:, 4:24, 4:24, 0] = (large * 255 + 800) // 1600
    return images, labels


def _pets(size):
    from PIL import Image

    with ZipFile(DATA / "pets.zip") as archive:
        names = sorted(archive.namelist())
        images = np.stack([np.asarray(Image.open(archive.open(name))) for name in names])
    labels = np.array([int("dog" in name) for name in names])
    return _resized(images, size), labels


def _resized(images, size):
    from PIL import Image

    if images.shape[1:3] == (size, size):
        return images
    return np.stack(
        [np.asarray(Image.fromarray(image).resize((size, size))) for image in images]
    ).astype(np.uint8)
