"""Read zip, npz and idx files without trusting anything that is in them.

A file may come from a stick that somebody passed around the room. So every reader here knows
before it reads how large the result may be, nothing is unpickled, nothing is unpacked to a path
that the file itself names, and whatever a parser raises on a broken file becomes a `DataError`.
"""

import gzip
import hashlib
import math
import os
import re
import stat
import struct
import zipfile
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath

import numpy as np

DIRECTORY_LIMIT = 4_000_000  # bytes of a zip's own table of contents: about 40,000 entries
CHUNK = 1 << 20


class DataError(ValueError):
    """What is wrong with a data file or its folder, and what to do, in one sentence."""


@contextmanager
def reading():
    """Turn whatever a parser raises on a broken file into a `DataError`.

    Parsers of zip, gzip, JPEG and NumPy files raise a dozen unrelated exceptions on damaged input
    (`zlib.error`, `struct.error`, `NotImplementedError`, …), so this catches them all.
    """
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError("it is not there") from None
    except IsADirectoryError:
        raise DataError("it is a folder, not a file") from None
    except MemoryError:
        raise DataError("there is not enough memory to read it") from None
    except PermissionError as error:
        raise DataError(f"it may not be read ({error.strerror})") from error
    except Exception as error:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise DataError(f"it is incomplete or damaged ({reason})") from error


