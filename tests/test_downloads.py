"""What is there is held to what was accepted."""

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from data_room import (
    IDX,
    PHOTOS,
    harm,
    npz_bytes,
    refused,
)

from course_utils import data, downloads, fetching, formats, photos


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


def test_verify_trusts_no_date(room):
    room.put(f"{PHOTOS}.zip")
    fetching.import_(room.stick)
    place = room.downloads / "cats-and-dogs" / f"{PHOTOS}.zip"
    os.utime(place, ns=(10**18, 10**18))
    expected = data.load("pets").train.images  # notes the new time
    harm(place, "flipped")
    os.utime(place, ns=(10**18, 10**18))
    # Loading sees no change, and takes what was decoded before: still the right photos.
    np.testing.assert_array_equal(data.load("pets").train.images, expected)
    (status,) = downloads.verify("pets")
    assert str(place) in status.problem
    refused(lambda: data.load("pets"), str(place))  # what verify found is not forgotten


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


def test_downloads_lie_in_the_checkout_unless_told_otherwise(room, monkeypatch):
    for empty in (True, False):
        monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
        if empty:
            monkeypatch.setenv("COURSE_DATA_DIR", "")
        assert downloads.folder() == room.data / "downloads"
    monkeypatch.setenv("COURSE_DATA_DIR", "~/pictures")
    assert downloads.folder() == Path.home() / "pictures"


def test_a_file_where_the_folder_should_be(room, monkeypatch):
    path = room.base / "file"
    path.write_text("")
    monkeypatch.setenv("COURSE_DATA_DIR", str(path))
    refused(lambda: data.load("digits"), "COURSE_DATA_DIR", "is a file")
    room.put("mnist.npz")
    refused(lambda: fetching.import_(room.stick), "COURSE_DATA_DIR")
