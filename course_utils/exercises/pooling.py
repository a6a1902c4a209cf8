"""Exercises of notebook 02: the gradient of max pooling, and pooling from other operations."""

import numpy as np

from .base import Exercise

NOTEBOOK = "02_pooling"


def max_pool_backward(upstream, image, pool_size, strides):
    """Hand each upstream gradient to the first largest pixel of its window."""
    gradient = np.zeros(image.shape)
    for row, column in np.ndindex(upstream.shape):
        y, x = row * strides, column * strides
        window = image[y : y + pool_size, x : x + pool_size]
        i, j = np.unravel_index(window.argmax(), window.shape)
        gradient[y + i, x + j] += upstream[row, column]
    return gradient


def _backward_cases(rng):
    # Overlapping windows, windows with gaps between them, ties, and no positive pixel: gradients
    # of both signs, so that a lost sign is seen.
    for pool_size, strides, tied in [(3, 1, 0), (2, 3, 0), (2, 2, 1), (3, 2, 1), (3, 1, 1)] * 2:
        height, width = map(int, rng.integers(8, 13, 2))
        image = rng.permutation(height * width).reshape(height, width) - 40.0
        if tied:
            image = rng.integers(-2, 1, (height, width))  # its type cannot hold the gradient
        shape = tuple((n - pool_size) // strides + 1 for n in image.shape)
        upstream = rng.choice([-1, 1], shape) * (rng.random(shape) + 1)
        yield upstream, image, pool_size, strides


def _shared(share):
    """Return a way back in which ``share(window)`` says what part of its gradient a pixel gets."""

    def wrong(upstream, image, pool_size, strides):
        gradient = np.zeros(image.shape)
        for (row, column), value in np.ndenumerate(upstream):
            y, x = row * strides, column * strides
            window = image[y : y + pool_size, x : x + pool_size]
            gradient[y : y + pool_size, x : x + pool_size] += share(window) * value
        return gradient

    return wrong


def _overwritten(upstream, image, pool_size, strides):
    gradient = np.zeros(image.shape)
    for (row, column), value in np.ndenumerate(upstream):
        window = image[row * strides :, column * strides :][:pool_size, :pool_size]
        i, j = np.unravel_index(window.argmax(), window.shape)
        gradient[row * strides + i, column * strides + j] = value
    return gradient


backward = Exercise(
    name="backward",
    reference=max_pool_backward,
    hints=(
        "Start with zeros in the shape of the image. Result (row, column) saw the window that "
        "starts at (row · strides, column · strides).",
        "`window.argmax()` finds the first of the largest, and `np.unravel_index` its row and "
        "column in the window.",
        "Windows may overlap, and a pixel may win more than one of them: add with `+=`.",
    ),
    insight="ties and overlaps included, this is what TensorFlow hands back.",
    cases=_backward_cases,
    mistakes=(
        ("only the first of equal maxima gets a gradient.", _shared(lambda w: w == w.max())),
        ("a pixel that wins more than one window gets the sum of their gradients.", _overwritten),
        ("that is the gradient of average pooling.", _shared(lambda w: 1 / w.size)),
    ),
)


def average_pool(images, pool_size, strides, padding):
    """Sum each window by a depthwise convolution, and divide by its number of pixels."""
    import keras

    kernel = np.ones((pool_size, pool_size, images.shape[-1], 1), "float32")
    sums = keras.ops.depthwise_conv(images, kernel, strides, padding)
    counts = keras.ops.depthwise_conv(np.ones_like(images), kernel, strides, padding)
    return sums / counts


def _image_cases(rng):
    """Images of both signs and odd height, for which "same" needs padding."""
    settings = [(2, 1, "same"), (3, 2, "same"), (3, 1, "same"), (2, 3, "valid"), (3, 2, "valid")]
    for pool_size, strides, padding in settings * 2:
        n, rows, columns, channels = map(int, rng.integers([1, 3, 7, 2], [4, 6, 13, 5]))
        images = rng.standard_normal((n, 2 * rows + 1, columns, channels)).astype("float32")
        images *= rng.random(images.shape) < 0.8  # a black pixel is a pixel
        yield images, pool_size, strides, padding


def _sums(images, pool_size, strides, padding):
    import keras

    kernel = np.ones((pool_size, pool_size, images.shape[-1], 1), "float32")
    return keras.ops.depthwise_conv(images, kernel, strides, padding)


average = Exercise(
    name="average",
    reference=average_pool,
    hints=(
        "A kernel of ones, of shape (pool_size, pool_size, channels, 1), adds up each window.",
        "How many pixels did each window add up? At the border, fewer than pool_size².",
        "The same convolution of `np.ones_like(images)` counts them. Divide the sums by it.",
    ),
    insight="average pooling is a convolution with equal weights, and linear. Max pooling is not.",
    cases=_image_cases,
    mistakes=(
        ("the border has fewer pixels.", lambda x, p, *how: _sums(x, p, *how) / p**2),
        ("these are the sums of the windows: divide by how many pixels each has.", _sums),
        ("the strides are ignored.", lambda x, p, s, padding: average_pool(x, p, p, padding)),
    ),
)


def min_pool(images, pool_size, strides, padding):
    """Take the smallest pixel of each window: the negative's largest."""
    import keras

    return -keras.ops.max_pool(-images, pool_size, strides, padding)


minimum = Exercise(
    name="minimum",
    reference=min_pool,
    hints=(
        "Which of some numbers is the smallest? The one whose negative is the largest.",
        "`keras.ops.max_pool(-images, …)` finds the largest negative.",
        "Change the signs before the max pooling, and once more after it.",
    ),
    insight="max pooling never lets padding win, so your min pooling does not either.",
    cases=_image_cases,
    mistakes=(
        ("turn the signs back after the max pooling.", lambda x, *how: -min_pool(x, *how)),
        ("that is max pooling: nothing has changed signs.", lambda x, *how: -min_pool(-x, *how)),
        ("the strides are ignored.", lambda x, p, s, padding: min_pool(x, p, p, padding)),
    ),
)


def max_blur_pool(signal):
    """Take the larger of two neighbours, blur, and keep every second value."""
    dense = np.maximum(signal, np.roll(signal, -1))
    blurred = np.roll(dense, 1) / 4 + dense / 2 + np.roll(dense, -1) / 4
    return blurred[::2]


def _signal_cases(rng):
    for k, size in enumerate((8, 10, 9, 16, 13, 14)):
        signal = rng.normal(size=size)
        signal[-(k % 2)] = 4  # at the first or the last place, where the circle closes
        yield (signal,)
    yield (rng.integers(-9, 10, size=12),)  # whole numbers have quarters, too


def _peaks(signal):
    return np.maximum(signal, np.roll(signal, -1))


def _late(signal):
    kept = _peaks(signal)[::2]
    return np.roll(kept, 1) / 4 + kept / 2 + np.roll(kept, -1) / 4


blur = Exercise(
    name="blur",
    reference=max_blur_pool,
    hints=(
        "`np.roll(signal, -1)` holds each number's right neighbour, in a circle.",
        "First the larger of two, at every place. Then blur that: a quarter of the left "
        "neighbour, half of the number, a quarter of the right one.",
        "Only at the very end keep every second value: `[::2]`.",
    ),
    insight="blur, then drop: what a shift changes is smoothed before it can be lost.",
    cases=_signal_cases,
    mistakes=(
        ("blur before you drop every second value; afterwards it is too late.", _late),
        (
            "at the ends the signal goes round in a circle: np.roll does that.",
            lambda signal: np.convolve(_peaks(signal), [0.25, 0.5, 0.25], "same")[::2],
        ),
        ("that is max pooling without the blur.", lambda signal: _peaks(signal)[::2]),
    ),
)
