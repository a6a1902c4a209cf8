"""Import and fetch: what is refused, what is kept, and what a cut-off one leaves."""

import errno
import gzip
import hashlib
import io
import json
import os
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from data_room import (
    ARRAYS,
    IDX,
    PHOTOS,
    harm,
    idx_bytes,
    jpeg_bytes,
    npz_bytes,
    photo_contents,
    refused,
    zip_bytes,
)

from course_utils import data, downloads, fetching, formats, photos


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
    refused(lambda: fetching.import_(room.stick), IDX[3], "holds 20 values, expected 30")
    assert room.everything() == {}
    for harmed in (IDX[0], IDX[2]):  # the sentence names the one that is wrong
        sample = room.put(*IDX, folder=room.base / "sample", files=room.sample_files)
        (sample / harmed).write_bytes(b"nothing")
        refused(lambda sample=sample: fetching.import_(sample), harmed, "Fashion-MNIST sample")


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
        zip_bytes({f"{array}.npy": bytes(5_000_000) for array in ARRAYS})
    )
    refused(lambda: fetching.import_(room.stick), "5,000,000 bytes")
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


def test_a_full_disk_while_a_zip_is_unpacked(room, monkeypatch):
    (room.stick / "a.zip").write_bytes(zip_bytes({"mnist.npz": room.files["mnist.npz"]}))

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    refused(lambda: fetching.import_(room.stick / "a.zip"), "full disk")
    assert not room.litter()


def test_what_may_not_be_read(room, monkeypatch):
    def deny(*args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    room.put("mnist.npz")
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", deny)
        refused(lambda: fetching.import_(room.stick), str(room.stick), "may not be read")
    real = open
    monkeypatch.setattr(
        "builtins.open",
        lambda path, *args, **more: (deny if args == ("rb",) else real)(path, *args, **more),
    )
    refused(lambda: fetching.import_(room.stick / "mnist.npz"), "mnist.npz", "may not be read")


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
