"""Real data: fetched once from the network, or imported from what people have on a disk.

Files are known by what is in them. Whatever form they had, a set is stored as one npz file, written
beside its place and moved there when it is whole: what was there before stays until then.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import struct
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from zipfile import Path as ZipPath
from zipfile import ZipFile

import numpy as np

from . import data, one_of
from .data import CLASSES, PARTS, DataError

SOURCES = json.loads(Path(__file__).with_name("sources.json").read_text(encoding="utf-8"))
KNOWN = SOURCES.pop("known")  # SHA-256 of arrays, MD5 of files: the set and the title of each
FORMS = {"idx": "idx files", "csv": "CSV", "npz": "npz", "ten": "pictures", "two": "photos"}
FORMS |= {"weights": "weights", "broken": "damaged"}
TAKEN = (
    "idx files, CSV files of a label and 784 pixels, mnist.npz, class folders (0 to 9, cats and "
    "dogs), photos named cat.0.jpg and dog.0.jpg, MobileNet's weights, and zips of these"
)
SETS = {"two": "pets", "weights": "pretrained"}  # what some forms can only be
SIDE = 160  # pixels: photos are stored as squares of MobileNet's size
MOST_PHOTOS = 5000  # of Kaggle's 25,000 an even choice, which a kernel with 3 GB can hold
BEGINNING = 1000  # images: the known sample of Fashion-MNIST is its beginning
LIMIT = 2 << 30  # bytes that a file may unfold to
WEIGHTS = ("mobilenet_5_0_160_tf_no_top", "mobilenet_5_0_160_tf")  # without and with the top
MARKS = {b"PK": "zip", b"\0\0\x08\1": "idx", b"\0\0\x08\3": "idx", b"\x89HDF": "weights"}
PICTURE = re.compile(r"\.(jpe?g|png|webp|bmp|gif)$", re.I)
LABEL = re.compile(r"(^|/)(([0-9]|cat|dog)s?/[^/]*|(cat|dog)s?[^a-z/]*\d[^/]*)$", re.I)
PART = re.compile(r"(?<![a-z])(train|t10k|test|val)(ing|id|idation)?\d*(?![a-z])", re.I)


class DiskError(DataError):
    """Where the data should go cannot be written."""


class Row(NamedTuple):
    """One line of a report of `course data`.

    `name` is a set, or "" where a file was taken for none. `state` is "bundled", "real", "right",
    "not here", "imported", "here already" or "left out"; after a failure "refused" or "damaged".
    `text` says in one sentence what and where it is, or what is wrong and the next command.
    """

    name: str
    state: str
    text: str

    @property
    def ok(self):
        """Whether this is no failure."""
        return self.state not in ("refused", "damaged")


def import_path(path, as_name=None):
    """Take real data from a file, a folder or a zip, whatever form they have.

    Parameters
    ----------
    path : path-like
    as_name : {"digits", "clothes", "pets"}, optional
        What the images are, where that cannot be told from them (`--as`).

    Returns
    -------
    list of Row
        One for each data set that was found, taken or refused; at least one.

    Raises
    ------
    ValueError
        For an unknown `as_name`.
    """
    if as_name is not None:
        one_of("as_name", as_name, CLASSES)
    path, rows = Path(path).expanduser().absolute(), []
    base = path if path.is_dir() else path.parent
    with ExitStack() as stack:
        for (kind, _), files in _groups(path, stack).items():
            where = base / os.path.commonpath(dict(files))
            told = SETS.get(kind) or as_name or _told(base / files[0][0])
            try:
                if kind == "broken":
                    raise files[0][1]
                if kind == "weights":
                    rows += [_store_weights(file) for _, file in files]
                else:
                    rows.append(_store(*_read_set(kind, files, where, told, as_name)))
            except DiskError as error:
                rows.append(Row(told or "", "refused", str(error)))
            except Exception as error:  # the readers of so many formats raise a dozen kinds
                reason = " ".join(str(error).split(";")[0].split()).rstrip(".") or repr(error)
                what = f"{where}, taken for {told or 'digits or clothes'} ({FORMS[kind]})"
                good = f"`course data fetch {told or 'digits'}` gets a good copy"
                rows.append(Row(told or "", "refused", f"{what}, is refused: {reason}; {good}"))
    state = "holds nothing of what is taken" if path.exists() else "is not there; what is taken"
    nothing = f"{path} {state}: {TAKEN}"
    return rows or [Row(as_name or "", "refused", nothing)]


def _groups(path, stack):
    """Find what belongs together: lists of (name, file) by kind and place, also in zips."""
    groups, todo = defaultdict(list), [(path.name, path)]
    if path.is_dir():
        todo = [(file.relative_to(path).as_posix(), file) for file in sorted(path.rglob("*"))]
    for name, file in todo:
        if re.search(r"(^|/)(\.|__MACOSX/)", name) or not file.is_file():
            continue
        place, label = name, _label(name)
        try:
            kind = _kind(file)
            if kind == "zip":
                archive = _opened_zip(file, stack)
                if not all(entry.endswith(".npy") for entry in archive.namelist()):
                    todo += [(f"{name}/{e}", ZipPath(archive, e)) for e in archive.namelist()]
                    continue
                kind = "npz"
            elif kind == "csv":
                place = PART.sub("", name)
            elif kind == "idx":  # some zips have each file in a folder of the same name
                place = PART.sub("", re.sub("/?[^/]*ubyte[^/]*", "", os.path.dirname(name)))
                if file == path:  # one of four, which lie beside each other
                    others = sorted(set(path.parent.glob("*ubyte*")) - {path})
                    todo += [(each.name, each) for each in others]
            elif kind in ("picture", "other") and label:
                kind = "ten" if label.isdigit() else "two"
                place = PART.sub("", LABEL.sub("", name))
        except Exception as error:  # is told when its turn comes
            kind, file = "broken", error
        if kind in FORMS:
            groups[kind, place].append((name, file))
    return groups


def _opened_zip(file, stack):
    archive = ZipFile(file if isinstance(file, Path) else BytesIO(file.read_bytes()))
    for entry in stack.enter_context(archive).namelist():
        if re.search(r"^[/\\]|^\w:|(^|[/\\])\.\.([/\\]|$)", entry):
            raise DataError(f"its entry {entry} would land outside of the folder")
    if sum(entry.file_size for entry in archive.infolist()) > LIMIT:
        raise DataError("it unfolds to more than 2 GB")
    return archive


def _kind(file):
    """Tell from its first bytes what a file is, and from its name whether it is a picture."""
    if PICTURE.search(file.name):
        return "picture"
    head = _content(file, 8192)
    for mark, kind in MARKS.items():
        if head.startswith(mark):
            return kind
    if head.count(b",") > 99 and head.isascii():
        return "csv"
    if re.search(r"ubyte|(mnist|cat|dog|mobilenet).*\.(npz|gz|zip|h5|pkl)$", file.name, re.I):
        raise DataError("its content is none that the course reads, and pickles it never does")
    return "other"


def _content(file, size=LIMIT):
    """Return the first bytes of a file, decompressed."""
    with file.open("rb") as opened:
        packed = opened.read(2) == b"\x1f\x8b"
    with file.open("rb") as opened:
        return (gzip.GzipFile(fileobj=opened) if packed else opened).read(size)


def _part(name):
    """Return the part that a path names, the last one that it does; "train" if it names none."""
    words = PART.findall(name)
    word = words[-1][0].lower() if words else "train"
    return {"t10k": "test", "val": "validation"}.get(word, word)


def _label(name):
    """Return the class that a path names, "0" to "9", "cat" or "dog", or None."""
    found = LABEL.search(name)
    return found and (found[3] or found[4]).lower()


def _told(path):
    """Return the set that a path names, its end first, or None."""
    words = {"clothes": "fashion|cloth", "digits": "(?<![a-z])mnist|digit"}
    for place in reversed(path.parts[-5:]):
        for name, word in words.items():
            if re.search(word, place, re.I):
                return name
    return None


def _read_idx(files, notes):
    arrays = {}
    for name, file in files:
        content = _content(file)
        shape = struct.unpack_from(f">{content[3]}I", content, 4)
        values = np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)
        arrays[len(shape), _part(name) == "test", -len(values)] = values
    try:  # where names tell no part, the larger is for training
        images = sorted(key for key in arrays if key[0] == 3)
        pairs = [(arrays[key], arrays[1, *key[1:]]) for key in images]
        return [(part, *pair) for part, pair in zip(("train", "test"), pairs, strict=True)]
    except (KeyError, ValueError):
        sizes = ", ".join(f"{-n:,} {'labels' if rank == 1 else 'images'}" for rank, _, n in arrays)
        raise DataError(f"images and labels, of train and of test, are not {sizes}") from None


def _read_csv(files, notes):
    pieces = []
    for name, file in files:
        content = _content(file)
        head = int(not content[:1].isdigit())
        values = np.loadtxt(BytesIO(content), np.uint8, delimiter=",", skiprows=head, ndmin=2)
        if values.shape[1] == 785:
            pieces.append((_part(name), values[:, 1:].reshape(-1, 28, 28), values[:, 0]))
        elif values.shape[1] != 784 or len(files) == 1:  # Kaggle's test.csv has no labels
            raise DataError(f"{name} has {values.shape[1]} columns, not a label and 784 pixels")
    return pieces


def _read_pictures(files, notes):
    from PIL import Image, ImageOps
    from tqdm import tqdm

    files = sorted(files, key=lambda each: (_label(each[0]), len(each[0]), each[0]))
    digits = _label(files[0][0]).isdigit()
    if not digits and len(files) > MOST_PHOTOS:
        notes.append(f"{MOST_PHOTOS:,} of {len(files):,}")
        files = [files[k] for k in np.linspace(0, len(files) - 1, MOST_PHOTOS).astype(int)]

    def decode(each):
        # Each format has errors of its own; what has any is left out, and named below.
        with suppress(Exception), each[1].open("rb") as opened, Image.open(opened) as picture:
            picture.draft("RGB", (SIDE, SIDE))  # a large photo is decoded at a part of its size
            picture = ImageOps.exif_transpose(picture).convert("L" if digits else "RGB")
            size = picture.size if digits else (SIDE, SIDE)
            return np.asarray(picture.resize(size, Image.Resampling.BILINEAR))

    with ThreadPoolExecutor() as pool:
        images = list(tqdm(pool.map(decode, files), "pictures", len(files), disable=None))
    bad = [name for (name, _), image in zip(files, images, strict=True) if image is None]
    if 2 * len(bad) > len(files):
        raise DataError(f"{len(bad):,} of its {len(files):,} pictures cannot be read, as {bad[0]}")
    if bad:
        names = ", ".join(bad[:9]) + ", …" * (len(bad) > 9)
        notes.append(f"{len(bad):,} of {len(files):,} files were skipped: {names}")
    classes, parts = CLASSES["digits" if digits else "pets"], defaultdict(list)
    for (name, _), image in zip(files, images, strict=True):
        if image is not None:
            parts[_part(name)].append((image, classes.index(_label(name))))
    for part, pairs in parts.items():
        images, labels = zip(*pairs, strict=True)
        yield part, np.stack(images), np.array(labels, np.uint8)


READERS = {"idx": _read_idx, "csv": _read_csv, "ten": _read_pictures, "two": _read_pictures}


def _sets(images, labels):
    """Return the names of the sets that images and labels may be of; refuse what fits none."""
    names = {(28, 28, 1): ["digits", "clothes"], (SIDE, SIDE, 3): ["pets"]}.get(images.shape[1:])
    if not names or images.dtype != np.uint8:
        raise DataError(f"its images are {images.dtype} of {images.shape[1:]}, not uint8 of 28×28")
    if len(images) != len(labels) or len(labels) < 10:
        raise DataError(f"it has {len(images):,} images and {len(labels):,} labels")
    classes, found = CLASSES[names[0]], set(labels.tolist())
    if outside := found - set(range(len(classes))):
        raise DataError(f"its labels must be 0 to {len(classes) - 1}: here are {outside}")
    if lacking := [each for k, each in enumerate(classes) if k not in found]:
        raise DataError(f"there is no image of {', '.join(lacking)}")
    return names


def _read_set(kind, files, where, told, as_name):
    """Read a set of images, find out which it is, and split it: notes on it, and its arrays."""
    notes = [f"real, from {where.name} ({FORMS[kind]})"]
    if kind == "npz":
        with np.load(BytesIO(_content(files[0][1])), allow_pickle=False) as file:
            arrays = dict(file)
        if "about" in arrays:  # stored by the course, on another machine
            about = json.loads(str(arrays.pop("about")))
            for part in PARTS:
                one_of("its name", about["name"], _sets(arrays[f"x_{part}"], arrays[f"y_{part}"]))
            return about, arrays
        wanted = [f"{axis}_{part}" for part in ("train", "test") for axis in "xy"]
        if not set(wanted) <= set(arrays):
            raise DataError(f"its arrays are {', '.join(arrays)}, and not {', '.join(wanted)}")
        pieces = [(part, arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test")]
    else:
        pieces = list(READERS[kind](files, notes))
    parts = {part for part, _, _ in pieces}
    held_out = "test" if "test" in parts else "validation"  # as the well-known zip calls it
    halves = [[], []]
    for part, images, labels in pieces:
        images = images if images.ndim == 4 else images[..., None]
        halves[part == held_out and len(parts) > 1].append((images, labels))
    arrays = [np.concatenate(each) for half in halves if half for each in zip(*half, strict=True)]
    for images, labels in zip(arrays[::2], arrays[1::2], strict=True):
        names = _sets(images, labels)

    marks = [_hash(array.astype(np.uint8)) for array in arrays]
    if kind == "idx":
        marks += [hashlib.md5(file.read_bytes()).hexdigest() for _, file in files]
    proofs = [KNOWN[mark] for mark in marks if mark in KNOWN]
    if 0 < len(proofs) < len(arrays):
        raise DataError(f"only a part of its arrays is that of {proofs[0][1]}")
    begins = KNOWN.get(_hash(arrays[0][:BEGINNING]), [None])[0]
    name = proofs[0][0] if proofs else begins or told
    if name is None:
        raise DataError("nothing tells digits from clothes, so add `--as digits` or `--as clothes`")
    if name not in names or as_name not in (None, name):
        raise DataError(f"by what is in it, it is {name} and not {as_name}")

    images, labels, *test = arrays
    n_test = 0 if test else min(10_000, len(labels) // 5)
    arrays = data.split(images, labels, n_test, min(5000, (len(labels) - n_test) // 5))
    if test:
        arrays |= {"x_test": test[0], "y_test": test[1].astype(np.int64)}
    notes.insert(1, "its arrays are known" if proofs else "its arrays are not known")
    title = SOURCES["pets"]["title"] if name == "pets" else f"{name} from {where.name}"
    title = proofs[0][1] if proofs else title
    return {"name": name, "title": title, "card": "; ".join(notes)}, arrays


def _store(about, arrays):
    """Store a set under its name, unless the same or a larger one is there already."""
    path = data.folder() / f"{about['name']}.npz"
    about["images"] = sum(len(arrays[f"y_{part}"]) for part in PARTS)
    about["sha256"] = _hash(*(arrays[key] for key in sorted(arrays)))
    with suppress(DataError):  # what is damaged, or not there, is replaced
        there = data.read(path)[1]
        if there["sha256"] == about["sha256"]:
            return Row(about["name"], "here already", _line(path, there))
        if there["images"] > about["images"]:
            text = f"{path} holds {there['images']:,} images: delete it to take these"
            return Row(about["name"], "left out", text)
    content = BytesIO()
    np.savez(content, **arrays, about=np.array(json.dumps(about)))
    _write(path, content.getbuffer())
    return Row(about["name"], "imported", _line(path, about))


def _line(path, about):
    return f"{about['title']}, {about['images']:,} images; {about['card']}; in {path}"


def _write(path, content):
    """Put a file in its place when all of it is on the disk."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            file.write(content)
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise DiskError(
            f"{path.parent} cannot be written ({error.strerror}): make room there, or name another "
            "folder in COURSE_DATA_DIR"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _hash(*arrays):
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array))
    return found.hexdigest()


