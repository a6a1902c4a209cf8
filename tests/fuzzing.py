"""Break data files in every way that comes to mind, and import them: `make fuzz`.

    python tests/fuzzing.py [--count N] [--commands N] [--seed N] [--write]

Each broken file must be refused in one sentence or load as the right arrays. It must leave nothing
behind, write nothing outside of its folder, raise nothing else, and take less than 1 GB of memory.
The same functions do a few hundred in tests/test_fuzz.py.
"""

import argparse
import gzip
import io
import os
import random as standard_random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
from data_room import ARRAYS, IDX, PHOTOS, Room, zip_bytes
from peak import peak

from course_utils import downloads, fetching
from course_utils.formats import DataError

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "benchmarks" / "results" / "fuzzing.md"
MEMORY = 1e9  # bytes
SOURCES = {"mnist.npz": "digits", IDX[0]: "clothes", IDX[3]: "clothes", f"{PHOTOS}.zip": "pets"}
EVERYTHING = "all.zip"
ESCAPED = Path(tempfile.gettempdir(), "escaped.txt")  # where an absolute path would lead


# ---- ways to break bytes -----------------------------------------------------------------------


def break_bytes(content, random):
    """Return bytes that were cut, flipped, overwritten, shortened, lengthened or replaced."""
    content = bytearray(content)
    kind = random.randint(7)
    start = random.randint(max(1, len(content)))
    if kind == 0:
        del content[start:]
    elif kind == 1:
        for _ in range(random.randint(1, 9)):
            content[random.randint(len(content))] ^= 1 << random.randint(8)
    elif kind == 2:  # near the ends, where the tables are
        edge = min(100, len(content))
        at = random.choice([random.randint(edge), -random.randint(1, edge + 1)])
        content[at] = random.randint(256)
    elif kind == 3:
        del content[start : start + random.randint(1, 50)]
    elif kind == 4:
        content += random.bytes(random.randint(1, 50))
    elif kind == 5:
        content[start : start + 8] = b"\xff" * 8
    else:
        return random.bytes(random.randint(300))
    return bytes(content)


