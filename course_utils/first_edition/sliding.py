"""Padding and sliding windows in NumPy: what convolution and pooling have in common.

The lesson is in `course_utils.numpy_ops`, which offers all of this; here are its tools, and the
sentences that bad input gets.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from course_utils.first_edition.sizes import (
    effective_kernel_size,
    is_same,
    output_size,
    padding_pair,
    pair,
    same_padding,
    whole,
)


def explicit_padding(image_shape, kernel_size, strides=1, padding="valid", dilation_rate=1):
    """Pixels that a padding adds to images: ((top, bottom), (left, right)).

    Parameters
    ----------
    image_shape : (int, int, int, int)
        Images, height, width, channels.
    kernel_size, strides, dilation_rate : int or (int, int)
    padding : {"valid", "same"}, int, or ((int, int), (int, int))
    """
    one_for_both = isinstance(padding, str) or not isinstance(padding, (tuple, list))
    sides = (padding, padding) if one_for_both else padding
    if not one_for_both and [np.shape(side) for side in sides] != [(2,), (2,)]:
        raise ValueError(
            'padding must be "valid", "same", one number or ((top, bottom), (left, right)): '
            f"got {padding!r}"
        )
    return tuple(
        same_padding(*axis) if is_same(side) else padding_pair(side)
        for *axis, side in zip(
            image_shape[1:3],
            pair("kernel_size", kernel_size),
            pair("strides", strides),
            pair("dilation_rate", dilation_rate),
            sides,
            strict=True,
        )
    )


def output_sizes(
    image_shape, kernel_size, strides=1, padding="valid", dilation_rate=1, name="kernel_size"
):
    """Height and width of the output; ValueError with the kernel's `name` where it does not fit."""
    edges = explicit_padding(image_shape, kernel_size, strides, padding, dilation_rate)
    kernel, gaps = pair(name, kernel_size), pair("dilation_rate", dilation_rate)
    axes = list(zip(image_shape[1:3], kernel, pair("strides", strides), edges, gaps, strict=True))
    if any(effective_kernel_size(k, d) > size + sum(edge) for size, k, _, edge, d in axes):
        dilated = f" with dilation_rate {dilation_rate}" if max(gaps) > 1 else ""
        raise ValueError(
            f"{name} must be at most the padded input: got {kernel[0]}×{kernel[1]}{dilated} "
            f"for images of {image_shape[1]}×{image_shape[2]} with padding {padding!r}"
        )
    return tuple(output_size(*axis) for axis in axes)


def pad_images(images, padding, value=0):
    """Put `value` around images; `padding` is an int or ((top, bottom), (left, right))."""
    n, height, width, channels = images.shape
    (top, bottom), (left, right) = explicit_padding(images.shape, 1, padding=padding)
    if top == bottom == left == right == 0:
        return images
    shape = n, top + height + bottom, left + width + right, channels
    padded = np.full(shape, value, images.dtype)
    padded[:, top : top + height, left : left + width] = images
    return padded


def windows(images, kernel_size, strides=1, dilation_rate=1, *, writeable=False):
    """Show every window that a kernel meets on its way over the images, without copying a pixel.

    Parameters
    ----------
    images : ndarray, shape (images, height, width, channels)
        Padded already.
    kernel_size, strides, dilation_rate : int or (int, int)
    writeable : bool

    Returns
    -------
    ndarray, shape (images, output height, output width, rows, columns, channels)
        A view: the pixels of overlapping windows are the same memory, so writing to one window
        (with `writeable=True`) changes its neighbours, and the images.

    Raises
    ------
    ValueError
        When the kernel does not fit into the images.
    """
    images = check_images(images, integers=True)
    output_sizes(images.shape, kernel_size, strides, "valid", dilation_rate)
    (sy, sx), (dy, dx) = pair("strides", strides), pair("dilation_rate", dilation_rate)
    rows, columns = pair("kernel_size", kernel_size)
    spans = effective_kernel_size(rows, dy), effective_kernel_size(columns, dx)
    view = sliding_window_view(images, spans, axis=(1, 2), writeable=writeable)
    return np.moveaxis(view[:, ::sy, ::sx, :, ::dy, ::dx], 3, -1)