def weights_name(file):
    """Return the name that Keras gives to these weights of MobileNet (α = 0.5, 160×160).

    `file` is a path or an open file. DataError for the weights of another network, and for numbers
    that are not finite; h5py's own errors for what is no HDF5 file.
    """
    import h5py

    items = []
    with h5py.File(file) as opened:
        opened.visititems(lambda _, item: items.append(item))
        arrays = [item[()] for item in items if isinstance(item, h5py.Dataset)]
        suffix = ".h5" if "layer_names" in opened.attrs else ".weights.h5"  # of Keras 2 and 3
    widths = [16, 32, 64, 64, 128, 128, *[256] * 6, 512, 512]
    kernels = [(3, 3, 3, 16)]
    kernels += [shape for a, b in pairwise(widths) for shape in ((3, 3, a, 1), (1, 1, a, b))]
    norms = [(k[2] if k[3] == 1 else k[3],) for k in kernels] * 4
    top = [(1, 1, 512, 1000), (1000,)]
    shapes = sorted(array.shape for array in arrays)
    if shapes not in (sorted(kernels + norms), sorted(kernels + norms + top)):
        raise DataError(f"its {len(shapes)} arrays do not fit MobileNet with α = 0.5")
    if not all(np.isfinite(array).all() for array in arrays):
        raise DataError("some of its numbers are not finite")
    return WEIGHTS[(1000,) in shapes] + suffix


