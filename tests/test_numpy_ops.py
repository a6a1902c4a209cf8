"""The NumPy operations against TensorFlow, finite differences and the first edition's values."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import numpy_ops as ops

KEPT = json.loads((Path(__file__).parent / "kept_values.json").read_text(encoding="utf-8"))
examples = settings(max_examples=80, deadline=None, derandomize=True, database=None)
dtypes = st.sampled_from(["float32", "float64"])


def same(ours, theirs, dtype):
    """Hold ours against theirs, relative to the largest number: sums near 0 lose digits."""
    theirs = np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == dtype
    tolerance = {"float32": 1e-5, "float64": 1e-10}[dtype]
    scale = np.abs(theirs).max(initial=0)
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * scale)


def gradients(function, upstream, *arrays):
    variables = [tf.constant(array) for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        output = function(*variables)
    return tape.gradient(output, variables, output_gradients=tf.constant(upstream))


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def configurations(draw):
    """Arrays and arguments of a convolution whose kernel fits into the padded images."""
    kernel_size, dilation_rate = draw(pairs(1, 4)), draw(pairs(1, 3))
    padding = draw(st.sampled_from(["same", "valid"]) | st.tuples(pairs(0, 3), pairs(0, 3)))
    least = [d * (k - 1) + 1 for k, d in zip(kernel_size, dilation_rate, strict=True)]
    sizes = [draw(st.integers(1 if padding == "same" else n, n + 8)) for n in least]
    channels, filters = draw(pairs(1, 3))
    rng, dtype = np.random.default_rng(draw(st.integers(0, 2**32))), draw(dtypes)
    shapes = (draw(st.integers(1, 3)), *sizes, channels), (*kernel_size, channels, filters), filters
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    how = {"strides": draw(pairs(1, 3)), "padding": padding, "dilation_rate": dilation_rate}
    return arrays, how, dtype


def tf_conv2d(images, kernel, bias, *, strides, padding, dilation_rate):
    """TensorFlow's convolution of explicitly padded images with a kernel that zeros make wider.

    TensorFlow itself refuses strides with dilation on a CPU, and has no float64 gradients of it.
    """
    (dy, dx), (rows, columns, channels, filters) = dilation_rate, kernel.shape
    wide = tf.reshape(kernel, (rows, 1, columns, 1, channels, filters))
    wide = tf.pad(wide, ((0, 0), (0, dy - 1), (0, 0), (0, dx - 1), (0, 0), (0, 0)))
    wide = tf.reshape(wide, (rows * dy, columns * dx, channels, filters))
    wide = wide[: dy * (rows - 1) + 1, : dx * (columns - 1) + 1]
    if isinstance(padding, tuple):
        images, padding = tf.pad(images, ((0, 0), *padding, (0, 0))), "valid"
    return tf.nn.conv2d(images, wide, strides, padding.upper()) + bias


@examples
@given(configurations())
def test_convolution_and_its_gradients_are_tensorflows(configuration):
    arrays, how, dtype = configuration
    output = ops.conv2d(*arrays, **how)
    same(output, tf_conv2d(*map(tf.constant, arrays), **how), dtype)
    same(ops.conv2d_loops(*arrays, **how), output, dtype)
    # Theirs in float64: TensorFlow 2.21 corrupts its memory in the float32 gradient of a 1×1 kernel
    # with strides, for one image.
    upstream = np.random.default_rng(0).standard_normal(output.shape)
    wide = [array.astype("float64") for array in arrays]
    theirs = gradients(lambda *given: tf_conv2d(*given, **how), upstream, *wide)
    back = ops.conv2d_backward(upstream.astype(dtype), *arrays[:2], **how)
    for ours, expected in zip(back, theirs, strict=True):
        same(ours, expected, dtype)


@st.composite
def poolings(draw):
    pool_size, padding = draw(pairs(1, 4)), draw(st.sampled_from(["same", "valid", "SAME"]))
    sizes = [draw(st.integers(1 if padding != "valid" else k, k + 8)) for k in pool_size]
    shape = draw(st.integers(1, 3)), *sizes, draw(st.integers(1, 3))
    dtype = draw(dtypes)
    images = np.random.default_rng(draw(st.integers(0, 2**32))).standard_normal(shape).astype(dtype)
    if draw(st.booleans()):  # ties, and windows in which everything is below the padding's zeros
        images = np.round(images) - 5
    return images, pool_size, {"strides": draw(st.none() | pairs(1, 4)), "padding": padding}, dtype


@examples
@given(poolings())
@pytest.mark.parametrize("name", ["max_pool", "average_pool"])
def test_pooling_and_its_gradient_are_tensorflows(name, configuration):
    images, pool_size, how, dtype = configuration
    theirs = tf.nn.max_pool2d if name == "max_pool" else tf.nn.avg_pool2d
    settings_of_theirs = pool_size, how["strides"] or pool_size, how["padding"].upper()
    output = getattr(ops, name)(images, pool_size, **how)
    same(output, theirs(tf.constant(images), *settings_of_theirs), dtype)
    upstream = np.random.default_rng(0).standard_normal(output.shape).astype(dtype)
    (expected,) = gradients(lambda x: theirs(x, *settings_of_theirs), upstream, images)
    same(getattr(ops, f"{name}_backward")(upstream, images, pool_size, **how), expected, dtype)


def kept_array(shape, step, modulus):
    return (np.arange(np.prod(shape)) * step % modulus - modulus // 2).reshape(shape).astype(float)


def as_tuples(value):
    return tuple(map(as_tuples, value)) if isinstance(value, list) else value


@pytest.mark.parametrize("case", [c for c in KEPT["convolution"] if "groups" not in c["how"]])
def test_convolution_keeps_the_values_of_the_first_edition(case):
    images, kernel = kept_array(case["images"], 7, 11), kept_array(case["kernel"], 5, 7)
    how = {name: as_tuples(value) for name, value in case["how"].items()}
    output = ops.conv2d(images, kernel, kept_array(case["kernel"][3:], 2, 3), **how)
    assert (list(output.shape), output.ravel().tolist()) == (case["output_shape"], case["output"])
    back = ops.conv2d_backward(kept_array(output.shape, 3, 5), images, kernel, **how)
    for gradient, name in zip(back, ["d_images", "d_kernel", "d_bias"], strict=True):
        assert gradient.ravel().tolist() == case[name]


@pytest.mark.parametrize("case", KEPT["pooling"])
@pytest.mark.parametrize("name", ["max", "average"])
def test_pooling_keeps_the_values_of_the_first_edition(name, case):
    images, size = kept_array(case["images"], 7, 11), as_tuples(case["pool_size"])
    output = getattr(ops, f"{name}_pool")(images, size, **case["how"])
    assert list(output.shape) == case["output_shape"]
    assert output.ravel() == pytest.approx(case[name], abs=1e-8)
    upstream = kept_array(output.shape, 3, 5)
    back = getattr(ops, f"{name}_pool_backward")(upstream, images, size, **case["how"])
    assert back.ravel() == pytest.approx(case[f"d_{name}"], abs=1e-8)


def test_sizes_keep_the_values_of_the_first_edition():
    for case in KEPT["sizes"]:
        size, *how = as_tuples(case["of"])
        kernel_size, strides, _, dilation_rate = how
        zeros = ops.axis_padding(size, kernel_size, strides, "same", dilation_rate)
        assert list(zeros) == case["same"]
        assert {ops.output_size(n, *how) for n in range(*case["inputs"])} == {case["output"]}


def test_windows_are_a_view():
    images = np.arange(2 * 5 * 6 * 3.0).reshape(2, 5, 6, 3)
    view = ops.windows(images, (2, 3), strides=(1, 2), dilation_rate=(2, 1))
    assert view.shape == (2, 3, 2, 2, 3, 3)
    assert np.shares_memory(view, images)
    np.testing.assert_array_equal(view[1, 2, 1], images[1, 2:5:2, 2:5])
    rows = ops.im2col(images, (2, 3), strides=(1, 2), dilation_rate=(2, 1))
    np.testing.assert_array_equal(rows[11].reshape(2, 3, 3), view[1, 2, 1])


def test_blocks_of_images_do_not_change_the_result():
    rng = np.random.default_rng(0)  # two images a block, and one is left
    images, kernel = rng.standard_normal((7, 28, 28, 16)), rng.standard_normal((3, 3, 16, 2))
    whole = ops.im2col(images, 3) @ kernel.reshape(-1, 2)
    np.testing.assert_allclose(ops.conv2d(images, kernel).reshape(-1, 2), whole, atol=1e-10)
    assert ops.conv2d(images[:0], kernel).shape == (0, 26, 26, 2)


def test_the_biases_gradient_of_a_large_batch_keeps_float32s_precision():
    upstream = np.random.default_rng(0).random((1024, 28, 28, 2), dtype="float32")
    images, kernel = np.zeros((1024, 28, 28, 1), "float32"), np.zeros((1, 1, 1, 2), "float32")
    d_bias = ops.conv2d_backward(upstream, images, kernel)[2]
    assert d_bias == pytest.approx(upstream.sum(axis=(0, 1, 2), dtype="float64"), rel=1e-7)


IMAGES, KERNEL = np.ones((1, 4, 4, 2), "float32"), np.ones((3, 3, 2, 5), "float32")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: ops.conv2d(np.ones((4, 4)), KERNEL), r"images must be .* got float64, \(4, 4\)"),
        (lambda: ops.conv2d(IMAGES.astype("uint8"), KERNEL), "floating-point.* got uint8"),
        (lambda: ops.conv2d(IMAGES, KERNEL[:, :, :1]), r"the 2 channels .* got \(3, 3, 1, 5\)"),
        (lambda: ops.conv2d(IMAGES, KERNEL, [1, 2]), r"bias must have .* \(5,\): got \(2,\)"),
        (lambda: ops.conv2d(IMAGES, KERNEL, dilation_rate=2), "it spans 5 of 4 pixels"),
        (lambda: ops.conv2d(IMAGES, KERNEL, padding="sane"), "did you mean 'same'"),
        (lambda: ops.conv2d(IMAGES, KERNEL, padding=(1, 0)), r"got \(1, 0\)"),
        (lambda: ops.conv2d(IMAGES, KERNEL, padding=-1), "padding must be .* at least 0: got -1"),
        (lambda: ops.conv2d(IMAGES, KERNEL, strides=(1, 1, 1)), "strides must be one number or a"),
        (lambda: ops.average_pool(IMAGES, padding=1), "one of valid, same: got '1'"),
        (lambda: ops.conv2d_backward(IMAGES, IMAGES, KERNEL), r"shape, \(1, 2, 2, 5\): got"),
        (lambda: ops.output_size(28.0, 3), "size must be a whole number"),
    ],
)
def test_bad_arguments_get_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        call()
    assert "\n" not in str(error.value)