def padded_windows(images, kernel_size, strides=1, padding="valid", dilation_rate=1):
    """Pad images with zeros, and show the `windows` of the result."""
    output_sizes(images.shape, kernel_size, strides, padding, dilation_rate)
    edges = explicit_padding(images.shape, kernel_size, strides, padding, dilation_rate)
    return windows(pad_images(images, edges), kernel_size, strides, dilation_rate)


def gradient_windows(image_shape, dtype, kernel_size, strides=1, padding="valid", dilation_rate=1):
    """Zeros to collect gradients in, seen twice: as the images, and as their padded windows."""
    edges = explicit_padding(image_shape, kernel_size, strides, padding, dilation_rate)
    (top, _), (left, _) = edges
    padded = pad_images(np.zeros(image_shape, dtype), edges)
    inside = padded[:, top : top + image_shape[1], left : left + image_shape[2]]
    return inside, windows(padded, kernel_size, strides, dilation_rate, writeable=True)


def add_windows(view, values):
    """Add values to a view of windows, one position of the kernel at a time.

    Windows overlap, and NumPy would add to a pixel once that is in several of them. The pixels that
    one position of the kernel meets are all different, so that no sum is lost.
    """
    for i, j in np.ndindex(view.shape[3:5]):
        view[:, :, :, i, j] += values[:, :, :, i, j]


def check_images(images, integers=False):
    """Return images as an array, or raise a sentence about their shape or dtype."""
    images = np.asarray(images)
    if images.ndim != 4:
        raise ValueError(
            "images must have the shape (images, height, width, channels): "
            f"got {images.shape}; images[..., np.newaxis] adds the axis of one channel, "
            "image[np.newaxis] that of one image"
        )
    if images.dtype.kind not in ("fiu" if integers else "f"):
        raise ValueError(
            f'images must be floating-point: got {images.dtype}; use images.astype("float32")'
        )
    return images


def check_convolution(images, kernel, groups):
    """Return images and kernel as arrays that go together, or raise a sentence."""
    images, kernel = check_images(images), np.asarray(kernel)
    if kernel.ndim != 4:
        raise ValueError(
            f"kernel must have the shape (rows, columns, channels, filters): got {kernel.shape}"
        )
    channels, filters = whole("channels", images.shape[3]), whole("filters", kernel.shape[3])
    if channels % whole("groups", groups) or filters % groups:
        raise ValueError(
            f"groups must divide channels and filters: got {groups} groups "
            f"for {channels} channels and {filters} filters"
        )
    if kernel.shape[2] * groups != channels:
        raise ValueError(
            f"kernel must have {channels // groups} on its third axis, for images of {channels} "
            f"channels in {groups} group{'s' * (groups > 1)}: got the shape {kernel.shape}"
        )
    if kernel.dtype != images.dtype:
        raise ValueError(
            f"kernel must have the dtype of the images, {images.dtype}: got {kernel.dtype}; "
            f'use kernel.astype("{images.dtype}")'
        )
    return images, kernel


def check_bias(bias, output):
    """Return the bias in the dtype of the output, or raise a sentence about its shape."""
    bias = np.asarray(bias, output.dtype)
    if bias.shape != output.shape[3:]:
        raise ValueError(
            f"bias must have one number for each of {output.shape[3]} filters: "
            f"got the shape {bias.shape}"
        )
    return bias


def check_pooling(images, pool_size, strides, padding, integers=False):
    """Return images and ((top, bottom), (left, right)), or raise a sentence."""
    images, sizes = check_images(images, integers), pair("pool_size", pool_size)
    output_sizes(images.shape, pool_size, strides, padding, name="pool_size")
    edges = explicit_padding(images.shape, pool_size, strides, padding)
    if any(max(edge) >= size for edge, size in zip(edges, sizes, strict=True)):
        raise ValueError(
            "padding must be smaller than pool_size, or windows lie outside of the image: "
            f"got {padding!r} with pool_size {pool_size!r}"
        )
    return images, edges


def check_upstream(upstream, shape, dtype):
    """Return the upstream gradient in `dtype`, or raise a sentence about its shape."""
    upstream = np.asarray(upstream, dtype)
    if upstream.shape != shape:
        raise ValueError(
            f"upstream must have the shape of the output, {shape}: got {upstream.shape}"
        )
    return upstream
