"""Exercises of notebook 02: pooling from other operations, its gradient, and a smoother kind."""

import numpy as np

from .. import numpy_ops
from .base import Exercise, Mistake, Wrong, as_array, call, changed

NOTEBOOK = "02_pooling"


def _images(rng):
    """Draw random images of both signs, with an odd number of rows and a few channels."""
    shape = rng.integers(1, 4), 2 * rng.integers(3, 6) + 1, rng.integers(7, 13), rng.integers(2, 5)
    return rng.standard_normal(shape).astype("float32")


def _settings(rng, padding):
    """Draw pool_size and strides that differ, so that one in the other's place is seen.

    The sizes for "same" need padding for any odd number of rows.
    """
    choices = [(2, 1), (3, 1), (3, 2)] + ([(2, 3)] if padding == "valid" else [])
    return choices[rng.integers(len(choices))]


def _close(found, right):
    return found.shape == right.shape and np.allclose(found, right, atol=1e-4)


class AveragePool(Exercise):
    """Average pooling as a depthwise convolution that leaves the padding out of the mean."""

    name = "average"
    answer = "average_pool"
    setup = "import keras\nimport numpy as np"
    hints = (
        "A kernel of ones adds up a window: shape (pool_size, pool_size, channels, 1). "
        "`keras.ops.depthwise_conv(images, kernel, strides, padding)` keeps channels apart.",
        "How many pixels did each window add up? At the border, fewer than pool_size². Zeros that "
        "padding put there are no pixels.",
        "The same convolution of `np.ones_like(images)` counts them. Divide the sums by it.",
    )
    solution_code = """
def average_pool(images, pool_size, strides, padding):
    kernel = np.ones((pool_size, pool_size, images.shape[-1], 1), "float32")
    sums = keras.ops.depthwise_conv(images, kernel, strides, padding)
    counts = keras.ops.depthwise_conv(np.ones_like(images), kernel, strides, padding)
    return sums / counts
"""
    typical_mistakes = (
        Mistake(
            """
def average_pool(images, pool_size, strides, padding):
    kernel = np.ones((pool_size, pool_size, images.shape[-1], 1), "float32") / pool_size**2
    return keras.ops.depthwise_conv(images, kernel, strides, padding)
""",
            "mean over the padded window",
        ),
        Mistake(
            """
def average_pool(images, pool_size, strides, padding):
    kernel = np.ones((pool_size, pool_size, images.shape[-1], 1), "float32")
    return keras.ops.depthwise_conv(images, kernel, strides, padding)
""",
            "sums of the windows",
        ),
        Mistake(
            """
def average_pool(images, pool_size, strides, padding):
    return keras.ops.average_pool(images, pool_size, None, padding)
""",
            "strides are ignored",
        ),
        Mistake(
            """
def average_pool(images, pool_size, strides, padding):
    channels = images.shape[-1]
    kernel = np.ones((pool_size, pool_size, channels, channels), "float32")
    sums = keras.ops.conv(images, kernel, strides, padding)
    return sums / keras.ops.conv(np.ones_like(images), kernel, strides, padding)
""",
            "mixes the channels",
        ),
    )

    def verify(self, answer):
        """Compare with average pooling in NumPy, which leaves padding out of the mean."""
        rng = np.random.default_rng()
        for padding in ("valid", "same") * 3:
            images = _images(rng)
            pool_size, strides = _settings(rng, padding)
            found = as_array(
                call(answer, images, pool_size, strides, padding, name=self.answer),
                name="the result",
            )
            how = {"strides": strides, "padding": padding}
            right = numpy_ops.average_pool2d(images, pool_size, **how)
            if _close(found, right):
                continue
            wide = np.broadcast_to(right.mean(axis=-1, keepdims=True), right.shape)
            sums = _sums(images, pool_size, strides, padding)
            own = numpy_ops.average_pool2d(images, pool_size, padding=padding)
            where = f'pool_size {pool_size}, strides {strides}, padding "{padding}"'
            if _close(found, sums):
                raise Wrong(
                    "these are the sums of the windows: divide by how many pixels each has."
                )
            if _close(found, sums / pool_size**2):
                raise Wrong(
                    "at the border you took the mean over the padded window: zeros that are no "
                    "pixels pull it down. Divide by the number of pixels that are there."
                )
            if _close(found, own):
                raise Wrong(f"strides are ignored: the windows move by pool_size. Tried: {where}.")
            if _close(found, wide):
                raise Wrong("that mixes the channels: each channel is averaged on its own.")
            _hold_shape(found, right, where)
            raise Wrong(f"the result differs from average pooling with {where}.")
        return (
            "average pooling is a convolution with fixed, equal weights, so it is linear. "
            "Max pooling is not, and no convolution can do it."
        )


