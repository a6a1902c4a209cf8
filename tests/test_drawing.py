"""The drawn data sets: deterministic, balanced, varied, and equal to what is shipped."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from course_utils import drawing
from course_utils.drawing_shapes import Dice, Frame, box, ellipse, melt, polygon, stroke

DATA = Path(__file__).parents[1] / "data"
DRAW = {"clothes": drawing.draw_clothes, "pets": drawing.draw_pets}
SHAPE = {"clothes": (28, 28, 1), "pets": (150, 150, 3)}
CLASSES = {"clothes": drawing.CLOTHES, "pets": drawing.PETS}
BOTH = pytest.mark.parametrize("name", ["clothes", "pets"])


@pytest.fixture(scope="module")
def shipped():
    return {name: drawing.read_bundled(name, DATA) for name in DRAW}


@BOTH
def test_shapes_and_types(name):
    images, labels = DRAW[name](7, seed=3)
    assert images.shape == (7, *SHAPE[name])
    assert images.dtype == np.uint8
    assert labels.shape == (7,)
    assert labels.dtype == np.int64


@BOTH
def test_an_image_depends_only_on_its_seed_and_its_number(name):
    many, many_labels = DRAW[name](33, seed=5)
    for n, start in [(10, 0), (1, 0), (4, 9), (1, 32), (13, 20)]:
        images, labels = DRAW[name](n, seed=5, start=start)
        np.testing.assert_array_equal(images, many[start : start + n])
        np.testing.assert_array_equal(labels, many_labels[start : start + n])


@BOTH
def test_seeds_and_numbers_give_different_images(name):
    images = np.concatenate([DRAW[name](20, seed=seed)[0] for seed in (0, 1, 2**70)])
    assert len({image.tobytes() for image in images}) == 60


@BOTH
def test_drawing_leaves_the_global_random_state_alone(name):
    np.random.seed(1)
    expected = np.random.random()
    np.random.seed(1)
    DRAW[name](2, seed=0)
    assert np.random.random() == expected


@BOTH
def test_labels_are_balanced_and_in_no_fixed_order(name):
    classes = len(CLASSES[name])
    _, labels = DRAW[name](classes * 3 + 1, seed=8)
    counts = np.bincount(labels, minlength=classes)
    assert counts.max() - counts.min() <= 1
    blocks = drawing._labels(classes * 40, 8, 0, classes, 0).reshape(40, classes)
    assert (np.sort(blocks) == np.arange(classes)).all()
    assert len({tuple(block) for block in blocks}) > 1


@BOTH
@pytest.mark.parametrize(
    ("n", "seed", "start", "said"),
    [
        (0, 0, 0, "n must be a whole number of at least 1: got 0"),
        (-3, 0, 0, "n must be"),
        (2.0, 0, 0, "n must be"),
        (True, 0, 0, "n must be"),
        (1, -1, 0, "seed must be a whole number of at least 0: got -1"),
        (1, None, 0, "seed must be"),
        (1, 0, -1, "start must be"),
    ],
)
def test_bad_arguments_are_named(name, n, seed, start, said):
    with pytest.raises(ValueError, match=said):
        DRAW[name](n, seed, start)


def test_clothes_are_light_on_a_black_ground():
    images, labels = drawing.draw_clothes(200, seed=1)
    covered = (images > 25).mean(axis=(1, 2, 3))
    assert covered.min() > 0.04
    assert covered.max() < 0.9
    assert np.median(images[:, 0, :]) == 0
    means = np.stack([images[labels == k].mean(axis=0) for k in range(10)])
    trouser, bag = drawing.CLOTHES.index("Trouser"), drawing.CLOTHES.index("Bag")
    assert means[bag][14, 4:24].mean() > 1.5 * means[trouser][14, 4:24].mean()


def test_pets_share_brightness_and_differ_from_each_other():
    images, labels = drawing.draw_pets(60, seed=1)
    cats, dogs = (images[labels == k].mean(axis=(1, 2, 3)) for k in (0, 1))
    assert abs(cats.mean() - dogs.mean()) < cats.std() + dogs.std()
    assert images.std(axis=(1, 2, 3)).min() > 8


@BOTH
def test_what_is_shipped_is_counted_and_balanced(name, shipped):
    images, labels = shipped[name]
    n = drawing.BUNDLED[name].n
    assert n >= {"clothes": 6000, "pets": 1200}[name]
    assert images.shape == (n, *SHAPE[name])
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert set(np.bincount(labels)) == {n // len(CLASSES[name])}
    assert len({image.tobytes() for image in images}) == n


def test_what_is_shipped_is_small():
    assert sum((DATA / b.file).stat().st_size for b in drawing.BUNDLED.values()) <= 8_000_000


@BOTH
def test_a_fresh_drawing_gives_what_is_shipped(name, shipped):
    images, labels = shipped[name]
    n, seed, _ = drawing.BUNDLED[name]
    chosen = np.random.default_rng(0).choice(n, {"clothes": 200, "pets": 40}[name], replace=False)
    fresh = [DRAW[name](1, seed, start=int(k)) for k in chosen]
    np.testing.assert_array_equal(np.concatenate([label for _, label in fresh]), labels[chosen])
    drawn = np.concatenate([image for image, _ in fresh]).astype(int)
    # Platforms may round a last bit of a sine or a root differently: one step, and rarely.
    step = {"clothes": 5, "pets": 9}[name]
    difference = np.abs(drawn - images[chosen])
    assert difference.max() <= step
    assert (difference > 0).mean() <= 1e-5


def test_packing_is_lossless(tmp_path, monkeypatch):
    small = {k: b._replace(n=20) for k, b in drawing.BUNDLED.items()}
    monkeypatch.setattr(drawing, "BUNDLED", small)
    written = drawing.write_bundled(tmp_path / "new folder ä")
    assert [path.name for path in written] == [b.file for b in small.values()]
    assert sorted(path.name for path in written[0].parent.iterdir()) == sorted(
        path.name for path in written
    )
    for name, draw in DRAW.items():
        images, labels = drawing.read_bundled(name, tmp_path / "new folder ä")
        expected, expected_labels = draw(20, small[name].seed)
        np.testing.assert_array_equal(images, expected)
        np.testing.assert_array_equal(labels, expected_labels)


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    target = tmp_path / "clothes.npz"
    target.write_bytes(b"before")

    def broken(source, destination):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(drawing.os, "replace", broken)
    with pytest.raises(OSError, match="No space left"):
        drawing._write_whole(target, b"after")
    assert target.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["clothes.npz"]


def test_where_nothing_can_be_written_nothing_is_drawn(tmp_path, monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    drawn = []
    monkeypatch.setattr(drawing.tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(drawing, "draw_clothes", lambda *_: drawn.append("clothes"))
    with pytest.raises(PermissionError):
        drawing.write_bundled(tmp_path)
    assert drawn == []


def test_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="got 'pet'; did you mean 'pets'"):
        drawing.read_bundled("pet", DATA)


@BOTH
def test_files_that_are_not_the_bundle_are_refused(name, tmp_path):
    with pytest.raises(FileNotFoundError, match="course data draw"):
        drawing.read_bundled(name, tmp_path)
    file = drawing.BUNDLED[name].file
    whole = (DATA / file).read_bytes()
    half = len(whole) // 2
    flipped = whole[:half] + bytes([whole[half] ^ 8]) + whole[half + 1 :]
    for content in (b"", b"not an archive", whole[:half], whole[:-10], flipped):
        (tmp_path / file).write_bytes(content)
        with pytest.raises(ValueError, match=f"is not the bundled drawing of {name}"):
            drawing.read_bundled(name, tmp_path)


def test_a_changed_picture_and_a_short_archive_are_refused(tmp_path):
    path = tmp_path / "pets.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("0000.cat.webp", b"no picture")
    with pytest.raises(ValueError, match="is not the bundled drawing"):
        drawing.read_bundled("pets", tmp_path)
    images, labels = drawing.draw_pets(2, 0)
    path.write_bytes(drawing._pack_pictures(images, labels))
    with pytest.raises(ValueError, match=r"instead of uint8 \(1200, 150, 150, 3\)"):
        drawing.read_bundled("pets", tmp_path)


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, course_utils.drawing;"
        "print([m for m in ('tensorflow', 'keras', 'matplotlib', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def frame():
    return Frame.on(np.zeros((80, 80, 1)), 40, 40, 20, reach=3)


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        (lambda f: ellipse(f, 0.2, -0.1, 1.0, 0.5, 0.7), np.pi * 0.5),
        (lambda f: box(f, 0.1, 0.2, 0.8, 0.5), 1.6),
        (lambda f: stroke(f, [(-0.6, -0.4), (0.6, 0.5)], 0.4), 0.4 * 1.5 + np.pi * 0.04),
        (lambda f: polygon(f, [(-1, -1), (1, -1), (0, 1)]), 2.0),
        (lambda f: polygon(f, [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)], 0.25),
         1 + 4 * 0.25 + np.pi * 0.0625),
    ],
)  # fmt: skip
def test_shapes_cover_their_area(frame, shape, area):
    assert frame.cover(shape(frame)).sum() / frame.unit**2 == pytest.approx(area, rel=0.01)


def test_melting_fills_the_joint_and_changes_nothing_far_away(frame):
    left, right = ellipse(frame, -0.6, 0, 0.5, 0.5), ellipse(frame, 0.6, 0, 0.5, 0.5)
    joint = melt(left, right, 0.6)
    assert (joint <= np.minimum(left, right)).all()
    middle = np.abs(frame.u) + np.abs(frame.v) < 0.1
    assert (joint[middle] < np.minimum(left, right)[middle]).all()
    far = np.abs(left - right) > 0.6
    np.testing.assert_array_equal(joint[far], np.minimum(left, right)[far])


def test_a_part_of_a_frame_paints_where_the_whole_would():
    whole, part = (np.zeros((60, 60, 1)) for _ in range(2))
    outer = Frame.on(whole, 30, 28, 12, angle=0.4, mirror=True, reach=4)
    outer.fill(ellipse(outer, 0.8, -0.5, 0.6, 0.3, 0.5), 1.0)
    inner = Frame.on(part, 30, 28, 12, angle=0.4, mirror=True).part(0.8, -0.5, 0.5, 0.5, reach=2)
    inner.fill(ellipse(inner, 0, 0, 1.2, 0.6), 1.0)
    np.testing.assert_allclose(part, whole, atol=1e-9)
    assert whole.max() == 1


def test_a_frame_beside_the_canvas_paints_nothing():
    canvas = np.zeros((20, 20, 1))
    for x, y in [(-90, 10), (10, 200), (300, -300)]:
        frame = Frame.on(canvas, x, y, 5)
        frame.fill(ellipse(frame, 0, 0, 1, 1), 1.0)
    assert canvas.sum() == 0


def test_dice_are_the_stream_they_were():
    dice = Dice(0, 1, 2)
    # Exact: NumPy guarantees PCG64 and SeedSequence, and the shipped files stand on them.
    assert [dice.between(0, 1) for _ in range(2)] == [0.053484165504532055, 0.5687422908638454]
    assert Dice(0, 1, 3).between(0, 1) != Dice(0, 1, 2).between(0, 1)
    rolls = [dice.count(1, 6) for _ in range(600)]
    assert set(rolls) == {1, 2, 3, 4, 5, 6}
    picks = [dice.pick(("rare", "often"), (1, 9)) for _ in range(600)]
    assert 20 < picks.count("rare") < 120
    assert sorted(dice.order(10)) == list(range(10))