def digest(path, algorithm="sha256"):
    """Hash of a file, as hexadecimal text.

    Parameters
    ----------
    path : path-like
        A regular file.
    algorithm : {"sha256", "md5"}, default "sha256"
        MD5 is only for files whose publisher gives no other hash.

    Returns
    -------
    str
    """
    if not Path(path).is_file():
        raise DataError("it is a folder, not a file" if Path(path).is_dir() else "it is not there")
    with reading(), open(path, "rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()


def array_digest(array):
    """SHA-256 of an array's bytes in C order, as hexadecimal text."""
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()


def check_labels(labels, classes, name="labels"):
    """Refuse labels that name no class.

    Parameters
    ----------
    labels : ndarray, shape (n,)
        Integers.
    classes : int
        Number of classes; labels run from 0 to ``classes - 1``.
    name : str, default "labels"
        What the sentence calls them.

    Raises
    ------
    DataError
        Naming the first label outside, and where it is.
    """
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(outside):
        raise DataError(
            f"{name} must be 0 to {classes - 1}: got {labels[outside[0]]} at position {outside[0]}"
        )


def is_zip(path):
    """Whether a file begins as zip files do."""
    with reading(), open(path, "rb") as file:
        return file.read(4) in (b"PK\3\4", b"PK\5\6")


@contextmanager
def open_zip(path):
    """Open a zip file after checking its table of contents.

    Parameters
    ----------
    path : path-like

    Yields
    ------
    archive : zipfile.ZipFile
        To be read from; nothing is ever extracted by its own name.
    entries : dict of str to zipfile.ZipInfo
        Its files (not its folders), by their path with forward slashes.

    Raises
    ------
    DataError
        If the file is no zip, has an entry that would land outside of a folder, has the same path
        twice, or is compressed by anything but deflate (whose output Python bounds).
    """
    with reading():
        _bound_directory(path)
        archive = zipfile.ZipFile(path)
    with archive:
        entries = {}
        for info in archive.infolist():
            name = _safe_path(info)
            if info.is_dir():
                continue
            if name in entries:
                raise DataError(f"it holds {name} twice")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise DataError(f"its entry {name} is compressed in a way that is not allowed here")
            entries[name] = info
        yield archive, entries


def _bound_directory(path):
    """Refuse a zip whose table of contents is too long, before `zipfile` reads all of it."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        file.seek(max(0, size - 65_557))  # the end record, 22 bytes, and the longest comment
        tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < 22:
        raise DataError("it is incomplete or damaged (it does not end as a zip file does)")
    if tail[max(0, at - 20) : at].startswith(b"PK\6\7"):
        raise DataError("it is a zip file of the 64-bit kind, far larger than the course's data")
    length = struct.unpack("<L", tail[at + 12 : at + 16])[0]
    if length > min(DIRECTORY_LIMIT, size):
        raise DataError(f"its table of contents claims {length:,} bytes")


def _safe_path(info):
    """Path of a zip entry with forward slashes, if it stays inside of the folder it is put in."""
    name = info.orig_filename.replace("\\", "/")
    path = PurePosixPath(name)
    if (
        path.is_absolute()
        or ".." in path.parts
        or re.match("[A-Za-z]:", name)
        or "\0" in name
        or stat.S_ISLNK(info.external_attr >> 16)
    ):
        raise DataError(f"its entry {name!r} would land outside of the folder")
    return str(path)


def entry_chunks(archive, info, limit):
    """Bytes of one entry of a zip file, piece by piece, its check sum verified at the end.

    Parameters
    ----------
    archive : zipfile.ZipFile
    info : zipfile.ZipInfo
    limit : int
        Most bytes that the entry may hold.

    Yields
    ------
    bytes

    Raises
    ------
    DataError
        If it claims more bytes than that, or does not hold what it claims.
    """
    if info.file_size > limit:
        raise DataError(
            f"its entry {info.filename} claims {info.file_size:,} bytes, more than {limit:,}"
        )
    with reading():
        entry = archive.open(info)
    with entry:
        total = 0
        while True:
            with reading():
                chunk = entry.read(CHUNK)  # zipfile stops at file_size
            if not chunk:
                break
            total += len(chunk)
            yield chunk
    if total != info.file_size:
        raise DataError(f"its entry {info.filename} is cut off")


def file_chunks(path):
    """Bytes of a file, piece by piece; a `DataError` if it cannot be read."""
    with reading():
        file = open(path, "rb")  # noqa: SIM115 (closed below, outside of what may raise)
    with file:
        while True:
            with reading():
                chunk = file.read(CHUNK)
            if not chunk:
                return
            yield chunk


def read_npz(path, shapes):
    """Read uint8 arrays of known shapes from an ``.npz`` file.

    Parameters
    ----------
    path : path-like
    shapes : dict of str to tuple of int
        The arrays to read. Others in the file are left alone.

    Returns
    -------
    dict of str to ndarray of uint8

    Raises
    ------
    DataError
        If an array is missing, or has another shape or type. Pickled objects are never read.
    """
    with open_zip(path) as (archive, entries):
        missing = [name for name in shapes if f"{name}.npy" not in entries]
        if missing:
            raise DataError(f"it holds no array {missing[0]}")
        return {
            name: _read_npy(archive, entries[f"{name}.npy"], tuple(shape), name)
            for name, shape in shapes.items()
        }


def _read_npy(archive, info, shape, name):
    # np.load would allocate whatever the header claims, so the header is held against the shape.
    data = BytesIO(b"".join(entry_chunks(archive, info, math.prod(shape) + 16_384)))
    with reading():
        version = np.lib.format.read_magic(data)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        found, fortran, dtype = read_header(data)
    if (found, dtype) != (shape, np.dtype(np.uint8)):
        raise DataError(f"{name} is {dtype} of shape {found}, expected uint8 of shape {shape}")
    values = np.frombuffer(data.read(), np.uint8)
    if len(values) != math.prod(shape):
        raise DataError(f"{name} is cut off")
    return values.reshape(shape, order="F" if fortran else "C")


def read_idx(path, shapes):
    """Read the uint8 array of a gzipped idx file, the format of MNIST's and Fashion-MNIST's files.

    Parameters
    ----------
    path : path-like
    shapes : sequence of tuple of int
        The shapes it may have, all of one rank.

    Returns
    -------
    ndarray of uint8

    Raises
    ------
    DataError
        If it has another shape or type, or more or fewer bytes than its shape needs.
    """
    rank = len(shapes[0])
    with reading(), gzip.open(path, "rb") as file:
        header = file.read(4 + 4 * rank)
        if len(header) < 4 + 4 * rank:
            raise DataError("it is cut off")
        if header[:4] != bytes([0, 0, 8, rank]):
            raise DataError(f"it is not an idx file of bytes with {rank} dimensions")
        found = struct.unpack(f">{rank}L", header[4:])
        if found not in [tuple(shape) for shape in shapes]:
            wanted = " or ".join(times(shape) for shape in shapes)
            raise DataError(f"it holds {times(found)} values, expected {wanted}")
        size = math.prod(found)
        data = file.read(size + 1)  # one more, so that gzip reads, and checks, the end
    if len(data) != size:
        raise DataError("it is cut off" if len(data) < size else "it goes on after its end")
    return np.frombuffer(data, np.uint8).reshape(found)


def idx_shape(path):
    """Shape that the header of a gzipped idx file claims; None if it has no such header."""
    try:
        with reading(), gzip.open(path, "rb") as file:
            start = file.read(4)
            rank = start[3] if len(start) == 4 else 0
            return struct.unpack(f">{rank}L", file.read(4 * rank))
    except DataError:
        return None


def times(shape):
    """Write a shape as people do: 60,000×28×28."""
    return "×".join(f"{n:,}" for n in shape)
