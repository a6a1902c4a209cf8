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
from collections import defaultdict
from contextlib import ExitStack, suppress
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from zipfile import Path as ZipPath
from zipfile import ZipFile

import numpy as np

from . import data, one_of
from .data import CLASSES, PARTS, DataError

SOURCES = json.loads(Path(__file__).with_name("sources.json").read_text(encoding="utf-8"))
# SHA-256 of whole arrays of MNIST, and of the first 1,000 entries of those of Fashion-MNIST
KNOWN = {mark: name for name, each in SOURCES.items() for mark in each.get("arrays", ())}
BEGINNING = 1000
TAKEN = (
    "idx files, CSV files of a label and 784 pixels, mnist.npz, class folders (0 to 9, cats and "
    "dogs), photos named cat.0.jpg and dog.0.jpg, MobileNet's weights, and zips of these"
)
SIDE = 160  # pixels: photos are stored as squares of MobileNet's size
MOST_PHOTOS = 5000  # of Kaggle's 25,000 an even choice, which a kernel with 3 GB can hold
WEIGHTS = ("mobilenet_5_0_160_tf_no_top", "mobilenet_5_0_160_tf")  # without and with the top
PARAMETERS = (829_536, 1_342_536)
MARKS = {b"PK": "zip", b"\0\0\x08\1": "idx files", b"\0\0\x08\3": "idx files"}
MARKS |= {b"\x89HDF": "weights"}
PICTURE = re.compile(r"\.(jpe?g|png|webp|bmp|gif)$", re.I)
LABEL = re.compile(r"(^|/)(([0-9]|cat|dog)s?/[^/]*|(cat|dog)s?[^a-z/]*\d[^/]*)$", re.I)
PART = re.compile(r"(?<![a-z])(train|t10k|test|val)(ing|id|idation)?(?![a-z])", re.I)
# What the files of one set do not have in common; some zips have each idx file in its own folder.
OWN = re.compile(rf"[^/]*ubyte.*|{LABEL.pattern}|{PART.pattern}", re.I)


class Row(NamedTuple):
    """One line of a report: a set, or "" for none; how it is with it; a sentence on what is where.

    `state` is "bundled", "real", "not here" or "imported"; after a failure "refused" or "damaged",
    and then `text` says what is wrong and what to do.
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
    """
    path, rows = Path(path).expanduser().absolute(), []
    base = path if path.is_dir() else path.parent
    with ExitStack() as stack:
        for (kind, _), files in _groups(path, stack).items():
            where = base / os.path.commonpath(dict(files))
            told = {"photos": "pets", "weights": "pretrained"}.get(kind) or as_name
            told = told or _told(base / files[0][0])
            try:
                if kind == "damaged":
                    raise files[0][1]
                if kind == "weights":
                    content = _content(files[0][1])
                    target = data.folder() / weights_name(BytesIO(content))
                    rows.append(_store(told, target, content, SOURCES[told]["title"]))
                else:
                    rows.append(_store_set(*_read_set(kind, files, where, told)))
            except Exception as error:  # the readers of so many formats raise a dozen kinds
                reason = " ".join(str(error).split(";")[0].split()).rstrip(".") or repr(error)
                good = f"`course data fetch {told or 'NAME'}` gets a good copy"
                rows.append(Row(told or "", "refused", f"{where} ({kind}): {reason}; {good}"))
    state = "holds nothing of what is taken" if path.exists() else "is not there; what is taken"
    return rows or [Row(as_name or "", "refused", f"{path} {state}: {TAKEN}")]


def _groups(path, stack):
    """Find what belongs together: lists of (name, file) by kind and place, also in zips."""
    groups, todo = defaultdict(list), [(path.name, path)]
    if path.is_dir():
        todo = [(file.relative_to(path).as_posix(), file) for file in sorted(path.rglob("*"))]
    for name, file in todo:
        if re.search(r"(^|/)(\.|__MACOSX/)", name) or not file.is_file():
            continue
        try:
            kind = _kind(name, file)
            if kind == "zip":
                packed = file if isinstance(file, Path) else BytesIO(file.read_bytes())
                archive = stack.enter_context(ZipFile(packed))
                todo += [(f"{name}/{each}", ZipPath(archive, each)) for each in archive.namelist()]
                continue
        except Exception as error:  # is told when its turn comes
            kind, file = "damaged", error
        if kind:
            place = name if kind in ("npz", "weights", "damaged") else OWN.sub("", name)
            groups[kind, place].append((name, file))
    return groups


