"""The layers' numbers, gradients, sentences and saved models."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_utils import numpy_ops
from course_utils.arithmetic import ledger, receptive_fields
from course_utils.layers import BlurPooling, DepthPooling

RNG = np.random.default_rng(0)
LAYERS = [
    (DepthPooling, {"pool_size": 2}),
    (DepthPooling, {"pool_size": 3}),
    (BlurPooling, {}),
    (BlurPooling, {"kernel_size": 5, "strides": 3}),
    (BlurPooling, {"padding": "same"}),
]


def images(*shape, dtype="float32"):
    return RNG.standard_normal(shape).astype(dtype)


def gradient(layer, inputs, upstream):
    inputs = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        output = layer(inputs)
    return tape.gradient(output, inputs, output_gradients=tf.constant(upstream)).numpy()


@pytest.mark.parametrize(("kind", "options"), LAYERS)
def test_output_shape_and_weights(kind, options):
    layer = kind(**options)
    for shape in [(2, 8, 8, 6), (2, 7, 9, 12)]:
        output = layer(images(*shape))
        assert output.shape == layer.compute_output_shape(shape)
        assert layer(keras.Input(shape[1:])).shape == (None, *output.shape[1:])
    assert layer.weights == []


@pytest.mark.parametrize(("kind", "options"), LAYERS)
def test_gradient_equals_finite_differences(kind, options):
    layer = kind(**options, dtype="float64")
    inputs, direction = images(2, 6, 7, 6, dtype="float64"), images(2, 6, 7, 6, dtype="float64")
    upstream = images(*layer.compute_output_shape(inputs.shape), dtype="float64")

    def loss(step):
        return np.sum(np.asarray(layer(inputs + step * direction)) * upstream)

    slope = (loss(1e-6) - loss(-1e-6)) / 2e-6
    analytic = gradient(layer, inputs, upstream)
    assert np.sum(analytic * direction) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize(("kind", "options"), LAYERS)
def test_saved_model_loads_and_predicts_the_same(kind, options, tmp_path):
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(6, 3), kind(**options, name="special")]
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = images(3, 8, 8, 1)
    np.testing.assert_array_equal(
        loaded.predict(inputs, verbose=0), model.predict(inputs, verbose=0)
    )
    again = loaded.get_layer("special")
    assert type(again) is kind
    assert again.get_config() == model.get_layer("special").get_config()
    assert options.items() <= again.get_config().items()


@pytest.mark.parametrize(("kind", "options"), LAYERS)
def test_trains_inside_of_a_model_of_any_image_size(kind, options):
    model = keras.Sequential(
        [
            keras.Input((None, None, 1)),
            keras.layers.Conv2D(6, 3),
            kind(**options),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    before = [weight.copy() for weight in model.get_weights()]
    model.fit(images(4, 9, 9, 1), images(4, 1), verbose=0)
    model.fit(images(4, 8, 11, 1), images(4, 1), verbose=0)
    assert all(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("pool_size", [1, 2, 3, 6])
def test_depth_pooling_is_max_pool_over_depth(pool_size):
    inputs = images(2, 4, 5, 6)
    ksize = (1, 1, 1, pool_size)
    expected = tf.nn.max_pool(inputs, ksize=ksize, strides=ksize, padding="VALID")
    np.testing.assert_array_equal(DepthPooling(pool_size)(inputs), expected)


def test_depth_pooling_sends_the_gradient_to_the_largest_channel():
    inputs = np.array([[[[1.0, 3.0, 2.0, 6.0, 5.0, 4.0]]]], "float32")
    upstream = np.array([[[[10.0, 20.0]]]], "float32")
    routed = gradient(DepthPooling(3), inputs, upstream)
    np.testing.assert_array_equal(routed.ravel(), [0, 10, 0, 20, 0, 0])


def test_depth_pooling_says_when_the_groups_do_not_divide_the_channels():
    with pytest.raises(ValueError, match="got 3 for 8 channels, which 2, 4, 8 would divide"):
        DepthPooling(3)(images(1, 2, 2, 8))
    with pytest.raises(ValueError, match="pool_size must divide the channels"):
        keras.Sequential([keras.Input((2, 2, 8)), DepthPooling(3)])
    with pytest.raises(ValueError, match="pool_size must be at least 1: got 0"):
        DepthPooling(0)


@pytest.mark.parametrize(("kernel_size", "row"), [(3, [1, 2, 1]), (5, [1, 4, 6, 4, 1])])
@pytest.mark.parametrize("strides", [1, 2, 3])
def test_blur_pooling_is_a_depthwise_convolution(kernel_size, row, strides):
    inputs = images(2, 8, 7, 3)
    blur = np.outer(row, row) / np.sum(row) ** 2
    kernel = np.tile(blur[:, :, None, None], (1, 1, 1, 3)).astype("float32")
    how = {"strides": strides, "groups": 3}
    zeros = numpy_ops.conv2d(inputs, kernel, padding="same", **how)
    layer = BlurPooling(kernel_size, strides, "same")
    np.testing.assert_allclose(layer(inputs), zeros, rtol=1e-5, atol=1e-6)
    half = kernel_size // 2
    mirrored = np.pad(inputs, ((0, 0), (half, half), (half, half), (0, 0)), mode="reflect")
    expected = numpy_ops.conv2d(mirrored, kernel, **how)
    np.testing.assert_allclose(
        BlurPooling(kernel_size, strides)(inputs), expected, rtol=1e-5, atol=1e-6
    )


def test_blur_pooling_keeps_a_constant_image_up_to_its_border():
    flat = np.ones((1, 6, 6, 2), "float32")
    np.testing.assert_allclose(BlurPooling()(flat), 1, rtol=1e-6)
    assert np.min(BlurPooling(padding="same")(flat)) < 0.8


def stripes(*row):
    """Return a row as an image of equal rows: what happens across is then the 1-D example."""
    return np.tile(np.array(row, "float32"), (1, len(row), 1))[..., np.newaxis]


def test_blur_pooling_tames_the_aliasing_of_max_pooling():
    image, moved = stripes(0, 0, 1, 1, 0, 0, 1, 1), stripes(0, 1, 1, 0, 0, 1, 1, 0)
    np.testing.assert_array_equal(numpy_ops.max_pool2d(image)[0, 0, :, 0], [0, 1, 0, 1])
    np.testing.assert_array_equal(numpy_ops.max_pool2d(moved)[0, 0, :, 0], [1, 1, 1, 1])
    dense = keras.layers.MaxPooling2D(2, strides=1, padding="same")
    max_blur = keras.Sequential([dense, BlurPooling()])
    np.testing.assert_allclose(max_blur(image)[0, 0, :, 0], [0.5, 1, 0.5, 1])
    np.testing.assert_allclose(max_blur(moved)[0, 0, 1:, 0], [0.75, 0.75, 0.75])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"kernel_size": 4}, "kernel_size must be odd, .* got 4"),
        ({"kernel_size": 0}, "kernel_size must be at least 1: got 0"),
        ({"strides": 0}, "strides must be at least 1: got 0"),
        ({"padding": "reflekt"}, "got 'reflekt'; did you mean 'reflect'"),
        ({"padding": 1}, "padding must be one of reflect, same: got 1"),
    ],
)
def test_blur_pooling_refuses_bad_arguments(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        BlurPooling(**options)


def test_blur_pooling_refuses_images_that_it_cannot_mirror():
    with pytest.raises(ValueError, match=r"more than 2 pixels .* got 5×2"):
        BlurPooling(5)(images(1, 5, 2, 1))
    with pytest.raises(ValueError, match=r"images of the shape .* got \(1, 5, 2\)"):
        BlurPooling()(images(1, 5, 2))


def test_ledger_knows_both_layers():
    model = keras.Sequential(
        [
            keras.Input((9, 9, 1)),
            keras.layers.Conv2D(6, 3),
            BlurPooling(5, name="blur"),
            DepthPooling(2, name="depth"),
        ]
    )
    table = ledger(model).set_index("layer")
    assert table.loc["blur", "multiply_adds"] == 4 * 4 * 25 * 6
    assert list(table.loc[["blur", "depth"], "receptive_field"]) == [7, 7]
    assert list(table.loc[["blur", "depth"], "jump"]) == [2, 2]
    assert list(table.loc[["blur", "depth"], "output_shape"]) == [(4, 4, 6), (4, 4, 3)]
    assert table["parameters"].sum() == 60
    assert receptive_fields(model)["blur"][0].start == -2