def _store_weights(file):
    content = BytesIO(_content(file))
    path = data.folder() / weights_name(content)
    _write(path, content.getbuffer())
    for other in set(path.parent.glob(f"{path.name.split('.')[0]}.*h5")) - {path}:
        other.unlink()  # the same in the other form
    return Row("pretrained", "imported", f"{SOURCES['pretrained']['title']}; in {path}")


def pretrained(top=False):
    """Return the path of MobileNet's ImageNet weights (α = 0.5, 160×160), or None.

    They are looked for among the course's real data, then in Keras' own cache; with
    ``COURSE_DATA=bundled`` nowhere. `top` says whether with the layer of the 1,000 classes.
    """
    cache = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "models"
    places = [data.folder() / f"{WEIGHTS[top]}{suffix}" for suffix in (".weights.h5", ".h5")]
    wanted = os.environ.get("COURSE_DATA") != "bundled"
    found = (path for path in (*places, cache / f"{WEIGHTS[top]}.h5") if wanted and path.exists())
    return next(found, None)


def fetch(names=()):
    """Download real data sets, check and store them; one that fails stops no other.

    Parameters
    ----------
    names : sequence of {"digits", "clothes", "pets", "pretrained"}
        Default: all four; a ValueError for any other.

    Returns
    -------
    list of Row
    """
    import pooch

    pooch.get_logger().setLevel("WARNING")
    rows = []
    for here in verify(names):
        name, kept = here.name, data.folder() / "fetched" / here.name
        wanted = f"{SOURCES[name]['title']}, {SOURCES[name]['whole']}"
        if here.state == "right" and here.text.startswith(wanted):
            rows.append(here._replace(state="here already"))
            continue
        try:  # what is in `kept` already, from a fetch that was cut off, is not loaded again
            for file, (url, known) in SOURCES[name]["files"].items():
                pooch.retrieve(url, known, file, kept, progressbar=True)
        except Exception as error:
            why = str(error).split(" (Caused")[0]
            text = f"{file} was not downloaded ({why}): `course data fetch {name}` goes on, or "
            rows.append(
                Row(name, "refused", text + "`course data import PATH` takes it from a disk")
            )
            continue
        rows += import_path(kept, name if name in CLASSES else None)
        shutil.rmtree(kept)
    return rows