def _kind(name, file):
    """Tell what a file is by its first bytes, and pictures by their names; None is of no use."""
    if PICTURE.search(name):
        label = _label(name)
        return label and ("pictures" if label.isdigit() else "photos")
    head = _content(file, 8192)
    for mark, kind in MARKS.items():
        if head.startswith(mark):
            return "npz" if name.endswith(".npz") else kind
    if head.partition(b"\n")[0].count(b",") == 784:
        return "CSV"
    if re.search(r"ubyte|(mnist|cat|dog|mobilenet).*\.(npz|gz|zip|h5|pkl)$", name, re.I):
        raise DataError("its content is none that the course reads, and pickles it never does")
    return None


def _content(file, size=-1):
    """Return the first bytes of a file, by default all, decompressed."""
    with file.open("rb") as opened:
        packed = opened.read(2) == b"\x1f\x8b"
        opened.seek(0)
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
    """Return which of the sets of one form a path names, its end first, or None."""
    words = re.findall("(fashion|cloth)[^/]*|(?<![a-z])mnist|digit", path.as_posix(), re.I)
    return ("clothes" if words[-1] else "digits") if words else None


def _read_idx(files, about):
    parts, names = defaultdict(dict), " and ".join(name for name, _ in files)
    for name, file in files:
        content = _content(file)
        rank = content[3]  # 1 for labels, 3 for images
        shape = np.frombuffer(content, ">u4", rank, offset=4)
        values = np.frombuffer(content, np.uint8, offset=4 + 4 * rank)
        parts[_part(name)][rank] = values.reshape(shape)
    if [sorted(parts[part]) for part in ("train", "test")] != [[1, 3]] * 2:
        raise DataError(f"it takes images and labels of train and of t10k: here is only {names}")
    return {part: (arrays[3], arrays[1]) for part, arrays in parts.items()}


def _read_csv(files, about):
    parts = {}
    for name, file in files:
        content = _content(file)
        head = int(not content[:1].isdigit())
        values = np.loadtxt(BytesIO(content), np.uint8, delimiter=",", skiprows=head, ndmin=2)
        parts[_part(name)] = values[:, 1:].reshape(-1, 28, 28), values[:, 0]
    return parts


def _read_npz(files, about):
    with np.load(BytesIO(_content(files[0][1])), allow_pickle=False) as file:
        arrays = dict(file)
    if "about" in arrays:  # stored by the course, on another machine
        about.update(json.loads(str(arrays.pop("about"))))
    wanted = {"x_train", "y_train", "x_test", "y_test"}
    if not wanted <= set(arrays):
        raise DataError(f"its arrays are {', '.join(arrays)}, and not {', '.join(sorted(wanted))}")
    return {p: (arrays[f"x_{p}"], arrays[f"y_{p}"]) for p in PARTS if f"x_{p}" in arrays}


def _read_pictures(files, about):
    from PIL import Image, ImageOps
    from tqdm import tqdm

    count = len(files)
    files = sorted(files, key=lambda each: (_label(each[0]), len(each[0]), each[0]))
    digits = _label(files[0][0]).isdigit()
    if not digits and count > MOST_PHOTOS:
        files = [files[k] for k in np.linspace(0, count - 1, MOST_PHOTOS).astype(int)]
        about["card"] += f"; {MOST_PHOTOS:,} of {count:,}"
    classes, parts, bad = CLASSES["digits" if digits else "pets"], defaultdict(list), []
    for name, file in tqdm(files, "pictures", disable=None):
        try:
            with file.open("rb") as opened, Image.open(opened) as picture:
                image = ImageOps.exif_transpose(picture).convert("L" if digits else "RGB")
        except Exception:  # each format has errors of its own
            bad.append(name)
            continue
        if not digits:
            image = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        parts[_part(name)].append((np.asarray(image), classes.index(_label(name))))
    wrong = f"{len(bad):,} of its {len(files):,} pictures cannot be read: {', '.join(bad[:9])}"
    if 2 * len(bad) > len(files):
        raise DataError(wrong)
    if bad:
        about["card"] += f"; {wrong}"
    pairs = {part: zip(*found, strict=True) for part, found in parts.items()}
    return {part: (np.stack(x), np.array(y, np.uint8)) for part, (x, y) in pairs.items()}