def _sums(images, pool_size, strides, padding):
    """Add up each window, zeros of the padding included."""
    kernel = np.ones((pool_size, pool_size, 1, images.shape[-1]), images.dtype)
    how = {"strides": strides, "padding": padding, "groups": images.shape[-1]}
    return numpy_ops.conv2d(images, kernel, **how)


def _hold_shape(found, right, where):
    if found.shape != right.shape:
        raise Wrong(f"the result has shape {found.shape}; with {where} it should be {right.shape}.")


class MinPool(Exercise):
    """Min pooling, which Keras does not have, from max pooling, which it has."""

    name = "minimum"
    answer = "min_pool"
    setup = "import keras\nimport numpy as np"
    hints = (
        "Which of some numbers is the smallest? The one whose negative is the largest.",
        "`keras.ops.max_pool(images, pool_size, strides, padding)` is max pooling as a function.",
        "Turn the signs over before it, and once more after it.",
    )
    solution_code = """
def min_pool(images, pool_size, strides, padding):
    return -keras.ops.max_pool(-images, pool_size, strides, padding)
"""
    typical_mistakes = (
        Mistake(
            """
def min_pool(images, pool_size, strides, padding):
    return keras.ops.max_pool(-images, pool_size, strides, padding)
""",
            "signs are turned over",
        ),
        Mistake(
            """
def min_pool(images, pool_size, strides, padding):
    return -keras.ops.max_pool(images, pool_size, strides, padding)
""",
            "negative of the largest",
        ),
        Mistake(
            """
def min_pool(images, pool_size, strides, padding):
    return -keras.ops.max_pool(-images, pool_size, padding=padding)
""",
            "strides are ignored",
        ),
        Mistake(
            """
def min_pool(images, pool_size, strides, padding):
    if padding == "same":
        images = np.pad(images, ((0, 0), (0, pool_size - 1), (0, pool_size - 1), (0, 0)))
    return -keras.ops.max_pool(-images, pool_size, strides)
""",
            "padding",
        ),
    )

    def verify(self, answer):
        """Compare with the smallest pixel of each window."""
        rng = np.random.default_rng()
        for padding in ("valid", "same") * 3:
            images = _images(rng)
            pool_size, strides = _settings(rng, padding)
            how = {"strides": strides, "padding": padding}
            found = as_array(
                call(answer, images, pool_size, strides, padding, name=self.answer),
                name="the result",
            )
            right = numpy_ops.pool2d_loops(images, pool_size, reduce=np.min, **how)
            if _close(found, right):
                continue
            where = f'pool_size {pool_size}, strides {strides}, padding "{padding}"'
            if _close(found, -right):
                raise Wrong("the signs are turned over: turn them back after the max pooling.")
            if _close(found, -numpy_ops.max_pool2d(images, pool_size, **how)):
                raise Wrong("that is the negative of the largest pixel, not the smallest pixel.")
            own = numpy_ops.pool2d_loops(images, pool_size, reduce=np.min, padding=padding)
            if _close(found, own):
                raise Wrong(f"strides are ignored: the windows move by pool_size. Tried: {where}.")
            if padding == "same":
                raise Wrong(
                    f"with {where} it goes wrong, so look at the padding: leave it to max_pool, "
                    "which puts nothing there that could win."
                )
            _hold_shape(found, right, where)
            raise Wrong(f"the result is not the smallest pixel of each window with {where}.")
        return "and since max pooling never lets padding win, your min pooling does not either."


