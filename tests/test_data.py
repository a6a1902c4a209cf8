"""The data sets, and how they get there, tried on small stand-ins with a manifest of their own."""

import errno
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import warnings
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from course_utils import data, downloads, fetching, formats, photos
from course_utils.command import data as command
from course_utils.formats import DataError

IDX = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
PHOTOS = "cats_and_dogs_filtered"


# ---- small stand-ins ---------------------------------------------------------------------------


def small_arrays(train, test, seed, side=6):
    random = np.random.RandomState(seed)
    return {
        "x_train": random.randint(0, 256, (train, side, side)).astype(np.uint8),
        "y_train": (np.arange(train) % 10).astype(np.uint8),
        "x_test": random.randint(0, 256, (test, side, side)).astype(np.uint8),
        "y_test": (np.arange(test) % 10).astype(np.uint8),
    }


def npz_bytes(arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def idx_bytes(array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


def jpeg_bytes(seed, mode="RGB", size=(24, 18)):
    from PIL import Image

    random = np.random.RandomState(seed)
    small = random.randint(0, 256, (3, 4, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(small).resize(size).convert(mode).save(file, "JPEG")
    return file.getvalue()


def zip_bytes(contents):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file.getvalue()


def photo_contents(train=10, test=4):
    modes = ("RGB", "L", "CMYK")
    return {
        f"{PHOTOS}/{part}/{kind}s/{kind}.{n}.jpg": jpeg_bytes(
            n + 100 * (kind == "dog"), modes[n % 3]
        )
        for part, count in (("train", train), ("validation", test))
        for kind in ("cat", "dog")
        for n in range(count)
    }


class Room:
    """A scratch checkout: a data folder with its manifest, a folder of downloads, a stick."""

    def __init__(self, base):
        self.base = base
        self.data = base / "data"
        self.downloads = base / "Übung mit Bildern" / "downloads"
        self.stick = base / "stick"
        for folder in (self.data, self.stick):
            folder.mkdir(parents=True)
        shutil.copy(downloads.DATA / "README.md", self.data)
        self.digits = small_arrays(60, 20, seed=1)
        self.clothes = small_arrays(70, 30, seed=2)
        self.sample = small_arrays(20, 20, seed=3)
        self.files = {"mnist.npz": npz_bytes(self.digits)}
        self.files |= {
            file: idx_bytes(self.clothes[array]) for file, array in zip(IDX, ARRAYS, strict=True)
        }
        self.sample_files = {
            file: idx_bytes(self.sample[array]) for file, array in zip(IDX, ARRAYS, strict=True)
        }
        self.files[f"{PHOTOS}.zip"] = zip_bytes(
            photo_contents() | {f"{PHOTOS}/vectorize.py": b"", f"__MACOSX/{PHOTOS}/x.jpg": b"no"}
        )
        self.write_manifest("http://127.0.0.1:9/")

    def write_manifest(self, url):
        manifest = json.loads((Path(__file__).parents[1] / "data/manifest.json").read_text())

        def spec(arrays, hashed):
            return {
                name: {"shape": array.shape}
                | ({"sha256": hashlib.sha256(array.tobytes()).hexdigest()} if hashed else {})
                for name, array in arrays.items()
            }

        digits = manifest["digits"]["real"]["mnist"]
        digits |= {"validation": 12, "arrays": spec(self.digits, True)}
        digits["files"]["mnist.npz"]["sha256"] = hashlib.sha256(self.files["mnist.npz"]).hexdigest()
        whole = manifest["clothes"]["real"]["fashion-mnist"]
        whole |= {"validation": 15, "arrays": spec(self.clothes, False)}
        for file in IDX:
            whole["files"][file]["md5"] = hashlib.md5(self.files[file]).hexdigest()
        sample = manifest["clothes"]["real"]["fashion-mnist-sample"]
        sample |= {"validation": 5, "arrays": spec(self.sample, True)}
        pets = manifest["pets"]["real"]["cats-and-dogs"]
        pets["validation"] = 6
        pets["train"] = dict.fromkeys(pets["train"], 10)
        pets["test"] = dict.fromkeys(pets["test"], 4)
        for variant in (digits, whole, pets):
            for file, entry in variant["files"].items():
                entry["url"] = url + file
        for variant in (digits, whole, sample, pets):
            for entry in variant["files"].values():
                entry["limit"] = 100_000
        (self.data / "manifest.json").write_text(json.dumps(manifest))

    def put(self, *names, folder=None, files=None):
        folder = folder or self.stick
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).write_bytes((files or self.files)[name])
        return folder

    def everything(self):
        """All that the folder of downloads holds, hidden files of the machinery aside."""
        return {
            path.relative_to(self.downloads).as_posix(): path.read_bytes()
            for path in sorted(self.downloads.rglob("*"))
            if path.is_file() and not path.relative_to(self.downloads).parts[0].startswith(".")
        }

    def litter(self):
        """Files that a cut-off delivery would leave behind."""
        return [path for path in self.downloads.glob(".*") if path.name.startswith(".incoming")]


@pytest.fixture
def room(tmp_path, monkeypatch):
    room = Room(tmp_path)
    monkeypatch.setattr(downloads, "DATA", room.data)
    monkeypatch.setenv("COURSE_DATA_DIR", str(room.downloads))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setattr(data, "_OPENINGS", type(data._OPENINGS)())
    return room


def refused(call, *parts):
    """The sentence of a refusal; it holds each of the parts, and is one sentence."""
    with pytest.raises(DataError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    for part in parts:
        assert part in text
    return text


# ---- loading -----------------------------------------------------------------------------------


def test_import_is_light():
    code = (
        "import sys, course_utils.data\n"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'sklearn', 'pandas', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_bundled_digits_are_scikit_learns(room):
    from sklearn.datasets import load_digits

    images, labels = data._digits()
    small = load_digits()
    assert images.shape == (1797, 28, 28, 1)
    assert images.dtype == np.uint8
    assert images.max() == 255
    np.testing.assert_array_equal(labels, small.target)
    assert labels.dtype == np.int64
    assert not images[:, :4].any()
    assert not images[:, :, 24:].any()
    # Enlarging keeps the ink: the mean of the 20×20 part is that of the 8×8.
    np.testing.assert_allclose(
        images[:, 4:24, 4:24, 0].mean(axis=(1, 2)) / 255,
        small.images.mean(axis=(1, 2)) / 16,
        atol=0.02,
    )


def test_bundled_digits_without_scikit_learns_file(room, monkeypatch):
    expected = data._digits()
    monkeypatch.setattr(Path, "is_file", lambda self: False)
    for one, other in zip(data._digits(), expected, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def test_bundled_split(room):
    digits = data.load("digits")
    assert digits.source == "bundled"
    assert (len(digits.train), len(digits.validation), len(digits.test)) == (1077, 360, 360)
    assert set(digits.validation.counts().values()) == {36}
    assert digits.image_shape == (28, 28, 1)
    assert digits.describe() == (
        "digits: bundled handwritten digits (1,077 train, 360 validation, 360 sealed test); "
        "real MNIST: course data fetch digits"
    )
    again = data.load("digits", "bundled")
    np.testing.assert_array_equal(again.train.images, digits.train.images)
    np.testing.assert_array_equal(again.train.labels, digits.train.labels)
    images, labels = data._digits()
    seen = []
    digits.evaluate(lambda images, labels: seen.append((images, labels)))
    parts = [tuple(digits.train), tuple(digits.validation), *seen]

    def tags(images, labels):
        pairs = zip(images, labels, strict=True)
        return sorted(image.tobytes() + bytes([label]) for image, label in pairs)

    assert sorted(sum((tags(*part) for part in parts), [])) == tags(images, labels)


@pytest.mark.parametrize("name", ["clothes", "pets"])
def test_bundled_drawings(room, monkeypatch, name):
    classes = {"clothes": 10, "pets": 2}[name]
    n = {"clothes": 6000, "pets": 1200}[name]
    side = {"clothes": (28, 28, 1), "pets": (4, 4, 3)}[name]
    monkeypatch.setattr(data, "SIZES", range(4, 9))
    labels = np.arange(n) % classes
    images = np.broadcast_to((labels * 20).astype(np.uint8)[:, None, None, None], (n, *side))

    from course_utils import drawing

    monkeypatch.setattr(drawing, "read_bundled", lambda name, folder: (images, labels))
    found = data.load(name, **({"size": 4} if name == "pets" else {}))
    expected = {"clothes": (4400, 600, 1000), "pets": (800, 200, 200)}[name]
    assert (len(found.train), len(found.validation), len(found.test)) == expected
    assert set(found.validation.counts().values()) == {expected[1] // classes}
    assert (found.train.images[:, 0, 0, 0] == found.train.labels * 20).all()
    if name == "pets":
        assert data.load(name, size=8).image_shape == (8, 8, 3)


def test_bundled_drawings_missing_or_wrong(room, monkeypatch):
    refused(lambda: data.load("clothes"), "course data draw")
    from course_utils import drawing

    labels = np.arange(6000) % 10
    labels[17] = 11
    images = np.zeros((6000, 28, 28, 1), np.uint8)
    monkeypatch.setattr(drawing, "read_bundled", lambda name, folder: (images, labels))
    refused(lambda: data.load("clothes"), "drawn clothes", "0 to 9", "11")


def test_class_names_are_drawings():
    from course_utils import drawing

    manifest = downloads.manifest()
    assert tuple(manifest["clothes"]["classes"]) == drawing.CLOTHES
    assert tuple(manifest["pets"]["classes"]) == drawing.PETS


def test_every_data_set_has_a_card(room):
    for name, spec in downloads.manifest().items():
        for title in [spec["bundled"]["title"], *(v.title for v in downloads.variants(name))]:
            card = data._card(title)
            assert card.startswith(f"## {title}\n")
            for word in ("**What**", "**Origin**", "**Licence**", "**Size**", "**Known"):
                assert word in card


def test_unknown_names(room, monkeypatch):
    with pytest.raises(ValueError, match="did you mean 'digits'"):
        data.load("digit")
    with pytest.raises(ValueError, match="did you mean 'clothes'"):
        data.load("Cloths")
    with pytest.raises(ValueError, match=r"source must be one of .*did you mean 'bundled'"):
        data.load("digits", "bundle")
    monkeypatch.setenv("COURSE_DATA", "reel")
    with pytest.raises(ValueError, match=r"COURSE_DATA must be one of .*did you mean 'real'"):
        data.load("digits")
    for size in (0, 7, 257, 32.0, True, "32"):
        with pytest.raises(ValueError, match="from 8 to 256"):
            data.load("pets", size=size)
    with pytest.raises(ValueError, match="only for pets"):
        data.load("digits", "bundled", size=28)


def test_real_and_nothing_there(room, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", "real")
    with pytest.raises(FileNotFoundError) as caught:
        data.load("digits")
    assert "`course data fetch digits`" in str(caught.value)
    assert "`course data import PATH`" in str(caught.value)


# ---- splits and the seal -----------------------------------------------------------------------


def split(counts, side=2):
    labels = np.repeat(np.arange(len(counts)), counts)
    images = np.arange(len(labels), dtype=np.uint8)[:, None, None, None]
    images = np.broadcast_to(images, (len(labels), side, side, 1))
    return data.Split(images, labels, tuple("abcdefghij"[: len(counts)]))


def test_take_is_balanced_and_repeatable():
    whole = split([30, 5, 40])
    part = whole.take(21, seed=3)
    assert part.counts() == {"a": 8, "b": 5, "c": 8}
    positions = part.images[:, 0, 0, 0]
    assert len(set(positions.tolist())) == 21
    np.testing.assert_array_equal(whole.labels[positions], part.labels)
    np.testing.assert_array_equal(whole.take(21, seed=3).images, part.images)
    assert (whole.take(21, seed=4).images != part.images).any()
    assert (np.diff(part.labels) < 0).any()  # not class after class
    assert sorted(whole.take(12).counts().values()) == [4, 4, 4]
    assert sorted(whole.take(75).images[:, 0, 0, 0].tolist()) == list(range(75))
    assert max(whole.take(13).counts().values()) == 5
    for n in (0, 76, -1, 2.0, True, None):
        with pytest.raises(ValueError, match="from 1 to 75"):
            whole.take(n)


def test_take_draws_from_all_of_a_class():
    whole = split([50, 50])
    seen = set()
    for seed in range(60):
        seen |= set(whole.take(10, seed=seed).images[:, 0, 0, 0].tolist())
    assert len(seen) > 95


def test_split_refuses_what_is_none():
    images, labels = split([3, 3])
    names = ("a", "b")
    for wrong in (
        (images.astype(float), labels, names),
        (images[..., 0], labels, names),
        (images, labels[:-1], names),
        (images, labels.astype(np.uint8), names),
        (images, labels[:, None], names),
        (images, labels + 1, names),
        (images, labels - 1, names),
    ):
        refused(lambda wrong=wrong: data.Split(*wrong))
    assert [len(part) for part in split([3, 3])] == [6, 6]


def test_sealed_test_counts_its_openings(room):
    digits = data.load("digits")
    assert not [name for name in vars(digits.test) if not name.startswith("_")]
    assert not hasattr(digits.test, "images")
    assert "never opened" in repr(digits.test)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert digits.evaluate(lambda images, labels: (images.shape, labels.shape)) == (
            (360, 28, 28, 1),
            (360,),
        )
    assert digits.test.openings == 1
    assert "opened once" in repr(digits.test)
    again = data.load("digits")  # the count is the data set's, not the object's
    with pytest.warns(UserWarning, match=r"digits .* 2 times.* no longer an honest estimate"):
        again.evaluate(lambda images, labels: None)
    assert digits.test.openings == 2
    assert "opened 2 times" in repr(digits.test)

    def spoil(images, labels):
        labels[:] = 0

    with pytest.warns(UserWarning, match="3 times"), pytest.raises(ValueError, match="read-only"):
        digits.evaluate(spoil)


def test_markdown(room):
    text = data.load("digits")._repr_markdown_()
    assert "| 3 | " in text
    assert "scikit-learn" in text
    assert "360 sealed test" in text


# ---- import ------------------------------------------------------------------------------------


def test_import_digits(room):
    room.put("mnist.npz")
    (installed,) = fetching.import_(room.stick / "mnist.npz")
    assert (installed.name, installed.title, installed.changed) == ("digits", "MNIST", True)
    digits = data.load("digits")
    assert (digits.source, digits.title) == ("real", "MNIST")
    assert digits.describe() == "digits: MNIST (48 train, 12 validation, 20 sealed test)"
    np.testing.assert_array_equal(digits.train.images[..., 0], room.digits["x_train"][:48])
    np.testing.assert_array_equal(digits.validation.labels, room.digits["y_train"][48:])
    assert digits.evaluate(lambda images, _: (images[..., 0] == room.digits["x_test"]).all())
    before = room.everything()
    assert not fetching.import_(room.stick)[0].changed
    assert room.everything() == before
    assert not room.litter()
    assert data.load("digits", "bundled").source == "bundled"


def test_another_zip_around_the_same_arrays(room):
    file = io.BytesIO()
    np.savez(file, **room.digits, more=np.array([{"an": "object"}], dtype=object))
    (room.stick / "mnist (1).npz").write_bytes(file.getvalue())
    assert fetching.import_(room.stick / "mnist (1).npz")[0].changed
    assert data.load("digits", "real").title == "MNIST"


def test_a_pickled_object_is_never_read(room):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(room.base / "trap"),))

    file = io.BytesIO()
    np.savez(file, **(room.digits | {"y_test": np.array([Trap()] * 20, dtype=object)}))
    (room.stick / "mnist.npz").write_bytes(file.getvalue())
    refused(lambda: fetching.import_(room.stick), "y_test is object")
    assert not (room.base / "trap").exists()


def test_import_clothes_whole_and_sample_side_by_side(room):
    sample = room.put(*IDX, folder=room.base / "sample", files=room.sample_files)
    fetching.import_(sample / IDX[2])  # one of the four brings the others
    clothes = data.load("clothes")
    assert clothes.describe() == (
        "clothes: Fashion-MNIST sample (15 train, 5 validation, 20 sealed test); "
        "all of Fashion-MNIST: course data fetch clothes"
    )
    np.testing.assert_array_equal(clothes.train.images[..., 0], room.sample["x_train"][:15])
    room.put(*IDX)
    assert fetching.import_(room.stick)[0].title == "Fashion-MNIST"
    clothes = data.load("clothes")
    assert clothes.describe() == "clothes: Fashion-MNIST (55 train, 15 validation, 30 sealed test)"
    np.testing.assert_array_equal(clothes.validation.images[..., 0], room.clothes["x_train"][55:])
    assert [status.title for status in downloads.verify("clothes")] == [
        "Fashion-MNIST",
        "Fashion-MNIST sample",
    ]


def test_the_four_files_are_a_set(room):
    room.put(*IDX[:3])
    refused(lambda: fetching.import_(room.stick), "Fashion-MNIST", "4 files", IDX[3])
    assert room.everything() == {}
    # Files of the sample among those of the whole
    room.put(*IDX)
    room.put(IDX[3], files=room.sample_files)
    text = refused(lambda: fetching.import_(room.stick))
    assert IDX[0] in text or IDX[3] in text
    assert room.everything() == {}


def test_import_photos(room):
    room.put(f"{PHOTOS}.zip")
    fetching.import_(room.stick)
    pets = data.load("pets", size=16)
    assert pets.describe() == "pets: Cats and Dogs (14 train, 6 validation, 8 sealed test)"
    assert pets.validation.counts() == {"cat": 3, "dog": 3}
    assert pets.train.counts() == {"cat": 7, "dog": 7}
    assert pets.image_shape == (16, 16, 3)
    assert data.load("pets").image_shape == (150, 150, 3)
    expected = decoded(room.files[f"{PHOTOS}.zip"], 16)
    images = np.concatenate([pets.train.images, pets.validation.images])
    labels = np.concatenate([pets.train.labels, pets.validation.labels])
    found = sorted((image.tobytes(), label) for image, label in zip(images, labels, strict=True))
    assert found == sorted(expected)
    record = json.loads((room.downloads / "cats-and-dogs/accepted.json").read_text())
    assert record["sha256"] == [hashlib.sha256(room.files[f"{PHOTOS}.zip"]).hexdigest()]


def decoded(archive, size):
    """The training photos, decoded as plainly as can be."""
    from PIL import Image

    photos = []
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        for name in file.namelist():
            if name.startswith(f"{PHOTOS}/train/"):
                photo = Image.open(io.BytesIO(file.read(name))).convert("RGB")
                photo = photo.resize((size, size), Image.Resampling.BILINEAR)
                photos.append((np.asarray(photo).tobytes(), int("/dogs/" in name)))
    return photos


def test_photos_are_decoded_once(room, monkeypatch):
    room.put(f"{PHOTOS}.zip")
    fetching.import_(room.stick)
    expected = data.load("pets").train.images
    calls = []
    real = photos.read_photos
    monkeypatch.setattr(photos, "read_photos", lambda *args: calls.append(1) or real(*args))
    np.testing.assert_array_equal(data.load("pets").train.images, expected)
    assert calls == []
    # A cache that was harmed is made again: it is not the data.
    (cache,) = (room.downloads / ".cache").glob("*.npy")
    content = cache.read_bytes()
    for harmed in (content[:-1], content[:-1] + b"x", b"", b"not an array"):
        cache.write_bytes(harmed)
        calls.clear()
        np.testing.assert_array_equal(data.load("pets").train.images, expected)
        assert calls == [1]
        assert cache.read_bytes() == content
    cache.unlink()
    cache.mkdir()
    np.testing.assert_array_equal(data.load("pets").train.images, expected)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.pop(f"{PHOTOS}/train/cats/cat.3.jpg"), "9 photos, expected 10"),
        (lambda c: c.update({f"{PHOTOS}/train/dogs/one.jpg": jpeg_bytes(7)}), "11 photos"),
        (lambda c: c.update({f"{PHOTOS}/train/cats/cat.3.jpg": b"text"}), "cat.3.jpg"),
        (lambda c: c.update({f"{PHOTOS}/train/cats/cat.3.jpg": jpeg_bytes(1)[:-99]}), "cat.3.jpg"),
        (lambda c: c.update({f"{PHOTOS}/train/cats/cat.3.jpg": png_bytes()}), "cat.3.jpg"),
    ],
)
def test_photos_that_are_not_as_they_should_be(room, change, said):
    contents = photo_contents()
    change(contents)
    (room.stick / f"{PHOTOS}.zip").write_bytes(zip_bytes(contents))
    refused(lambda: fetching.import_(room.stick), f"{PHOTOS}.zip", said, "28 photos in 4 folders")
    assert room.everything() == {}


def png_bytes():
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (20, 20)).save(file, "PNG")
    return file.getvalue()


def test_a_photo_of_too_many_pixels(room, monkeypatch):
    monkeypatch.setattr(photos, "PIXEL_LIMIT", 24 * 18 - 1)
    room.put(f"{PHOTOS}.zip")
    refused(lambda: fetching.import_(room.stick), "24×18 pixels")
    monkeypatch.setattr(photos, "PIXEL_LIMIT", 24 * 18)
    monkeypatch.setattr(photos, "PHOTO_LIMIT", 50)
    refused(lambda: fetching.import_(room.stick), "more than 50")


def test_other_photos_than_were_accepted(room):
    room.put(f"{PHOTOS}.zip")
    fetching.import_(room.stick)
    place = room.downloads / "cats-and-dogs" / f"{PHOTOS}.zip"
    other = zip_bytes(photo_contents() | {f"{PHOTOS}/train/cats/cat.0.jpg": jpeg_bytes(99)})
    place.write_bytes(other)
    accepted = hashlib.sha256(room.files[f"{PHOTOS}.zip"]).hexdigest()
    refused(lambda: data.load("pets"), accepted, hashlib.sha256(other).hexdigest())
    (room.stick / f"{PHOTOS}.zip").write_bytes(other)  # said on purpose, it is accepted
    fetching.import_(room.stick)
    assert data.load("pets").source == "real"
    (place.parent / "accepted.json").write_text("{")
    refused(lambda: data.load("pets"), "no record", "course data import")
    assert not fetching.import_(place)[0].changed
    assert data.load("pets").source == "real"


def test_import_a_zip_of_everything(room):
    files = {f"course/fashion/{name}": room.files[name] for name in IDX}
    files |= {f"course/sample/{name}": room.sample_files[name] for name in IDX}
    files |= {name: room.files[name] for name in ("mnist.npz", f"{PHOTOS}.zip")}
    files |= {"__MACOSX/mnist.npz": b"no", "read me.txt": b"yes"}
    archive = room.stick / "all of it.zip"
    archive.write_bytes(zip_bytes(files))
    found = {(installed.name, installed.title) for installed in fetching.import_(archive)}
    assert found == {
        ("digits", "MNIST"),
        ("clothes", "Fashion-MNIST"),
        ("clothes", "Fashion-MNIST sample"),
        ("pets", "Cats and Dogs"),
    }
    for name in data.NAMES:
        assert data.load(name, "real").source == "real"
    assert not room.litter()


def test_import_known_zips_under_other_names(room):
    (room.stick / "a.zip").write_bytes(room.files["mnist.npz"])
    (room.stick / "b.zip").write_bytes(room.files[f"{PHOTOS}.zip"])
    assert fetching.import_(room.stick / "a.zip")[0].name == "digits"
    assert fetching.import_(room.stick / "b.zip")[0].name == "pets"


def test_one_wrong_file_and_nothing_changes(room):
    room.put(*room.files)
    (room.stick / f"{PHOTOS}.zip").write_bytes(b"PK\3\4 and then nothing")
    refused(lambda: fetching.import_(room.stick), f"{PHOTOS}.zip")
    assert room.everything() == {}
    assert not room.litter()


def test_nothing_to_import(room, tmp_path):
    refused(lambda: fetching.import_(tmp_path / "absent"), "there is nothing at")
    refused(lambda: fetching.import_(room.stick), "none of the files", "mnist.npz")
    (room.stick / "notes.txt").write_text("hello")
    refused(lambda: fetching.import_(room.stick / "notes.txt"), "none of the files")
    (room.stick / "notes.zip").write_bytes(zip_bytes({"notes.txt": b"hello"}))
    refused(lambda: fetching.import_(room.stick / "notes.zip"), "none of the files")
    if hasattr(os, "mkfifo"):
        os.mkfifo(room.stick / "mnist.npz")
        refused(lambda: fetching.import_(room.stick / "mnist.npz"), "neither a file nor a folder")
        refused(lambda: fetching.import_(room.stick))


def test_hidden_folders_and_too_many_files(room, monkeypatch):
    room.put("mnist.npz", folder=room.stick / ".cache")
    refused(lambda: fetching.import_(room.stick), "none of the files")
    room.put("mnist.npz", folder=room.stick / "deep" / "er")
    assert fetching.import_(room.stick)
    monkeypatch.setattr(fetching, "SEARCH_LIMIT", 2)
    refused(lambda: fetching.import_(room.stick), "more than 2 files")


@pytest.mark.parametrize(
    "name",
    [
        "../mnist.npz",
        "a/../../mnist.npz",
        "/mnist.npz",
        "C:/mnist.npz",
        "c:mnist.npz",
        "..\\mnist.npz",
        "\\\\server\\mnist.npz",
    ],
)
def test_entries_that_would_land_outside(room, name):
    archive = room.stick / "a.zip"
    archive.write_bytes(zip_bytes({"mnist.npz": room.files["mnist.npz"], name: b"evil"}))
    refused(lambda: fetching.import_(archive), "outside of the folder", "a.zip")
    assert room.everything() == {}
    assert not (room.base / "mnist.npz").exists()


def test_symbolic_links_in_a_zip(room):
    link = zipfile.ZipInfo("mnist.npz")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(room.stick / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    refused(lambda: fetching.import_(room.stick / "a.zip"), "outside of the folder")


def test_zips_of_other_kinds(room):
    path = room.stick / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("mnist.npz", room.files["mnist.npz"])
    refused(lambda: fetching.import_(path), "compressed in a way")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("mnist.npz", room.files["mnist.npz"])
            archive.writestr("mnist.npz", b"another")
    refused(lambda: fetching.import_(path), "mnist.npz twice")
    content = bytearray(zip_bytes({"mnist.npz": room.files["mnist.npz"]}))
    content[content.rindex(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    refused(lambda: fetching.import_(path), "encrypted")


def test_bombs(room):
    path = room.stick / "a.zip"
    path.write_bytes(zip_bytes({"mnist.npz": bytes(10_000_000)}))
    assert path.stat().st_size < 20_000
    refused(lambda: fetching.import_(path), "10,000,000 bytes, more than 100,000")
    (room.stick / "mnist.npz").write_bytes(
        zip_bytes({f"{array}.npy": bytes(50_000_000) for array in ARRAYS})
    )
    refused(lambda: fetching.import_(room.stick), "50,000,000 bytes")
    (room.stick / "mnist.npz").write_bytes(bytes(200_000))
    refused(lambda: fetching.import_(room.stick), "more than 100,000 bytes")
    (room.stick / "mnist.npz").unlink()
    room.put(*IDX)
    header = gzip.decompress(room.files[IDX[0]])[:16]
    (room.stick / IDX[0]).write_bytes(gzip.compress(header + bytes(50_000_000)))
    refused(lambda: fetching.import_(room.stick), IDX[0], "goes on after its end")


def test_a_header_that_claims_too_much(room):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "|u1", "fortran_order": False, "shape": (10**12, 28, 28)}
    )
    entries = {f"{array}.npy": file.getvalue() for array in ARRAYS}
    (room.stick / "mnist.npz").write_bytes(zip_bytes(entries))
    refused(lambda: fetching.import_(room.stick), "1000000000000")


def test_a_table_of_contents_that_is_too_long(room, monkeypatch):
    room.put("mnist.npz")
    monkeypatch.setattr(formats, "DIRECTORY_LIMIT", 20)
    refused(lambda: fetching.import_(room.stick), "table of contents")


@pytest.mark.parametrize(
    ("array", "values", "said"),
    [
        ("y_train", np.arange(60, dtype=np.uint8) % 11, "labels y_train must be 0 to 9: got 10"),
        ("y_train", np.arange(59, dtype=np.uint8) % 10, "(59,)"),
        ("y_test", (np.arange(20) % 9).astype(np.uint8), "y_test has SHA-256"),
        ("x_test", np.zeros((20, 6, 6), np.float32), "float32"),
        ("x_train", np.zeros((60, 36), np.uint8), "(60, 36)"),
        ("x_train", np.zeros((60, 6, 6), np.uint8), "x_train has SHA-256"),
    ],
)
def test_arrays_that_are_not_mnists(room, array, values, said):
    (room.stick / "mnist.npz").write_bytes(npz_bytes(room.digits | {array: values}))
    expected = hashlib.sha256(room.files["mnist.npz"]).hexdigest()
    refused(lambda: fetching.import_(room.stick), "mnist.npz", said, expected)


def test_missing_array(room):
    arrays = {name: room.digits[name] for name in ARRAYS[:3]}
    (room.stick / "mnist.npz").write_bytes(npz_bytes(arrays))
    refused(lambda: fetching.import_(room.stick), "no array y_test")


def test_mnists_own_idx_files_are_not_fashion(room):
    for file, array in zip(IDX, ARRAYS, strict=True):
        other = room.clothes[array] if array.startswith("y") else 255 - room.clothes[array]
        (room.stick / file).write_bytes(idx_bytes(other))
    md5 = hashlib.md5(room.files[IDX[0]]).hexdigest()
    refused(lambda: fetching.import_(room.stick), IDX[0], md5)
    wrong = dict(zip(IDX, ARRAYS, strict=True))
    for file, array in wrong.items():
        (room.stick / file).write_bytes(idx_bytes(room.sample[array] // 2 + 100))
    refused(lambda: fetching.import_(room.stick), "SHA-256")


# ---- what is there is held to what was accepted ------------------------------------------------


def harm(path, kind):
    content = path.read_bytes()
    if kind == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif kind == "flipped":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :])
    elif kind == "wrong":
        path.write_bytes(zip_bytes({"hello.txt": b"hello"}))
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "folder":
        path.unlink()
        path.mkdir()


@pytest.mark.parametrize("kind", ["truncated", "flipped", "wrong", "empty", "folder"])
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("digits", "mnist/mnist.npz"),
        ("clothes", f"fashion-mnist/{IDX[0]}"),
        ("clothes", f"fashion-mnist/{IDX[3]}"),
        ("pets", f"cats-and-dogs/{PHOTOS}.zip"),
    ],
)
def test_harmed_files_are_refused_and_mended(room, capsys, name, file, kind):
    room.put(*room.files)
    fetching.import_(room.stick)
    data.load(name)
    before = room.everything()
    place = room.downloads / file
    harm(place, kind)
    for source in ("auto", "real"):
        refused(lambda source=source: data.load(name, source), str(place), f"data fetch {name}")
    assert data.load("digits", "bundled").source == "bundled"
    assert [bool(status.problem) for status in downloads.verify(name)] == [True]
    if kind == "folder":
        refused(lambda: fetching.import_(room.stick), "is a folder", "remove it")
        place.rmdir()
    fetching.import_(room.stick)
    assert room.everything() == before
    assert data.load(name).source == "real"
    assert [status.problem for status in downloads.verify(name)] == [""]


def test_a_missing_file_of_a_set(room):
    room.put(*IDX)
    fetching.import_(room.stick)
    (room.downloads / "fashion-mnist" / IDX[2]).unlink()
    refused(lambda: data.load("clothes"), IDX[2], "not there", "course data fetch clothes")


def test_verified_files_are_not_hashed_again(room, monkeypatch):
    room.put(*room.files)
    fetching.import_(room.stick)
    for path in room.downloads.rglob("*"):
        if path.is_file():
            os.utime(path, ns=(10**18, 10**18))
    for name in data.NAMES:
        data.load(name)  # notes the new times
    hashed = []
    for module in (formats, photos):
        real = module.digest
        monkeypatch.setattr(module, "digest", lambda *a, r=real: hashed.append(a) or r(*a))
    monkeypatch.setattr(formats, "array_digest", lambda *a: hashed.append(a))
    from course_utils import memory

    monkeypatch.setattr(memory, "digest", lambda *a: hashed.append(a))
    for name in data.NAMES:
        assert data.load(name).source == "real"
    assert hashed == []


def test_a_change_within_the_clocks_tick_is_seen(room):
    room.put("mnist.npz")
    fetching.import_(room.stick)
    data.load("digits")
    place = room.downloads / "mnist/mnist.npz"
    then = place.stat().st_mtime_ns
    other = room.digits | {"x_train": room.digits["x_train"][::-1]}
    content = npz_bytes(other)
    size = place.stat().st_size
    assert len(content) == size
    place.write_bytes(content)
    os.utime(place, ns=(then, then))
    refused(lambda: data.load("digits"), "x_train has SHA-256")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"mnist/mnist.npz": 3}', '{"mnist/mnist.npz": {}}', "[" * 9999],
)
def test_a_harmed_memory_is_only_forgotten(room, content):
    room.put("mnist.npz")
    fetching.import_(room.stick)
    (room.downloads / ".verified.json").write_text(content)
    assert data.load("digits").source == "real"
    assert "mnist/mnist.npz" in json.loads((room.downloads / ".verified.json").read_text())


