"""Small stand-ins for the real data sets, with a manifest of their own, for the tests of data."""

import gzip
import hashlib
import io
import json
import shutil
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from course_utils import downloads
from course_utils.formats import DataError

IDX = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
PHOTOS = "cats_and_dogs_filtered"
WEIGHTS = "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5"


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
        self.weights = {WEIGHTS: bytes(range(256)) * 40}
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
        pretrained = manifest["pretrained"]["real"]["mobilenet-v3-small"]
        pretrained["files"][WEIGHTS]["md5"] = hashlib.md5(self.weights[WEIGHTS]).hexdigest()
        for variant in (digits, whole, pets, pretrained):
            for file, entry in variant["files"].items():
                entry["url"] = url + file
        for variant in (digits, whole, sample, pets, pretrained):
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


def refused(call, *parts):
    """The sentence of a refusal; it holds each of the parts, and is one sentence."""
    with pytest.raises(DataError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    for part in parts:
        assert part in text
    return text


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
                content = (outer.room.files | outer.room.weights)[name]
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
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        room.write_manifest(f"http://127.0.0.1:{self.http.server_port}/")

    def close(self):
        self.http.shutdown()
        self.http.server_close()
