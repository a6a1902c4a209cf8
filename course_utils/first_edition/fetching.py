"""How the real data sets get to their place: from the network, a disk, or a stick.

A file reaches its place only after a complete copy of it, in the same file system, was read and
found right. So what was there before stays whatever happens: a fetch or an import that is cut off
at any byte, a full disk, a file that is not what it claims to be.
"""

import errno
import os
import re
import shutil
import socket
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from . import downloads, formats, photos
from .formats import DataError
from .memory import STAGING, Memory, write_json
from .quiet import quiet_import

SEARCH_LIMIT = 100_000  # entries of a folder that an import looks at
DAY = 86_400  # seconds
FULL = {errno.ENOSPC, errno.EDQUOT}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


class Installed(NamedTuple):
    """What an import or a fetch did. `changed` is false if the same files were there already."""

    name: str
    title: str
    path: Path
    changed: bool


def import_(path):
    """Take real data sets from a file, a folder, or a zip file that holds them.

    Parameters
    ----------
    path : path-like
        A file that the manifest lists; a folder, searched with its sub-folders for such files; or a
        zip file of any name that holds such files. Of files that belong together (Fashion-MNIST's
        four) any one brings the others that lie beside it.

    Returns
    -------
    list of Installed

    Raises
    ------
    DataError
        If nothing is found, or any file that is found is not right: then nothing at all is changed.
    """
    source = Path(path).expanduser()
    with _staging() as staging:
        groups = _gather(source, staging)
        if not groups:
            raise DataError(f"{source} holds none of the files that the course knows: {_known()}")
        ready = {}
        for staged, origins in groups:
            variant = _check(staged, origins)
            ready[variant.key] = (variant, staged)
        return [_install(variant, staged) for variant, staged in ready.values()]


def fetch(name):
    """Download a real data set, verify it, and put it in its place.

    What is already there and right is kept, and what an earlier, cut-off fetch has completed is not
    downloaded again.

    Parameters
    ----------
    name : {"digits", "clothes", "pets", "pretrained"}

    Returns
    -------
    Installed

    Raises
    ------
    DataError
        If a file cannot be had, or is not what the manifest says.
    """
    variant = downloads.variants(name)[0]
    if variant.there and not _problem(variant):
        return Installed(name, variant.title, variant.path, False)
    with _staging() as staging:
        kept = downloads.folder() / ".fetched"
        kept.mkdir(exist_ok=True)
        contents = {}
        for file, spec in variant.spec["files"].items():
            earlier = (kept / file, variant.path / file)
            good = next((path for path in earlier if _matches(path, spec)), None)
            if good is None:
                good = Path(_download(file, spec, name, staging))
                if _published(spec):  # kept aside at once, so that a second try need not load it
                    good = good.replace(kept / file)
            contents[file] = (f"the downloaded {file}", good)
        staged, origins = _fill(staging / "all", contents)
        _check(staged, origins)
        result = _install(variant, staged)
        for file in variant.spec["files"]:
            (kept / file).unlink(missing_ok=True)
        return result


# ---- the network -------------------------------------------------------------------------------


def _download(file, spec, name, staging):
    with quiet_import():
        from keras.utils import get_file

    algorithm = _published(spec)
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(60)  # seconds; a dead connection must not hang for ever
    try:
        return get_file(
            file,
            origin=spec["url"],
            cache_dir=str(staging),
            cache_subdir=".",
            file_hash=spec[algorithm] if algorithm else None,
            hash_algorithm=algorithm or "auto",
        )
    except Exception as error:  # get_file raises plain Exceptions
        if isinstance(error, OSError) and error.errno in FULL | FORBIDDEN:
            raise
        expected = f"; expected {algorithm.upper()} {spec[algorithm]}" if algorithm else ""
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(
            f"{file} was not downloaded ({reason}){expected}: run `course data fetch {name}` "
            "again, or take the file from a disk with `course data import PATH`"
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)


def _published(spec):
    return next((algorithm for algorithm in ("sha256", "md5") if algorithm in spec), None)


