"""Convolution and pooling in NumPy, forward and backward.

Images have the shape (images, height, width, channels), kernels (rows, columns, channels / groups,
filters), as in Keras. What is called convolution here is cross-correlation, as in every framework:
the kernel is not flipped. Results equal TensorFlow's, in the same dtype.

Read it in this order: `conv2d_loops` says what a convolution is; `windows` shows all its windows at
once without a copy; `conv2d` turns them into one matrix product; `conv2d_backward` takes that
product apart again; pooling does the same with a maximum or a mean in place of the product.

The arguments that most functions share:

strides : int or (int, int)
    Pixels that the window moves down and to the right.
padding : {"valid", "same"}, int, or ((top, bottom), (left, right))
    "same" is TensorFlow's: an odd number of zeros puts the extra one at the bottom or the right.
dilation_rate : int or (int, int)
    Distance between neighbouring weights of the kernel on the image.
groups : int
    Channels and filters are cut into as many parts, and each part sees only its own channels.
"""

from __future__ import annotations

from math import prod

import numpy as np

from course_utils.first_edition.sizes import pair
from course_utils.first_edition.sliding import (
    add_windows,
    check_bias,
    check_convolution,
    check_images,
    check_pooling,
    check_upstream,
    explicit_padding,
    gradient_windows,
    output_sizes,
    pad_images,
    padded_windows,
    windows,
)

__all__ = [
    "average_pool2d",
    "average_pool2d_backward",
    "col2im",
    "conv2d",
    "conv2d_backward",
    "conv2d_loops",
    "explicit_padding",
    "im2col",
    "max_pool2d",
    "max_pool2d_backward",
    "pad_images",
    "pool2d_loops",
    "windows",
]

# Windows are copied for a few images at a time, as many as fit into a processor's cache: faster
# than all at once, and needs little memory however large the batch is. Blocks of one image would
# cost time where other programs keep a core busy: every product waits for all of its threads.
_COPY_BYTES = 2**22


def conv2d_loops(
    images, kernel, bias=None, *, strides=1, padding="valid", dilation_rate=1, groups=1
):
    """Convolution as it is defined: one loop for each axis of the output.

    The slow, plain version of `conv2d`, with the same arguments and the same result.
    """
    images, kernel = check_convolution(images, kernel, groups)
    rows, columns, channels, filters = kernel.shape
    (sy, sx), (dy, dx) = pair("strides", strides), pair("dilation_rate", dilation_rate)
    how = (rows, columns), strides, padding, dilation_rate
    height, width = output_sizes(images.shape, *how)
    padded = pad_images(images, explicit_padding(images.shape, *how))

    output = np.zeros((len(images), height, width, filters), images.dtype)
    for n in range(len(images)):
        for y in range(height):
            for x in range(width):
                for f in range(filters):
                    first = f // (filters // groups) * channels  # first channel of f's group
                    window = padded[
                        n,
                        y * sy : y * sy + rows * dy : dy,
                        x * sx : x * sx + columns * dx : dx,
                        first : first + channels,
                    ]
                    output[n, y, x, f] = np.sum(window * kernel[:, :, :, f])
    return output if bias is None else output + check_bias(bias, output)


def conv2d(images, kernel, bias=None, *, strides=1, padding="valid", dilation_rate=1, groups=1):
    """Convolution as a matrix product: each window becomes a row, each filter a column.

    Parameters
    ----------
    images : ndarray, shape (images, height, width, channels)
        Floating-point.
    kernel : ndarray, shape (rows, columns, channels / groups, filters)
        In the dtype of the images.
    bias : ndarray, shape (filters,), optional
    strides, padding, dilation_rate, groups
        See the top of the module.

    Returns
    -------
    ndarray, shape (images, output height, output width, filters)
        In the dtype of the images.

    Raises
    ------
    ValueError
        When shapes or dtypes do not go together, or the kernel does not fit into the padded images.

    Notes
    -----
    Chellapilla, Puri and Simard, "High performance convolutional neural networks for document
    processing" (2006); the copy of the windows is what has since been called im2col.
    """
    images, kernel = check_convolution(images, kernel, groups)
    how = {"strides": strides, "padding": padding, "dilation_rate": dilation_rate}
    if groups > 1:
        parts = zip(*_split(groups, images, kernel), strict=True)
        output = np.concatenate([conv2d(*part, **how) for part in parts], axis=-1)
    else:
        view = padded_windows(images, kernel.shape[:2], **how)
        matrix = kernel.reshape(-1, kernel.shape[3])
        output = np.empty((*view.shape[:3], kernel.shape[3]), images.dtype)
        for block in _blocks(view):
            rows = view[block].reshape(-1, len(matrix))
            output[block] = (rows @ matrix).reshape(output[block].shape)
    if bias is not None:
        output += check_bias(bias, output)
    return output