class Maximum(Exercise):
    """The larger of two numbers, from additions and one ReLU."""

    name = "maximum"
    answer = "maximum"
    hints = (
        "`relu(x)` is x where x is positive, and otherwise 0. What is `relu(a - b)`?",
        "It is how far a lies above b, and 0 where it does not. What is missing to get to a?",
        "If a is larger, a = b + (a − b). If not, the answer is b = b + 0.",
    )
    solution_code = """
def maximum(a, b, relu):
    return b + relu(a - b)
"""
    typical_mistakes = (
        Mistake(
            """
def maximum(a, b, relu):
    return relu(a - b)
""",
            "how far a lies above b",
        ),
        Mistake(
            """
def maximum(a, b, relu):
    return relu(a) + relu(b - a)
""",
            "both are negative",
        ),
        Mistake(
            """
def maximum(a, b, relu):
    return a + relu(a - b)
""",
            "which of the two do you start from",
        ),
        Mistake(
            """
def maximum(a, b, relu):
    return np.maximum(a, b)
""",
            "without calling relu",
        ),
    )

    def verify(self, answer):
        """Compare with np.maximum on numbers of both signs; count the calls of relu."""
        rng = np.random.default_rng()
        calls = []

        def relu(values):
            calls.append(values)
            return np.maximum(values, 0)

        for _ in range(3):
            a, b = rng.uniform(-5, 5, (2, 40))
            found = call(answer, a, b, relu, name=self.answer)
            found = as_array(found, name="the result", shape=a.shape)
            if np.allclose(found, np.maximum(a, b)):
                continue
            if np.allclose(found, np.maximum(a - b, 0)):
                raise Wrong("that is how far a lies above b: add what it lies above.")
            if np.allclose(found, a + np.maximum(a - b, 0)):
                raise Wrong("which of the two do you start from, when you add what a is more?")
            below = np.maximum(a, b) < 0
            if np.allclose(found[~below], np.maximum(a, b)[~below]) or np.allclose(
                found, np.maximum(a, 0) + np.maximum(b - a, 0)
            ):
                raise Wrong(
                    "it is right for positive numbers; look where a is, or both are negative."
                )
            k = int(np.argmax(np.abs(found - np.maximum(a, b))))
            raise Wrong(
                f"of {a[k]:.2f} and {b[k]:.2f} the larger is {max(a[k], b[k]):.2f}: "
                f"got {found[k]:.2f}."
            )
        if not calls:
            raise Wrong("right, but without calling relu: the point is to make do with it.")
        return (
            "so a network of convolutions and ReLUs can build a max pooling of its own. It needs "
            "three such steps for a window of four pixels."
        )


