"""Convolution and pooling in NumPy, forward and backward; they equal TensorFlow's.

Images have the shape (images, height, width, channels), kernels (rows, columns, channels, filters).
As in every framework the kernel is not flipped: this is cross-correlation.

Arguments that most functions share:
kernel_size, strides, dilation_rate : int or (int, int)
    Down and across, in pixels; the dilation rate is the distance of neighbouring weights.
padding : {"valid", "same"}, int, or ((top, bottom), (left, right))
    Zeros around the image; of an odd number "same" puts one more at the bottom or the right.
"""

from numbers import Integral

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from . import one_of


def whole(name, value, least=1):
    """Return `value` as an int; ValueError if it is no whole number, or below `least`."""
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be a whole number, at least {least}: got {value!r}")
    return int(value)


def pair(name, value, least=1):
    """Return `value` as (rows, columns); one number stands for both."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) != 2:
        raise ValueError(f"{name} must be one number or a pair: got {value!r}")
    return tuple(whole(name, number, least) for number in values)


def span(kernel_size, dilation_rate=1):
    """Pixels of one axis from the first to the last that a dilated kernel reads."""
    return whole("dilation_rate", dilation_rate) * (whole("kernel_size", kernel_size) - 1) + 1


def axis_padding(size, kernel_size, strides=1, padding="valid", dilation_rate=1):
    """Zeros (before, after) one axis; `padding` is a word, a number or such a pair itself.

    "same" makes room for ⌈size / strides⌉ windows; of an odd number of zeros one more is after.
    """
    if not isinstance(padding, str):
        return pair("padding", padding, least=0)
    if one_of("padding", padding.lower(), ("valid", "same")) == "valid":
        return 0, 0
    size, strides = whole("size", size), whole("strides", strides)
    total = max((-(-size // strides) - 1) * strides + span(kernel_size, dilation_rate) - size, 0)
    return total // 2, total - total // 2


def explicit_padding(image_size, kernel_size, strides=1, padding="valid", dilation_rate=1):
    """Zeros ((top, bottom), (left, right)) that `padding` puts around an image (height, width)."""
    sides = padding if isinstance(padding, (tuple, list)) else (padding, padding)
    if sides is padding and np.shape(padding) != (2, 2):
        raise ValueError(f"padding must be ((top, bottom), (left, right)): got {padding!r}")
    sizes = pair("kernel_size", kernel_size), pair("strides", strides)
    axes = zip(image_size, *sizes, sides, pair("dilation_rate", dilation_rate), strict=True)
    return tuple(axis_padding(*axis) for axis in axes)


def output_size(size, kernel_size, strides=1, padding="valid", dilation_rate=1):
    """Size of one axis after a convolution or a pooling: ⌊(n + padding − d(k − 1) − 1)/s⌋ + 1.

    `padding` is "valid", "same", one number for both sides, or (before, after). ValueError if the
    kernel does not fit. Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep
    learning" (2016), relation 15.
    """
    before, after = axis_padding(size, kernel_size, strides, padding, dilation_rate)
    padded, needed = whole("size", size) + before + after, span(kernel_size, dilation_rate)
    if needed > padded:
        raise ValueError(
            f"the kernel must fit into the padded image: it spans {needed} of {padded} pixels; "
            "take a smaller kernel, or more padding"
        )
    return (padded - needed) // whole("strides", strides) + 1


def windows(images, kernel_size, strides=1, dilation_rate=1):
    """Show every window of images that are padded already, without copying a pixel.

    The view's shape is (images, output height, output width, rows, columns, channels). Windows
    overlap: writing to one changes its neighbours, and the images.
    """
    (rows, columns), (sy, sx) = pair("kernel_size", kernel_size), pair("strides", strides)
    dy, dx = pair("dilation_rate", dilation_rate)
    spans = span(rows, dy), span(columns, dx)
    for size, spanned in zip(images.shape[1:3], spans, strict=True):
        output_size(size, spanned)  # or a sentence: the kernel does not fit
    view = sliding_window_view(images, spans, axis=(1, 2), writeable=images.flags.writeable)
    return np.moveaxis(view[:, ::sy, ::sx, :, ::dy, ::dx], 3, -1)


def im2col(images, kernel_size, *, strides=1, padding="valid", dilation_rate=1):
    """Copy every window into a row: shape (all windows, rows · columns · channels)."""
    view, _ = _padded_windows(images, kernel_size, strides, padding, dilation_rate)
    return view.reshape(-1, np.prod(view.shape[3:]))


def conv2d_loops(images, kernel, bias=None, *, strides=1, padding="valid", dilation_rate=1):
    """Convolution as it is defined, one loop for each axis of the output; see `conv2d`."""
    images, kernel, bias = _checked(images, kernel, bias)
    rows, columns, _, filters = kernel.shape
    (sy, sx), (dy, dx) = pair("strides", strides), pair("dilation_rate", dilation_rate)
    edges = explicit_padding(images.shape[1:3], (rows, columns), strides, padding, dilation_rate)
    padded = np.pad(images, ((0, 0), *edges, (0, 0)))
    height = output_size(padded.shape[1], rows, sy, 0, dy)
    width = output_size(padded.shape[2], columns, sx, 0, dx)

    output = np.zeros((len(images), height, width, filters), images.dtype)
    for n in range(len(images)):
        for y in range(height):
            for x in range(width):
                top, left = y * sy, x * sx
                window = padded[n, top : top + rows * dy : dy, left : left + columns * dx : dx]
                for f in range(filters):
                    output[n, y, x, f] = np.sum(window * kernel[:, :, :, f]) + bias[f]
    return output


def conv2d(images, kernel, bias=None, *, strides=1, padding="valid", dilation_rate=1):
    """Convolution as a matrix product: each window becomes a row, each filter a column.

    The copy of the windows has been called im2col since Chellapilla, Puri and Simard, "High
    performance convolutional neural networks for document processing" (2006).

    Parameters
    ----------
    images : array, shape (images, height, width, channels)
        Floating-point.
    kernel : array, shape (rows, columns, channels, filters)
    bias : array, shape (filters,), optional

    Returns
    -------
    ndarray, shape (images, output height, output width, filters)
        In the dtype of the images.
    """
    images, kernel, bias = _checked(images, kernel, bias)
    view, _ = _padded_windows(images, kernel.shape[:2], strides, padding, dilation_rate)
    matrix = kernel.reshape(-1, kernel.shape[3])
    output = np.empty((*view.shape[:3], kernel.shape[3]), images.dtype)
    # A few images at a time, copied into the same memory: the rows stay in the processor's cache.
    step = max(1, min(len(view), 2**21 // max(1, view[:1].nbytes)))
    rows = np.empty((step, *view.shape[1:]), view.dtype)
    for first in range(0, len(view), step):
        part = output[first : first + step]
        rows[: len(part)] = view[first : first + step]
        flat = rows[: len(part)].reshape(-1, len(matrix))
        np.matmul(flat, matrix, out=part.reshape(-1, len(bias)))
        part += bias
    return output


def conv2d_backward(upstream, images, kernel, *, strides=1, padding="valid", dilation_rate=1):
    """Gradients of the loss with respect to images, kernel and bias of a `conv2d`.

    `upstream` is that of the output. Each position (i, j) of the kernel adds pixels · kernel[i, j],
    so the gradient is pixelsᵀ · upstream for kernel[i, j], and upstream · kernel[i, j]ᵀ for the
    pixels. A pixel is in many windows: its gradients add up.
    """
    images, kernel, _ = _checked(images, kernel)
    how = kernel.shape[:2], strides, padding, dilation_rate
    view, _ = _padded_windows(images, *how)
    d_view, d_images = _padded_windows(np.zeros_like(images), *how)
    upstream = _checked_upstream(upstream, (*view.shape[:3], kernel.shape[3]))
    d_kernel, d_output = np.zeros_like(kernel), upstream.reshape(-1, kernel.shape[3])
    for i, j in np.ndindex(kernel.shape[:2]):
        pixels = view[:, :, :, i, j]
        d_kernel[i, j] = pixels.reshape(-1, kernel.shape[2]).T @ d_output
        d_view[:, :, :, i, j] += (d_output @ kernel[i, j].T).reshape(pixels.shape)
    d_bias = d_output.sum(axis=0, dtype="float64")  # float32 would lose digits
    return d_images, d_kernel, d_bias.astype(images.dtype)


def max_pool(images, pool_size=2, *, strides=None, padding="valid"):
    """Largest pixel of each window, channel by channel; padding is never the largest.

    `strides` are the `pool_size` when left out; `padding` is "valid" or "same".
    """
    view, _ = _pool_windows(images, pool_size, strides, padding, -np.inf)
    return view.max(axis=(3, 4))


def max_pool_backward(upstream, images, pool_size=2, *, strides=None, padding="valid"):
    """Gradient of `max_pool`: each window hands its gradient to its largest pixel.

    Of equal ones the first gets it all, from left to right and down, as in TensorFlow on a CPU.
    """
    view, _ = _pool_windows(images, pool_size, strides, padding, -np.inf)
    d_view, d_images = _pool_windows(np.zeros_like(images), pool_size, strides, padding)
    largest = view.max(axis=(3, 4))
    upstream = _checked_upstream(upstream, largest.shape)
    waiting = np.ones(largest.shape, bool)  # windows whose largest pixel has not come by yet
    for i, j in np.ndindex(view.shape[3:5]):
        found = waiting & (view[:, :, :, i, j] == largest)
        d_view[:, :, :, i, j] += np.where(found, upstream, 0)
        waiting &= ~found
    return d_images


def average_pool(images, pool_size=2, *, strides=None, padding="valid"):
    """Mean of each window, channel by channel; padding is not counted, as in TensorFlow."""
    view, _ = _pool_windows(images, pool_size, strides, padding)
    ones, _ = _pool_windows(np.ones_like(images), pool_size, strides, padding)
    return view.sum(axis=(3, 4)) / ones.sum(axis=(3, 4))


def average_pool_backward(upstream, images, pool_size=2, *, strides=None, padding="valid"):
    """Gradient of `average_pool`: each window shares its gradient equally among its pixels."""
    ones, _ = _pool_windows(np.ones_like(images), pool_size, strides, padding)
    d_view, d_images = _pool_windows(np.zeros_like(images), pool_size, strides, padding)
    counted = ones.sum(axis=(3, 4))
    share = _checked_upstream(upstream, counted.shape) / counted
    for i, j in np.ndindex(d_view.shape[3:5]):  # one position at a time: windows overlap
        d_view[:, :, :, i, j] += share
    return d_images


def _checked(images, kernel, bias=None):
    """Return images, kernel and bias in the dtype of the images, or say why they do not fit."""
    images = _checked_images(images)
    kernel = np.asarray(kernel, images.dtype)
    if kernel.ndim != 4 or kernel.shape[2] != images.shape[3]:
        raise ValueError(
            "kernel must have the shape (rows, columns, channels, filters), with the "
            f"{images.shape[3]} channels of the images: got {kernel.shape}"
        )
    bias = np.asarray([0] * kernel.shape[3] if bias is None else bias, images.dtype)
    if bias.shape != kernel.shape[3:]:
        raise ValueError(f"bias must have the shape {kernel.shape[3:]}: got {bias.shape}")
    return images, kernel, bias


def _checked_images(images):
    images = np.asarray(images)
    if images.ndim != 4 or images.dtype.kind != "f":
        raise ValueError(
            "images must be floating-point, of the shape (images, height, width, channels): got "
            f'{images.dtype}, {images.shape}; .astype("float32") and [..., np.newaxis] may help'
        )
    return images


def _checked_upstream(upstream, shape):
    if np.shape(upstream) != shape:
        raise ValueError(
            f"upstream must have the output's shape, {shape}: got {np.shape(upstream)}"
        )
    return np.asarray(upstream)


def _padded_windows(images, kernel_size, strides, padding, dilation_rate=1, value=0):
    """Windows of the padded images, and the images inside of the padding: the same memory."""
    images = _checked_images(images)
    edges = explicit_padding(images.shape[1:3], kernel_size, strides, padding, dilation_rate)
    (top, _), (left, _) = edges
    padded = np.pad(images, ((0, 0), *edges, (0, 0)), constant_values=value)
    inside = padded[:, top : top + images.shape[1], left : left + images.shape[2]]
    return windows(padded, kernel_size, strides, dilation_rate), inside


def _pool_windows(images, pool_size, strides, padding, value=0):
    one_of("padding", str(padding).lower(), ("valid", "same"))
    strides = pool_size if strides is None else strides
    return _padded_windows(images, pool_size, strides, padding, value=value)
