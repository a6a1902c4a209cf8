"""Reading files that may be harmed: the limits are where they are said to be."""

import gzip
import hashlib
import io
import struct
import zipfile

import numpy as np
import pytest
from data_room import idx_bytes, refused, zip_bytes

from course_utils import formats
from course_utils.formats import DataError

ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def put(path, content):
    path.write_bytes(content)
    return path


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def test_hashes(path, tmp_path):
    put(path, b"hello")
    assert formats.digest(path) == hashlib.sha256(b"hello").hexdigest()
    assert formats.digest(str(path), "md5") == hashlib.md5(b"hello").hexdigest()
    refused(lambda: formats.digest(tmp_path), "it is a folder, not a file")
    refused(lambda: formats.digest(tmp_path / "none"), "it is not there")
    # An array's hash is that of its values in C order, however they lie in memory.
    expected = hashlib.sha256(ARRAY.tobytes()).hexdigest()
    assert formats.array_digest(np.asfortranarray(ARRAY)) == expected


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(), "it is not there"),
        (IsADirectoryError(), "it is a folder, not a file"),
        (MemoryError(), "there is not enough memory to read it"),
        (PermissionError(13, "Permission denied"), "it may not be read (Permission denied)"),
        (KeyError("x"), "it is incomplete or damaged ('x')"),
        (ValueError("two\n lines."), "it is incomplete or damaged (two lines)"),
        (RecursionError(), "it is incomplete or damaged (RecursionError)"),
        (DataError("said already"), "said already"),
    ],
)
def test_whatever_a_parser_raises_becomes_a_sentence(error, said):
    with pytest.raises(DataError) as caught, formats.reading():
        raise error
    assert str(caught.value) == said


def test_labels():
    formats.check_labels(np.array([0, 9]), 10)
    for labels, said in (
        ([0, 10], "labels must be 0 to 9: got 10 at position 1"),
        ([-1, 0], "labels must be 0 to 9: got -1 at position 0"),
    ):
        assert refused(lambda labels=labels: formats.check_labels(np.array(labels), 10)) == said
    refused(lambda: formats.check_labels(np.array([2]), 2, "its y"), "its y must be 0 to 1")


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"PK\3\4xx", True), (b"PK\5\6", True), (b"PK\1\2", False), (b"PK", False), (b"", False)],
)
def test_the_start_of_a_zip_file(path, content, expected):
    assert formats.is_zip(put(path, content)) is expected


def test_entries_by_their_paths(path):
    put(path, zip_bytes({"a/one.txt": b"1", "empty/": b"", "two.txt": b"22"}))
    with formats.open_zip(path) as (archive, entries):
        assert list(entries) == ["a/one.txt", "two.txt"]
        assert archive.read(entries["two.txt"]) == b"22"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x", b"x")
    refused(lambda: open_all(put(path, file.getvalue())), "compressed in a way")


def open_all(path):
    with formats.open_zip(path) as (_, entries):
        return entries


@pytest.mark.parametrize("name", ["..a", "a..b", "a/.b", "C/x", "7:x"])
def test_names_that_stay_inside(path, name):
    assert list(open_all(put(path, zip_bytes({name: b""})))) == [name]


@pytest.mark.parametrize("name", ["..", "a/../b", "/a", "C:x", "z:\\x", "\\a", "a\\..\\..\\b"])
def test_names_that_do_not(path, name):
    refused(lambda: open_all(put(path, zip_bytes({name: b""}))), "would land outside")


def test_the_table_of_contents_has_a_limit(path, monkeypatch):
    content = zip_bytes({f"{n}": b"" for n in range(9)})
    length = struct.unpack("<L", content[-10:-6])[0]
    put(path, content)
    monkeypatch.setattr(formats, "DIRECTORY_LIMIT", length)
    assert len(open_all(path)) == 9
    monkeypatch.setattr(formats, "DIRECTORY_LIMIT", length - 1)
    refused(lambda: open_all(path), f"claims {length:,} bytes")


