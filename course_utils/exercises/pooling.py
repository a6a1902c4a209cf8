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
            image = rng.integers(-2, 1, (height, width)).astype(float)
        rows, columns = ((n - pool_size) // strides + 1 for n in image.shape)
        yield (
            rng.choice([-1, 1], (rows, columns)) * (rng.random((rows, columns)) + 1),
            *(
                image,
                pool_size,
                strides,
            ),
        )


def _handed(upstream, image, pool_size, strides, share):
    """Hand each gradient to its window, as `share(window, gradient)` says."""
    gradient = np.zeros(image.shape)
    for (row, column), value in np.ndenumerate(upstream):
        y, x = row * strides, column * strides
        window = image[y : y + pool_size, x : x + pool_size]
        if window.size:
            gradient[y : y + pool_size, x : x + pool_size] += share(window, value)
    return gradient


def _first(window):
    return np.arange(window.size).reshape(window.shape) == window.argmax()


def _overwritten(upstream, image, pool_size, strides):
    gradient = np.zeros(image.shape)
    for (row, column), value in np.ndenumerate(upstream):
        window = image[row * strides :, column * strides :][:pool_size, :pool_size]
        i, j = np.unravel_index(window.argmax(), window.shape)
        gradient[row * strides + i, column * strides + j] = value
    return gradient


def _last(window):
    return _first(window[::-1, ::-1])[::-1, ::-1]


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
        (
            "every one of several equal maxima gets the gradient; only the first one should.",
            lambda u, i, p, s: _handed(u, i, p, s, lambda w, g: g * (w == w.max())),
        ),
        (
            "equal maxima share the gradient; the first one should get all of it.",
            lambda u, i, p, s: _handed(
                u, i, p, s, lambda w, g: g * (w == w.max()) / (w == w.max()).sum()
            ),
        ),
        (
            "the last of equal maxima gets the gradient; the first one should.",
            lambda u, i, p, s: _handed(u, i, p, s, lambda w, g: g * _last(w)),
        ),
        ("a pixel that wins more than one window gets the sum of their gradients.", _overwritten),
        (
            "strides are ignored: windows start strides apart, not pool_size apart.",
            lambda u, i, p, s: _handed(u, i, p, p, lambda w, g: g * _first(w)),
        ),
        (
            "that is the gradient of average pooling: only the largest pixel moves the result.",
            lambda u, i, p, s: _handed(u, i, p, s, lambda w, g: g / p**2),
        ),
        (
            "hand on the gradient that arrives, not the value of the pixel.",
            lambda u, i, p, s: _handed(u, i, p, s, lambda w, g: w.max() * _first(w)),
        ),
        (
            "hand on the gradient that arrives: yours is 1 wherever a pixel wins.",
            lambda u, i, p, s: _handed(u, i, p, s, lambda w, g: 1 * _first(w)),
        ),
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
        yield images, pool_size, strides, padding


def _sums(images, pool_size, strides, padding):
    import keras

    kernel = np.ones((pool_size, pool_size, images.shape[-1], 1), "float32")
    return keras.ops.depthwise_conv(images, kernel, strides, padding)


def _mixed(images, pool_size, strides, padding):
    right = np.asarray(average_pool(images, pool_size, strides, padding))
    return np.broadcast_to(right.mean(axis=-1, keepdims=True), right.shape)


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
        (
            "at the border you took the mean over the padded window: divide by the number of "
            "pixels that are there.",
            lambda x, p, s, pad: _sums(x, p, s, pad) / p**2,
        ),
        ("these are the sums of the windows: divide by how many pixels each has.", _sums),
        (
            "strides are ignored: the windows move by pool_size.",
            lambda x, p, s, pad: average_pool(x, p, p, pad),
        ),
        (
            "strides are ignored: the windows move by one.",
            lambda x, p, s, pad: average_pool(x, p, 1, pad),
        ),
        ("that mixes the channels: each channel is averaged on its own.", _mixed),
    ),
)


def min_pool(images, pool_size, strides, padding):
    """Take the smallest pixel of each window: the negative's largest."""
    import keras

    return -keras.ops.max_pool(-images, pool_size, strides, padding)


def _max_pool(images, pool_size, strides, padding):
    import keras

    return keras.ops.max_pool(images, pool_size, strides, padding)


def _zeros_win(images, pool_size, strides, padding):
    if padding == "same":
        width = (0, pool_size - 1)
        images = np.pad(images, ((0, 0), width, width, (0, 0)))
    return min_pool(images, pool_size, strides, "valid")


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
        (
            "the signs are turned over: turn them back after the max pooling.",
            lambda x, p, s, pad: _max_pool(-x, p, s, pad),
        ),
        (
            "that is the negative of the largest pixel, not the smallest pixel.",
            lambda x, p, s, pad: -_max_pool(x, p, s, pad),
        ),
        ("that is max pooling: nothing has changed the signs.", _max_pool),
        (
            "strides are ignored: the windows move by pool_size.",
            lambda x, p, s, pad: min_pool(x, p, p, pad),
        ),
        (
            "leave the padding to max_pool: it puts nothing there that could win, your zeros do.",
            _zeros_win,
        ),
    ),
)


def max_blur_pool(signal):
    """Take the larger of two neighbours, blur, and keep every second value."""
    dense = np.maximum(signal, np.roll(signal, -1))
    blurred = np.roll(dense, 1) / 4 + dense / 2 + np.roll(dense, -1) / 4
    return blurred[::2]


def _signal_cases(rng):
    for half in (4, 5, 6, 8, 8, 7):
        yield (rng.normal(size=2 * half),)


def _dense(signal):
    return np.maximum(signal, np.roll(signal, -1))


def _blurred(signal):
    return np.roll(signal, 1) / 4 + signal / 2 + np.roll(signal, -1) / 4


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
        (
            "blur before you drop every second value; afterwards it is too late.",
            lambda s: _blurred(_dense(s)[::2]),
        ),
        ("that is max pooling without the blur.", lambda s: _dense(s)[::2]),
        (
            "keep every second value only: the result is as long as the signal.",
            lambda s: _blurred(_dense(s)),
        ),
        (
            "the weights of the blur must add up to 1, or the signal grows.",
            lambda s: 4 * max_blur_pool(s),
        ),
        (
            "at the ends the signal goes round in a circle: np.roll does that.",
            lambda s: np.convolve(_dense(s), [0.25, 0.5, 0.25], mode="same")[::2],
        ),
        ("keep every second value from the first on.", lambda s: _blurred(_dense(s))[1::2]),
        ("that is the blur without the maximum.", lambda s: _blurred(s)[::2]),
        (
            "take the right neighbour: np.roll(signal, -1).",
            lambda s: _blurred(np.maximum(s, np.roll(s, 1)))[::2],
        ),
    ),
)