def test_reading_needs_no_permission_to_write(room, monkeypatch):
    room.put("mnist.npz", f"{PHOTOS}.zip")
    fetching.import_(room.stick)
    (room.downloads / ".verified.json").unlink()
    shutil.rmtree(room.downloads / ".cache")

    def deny(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", deny)
    monkeypatch.setattr(Path, "mkdir", deny)
    assert data.load("digits").source == "real"
    assert data.load("pets").source == "real"


def test_a_file_where_the_folder_should_be(room, monkeypatch):
    path = room.base / "file"
    path.write_text("")
    monkeypatch.setenv("COURSE_DATA_DIR", str(path))
    refused(lambda: data.load("digits"), "COURSE_DATA_DIR", "is a file")
    room.put("mnist.npz")
    refused(lambda: fetching.import_(room.stick), "COURSE_DATA_DIR")


# ---- a disk that refuses, and a process that dies ----------------------------------------------


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.ENOSPC, "full disk"),
        (errno.EACCES, "may not be written"),
        (errno.EROFS, "COURSE_DATA_DIR"),
        (errno.EIO, "could not be written"),
    ],
)
@pytest.mark.parametrize("place", ["tempfile.mkdtemp", "os.fsync", "os.replace"])
def test_a_disk_that_refuses(room, monkeypatch, code, said, place):
    room.put(*IDX)
    fetching.import_(room.stick)
    before = room.everything()
    harm(room.downloads / "fashion-mnist" / IDX[0], "flipped")
    harmed = room.everything()
    calls = []

    def refuse(*args, **kwargs):
        calls.append(args)
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(place, refuse)
        refused(lambda: fetching.import_(room.stick), said, str(room.downloads))
    assert calls
    assert room.everything() == harmed
    assert not room.litter()
    fetching.import_(room.stick)
    assert room.everything() == before