def test_a_zip_file_with_the_longest_comment(path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x", b"x" * 70_000)
        archive.comment = b"c" * 65_535
    assert list(open_all(put(path, file.getvalue()))) == ["x"]
    refused(lambda: open_all(put(path, file.getvalue()[:-65_536])), "does not end as a zip file")
    locator = b"PK\6\7" + bytes(16)
    end = zip_bytes({"x": b""})
    at = end.rindex(b"PK\5\6")
    refused(lambda: open_all(put(path, end[:at] + locator + end[at:])), "64-bit kind")


def test_an_entry_may_have_as_many_bytes_as_the_limit(path, monkeypatch):
    monkeypatch.setattr(formats, "CHUNK", 4)
    put(path, zip_bytes({"x": b"0123456789"}))
    with formats.open_zip(path) as (archive, entries):
        assert list(formats.entry_chunks(archive, entries["x"], 10)) == [b"0123", b"4567", b"89"]
        refused(
            lambda: list(formats.entry_chunks(archive, entries["x"], 9)),
            "x claims 10 bytes, more than 9",
        )
        entries["x"].file_size = 7
        refused(lambda: list(formats.entry_chunks(archive, entries["x"], 10)))
        entries["x"].file_size = 12
        refused(lambda: list(formats.entry_chunks(archive, entries["x"], 12)), "x is cut off")


def test_chunks_of_a_file(path, tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "CHUNK", 3)
    assert list(formats.file_chunks(put(path, b"1234567"))) == [b"123", b"456", b"7"]
    refused(lambda: list(formats.file_chunks(tmp_path)), "it is a folder")


def test_arrays_of_an_npz_file(path):
    put(path, npz(a=ARRAY, b=np.asfortranarray(ARRAY), c=ARRAY.astype(float)))
    found = formats.read_npz(path, {"a": (2, 3, 4), "b": [2, 3, 4]})
    assert list(found) == ["a", "b"]
    for values in found.values():
        np.testing.assert_array_equal(values, ARRAY)
        assert values.dtype == np.uint8
    refused(lambda: formats.read_npz(path, {"a": (2, 3, 4), "z": (1,)}), "holds no array z")
    refused(lambda: formats.read_npz(path, {"a": (4, 3, 2)}), "a is uint8 of shape (2, 3, 4)")
    refused(lambda: formats.read_npz(path, {"c": (2, 3, 4)}), "c is float64")


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_versions_of_npy(path, version):
    file = io.BytesIO()
    np.lib.format.write_array(file, ARRAY, version=version)
    put(path, zip_bytes({"a.npy": file.getvalue()}))
    np.testing.assert_array_equal(formats.read_npz(path, {"a": ARRAY.shape})["a"], ARRAY)
    for harmed in (file.getvalue()[:-1], file.getvalue() + b"x"):
        put(path, zip_bytes({"a.npy": harmed}))
        refused(lambda: formats.read_npz(path, {"a": ARRAY.shape}))


def test_a_header_may_be_long_but_not_too_long(path):
    def with_header(length):
        text = b"{'descr': '|u1', 'fortran_order': False, 'shape': (24,), }".ljust(length)
        npy = b"\x93NUMPY\1\0" + struct.pack("<H", length) + text + ARRAY.tobytes()
        return put(path, zip_bytes({"a.npy": npy}))

    assert formats.read_npz(with_header(9_000), {"a": (24,)})["a"][5] == 5
    refused(lambda: formats.read_npz(with_header(16_375), {"a": (24,)}), "more than 16,408")


def test_idx_files(path):
    put(path, idx_bytes(ARRAY))
    np.testing.assert_array_equal(formats.read_idx(path, [(9, 9, 9), (2, 3, 4)]), ARRAY)
    assert formats.idx_shape(path) == (2, 3, 4)
    refused(lambda: formats.read_idx(path, [(24,)]), "not an idx file of bytes with 1 dimensions")
    refused(
        lambda: formats.read_idx(path, [(2, 3, 5), (1_000, 3, 4)]),
        "holds 2×3×4 values, expected 2×3×5 or 1,000×3×4",
    )
    plain = gzip.decompress(idx_bytes(ARRAY))
    for content, said in (
        (plain[:15], "cut off"),
        (plain[:-1], "cut off"),
        (plain + b"x", "goes on after its end"),
        (b"\0\0\x0d\3" + plain[4:], "not an idx file"),
        (b"\1\0\x08\3" + plain[4:], "not an idx file"),
    ):
        put(path, gzip.compress(content))
        refused(lambda: formats.read_idx(path, [(2, 3, 4)]), said)
    refused(lambda: formats.read_idx(put(path, plain), [(2, 3, 4)]), "Not a gzipped file")


@pytest.mark.parametrize("content", [b"", b"\0\0\x08", b"\0\0\x08\3\0\0\0\2"])
def test_a_header_that_is_none(path, content):
    expected = () if len(content) < 4 else None
    assert formats.idx_shape(put(path, gzip.compress(content))) == expected
    refused(lambda: formats.read_idx(path, [(2, 3, 4)]), "cut off")
    assert formats.idx_shape(put(path, b"x" + content)) is None


def test_shapes_as_people_write_them():
    assert formats.times((60_000, 28, 28)) == "60,000×28×28"
    assert formats.times((7,)) == "7"
