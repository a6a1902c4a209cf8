import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from course_utils import importing
from course_utils.views import pretrained as views


def saved(path, alpha=0.5, top=False):
    options = {"input_shape": (160, 160, 3), "include_top": top, "weights": None}
    keras.applications.MobileNet(alpha=alpha, **options).save_weights(path)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    made = {
        "whole": saved(folder / "a.weights.h5"),
        "top": saved(folder / "b.weights.h5", top=True),
    }
    made["other width"] = saved(folder / "c.weights.h5", alpha=0.25)
    made["cut off"] = folder / "d.weights.h5"
    made["cut off"].write_bytes(made["whole"].read_bytes()[:1_000_000])
    return made


@pytest.mark.parametrize(
    ("kind", "top", "said"),
    [
        ("whole", False, ""),
        ("top", True, ""),
        ("top", False, "is with the layer of the 1,000 classes"),
        ("whole", True, "is without the layer of the 1,000 classes"),
        ("other width", False, "do not fit MobileNet with α = 0.5"),
        ("cut off", False, "is not right ("),
        (None, False, "`course data fetch pretrained` gets them"),
    ],
)
def test_weights_that_do_not_fit_are_one_sentence(
    kind, top, said, files, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    path = tmp_path / f"{importing.WEIGHTS[top]}.weights.h5"
    if kind:
        shutil.copy(files[kind], path)
    assert views.weights(top) == (None if said else str(path))
    printed = capsys.readouterr().out
    assert said in printed
    assert printed.count("\n") == bool(said)


def test_names_of_classes_are_used_only_if_keras_would_not_download_them(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert not views.class_names_here()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "imagenet_class_index.json").write_text('{"0": ["n1", "tench"]}')
    assert not views.class_names_here()  # Keras would fetch it again
    assert capsys.readouterr().out.count("shown by their numbers") == 2


def drawn(folder):
    colour = np.zeros((40, 90, 3), np.uint8)
    colour[:, 25:65] = 200, 30, 60  # the middle square
    plain, clear = Image.fromarray(colour), Image.new("RGBA", (30, 30), (9, 9, 9, 0))
    saves = {
        "plain.png": (plain, {}),
        "animated.gif": (plain, {"save_all": True, "append_images": [Image.new("RGB", (90, 40))]}),
        "grey.png": (Image.new("L", (7, 300), 120), {}),
        "sixteen.png": (Image.fromarray(np.full((9, 9), 40_000, np.uint16)), {}),
        "clear.png": (clear, {}),
        "palette.png": (clear.convert("P"), {"transparency": clear.convert("P").getpixel((0, 0))}),
        "cmyk.jpg": (Image.new("CMYK", (20, 20), (0, 255, 0, 0)), {}),
    }
    for name, (image, options) in saves.items():
        image.save(folder / name, **options)
    (folder / "half.png").write_bytes((folder / "plain.png").read_bytes()[:90])
    (folder / "letter.jpg").write_text("Dear network,")


@pytest.mark.parametrize(
    ("name", "colour"),
    [
        ("plain.png", (200, 30, 60)),
        ("animated.gif", (200, 30, 60)),
        ("grey.png", (120, 120, 120)),
        ("sixteen.png", (155, 155, 155)),
        ("clear.png", (255, 255, 255)),
        ("palette.png", (255, 255, 255)),
        ("cmyk.jpg", (255, 0, 255)),
    ],
)
def test_a_picture_of_any_kind_becomes_a_square_of_colours(name, colour, tmp_path, capsys):
    drawn(tmp_path)
    found = views.picture(str(tmp_path / name), 16)
    assert (found.shape, found.dtype) == ((16, 16, 3), np.uint8)
    assert np.abs(found[4:12, 4:12].astype(int) - colour).max() < 12
    assert capsys.readouterr().out == ""


def test_a_picture_is_turned_upright(tmp_path):
    sides = np.zeros((40, 40, 3), np.uint8)
    sides[:, :20] = 255  # the left half, which orientation 6 puts at the top
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(sides).save(tmp_path / "turned.png", exif=exif)
    found = views.picture(tmp_path / "turned.png", 8)[..., 0]
    assert found[:3].min() > 250
    assert found[5:].max() < 5


@pytest.mark.parametrize("name", ["half.png", "letter.jpg", "nowhere.png", "."])
def test_what_is_no_picture_is_one_sentence_and_a_flower(name, tmp_path, capsys):
    drawn(tmp_path)
    assert np.array_equal(views.picture(tmp_path / name, 20), views.picture("", 20))
    assert capsys.readouterr().out.count("cannot be used") == 1


def test_nearest_is_by_direction():
    gallery = np.array([[10.0, 0], [1, 1], [0, 0.1], [-1, 0], [0, 0]])
    assert views.nearest(np.array([[2.0, 0.1]]), gallery, 2).tolist() == [[0, 1]]
    images = np.arange(5)[:, None, None, None] * np.ones((1, 4, 4, 1))
    labels, near = (
        np.array([5, 7, 6, 7, 5]),
        {"features": np.array([[1, 3]] * 5), "pixels": np.array([[0, 4]] * 5)},
    )
    view = views.neighbours(images, labels, images, labels, near)
    assert view.controls["image"].value == 1  # the first 7
    figure, alt = view._draw(1)
    marks = [axis.get_title("center")[:1] for axis in figure.axes]
    assert marks == ["", "✓", "✓", "", "✗", "✗"]
    assert alt == "The digit 7, and the nearest to it. By features: 7, 7; by pixels: 5, 5."


def test_heat_says_where_it_is_hottest():
    warm = np.zeros((8, 8))
    warm[2, 5] = 1
    figure, alt = views.heat(np.zeros((2, 8, 8, 3), np.uint8), [warm, 0 * warm], ["cat", "dog"])
    assert "cat: hottest at row 2, column 5; dog: hottest nowhere" in alt
    assert len(figure.axes) == 4