def test_an_import_that_is_interrupted(room, monkeypatch):
    room.put(*room.files)

    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fetching, "_install", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetching.import_(room.stick)
    assert room.everything() == {}
    assert not room.litter()


def test_killed_while_photos_are_replaced(room, monkeypatch):
    room.put(f"{PHOTOS}.zip")
    fetching.import_(room.stick)
    other = zip_bytes(photo_contents() | {f"{PHOTOS}/train/cats/cat.0.jpg": jpeg_bytes(99)})
    (room.stick / f"{PHOTOS}.zip").write_bytes(other)
    real = os.replace
    place = room.downloads / "cats-and-dogs" / f"{PHOTOS}.zip"
    for after in (False, True):

        def die(source, target, after=after):
            if Path(target) != place:
                return real(source, target)
            if after:
                real(source, target)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", die)
            with pytest.raises(KeyboardInterrupt):
                fetching.import_(room.stick)
        assert place.read_bytes() == (other if after else room.files[f"{PHOTOS}.zip"])
        assert data.load("pets").source == "real"


def test_leftovers_of_killed_runs_go_after_a_day(room):
    room.put("mnist.npz")
    old, new = room.downloads / ".incoming-old", room.downloads / ".incoming-new"
    for path in (old, new):
        path.mkdir(parents=True)
    os.utime(old, (1, 1))
    fetching.import_(room.stick)
    assert not old.exists()
    assert new.exists()