def _matches(path, spec):
    algorithm = _published(spec)
    return bool(algorithm and path.is_file() and formats.digest(path, algorithm) == spec[algorithm])


def _problem(variant):
    try:
        downloads.read(variant)
    except DataError as error:
        return str(error)
    return ""


# ---- a disk ------------------------------------------------------------------------------------


def _limits():
    """Most bytes that a file of each known name may have."""
    limits = {}
    for name in downloads.manifest():
        for variant in downloads.variants(name):
            for file, spec in variant.spec["files"].items():
                limits[file] = max(limits.get(file, 0), spec["limit"])
    return limits


def _known():
    return ", ".join(sorted(_limits()))


def _gather(source, staging):
    """Copy the known files of a source into folders of the staging folder, a group in each.

    Returns
    -------
    list of (Path, dict)
        The folder of a group, and what to call each of its files.
    """
    name = re.sub(r" ?\(\d+\)(?=\.)", "", source.name)  # browsers save a second copy as "name (1)"
    try:
        if source.is_dir():
            groups = _search(source)
        elif not source.exists():
            raise DataError(f"there is nothing at {source}")
        elif not source.is_file():
            raise DataError(f"{source} is neither a file nor a folder")
        elif name in _limits():
            groups = [{name: source} | _companions(source.parent, name)]
        else:
            groups = None if formats.is_zip(source) else []
    except OSError as error:
        raise DataError(f"{source} may not be read ({error.strerror})") from error
    if groups is None:
        return _unpack(source, staging)
    return [
        _fill(staging / str(index), {file: (str(path), path) for file, path in group.items()})
        for index, group in enumerate(groups)
    ]


def _companions(parent, name):
    """Files beside one of the known files that belong to the same data set."""
    variant = next(variant for variant in _all_variants() if name in variant.spec["files"])
    others = [file for file in variant.spec["files"] if file != name]
    return {file: parent / file for file in others if (parent / file).is_file()}


def _all_variants():
    return [variant for name in downloads.manifest() for variant in downloads.variants(name)]


