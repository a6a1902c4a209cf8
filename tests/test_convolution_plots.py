import numpy as np
import pytest
from scipy.signal import correlate2d

from course_utils import convolution_plots as plots


@pytest.fixture(scope="module")
def photos():
    return plots.photographs(48)


def test_photographs_are_small_and_scaled(photos):
    assert list(photos) == ["temple", "flower"]
    for photo in photos.values():
        assert photo.shape == (48, 72, 3)
        assert 0 <= photo.min() < 0.2
        assert 0.8 < photo.max() <= 1
    with pytest.raises(ValueError, match="height must be at least 8"):
        plots.photographs(4)


def test_grey_keeps_white_white():
    assert np.allclose(plots.grey(np.ones((2, 3, 3))), np.ones((2, 3)))


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_apply_correlates(photos, padding):
    grey, kernel = plots.grey(photos["flower"]), plots.KERNELS["emboss"]
    assert np.allclose(
        plots.apply(grey, kernel, padding), correlate2d(grey, kernel, mode=padding), atol=1e-12
    )


@pytest.mark.parametrize("name", plots.KERNELS)
def test_spectrum_is_what_waves_are_scaled_by(name):
    kernel = plots.KERNELS[name]
    gain = plots.spectrum(kernel, 16)
    y, x = np.mgrid[:32, :32]
    for down, across in ((0, 0), (-8, -8), (2, -5)):
        wave = np.exp(2j * np.pi * (down * y + across * x) / 16)
        answer = correlate2d(wave, kernel, mode="valid")
        assert np.allclose(np.abs(answer), gain[8 + down, 8 + across])


def test_gain_for_a_constant_is_the_sum_of_the_weights():
    for kernel in plots.KERNELS.values():
        assert plots.spectrum(kernel)[32, 32] == pytest.approx(abs(kernel.sum()))


def test_filter_sheet_has_a_row_for_each_kernel(photos):
    greys = {name: plots.grey(photo) for name, photo in photos.items()}
    figure = plots.filter_sheet(plots.KERNELS, greys, title="A finding")
    assert len(figure.axes) == 4 * len(plots.KERNELS) + 1  # and the colour bar
    first, blurred = figure.axes[2], figure.axes[6]
    assert np.allclose(first.images[0].get_array(), greys["temple"])
    assert np.allclose(
        blurred.images[0].get_array(), plots.apply(greys["temple"], plots.KERNELS["blur"])
    )
    edges = figure.axes[4 * 3 + 2].images[0]
    assert edges.norm.vmin == -edges.norm.vmax  # mid-grey is 0
    scales = {(axis.images[0].norm.vmin, axis.images[0].norm.vmax) for axis in figure.axes[1:-1:4]}
    assert scales == {(-3, 3)}  # one scale for all spectra


def test_moved_outlines_the_old_and_the_new_place():
    image = np.zeros((12, 12))
    image[2:5, 3:5] = 1
    after = np.roll(image, (3, 5), axis=(0, 1))
    figure = plots.moved((image, after), (image, after), (3, 5), title="A finding")
    assert len(figure.axes) == 4
    for axis in figure.axes[1::2]:
        old, new = axis.patches[:2]
        assert old.get_xy() == (2.5, 1.5)
        assert new.get_xy() == (7.5, 4.5)
        assert axis.get_xlabel() == "3 down, 5 right"


def test_two_maps_are_the_filtered_images(photos):
    grey, line = plots.grey(photos["temple"]), np.eye(3)[[1, 1, 1]]
    figure = plots.two_maps(grey, {"a": line, "b": line.T}, title="A finding")
    drawn = [axis.images[0].get_array() for axis in figure.axes]
    assert np.allclose(drawn[2], plots.apply(grey, line))
    assert np.allclose(drawn[4], plots.apply(grey, line.T))


def cell_texts(axis):
    return [text.get_text() for text in axis.texts]


def test_matrix_product_shows_rows_and_sums():
    figure = plots.matrix_product(np.arange(9).reshape(3, 3), [[0, 1], [2, 3]], title="A finding")
    image, rows, kernel, product, output = (cell_texts(axis) for axis in figure.axes)
    assert [text for text in rows if text.isdigit()] == list("0134124534674578")
    assert kernel[:4] == list("0123")
    assert product[:4] == ["19", "25", "37", "43"]
    assert set(product[:4]) < set(output)
    assert len(image) == 10  # nine numbers and an empty sign
    with pytest.raises(ValueError, match="at most 26 windows: got 36"):
        plots.matrix_product(np.ones((7, 7)), np.ones((2, 2)), title="Too many")


def test_timings_say_how_much_faster():
    figure = plots.timings({"slow": 0.2, "fast": 0.001}, title="A finding")
    (axis,) = figure.axes
    assert axis.get_xscale() == "log"
    assert [line.get_xdata()[0] for line in axis.lines] == [200, 1]
    assert [text.get_text() for text in axis.texts] == ["200 ms", "1 ms, 200 times as fast"]
    for bad in ({}, {"a": 0.0}):
        with pytest.raises(ValueError, match="seconds must hold times above 0"):
            plots.timings(bad, title="None")


def test_learning_draws_each_weight_towards_its_target():
    path = np.linspace([0, 0], [1, -1], 20)
    figure = plots.learning(path, np.ones(20), [1, -1], title="A finding")
    left, right = figure.axes
    assert left.get_yscale() == "log"
    assert np.allclose(right.lines[1].get_ydata(), path[:, 0])
    assert np.allclose(right.lines[2].get_ydata(), -1)


def test_value_grids_show_every_number():
    figure = plots.value_grids(
        {"a": [[1, 2], [3, 4]], "b": [[0.5]]}, signs=["", "="], title="A finding"
    )
    assert cell_texts(figure.axes[0])[:4] == ["1", "2", "3", "4"]
    assert cell_texts(figure.axes[1]) == ["0.50", "="]