# ---- mutations ---------------------------------------------------------------------------------


def mutate(content, random):
    """One of the ways in which a file gets harmed."""
    content = bytearray(content)
    kind = random.randint(7)
    if kind == 0:
        return bytes(content[: random.randint(len(content))])
    if kind == 1:
        for _ in range(random.randint(1, 9)):
            content[random.randint(len(content))] ^= 1 << random.randint(8)
        return bytes(content)
    if kind == 2:  # near the ends, where the tables are
        at = random.choice([random.randint(64), -random.randint(1, 200)])
        content[at] = random.randint(256)
        return bytes(content)
    if kind == 3:
        start = random.randint(len(content))
        del content[start : start + random.randint(1, 50)]
        return bytes(content)
    if kind == 4:
        return bytes(content) + random.bytes(random.randint(1, 50))
    if kind == 5:
        start = random.randint(len(content))
        content[start : start + 8] = b"\xff" * 8
        return bytes(content)
    return random.bytes(random.randint(300))


def try_mutations(room, count, seed):
    """Import mutated files: each is refused in a sentence, or loads as the right arrays."""
    random = np.random.RandomState(seed)
    outcomes = {"refused": 0, "right": 0}
    everything = zip_bytes({f"all/{name}": content for name, content in room.files.items()})
    sources = {"mnist.npz": "digits", IDX[0]: "clothes", IDX[3]: "clothes"}
    sources |= {f"{PHOTOS}.zip": "pets", "all.zip": None}
    around = sorted(path for path in room.base.iterdir())
    for _ in range(count):
        for path in (room.stick, room.downloads):
            shutil.rmtree(path, ignore_errors=True)
        room.put(*IDX)
        file = list(sources)[random.randint(len(sources))]
        original = everything if file == "all.zip" else room.files[file]
        (room.stick / file).write_bytes(mutate(original, random))
        try:
            found = fetching.import_(room.stick / file)
        except DataError as error:
            outcomes["refused"] += 1
            found = []
            if "\n" in str(error) or room.everything():
                raise
        else:
            outcomes["right"] += 1
            for installed in found:
                arrays = downloads.read(downloads.find(installed.name))
                if installed.name == "digits":
                    assert all((arrays[name] == room.digits[name]).all() for name in ARRAYS)
                elif installed.name == "clothes":
                    assert all((arrays[name] == room.clothes[name]).all() for name in ARRAYS)
                else:
                    assert arrays["x_train"].shape == (20, 150, 150, 3)
        assert not room.litter()
        assert sorted(path for path in room.base.iterdir()) == around
    return outcomes


