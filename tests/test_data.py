"""Loading, splits, the seal, and the `course data` command."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from data_room import harm, refused

from course_utils import data, downloads
from course_utils.command import data as command


def test_import_is_light():
    code = (
        "import sys, course_utils.data\n"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'sklearn', 'pandas', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_bundled_digits_are_scikit_learns(room):
    from scipy.ndimage import zoom
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
    # The enlargement is SciPy's bilinear one, to the nearest shade.
    large = zoom(small.images, (1, 2.5, 2.5), order=1, grid_mode=True, mode="nearest")
    np.testing.assert_allclose(images[:, 4:24, 4:24, 0], large * 255 / 16, atol=0.5 + 1e-9)


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
    whole = {"clothes": "Fashion-MNIST", "pets": "Cats and Dogs"}[name]
    assert found.describe().endswith(f"; real {whole}: course data fetch {name}")
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
    manifest = downloads.manifest()
    for name in manifest:
        bundled = [manifest[name]["bundled"]["title"]] if name in data.NAMES else []
        for title in [*bundled, *(v.title for v in downloads.variants(name))]:
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
    monkeypatch.delenv("COURSE_DATA")
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
    assert len(whole.take(1)) == 1
    for n in (0, 76, -1, 2.0, True, None):
        with pytest.raises(ValueError, match="from 1 to 75"):
            whole.take(n)


def test_take_draws_from_all_of_a_class():
    whole = split([50, 50])
    seen = set()
    for seed in range(60):
        seen |= set(whole.take(10, seed=seed).images[:, 0, 0, 0].tolist())
    assert len(seen) > 95


def test_the_split_is_the_same_for_ever():
    """A number that was measured on one split means nothing on another."""
    chosen, rest = data._part(np.arange(20) % 4, 8)
    assert chosen.tolist() == [15, 11, 12, 16, 6, 13, 5, 2]
    assert rest.tolist() == [1, 3, 14, 7, 19, 8, 4, 9, 0, 10, 17, 18]
    refused(lambda: data._part(np.zeros(5, int), 5), "5 images, too few to hold out 5")
    whole = split([30, 5, 40])
    np.testing.assert_array_equal(whole.take(9).images, whole.take(9, seed=0).images)


def test_the_sizes_of_pets_have_ends():
    for size in (8, np.int64(32), 256):
        found = data._checked_size("pets", size)
        assert (found, type(found)) == (size, int)


def test_what_they_say_of_themselves(room):
    digits = data.load("digits")
    assert repr(digits) == f"<{digits.describe()}>"
    assert repr(digits.train) == "Split(1,077 images of 28×28×1, 10 classes)"
    assert repr(digits.test) == "SealedTest(360 images, never opened)"


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
    said = r"digits .* 2 times.* no longer an honest estimate"
    with pytest.warns(UserWarning, match=said) as caught:
        again.evaluate(lambda images, labels: None)
    assert caught[0].filename == __file__  # it points at the reader's own line
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
    for name in data.NAMES:
        spec = downloads.manifest()[name]
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
