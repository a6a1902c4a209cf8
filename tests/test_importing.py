"""Every form in which people have the data is taken; what is harmed is refused in one sentence."""

import errno
import gzip
import hashlib
import http.server
import os
import pickle
import struct
import threading
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import h5py
import numpy as np
import pytest
from PIL import Image

from course_utils import data, importing

REAL = Path(__file__).parents[2] / "shared" / "data"
RANDOM = np.random.RandomState(0)
X, Y = RANDOM.randint(0, 256, (200, 28, 28), np.uint8), np.arange(200, dtype=np.uint8) % 10
X2, Y2 = X[:50] // 2, Y[:50]
ARRAYS = {"x_train": X, "y_train": Y, "x_test": X2, "y_test": Y2}
PIECES = ("images-idx3-ubyte", "labels-idx1-ubyte")
IDX = [f"{part}-{piece}" for part in ("train", "t10k") for piece in PIECES]


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


def within(folder, files):
    return {f"{folder}/{name}": content for name, content in files.items()}


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
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def photo(red=128, kind="JPEG", mode="RGB"):
    return picture(Image.new("RGB", (60, 40), (red, 90, 30)).convert(mode), kind)


def npz(arrays):
    buffer = BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


IDX_FILES = dict(zip(IDX, map(idx, (X, Y, X2, Y2)), strict=True))
PACKED = {f"{name}.gz": gzip.compress(content) for name, content in IDX_FILES.items()}
KAGGLE = {
    "train.csv": csv(X, Y),
    "test.csv": b"\n".join(line.partition(b",")[2] for line in csv(X2, Y2).split(b"\n")),
}
PNGS = {f"{Y[k]}/{k}.png": picture(Image.fromarray(X[k])) for k in range(200)}
FLAT = {f"{kind}.{k}.jpg": photo(7 * k) for kind in ("cat", "dog") for k in range(30)}
FOLDERS = {f"{name[:3]}s/{name}": content for name, content in FLAT.items()}
TITLED = {f"{name[:3].title()}/{name[4:]}": content for name, content in FLAT.items()}
PARTS = within("train", FOLDERS) | within("validation", FOLDERS)
NESTED = {
    "train.zip": zipped(within("train", FLAT)),
    "test1.zip": zipped({"test1/1.jpg": photo()}),
    "sampleSubmission.csv": b"id,label\n1,0.5",
}
TWO, ONE, PETS = (160, 40, 50), (128, 32, 40), (39, 9, 12)  # with a test part, and without
TAKEN = {
    "idx": ("digits", TWO, within("MNIST/raw", IDX_FILES)),
    "idx both": ("clothes", TWO, within("FashionMNIST/raw", PACKED | IDX_FILES)),
    "idx zip": (
        "digits",
        TWO,
        {"mnist.zip": zipped({f"{n}/{n}": c for n, c in IDX_FILES.items()} | IDX_FILES)},
    ),
    "csv": ("digits", TWO, {"mnist_train.csv": csv(X, Y), "mnist_test.csv": csv(X2, Y2, False)}),
    "csv kaggle": ("digits", ONE, {"digit-recognizer.zip": zipped(KAGGLE)}),
    "npz": ("digits", TWO, {"mnist.npz": npz(ARRAYS)}),
    "pngs": ("digits", ONE, within("mnist_png", PNGS)),
    "png parts": (
        "digits",
        (160, 40, 200),
        within("mnist_png/training", PNGS) | within("mnist_png/testing", PNGS),
    ),
    "cats, dogs": ("pets", PETS, FOLDERS),
    "Cat, Dog": ("pets", PETS, within("PetImages", TITLED)),
    "flat": ("pets", PETS, within("train", FLAT)),
    "parts": ("pets", (48, 12, 60), {"cats_and_dogs_filtered.zip": zipped(PARTS)}),
    "zip in zip": ("pets", PETS, {"dogs-vs-cats.zip": zipped(NESTED)}),
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
    arrays, _ = data.read(data.folder() / f"{name}.npz")
    assert {arrays[f"y_{part}"].dtype for part in data.PARTS} == {np.dtype(np.int64)}


WITHOUT = {name: content for name, content in IDX_FILES.items() if name != IDX[3]}
REFUSED = {
    "cut off": ({"mnist.npz": npz(ARRAYS)[:-99]}, "zip"),
    "empty": ({"mnist.npz": b""}, "none that the course reads"),
    "pickle": ({"mnist.pkl.gz": gzip.compress(pickle.dumps(ARRAYS))}, "pickles it never does"),
    "pickled array": ({"mnist.npz": npz({**ARRAYS, "y_test": np.array([{}] * 50)})}, "pickle"),
    "no array": ({"mnist.npz": npz({"x_train": X, "y_train": Y})}, "are x_train, y_train, and not"),
    "float": ({"mnist.npz": npz({**ARRAYS, "x_test": X2 / 255})}, "float64 of (28, 28, 1), not"),
    "three files": (WITHOUT, "labels of train and of t10k: here is only t10k-images"),
    "other counts": ({**IDX_FILES, IDX[3]: idx(Y2[1:])}, "50 images and 49 labels"),
    "short idx": ({**IDX_FILES, IDX[0]: idx(X)[:-1]}, "cannot reshape"),
    "cut gz": ({**PACKED, f"{IDX[0]}.gz": PACKED[f"{IDX[0]}.gz"][:-99]}, "ended before"),
    "csv value": ({"mnist.csv": csv(X, Y).replace(b"255", b"256")}, "'256'"),
    "csv row": ({"mnist.csv": csv(X, Y) + b"\n1,2"}, "columns changed"),
    "csv labels": ({"mnist.csv": csv(X, Y + 3)}, "0 to 9: here are {10, 11, 12}"),
    "too few": ({"mnist.csv": csv(X[:9], Y[:9])}, "it has 9 images"),
    "one class": ({n: c for n, c in FOLDERS.items() if "cat" in n}, "no image of dog"),
    "size": ({name.replace(".png", ".jpg"): photo() for name in PNGS}, "of (40, 60, 1), not"),
    "photos": ({**FLAT, **{f"cat.{k}.jpg": b"" for k in range(100)}}, "100 of its 130"),
    "test only": (within("test", FOLDERS), "no part to train on"),
    "unknown": ({"given/train.csv": csv(X, Y)}, "--as digits"),
    "h5": ({"mobilenet.h5": b"\x89HDF\r\n\x1a\n" + bytes(999)}, "fetch pretrained"),
    "nothing": ({"notes.txt": b"hello"}, "holds nothing of what is taken: idx files"),
}


@pytest.mark.parametrize("form", REFUSED)
def test_refused_in_one_sentence_and_nothing_lost(given, form):
    put(given, {"old/mnist.npz": npz(ARRAYS)})
    assert importing.import_path(given / "old")[0].ok
    before = data.read(data.folder() / "digits.npz")[1]
    (given / "old/mnist.npz").unlink()
    files, words = REFUSED[form]
    put(given, files)
    (row,) = importing.import_path(given)
    assert (row.state, row.ok) == ("refused", False)
    assert words in row.text
    assert "\n" not in row.text
    assert str(given) in row.text
    assert form == "nothing" or "`course data fetch " in row.text
    assert data.read(data.folder() / "digits.npz")[1] == before
    assert [path.name for path in data.folder().iterdir()] == ["digits.npz"]


def test_one_refused_file_takes_no_good_one_down(given):
    put(given, {"mnist.npz": b"", "cats.zip": b"PK"})
    put(given, within("fashion", PACKED) | within("photos", FOLDERS))
    found = {(row.name, row.state) for row in importing.import_path(given)}
    refused, imported = {("digits", "refused"), ("", "refused")}, {"clothes", "pets"}
    assert found == refused | {(name, "imported") for name in imported}


def test_a_file_given_alone_and_what_its_name_does_not_tell(given):
    put(given, {"train.csv": csv(X, Y), "other/mnist.npz": b""})
    assert importing.import_path(given / "train.csv", "clothes")[0][:2] == ("clothes", "imported")
    assert importing.import_path(given / "other/mnist.npz")[0].state == "refused"
    assert "is not there" in importing.import_path(given / "absent")[0].text


def test_photos_of_all_kinds_and_broken_ones(given):
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by 90° clockwise: its left becomes its top
    halves = np.zeros((40, 60, 3), np.uint8)
    halves[:, :30, 0] = 255
    odd = {
        "Cat/1.JPG": picture(Image.fromarray(halves), "JPEG", exif=turned.tobytes()),
        "Cat/2.jpeg": photo(mode="L"),
        "Cat/3.jpg": photo(kind="WEBP"),
        "Cat/4.png": photo(kind="PNG", mode="P"),
        "Cat/5.jpg": photo(mode="CMYK"),
        "Cat/6.jpg": b"",
        "Cat/7.jpg": photo()[:-300],
        "Cat/Thumbs.db": b"\xd0\xcf\x11\xe0",
        "__MACOSX/Cat/8.jpg": b"no",
        "Cat/.9.jpg": b"no",
    }
    put(given, {**odd, **{f"Dog/{k}.jpg": photo() for k in range(9)}})
    (row,) = importing.import_path(given)
    assert "2 of its 16 pictures cannot be read: Cat/6.jpg, Cat/7.jpg" in row.text
    arrays, _ = data.read(data.folder() / "pets.npz")
    images = np.concatenate([arrays[f"x_{part}"] for part in data.PARTS])
    cats = images[np.concatenate([arrays[f"y_{part}"] for part in data.PARTS]) == 0]
    reds = cats.reshape(len(cats), 2, 80, 160, 3).mean(axis=(2, 3))  # of each half: above, below
    assert len(cats) == 5
    assert any(top[0] > 200 and below[0] < 50 for top, below in reds)
    assert sum(top[0] > top[1] + 20 for top, _ in reds) == 4  # and one is grey


def test_of_too_many_photos_an_even_choice(given, monkeypatch):
    monkeypatch.setattr(importing, "MOST_PHOTOS", 20)
    put(given, FLAT)
    importing.import_path(given)
    pets = data.load("pets")
    assert (sorted(np.bincount(pets.train.labels)), len(pets.test)) == ([6, 7], 4)


@pytest.mark.parametrize("beginning", [None, 20])
def test_arrays_that_are_known_whole_or_by_their_beginning(given, monkeypatch, beginning):
    known = [hashlib.sha256(array[:beginning].tobytes()) for array in ARRAYS.values()]
    monkeypatch.setattr(importing, "KNOWN", {mark.hexdigest(): "clothes" for mark in known})
    monkeypatch.setattr(importing, "BEGINNING", 20)
    put(given, {"digits/mnist.npz": npz(ARRAYS)})  # the content is believed, not the names
    assert importing.import_path(given, "digits")[0][:2] == ("clothes", "imported")
    assert data.load("clothes").title == "Fashion-MNIST"
    assert importing.import_path(data.folder())[0].ok  # its test part is known, the others are not
    put(given, {"digits/mnist.npz": npz({**ARRAYS, "y_train": Y[::-1]})})
    assert "only a part of its arrays is that of clothes" in importing.import_path(given)[0].text


def test_a_larger_set_stays_and_a_store_is_itself_a_form(given, monkeypatch):
    put(given, {"mnist/mnist.npz": npz(ARRAYS), "few/digits/train.csv": csv(X[:100], Y[:100])})
    importing.import_path(given / "mnist")
    (row,) = importing.import_path(given / "few")
    assert (row.ok, "is larger: delete it" in row.text) == (True, True)
    assert len(data.load("digits").train) == 160
    there, old = data.folder(), data.load("digits")
    monkeypatch.setenv("COURSE_DATA_DIR", str(given / "another"))
    assert importing.import_path(there)[0].state == "imported"
    new = data.load("digits")
    assert (new.card, new.title) == (old.card, old.title)
    np.testing.assert_array_equal(new.train.images, old.train.images)
    (data.folder() / "digits.npz").write_bytes(b"PK")  # what is damaged does not stay
    assert importing.verify(["digits"])[0].state == "damaged"
    assert importing.import_path(given / "few")[0].state == "imported"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_what_cannot_be_written_leaves_what_was_there(given, monkeypatch, error):
    def fail(*_):
        raise error

    put(given, {"mnist.npz": npz(ARRAYS), "few/digits/train.csv": csv(X[:50], Y[:50])})
    importing.import_path(given / "few")
    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(os, "replace", fail)
        (row,) = importing.import_path(given / "mnist.npz")
        assert (row.state, "No space left" in row.text) == ("refused", True)
        assert ("COURSE_DATA_DIR" in row.text, "fetch" in row.text) == (True, False)
    assert [path.name for path in data.folder().iterdir()] == ["digits.npz"]
    assert len(data.load("digits").train) == 32


@pytest.fixture
def server(given, monkeypatch):
    """A folder that is served, and the names of the files that were asked for."""
    folder, asked = given.parent / "served", []
    put(folder, {"mnist.npz": npz(ARRAYS), "cats.zip": zipped(PARTS), **PACKED})

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path[1:])

    handler = partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{running.server_port}/"
        files = {"digits": ["mnist.npz"], "clothes": list(PACKED), "pets": ["cats.zip"]}
        for name, each in files.items():
            source = importing.SOURCES[name] | {
                "files": {file: (url + file, None) for file in each}
            }
            source["whole"] = "120 images" if name == "pets" else "250 images"
            monkeypatch.setitem(importing.SOURCES, name, source)
        yield folder, asked
        running.shutdown()