def test_mutations(room, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # the disk's part is not what is tried
    room.downloads.mkdir(parents=True)
    outcomes = try_mutations(room, 150, seed=0)
    assert outcomes["refused"] > 100


@pytest.mark.parametrize("file", ["mnist.npz", IDX[1], f"{PHOTOS}.zip"])
def test_cut_off_at_any_byte(room, monkeypatch, file):
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    room.put(*IDX)
    content = room.files[file]
    step = max(1, len(content) // 60)
    for length in [*range(0, len(content), step), len(content) - 1]:
        (room.stick / file).write_bytes(content[:length])
        refused(lambda: fetching.import_(room.stick / file), file)
        assert room.everything() == {}


# ---- fetch -------------------------------------------------------------------------------------


class Server:
    """Serves the files of a room on this machine, and can cut them off."""

    def __init__(self, room):
        self.room = room
        self.requested = []
        self.mode = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802 (the name that http.server calls)
                name = self.path.lstrip("/")
                outer.requested.append(name)
                content = outer.room.files[name]
                mode = outer.mode.get(name)
                if mode == "absent":
                    self.send_error(404)
                    return
                self.send_response(200)
                if mode != "cut without a length":
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if mode else content)

            def log_message(self, *args):
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        room.write_manifest(f"http://127.0.0.1:{self.http.server_port}/")

    def close(self):
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server(room):
    server = Server(room)
    yield server
    server.close()


def test_fetch(room, server):
    for name, title in (
        ("digits", "MNIST"),
        ("clothes", "Fashion-MNIST"),
        ("pets", "Cats and Dogs"),
    ):
        installed = fetching.fetch(name)
        assert (installed.name, installed.title, installed.changed) == (name, title, True)
        assert data.load(name).source == "real"
    assert sorted(server.requested) == sorted(room.files)
    for name in data.NAMES:
        assert not fetching.fetch(name).changed
    assert len(server.requested) == len(room.files)
    assert not room.litter()
    harm(room.downloads / "fashion-mnist" / IDX[2], "flipped")
    assert fetching.fetch("clothes").changed
    assert server.requested[len(room.files) :] == [IDX[2]]  # the good ones are not loaded again


@pytest.mark.parametrize("mode", ["cut", "cut without a length", "absent"])
def test_fetch_that_is_cut_off(room, server, mode):
    for name, file in (("digits", "mnist.npz"), ("pets", f"{PHOTOS}.zip"), ("clothes", IDX[2])):
        server.mode[file] = mode
        refused(lambda name=name: fetching.fetch(name), file)
    assert room.everything() == {}
    assert not room.litter()
    server.mode.clear()
    server.requested.clear()
    for name in data.NAMES:
        assert fetching.fetch(name).changed
        assert data.load(name).source == "real"
    # What was complete before the cut was not loaded again.
    assert sorted(server.requested) == sorted(["mnist.npz", f"{PHOTOS}.zip", IDX[2], IDX[3]])


def test_fetch_of_something_else(room, server):
    room.files["mnist.npz"] = npz_bytes(room.digits | {"x_train": 255 - room.digits["x_train"]})
    expected = downloads.manifest()["digits"]["real"]["mnist"]["files"]["mnist.npz"]["sha256"]
    refused(lambda: fetching.fetch("digits"), "mnist.npz", expected)
    assert room.everything() == {}


def test_fetch_without_a_network(room):
    text = refused(lambda: fetching.fetch("digits"), "mnist.npz was not downloaded")
    assert "`course data import PATH`" in text
    assert room.everything() == {}
    assert not room.litter()


def test_fetch_on_a_full_disk(room, monkeypatch):
    import keras

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(keras.utils, "get_file", full)
    refused(lambda: fetching.fetch("digits"), "full disk")


def test_fetch_of_an_unknown_name(room):
    with pytest.raises(ValueError, match="did you mean 'pets'"):
        fetching.fetch("pet")


# ---- the command -------------------------------------------------------------------------------


def course_data(*words):
    import argparse

    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(word) for word in words]))