def verify(names=()):
    """Read all stored real data again.

    Parameters
    ----------
    names : sequence of {"digits", "clothes", "pets", "pretrained"}
        Default: all four; a ValueError for any other.

    Returns
    -------
    list of Row
    """
    rows = []
    for name in [one_of("name", name, SOURCES) for name in names] or SOURCES:
        state, text = "not here", f"{SOURCES[name]['title']}: `course data fetch {name}` gets it"
        try:
            if name == "pretrained":
                paths = [
                    path for path in map(pretrained, (True, False)) if path and weights_name(path)
                ]
                if paths:
                    title, files = SOURCES[name]["title"], " and ".join(map(str, paths))
                    state, text = "right", f"{title}, {len(paths)} of 2 files; in {files}"
            elif os.path.lexists(path := data.folder() / f"{name}.npz"):
                state, text = "right", _line(path, data.read(path)[1])
        except Exception as error:
            state, text = "damaged", f"{text}, since what is here is wrong: {error}"
        rows.append(Row(name, state, text))
    return rows


def listing():
    """Return a `Row` for each set that is bundled, and one for each that is real or could be."""
    rows = [Row(name, "bundled", title) for name, (title, *_) in data.BUNDLED.items()]
    return rows + [row._replace(state=row.state.replace("right", "real")) for row in verify()]