def test_fetch(server, given):
    folder, asked = server
    names = ["digits", "clothes", "pets"]
    put(given, {"digits/train.csv": csv(X[:50], Y[:50])})
    assert importing.import_path(given)[0].ok  # and is too small to stay
    assert [row.state for row in importing.fetch(names)] == ["imported"] * 3
    assert [row.state for row in importing.fetch(names)] == ["real"] * 3
    assert sorted(asked) == sorted(path.name for path in folder.iterdir())
    assert not list((data.folder() / "fetched").iterdir())
    with pytest.raises(ValueError, match="did you mean 'digits'"):
        importing.fetch(["digit"])


def test_a_fetch_that_is_cut_off_goes_on(server):
    folder, asked = server
    last = folder / f"{IDX[3]}.gz"
    last.rename(folder / "away")
    rows = importing.fetch(["clothes", "digits"])
    assert [row.state for row in rows] == ["refused", "imported"]
    assert "`course data fetch clothes` goes on" in rows[0].text
    assert not (data.folder() / "clothes.npz").exists()
    (folder / "away").rename(last)
    asked.clear()
    assert importing.fetch(["clothes"])[0].ok
    assert asked == [last.name]


def test_listing_and_verify(given, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(given))
    states = [row.state for row in importing.listing()]
    assert states == ["bundled"] * 3 + ["not here"] * 4
    put(given, {"mnist.npz": npz(ARRAYS)})
    importing.import_path(given)
    assert [row.state for row in importing.verify(["digits"])] == ["real"]
    path = data.folder() / "digits.npz"
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    (row,) = importing.verify(["digits"])
    assert (row.state, row.ok) == ("damaged", False)
    assert "`course data fetch digits`" in row.text


