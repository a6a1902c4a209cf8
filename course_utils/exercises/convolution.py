"""Exercises of notebook 01: sizes, stride and padding, a refusal, a detector, a gradient."""

import numpy as np

from .base import Exercise, Wrong, numbers

NOTEBOOK = "01_convolution_and_padding"
_NO_STRIDE = "the stride is ignored: neighbouring windows start that many pixels apart."


def input_sizes(size, kernel_size, strides, padding):
    """Return the smallest and the largest input that give `size` outputs."""
    smallest = (size - 1) * strides + kernel_size - 2 * padding
    return smallest, smallest + strides - 1


def _size_cases(rng):
    yield from [(3, 3, 2, 1), (5, 7, 3, 2), (1, 5, 4, 1), (6, 4, 1, 0), (4, 1, 2, 0), (12, 9, 5, 1)]
    for _ in range(10):
        size, kernel_size, strides = map(int, rng.integers([2, 1, 1], [13, 10, 6]))
        yield size, kernel_size, strides, int(rng.integers((kernel_size + 1) // 2))


sizes = Exercise(
    name="sizes",
    reference=input_sizes,
    hints=(
        "Start from the smallest input: the last window ends exactly at its last pixel.",
        "The first of `size` windows starts at 0, the last one at (size − 1)·strides, and it is "
        "kernel_size long. That is the padded input; take the zeros of both sides off.",
        "Up to strides − 1 more pixels change nothing: no further window fits into them.",
    ),
    insight="one output size comes from as many input sizes as the stride: that is what ⌊ ⌋ does.",
    cases=_size_cases,
    mistakes=(
        ("take the zeros of both sides off.", lambda n, k, s, p: input_sizes(n, k, s, 0)),
        ("that is one window too many.", lambda n, k, s, p: input_sizes(n + 1, k, s, p)),
        (_NO_STRIDE, lambda n, k, s, p: input_sizes(n, k, 1, p)),
    ),
)


def strided_corr2d(image, kernel, stride, padding):
    """Slide a kernel over an image with zeros around it, `stride` pixels at a time."""
    image = np.pad(image, padding)
    rows, columns = kernel.shape
    height = (image.shape[0] - rows) // stride + 1
    width = (image.shape[1] - columns) // stride + 1
    output = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            top, left = y * stride, x * stride
            output[y, x] = (image[top : top + rows, left : left + columns] * kernel).sum()
    return output


def _strided_cases(rng):
    fixed = [(9, 8, 3, 2, 1, 0), (9, 8, 3, 2, 2, 0), (9, 8, 2, 3, 3, 2), (8, 11, 3, 2, 2, 1)]
    drawn = rng.integers([8, 8, 1, 1, 1, 0], [12, 12, 4, 4, 4, 3], (8, 6)).tolist()
    for height, width, rows, columns, stride, padding in fixed + drawn:
        image, kernel = rng.normal(size=(height, width)), rng.normal(size=(rows, columns))
        # Whole numbers too, whose type cannot hold the result.
        yield (np.rint(9 * image).astype(int) if padding else image), kernel, stride, padding


_THINNED = "you took every stride-th pixel; windows are a stride apart, and read all their pixels."
strided = Exercise(
    name="strided",
    reference=strided_corr2d,
    hints=(
        "Output [y, x] comes from the window whose top left pixel is [y·stride, x·stride].",
        "`np.pad(image, padding)` puts zeros on all four sides; all else is as without padding.",
        "The output has (n − k) // stride + 1 rows, n rows of the padded image, k of the kernel.",
    ),
    insight="stride and padding change which windows are read, and nothing else.",
    cases=_strided_cases,
    mistakes=(
        (_NO_STRIDE, lambda i, k, s, p: strided_corr2d(i, k, 1, p)),
        (_THINNED, lambda i, k, s, p: strided_corr2d(np.pad(i, p)[::s, ::s], k, 1, 0)),
        ("the kernel is flipped.", lambda i, k, s, p: strided_corr2d(i, k[::-1, ::-1], s, p)),
        ("the padding is ignored.", lambda i, k, s, p: strided_corr2d(i, k, s, 0)),
    ),
)


def ask_keras(strides, dilation_rate):
    """Return "accepted", or the sentence with which Keras refuses the layer."""
    import keras

    try:
        keras.layers.Conv2D(1, 3, strides=strides, dilation_rate=dilation_rate)
    except ValueError as error:
        return str(error)
    return "accepted"


def _refusal_cases(rng):
    one, other = map(int, rng.permutation(np.arange(2, 6))[:2])
    yield from [(1, 1), (2, 1), (1, 2), (2, 2), (one, other), (other, one), (one, 1), (1, other)]


refusal = Exercise(
    name="refusal",
    reference=ask_keras,
    hints=(
        "Put the line that makes the layer between `try:` and `except ValueError as error:`.",
        "`str(error)` is the sentence that the exception carries.",
        'Return it from the `except` part. After the layer was made, return "accepted".',
    ),
    insight="Keras refuses both together; the arithmetic does not. Where you need both, convolve "
    "with the dilation alone and keep every strides-th row and column.",
    cases=_refusal_cases,
)


class _Diagonal(Exercise):
    def verify(self, answer):
        """Compare the largest outputs of all patterns, after a ReLU, wherever the lines are."""
        kernel = numbers(answer, name="the kernel")
        if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or not 3 <= len(kernel) <= 7:
            raise Wrong(f"the kernel should be 3×3 to 7×7: got the shape {kernel.shape}.")
        kernel = kernel / (np.abs(kernel).max() or 1)
        lines = range(1 - len(kernel), len(kernel))
        wanted = max(np.trace(kernel, k) for k in lines)
        others = {
            "a plain area": kernel.sum(),
            "the other diagonal": max(np.trace(kernel[::-1], k) for k in lines),
            "a vertical line": kernel.sum(axis=0).max(),
            "a horizontal line": kernel.sum(axis=1).max(),
        }
        worst = max(others, key=others.get)
        times = wanted / max(others[worst], 1e-9)
        if wanted < 1e-9:
            raise Wrong("the kernel does not react to the diagonal from top left at all.")
        if times < 5 * (1 - 1e-4):
            raise Wrong(f"the diagonal gives only {times:.4g} times the output of {worst}, not 5.")


diagonal = _Diagonal(
    name="diagonal",
    reference="diagonal_kernel = np.diag([2, 3, 4, 3, 2]) - 1",
    hints=(
        "Weights above 0 where the line is, weights below 0 where it must not be.",
        "A plain area gives the sum of all weights: it should not be above 0.",
        "The other diagonal can meet your kernel at a corner alone, so corners must be much "
        "smaller than the sum of the diagonal. A 5×5 kernel has more room than a 3×3 one.",
    ),
    insight="the diagonal gives at least five times the output of any other pattern.",
)


def input_gradient(upstream, kernel, stride, shape):
    """Hand the gradient of each output back to the pixels of its window."""
    gradient = np.zeros(shape)
    rows, columns = kernel.shape
    for y in range(upstream.shape[0]):
        for x in range(upstream.shape[1]):
            top, left = y * stride, x * stride
            gradient[top : top + rows, left : left + columns] += upstream[y, x] * kernel
    return gradient


def _gradient_cases(rng):
    fixed = [(3, 4, 3, 3, 1, 0, 0), (3, 4, 3, 2, 2, 1, 1), (4, 3, 2, 2, 3, 2, 0)]
    drawn = rng.integers([2, 2, 1, 1, 1, 0, 0], [5, 5, 5, 5, 4, 3, 3], (8, 7)).tolist()
    for height, width, rows, columns, stride, below, right in fixed + drawn:
        # Up to stride - 1 rows and columns are too few for another window, and are never read.
        shape = (
            (height - 1) * stride + rows + below % stride,
            (width - 1) * stride + columns + right % stride,
        )
        yield rng.normal(size=(height, width)), rng.normal(size=(rows, columns)), stride, shape


def _overwritten(upstream, kernel, stride, shape):
    gradient, (rows, columns) = np.zeros(shape), kernel.shape
    for y, x in np.ndindex(upstream.shape):
        top, left = y * stride, x * stride
        gradient[top : top + rows, left : left + columns] = upstream[y, x] * kernel
    return gradient


gradient = Exercise(
    name="gradient",
    reference=input_gradient,
    hints=(
        "Start from zeros of the image's shape, and go through the outputs as the loss did.",
        "Output [y, x] read the window at [y·stride, x·stride]; each pixel counted kernel times.",
        "A pixel is in several windows, and gets the sum of what they hand back: use `+=`.",
    ),
    insight="this is what `Conv2DTranspose` computes in its forward pass.",
    cases=_gradient_cases,
    mistakes=(
        ("windows overwrite each other: use `+=`.", _overwritten),
        ("the kernel is turned.", lambda u, k, s, size: input_gradient(u, k[::-1, ::-1], s, size)),
        (_NO_STRIDE, lambda u, k, s, size: input_gradient(u, k, 1, size)),
    ),
)