READERS = {"idx files": _read_idx, "CSV": _read_csv, "npz": _read_npz}
READERS |= {"pictures": _read_pictures, "photos": _read_pictures}


def _read_set(kind, files, where, told):
    """Read images, find out of which set they are, and split them: a dict on it, its arrays."""
    about = {"card": f"real, from {where.name} ({kind})"}
    parts = READERS[kind](files, about)
    if parts.keys() == {"train", "validation"}:  # as the well-known zip calls it
        parts["test"] = parts.pop("validation")
    if "train" not in parts:
        raise DataError("it has no part to train on")
    known = about.get("name") or _known(parts)
    name = known or told
    parts = {part: (x if x.ndim == 4 else x[..., None], y) for part, (x, y) in parts.items()}
    for images, labels in parts.values():
        _check(name or "digits", images, labels)
    if name is None:
        raise DataError("nothing tells digits from clothes, so add `--as digits` or `--as clothes`")

    arrays = {}
    if "validation" not in parts:
        images, labels = parts.pop("train")
        n_test = 0 if "test" in parts else min(10_000, len(labels) // 5)
        arrays = data.split(images, labels, n_test, min(5000, (len(labels) - n_test) // 5))
    for part, (images, labels) in parts.items():
        arrays |= {f"x_{part}": images, f"y_{part}": labels.astype(np.int64)}
    certain = known or name == "pets"
    title = SOURCES[name]["title"] if certain else f"{name} from {where.name}"
    count = sum(len(arrays[f"y_{part}"]) for part in PARTS)
    return {"title": title} | about | {"name": name, "images": count}, arrays


def _known(parts):
    """Return the set that the arrays are known to be of, whole or by their beginnings, or None."""

    def mark(array):
        return hashlib.sha256(array.astype(np.uint8).tobytes()).hexdigest()

    arrays = [array for pair in parts.values() for array in pair]
    found = {KNOWN.get(mark(each)) or KNOWN.get(mark(each[:BEGINNING])) for each in arrays}
    if len(found) > 1:
        raise DataError(f"only a part of its arrays is that of {max(filter(None, found))}")
    return found.pop()


def _check(name, images, labels):
    """Refuse images and labels that cannot be a part of a set."""
    classes = CLASSES[one_of("its name", name, CLASSES)]
    shape, found = (SIDE, SIDE, 3) if name == "pets" else (28, 28, 1), images.shape[1:]
    if found != shape or images.dtype != np.uint8:
        raise DataError(f"its images are {images.dtype} of {found}, not uint8 of {shape}")
    if len(images) != len(labels) or len(labels) < 10:
        raise DataError(f"it has {len(images):,} images and {len(labels):,} labels")
    found = set(labels.tolist())
    if outside := found - set(range(len(classes))):
        raise DataError(f"its labels must be 0 to {len(classes) - 1}: here are {outside}")
    if lacking := [each for k, each in enumerate(classes) if k not in found]:
        raise DataError(f"there is no image of {', '.join(lacking)}")


def _store_set(about, arrays):
    """Store a set under its name, unless a larger one is there already."""
    path = data.folder() / f"{about['name']}.npz"
    with suppress(DataError):  # what is damaged, or not there, is replaced
        there = data.read(path)[1]
        if there["images"] > about["images"]:
            text = f"{_line(there)}; in {path}, is larger: delete it to take {_line(about)}"
            return Row(about["name"], "real", text)
    content = BytesIO()
    np.savez(content, **arrays, about=np.array(json.dumps(about)))
    return _store(about["name"], path, content.getbuffer(), _line(about))


def _line(about):
    return f"{about['title']}, {about['images']:,} images; {about['card']}"


def _store(name, path, content, text):
    """Put a file in its place when all of it is on the disk."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        wrong = f"{path.parent} cannot be written ({error.strerror})"
        hint = "make room there, or name another folder in COURSE_DATA_DIR"
        return Row(name, "refused", f"{wrong}: {hint}")
    finally:
        with suppress(OSError):
            part.unlink()
    return Row(name, "imported", f"{text}; in {path}")


def weights_name(file):
    """Return the name that Keras gives to these weights of MobileNet (α = 0.5, 160×160).

    `file` is a path or an open file. DataError for the weights of another network; h5py's own
    errors for what is no HDF5 file.
    """
    import h5py

    sizes = []
    with h5py.File(file) as opened:
        opened.visititems(lambda _, item: sizes.append(getattr(item, "size", 0)))  # groups: 0
        suffix = ".h5" if "layer_names" in opened.attrs else ".weights.h5"  # of Keras 2 and 3
    if sum(sizes) not in PARAMETERS:
        raise DataError(f"its {sum(sizes):,} parameters do not fit MobileNet with α = 0.5")
    return WEIGHTS[PARAMETERS.index(sum(sizes))] + suffix


def pretrained(top=False):
    """Return the path of MobileNet's ImageNet weights (α = 0.5, 160×160), or None.

    The newest among the course's real data and in Keras' own cache, of Keras 2 or 3; with
    ``COURSE_DATA=bundled`` none. `top` says whether with the layer of the 1,000 classes.
    """
    if os.environ.get("COURSE_DATA") == "bundled":
        return None
    cache = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "models"
    places = [folder / f"{WEIGHTS[top]}.h5" for folder in (data.folder(), cache)]
    places.append(data.folder() / f"{WEIGHTS[top]}.weights.h5")
    return max(filter(Path.exists, places), key=os.path.getmtime, default=None)


def fetch(names=()):
    """Download real data sets, check and store them; one that fails stops no other.

    `names` are of "digits", "clothes", "pets" and "pretrained", by default all; a ValueError for
    any other. Returns a `Row` for each.
    """
    import pooch

    pooch.get_logger().setLevel("WARNING")
    rows = []
    for here in verify(names):
        name, kept = here.name, data.folder() / "fetched" / here.name
        if here.state == "real" and SOURCES[name]["whole"] in here.text:
            rows.append(here)
            continue
        try:  # what is in `kept` already, from a fetch that was cut off, is not loaded again
            for file, (url, known) in SOURCES[name]["files"].items():
                pooch.retrieve(url, known, file, kept, progressbar=True)
        except Exception as error:
            why = f"{file} was not downloaded ({str(error).split(' (Caused')[0]})"
            ways = f"`course data fetch {name}` goes on, or `course data import PATH`"
            rows.append(Row(name, "refused", f"{why}: {ways} takes it from a disk"))
            continue
        rows += import_path(kept, name if name in CLASSES else None)
        shutil.rmtree(kept)
    return rows


def verify(names=()):
    """Read stored real data again; names and rows as those of `fetch`."""
    rows = []
    for name in [one_of("name", name, SOURCES) for name in names] or SOURCES:
        state, text = "not here", f"{SOURCES[name]['title']}: `course data fetch {name}` gets it"
        try:
            if found := _found(name):
                state, text = "real", found
        except Exception as error:
            state, text = "damaged", f"{text}, since what is here is wrong: {error}"
        rows.append(Row(name, state, text))
    return rows


def _found(name):
    """Read what is here of a real set; return a line on it, or "" if nothing is."""
    if name != "pretrained":
        path = data.folder() / f"{name}.npz"
        return f"{_line(data.read(path)[1])}; in {path}" if path.exists() else ""
    files = [str(path) for path in map(pretrained, (True, False)) if path and weights_name(path)]
    title = f"{SOURCES[name]['title']}, {len(files)} of 2 files; in "
    return files and title + " and ".join(files)


def listing():
    """Return a `Row` for each set that is bundled, and one for each that is real or could be."""
    return [Row(name, "bundled", title) for name, (title, *_) in data.BUNDLED.items()] + verify()