def conv2d_backward(
    upstream, images, kernel, *, strides=1, padding="valid", dilation_rate=1, groups=1
):
    """Gradients of a convolution: how the loss changes with images, kernel and bias.

    Parameters
    ----------
    upstream : ndarray, shape (images, output height, output width, filters)
        Gradient of the loss with respect to the output of `conv2d`.
    images, kernel
        What `conv2d` was given; strides, padding, dilation_rate and groups too.

    Returns
    -------
    d_images, d_kernel, d_bias : ndarray
        In the shapes of the images, the kernel and the bias, and in the dtype of the images.

    Notes
    -----
    With output = windows · matrix, the gradients are windowsᵀ · upstream for the matrix and
    upstream · matrixᵀ for the windows. A pixel is in many windows: its gradient is their sum.
    """
    images, kernel = check_convolution(images, kernel, groups)
    how = {"strides": strides, "padding": padding, "dilation_rate": dilation_rate}
    *size, _, filters = kernel.shape
    shape = len(images), *output_sizes(images.shape, size, **how), filters
    upstream = check_upstream(upstream, shape, images.dtype)
    if groups > 1:
        parts = zip(*_split(groups, upstream, images, kernel), strict=True)
        gradients = [conv2d_backward(*part, **how) for part in parts]
        return tuple(np.concatenate(group, axis=-1) for group in zip(*gradients, strict=True))
    view = padded_windows(images, size, **how)
    d_images, d_view = gradient_windows(images.shape, images.dtype, size, **how)
    matrix = kernel.reshape(-1, filters)
    d_matrix = np.zeros_like(matrix)
    for block in _blocks(view):
        rows, d_output = view[block].reshape(-1, len(matrix)), upstream[block].reshape(-1, filters)
        d_matrix += rows.T @ d_output
        d_rows = d_output @ matrix.T
        add_windows(d_view[block], d_rows.reshape(view[block].shape))
    # Thousands of float32 numbers, added one by one, would lose digits.
    d_bias = upstream.sum(axis=(0, 1, 2), dtype="float64").astype(images.dtype)
    return d_images, d_matrix.reshape(kernel.shape), d_bias


def im2col(images, kernel_size, *, strides=1, padding="valid", dilation_rate=1):
    """Copy every window into a row: shape (all windows, rows · columns · channels).

    Parameters as of `conv2d`. The rows go through one image after the other, each from left to
    right and down.
    """
    view = padded_windows(check_images(images), kernel_size, strides, padding, dilation_rate)
    return view.reshape(prod(view.shape[:3]), prod(view.shape[3:]))


def col2im(rows, image_shape, kernel_size, *, strides=1, padding="valid", dilation_rate=1):
    """Add every row of `im2col` back to the pixels that it came from: the transpose of `im2col`.

    Returns
    -------
    ndarray, shape `image_shape`
        Each pixel holds the sum over the windows that it is in (so this is no inverse).
    """
    rows, how = np.asarray(rows), (kernel_size, strides, padding, dilation_rate)
    total, view = gradient_windows(image_shape, rows.dtype, *how)
    shape = prod(view.shape[:3]), prod(view.shape[3:])
    if rows.shape != shape:
        raise ValueError(
            f"rows must have the shape {shape} that im2col gives for these images: got {rows.shape}"
        )
    add_windows(view, rows.reshape(view.shape))
    return total


def pool2d_loops(images, pool_size=2, *, strides=None, padding="valid", reduce=np.max):
    """Pooling as it is defined: `reduce` (a maximum, a mean) of each window, channel by channel.

    The slow, plain version of `max_pool2d` and, with `reduce=np.mean`, of `average_pool2d`. Windows
    end at the border of the image, so padding is neither a candidate nor a part of the mean.
    """
    strides = pool_size if strides is None else strides
    images, edges = check_pooling(images, pool_size, strides, padding, integers=True)
    (rows, columns), (sy, sx) = pair("pool_size", pool_size), pair("strides", strides)
    height, width = output_sizes(images.shape, pool_size, strides, padding)
    (top, _), (left, _) = edges

    output = np.zeros((len(images), height, width, images.shape[3]), images.dtype)
    for n in range(len(images)):
        for y in range(height):
            for x in range(width):
                above, before = y * sy - top, x * sx - left  # negative in the padding
                window = images[
                    n,
                    max(above, 0) : above + rows,
                    max(before, 0) : before + columns,
                ]
                output[n, y, x] = reduce(window, axis=(0, 1))
    return output