def test_command(room, capsys, monkeypatch):
    from course_utils import drawing

    def draw(folder):
        paths = [Path(folder, drawing.BUNDLED[name].file) for name in ("clothes", "pets")]
        for path in paths:
            path.write_bytes(b"drawn")
        return paths

    def read(name, folder):
        path = Path(folder, drawing.BUNDLED[name].file)
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: `course data draw` draws it again")
        n, classes = (6000, 10) if name == "clothes" else (1200, 2)
        shade = len(path.read_bytes())
        return np.full((n, 8, 8, 3), shade, np.uint8), np.arange(n) % classes

    monkeypatch.setattr(drawing, "write_bundled", draw)
    monkeypatch.setattr(drawing, "read_bundled", read)
    assert course_data("verify") == 1
    assert "course data draw" in capsys.readouterr().err
    assert course_data("draw", "--check") == 1
    assert "clothes and pets" in capsys.readouterr().err
    assert course_data("draw") == 0
    assert course_data("draw", "--check") == 0
    (room.data / drawing.BUNDLED["pets"].file).write_bytes(b"other")
    assert course_data("draw", "--check") == 0  # the pictures count, not the bytes
    (room.data / drawing.BUNDLED["pets"].file).write_bytes(b"longer")
    assert course_data("draw", "--check") == 1
    assert "drawing of pets is" in capsys.readouterr().err
    assert course_data("verify") == 0

    capsys.readouterr()
    assert course_data("list") == 0
    table = capsys.readouterr().out
    assert "course data fetch digits" in table
    room.put("mnist.npz")
    assert course_data("import", room.stick / "mnist.npz") == 0
    assert "MNIST: verified" in capsys.readouterr().out
    assert course_data("import", room.stick) == 0
    assert "already" in capsys.readouterr().out
    assert course_data("list") == 0
    table = capsys.readouterr().out
    assert "real, verified" in table
    assert "course data fetch digits" not in table
    assert "course data fetch pets" in table
    assert course_data("verify") == 0
    assert "MNIST is right" in capsys.readouterr().out
    harm(room.downloads / "mnist/mnist.npz", "flipped")
    assert course_data("verify", "digits") == 1
    assert "mnist.npz is refused" in capsys.readouterr().err
    assert course_data("verify", "clothes") == 0
    assert course_data("list") == 0
    assert "WRONG" in capsys.readouterr().out
    assert course_data("import", room.base / "absent", room.stick) == 1
    assert "there is nothing at" in capsys.readouterr().err
    assert course_data("verify", "digits") == 0


def test_command_fetch(room, server, capsys):
    server.mode["mnist.npz"] = "absent"
    assert course_data("fetch") == 1
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "mnist.npz was not downloaded" in err
    assert "clothes: Fashion-MNIST: verified" in out  # one that fails does not stop the others
    assert "pets: Cats and Dogs: verified" in out
    assert course_data("fetch", "pats") == 1
    assert "did you mean 'pets'" in capsys.readouterr().err


def test_manifest_and_readme_agree():
    readme = (downloads.DATA / "README.md").read_text(encoding="utf-8")
    for name, spec in downloads.manifest().items():
        for variant in downloads.variants(name):
            if variant.spec["format"] == "photos":
                train, test = (sum(variant.spec[part].values()) for part in ("train", "test"))
            else:
                train, test = (variant.shape(array)[0] for array in ("y_train", "y_test"))
            held = variant.spec["validation"]
            assert f"{variant.title} " in readme
            assert f"{train - held:,} / {held:,} / {test:,} |" in readme
        bundled = spec["bundled"]
        assert f"/ {bundled['validation']:,} / {bundled['test']:,} |" in readme
