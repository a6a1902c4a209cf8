"""What `load` gives on bundled data, and a test set that stays sealed."""

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image

from course_utils import data


@pytest.fixture(autouse=True)
def _nothing_real(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("COURSE_DATA", raising=False)


def test_bundled_digits_are_images_of_mnist(capsys):
    digits = data.load("digits")
    assert capsys.readouterr().out == (
        "digits: 5,000 images of MNIST (3,000 train, 1,000 validation, 1,000 sealed test); "
        "bundled; all 70,000: course data fetch digits\n"
    )
    parts = [digits.train, digits.validation]
    digits.evaluate(lambda *arrays: parts.append(arrays))
    assert [set(np.bincount(labels)) for _, labels in parts] == [{300}, {100}, {100}]
    assert len({image.tobytes() for images, _ in parts for image in images}) == 5000
    assert (digits.image_shape, digits.train.images.dtype) == ((28, 28, 1), np.uint8)
    assert digits.train.labels.dtype == np.int64
    # Mean grey of MNIST's ones is half of its zeros': labels are at their images.
    grey = [digits.train.images[digits.train.labels == k].mean() for k in (0, 1)]
    assert grey[1] < 0.6 * grey[0]
    np.testing.assert_array_equal(data.load("digits").train.images, digits.train.images)


def test_bundled_drawings_and_their_labels():
    clothes, pets = data.load("clothes", "bundled"), data.load("pets", "bundled", size=32)
    assert [len(clothes.train), len(clothes.validation), len(clothes.test)] == [4400, 600, 1000]
    assert [len(pets.train), len(pets.validation), len(pets.test)] == [800, 200, 200]
    assert (clothes.image_shape, pets.image_shape) == ((28, 28, 1), (32, 32, 3))
    assert set(np.bincount(clothes.validation.labels)) == {60}
    assert pets.source == "bundled"
    with ZipFile(data.DATA / "pets.zip") as archive:
        names = [name for name in archive.namelist() if "cat" in name]
        cats = {np.asarray(Image.open(archive.open(name))).tobytes() for name in names}
    images, labels = data.load("pets", "bundled").validation
    assert labels.tolist() == [int(image.tobytes() not in cats) for image in images]


def test_the_split_is_the_same_for_ever():
    """A number that was measured on one split means nothing on another."""
    labels = np.arange(20) % 4
    arrays = data.split(np.arange(20), labels, 8, 4)
    assert arrays["x_test"].tolist() == [11, 6, 13, 12, 15, 16, 5, 2]
    assert arrays["x_validation"].tolist() == [19, 17, 10, 4]
    assert arrays["x_train"].tolist() == [1, 18, 9, 0, 7, 8, 14, 3]
    assert np.bincount(arrays["y_test"]).tolist() == [2, 2, 2, 2]
    assert sorted(np.concatenate([arrays[f"x_{p}"] for p in data.PARTS])) == list(range(20))


def test_take_is_balanced_and_repeatable():
    labels = np.repeat([0, 1, 2], [30, 5, 40])
    images = np.arange(75, dtype=np.uint8).reshape(-1, 1, 1, 1)
    whole = data.Split(images, labels, ("a", "b", "c"))
    part = whole.take(21, seed=3)
    assert np.bincount(part.labels).tolist() == [8, 5, 8]
    assert len(set(part.images.ravel().tolist())) == 21
    np.testing.assert_array_equal(whole.labels[part.images.ravel()], part.labels)
    np.testing.assert_array_equal(whole.take(21, seed=3).images, part.images)
    assert (whole.take(21, seed=4).images != part.images).any()
    assert sorted(whole.take(75).images.ravel()) == list(range(75))
    for n in (0, 76, 2.5, "3", None):
        with pytest.raises(ValueError, match="from 1 to 75"):
            whole.take(n)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("digit",), "did you mean 'digits'"),
        (("digits", "bundle"), "did you mean 'bundled'"),
        (("digits", "real"), "`course data fetch digits`"),
        (("digits", None, 32), "for pets only"),
        (("pets", None, 300), "8 to 256"),
    ],
)
def test_wrong_arguments(arguments, message):
    name, source, size = (*arguments, None, None)[:3]
    with pytest.raises(ValueError, match=message):
        data.load(name, source, size=size)


def test_a_damaged_set_is_not_passed_over():
    data.folder().joinpath("digits.npz").write_bytes(b"PK\3\4 and then nothing")
    with pytest.raises(data.DataError, match=r"digits\.npz is damaged .*COURSE_DATA=bundled"):
        data.load("digits")
    assert data.load("digits", "bundled")


def test_without_the_repository(monkeypatch, tmp_path):
    monkeypatch.setattr(data, "DATA", tmp_path / "site-packages" / "data")
    assert len(data.load("digits").train) == 3000
    with pytest.raises(data.DataError, match=r"pip install -e \."):
        data.load("pets")


def test_a_relative_folder_is_one_of_the_repository(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA_DIR", "data/mine")
    monkeypatch.chdir(tmp_path)
    assert data.folder() == Path(data.__file__).parents[1] / "data" / "mine"


@pytest.fixture
def shell():
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    data.SealedTest._looks.clear()
    cell = "from course_utils import data; digits = data.load('digits')"
    shell.run_cell(cell, store_history=True)
    yield shell
    InteractiveShell.clear_instance()


def test_running_a_cell_again_is_the_same_look(shell, capsys):
    def look(cell="digits.evaluate(lambda images, labels: len(labels))"):
        assert shell.run_cell(cell, store_history=True).success
        warned = "no longer an honest" in capsys.readouterr().out
        return shell.user_ns["digits"].test.openings, warned

    assert look() == (1, False)
    assert look() == (1, False)
    assert look("digits = data.load('digits')") == (1, False)
    assert look() == (1, False)
    assert look("digits.evaluate(lambda images, labels: 0)") == (2, True)
    assert look() == (2, False)
    assert look("for _ in range(3): digits.evaluate(lambda images, labels: 1)") == (5, True)


def test_another_network_in_the_same_cell_is_another_look(shell, capsys):
    cell = "digits.evaluate(lambda images, labels: (labels == guess, float(guess)))"
    for guess, openings in ((3, 1), (3, 1), (4, 2), (3, 2)):
        shell.user_ns["guess"] = guess
        assert shell.run_cell(cell, store_history=True).success
        assert shell.user_ns["digits"].test.openings == openings
    assert capsys.readouterr().out.count("no longer an honest") == 1


def test_looks_of_a_script_count_and_failed_ones_do_not(capsys):
    data.SealedTest._looks.clear()
    digits = data.load("digits")

    def spoil(images, labels):
        labels[:] = 0

    with pytest.raises(ValueError, match="read-only"):
        digits.evaluate(spoil)
    assert digits.test.openings == 0
    assert not hasattr(digits.test, "images")
    for _ in range(2):
        assert digits.evaluate(lambda images, labels: len(labels)) == 1000
    assert digits.test.openings == 2
    assert "Look 2 at the sealed test set of digits" in capsys.readouterr().out