def unzipped(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def break_inside_of_a_zip(content, random):
    """Return a sound zip file with one broken entry: what a check sum does not find."""
    entries = unzipped(content)
    names = [name for name in entries if entries[name]]
    name = names[random.randint(len(names))]
    broken = break_bytes(entries[name], random)
    return zip_bytes(entries | {name: broken})


def break_header(content, random):
    """Return an .npz file, one array of which claims another shape, type or version."""
    headers = (
        "{'descr': '|u1', 'fortran_order': False, 'shape': (100000000000, 28, 28), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (60, -6, 6), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (60.0, 6, 6), }",
        "{'descr': '|u1', 'fortran_order': True, 'shape': (60, 6, 6), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (60, 6, 6), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (60, 6, 6), }",
        "{'descr': '|V2000000000', 'fortran_order': False, 'shape': (60, 6, 6), }",
        "{'descr': [('a', '|u1', (100000, 100000))], 'fortran_order': False, 'shape': (6,), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': __import__('os').getcwd(), }",
        "{'descr': '|u1', 'fortran_order': False}",
        "(" * 3000,
        "[" * 200 + "]" * 200,
        "-" * 9000 + "1",
        "\0" * 50,
        "",
    )
    text = headers[random.randint(len(headers))].encode()
    version = [(1, 0), (2, 0), (3, 0), (9, 9)][random.randint(4)]
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    if random.randint(6) == 0:
        length = b"\xff" * len(length)
    name = f"{ARRAYS[random.randint(4)]}.npy"
    entries = unzipped(content)
    body = entries[name][-400:]
    return zip_bytes(entries | {name: b"\x93NUMPY" + bytes(version) + length + text + body})


def break_idx(content, random):
    """Return a sound gzip file around a broken idx array, or two of them, or half of one."""
    inner = bytearray(gzip.decompress(content))
    kind = random.randint(6)
    if kind == 0:
        inner[random.randint(16)] = random.randint(256)
    elif kind == 1:
        inner[4:8] = b"\xff" * 4
    elif kind == 2:
        inner[3] = random.randint(256)
    elif kind == 3:
        inner = bytearray(break_bytes(inner, random))
    elif kind == 4:
        inner += bytes(random.randint(1, 200_000))
    packed = gzip.compress(bytes(inner), mtime=0)
    return packed + gzip.compress(b"more") if kind == 5 else packed


def break_directory(content, random):
    """Return a zip file, the table of contents of which lies about one entry."""
    content = bytearray(content)
    starts = [at for at in range(len(content)) if content[at : at + 4] == b"PK\1\2"]
    start = starts[random.randint(len(starts))]
    # Flags, method, CRC, sizes, lengths of name, extra and comment, attributes, offset.
    field, width = [(8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (38, 4), (42, 4)][
        random.randint(9)
    ]
    value = [0, 1, 0xFFFF, 0xFFFFFFFF, 0xA1FF0000, random.randint(1 << 30)][random.randint(6)]
    at = start + field
    content[at : at + width] = (value & (256**width - 1)).to_bytes(width, "little")
    return bytes(content)


def add_an_evil_entry(content, random):
    """Return a zip file with one more entry: a path that leads out, a link, a device."""
    names = (
        "../escaped.txt",
        "a/../../escaped.txt",
        ESCAPED.as_posix(),
        "//host/escaped.txt",
        "C:\\escaped.txt",
        "..\\escaped.txt",
        "a/..",
        "..",
        "\0",
        "mnist.npz\0.txt",
        "a" * 3000,
        "./mnist.npz",
        "mnist.npz/",
        "mnist.npz/inner",
        "\x1b[31mmnist.npz",
        "\ud7ff\u202enpz.tsinm",
    )
    file = io.BytesIO(content)
    with warnings.catch_warnings(), zipfile.ZipFile(file, "a") as archive:
        warnings.simplefilter("ignore")  # a name twice is what is wanted
        info = zipfile.ZipInfo("x")
        info.filename = info.orig_filename = names[random.randint(len(names))]
        info.external_attr = [0, 0o120777, 0o060644, 0o040755][random.randint(4)] << 16
        archive.writestr(info, [b"/etc/passwd", b"", bytes(100_000)][random.randint(3)])
    return file.getvalue()


def put_beside(content, random):
    """Return a zip file with bytes before it, after it, or another zip file in its comment."""
    other = zip_bytes({"mnist.npz": b"another"})
    junk = random.bytes(random.randint(1, 300))
    kind = random.randint(4)
    if kind == 0:
        return junk + content
    if kind == 1:
        return content + junk
    if kind == 2:
        return content + other
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = other
    return file.getvalue()


def ways(file):
    """Return the ways to break a file of this name."""
    if file in IDX:
        return [break_bytes, break_idx]
    zips = [break_inside_of_a_zip, break_directory, add_an_evil_entry, put_beside]
    return [break_bytes, *zips, *([break_header] if file == "mnist.npz" else [])]


# ---- trying them -------------------------------------------------------------------------------


def originals(room):
    """Return the sound files of a room, and a zip file of them all."""
    everything = zip_bytes({f"all/{name}": content for name, content in room.files.items()})
    return {file: room.files[file] for file in SOURCES} | {EVERYTHING: everything}


def outside(room):
    """Return all that is in the room but its downloads, and what an absolute path has led to."""
    found = [path for path in room.base.rglob("*") if not path.is_relative_to(room.downloads)]
    return sorted(found) + [ESCAPED] * ESCAPED.exists()


def prepare(room, file, content):
    """Empty the downloads, and put one broken file on a stick with sound ones."""
    for path in (room.stick, room.downloads):
        shutil.rmtree(path, ignore_errors=True)
    room.downloads.mkdir(parents=True)
    room.put(*IDX)
    (room.stick / file).write_bytes(content)
    return room.stick / file


def check_loaded(room, found):
    """Hold what was accepted against what is right. (Photos have no published hash.)"""
    for installed in found:
        arrays = downloads.read(downloads.find(installed.name))
        if installed.name == "pets":
            assert arrays["x_train"].shape == (20, 150, 150, 3)
        else:
            right = getattr(room, installed.name)
            assert all((arrays[name] == right[name]).all() for name in ARRAYS)


def fuzz(room, count, seed=0):
    """Import `count` broken files.

    Returns
    -------
    Counter
        How many came out as ``(way, "refused" or "right")``.

    Raises
    ------
    AssertionError
        If one loads as something else, leaves something, or is refused in more than one line; what
        else an import raises goes through. The seed and the number are noted on it.
    """
    files, outcomes = originals(room), Counter()
    for number in range(count):
        random = np.random.RandomState((seed, number))
        file = list(files)[random.randint(len(files))]
        way = ways(file)[random.randint(len(ways(file)))]
        try:
            path = prepare(room, file, way(files[file], random))
            before, refusal = outside(room), None
            try:
                found = fetching.import_(path)
            except DataError as error:
                refusal = str(error)
            if refusal is None:
                check_loaded(room, found)
            else:
                assert "\n" not in refusal, "more than one line"
                assert room.everything() == {}, "something is left"
            assert not room.litter(), "a folder of files on their way in is left"
            assert outside(room) == before, "something was written outside"
        except BaseException as error:
            error.add_note(f"seed {seed}, number {number}: {way.__name__} of {file}")
            raise
        outcomes[way.__name__, "right" if refusal is None else "refused"] += 1
    return outcomes


# ---- the real command, with the real manifest --------------------------------------------------


def npy(shape, size, descr="|u1"):
    """Return an .npy file of zeros that claims a shape, and holds `size` bytes."""
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + bytes(size)


def _npz(**changed):
    shapes = {"x_train": (60000, 28, 28), "y_train": (60000,)}
    shapes |= {"x_test": (10000, 28, 28), "y_test": (10000,)}
    arrays = {name: npy(shape, int(np.prod(shape))) for name, shape in shapes.items()}
    return zip_bytes({f"{name}.npy": arrays.get(name) for name in arrays} | changed)


def _lying(content, name, size):
    """Return a zip file that claims `size` bytes for one entry."""
    content = bytearray(content)
    for mark, field in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        at = content.find(mark)
        while name.encode() not in content[at : at + 80]:
            at = content.find(mark, at + 1)
        content[at + field : at + field + 4] = struct.pack("<L", size)
    return bytes(content)


def _large_photos(folder):
    """An archive with the pets' 3,000 photos: some of the most pixels allowed, one of them cut."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (4000, 4000), "teal").save(file, "JPEG", progressive=True)
    spec = downloads.variants("pets")[0].spec
    contents = {
        f"{place}/{n}.jpg": file.getvalue() if n < 6 else b""
        for place, count in (spec["train"] | spec["test"]).items()
        for n in range(count)
    }
    (folder / f"{PHOTOS}.zip").write_bytes(zip_bytes(contents))
    return folder / f"{PHOTOS}.zip"


def hostile(folder):
    """Write files that ask for more than they are worth; yield (what it is, path, what is said)."""

    def put(name, content):
        place = Path(tempfile.mkdtemp(dir=folder))
        (place / name).write_bytes(content)
        return place / name

    def idx(header, size):
        path = put(IDX[0], gzip.compress(header + bytes(size), 1, mtime=0))
        for name in IDX[1:]:
            (path.parent / name).write_bytes(b"")
        return path

    yield "an .npz of zeros", put("mnist.npz", _npz()), "has SHA-256"
    claim = npy((10**12, 28, 28), 10_000)
    yield "a header that claims 784 TB", put("mnist.npz", _npz(**{"x_train.npy": claim})), "shape"
    pickled = npy((60000, 28, 28), 10_000, "|O")
    yield "a header of objects", put("mnist.npz", _npz(**{"x_train.npy": pickled})), "is object"
    bomb = _npz(**{"x_train.npy": bytes(200_000_000)})
    yield "an .npz with 200 MB in 0.2", put("mnist.npz", bomb), "more than"
    lying = _lying(bomb, "x_train.npy", 47_040_000)
    yield "one that claims it is 47 MB", put("mnist.npz", lying), "damaged"
    nested = zip_bytes({"mnist.npz": bytes(200_000_000)})
    yield "a zip with a 200 MB mnist.npz", put("course.zip", nested), "more than"
    right = bytes([0, 0, 8, 3]) + struct.pack(">3L", 60000, 28, 28)
    yield "an idx file that goes on for 200 MB", idx(right, 200_000_000), "goes on"
    huge = bytes([0, 0, 8, 3]) + b"\xff" * 12
    yield "an idx header of 4 billion cubed", idx(huge, 100), "expected"
    many = zip_bytes({f"{n:040}": b"" for n in range(60_000)})
    yield "a zip with 60,000 entries", put("course.zip", many), "table of contents"
    yield "a path that leads out", put("course.zip", zip_bytes({"../mnist.npz": b""})), "outside"
    yield "an absolute path", put("course.zip", zip_bytes({"/tmp/mnist.npz": b""})), "outside"
    yield "photos of 16 million pixels", _large_photos(Path(tempfile.mkdtemp(dir=folder))), "photo"


def command(path, downloads_folder, small=None):
    """Run ``course data import PATH`` in a process of its own.

    Parameters
    ----------
    path : Path
    downloads_folder : Path
    small : Path, optional
        A data folder with another manifest; by default the course's own.

    Returns
    -------
    status : int
    said : str
        What it wrote to stderr.
    peak : float
        Most memory that it held, in bytes (only on Linux; elsewhere 0).
    """
    code = (
        f"import sys; from pathlib import Path; sys.path.append({str(Path(__file__).parent)!r})\n"
        "from course_utils import downloads\n"
        f"downloads.DATA = Path({str(small or downloads.DATA)!r})\n"
        "from course_utils.command import main; status = main(sys.argv[1:])\n"
        "from peak import peak; print(peak()); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "data", "import", str(path)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "COURSE_DATA_DIR": str(downloads_folder), "PYTHONIOENCODING": "utf-8"},
        cwd=path.parent,
    )
    return done.returncode, done.stderr, float(done.stdout.split()[-1])


def fuzz_command(room, count, seed=0):
    """Give `count` broken files to the command; return the outcomes and the largest memory."""
    files, outcomes, largest = originals(room), Counter(), 0.0
    for number in range(count):
        random = np.random.RandomState((seed, number))
        file = list(files)[random.randint(len(files))]
        way = ways(file)[random.randint(len(ways(file)))]
        path = prepare(room, file, way(files[file], random))
        before = outside(room)
        status, said, most = command(path, room.downloads, room.data)
        where = f"seed {seed}, number {number}: {way.__name__} of {file}: {said}"
        assert status in (0, 1), where
        assert "Traceback" not in said, where
        assert said.count("\n") == status, where  # one sentence, or none
        assert outside(room) == before, where
        largest = max(largest, most)
        assert largest < MEMORY, where
        outcomes[way.__name__, "refused" if status else "right"] += 1
    return outcomes, largest


# ---- make fuzz ---------------------------------------------------------------------------------


def _rows(outcomes):
    for way in sorted({way for way, _ in outcomes}):
        refused, right = outcomes[way, "refused"], outcomes[way, "right"]
        yield f"| {way.replace('_', ' ')} | {refused + right:,} | {refused:,} | {right:,} |"


def main():
    """Fuzz for some minutes, and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=5000, help="broken files, in one process")
    parser.add_argument("--commands", type=int, default=300, help="broken files, a command each")
    parser.add_argument("--seed", type=int, default=None, help="default: another at each run")
    parser.add_argument("--write", action="store_true", help=f"keep the report in {REPORT.name}")
    options = parser.parse_args()
    seed = standard_random.randrange(10**6) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        room = Room(Path(scratch, "room"))
        own = (downloads.DATA, os.environ.get("COURSE_DATA_DIR"), os.fsync)
        downloads.DATA, os.fsync = room.data, lambda handle: None
        os.environ["COURSE_DATA_DIR"] = str(room.downloads)
        inside = fuzz(room, options.count, seed)
        print(f"{options.count} in one process: as they should be", flush=True)
        largest_inside = peak()
        assert largest_inside < MEMORY
        commands, largest = fuzz_command(room, options.commands, seed + 1)
        downloads.DATA, os.fsync = own[0], own[2]
        tables = []
        for what, path, sentence in hostile(Path(scratch)):
            status, said, most = command(path, Path(scratch, "downloads"))
            assert status == 1, what
            assert sentence in said, f"{what}: {said}"
            assert "Traceback" not in said, f"{what}: {said}"
            assert most < MEMORY, f"{what}: {most / 1e6:.0f} MB"
            largest = max(largest, most)
            tables.append(f"| {what} | {path.stat().st_size / 1e6:.1f} | {most / 1e6:.0f} |")
    heading = "| broken by | files | refused | loaded, and right |\n| --- | ---: | ---: | ---: |"
    size = "| file | its MB | peak MB |\n| --- | ---: | ---: |"
    minutes = (time.perf_counter() - begin) / 60
    call = " ".join(["python tests/fuzzing.py", *sys.argv[1:]])
    text = "\n".join(
        [
            f"# Fuzzing `course data import`\n\n`{call}`, seed {seed}, {date.today()}, "
            f"{minutes:.0f} minutes. Every broken file was refused in one sentence, or loaded as "
            "the right arrays; nothing was left behind or written outside of the folder. "
            f"Largest memory of a command: {largest / 1e6:.0f} MB, of the one process: "
            f"{largest_inside / 1e6:.0f} MB.\n\n## In one process\n",
            heading,
            *_rows(inside),
            "\n## Through the command, each in a process of its own\n",
            heading,
            *_rows(commands),
            "\n## Files that ask for more than they are worth (all refused)\n",
            size,
            *tables,
            "",
        ]
    )
    print(text)
    if options.write:
        REPORT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