def _search(source):
    groups, seen, limits, unread = [], 0, _limits(), []
    for parent, folders, files in os.walk(source, onerror=unread.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        seen += len(files) + len(folders)
        if seen > SEARCH_LIMIT:
            raise DataError(
                f"{source} holds more than {SEARCH_LIMIT:,} files: name the folder of the data"
            )
        here = {name for name in set(limits) & set(files) if Path(parent, name).is_file()}
        while here:
            name = min(here)
            group = {name: Path(parent, name)} | _companions(Path(parent), name)
            groups.append(group)
            here -= set(group)
    if unread and not groups:
        raise unread[0]
    return groups


def _unpack(source, staging):
    """Take the known files out of a zip file, or recognise the zip file itself as one of them."""
    limits = _limits()
    shown = str(source)
    try:
        with formats.open_zip(source) as (archive, entries):
            kind, groups = _kind(entries), {}
            for path in entries:
                parent, _, name = path.rpartition("/")
                if name in limits and not path.startswith("__MACOSX/"):
                    owner = next(v.name for v in _all_variants() if name in v.spec["files"])
                    groups.setdefault((parent, owner), {})[name] = path
            if groups:
                return [
                    _fill(
                        staging / str(index),
                        {
                            name: (
                                f"{shown}: {path}",
                                formats.entry_chunks(archive, entries[path], limits[name]),
                            )
                            for name, path in group.items()
                        },
                    )
                    for index, group in enumerate(groups.values())
                ]
    except DataError as error:
        if str(error).startswith(shown):
            raise
        raise DataError(f"{shown} is refused: {error}") from error
    return [_fill(staging / "0", {kind: (shown, source)})] if kind else []


def _kind(entries):
    """Name of the known file that a zip file with these entries is, under whatever name."""
    for variant in _all_variants():
        marks = [f"{array}.npy" for array in variant.spec.get("arrays", {})]
        marks += [f"{place}/" for place in variant.spec.get("train", {})]
        if variant.spec["format"] in ("npz", "photos") and all(
            any(path.startswith(mark) for path in entries) for mark in marks
        ):
            return next(iter(variant.spec["files"]))
    return None


def _fill(staged, contents):
    """Write files into a new folder: each from a path or from chunks of bytes."""
    limits = _limits()
    staged.mkdir()
    for file, (shown, content) in contents.items():
        written = 0
        chunks = formats.file_chunks(content) if isinstance(content, Path) else content
        with open(staged / file, "wb") as target:
            while True:
                try:
                    chunk = next(chunks, b"")
                    written += len(chunk)
                    if written > limits[file]:
                        raise DataError(f"it has more than {limits[file]:,} bytes")
                except DataError as error:
                    raise DataError(f"{shown} is refused: {error}") from error
                if not chunk:
                    break
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
    return staged, {file: shown for file, (shown, _) in contents.items()}


# ---- checking and installing -------------------------------------------------------------------


def _form(staged):
    """Which form of which data set the files of a staged folder claim to be, by most of them."""
    files = [file.name for file in staged.iterdir()]
    forms = [variant for variant in _all_variants() if files[0] in variant.spec["files"]]
    if len(forms) == 1:
        return forms[0]
    shapes = {file: formats.idx_shape(staged / file) for file in files}

    def matches(variant):
        arrays = {file: variant.spec["files"][file]["array"] for file in files}
        return sum(shapes[file] == variant.shape(arrays[file]) for file in files)

    return max(forms, key=matches)


def _check(staged, origins):
    """Refuse a staged folder unless all of its files are right; return which form they are."""
    variant = _form(staged)
    missing = [file for file in variant.spec["files"] if not (staged / file).is_file()]
    if missing:
        there = next(iter(origins.values()))
        raise DataError(
            f"{variant.title} comes as {len(variant.spec['files'])} files: "
            f"{', '.join(missing)} not found beside {there}"
        )
    memory = Memory(downloads.folder())
    downloads.read_files(variant, staged, downloads.SIZE, memory, origins=origins)
    return variant


def _install(variant, staged):
    """Move checked files to their place. Each is replaced in one step."""
    target = variant.path
    target.mkdir(parents=True, exist_ok=True)
    files = list(variant.spec["files"])
    hashes = {file: formats.digest(staged / file) for file in files}
    for file in files:
        if (target / file).is_dir():
            raise DataError(f"{target / file} is a folder where a file belongs: remove it first")
    changed = [file for file in files if not _matches(target / file, {"sha256": hashes[file]})]
    if variant.spec["format"] == "photos":
        # Both hashes are on record until the file is in its place: no moment is a wrong one.
        new = list(hashes.values())
        write_json(photos.record_path(variant), {"sha256": new + photos.accepted(variant)})
    for file in changed:
        os.replace(staged / file, target / file)
    if variant.spec["format"] == "photos":
        write_json(photos.record_path(variant), {"sha256": new})
    memory = Memory(downloads.folder())
    for file in files:
        memory.keep(target / file, hashes[file])
    memory.save()
    return Installed(variant.name, variant.title, target, bool(changed))


@contextmanager
def _staging():
    """Yield a new folder beside the data; what the disk refuses becomes one sentence."""
    staging, place = None, downloads.folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        for left in place.glob(f"{STAGING}*"):  # of runs that were killed
            if time.time() - left.stat().st_mtime > DAY:
                shutil.rmtree(left, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=place))
        yield staging
    except OSError as error:
        if error.errno in FULL:
            problem = "is on a full disk: make room, and run it again"
        elif error.errno in FORBIDDEN:
            problem = "may not be written: name a folder of yours in COURSE_DATA_DIR"
        else:
            problem = f"could not be written ({error.strerror or error})"
        raise DataError(f"{place} {problem}") from error
    finally:
        if staging:
            shutil.rmtree(staging, ignore_errors=True)
