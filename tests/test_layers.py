"""The layers' numbers, gradients, sentences and saved models."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_utils import numpy_ops
from course_utils.layers import BlurPooling, DepthPooling

RNG = np.random.default_rng(0)
LAYERS = [DepthPooling(3), BlurPooling(), BlurPooling(5, strides=3)]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_model_of_any_size_trains_and_loads_again(layer, tmp_path):
    layer = type(layer).from_config(layer.get_config())  # each test its own
    model = keras.Sequential(
        [
            keras.Input((None, None, 1)),
            keras.layers.Conv2D(6, 3),
            layer,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1),
        ]
    )
    assert layer.weights == []
    model.compile("sgd", "mse")
    before = model.get_weights()
    for size in ((4, 9, 9, 1), (3, 8, 11, 1)):
        model.fit(RNG.standard_normal(size), RNG.standard_normal((size[0], 1)), verbose=0)
    assert all(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    images = RNG.standard_normal((3, 8, 8, 1)).astype("float32")
    np.testing.assert_array_equal(loaded(images), model(images))
    assert loaded.get_layer(layer.name).get_config() == layer.get_config()


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("shape", [(2, 8, 8, 6), (1, 7, 9, 12)])
def test_the_output_shape_is_known_before(layer, shape):
    expected = layer(RNG.standard_normal(shape).astype("float32")).shape
    assert layer(keras.Input(shape[1:])).shape == (None, *expected[1:])


@pytest.mark.parametrize("pool_size", [1, 2, 6])
def test_depth_pooling_is_max_pool_over_depth_with_a_gradient(pool_size):
    inputs = RNG.standard_normal((2, 4, 5, 6)).astype("float32")
    ksize = (1, 1, 1, pool_size)
    expected = tf.nn.max_pool(inputs, ksize=ksize, strides=ksize, padding="VALID")
    np.testing.assert_array_equal(DepthPooling(pool_size)(inputs), expected)
    pixel = tf.constant([[[[1.0, 3.0, 2.0, 6.0, 5.0, 4.0]]]])
    with tf.GradientTape() as tape:
        tape.watch(pixel)
        largest = DepthPooling(3)(pixel)
    routed = tape.gradient(largest, pixel, output_gradients=tf.constant([[[[10.0, 20.0]]]]))
    np.testing.assert_array_equal(np.ravel(routed), [0, 10, 0, 20, 0, 0])


@pytest.mark.parametrize(("kernel_size", "row"), [(1, [1]), (3, [1, 2, 1]), (5, [1, 4, 6, 4, 1])])
@pytest.mark.parametrize("strides", [1, 2, 3])
def test_blur_pooling_is_a_convolution_of_each_channel(kernel_size, row, strides):
    images, half = RNG.standard_normal((2, 8, 7, 3)).astype("float32"), kernel_size // 2
    kernel = (np.outer(row, row) / np.sum(row) ** 2)[:, :, np.newaxis, np.newaxis]
    mirrored = np.pad(images, ((0, 0), (half, half), (half, half), (0, 0)), mode="reflect")
    expected = [numpy_ops.conv2d(mirrored[..., [c]], kernel, strides=strides) for c in range(3)]
    found = BlurPooling(kernel_size, strides)(images)
    np.testing.assert_allclose(found, np.concatenate(expected, -1), atol=1e-6)


def test_max_blur_pooling_aliases_less_than_max_pooling():
    """The worked example of Zhang's paper: a shift by one pixel changes a max pooling most."""

    def rows(*row):
        return np.tile(np.array(row, "float32"), (1, len(row), 1))[..., np.newaxis]

    dense = keras.layers.MaxPooling2D(2, strides=1, padding="same")
    image, moved = rows(0, 0, 1, 1, 0, 0, 1, 1), rows(0, 1, 1, 0, 0, 1, 1, 0)
    np.testing.assert_allclose(BlurPooling()(dense(image))[0, 0, :, 0], [0.5, 1, 0.5, 1])
    np.testing.assert_allclose(BlurPooling()(dense(moved))[0, 0, 1:, 0], [0.75, 0.75, 0.75])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: DepthPooling(0), "pool_size must be at least 1: got 0"),
        (lambda: DepthPooling(3)(np.ones((1, 2, 2, 8))), r"8 channels \(1, 2, 4, 8 do\): got 3"),
        (lambda: BlurPooling(4), "kernel_size must be odd, .* got 4 and 2"),
        (lambda: BlurPooling(5)(np.ones((1, 5, 2, 1))), r"at least 3×3: got \(1, 5, 2, 1\)"),
        (lambda: BlurPooling()(np.ones((1, 5, 2))), r"\(images, height, width, channels\)"),
    ],
)
def test_bad_arguments_get_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        call()
    assert "\n" not in str(error.value)
