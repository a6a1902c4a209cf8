"""What the frozen notebooks read pictures and weights with."""

import hashlib
from contextlib import contextmanager
from pathlib import Path

from ..data import DataError


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


def times(shape):
    """Write a shape as people do: 60,000×28×28."""
    return "×".join(f"{n:,}" for n in shape)