def max_pool2d(images, pool_size=2, *, strides=None, padding="valid"):
    """Largest pixel of each window, channel by channel.

    Parameters
    ----------
    images : ndarray, shape (images, height, width, channels)
        Floating-point or integer.
    pool_size : int or (int, int)
    strides : int or (int, int), optional
        As the pool_size, when left out.
    padding
        See the top of the module. What is put around the images is never the largest.

    Returns
    -------
    ndarray, shape (images, output height, output width, channels)
        In the dtype of the images. As in TensorFlow on a CPU, NaN is never the largest; a window
        that holds nothing else gives NaN (and not, as there, the lowest number of the dtype).
    """
    strides = pool_size if strides is None else strides
    images, edges = check_pooling(images, pool_size, strides, padding, integers=True)
    return _largest(windows(_pad_for_max(images, edges), pool_size, strides))


def max_pool2d_backward(upstream, images, pool_size=2, *, strides=None, padding="valid"):
    """Gradient of `max_pool2d`: each window hands its gradient to its largest pixel.

    Of equal ones the first gets it all, from left to right and down, as in TensorFlow on a CPU.
    Parameters as of `max_pool2d`; returns the gradient with respect to the images.
    """
    strides = pool_size if strides is None else strides
    images, edges = check_pooling(images, pool_size, strides, padding)
    view = windows(_pad_for_max(images, edges), pool_size, strides)
    largest = _largest(view)
    upstream = check_upstream(upstream, largest.shape, images.dtype)
    d_images, d_view = gradient_windows(images.shape, images.dtype, pool_size, strides, edges)
    waiting = np.ones(largest.shape, bool)  # windows whose largest pixel has not come by yet
    for i, j in np.ndindex(view.shape[3:5]):
        found = waiting & (view[:, :, :, i, j] == largest)
        d_view[:, :, :, i, j] += np.where(found, upstream, 0)
        waiting &= ~found
    return d_images


def average_pool2d(images, pool_size=2, *, strides=None, padding="valid"):
    """Mean of each window, channel by channel; padding is not counted, as in TensorFlow.

    Parameters and result as of `max_pool2d`, but images must be floating-point.
    """
    strides = pool_size if strides is None else strides
    images, edges = check_pooling(images, pool_size, strides, padding)
    view = windows(pad_images(images, edges), pool_size, strides)
    total = np.zeros((*view.shape[:3], view.shape[5]), images.dtype)
    for i, j in np.ndindex(view.shape[3:5]):
        total += view[:, :, :, i, j]
    return total / _pixels_in_windows(images, pool_size, strides, edges)


def average_pool2d_backward(upstream, images, pool_size=2, *, strides=None, padding="valid"):
    """Gradient of `average_pool2d`: each window shares its gradient equally among its pixels.

    Parameters as of `average_pool2d`; returns the gradient with respect to the images.
    """
    strides = pool_size if strides is None else strides
    images, edges = check_pooling(images, pool_size, strides, padding)
    d_images, d_view = gradient_windows(images.shape, images.dtype, pool_size, strides, edges)
    shape = *d_view.shape[:3], d_view.shape[5]
    upstream = check_upstream(upstream, shape, images.dtype)
    share = upstream / _pixels_in_windows(images, pool_size, strides, edges)
    add_windows(d_view, np.broadcast_to(share[:, :, :, np.newaxis, np.newaxis], d_view.shape))
    return d_images


def _blocks(view):
    """Slices of images whose windows, copied, take about `_COPY_BYTES`."""
    step = max(1, _COPY_BYTES // max(1, prod(view.shape[1:]) * view.itemsize))
    return [slice(first, first + step) for first in range(0, len(view), step)]


def _split(groups, *arrays):
    return [np.split(array, groups, axis=-1) for array in arrays]


def _pad_for_max(images, edges):
    """Pad with what never wins: NaN, which `np.fmax` passes over, or the lowest integer."""
    lowest = np.nan if images.dtype.kind == "f" else np.iinfo(images.dtype).min
    return pad_images(images, edges, lowest)


def _largest(view):
    largest = view[:, :, :, 0, 0].copy()
    for i, j in np.ndindex(view.shape[3:5]):
        np.fmax(largest, view[:, :, :, i, j], out=largest)
    return largest


def _pixels_in_windows(images, pool_size, strides, edges):
    ones = pad_images(np.ones((1, *images.shape[1:3], 1), images.dtype), edges)
    return windows(ones, pool_size, strides).sum(axis=(3, 4))
