"""The course's three data sets, split once and for all, with a test set that stays sealed.

``load("digits")``, ``load("clothes")`` and ``load("pets")`` give uint8 images, as Keras' own
loaders do: scaling is a lesson, not a hidden step. The real data sets are used when they are there
(`course data fetch`, `course data import`), and bundled stand-ins when they are not.
"""

import os
import warnings
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from . import downloads
from .choices import one_of
from .formats import DataError, check_labels

NAMES = ("digits", "clothes", "pets")
SOURCES = ("auto", "bundled", "real")
SIZES = range(8, 257)  # pixels a side that pets may be loaded at
SPLIT_SEED = 2024

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

    def __post_init__(self):
        """Refuse what is no labelled set of images."""
        images, labels = self.images, self.labels
        if images.dtype != np.uint8 or images.ndim != 4:
            raise DataError(
                "images must be uint8 of shape (n, height, width, channels): "
                f"got {images.dtype} of shape {images.shape}"
            )
        if labels.shape != (len(images),) or labels.dtype != np.int64:
            raise DataError(
                f"labels must be int64 of shape ({len(images)},): "
                f"got {labels.dtype} of shape {labels.shape}"
            )
        check_labels(labels, len(self.class_names))

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
        Where it comes from, its licence, its known problems; Markdown, from ``data/README.md``.
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
    variant = None if source == "bundled" else downloads.find(name)
    if variant:
        return _real(variant, size)
    if source == "real":
        raise FileNotFoundError(
            f"the real {name} are not in {downloads.folder()}: get them with "
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
        return downloads.SIZE
    if name != "pets":
        raise ValueError(f"size is only for pets: {name} are 28×28, got size={size!r}")
    if not isinstance(size, int | np.integer) or isinstance(size, bool) or size not in SIZES:
        raise ValueError(
            f"size must be a whole number of pixels from {SIZES[0]} to {SIZES[-1]}: got {size!r}"
        )
    return int(size)


def _real(variant, size):
    arrays = downloads.read(variant, size)
    images, labels = arrays["x_train"], arrays["y_train"].astype(np.int64)
    held_out = variant.spec["validation"]
    if variant.spec["format"] == "photos":  # they come class after class
        validation, train = _part(labels, held_out)
    else:  # the sources' own split
        train, validation = np.split(np.arange(len(labels)), [len(labels) - held_out])
    whole = downloads.variants(variant.name)[0]
    hint = f"; all of {whole.title}: course data fetch {variant.name}"
    return _dataset(
        variant.name,
        "real",
        variant.title,
        [
            (images[train], labels[train]),
            (images[validation], labels[validation]),
            (arrays["x_test"], arrays["y_test"].astype(np.int64)),
        ],
        "" if variant == whole else hint,
    )


def _bundled(name, size):
    spec = downloads.manifest()[name]["bundled"]
    if name == "digits":
        images, labels = _digits()
    else:
        from .drawing import read_bundled

        try:
            images, labels = read_bundled(name, downloads.DATA)
        except (OSError, ValueError) as error:
            raise DataError(str(error)) from error
    if name == "pets" and images.shape[1:3] != (size, size):
        images = _resized(images, size)
    test, rest = _part(labels, spec["test"])
    validation, train = (rest[part] for part in _part(labels[rest], spec["validation"]))
    real = downloads.variants(name)[0].title
    return _dataset(
        name,
        "bundled",
        spec["title"],
        [(images[part], labels[part]) for part in (train, validation, test)],
        f"; real {real}: course data fetch {name}",
    )


def _part(labels, n):
    """Positions of `n` examples, each class alike, and of the others; both in random order."""
    if n >= len(labels):
        raise DataError(f"there are {len(labels):,} images, too few to hold out {n:,}")
    order = balanced(labels, len(labels), SPLIT_SEED)
    chosen = balanced(labels, n, SPLIT_SEED)
    return chosen, order[~np.isin(order, chosen)]


def _dataset(name, source, title, parts, hint):
    class_names = tuple(downloads.manifest()[name]["classes"])
    try:
        train, validation, test = (
            Split(images if images.ndim == 4 else images[..., None], labels, class_names)
            for images, labels in parts
        )
    except DataError as error:
        raise DataError(f"{name}, {title}: {error}") from error
    return Dataset(
        name=name,
        source=source,
        title=title,
        class_names=class_names,
        image_shape=train.images.shape[1:],
        train=train,
        validation=validation,
        test=SealedTest((name, title), test),
        card=_card(title),
        hint=hint,
    )


def _card(title):
    """Return the section of data/README.md that has this title."""
    text = (downloads.DATA / "README.md").read_text(encoding="utf-8")
    sections = dict(part.split("\n", 1) for part in text.split("\n## ")[1:])
    return f"## {title}\n{sections[title].rstrip()}\n"


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


def _resized(images, size):
    from PIL import Image

    return np.stack(
        [np.asarray(Image.fromarray(image).resize((size, size))) for image in images]
    ).astype(np.uint8)