class Backward(Exercise):
    """Gradient of max pooling for one image of one channel."""

    name = "backward"
    answer = "max_pool_backward"
    hints = (
        "Start with zeros in the shape of the image. Go through the results with two loops; result "
        "(row, column) saw the window that starts at (row · strides, column · strides).",
        "`window.argmax()` finds the first of the largest, and `np.unravel_index` its row and "
        "column in the window.",
        "Windows may overlap, and a pixel may win more than one of them: add with `+=`.",
    )
    solution_code = """
def max_pool_backward(upstream, image, pool_size, strides):
    gradient = np.zeros(image.shape)
    for row, column in np.ndindex(upstream.shape):
        y, x = row * strides, column * strides
        window = image[y : y + pool_size, x : x + pool_size]
        i, j = np.unravel_index(window.argmax(), window.shape)
        gradient[y + i, x + j] += upstream[row, column]
    return gradient
"""
    typical_mistakes = (
        Mistake(
            """
def max_pool_backward(upstream, image, pool_size, strides):
    gradient = np.zeros(image.shape)
    for row, column in np.ndindex(upstream.shape):
        y, x = row * strides, column * strides
        window = image[y : y + pool_size, x : x + pool_size]
        part = gradient[y : y + pool_size, x : x + pool_size]
        part += upstream[row, column] * (window == window.max())
    return gradient
""",
            "every one of several equal maxima",
        ),
        changed(
            solution_code,
            "wins more than one window",
            (
                "gradient[y + i, x + j] += upstream[row, column]",
                "gradient[y + i, x + j] = upstream[row, column]",
            ),
        ),
        Mistake(
            """
def max_pool_backward(upstream, image, pool_size, strides):
    gradient = np.zeros(image.shape)
    for row, column in np.ndindex(upstream.shape):
        y, x = row * pool_size, column * pool_size
        window = image[y : y + pool_size, x : x + pool_size]
        if window.size:
            i, j = np.unravel_index(window.argmax(), window.shape)
            gradient[y + i, x + j] += upstream[row, column]
    return gradient
""",
            "strides are ignored",
        ),
        Mistake(
            """
def max_pool_backward(upstream, image, pool_size, strides):
    gradient = np.zeros(image.shape)
    for row, column in np.ndindex(upstream.shape):
        y, x = row * strides, column * strides
        gradient[y : y + pool_size, x : x + pool_size] += upstream[row, column] / pool_size**2
    return gradient
""",
            "gradient of average pooling",
        ),
        changed(
            solution_code,
            "hand on the gradient",
            (
                "gradient[y + i, x + j] += upstream[row, column]",
                "gradient[y + i, x + j] += window[i, j]",
            ),
        ),
    )

    def verify(self, answer):
        """Compare with the tested gradient, to 1e-6, on images without and with equal pixels."""
        rng = np.random.default_rng()
        cases = [(3, 1, False), (2, 3, False), (2, 2, True), (3, 2, True), (3, 1, True)]
        for pool_size, strides, tied in cases:
            size = rng.integers(8, 13, 2)
            image = rng.integers(0, 3, size) if tied else rng.permutation(size.prod()).reshape(size)
            image = image.astype(float)
            batch = image[None, :, :, None]
            how = pool_size, strides
            results = numpy_ops.max_pool2d(batch, pool_size, strides=strides)
            upstream = rng.uniform(1, 2, results.shape)
            right = _maximum_gradient(upstream, batch, *how)
            one = upstream[0, :, :, 0]
            found = call(answer, one, image, pool_size, strides, name=self.answer)
            found = as_array(found, name="the gradient", shape=image.shape)
            if np.allclose(found, right, atol=1e-6, rtol=0):
                continue
            where = f"pool_size {pool_size} and strides {strides}"
            wrong = _wrong_gradients(one, image, *how)
            for sentence, gradient in wrong.items():
                if np.allclose(found, gradient, atol=1e-6, rtol=0):
                    raise Wrong(sentence.format(where=where))
            if tied:
                raise Wrong(
                    f"it is right without ties, and not with them ({where}): the first "
                    "of equal maxima gets all of it."
                )
            worst = np.abs(found - right).max()
            raise Wrong(f"with {where} the gradient is off by up to {worst:.3g}.")
        return "your gradient is that of the tested one to 1e-6, ties and overlaps included."


def _maximum_gradient(upstream, batch, pool_size, strides):
    return numpy_ops.max_pool2d_backward(upstream, batch, pool_size, strides=strides)[0, :, :, 0]


def _wrong_gradients(upstream, image, pool_size, strides):
    """Return what each typical mistake gives, under its sentence."""
    every, last, ignored, mean, values = (np.zeros(image.shape) for _ in range(5))
    for (row, column), value in np.ndenumerate(upstream):
        y, x = row * strides, column * strides
        inside = slice(y, y + pool_size), slice(x, x + pool_size)
        window = image[inside]
        i, j = np.unravel_index(window.argmax(), window.shape)
        every[inside] += value * (window == window.max())
        last[y + i, x + j] = value
        mean[inside] += value / pool_size**2
        values[y + i, x + j] += window[i, j]
        y, x = row * pool_size, column * pool_size
        window = image[y : y + pool_size, x : x + pool_size]
        if window.size:
            i, j = np.unravel_index(window.argmax(), window.shape)
            ignored[y + i, x + j] += value
    return {
        "every one of several equal maxima gets the gradient; only the first one should.": every,
        "a pixel that wins more than one window gets the sum of their gradients ({where}).": last,
        "strides are ignored: windows start strides apart, not pool_size apart ({where}).": ignored,
        "that is the gradient of average pooling: only the largest pixel moves the result.": mean,
        "hand on the gradient that arrives, not the value of the pixel.": values,
    }


