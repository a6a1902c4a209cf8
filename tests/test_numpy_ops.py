"""NumPy convolution and pooling against TensorFlow, finite differences and worked examples."""

import inspect
import re

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import numpy_ops as ops

RELATIVE = {"float32": 1e-5, "float64": 1e-10}
few_hundred = settings(max_examples=300, deadline=None, derandomize=True, database=None)
many = settings(max_examples=100, deadline=None, derandomize=True, database=None)


def same(ours, theirs):
    """Hold ours against theirs, relative to the largest number: sums near 0 lose digits."""
    theirs = np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    tolerance = RELATIVE[str(theirs.dtype)]
    scale = np.abs(theirs).max(initial=0)
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * scale)


def random(seed, dtype, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def configurations(draw):
    """Arrays and arguments of a convolution whose kernel fits into the padded images."""
    kernel_size, dilation_rate = draw(pairs(1, 4)), draw(pairs(1, 3))
    groups = draw(st.integers(1, 3))
    channels, filters = groups * draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))
    padding = draw(st.sampled_from(["same", "valid"]) | st.tuples(pairs(0, 3), pairs(0, 3)))
    added = [sum(side) for side in padding] if isinstance(padding, tuple) else [0, 0]
    spans = [d * (k - 1) + 1 for k, d in zip(kernel_size, dilation_rate, strict=True)]
    least = [1 if padding == "same" else max(1, s - a) for s, a in zip(spans, added, strict=True)]
    sizes = [draw(st.integers(smallest, smallest + 8)) for smallest in least]
    images, kernel, bias = random(
        draw(st.integers(0, 2**32)),
        draw(st.sampled_from(list(RELATIVE))),
        (draw(st.integers(1, 3)), *sizes, channels),
        (*kernel_size, channels // groups, filters),
        (filters,),
    )
    how = {
        "strides": draw(pairs(1, 3)),
        "padding": padding,
        "dilation_rate": dilation_rate,
        "groups": groups,
    }
    return images, kernel, bias, how


def tf_conv2d(images, kernel, bias, *, strides, padding, dilation_rate, groups):
    """TensorFlow's convolution, group by group, with explicit padding done by tf.pad."""
    images, kernel = tf.convert_to_tensor(images), tf.convert_to_tensor(kernel)
    if isinstance(padding, tuple):
        images, padding = tf.pad(images, ((0, 0), *padding, (0, 0))), "valid"
    parts = [
        tf.nn.conv2d(part, weights, strides, padding.upper(), dilations=dilation_rate)
        for part, weights in zip(
            tf.split(images, groups, axis=-1), tf.split(kernel, groups, axis=-1), strict=True
        )
    ]
    return tf.concat(parts, axis=-1) + bias


def dilated(kernel, dilation_rate):
    """Put zeros between the weights: TensorFlow has no gradients of dilation in float64."""
    (dy, dx), (rows, columns, channels, filters) = dilation_rate, kernel.shape
    apart = tf.reshape(kernel, (rows, 1, columns, 1, channels, filters))
    apart = tf.pad(apart, ((0, 0), (0, dy - 1), (0, 0), (0, dx - 1), (0, 0), (0, 0)))
    wide = tf.reshape(apart, (rows * dy, columns * dx, channels, filters))
    return wide[: dy * (rows - 1) + 1, : dx * (columns - 1) + 1]


def tf_gradients(function, upstream, *arrays):
    variables = [tf.constant(array) for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        output = function(*variables)
    return tape.gradient(output, variables, output_gradients=tf.constant(upstream))


@few_hundred
@given(configurations())
def test_conv2d_equals_tensorflow(configuration):
    images, kernel, bias, how = configuration
    same(ops.conv2d(images, kernel, bias, **how), tf_conv2d(images, kernel, bias, **how))


@many
@given(configurations())
def test_conv2d_loops_equals_conv2d(configuration):
    images, kernel, bias, how = configuration
    same(ops.conv2d_loops(images, kernel, bias, **how), ops.conv2d(images, kernel, bias, **how))


@few_hundred
@given(configurations())
def test_conv2d_backward_equals_gradient_tape(configuration):
    images, kernel, bias, how = configuration
    output = ops.conv2d(images, kernel, bias, **how)
    (upstream,) = random(0, output.dtype, output.shape)
    plain = {**how, "dilation_rate": 1}

    def convolve(images, kernel, bias):
        return tf_conv2d(images, dilated(kernel, how["dilation_rate"]), bias, **plain)

    theirs = tf_gradients(convolve, upstream, images, kernel, bias)
    for ours, expected in zip(
        ops.conv2d_backward(upstream, images, kernel, **how), theirs, strict=True
    ):
        same(ours, expected)


@pytest.mark.parametrize("padding", ["same", "valid", 2, ((0, 2), (1, 0))])
@pytest.mark.parametrize("strides", [1, (2, 3)])
def test_conv2d_backward_equals_finite_differences(strides, padding):
    how = {"strides": strides, "padding": padding, "dilation_rate": (1, 2), "groups": 2}
    arrays = random(1, "float64", (2, 6, 7, 4), (3, 2, 2, 6), (6,))
    (upstream,) = random(2, "float64", ops.conv2d(*arrays, **how).shape)
    gradients = ops.conv2d_backward(upstream, *arrays[:2], **how)
    for position, gradient in enumerate(gradients):
        (direction,) = random(3, "float64", gradient.shape)

        def loss(step, position=position, direction=direction):
            moved = list(arrays)
            moved[position] = moved[position] + step * direction
            return np.sum(ops.conv2d(*moved, **how) * upstream)

        slope = (loss(1e-4) - loss(-1e-4)) / 2e-4
        assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-7)


def test_blocks_do_not_change_the_result(monkeypatch):
    images, kernel = random(0, "float64", (7, 6, 6, 3), (3, 3, 3, 4))
    (upstream,) = random(1, "float64", (7, 4, 4, 4))
    whole = ops.conv2d(images, kernel), *ops.conv2d_backward(upstream, images, kernel)
    one_image = 4 * 4 * 27 * 8
    for images_at_once in (0, 1, 3):
        monkeypatch.setattr(ops, "_COPY_BYTES", images_at_once * one_image)
        parts = ops.conv2d(images, kernel), *ops.conv2d_backward(upstream, images, kernel)
        for ours, expected in zip(parts, whole, strict=True):
            same(ours, expected)


def test_gradients_of_a_large_batch_keep_float32_precision():
    rng = np.random.default_rng(0)
    shapes = [(1024, 28, 28, 4), (1024, 28, 28, 1), (1, 1, 1, 4)]  # upstream, images, kernel
    arrays = [rng.random(shape, dtype="float32") for shape in shapes]
    exact = ops.conv2d_backward(*(array.astype("float64") for array in arrays))
    for ours, expected in zip(ops.conv2d_backward(*arrays), exact, strict=True):
        same(ours, expected.astype("float32"))


def test_loop_version_is_what_a_student_reads():
    source = inspect.getsource(ops.conv2d_loops)
    assert len(re.findall(r"^ *for ", source, re.MULTILINE)) <= 6
    assert len(source.splitlines()) <= 40


def test_kernel_is_not_flipped():
    image = np.arange(9.0).reshape(1, 3, 3, 1)
    kernel = np.arange(4.0).reshape(2, 2, 1, 1)
    np.testing.assert_array_equal(ops.conv2d(image, kernel).squeeze(), [[19, 25], [37, 43]])


@pytest.mark.parametrize(
    ("padding", "expected"),
    [("same", [[9, 6], [6, 4]]), (((1, 0), (1, 0)), [[4, 6], [6, 9]]), (1, [[4, 6], [6, 9]])],
)
def test_same_with_strides_pads_at_the_bottom_and_the_right(padding, expected):
    image, kernel = np.ones((1, 4, 4, 1)), np.ones((3, 3, 1, 1))
    output = ops.conv2d(image, kernel, strides=2, padding=padding)
    np.testing.assert_array_equal(output.squeeze(), expected)


def test_explicit_padding():
    assert ops.explicit_padding((1, 28, 28, 1), 3, padding="same") == ((1, 1), (1, 1))
    assert ops.explicit_padding((1, 28, 27, 1), 3, 2, "SAME") == ((0, 1), (1, 1))
    assert ops.explicit_padding((1, 28, 28, 1), (2, 4), padding="same") == ((0, 1), (1, 2))
    assert ops.explicit_padding((1, 28, 28, 1), 3, padding=2) == ((2, 2), (2, 2))
    assert ops.explicit_padding((1, 5, 5, 1), 3, padding=[[1, 2], [3, 4]]) == ((1, 2), (3, 4))


def test_windows_are_a_view():
    images = np.arange(2 * 5 * 6 * 3.0).reshape(2, 5, 6, 3)
    view = ops.windows(images, (2, 3), strides=(1, 2), dilation_rate=(2, 1))
    assert view.shape == (2, 3, 2, 2, 3, 3)
    assert np.shares_memory(view, images)
    assert not view.flags.writeable
    np.testing.assert_array_equal(view[1, 2, 1], images[1, 2:5:2, 2:5])


def test_what_is_left_out_is_the_plain_case():
    images, kernel, bias = random(1, "float64", (2, 6, 7, 3), (3, 2, 3, 4), (4,))
    plain = {"strides": 1, "padding": "valid", "dilation_rate": 1}
    for convolve in (ops.conv2d, ops.conv2d_loops):
        full = convolve(images, kernel, bias, **plain, groups=1)
        np.testing.assert_array_equal(convolve(images, kernel, bias), full)
    for one, other in zip(
        ops.conv2d_backward(full, images, kernel),
        ops.conv2d_backward(full, images, kernel, **plain, groups=1),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    rows = ops.im2col(images, (3, 2), **plain)
    np.testing.assert_array_equal(ops.im2col(images, (3, 2)), rows)
    shape = images.shape
    folded = ops.col2im(rows, shape, (3, 2), **plain)
    np.testing.assert_array_equal(ops.col2im(rows, shape, (3, 2)), folded)
    np.testing.assert_array_equal(
        ops.windows(images, (3, 2)), ops.windows(images, (3, 2), strides=1, dilation_rate=1)
    )
    assert ops.explicit_padding(shape, (3, 2), padding="same") == ((1, 1), (0, 1))
    halves = {"pool_size": 2, "strides": 2, "padding": "valid"}
    (upstream,) = random(2, "float64", (2, 3, 3, 3))
    for pool in (ops.max_pool2d, ops.average_pool2d, ops.pool2d_loops):
        np.testing.assert_array_equal(pool(images), pool(images, **halves))
    for back in (ops.max_pool2d_backward, ops.average_pool2d_backward):
        np.testing.assert_array_equal(back(upstream, images), back(upstream, images, **halves))


def test_pad_images():
    image = np.ones((1, 2, 2, 1), "float32")
    padded = ops.pad_images(image, ((1, 0), (0, 2)), value=7)
    np.testing.assert_array_equal(padded.squeeze(), [[7, 7, 7, 7], [1, 1, 7, 7], [1, 1, 7, 7]])
    assert padded.dtype == "float32"


@many
@given(configurations())
def test_im2col_holds_the_windows_and_col2im_is_its_transpose(configuration):
    images, kernel, _, how = configuration
    how.pop("groups")
    rows = ops.im2col(images, kernel.shape[:2], **how)
    (others,) = random(5, images.dtype, rows.shape)
    back = ops.col2im(others, images.shape, kernel.shape[:2], **how)
    assert back.shape == images.shape
    left, right = np.sum(rows * others, dtype="float64"), np.sum(images * back, dtype="float64")
    assert left == pytest.approx(right, rel=1e-3, abs=1e-3)
    full = np.ones((*kernel.shape[:2], images.shape[3], 1), images.dtype)
    same(rows.sum(axis=1), ops.conv2d(images, full, **how).ravel())


def test_col2im_counts_the_windows_of_each_pixel():
    counted = ops.col2im(np.ones((4, 4)), (1, 3, 3, 1), 2)
    np.testing.assert_array_equal(counted.squeeze(), [[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    with pytest.raises(ValueError, match=r"rows must have the shape \(4, 4\)"):
        ops.col2im(np.ones((4, 9)), (1, 3, 3, 1), 2)


@st.composite
def poolings(draw, dtypes=tuple(RELATIVE)):
    pool_size = draw(pairs(1, 4))
    padding = draw(
        st.sampled_from(["same", "valid"])
        | st.tuples(*(st.tuples(*[st.integers(0, k - 1)] * 2) for k in pool_size))
    )
    added = [sum(side) for side in padding] if isinstance(padding, tuple) else [0, 0]
    least = [
        1 if padding == "same" else max(1, k - a) for k, a in zip(pool_size, added, strict=True)
    ]
    shape = draw(st.integers(1, 3)), *(draw(st.integers(s, s + 8)) for s in least)
    (images,) = random(
        draw(st.integers(0, 2**32)), draw(st.sampled_from(dtypes)), (*shape, draw(pairs(1, 3))[0])
    )
    if draw(st.booleans()):  # ties
        images = np.round(images)
    how = {"strides": draw(st.none() | pairs(1, 4)), "padding": padding}
    return images, pool_size, how


WORDS = ("same", "valid")


def tf_max_pool2d(images, pool_size, strides, padding):
    if isinstance(padding, tuple):
        padding = ((0, 0), *padding, (0, 0))
    return tf.nn.max_pool2d(
        images, pool_size, strides or pool_size, padding.upper() if padding in WORDS else padding
    )


def tf_average_pool2d(images, pool_size, strides, padding):
    """TensorFlow knows only "same" and "valid" here: explicit padding from sums and counts."""
    strides = strides or pool_size
    if padding in WORDS:
        return tf.nn.avg_pool2d(images, pool_size, strides, padding.upper())
    edges = ((0, 0), *padding, (0, 0))
    ones = tf.pad(tf.ones_like(images), edges)
    total = tf.nn.avg_pool2d(tf.pad(images, edges), pool_size, strides, "VALID")
    return total / tf.nn.avg_pool2d(ones, pool_size, strides, "VALID")


@few_hundred
@given(poolings())
def test_max_pool2d_equals_tensorflow(configuration):
    images, pool_size, how = configuration
    output = ops.max_pool2d(images, pool_size, **how)
    np.testing.assert_array_equal(output, tf_max_pool2d(tf.constant(images), pool_size, **how))
    assert output.dtype == images.dtype
    (upstream,) = random(0, output.dtype, output.shape)
    (theirs,) = tf_gradients(lambda x: tf_max_pool2d(x, pool_size, **how), upstream, images)
    same(ops.max_pool2d_backward(upstream, images, pool_size, **how), theirs)


@few_hundred
@given(poolings())
def test_average_pool2d_equals_tensorflow(configuration):
    images, pool_size, how = configuration
    output = ops.average_pool2d(images, pool_size, **how)
    same(output, tf_average_pool2d(tf.constant(images), pool_size, **how))
    (upstream,) = random(0, output.dtype, output.shape)
    (theirs,) = tf_gradients(lambda x: tf_average_pool2d(x, pool_size, **how), upstream, images)
    same(ops.average_pool2d_backward(upstream, images, pool_size, **how), theirs)


@many
@given(poolings())
def test_pool2d_loops_equals_the_fast_versions(configuration):
    images, pool_size, how = configuration
    largest = ops.pool2d_loops(images, pool_size, **how)
    np.testing.assert_array_equal(ops.max_pool2d(images, pool_size, **how), largest)
    mean = ops.pool2d_loops(images, pool_size, reduce=np.mean, **how)
    same(ops.average_pool2d(images, pool_size, **how), mean)


@pytest.mark.parametrize("name", ["max_pool2d", "average_pool2d"])
@pytest.mark.parametrize("padding", ["same", "valid", ((1, 0), (0, 1))])
def test_pooling_gradients_equal_finite_differences(name, padding):
    pool, backward = getattr(ops, name), getattr(ops, f"{name}_backward")
    images, direction = random(4, "float64", (2, 7, 6, 3), (2, 7, 6, 3))
    (upstream,) = random(5, "float64", pool(images, 3, strides=2, padding=padding).shape)

    def loss(step):
        moved = images + step * direction
        return np.sum(pool(moved, 3, strides=2, padding=padding) * upstream)

    slope = (loss(1e-6) - loss(-1e-6)) / 2e-6
    gradient = backward(upstream, images, 3, strides=2, padding=padding)
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-6)


def test_ties_give_the_gradient_to_the_first():
    d_images = ops.max_pool2d_backward(np.ones((1, 1, 1, 1)), np.ones((1, 2, 2, 1)))
    np.testing.assert_array_equal(d_images.ravel(), [1, 0, 0, 0])
    d_images = ops.average_pool2d_backward(np.ones((1, 1, 1, 1)), np.ones((1, 2, 2, 1)))
    np.testing.assert_array_equal(d_images.ravel(), [0.25] * 4)


def test_padding_is_neither_a_maximum_nor_counted():
    image = np.full((1, 3, 3, 1), -1.0)
    np.testing.assert_array_equal(ops.max_pool2d(image, padding="same"), -np.ones((1, 2, 2, 1)))
    np.testing.assert_array_equal(ops.average_pool2d(image, padding="same"), -np.ones((1, 2, 2, 1)))
    lowest = np.full((1, 2, 2, 1), -np.inf)
    d_images = ops.max_pool2d_backward(np.ones((1, 2, 2, 1)), lowest, 2, strides=1, padding="same")
    assert d_images.sum() == 4


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_max_pool2d_of_integers_equals_tensorflow(dtype):
    images = np.random.default_rng(0).integers(0, 100, (2, 5, 5, 3)).astype(dtype)
    output = ops.max_pool2d(images, 3, strides=2, padding="same")
    np.testing.assert_array_equal(output, tf.nn.max_pool2d(tf.constant(images), 3, 2, "SAME"))
    assert output.dtype == dtype


def test_nan_spreads_as_in_tensorflow():
    images, kernel = random(0, "float32", (1, 9, 9, 2), (3, 3, 2, 4))
    images[0, 4, 4, 1] = images[0, 0, 0, 0] = np.nan
    np.testing.assert_array_equal(
        np.isnan(ops.conv2d(images, kernel)), np.isnan(tf.nn.conv2d(images, kernel, 1, "VALID"))
    )
    np.testing.assert_array_equal(
        np.isnan(ops.average_pool2d(images)), np.isnan(tf.nn.avg_pool2d(images, 2, 2, "VALID"))
    )
    np.testing.assert_array_equal(
        ops.max_pool2d(images), tf.nn.max_pool2d(images, 2, 2, "VALID").numpy()
    )
    assert np.isnan(ops.max_pool2d(np.full((1, 2, 2, 1), np.nan))).all()


def test_empty_batch_gives_an_empty_result_of_the_right_shape():
    images, kernel = random(0, "float64", (0, 5, 6, 2), (3, 3, 2, 4))
    for convolve in (ops.conv2d, ops.conv2d_loops):
        same(
            convolve(images, kernel, strides=2),
            tf.nn.conv2d(tf.constant(images), kernel, 2, "VALID"),
        )
    d_images, d_kernel, d_bias = ops.conv2d_backward(np.zeros((0, 3, 4, 4)), images, kernel)
    same(d_images, images)
    same(d_kernel, np.zeros_like(kernel))
    same(d_bias, np.zeros(4))
    for name in ("max_pool2d", "average_pool2d"):
        assert getattr(ops, name)(images).shape == (0, 2, 3, 2)
        assert getattr(ops, f"{name}_backward")(np.zeros((0, 2, 3, 2)), images).shape == (
            0,
            5,
            6,
            2,
        )
    assert ops.pool2d_loops(images).shape == (0, 2, 3, 2)


def test_images_are_left_as_they_were():
    images, kernel = random(0, "float32", (2, 6, 6, 2), (1, 1, 2, 3))
    before = images.copy(), kernel.copy()
    output = ops.conv2d(images, kernel, np.ones(3))
    ops.conv2d_backward(output, images, kernel)
    for pool in (ops.max_pool2d, ops.average_pool2d):
        pool(images, 1)[:] = 0
    np.testing.assert_array_equal(images, before[0])
    np.testing.assert_array_equal(kernel, before[1])


IMAGES, KERNEL = np.zeros((2, 5, 5, 3), "float32"), np.zeros((3, 3, 3, 4), "float32")


@pytest.mark.parametrize(
    ("images", "kernel", "how", "sentence"),
    [
        (IMAGES[:, :2], KERNEL, {}, "kernel_size must be at most the padded input: got 3"),
        (IMAGES[:, :4], KERNEL, {"dilation_rate": 2}, "kernel_size must be at most the padded"),
        (IMAGES, KERNEL, {"strides": 0}, "strides must be at least 1: got 0"),
        (IMAGES, KERNEL, {"strides": 1.5}, "strides must be a whole number: got 1.5"),
        (IMAGES, KERNEL, {"dilation_rate": 0}, "dilation_rate must be at least 1: got 0"),
        (IMAGES, KERNEL, {"padding": -1}, "padding must be at least 0: got -1"),
        (IMAGES, KERNEL, {"padding": ((0, 0), (0, -2))}, "padding must be at least 0: got -2"),
        (IMAGES, KERNEL, {"padding": (1, 2)}, r"padding must be .* got \(1, 2\)"),
        (IMAGES, KERNEL, {"padding": "sane"}, "did you mean 'same'"),
        (IMAGES, KERNEL, {"groups": 2}, "groups must divide channels and filters: got 2"),
        (IMAGES, KERNEL, {"groups": 0}, "groups must be at least 1: got 0"),
        (IMAGES, KERNEL[:, :, :2], {}, "kernel must have 3 on its third axis"),
        (IMAGES[..., 0], KERNEL, {}, r"images must have the shape .* got \(2, 5, 5\)"),
        (IMAGES, KERNEL[..., 0], {}, r"kernel must have the shape .* got \(3, 3, 3\)"),
        (IMAGES.astype("uint8"), KERNEL, {}, r"got uint8; use images.astype\(\"float32\"\)"),
        (IMAGES, KERNEL.astype(int), {}, r"got int64; use kernel.astype\(\"float32\"\)"),
        (IMAGES, KERNEL.astype("float64"), {}, "kernel must have the dtype of the images"),
    ],
)
@pytest.mark.parametrize("convolve", [ops.conv2d, ops.conv2d_loops])
def test_bad_input_of_a_convolution_gets_a_sentence(convolve, images, kernel, how, sentence):
    with pytest.raises(ValueError, match=sentence) as raised:
        convolve(images, kernel, **how)
    assert "\n" not in str(raised.value)
    with pytest.raises(ValueError, match=sentence):
        ops.conv2d_backward(np.zeros((2, 3, 3, 4), "float32"), images, kernel, **how)


def test_bad_bias_and_upstream():
    with pytest.raises(ValueError, match="bias must have one number for each of 4 filters"):
        ops.conv2d(IMAGES, KERNEL, np.zeros(3))
    wrong = np.zeros((2, 5, 5, 4))
    with pytest.raises(ValueError, match=r"upstream must have .* \(2, 3, 3, 4\): got \(2, 5, 5"):
        ops.conv2d_backward(wrong, IMAGES, KERNEL)
    with pytest.raises(ValueError, match=r"upstream must have .* \(2, 2, 2, 3\)"):
        ops.max_pool2d_backward(wrong, IMAGES)
    with pytest.raises(ValueError, match=r"upstream must have .* \(2, 2, 2, 3\)"):
        ops.average_pool2d_backward(wrong, IMAGES)


@pytest.mark.parametrize("pool", [ops.max_pool2d, ops.average_pool2d, ops.pool2d_loops])
@pytest.mark.parametrize(
    ("images", "how", "sentence"),
    [
        (IMAGES, {"pool_size": 6}, "pool_size must be at most"),
        (IMAGES, {"pool_size": 0}, "pool_size must be at least 1: got 0"),
        (IMAGES, {"strides": 0}, "strides must be at least 1: got 0"),
        (IMAGES, {"padding": -1}, "padding must be at least 0: got -1"),
        (IMAGES, {"padding": 2}, "padding must be smaller than pool_size"),
        (IMAGES[0], {}, "images must have the shape"),
        (IMAGES.astype(bool), {}, "images must be floating-point"),
    ],
)
def test_bad_input_of_a_pooling_gets_a_sentence(pool, images, how, sentence):
    with pytest.raises(ValueError, match=sentence):
        pool(images, **how)


def test_average_of_integers_gets_a_sentence():
    with pytest.raises(ValueError, match="images must be floating-point: got uint8"):
        ops.average_pool2d(IMAGES.astype("uint8"))