def test_weights_of_keras_2_and_3_the_newest_counts(given, monkeypatch):
    monkeypatch.setattr(importing, "PARAMETERS", (6, 10))  # without and with the top
    monkeypatch.setenv("KERAS_HOME", str(given))
    for name, size, suffix in [("new", 6, ".weights.h5"), ("old", 6, ".h5"), ("top", 10, ".h5")]:
        with h5py.File(given / name, "w") as file:
            file.create_group("layer")["kernel"] = np.zeros((2, size // 2))
            file.attrs.update({} if name == "new" else {"layer_names": ["layer"]})
        assert importing.import_path(given / name)[0][:2] == ("pretrained", "imported")
        path = importing.pretrained(top=name == "top")
        assert path.name == importing.WEIGHTS[name == "top"] + suffix
        os.utime(path, (1, 1))  # older than the next
    assert "2 of 2 files" in importing.verify(["pretrained"])[0].text
    monkeypatch.setenv("COURSE_DATA", "bundled")
    assert importing.pretrained() is None


@pytest.mark.skipif(not REAL.exists(), reason="the real data are not beside this checkout")
def test_real_data(given, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(given))
    assert all(row.state == "imported" for row in importing.import_path(REAL))
    digits, clothes, pets = (data.load(name, "real") for name in data.CLASSES)
    assert (digits.title, clothes.title) == ("MNIST", "Fashion-MNIST")
    assert (len(digits.train), len(clothes.train), len(pets.train)) == (55000, 800, 1600)
    (data.folder() / importing.pretrained(top=True).name).write_bytes(b"\x89HDF")
    assert importing.verify(["pretrained"])[0].state == "damaged"