class Blur(Exercise):
    """Max pooling in one dimension that changes less when its input moves."""

    name = "blur"
    answer = "max_blur_pool"
    hints = (
        "`np.roll(signal, -1)` holds each pixel's right neighbour; the signal goes round in a "
        "circle.",
        "First the larger of each pixel and its right neighbour, at every pixel. Then blur that: "
        "a quarter of the left neighbour, half of the pixel, a quarter of the right one.",
        "Only at the very end keep every second value, from the first on: `[::2]`.",
    )
    solution_code = """
def max_blur_pool(signal):
    dense = np.maximum(signal, np.roll(signal, -1))
    blurred = np.roll(dense, 1) / 4 + dense / 2 + np.roll(dense, -1) / 4
    return blurred[::2]
"""
    typical_mistakes = (
        Mistake(
            """
def max_blur_pool(signal):
    dense = np.maximum(signal, np.roll(signal, -1))[::2]
    return np.roll(dense, 1) / 4 + dense / 2 + np.roll(dense, -1) / 4
""",
            "before you drop",
        ),
        Mistake(
            """
def max_blur_pool(signal):
    return np.maximum(signal, np.roll(signal, -1))[::2]
""",
            "without the blur",
        ),
        Mistake(
            """
def max_blur_pool(signal):
    dense = np.maximum(signal, np.roll(signal, -1))
    return np.roll(dense, 1) / 4 + dense / 2 + np.roll(dense, -1) / 4
""",
            "every second value",
        ),
        Mistake(
            """
def max_blur_pool(signal):
    dense = np.maximum(signal, np.roll(signal, -1))
    return (np.roll(dense, 1) + 2 * dense + np.roll(dense, -1))[::2]
""",
            "add up to 1",
        ),
        Mistake(
            """
def max_blur_pool(signal):
    dense = np.maximum(signal, np.roll(signal, -1))
    return np.convolve(dense, [0.25, 0.5, 0.25], mode="same")[::2]
""",
            "in a circle",
        ),
    )

    def verify(self, answer):
        """Compare with the definition on random signals, and measure what a shift does."""
        rng = np.random.default_rng()
        changes = []
        for _ in range(6):
            signal = rng.random(2 * int(rng.integers(4, 9)))
            found, right = self._of(answer, signal), _max_blur_pool(signal)
            self._hold(found, right, signal)
            moved = np.roll(signal, 1)
            plain = np.abs(_largest_of_two(moved)[::2] - _largest_of_two(signal)[::2]).mean()
            changes.append((np.abs(self._of(answer, moved) - found).mean(), plain))
        own, plain = np.mean(changes, axis=0)
        return (
            f"moved by one pixel, your result changes by {own:.2f} on average, that of max pooling "
            f"with strides 2 by {plain:.2f}."
        )

    def _of(self, answer, signal):
        return as_array(call(answer, signal, name=self.answer), name="the result")

    @staticmethod
    def _hold(found, right, signal):
        if _close(found, right):
            return
        dense = _largest_of_two(signal)
        quarter = dense[::2]
        if found.shape == signal.shape:
            raise Wrong("keep every second value only: the result is as long as the signal.")
        if found.shape != right.shape:
            raise Wrong(f"of {len(signal)} pixels keep {len(right)}: got shape {found.shape}.")
        if _close(found, quarter):
            raise Wrong("that is max pooling without the blur.")
        if _close(found, _blurred(quarter)):
            raise Wrong("blur before you drop every second value; afterwards it is too late.")
        if _close(found, 4 * right):
            raise Wrong("the weights of the blur must add up to 1, or it makes the image brighter.")
        if _close(found[1:-1], right[1:-1]):
            raise Wrong("at the ends the signal goes round in a circle: np.roll does that.")
        raise Wrong("it is not the blurred maximum of two neighbours at every second pixel.")


def _largest_of_two(signal):
    return np.maximum(signal, np.roll(signal, -1))


def _blurred(signal):
    return np.roll(signal, 1) / 4 + signal / 2 + np.roll(signal, -1) / 4


def _max_blur_pool(signal):
    return _blurred(_largest_of_two(signal))[::2]


backward = Backward()
average = AveragePool()
minimum = MinPool()
maximum = Maximum()
blur = Blur()
