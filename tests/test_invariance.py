import keras
import numpy as np
import pytest

from course_utils import invariance, plotting

RNG = np.random.default_rng(0)
CANVAS = np.pad(RNG.random((2, 6, 6, 1)).astype("float32"), ((0, 0), (8, 8), (8, 8), (0, 0)))


def strided(images):
    return np.asarray(images)[:, ::2, ::2]


def test_shifted_moves_right_and_loses_what_leaves():
    image = np.arange(1.0, 7).reshape(1, 2, 3, 1)
    moved = invariance.shifted(image, 1)
    assert moved[0, :, :, 0].tolist() == [[0, 1, 2], [0, 4, 5]]
    assert image[0, 0, 0, 0] == 1
    np.testing.assert_array_equal(invariance.shifted(image, 0), image)


@pytest.mark.parametrize("pixels", [-1, 3])
def test_a_shift_stays_within_the_image(pixels):
    with pytest.raises(ValueError, match=f"pixels must be 0 to 2 .* got {pixels}"):
        invariance.shifted(np.zeros((1, 2, 3, 1)), pixels)


def test_turned_turns_the_image_and_keeps_its_size():
    image = RNG.random((2, 5, 5, 1))
    np.testing.assert_allclose(
        invariance.turned(image, 90), np.rot90(image, axes=(1, 2)), atol=1e-12
    )
    assert invariance.turned(image, 30).shape == image.shape


@pytest.mark.parametrize("pixels", range(5))
def test_strides_of_two_follow_even_shifts_only(pixels):
    error = invariance.shift_error(strided, CANVAS, pixels)
    assert (error == 0) == (pixels % 2 == 0)
    assert pixels % 2 == 0 or error > 0.1


@pytest.mark.parametrize("pixels", [1, 3])
def test_what_moves_along_or_stays_has_no_error(pixels):
    conv = keras.layers.Conv2D(4, 3, padding="same")
    assert invariance.shift_error(conv, CANVAS, pixels) < 1e-6
    assert invariance.shift_error(lambda x: np.max(x, axis=(1, 2)), CANVAS, pixels) == 0
    assert invariance.shift_error(lambda x: np.asarray(x)[:, 8, 8], CANVAS, pixels) > 0.1


def test_half_a_pixel_of_a_smooth_result_is_exact():
    wave = 2 + np.sin(np.arange(24) * 2 * np.pi / 24)
    images = np.tile(wave[None, None, :, None], (1, 4, 1, 1))
    half = invariance._half_a_pixel_on(images)
    expected = 2 + np.sin((np.arange(24) - 0.5) * 2 * np.pi / 24)
    np.testing.assert_allclose(half[0, 0, :, 0], expected, atol=1e-12)


def test_half_a_pixel_of_the_result_is_a_move():
    ramp = np.zeros((1, 3, 24, 1))
    ramp[:, :, 8:16, 0] = [0, 1, 2, 3, 3, 2, 1, 0]
    assert invariance.shift_error(strided, ramp, 1) < 0.3
    whole = np.asarray(strided(invariance.shifted(ramp, 1))) - strided(ramp)
    assert np.linalg.norm(whole) / np.linalg.norm(strided(ramp)) > 0.3


def test_quarter_turns():
    assert invariance.quarter_turn_error(keras.layers.MaxPooling2D(2), CANVAS) == 0
    assert invariance.quarter_turn_error(keras.layers.GlobalMaxPooling2D(), CANVAS) == 0
    assert invariance.quarter_turn_error(keras.layers.Conv2D(4, 3), CANVAS) > 0.1


def test_right_when_takes_each_image_after_each_change():
    class Brightest:
        """Says in which column the brightest pixel is."""

        def predict(self, images, verbose, batch_size):
            return np.asarray(images).max(axis=1)[..., 0]

    images = np.zeros((3, 4, 4, 1))
    for k in range(3):
        images[k, 1, k] = 1
    right = invariance.right_when(
        Brightest(), images, np.array([0, 1, 0]), invariance.shifted, [0, 1, 2]
    )
    assert {amount: row.tolist() for amount, row in right.items()} == {
        0: [True, True, False],
        1: [False, False, False],
        2: [False, False, True],  # the third has left, and an empty image says column 0
    }


def test_cells_stand_below_what_they_came_from():
    rows = {"now": {"signal": [0, 0, 1, 1], "kept": [0, 1]}, "moved": {"signal": [1] * 4}}
    figure = invariance.cell_rows(rows, title="Cells")
    axis = figure.axes[0]
    middles = [(text.get_position()[0], text.get_text()) for text in axis.texts]
    assert middles == [(0.5, "0"), (1.5, "0"), (2.5, "1"), (3.5, "1"), (1.0, "0"), (3.0, "1")]
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["now", "moved"]
    assert plotting.to_png(figure)


def test_shrunken_shows_the_change_with_its_mean():
    still = np.indices((4, 6)).sum(axis=0) % 2 / 2  # standard deviation 1/4
    moved = still + 0.125
    figure = invariance.shrunken({"one": (still, moved), "two": (still, still)}, title="Change")
    pictures = [axis.images[0].get_array() for axis in figure.axes[:6]]
    np.testing.assert_allclose(pictures[2], 0.5)
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert "change: mean 0.50" in titles
    assert "change: mean 0.00" in titles
    assert plotting.to_png(figure)


def test_response_curves_share_one_legend():
    lines = {"a": [0.9, 0.5], "b": [0.8, 0.2]}
    panels = {"pixels": ([0, 1], lines), "degrees": ([0, 90], lines)}
    figure = invariance.response_curves(panels, title="Falls", ylabel="accuracy", chance=0.1)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
    assert [axis.get_xlabel() for axis in figure.axes] == ["pixels", "degrees"]
    drawn = figure.axes[1].lines[1:]  # the first one is that of guessing
    assert [line.get_ydata().tolist() for line in drawn] == list(lines.values())
    assert len({line.get_marker() for line in drawn}) == 2
    assert plotting.to_png(figure)
