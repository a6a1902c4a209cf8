import keras
import numpy as np
import pytest
from matplotlib.patches import Rectangle

from course_utils import one_pixel, plotting


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    conv, layers = keras.layers.Conv2D, keras.layers
    network = keras.Sequential(
        [
            keras.Input((11, 12, 1)),
            conv(4, 3, activation="relu", name="plain"),
            conv(5, (3, 2), strides=2, padding="same", name="strided"),
            conv(3, 2, use_bias=False, activation="relu", name="unbiased"),
            conv(3, 2, padding="same", dilation_rate=2, name="dilated"),
            layers.Activation("tanh", name="squashed"),
            conv(2, 1, activation="tanh", name="tanh"),
        ]
    )
    for weight in network.weights:
        weight.assign(np.random.default_rng(5).normal(size=weight.shape))
    return network


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(7).random((11, 12, 1)).astype("float32")


@pytest.mark.parametrize(
    ("layer", "shape"), [("plain", (9, 10, 4)), ("strided", (5, 5, 5)), ("unbiased", (4, 4, 3))]
)
def test_every_value_is_the_layers_own(model, image, layer, shape):
    for place in np.ndindex(shape):
        row, column, filter = place
        found = one_pixel.terms(model, image, layer, filter, row, column)
        assert found.by_hand == pytest.approx(found.value, abs=1e-4)
        assert found.products.sum() + found.bias == pytest.approx(found.total, abs=1e-4)
        np.testing.assert_allclose(found.products, found.window * found.kernel)
    assert found.feature_map.shape == shape[:2]


def test_relu_makes_a_negative_total_zero_and_a_linear_layer_keeps_it(model, image):
    plain, linear = (
        [
            one_pixel.terms(model, image, layer, filter, row, 2)
            for filter in range(4)
            for row in range(4)
        ]
        for layer in ("plain", "strided")
    )
    assert any(found.total < 0 for found in plain)
    assert all(found.value >= 0 for found in plain)
    assert any(found.value < 0 for found in linear)


def test_a_window_at_the_padded_border_begins_outside(model, image):
    found = one_pixel.terms(model, image, "strided", 0, 0, 0)
    assert (found.top, found.left) == (-1, 0)
    assert not found.window[0].any()
    np.testing.assert_array_equal(found.window[1:], found.seen[:2, :2])


def test_the_channel_shown_is_the_one_that_adds_most(model, image):
    found = one_pixel.terms(model, image, "strided", 1, 2, 2)
    sums = np.abs(found.products.sum(axis=(0, 1)))
    assert sums[found.channel] == sums.max()


@pytest.mark.parametrize(
    ("layer", "place", "message"),
    [
        ("plain", (4, 0, 0), "filter must be 0 to 3 in 'plain': got 4"),
        ("plain", (0, 9, 0), "row must be 0 to 8 in 'plain': got 9"),
        ("plain", (0, 0, -1), "column must be 0 to 9 in 'plain': got -1"),
        ("dilated", (0, 0, 0), "layer must be a plain convolution"),
        ("tanh", (0, 0, 0), "layer must be a plain convolution"),
        ("squashed", (0, 0, 0), "layer must be a convolution"),
        ("plane", (0, 0, 0), "did you mean 'plain'"),
    ],
)
def test_what_is_not_there_is_refused(model, image, layer, place, message):
    with pytest.raises(ValueError, match=message):
        one_pixel.terms(model, image, layer, *place)


@pytest.mark.parametrize(("layer", "bars"), [("plain", 9 + 3), ("strided", 4 + 2 + 1)])
def test_the_drawing_frames_the_window_and_the_value_and_adds_term_by_term(
    model, image, layer, bars
):
    found = one_pixel.terms(model, image, layer, 1, 2, 3)
    figure = one_pixel.draw(found)
    source, *small, sums, result = figure.axes
    title = figure.get_suptitle()
    assert f"= {found.total:.3f}" in title
    assert ("ReLU" in title) == (layer == "plain")
    framed = [patch for patch in source.patches if isinstance(patch, Rectangle)]
    assert framed[-1].get_xy() == (found.left - 0.5, found.top - 0.5)
    assert result.patches[-1].get_xy() == (found.column - 0.5, found.row - 0.5)
    written = [float(text.get_text()) for text in small[2].texts if text.get_text() != "="]
    np.testing.assert_allclose(written, found.products[..., found.channel].ravel(), atol=0.0051)
    # A layer of several channels has one bar more: the frame around the channel that is shown.
    assert len(sums.patches) == bars
    assert plotting.to_png(figure).startswith(b"\x89PNG")
